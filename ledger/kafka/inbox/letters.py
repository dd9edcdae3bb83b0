"""Refused messages of an inbox: its topic `.dlq`, which keeps them as they came, for good.

An entry has key, value and headers of the message, and behind these the headers `ENTRY_HEADERS`,
which say where it stood and why it was refused. It stands in the partition of the same number. When
entries are sent to the inbox again, a mark is written behind them.

Invariants:
1. What an entry holds gives the message back: `Letter.headers`, `key`, `value` are those that came;
   only header names that are not UTF-8 are written anew (`ledger.kafka.client.records`).
2. An entry is known by topic, identity of the topic, partition and offset; who reads drops repeats.
3. The intake keeps what stands here refused: a message enters only by being sent again. What
   another ledger refused says nothing.

Source: docs/inbox.md; docs/adr/0015-inbox.md.
"""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from ledger.kafka.client.broker import Sink
from ledger.kafka.client.connection import Broker, Partition
from ledger.kafka.client.raw import RawHeaders, RawMessage
from ledger.kafka.client.source import Source
from ledger.kafka.inbox.history import History, bounds
from ledger.kafka.inbox.problems import Refusal
from ledger.kafka.topics import dead_letters_of

ENTRY_HEADERS: Final = (
    "x-registro-topic",
    "x-registro-topic-id",
    "x-registro-partition",
    "x-registro-offset",
    "x-registro-timestamp",
    "x-registro-null",
    "x-registro-code",
    "x-registro-reason",
    "x-registro-refused-at",
    "x-registro-ledger",
)
"""In this order, the last headers of every entry."""
RETRIED: Final = "x-registro-retried"
"""The one header of a mark: `partition/offset` of the entry that was sent again."""
RETRY_OF: Final = "x-registro-retry"
"""Header of a message that was sent again: `topic/partition/offset` of its entry."""
PAGE: Final = 1000
"""Entries that are read at once when looking back."""
REASON_BYTES: Final = 2000
"""Longest reason."""


class Box(NamedTuple):
    """An inbox, as one ledger reads it."""

    topic: str
    topic_id: str
    """Its identity: a topic that is made anew has another."""
    ledger_id: str


class Origin(NamedTuple):
    """Where a refused message stood."""

    topic_id: str
    partition: int
    offset: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Letter:
    """A refused message."""

    topic: str
    """From which it came."""
    origin: Origin
    timestamp: int
    """Milliseconds since 1970, of the message."""
    code: str
    reason: str
    refused_at: str
    """Instant, ISO 8601."""
    ledger_id: str
    """Which ledger refused it."""
    key: bytes | None
    value: bytes | None
    headers: RawHeaders
    partition: int
    """Of the entry; the same as that of the message."""
    offset: int
    """Of the entry."""
    retried: bool = False
    """Whether it was sent to the inbox again."""

    @property
    def retry_of(self) -> str | None:
        """Entry that this message was sent again from; None for what came by itself."""
        found = dict(self.headers).get(RETRY_OF)
        return None if found is None else found.decode(errors="replace")


@dataclass(frozen=True, kw_only=True, slots=True)
class Refused:
    """A message to be kept, and why."""

    message: RawMessage
    reasons: Sequence[Refusal]
    """At least one."""


class DeadLetters:
    """Writes what one inbox refuses."""

    def __init__(self, broker: Broker, box: Box) -> None:
        """Connect.

        Args:
            broker: where the topics are.
            box: the inbox.
        """
        self._broker = broker
        self._box = box
        self._sink = Sink(broker)

    def close(self) -> None:
        """Let go of the connections."""
        self._sink.close()

    def send(self, number: int, refused: Sequence[Refused], at: dt.datetime) -> None:
        """Write messages of a partition and wait until Kafka has them.

        Raises:
            BrokerError: it was not confirmed; what is missing is written again.
        """
        place = Partition(dead_letters_of(self._box.topic), number)
        for one in refused:
            message = one.message
            key = b"" if message.key is None and message.value is None else message.key
            self._sink.send_raw(
                place,
                key,
                message.value,
                entry_headers(self._box, number, one, at),
            )
        self._sink.flush(seconds=self._broker.wait_seconds)

    def settled(self, numbers: Mapping[int, int]) -> dict[int, set[int]]:
        """Return the offsets at or after given ones that stand here, by partition."""
        return settled_offsets(self._broker, self._box, numbers)


def settled_offsets(broker: Broker, box: Box, numbers: Mapping[int, int]) -> dict[int, set[int]]:
    """Return the offsets at or after given ones that were refused, by partition; reads only.

    Entries are written in about the order of their offsets: looking back ends with a page that
    has entries, none of them at or after the offset asked for. A page of marks says nothing.

    Args:
        broker: where the topics are.
        box: the inbox.
        numbers: offset by partition of the inbox.
    """
    dead = dead_letters_of(box.topic)
    found: dict[int, set[int]] = {}
    with History(broker, dead) as history:
        for number, (start, last) in bounds(broker, dead, numbers).items():
            found[number] = set()
            for end in range(last, start, -PAGE):
                begin = max(start, end - PAGE)
                offsets = {_offset(one, box) for one in history.read(number, begin, end)}
                later = {one for one in offsets if one is not None and one >= numbers[number]}
                if not later and offsets - {None}:
                    break
                found[number] |= later
    return found


