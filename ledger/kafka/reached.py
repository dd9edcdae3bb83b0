"""How far publishing got, for those who watch it: looks at the topics and changes nothing.

Invariants:
1. Up to the position that is told, every message of every record is in its partition, as far as the
   last message of each partition and the numbers of messages show (`ledger.kafka.tails`).
2. No lock is taken: a publisher may work meanwhile, and the answer is then a little old.

Left to others: the comparison of every message (`ledger.kafka.check`).

Source: docs/operating.md, status; docs/adr/0016-operations.md.
"""

from dataclasses import dataclass
from typing import Final

from ledger.kafka.client.broker import Admin
from ledger.kafka.client.connection import Broker, Partition, partition_of
from ledger.kafka.client.source import Source
from ledger.kafka.errors import TopicDivergedError
from ledger.kafka.guard import Mismatch, mismatches
from ledger.kafka.message import Address, messages_of
from ledger.kafka.tails import Ledger, Resume, read_tails, resume
from ledger.types import Position

READ_RECORDS: Final = 64
"""Records in memory at once: blocks are large."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reached:
    """What the topics show."""

    position: Position | None
    """Everything up to here is on Kafka; None where the topics do not hold what the ledger does."""
    mismatches: tuple[Mismatch, ...]
    """Topics that are missing or could lose records."""
    diverged: TopicDivergedError | None
    """Why there is no position."""


def reached(ledger: Ledger, broker: Broker) -> Reached:
    """Return how far publishing got.

    Raises:
        BrokerError: Kafka does not answer.
    """
    with Admin(broker) as admin:
        wrong = mismatches(admin, ledger.topics)
    with Source(broker) as source:
        tails = _judged(source, ledger)
    if isinstance(tails, TopicDivergedError):
        return Reached(position=None, mismatches=wrong, diverged=tails)
    return Reached(position=_whole(ledger, tails), mismatches=wrong, diverged=None)


def why_not_whole(source: Source, ledger: Ledger, *, through: int) -> str | None:
    """Return why the topics do not show every message up to a position; None when they do.

    Numbers of messages prove nothing here, as repeats, foreign messages and marks of transactions
    count too: the last message of each partition must be, byte for byte, the ledger's, and as far
    as the records up to that position reach.

    Args:
        source: reads the topics.
        ledger: what should stand there.
        through: inclusive.

    Raises:
        BrokerError: Kafka does not answer.
    """
    tails = _judged(source, ledger)
    if isinstance(tails, TopicDivergedError):
        return str(tails)
    position = _whole(ledger, tails)
    return None if position >= through else f"the topics show everything up to {position} only"


def _judged(source: Source, ledger: Ledger) -> Resume | TopicDivergedError:
    """Return where publishing would go on, or why it would not."""
    try:
        return resume(ledger, read_tails(source, ledger), refill=False)
    except TopicDivergedError as error:
        return error


def _whole(ledger: Ledger, tails: Resume) -> Position:
    """Return the last position whose messages are all there.

    Only what was in flight together with the last message of a partition can be in doubt.
    """
    furthest = max((address.position for address in tails.sent.values()), default=0)
    after = tails.after
    while after < furthest:
        records = ledger.store.read(after=after, through=Position(furthest), limit=READ_RECORDS)
        if not records:
            break
        for stored in records:
            messages = messages_of(
                stored, origin=ledger.origin, topics=ledger.topics, keys=ledger.keys.of(stored)
            )
            for index, message in enumerate(messages):
                count = tails.counts[message.topic]
                last = (
                    tails.sent.get(Partition(message.topic, partition_of(message.key, count)))
                    if count
                    else None
                )
                if last is None or last < Address(stored.position, index):
                    return after
            after = stored.position
    return after
