"""Reading partitions from given offsets up to their present ends, whichever client does it.

Invariants:
1. No call waits without a limit, and every failure is a `BrokerError`.
2. What is read comes in the order of its offsets, none left out and none twice.
3. Topics are never created by reading from them.

Source: docs/adr/0014-kafka.md, client rules; docs/kafka.md.
"""

import contextlib
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, Self

from kafka import TopicPartition

from ledger.kafka.client.collector import seldom_collected
from ledger.kafka.client.connection import (
    MILLISECONDS,
    SHOW_SECONDS,
    Broker,
    Partition,
    Received,
)
from ledger.kafka.client.reader import Reader
from ledger.kafka.client.records import Raw
from ledger.kafka.errors import BrokerError
from ledger.kafka.message import Message

LONG_MESSAGES: Final = 20_000
"""From this many messages on a partition has a reader of its own."""
READERS_MAX: Final = 16
"""Of these, the longest partitions; each has a thread, a connection and what it asked for ahead."""


class Source:
    """Reads partitions from given offsets up to their present ends."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        with broker.asked():
            self._reader = Reader(broker)
        self._client: Any = self._reader.client
        self._buffers: dict[Partition, deque[Received]] = {}
        self._ends: dict[Partition, int] = {}
        self._next: dict[Partition, int] = {}
        """Offset to fetch next, by partition."""
        self._own: dict[Partition, Reader] = {}
        """Partitions that have a reader of their own."""
        self._seldom = contextlib.ExitStack()

    def __enter__(self) -> Self:
        self._seldom.enter_context(seldom_collected())
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connections."""
        self._seldom.close()
        self._leave_own()
        self._reader.close()

    def partitions(self, topic: str) -> tuple[Partition, ...]:
        """Return the partitions of a topic, in order; empty when there is no such topic."""
        with self._broker.asked():
            found = self._client.partitions_for_topic(topic) or ()
        return tuple(Partition(topic, number) for number in sorted(found))

    def starts(self, partitions: Iterable[Partition]) -> dict[Partition, int]:
        """Return the first offset of partitions that is still there."""
        return self._offsets(self._client.beginning_offsets, partitions)

    def ends(self, partitions: Iterable[Partition]) -> dict[Partition, int]:
        """Return the offset behind the last message of partitions."""
        return self._offsets(self._client.end_offsets, partitions)

    def _offsets(
        self, ask: Callable[..., Any], partitions: Iterable[Partition]
    ) -> dict[Partition, int]:
        wait = round(self._broker.wait_seconds * MILLISECONDS)
        places = [TopicPartition(*one) for one in partitions]
        until = time.monotonic() + self._broker.wait_seconds
        while True:
            try:
                with self._broker.asked():
                    found = ask(places, timeout_ms=wait)
            except KeyError as error:
                # The client stumbles so over a partition that has no leader yet.
                if time.monotonic() > until:
                    raise BrokerError(
                        servers=self._broker.servers, reason=f"no leader for {error}"
                    ) from error
                time.sleep(SHOW_SECONDS)
            else:
                return {Partition(p.topic, p.partition): offset for p, offset in found.items()}

    def open(self, begins: Mapping[Partition, int]) -> None:
        """Begin to read partitions at offsets; each ends where it ends now."""
        self._ends = self.ends(begins) if begins else {}
        self._next = dict(begins)
        self._buffers = {partition: deque() for partition in begins}
        self._leave_own()
        left = {place: self._ends[place] - at for place, at in begins.items()}
        longest = sorted(left, key=left.__getitem__, reverse=True)[:READERS_MAX]
        with self._broker.asked():
            for place in longest:
                if left[place] >= LONG_MESSAGES:
                    reader = self._own[place] = Reader(self._broker)
                    reader.go(place, begins[place])

    def _leave_own(self) -> None:
        readers, self._own = self._own, {}
        for reader in readers.values():
            reader.close()

    def peek(self, partition: Partition) -> Received | None:
        """Return the next message of a partition without taking it; None at its end.

        Raises:
            BrokerError: nothing came in time.
        """
        buffer = self._buffers[partition]
        if not buffer:
            self._fill(partition)
        return buffer[0] if buffer else None

    def take(self, partition: Partition) -> Received | None:
        """Return the next message of a partition; None at its end.

        Raises:
            BrokerError: nothing came in time.
        """
        if self.peek(partition) is None:
            return None
        return self._buffers[partition].popleft()

    def run(self, partition: Partition, first: tuple[str, bytes], limit: int) -> list[Received]:
        """Take the messages of a partition that come next and have a given first header.

        Args:
            partition: one that is open.
            first: header with its value.
            limit: no more than these.

        Raises:
            BrokerError: nothing came in time.
        """
        found: list[Received] = []
        buffer = self._buffers[partition]
        add, leave = found.append, buffer.popleft
        while len(found) < limit and self.peek(partition) is not None:
            while buffer and len(found) < limit:
                received = buffer[0]
                message = received[2]
                if message is None or not message[3] or message[3][0] != first:
                    return found
                add(received)
                leave()
        return found

    def put_back(self, partition: Partition, taken: Sequence[Received]) -> None:
        """Undo a `run`: these messages come next again."""
        self._buffers[partition].extendleft(reversed(taken))

    def _nothing_came(self, partition: Partition) -> BrokerError:
        return BrokerError(
            servers=self._broker.servers,
            reason=f"nothing came from {partition.topic}/{partition.number} in "
            f"{self._broker.wait_seconds:g} s",
        )

    def _fill(self, partition: Partition) -> None:
        """Fetch some messages of one partition.

        One partition at a time: a client that is told to pause partitions can lose sight of what it
        had fetched of them (docs/adr/0014-kafka.md, client rules). So a long one has a client of
        its own, which asks ahead.
        """
        last, buffer = self._ends[partition], self._buffers[partition]
        if self._next[partition] >= last:
            return
        own = partition in self._own
        until = time.monotonic() + self._broker.wait_seconds
        with self._broker.asked():
            reader = self._sent_to(partition)
            while not buffer and self._next[partition] < last:
                if time.monotonic() > until:
                    raise self._nothing_came(partition)
                buffer.extend(_received(partition, reader.poll(ahead=own), last))
                # Beyond the last record there may be marks of transactions.
                self._next[partition] = reader.position()

    def _sent_to(self, partition: Partition) -> Reader:
        """Return the reader that stands where a partition goes on."""
        if partition not in self._own:
            self._reader.go(partition, self._next[partition])
            return self._reader
        return self._own[partition]


def _received(place: Partition, records: Iterable[Raw], last: int) -> list[Received]:
    """Return records of a partition that stand before an offset."""
    topic, make = place.topic, tuple.__new__
    return [
        make(
            Received,
            (
                place,
                offset,
                # Kafka has keys, values and headers that are null; a ledger has not.
                None
                if key is None or value is None or null
                else make(Message, (topic, key, value, headers)),
            ),
        )
        for offset, _, key, value, headers, null in records
        if offset < last
    ]
