"""Names of the topics and how a topic must be set up.

Invariants:
1. The topic of a record follows from the record alone: governed events have one topic with one
   partition, facts one topic for each family.

Source: docs/formats/message.md, section 1; docs/kafka.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ledger.facts.families import FAMILIES
from ledger.records import PendingRecord, RecordKind

PREFIX: Final = "registro"
"""First word of every topic unless the setting `kafka_prefix` says otherwise."""
VERSION: Final = "v1"
FACTS_PARTITIONS: Final = 4
"""Partitions of a new topic of facts; a topic keeps the number it was made with."""
MESSAGE_BYTES_MAX: Final = 8 * 2**20
"""Largest message and largest batch of messages, in bytes."""
FRAME_BYTES: Final = 64 * 2**10
"""What Kafka adds around a batch, at most."""
COMPRESSION: Final = "zstd"
"""What the broker keeps, whatever a sender compresses with: our client cannot read every kind, and
one batch that it cannot read would stop it for ever."""
_STREAM_PARTS: Final = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Topics:
    """The topics of one ledger."""

    prefix: str = PREFIX

    @property
    def events(self) -> str:
        """Topic of governed events."""
        return f"{self.prefix}.events.{VERSION}"

    def facts(self, family: str) -> str:
        """Return the topic of a family of facts."""
        return f"{self.prefix}.facts.{family}.{VERSION}"

    def inbox(self, family: str) -> str:
        """Return the topic from which facts of a family are taken in."""
        return f"{self.prefix}.inbox.{family}.{VERSION}"

    @property
    def all(self) -> tuple[str, ...]:
        """Every topic that is published to, events first."""
        return (self.events, *(self.facts(family) for family in FAMILIES))

    def of(self, record: PendingRecord) -> str:
        """Return the topic of a record.

        Raises:
            ValueError: it is a block of no known family.
        """
        if record.kind is RecordKind.EVENT:
            return self.events
        return self.facts(family_of_stream(record.stream))


def dead_letters_of(topic: str) -> str:
    """Return the topic that keeps the refused messages of a topic."""
    return f"{topic}.dlq"


def family_of_stream(stream: str) -> str:
    """Return the family in the name of a stream of blocks, `facts/<family>/<source>`.

    Raises:
        ValueError: it is no such name.
    """
    parts = stream.split("/", _STREAM_PARTS - 1)
    if len(parts) != _STREAM_PARTS or parts[0] != "facts" or parts[1] not in FAMILIES:
        raise ValueError(f"stream {stream!r} is of no known family of facts")
    return parts[1]


def settings_of(*, insync: int) -> Mapping[str, str]:
    """Return the settings that every topic must have.

    Args:
        insync: how many replicas must hold a message before it counts as written, at least 1.
    """
    return {
        "cleanup.policy": "delete",
        "retention.ms": "-1",
        "retention.bytes": "-1",
        "unclean.leader.election.enable": "false",
        "compression.type": COMPRESSION,
        "min.insync.replicas": str(insync),
        "max.message.bytes": str(MESSAGE_BYTES_MAX + FRAME_BYTES),
    }
