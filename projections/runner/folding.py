"""Fold a range of records with one projection: the work of one worker.

Reading, checking and decoding go over threads inside a process: hashing, decompression and the
native reader release the interpreter lock.

Invariant: the rows of a range do not depend on how many records were read at once.

Source: docs/adr/0011-read-models.md.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import polars as pl

from ledger.application import LedgerApplication
from ledger.errors import LedgerError, ProjectionError
from ledger.feed import FactBlock, read_all
from ledger.records import RecordKind, StoredRecord
from ledger.types import Position
from projections.runner.contract import Batch, Delta, Fold, Projection
from schemas.errors import SchemaError

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
        return _fold_facts(ledger, projection, after, through, threads)
    batches = event_batches(ledger, after, through)
    return fold_batches(projection, projection.fold, batches, through=through)


def fold_batches(
    projection: Projection,
    fold: Fold,
    batches: Iterator[Batch],
    *,
    through: Position,
) -> Folded:
    """Fold batches of governed events one after the other."""
    parts: list[pl.DataFrame] = []
    events = 0
    for batch in batches:
        delta = _folded(projection, fold, batch)
        parts.append(delta.rows)
        events += sum(_count(recorded.event) for recorded in batch.events)
    rows = projection.merge(parts) if parts else pl.DataFrame(schema=dict(projection.schema))
    return Folded(rows=rows, position=through, events=events, fallbacks=0)


def _folded(projection: Projection, fold: Fold, batch: Batch) -> Delta:
    try:
        return fold(batch)
    except (LedgerError, SchemaError, ValueError, TypeError, ArithmeticError, KeyError) as error:
        positions = [
            *(one.position for one in batch.blocks),
            *(one.position for one in batch.events),
        ]
        raise _poison(projection, positions, error) from error


def _poison(projection: Projection, positions: list[Position], error: Exception) -> ProjectionError:
    named = error.facts.get("position") if isinstance(error, LedgerError) else None
    return ProjectionError(
        projection=projection.name,
        position=named or min(positions, default=0),
        reason=str(error),
    )


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


def _fold_facts(
    ledger: LedgerApplication,
    projection: Projection,
    after: Position,
    through: Position,
    threads: int,
) -> Folded:
    parts: list[pl.DataFrame] = []
    events = fallbacks = merged = 0
    with ThreadPoolExecutor(threads) as pool:
        waiting = []
        for records in _record_batches(ledger, after, through):
            events += sum(one.record.event_count for one in records)
            blocks = [one for one in records if one.record.kind is RecordKind.BLOCK]
            if not blocks:
                continue
            batch = Batch(events=(), blocks=blocks)
            waiting.append(pool.submit(_folded, projection, projection.fold, batch))
            if len(waiting) > threads:
                delta = waiting.pop(0).result()
                parts.append(delta.rows)
                fallbacks += delta.fallbacks
            if sum(part.height for part in parts) > max(ROWS_TO_MERGE, 2 * merged):
                parts = [projection.merge(parts)]
                merged = parts[0].height
        for one in waiting:
            delta = one.result()
            parts.append(delta.rows)
            fallbacks += delta.fallbacks
    return Folded(
        rows=projection.merge(parts), position=through, events=events, fallbacks=fallbacks
    )


def _record_batches(
    ledger: LedgerApplication, after: Position, through: Position
) -> Iterator[tuple[StoredRecord, ...]]:
    while after < through:
        records = ledger.store.read(after=after, through=through, limit=BLOCKS_AT_ONCE)
        if not records or records[0].position != after + 1:
            found = records[0].position if records else "nothing"
            raise ProjectionError(
                projection="-", position=after + 1, reason=f"the record is missing, found {found}"
            )
        yield records
        after = records[-1].position
