"""The ledger in its topics, up to the last whole append: its head, its ranges, and the last word.

The one who asks reads little: the ends of the partitions to find the head, and a few messages where
ranges are cut (`ledger.kafka.seams`). Records are read where they are folded
(`ledger.kafka.slices`).

Invariants:
1. The head is the one that a restore would find (`ledger.kafka.restore`); where the ends of the
   partitions leave a doubt, everything is read here to be sure.
2. Nothing is judged sound before every range was read and every message was seen by somebody.

Source: docs/adr/0017-distributed.md; docs/kafka.md, reading from the topics.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from ledger.kafka.client.connection import Broker, Partition
from ledger.kafka.client.source import Source
from ledger.kafka.errors import TopicRestoreError
from ledger.kafka.merging import Span, TopicRecords, contradicted, is_ours, whole_span
from ledger.kafka.message import Origin, address_of
from ledger.kafka.restore import Restored
from ledger.kafka.seams import Looks, cut
from ledger.kafka.slices import TopicReport, TopicSlice, missing
from ledger.kafka.tails import BATCH_MESSAGES
from ledger.kafka.topics import Topics
from ledger.types import DIGEST_BYTES, Position

SLICE_MESSAGES: Final = 100_000
"""Fewest messages in a range, about: to find and begin one costs as much as to read 10,000."""
LOOK_MESSAGES: Final = 16
"""Read at one look."""
FURTHER: Final = (1, 4, 16)
"""How far from the ends the head is looked for, in what can be on its way at once."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _End:
    """Where a merge up to the ends of the partitions came to."""

    last: int
    """Last record that is there; 0 when none came."""
    head: int
    """Last one of a whole append."""
    clean: bool
    """Whether nothing was left behind it."""
    messages: int
    """Read in the records that are there, and left behind them."""


