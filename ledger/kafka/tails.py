"""What the topics hold already, judged against the ledger: where publishing goes on.

Invariants:
1. Kafka alone says how far publishing got: no mark is kept elsewhere that could disagree.
2. The last message of every partition must be, byte for byte, what the ledger says stands there.
3. What was confirmed earlier than the batch in flight must be there in number; otherwise something
   was lost behind our back.

Source: docs/adr/0014-kafka.md; docs/kafka.md, going on.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

from sqlalchemy import func, select

from ledger.application import LedgerApplication
from ledger.errors import LedgerMissingError
from ledger.events.ledger import SchemaReleased
from ledger.kafka.client.connection import Partition, Received, partition_of
from ledger.kafka.client.source import Source
from ledger.kafka.errors import MessageFormatError, TopicDivergedError
from ledger.kafka.keys import Keys
from ledger.kafka.message import Address, Message, Origin, address_of, messages_of, origin_of
from ledger.kafka.topics import Topics, family_of_stream
from ledger.records import RecordKind
from ledger.store.engine import reading, shown
from ledger.store.store import Store
from ledger.store.tables import record as record_table
from ledger.types import Position

BATCH_MESSAGES: Final = 4096
"""Most messages that are in flight at once."""
FOREIGN_MAX: Final = 200
"""How far behind the end of a partition the last message of this ledger is looked for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Tails:
    """How far each partition got."""

    counts: Mapping[str, int]
    """Partitions by topic."""
    last: Mapping[Partition, Received]
    """Last message of this ledger by partition; partitions without any are absent."""
    ends: Mapping[Partition, int]
    """Offset behind the last message, of whomever."""

    def held(self, topic: str) -> int:
        """Return how many messages a topic holds, of whomever."""
        return sum(end for place, end in self.ends.items() if place.topic == topic)


@dataclass(frozen=True, kw_only=True, slots=True)
class Resume:
    """Where publishing goes on."""

    after: Position
    """Every message up to this position was confirmed."""
    sent: Mapping[Partition, Address]
    """Last message that each partition holds."""
    counts: Mapping[str, int]
    """Partitions by topic."""


class Ledger:
    """The messages that a ledger stands for."""

    def __init__(self, store: Store, *, origin: Origin, topics: Topics, keys: Keys) -> None:
        self.store = store
        self.origin = origin
        self.topics = topics
        self.keys = keys

    @classmethod
    def of(cls, application: LedgerApplication, topics: Topics) -> Self:
        """Return what an opened ledger publishes.

        Raises:
            LedgerMissingError: it was never opened as a ledger.
        """
        opened = application.identity.opened
        if opened is None:
            raise LedgerMissingError(store=shown(application.store.engine.url))

        def texts() -> list[str]:
            found = application.store.read(event_types=(SchemaReleased.TYPE,))
            events = (application.avro.recorded(item).event for item in found)
            return [event.text for event in events if isinstance(event, SchemaReleased)]

        return cls(
            application.store,
            origin=Origin(ledger_id=opened.ledger_id, origin=opened.origin),
            topics=topics,
            keys=Keys(application.avro.registry, schema_texts=texts),
        )

    def messages_at(self, position: int) -> tuple[Message, ...]:
        """Return the messages of the record at a position; empty when there is none."""
        found = self.store.read(after=Position(position - 1), through=Position(position))
        return tuple(
            message
            for stored in found
            for message in messages_of(
                stored, origin=self.origin, topics=self.topics, keys=self.keys.of(stored)
            )
        )

    def counts(self, *, through: int) -> dict[str, int]:
        """Return how many messages each topic must hold.

        Args:
            through: inclusive; position of the last record that counts.
        """
        is_event = record_table.c.kind == int(RecordKind.EVENT)
        before = record_table.c.position <= through
        total = func.coalesce(func.sum(record_table.c.event_count), 0)
        found = dict.fromkeys(self.topics.all, 0)
        with reading(self.store.engine) as connection:
            found[self.topics.events] = (
                connection.scalar(select(total).where(is_event, before)) or 0
            )
            blocks = (
                select(record_table.c.stream, total)
                .where(~is_event, before)
                .group_by(record_table.c.stream)
            )
            for stream, count in connection.execute(blocks):
                found[self.topics.facts(family_of_stream(stream))] += count
        return found

    def confirmed_before(self, position: int) -> Position:
        """Return the last position that was surely confirmed when one at `position` was sent.

        At most `BATCH_MESSAGES` messages are in flight; what lies further back was waited for.
        """
        statement = (
            select(record_table.c.position, record_table.c.event_count)
            .where(record_table.c.position < position)
            .order_by(record_table.c.position.desc())
            .limit(BATCH_MESSAGES)
        )
        flying = 0
        with reading(self.store.engine) as connection:
            for row in connection.execute(statement):
                if flying >= BATCH_MESSAGES:
                    return Position(row.position)
                flying += row.event_count
        return Position(max(position - 1 - BATCH_MESSAGES, 0))


