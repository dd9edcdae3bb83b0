"""Where the values of each subject stand: found by reading the ledger, kept nowhere.

Source: docs/adr/0012-personal-data.md.
"""

import dataclasses
import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ledger.events.ledger import Encrypted, Envelope
from ledger.feed import FactBlock, RecordedEvent


@dataclass(frozen=True, kw_only=True, slots=True)
class Footprint:
    """The records that hold a subject's encrypted values."""

    subject_id: str
    streams: tuple[str, ...]
    """In order of name."""
    years: tuple[int, ...]
    """Years that the records are about, in order."""
    last_days: Mapping[str, dt.date]
    """By type of record: the last day from which a retention term runs."""
    records: int
    first_position: int
    last_position: int
    sample: Encrypted
    """The last of the values."""


def footprints(events: Iterable[RecordedEvent]) -> dict[str, Footprint]:
    """Return the footprint of every subject, in order of first appearance."""
    found: dict[str, Footprint] = {}
    for recorded in events:
        values = {value.key_id: value for value in encrypted_in(recorded)}
        for subject_id, value in values.items():
            found[subject_id] = _extended(found.get(subject_id), subject_id, value, recorded)
    return found


def encrypted_in(recorded: RecordedEvent) -> Iterator[Encrypted]:
    """Yield the encrypted values of a record: the person who acts, and fields of the event."""
    if recorded.envelope.actor.person is not None:
        yield recorded.envelope.actor.person
    for item in dataclasses.fields(recorded.event):  # type: ignore[arg-type] # every event class is a dataclass
        value = getattr(recorded.event, item.name)
        for one in value if isinstance(value, tuple) else (value,):
            if isinstance(one, Encrypted):
                yield one


def years_of(envelope: Envelope) -> tuple[int, ...]:
    """Return the years a record is about: those of its period, else that of its knowledge."""
    first = envelope.ref_from or envelope.ref_to or envelope.as_of
    last = envelope.ref_to or envelope.ref_from or envelope.as_of
    return tuple(range(first.year, last.year + 1))


def last_day_of(envelope: Envelope) -> dt.date:
    """Return the day from which a retention term runs: knowledge or end of period, the later."""
    return max(envelope.as_of, envelope.ref_to or envelope.as_of)


def _extended(
    known: Footprint | None, subject_id: str, value: Encrypted, recorded: RecordedEvent
) -> Footprint:
    event, envelope = recorded.event, recorded.envelope
    name = event.fact_type if isinstance(event, FactBlock) else event.TYPE
    days = {} if known is None else dict(known.last_days)
    days[name] = max(last_day_of(envelope), days.get(name, dt.date.min))
    streams = set() if known is None else set(known.streams)
    years = set() if known is None else set(known.years)
    return Footprint(
        subject_id=subject_id,
        streams=tuple(sorted(streams | {recorded.stream})),
        years=tuple(sorted(years | set(years_of(envelope)))),
        last_days=dict(sorted(days.items())),
        records=1 if known is None else known.records + 1,
        first_position=recorded.position if known is None else known.first_position,
        last_position=recorded.position,
        sample=value,
    )
