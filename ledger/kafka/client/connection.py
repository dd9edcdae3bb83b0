"""Where Kafka is, how its failures are told, and what stands in its partitions.

Source: docs/adr/0014-kafka.md, client rules.
"""

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, NamedTuple

from kafka.errors import KafkaError, KafkaTimeoutError
from kafka.partitioner.default import murmur2

from ledger.kafka.client.access import access_error, unreached
from ledger.kafka.client.fast import FastClientError
from ledger.kafka.client.security import OPEN, Security
from ledger.kafka.errors import BrokerError
from ledger.kafka.message import Message

WAIT_SECONDS: Final = 10.0
"""How long one request may take."""
CLOSE_SECONDS: Final = 2.0
SHOW_SECONDS: Final = 0.05
"""How often is looked whether something that changes shows."""
MILLISECONDS: Final = 1000
"""Of a second."""
_POSITIVE: Final = 0x7FFFFFFF
REASON_CHARACTERS: Final = 300
"""Longest reason that is told; one line."""
_REQUEST: Final = re.compile(r"Request '.*", re.DOTALL)
"""The client repeats a refused request, and the whole answer behind it."""
_ANSWERED: Final = re.compile(r"error_message=(?:'([^']+)'|\"([^\"]+)\")")
"""What the broker says in such an answer."""
_NO_SERVER: Final = "Unable to bootstrap"
"""How the client begins to say that none of the servers could be asked."""


class Partition(NamedTuple):
    """One partition of a topic."""

    topic: str
    number: int
    """0-based."""


class Received(NamedTuple):
    """What stands at an offset."""

    partition: Partition
    offset: int
    message: Message | None
    """None when it has no value, no key or a null header: no message of a ledger."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Broker:
    """Where Kafka is and how long to wait for it."""

    servers: str
    """`host:port`, several with commas."""
    wait_seconds: float = WAIT_SECONDS
    security: Security = OPEN
    fast: bool = False
    """Whether messages are sent with the client of `fast`."""

    @property
    def shared(self) -> dict[str, Any]:
        """What every client is told."""
        wait = round(self.wait_seconds * MILLISECONDS)
        return {
            "bootstrap_servers": self.servers.split(","),
            "bootstrap_timeout_ms": wait,
            "request_timeout_ms": wait,
            "reconnect_backoff_max_ms": MILLISECONDS,
            **self.security.options,
        }

    @contextlib.contextmanager
    def asked(self) -> Iterator[None]:
        """Turn the client's errors into ours, keeping the cause."""
        try:
            yield
        except KafkaError as error:
            raise self._error(error) from error
        except FastClientError as error:
            refused = access_error(self.servers, self.security, str(error))
            raise refused or BrokerError(servers=self.servers, reason=brief(str(error))) from error
        except (OSError, ValueError) as error:
            # A server name that is none; a record that the client cannot decode.
            raise BrokerError(servers=self.servers, reason=brief(str(error))) from error

    def _error(self, error: KafkaError) -> BrokerError:
        reason = _reason(error)
        refused = access_error(self.servers, self.security, f"{type(error).__name__}: {reason}")
        if refused is not None:
            return refused
        if isinstance(error, KafkaTimeoutError) and _NO_SERVER in reason:
            return unreached(self.servers, self.security, reason)
        return BrokerError(servers=self.servers, reason=reason)


def _reason(error: KafkaError) -> str:
    # Some of the client's errors begin with their own name, some do not.
    name, text = type(error).__name__, str(error)
    return brief(text if name in text else f"{name}: {text}".rstrip(": "))


def brief(text: str) -> str:
    """Return what a client says as one line of at most `REASON_CHARACTERS`, without the request."""
    request = _REQUEST.search(text)
    if request is not None:
        answered = _ANSWERED.search(request[0])
        told = "" if answered is None else answered[1] or answered[2]
        text = f"{text[: request.start()]}{told}".rstrip(": ")
    line = " ".join(text.split())
    return line if len(line) <= REASON_CHARACTERS else f"{line[: REASON_CHARACTERS - 3]}..."


@lru_cache(maxsize=65_536)
def partition_of(key: bytes, count: int) -> int:
    """Return the partition of a key: murmur2, as the Java client does it.

    Args:
        key: of the message.
        count: partitions of the topic, at least 1.
    """
    return (int(murmur2(key)) & _POSITIVE) % count
