"""The tables of the store, the same on SQLite and PostgreSQL.

Invariants:
1. `record.position` is assigned by the writer, dense, from 1: no database sequence, which leaves
   gaps when a transaction is rolled back.
2. No row is ever changed or removed: triggers refuse UPDATE and DELETE.
3. `store_format` holds one row with the version of this layout; another version is refused.

Source: docs/adr/0001-store.md.
"""

from typing import Final

from sqlalchemy import (
    DDL,
    BigInteger,
    CheckConstraint,
    Column,
    Connection,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    event,
    text,
)

from ledger.store import postgresql

STORE_FORMAT: Final = 1
"""Version of the layout below; raised only together with an upgrade path."""

CODING_PLAIN: Final = 0
"""Content stored as it is."""
CODING_ZSTD: Final = 1
"""Content compressed with Zstandard; the commitment covers the uncompressed bytes."""

metadata = MetaData()

_Name: Final = Text().with_variant(Text(collation="C"), "postgresql")
"""A text that is compared by code point on every database."""

record = Table(
    "record",
    metadata,
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", SmallInteger, nullable=False),
    Column("stream", _Name, nullable=False),
    Column("stream_version", BigInteger, nullable=False),
    Column("event_type", _Name, nullable=False),
    Column("schema_id", LargeBinary, nullable=False),
    Column("append_key", _Name, nullable=False),
    Column("part", Integer, nullable=False),
    Column("part_count", Integer, nullable=False),
    Column("input_digest", LargeBinary, nullable=False),
    Column("recorded_at", BigInteger, nullable=False),
    Column("envelope_schema_id", LargeBinary, nullable=False),
    Column("envelope", LargeBinary, nullable=False),
    Column("event_count", Integer, nullable=False),
    Column("lengths", LargeBinary, nullable=False),
    Column("content_coding", SmallInteger, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("salt", LargeBinary, nullable=False),
    Column("inner_root", LargeBinary, nullable=False),
    Column("commitment", LargeBinary, nullable=False),
    UniqueConstraint("stream", "stream_version", name="record_stream_version"),
    UniqueConstraint("append_key", "part", name="record_append_part"),
    CheckConstraint("position >= 1", name="record_position_from_1"),
    CheckConstraint("event_count >= 1", name="record_not_empty"),
)

store_format = Table(
    "store_format",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
)

_SQLITE_GUARD: Final = (
    "CREATE TRIGGER {table}_no_{verb} BEFORE {verb} ON {table} "
    "BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
)
_GUARDS: Final = {
    f"{table.name}_no_{verb}": (table, _SQLITE_GUARD.format(table=table.name, verb=verb))
    for table in (record, store_format)
    for verb in ("update", "delete")
}
"""By name of the trigger: its table and its text."""

for _table, _text in _GUARDS.values():
    _guard = DDL(_text)  # type: ignore[no-untyped-call] # SQLAlchemy leaves it untyped
    event.listen(_table, "after_create", _guard.execute_if(dialect="sqlite"))

_POSTGRESQL_GUARDS: Final = {
    name: sql
    for table in (record, store_format)
    for name, sql in postgresql.guards_of(table.name).items()
}
for _table in (record, store_format):
    # A percent sign is DDL's own: the function's text has one.
    _refuse = DDL(postgresql.REFUSE_FUNCTION.replace("%", "%%"))  # type: ignore[no-untyped-call] # SQLAlchemy leaves it untyped
    event.listen(_table, "after_create", _refuse.execute_if(dialect="postgresql"))
    for _sql in postgresql.guards_of(_table.name).values():
        _guard = DDL(_sql)  # type: ignore[no-untyped-call] # SQLAlchemy leaves it untyped
        event.listen(_table, "after_create", _guard.execute_if(dialect="postgresql"))


def missing_guards(connection: Connection) -> tuple[str, ...]:
    """Return the names of the triggers that are missing or altered, sorted."""
    if connection.dialect.name == "postgresql":
        return postgresql.missing_guards(connection, _POSTGRESQL_GUARDS)
    statement = text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
    found = {row.name: row.sql for row in connection.execute(statement)}
    return tuple(sorted(name for name, (_, sql) in _GUARDS.items() if found.get(name) != sql))
