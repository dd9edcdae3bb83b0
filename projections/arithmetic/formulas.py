"""What a relation computes, and between which bounds, from the figures it names.

Invariants:
1. Values and bounds are exact rationals in the unit of the result.
2. Bounds are the tightest: a figure that stands twice in a relation moves once. Sums collect its
   coefficients; quotients move monotonically with each of two operands, so that the extremes lie
   at corners, and only the diagonal is taken when both are one figure.

Source: the README of the worked example; docs/data-folder.md, kinds of relation.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Final, assert_never

from projections.arithmetic import units
from projections.arithmetic.figures import FigureId, PrintedFigure, possible_values
from projections.arithmetic.interval import Interval
from projections.arithmetic.relations import QUOTIENTS, Operand, Relation, RelationKind


@dataclass(frozen=True, kw_only=True, slots=True)
class Term:
    """An operand with its figure, in the base unit of its dimension."""

    figure_id: FigureId
    weight: Fraction
    value: Fraction
    values: Interval
    """Every number the figure may stand for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Computed:
    """What the printed operands make of a relation, in the unit of the result."""

    value: Fraction
    values: Interval | None
    """Every possible value; None when a divisor comes as near to zero as one likes."""


def term(operand: Operand, figure: PrintedFigure, value: Decimal) -> Term:
    """Return an operand ready for computing.

    Args:
        operand: of the relation.
        figure: the figure it names.
        value: the value of the figure, which the caller has seen to be there.
    """
    factor = units.scale(figure.unit)
    return Term(
        figure_id=operand.figure_id,
        weight=Fraction(operand.weight),
        value=Fraction(value) * factor,
        values=possible_values(figure, value).times(factor),
    )


def units_agree(relation: Relation, result: str, operands: Sequence[str]) -> bool:
    """Whether a relation may join these units.

    Args:
        relation: says what is computed.
        result: unit of the result.
        operands: units of the operands, in order.
    """
    if relation.kind not in QUOTIENTS:
        return units.comparable({result, *operands})
    dividend, divisor = operands
    if relation.params.base_is_increment and not units.comparable(operands):
        return False
    if relation.kind is RelationKind.RATIO:
        return units.makes_quotient(result=result, dividend=dividend, divisor=divisor)
    return units.makes_percentage(result=result, dividend=dividend, divisor=divisor)


def compute(relation: Relation, terms: Sequence[Term], unit: str) -> Computed | None:
    """Return what a relation computes from its terms, in a unit that fits them.

    Args:
        relation: well-formed, so that the terms are as many as its kind asks for.
        terms: its operands, in order.
        unit: of the result.

    Returns:
        None when the divisor, or the sum of the weights, is zero.
    """
    if relation.kind in QUOTIENTS:
        found = _quotient(relation, *terms)
    else:
        found = _linear(relation.kind, terms)
    if found is None:
        return None
    to_unit = 1 / units.scale(unit)
    values = found.values.times(to_unit) if found.values else None
    return Computed(value=found.value * to_unit, values=values)


def _linear(kind: RelationKind, terms: Sequence[Term]) -> Computed | None:
    divisor = _divisor(kind, terms)
    if divisor == 0:
        return None
    coefficients: dict[FigureId, Fraction] = {}
    for index, each in enumerate(terms):
        subtracted = index == 1 and kind in _DIFFERENCES
        share = (-each.weight if subtracted else each.weight) / divisor
        coefficients[each.figure_id] = coefficients.get(each.figure_id, Fraction(0)) + share
    by_figure: Mapping[FigureId, Term] = {each.figure_id: each for each in terms}
    value, values = Fraction(0), Interval.point(Fraction(0))
    for figure_id, share in coefficients.items():
        value += by_figure[figure_id].value * share
        values = values.plus(by_figure[figure_id].values.times(share))
    return Computed(value=value, values=values)


_DIFFERENCES: Final = frozenset({RelationKind.DIFFERENCE, RelationKind.POINT_DIFFERENCE})


def _divisor(kind: RelationKind, terms: Sequence[Term]) -> Fraction:
    if kind is RelationKind.MEAN:
        return Fraction(len(terms))
    if kind is RelationKind.WEIGHTED_MEAN_PCT:
        return sum((each.weight for each in terms), Fraction(0))
    return Fraction(1)


def _quotient(relation: Relation, dividend: Term, divisor: Term) -> Computed | None:
    increment = relation.params.base_is_increment
    offset, factor = _affine(relation.kind)

    def at(a: Fraction, b: Fraction) -> Fraction:
        return offset + factor * a / (a - b if increment else b)

    base = dividend.value - divisor.value if increment else divisor.value
    if base == 0:
        return None
    bases = dividend.values.plus(divisor.values.times(Fraction(-1)))
    if (bases if increment else divisor.values).touches_zero:
        return Computed(value=at(dividend.value, divisor.value), values=None)
    corners = [at(a, b) for a, b in _corners(dividend, divisor)]
    values = Interval(low=min(corners), high=max(corners))
    return Computed(value=at(dividend.value, divisor.value), values=values)


def _corners(first: Term, second: Term) -> Iterator[tuple[Fraction, Fraction]]:
    for a in (first.values.low, first.values.high):
        if first.figure_id == second.figure_id:
            yield a, a
        else:
            yield a, second.values.low
            yield a, second.values.high


def _affine(kind: RelationKind) -> tuple[Fraction, Fraction]:
    """Return offset and factor that make a relation of the quotient a / b.

    100 (a - b) / b is -100 + 100 a / b: written so, b stands once and the corners are exact.
    """
    match kind:
        case RelationKind.RATIO:
            offset, factor = 0, 1
        case RelationKind.SHARE_PCT | RelationKind.ACHIEVEMENT_UP_PCT:
            offset, factor = 0, 100
        case RelationKind.CHANGE_PCT | RelationKind.DEVIATION_UP_PCT:
            offset, factor = -100, 100
        case RelationKind.DEVIATION_DOWN_PCT:
            offset, factor = 100, -100
        case RelationKind.ACHIEVEMENT_DOWN_PCT:
            offset, factor = 200, -100
        case (
            RelationKind.SUM
            | RelationKind.DIFFERENCE
            | RelationKind.POINT_DIFFERENCE
            | RelationKind.MEAN
            | RelationKind.WEIGHTED_MEAN_PCT
            | RelationKind.EQUAL
        ):
            offset, factor = 0, 0
        case _:
            assert_never(kind)
    return Fraction(offset), Fraction(factor)
