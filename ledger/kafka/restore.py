"""Read the ledger back from its topics: records in order of position, from Kafka alone.

Invariants:
1. What is restored is bit for bit what was published, or nothing is restored.
2. The end of the topics may be cut where a publisher was stopped: the last append is then left out
   whole.

Left to others: order, repeats and what is foreign (`ledger.kafka.merging`), commitments
(`ledger.store.store.Store.restore`), meaning (`ledger.verification`).
Source: docs/kafka.md, restore.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from ledger.discrepancy import Discrepancy
from ledger.kafka.client.connection import Broker
from ledger.kafka.client.source import Source
from ledger.kafka.errors import TopicRestoreError
from ledger.kafka.merging import TopicRecords, whole_span
from ledger.kafka.message import Address, Origin
from ledger.kafka.topics import Topics
from ledger.records import StoredRecord
from ledger.store.store import Store
from ledger.types import Position


@dataclass(frozen=True, kw_only=True, slots=True)
class Restored:
    """What the topics gave."""

    position: Position
    """Last position."""
    origin: Origin
    messages: int
    """Used."""
    foreign: int
    """Passed over: not of this ledger."""
    repeated: int
    """Passed over: there twice."""
    cut: bool
    """The topics went on with messages that give no whole append."""
    forged: tuple[Address, ...] = ()
    """Passed over, and counted as foreign: claimed a place of this ledger where its own message was
    due, and are not as the ledger writes them; at most `ledger.kafka.merging.FORGED_MAX`."""

    @property
    def discrepancies(self) -> tuple[Discrepancy, ...]:
        """What stands in the topics and should not, or is not there and should."""
        found = [
            Discrepancy(
                kind="topic",
                position=str(address.position),
                stream="",
                reason="topic_message",
                facts={"address": str(address)},
            )
            for address in self.forged
        ]
        if self.cut and self.foreign:
            found.append(
                Discrepancy(
                    kind="topic",
                    position=str(self.position + 1),
                    stream="",
                    reason="topic_end",
                    facts={"position": str(self.position), "found": str(self.foreign)},
                )
            )
        return tuple(found)

    def require_sound(self) -> None:
        """Refuse topics with messages that no publisher of this ledger wrote in place of its own.

        Raises:
            TopicRestoreError: there are such messages.
        """
        for one in self.discrepancies[:1]:
            raise TopicRestoreError(position=int(one.position), reason=one.detail)


class _CutError(Exception):
    """The end gives no whole append: begin again and stop at `position`."""

    def __init__(self, position: int) -> None:
        self.position = position
        super().__init__(position)


def restore(store: Store, broker: Broker, topics: Topics) -> Restored:
    """Create the ledger of a store from its topics.

    Args:
        store: where no ledger is yet.
        broker: where the topics are.
        topics: of the ledger.

    Raises:
        LedgerExistsError: there is a ledger already.
        TopicRestoreError: the topics do not give a ledger.
        StoredEventDecodeError: a record does not give its commitment.
        BrokerError: Kafka does not answer.
    """
    through: int | None = None
    readers: list[TopicRecords] = []
    while True:
        with Source(broker) as source:
            span = whole_span(source, topics)
            reader = TopicRecords(source, topics, span)
            readers.append(reader)
            try:
                done = store.restore(_whole_appends(reader, through))
            except _CutError as cut:
                if not cut.position:
                    raise TopicRestoreError(
                        position=1, reason="the first append is not whole"
                    ) from cut
                through = cut.position
                continue
        return Restored(
            position=done.last,
            origin=span.origin,
            messages=reader.messages,
            # One that stops before a cut end has not seen what stands behind it.
            foreign=max(one.tally.foreign + len(one.tally.forged) for one in readers),
            repeated=max(one.repeated for one in readers),
            cut=reader.gap is not None or through is not None,
            forged=tuple(readers[0].tally.forged.values()),
        )


def _whole_appends(reader: TopicRecords, through: int | None) -> Iterator[StoredRecord]:
    """Yield the records up to a position, or to the end if an append ends there.

    Raises:
        TopicRestoreError: what is left is more than an end that is not published yet.
        _CutError: the last append is not whole.
    """
    whole = last = 0
    for stored in reader.records():
        yield stored
        last = stored.position
        if stored.record.append.part + 1 == stored.record.append.part_count:
            whole = last
        if last == through:
            return
    if reader.gap is not None:
        reader.require_end(reader.gap)
    if whole != last:
        raise _CutError(whole)
