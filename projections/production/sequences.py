"""Gaps in the sequence of a source's batches: a batch that was never sent is a hole in the year.

Only sources that were declared sequential are looked at: their batches are named by whole numbers.

Source: docs/production.md.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from ledger.events.production import FactSourceDeclared
from ledger.feed import FactBlock, RecordedEvent


@dataclass(frozen=True, kw_only=True, slots=True)
class SequenceGap:
    """Numbers between the first and the last batch of a source under which nothing came."""

    source: str
    first: int
    """First number that is missing."""
    last: int
    """Last number that is missing, inclusive."""


@dataclass(frozen=True, kw_only=True, slots=True)
class UnnumberedBatch:
    """A batch of a sequential source whose name is no whole number."""

    source: str
    batch: str
    position: int


def sequence_gaps(
    events: Iterable[RecordedEvent],
) -> tuple[tuple[SequenceGap, ...], tuple[UnnumberedBatch, ...]]:
    """Return the gaps of sequential sources, and batches that have no number.

    A source that sends several families numbers its batches through all of them.
    """
    sequential: set[str] = set()
    numbers: dict[str, set[int]] = {}
    unnumbered: list[UnnumberedBatch] = []
    for recorded in events:
        match recorded.event:
            case FactSourceDeclared() as event if event.sequential:
                sequential.add(event.source)
            case FactBlock() if recorded.append.part == 0:
                _, _, source, batch = recorded.append.key.split("/", 3)
                if source not in sequential:
                    continue
                if batch.isdecimal():
                    numbers.setdefault(source, set()).add(int(batch))
                else:
                    found = UnnumberedBatch(source=source, batch=batch, position=recorded.position)
                    unnumbered.append(found)
            case _:
                pass
    gaps = [
        SequenceGap(source=source, first=before + 1, last=after - 1)
        for source, sent in sorted(numbers.items())
        for before, after in pairwise(sorted(sent))
        if after > before + 1
    ]
    return tuple(gaps), tuple(unnumbered)
