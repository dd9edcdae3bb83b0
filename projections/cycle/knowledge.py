"""One year as a reader knows it on a day: the facts, cut by knowledge date.

Invariants:
1. Nothing known after the cut is visible, corrections included.
2. A weight, target or result that is not recorded is missing; nothing is assumed in its place.

Source: rulings 13, 14, 17.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property, lru_cache
from typing import TypeVar

from ledger.events.measurement import IndicatorDefined
from ledger.events.planning import ObjectiveAssigned, WeightSet
from ledger.events.publication import FigurePublished
from ledger.events.results import MoneyFlowRecorded, ResultRecorded
from ledger.formula import Formula, parse_formula
from projections.cycle.facts import CycleFacts, Known, Target, target_value

E = TypeVar("E")


@dataclass(frozen=True, kw_only=True, slots=True)
class Definition:
    """The definition of an indicator that applies to the year."""

    event: IndicatorDefined
    formula: Formula
    address: str
    """Record it stands in."""


@dataclass(frozen=True, kw_only=True)
class Knowledge:
    """A year at a cut. Answers are about the whole body unless a unit is named."""

    facts: CycleFacts
    year: int
    as_of: dt.date | None
    """Last day of knowledge, inclusive; None for everything."""
    unit_code: str | None = None
    _definitions: dict[str, Definition | None] = field(default_factory=dict)

    @cached_property
    def codes(self) -> tuple[str, ...]:
        """Return the indicators of the year: objectives in order of assignment, then others."""
        year = self.facts.year(self.year)
        assigned = [
            (found.recorded.position, code)
            for code, history in year.objectives.items()
            if (found := self._last(history)) is not None
        ]
        others = [
            (min(known.recorded.position for known in self._valid(history)), code)
            for code, history in self.facts.definitions.items()
            if self.definition(code) is not None
        ]
        # An objective whose assignment the reader does not know yet stands among the others.
        return tuple(dict.fromkeys(code for _, code in [*sorted(assigned), *sorted(others)]))

    def definition(self, code: str) -> Definition | None:
        """Return the newest definition that is valid within the year; None without one."""
        if code not in self._definitions:
            self._definitions[code] = self._find_definition(code)
        return self._definitions[code]

    def _find_definition(self, code: str) -> Definition | None:
        first, last = dt.date(self.year, 1, 1), dt.date(self.year, 12, 31)
        valid = [
            known
            for known in self._valid(self.facts.definitions.get(code, ()))
            if known.event.valid_from <= last
            and (known.event.valid_to is None or known.event.valid_to >= first)
        ]
        if not valid:
            return None
        found = max(valid, key=lambda known: known.event.version)
        return Definition(
            event=found.event,
            formula=_parsed(found.event.formula, code),
            address=found.recorded.address,
        )

    def objective(self, code: str) -> Known[ObjectiveAssigned] | None:
        """Return the assignment of an objective in the year."""
        return self._last(self.facts.year(self.year).objectives.get(code, ()))

    def parent(self, code: str) -> str | None:
        """Return the objective above, or the indicator that the definition places above."""
        objective = self.objective(code)
        if objective is not None:
            return objective.event.parent_code
        definition = self.definition(code)
        return None if definition is None else definition.event.parent_code

    def children(self, code: str) -> tuple[str, ...]:
        """Return the objectives below one, in order of assignment."""
        return self._children.get(code, ())

    @cached_property
    def _children(self) -> dict[str, tuple[str, ...]]:
        below: dict[str, tuple[str, ...]] = {}
        for code in self.codes:
            parent = self.parent(code)
            if parent is not None:
                below[parent] = (*below.get(parent, ()), code)
        return below

    def weighted_children(self, code: str) -> tuple[str, ...]:
        """Return the children whose weights form the parent's mean.

        Children of a level in which nobody has a weight are linked by subject only and do not
        enter; a child without a weight beside siblings of its level that have one does.
        """
        children = self.children(code)
        levels = {self._level(child) for child in children if self.weight(code, child) is not None}
        return tuple(child for child in children if not levels or self._level(child) in levels)

    def _level(self, code: str) -> str | None:
        objective = self.objective(code)
        return None if objective is None else objective.event.level

    def weight(self, parent: str, child: str) -> Known[WeightSet] | None:
        """Return the weight of a child within its parent."""
        return self._last(self.facts.year(self.year).weights.get((parent, child), ()))

    def targets(self, code: str) -> tuple[Known[Target], ...]:
        """Return the history of an indicator's target, oldest first."""
        slot = (code, self.unit_code)
        history = self.facts.year(self.year).targets.get(slot, ())
        return tuple(self._valid(history))

    def target(self, code: str) -> Decimal | None:
        """Return the target in force at the cut."""
        history = self.targets(code)
        return target_value(history[-1].event) if history else None

    def result(self, code: str) -> Known[ResultRecorded] | None:
        """Return the recorded result of the year that counts at the cut."""
        return self._of_year(self.facts.year(self.year).results.get((code, self.unit_code), ()))

    def flow(self, node: str) -> Known[MoneyFlowRecorded] | None:
        """Return the recorded amount of a node that counts at the cut."""
        return self._of_year(self.facts.year(self.year).flows.get((node, self.unit_code), ()))

    def printed(self, code: str) -> Known[FigurePublished] | None:
        """Return the latest printed value of an indicator in the year."""
        return self._last(self._whole_year(self.facts.printed.get(code, ())))

    def _of_year(self, history: Iterable[Known[E]]) -> Known[E] | None:
        """Return the value that counts: by closing stage, then by knowledge."""
        valid = self._valid(self._whole_year(history))
        return max(valid, key=lambda known: known.standing, default=None)

    def _whole_year(self, history: Iterable[Known[E]]) -> list[Known[E]]:
        first, last = dt.date(self.year, 1, 1), dt.date(self.year, 12, 31)
        return [
            known
            for known in history
            if (known.recorded.envelope.ref_from, known.recorded.envelope.ref_to) == (first, last)
        ]

    def _valid(self, history: Iterable[Known[E]]) -> list[Known[E]]:
        return self.facts.valid(history, as_of=self.as_of)

    def _last(self, history: Iterable[Known[E]]) -> Known[E] | None:
        valid = self._valid(history)
        return valid[-1] if valid else None


@lru_cache(maxsize=4096)
def _parsed(text: str, code: str) -> Formula:
    return parse_formula(text, subject=code)