@dataclass(kw_only=True, slots=True)
class FrozenTopics:
    """The topics of one ledger as they were when they were looked at."""

    broker: Broker = field(repr=False)
    topics: Topics
    span: Span = field(repr=False)
    """Everything that stood there."""
    head: Position
    """Last record of the last whole append."""
    cut: bool
    """Whether messages were seen behind it."""
    slice_messages: int = SLICE_MESSAGES
    restored: Restored | None = field(default=None, init=False)
    """What was read; known after `judge`."""

    shared = True

    @property
    def origin(self) -> Origin:
        """Ledger of the topics."""
        return self.span.origin

    def slices(self, count: int) -> Sequence[TopicSlice]:
        """Return ranges of about as many messages that cover 1 to the head, in order.

        Args:
            count: how many are wanted; there are fewer when they would be too small.

        Raises:
            BrokerError: Kafka does not answer.
        """
        span = self.span
        most = max(sum(span.ends.values()) // self.slice_messages, 1)
        with Source(replace(self.broker, fast=False)) as source:
            looks = Sight(source=source, span=span).looks()
            seams = cut(looks, head=self.head, parts=min(count, most))
        stops = [*((seam.after, seam.begins) for seam in seams[1:]), (self.head, span.ends)]
        return [
            TopicSlice(
                broker=self.broker,
                topics=self.topics,
                origin=span.origin,
                counts=span.counts,
                ends=span.ends,
                begins=seam.begins,
                until=until,
                after=seam.after,
                through=through,
                head=self.head,
            )
            for seam, (through, until) in zip(seams, stops, strict=True)
        ]

    def judge(self, reports: Sequence[object]) -> None:
        """Judge what the readers of all ranges saw together.

        Args:
            reports: of the slices, in order.

        Raises:
            TopicRestoreError: the topics do not give this ledger, or hold what no publisher of it
                wrote in place of its own.
        """
        seen = [one for one in reports if isinstance(one, TopicReport)]
        commitments = b"".join(one.commitments for one in seen)
        if len(commitments) != self.head * DIGEST_BYTES or not seen:
            raise missing(len(commitments) // DIGEST_BYTES + 1)
        for claim in sorted({claim for one in seen for claim in one.claims}):
            start = (claim.position - 1) * DIGEST_BYTES
            if claim.commitment != commitments[start : start + DIGEST_BYTES]:
                raise contradicted(claim.position)
        beyond = sum(one.beyond for one in seen)
        if beyond and not self.cut:
            # More is there twice at the end than a publisher repeats: it hid what is behind.
            raise TopicRestoreError(
                position=self.head + 1, reason="the last messages of the topics are not the latest"
            )
        if not seen[-1].whole:
            raise missing(self.head + 1)
        if not any(one.opened for one in seen):
            raise TopicRestoreError(
                position=self.head + 1, reason="the topics end before the ledger is opened"
            )
        self.restored = self._restored(seen, beyond)
        self.restored.require_sound()

    def _restored(self, seen: Sequence[TopicReport], beyond: int) -> Restored:
        # One place may have been met by two: by the one who needed it, and by its owner.
        forged = {place: address for one in seen for place, address in one.forged.items()}
        used = sum(one.used for one in seen)
        return Restored(
            position=self.head,
            origin=self.origin,
            messages=used,
            foreign=sum(one.foreign for one in seen) + len(forged),
            repeated=sum(one.ours for one in seen) - len(forged) - used - beyond,
            cut=beyond > 0,
            forged=tuple(forged.values()),
        )


def freeze(broker: Broker, topics: Topics, *, slice_messages: int = SLICE_MESSAGES) -> FrozenTopics:
    """Look at the topics of a ledger and find its head.

    Args:
        broker: where they are.
        topics: their names.
        slice_messages: fewest messages of a range that is cut from them.

    Raises:
        TopicRestoreError: they do not give a ledger.
        BrokerError: Kafka does not answer.
    """
    with Source(replace(broker, fast=False)) as source:
        span = whole_span(source, topics)
        end = _end(source, topics, span)
    if end is None:
        with Source(broker) as source:
            end = _read_to_end(source, topics, span)
    if not end.head:
        raise TopicRestoreError(position=1, reason="the first append is not whole")
    return FrozenTopics(
        broker=broker,
        topics=topics,
        span=span,
        head=Position(end.head),
        cut=not end.clean or end.head < end.last,
        slice_messages=slice_messages,
    )


def _end(source: Source, topics: Topics, span: Span) -> _End | None:
    """Return the end of the ledger as the partitions show it; None when they leave a doubt."""
    looks = Sight(source=source, span=span).looks()
    before: _End | None = None
    for times in FURTHER:
        many = times * BATCH_MESSAGES
        seen = (looks.at(place, end - many) for place, end in span.ends.items() if end > many)
        # So many messages lie behind the place with the latest position, and few elsewhere.
        after = max((position or 0 for position in seen), default=0)
        begins = {
            place: looks.begin_near_end(place, after, least=many) if after else 0
            for place in span.ends
        }
        try:
            end = _read_to_end(source, topics, replace(span, begins=begins, after=after))
        except TopicRestoreError:
            # What comes first counts, and it may stand in front of where this began.
            return None
        if after and end.messages < BATCH_MESSAGES:
            # What was sent together with the last message may be missing in front of this.
            continue
        # Two readings from different places agree about a cut end; one alone may have missed
        # what stands in front of it.
        if end.last and (end.clean or (before is not None and before.last == end.last)):
            return end
        before = end
        if not after:
            break
    return None


def _read_to_end(source: Source, topics: Topics, span: Span) -> _End:
    """Merge up to the ends of the partitions.

    Args:
        source: reads the topics.
        topics: of the ledger.
        span: where to begin.

    Raises:
        TopicRestoreError: a record is not what it commits to, two differ, or one is lost.
    """
    merge = TopicRecords(source, topics, span)
    last = head = 0
    for stored in merge.records():
        part = stored.record.append
        last = stored.position
        head = last if part.part + 1 == part.part_count else last - part.part - 1
    if merge.gap is not None:
        merge.require_end(merge.gap)
    left = 0 if merge.gap is None else merge.left
    return _End(
        last=last,
        head=max(head, 0),
        clean=merge.gap is None,
        messages=merge.messages + left,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Sight:
    """Looks at single places of partitions."""

    source: Source
    span: Span

    def looks(self) -> Looks:
        """Return what may be seen."""
        return Looks(look=self._look, ends=self.span.ends)

    def _look(self, place: Partition, offset: int) -> int | None:
        self.source.open({place: offset})
        largest: int | None = None
        for _ in range(LOOK_MESSAGES):
            received = self.source.take(place)
            if received is None or received.offset >= self.span.ends[place]:
                break
            if received.message is None or not is_ours(
                received, self.span.origin, self.span.counts
            ):
                continue
            position = address_of(received.message.headers).position
            largest = position if largest is None else max(largest, position)
        return largest
