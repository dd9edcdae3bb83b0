"""What stands in an inbox: where its partitions begin and end, and their messages once more.

Invariants:
1. No call waits without a limit, and every failure is a `BrokerError`.

Source: docs/adr/0015-inbox.md.
"""

import contextlib
import time
from collections.abc import Iterable, Iterator
from typing import Any, Final, Self

from kafka import TopicPartition
from kafka.errors import KafkaError

from ledger.kafka.client.clients import consumer_of
from ledger.kafka.client.connection import Broker, Partition
from ledger.kafka.client.member import (
    CLOSE_MILLISECONDS,
    FETCH_BYTES,
    FETCH_WAIT_MILLISECONDS,
    POLL_MESSAGES,
)
from ledger.kafka.client.raw import RawMessage
from ledger.kafka.client.source import Source
from ledger.kafka.errors import BrokerError

POLL_MILLISECONDS: Final = 200


def bounds(broker: Broker, topic: str, numbers: Iterable[int]) -> dict[int, tuple[int, int]]:
    """Return the first offset and the one behind the last of partitions."""
    places = [Partition(topic, number) for number in numbers]
    if not places:
        return {}
    with Source(broker) as source:
        starts, ends = source.starts(places), source.ends(places)
    return {place.number: (starts[place], ends[place]) for place in places}


class History:
    """Reads what stands in partitions of a topic; use it as a context manager."""

    def __init__(self, broker: Broker, topic: str) -> None:
        self._broker = broker
        self._topic = topic
        with broker.asked():
            self._client: Any = consumer_of(
                broker.shared,
                group_id=None,
                auto_offset_reset="none",
                fetch_max_wait_ms=FETCH_WAIT_MILLISECONDS,
                max_poll_records=POLL_MESSAGES,
                max_partition_fetch_bytes=FETCH_BYTES,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(KafkaError, OSError):
            self._client.close(timeout_ms=CLOSE_MILLISECONDS)

    def read(self, number: int, begin: int, end: int) -> Iterator[RawMessage]:
        """Yield the messages of a partition from an offset to before another.

        Raises:
            BrokerError: nothing came in time.
        """
        place = TopicPartition(self._topic, number)
        until = time.monotonic() + self._broker.wait_seconds
        with self._broker.asked():
            self._client.assign([place])
            self._client.seek(place, begin)
        while begin < end:
            with self._broker.asked():
                found = self._client.poll(timeout_ms=POLL_MILLISECONDS).get(place, ())
                begin = int(self._client.position(place, timeout_ms=1))
            if found:
                until = time.monotonic() + self._broker.wait_seconds
            elif time.monotonic() > until:
                raise BrokerError(
                    servers=self._broker.servers,
                    reason=f"nothing came from {self._topic}/{number} in "
                    f"{self._broker.wait_seconds:g} s",
                )
            yield from (one for one in found if one.offset < end)
