"""The register of corruption risks: risks, assessments, specific measures and their monitoring.

A correction of an assessment takes its place, with its day: a wrong level that was corrected is not
a level that changed. The record of the wrong one stays.

Counts published without their items are events of their own: no risk and no measure is invented
to reach a published number.

Scopes, levels, states and types of measures are closed sets of codes; what people read and type in
their own language is a matter of `app`.

Source: domain notes, section 14; the types are those of the national anticorruption plan.
"""

import datetime as dt
from dataclasses import dataclass, field, replace
from typing import Final

from immutables import Map

from ledger.aggregates.base import (
    Aggregate,
    Happened,
    Lookup,
    Proposal,
    require_known,
    require_new,
    require_old_value,
    require_one_of,
    require_order,
    unexpected,
)
from ledger.aggregates.organisation import require_unit
from ledger.events.base import Event
from ledger.events.ledger import Envelope
from ledger.events.risk import (
    MeasureCountsReported,
    MeasureMonitored,
    MeasureSet,
    RiskAssessed,
    RiskCountsReported,
    RiskReassessed,
    RiskRegistered,
)
from ledger.feed import event_id_of
from ledger.rules import Rule, refuse
from ledger.types import StreamName

LEVELS: Final = ("high", "medium", "low")
SCOPES: Final = ("central", "territorial")
MEASURE_TYPES: Final = (
    "control",
    "transparency",
    "regulation",
    "training",
    "rotation",
    "simplification",
    "conduct",
    "conflict_of_interest",
    "awareness",
    "reporting",
)
"""Types of specific measures: a closed set, so that no type is counted under two names."""
DONE: Final = "done"
MEASURE_STATES: Final = ("planned", "in_progress", DONE, "not_done")
COUNTS_STREAM: Final = StreamName("risk-counts")


