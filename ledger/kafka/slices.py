"""One range of records out of all partitions of the topics, read by whoever folds it.

What a reader is given are hints where to begin (`ledger.kafka.seams`). It proves what it reads:
that positions are dense over its range and that every event is what its record commits to. A reader
that misses something begins again further in front, at last at the first message of every
partition; what is missing then is missing.

Each reader also looks through a stretch of offsets of its own, so that together they see every
message once: what is foreign or forged, and what other records are claimed. That goes back as a
report, for `ledger.kafka.frozen` to judge.

Invariants:
1. A reader gives its whole range, in order, or an error.
2. A message is counted by one reader, however often it is read.

Source: docs/adr/0017-distributed.md; docs/formats/message.md, section 6.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Final

from ledger.integrity.commitment import seal
from ledger.kafka.client.connection import Broker, Partition
from ledger.kafka.client.fast import is_installed
from ledger.kafka.client.source import Source
from ledger.kafka.errors import TopicRestoreError
from ledger.kafka.merging import Claim, Span, Tally, TopicRecords, Waiting, uncommitted
from ledger.kafka.message import Address, Origin
from ledger.kafka.tails import BATCH_MESSAGES
from ledger.kafka.topics import Topics
from ledger.records import StoredRecord
from ledger.store.rows import fields_of

BACK_MESSAGES: Final = 2 * BATCH_MESSAGES
"""How far a reader goes back first: what a publisher repeats at most, and as much again."""
BACK_GROWS: Final = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class TopicReport:
    """What the reader of a range saw beside its records."""

    after: int
    """Exclusive lower bound of the range."""
    commitments: bytes = field(repr=False)
    """Of the records of the range, one after the other."""
    claims: frozenset[Claim] = field(repr=False)
    """Of messages of other ranges."""
    ours: int
    """Messages of the own stretch that say they are of the ledger."""
    foreign: int
    """The others of the own stretch."""
    beyond: int
    """Messages of the own stretch that lie behind the last whole append."""
    forged: Mapping[tuple[Partition, int], Address]
    """Messages that are not as the ledger writes them, by place."""
    used: int
    """Messages that the records of the range were made of."""
    opened: bool
    """Whether the record that opens the ledger is in the range."""
    whole: bool
    """Whether the range ends with the last record of an append."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TopicSlice:
    """A range of records, and where to look for it; it travels to whoever reads it."""

    broker: Broker = field(repr=False)
    """Not shown, since engines write what they run into their logs."""
    topics: Topics
    origin: Origin
    counts: Mapping[str, int] = field(repr=False)
    """Partitions by topic."""
    ends: Mapping[Partition, int] = field(repr=False)
    """Offset behind the last message that anybody reads."""
    begins: Mapping[Partition, int] = field(repr=False)
    """Where the own stretch begins, and the reader."""
    until: Mapping[Partition, int] = field(repr=False)
    """Where the own stretch ends."""
    after: int
    """Exclusive lower bound."""
    through: int
    """Inclusive upper bound."""
    head: int
    """Last position of all ranges."""

    @contextmanager
    def open(self) -> Iterator["SliceReader"]:
        """Connect to Kafka, as long as the context.

        Raises:
            BrokerError: Kafka does not answer.
        """
        # The one who asked may have a client that is not installed here.
        broker = replace(self.broker, fast=self.broker.fast and is_installed())
        with Source(broker) as source:
            yield SliceReader(self, source)


class SliceReader:
    """Reads one range, once."""

    def __init__(self, wanted: TopicSlice, source: Source) -> None:
        """Prepare.

        Args:
            wanted: the range.
            source: reads the topics.
        """
        self._wanted = wanted
        self._source = source
        self._tally = Tally(
            own={place: (at, wanted.until[place]) for place, at in wanted.begins.items()}
        )
        self._commitments = bytearray()
        self._claims: set[Claim] = set()
        self._used = self._beyond = 0
        self._opened = self._whole = False

    def records(self) -> Iterator[StoredRecord]:
        """Yield the records of the range, each of them checked down to the single event.

        Raises:
            TopicRestoreError: one is missing, is not what it commits to, or two claim a position.
            BrokerError: Kafka does not answer.
        """
        wanted, begins, back = self._wanted, dict(self._wanted.begins), BACK_MESSAGES
        after = wanted.after
        while True:
            merge = self._merge(begins, after)
            try:
                for stored in merge.records():
                    self._note(stored)
                    yield stored
                    after = stored.position
                    if after == wanted.through:
                        break
            except TopicRestoreError:
                # What comes first counts, and it may stand in front of where this began.
                if not any(begins.values()):
                    raise
            self._take_over(merge)
            if after == wanted.through:
                self._look_through(merge)
                return
            if not any(begins.values()):
                raise merge.refusal(merge.gap or Address(after + 1, 0))
            begins = {place: max(at - back, 0) for place, at in begins.items()}
            back *= BACK_GROWS

    def report(self) -> TopicReport:
        """Return what was seen, once all records were read."""
        return TopicReport(
            after=self._wanted.after,
            commitments=bytes(self._commitments),
            claims=frozenset(self._claims),
            ours=self._tally.ours,
            foreign=self._tally.foreign,
            beyond=self._beyond,
            forged=dict(self._tally.forged),
            used=self._used,
            opened=self._opened,
            whole=self._whole,
        )

    def _merge(self, begins: Mapping[Partition, int], after: int) -> TopicRecords:
        wanted = self._wanted
        span = Span(
            origin=wanted.origin,
            counts=wanted.counts,
            begins=begins,
            ends=wanted.ends,
            after=after,
        )
        return TopicRecords(self._source, wanted.topics, span, tally=self._tally)

    def _note(self, stored: StoredRecord) -> None:
        fields = fields_of(stored.record, recorded_at=stored.recorded_at, salt=stored.salt)
        sealed = seal(fields)
        if (sealed.commitment, sealed.inner_root) != (stored.commitment, stored.inner_root):
            raise uncommitted(stored.position)
        self._commitments += stored.commitment
        self._whole = stored.record.append.part + 1 == stored.record.append.part_count

    def _take_over(self, merge: TopicRecords) -> None:
        self._claims |= merge.claims
        self._used += merge.messages
        self._opened = self._opened or merge.opened

    def _look_through(self, merge: TopicRecords) -> None:
        """Look at what is left of the own stretch."""
        for one in merge.rest(self._wanted.until):
            if self._tally.owns(one.place, one.offset):
                self._judge(merge, one)

    def _judge(self, merge: TopicRecords, one: Waiting) -> None:
        if merge.is_forged(one):
            self._tally.forge(one)
        elif one.address.position > self._wanted.head:
            self._beyond += 1
        elif not one.address.index:
            claimed = dict(one.message.headers)["commitment"]
            self._claims.add(Claim(one.address.position, claimed))


def missing(position: int) -> TopicRestoreError:
    """Return the refusal of topics that go on behind a record that is not there."""
    return TopicRestoreError(
        position=position, reason=f"message {position}.0 is missing, and later ones are there"
    )
