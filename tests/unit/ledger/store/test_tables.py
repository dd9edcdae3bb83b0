"""The tables: their guards stand on every one and refuse every change, also without our code."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ledger.store.engine import reading
from ledger.store.store import Store
from ledger.store.tables import metadata, missing_guards
from tests.support.ledgers import new_ledger, store_at


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return new_ledger(tmp_path / "ledger.db").store


@pytest.fixture
def raw(store: Store) -> Iterator[sqlite3.Connection]:
    """Anybody's connection to the file, past all our code."""
    with closing(sqlite3.connect(str(store.engine.url.database))) as connection:
        yield connection


def test_every_table_has_a_guard_against_each_kind_of_change(raw: sqlite3.Connection) -> None:
    found = {row[0] for row in raw.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")}

    assert found == {
        f"{table}_no_{verb}" for table in metadata.tables for verb in ("update", "delete")
    }


@pytest.mark.parametrize("column", [column.name for column in metadata.tables["record"].columns])
def test_no_column_of_a_record_can_be_changed(raw: sqlite3.Connection, column: str) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        raw.execute(f"UPDATE record SET {column} = {column} WHERE position = 1")  # noqa: S608 - our own column names


@pytest.mark.parametrize("table", list(metadata.tables))
def test_no_row_can_be_removed(raw: sqlite3.Connection, table: str) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        raw.execute(f"DELETE FROM {table}")  # noqa: S608 - our own table names


def test_a_row_cannot_be_replaced_under_recursive_triggers(raw: sqlite3.Connection) -> None:
    raw.execute("PRAGMA recursive_triggers = ON")

    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        raw.execute("REPLACE INTO store_format VALUES (1)")


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("position", 0),
        ("position", -1),
        ("position", 1),
        ("event_count", 0),
        ("stream", None),
        ("content", None),
        ("salt", None),
        ("commitment", None),
    ],
)
def test_refuses_a_row_that_no_ledger_holds(
    raw: sqlite3.Connection, column: str, value: object
) -> None:
    names = [item.name for item in metadata.tables["record"].columns]
    row = dict(zip(names, raw.execute("SELECT * FROM record LIMIT 1").fetchone(), strict=True))
    row |= {"position": 999, "stream_version": 999, "append_key": "new", column: value}
    marks = ", ".join("?" for _ in names)

    with pytest.raises(sqlite3.IntegrityError):
        raw.execute(f"INSERT INTO record VALUES ({marks})", list(row.values()))  # noqa: S608 - only marks


@pytest.mark.parametrize("same", [("stream", "stream_version"), ("append_key", "part")])
def test_refuses_a_second_record_in_the_same_place(
    raw: sqlite3.Connection, same: tuple[str, str]
) -> None:
    names = [item.name for item in metadata.tables["record"].columns]
    row = dict(zip(names, raw.execute("SELECT * FROM record LIMIT 1").fetchone(), strict=True))
    fresh = {"position": 999, "stream_version": 999, "append_key": "new"}
    row |= {name: value for name, value in fresh.items() if name not in same}
    marks = ", ".join("?" for _ in names)

    with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
        raw.execute(f"INSERT INTO record VALUES ({marks})", list(row.values()))  # noqa: S608 - only marks


def test_an_altered_guard_is_missing(store: Store, raw: sqlite3.Connection) -> None:
    raw.execute("DROP TRIGGER store_format_no_update")
    raw.execute(
        "CREATE TRIGGER store_format_no_update BEFORE UPDATE ON store_format WHEN 0 "
        "BEGIN SELECT RAISE(ABORT, 'store_format is append-only'); END"
    )

    with reading(store.engine) as connection:
        assert missing_guards(connection) == ("store_format_no_update",)


def test_a_database_without_tables_has_no_guards() -> None:
    with reading(store_at(None).engine) as connection:
        assert len(missing_guards(connection)) == 2 * len(metadata.tables)
