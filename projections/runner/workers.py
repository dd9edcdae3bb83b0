"""Fold frozen ranges of records in processes of their own.

Records never change, so a range that lies below the head can be folded by anybody at any time; the
results are merged in order of position. A range that fails names its record and ends the fold.

Source: docs/adr/0010-read-models.md.
"""

import io
import multiprocessing
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from typing import Final

import polars as pl

from ledger.application import LedgerApplication
from ledger.clock import SystemClock, SystemEntropy
from ledger.errors import LedgerError
from ledger.store.engine import open_engine, store_url
from ledger.store.store import Store
from ledger.types import Position
from projections.runner.contract import Projection
from projections.runner.folding import Folded, fold_range

RANGES_PER_WORKER: Final = 4
"""Ranges per worker: enough to even out, few enough that merging costs nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Part:
    rows: bytes
    """Arrow IPC."""
    events: int
    fallbacks: int


@dataclass(frozen=True, kw_only=True, slots=True)
class _Failed:
    """An error of a worker: its class takes its facts by name, which pickle does not know."""

    kind: type[LedgerError]
    facts: dict[str, str]


def ranges(head: int, count: int) -> list[tuple[int, int]]:
    """Return up to `count` ranges (exclusive, inclusive) that cover 1 to `head`."""
    count = max(1, min(count, head))
    bounds = [head * part // count for part in range(count + 1)]
    return [(bounds[part], bounds[part + 1]) for part in range(count)]


def fold_parallel(
    url: str,
    projection: Projection,
    *,
    head: Position,
    workers: int,
    progress: Callable[[int, int], None] = lambda _done, _head: None,
) -> Folded:
    """Fold all records up to a position on several processes.

    Args:
        url: path or SQLAlchemy URL of the ledger's store.
        projection: one of the released read models, whose ranges may be folded apart.
        head: last record.
        workers: number of processes.
        progress: told of every range that is done, in order.

    Raises:
        ProjectionError: a record cannot be read or folded.
    """
    context = multiprocessing.get_context("spawn")
    parts: list[pl.DataFrame] = []
    events = fallbacks = 0
    cut = ranges(head, workers * RANGES_PER_WORKER)
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        waiting = [pool.submit(_fold, url, projection.name, *bounds) for bounds in cut]
        try:
            for (_, last), future in zip(cut, waiting, strict=True):
                part = _taken(future)
                parts.append(pl.read_ipc(io.BytesIO(part.rows)))
                events += part.events
                fallbacks += part.fallbacks
                progress(last, head)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return Folded(rows=projection.merge(parts), position=head, events=events, fallbacks=fallbacks)


def _taken(future: Future[_Part | _Failed]) -> _Part:
    """Return what a worker gave; raise its error here as it was raised there."""
    part = future.result()
    if isinstance(part, _Failed):
        raise part.kind(**part.facts)
    return part


def _fold(url: str, name: str, after: int, through: int) -> _Part | _Failed:
    """Fold one range, in a process of its own."""
    try:
        return _part(url, name, after, through)
    except LedgerError as error:
        return _Failed(kind=type(error), facts=dict(error.facts))


def _part(url: str, name: str, after: int, through: int) -> _Part:
    from projections.runner.models import PROJECTIONS  # noqa: PLC0415 - the models import the runner's contract

    clock, entropy = SystemClock(), SystemEntropy()
    store = Store(open_engine(store_url(url), read_only=True), clock=clock, entropy=entropy)
    ledger = LedgerApplication.open(store, clock=clock, entropy=entropy)
    folded = fold_range(
        ledger,
        PROJECTIONS[name],
        after=Position(after),
        through=Position(through),
        threads=1,
    )
    buffer = io.BytesIO()
    folded.rows.write_ipc(buffer, compression="lz4")
    return _Part(rows=buffer.getvalue(), events=folded.events, fallbacks=folded.fallbacks)
