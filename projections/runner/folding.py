"""Fold a range of records with one projection: the work of one worker.

Reading, checking and decoding go over threads inside a process: hashing, decompression and the
native reader release the interpreter lock.

Invariant: the rows of a range do not depend on how many records were read at once.

Source: docs/adr/0010-read-models.md.
"""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from typing import Final, TypeVar

import polars as pl

from ledger.application import LedgerApplication
from ledger.errors import PositionGapError, ProjectionError, StoredEventDecodeError
from ledger.feed import FactBlock, read_all
from ledger.records import RecordKind, StoredRecord
from ledger.store.reader import RecordReader
from ledger.types import BEFORE_FIRST, Position
from projections.runner.contract import Batch, Delta, Fold, Projection
from projections.runner.poison import UNFOLDABLE, poison, position_of

T = TypeVar("T")

BLOCKS_AT_ONCE: Final = 128
"""Blocks that are folded as one table: the more facts, the fewer cells each gives (measured)."""
EVENTS_AT_ONCE: Final = 2000
ROWS_TO_MERGE: Final = 2_000_000
"""Cells that are held before they are merged: bounds the memory of a fold."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Folded:
    """What the records of a range give."""

    rows: pl.DataFrame
    position: Position
    """Last record of the range."""
    events: int
    fallbacks: int


def fold_range(
    ledger: LedgerApplication,
    projection: Projection,
    *,
    after: Position,
    through: Position,
    threads: int = 2,
) -> Folded:
    """Fold the records of a range.

    Args:
        ledger: to read from.
        projection: what to fold with; one whose ranges may be folded apart.
        after: exclusive lower bound.
        through: inclusive upper bound.
        threads: at most so many batches at a time.

    Raises:
        ProjectionError: a record cannot be read or folded; it names the position.
    """
    if projection.facts:
        records = (one for batch in record_batches(ledger.store, after, through) for one in batch)
        return fold_records(projection, records, through=through, threads=threads)
    batches = event_batches(ledger, after, through)
    return fold_batches(projection, projection.fold, batches, through=through)


def fold_from_first(
    ledger: LedgerApplication, projection: Projection, *, through: Position
) -> Folded:
    """Fold everything up to a position in this process, whatever the projection.

    Raises:
        ProjectionError: a record cannot be read or folded; it names the position.
    """
    if projection.fresh is None:
        return fold_range(ledger, projection, after=BEFORE_FIRST, through=through)
    batches = event_batches(ledger, BEFORE_FIRST, through)
    return fold_batches(projection, projection.fresh(), batches, through=through)


def fold_batches(
    projection: Projection,
    fold: Fold,
    batches: Iterator[Batch],
    *,
    through: Position,
) -> Folded:
    """Fold batches of governed events one after the other.

    Raises:
        ProjectionError: a record cannot be read or folded; it names the position.
    """
    parts: list[pl.DataFrame] = []
    events = 0
    for batch in _readable(projection, batches):
        delta = _folded(projection, fold, batch)
        parts.append(delta.rows)
        events += sum(_count(recorded.event) for recorded in batch.events)
    rows = projection.merge(parts) if parts else pl.DataFrame(schema=dict(projection.schema))
    return Folded(rows=rows, position=through, events=events, fallbacks=0)


def _readable(projection: Projection, items: Iterator[T]) -> Iterator[T]:
    """Yield what is read from the ledger; name the projection when a record cannot be read."""
    try:
        yield from items
    except (StoredEventDecodeError, PositionGapError) as error:
        raise poison(projection.name, error) from error


def _folded(projection: Projection, fold: Fold, batch: Batch) -> Delta:
    try:
        return fold(batch)
    except ProjectionError:
        raise
    except UNFOLDABLE as error:
        named = position_of(error)
        if named is None:
            named = _guilty(projection, fold, batch)
        raise poison(projection.name, error, position=named) from error


def _guilty(projection: Projection, fold: Fold, batch: Batch) -> Position:
    """Return the last record of the shortest beginning of a batch that cannot be folded."""
    items = batch.blocks or batch.events
    if not projection.parallel:
        # A fold with state cannot be asked again; those of this program name the record.
        return items[0].position
    low, high = 0, len(items) - 1
    while low < high:
        middle = (low + high) // 2
        until = middle + 1
        try:
            fold(Batch(events=batch.events[:until], blocks=batch.blocks[:until]))
        except UNFOLDABLE:
            high = middle
        else:
            low = until
    return items[low].position


def _count(event: object) -> int:
    return event.count if isinstance(event, FactBlock) else 1


def event_batches(ledger: LedgerApplication, after: Position, through: Position) -> Iterator[Batch]:
    """Yield the governed events of a range, some at a time; blocks come as `FactBlock`."""
    held = []
    for recorded in read_all(ledger, after=after, through=through):
        held.append(recorded)
        if len(held) >= EVENTS_AT_ONCE:
            yield Batch(events=held, blocks=())
            held = []
    if held:
        yield Batch(events=held, blocks=())


def fold_records(
    projection: Projection,
    records: Iterator[StoredRecord],
    *,
    through: Position,
    threads: int,
) -> Folded:
    """Fold the blocks among records, wherever these come from.

    Args:
        projection: what to fold with; one of facts, whose ranges may be folded apart.
        records: of a range, in order of position.
        through: last position of the range.
        threads: at most so many batches at a time.

    Raises:
        ProjectionError: a record cannot be read or folded; it names the position.
    """
    events = 0
    sums = _Sums(projection=projection)
    with ThreadPoolExecutor(threads) as pool:
        waiting: list[Future[Delta]] = []
        try:
            for batch in _readable(projection, _batched(records)):
                events += sum(one.record.event_count for one in batch)
                blocks = [one for one in batch if one.record.kind is RecordKind.BLOCK]
                if blocks:
                    waiting.append(
                        pool.submit(
                            _folded, projection, projection.fold, Batch(events=(), blocks=blocks)
                        )
                    )
                if len(waiting) > threads:
                    sums.add(waiting[0].result())
                    waiting.pop(0)
        finally:
            # Also when a later record cannot be read: of several errors the first one is told.
            for one in waiting:
                sums.add(one.result())
    return Folded(rows=sums.rows(), position=through, events=events, fallbacks=sums.fallbacks)


def _batched(records: Iterator[StoredRecord]) -> Iterator[tuple[StoredRecord, ...]]:
    while batch := tuple(islice(records, BLOCKS_AT_ONCE)):
        yield batch


@dataclass(kw_only=True, slots=True, eq=False)
class _Sums:
    """Cells of the batches so far, merged now and then."""

    projection: Projection
    parts: list[pl.DataFrame] = field(default_factory=list)
    fallbacks: int = 0
    merged: int = 0
    """Cells that the last merge left."""

    def add(self, delta: Delta) -> None:
        """Add the cells of a batch."""
        self.parts.append(delta.rows)
        self.fallbacks += delta.fallbacks
        if sum(part.height for part in self.parts) > max(ROWS_TO_MERGE, 2 * self.merged):
            self.parts = [self.rows()]
            self.merged = self.parts[0].height

    def rows(self) -> pl.DataFrame:
        """Return the sum of what was added."""
        return self.projection.merge(self.parts)


def record_batches(
    store: RecordReader, after: Position, through: Position
) -> Iterator[tuple[StoredRecord, ...]]:
    """Yield the records of a range, dense and in order, some at a time.

    Args:
        store: to read from.
        after: exclusive lower bound.
        through: inclusive upper bound.

    Raises:
        PositionGapError: a record is missing.
        StoredEventDecodeError: one cannot be read.
    """
    while after < through:
        records = store.read(after=after, through=through, limit=BLOCKS_AT_ONCE)
        if not records:
            raise PositionGapError(after=after, found=through)
        for record in records:
            if record.position != after + 1:
                raise PositionGapError(after=after, found=record.position)
            after = record.position
        yield records
