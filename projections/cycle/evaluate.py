"""Compute indicators from what is known: exact values, with the trace that explains them.

Invariants:
1. Everything is exact until the last step; only the answer is rounded, half-up.
2. A missing part makes the whole missing, with the reason; nothing is guessed or skipped.
3. Each indicator is computed once per evaluator; a cycle of definitions is an error.

Source: docs/adr/0007-indicators.md; rulings 13, 17.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Final, TypeVar, assert_never

from ledger.errors import FormulaError
from ledger.events.base import Event
from ledger.events.results import MoneyFlowRecorded, ResultRecorded
from ledger.formula import (
    ACHIEVEMENT,
    DEVIATION,
    Achievement,
    Cap,
    ChildrenMean,
    Constant,
    Days,
    Deviation,
    Flow,
    Formula,
    Indicator,
    Mean,
    Measure,
    Percent,
    Ratio,
    Recorded,
    Sum,
    Unpublished,
    WeightedMean,
)
from projections.cycle import deviation as rules
from projections.cycle.facts import Known, target_value
from projections.cycle.knowledge import Definition, Knowledge
from projections.cycle.rounding import round_half_up, written
from projections.cycle.trace import Input, Trace
from projections.cycle.values import Missing, Reason, Value

E = TypeVar("E", bound=Event)

PERCENT_DECIMALS: Final = 2
"""Decimals of printed deviations and achievements."""
_FULL_WEIGHT: Final = Fraction(100)
"""Sum of the weights of siblings, percent."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Evaluation:
    """An indicator of a year, computed."""

    code: str
    definition: Definition | None
    exact: Value
    value: Decimal | None
    """Rounded half-up to the definition's decimals; None when missing."""
    target: Decimal | None
    exact_deviation: Value
    deviation: Decimal | None
    """Percent (points for DR3 and DR4), two decimals."""
    exact_achievement: Value
    achievement: Decimal | None
    """Percent, two decimals, capped when the definition says so."""
    vintage: str | None
    """Closing stage of the newest input."""
    trace: Trace

    @property
    def missing(self) -> Missing | None:
        """Why there is no value."""
        return self.exact if isinstance(self.exact, Missing) else None