def _offset(entry: RawMessage, box: Box) -> int | None:
    letter = letter_of(entry, 0)
    if letter is None or (letter.origin.topic_id, letter.ledger_id) != (
        box.topic_id,
        box.ledger_id,
    ):
        return None
    return letter.origin.offset


def entry_headers(box: Box, number: int, one: Refused, at: dt.datetime) -> list[tuple[str, bytes]]:
    """Return the headers of an entry: those of the message, then `ENTRY_HEADERS`.

    Args:
        box: the inbox.
        number: of the partition.
        one: the message.
        at: when it was refused.
    """
    message = one.message
    # The client cannot write a header that is null, and needs a key or a value.
    absent = [str(place) for place, pair in enumerate(message.headers) if pair[1] is None]
    absent += ["key"] if message.key is None else []
    reason = "; ".join(map(str, one.reasons)).encode(errors="replace")[:REASON_BYTES]
    told = (
        box.topic.encode(),
        box.topic_id.encode(),
        b"%d" % number,
        b"%d" % message.offset,
        b"%d" % message.timestamp,
        ",".join(absent).encode(),
        one.reasons[0].code.encode(),
        reason,
        at.isoformat(timespec="milliseconds").encode(),
        box.ledger_id.encode(),
    )
    own = [(name, b"" if value is None else value) for name, value in message.headers]
    return own + list(zip(ENTRY_HEADERS, told, strict=True))


def letter_of(entry: RawMessage, partition: int) -> Letter | None:
    """Return the refused message of an entry; None for what is none, such as a mark."""
    headers = list(entry.headers)
    own, told = headers[: -len(ENTRY_HEADERS)], headers[-len(ENTRY_HEADERS) :]
    if tuple(name for name, _ in told) != ENTRY_HEADERS:
        return None
    said = [(value or b"").decode(errors="replace") for _, value in told]
    topic, topic_id, number, offset, timestamp, absent, code, reason, at, ledger_id = said
    if not (number.isdigit() and offset.isdigit() and timestamp.lstrip("-").isdigit()):
        return None
    null = set(absent.split(","))
    return Letter(
        topic=topic,
        origin=Origin(topic_id, int(number), int(offset)),
        timestamp=int(timestamp),
        code=code,
        reason=reason,
        refused_at=at,
        ledger_id=ledger_id,
        key=None if "key" in null else entry.key,
        value=entry.value,
        headers=[
            (name, None if str(place) in null else value) for place, (name, value) in enumerate(own)
        ],
        partition=partition,
        offset=entry.offset,
    )


def letters(
    broker: Broker, inbox: str, *, ledger_id: str | None = None, values: bool = False
) -> list[Letter]:
    """Return the refused messages of an inbox, in order of partition and offset, each once.

    Args:
        broker: where the topics are.
        inbox: name of its topic.
        ledger_id: only what this ledger refused; None for all.
        values: with their values, which may be long.
    """
    topic = dead_letters_of(inbox)
    found: dict[Origin, Letter] = {}
    marks: set[str] = set()
    with History(broker, topic) as history:
        for number, entry in _entries(broker, topic, history):
            letter = letter_of(entry, number)
            if letter is None:
                marks |= {
                    value.decode() for name, value in entry.headers if name == RETRIED and value
                }
            elif letter.topic == inbox and ledger_id in {None, letter.ledger_id}:
                found.setdefault(letter.origin, letter if values else replace(letter, value=None))
    return [
        replace(one, retried=f"{one.partition}/{one.offset}" in marks) for one in found.values()
    ]


def _entries(broker: Broker, topic: str, history: History) -> Iterator[tuple[int, RawMessage]]:
    with Source(broker) as source:
        numbers = [one.number for one in source.partitions(topic)]
    for number, (start, end) in bounds(broker, topic, numbers).items():
        for entry in history.read(number, start, end):
            yield number, entry


def retry(broker: Broker, chosen: Sequence[Letter]) -> None:
    """Send refused messages to their inbox again, then mark them.

    A retry that is cut short between the two sends them once more the next time: the ledger refuses
    what it has.

    Args:
        broker: where the topics are.
        chosen: with their values, all of one inbox.

    Raises:
        BrokerError: it was not confirmed.
    """
    sink = Sink(broker)
    try:
        for start in range(0, len(chosen), PAGE):
            page = chosen[start : start + PAGE]
            for one in page:
                entry = f"{dead_letters_of(one.topic)}/{one.partition}/{one.offset}"
                headers = [(name, value or b"") for name, value in one.headers if name != RETRY_OF]
                headers.append((RETRY_OF, entry.encode()))
                key = b"" if one.key is None and one.value is None else one.key
                sink.send_raw(Partition(one.topic, one.partition), key, one.value, headers)
            sink.flush(seconds=broker.wait_seconds)
            for one in page:
                mark = f"{one.partition}/{one.offset}".encode()
                place = Partition(dead_letters_of(one.topic), one.partition)
                sink.send_raw(place, b"", None, [(RETRIED, mark)])
            sink.flush(seconds=broker.wait_seconds)
    finally:
        sink.close()
