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

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from ledger.kafka.client.clients import client_of
from ledger.kafka.client.connection import (
    CLOSE_SECONDS,
    MILLISECONDS,
    SHOW_SECONDS,
    Broker,
    Partition,
    Received,
)
from ledger.kafka.client.fast import FastReader
from ledger.kafka.errors import BrokerError
from ledger.kafka.message import Message

POLL_MILLISECONDS: Final = 200
FETCH_MILLISECONDS: Final = 10
"""How long the broker waits for more: what is read is there already."""
FETCH_BYTES: Final = 64 * 2**10
"""Fetched of a partition at once, compressed; a single batch comes whole even if it is longer."""
FAST_MESSAGES: Final = 2_000
"""From this many messages on the optional client reads a partition."""
FAST_READERS_MAX: Final = 16
"""Partitions that it reads at once, the longest ones; each has threads and memory of its own."""
BUFFERED_MAX: Final = 100_000
"""More messages than one fetch gives: all of it is taken."""


class Source:
    """Reads partitions from given offsets up to their present ends."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        with broker.asked():
            self._client: Any = client_of(
                KafkaConsumer,
                **broker.shared,
                metrics_enabled=False,
                group_id=None,
                enable_auto_commit=False,
                auto_offset_reset="none",
                isolation_level="read_committed",
                allow_auto_create_topics=False,
                check_crcs=True,
                fetch_max_wait_ms=FETCH_MILLISECONDS,
                enable_incremental_fetch_sessions=False,
                max_poll_records=BUFFERED_MAX,
                max_partition_fetch_bytes=FETCH_BYTES,
            )
        self._buffers: dict[Partition, deque[Received]] = {}
        self._ends: dict[Partition, int] = {}
        self._next: dict[Partition, int] = {}
        """Offset to fetch next, by partition."""
        self._fast: dict[Partition, FastReader | None] = {}
        """Partitions that the optional client reads; None until it has begun."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connections."""
        self._leave_fast()
        with contextlib.suppress(KafkaError):
            self._client.close(timeout_ms=round(CLOSE_SECONDS * MILLISECONDS))

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
        self._leave_fast()
        if self._broker.fast:
            left = {place: self._ends[place] - at for place, at in begins.items()}
            longest = sorted(left, key=left.__getitem__, reverse=True)[:FAST_READERS_MAX]
            self._fast = {place: None for place in longest if left[place] >= FAST_MESSAGES}

    def _leave_fast(self) -> None:
        readers, self._fast = self._fast, {}
        for reader in readers.values():
            if reader is not None:
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
        while len(found) < limit and self.peek(partition) is not None:
            while buffer and len(found) < limit:
                message = buffer[0].message
                if message is None or message.headers[:1] != (first,):
                    return found
                found.append(buffer.popleft())
        return found

    def put_back(self, partition: Partition, taken: Sequence[Received]) -> None:
        """Undo a `run`: these messages come next again."""
        self._buffers[partition].extendleft(reversed(taken))

    def _fill_fast(self, partition: Partition) -> None:
        """Take what the optional client has of a partition, at least one message or its end."""
        buffer, last = self._buffers[partition], self._ends[partition]
        until = time.monotonic() + self._broker.wait_seconds
        with self._broker.asked():
            reader = self._reader(partition)
            while not buffer and self._next[partition] < last:
                if time.monotonic() > until:
                    raise self._nothing_came(partition)
                for offset, one in reader.poll():
                    self._next[partition] = offset if one is None else offset + 1
                    if one is not None and offset < last:
                        buffer.append(
                            _read(partition, offset, one.key(), one.value(), one.headers())
                        )

    def _reader(self, partition: Partition) -> FastReader:
        reader = self._fast[partition]
        if reader is None:
            reader = self._fast[partition] = FastReader(
                self._broker.servers,
                self._broker.security,
                topic=partition.topic,
                partition=partition.number,
                begin=self._next[partition],
            )
        return reader

    def _nothing_came(self, partition: Partition) -> BrokerError:
        return BrokerError(
            servers=self._broker.servers,
            reason=f"nothing came from {partition.topic}/{partition.number} in "
            f"{self._broker.wait_seconds:g} s",
        )

    def _fill(self, partition: Partition) -> None:
        """Fetch some messages of one partition.

        One partition at a time: a client that is told to pause partitions can lose sight of what it
        had fetched of them (docs/adr/0014-kafka.md, client rules).
        """
        place, last = TopicPartition(*partition), self._ends[partition]
        if self._next[partition] >= last:
            return
        if partition in self._fast:
            self._fill_fast(partition)
            return
        until = time.monotonic() + self._broker.wait_seconds
        buffer = self._buffers[partition]
        with self._broker.asked():
            self._client.assign([place])
            self._client.seek(place, self._next[partition])
            while not buffer and self._next[partition] < last:
                if time.monotonic() > until:
                    raise self._nothing_came(partition)
                found = self._client.poll(timeout_ms=POLL_MILLISECONDS)
                records = found.get(place, ())
                buffer.extend(_received(partition, one) for one in records if one.offset < last)
                # Beyond the last record there may be marks of transactions.
                self._next[partition] = int(self._client.position(place, timeout_ms=1))


def _received(partition: Partition, record: Any) -> Received:
    return _read(partition, record.offset, record.key, record.value, record.headers)


def _read(
    place: Partition,
    offset: int,
    key: bytes | None,
    value: bytes | None,
    headers: Sequence[tuple[str, Any]] | None,
) -> Received:
    if key is None or value is None:
        return Received(place, offset, None)
    found = tuple(headers or ())
    for _, text in found:
        # Kafka has them, whatever the client's types say.
        if text is None:
            return Received(place, offset, None)
    return Received(place, offset, Message(place.topic, key, value, found))
