"""Units that may meet are those of one dimension, and nothing changes scale unseen."""

from fractions import Fraction

import pytest

from projections.arithmetic.units import comparable, makes_percentage, makes_quotient, scale


@pytest.mark.parametrize(
    ("unit", "expected"),
    [("EUR", 1), ("EUR_MLN", 10**6), ("EUR_MLD", 10**9), ("percent", 1), ("furlong", 1)],
)
def test_scales_amounts_to_euro(unit: str, expected: int) -> None:
    assert scale(unit) == Fraction(expected)


@pytest.mark.parametrize(
    "units",
    [
        {"EUR", "EUR_MLN", "EUR_MLD"},
        {"index", "percent", "percent_points", "points", "score"},
        {"ratio", "index"},
        {"days"},
        {"furlong"},
        set(),
    ],
)
def test_compares_units_of_one_dimension(units: set[str]) -> None:
    assert comparable(units)


@pytest.mark.parametrize(
    "units",
    [
        {"EUR", "percent"},
        {"EUR", "count"},
        {"days", "hours"},
        {"count", "index"},
        {"ratio", "percent"},
        {"ratio", "percent_points"},
        {"furlong", "days"},
        {"eur", "EUR"},
    ],
)
def test_refuses_to_compare_across_dimensions_or_scales(units: set[str]) -> None:
    assert not comparable(units)


@pytest.mark.parametrize(
    ("result", "dividend", "divisor"),
    [
        ("percent", "EUR", "EUR_MLD"),
        ("index", "days", "days"),
        ("percent", "percent", "index"),
        ("percent_points", "score", "score"),
    ],
)
def test_makes_a_percentage_of_one_dimension(result: str, dividend: str, divisor: str) -> None:
    assert makes_percentage(result=result, dividend=dividend, divisor=divisor)


@pytest.mark.parametrize(
    ("result", "dividend", "divisor"),
    [
        ("percent", "EUR", "count"),
        ("percent", "ratio", "percent"),
        ("ratio", "EUR", "EUR"),
        ("EUR", "EUR", "EUR"),
        ("count", "count", "count"),
    ],
)
def test_refuses_a_percentage_otherwise(result: str, dividend: str, divisor: str) -> None:
    assert not makes_percentage(result=result, dividend=dividend, divisor=divisor)


@pytest.mark.parametrize(
    ("result", "dividend", "divisor"),
    [
        ("ratio", "count", "count"),
        ("count", "count", "count"),
        ("index", "EUR_MLN", "EUR"),
        ("EUR", "EUR_MLN", "count"),
        ("points", "count", "hours"),
        ("days", "days", "count"),
    ],
)
def test_makes_a_quotient(result: str, dividend: str, divisor: str) -> None:
    assert makes_quotient(result=result, dividend=dividend, divisor=divisor)


@pytest.mark.parametrize(
    ("result", "dividend", "divisor"),
    [
        ("percent", "EUR", "EUR"),
        ("EUR", "EUR", "EUR_MLN"),
        ("EUR", "count", "hours"),
        ("days", "hours", "count"),
        ("hours", "hours", "hours"),
    ],
)
def test_refuses_a_quotient_otherwise(result: str, dividend: str, divisor: str) -> None:
    assert not makes_quotient(result=result, dividend=dividend, divisor=divisor)
