"""Every kind computes what the README of the worked example says, with the tightest bounds."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projections.arithmetic.figures import FigureId
from projections.arithmetic.formulas import Computed, Term, compute, units_agree
from projections.arithmetic.interval import Interval
from projections.arithmetic.relations import QUOTIENTS, RelationKind
from tests.support.printed import claim

WEIGHTED = RelationKind.WEIGHTED_MEAN_PCT


def operand(name: str, value: str, half: str = "0", weight: str = "1") -> Term:
    return Term(
        figure_id=FigureId(name),
        weight=Fraction(weight),
        value=Fraction(value),
        values=Interval.around(Fraction(value), Fraction(half)),
    )


def found(kind: str, *terms: Term, params: str = "", unit: str = "percent") -> Computed | None:
    words = " ".join(
        f"1*{each.figure_id}" if kind == WEIGHTED else each.figure_id for each in terms
    )
    return compute(claim(kind, "r", words, params), terms, unit)


@pytest.mark.parametrize(
    ("kind", "a", "b", "expected"),
    [
        ("difference", "5", "8", "-3"),
        ("point_difference", "82.06", "78", "4.06"),
        ("ratio", "1", "8", "0.125"),
        ("share_pct", "1", "8", "12.5"),
        ("achievement_up_pct", "88", "80", "110"),
        ("change_pct", "110", "80", "37.5"),
        ("change_pct", "110", "-80", "-237.5"),
        ("deviation_up_pct", "60", "80", "-25"),
        ("deviation_down_pct", "60", "80", "25"),
        ("achievement_down_pct", "49", "32", "46.875"),
        ("sum", "5", "8", "13"),
        ("mean", "5", "8", "6.5"),
    ],
)
def test_computes_two_exact_operands(kind: str, a: str, b: str, expected: str) -> None:
    computed = found(kind, operand("a", a), operand("b", b))

    value = Fraction(expected)
    assert computed == Computed(value=value, values=Interval.point(value))


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("change_pct", "10"), ("share_pct", "110"), ("ratio", "1.1"), ("deviation_down_pct", "-10")],
)
def test_takes_a_less_b_as_base_when_b_is_the_increase(kind: str, expected: str) -> None:
    computed = found(kind, operand("a", "110"), operand("b", "10"), params="base=increment")

    assert computed is not None
    assert computed.value == Fraction(expected)


def test_divides_a_weighted_mean_by_the_sum_of_its_weights() -> None:
    computed = found(WEIGHTED, operand("a", "100", weight="1"), operand("b", "40", weight="2"))

    assert computed is not None
    assert computed.value == 60


def test_returns_the_only_operand_of_equal() -> None:
    computed = found("equal", operand("a", "7", "1/2"))

    assert computed == Computed(
        value=Fraction(7), values=Interval.around(Fraction(7), Fraction(1, 2))
    )


@pytest.mark.parametrize(
    ("kind", "low", "high"),
    [
        ("sum", "14", "16"),
        ("difference", "4", "6"),
        ("mean", "7", "8"),
        ("ratio", "19/11", "21/9"),
        ("change_pct", "800/11", "1200/9"),
        ("deviation_down_pct", "-1200/9", "-800/11"),
        ("achievement_down_pct", "-300/9", "300/11"),
    ],
)
def test_bounds_come_from_the_corners(kind: str, low: str, high: str) -> None:
    computed = found(kind, operand("a", "10", "1/2"), operand("b", "5", "1/2"))

    assert computed is not None
    assert computed.values == Interval(low=Fraction(low), high=Fraction(high))


@pytest.mark.parametrize(
    ("kind", "value"), [("difference", 0), ("ratio", 1), ("change_pct", 0), ("share_pct", 100)]
)
def test_moves_a_figure_once_that_stands_twice(kind: str, value: int) -> None:
    twice = operand("a", "10", "1/2")

    computed = found(kind, twice, twice)

    assert computed == Computed(value=Fraction(value), values=Interval.point(Fraction(value)))


def test_adds_up_the_shares_of_a_figure_that_stands_twice() -> None:
    twice = operand("a", "10", "1/2")

    computed = found("mean", twice, twice, operand("b", "1"))

    assert computed is not None
    assert computed.values == Interval(low=Fraction(20, 3), high=Fraction(22, 3))


def test_is_a_point_when_an_exact_zero_is_divided() -> None:
    computed = found("ratio", operand("a", "0"), operand("b", "5", "1/2"))

    assert computed == Computed(value=Fraction(0), values=Interval.point(Fraction(0)))


@pytest.mark.parametrize("kind", sorted(QUOTIENTS))
def test_computes_nothing_by_a_zero_divisor(kind: str) -> None:
    assert found(kind, operand("a", "1"), operand("b", "0")) is None


def test_computes_nothing_when_the_increase_is_everything() -> None:
    same = (operand("a", "3", "1/2"), operand("b", "3", "1/2"))

    assert found("change_pct", *same, params="base=increment") is None


def test_computes_nothing_when_all_weights_are_zero() -> None:
    assert found(WEIGHTED, operand("a", "3", weight="0")) is None


def test_has_no_bounds_when_the_base_may_be_zero() -> None:
    computed = found(
        "change_pct", operand("a", "3.4", "1/2"), operand("b", "3", "1/2"), params="base=increment"
    )

    assert computed is not None
    assert computed.values is None


def test_expresses_the_result_in_its_own_unit() -> None:
    computed = found("sum", operand("a", "2500000", "500000"), unit="EUR_MLN")

    assert computed == Computed(
        value=Fraction(5, 2), values=Interval(low=Fraction(2), high=Fraction(3))
    )


@pytest.mark.parametrize(
    ("kind", "result", "units", "expected"),
    [
        ("sum", "EUR", ("EUR_MLN", "EUR_MLD"), True),
        ("sum", "EUR", ("EUR", "percent"), False),
        ("equal", "index", ("percent",), True),
        ("equal", "count", ("percent",), False),
        ("share_pct", "percent", ("EUR", "EUR_MLD"), True),
        ("share_pct", "percent", ("EUR", "count"), False),
        ("ratio", "EUR", ("EUR_MLN", "count"), True),
        ("ratio", "percent", ("count", "count"), False),
    ],
)
def test_judges_units_by_the_kind(
    kind: str, result: str, units: tuple[str, ...], *, expected: bool
) -> None:
    relation = claim(kind, "r", "a b" if len(units) > 1 else "a")

    assert units_agree(relation, result, units) is expected


def test_refuses_to_subtract_the_increase_from_another_dimension() -> None:
    relation = claim("ratio", "r", "a b", "base=increment")

    assert not units_agree(relation, "points", ("EUR", "count"))


VALUES = st.integers(min_value=1, max_value=10_000).map(lambda n: Fraction(n, 10))
SHARES = st.fractions(min_value=Fraction(1, 10), max_value=Fraction(9, 10), max_denominator=10)


@pytest.mark.property
@settings(max_examples=200)
@given(
    kind=st.sampled_from(sorted(QUOTIENTS | {RelationKind.DIFFERENCE, RelationKind.MEAN})),
    a=VALUES.flatmap(lambda v: st.sampled_from([v, -v])),
    b=VALUES,
    at_a=SHARES,
    at_b=SHARES,
)
def test_every_value_that_the_operands_allow_lies_within(
    kind: str, a: Fraction, b: Fraction, at_a: Fraction, at_b: Fraction
) -> None:
    half = Fraction(1, 20)
    bounds = found(kind, operand("a", str(a), str(half)), operand("b", str(b), str(half)))
    inside_a, inside_b = a - half + at_a * 2 * half, b - half + at_b * 2 * half

    chosen = found(kind, operand("a", str(inside_a)), operand("b", str(inside_b)))

    assert bounds is not None
    assert bounds.values is not None
    assert chosen is not None
    assert bounds.values.low < chosen.value < bounds.values.high
