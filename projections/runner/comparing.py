"""Do the read models say what the ledger says? Their rows against a digest, or a fresh fold.

Invariants:
1. Nothing is written, nothing is made: a place without read models stays without.
2. Rows and the position that they stand for are read in one transaction.
3. A digest is believed only at the position it was taken at; without one, or when it does not fit,
   the rows are compared with a fresh fold, one by one.

Source: docs/adr/0010-read-models.md; docs/operating.md, `read_model`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import polars as pl
from sqlalchemy import Engine, inspect, select

from ledger.application import LedgerApplication
from ledger.discrepancy import Discrepancy
from ledger.errors import ProjectionError
from ledger.store.engine import translated
from ledger.types import Position
from projections.runner.contract import Projection
from projections.runner.database import reading
from projections.runner.folding import fold_from_first
from projections.runner.models import PROJECTIONS
from projections.runner.poison import UNFOLDABLE
from projections.runner.tables import LIVE, generation, rows_digest
from projections.runner.views import canonical, digest_of, read_rows

KIND: Final = "read_model"
"""Kind of every discrepancy found here."""
LISTED: Final = 200
"""Rows of one read model that are named one by one."""
NONE: Final = "none"

Progress = Callable[[str, int, int], None]
"""Called with the read model, its number among them and how many there are."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Compared:
    """What the check of one read model found."""

    projection: str
    table: str
    position: int
    """Last record folded into it."""
    rows: int
    folded: bool
    """Whether the rows were compared with a fresh fold; else with the digest kept beside them."""
    discrepancies: tuple[Discrepancy, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Stored:
    """A live generation as it stands in the database."""

    position: int
    events: int
    rows: pl.DataFrame
    digest: str | None
    """The digest kept with it, when there is one of this position."""


def compare(
    ledger: LedgerApplication,
    engine: Engine,
    *,
    deep: bool,
    progress: Progress = lambda _name, _number, _total: None,
) -> tuple[Compared, ...]:
    """Compare every live read model with the ledger.

    Args:
        ledger: to fold from.
        engine: from `projections.runner.standing.existing_views`.
        deep: fold all of them, also those whose digest fits.
        progress: told before each of them.
    """
    names = tuple(PROJECTIONS.items())
    found = []
    for number, (name, projection) in enumerate(names):
        progress(name, number, len(names))
        one = _compared(ledger, engine, projection, deep=deep)
        if one is not None:
            found.append(one)
    return tuple(found)


def _compared(
    ledger: LedgerApplication, engine: Engine, projection: Projection, *, deep: bool
) -> Compared | None:
    try:
        stored = _stored(engine, projection)
    except UNFOLDABLE as error:
        # A value of another type than its column: this program never writes such a row.
        wrong = _unreadable(projection, error)
        return _answer(projection, None, folded=False, found=(wrong,))
    if stored is None:
        return None
    head = ledger.head()
    if stored.position > head:
        ahead = _found(projection, "model_ahead", expected=head, found=stored.position)
        return _answer(projection, stored, folded=False, found=(ahead,))
    if not deep and stored.digest is not None and digest_of(stored.rows) == stored.digest:
        return _answer(projection, stored, folded=False, found=())
    return _against_fold(ledger, projection, stored)


def _against_fold(ledger: LedgerApplication, projection: Projection, stored: _Stored) -> Compared:
    try:
        folded = fold_from_first(ledger, projection, through=Position(stored.position))
    except ProjectionError as error:
        return _answer(projection, stored, folded=False, found=(_unreadable(projection, error),))
    fresh = canonical(projection, folded.rows)
    wrong = list(_rows(projection, fresh, stored.rows))
    if stored.events != folded.events:
        wrong.append(
            _found(projection, "model_events", expected=folded.events, found=stored.events)
        )
    actual = digest_of(stored.rows)
    if not wrong and stored.digest not in {None, actual}:
        wrong.append(_found(projection, "model_digest", expected=stored.digest, found=actual))
    return _answer(projection, stored, folded=True, found=tuple(wrong))


def _stored(engine: Engine, projection: Projection) -> _Stored | None:
    with translated(engine):
        noted = inspect(engine).has_table(rows_digest.name)
    with reading(engine) as connection:
        live = connection.execute(
            select(generation).where(
                generation.c.projection == projection.name, generation.c.state == LIVE
            )
        ).first()
        if live is None:
            return None
        digest = None
        if noted:
            digest = connection.scalar(
                select(rows_digest.c.digest).where(
                    rows_digest.c.projection == projection.name,
                    rows_digest.c.generation == live.generation,
                    rows_digest.c.position == live.position,
                )
            )
        rows = read_rows(connection, projection, live.generation)
    return _Stored(position=live.position, events=live.events, rows=rows, digest=digest)


def _rows(
    projection: Projection, fresh: pl.DataFrame, stored: pl.DataFrame
) -> Iterator[Discrepancy]:
    """Yield the rows that differ, by key, and at the end how many more there are."""
    if fresh.equals(stored):
        return
    columns = fresh.columns
    names = [one.name for one in projection.table.primary_key if one.name != "generation"]
    expected = fresh.join(stored, on=columns, how="anti", nulls_equal=True).sort(names)
    actual = stored.join(fresh, on=columns, how="anti", nulls_equal=True).sort(names)
    wanted = {tuple(row[name] for name in names): row for row in expected.to_dicts()}
    present = {tuple(row[name] for name in names): row for row in actual.to_dicts()}
    keys = sorted({*wanted, *present}, key=lambda key: tuple(map(str, key)))
    for key in keys[:LISTED]:
        want, have = wanted.get(key), present.get(key)
        address = " ".join(f"{name}={value}" for name, value in zip(names, key, strict=True))
        changed = [
            name
            for name in columns
            if name not in names and (want is None or have is None or want[name] != have[name])
        ]
        yield _found(
            projection,
            "model_row",
            position=str(key[names.index("position")]) if "position" in names else "",
            address=address,
            expected=_told(want, changed),
            found=_told(have, changed),
        )
    if len(keys) > LISTED:
        yield _found(projection, "model_rows", found=len(keys) - LISTED)


def _told(row: dict[str, object] | None, names: list[str]) -> str:
    if row is None:
        return NONE
    return ", ".join(f"{name} {row[name]}" for name in names)


def _unreadable(projection: Projection, error: Exception) -> Discrepancy:
    named = error.facts.get("position", "") if isinstance(error, ProjectionError) else ""
    return Discrepancy(
        kind=KIND,
        position=named,
        stream="",
        reason="model_unreadable",
        facts={"table": projection.table.name, "error": str(error)},
        cause=error,
    )


def _found(
    projection: Projection, reason: str, *, position: str = "", **facts: object
) -> Discrepancy:
    return Discrepancy(
        kind=KIND,
        position=position,
        stream="",
        reason=reason,
        facts={
            "table": projection.table.name,
            **{name: str(fact) for name, fact in facts.items()},
        },
    )


def _answer(
    projection: Projection,
    stored: _Stored | None,
    *,
    folded: bool,
    found: tuple[Discrepancy, ...],
) -> Compared:
    return Compared(
        projection=projection.name,
        table=projection.table.name,
        position=0 if stored is None else stored.position,
        rows=0 if stored is None else stored.rows.height,
        folded=folded,
        discrepancies=found,
    )
