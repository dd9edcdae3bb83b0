"""The audit trail of any entity: who recorded what, when, under which act, before and after.

An entity is named by a stream (`planning/2023`) or by a key that events carry (`OGE3`, a unit, an
act, a risk): the fields marked as keys in the schemas. No list of entities is kept in step by hand.

Source: domain notes, projection P37.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, fields
from decimal import Decimal

from ledger.events.base import Event, Value
from ledger.events.ledger import ActReference
from ledger.feed import RecordedEvent


@dataclass(frozen=True, kw_only=True, slots=True)
class FieldChange:
    """One field of an event, with its value before.

    Before a correction stands the event that it corrects; before any other event the previous one
    of the same kind and keys.
    """

    name: str
    before: str | None
    """None when there was no earlier event of the kind."""
    after: str


@dataclass(frozen=True, kw_only=True, slots=True)
class TrailEntry:
    """One event of an entity."""

    position: int
    stream: str
    stream_version: int
    event_type: str
    event_id: str
    recorded_at: dt.datetime
    as_of: dt.date
    vintage: str | None
    actor: str
    source: str
    acts: tuple[ActReference, ...]
    reason: str | None
    supersedes: str | None
    """Identifier of the event that this one corrects."""
    supersedes_position: int | None
    """Position of that event; None when it corrects none, or none that was read."""
    changes: tuple[FieldChange, ...]


def trail(events: Iterable[RecordedEvent], *, entity: str) -> tuple[TrailEntry, ...]:
    """Return the events of an entity in order of position.

    Args:
        events: the feed, in order of position.
        entity: a stream name, or the value of a key field.
    """
    entries = []
    previous: dict[tuple[str, ...], RecordedEvent] = {}
    by_id: dict[str, RecordedEvent] = {}
    for recorded in events:
        keys = keys_of(recorded.event)
        slot = (recorded.event.TYPE, recorded.stream, *keys)
        if recorded.stream == entity or entity in keys:
            corrected = by_id.get(recorded.envelope.supersedes or "")
            entries.append(_entry(recorded, corrected, previous.get(slot)))
        previous[slot] = by_id[recorded.event_id] = recorded
    return tuple(entries)


def keys_of(event: Event) -> tuple[str, ...]:
    """Return the values of an event's key fields, in the order of its schema."""
    return tuple(str(getattr(event, name)) for name in event.KEYS)


def _entry(
    recorded: RecordedEvent, corrected: RecordedEvent | None, previous: RecordedEvent | None
) -> TrailEntry:
    before = corrected or previous
    envelope = recorded.envelope
    unit = envelope.actor.unit_code
    places = (envelope.source.system, envelope.source.document, envelope.source.locator)
    return TrailEntry(
        position=recorded.position,
        stream=recorded.stream,
        stream_version=recorded.stream_version,
        event_type=recorded.event.TYPE,
        event_id=recorded.event_id,
        recorded_at=recorded.recorded_at,
        as_of=envelope.as_of,
        vintage=envelope.vintage,
        actor=envelope.actor.role if unit is None else f"{envelope.actor.role}@{unit}",
        source=" ".join(place for place in places if place),
        acts=envelope.acts,
        reason=envelope.reason,
        supersedes=envelope.supersedes,
        supersedes_position=None if corrected is None else int(corrected.position),
        changes=_changes(recorded.event, None if before is None else before.event),
    )


def _changes(event: Event, before: Event | None) -> tuple[FieldChange, ...]:
    # A correction may be of another kind; then there is nothing to compare field by field.
    before = before if type(before) is type(event) else None
    changes = []
    for item in fields(event):  # type: ignore[arg-type] # every event class is a dataclass
        after = getattr(event, item.name)
        earlier = None if before is None else getattr(before, item.name)
        if before is not None and earlier == after and item.name not in event.KEYS:
            continue
        if after is None and earlier is None:
            continue
        changes.append(
            FieldChange(
                name=item.name,
                before=None if before is None else shown(earlier),
                after=shown(after),
            )
        )
    return tuple(changes)


def shown(value: object) -> str:
    """Return a field's value as plain text; personal values are never shown."""
    match value:
        case None:
            return "-"
        case bytes():
            return value.hex()
        case Decimal():
            return format(value, "f")
        case tuple():
            return ", ".join(shown(item) for item in value) or "-"
        case ActReference():
            number = value.number or ""
            return f"{value.organ}/{value.act_type}/{number}/{value.adopted_on}"
        case Value():
            return type(value).__name__
        case _:
            return str(value)
