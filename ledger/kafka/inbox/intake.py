"""Take facts from an inbox into the ledger: each message once, or among the refused.

A batch is a range of offsets of one partition. Its append key holds the range, so the ledger itself
says where to go on; what the consumer group has committed is never asked.

Invariants:
1. A message is in the ledger once, or in the `.dlq` topic; whatever is killed and started again.
2. Refused messages are kept before the batch is appended: no offset that the ledger has passed is
   without its fact or its entry.
3. A batch is appended only while the ledger goes on at the offset it was read from; who comes
   second is refused under the append lock, reads the ledger and goes on.
4. What stands in the `.dlq` topic is not judged again: it enters by being sent again.

Source: docs/inbox.md; docs/adr/0015-inbox.md; rulings 6-8.
"""

import hashlib
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Self

import numpy as np
import polars as pl

from ledger.application import LedgerApplication
from ledger.clock import Clock
from ledger.errors import AppendKeyConflictError, WrongExpectedVersionError
from ledger.facts.batches import Batch, Ingested
from ledger.facts.ingest import FactIntake, Slot
from ledger.facts.problems import ROW, FactProblem
from ledger.facts.rejects import Rejects
from ledger.kafka.client.broker import Admin
from ledger.kafka.client.collector import seldom_collected
from ledger.kafka.client.connection import Broker, Partition
from ledger.kafka.client.member import Member
from ledger.kafka.client.raw import RawHeaders, RawMessage
from ledger.kafka.errors import BrokerError, InboxLostError, InboxMovedError
from ledger.kafka.inbox.forms import Forms
from ledger.kafka.inbox.guard import require_own, verify_inbox
from ledger.kafka.inbox.history import bounds
from ledger.kafka.inbox.letters import Box, DeadLetters, Refused
from ledger.kafka.inbox.problems import Refusal
from ledger.store.store import FaultPoint
from ledger.types import AppendKey, Digest, Position

