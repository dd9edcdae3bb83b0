"""The register of corruption risks: risks, assessments, specific measures and their monitoring.

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
class RiskState:
    """One risk; None until it is registered."""

    risk: RiskRegistered | None = None
    level: str | None = None
    assessed_on: dt.date | None = None
    measures: Map[str, MeasureSet] = field(default_factory=Map)


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
            require_new(state.level, kind="assessment", name=event.risk_id)
            require_one_of(event.level, LEVELS, field="level")
        case RiskReassessed() as event:
            level = require_known(state.level, kind="assessment", name=event.risk_id)
            require_old_value(event.old_level, level, field="old_level")
            require_one_of(event.new_level, LEVELS, field="new_level")
            require_order(
                state.assessed_on or envelope.as_of,
                envelope.as_of,
                first="latest assessment",
                second="as_of",
            )
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
            return replace(state, level=event.level, assessed_on=happened.envelope.as_of)
        case RiskReassessed() as event:
            return replace(state, level=event.new_level, assessed_on=happened.envelope.as_of)
        case MeasureSet() as event:
            return replace(state, measures=state.measures.set(event.measure_id, event))
        case _:
            return state


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
