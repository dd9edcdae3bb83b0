"""Where the read models stand, for those who watch them: reads, and makes nothing.

Invariants:
1. A database without read models is an answer (`()`), and stays as it is: `open_views` would make
   the tables.

Source: docs/adr/0010-read-models.md; docs/operating.md, status.
"""

from dataclasses import dataclass

from sqlalchemy import Engine, inspect, select

from ledger.store.engine import file_of, open_engine, reading, store_url, translated
from projections.runner.tables import LIVE, generation


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """Where the live generation of a read model stands."""

    projection: str
    generation: int
    position: int
    """Last record folded into it."""
    fallbacks: int
    """Blocks of facts that the reference decoder had to read."""
    halted_at: int | None
    """Record at which it stopped; None while it runs."""
    halted_reason: str | None


def existing_views(url: str) -> Engine | None:
    """Return a reading engine over the read models; None when there are none.

    Args:
        url: SQLAlchemy URL or file of a place where they may be.

    Raises:
        StoreUnavailableError: the place cannot be read.
        StoreError: it holds something else.
    """
    place = store_url(url)
    file = file_of(place)
    if file is not None and not file.exists():
        return None
    engine = open_engine(place, read_only=True)
    found = False
    try:
        with translated(engine):
            found = inspect(engine).has_table(generation.name)
    finally:
        if not found:
            engine.dispose()
    return engine if found else None


def standings(url: str) -> tuple[Standing, ...]:
    """Return where the live generation of each read model stands, by name.

    Args:
        url: SQLAlchemy URL or file of the read models.

    Raises:
        StoreUnavailableError: the database does not answer.
        StoreError: it holds something else.
    """
    engine = existing_views(url)
    if engine is None:
        return ()
    columns = [
        generation.c[name]
        for name in (
            "projection",
            "generation",
            "position",
            "fallbacks",
            "halted_at",
            "halted_reason",
        )
    ]
    statement = select(*columns).where(generation.c.state == LIVE).order_by(columns[0])
    try:
        with reading(engine) as connection:
            return tuple(
                Standing(
                    projection=row.projection,
                    generation=row.generation,
                    position=row.position,
                    fallbacks=row.fallbacks,
                    halted_at=row.halted_at,
                    halted_reason=row.halted_reason,
                )
                for row in connection.execute(statement)
            )
    finally:
        engine.dispose()
