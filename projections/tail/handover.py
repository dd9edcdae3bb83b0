"""What the members of a group hand to each other: where things stand, windows, shares, moves.

Source: docs/adr/0018-live-tail.md.
"""

from dataclasses import dataclass, field
from typing import Final

from ledger.kafka.client.connection import Partition
from ledger.kafka.message import Address

NOWHERE: Final = Address(0, 0)
"""Address of the last message where none was taken."""


class HandedOnError(Exception):
    """Others have this work now, or began anew: look where things stand, and go on there."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """What the members of one projection have in common."""

    projection: str
    generation: int
    merged: int
    """Position up to which the generation was fed."""
    epoch: int
    """How often the group began anew."""
    doubtful: int
    """Up to this position every message is compared with the ledger."""
    reread: int
    """Up to this position the topics were read from their beginning, in search of facts."""
    release: str
    """Whose folds make the shares."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """The group and the generation that readers see, at one moment."""

    group: Group | None
    generation: int | None
    position: int
    release: str
    """Which made the generation; empty where there is none."""

    @property
    def in_step(self) -> bool:
        """Whether the group goes on where the generation stands."""
        return self.group is not None and (self.group.generation, self.group.merged) == (
            self.generation,
            self.position,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """A range of positions that becomes visible at once."""

    after: int
    """Exclusive."""
    through: int
    """Inclusive."""
    facts: int
    """Facts that the ledger holds there."""
    events: int
    """The same, and its governed events."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Pending:
    """What is planned and not merged yet."""

    merged: int
    """Position up to which everything is visible."""
    windows: tuple[Window, ...]
    """Behind it, in order."""

    @property
    def through(self) -> int:
        """Position up to which there are windows."""
        return self.windows[-1].through if self.windows else self.merged


@dataclass(frozen=True, kw_only=True, slots=True)
class Reach:
    """How far a partition was read."""

    offset: int
    """Read next."""
    address: Address
    """Greatest one taken."""
    topic_id: str = ""
    """What the topic is known by that was read; one that is made anew has another."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Share:
    """What some messages of one partition give for a window."""

    place: Partition
    through: int
    """Of the window."""
    offset: int
    """First offset of them."""
    facts: int
    fallbacks: int
    """Tables that the reference decoder had to read."""
    cells: bytes = field(repr=False)
    """Arrow IPC."""
    seen: bytes = field(repr=False)
    """What the cells were made of, see `projections.tail.shares`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Move:
    """A partition that was read on."""

    place: Partition
    before: int
    """Offset that was read next when the member began."""
    offset: int
    """Offset that is read next now."""
    address: Address