class Evaluator:
    """Computes the indicators of one year at one cut."""

    def __init__(self, knowledge: Knowledge) -> None:
        self.knowledge = knowledge
        self._done: dict[str, Evaluation] = {}
        self._open: list[str] = []

    def all(self) -> tuple[Evaluation, ...]:
        """Return every indicator of the year, in the order of the objectives."""
        return tuple(self.evaluate(code) for code in self.knowledge.codes)

    def evaluate(self, code: str) -> Evaluation:
        """Return one indicator.

        Raises:
            FormulaError: its definition refers to itself through others.
        """
        if code not in self._done:
            if code in self._open:
                path = " > ".join([*self._open[self._open.index(code) :], code])
                raise FormulaError(subject=code, path="$", reason=f"refers to itself: {path}")
            self._open.append(code)
            try:
                self._done[code] = self._evaluate(code)
            finally:
                self._open.pop()
        return self._done[code]

    def _evaluate(self, code: str) -> Evaluation:
        definition = self.knowledge.definition(code)
        target = self.knowledge.target(code)
        if definition is None:
            trace = Trace("undefined", Missing(Reason.NOT_DEFINED), code=code)
        else:
            trace = self._trace(definition.formula, code)
        exact = trace.value
        deviation, achievement = self._against_target(definition, exact, target)
        decimals = 0 if definition is None else definition.event.decimals
        return Evaluation(
            code=code,
            definition=definition,
            exact=exact,
            value=_rounded(exact, decimals),
            target=target,
            exact_deviation=deviation,
            deviation=_rounded(deviation, PERCENT_DECIMALS),
            exact_achievement=achievement,
            achievement=_rounded(achievement, PERCENT_DECIMALS),
            vintage=trace.vintage(),
            trace=trace,
        )

    def _against_target(
        self, definition: Definition | None, exact: Value, target: Decimal | None
    ) -> tuple[Value, Value]:
        if isinstance(exact, Missing) or definition is None:
            missing = Missing(Reason.CHILD_MISSING)
            return missing, missing
        if target is None and definition.event.deviation_rule != "DR4":
            missing = Missing(Reason.TARGET_MISSING)
            return missing, missing
        rule = definition.event.deviation_rule
        goal = Fraction(100) if target is None else Fraction(target)
        achieved = rules.achievement(rule, exact, goal)
        cap = definition.event.cap
        if cap is not None and not isinstance(achieved, Missing):
            achieved = min(achieved, Fraction(cap))
        return rules.deviation(rule, exact, goal), achieved

    def _trace(self, formula: Formula, code: str) -> Trace:
        match formula:
            case Recorded():
                return self._recorded(code)
            case Flow(node):
                return self._flow(node)
            case Measure(name):
                return Trace("measure", Missing(Reason.FACTS_NOT_READ, (name,)), code=name)
            case Constant(value):
                return Trace("constant", Fraction(value))
            case Indicator(other, part):
                return self._part(other, part)
            case Unpublished(reason):
                return Trace("unpublished", Missing(reason))
            case WeightedMean(part):
                return self._weighted_mean(code, part)
            case ChildrenMean(part):
                children = self.knowledge.children(code)
                return self._mean("children_mean", [self._part(c, part) for c in children])
            case _:
                return self._composed(formula, code)

    def _composed(
        self,
        formula: Sum | Ratio | Percent | Mean | Deviation | Achievement | Cap | Days,
        code: str,
    ) -> Trace:
        match formula:
            case Sum(terms):
                return self._sum([(sign, self._trace(of, code)) for sign, of in terms])
            case Ratio(numerator, denominator):
                return _division(
                    "ratio", self._trace(numerator, code), self._trace(denominator, code)
                )
            case Percent(of):
                inner = self._trace(of, code)
                value = inner.value
                scaled = value if isinstance(value, Missing) else 100 * value
                return Trace("percent", scaled, children=(inner,))
            case Mean(formulas):
                return self._mean("mean", [self._trace(item, code) for item in formulas])
            case Deviation(rule, of, target):
                return self._ruled(
                    DEVIATION, rule, self._trace(of, code), self._trace(target, code)
                )
            case Achievement(rule, of, target):
                return self._ruled(
                    ACHIEVEMENT, rule, self._trace(of, code), self._trace(target, code)
                )
            case Cap(of, at_least, at_most):
                return _capped(self._trace(of, code), at_least, at_most)
            case Days(stock, flow, days):
                per_day = _division("per_day", self._trace(flow, code), self._trace(days, code))
                return _division("days", self._trace(stock, code), per_day)
            case _:
                assert_never(formula)

    def _recorded(self, code: str) -> Trace:
        found = self.knowledge.result(code)
        if found is None:
            return Trace("recorded", Missing(Reason.NOT_RECORDED), code=code)
        event = found.event
        value: Value = (
            Missing(Reason.STATED, event.missing_reasons)
            if event.value is None
            else Fraction(event.value)
        )
        content = event.missing_reasons if event.value is None else event.value
        read = _input(found, ("result", code), content)
        return Trace("recorded", value, code=code, reads=(read,), stage=_stage(found))

    def _flow(self, node: str) -> Trace:
        found = self.knowledge.flow(node)
        if found is None:
            return Trace("flow", Missing(Reason.NOT_RECORDED), code=node)
        amount = found.event.amount
        read = _input(found, ("flow", node), amount)
        return Trace("flow", Fraction(amount), code=node, reads=(read,), stage=_stage(found))

    def _part(self, code: str, part: str) -> Trace:
        evaluation = self.evaluate(code)
        value = {
            DEVIATION: evaluation.exact_deviation,
            ACHIEVEMENT: evaluation.exact_achievement,
        }.get(part, evaluation.exact)
        reads: tuple[Input, ...] = ()
        if part != "value":
            reads = tuple(
                _input(known, ("target", code), target_value(known.event))
                for known in self.knowledge.targets(code)[-1:]
            )
        return Trace(part, value, code=code, reads=reads, children=(evaluation.trace,))

    def _weighted_mean(self, code: str, part: str) -> Trace:
        steps = tuple(
            self._weighted(code, child, part) for child in self.knowledge.weighted_children(code)
        )
        return Trace("weighted_mean", _weighted_value(steps), code=code, children=steps)

    def _weighted(self, parent: str, child: str, part: str) -> Trace:
        step = self._part(child, part)
        known = self.knowledge.weight(parent, child)
        if known is None:
            return step
        read = _input(known, ("weight", parent, child), known.event.weight)
        return replace(step, weight=known.event.weight, reads=(read, *step.reads))

    @staticmethod
    def _mean(op: str, steps: Sequence[Trace]) -> Trace:
        missing = _missing_below(steps)
        if missing is not None or not steps:
            return Trace(op, missing or Missing(Reason.NOT_RECORDED), children=tuple(steps))
        total = sum((step.value for step in steps if isinstance(step.value, Fraction)), Fraction(0))
        return Trace(op, total / len(steps), children=tuple(steps))

    @staticmethod
    def _sum(steps: Sequence[tuple[str, Trace]]) -> Trace:
        children = tuple(replace(step, sign=sign) for sign, step in steps)
        missing = _missing_below(children)
        if missing is not None:
            return Trace("sum", missing, children=children)
        total = Fraction(0)
        for sign, step in steps:
            if isinstance(step.value, Fraction):
                total += step.value if sign == "+" else -step.value
        return Trace("sum", total, children=children)

    @staticmethod
    def _ruled(part: str, rule: str, of: Trace, target: Trace) -> Trace:
        missing = _missing_below((of, target))
        if (
            missing is not None
            or isinstance(of.value, Missing)
            or isinstance(target.value, Missing)
        ):
            return Trace(part, missing or Missing(Reason.CHILD_MISSING), children=(of, target))
        compute = rules.deviation if part == DEVIATION else rules.achievement
        return Trace(part, compute(rule, of.value, target.value), children=(of, target))


