"""confluent-kafka behind our own words: the optional quick path for sending and reading much.

`broker` uses it for bulk only, and only when a `Broker` says so; topics, offsets and everything
small stay with the client that is always there. Both paths pass the same tests.

Invariants:
1. What is flushed is confirmed: every message has its own report, and each is asked (rule R1).
2. Between two flushes a partition gets at most one batch, as with the other client.
3. What waits in a producer that is closed is not sent.
4. No call waits without a limit, and every failure is a `FastClientError`.

Source: docs/adr/0014-kafka.md, the optional client.
"""

import contextlib
import importlib.util
from collections.abc import Iterator, Sequence
from typing import Any, Final

from ledger.kafka.client.security import Security

LINGER_MILLISECONDS: Final = 30_000
"""Longer than it takes to make a batch: only a flush sends it (invariant 2)."""
BATCH_MESSAGES_MAX: Final = 100_000
"""More than are ever handed over between two flushes."""
POLL_MESSAGES: Final = 10_000
POLL_SECONDS: Final = 0.2
FETCH_MILLISECONDS: Final = 10
FETCH_BYTES: Final = 2**20
QUEUED_KILOBYTES: Final = 16 * 2**10
"""Fetched ahead of a partition, at most."""
CLOSE_SECONDS: Final = 2.0
RECONNECT_MILLISECONDS: Final = 1000
_MILLISECONDS: Final = 1000


class FastClientError(Exception):
    """The client failed; the text names its error as the other client would."""


def is_installed() -> bool:
    """Tell whether the extra `fast-kafka` is there."""
    return importlib.util.find_spec("confluent_kafka") is not None


def _shared(servers: str, security: Security) -> dict[str, Any]:
    options: dict[str, Any] = {
        "bootstrap.servers": servers,
        "security.protocol": security.protocol,
        "reconnect.backoff.max.ms": RECONNECT_MILLISECONDS,
        "log_level": 0,
    }
    if security.encrypted and security.authority is not None:
        options["ssl.ca.location"] = str(security.authority)
    if security.named:
        options |= {
            "sasl.mechanism": security.mechanism,
            "sasl.username": security.user,
            "sasl.password": security.password,
        }
    return options


def _said(error: Any) -> str:
    """Return an error as text, its name as the other client spells it, as in `TimedOutError`."""
    if isinstance(error, SystemError):
        return f"SystemError: {error}"
    if isinstance(error, Exception) and not hasattr(error, "name"):
        error = error.args[0]
    name = "".join(word.capitalize() for word in str(error.name()).strip("_").split("_"))
    return f"{name}Error: {error.str()}"


