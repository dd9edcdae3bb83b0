"""One event is one message: records as messages and back, bit for bit.

Invariants:
1. `record_of(messages_of(record)) == record`, and `messages_of(record_of(messages)) == messages`:
   a message that differs anywhere from what the ledger writes is refused.
2. The first message of a record carries every committed field; the others of a block carry their
   address and the schema, so that facts stay small.

Left to others: whether the commitment is right (`ledger.store.store.Store.restore`), and whether
the record is the ledger's (`ledger.kafka.check`).

Source: docs/formats/message.md; CloudEvents 1.0, Kafka protocol binding, binary mode.
"""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

from ledger.feed import event_id_of
from ledger.integrity.block import join_bodies, split_bodies
from ledger.integrity.problems import IntegrityFormatError
from ledger.kafka.errors import MessageFormatError
from ledger.kafka.topics import Topics
from ledger.records import AppendPart, PendingRecord, RecordKind, StoredRecord
from ledger.types import AppendKey, Digest, Position, StreamName, StreamVersion

Headers = tuple[tuple[str, bytes], ...]

_POSITION: Final = "position"
_INDEX: Final = "index"
_SCHEMA: Final = "schema_id"
_SCHEMA_URN: Final = "urn:registro:schema:"
_DIGITS_MAX: Final = 19
"""Decimal digits of the largest position."""
_ADDRESS_HEADERS: Final = 3
_INDEXES_LEAST: Final = 4096
"""Headers of the index that are made at once, at least."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Origin:
    """Which ledger messages come from."""

    ledger_id: str
    """UUID of the ledger."""
    origin: str
    """Name fixed when the ledger was opened; `ce_source` of every event."""


class Address(NamedTuple):
    """Place of an event in the ledger; addresses are ordered as the events are."""

    position: int
    """Of the record, 1-based."""
    index: int  # type: ignore[assignment] # hides a method of tuples that nobody asks for
    """In the record, 0-based."""

    def __str__(self) -> str:
        return f"{self.position}.{self.index}"


class Message(NamedTuple):
    """What is written to Kafka, or was read from it."""

    topic: str
    key: bytes
    value: bytes
    """Bare Avro body."""
    headers: Headers


def messages_of(
    stored: StoredRecord, *, origin: Origin, topics: Topics, keys: Sequence[bytes]
) -> Iterator[Message]:
    """Yield the messages of a record, in order of the index.

    Args:
        stored: as the store gives it.
        origin: of the ledger.
        topics: names of its topics.
        keys: one for each event; see `ledger.kafka.keys`.

    Raises:
        ValueError: a block of no known family.
    """
    item = stored.record
    topic = topics.of(item)
    bodies = split_bodies(item.lengths, item.content)
    yield Message(topic, keys[0], bodies[0], first_headers(stored, origin))
    if len(bodies) > 1:
        wanted = rest_headers(stored.position, item.schema_id, len(bodies))
        rest = zip(keys, bodies, wanted, strict=True)
        next(rest)
        for key, body, headers in rest:
            yield Message(topic, key, body, headers)


def rest_headers(position: int, schema_id: bytes, count: int) -> Sequence[Headers]:
    """Return the headers that the messages of a block have, by index.

    The first of them only holds its place: the first message of a record carries more.
    """
    indexes = _indexes(max(_INDEXES_LEAST, 1 << count.bit_length()))
    place, schema = (_POSITION, _number(position)), (_SCHEMA, schema_id)
    return [(place, index, schema) for index in indexes[:count]]


@lru_cache(maxsize=4)
def _indexes(count: int) -> tuple[tuple[str, bytes], ...]:
    return tuple((_INDEX, _number(index)) for index in range(count))


def first_headers(stored: StoredRecord, origin: Origin) -> Headers:
    """Return the headers of the first message of a record: every committed field of it."""
    item = stored.record
    return (
        (_POSITION, _number(stored.position)),
        (_INDEX, b"0"),
        (_SCHEMA, item.schema_id),
        ("ce_specversion", b"1.0"),
        ("ce_id", _event_id(stored, origin).encode()),
        ("ce_source", origin.origin.encode()),
        ("ce_type", item.event_type.encode()),
        ("ce_subject", item.stream.encode()),
        ("ce_time", _time(stored.recorded_instant).encode()),
        ("ce_dataschema", f"{_SCHEMA_URN}{item.schema_id.hex()}".encode()),
        ("content-type", b"application/avro"),
        ("ledger_id", origin.ledger_id.encode()),
        ("kind", _number(item.kind)),
        ("count", _number(item.event_count)),
        ("stream_version", _number(item.stream_version)),
        ("append_key", item.append.key.encode()),
        ("part", _number(item.append.part)),
        ("part_count", _number(item.append.part_count)),
        ("input_digest", item.append.input_digest),
        ("recorded_at", _number(stored.recorded_at)),
        ("envelope_schema_id", item.envelope_schema_id),
        ("envelope", item.envelope),
        ("salt", stored.salt),
        ("inner_root", stored.inner_root),
        ("commitment", stored.commitment),
    )


def _event_id(stored: StoredRecord, origin: Origin) -> str:
    if stored.record.kind is RecordKind.EVENT:
        return event_id_of(stored.record.append)
    return f"{origin.ledger_id}/{stored.position}.0"


def _time(instant: dt.datetime) -> str:
    return instant.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _number(value: int) -> bytes:
    return b"%d" % value


def address_of(headers: Headers) -> Address:
    """Return the address that a message claims.

    Raises:
        MessageFormatError: its first two headers are no address.
    """
    if (
        len(headers) < _ADDRESS_HEADERS
        or headers[0][0] != _POSITION
        or headers[1][0] != _INDEX
        or not _is_number(headers[0][1])
        or not _is_number(headers[1][1])
    ):
        raise MessageFormatError(address="?", reason="it has no address of the ledger")
    return Address(int(headers[0][1]), int(headers[1][1]))


def _is_number(text: bytes) -> bool:
    return text.isdigit() and len(text) <= _DIGITS_MAX and (text == b"0" or text[:1] != b"0")


def origin_of(headers: Headers) -> Origin:
    """Return the ledger that the first message of a record claims to come from.

    Raises:
        MessageFormatError: it does not say.
    """
    found = dict(headers)
    try:
        return Origin(ledger_id=found["ledger_id"].decode(), origin=found["ce_source"].decode())
    except (KeyError, UnicodeDecodeError) as error:
        raise MessageFormatError(address="?", reason="it names no ledger") from error


def count_of(headers: Headers) -> int:
    """Return how many messages the first message of a record announces.

    Raises:
        MessageFormatError: it does not say.
    """
    count = dict(headers).get("count", b"")
    if not _is_number(count) or count == b"0":
        raise MessageFormatError(address=_named(headers), reason="it announces no count")
    return int(count)


def record_of(messages: Sequence[Message], *, origin: Origin, topics: Topics) -> StoredRecord:
    """Return the record of its messages; the commitment is taken as it is claimed.

    Args:
        messages: all of one record, in order of the index, at least one.
        origin: of the ledger they must come from.
        topics: names of its topics.

    Raises:
        MessageFormatError: they are not exactly what the ledger writes for a record.
    """
    first = messages[0]
    named = _named(first.headers)
    try:
        stored = _stored(dict(first.headers), [message.value for message in messages])
        if first.headers != first_headers(stored, origin):
            raise ValueError("its headers are not those of the record they describe")  # noqa: TRY301 - one place wraps every cause
        _check_rest(stored, messages, topics.of(stored.record))
    except (KeyError, ValueError, OverflowError, IntegrityFormatError) as error:
        raise MessageFormatError(address=named, reason=_reason(error)) from error
    return stored


def _reason(error: Exception) -> str:
    return f"header {error} is missing" if isinstance(error, KeyError) else str(error)


def _named(headers: Headers) -> str:
    try:
        return str(address_of(headers))
    except MessageFormatError:
        return "?"


def _check_rest(stored: StoredRecord, messages: Sequence[Message], topic: str) -> None:
    wanted = rest_headers(stored.position, stored.record.schema_id, len(messages))
    for index, message in enumerate(messages):
        if message.topic != topic:
            raise ValueError(f"index {index} stands in topic {message.topic}, not in {topic}")
        if index and message.headers != wanted[index]:
            raise ValueError(f"the headers of index {index} are not those of the record")


def _stored(found: Mapping[str, bytes], bodies: Sequence[bytes]) -> StoredRecord:
    count = _read(found, "count")
    if count != len(bodies):
        raise ValueError(f"{count} events announced, {len(bodies)} found")
    lengths, content = join_bodies(bodies)
    return StoredRecord(
        position=Position(_read(found, _POSITION)),
        recorded_at=_read(found, "recorded_at"),
        salt=found["salt"],
        commitment=Digest(found["commitment"]),
        inner_root=Digest(found["inner_root"]),
        record=PendingRecord(
            kind=RecordKind(_read(found, "kind")),
            stream=StreamName(found["ce_subject"].decode()),
            stream_version=StreamVersion(_read(found, "stream_version")),
            event_type=found["ce_type"].decode(),
            schema_id=found[_SCHEMA],
            append=AppendPart(
                key=AppendKey(found["append_key"].decode()),
                part=_read(found, "part"),
                part_count=_read(found, "part_count"),
                input_digest=Digest(found["input_digest"]),
            ),
            envelope_schema_id=found["envelope_schema_id"],
            envelope=found["envelope"],
            lengths=lengths,
            content=content,
        ),
    )


def _read(found: Mapping[str, bytes], name: str) -> int:
    text = found[name]
    if not _is_number(text):
        raise ValueError(f"header {name} is no number")
    return int(text)
