"""One partition read by a consumer of kafka-python, what comes next asked for in time.

Invariants:
1. What is read comes in the order of its offsets, none left out and none twice.
2. Topics are never created by reading from them.

Source: docs/adr/0014-kafka.md, client rules.
"""

import contextlib
from typing import Any, Final

from kafka import TopicPartition
from kafka.errors import KafkaError

from ledger.kafka.client.clients import consumer_of
from ledger.kafka.client.connection import CLOSE_SECONDS, MILLISECONDS, Broker, Partition
from ledger.kafka.client.records import Raw

POLL_MILLISECONDS: Final = 10
"""How long one look waits; a client that does not know the leader yet sleeps as long."""
BACKOFF_MILLISECONDS: Final = 10
"""Shortest time between two looks for the leaders."""
FETCH_MILLISECONDS: Final = 10
"""How long the broker waits for more: what is read is there already."""
FETCH_BYTES: Final = 64 * 2**10
"""Fetched of a partition at once, compressed; a single batch comes whole even if it is longer."""
BUFFERED_MAX: Final = 100_000
"""More messages than one fetch gives: all of it is taken."""


class Reader:
    """A consumer that is sent to one partition at a time; its caller turns the errors into ours."""

    def __init__(self, broker: Broker) -> None:
        self.client: Any = consumer_of(
            broker.shared,
            group_id=None,
            auto_offset_reset="none",
            fetch_max_wait_ms=FETCH_MILLISECONDS,
            enable_incremental_fetch_sessions=False,
            max_poll_records=BUFFERED_MAX,
            max_partition_fetch_bytes=FETCH_BYTES,
        )
        # It looks for the leaders of a topic whenever it is sent to another one, and by itself not
        # before 100 ms after the last look.
        cluster = self.client._manager.cluster  # noqa: SLF001 - no option of the client reaches it
        cluster.config["retry_backoff_ms"] = BACKOFF_MILLISECONDS
        self._place = TopicPartition("", 0)

    def close(self) -> None:
        """Let go of the connections."""
        with contextlib.suppress(KafkaError):
            self.client.close(timeout_ms=round(CLOSE_SECONDS * MILLISECONDS))

    def go(self, partition: Partition, offset: int) -> None:
        """Read a partition from an offset on; who leads it is found out meanwhile."""
        self._place = TopicPartition(*partition)
        self.client.assign([self._place])
        self.client.seek(self._place, offset)

    def poll(self, *, ahead: bool) -> list[Raw]:
        """Return what comes next, none when nothing came in a short while.

        Args:
            ahead: ask for what comes behind that too, so that it is here when it is wanted.
        """
        found = self._poll(POLL_MILLISECONDS)
        if ahead and found:
            # The client asks in a poll only, and one that need not wait does not.
            found += self._poll(0)
        return found

    def _poll(self, milliseconds: int) -> list[Raw]:
        found: list[Raw] = self.client.poll(timeout_ms=milliseconds).get(self._place, [])
        return found

    def position(self) -> int:
        """Return the offset that comes next; marks of transactions are passed over."""
        return int(self.client.position(self._place, timeout_ms=1))
