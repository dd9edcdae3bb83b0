"""What a rebuild asks of a ledger that it folds in ranges, wherever its records are.

A frozen ledger ends at a head that does not move. It is cut into ranges; each travels to a worker,
which opens it where the worker stands. So neither the runner nor an engine knows whether records
come from a store (`projections.runner.store_place`) or from topics (`ledger.kafka.frozen`, which
is handed in by `app`).

Invariants:
1. The ranges of a frozen ledger cover 1 to its head, each position once, in order.
2. A reader gives its whole range or an error.
3. What the readers saw beside the records comes back as reports, and is judged before rows are
   used.

Source: docs/adr/0017-distributed.md.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from ledger.records import StoredRecord
from ledger.types import Position


class RangeReader(Protocol):
    """Reads one range, once."""

    def records(self) -> Iterator[StoredRecord]:
        """Yield the records of the range, dense and in order.

        Raises:
            LedgerError: one cannot be read.
        """

    def report(self) -> object:
        """Return what was seen beside the records, for the one who cut the range.

        It travels, and nobody else looks into it. Asked once all records were read.
        """


class Slice(Protocol):
    """A range of records that whoever folds it opens; it can be pickled."""

    @property
    def after(self) -> int:
        """Exclusive lower bound."""

    @property
    def through(self) -> int:
        """Inclusive upper bound."""

    def open(self) -> AbstractContextManager[RangeReader]:
        """Open the range where it is folded.

        Raises:
            LedgerError: it cannot be read there.
        """


class Frozen(Protocol):
    """A ledger up to a head that does not move."""

    @property
    def head(self) -> Position:
        """Last position."""

    @property
    def shared(self) -> bool:
        """Whether other processes can open it."""

    def slices(self, count: int) -> Sequence[Slice]:
        """Return ranges that cover 1 to the head, in order.

        Args:
            count: about how many are wanted, at least 1.
        """

    def judge(self, reports: Sequence[object]) -> None:
        """Judge what the readers of all ranges saw, in order of the ranges.

        Raises:
            LedgerError: together they show what no single one could; the rows are not to be used.
        """