@dataclass(frozen=True, kw_only=True, slots=True)
class Assessment:
    """One assessment of a risk, as it stands after its corrections."""

    level: str
    on: dt.date
    """Its day; a correction does not move it."""
    ids: frozenset[str]
    """Identifiers of its event and of the corrections of it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RiskState:
    """One risk; None until it is registered."""

    risk: RiskRegistered | None = None
    assessments: tuple[Assessment, ...] = ()
    """The first one, then those that changed the level, in order of recording."""
    measures: Map[str, MeasureSet] = field(default_factory=Map)

    @property
    def level(self) -> str | None:
        """Level of the latest assessment."""
        return self.assessments[-1].level if self.assessments else None

    def place_of(self, event_id: str) -> int | None:
        """Return which assessment an event is or corrects, from 0; None when it is none."""
        places = (at for at, one in enumerate(self.assessments) if event_id in one.ids)
        return next(places, None)


def risk_stream(risk_id: str) -> StreamName:
    """Return the stream of a risk."""
    return StreamName(f"risk/{risk_id}")


def _decide(state: RiskState, proposal: Proposal, lookup: Lookup) -> None:
    envelope = proposal.envelope
    match proposal.event:
        case RiskRegistered() as event:
            require_new(state.risk, kind="risk", name=event.risk_id)
            require_one_of(event.scope, SCOPES, field="scope")
            require_unit(lookup, event.unit_code, envelope.as_of)
        case RiskAssessed() as event:
            require_known(state.risk, kind="risk", name=event.risk_id)
            if envelope.supersedes is None:
                require_new(state.level, kind="assessment", name=event.risk_id)
            else:
                _require_assessment(state, envelope.supersedes, first=True)
            require_one_of(event.level, LEVELS, field="level")
        case RiskReassessed() as event:
            _decide_reassessment(state, event, envelope)
        case MeasureSet() as event:
            require_known(state.risk, kind="risk", name=event.risk_id)
            require_one_of(event.measure_type, MEASURE_TYPES, field="measure_type")
            known = state.measures.get(event.measure_id)
            if envelope.supersedes is None:
                require_new(known, kind="measure", name=event.measure_id)
        case MeasureMonitored() as event:
            _decide_monitoring(state, event)
        case other:
            raise unexpected(other)


def _decide_reassessment(state: RiskState, event: RiskReassessed, envelope: Envelope) -> None:
    level = require_known(state.level, kind="assessment", name=event.risk_id)
    if envelope.supersedes is not None:
        place = _require_assessment(state, envelope.supersedes, first=False)
        level = state.assessments[place - 1].level
    else:
        require_order(
            state.assessments[-1].on,
            envelope.as_of,
            first="latest assessment",
            second="as_of",
        )
    require_old_value(event.old_level, level, field="old_level")
    require_one_of(event.new_level, LEVELS, field="new_level")


def _require_assessment(state: RiskState, event_id: str, *, first: bool) -> int:
    """Return the place of the assessment that is corrected; it must be of the same kind."""
    place = state.place_of(event_id)
    if place is None or (place == 0) != first:
        which = "first" if first else "later"
        refuse(
            Rule.SUPERSEDED_UNKNOWN,
            f"the event {event_id} is no {which} assessment of this risk",
            event_id=event_id,
        )
    return place


def _decide_monitoring(state: RiskState, event: MeasureMonitored) -> None:
    require_known(state.measures.get(event.measure_id), kind="measure", name=event.measure_id)
    require_one_of(event.state, MEASURE_STATES, field="state")
    if event.state == DONE and event.completed_on is None:
        refuse(
            Rule.COMPLETION_DATE_MISSING,
            f"measure {event.measure_id} is done, and completed_on, the day of completion, is "
            "missing",
            measure=event.measure_id,
        )
    if event.completed_on is not None:
        require_one_of(event.state, (DONE,), field="state")
        require_order(
            event.completed_on, event.monitored_on, first="completed_on", second="monitored_on"
        )


def _evolve(state: RiskState, happened: Happened) -> RiskState:
    match happened.event:
        case RiskRegistered() as event:
            return replace(state, risk=event)
        case RiskAssessed() as event:
            return _assessed(state, event.level, happened)
        case RiskReassessed() as event:
            return _assessed(state, event.new_level, happened)
        case MeasureSet() as event:
            return replace(state, measures=state.measures.set(event.measure_id, event))
        case _:
            return state


def _assessed(state: RiskState, level: str, happened: Happened) -> RiskState:
    envelope, event_id = happened.envelope, event_id_of(happened.append)
    place = None if envelope.supersedes is None else state.place_of(envelope.supersedes)
    if place is None:
        new = Assessment(level=level, on=envelope.as_of, ids=frozenset({event_id}))
        return replace(state, assessments=(*state.assessments, new))
    old = state.assessments[place]
    mended = replace(old, level=level, ids=old.ids | {event_id})
    before, after = state.assessments[:place], state.assessments[place + 1 :]
    return replace(state, assessments=(*before, mended, *after))


def _decide_counts(_: None, proposal: Proposal, __: Lookup) -> None:
    match proposal.event:
        case MeasureCountsReported() as event:
            require_one_of(event.scope, SCOPES, field="scope")
            require_one_of(event.measure_type, MEASURE_TYPES, field="measure_type")
            count = event.measures
        case RiskCountsReported() as event:
            require_one_of(event.scope, SCOPES, field="scope")
            if event.risk_level is not None:
                require_one_of(event.risk_level, LEVELS, field="risk_level")
            count = event.risks
        case other:
            raise unexpected(other)
    if count < 0:
        refuse(
            Rule.VALUE_NOT_ALLOWED,
            f"the count is {count}; a count is not negative",
            field="count",
            value=count,
            allowed=">= 0",
        )


def _evolve_counts(state: None, _: Happened) -> None:
    return state


def _stream_of(event: Event, _: Envelope) -> StreamName:
    return risk_stream(str(getattr(event, "risk_id", "")))


def _counts_stream_of(_: Event, __: Envelope) -> StreamName:
    return COUNTS_STREAM


RISKS = Aggregate(
    name="risk",
    events=(RiskRegistered, RiskAssessed, RiskReassessed, MeasureSet, MeasureMonitored),
    stream_of=_stream_of,
    initial=RiskState(),
    decide=_decide,
    evolve=_evolve,
)

RISK_COUNTS = Aggregate[None](
    name="risk-counts",
    events=(MeasureCountsReported, RiskCountsReported),
    stream_of=_counts_stream_of,
    initial=None,
    decide=_decide_counts,
    evolve=_evolve_counts,
)
