"""Read the records of a store; nothing here writes.

Source: docs/adr/0001-store.md.
"""

import datetime as dt
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Engine, Select, case, func, literal_column, select

from ledger.records import BlockHeader, RecordKind, StoredRecord, instant_of
from ledger.store.engine import reading
from ledger.store.rows import RawRow, header_of, stored_of
from ledger.store.tables import missing_guards, store_format
from ledger.store.tables import record as record_table
from ledger.types import BEFORE_FIRST, AppendKey, Digest, Position, StreamName

NAMES_PER_QUERY: Final = 500
"""Names in one IN list: below the least limit of variables that databases have."""

STREAM_BATCH_ROWS: Final = 32
"""Rows of a streamed append that are in memory at once: blocks are large."""

_BEYOND_HEADER: Final = frozenset(
    {"lengths", "content_coding", "content", "salt", "inner_root", "commitment"}
)
"""Columns that the header of a block does without. They lie behind the content in the row: to reach
one of them SQLite would walk through all pages of the content."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Pending:
    """Records that a reader has not seen yet."""

    records: int
    events: int
    since: dt.datetime | None
    """Instant of the oldest of them; None when there is none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StoreGuards:
    """What protects the tables."""

    formats: tuple[object, ...]
    """Rows of `store_format`; one, with the version of the layout, is right."""
    missing: tuple[str, ...]
    """Guards against changes that are not there."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Head:
    """The last record."""

    position: int
    recorded_at: int


class RecordReader:
    """The records of one ledger in one database."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def append_headers(self, key: AppendKey) -> tuple[BlockHeader, ...]:
        """Return the headers of the records of an append, by part; empty when it is unknown."""
        columns = [column for column in record_table.c if column.name not in _BEYOND_HEADER]
        statement = (
            select(*columns).where(record_table.c.append_key == key).order_by(record_table.c.part)
        )
        with reading(self.engine) as connection:
            return tuple(header_of(row) for row in connection.execute(statement))

    def last_of_stream(
        self, stream: StreamName, *, events: int | None, through: int | None = None
    ) -> Iterator[tuple[StoredRecord, ...]]:
        """Yield the last records of a stream, latest first, some at a time.

        Args:
            stream: name of the stream.
            through: last version to read, inclusive; None for all.
            events: stop when so many events were yielded; None yields the whole stream.
        """
        version = record_table.c.stream_version
        before = None if through is None else through + 1
        left = events
        while left is None or left > 0:
            statement = select(record_table).where(record_table.c.stream == stream)
            if before is not None:
                statement = statement.where(version < before)
            limited = statement.order_by(version.desc()).limit(STREAM_BATCH_ROWS)
            records = tuple(self._select(limited))
            if not records:
                return
            yield records
            before = records[-1].record.stream_version
            if left is not None:
                left -= sum(item.record.event_count for item in records)

    def appends_known(self, keys: Sequence[AppendKey]) -> dict[AppendKey, Digest]:
        """Return the input digests of those of `keys` that were appended before."""
        known: dict[AppendKey, Digest] = {}
        with reading(self.engine) as connection:
            for start in range(0, len(keys), NAMES_PER_QUERY):
                statement = select(record_table.c.append_key, record_table.c.input_digest).where(
                    record_table.c.append_key.in_(keys[start : start + NAMES_PER_QUERY]),
                    record_table.c.part == 0,
                )
                known.update(
                    {
                        AppendKey(key): Digest(digest)
                        for key, digest in connection.execute(statement)
                    }
                )
        return known

    def last_key(self, prefix: str) -> AppendKey | None:
        """Return the greatest append key below a prefix, by code point; None when there is none.

        Args:
            prefix: without the slash that ends it.
        """
        key = record_table.c.append_key
        # The character behind the slash ends what begins with it.
        within = (key >= f"{prefix}/", key < f"{prefix}0")
        statement = select(key).where(*within).order_by(key.desc()).limit(1)
        with reading(self.engine) as connection:
            found = connection.scalar(statement)
        return None if found is None else AppendKey(found)

    def head(self) -> Position:
        """Return the position of the last record, 0 for an empty ledger."""
        with reading(self.engine) as connection:
            return Position(self._head(connection).position)

    def read(
        self,
        *,
        after: Position = BEFORE_FIRST,
        through: Position | None = None,
        limit: int | None = None,
        event_types: Sequence[str] = (),
    ) -> tuple[StoredRecord, ...]:
        """Return records in order of position.

        Args:
            after: exclusive lower bound; 0 reads from the beginning.
            through: inclusive upper bound; None reads to the head.
            limit: at most so many.
            event_types: only these Avro full names; empty for all.
        """
        statement = (
            select(record_table)
            .where(record_table.c.position > after)
            .order_by(record_table.c.position)
        )
        if through is not None:
            statement = statement.where(record_table.c.position <= through)
        if event_types:
            statement = statement.where(record_table.c.event_type.in_(event_types))
        if limit is not None:
            statement = statement.limit(limit)
        return tuple(self._select(statement))

    def outline(
        self, *, after: Position = BEFORE_FIRST, through: Position | None = None, limit: int
    ) -> tuple[StoredRecord | BlockHeader, ...]:
        """Return records in order of position, blocks without their bodies.

        Args:
            after: exclusive lower bound; 0 reads from the beginning.
            through: inclusive upper bound; None reads to the head.
            limit: at most so many.
        """
        of_event = record_table.c.kind == int(RecordKind.EVENT)
        columns = [
            case((of_event, column), else_=None).label(column.name)
            if column.name in _BEYOND_HEADER
            else column
            for column in record_table.c
        ]
        statement = (
            select(*columns)
            .where(record_table.c.position > after)
            .order_by(record_table.c.position)
            .limit(limit)
        )
        if through is not None:
            statement = statement.where(record_table.c.position <= through)
        with reading(self.engine) as connection:
            rows = connection.execute(statement).all()
        return tuple(
            header_of(row) if row.kind == RecordKind.BLOCK else stored_of(row) for row in rows
        )

    def read_stream(
        self,
        stream: StreamName,
        *,
        after: int | None = None,
        through: int | None = None,
        descending: bool = False,
        limit: int | None = None,
    ) -> tuple[StoredRecord, ...]:
        """Return the records of one stream in order of version.

        Args:
            stream: name of the stream.
            after: exclusive lower bound of the version; None for no bound.
            through: inclusive upper bound of the version; None for no bound.
            descending: last version first.
            limit: at most so many.
        """
        version = record_table.c.stream_version
        statement = select(record_table).where(record_table.c.stream == stream)
        if after is not None:
            statement = statement.where(version > after)
        if through is not None:
            statement = statement.where(version <= through)
        statement = statement.order_by(version.desc() if descending else version)
        if limit is not None:
            statement = statement.limit(limit)
        return tuple(self._select(statement))

    def read_streams(self, streams: Collection[StreamName]) -> tuple[StoredRecord, ...]:
        """Return the records of several streams, each in order of version."""
        names = sorted(streams)
        found: list[StoredRecord] = []
        for start in range(0, len(names), NAMES_PER_QUERY):
            listed = names[start : start + NAMES_PER_QUERY]
            statement = (
                select(record_table)
                .where(record_table.c.stream.in_(listed))
                .order_by(record_table.c.stream, record_table.c.stream_version)
            )
            found.extend(self._select(statement))
        return tuple(found)

    def pending(self, after: Position) -> Pending:
        """Return how much stands behind a position."""
        statement = select(
            func.count(),
            func.sum(record_table.c.event_count),
            func.min(record_table.c.recorded_at),
        ).where(record_table.c.position > after)
        with reading(self.engine) as connection:
            records, events, since = connection.execute(statement).one()
        return Pending(
            records=records,
            events=events or 0,
            since=None if since is None else instant_of(since),
        )

    def count(self) -> int:
        """Return the number of rows, whatever their positions say."""
        with reading(self.engine) as connection:
            return connection.scalar(select(func.count()).select_from(record_table)) or 0

    def raw_rows(self, *, after: object = None, limit: int) -> Sequence[RawRow]:
        """Return rows as the database holds them, undecoded and unchecked: for the verifier.

        Args:
            after: position of the last row read, as it is stored; None begins.
            limit: at most so many.
        """
        columns: list[ColumnElement[Any]] = [
            literal_column(column.name) for column in record_table.c
        ]
        place: ColumnElement[Any] = literal_column("position")
        statement = select(*columns).select_from(record_table).order_by(place).limit(limit)
        if after is not None:
            statement = statement.where(place > after)
        with reading(self.engine) as connection:
            return [RawRow(**row._mapping) for row in connection.execute(statement)]  # noqa: SLF001 - the documented way to a row's mapping

    def guards(self) -> StoreGuards:
        """Return what protects the tables, as the database holds it: for the verifier."""
        with reading(self.engine) as connection:
            version: ColumnElement[Any] = literal_column("version")
            versions = connection.execute(select(version).select_from(store_format))
            return StoreGuards(
                formats=tuple(row[0] for row in versions),
                missing=missing_guards(connection),
            )

    def _select(self, statement: Select[tuple[object, ...]]) -> Iterator[StoredRecord]:
        with reading(self.engine) as connection:
            rows = connection.execute(statement).all()
        return map(stored_of, rows)

    def _head(self, connection: Connection) -> Head:
        row = connection.execute(
            select(record_table.c.position, record_table.c.recorded_at)
            .order_by(record_table.c.position.desc())
            .limit(1)
        ).first()
        return (
            Head(position=0, recorded_at=0)
            if row is None
            else Head(position=row.position, recorded_at=row.recorded_at)
        )
