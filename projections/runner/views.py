"""The database of the read models: generations, rows, swap, digest.

Invariants:
1. Rows and position of a generation change in one transaction, and only from the position that the
   runner read: two runners cannot apply one batch twice.
2. The swap of two generations is one transaction; a reader sees the old one or the new one, whole.
3. A swap never takes readers back to an earlier position, and never leaves them without rows.

Source: docs/adr/0010-read-models.md.
"""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final

import polars as pl
from sqlalchemy import (
    Connection,
    Engine,
    Table,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import DataError, IntegrityError

from ledger.errors import ReadModelMovedError, StoreError
from ledger.store.store import FaultPoint
from projections.production.cube import KEYS, VALUES
from projections.runner.contract import Projection
from projections.runner.database import reading, writing
from projections.runner.tables import (
    BUILDING,
    LIVE,
    RETIRED,
    generation,
    rows_digest,
)

_ROWS_AT_ONCE: Final = 20_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Generation:
    """One state of one read model."""

    projection: str
    number: int
    state: str
    position: int
    """Last record folded into it."""
    events: int
    """Events folded into it, facts counted one by one."""
    fallbacks: int
    """Blocks of facts that the reference decoder had to read."""
    halted_at: int | None
    """Record at which it stopped; None while it runs."""
    halted_reason: str | None
    code_version: str
    """Release whose folds made its rows."""


class Views:
    """The read models of one ledger."""

    def __init__(
        self,
        engine: Engine,
        *,
        code_version: str,
        fault_point: FaultPoint = lambda _: None,
    ) -> None:
        self.engine = engine
        self._code_version = code_version
        self._fault_point = fault_point

    @property
    def code_version(self) -> str:
        """Release of this program."""
        return self._code_version

    def outdated(self, projection: str) -> str | None:
        """Return the release that made the live rows when it is another one than this."""
        live = self.live(projection)
        made_by = None if live is None else live.code_version
        return made_by if made_by != self._code_version else None

    def live(self, projection: str) -> Generation | None:
        """Return the generation that readers see; None before the first."""
        with reading(self.engine) as connection:
            return self._find(connection, projection, LIVE)

    def generations(self) -> tuple[Generation, ...]:
        """Return every generation, by projection and number."""
        statement = select(generation).order_by(generation.c.projection, generation.c.generation)
        with reading(self.engine) as connection:
            return tuple(_generation(row) for row in connection.execute(statement))

    def begin(self, projection: Projection, *, state: str = BUILDING) -> Generation:
        """Begin a generation beside the others; what an interrupted rebuild left behind goes.

        Raises:
            ReadModelMovedError: another runner began the live generation meanwhile.
        """
        self._fault_point("begin.before")
        number = 0
        try:
            with writing(self.engine) as connection:
                if state == BUILDING:
                    self._purge(connection, projection, BUILDING)
                    self._purge(connection, projection, RETIRED)
                number = self._number(connection, projection.name)
                connection.execute(
                    insert(generation).values(
                        projection=projection.name,
                        generation=number,
                        state=state,
                        position=0,
                        events=0,
                        fallbacks=0,
                        code_version=self._code_version,
                    )
                )
        except StoreError as error:
            if not isinstance(error.__cause__, IntegrityError):
                raise
            raise ReadModelMovedError(projection=projection.name, position=0) from error
        self._fault_point("begin.committed")
        # What was written, not what stands there now: another runner may have begun anew under
        # the same number.
        return Generation(
            projection=projection.name,
            number=number,
            state=state,
            position=0,
            events=0,
            fallbacks=0,
            halted_at=None,
            halted_reason=None,
            code_version=self._code_version,
        )

    @staticmethod
    def _number(connection: Connection, projection: str) -> int:
        last = connection.scalar(
            select(func.max(generation.c.generation)).where(generation.c.projection == projection)
        )
        return (last or 0) + 1

    def apply(
        self,
        projection: Projection,
        at: Generation,
        rows: pl.DataFrame,
        *,
        position: int,
        events: int,
        fallbacks: int,
        also: Callable[[Connection], None] = lambda _: None,
    ) -> Generation:
        """Add rows and move the position, in one transaction.

        Args:
            projection: whose rows they are.
            at: the generation as it was read; it must not have moved since.
            rows: of the records after its position.
            position: last record that was folded.
            events: how many events these records hold.
            fallbacks: how many blocks the reference decoder had to read.
            also: done in the same transaction; what it raises undoes all of it.

        Raises:
            ReadModelMovedError: another runner moved the generation meanwhile, or it is gone.
            OverflowError: a cell cannot hold its sum; nothing was written.
        """
        with _refusing_overflow(projection), writing(self.engine) as connection:
            moved = connection.execute(
                update(generation)
                .where(
                    generation.c.projection == projection.name,
                    generation.c.generation == at.number,
                    generation.c.state == at.state,
                    generation.c.position == at.position,
                )
                .values(
                    position=position,
                    events=at.events + events,
                    fallbacks=at.fallbacks + fallbacks,
                    halted_at=None,
                    halted_reason=None,
                )
            )
            if moved.rowcount != 1:
                raise ReadModelMovedError(projection=projection.name, position=at.position)
            self._write(connection, projection, at, rows)
            also(connection)
            self._fault_point("apply.before_commit")
        self._fault_point("apply.committed")
        return replace(
            at,
            position=position,
            events=at.events + events,
            fallbacks=at.fallbacks + fallbacks,
            halted_at=None,
            halted_reason=None,
        )

    def halt(self, at: Generation, *, position: int, reason: str) -> None:
        """Note where and why a generation stopped; its rows and position stay."""
        with writing(self.engine) as connection:
            connection.execute(
                update(generation)
                .where(
                    generation.c.projection == at.projection,
                    generation.c.generation == at.number,
                    generation.c.state == at.state,
                    generation.c.position == at.position,
                )
                .values(halted_at=position, halted_reason=reason)
            )

    def swap(self, projection: Projection, new: Generation, *, digest: str | None = None) -> bool:
        """Make a generation the live one; the old one is retired and its rows go afterwards.

        Args:
            projection: whose generations they are.
            new: the generation as it was read; it must not have moved since.
            digest: of its rows, to be kept beside them for later checks.

        Returns:
            False, and nothing is changed, when the live one has come further meanwhile.

        Raises:
            ReadModelMovedError: another runner moved the new generation, or it is gone.
        """
        self._fault_point("swap.before")
        named = generation.c.projection == projection.name
        with writing(self.engine) as connection:
            # Locked, or it could move between this look and the swap.
            live = self._find(connection, projection.name, LIVE, alone=True)
            if live is not None and live.position > new.position:
                return False
            connection.execute(
                update(generation).where(named, generation.c.state == LIVE).values(state=RETIRED)
            )
            swapped = connection.execute(
                update(generation)
                .where(
                    named,
                    generation.c.generation == new.number,
                    generation.c.state == BUILDING,
                    generation.c.position == new.position,
                )
                .values(state=LIVE)
            )
            if swapped.rowcount != 1:
                raise ReadModelMovedError(projection=projection.name, position=new.position)
            if digest is not None:
                _note_digest(connection, new, digest)
            self._fault_point("swap.before_commit")
        self._fault_point("swap.committed")
        with writing(self.engine) as connection:
            self._purge(connection, projection, RETIRED)
            self._fault_point("purge.before_commit")
        self._fault_point("purge.committed")
        return True

    def rows(self, projection: Projection, number: int | None = None) -> pl.DataFrame:
        """Return the rows of a generation, in canonical order; of the live one by default."""
        with reading(self.engine) as connection:
            if number is None:
                live = self._find(connection, projection.name, LIVE)
                number = 0 if live is None else live.number
            return read_rows(connection, projection, number)

    def national(self, projection: Projection) -> pl.DataFrame:
        """Return the live cells of the cube summed over all units, in canonical order.

        The database sums: a year has some hundred thousand cells, and few without units.
        """
        table = projection.table
        keys = [table.c[name] for name in KEYS if name != "unit"]
        with reading(self.engine) as connection:
            live = self._find(connection, projection.name, LIVE)
            statement = (
                select(*keys, *(func.sum(table.c[name]).label(name) for name in VALUES))
                .where(table.c.generation == (0 if live is None else live.number))
                .group_by(*keys)
            )
            found = [(*row[:2], "", *row[2:]) for row in connection.execute(statement)]
        frame = pl.DataFrame(found, schema=dict(projection.schema), orient="row")
        return canonical(projection, frame)

    def digest(self, projection: Projection, number: int | None = None) -> str:
        """Return the SHA-256, in hexadecimal, of the rows of a generation.

        It is taken over the rows as comma-separated text in canonical order, and does not depend on
        how the rows came about: by batches, by workers, by a rebuild.
        """
        return digest_of(self.rows(projection, number))

    @staticmethod
    def _find(
        connection: Connection, projection: str, state: str, *, alone: bool = False
    ) -> Generation | None:
        statement = select(generation).where(
            generation.c.projection == projection, generation.c.state == state
        )
        row = connection.execute(statement.with_for_update() if alone else statement).first()
        return None if row is None else _generation(row)

    def _write(
        self, connection: Connection, projection: Projection, at: Generation, rows: pl.DataFrame
    ) -> None:
        table = projection.table
        statement: Any = insert(table)
        if projection.additive and at.position:
            statement = self._adding(table)
        names = ["generation", *projection.schema]
        compiled = statement.compile(dialect=self.engine.dialect, column_keys=names)
        # Rows go to the driver as they are: SQLAlchemy's own handling of each of them would cost
        # five times the insert itself.
        text, order = str(compiled), compiled.positiontup
        filled = rows.select(pl.lit(at.number).alias("generation"), *projection.schema)
        if order is None:
            for part in filled.iter_slices(_ROWS_AT_ONCE):
                connection.execute(statement, part.to_dicts())
            return
        ordered = filled.select(order)
        for part in ordered.iter_slices(_ROWS_AT_ONCE):
            connection.exec_driver_sql(text, part.rows())

    def _adding(self, table: Table) -> Any:
        """Return an insert that adds to the cells that are there already."""
        dialect = postgresql_insert if self.engine.dialect.name == "postgresql" else sqlite_insert
        new = dialect(table)
        return new.on_conflict_do_update(
            index_elements=["generation", *KEYS],
            set_={name: table.c[name] + new.excluded[name] for name in VALUES},
        )

    @staticmethod
    def _purge(connection: Connection, projection: Projection, state: str) -> None:
        named = (generation.c.projection == projection.name, generation.c.state == state)
        gone = select(generation.c.generation).where(*named)
        table = projection.table
        connection.execute(delete(table).where(table.c.generation.in_(gone)))
        connection.execute(
            delete(rows_digest).where(
                rows_digest.c.projection == projection.name, rows_digest.c.generation.in_(gone)
            )
        )
        connection.execute(delete(generation).where(*named))


@contextmanager
def _refusing_overflow(projection: Projection) -> Iterator[None]:
    try:
        yield
    except StoreError as error:
        if projection.additive and isinstance(error.__cause__, (DataError, IntegrityError)):
            raise OverflowError("a sum leaves the 64 bits of a cell") from error
        raise


def _note_digest(connection: Connection, of: Generation, digest: str) -> None:
    connection.execute(
        delete(rows_digest).where(
            rows_digest.c.projection == of.projection, rows_digest.c.generation == of.number
        )
    )
    connection.execute(
        insert(rows_digest).values(
            projection=of.projection, generation=of.number, position=of.position, digest=digest
        )
    )


def read_rows(connection: Connection, projection: Projection, number: int) -> pl.DataFrame:
    """Return the rows of a generation, in canonical order."""
    columns = [projection.table.c[name] for name in projection.schema]
    found = connection.execute(select(*columns).where(projection.table.c.generation == number))
    parts = [
        pl.DataFrame([tuple(row) for row in rows], schema=dict(projection.schema), orient="row")
        for rows in found.partitions(_ROWS_AT_ONCE)
    ]
    frame = pl.concat(parts) if parts else pl.DataFrame(schema=dict(projection.schema))
    return canonical(projection, frame)


def canonical(projection: Projection, rows: pl.DataFrame) -> pl.DataFrame:
    """Return rows in the order that digests are taken over."""
    if projection.additive:
        return projection.merge([rows])
    return rows.sort(rows.columns, nulls_last=True)


def digest_of(rows: pl.DataFrame) -> str:
    """Return the SHA-256 of rows in canonical order, in hexadecimal."""
    return hashlib.sha256(rows.write_csv().encode()).hexdigest()


def _generation(row: Any) -> Generation:
    return Generation(
        projection=row.projection,
        number=row.generation,
        state=row.state,
        position=row.position,
        events=row.events,
        fallbacks=row.fallbacks,
        halted_at=row.halted_at,
        halted_reason=row.halted_reason,
        code_version=row.code_version,
    )
