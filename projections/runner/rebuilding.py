"""Build a new generation of a read model beside the live one, and swap, whatever it is folded from.

Invariants:
1. Readers see the old generation until the new one is whole and as far as the old one.
2. A read model never goes back: what ends earlier than the live generation is refused.

Source: docs/adr/0010-read-models.md, docs/adr/0017-distributed.md.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from ledger.errors import ReadModelAheadError
from ledger.store.store import FaultPoint
from ledger.types import Position
from projections.runner.contract import Projection
from projections.runner.engines import Engine, Progress
from projections.runner.folding import Folded
from projections.runner.places import Frozen
from projections.runner.views import Generation, Views, canonical, digest_of


@dataclass(frozen=True, kw_only=True, slots=True)
class Rebuilt:
    """What a rebuild did."""

    projection: str
    position: int
    events: int
    """Events folded, facts counted one by one."""
    fallbacks: int
    rows: int
    digest: str
    changed: bool | None
    """Whether the rows differ from those before; None when there were none at this position."""
    seconds: float


def rebuild_from(
    views: Views,
    projection: Projection,
    ledger: Frozen,
    *,
    engine: Engine,
    progress: Progress = lambda _done, _head: None,
) -> Rebuilt:
    """Build a read model from a ledger that does not go on.

    Args:
        views: where the read model is.
        projection: what to fold with; one that may be spread.
        ledger: up to its head.
        engine: folds the ranges.
        progress: told as ranges are done.

    Raises:
        ProjectionError: a record cannot be folded, or another runner rebuilds the projection; the
            live generation stays as it was, as with every other error.
        EngineError: the engine cannot fold.
        ReadModelAheadError: the live generation covers more records than there are.
    """
    return build(
        views,
        projection,
        head=lambda: ledger.head,
        fold=lambda _: engine.fold(ledger, projection, progress=progress),
        advance=lambda at: at,
    )


def build(
    views: Views,
    projection: Projection,
    *,
    head: Callable[[], Position],
    fold: Callable[[Position], Folded],
    advance: Callable[[Generation], Generation],
    fault_point: FaultPoint = lambda _: None,
) -> Rebuilt:
    """Build a new generation, let it catch up, and swap.

    Args:
        views: where the read model is.
        projection: which one.
        head: returns the last position of the ledger as it is now.
        fold: folds everything up to a position.
        advance: folds into a generation what has come since, and returns it.
        fault_point: told when everything is folded and nothing is written yet.

    Raises:
        ProjectionError: another runner rebuilds the projection.
        ReadModelAheadError: the live generation covers more records than there are.
    """
    begin = time.perf_counter()
    through = head()
    _refuse_shorter(views, projection, through)
    new = views.begin(projection)
    folded = fold(through)
    fault_point("rebuild.folded")
    new = views.apply(
        projection,
        new,
        folded.rows,
        position=through,
        events=folded.events,
        fallbacks=folded.fallbacks,
    )
    rows = canonical(projection, folded.rows)
    while True:
        caught_up = advance(new)
        if caught_up.position != new.position:
            rows = views.rows(projection, new.number)
        new = caught_up
        digest = digest_of(rows)
        changed = _changed(views, projection, new, digest)
        if views.swap(projection, new, digest=digest):
            break
        _refuse_shorter(views, projection, head())
    return Rebuilt(
        projection=projection.name,
        position=new.position,
        events=new.events,
        fallbacks=new.fallbacks,
        rows=rows.height,
        digest=digest,
        changed=changed,
        seconds=time.perf_counter() - begin,
    )


def _refuse_shorter(views: Views, projection: Projection, head: Position) -> None:
    live = views.live(projection.name)
    if live is not None and live.position > head:
        # It would never catch up: a copy, or a ledger that was restored, ends earlier.
        raise ReadModelAheadError(projection=projection.name, position=live.position, head=head)


def _changed(views: Views, projection: Projection, new: Generation, digest: str) -> bool | None:
    before = views.live(projection.name)
    if before is None or before.position != new.position:
        return None
    present = views.digest(projection, before.number)
    # The live one may have moved between the two looks: then nothing is known.
    return present != digest if views.live(projection.name) == before else None
