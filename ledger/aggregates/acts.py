"""Legal acts and the corrections of citations: the spine that other events cite."""

from dataclasses import dataclass

from ledger.aggregates.base import (
    Aggregate,
    Happened,
    Lookup,
    Proposal,
    act_key,
    key_of,
    require_same,
    unexpected,
)
from ledger.events.acts import ActAdopted, ActReferenceCorrected
from ledger.events.base import Event
from ledger.events.ledger import Envelope
from ledger.rules import Rule, refuse
from ledger.types import StreamName


@dataclass(frozen=True, kw_only=True, slots=True)
class ActState:
    """An act: None until it is adopted."""

    act: ActAdopted | None = None


def act_stream(key: str) -> StreamName:
    """Return the stream of the act with this identity."""
    return StreamName(f"act/{key}")


def _stream_of(event: Event, _: Envelope) -> StreamName:
    match event:
        case ActAdopted():
            return act_stream(event.act_key)
        case ActReferenceCorrected():
            return StreamName(f"citation/{event.document_id}")
        case _:
            raise unexpected(event)


def _decide(state: ActState, proposal: Proposal, lookup: Lookup) -> None:
    match proposal.event:
        case ActAdopted() as event:
            expected = act_key(event.organ, event.act_type, event.number, event.adopted_on)
            require_same(event.act_key, expected, field="act_key")
            if state.act is not None:
                refuse(
                    Rule.ACT_ALREADY_ADOPTED,
                    f"act {event.act_key} was adopted already",
                    act=event.act_key,
                )
        case ActReferenceCorrected() as event:
            key = key_of(event.correct)
            if lookup.state(ACTS, act_stream(key)).act is None:
                refuse(Rule.ACT_UNKNOWN, f"act {key} is not in this ledger", act=key)
            if event.cited == event.correct:
                refuse(
                    Rule.NOTHING_CHANGES,
                    "the citation is right already",
                    field="citation",
                    value=key,
                )
        case other:
            raise unexpected(other)


def _evolve(state: ActState, happened: Happened) -> ActState:
    match happened.event:
        case ActAdopted() as event:
            return ActState(act=event)
        case _:
            return state


ACTS = Aggregate(
    name="act",
    events=(ActAdopted, ActReferenceCorrected),
    stream_of=_stream_of,
    initial=ActState(),
    decide=_decide,
    evolve=_evolve,
)
