"""The read port: governed events with what the ledger added to them, in order of position.

Invariants:
1. Events come in order of position, without gaps, and are never changed.
2. A record that cannot be decoded, or that is missing, stops the reader with its position; nothing
   is skipped.

Source: docs/adr/0001-store.md, docs/adr/0004-event-classes.md.
"""

import datetime as dt
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Final, Protocol
from uuid import UUID

from ledger.errors import PositionGapError
from ledger.events.base import Event
from ledger.events.ledger import Envelope
from ledger.records import AppendPart
from ledger.types import BEFORE_FIRST, Position, StreamName, StreamVersion

READ_BATCH_EVENTS: Final = 1000
"""How many events one read of a whole feed fetches at a time."""


@dataclass(frozen=True, kw_only=True, slots=True)
class GovernedEvent:
    """An event decided by an aggregate, about to be appended."""

    originator_id: str
    """Stream name; the eventsourcing library's word for it."""
    originator_version: int
    """Version within the stream, 1-based."""
    event: Event
    envelope: Envelope
    append: AppendPart


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordedEvent:
    """A governed event as the ledger holds it."""

    position: Position
    recorded_at: dt.datetime
    """Instant of the append, aware, in UTC."""
    stream: StreamName
    stream_version: StreamVersion
    event: Event
    envelope: Envelope
    append: AppendPart

    @property
    def originator_id(self) -> str:
        """Stream name; the eventsourcing library's word for it."""
        return self.stream

    @property
    def originator_version(self) -> int:
        """Version within the stream; the eventsourcing library's word for it."""
        return self.stream_version

    @property
    def event_id(self) -> str:
        """Identifier of the event, see `event_id_of`."""
        return event_id_of(self.append)

    @property
    def address(self) -> str:
        """Address of the event as text: the position of its record."""
        return str(self.position)


@dataclass(frozen=True, kw_only=True, slots=True)
class FactBlock(Event):
    """What a governed reader sees of a block of facts: that it is there, never its bodies.

    It is no event of the catalogue and is stored nowhere: it stands in for the block, so that the
    positions a reader sees stay dense.
    """

    TYPE: ClassVar[str] = "registro.ledger.FactBlock"
    KEYS: ClassVar[tuple[str, ...]] = ("fact_type",)
    fact_type: str
    """Avro full name of the facts."""
    count: int
    """Number of facts."""


class Feed(Protocol):
    """Reads the governed events of a ledger; a block of facts comes as one `FactBlock`."""

    def head(self) -> Position:
        """Return the position of the last record, 0 for an empty ledger."""
        ...

    def read(
        self, *, after: Position = BEFORE_FIRST, through: Position | None = None, limit: int
    ) -> tuple[RecordedEvent, ...]:
        """Return events in order of position.

        Args:
            after: exclusive lower bound; 0 reads from the beginning.
            through: inclusive upper bound; None reads to the head.
            limit: at most so many.
        """
        ...


def read_all(
    feed: Feed, *, after: Position = BEFORE_FIRST, through: Position | None = None
) -> Iterator[RecordedEvent]:
    """Yield the events of a feed, in batches.

    Args:
        feed: where from.
        after: exclusive lower bound; 0 reads from the beginning.
        through: inclusive upper bound; None reads to the head as it is now, and so does a bound
            beyond it.

    Raises:
        PositionGapError: a record is missing; the events before it have been yielded.
    """
    head = feed.head()
    last = head if through is None else min(through, head)
    while after < last:
        batch = feed.read(after=after, through=last, limit=READ_BATCH_EVENTS)
        if not batch:
            raise PositionGapError(after=after, found=last)
        for recorded in batch:
            if recorded.position != after + 1:
                raise PositionGapError(after=after, found=recorded.position)
            yield recorded
            after = recorded.position


def event_id_of(append: AppendPart) -> str:
    """Return the identifier of a governed event: a UUID that derives from append key and part.

    The same import into another ledger gives the same identifiers, so a correction file that
    names the event it supersedes works in both.

    Source: rulings 8; RFC 9562 section 5.8 (version 8, custom).
    """
    key = append.key.encode()
    seed = b"registro/event-id/v1\n" + len(key).to_bytes(4) + key + append.part.to_bytes(4)
    raw = bytearray(hashlib.sha256(seed).digest()[:16])
    raw[6] = (raw[6] & 0x0F) | 0x80
    raw[8] = (raw[8] & 0x3F) | 0x80
    return str(UUID(bytes=bytes(raw)))
