"""Publish the ledger: every record, in order of position, each message once.

Invariants:
1. A message is sent only after Kafka confirmed everything more than `BATCH_MESSAGES` before it.
2. Where to go on is read from the topics and judged against the ledger, after every start and every
   failure; nothing is sent behind something that differs, or behind what only a leader has.
3. A record whose content does not give its commitment is not published.
4. Appends neither wait for publishing nor are ever undone by it.
5. The lock is asked for right before every batch; a publisher that lost it drops what waits.

Source: docs/adr/0014-kafka.md; rulings 25.
"""

import contextlib
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Self

from ledger.errors import PositionGapError
from ledger.facts.blocks import check_block
from ledger.kafka.client.broker import Admin, Sink
from ledger.kafka.client.collector import seldom_collected
from ledger.kafka.client.connection import Broker, Partition, partition_of
from ledger.kafka.client.source import Source
from ledger.kafka.errors import BrokerAccessError, BrokerError, PublishUnfinishedError
from ledger.kafka.guard import verify_topics
from ledger.kafka.lease import StillHeld, publisher_lease
from ledger.kafka.message import Address, Message, messages_of
from ledger.kafka.tails import BATCH_MESSAGES, Ledger, Resume, Tails, read_tails, resume
from ledger.kafka.topics import MESSAGE_BYTES_MAX
from ledger.records import StoredRecord
from ledger.store.store import FaultPoint
from ledger.types import Position

BATCH_BYTES: Final = MESSAGE_BYTES_MAX // 2
"""Bytes of messages after which a batch is sent, even if it has few messages."""
READ_RECORDS: Final = 64
"""Records in memory at once: blocks are large."""
BACKOFF_SECONDS: Final = 0.5


@dataclass(frozen=True, kw_only=True, slots=True)
class Published:
    """How far publishing got."""

    position: Position
    """Everything up to here is confirmed by Kafka."""
    messages: int
    """Sent by this call."""
    restarts: int
    """How often the connection was made anew."""


