"""Sums of one scope, of which the indicators of production are made: whole numbers, or missing.

Source: docs/production.md.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

from projections.cycle.values import Missing, Reason, Value
from projections.production.periods import Period

SumKey: TypeAlias = tuple[str, str, str]
"""Kind of fact, view, group: the line of a product, a flow node, a phase and channel, or empty."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sums:
    """Sums of one scope; those of the facts of one kind, view and group."""

    values: Mapping[str, int]
    """By name of the value, see `cube.VALUES`."""
    weighted: int
    """Pieces times coefficient, times `ScopeSums.scale`."""
    unweighted: tuple[str, ...]
    """Products whose pieces have no coefficient, in order."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ScopeSums:
    """Everything the indicators of one scope are made of."""

    scope: str
    period: Period
    rows: Mapping[SumKey, Sums]
    recorded: frozenset[str]
    """Kinds of facts that the body recorded in the period, in whichever scope."""
    recorded_nodes: frozenset[str]
    """Flow nodes on which the body recorded money in the period."""
    scale: int
    """What a coefficient is multiplied with to be whole."""
    working_days: int | Missing
    """Working days of the period."""

    def sum(self, fact: str, view: str, name: str = "total", *, group: str | None = None) -> Value:
        """Return a sum of the scope: a value of `cube.VALUES`, of one group or of all."""
        if fact not in self.recorded:
            return Missing(Reason.NOT_RECORDED, (fact,))
        return Fraction(sum(one.values[name] for one in self._rows(fact, view, group)))

    def weighted(self, fact: str, view: str) -> Value:
        """Return pieces of the scope weighted with their coefficients, in homogenised pieces."""
        if fact not in self.recorded:
            return Missing(Reason.NOT_RECORDED, (fact,))
        rows = self._rows(fact, view, None)
        lacking = sorted({product for one in rows for product in one.unweighted})
        if lacking:
            details = tuple(f"coefficient {product}" for product in lacking)
            return Missing(Reason.CHILD_MISSING, details)
        return Fraction(sum(one.weighted for one in rows), self.scale)

    def groups(self, fact: str) -> tuple[str, ...]:
        """Return the groups in which the scope has facts of a kind, in order."""
        return tuple(sorted({group for kind, _, group in self.rows if kind == fact}))

    def _rows(self, fact: str, view: str, group: str | None) -> list[Sums]:
        return [
            one
            for (kind, of_view, of_group), one in self.rows.items()
            if kind == fact and of_view == view and group in {None, of_group}
        ]


def both(first: Value, second: Value, operation: Callable[[Fraction, Fraction], Value]) -> Value:
    """Return an operation over two values; the first that is missing stays missing."""
    if isinstance(first, Missing):
        return first
    return second if isinstance(second, Missing) else operation(first, second)


def scaled(value: Value, factor: Fraction) -> Value:
    """Return a value times a factor; what is missing stays missing."""
    return value if isinstance(value, Missing) else value * factor