BATCH_MESSAGES: Final = 16_384
"""Messages after which a batch is recorded without waiting: four blocks."""
BATCH_BYTES: Final = 32 * 2**20
"""Bytes of messages after which a batch is recorded without waiting."""
IDLE_MILLISECONDS: Final = 200
"""How long one look waits for the first message."""
_DIGITS: Final = 19
"""Decimal digits of an offset in a key, so that keys sort as offsets do."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Taken:
    """What became of a batch."""

    partition: int
    first: int
    """First offset of the range."""
    last: int
    """Last offset of the range, inclusive."""
    messages: int
    facts: int
    """Facts appended, reversals included."""
    refused: int
    """Messages now in the `.dlq` topic."""
    lost: int
    """Offsets before the range that were gone and given up."""
    key: AppendKey | None
    """None when nothing was appended."""
    first_position: Position
    last_position: Position
    codes: Mapping[str, int]
    """Problems by code."""


def prefix_of(topic: str, topic_id: str, number: int) -> str:
    """Return what the keys of a partition begin with."""
    return f"inbox/{topic}/{topic_id}/{number}"


def next_offset(ledger: LedgerApplication, prefix: str) -> int:
    """Return the offset at which the ledger goes on, from its records alone; 0 at the beginning."""
    key = ledger.store.last_key(prefix)
    return 0 if key is None else int(key.rpartition("-")[2]) + 1


@dataclass(kw_only=True)
class _Collected(Rejects):
    """Keeps why rows are refused, by number of the message."""

    found: dict[int, list[Refusal]] = field(default_factory=dict)

    def add(self, number: int, raw: pl.DataFrame, problems: pl.DataFrame) -> None:  # noqa: ARG002 - as the class it stands in for
        """Take the problems of rows."""
        told = problems.select(ROW, "column", "code", "value")
        for row, column, code, value in told.iter_rows():
            refusal = Refusal(code=code, column=column, value=value or "")
            self.found.setdefault(row, []).append(refusal)
        self.rows = len(self.found)

    def add_spooled(self, rows: pl.DataFrame, code: FactProblem) -> None:
        """Take rows that were refused after the whole batch was read."""
        column = "supersedes" if code.startswith("superseded") else "source_id"
        for row, value in rows.select(ROW, column).iter_rows():
            refusal = Refusal(code=code, column=column, value=value or "")
            self.found.setdefault(row, []).append(refusal)
        self.rows = len(self.found)


@dataclass(slots=True)
class _Place:
    """Where a partition stands."""

    recorded: int
    """Offset at which the ledger goes on."""
    begin: int
    """First offset of the next key: the same, unless messages were lost."""
    offset: int
    """Offset to be read next: behind what was refused since."""
    settled: set[int]
    """Offsets from there on that are among the refused already."""
    sure: int = -1
    """Offset to which the client was told to go because it had gone elsewhere."""


class Inbox:
    """One reader of the inbox of a family, from entering to leaving the context."""

    def __init__(
        self,
        ledger: LedgerApplication,
        broker: Broker,
        topic: str,
        *,
        batch: Callable[[], Batch],
        clock: Clock,
        share: bool,
        accept_lost: bool = False,
        session: int | None = None,
        fault_point: FaultPoint = lambda _: None,
    ) -> None:
        """Prepare; nothing is asked of Kafka yet.

        Args:
            ledger: open for writing.
            broker: where the inbox is.
            topic: the inbox.
            batch: gives what is said of a batch, its family and source among it; the name of the
                batch is not used.
            clock: for the instants of refusals.
            share: share the partitions with other intakes; else read all of them.
            accept_lost: go on behind messages that are gone.
            session: milliseconds after which a silent intake loses its partitions.
            fault_point: of the crash tests.
        """
        self._ledger = ledger
        self._broker = broker
        self._topic = topic
        self._batch = batch
        self._clock = clock
        self._share = share
        self._accept_lost = accept_lost
        self._session = session
        self._fault_point = fault_point
        self._intake = FactIntake(ledger)
        self._forms = Forms(batch().family, ledger.avro.registry)
        self._places: dict[int, _Place] = {}
        self._again: set[int] = set()
        """Partitions whose messages were gathered and came to nothing: they are read again."""
        self._topic_id = ""

    def __enter__(self) -> Self:
        with Admin(self._broker) as admin:
            verify_inbox(admin, self._topic)
            self._topic_id = admin.identities([self._topic])[self._topic]
        opened = self._ledger.identity.opened
        ledger_id = "" if opened is None else opened.ledger_id
        require_own(self._broker, self._topic, ledger_id)
        group = f"{self._topic}.{ledger_id}"
        self._member = Member(
            self._broker, [self._topic], group=group, share=self._share, session=self._session
        )
        try:
            self._letters = DeadLetters(self._broker, Box(self._topic, self._topic_id, ledger_id))
        except BaseException:
            self._member.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._member.close()
        self._letters.close()

    # What is to be read

    @property
    def servers(self) -> str:
        """Where Kafka is."""
        return self._broker.servers

    @property
    def places(self) -> dict[int, int]:
        """Offset to be read next, of every partition that this intake reads."""
        return {number: place.offset for number, place in self._places.items()}

    def ends(self) -> dict[int, int]:
        """Return where the partitions end now."""
        numbers = [place.number for place in self._member.all]
        return {n: end for n, (_, end) in bounds(self._broker, self._topic, numbers).items()}

    def has_read(self, ends: Mapping[int, int]) -> bool:
        """Tell whether everything before these offsets is in the ledger or refused."""
        return all(
            number in self._places
            and (
                self._places[number].offset >= end or self._member.position(self._at(number)) >= end
            )
            for number, end in ends.items()
        )

    def take(self, *, delay: float) -> Iterator[Taken]:
        """Record what comes, once, and yield each batch as soon as the ledger has it.

        Nothing is done before the first is asked for, and none comes when nothing came in a short
        while. What fails leaves those that were yielded in the ledger.

        Args:
            delay: seconds that a message may wait for others, from when it was read.

        Raises:
            BrokerError: Kafka failed; enter again.
            TopicGuardError: a topic could lose messages.
            InboxLostError: messages are gone.
            StoreError: the ledger failed; nothing of the batch was appended.
        """
        with seldom_collected():
            if self._again:
                self._set(tuple(self._again))
                self._again = set()
            gathered = self._gather(delay)
        left = set(gathered)
        try:
            for number, messages in gathered.items():
                with seldom_collected():
                    taken = self._recorded(number, messages)
                left.discard(number)
                if taken is not None:
                    yield taken
        finally:
            # Whoever stops in the middle has read them, and nothing has them.
            self._again |= left

    def _recorded(self, number: int, messages: Sequence[RawMessage]) -> Taken | None:
        """Record what was gathered; None, and read it again, when another one was first."""
        try:
            return self._record(number, messages)
        except (InboxMovedError, AppendKeyConflictError, WrongExpectedVersionError):
            self._set([number])
            return None

    def _gather(self, delay: float) -> dict[int, list[RawMessage]]:
        gathered: dict[int, list[RawMessage]] = {}
        count = size = 0
        due: float | None = None
        while True:
            left = (
                IDLE_MILLISECONDS if due is None else max(0, round((due - time.monotonic()) * 1e3))
            )
            found = self._member.poll(left)
            if self._member.moved():
                # What was gathered is read again, by whoever has the partition now.
                self._places, self._again = {}, set()
                self._set([place.number for place in self._member.assigned()])
                return {}
            for place, messages in found.items():
                number = place.number
                if self._follows(number, messages):
                    gathered.setdefault(number, []).extend(messages)
                    self._places[number].offset = messages[-1].offset + 1
                    count += len(messages)
                    size += _size(messages)
            if due is None:
                if not gathered:
                    return {}
                due = time.monotonic() + delay
            if count >= BATCH_MESSAGES or size >= BATCH_BYTES or time.monotonic() >= due:
                return gathered

    def _follows(self, number: int, messages: Sequence[RawMessage]) -> bool:
        """Tell whether messages come next; if not, the client is told where to go."""
        place = self._places.get(number)
        if place is None:
            return False
        found, expected = messages[0].offset, place.offset
        if found == expected or (found > expected == place.sure):
            # A hole that stays is no loss: marks of transactions stand there.
            return True
        start, end = bounds(self._broker, self._topic, [number])[number]
        self._check_there(number, expected, start, end)
        place.sure = expected
        self._member.seek({self._at(number): expected})
        return False

    def _check_there(self, number: int, expected: int, start: int, end: int) -> None:
        if not start <= expected <= end:
            raise InboxLostError(
                topic=self._topic, partition=number, expected=expected, start=start, end=end
            )

    def _set(self, numbers: Collection[int]) -> None:
        """Find in the ledger where partitions go on, and go there."""
        recorded = {number: self._next(number) for number in numbers}
        settled = self._letters.settled(recorded)
        for number, (start, end) in bounds(self._broker, self._topic, numbers).items():
            own = settled.get(number, set())
            place = _Place(recorded[number], recorded[number], recorded[number], own)
            while place.offset in own:
                place.offset += 1
            if self._accept_lost and start > place.offset:
                place.begin = place.offset = start
            self._check_there(number, place.offset, start, end)
            self._places[number] = place
        self._member.seek({self._at(number): self._places[number].offset for number in numbers})
        self._fault_point("inbox.placed")

    def _at(self, number: int) -> Partition:
        return Partition(self._topic, number)

    def _prefix(self, number: int) -> str:
        return prefix_of(self._topic, self._topic_id, number)

    def _next(self, number: int) -> int:
        return next_offset(self._ledger, self._prefix(number))

    # Recording

    def _record(self, number: int, messages: Sequence[RawMessage]) -> Taken:
        place = self._places[number]
        last = messages[-1].offset
        batch = self._batch()
        fresh = enumerate(messages)
        done = self._forms.read(
            (at, one) for at, one in fresh if not place.settled or one.offset not in place.settled
        )
        rejects = _Collected(folder=None)
        rejects.found.update({at: [refusal] for at, refusal in done.refused.items()})

        def require() -> None:
            actual = self._next(number)
            if actual != place.recorded:
                raise InboxMovedError(
                    topic=self._topic, partition=number, expected=place.recorded, actual=actual
                )

        def judged() -> None:
            require()
            self._keep(number, messages, rejects.found)

        key = AppendKey(
            f"{self._prefix(number)}/{place.begin:0{_DIGITS}}-{last:0{_DIGITS}}",
        )
        slot = Slot(key=key, digest=_digest(messages), judged=judged, require=require)
        answer = self._intake.pieces(done.pieces, batch, slot=slot, rejects=rejects)
        if answer.repeated:
            # Another intake recorded this very range.
            require()
        self._fault_point("inbox.recorded")
        taken = _taken(number, place, messages, answer, rejects.found)
        if answer.facts:
            place.recorded = place.begin = last + 1
        place.settled = {offset for offset in place.settled if offset > last}
        self._member.commit({self._at(number): last + 1})
        return taken

    def _keep(
        self, number: int, messages: Sequence[RawMessage], found: Mapping[int, Sequence[Refusal]]
    ) -> None:
        if not found:
            return
        refused = [Refused(message=messages[at], reasons=found[at]) for at in sorted(found)]
        self._fault_point("inbox.before_letters")
        self._letters.send(number, refused, self._clock.now())
        self._fault_point("inbox.letters_kept")


def _taken(
    number: int,
    place: _Place,
    messages: Sequence[RawMessage],
    answer: Ingested,
    found: Mapping[int, Sequence[Refusal]],
) -> Taken:
    codes: dict[str, int] = {}
    for refusals in found.values():
        for one in refusals:
            codes[str(one.code)] = codes.get(str(one.code), 0) + 1
    return Taken(
        partition=number,
        first=place.begin if answer.facts else messages[0].offset,
        last=messages[-1].offset,
        messages=len(messages),
        facts=answer.facts,
        refused=len(found),
        lost=place.begin - place.recorded if answer.facts else 0,
        key=AppendKey(answer.key) if answer.facts else None,
        first_position=answer.first,
        last_position=answer.last,
        codes=codes,
    )


def _size(messages: Sequence[RawMessage]) -> int:
    """Return the bytes that messages hold: key and headers may be as long as the value."""
    size = own = 0
    last: RawHeaders | None = None
    for one in messages:
        headers = one.headers
        if headers is not last:
            # Messages of one sender mostly have the very same.
            own, last = sum(len(value) for _, value in headers if value is not None), headers
        size += own + len(one.key or b"") + len(one.value or b"")
    return size


def _digest(messages: Sequence[RawMessage]) -> Digest:
    """Return the SHA-256 over the offsets, the lengths and the values of messages."""
    whole = hashlib.sha256()
    values = [one.value or b"" for one in messages]
    whole.update(np.array([one.offset for one in messages], "<i8").tobytes())
    whole.update(np.array([len(one) for one in values], "<i8").tobytes())
    whole.update(b"".join(values))
    return Digest(whole.digest())


def take_all(
    inbox: Inbox, *, delay: float, wait_seconds: float, told: Callable[[Taken], None]
) -> None:
    """Record everything that stands in an inbox now; it must not share its partitions.

    Args:
        inbox: entered.
        delay: see `Inbox.take`.
        wait_seconds: how long nothing may come before it is an error.
        told: called with every batch.

    Raises:
        BrokerError: nothing came in time.
    """
    ends = inbox.ends()
    until = time.monotonic() + wait_seconds
    before: dict[int, int] = {}
    while not inbox.has_read(ends):
        for taken in inbox.take(delay=delay):
            told(taken)
        if inbox.places != before:
            before = inbox.places
            until = time.monotonic() + wait_seconds
        elif time.monotonic() > until:
            raise BrokerError(
                servers=inbox.servers, reason=f"nothing came from the inbox in {wait_seconds:g} s"
            )
