"""A record: the unit the ledger appends, stores, hashes and copies to Kafka.

Invariants:
1. A record holds one governed event (`EVENT`) or a block of facts of one schema (`BLOCK`).
2. `content` is the bare Avro bodies one after the other; `lengths` says where each ends.
3. Every field of a stored record is covered by its commitment or derived from covered ones.

Source: docs/formats/record.md, docs/formats/block.md, docs/adr/0002-record-bytes.md.
"""

import datetime as dt
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from ledger.types import AppendKey, Digest, Position, StreamName, StreamVersion

EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
NO_DIGEST: Final = Digest(b"")
"""Stands for an absent schema id or input digest; only the recorder suites write such records."""


class RecordKind(IntEnum):
    """What a record holds; the number is part of the hashed bytes."""

    EVENT = 1
    BLOCK = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class AppendPart:
    """Which part of which append a record is: the idempotency of the ledger."""

    key: AppendKey
    """Names the append; unique together with `part`."""
    part: int = 0
    """0-based place of the record within its append."""
    part_count: int = 1
    """Number of records of the append, at least 1."""
    input_digest: Digest = NO_DIGEST
    """SHA-256 of what the caller sent; the same key with another digest is refused."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PendingRecord:
    """A record before the store has given it a position, an instant and a salt."""

    kind: RecordKind
    stream: StreamName
    stream_version: StreamVersion
    event_type: str
    """Avro full name."""
    schema_id: bytes
    append: AppendPart
    envelope_schema_id: bytes
    envelope: bytes
    """Avro body of the envelope."""
    lengths: tuple[int, ...]
    """Length of each body in bytes, in order; one for an event."""
    content: bytes
    """The bodies, concatenated, not compressed."""

    @property
    def event_count(self) -> int:
        """Number of events in the record, at least 1."""
        return len(self.lengths)


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredRecord:
    """A record as the store gives it back."""

    position: Position
    recorded_at: int
    """Microseconds since 1970-01-01 UTC; never decreases with the position."""
    salt: bytes
    """32 random bytes from which the salts of the commitment derive."""
    commitment: Digest
    inner_root: Digest
    """Root over the single bodies; see `ledger.integrity.block`."""
    record: PendingRecord

    @property
    def recorded_instant(self) -> dt.datetime:
        """Instant of the append, aware, in UTC."""
        return instant_of(self.recorded_at)


@dataclass(frozen=True, kw_only=True, slots=True)
class BlockHeader:
    """A block without its bodies: what readers of governed events see of it."""

    position: Position
    recorded_at: int
    """Microseconds since 1970-01-01 UTC."""
    stream: StreamName
    stream_version: StreamVersion
    event_type: str
    """Avro full name of the facts."""
    schema_id: bytes
    append: AppendPart
    envelope_schema_id: bytes
    envelope: bytes
    event_count: int


def micros_of(instant: dt.datetime) -> int:
    """Return microseconds since 1970-01-01 UTC.

    Args:
        instant: aware.
    """
    return (instant - EPOCH) // dt.timedelta(microseconds=1)


def instant_of(micros: int) -> dt.datetime:
    """Return the aware UTC instant of `micros` microseconds since 1970-01-01."""
    return EPOCH + dt.timedelta(microseconds=micros)
