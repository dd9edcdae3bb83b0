"""Read the ledger back from its topics: records in order of position, from Kafka alone.

Invariants:
1. What is restored is bit for bit what was published, or nothing is restored.
2. What cannot be of this ledger, and what stands there twice, is passed over and counted.
3. Two different records for one position are never chosen between: the restore is refused.
4. The end of the topics may be cut where a publisher was stopped: the last append is then left out
   whole.

Left to others: commitments (`ledger.store.store.Store.restore`), meaning (`ledger.verification`).
Source: docs/kafka.md, restore.
"""

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from ledger.errors import StoredEventDecodeError
from ledger.events.ledger import LedgerOpened
from ledger.integrity.commitment import quick_commitment
from ledger.kafka.client.connection import Broker, Partition, Received, partition_of
from ledger.kafka.client.source import Source
from ledger.kafka.errors import MessageFormatError, TopicRestoreError
from ledger.kafka.message import (
    Address,
    Headers,
    Message,
    Origin,
    address_of,
    count_of,
    origin_of,
    record_of,
    rest_headers,
)
from ledger.kafka.tails import BATCH_MESSAGES, is_claimed, partitions_of
from ledger.kafka.topics import Topics
from ledger.records import StoredRecord
from ledger.store.mapper import AvroMapper
from ledger.store.rows import fields_of
from ledger.store.store import Store
from ledger.types import DIGEST_BYTES, Digest, Position

