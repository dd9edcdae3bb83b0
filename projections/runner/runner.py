"""Keep a read model in step: catch up batch by batch, or rebuild it beside the one that is read.

Invariants:
1. A record that cannot be folded halts the projection at the position before it, with its address;
   nothing is skipped, and the next run tries again.
2. A rebuild never disturbs readers: they see the old generation until the new one has caught up.
3. Rows depend only on the records: the digest is the same for one worker and many, for any batch
   size, after any restart.

Source: docs/adr/0010-read-models.md.
"""

from dataclasses import dataclass
from typing import Final

from ledger.application import LedgerApplication
from ledger.errors import ProjectionError
from ledger.store.store import FaultPoint
from ledger.types import BEFORE_FIRST, Position
from projections.runner.contract import Fold, Projection
from projections.runner.engines import Engine, Progress, is_spread
from projections.runner.folding import (
    Folded,
    event_batches,
    fold_batches,
    fold_from_first,
    fold_range,
)
from projections.runner.poison import poison
from projections.runner.rebuilding import Rebuilt, build
from projections.runner.store_place import FrozenStore
from projections.runner.tables import LIVE
from projections.runner.views import Generation, Views
from projections.runner.workers import ProcessEngine

RECORDS_AT_ONCE: Final = 512
"""Records that one transaction of a catch-up covers."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Lag:
    """How far a projection is behind."""

    projection: str
    position: int
    records: int
    """Records not folded yet."""
    events: int
    """Events in these records."""
    seconds: float
    """Age of the oldest record not folded yet, 0 when there is none."""
    fallbacks: int
    """Blocks of facts that the reference decoder had to read."""
    halted_at: int | None
    halted_reason: str | None


class Runner:
    """Runs projections of one ledger into one database of read models."""

    def __init__(
        self,
        ledger: LedgerApplication,
        views: Views,
        *,
        url: str | None = None,
        fault_point: FaultPoint = lambda _: None,
    ) -> None:
        """Take the ledger and the read models.

        Args:
            ledger: to read from.
            views: to write into.
            url: of the ledger's store, for workers in processes of their own; None works in this
                process alone.
            fault_point: told when records have been folded and nothing has been written yet.
        """
        self._ledger = ledger
        self._views = views
        self._url = url
        self._fault_point = fault_point
        self._fresh: dict[str, tuple[int, Fold]] = {}

    def catch_up(
        self,
        projection: Projection,
        *,
        records: int = RECORDS_AT_ONCE,
        progress: Progress = lambda _done, _head: None,
    ) -> Generation:
        """Fold what is new into the live generation; begin one when there is none.

        Args:
            projection: what to fold with.
            records: how many records one transaction covers.
            progress: told after every transaction.

        Raises:
            ProjectionError: a record cannot be folded, and everything before it was; or another
                runner works on the same generation.
        """
        at = self._views.live(projection.name) or self._views.begin(projection, state=LIVE)
        return self._advance(projection, at, records=records, progress=progress)

    def rebuild(
        self,
        projection: Projection,
        *,
        workers: int = 1,
        engine: Engine | None = None,
        progress: Progress = lambda _done, _head: None,
    ) -> Rebuilt:
        """Build a new generation beside the live one, catch up and swap.

        Args:
            projection: what to fold with.
            workers: processes that fold ranges of records, when no engine is given.
            engine: folds the ranges elsewhere; only facts are worth the way.
            progress: told as ranges are done.

        Raises:
            ProjectionError: a record cannot be folded, or another runner rebuilds the projection;
                the live generation stays as it was.
            EngineError: the engine cannot fold; the live generation stays as it was.
            ReadModelAheadError: the live generation covers more records than there are.
        """
        if engine is None and workers > 1:
            engine = ProcessEngine(workers=workers)
        return build(
            self._views,
            projection,
            head=self._ledger.head,
            fold=lambda head: self._fold_all(projection, head, engine, progress),
            advance=lambda at: self._advance(
                projection, at, records=RECORDS_AT_ONCE, progress=progress
            ),
            fault_point=self._fault_point,
        )

    def lag(self, projection: Projection) -> Lag:
        """Return how far the live generation is behind the ledger."""
        live = self._views.live(projection.name)
        position = Position(0 if live is None else live.position)
        store = self._ledger.store
        pending = store.pending(position)
        now = self._ledger.clock.now()
        age = 0.0 if pending.since is None else (now - pending.since).total_seconds()
        return Lag(
            projection=projection.name,
            position=position,
            records=pending.records,
            events=pending.events,
            seconds=max(age, 0.0),
            fallbacks=0 if live is None else live.fallbacks,
            halted_at=None if live is None else live.halted_at,
            halted_reason=None if live is None else live.halted_reason,
        )

    def _fold_all(
        self, projection: Projection, head: Position, engine: Engine | None, progress: Progress
    ) -> Folded:
        # Governed events are few: starting processes would take longer than folding them.
        if engine is not None and self._url is not None and is_spread(projection):
            ledger = FrozenStore(ledger=self._ledger, url=self._url, head=head)
            return engine.fold(ledger, projection, progress=progress)
        return fold_from_first(self._ledger, projection, through=head)

    def _advance(
        self, projection: Projection, at: Generation, *, records: int, progress: Progress
    ) -> Generation:
        while (head := self._ledger.head()) > at.position:
            through = Position(min(at.position + records, head))
            try:
                folded = self._fold_next(projection, Position(at.position), through)
            except ProjectionError as error:
                self._halt(projection, at, error)
                raise
            except OverflowError as error:
                records = self._fewer(projection, at, through, error)
                continue
            self._fault_point("advance.folded")
            try:
                at = self._views.apply(
                    projection,
                    at,
                    folded.rows,
                    position=through,
                    events=folded.events,
                    fallbacks=folded.fallbacks,
                )
            except OverflowError as error:
                records = self._fewer(projection, at, through, error)
                continue
            progress(at.position, head)
        return at

    def _fewer(
        self, projection: Projection, at: Generation, through: Position, error: OverflowError
    ) -> int:
        """Return how many records to take at once, until the one stands alone that no cell takes.

        Raises:
            ProjectionError: it stands alone; the projection is halted in front of it.
        """
        records = (through - at.position) // 2
        if records:
            return records
        self._views.halt(at, position=through, reason=str(error))
        raise poison(projection.name, error, position=through) from error

    def _halt(self, projection: Projection, at: Generation, error: ProjectionError) -> None:
        """Fold what stands before a record that cannot be folded, and note why it stops there."""
        last = Position(int(error.facts["position"]) - 1)
        if last > at.position:
            self._fresh.pop(projection.name, None)
            try:
                folded = self._fold_next(projection, Position(at.position), last)
            except ProjectionError as earlier:
                # What is read is checked before it is decoded: the record told need not be the
                # first one.
                self._halt(projection, at, earlier)
                raise earlier from error
            at = self._views.apply(
                projection,
                at,
                folded.rows,
                position=last,
                events=folded.events,
                fallbacks=folded.fallbacks,
            )
        self._views.halt(at, position=last + 1, reason=error.facts["reason"])

    def _fold_next(self, projection: Projection, after: Position, through: Position) -> Folded:
        if projection.fresh is None:
            return fold_range(self._ledger, projection, after=after, through=through)
        position, fold = self._fresh.pop(projection.name, (-1, projection.fold))
        if position != after:
            # State of earlier records is built again, silently: rows of these records are there.
            fold = projection.fresh()
            silent = event_batches(self._ledger, BEFORE_FIRST, after)
            fold_batches(projection, fold, silent, through=after)
        batches = event_batches(self._ledger, after, through)
        folded = fold_batches(projection, fold, batches, through=through)
        self._fresh[projection.name] = (through, fold)
        return folded
