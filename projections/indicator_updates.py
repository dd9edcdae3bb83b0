"""Derive indicator updates from the feed: one group per record that changes a figure.

An update is not a record of the ledger: it is what a record means for the indicators of its year,
with everything known until that record. All updates of one position form one group, and a
subscriber's position is the group's.

Invariants:
1. The updates of a position depend only on the records up to it: whoever starts again at any
   position gets the same updates.
2. An update is emitted only when something a reader sees has changed.

Source: rulings 21; domain notes, event E130.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

from ledger.events.base import Event
from ledger.events.measurement import IndicatorDefined
from ledger.events.planning import (
    ObjectiveAssigned,
    TargetRevised,
    TargetSet,
    WeightSet,
)
from ledger.events.publication import FigurePublished
from ledger.events.results import MoneyFlowRecorded, ResultRecorded
from ledger.feed import RecordedEvent
from projections.cycle.facts import CycleFacts
from projections.cycle.replay import IndicatorLine, replay_facts


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
    cause: str
    """Type of the event that caused it."""


class IndicatorUpdates:
    """Folds the feed and yields the updates of each record."""

    def __init__(self) -> None:
        self._facts = CycleFacts()
        self._lines: dict[int, dict[str, IndicatorLine]] = {}

    def apply(self, recorded: RecordedEvent) -> tuple[IndicatorUpdated, ...]:
        """Fold one record and return its group of updates, in order of the indicators' codes."""
        self._facts.apply(recorded)
        year = year_of(recorded.event)
        years = self._facts.years if year is None else {year: None}
        if not _touches_figures(recorded.event):
            return ()
        updates = [update for each in sorted(years) for update in self._updates(each, recorded)]
        return tuple(
            replace(update, group_index=index, group_size=len(updates))
            for index, update in enumerate(updates)
        )

    def _updates(self, year: int, recorded: RecordedEvent) -> Iterator[IndicatorUpdated]:
        before = self._lines.get(year, {})
        replay = replay_facts(self._facts, year=year, as_of=None)
        after = {line.code: line for line in replay.indicators}
        self._lines[year] = after
        for code in sorted(after):
            line, old = after[code], before.get(code)
            if old is None and line.value is None and line.target is None:
                continue
            if old is not None and _seen(old) == _seen(line):
                continue
            yield _update(year, line, old, recorded)


def year_of(event: Event) -> int | None:
    """Return the year an event is about; None when it concerns every year."""
    year = getattr(event, "year", None)
    return year if isinstance(year, int) else None


def _touches_figures(event: Event) -> bool:
    return isinstance(
        event,
        IndicatorDefined
        | ObjectiveAssigned
        | WeightSet
        | TargetSet
        | TargetRevised
        | ResultRecorded
        | MoneyFlowRecorded,
    ) or (isinstance(event, FigurePublished) and event.indicator_code is not None)


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
        cause=recorded.event.TYPE,
    )
