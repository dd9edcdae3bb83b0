"""Where to cut the topics so that each part can be read on its own: positions and their offsets.

In a partition positions rise, apart from messages that stand there twice, are forged or are not of
the ledger. So the offset of a position is found by bisection, from a few looks.

Invariants:
1. Everything found here is a hint. An offset that is too early costs time; one that is too late is
   found out by the reader (`ledger.kafka.slices`), who misses a record and goes back.
2. In doubt an offset is taken that is earlier.
3. Offsets of a partition do not fall from one seam to the next: every message is between two.

Source: docs/adr/0017-distributed.md; docs/formats/message.md, section 5.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from ledger.kafka.client.connection import Partition

LOOKS_PER_PART: Final = 2
"""Looks for each part that is wanted, to find positions that cut the messages evenly."""
CLOSE_ENOUGH: Final = 512
"""Messages that are read in vain rather than looked for: less than one batch of a publisher."""
PARTS_IN_VAIN: Final = 16
"""Of a part, the share of messages that may be read in vain."""
_STEP: Final = 4
"""By what the way back from the end grows."""

Look = Callable[[Partition, int], int | None]
"""Returns the largest position among a few messages from an offset on; None where none of them is
of the ledger."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Seam:
    """A place where the ledger is cut."""

    after: int
    """Last position in front of it."""
    begins: Mapping[Partition, int]
    """Offsets at or before the first message of a later position, by partition."""


@dataclass(kw_only=True, slots=True)
class Looks:
    """What was seen of partitions; nothing is looked at twice."""

    look: Look
    ends: Mapping[Partition, int]
    """Offset behind the last message, by partition."""
    _seen: dict[Partition, dict[int, int | None]] = field(default_factory=dict)

    def at(self, place: Partition, offset: int) -> int | None:
        """Return what `Look` does."""
        seen = self._seen.setdefault(place, {})
        if offset not in seen:
            seen[offset] = self.look(place, offset)
        return seen[offset]

    def begin(self, place: Partition, after: int, *, least: int, near: int) -> int:
        """Return an offset at or before the first message of a later position.

        Args:
            place: a partition.
            after: the position.
            least: offset that is early enough.
            near: how close is close enough.
        """
        known = sorted((o, p) for o, p in self._seen.get(place, {}).items() if p is not None)
        low, high = least, self.ends[place]
        high = min((o for o, p in known if p > after and o >= low), default=high)
        low = max((o for o, p in known if p <= after and low <= o < high), default=low)
        while high - low > near:
            middle = (low + high) // 2
            position = self.at(place, middle)
            if position is None or position > after:
                high = middle
            else:
                low = middle
        return low

    def begin_near_end(self, place: Partition, after: int, *, least: int) -> int:
        """Return what `begin` does, for a position near the last one: looks from the end.

        Args:
            place: a partition.
            after: the position.
            least: so many messages lie behind the offset in any case: more than may be there twice.
        """
        end, step = self.ends[place], least
        while step < end:
            position = self.at(place, end - step)
            if position is not None and position <= after:
                return end - step
            step *= _STEP
        return 0


def cut(looks: Looks, *, head: int, parts: int) -> Sequence[Seam]:
    """Return the seams that cut a ledger into parts of about as many messages, the first at 0.

    Args:
        looks: of the partitions.
        head: last position.
        parts: how many are wanted, at least 1; there are fewer where positions do not suffice.
    """
    total = sum(looks.ends.values())
    near = max(CLOSE_ENOUGH, total // (parts * PARTS_IN_VAIN))
    begins = dict.fromkeys(looks.ends, 0)
    seams = [Seam(after=0, begins=begins)]
    for after in _even(looks, head=head, parts=parts):
        begins = {
            place: looks.begin(place, after, least=least, near=near)
            for place, least in begins.items()
        }
        seams.append(Seam(after=after, begins=begins))
    return seams


def _even(looks: Looks, *, head: int, parts: int) -> Sequence[int]:
    """Return positions between 0 and the head that cut the messages evenly, as far as is seen."""
    if parts == 1:
        return ()
    total = sum(looks.ends.values())
    stride = max(total // (parts * LOOKS_PER_PART), 1)
    found: list[int] = []
    for place, end in looks.ends.items():
        for offset in range(stride // 2, end, stride):
            position = looks.at(place, offset)
            if position is not None and 0 < position <= head:
                found.append(position)
    found.sort()
    wanted = (found[len(found) * part // parts] - 1 for part in range(1, parts) if found)
    return sorted({after for after in wanted if 0 < after < head})