def read_tails(source: Source, ledger: Ledger) -> Tails:
    """Read the last message of every partition.

    Raises:
        BrokerError: Kafka does not answer.
        TopicDivergedError: a partition ends with many messages that are not of this ledger, or
            another ledger is published to these topics.
    """
    counts, ends = partitions_of(source, ledger.topics)
    last: dict[Partition, Received] = {}
    others: dict[Partition, tuple[int, Origin]] = {}
    for span in (1, FOREIGN_MAX):
        begins = {p: max(end - span, 0) for p, end in ends.items() if end and p not in last}
        source.open(begins)
        for place in begins:
            while (received := source.take(place)) is not None:
                if is_claimed(received, ledger.origin):
                    last[place] = received
                elif (named := _origin_in(received)) is not None:
                    others[place] = (received.offset, named)
    # Before what else differs: messages of facts do not all name their ledger, events do.
    for place, (offset, named) in others.items():
        if place.topic == ledger.topics.events and place not in last:
            raise TopicDivergedError(
                topic=place.topic,
                partition=place.number,
                offset=offset,
                reason=f"it is of ledger {named.ledger_id}, not of {ledger.origin.ledger_id}: one "
                "prefix for each ledger",
            )
    for place, end in ends.items():
        if end > FOREIGN_MAX and place not in last:
            raise TopicDivergedError(
                topic=place.topic,
                partition=place.number,
                offset=end - 1,
                reason=f"none of the last {FOREIGN_MAX} messages is of this ledger",
            )
    return Tails(counts=counts, last=last, ends=ends)


def partitions_of(source: Source, topics: Topics) -> tuple[dict[str, int], dict[Partition, int]]:
    """Return the number of partitions of each topic, and the end of each partition."""
    places = {topic: source.partitions(topic) for topic in topics.all}
    ends = source.ends([place for own in places.values() for place in own])
    return {topic: len(own) for topic, own in places.items()}, ends


def is_claimed(received: Received, origin: Origin) -> bool:
    """Tell whether a message says that it is of this ledger."""
    if received.message is None:
        return False
    try:
        address = address_of(received.message.headers)
        return address.index > 0 or origin_of(received.message.headers) == origin
    except MessageFormatError:
        return False


def _origin_in(received: Received) -> Origin | None:
    """Return which ledger the first message of a record names; None for any other message."""
    if received.message is None:
        return None
    try:
        address = address_of(received.message.headers)
        return None if address.index else origin_of(received.message.headers)
    except MessageFormatError:
        return None


def resume(ledger: Ledger, tails: Tails, *, refill: bool) -> Resume:
    """Judge the tails against the ledger and say where to go on.

    Args:
        ledger: what should stand in the topics.
        tails: what stands there.
        refill: messages that were lost are sent again, partition by partition.

    Raises:
        TopicDivergedError: a topic holds something else, more, or less than it was given.
    """
    sent: dict[Partition, Address] = {}
    for place, received in tails.last.items():
        sent[place] = _judged(ledger, received, tails.counts[place.topic])
    furthest = max((address.position for address in sent.values()), default=0)
    after = Position(0) if refill else ledger.confirmed_before(furthest)
    for topic, wanted in ledger.counts(through=after).items():
        if tails.held(topic) < wanted:
            raise TopicDivergedError(
                topic=topic,
                partition="*",
                offset=tails.held(topic),
                reason=f"it holds {tails.held(topic)} messages of the {wanted} that were confirmed "
                f"up to position {after}; registro publish --refill sends what is lost again",
            )
    return Resume(after=after, sent=sent, counts=tails.counts)


def _judged(ledger: Ledger, received: Received, partitions: int) -> Address:
    place, message = received.partition, received.message
    if message is None:
        raise TypeError("a tail is a message of this ledger")
    address = address_of(message.headers)
    expected = ledger.messages_at(address.position)
    if not expected:
        reason = f"it holds {address}, the ledger ends at position {ledger.store.head()}"
    elif address.index >= len(expected) or expected[address.index] != message:
        reason = f"{address} differs from the ledger's record"
    elif partition_of(message.key, partitions) != place.number:
        reason = f"{address} belongs to another partition"
    else:
        return address
    raise TopicDivergedError(
        topic=place.topic, partition=place.number, offset=received.offset, reason=reason
    )
