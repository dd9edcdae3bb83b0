"""Merge the partitions of the topics by address: records in order of position, from any place on.

Invariants:
1. Records come dense behind the position that is named; where the next one is not whole, the merge
   ends and says where (`gap`). Nothing behind a gap is given out.
2. What cannot be of this ledger, and what stands there twice, is passed over and counted; each
   message once, however often it is read.
3. Two different records for one position are never chosen between: that is refused.

Left to others: where to begin (`ledger.kafka.seams`), what a gap means, and every event's own hash.
Source: docs/formats/message.md, section 6; docs/kafka.md, restore.
"""

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from ledger.errors import StoredEventDecodeError
from ledger.events.ledger import LedgerOpened
from ledger.integrity.commitment import quick_commitment
from ledger.kafka.client.connection import Partition, Received, partition_of
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
from ledger.types import DIGEST_BYTES, Digest

INDEX_DIGITS: Final = 7
"""Decimal digits of the largest index in a block."""
FORGED_MAX: Final = 1000
"""Addresses of forged messages that are kept."""


class Claim(NamedTuple):
    """What the first message of a record says that the record commits to."""

    position: int
    commitment: bytes


class Waiting(NamedTuple):
    """A message of the ledger that was read and not used yet; they are ordered by address."""

    address: Address
    place: Partition
    offset: int
    message: Message


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """What of the topics is read."""

    origin: Origin
    counts: Mapping[str, int]
    """Partitions by topic."""
    begins: Mapping[Partition, int]
    """First offset that is read."""
    ends: Mapping[Partition, int]
    """Offset behind the last one that is read."""
    after: int = 0
    """Position in front of the first record."""


@dataclass(kw_only=True, slots=True)
class Tally:
    """Counts messages by their offsets: only those of an own stretch, and each of them once."""

    own: Mapping[Partition, tuple[int, int]]
    """First offset that is counted, and the one behind the last."""
    ours: int = 0
    """Messages that say they are of this ledger."""
    foreign: int = 0
    """All others."""
    forged: dict[tuple[Partition, int], Address] = field(default_factory=dict)
    """Messages that stood where one of the ledger was due and are not as it writes them, by place;
    also of other stretches, and at most `FORGED_MAX`."""
    _seen: dict[Partition, int] = field(default_factory=dict)
    """Offset behind the last one that was counted."""

    def owns(self, place: Partition, offset: int) -> bool:
        """Tell whether an offset is in the own stretch."""
        first, end = self.own[place]
        return first <= offset < end

    def add(self, place: Partition, offset: int, *, ours: bool) -> None:
        """Count a message that was read."""
        if not self.owns(place, offset) or offset < self._seen.get(place, 0):
            return
        self._seen[place] = offset + 1
        if ours:
            self.ours += 1
        else:
            self.foreign += 1

    def add_run(self, run: Sequence[Received]) -> None:
        """Count messages of one partition that came one after the other, all of them ours."""
        if not run:
            return
        place, first, last = run[0].partition, run[0].offset, run[-1].offset
        if self.owns(place, first) and self.owns(place, last) and first >= self._seen.get(place, 0):
            self.ours += len(run)
            self._seen[place] = last + 1
            return
        for one in run:
            self.add(place, one.offset, ours=True)

    def forge(self, one: Waiting) -> None:
        """Note a message that is not as the ledger writes it."""
        if len(self.forged) < FORGED_MAX:
            self.forged[one.place, one.offset] = one.address


def whole_span(source: Source, topics: Topics) -> Span:
    """Return everything that the topics hold now.

    Raises:
        TopicRestoreError: they do not begin with a ledger.
        BrokerError: Kafka does not answer.
    """
    counts, ends = partitions_of(source, topics)
    origin = origin_of_events(source, [place for place in ends if place.topic == topics.events])
    if origin is None:
        raise TopicRestoreError(position=1, reason="no topic begins with position 1")
    return Span(origin=origin, counts=counts, begins=dict.fromkeys(ends, 0), ends=ends)


def origin_of_events(source: Source, places: Sequence[Partition]) -> Origin | None:
    """Return the ledger that the topic of governed events begins with; None where none begins.

    Args:
        source: reads the topics.
        places: partitions of that topic.

    Raises:
        BrokerError: Kafka does not answer.
    """
    source.open(dict.fromkeys(places, 0))
    for place in places:
        while (received := source.take(place)) is not None:
            if received.message is None:
                continue
            try:
                if address_of(received.message.headers) == Address(1, 0):
                    return origin_of(received.message.headers)
            except MessageFormatError:
                continue
    return None


