"""kafka-python behind our own words: the only module that imports it.

Invariants:
1. No call waits without a limit, and every failure is a `BrokerError`.
2. What is flushed is confirmed: the future of every message is asked (rule R1), and its offset is
   not believed (an acknowledgement that was lost comes back as offset -1).
3. Between two flushes a partition gets at most one batch of messages, which Kafka appends whole or
   not at all: after any failure a partition holds a prefix of what was sent to it.
4. Topics are never created by writing to them or reading from them.

Source: docs/adr/0014-kafka.md, client rules; docs/kafka.md.
"""

import contextlib
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, NamedTuple, Self

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import KafkaError
from kafka.partitioner.default import murmur2

from ledger.kafka.errors import BrokerError
from ledger.kafka.message import Message
from ledger.kafka.topics import FRAME_BYTES, MESSAGE_BYTES_MAX

WAIT_SECONDS: Final = 10.0
"""How long one request may take."""
LINGER_SECONDS: Final = 30.0
"""Longer than it takes to make a batch: only a flush sends it (invariant 3)."""
CLOSE_SECONDS: Final = 2.0
SHOW_SECONDS: Final = 0.05
"""How often is looked whether a changed setting shows."""
POLL_MILLISECONDS: Final = 200
FETCH_MILLISECONDS: Final = 10
"""How long the broker waits for more: what is read is there already."""
FETCH_BYTES: Final = 64 * 2**10
"""Fetched of a partition at once, compressed; a single batch comes whole even if it is longer."""
BUFFERED_MAX: Final = 100_000
"""More messages than one fetch gives: all of it is taken."""
_MILLISECONDS: Final = 1000
_POSITIVE: Final = 0x7FFFFFFF


class Partition(NamedTuple):
    """One partition of a topic."""

    topic: str
    number: int
    """0-based."""


@dataclass(frozen=True, slots=True)
class Received:
    """What stands at an offset."""

    partition: Partition
    offset: int
    message: Message | None
    """None when it has no value, no key or a null header: no message of a ledger."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TopicState:
    """How a topic is set up."""

    partitions: int
    replicas: int
    """Copies of each partition; the least of all."""
    settings: Mapping[str, str]
    log_starts: tuple[int, ...]
    """First offset that is still there, by partition."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Broker:
    """Where Kafka is and how long to wait for it."""

    servers: str
    """`host:port`, several with commas."""
    wait_seconds: float = WAIT_SECONDS

    @property
    def shared(self) -> dict[str, Any]:
        """What every client is told."""
        wait = round(self.wait_seconds * _MILLISECONDS)
        return {
            "bootstrap_servers": self.servers.split(","),
            "bootstrap_timeout_ms": wait,
            "request_timeout_ms": wait,
            "reconnect_backoff_max_ms": _MILLISECONDS,
        }

    @contextlib.contextmanager
    def asked(self) -> Iterator[None]:
        """Turn the client's errors into ours, keeping the cause."""
        try:
            yield
        except KafkaError as error:
            raise BrokerError(servers=self.servers, reason=_reason(error)) from error
        except (OSError, ValueError) as error:
            # A server name that is none; a record that the client cannot decode.
            raise BrokerError(servers=self.servers, reason=str(error)) from error


def _reason(error: KafkaError) -> str:
    # Some of the client's errors begin with their own name, some do not.
    name, text = type(error).__name__, str(error)
    return text if name in text else f"{name}: {text}".rstrip(": ")


@lru_cache(maxsize=65_536)
def partition_of(key: bytes, count: int) -> int:
    """Return the partition of a key: murmur2, as the Java client does it.

    Args:
        key: of the message.
        count: partitions of the topic, at least 1.
    """
    return (int(murmur2(key)) & _POSITIVE) % count


