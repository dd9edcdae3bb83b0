"""The figure that a computed value is compared with: printed, or recorded as a result.

Invariants:
1. It is never an input of the value it is compared with.
2. It is compared only when it was known no earlier than everything the value rests on: a figure
   printed before an input was corrected or closed may differ without contradiction.

Source: docs/indicators.md, "Agreement with what was printed".
"""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from projections.cycle.evaluate import Evaluation
from projections.cycle.knowledge import Knowledge
from projections.cycle.rounding import round_half_up
from projections.cycle.values import Missing, Value


@dataclass(frozen=True, kw_only=True, slots=True)
class PrintedValue:
    """A figure to compare with."""

    value: Decimal
    decimals: int
    """Digits it is printed with after the decimal sign; see `round_half_up`."""
    order: tuple[dt.date, int]
    """Day on which it was known, and position of its record."""

    def agrees_with(self, exact: Value) -> bool | None:
        """Tell whether a value, rounded as the figure is, equals it; None without value."""
        if isinstance(exact, Missing):
            return None
        return round_half_up(exact, self.decimals) == self.value


def printed_value(evaluation: Evaluation, knowledge: Knowledge) -> PrintedValue | None:
    """Return the latest figure that a value can be compared with; None without one.

    Args:
        evaluation: of an indicator.
        knowledge: the year and cut it was computed at.
    """
    found = [
        one
        for one in (_printed(evaluation, knowledge), _recorded(evaluation, knowledge))
        if one is not None
    ]
    latest = max(found, key=lambda one: one.order, default=None)
    rests_on = evaluation.trace.known_on()
    if latest is None or (rests_on is not None and latest.order[0] < rests_on):
        return None
    return latest


def _printed(evaluation: Evaluation, knowledge: Knowledge) -> PrintedValue | None:
    known = knowledge.printed(evaluation.code)
    if known is None or known.event.value is None:
        return None
    return PrintedValue(value=known.event.value, decimals=known.event.decimals, order=known.order)


def _recorded(evaluation: Evaluation, knowledge: Knowledge) -> PrintedValue | None:
    """Return a result that was recorded for an indicator whose formula does not read it."""
    known = knowledge.result(evaluation.code)
    if known is None or known.event.value is None or evaluation.definition is None:
        return None
    if known.recorded.address in evaluation.trace.addresses():
        return None
    return PrintedValue(
        value=known.event.value,
        decimals=evaluation.definition.event.decimals,
        order=known.order,
    )
