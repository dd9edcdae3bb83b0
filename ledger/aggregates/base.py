"""What an aggregate is here: pure functions over frozen events, and the words they share.

Invariants:
1. `decide` and `evolve` read nothing but their arguments: no clock, no database, no randomness.
2. A command is a proposal of events (docs/adr/0005-proposals.md): `decide` accepts by returning
   and refuses by raising; it changes nothing.
3. `evolve` never refuses: what is in the ledger has happened.

Source: docs/adr/0004-event-classes.md, docs/adr/0005-proposals.md.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from typing import Generic, Protocol, TypeVar

from ledger.events.base import Event
from ledger.events.ledger import ActReference, Envelope
from ledger.records import AppendPart
from ledger.rules import Rule, refuse
from ledger.types import AppendKey, Digest, StreamName

S = TypeVar("S")
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, slots=True)
class Proposal:
    """An event that somebody asks the ledger to record."""

    event: Event
    envelope: Envelope


@dataclass(frozen=True, kw_only=True, slots=True)
class Command:
    """Proposals that are recorded together or not at all, under one idempotency key."""

    append_key: AppendKey
    input_digest: Digest
    """SHA-256 of what the caller sent."""
    proposals: tuple[Proposal, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Happened:
    """An event of a stream, as `evolve` sees it."""

    event: Event
    envelope: Envelope
    append: AppendPart


class Lookup(Protocol):
    """Reads the state of other aggregates; what was read is checked again when appending."""

    def state(self, aggregate: "Aggregate[S]", stream: StreamName) -> S:
        """Return the present state of a stream; the initial state when it has no event."""
        ...


@dataclass(frozen=True, kw_only=True)
class Aggregate(Generic[S]):
    """One kind of consistency boundary."""

    name: str
    events: tuple[type[Event], ...]
    """The events that belong to it."""
    stream_of: Callable[[Event, Envelope], StreamName]
    """Name of the stream an event belongs to."""
    initial: S
    """State before the first event."""
    decide: Callable[[S, Proposal, Lookup], None]
    """Accept a proposal by returning, or raise `CommandRefusedError`."""
    evolve: Callable[[S, Happened], S]
    """State after an event."""


def act_key(organ: str, act_type: str, number: str | None, adopted_on: dt.date) -> str:
    """Return the identity of a legal act: organ/type/number/date."""
    return f"{organ}/{act_type}/{number or ''}/{adopted_on.isoformat()}"


def key_of(reference: ActReference) -> str:
    """Return the identity of the act that a reference cites."""
    return act_key(reference.organ, reference.act_type, reference.number, reference.adopted_on)


def exact_sum(values: Iterable[Decimal]) -> Decimal:
    """Return a sum without rounding; the default context would keep 28 digits only."""
    with localcontext() as context:
        context.prec = 200
        return sum(values, Decimal(0))


def unexpected(event: Event) -> AssertionError:
    """Return the error for an event that is routed to the wrong aggregate: a bug of ours."""
    return AssertionError(f"{event.TYPE} does not belong to this aggregate")


def require_one_of(value: str, allowed: Sequence[str], *, field: str) -> None:
    """Refuse a value outside a closed set."""
    if value not in allowed:
        refuse(
            Rule.VALUE_NOT_ALLOWED,
            f"{field} is {value!r}; allowed: {', '.join(allowed)}",
            field=field,
            value=value,
            allowed=", ".join(allowed),
        )


def require_range(value: Decimal, low: Decimal, high: Decimal, *, field: str) -> None:
    """Refuse a number outside a closed range."""
    if not low <= value <= high:
        refuse(
            Rule.VALUE_NOT_ALLOWED,
            f"{field} is {value}; allowed: from {low} to {high}",
            field=field,
            value=value,
            allowed=f"{low} - {high}",
        )


def require_known(found: T | None, *, kind: str, name: str) -> T:
    """Return what was found, or refuse because it does not exist."""
    if found is None:
        refuse(
            Rule.UNKNOWN_REFERENCE,
            f"there is no {kind} {name!r} in this ledger",
            kind=kind,
            name=name,
        )
    return found


def require_new(found: object | None, *, kind: str, name: str) -> None:
    """Refuse to begin an entity twice."""
    if found is not None:
        refuse(
            Rule.ALREADY_EXISTS,
            f"{kind} {name!r} is in this ledger already",
            kind=kind,
            name=name,
        )


def require_same(first: str, second: str, *, field: str) -> None:
    """Refuse two statements of one key that differ."""
    if first != second:
        refuse(
            Rule.IDENTITY_MISMATCH,
            f"{field} is {first!r} and should be {second!r}",
            field=field,
            value=first,
            expected=second,
        )


def require_order(earlier: dt.date, later: dt.date, *, first: str, second: str) -> None:
    """Refuse dates that run backwards."""
    if later < earlier:
        refuse(
            Rule.DATES_OUT_OF_ORDER,
            f"{second} ({later}) is before {first} ({earlier})",
            first=first,
            second=second,
            earlier=earlier.isoformat(),
            later=later.isoformat(),
        )


def require_old_value(stated: object, present: object, *, field: str) -> None:
    """Refuse a change that starts from another value than the present one."""
    if stated != present:
        refuse(
            Rule.OLD_VALUE_DIFFERS,
            f"{field}: the change starts from {stated}, the present value is {present}",
            field=field,
            stated=stated,
            present=present,
        )


def require_change(old: object, new: object, *, field: str) -> None:
    """Refuse a change to the same value."""
    if old == new:
        refuse(
            Rule.NOTHING_CHANGES,
            f"{field} is {old} already",
            field=field,
            value=old,
        )


def require_act(envelope: Envelope, *, what: str) -> None:
    """Refuse a change that needs an authorising act and cites none."""
    if not envelope.acts:
        refuse(
            Rule.ACT_REQUIRED,
            f"{what} needs an authorising act; none is cited",
            what=what,
        )
