"""Personal data: the erasure of a subject, and the holds that forbid it.

A subject is a person under a random name; what names the person is encrypted with the subject's
own key. The erasure is recorded first and the key destroyed after it (`ledger.privacy.erasure`).

Invariants:
1. A subject is erased once, under an act, for a stated ground, with two approvals.
2. A hold counts in the order of the ledger: one that is in force now refuses an erasure whatever
   day the erasure bears; one that was released refuses those dated before its end.
3. A retention term keeps what the law or the body says must be kept; it does not keep what was
   recorded unlawfully, nor against the order of an authority.

Source: Regulation (EU) 2016/679, articles 5(1)(e), 17 and 18; rulings 11 and 21;
docs/adr/0012-personal-data.md.
"""

import datetime as dt
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Final

from immutables import Map

from ledger.aggregates.base import (
    Aggregate,
    Happened,
    Lookup,
    Proposal,
    require_act,
    require_known,
    require_new,
    require_one_of,
    require_order,
    require_range,
    unexpected,
)
from ledger.aggregates.retention import RETENTION, RETENTION_STREAM, term_end
from ledger.events.base import Event
from ledger.events.ledger import Envelope
from ledger.events.privacy import HoldPlaced, HoldReleased, SubjectErased
from ledger.rules import Rule, refuse
from ledger.types import StreamName

GROUNDS: Final = ("request", "term_ended", "unlawful", "order")
"""Why values may go: the person asks, the term is over, they should never have been recorded, an
authority orders it."""
KEPT_BY_TERMS: Final = frozenset({"request", "term_ended"})
"""Grounds that a running retention term refuses."""
HOLD_SCOPES: Final = ("subject", "year", "stream")
APPROVALS_MIN: Final = 2
HOLDS_STREAM: Final = StreamName("holds")
_YEARS: Final = (1900, 2999)


@dataclass(frozen=True, kw_only=True, slots=True)
class SubjectState:
    """A subject: None until it is erased."""

    erased: SubjectErased | None = None
    erased_on: dt.date | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Hold:
    """One hold with what was said when it was placed, and the day of its release."""

    event: HoldPlaced
    placed: Envelope
    """Who placed it, when and under which act."""
    released_on: dt.date | None = None
    """None while it is in force."""

    @property
    def placed_on(self) -> dt.date:
        """Its first day."""
        return self.placed.as_of

    def in_force(self, day: dt.date) -> bool:
        """Whether it forbids an erasure that bears a day; one not released forbids all."""
        return self.released_on is None or self.placed_on <= day < self.released_on

    def covers(self, *, subject: str, years: tuple[int, ...], streams: tuple[str, ...]) -> bool:
        """Whether it covers a subject whose records are about years and stand in streams."""
        match self.event.hold_scope:
            case "subject":
                return self.event.held == subject
            case "year":
                return self.event.held in {str(year) for year in years}
            case _:
                return self.event.held in streams


@dataclass(frozen=True, kw_only=True, slots=True)
class HoldsState:
    """All holds by name, released ones included."""

    holds: Map[str, Hold] = field(default_factory=Map)

    def covering(
        self, *, subject: str, years: tuple[int, ...], streams: tuple[str, ...], on: dt.date
    ) -> tuple[Hold, ...]:
        """Return the holds that forbid an erasure on a day, in order of name."""
        return tuple(
            hold
            for _, hold in sorted(self.holds.items())
            if hold.in_force(on) and hold.covers(subject=subject, years=years, streams=streams)
        )


def subject_stream(subject_id: str) -> StreamName:
    """Return the stream of a subject."""
    return StreamName(f"subject/{subject_id}")


def _decide_subject(state: SubjectState, proposal: Proposal, lookup: Lookup) -> None:
    match proposal.event:
        case SubjectErased() as event:
            require_not_erased(state, event.subject_id)
            require_act(proposal.envelope, what=f"the erasure of subject {event.subject_id}")
            _require_reason(proposal.envelope, event.subject_id)
            _require_approvals(event)
            require_one_of(event.ground, GROUNDS, field="ground")
            _require_records(event)
            _require_no_hold(event, proposal.envelope, lookup)
            if event.ground in KEPT_BY_TERMS:
                _require_terms_over(event, proposal.envelope, lookup)
        case other:
            raise unexpected(other)


def require_not_erased(state: SubjectState, subject_id: str) -> None:
    """Refuse what comes after the erasure of a subject."""
    if state.erased is not None:
        on = "" if state.erased_on is None else state.erased_on.isoformat()
        refuse(
            Rule.SUBJECT_ERASED,
            f"subject {subject_id} was erased on {on}",
            subject=subject_id,
            date=on,
        )


def _require_reason(envelope: Envelope, subject: str) -> None:
    if not (envelope.reason or "").strip():
        refuse(Rule.CORRECTION_NEEDS_REASON, f"{subject}: no reason is stated", subject=subject)


def _require_approvals(event: SubjectErased) -> None:
    different = {approver.strip().casefold() for approver in event.approvers} - {""}
    if len(different) < APPROVALS_MIN:
        refuse(
            Rule.APPROVALS_MISSING,
            f"the erasure of {event.subject_id} is approved by "
            f"{', '.join(event.approvers) or 'nobody'}; two different offices must approve it",
            subject=event.subject_id,
            approvers=", ".join(event.approvers),
        )


