"""A printed figure stands for every number that it could have been rounded from."""

from decimal import Decimal
from fractions import Fraction

import pytest

from projections.arithmetic.figures import (
    DuplicateFigureError,
    InvalidFigureError,
    by_id,
    half_unit,
    is_moderate,
    possible_values,
)
from projections.arithmetic.interval import Interval
from tests.support.printed import printed


@pytest.mark.parametrize(
    ("value", "unit", "decimals", "low", "high"),
    [
        ("49", "days", 0, "48.5", "49.5"),
        ("53.13", "percent", 2, "53.125", "53.135"),
        ("-5.88", "percent", 2, "-5.885", "-5.875"),
        ("1234000", "EUR", -3, "1233500", "1234500"),
        ("0", "percent", 1, "-0.05", "0.05"),
        ("120", "count", -1, "115", "125"),
        ("2.5", "count", 1, "2.45", "2.55"),
    ],
)
def test_stands_for_half_a_unit_of_its_last_digit_on_either_side(
    value: str, unit: str, decimals: int, low: str, high: str
) -> None:
    figure = printed("a", value, unit, decimals=decimals)

    values = possible_values(figure, Decimal(value))

    assert values == Interval(low=Fraction(low), high=Fraction(high))


@pytest.mark.parametrize(
    ("unit", "decimals", "raw"), [("count", 0, "13"), ("percent", 2, ""), ("EUR", -6, "")]
)
def test_stands_for_itself_when_it_is_a_count_or_fixed_by_definition(
    unit: str, decimals: int, raw: str
) -> None:
    figure = printed("a", "1000000", unit, decimals=decimals, raw=raw)

    assert figure.is_exact
    assert possible_values(figure, Decimal(1_000_000)).is_point


@pytest.mark.parametrize(
    ("decimals", "expected"), [(0, "0.5"), (2, "0.005"), (-3, "500"), (40, "5e-41")]
)
def test_half_a_unit_follows_the_decimals(decimals: int, expected: str) -> None:
    assert half_unit(decimals) == Fraction(Decimal(expected))


@pytest.mark.parametrize(
    ("value", "decimals", "expected"),
    [
        ("12.34", 2, True),
        ("12.345", 2, False),
        ("12", 2, True),
        ("1234000", -3, True),
        ("1234500", -3, False),
        ("0", -3, True),
        (None, 2, True),
    ],
)
def test_tells_whether_the_value_can_be_printed_so(
    value: str | None, decimals: int, *, expected: bool
) -> None:
    assert printed("a", value, decimals=decimals).is_on_grid is expected


@pytest.mark.parametrize("value", ["NaN", "sNaN", "Infinity", "-Infinity"])
def test_refuses_what_is_no_number(value: str) -> None:
    with pytest.raises(InvalidFigureError) as caught:
        printed("a", value, decimals=0)

    assert (caught.value.figure, caught.value.field) == ("a", "value")


@pytest.mark.parametrize("value", ["1e40", "1e-41", "1e999999", "-1e40", "0e-50"])
def test_refuses_values_beyond_the_digits_allowed(value: str) -> None:
    with pytest.raises(InvalidFigureError, match="more than 40 digits"):
        printed("a", value, decimals=0)


@pytest.mark.parametrize("decimals", [41, -41, 10**9])
def test_refuses_decimals_beyond_the_digits_allowed(decimals: int) -> None:
    with pytest.raises(InvalidFigureError) as caught:
        printed("a", "1", decimals=decimals)

    assert caught.value.field == "decimals"


def test_clips_the_value_it_refuses() -> None:
    with pytest.raises(InvalidFigureError) as caught:
        printed("a", "9" * 5000, decimals=0)

    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("value", ["9" * 40, "0." + "0" * 39 + "1", "0", "-1e39"])
def test_accepts_values_up_to_the_digits_allowed(value: str) -> None:
    assert is_moderate(Decimal(value))


def test_finds_figures_by_name() -> None:
    first, second = printed("a", "1"), printed("b", None)

    assert by_id([first, second]) == {"a": first, "b": second}


def test_refuses_a_name_that_stands_twice_and_says_where() -> None:
    with pytest.raises(DuplicateFigureError) as caught:
        by_id([printed("a", "1"), printed("b", "1"), printed("a", "2")])

    assert caught.value.figure == "a"
    assert caught.value.first == "001:a"


def test_refuses_a_name_that_stands_twice_even_with_equal_content() -> None:
    with pytest.raises(DuplicateFigureError):
        by_id([printed("a", "1"), printed("a", "1")])
