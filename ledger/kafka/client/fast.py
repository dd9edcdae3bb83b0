"""confluent-kafka behind our own words: the optional quick path for sending much.

`broker` uses it only when a `Broker` says so; topics, offsets and all that is read stay with the
client that is always there. Both paths pass the same tests.

Invariants:
1. What is flushed is confirmed: a message is open until Kafka has it or refuses it; none may be
   open behind a flush, and each that is refused has a report of its own (rule R1).
2. Between two flushes a partition gets at most one batch, as with the other client.
3. What waits in a producer that is closed is not sent.
4. No call waits without a limit, and every failure is a `FastClientError`.

Source: docs/adr/0014-kafka.md, the optional client.
"""

import contextlib
import importlib.util
from collections.abc import Sequence
from typing import Any, Final

from ledger.kafka.client.security import Security
from ledger.kafka.message import Message

LINGER_MILLISECONDS: Final = 30_000
"""Longer than it takes to make a batch: only a flush sends it (invariant 2)."""
BATCH_MESSAGES_MAX: Final = 100_000
"""More than are ever handed over between two flushes."""
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
                # A report for each message that is refused; those that are confirmed are counted.
                "delivery.report.only.error": True,
                "on_delivery": self._reported,
            },
            error_cb=self._noted,
        )
        self._refused = ""
        self._last_error = ""

    def send_all(self, messages: Sequence[tuple[Message, int]]) -> None:
        """Hand messages over, each with the number of its partition.

        Raises:
            FastClientError: one is not taken.
        """
        produce = self._client.produce
        try:
            for (topic, key, value, headers), number in messages:
                produce(topic, value, key, number, headers=list(headers))
        except self._failures as error:
            raise FastClientError(_said(error)) from error
        except BufferError as error:
            raise FastClientError(str(error)) from error

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
                headers=list(headers),
            )
        except self._failures as error:
            raise FastClientError(_said(error)) from error
        except BufferError as error:
            raise FastClientError(str(error)) from error

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
        if left:
            reason = f"{left} messages not confirmed in {seconds:g} s"
            raise FastClientError(f"{reason}: {self._last_error}" if self._last_error else reason)

    def close(self) -> None:
        """Drop what waits, let go of the connections."""
        # What is in flight stays in flight a little: its report may still come.
        for in_flight in (False, True):
            with contextlib.suppress(*self._failures):
                self._client.purge(in_queue=True, in_flight=in_flight, blocking=True)
                if len(self._client):
                    self._client.flush(CLOSE_SECONDS)

    def _reported(self, error: Any, _: object) -> None:
        if error is not None and not self._refused:
            self._refused = _said(error)

    def _noted(self, error: Any) -> None:
        self._last_error = _said(error)
