"""Ranges of a store: each worker opens the database and reads its part.

Invariants:
1. A worker reads only what the one who asked would have read: same ledger, same records up to the
   end of its range. Anything else is refused.

Source: docs/adr/0010-read-models.md, docs/adr/0017-distributed.md.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from ledger.application import LedgerApplication
from ledger.clock import SystemClock, SystemEntropy
from ledger.records import StoredRecord
from ledger.store.engine import file_of, open_engine, store_url
from ledger.store.reader import RecordReader
from ledger.store.store import Store
from ledger.types import Position
from projections.runner.engines import WorkerMismatchError, here, ranges
from projections.runner.folding import record_batches


@dataclass(frozen=True, kw_only=True, slots=True)
class StoreSlice:
    """A range of the records of a store."""

    url: str = field(repr=False)
    """Of the store; not shown, since engines write what they run into their logs."""
    after: int
    """Exclusive lower bound."""
    through: int
    """Inclusive upper bound."""
    ledger_id: str = ""
    """Of the ledger that is meant; empty to take any."""
    mark: str = ""
    """`mark_of` the last record of the range; empty to take any."""

    @contextmanager
    def open(self) -> Iterator["StoreReader"]:
        """Open the store, as long as the context.

        Raises:
            WorkerMismatchError: it has another ledger, or other records.
            LedgerMissingError: there is none.
        """
        clock, entropy = SystemClock(), SystemEntropy()
        engine = open_engine(store_url(self.url), read_only=True)
        try:
            store = Store(engine, clock=clock, entropy=entropy)
            ledger = LedgerApplication.open(store, clock=clock, entropy=entropy)
            if self.ledger_id and self.ledger_id != id_of(ledger):
                raise WorkerMismatchError(worker=here(), what="the ledger")
            if self.mark and self.mark != mark_of(store, self.through):
                raise WorkerMismatchError(worker=here(), what=f"record {self.through}")
            yield StoreReader(store=store, after=self.after, through=self.through)
        finally:
            engine.dispose()


@dataclass(frozen=True, kw_only=True, slots=True)
class StoreReader:
    """Reads a range of an open store."""

    store: Store
    after: int
    through: int

    def records(self) -> Iterator[StoredRecord]:
        """Yield the records of the range.

        Raises:
            PositionGapError: one is missing.
            StoredEventDecodeError: one cannot be read.
        """
        for batch in record_batches(self.store, Position(self.after), Position(self.through)):
            yield from batch

    def report(self) -> None:
        """Return nothing: a store holds records and nothing beside them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FrozenStore:
    """The records of a store up to a position."""

    ledger: LedgerApplication
    url: str = field(repr=False)
    """Path or SQLAlchemy URL of its store, under which workers open it."""
    head: Position

    @property
    def shared(self) -> bool:
        """Whether other processes can open it: not when it is in memory."""
        return everywhere(self.url) is not None

    def slices(self, count: int) -> Sequence[StoreSlice]:
        """Return about so many ranges of about as many records.

        Args:
            count: how many are wanted, at least 1.
        """
        ledger_id, url = id_of(self.ledger), everywhere(self.url) or self.url
        return [
            StoreSlice(
                url=url,
                after=after,
                through=through,
                ledger_id=ledger_id,
                mark=mark_of(self.ledger.store, through),
            )
            for after, through in ranges(self.head, count)
        ]

    def judge(self, reports: Sequence[object]) -> None:
        """Find nothing to object to: each reader was sure of its range."""


def everywhere(url: str) -> str | None:
    """Return the place of a store as other machines can open it; None for one in memory.

    A path becomes absolute: the workers see the same folder, or say that there is no ledger.
    """
    parsed = store_url(url)
    if parsed.get_backend_name() != "sqlite":
        return parsed.render_as_string(hide_password=False)
    file = file_of(parsed)
    return None if file is None else str(file.absolute())


def mark_of(reader: RecordReader, position: int) -> str:
    """Return the commitment that is stored with a record, as text; empty when there is none.

    Whether it is right is for the fold to find out; here it only tells two stores apart.
    """
    found = reader.raw_rows(after=position - 1, limit=1)
    return repr(found[0].commitment) if found and found[0].position == position else ""


def id_of(ledger: LedgerApplication) -> str:
    """Return the identity of a ledger; empty before it is opened."""
    opened = ledger.identity.opened
    return "" if opened is None else opened.ledger_id
