"""Fold the events of a performance cycle into histories that can be cut by knowledge date.

Invariants:
1. Pure: the same events in the same order give the same facts; nothing is forgotten, so that
   every earlier state of knowledge can be asked for.
2. A value that was superseded is dropped only for readers whose cut includes the correction.
3. Among values of one slot the one known last counts: by `as_of`, then by position; among results
   and amounts the closing stage decides first. The order in which files were imported therefore
   does not matter.

Source: architecture notes, section 4; rulings 14, 17.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Generic, TypeVar

from ledger.events.acts import ActAdopted
from ledger.events.ledger import BodyAssigned, LedgerOpened
from ledger.events.measurement import IndicatorDefined, IndicatorMethodChanged
from ledger.events.planning import (
    GuidelineAdopted,
    GuidelineStatusReported,
    ObjectiveAssigned,
    TargetRevised,
    TargetSet,
    WeightSet,
)
from ledger.events.publication import DocumentPublished, FigurePublished
from ledger.events.results import FlowNodeDefined, MoneyFlowRecorded, PeriodOpened, ResultRecorded
from ledger.feed import RecordedEvent
from ledger.stages import stage_rank

E = TypeVar("E")


@dataclass(frozen=True, kw_only=True, slots=True)
class Known(Generic[E]):
    """An event of one type, with the record it stands in."""

    event: E
    recorded: RecordedEvent

    @property
    def as_of(self) -> dt.date:
        """Knowledge date."""
        return self.recorded.envelope.as_of

    @property
    def order(self) -> tuple[dt.date, int]:
        """By knowledge, then by ledger order."""
        return self.as_of, self.recorded.position

    @property
    def standing(self) -> tuple[int, dt.date, int]:
        """By closing stage, then by knowledge, then by ledger order; see `ledger.stages`."""
        return stage_rank(self.recorded.envelope.vintage), *self.order


Target = TargetSet | TargetRevised


@dataclass(slots=True)
class YearFacts:
    """Everything recorded about one year."""

    objectives: dict[str, list[Known[ObjectiveAssigned]]] = field(default_factory=dict)
    weights: dict[tuple[str, str], list[Known[WeightSet]]] = field(default_factory=dict)
    """By parent and child."""
    targets: dict[tuple[str, str | None], list[Known[Target]]] = field(default_factory=dict)
    """By indicator and organisation unit."""
    results: dict[tuple[str, str | None], list[Known[ResultRecorded]]] = field(default_factory=dict)
    flow_nodes: dict[str, list[Known[FlowNodeDefined]]] = field(default_factory=dict)
    flows: dict[tuple[str, str | None], list[Known[MoneyFlowRecorded]]] = field(
        default_factory=dict
    )
    guidelines: dict[str, list[Known[GuidelineAdopted]]] = field(default_factory=dict)
    statuses: dict[str, list[Known[GuidelineStatusReported]]] = field(default_factory=dict)
    periods: list[Known[PeriodOpened]] = field(default_factory=list)


@dataclass(slots=True)
class CycleFacts:
    """Histories of all years of a ledger."""

    years: dict[int, YearFacts] = field(default_factory=dict)
    definitions: dict[str, list[Known[IndicatorDefined]]] = field(default_factory=dict)
    method_changes: dict[str, list[Known[IndicatorMethodChanged]]] = field(default_factory=dict)
    acts: dict[str, Known[ActAdopted]] = field(default_factory=dict)
    documents: dict[str, Known[DocumentPublished]] = field(default_factory=dict)
    figures: dict[str, list[Known[FigurePublished]]] = field(default_factory=dict)
    printed: dict[str, list[Known[FigurePublished]]] = field(default_factory=dict)
    """Printed values of an indicator, by its code."""
    superseded: dict[str, dt.date] = field(default_factory=dict)
    """Knowledge date of the first correction, by identifier of the corrected event."""
    corrections: dict[str, str] = field(default_factory=dict)
    """Record of the latest correction, by identifier of the corrected event."""
    body: str | None = None
    sandbox: bool = False
    position: int = 0
    """Position of the last event folded."""

    def year(self, year: int) -> YearFacts:
        """Return the facts of a year, empty when nothing was recorded about it."""
        return self.years.setdefault(year, YearFacts())

    def apply(self, recorded: RecordedEvent) -> None:
        """Fold one event; events of other contexts only move the position."""
        self.position = recorded.position
        supersedes = recorded.envelope.supersedes
        if supersedes is not None:
            known = recorded.envelope.as_of
            self.superseded[supersedes] = min(known, self.superseded.get(supersedes, known))
            self.corrections[supersedes] = recorded.address
        self._apply_shared(recorded)
        self._apply_year(recorded)

    def _apply_shared(self, recorded: RecordedEvent) -> None:
        match recorded.event:
            case LedgerOpened() as event:
                self.body, self.sandbox = event.body, event.sandbox
            case BodyAssigned() as event:
                self.body = event.body
            case ActAdopted() as event:
                self.acts[event.act_key] = Known(event=event, recorded=recorded)
            case DocumentPublished() as event:
                self.documents[event.document_id] = Known(event=event, recorded=recorded)
            case IndicatorDefined() as event:
                _add(self.definitions, event.indicator_code, event, recorded)
            case IndicatorMethodChanged() as event:
                _add(self.method_changes, event.indicator_code, event, recorded)
            case FigurePublished() as event:
                _add(self.figures, event.figure_id, event, recorded)
                if event.indicator_code is not None and event.aspect == "value":
                    _add(self.printed, event.indicator_code, event, recorded)
            case _:
                pass

    def _apply_year(self, recorded: RecordedEvent) -> None:
        match recorded.event:
            case ObjectiveAssigned() as event:
                _add(self.year(event.year).objectives, event.code, event, recorded)
            case WeightSet() as event:
                key = (event.parent_code, event.child_code)
                _add(self.year(event.year).weights, key, event, recorded)
            case TargetSet() | TargetRevised() as event:
                slot = (event.indicator_code, event.unit_code)
                _add(self.year(event.year).targets, slot, event, recorded)
            case ResultRecorded() as event:
                slot = (event.indicator_code, event.unit_code)
                _add(self.year(event.year).results, slot, event, recorded)
            case FlowNodeDefined() as event:
                _add(self.year(event.year).flow_nodes, event.node_code, event, recorded)
            case MoneyFlowRecorded() as event:
                flow = (event.node_code, event.unit_code)
                _add(self.year(event.year).flows, flow, event, recorded)
            case GuidelineAdopted() as event:
                _add(self.year(event.year).guidelines, event.code, event, recorded)
            case GuidelineStatusReported() as event:
                _add(self.year(event.year).statuses, event.code, event, recorded)
            case PeriodOpened() as event:
                self.year(event.year).periods.append(Known(event=event, recorded=recorded))
            case _:
                pass

    def valid(self, history: Iterable[Known[E]], *, as_of: dt.date | None) -> list[Known[E]]:
        """Return the events of a history that a reader with this cut knows and that stand.

        Args:
            history: events of one slot.
            as_of: last day of knowledge, inclusive; None for everything.

        Returns:
            In order of knowledge, then of the ledger; the last one counts.
        """
        standing = [
            known
            for known in history
            if (as_of is None or known.as_of <= as_of) and not self._corrected(known, as_of)
        ]
        return sorted(standing, key=lambda known: known.order)

    def _corrected(self, known: Known[E], as_of: dt.date | None) -> bool:
        corrected_on = self.superseded.get(known.recorded.event_id)
        return corrected_on is not None and (as_of is None or corrected_on <= as_of)


def target_value(target: Target) -> Decimal:
    """Return the target that an event puts in force, in the indicator's unit of measure."""
    return target.new_target if isinstance(target, TargetRevised) else target.target


def fold(events: Iterable[RecordedEvent]) -> CycleFacts:
    """Return the facts of events, which come in order of position."""
    facts = CycleFacts()
    for recorded in events:
        facts.apply(recorded)
    return facts


K = TypeVar("K")


def _add(histories: dict[K, list[Known[E]]], key: K, event: E, recorded: RecordedEvent) -> None:
    histories.setdefault(key, []).append(Known(event=event, recorded=recorded))
