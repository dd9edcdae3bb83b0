"""Numbers are read in one spelling; every other spelling is refused with its likely meaning."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.intake.numbers import (
    decimal_cell,
    decimals_of,
    integer_between,
    integer_cell,
    year_cell,
)
from ledger.intake.problems import CellError

DIGITS_38 = "9" * 38


@pytest.mark.parametrize(
    "text",
    ["0", "100.48", "-7.65", "0.00", "1.234", "1" + "0" * 30, DIGITS_38, "0." + "0" * 37 + "1"],
)
def test_keeps_a_number_as_it_is_written(text: str) -> None:
    assert str(decimal_cell(text).as_tuple()) == str(Decimal(text).as_tuple())


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "empty_value"),
        ("-0", "negative_zero"),
        ("-0.00", "negative_zero"),
        ("1e30", "exponent"),
        ("1,5E+3", "exponent"),
        ("1,234", "ambiguous_number"),
        ("-1,234", "ambiguous_number"),
        ("1.234,56", "comma_number"),
        ("100,48", "comma_number"),
        ("0,123", "comma_number"),
        ("1234,567", "comma_number"),
        ("1,234.56", "thousands_separator"),
        ("1,234,567", "thousands_separator"),
        ("1.234.567", "thousands_separator"),
        ("1 234", "thousands_separator"),
        ("1\u00a0234,5", "thousands_separator"),
        ("1'234", "thousands_separator"),
        ("\uff11\uff12", "foreign_digits"),
        ("5\u0663", "foreign_digits"),
        ("5\u00b2", "foreign_digits"),
        ("\u22125", "minus_sign"),
        ("\u20135", "minus_sign"),
        ("+5", "plus_sign"),
        ("5%", "unit_in_number"),
        ("€ 5", "unit_in_number"),
        ("5.", "bare_dot"),
        (".5", "bare_dot"),
        ("007", "leading_zeros"),
        ("-00.5", "leading_zeros"),
        ("1" * 39, "too_many_digits"),
        ("0." + "0" * 38 + "1", "too_many_digits"),
        ("NaN", "not_a_number"),
        ("-Infinity", "not_a_number"),
        ("1_000", "not_a_number"),
        ("0x10", "not_a_number"),
        ("--5", "not_a_number"),
        ("1.2.3", "not_a_number"),
        ("5\n", "not_a_number"),
        ("n.d.", "not_a_number"),
    ],
)
def test_refuses_another_spelling_of_a_decimal(text: str, code: str) -> None:
    with pytest.raises(CellError) as refused:
        decimal_cell(text)

    assert refused.value.code == code


@pytest.mark.parametrize(
    ("text", "suggestion"),
    [
        ("1.234,56", "1234.56"),
        ("-100,48", "-100.48"),
        ("1,234.56", "1234.56"),
        ("1.234.567", "1234567"),
        ("1 234,5", "1234.5"),
        ("0042.10", "42.10"),
        ("\u22125", "-5"),
        ("-0,00", "0.00"),
        ("007,5", "7.5"),
        ("-00.5", "-0.5"),
        ("00", "0"),
    ],
)
def test_suggests_a_spelling_that_is_accepted(text: str, suggestion: str) -> None:
    with pytest.raises(CellError) as refused:
        decimal_cell(text)

    assert refused.value.facts["suggestion"] == suggestion
    assert decimal_cell(suggestion) == Decimal(suggestion)


def test_names_both_readings_of_an_ambiguous_comma() -> None:
    with pytest.raises(CellError) as refused:
        decimal_cell("1,234")

    assert refused.value.facts == {"decimal": "1.234", "thousands": "1234"}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("5.0", "not_an_integer"),
        ("1.000", "not_an_integer"),
        ("five", "not_an_integer"),
        ("-0", "negative_zero"),
        ("012", "leading_zeros"),
        ("1" * 5000, "too_many_digits"),
        ("\u0661", "foreign_digits"),
        ("True", "not_an_integer"),
        ("", "empty_value"),
    ],
)
def test_refuses_what_is_no_integer(text: str, code: str) -> None:
    with pytest.raises(CellError) as refused:
        integer_cell(text)

    assert refused.value.code == code


@pytest.mark.parametrize(("text", "code"), [("4", "below_minimum"), ("11", "above_maximum")])
def test_refuses_an_integer_out_of_bounds(text: str, code: str) -> None:
    with pytest.raises(CellError) as refused:
        integer_between(minimum=5, maximum=10)(text)

    assert refused.value.code == code


def test_bounds_are_inclusive() -> None:
    parse = integer_between(minimum=5, maximum=10)

    assert (parse("5"), parse("10")) == (5, 10)


@pytest.mark.parametrize("text", ["23", "1899", "3000", "2023.0"])
def test_refuses_what_is_no_year(text: str) -> None:
    with pytest.raises(CellError):
        year_cell(text)


@pytest.mark.parametrize(("text", "decimals"), [("", 0), ("5", 0), ("5.10", 2)])
def test_counts_the_decimals_written(text: str, decimals: int) -> None:
    assert decimals_of(text) == decimals


@pytest.mark.property
@given(st.text(alphabet="0123456789.,-+eE '\u22125\uff11%€", max_size=12))
@settings(max_examples=200)
def test_whatever_is_accepted_has_one_spelling(text: str) -> None:
    try:
        value = decimal_cell(text)
    except CellError:
        return

    assert f"{value:f}" == text
