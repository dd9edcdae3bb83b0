"""What the members of the live tail work with, without a broker: messages, shares, windows."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from ledger.kafka.client.connection import Partition, partition_of
from ledger.kafka.client.records import Raw
from ledger.kafka.message import Address, Message
from ledger.kafka.tails import Ledger
from ledger.kafka.topics import Topics
from projections.runner.models import PROJECTIONS
from projections.tail.handover import Share, Window
from projections.tail.messages import Fact
from projections.tail.shares import cells_of, seen_of
from schemas.registry import default_registry
from tests.support.kafka import add_facts, published_as
from tests.support.production import production_ledger

PARTITIONS = 4
PRODUCTION = PROJECTIONS["production"]
NOWHERE = Address(0, 0)
Log = dict[Partition, list[Message]]
"""Messages by partition, in order of the offset."""


@cache
def ledger_of_facts() -> Ledger:
    """Return a ledger of two batches of facts in two families; nobody changes it."""
    ledger = production_ledger()
    with TemporaryDirectory() as folder:
        add_facts(ledger, Path(folder), batch_name="1", facts=60)
        add_facts(ledger, Path(folder), batch_name="2", facts=40)
    return published_as(ledger, Topics().prefix)


def log_of(ledger: Ledger) -> Log:
    """Return the topics of facts as a publisher fills them."""
    log: Log = {}
    for position in range(1, ledger.store.head() + 1):
        for message in ledger.messages_at(position):
            if message.topic != ledger.topics.events:
                place = Partition(message.topic, partition_of(message.key, PARTITIONS))
                log.setdefault(place, []).append(message)
    return log


def raw(messages: Iterable[Message], *, first: int = 0) -> list[Raw]:
    """Return messages as they are read from a partition."""
    return [
        Raw(offset, 0, message.key, message.value, message.headers, null=False)
        for offset, message in enumerate(messages, start=first)
    ]


def facts_of(messages: Sequence[Message]) -> list[Fact]:
    """Return messages of the ledger as facts."""
    return [
        Fact(
            Address(int(message.headers[0][1]), int(message.headers[1][1])),
            offset,
            message.headers[2][1],
            message.value,
        )
        for offset, message in enumerate(messages)
    ]


def share_of(place: Partition, window: Window, facts: Sequence[Fact]) -> Share:
    """Return the share of facts of one partition."""
    cells, fallbacks = cells_of(PRODUCTION, facts, default_registry())
    return Share(
        place=place,
        through=window.through,
        offset=min(fact.offset for fact in facts),
        facts=len(facts),
        fallbacks=fallbacks,
        cells=cells,
        seen=seen_of(facts),
    )


def whole_shares(log: Mapping[Partition, Sequence[Message]], window: Window) -> list[Share]:
    """Return one share for each partition that has facts of a window."""
    found = []
    for place, messages in log.items():
        own = [
            one
            for one in facts_of(messages)
            if window.after < one.address.position <= window.through
        ]
        if own:
            found.append(share_of(place, window, own))
    return found