INDEX_DIGITS: Final = 7
"""Decimal digits of the largest index in a block."""
FORGED_MAX: Final = 1000
"""Addresses of forged messages that are kept."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Restored:
    """What a restore did."""

    position: Position
    """Last position restored."""
    origin: Origin
    messages: int
    """Used."""
    foreign: int
    """Passed over: not of this ledger."""
    repeated: int
    """Passed over: there twice."""
    cut: bool
    """The topics went on with messages that give no whole append."""
    forged: tuple[Address, ...] = ()
    """Passed over, and counted as foreign: claimed a place of this ledger where its own message was
    due, and are not as the ledger writes them; at most `FORGED_MAX`."""


class _CutError(Exception):
    """The end gives no whole append: begin again and stop at `position`."""

    def __init__(self, position: int) -> None:
        self.position = position
        super().__init__(position)


def restore(store: Store, broker: Broker, topics: Topics) -> Restored:
    """Create the ledger of a store from its topics.

    Args:
        store: where no ledger is yet.
        broker: where the topics are.
        topics: of the ledger.

    Raises:
        LedgerExistsError: there is a ledger already.
        TopicRestoreError: the topics do not give a ledger.
        StoredEventDecodeError: a record does not give its commitment.
        BrokerError: Kafka does not answer.
    """
    through: int | None = None
    readers: list[TopicRecords] = []
    while True:
        with Source(broker) as source:
            reader = TopicRecords(source, topics, through=through)
            readers.append(reader)
            try:
                done = store.restore(reader.records())
            except _CutError as cut:
                if not cut.position:
                    raise TopicRestoreError(
                        position=1, reason="the first append is not whole"
                    ) from cut
                through = cut.position
                continue
        if reader.origin is None:
            raise TopicRestoreError(position=1, reason="the topics are empty")
        return Restored(
            position=done.last,
            origin=reader.origin,
            messages=reader.messages,
            # One that stops before a cut end has not seen what stands behind it.
            foreign=max(one.foreign for one in readers),
            repeated=max(one.repeated for one in readers),
            cut=reader.cut or through is not None,
            forged=tuple(readers[0].forged),
        )


class TopicRecords:
    """The records of the topics of one ledger, merged by position."""

    def __init__(self, source: Source, topics: Topics, *, through: int | None = None) -> None:
        self._source = source
        self._topics = topics
        self._through = through
        self._mapper = AvroMapper()
        self._counts, self._ends = partitions_of(source, topics)
        self._heads: list[tuple[Address, Partition, int, Message]] = []
        self._left = sum(self._ends.values())
        self._commitments = bytearray()
        self.origin: Origin | None = None
        self.messages = self.foreign = self.repeated = 0
        self.cut = False
        self.forged: list[Address] = []

    def records(self) -> Iterator[StoredRecord]:
        """Yield the records in order of position.

        Raises:
            TopicRestoreError: a message is missing, or two differ for one position.
        """
        self.origin = self._origin()
        if self.origin is None:
            raise TopicRestoreError(position=1, reason="no topic begins with position 1")
        self._source.open(dict.fromkeys(self._ends, 0))
        for place in self._ends:
            self._advance(place)
        whole = last = 0
        for stored in self._merged(self.origin):
            self._check_identity(stored, self.origin)
            yield stored
            last = stored.position
            if stored.record.append.part + 1 == stored.record.append.part_count:
                whole = last
            if last == self._through:
                return
        if whole != last:
            raise _CutError(whole)

    def _origin(self) -> Origin | None:
        """Return the ledger that the events begin with."""
        begins = {place: 0 for place in self._ends if place.topic == self._topics.events}
        self._source.open(begins)
        for place in begins:
            while (received := self._source.take(place)) is not None:
                if received.message is None:
                    continue
                try:
                    if address_of(received.message.headers) == Address(1, 0):
                        return origin_of(received.message.headers)
                except MessageFormatError:
                    continue
        return None

    def _advance(self, place: Partition) -> None:
        """Put the next message of a partition that may be of this ledger in line."""
        while (received := self._source.take(place)) is not None:
            self._left -= 1
            if self._is_ours(received) and received.message is not None:
                address = address_of(received.message.headers)
                heapq.heappush(self._heads, (address, place, received.offset, received.message))
                return
            self.foreign += 1

    def _is_ours(self, received: Received) -> bool:
        if self.origin is None or received.message is None:
            return False
        if not is_claimed(received, self.origin):
            return False
        count = self._counts[received.partition.topic]
        return partition_of(received.message.key, count) == received.partition.number

    def _merged(self, origin: Origin) -> Iterator[StoredRecord]:
        position, parts, wanted = 1, list[Message](), 1
        while self._heads:
            address, place, _, message = heapq.heappop(self._heads)
            expected = Address(position, len(parts))
            if address > expected:
                heapq.heappush(self._heads, (address, place, 0, message))
                self._end_or_refuse(expected)
                return
            self._advance(place)
            if address < expected:
                self._repeat(address, message)
                continue
            if address.index == 0:
                wanted = self._announced(message, origin)
                if not wanted:
                    self.foreign += 1
                    if len(self.forged) < FORGED_MAX:
                        self.forged.append(address)
                    continue
            parts.append(message)
            if address.index == 0 and wanted > 1:
                parts.extend(self._rest(address.position, message, wanted))
            if len(parts) == wanted:
                yield self._record(parts, origin)
                self.messages += wanted
                position, parts, wanted = position + 1, [], 1
        self.cut = bool(parts)

    def _rest(self, position: int, first: Message, count: int) -> list[Message]:
        """Return the messages of a block behind its first one, or none of them.

        A block comes as one run of messages in each partition of its topic. What is otherwise,
        anywhere, is left as it was to be merged message by message.
        """
        heads = [
            one
            for one in self._heads
            if one[0].position == position and one[1].topic == first.topic
        ]
        place_of_ledger = first.headers[0]
        runs = [self._source.run(one[1], place_of_ledger, count) for one in heads]
        wanted = rest_headers(position, dict(first.headers).get("schema_id", b""), count)
        slots: list[Message | None] = [first, *(None,) * (count - 1)]
        fits = sum(map(len, runs)) + len(heads) == count - 1
        for head, run in zip(heads, runs, strict=True):
            _, place, offset, message = head
            fits = fits and self._fill(slots, [Received(place, offset, message), *run], wanted)
        parts = [one for one in slots[1:] if one is not None]
        if not fits or len(parts) != count - 1:
            for head, run in zip(heads, runs, strict=True):
                self._source.put_back(head[1], run)
            return []
        self._heads = [one for one in self._heads if one not in heads]
        heapq.heapify(self._heads)
        self._left -= sum(map(len, runs))
        for head in heads:
            self._advance(head[1])
        return parts

    def _fill(
        self, slots: list[Message | None], run: list[Received], wanted: Sequence[Headers]
    ) -> bool:
        """Put a run of messages in their places; False when one is not what must stand there."""
        partitions = self._counts[run[0].partition.topic]
        for received in run:
            message = received.message
            if message is None:
                return False
            text = message.headers[1][1] if len(message.headers) > 1 else b""
            index = int(text) if text.isdigit() and len(text) <= INDEX_DIGITS else 0
            if (
                not 0 < index < len(slots)
                or slots[index] is not None
                or message.headers != wanted[index]
                or partition_of(message.key, partitions) != received.partition.number
            ):
                return False
            slots[index] = message
        return True

    def _announced(self, message: Message, origin: Origin) -> int:
        """Return the number of messages of a record; 0 for a first message that is forged."""
        try:
            count = count_of(message.headers)
            if count == 1:
                self._record([message], origin)
        except (MessageFormatError, TopicRestoreError):
            return 0
        self._commitments += Digest(dict(message.headers)["commitment"])
        return count

    def _record(self, parts: list[Message], origin: Origin) -> StoredRecord:
        address = address_of(parts[0].headers)
        try:
            stored = record_of(parts, origin=origin, topics=self._topics)
        except MessageFormatError as error:
            raise TopicRestoreError(
                position=address.position, reason=error.facts["reason"]
            ) from error
        fields = fields_of(stored.record, recorded_at=stored.recorded_at, salt=stored.salt)
        if quick_commitment(fields, stored.inner_root) != stored.commitment:
            raise TopicRestoreError(
                position=address.position, reason="the messages do not give its commitment"
            )
        return stored

    def _repeat(self, address: Address, message: Message) -> None:
        self.repeated += 1
        if address.index:
            return
        start = (address.position - 1) * DIGEST_BYTES
        kept = bytes(self._commitments[start : start + DIGEST_BYTES])
        if dict(message.headers).get("commitment") != kept:
            raise TopicRestoreError(
                position=address.position,
                reason="two different records claim it",
            )

    def _end_or_refuse(self, expected: Address) -> None:
        """Tell the end of what was published from a loss: less than one batch can be in flight."""
        if expected in self.forged:
            raise TopicRestoreError(
                position=expected.position,
                reason=f"message {expected} is not as the ledger writes it, and later ones are "
                "there",
            )
        if self._left + len(self._heads) > BATCH_MESSAGES:
            raise TopicRestoreError(
                position=expected.position,
                reason=f"message {expected} is missing, and later ones are there",
            )
        self.cut = True

    def _check_identity(self, stored: StoredRecord, origin: Origin) -> None:
        if stored.record.event_type != LedgerOpened.TYPE:
            return
        try:
            opened = self._mapper.recorded(stored).event
        except StoredEventDecodeError as error:
            raise TopicRestoreError(position=stored.position, reason=str(error)) from error
        if isinstance(opened, LedgerOpened) and (opened.ledger_id, opened.origin) != (
            origin.ledger_id,
            origin.origin,
        ):
            raise TopicRestoreError(
                position=stored.position, reason="its messages name another ledger"
            )
