"""From counts to rows: how many facts a pair has on a day, and the rows of one batch of them.

A cell is a pair of unit and product on one day. Rows are made from a stretch of cells at a time, so
memory depends on the number of cells of a month and on the size of a batch, never on the number of
facts.

Invariants:
1. The rows of a month's cells are exactly its facts, and their pieces its pieces.
2. Cells stand day by day, and so do the rows.

Source: docs/production.md.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from app.simulator.apportion import Longs, spread

ROWS_MAX: Final = 200_000
"""Most rows of one batch."""

LATE_PER_THOUSAND: Final = 5
"""Facts that arrive with the batches of the month after."""

_THOUSAND: Final = 1000


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Cells:
    """Vectors of one length, one element per cell that has facts."""

    pair: Longs
    day: Longs
    """Days since 1 January 1970."""
    count: Longs
    """Facts; above 0."""
    extra: Longs
    """Facts of two pieces, the first ones of the cell."""

    @property
    def rows(self) -> int:
        """Number of facts."""
        return int(self.count.sum())


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Rows:
    """Facts of one stretch, as vectors of one length."""

    first: int
    """Place of the first in all rows of the cells, 0-based."""
    pair: Longs
    day: Longs
    pieces: Longs


def month_cells(
    facts: Longs, extra: Longs, day: Longs, weights: Longs, rng: np.random.Generator
) -> Cells:
    """Return the cells of a month.

    Args:
        facts: facts of each pair.
        extra: of these, facts of two pieces; at most as many.
        day: the days.
        weights: relative activity of each day; their sum above 0.
        rng: draws how pairs fall over the days.
    """
    noisy = weights * rng.integers(90, 111, weights.size)
    count = spread(facts, noisy[None, :], rng.integers(0, 1 << 30, facts.size))
    ends = np.cumsum(count, axis=1)
    double = np.diff(ends * extra[:, None] // np.maximum(facts, 1)[:, None], axis=1, prepend=0)
    return _filled(
        np.tile(np.arange(facts.size, dtype=np.int64), day.size),
        np.repeat(day, facts.size),
        count.T.reshape(-1),
        double.T.reshape(-1),
    )


def split_late(cells: Cells, rng: np.random.Generator) -> tuple[Cells, Cells]:
    """Return the cells of what arrives in time and of what arrives late."""
    marks = np.cumsum(cells.count) * LATE_PER_THOUSAND + rng.integers(0, _THOUSAND)
    late = np.diff(marks // _THOUSAND, prepend=0)
    punctual = cells.count - late
    double = np.minimum(cells.extra, punctual)
    return (
        _filled(cells.pair, cells.day, punctual, double),
        _filled(cells.pair, cells.day, late, cells.extra - double),
    )


def join(first: Cells, second: Cells) -> Cells:
    """Return the cells of both, in this order."""
    return Cells(
        pair=np.concatenate((first.pair, second.pair)),
        day=np.concatenate((first.day, second.day)),
        count=np.concatenate((first.count, second.count)),
        extra=np.concatenate((first.extra, second.extra)),
    )


def no_cells() -> Cells:
    """Return cells without facts."""
    none = np.zeros(0, np.int64)
    return Cells(pair=none, day=none, count=none, extra=none)


def rows_of(cells: Cells, size: int = ROWS_MAX) -> Iterator[Rows]:
    """Yield all facts of the cells, at most `size` at a time, in order."""
    ends = np.cumsum(cells.count)
    starts = ends - cells.count
    total = cells.rows
    for first in range(0, total, size):
        last = min(first + size, total)
        begin = int(np.searchsorted(ends, first, side="right"))
        end = int(np.searchsorted(ends, last, side="left")) + 1
        inside = np.minimum(ends[begin:end], last) - np.maximum(starts[begin:end], first)
        cell = np.repeat(np.arange(begin, end, dtype=np.int64), inside)
        place = np.arange(first, last, dtype=np.int64) - starts[cell]
        yield Rows(
            first=first,
            pair=cells.pair[cell],
            day=cells.day[cell],
            pieces=1 + (place < cells.extra[cell]).astype(np.int64),
        )


def _filled(pair: Longs, day: Longs, count: Longs, extra: Longs) -> Cells:
    """Return the cells that have facts."""
    filled = count > 0
    return Cells(pair=pair[filled], day=day[filled], count=count[filled], extra=extra[filled])