class FastProducer:
    """Sends messages: idempotent, acknowledged by all replicas in sync."""

    def __init__(
        self, servers: str, security: Security, *, wait_seconds: float, bytes_max: int
    ) -> None:
        """Connect in the background.

        Args:
            servers: `host:port`, several with commas.
            security: of the connection.
            wait_seconds: how long a request may take.
            bytes_max: of one batch.
        """
        from confluent_kafka import (  # noqa: PLC0415 - an optional extra
            KafkaError,
            KafkaException,
            Producer,
        )

        wait = round(wait_seconds * _MILLISECONDS)
        # The client raises the second when it has given up for good, and in 2.16 sometimes fails to
        # raise it, which the interpreter reports as the third.
        self._failures: Any = (KafkaException, KafkaError, SystemError)
        self._client: Any = Producer(
            {
                **_shared(servers, security),
                "acks": "all",
                "enable.idempotence": True,
                "compression.type": "zstd",
                "linger.ms": LINGER_MILLISECONDS,
                "request.timeout.ms": wait,
                "delivery.timeout.ms": LINGER_MILLISECONDS + 2 * wait,
                "batch.num.messages": BATCH_MESSAGES_MAX,
                "queue.buffering.max.messages": 2 * BATCH_MESSAGES_MAX,
                "batch.size": bytes_max,
                "message.max.bytes": bytes_max,
            },
            error_cb=self._noted,
        )
        self._open = 0
        self._refused = ""
        self._last_error = ""

    def send(
        self,
        topic: str,
        partition: int,
        key: bytes | None,
        value: bytes | None,
        headers: Sequence[tuple[str, bytes]],
    ) -> None:
        """Hand a message over.

        Raises:
            FastClientError: it is not taken.
        """
        try:
            self._client.produce(
                topic,
                value=value,
                key=key,
                partition=partition,
                on_delivery=self._reported,
                headers=list(headers),
            )
        except self._failures as error:
            raise FastClientError(_said(error)) from error
        except BufferError as error:
            raise FastClientError(str(error)) from error
        self._open += 1

    def flush(self, seconds: float) -> None:
        """Wait until every message is confirmed.

        Raises:
            FastClientError: one is not.
        """
        try:
            left = self._client.flush(seconds)
        except self._failures as error:
            raise FastClientError(_said(error)) from error
        if self._refused:
            raise FastClientError(self._refused)
        if left or self._open:
            reason = f"{self._open} messages not confirmed in {seconds:g} s"
            raise FastClientError(f"{reason}: {self._last_error}" if self._last_error else reason)

    def close(self) -> None:
        """Drop what waits, let go of the connections."""
        # What is in flight stays in flight a little: its report may still come.
        for in_flight in (False, True):
            with contextlib.suppress(*self._failures):
                self._client.purge(in_queue=True, in_flight=in_flight, blocking=True)
                if self._open:
                    self._client.flush(CLOSE_SECONDS)

    def _reported(self, error: Any, _: object) -> None:
        self._open -= 1
        if error is not None and not self._refused:
            self._refused = _said(error)

    def _noted(self, error: Any) -> None:
        self._last_error = _said(error)


class FastReader:
    """Reads one partition from an offset on; what is fetched ahead is bounded."""

    def __init__(
        self, servers: str, security: Security, *, topic: str, partition: int, begin: int
    ) -> None:
        """Connect in the background and begin to fetch.

        Args:
            servers: `host:port`, several with commas.
            security: of the connection.
            topic: must exist.
            partition: of the topic.
            begin: first offset wanted.
        """
        from confluent_kafka import Consumer, KafkaError, TopicPartition  # noqa: PLC0415 - see above

        self._end: int = KafkaError._PARTITION_EOF  # noqa: SLF001 - the library's public name of it
        self._fleeting: frozenset[int] = frozenset(
            {KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN, KafkaError._RESOLVE}  # noqa: SLF001 - as above
        )
        self._client: Any = Consumer(
            {
                **_shared(servers, security),
                # Needed to construct, used for nothing: no group is joined, nothing is committed.
                "group.id": "registro",
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "auto.offset.reset": "error",
                "allow.auto.create.topics": False,
                "isolation.level": "read_committed",
                "check.crcs": True,
                "enable.partition.eof": True,
                "fetch.wait.max.ms": FETCH_MILLISECONDS,
                "fetch.message.max.bytes": FETCH_BYTES,
                "queued.max.messages.kbytes": QUEUED_KILOBYTES,
            }
        )
        self._client.assign([TopicPartition(topic, partition, begin)])

    def poll(self) -> Iterator[tuple[int, Any]]:
        """Yield offset and message of what came; the message is None at the end.

        At the end the offset is the one behind the last message, whatever marks of transactions
        stand before it.

        Raises:
            FastClientError: the client failed.
        """
        first = self._client.poll(POLL_SECONDS)
        if first is None:
            return
        for one in (first, *self._client.consume(POLL_MESSAGES, 0)):
            error = one.error()
            if error is None:
                yield one.offset(), one
            elif error.code() == self._end:
                yield one.offset(), None
            elif error.code() not in self._fleeting:
                raise FastClientError(_said(error))

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()