class Publisher:
    """The one publisher of a ledger, from entering to leaving the context."""

    def __init__(
        self,
        ledger: Ledger,
        broker: Broker,
        *,
        refill: bool = False,
        fault_point: FaultPoint = lambda _: None,
    ) -> None:
        """Prepare; nothing is asked of Kafka yet.

        Args:
            ledger: what is published.
            broker: where to.
            refill: send again what a topic has lost, see `ledger.kafka.tails.resume`.
            fault_point: of the crash tests.
        """
        self._ledger = ledger
        self._broker = broker
        self._refill = refill
        self._fault_point = fault_point
        self._stack = contextlib.ExitStack()
        self._held: StillHeld = lambda: None
        self._session: _Session | None = None

    def __enter__(self) -> Self:
        self._held = self._stack.enter_context(publisher_lease(self._ledger.store.engine))
        self._stack.enter_context(seldom_collected())
        return self

    def __exit__(self, *_: object) -> None:
        self._discard()
        self._stack.close()

    def publish(self, *, seconds: float, steady: bool = True) -> Published:
        """Publish everything up to the present head.

        Args:
            seconds: how long to try.
            steady: the time begins anew whenever Kafka has confirmed something.

        Raises:
            BrokerAccessError: Kafka does not let us in, or does not let us write.
            PublishUnfinishedError: the time is over; what was not confirmed is sent next time.
            PositionGapError: a record is missing in the ledger.
            TopicGuardError: a topic could lose records.
            TopicDivergedError: a topic holds something else than the ledger.
        """
        head = self._ledger.store.head()
        until = time.monotonic() + seconds
        messages = restarts = 0
        while True:
            try:
                for confirmed in self._steps(head, until=None if steady else until):
                    messages += confirmed
                    if steady:
                        until = time.monotonic() + seconds
                    elif time.monotonic() > until:
                        # What is half sent is found again by reading the tails.
                        self._discard()
                        raise self._unfinished(head, seconds, "the time is over")
            except BrokerAccessError:
                self._discard()
                raise
            except BrokerError as error:
                self._discard()
                restarts += 1
                if time.monotonic() + BACKOFF_SECONDS > until:
                    raise self._unfinished(head, seconds, error.facts["reason"]) from error
                time.sleep(BACKOFF_SECONDS)
            else:
                return Published(position=head, messages=messages, restarts=restarts)

    def _steps(self, head: Position, *, until: float | None) -> Iterator[int]:
        if self._session is None:
            self._session = _Session.begun(
                self._ledger,
                self._broker,
                refill=self._refill,
                until=until,
                held=self._held,
                fault_point=self._fault_point,
            )
            self._refill = False
        yield from self._session.send(through=head)

    @staticmethod
    def _unfinished(head: Position, seconds: float, reason: str) -> PublishUnfinishedError:
        return PublishUnfinishedError(head=head, seconds=f"{seconds:g}", reason=reason)

    def _discard(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.close()


class _Session:
    """One producer and what it has sent; any failure ends it."""

    def __init__(
        self,
        ledger: Ledger,
        broker: Broker,
        sink: Sink,
        begin: Resume,
        *,
        held: StillHeld,
        fault_point: FaultPoint,
    ) -> None:
        self._ledger = ledger
        self._broker = broker
        self._sink = sink
        self._held = held
        self._fault_point = fault_point
        self._counts = dict(begin.counts)
        self._sent = dict(begin.sent)
        self._furthest = max((one.position for one in begin.sent.values()), default=0)
        self._after: Position = begin.after
        self._batch: list[tuple[Message, int]] = []
        """Made, not sent: messages with their partitions."""
        self._batch_bytes = 0
        self._in_flight = 0

    @classmethod
    def begun(
        cls,
        ledger: Ledger,
        broker: Broker,
        *,
        refill: bool,
        until: float | None,
        held: StillHeld,
        fault_point: FaultPoint,
    ) -> Self:
        """Check the topics, read their tails and open a producer.

        Args:
            ledger: what is published.
            broker: where to.
            refill: see `Publisher`.
            until: monotonic time after which no further question is asked; None for no such time.
            held: see `Publisher`.
            fault_point: of the crash tests.

        Raises:
            BrokerError: Kafka does not answer, or the time is over.
        """

        def require_time() -> None:
            if until is not None and time.monotonic() > until:
                raise BrokerError(servers=broker.servers, reason="the time is over")

        fault_point("publish.leased")
        # The producer comes first: its predecessor in this process is closed by now, so the tails
        # do not move any more. It also needs a while to be ready.
        sink = Sink(broker)
        try:
            require_time()
            with Admin(broker) as admin:
                verify_topics(admin, ledger.topics)
                require_time()
                log_ends = admin.log_ends(ledger.topics.all)
            fault_point("publish.guarded")
            require_time()
            with Source(broker) as source:
                tails = read_tails(source, ledger)
            require_time()
            _require_shown(broker, tails, log_ends)
            begin = resume(ledger, tails, refill=refill)
        except BaseException:
            sink.close()
            raise
        fault_point("publish.tails_read")
        return cls(ledger, broker, sink, begin, held=held, fault_point=fault_point)

    def close(self) -> None:
        """Give up the producer."""
        self._sink.close()

    def send(self, *, through: Position) -> Iterator[int]:
        """Send what comes next, and yield the number of messages after each confirmation."""
        while self._after < through:
            records = self._ledger.store.read(
                after=self._after, through=through, limit=READ_RECORDS
            )
            if not records:
                break
            for stored in records:
                if stored.position != self._after + 1:
                    raise PositionGapError(after=self._after, found=stored.position)
                check_block(stored)
                yield from self._send_record(stored)
                self._after = stored.position
        yield from self._hand_over()
        yield from self._confirmed()

    def _send_record(self, stored: StoredRecord) -> Iterator[int]:
        ledger = self._ledger
        messages = list(
            messages_of(
                stored, origin=ledger.origin, topics=ledger.topics, keys=ledger.keys.of(stored)
            )
        )
        topic, last = messages[0].topic, messages[-1]
        count, batch = self._counts[topic], self._batch
        # The headers of the last message of a block are the longest behind those of the first.
        frame = size_of(last) - len(last.key) - len(last.value)
        sent = self._sent if stored.position <= self._furthest else {}
        for index, message in enumerate(messages):
            number = partition_of(message.key, count)
            if sent and _is_sent(sent, Partition(topic, number), stored.position, index):
                continue
            size = frame + len(message.key) + len(message.value) if index else size_of(message)
            if self._batch_bytes + size > BATCH_BYTES or len(batch) >= BATCH_MESSAGES:
                yield from self._hand_over()
                batch = self._batch
            batch.append((message, number))
            self._batch_bytes += size

    def _hand_over(self) -> Iterator[int]:
        """Send what was made once what is on its way is confirmed; the next is made meanwhile."""
        if not self._batch:
            return
        yield from self._confirmed()
        self._fault_point("publish.before_flush")
        # As late as can be: what is sent without the lock may stand there twice.
        self._held()
        self._sink.begin(self._batch, seconds=self._broker.wait_seconds)
        self._in_flight = len(self._batch)
        self._batch, self._batch_bytes = [], 0

    def _confirmed(self) -> Iterator[int]:
        if not self._in_flight:
            return
        self._sink.await_confirmed()
        self._fault_point("publish.confirmed")
        confirmed, self._in_flight = self._in_flight, 0
        yield confirmed


def _is_sent(
    sent: Mapping[Partition, Address], place: Partition, position: int, index: int
) -> bool:
    last = sent.get(place)
    return last is not None and Address(position, index) <= last


def _require_shown(broker: Broker, tails: Tails, log_ends: Mapping[Partition, int]) -> None:
    """Refuse to go on while readers are not shown everything that a leader holds.

    Too few replicas have the rest yet. Who goes on behind what is shown sends the rest again.

    Args:
        broker: where the topics are.
        tails: what readers are shown.
        log_ends: where the logs ended before the tails were read.

    Raises:
        BrokerError: there is more than is shown; it will be shown or cut off, so try again.
    """
    for place, end in log_ends.items():
        shown = tails.ends.get(place, 0)
        if shown < end:
            raise BrokerError(
                servers=broker.servers,
                reason=f"{place.topic}/{place.number} holds {end - shown} messages that too few "
                "replicas have yet",
            )


def size_of(message: Message) -> int:
    """Return how many bytes a message takes in a batch, or a little more."""
    size = len(message.key) + len(message.value) + 32
    for name, value in message.headers:
        size += len(name) + len(value) + 8
    return size
