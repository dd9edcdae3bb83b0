"""Half-up rounding of exact values: ties, signs, sizes; and exact values as text."""

from decimal import ROUND_HALF_UP, Context, Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projections.cycle.rounding import round_half_up, written

ROOMY = Context(prec=400, rounding=ROUND_HALF_UP)
"""The decimal library's own half-up, with room for every digit: the oracle."""


@pytest.mark.parametrize(
    ("value", "decimals", "expected"),
    [
        ("53.125", 2, "53.13"),
        ("46.875", 2, "46.88"),
        ("46.865", 2, "46.87"),
        ("-0.125", 2, "-0.13"),
        ("-46.875", 2, "-46.88"),
        ("0.5", 0, "1"),
        ("1.5", 0, "2"),
        ("2.5", 0, "3"),
        ("-2.5", 0, "-3"),
        ("2.4999999999999999999999999999999999", 0, "2"),
        ("0.994999", 2, "0.99"),
        ("0.995", 2, "1.00"),
        ("999.995", 2, "1000.00"),
    ],
)
def test_a_tie_goes_away_from_zero(value: str, decimals: int, expected: str) -> None:
    assert str(round_half_up(Decimal(value), decimals)) == expected


@pytest.mark.parametrize(
    ("value", "decimals", "expected"),
    [
        ("1234", -1, "1230"),
        ("1235", -1, "1240"),
        ("-1250", -2, "-1300"),
        ("49999", -5, "0"),
        ("50000", -5, "100000"),
        ("5906162514", -6, "5906000000"),
    ],
)
def test_negative_decimals_round_to_tens_and_more(value: str, decimals: int, expected: str) -> None:
    assert str(round_half_up(Decimal(value), decimals)) == expected


@pytest.mark.parametrize("decimals", [-3, 0, 2, 6])
@pytest.mark.parametrize("value", ["0", "-0", "-0.0000000001", "0.0000000001"])
def test_zero_has_no_sign(value: str, decimals: int) -> None:
    rounded = round_half_up(Decimal(value), decimals)

    assert rounded == 0
    assert not rounded.is_signed()
    assert rounded.as_tuple().exponent == -max(0, decimals)


@pytest.mark.parametrize(
    ("value", "decimals", "expected"),
    [
        (Fraction(1, 3), 5, "0.33333"),
        (Fraction(2, 3), 2, "0.67"),
        (Fraction(-2, 3), 2, "-0.67"),
        (Fraction(-84200, 14309), 2, "-5.88"),
        (Fraction(1, 3), 0, "0"),
        (Fraction(7), 2, "7.00"),
    ],
)
def test_rounds_fractions_without_end(value: Fraction, decimals: int, expected: str) -> None:
    assert str(round_half_up(value, decimals)) == expected


@pytest.mark.parametrize("digits", [28, 29, 200, 201, 350])
def test_a_huge_value_keeps_every_digit(digits: int) -> None:
    whole = 10**digits + 7

    assert round_half_up(Fraction(whole), 0) == Decimal(whole)
    assert format(round_half_up(-whole - Fraction(1, 200), 2), "f") == f"-{whole}.01"
    assert round_half_up(Fraction(whole), -1) == Decimal(whole + 3)


def test_the_precision_of_the_surroundings_does_not_matter() -> None:
    with localcontext() as context:
        context.prec = 3
        rounded = round_half_up(Decimal("-123456.785"), 2)

    assert str(rounded) == "-123456.79"


@pytest.mark.parametrize("value", ["NaN", "Infinity"])
def test_refuses_what_is_no_number(value: str) -> None:
    with pytest.raises((ValueError, OverflowError)):
        round_half_up(Decimal(value), 2)


@pytest.mark.property
@settings(max_examples=200, deadline=None)
@given(
    st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**40), max_value=10**40),
    st.integers(-12, 12),
)
def test_agrees_with_the_decimal_library(value: Decimal, decimals: int) -> None:
    expected = value.quantize(Decimal(1).scaleb(-decimals), context=ROOMY)

    rounded = round_half_up(value, decimals)

    assert rounded == expected
    assert not (rounded == 0 and rounded.is_signed())
    assert round_half_up(rounded, decimals) == rounded


@pytest.mark.property
@settings(max_examples=200, deadline=None)
@given(st.fractions(max_denominator=10**6), st.integers(-6, 9))
def test_is_at_most_half_a_unit_away_and_odd(value: Fraction, decimals: int) -> None:
    unit = Fraction(10) ** -decimals
    rounded = Fraction(round_half_up(value, decimals))

    assert abs(rounded - value) <= unit / 2
    assert rounded % unit == 0
    assert Fraction(round_half_up(-value, decimals)) == -rounded


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Fraction(0), "0"),
        (Fraction(-5), "-5"),
        (Fraction(100), "100"),
        (Fraction(106921, 1000), "106.921"),
        (Fraction(-1, 8), "-0.125"),
        (Fraction(1, 3), "1/3"),
        (Fraction(-84200, 14309), "-84200/14309"),
        (Fraction(1, 2**10), "0.0009765625"),
        (Fraction(3, 5**7), "0.0000384"),
    ],
)
def test_writes_an_exact_value_as_decimal_when_it_ends(value: Fraction, text: str) -> None:
    assert written(value) == text


@pytest.mark.property
@settings(max_examples=200, deadline=None)
@given(st.integers(-(10**60), 10**60), st.integers(0, 300), st.integers(0, 120), st.integers(1, 50))
def test_what_is_written_is_the_value(top: int, twos: int, fives: int, other: int) -> None:
    value = Fraction(top, 2**twos * 5**fives * other)

    assert Fraction(written(value)) == value
