"""Small cycles in memory: recorded events without a store, for tests of the indicator engine."""

import datetime as dt
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction

from ledger.events.base import Event
from ledger.events.ledger import ActReference
from ledger.events.measurement import IndicatorDefined
from ledger.events.planning import ObjectiveAssigned, TargetRevised, TargetSet, WeightSet
from ledger.events.results import MoneyFlowRecorded, ResultRecorded
from ledger.feed import RecordedEvent
from ledger.formula import Formula, format_formula
from ledger.formula import Recorded as RecordedResult
from ledger.records import AppendPart
from ledger.types import AppendKey, Position, StreamName, StreamVersion
from projections.cycle.evaluate import Evaluation, Evaluator
from projections.cycle.facts import CycleFacts, fold
from projections.cycle.knowledge import Knowledge
from projections.cycle.replay import Replay, replay
from projections.cycle.values import Missing, Value
from tests.support.given import DEC_31, JAN_1, envelope

YEAR = 2023
PLAN = dt.date(2023, 1, 30)
PRE = dt.date(2024, 3, 1)
CLOSING = dt.date(2024, 6, 14)
START = dt.datetime(2026, 11, 21, 9, 0, tzinfo=dt.UTC)


@dataclass
class Cycle:
    """What has been recorded, in order; positions are 1, 2, 3 and so on."""

    events: list[RecordedEvent] = field(default_factory=list)

    def add(
        self,
        event: Event,
        as_of: dt.date = PLAN,
        *,
        ref: tuple[dt.date, dt.date] | None = (JAN_1, DEC_31),
        vintage: str | None = None,
        acts: tuple[ActReference, ...] = (),
        supersedes: RecordedEvent | None = None,
        stream: str = "planning/2023",
    ) -> RecordedEvent:
        """Record an event, known on a day."""
        number = len(self.events) + 1
        recorded = RecordedEvent(
            position=Position(number),
            recorded_at=START + dt.timedelta(seconds=number),
            stream=StreamName(stream),
            stream_version=StreamVersion(number),
            event=event,
            envelope=envelope(
                as_of,
                ref=ref,
                vintage=vintage,
                acts=acts,
                reason=None if supersedes is None else "corrected",
                supersedes=None if supersedes is None else supersedes.event_id,
            ),
            append=AppendPart(key=AppendKey(f"test/{number}")),
        )
        self.events.append(recorded)
        return recorded

    def define(self, *events: Event, as_of: dt.date = PLAN) -> "Cycle":
        """Record several events known on the same day."""
        for event in events:
            self.add(event, as_of)
        return self

    def facts(self) -> CycleFacts:
        """Fold everything."""
        return fold(self.events)

    def known(self, as_of: dt.date | None = None, *, year: int = YEAR) -> Knowledge:
        """Return a year as known on a day."""
        return Knowledge(facts=self.facts(), year=year, as_of=as_of)

    def evaluated(self, code: str, as_of: dt.date | None = None, *, year: int = YEAR) -> Evaluation:
        """Evaluate one indicator."""
        return Evaluator(self.known(as_of, year=year)).evaluate(code)

    def replayed(self, as_of: dt.date | None = None, *, year: int = YEAR) -> Replay:
        """Replay a year."""
        return replay(self.events, year=year, as_of=as_of)


def definition(
    code: str,
    formula: Formula | None = None,
    *,
    rule: str = "DR1",
    decimals: int = 2,
    version: int = 1,
    valid_from: dt.date = JAN_1,
    valid_to: dt.date | None = None,
    cap: str | None = None,
    parent: str | None = None,
) -> IndicatorDefined:
    """Return a version of a definition; the recorded result unless a formula is given."""
    return IndicatorDefined(
        indicator_code=code,
        version=version,
        label=f"label of {code}",
        measure_unit="percent",
        decimals=decimals,
        direction="up",
        deviation_rule=rule,
        formula=format_formula(formula or RecordedResult()),
        parent_code=parent,
        valid_from=valid_from,
        valid_to=valid_to,
        cap=None if cap is None else Decimal(cap),
        basis="catalogue",
    )


def objective(code: str, parent: str | None = None, *, level: str = "OGE") -> ObjectiveAssigned:
    """Return the assignment of an objective."""
    return ObjectiveAssigned(year=YEAR, code=code, level=level, parent_code=parent, label=code)


def weight(parent: str, child: str, percent: str) -> WeightSet:
    """Return the weight of a child."""
    return WeightSet(
        year=YEAR, parent_code=parent, child_code=child, weight=Decimal(percent), basis="published"
    )


def target(code: str, value: str) -> TargetSet:
    """Return the first target of an indicator."""
    return TargetSet(year=YEAR, indicator_code=code, target=Decimal(value))


def revised(code: str, old: str, new: str) -> TargetRevised:
    """Return a change of target."""
    return TargetRevised(
        year=YEAR,
        indicator_code=code,
        old_target=Decimal(old),
        new_target=Decimal(new),
        cause="variation",
    )


def result(code: str, value: str, *, unit_code: str | None = None) -> ResultRecorded:
    """Return a result of the whole body, or of a unit."""
    return ResultRecorded(year=YEAR, indicator_code=code, value=Decimal(value), unit_code=unit_code)


def no_result(code: str, *reasons: str) -> ResultRecorded:
    """Return the statement that there is no result, with the reasons of the source."""
    return ResultRecorded(year=YEAR, indicator_code=code, missing_reasons=reasons)


def flow(node: str, amount: str) -> MoneyFlowRecorded:
    """Return the amount of a node of the money flows."""
    return MoneyFlowRecorded(year=YEAR, node_code=node, amount=Decimal(amount))


def fraction(value: Value) -> Fraction:
    """Return a value that is not missing."""
    assert not isinstance(value, Missing), value
    return value


def renumbered(events: list[RecordedEvent]) -> list[RecordedEvent]:
    """Return the events as another ledger holds them, in the order given.

    Positions, instants, streams' versions and identifiers differ; corrections name the new
    identifiers.
    """
    keys = {event.event_id: AppendKey(f"other/{n}") for n, event in enumerate(events)}
    moved = [
        replace(
            event,
            position=Position(1000 + 7 * n),
            recorded_at=event.recorded_at + dt.timedelta(days=100 + n),
            stream_version=StreamVersion(n + 1),
            append=AppendPart(key=keys[event.event_id]),
        )
        for n, event in enumerate(events)
    ]
    names = {old.event_id: new.event_id for old, new in zip(events, moved, strict=True)}
    return [
        event
        if event.envelope.supersedes is None
        else replace(
            event,
            envelope=replace(event.envelope, supersedes=names[event.envelope.supersedes]),
        )
        for event in moved
    ]