def _input(known: Known[E], slot: tuple[str, ...], content: Decimal | tuple[str, ...]) -> Input:
    recorded = known.recorded
    return Input(
        slot=slot,
        content=content,
        address=recorded.address,
        event_id=recorded.event_id,
        as_of=known.as_of,
    )


def _weighted_value(steps: Sequence[Trace]) -> Value:
    """Return the weighted mean of steps, or why there is none.

    Weights that do not sum to 100 belong to an assignment that is incomplete: a child is missing,
    or a weight was changed and the others were not. Their mean would be of something else.
    """
    weights = {step.code or "": step.weight for step in steps if step.weight is not None}
    unweighted = tuple(step.code or "" for step in steps if step.weight is None)
    if unweighted or not steps:
        return Missing(Reason.WEIGHTS_UNPUBLISHED, unweighted)
    total = sum((Fraction(weight) for weight in weights.values()), Fraction(0))
    if total != _FULL_WEIGHT:
        return Missing(Reason.WEIGHTS_INCOMPLETE, (f"{written(total)} %",))
    missing = tuple(step.code or "" for step in steps if isinstance(step.value, Missing))
    if missing:
        return Missing(Reason.CHILD_MISSING, missing)
    mean = Fraction(0)
    for step in steps:
        if step.weight is not None and isinstance(step.value, Fraction):
            mean += Fraction(step.weight) * step.value / _FULL_WEIGHT
    return mean


def _stage(found: Known[ResultRecorded] | Known[MoneyFlowRecorded]) -> tuple[dt.date, str] | None:
    vintage = found.recorded.envelope.vintage
    return None if vintage is None else (found.as_of, vintage)


def _division(op: str, numerator: Trace, denominator: Trace) -> Trace:
    children = (numerator, denominator)
    missing = _missing_below(children)
    if (
        missing is not None
        or isinstance(numerator.value, Missing)
        or isinstance(denominator.value, Missing)
    ):
        return Trace(op, missing or Missing(Reason.CHILD_MISSING), children=children)
    if denominator.value == 0:
        return Trace(op, Missing(Reason.DIVISION_BY_ZERO), children=children)
    return Trace(op, numerator.value / denominator.value, children=children)


def _capped(inner: Trace, at_least: Decimal | None, at_most: Decimal | None) -> Trace:
    value = inner.value
    if not isinstance(value, Missing):
        if at_least is not None:
            value = max(value, Fraction(at_least))
        if at_most is not None:
            value = min(value, Fraction(at_most))
    return Trace("cap", value, children=(inner,))


def _missing_below(steps: Sequence[Trace]) -> Missing | None:
    missing = [step for step in steps if isinstance(step.value, Missing)]
    if not missing:
        return None
    codes = dict.fromkeys(code for step in missing for code in _missing_codes(step))
    return Missing(Reason.CHILD_MISSING, tuple(codes))


def _missing_codes(step: Trace) -> Iterator[str]:
    """Yield the codes that a missing step names: its own, else those of what it lacks."""
    if step.code is not None:
        yield step.code
        return
    for child in step.children:
        if isinstance(child.value, Missing):
            yield from _missing_codes(child)


def _rounded(value: Value, decimals: int) -> Decimal | None:
    return None if isinstance(value, Missing) else round_half_up(value, decimals)
