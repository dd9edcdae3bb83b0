"""How much waits in inboxes, for those who watch them: looks and changes nothing.

Invariants:
1. The ledger says where an inbox goes on, not what a group has committed.
2. What was refused waits no more: it stands in the `.dlq` topic.
3. No lock, no group, no message: an intake may work meanwhile, and the answer is then a little old.

A place that marks of transactions take counts as a message until a fact behind it is recorded.

Source: docs/operating.md, status; docs/inbox.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from ledger.application import LedgerApplication
from ledger.facts.families import FAMILIES
from ledger.kafka.client.broker import Admin
from ledger.kafka.client.connection import Broker, Partition
from ledger.kafka.client.source import Source
from ledger.kafka.inbox.intake import next_offset, prefix_of
from ledger.kafka.inbox.letters import Box, settled_offsets
from ledger.kafka.topics import Topics, dead_letters_of


@dataclass(frozen=True, kw_only=True, slots=True)
class PartitionWaiting:
    """One partition of an inbox."""

    partition: int
    next_offset: int
    """Offset at which the ledger goes on."""
    end: int
    """Offset behind the last message."""
    waiting: int
    """Messages that are neither in the ledger nor refused."""
    lost: int
    """Offsets because of which the intake does not go on: gone before they were taken in, or taken
    in and behind the present end."""


@dataclass(frozen=True, kw_only=True, slots=True)
class InboxWaiting:
    """The inbox of one family."""

    family: str
    topic: str
    partitions: tuple[PartitionWaiting, ...]

    @property
    def waiting(self) -> int:
        """Messages that are neither in the ledger nor refused."""
        return sum(one.waiting for one in self.partitions)

    @property
    def lost(self) -> int:
        """Offsets because of which the intake does not go on."""
        return sum(one.lost for one in self.partitions)


def waiting_inboxes(
    ledger: LedgerApplication, broker: Broker, topics: Topics
) -> tuple[InboxWaiting, ...]:
    """Return what waits in each inbox that there is and that this user may see, by family.

    Raises:
        BrokerError: Kafka does not answer.
    """
    opened = ledger.identity.opened
    ledger_id = "" if opened is None else opened.ledger_id
    names = {topics.inbox(family): family for family in FAMILIES}
    with Admin(broker) as admin:
        identities = admin.identities([*names, *map(dead_letters_of, names)])
    with Source(broker) as source:
        there = [name for name in names if name in identities]
        places = [place for name in there for place in source.partitions(name)]
        starts, ends = source.starts(places), source.ends(places)
    found = []
    for name in there:
        own = {
            p: next_offset(ledger, prefix_of(name, identities[name], p.number))
            for p in places
            if p.topic == name
        }
        behind = {p.number: at for p, at in own.items() if at < ends[p]}
        refused: Mapping[int, set[int]] = {}
        if behind and dead_letters_of(name) in identities:
            refused = settled_offsets(broker, Box(name, identities[name], ledger_id), behind)
        waiting = [
            _partition(p, at, starts[p], ends[p], refused.get(p.number, set()))
            for p, at in own.items()
        ]
        found.append(InboxWaiting(family=names[name], topic=name, partitions=tuple(waiting)))
    return tuple(found)


def _partition(
    place: Partition, at: int, start: int, end: int, refused: set[int]
) -> PartitionWaiting:
    """Return what waits in a partition.

    Args:
        place: the partition.
        at: offset at which the ledger goes on.
        start: first offset that is still there.
        end: offset behind the last message.
        refused: offsets from `at` on that were refused; those in front of `start` are not lost.
    """
    begin = max(at, start)
    gone = sum(offset < begin for offset in refused)
    return PartitionWaiting(
        partition=place.number,
        next_offset=at,
        end=end,
        waiting=max(end - begin - sum(begin <= offset < end for offset in refused), 0),
        lost=at - end if at > end else begin - at - gone,
    )