def _require_records(event: SubjectErased) -> None:
    if event.records < 1 or not event.streams or not event.years or not event.event_types:
        refuse(
            Rule.UNKNOWN_REFERENCE,
            f"no record of this ledger names the subject {event.subject_id}",
            kind="subject",
            name=event.subject_id,
        )
    if len(event.last_days) != len(event.event_types):
        refuse(
            Rule.VALUE_NOT_ALLOWED,
            f"{len(event.last_days)} last days for {len(event.event_types)} types of records",
            field="last_days",
            value=len(event.last_days),
            allowed=len(event.event_types),
        )


def _require_no_hold(event: SubjectErased, envelope: Envelope, lookup: Lookup) -> None:
    holds = lookup.state(HOLDS, HOLDS_STREAM).covering(
        subject=event.subject_id, years=event.years, streams=event.streams, on=envelope.as_of
    )
    if holds:
        listed = ", ".join(hold.event.hold_id for hold in holds)
        refuse(
            Rule.SUBJECT_HELD,
            f"subject {event.subject_id} is held by {listed}",
            subject=event.subject_id,
            holds=listed,
        )


def _require_terms_over(event: SubjectErased, envelope: Envelope, lookup: Lookup) -> None:
    retention = lookup.state(RETENTION, RETENTION_STREAM)
    for event_type, last_day in zip(event.event_types, event.last_days, strict=True):
        years = retention.years(event_type, envelope.as_of)
        if years is None and event.ground == "term_ended":
            require_known(years, kind="retention term", name=event_type)
        if years is not None and envelope.as_of <= term_end(last_day, years):
            end = term_end(last_day, years).isoformat()
            refuse(
                Rule.RETENTION_RUNNING,
                f"records of type {event_type} of subject {event.subject_id} are kept until {end}",
                subject=event.subject_id,
                event_type=event_type,
                until=end,
            )


def _evolve_subject(state: SubjectState, happened: Happened) -> SubjectState:
    match happened.event:
        case SubjectErased() as event:
            return replace(state, erased=event, erased_on=happened.envelope.as_of)
        case other:
            raise unexpected(other)


def _decide_holds(state: HoldsState, proposal: Proposal, lookup: Lookup) -> None:
    match proposal.event:
        case HoldPlaced() as event:
            require_new(state.holds.get(event.hold_id), kind="hold", name=event.hold_id)
            require_act(proposal.envelope, what=f"the placing of hold {event.hold_id}")
            _require_reason(proposal.envelope, event.hold_id)
            require_one_of(event.hold_scope, HOLD_SCOPES, field="hold_scope")
            _require_held(event, lookup)
        case HoldReleased() as event:
            hold = require_known(state.holds.get(event.hold_id), kind="hold", name=event.hold_id)
            require_act(proposal.envelope, what=f"the release of hold {event.hold_id}")
            _require_reason(proposal.envelope, event.hold_id)
            if hold.released_on is not None:
                refuse(
                    Rule.ENTITY_CLOSED,
                    f"hold {event.hold_id} was released on {hold.released_on}",
                    kind="hold",
                    name=event.hold_id,
                    date=hold.released_on.isoformat(),
                )
            require_order(
                hold.placed_on, proposal.envelope.as_of, first="HoldPlaced", second="HoldReleased"
            )
        case other:
            raise unexpected(other)


def _require_held(event: HoldPlaced, lookup: Lookup) -> None:
    if event.hold_scope == "subject":
        require_not_erased(lookup.state(SUBJECTS, subject_stream(event.held)), event.held)
    if event.hold_scope == "year":
        first, last = _YEARS
        plain = event.held.isascii() and event.held.isdecimal()
        require_range(
            Decimal(event.held if plain else 0), Decimal(first), Decimal(last), field="held"
        )


def _evolve_holds(state: HoldsState, happened: Happened) -> HoldsState:
    match happened.event:
        case HoldPlaced() as event:
            hold = Hold(event=event, placed=happened.envelope)
        case HoldReleased() as event:
            hold = replace(state.holds[event.hold_id], released_on=happened.envelope.as_of)
        case other:
            raise unexpected(other)
    return HoldsState(holds=state.holds.set(hold.event.hold_id, hold))


def _stream_of(event: Event, _: Envelope) -> StreamName:
    match event:
        case SubjectErased():
            return subject_stream(event.subject_id)
        case HoldPlaced() | HoldReleased():
            return HOLDS_STREAM
        case _:
            raise unexpected(event)


SUBJECTS = Aggregate(
    name="subject",
    events=(SubjectErased,),
    stream_of=_stream_of,
    initial=SubjectState(),
    decide=_decide_subject,
    evolve=_evolve_subject,
)

HOLDS = Aggregate(
    name="holds",
    events=(HoldPlaced, HoldReleased),
    stream_of=_stream_of,
    initial=HoldsState(),
    decide=_decide_holds,
    evolve=_evolve_holds,
)