class Admin:
    """Asks and sets up topics."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        with broker.asked():
            self._client: Any = KafkaAdminClient(**broker.shared)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(KafkaError):
            self._client.close()

    def version(self) -> tuple[int, ...]:
        """Return the release of the broker as far as its protocol tells, for example (4, 3)."""
        with self._broker.asked():
            cluster = self._client.describe_cluster()
            found = [
                tuple(self._client.get_broker_version_data(one["broker_id"]).broker_version)
                for one in cluster["brokers"]
            ]
        return min(found)

    def states(self, topics: Sequence[str]) -> dict[str, TopicState]:
        """Return how topics are set up; those that are not there are absent."""
        with self._broker.asked():
            described = [t for t in self._client.describe_topics(list(topics)) if t["partitions"]]
            names = [topic["name"] for topic in described]
            if not names:
                return {}
            resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
            configs = self._client.describe_configs(resources, config_filter="all")["topic"]
        starts = self._log_starts({t["name"]: len(t["partitions"]) for t in described})
        return {
            topic["name"]: TopicState(
                partitions=len(topic["partitions"]),
                replicas=min(len(one["replica_nodes"]) for one in topic["partitions"]),
                settings={
                    name: str(entry["value"]) for name, entry in configs[topic["name"]].items()
                },
                log_starts=starts[topic["name"]],
            )
            for topic in described
        }

    def _log_starts(self, counts: Mapping[str, int]) -> dict[str, tuple[int, ...]]:
        partitions = [
            Partition(t, number) for t, count in counts.items() for number in range(count)
        ]
        with Source(self._broker) as source:
            starts = source.starts(partitions)
        return {
            topic: tuple(starts[Partition(topic, number)] for number in range(count))
            for topic, count in counts.items()
        }

    def create(
        self, topics: Mapping[str, int], *, replicas: int, settings: Mapping[str, str]
    ) -> None:
        """Create topics.

        Args:
            topics: number of partitions by name.
            replicas: copies of each partition.
            settings: of every topic.
        """
        wanted = {
            name: {"num_partitions": count, "replication_factor": replicas, "configs": settings}
            for name, count in topics.items()
        }
        with self._broker.asked():
            self._client.create_topics(wanted, wait_for_metadata=True)

    def alter(self, topic: str, settings: Mapping[str, str]) -> None:
        """Change settings of a topic and wait until the broker shows them; the others stay."""
        with self._broker.asked():
            answer = self._client.alter_configs(
                [ConfigResource(ConfigResourceType.TOPIC, topic, configs=dict(settings))]
            )
        told = answer["topic"][topic]
        if told != "OK":
            raise BrokerError(servers=self._broker.servers, reason=str(told))
        until = time.monotonic() + self._broker.wait_seconds
        while not settings.items() <= self.states([topic])[topic].settings.items():
            if time.monotonic() > until:
                raise BrokerError(
                    servers=self._broker.servers, reason=f"{topic} does not show its new settings"
                )
            time.sleep(SHOW_SECONDS)

    def delete(self, topics: Sequence[str]) -> None:
        """Delete topics with all they hold."""
        with self._broker.asked():
            self._client.delete_topics(list(topics))


class Sink:
    """Writes messages: idempotent, acknowledged by all replicas in sync."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        wait = round(broker.wait_seconds * _MILLISECONDS)
        linger = round(LINGER_SECONDS * _MILLISECONDS)
        with broker.asked():
            self._client: Any = KafkaProducer(
                **broker.shared,
                metrics_enabled=False,
                acks="all",
                enable_idempotence=True,
                allow_auto_create_topics=False,
                linger_ms=linger,
                delivery_timeout_ms=linger + 2 * wait,
                max_block_ms=wait,
                batch_size=MESSAGE_BYTES_MAX,
                max_request_size=MESSAGE_BYTES_MAX + FRAME_BYTES,
                compression_type="zstd",
            )
        self._futures: list[Any] = []

    def send(self, message: Message, partition: int) -> None:
        """Hand a message to the client; only `flush` tells whether Kafka has it."""
        with self._broker.asked():
            self._futures.append(
                self._client.send(
                    message.topic,
                    value=message.value,
                    key=message.key,
                    headers=list(message.headers),
                    partition=partition,
                )
            )

    def flush(self, *, seconds: float) -> None:
        """Wait until Kafka has confirmed every message that was handed over.

        Raises:
            BrokerError: one of them was not confirmed in time; what Kafka has must be read there.
        """
        futures, self._futures = self._futures, []
        until = time.monotonic() + seconds
        with self._broker.asked():
            self._client.flush(timeout=seconds)
            for future in futures:
                future.get(timeout=max(until - time.monotonic(), 0.001))

    def close(self) -> None:
        """Give up what was not confirmed and let go of the connections."""
        # What close() still sends is found by reading the tails before anything else is sent.
        with contextlib.suppress(KafkaError):
            self._client.close(timeout=CLOSE_SECONDS)


class Source:
    """Reads partitions from given offsets up to their present ends."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        with broker.asked():
            self._client: Any = KafkaConsumer(
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

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connections."""
        with contextlib.suppress(KafkaError):
            self._client.close(timeout_ms=round(CLOSE_SECONDS * _MILLISECONDS))

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
        wait = round(self._broker.wait_seconds * _MILLISECONDS)
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

    def _fill(self, partition: Partition) -> None:
        """Fetch some messages of one partition.

        One partition at a time: a client that is told to pause partitions can lose sight of what it
        had fetched of them (docs/adr/0014-kafka.md, client rules).
        """
        place, last = TopicPartition(*partition), self._ends[partition]
        if self._next[partition] >= last:
            return
        until = time.monotonic() + self._broker.wait_seconds
        buffer = self._buffers[partition]
        with self._broker.asked():
            self._client.assign([place])
            self._client.seek(place, self._next[partition])
            while not buffer and self._next[partition] < last:
                if time.monotonic() > until:
                    raise BrokerError(
                        servers=self._broker.servers,
                        reason=f"nothing came from {partition.topic}/{partition.number} in "
                        f"{self._broker.wait_seconds:g} s",
                    )
                found = self._client.poll(timeout_ms=POLL_MILLISECONDS)
                records = found.get(place, ())
                buffer.extend(_received(partition, one) for one in records if one.offset < last)
                # Beyond the last record there may be marks of transactions.
                self._next[partition] = int(self._client.position(place, timeout_ms=1))


def _received(partition: Partition, record: Any) -> Received:
    key, value, headers = record.key, record.value, record.headers
    message = None
    if key is not None and value is not None and all(pair[1] is not None for pair in headers):
        message = Message(partition.topic, key, value, tuple(headers))
    return Received(partition, record.offset, message)
