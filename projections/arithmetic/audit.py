"""Decide for every relation whether its printed result follows from its printed operands.

Invariants:
1. One verdict per relation, in the order of the relations; the same input gives the same output.
2. Every decision is made on exact numbers; nothing is rounded before it is compared.
3. A relation that cannot be checked is a verdict, never an error and never silent.

Order of the decision: not computable, exact, rounding (within the interval, then within the
tolerance), and for what differs: restated or other_scope, doubtful, inconsistent. A relation with
both `compare` and `expect` is judged by `compare`.

Source: docs/data-folder.md, parameters; the README of the worked example, rounding rule.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import assert_never

from ledger.errors import LedgerError
from projections.arithmetic.figures import FigureId, PrintedFigure, by_id
from projections.arithmetic.formulas import Computed, Term, compute, term, units_agree
from projections.arithmetic.interval import unrounded
from projections.arithmetic.relations import Comparison, Relation, RelationId, RelationParams
from projections.arithmetic.verdict import OperandReading, Reason, RelationVerdict, Verdict
from projections.cycle.rounding import round_half_up

Figures = Mapping[FigureId, PrintedFigure]
"""Printed figures by their names."""


class DuplicateRelationError(LedgerError):
    """Two relations carry one name, so that a verdict could not say which it judges."""

    code = "duplicate_relation"
    exit_code = 43
    template = "relation {relation} stands twice"
    hint = "rename or remove one of the two rows of relations.csv"

    def __init__(self, *, relation: str) -> None:
        self.relation = relation
        super().__init__(relation=relation)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Ground:
    """Why a verdict is what it is."""

    reason: Reason
    subject: FigureId | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class _Printed:
    """The result of a relation, known to have a value."""

    value: Fraction
    decimals: int
    unit: str


def audit(
    figures: Iterable[PrintedFigure], relations: Iterable[Relation]
) -> tuple[RelationVerdict, ...]:
    """Check every relation between printed figures.

    Args:
        figures: all figures the relations may name; more do no harm.
        relations: what is claimed of them.

    Returns:
        One verdict per relation, in their order.

    Raises:
        DuplicateFigureError: two figures carry one name.
        DuplicateRelationError: two relations carry one name.
    """
    known = by_id(figures)
    verdicts: dict[RelationId, RelationVerdict] = {}
    for relation in relations:
        if relation.relation_id in verdicts:
            raise DuplicateRelationError(relation=relation.relation_id)
        verdicts[relation.relation_id] = check(known, relation)
    return tuple(verdicts.values())


def check(figures: Figures, relation: Relation) -> RelationVerdict:
    """Check one relation between printed figures."""
    result = figures.get(relation.result)
    unchecked = _unchecked(figures, relation, result)
    ready = _ready(figures, relation, result)
    if isinstance(ready, _Ground):
        return replace(unchecked, reason=ready.reason, subject=ready.subject)
    printed, terms = ready
    computed = compute(relation, terms, printed.unit)
    if computed is None:
        return replace(unchecked, reason=Reason.DIVISION_BY_ZERO)
    reason = _reason(relation.params, printed, computed)
    return replace(
        unchecked,
        verdict=_verdict(relation.params, reason),
        reason=reason,
        computed=round_half_up(computed.value, printed.decimals),
        computed_unrounded=unrounded(computed.value, printed.decimals),
        interval=computed.values.shown(printed.decimals) if computed.values else None,
    )


def _unchecked(
    figures: Figures, relation: Relation, result: PrintedFigure | None
) -> RelationVerdict:
    return RelationVerdict(
        relation_id=relation.relation_id,
        kind=relation.kind,
        verdict=Verdict.NOT_COMPUTABLE,
        reason=Reason.RESULT_MISSING,
        subject=None,
        result=relation.result,
        printed=_printed_value(result),
        computed=None,
        computed_unrounded=None,
        interval=None,
        unit=result.unit if result else None,
        locator=result.locator if result else None,
        operands=tuple(_readings(figures, relation)),
        note=relation.note,
    )


def _readings(figures: Figures, relation: Relation) -> Iterable[OperandReading]:
    for operand in relation.operands:
        figure = figures.get(operand.figure_id)
        yield OperandReading(
            figure_id=operand.figure_id,
            weight=operand.weight,
            printed=_printed_value(figure),
            unit=figure.unit if figure else None,
            locator=figure.locator if figure else None,
        )


def _printed_value(figure: PrintedFigure | None) -> Decimal | None:
    if figure is None or figure.value is None:
        return None
    return figure.value.copy_abs() if figure.value.is_zero() else figure.value


def _ready(
    figures: Figures, relation: Relation, result: PrintedFigure | None
) -> tuple[_Printed, Sequence[Term]] | _Ground:
    """Return result and terms fit for computing, or the first reason why they are not."""
    if result is None:
        return _Ground(reason=Reason.RESULT_MISSING, subject=relation.result)
    if result.value is None:
        return _Ground(reason=Reason.RESULT_WITHOUT_VALUE, subject=relation.result)
    if not result.is_on_grid:
        return _Ground(reason=Reason.PRECISION_CONTRADICTED, subject=relation.result)
    terms: list[Term] = []
    operand_units: list[str] = []
    for operand in relation.operands:
        figure = figures.get(operand.figure_id)
        if figure is None:
            return _Ground(reason=Reason.OPERAND_MISSING, subject=operand.figure_id)
        if figure.value is None:
            return _Ground(reason=Reason.OPERAND_WITHOUT_VALUE, subject=operand.figure_id)
        if figure.raw and not figure.is_on_grid:
            return _Ground(reason=Reason.PRECISION_CONTRADICTED, subject=operand.figure_id)
        terms.append(term(operand, figure, figure.value))
        operand_units.append(figure.unit)
    if not units_agree(relation, result.unit, operand_units):
        return _Ground(reason=Reason.UNITS_DIFFER)
    printed = _Printed(value=Fraction(result.value), decimals=result.decimals, unit=result.unit)
    return printed, terms


def _reason(params: RelationParams, printed: _Printed, computed: Computed) -> Reason:
    rounded = Fraction(round_half_up(computed.value, printed.decimals))
    if rounded == printed.value:
        return Reason.EQUAL
    if computed.values is not None and computed.values.can_print(
        printed=printed.value, decimals=printed.decimals
    ):
        return Reason.WITHIN_INTERVAL
    if params.tolerance is not None:
        # The body may have compared before or after rounding: the smaller difference counts.
        difference = min(abs(computed.value - printed.value), abs(rounded - printed.value))
        if difference <= Fraction(params.tolerance):
            return Reason.WITHIN_TOLERANCE
    return Reason.DIVISOR_REACHES_ZERO if computed.values is None else Reason.BEYOND_INTERVAL


def _verdict(params: RelationParams, reason: Reason) -> Verdict:
    if reason is Reason.EQUAL:
        return Verdict.EXACT
    if reason in {Reason.WITHIN_INTERVAL, Reason.WITHIN_TOLERANCE}:
        return Verdict.ROUNDING
    if reason is not Reason.BEYOND_INTERVAL:
        return Verdict.NOT_COMPUTABLE
    match params.comparison:
        case Comparison.VINTAGE:
            return Verdict.RESTATED
        case Comparison.SCOPE:
            return Verdict.OTHER_SCOPE
        case None:
            return Verdict.DOUBTFUL if params.expects_agreement else Verdict.INCONSISTENT
        case _:
            assert_never(params.comparison)
