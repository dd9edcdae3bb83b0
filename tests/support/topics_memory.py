"""Topics in memory: partitions as lists, read as `ledger.kafka.client.source` reads Kafka."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from ledger.kafka.client.connection import Partition, Received, partition_of
from ledger.kafka.client.source import Source
from ledger.kafka.message import Message, messages_of
from ledger.kafka.tails import Ledger
from ledger.kafka.topics import Topics


@dataclass(kw_only=True, slots=True)
class MemoryTopics:
    """What stands in the partitions of a ledger's topics."""

    topics: Topics
    counts: Mapping[str, int]
    """Partitions by topic."""
    held: dict[Partition, list[Message | None]] = field(default_factory=dict)
    """Messages by partition; None where something else stands, or nothing that is shown."""

    @classmethod
    def of(cls, ledger: Ledger, messages: Iterable[Message], *, partitions: int) -> "MemoryTopics":
        """Return topics that a publisher filled with messages."""
        counts = dict.fromkeys(ledger.topics.all, partitions) | {ledger.topics.events: 1}
        made = cls(topics=ledger.topics, counts=counts)
        for topic, count in counts.items():
            made.held |= {Partition(topic, number): [] for number in range(count)}
        for message in messages:
            made.place(message).append(message)
        return made

    def place(self, message: Message) -> list[Message | None]:
        """Return the partition of a message."""
        number = partition_of(message.key, self.counts[message.topic])
        return self.held[Partition(message.topic, number)]

    def cut(self, messages: Iterable[Message]) -> None:
        """Take messages away that partitions end with."""
        for message in reversed(list(messages)):
            own = self.place(message)
            if own and own[-1] == message:
                own.pop()

    def source(self) -> "MemorySource":
        """Return something that reads them."""
        return MemorySource(self)


class MemorySource(Source):
    """Reads topics in memory."""

    def __init__(self, held: MemoryTopics) -> None:
        self._held = held
        self._at: dict[Partition, int] = {}
        self.read = 0
        """Messages that were taken."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def partitions(self, topic: str) -> tuple[Partition, ...]:
        """Return the partitions of a topic."""
        return tuple(place for place in self._held.held if place.topic == topic)

    def ends(self, partitions: Iterable[Partition]) -> dict[Partition, int]:
        """Return the offset behind the last message of partitions."""
        return {place: len(self._held.held[place]) for place in partitions}

    def open(self, begins: Mapping[Partition, int], **_: Any) -> None:
        """Begin to read partitions at offsets."""
        self._at = dict(begins)

    def peek(self, partition: Partition) -> Received | None:
        """Return the next message without taking it."""
        held, at = self._held.held[partition], self._at[partition]
        return Received(partition, at, held[at]) if at < len(held) else None

    def take(self, partition: Partition) -> Received | None:
        """Return the next message; None at the end."""
        received = self.peek(partition)
        if received is not None:
            self._at[partition] += 1
            self.read += 1
        return received

    def run(self, partition: Partition, first: tuple[str, bytes], limit: int) -> list[Received]:
        """Take the messages that come next and have a given first header."""
        return list(self._run(partition, first, limit))

    def _run(
        self, partition: Partition, first: tuple[str, bytes], limit: int
    ) -> Iterator[Received]:
        for _ in range(limit):
            received = self.peek(partition)
            if received is None or received.message is None:
                return
            if received.message.headers[:1] != (first,):
                return
            self._at[partition] += 1
            yield received

    def put_back(self, partition: Partition, taken: Sequence[Received]) -> None:
        """Undo a `run`."""
        self._at[partition] -= len(taken)


def messages(ledger: Ledger) -> list[Message]:
    """Return every message of a ledger, in order."""
    return [
        message
        for stored in ledger.store.read()
        for message in messages_of(
            stored, origin=ledger.origin, topics=ledger.topics, keys=ledger.keys.of(stored)
        )
    ]
