"""Reading topics through kafka-python: as a member of a group, or every partition alone.

Invariants:
1. Where to begin is told by the caller; what the group has committed is for tools that show lag,
   and is never believed.
2. No call waits without a limit, and every failure is a `BrokerError`.

Source: docs/adr/0015-inbox.md, docs/adr/0018-live-tail.md.
"""

import contextlib
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final, Self

from kafka import ConsumerRebalanceListener, TopicPartition
from kafka.errors import KafkaError
from kafka.structs import OffsetAndMetadata

from ledger.kafka.client.clients import consumer_of
from ledger.kafka.client.connection import MILLISECONDS, Broker, Partition
from ledger.kafka.client.raw import RawMessage
from ledger.kafka.errors import BrokerError

FETCH_BYTES: Final = 2**20
"""Fetched of a partition at once, compressed; a single batch comes whole even if it is longer."""
POLL_MESSAGES: Final = 4096
"""Most messages that one poll returns."""
FETCH_WAIT_MILLISECONDS: Final = 50
"""How long the broker holds a fetch that finds nothing."""
SESSION_MILLISECONDS: Final = 10_000
HEARTBEAT_MILLISECONDS: Final = 2_000
CLOSE_MILLISECONDS: Final = 2_000
COMMIT_SECONDS: Final = 1.0
SILENT_SECONDS: Final = 15.0
"""After so long without a message it is asked whether Kafka is there."""
_HARMLESS: Final = (KafkaError, OSError, ValueError, AssertionError)
"""What may go wrong with an offset that nobody needs."""


class _Moved(ConsumerRebalanceListener):  # type: ignore[misc] # kafka-python is untyped
    """Notes that partitions were given or taken."""

    def __init__(self) -> None:
        self.moved = False

    def on_partitions_revoked(self, revoked: object) -> None:  # noqa: ARG002 - the client's signature
        self.moved = True

    def on_partitions_assigned(self, assigned: object) -> None:  # noqa: ARG002 - the client's signature
        self.moved = True


class Member:
    """Reads partitions of some topics; use it as a context manager."""

    def __init__(
        self,
        broker: Broker,
        topics: Sequence[str],
        *,
        group: str,
        share: bool,
        session: int | None = None,
    ) -> None:
        """Connect.

        Args:
            broker: where the topic is.
            topics: must exist.
            group: what lag tools call the readers.
            share: share the partitions with other members of the group; else read all of them.
            session: milliseconds after which a silent member loses its partitions.
        """
        self._broker = broker
        self._share = share
        self._listener = _Moved()
        self._commits: dict[Partition, int] = {}
        self._commit_due = 0.0
        self._heard = time.monotonic()
        with broker.asked():
            self._client: Any = consumer_of(
                broker.shared,
                group_id=group,
                auto_offset_reset="earliest",
                session_timeout_ms=session or SESSION_MILLISECONDS,
                heartbeat_interval_ms=min(HEARTBEAT_MILLISECONDS, (session or 10**6) // 3),
                max_poll_records=POLL_MESSAGES,
                max_partition_fetch_bytes=FETCH_BYTES,
                fetch_max_wait_ms=FETCH_WAIT_MILLISECONDS,
            )
        self._topics = tuple(topics)
        self.all: tuple[Partition, ...] = ()
        """Every partition of the topics."""
        try:
            self.all = self._known()
        except BaseException:
            self.close()
            raise
        if share:
            self._client.subscribe(list(topics), listener=self._listener)
        else:
            self._client.assign([TopicPartition(*place) for place in self.all])
            self._listener.moved = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Leave the group and let go of the connections."""
        with contextlib.suppress(*_HARMLESS):
            if offsets := self._offsets():
                self._client.commit(offsets, timeout_ms=CLOSE_MILLISECONDS)
        with contextlib.suppress(KafkaError, OSError):
            self._client.close(autocommit=False, timeout_ms=CLOSE_MILLISECONDS)

    def moved(self) -> bool:
        """Tell once that partitions were given or taken: all places must be set anew."""
        moved, self._listener.moved = self._listener.moved, False
        return moved

    def look_again(self) -> None:
        """Have the next `moved` tell of the partitions once more."""
        self._listener.moved = True

    def assigned(self) -> frozenset[Partition]:
        """Return the partitions that this member reads now."""
        return frozenset(Partition(*one) for one in self._client.assignment())

    def seek(self, places: Mapping[Partition, int]) -> None:
        """Read partitions from these offsets on; those that were taken meanwhile are left out."""
        for place, offset in places.items():
            # Taken by a rebalance just now: the next `moved` tells.
            with contextlib.suppress(ValueError, AssertionError, KafkaError):
                self._client.seek(TopicPartition(*place), offset)

    def position(self, place: Partition) -> int:
        """Return the offset that is fetched next; marks of transactions are passed over."""
        with self._broker.asked():
            found = self._client.position(TopicPartition(*place), timeout_ms=1)
        return 0 if found is None else int(found)

    def _known(self) -> tuple[Partition, ...]:
        """Return the partitions of the topics, asking for them where this client knows none.

        An answer from before the client knew its topics can arrive after it subscribed, and counts
        for five minutes: a member that shares out partitions meanwhile gives nobody any.
        """
        with self._broker.asked():
            return tuple(
                Partition(topic, number)
                for topic in self._topics
                for number in sorted(self._client.partitions_for_topic(topic) or ())
            )

    def poll(self, milliseconds: int) -> dict[Partition, list[RawMessage]]:
        """Return what came, by partition, in order of the offset."""
        if self._share and not self._client.assignment():
            self._known()
        with self._broker.asked():
            found = self._client.poll(timeout_ms=milliseconds)
            if found:
                self._heard = time.monotonic()
            elif time.monotonic() > self._heard + SILENT_SECONDS and self.all:
                self._require_answer()
        return {Partition(*place): records for place, records in found.items() if records}

    def _require_answer(self) -> None:
        """Ask for something: polling says nothing of brokers that are gone."""
        wait = round(self._broker.wait_seconds * MILLISECONDS)
        try:
            self._client.end_offsets([TopicPartition(*self.all[0])], timeout_ms=wait)
        except KeyError as error:
            # The client stumbles so over a partition that has no leader.
            raise BrokerError(
                servers=self._broker.servers, reason=f"no leader for {error}"
            ) from error
        self._heard = time.monotonic()

    def commit(self, places: Mapping[Partition, int]) -> None:
        """Tell lag tools how far the ledger has got, now and then; nothing depends on it."""
        self._commits.update(places)
        if self._share and time.monotonic() > self._commit_due:
            self._commit_due = time.monotonic() + COMMIT_SECONDS
            with contextlib.suppress(*_HARMLESS):
                self._client.commit_async(self._offsets())

    def _offsets(self) -> dict[Any, Any]:
        mine = self.assigned()
        return {
            TopicPartition(*place): OffsetAndMetadata(offset, "", -1)
            for place, offset in self._commits.items()
            if place in mine
        }