class TopicRecords:
    """The records of the topics of one ledger, merged by position."""

    def __init__(
        self, source: Source, topics: Topics, span: Span, *, tally: Tally | None = None
    ) -> None:
        """Prepare; nothing is read yet.

        Args:
            source: reads the topics; nobody else may use it meanwhile.
            topics: of the ledger.
            span: what is read.
            tally: counts; one of its own unless given.
        """
        self._source = source
        self._topics = topics
        self._span = span
        self._mapper = AvroMapper()
        self._heads: list[Waiting] = []
        self._unread = sum(max(span.ends[p] - at, 0) for p, at in span.begins.items())
        self._commitments = bytearray()
        self._forged: set[Address] = set()
        own = {place: (at, span.ends[place]) for place, at in span.begins.items()}
        self.tally = Tally(own=own) if tally is None else tally
        self.claims: set[Claim] = set()
        """Of records at or before `Span.after`, which cannot be compared here."""
        self.messages = self.repeated = 0
        self.opened = False
        """Whether a record came that opens this ledger."""
        self.gap: Address | None = None
        """Where the merge ended while there were messages left; None while it goes on."""

    def records(self) -> Iterator[StoredRecord]:
        """Yield the records in order of position, up to the end or a gap.

        Raises:
            TopicRestoreError: the messages of a record do not give it, or two records differ.
        """
        self._source.open(dict(self._span.begins))
        for place in self._span.begins:
            self._advance(place)
        for stored in self._merged():
            self._check_identity(stored)
            yield stored

    @property
    def left(self) -> int:
        """Messages that were not used, of whomever."""
        return self._unread + len(self._heads)

    def refusal(self, gap: Address) -> TopicRestoreError:
        """Return why there is no whole record at a gap."""
        reason = f"message {gap} is missing, and later ones are there"
        if gap in self._forged:
            reason = f"message {gap} is not as the ledger writes it, and later ones are there"
        return TopicRestoreError(position=gap.position, reason=reason)

    def require_end(self, gap: Address) -> None:
        """Tell the end of what was published from a loss: less than one batch can be in flight.

        Raises:
            TopicRestoreError: it is a loss, or damage.
        """
        if gap in self._forged or self.left > BATCH_MESSAGES:
            raise self.refusal(gap)

    def rest(self, until: Mapping[Partition, int]) -> Iterator[Waiting]:
        """Yield the messages of the ledger that were not used, each partition up to an offset.

        Args:
            until: offset behind the last one, by partition.
        """
        heads, self._heads = self._heads, []
        for one in heads:
            place = one.place
            while one.offset < until[place]:
                yield one
                self._advance(place)
                if not self._heads:
                    break
                one = self._heads.pop()  # noqa: PLW2901 - the next one of this partition

    def is_forged(self, one: Waiting) -> bool:
        """Tell whether a first message is not as the ledger writes it, as far as it shows alone."""
        return not one.address.index and not self._announced(one.message)

    def _advance(self, place: Partition) -> None:
        """Put the next message of a partition that may be of this ledger in line."""
        while (received := self._source.take(place)) is not None:
            if received.offset >= self._span.ends[place]:
                return
            self._unread -= 1
            ours = self._is_ours(received)
            self.tally.add(place, received.offset, ours=ours)
            if ours and received.message is not None:
                address = address_of(received.message.headers)
                waiting = Waiting(address, place, received.offset, received.message)
                heapq.heappush(self._heads, waiting)
                return

    def _is_ours(self, received: Received) -> bool:
        return is_ours(received, self._span.origin, self._span.counts)

    def _merged(self) -> Iterator[StoredRecord]:
        position, parts, wanted = self._span.after + 1, list[Message](), 1
        while self._heads:
            head = heapq.heappop(self._heads)
            expected = Address(position, len(parts))
            if head.address > expected:
                heapq.heappush(self._heads, head)
                self.gap = expected
                return
            if head.address < expected:
                self._advance(head.place)
                self._repeat(head.address, head.message)
                continue
            self._advance(head.place)
            if head.address.index == 0:
                wanted = self._announced(head.message)
                if not wanted:
                    self._forged.add(head.address)
                    self.tally.forge(head)
                    continue
                self._commitments += Digest(dict(head.message.headers)["commitment"])
            parts.append(head.message)
            if head.address.index == 0 and wanted > 1:
                parts.extend(self._rest(position, head.message, wanted))
            if len(parts) == wanted:
                stored = self._record(parts)
                self.messages += wanted
                yield stored
                position, parts, wanted = position + 1, [], 1
        if parts:
            self.gap = Address(position, len(parts))

    def _rest(self, position: int, first: Message, count: int) -> list[Message]:
        """Return the messages of a block behind its first one, or none of them.

        A block comes as one run of messages in each partition of its topic. What is otherwise,
        anywhere, is left as it was to be merged message by message.
        """
        heads = [
            one
            for one in self._heads
            if one.address.position == position and one.place.topic == first.topic
        ]
        place_of_ledger = first.headers[0]
        runs = [self._source.run(one.place, place_of_ledger, count) for one in heads]
        wanted = rest_headers(position, dict(first.headers).get("schema_id", b""), count)
        slots: list[Message | None] = [first, *(None,) * (count - 1)]
        fits = sum(map(len, runs)) + len(heads) == count - 1
        for head, run in zip(heads, runs, strict=True):
            fits = fits and self._fill(
                slots, [Received(head.place, head.offset, head.message), *run], wanted
            )
        parts = [one for one in slots[1:] if one is not None]
        if not fits or len(parts) != count - 1:
            for head, run in zip(heads, runs, strict=True):
                self._source.put_back(head.place, run)
            return []
        self._heads = [one for one in self._heads if one not in heads]
        heapq.heapify(self._heads)
        for run in runs:
            self._unread -= len(run)
            self.tally.add_run(run)
        for head in heads:
            self._advance(head.place)
        return parts

    def _fill(
        self, slots: list[Message | None], run: list[Received], wanted: Sequence[Headers]
    ) -> bool:
        """Put a run of messages in their places; False when one is not what must stand there."""
        place = run[0].partition
        partitions = self._span.counts[place.topic]
        if run[-1].offset >= self._span.ends[place]:
            return False
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
                or partition_of(message.key, partitions) != place.number
            ):
                return False
            slots[index] = message
        return True

    def _announced(self, message: Message) -> int:
        """Return the number of messages of a record; 0 for a first message that is forged."""
        try:
            count = count_of(message.headers)
            if count == 1:
                self._record([message])
        except (MessageFormatError, TopicRestoreError):
            return 0
        return count if "commitment" in dict(message.headers) else 0

    def _record(self, parts: list[Message]) -> StoredRecord:
        address = address_of(parts[0].headers)
        try:
            stored = record_of(parts, origin=self._span.origin, topics=self._topics)
        except MessageFormatError as error:
            raise TopicRestoreError(
                position=address.position, reason=error.facts["reason"]
            ) from error
        fields = fields_of(stored.record, recorded_at=stored.recorded_at, salt=stored.salt)
        if quick_commitment(fields, stored.inner_root) != stored.commitment:
            raise uncommitted(address.position)
        return stored

    def _repeat(self, address: Address, message: Message) -> None:
        self.repeated += 1
        if address.index:
            return
        claimed = dict(message.headers).get("commitment", b"")
        start = (address.position - self._span.after - 1) * DIGEST_BYTES
        if start < 0:
            self.claims.add(Claim(address.position, claimed))
        elif claimed != self._commitments[start : start + DIGEST_BYTES]:
            raise contradicted(address.position)

    def _check_identity(self, stored: StoredRecord) -> None:
        if stored.record.event_type != LedgerOpened.TYPE:
            return
        origin = self._span.origin
        try:
            opened = self._mapper.recorded(stored).event
        except StoredEventDecodeError as error:
            raise TopicRestoreError(position=stored.position, reason=str(error)) from error
        if not isinstance(opened, LedgerOpened):
            return
        if (opened.ledger_id, opened.origin) != (origin.ledger_id, origin.origin):
            raise TopicRestoreError(
                position=stored.position, reason="its messages name another ledger"
            )
        self.opened = True


def is_ours(received: Received, origin: Origin, counts: Mapping[str, int]) -> bool:
    """Tell whether a message may be of a ledger: it says so, and stands in its key's partition.

    Args:
        received: from a partition of its topics.
        origin: of the ledger.
        counts: partitions by topic.
    """
    if received.message is None or not is_claimed(received, origin):
        return False
    number = partition_of(received.message.key, counts[received.partition.topic])
    return number == received.partition.number


def uncommitted(position: int) -> TopicRestoreError:
    """Return the refusal of a record whose content is not what it commits to."""
    return TopicRestoreError(position=position, reason="the messages do not give its commitment")


def contradicted(position: int) -> TopicRestoreError:
    """Return the refusal of two records for one position."""
    return TopicRestoreError(position=position, reason="two different records claim it")
