"""kafka-python behind our own words; `ledger.kafka.client.member` does the same for groups.

The optional client of `fast` takes its place for sending, where a `Broker` says so.

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
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final, Self

from kafka import KafkaAdminClient, KafkaProducer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, OffsetSpec
from kafka.errors import KafkaError

from ledger.kafka.client.access import access_error
from ledger.kafka.client.clients import client_of
from ledger.kafka.client.connection import (
    CLOSE_SECONDS,
    MILLISECONDS,
    SHOW_SECONDS,
    Broker,
    Partition,
)
from ledger.kafka.client.fast import FastProducer
from ledger.kafka.client.source import Source
from ledger.kafka.errors import BrokerError
from ledger.kafka.message import Message
from ledger.kafka.topics import FRAME_BYTES, MESSAGE_BYTES_MAX

_DEBUGGING: Final = -2
"""Number of the replica that asks: one that stands outside and is answered like a replica."""
LINGER_SECONDS: Final = 30.0
"""Longer than it takes to make a batch: only a flush sends it (invariant 3)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TopicState:
    """How a topic is set up."""

    partitions: int
    replicas: int
    """Copies of each partition; the least of all."""
    settings: Mapping[str, str]
    log_starts: tuple[int, ...]
    """First offset that is still there, by partition."""


class _AdminClient(KafkaAdminClient):  # type: ignore[misc] # kafka-python is untyped
    """Asks a leader for the end of its log as its replicas do, not as consumers do."""

    @staticmethod
    def _list_partition_offsets_request(*asked: Any) -> Any:
        request = KafkaAdminClient._list_partition_offsets_request(*asked)  # noqa: SLF001 - nothing public asks so
        request.replica_id = _DEBUGGING
        return request


class Admin:
    """Asks and sets up topics."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        with broker.asked():
            self._client: Any = client_of(_AdminClient, **broker.shared)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(KafkaError):
            self._client.close()

    def version(self) -> tuple[int, ...]:
        """Return the oldest release among the brokers that answer, for example (4, 3).

        Only as far as their protocol tells.
        """
        found: list[tuple[int, ...]] = []
        with self._broker.asked():
            missed: KafkaError | None = None
            for one in self._client.describe_cluster()["brokers"]:
                try:
                    data = self._client.get_broker_version_data(one["broker_id"])
                except KafkaError as error:
                    # One of several brokers may be down: the others do its work meanwhile.
                    missed = error
                else:
                    found.append(tuple(data.broker_version))
            if missed is not None and not found:
                raise missed
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

    def identities(self, topics: Sequence[str]) -> dict[str, str]:
        """Return what a topic is known by that is made anew with it, as 32 hexadecimal digits.

        Those that are not there are absent.
        """
        with self._broker.asked():
            described = self._client.describe_topics(list(topics))
        return {
            topic["name"]: str(topic["topic_id"]).replace("-", "")
            for topic in described
            if topic["partitions"]
        }

    def log_ends(self, topics: Sequence[str]) -> dict[Partition, int]:
        """Return where the log of each partition ends at its leader.

        That is behind the end which readers are told (`Source.ends`) as long as too few replicas
        have the last messages.
        """
        with self._broker.asked():
            described = self._client.describe_topics(list(topics))
            places = [
                TopicPartition(topic["name"], one["partition_index"])
                for topic in described
                for one in topic["partitions"]
            ]
            found = self._client.list_partition_offsets(
                dict.fromkeys(places, OffsetSpec.LATEST),
                timeout_ms=round(self._broker.wait_seconds * MILLISECONDS),
            )
        return {Partition(place.topic, place.partition): one.offset for place, one in found.items()}

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
            refused = access_error(self._broker.servers, self._broker.security, str(told))
            raise refused or BrokerError(servers=self._broker.servers, reason=str(told))
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
        self._client: Any = None
        self._fast: FastProducer | None = None
        with broker.asked():
            if broker.fast:
                self._fast = FastProducer(
                    broker.servers,
                    broker.security,
                    wait_seconds=broker.wait_seconds,
                    bytes_max=MESSAGE_BYTES_MAX,
                )
            else:
                self._client = self._plain(broker)
        self._futures: list[Any] = []
        self._flusher = ThreadPoolExecutor(max_workers=1)
        """Waits for Kafka while the next messages are made."""
        self._flushing: Future[None] | None = None

    @staticmethod
    def _plain(broker: Broker) -> KafkaProducer:
        wait = round(broker.wait_seconds * MILLISECONDS)
        linger = round(LINGER_SECONDS * MILLISECONDS)
        return client_of(
            KafkaProducer,
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

    def begin(self, messages: Sequence[tuple[Message, int]], *, seconds: float) -> None:
        """Send messages with their partitions and return at once; `await_confirmed` tells the end.

        Nothing else may be handed over until then.

        Args:
            messages: in order, each with the number of its partition.
            seconds: within which Kafka must have confirmed them.
        """
        with self._broker.asked():
            if self._fast is not None:
                self._fast.send_all(messages)
            else:
                send = self._client.send
                self._futures = [
                    send(
                        one.topic,
                        value=one.value,
                        key=one.key,
                        headers=list(one.headers),
                        partition=number,
                    )
                    for one, number in messages
                ]
        self._flushing = self._flusher.submit(self.flush, seconds=seconds)

    def await_confirmed(self) -> None:
        """Wait until Kafka has confirmed what `begin` was given.

        Raises:
            BrokerError: one of them was not confirmed in time; what Kafka has must be read there.
        """
        flushing, self._flushing = self._flushing, None
        if flushing is not None:
            flushing.result()

    def send(self, message: Message, partition: int) -> None:
        """Hand a message to the client; only `flush` tells whether Kafka has it."""
        place = Partition(message.topic, partition)
        self.send_raw(place, message.key, message.value, message.headers)

    def send_raw(
        self,
        place: Partition,
        key: bytes | None,
        value: bytes | None,
        headers: Sequence[tuple[str, bytes]],
    ) -> None:
        """Hand over what need not be a ledger's message; key or value may be absent, not both."""
        with self._broker.asked():
            if self._fast is not None:
                self._fast.send(place.topic, place.number, key, value, headers)
                return
            self._futures.append(
                self._client.send(
                    place.topic,
                    value=value,
                    key=key,
                    headers=list(headers),
                    partition=place.number,
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
            if self._fast is not None:
                self._fast.flush(seconds)
                return
            self._client.flush(timeout=seconds)
            for future in futures:
                future.get(timeout=max(until - time.monotonic(), 0.001))

    def close(self) -> None:
        """Give up what was not confirmed and let go of the connections.

        Nothing that still waits here is sent any more: its sender may have lost the publisher's
        lock. What is on its way already is found by reading the tails, or stands there twice.
        """
        if self._fast is not None:
            self._fast.close()
            self._flusher.shutdown()
            return
        # The client's own close() sends what waits, and leaves its thread running, to send later,
        # when that takes too long.
        sender: Any = self._client._sender  # noqa: SLF001 - nothing public stops it at once
        sender.force_close()
        sender.join(CLOSE_SECONDS)
        with contextlib.suppress(KafkaError):
            self._client.close(timeout=CLOSE_SECONDS)
        self._flusher.shutdown()
