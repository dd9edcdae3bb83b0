"""Compare the topics with the ledger, message by message: are they an identical prefix of it?

Invariants:
1. Every message of every topic is read and every one is judged; nothing stops at the first finding.
2. Topics are clean when each partition holds what the ledger says, in order, from its first message
   on; what is not published yet is no finding, what was confirmed and is gone is one.
3. An identical message that stands there twice is reported and harmless: every reader skips it.

Source: docs/kafka.md, check; rulings 25.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from ledger.kafka.client.connection import Broker, Partition, Received, partition_of
from ledger.kafka.client.source import Source
from ledger.kafka.errors import MessageFormatError
from ledger.kafka.message import Address, Message, address_of, messages_of
from ledger.kafka.tails import Ledger, is_claimed, partitions_of
from ledger.types import BEFORE_FIRST, Position

Kind = Literal["foreign", "missing", "reordered", "altered", "repeated"]
HARMLESS: Final = frozenset({"repeated"})
FINDINGS_MAX: Final = 1000
"""Findings of one kind that are kept; all are counted."""
READ_RECORDS: Final = 64
KEPT_RECORDS: Final = 8
"""Records whose messages are kept for messages that stand out of turn."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One message that is not what it should be."""

    kind: Kind
    topic: str
    partition: int
    offset: int | None
    """Where it stands; None for one that is missing."""
    address: str
    """Position and index, as far as it has any."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TopicsChecked:
    """The outcome of a check."""

    findings: tuple[Finding, ...]
    counts: Mapping[str, int]
    """Findings by kind, also those beyond `FINDINGS_MAX`."""
    messages: int
    """Messages that are what they should be."""
    position: Position
    """Every record up to here is on Kafka as far as it is not missing above."""
    head: Position
    """Of the ledger when the check began."""

    @property
    def clean(self) -> bool:
        """Whether nothing was found, or only what is harmless."""
        return not set(self.counts) - HARMLESS


def check_topics(ledger: Ledger, broker: Broker) -> TopicsChecked:
    """Check every message.

    Raises:
        BrokerError: Kafka does not answer.
    """
    with Source(broker) as source:
        return _Checker(source, ledger).run()


@dataclass(slots=True)
class _State:
    """What is carried along."""

    findings: list[Finding] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    missing: dict[tuple[Partition, Address], None] = field(default_factory=dict)
    absent: dict[Partition, Address] = field(default_factory=dict)
    """First message that a partition does not hold yet."""
    genuine: dict[Partition, int] = field(default_factory=dict)
    """Offset of a message that is ahead of its turn and was found to be true."""
    furthest: int = 0
    messages: int = 0


class _Checker:
    def __init__(self, source: Source, ledger: Ledger) -> None:
        self._source = source
        self._ledger = ledger
        self._state = _State()
        self._kept: dict[int, tuple[Message, ...]] = {}
        self._head = ledger.store.head()
        self._partitions, self._ends = partitions_of(source, ledger.topics)

    def run(self) -> TopicsChecked:
        self._source.open(dict.fromkeys(self._ends, 0))
        after = BEFORE_FIRST
        while after < self._head and any(self._source.peek(place) for place in self._ends):
            records = self._ledger.store.read(after=after, through=self._head, limit=READ_RECORDS)
            if not records:
                break
            for stored in records:
                messages = messages_of(
                    stored,
                    origin=self._ledger.origin,
                    topics=self._ledger.topics,
                    keys=self._ledger.keys.of(stored),
                )
                for index, message in enumerate(messages):
                    self._expect(Address(stored.position, index), message)
                after = stored.position
        for place in self._ends:
            while (received := self._source.take(place)) is not None:
                self._judge_late(received)
        return self._outcome(after)

    def _expect(self, address: Address, message: Message) -> None:
        count = self._partitions[message.topic]
        state = self._state
        if not count:
            state.absent.setdefault(Partition(message.topic, 0), address)
            return
        place = Partition(message.topic, partition_of(message.key, count))
        while (received := self._source.peek(place)) is not None:
            if received.message == message:
                self._source.take(place)
                state.messages += 1
                state.furthest = address.position
                return
            claimed = self._claimed(received)
            if claimed is not None and claimed > address and self._is_genuine(received, claimed):
                state.missing[place, address] = None
                return
            self._source.take(place)
            if claimed == address:
                self._found("altered", received, str(address))
                return
            self._judge(received, claimed)
        state.absent.setdefault(place, address)

    def _claimed(self, received: Received) -> Address | None:
        if received.message is None or not is_claimed(received, self._ledger.origin):
            return None
        try:
            return address_of(received.message.headers)
        except MessageFormatError:
            return None

    def _is_genuine(self, received: Received, claimed: Address) -> bool:
        """Tell whether a message is the ledger's, at its address and in its partition."""
        place, message = received.partition, received.message
        if self._state.genuine.get(place) == received.offset:
            return True
        if message is None:
            return False
        expected = self._written(claimed.position)
        true = (
            claimed.index < len(expected)
            and expected[claimed.index] == message
            and partition_of(message.key, self._partitions[place.topic]) == place.number
        )
        if true:
            self._state.genuine[place] = received.offset
        return true

    def _written(self, position: int) -> tuple[Message, ...]:
        """Return the messages of a record; what stands twice comes a whole block at a time."""
        if position not in self._kept:
            while len(self._kept) >= KEPT_RECORDS:
                del self._kept[next(iter(self._kept))]
            self._kept[position] = self._ledger.messages_at(position)
        return self._kept[position]

    def _judge(self, received: Received, claimed: Address | None) -> None:
        """Report a message whose turn it is not."""
        if claimed is None or not self._is_genuine(received, claimed):
            self._found("foreign", received, "" if claimed is None else str(claimed))
        elif (received.partition, claimed) in self._state.missing:
            del self._state.missing[received.partition, claimed]
            self._found("reordered", received, str(claimed))
        else:
            self._found("repeated", received, str(claimed))

    def _judge_late(self, received: Received) -> None:
        """Report a message behind the last one that was expected."""
        claimed = self._claimed(received)
        if (
            claimed is not None
            and claimed.position > self._head
            and self._is_genuine(received, claimed)
        ):
            # Appended and published while the check was running.
            return
        self._judge(received, claimed)

    def _found(self, kind: Kind, received: Received, address: str) -> None:
        self._add(
            Finding(
                kind=kind,
                topic=received.partition.topic,
                partition=received.partition.number,
                offset=received.offset,
                address=address,
            )
        )

    def _add(self, finding: Finding) -> None:
        self._state.counts[finding.kind] += 1
        if self._state.counts[finding.kind] <= FINDINGS_MAX:
            self._state.findings.append(finding)

    def _outcome(self, after: Position) -> TopicsChecked:
        state = self._state
        confirmed = self._ledger.confirmed_before(state.furthest)
        lost = {
            (place, address): None
            for place, address in state.absent.items()
            if address.position <= confirmed
        }
        for place, address in (*state.missing, *lost):
            self._add(
                Finding(
                    kind="missing",
                    topic=place.topic,
                    partition=place.number,
                    offset=None,
                    address=str(address),
                )
            )
        first = min((one.position for one in state.absent.values()), default=after + 1)
        return TopicsChecked(
            findings=tuple(state.findings),
            counts=dict(state.counts),
            messages=state.messages,
            position=Position(first - 1),
            head=self._head,
        )
