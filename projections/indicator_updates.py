"""Derive indicator updates from the feed: one group per record that changes a figure.

An update is not a record of the ledger: it is what a record means for the indicators of its year,
with everything known until that record. All updates of one position form one group, and a
subscriber's position is the group's.

Invariants:
1. The updates of a position depend only on the records up to it: whoever starts again at any
   position gets the same updates.
2. An update is emitted only when something a reader sees has changed.
3. All records of one transaction have one `recorded_at`: whoever keeps the last update of each
   indicator until it changes sees an import or command as a whole.

Source: rulings 21; domain notes, event E130.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal

from ledger.events.base import Event
from ledger.events.measurement import IndicatorDefined
from ledger.events.planning import (
    ObjectiveAssigned,
    TargetRevised,
    TargetSet,
    WeightSet,
)
from ledger.events.results import MoneyFlowRecorded, ResultRecorded
from ledger.feed import RecordedEvent
from projections.cycle.evaluate import Evaluator
from projections.cycle.facts import CycleFacts
from projections.cycle.knowledge import Knowledge
from projections.cycle.replay import IndicatorLine, line_of


@dataclass(frozen=True, kw_only=True, slots=True)
class IndicatorUpdated:
    """A figure of an indicator changed."""

    position: int
    """Position of the record that caused it; shared by the group."""
    group_index: int
    """0-based place within the group."""
    group_size: int
    year: int
    indicator: str
    label: str
    unit: str
    """Unit of measure."""
    value: Decimal | None
    previous: Decimal | None
    missing_reason: str | None
    target: Decimal | None
    deviation_pct: Decimal | None
    achievement_pct: Decimal | None
    vintage: str | None
    definition_version: int | None
    as_of: str
    """Knowledge date of the record, ISO 8601."""
    recorded_at: str
    """Instant of the append, ISO 8601, UTC."""
    append_key: str
    """Key of the append the record belongs to: a command, or a row of an import."""
    cause: str
    """Type of the event that caused it."""


class IndicatorUpdates:
    """Folds the feed and yields the updates of each record.

    Only the indicators that a record can move are computed again: those it names, those whose last
    computation read one of them, and those above.
    """

    def __init__(self) -> None:
        self._facts = CycleFacts()
        self._years: dict[int, _Year] = {}

    def apply(self, recorded: RecordedEvent) -> tuple[IndicatorUpdated, ...]:
        """Fold one record and return its group of updates, in order of the indicators' codes."""
        self._facts.apply(recorded)
        touched = _touched(recorded.event)
        if not touched:
            return ()
        year = year_of(recorded.event)
        years = sorted(self._facts.years) if year is None else [year]
        updates = [update for each in years for update in self._updates(each, touched, recorded)]
        return tuple(
            replace(update, group_index=index, group_size=len(updates))
            for index, update in enumerate(updates)
        )

    def _updates(
        self, year: int, touched: frozenset[str], recorded: RecordedEvent
    ) -> Iterator[IndicatorUpdated]:
        known = self._years.setdefault(year, _Year())
        knowledge = Knowledge(facts=self._facts, year=year, as_of=None)
        evaluator = Evaluator(knowledge)
        for code in sorted(known.affected_by(touched, knowledge)):
            evaluation = evaluator.evaluate(code)
            line, old = line_of(evaluation, knowledge), known.lines.get(code)
            known.lines[code] = line
            known.reads[code] = evaluation.trace.codes()
            if old is None and line.value is None and line.target is None:
                continue
            if old is None or _seen(old) != _seen(line):
                yield _update(year, line, old, recorded)


@dataclass(slots=True)
class _Year:
    lines: dict[str, IndicatorLine] = field(default_factory=dict)
    """Last line of each indicator."""
    reads: dict[str, frozenset[str]] = field(default_factory=dict)
    """Indicators and nodes that the last computation of each indicator read."""

    def affected_by(self, touched: frozenset[str], knowledge: Knowledge) -> set[str]:
        """Return the indicators that have to be computed again."""
        affected = {code for code in touched if knowledge.definition(code) is not None}
        for code in touched:
            above = knowledge.parent(code)
            while above is not None and above not in affected:
                affected.add(above)
                above = knowledge.parent(above)
        affected |= {code for code, reads in self.reads.items() if reads & touched}
        return affected


def year_of(event: Event) -> int | None:
    """Return the year an event is about; None when it concerns every year."""
    year = getattr(event, "year", None)
    return year if isinstance(year, int) else None


def _touched(event: Event) -> frozenset[str]:
    """Return the indicators and money-flow nodes that an event speaks of."""
    match event:
        case ObjectiveAssigned():
            return frozenset({event.code})
        case WeightSet():
            return frozenset({event.parent_code, event.child_code})
        case IndicatorDefined() | TargetSet() | TargetRevised() | ResultRecorded():
            return frozenset({event.indicator_code})
        case MoneyFlowRecorded():
            return frozenset({event.node_code})
        case _:
            return frozenset()


def _seen(line: IndicatorLine) -> tuple[object, ...]:
    return (
        line.value,
        line.value_missing,
        line.target,
        line.deviation_pct,
        line.achievement_pct,
        line.vintage,
        line.definition_version,
    )


def _update(
    year: int, line: IndicatorLine, old: IndicatorLine | None, recorded: RecordedEvent
) -> IndicatorUpdated:
    return IndicatorUpdated(
        position=recorded.position,
        group_index=0,
        group_size=1,
        year=year,
        indicator=line.code,
        label=line.label,
        unit=line.unit,
        value=line.value,
        previous=None if old is None else old.value,
        missing_reason=line.value_missing,
        target=line.target,
        deviation_pct=line.deviation_pct,
        achievement_pct=line.achievement_pct,
        vintage=line.vintage,
        definition_version=line.definition_version,
        as_of=recorded.envelope.as_of.isoformat(),
        recorded_at=recorded.recorded_at.isoformat(),
        append_key=recorded.append.key,
        cause=recorded.event.TYPE,
    )
