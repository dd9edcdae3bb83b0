"""The keys that sign checkpoints: which began, which give way, which ended.

A key begins as active, may sign on beside its successor while it is retiring, and ends as retired;
a key that is compromised is retired at once. Nothing here holds a private key.

Source: docs/adr/0011-evidence.md.
"""

import base64
import binascii
import datetime as dt
from dataclasses import dataclass, field
from typing import Final

from immutables import Map

from ledger.aggregates.base import (
    Aggregate,
    Happened,
    Lookup,
    Proposal,
    require_change,
    require_known,
    require_new,
    require_one_of,
    require_same,
    unexpected,
)
from ledger.events.base import Event
from ledger.events.ledger import Envelope, SigningKeyPublished
from ledger.evidence.keyid import ED25519, PUBLIC_BYTES, key_id_of, valid_name
from ledger.rules import Rule, refuse
from ledger.types import StreamName

KEYS_STREAM: Final = StreamName("keys")
ACTIVE: Final = "active"
RETIRING: Final = "retiring"
RETIRED: Final = "retired"
KEY_STATES: Final = (ACTIVE, RETIRING, RETIRED)
_ORDER: Final = {state: place for place, state in enumerate(KEY_STATES)}


@dataclass(frozen=True, kw_only=True, slots=True)
class PublishedKey:
    """What the ledger says of a key now."""

    event: SigningKeyPublished
    """The last event about it."""
    began: dt.datetime
    """Instant from which it is active."""


@dataclass(frozen=True, kw_only=True, slots=True)
class KeysState:
    """The keys of the ledger, by key id, in order of their beginning."""

    published: Map[str, PublishedKey] = field(default_factory=Map)

    def in_state(self, *states: str) -> tuple[SigningKeyPublished, ...]:
        """Return the last events of the keys in some states, the latest key first."""
        found = [one for one in self.published.values() if one.event.key_state in states]
        found.sort(key=lambda one: (one.began, one.event.key_id), reverse=True)
        return tuple(one.event for one in found)


def _decide(state: KeysState, proposal: Proposal, _: Lookup) -> None:
    match proposal.event:
        case SigningKeyPublished() as event:
            require_one_of(event.key_state, KEY_STATES, field="key_state")
            require_same(event.key_id, _key_id(event), field="key_id")
            present = state.published.get(event.key_id)
            if event.key_state == ACTIVE:
                require_new(present, kind="signing key", name=event.key_id)
                return
            known = require_known(present, kind="signing key", name=event.key_id)
            _require_step(known.event, event)
        case other:
            raise unexpected(other)


def _require_step(old: SigningKeyPublished, new: SigningKeyPublished) -> None:
    require_same(new.public_key, old.public_key, field="public_key")
    require_change(old.key_state, new.key_state, field="key_state")
    if _ORDER[new.key_state] < _ORDER[old.key_state]:
        refuse(
            Rule.ENTITY_CLOSED,
            f"signing key {new.key_id} is retired",
            kind="signing key",
            name=new.key_id,
            date=old.valid_from.date().isoformat(),
        )
    if new.valid_from < old.valid_from:
        refuse(
            Rule.DATES_OUT_OF_ORDER,
            f"valid_from ({new.valid_from}) is before the latest change ({old.valid_from})",
            first="latest change",
            second="valid_from",
            earlier=old.valid_from.isoformat(),
            later=new.valid_from.isoformat(),
        )


def _key_id(event: SigningKeyPublished) -> str:
    try:
        public = base64.b64decode(event.public_key.encode("ascii"), validate=True)
    except (binascii.Error, ValueError):
        public = b""
    if len(public) != PUBLIC_BYTES or base64.b64encode(public).decode() != event.public_key:
        _refuse_value("public_key", event.public_key, "32 bytes in base64")
    if not valid_name(event.key_name):
        _refuse_value("key_name", event.key_name, "a name without spaces and plus")
    return key_id_of(event.key_name, ED25519, public).hex()


def _refuse_value(name: str, value: str, allowed: str) -> None:
    refuse(
        Rule.VALUE_NOT_ALLOWED,
        f"{name} is {value!r}; allowed: {allowed}",
        field=name,
        value=value,
        allowed=allowed,
    )


def _evolve(state: KeysState, happened: Happened) -> KeysState:
    match happened.event:
        case SigningKeyPublished() as event:
            before = state.published.get(event.key_id)
            began = event.valid_from if before is None else before.began
            item = PublishedKey(event=event, began=began)
            return KeysState(published=state.published.set(event.key_id, item))
        case other:
            raise unexpected(other)


def _stream(_: Event, __: Envelope) -> StreamName:
    return KEYS_STREAM


SIGNING_KEYS = Aggregate(
    name="keys",
    events=(SigningKeyPublished,),
    stream_of=_stream,
    initial=KeysState(),
    decide=_decide,
    evolve=_evolve,
)
