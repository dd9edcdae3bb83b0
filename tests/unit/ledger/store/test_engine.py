"""The database of a ledger: places, locks, read-only engines, errors of the database."""

import os
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.engine import URL

from ledger.errors import (
    AppendOnlyError,
    ConfigurationError,
    LedgerMissingError,
    StoreError,
    StoreFolderMissingError,
    StoreLockedError,
    StoreReadOnlyError,
    StoreUnavailableError,
)
from ledger.store.engine import (
    file_of,
    keep_log,
    open_engine,
    reading,
    shown,
    store_url,
    translated,
    writing,
)
from ledger.store.store import Store
from tests.support.ledgers import CountingEntropy, FakeClock, new_ledger, store_at

SHORT_WAIT_SECONDS = 0.2
NOBODY = 65534


@pytest.fixture
def ledger_file(tmp_path: Path) -> Path:
    path = tmp_path / "ledger.db"
    new_ledger(path).store.engine.dispose()
    return path


@contextmanager
def without_privileges() -> Iterator[None]:
    """Act as a user to whom the permissions of files apply."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def journal_of(path: Path) -> str:
    with closing(sqlite3.connect(path)) as raw:
        return str(raw.execute("PRAGMA journal_mode").fetchone()[0])


@pytest.mark.parametrize(
    ("place", "database"),
    [
        ("registro.db", "registro.db"),
        ("/srv/a folder/registro.db", "/srv/a folder/registro.db"),
        ("C:\\registro.db", "C:\\registro.db"),
        ("100%.db", "100%.db"),
        ("sqlite:///registro.db", "registro.db"),
        ("sqlite+pysqlite:////srv/registro.db", "/srv/registro.db"),
        (":memory:", ":memory:"),
        ("sqlite:///:memory:", ":memory:"),
    ],
)
def test_a_path_or_an_sqlite_url_names_a_ledger(place: str, database: str) -> None:
    url = store_url(place)

    assert url.get_backend_name() == "sqlite"
    assert url.database == database


@pytest.mark.parametrize(
    "place",
    [
        "",
        "  ",
        "://",
        "://x",
        "a://b://c",
        "sqlite://host:port/x",
        "sqlite://host/x.db",
        "sqlite:///x.db?timeout=abc",
        "sqlite:///x.db?mode=ro",
        "sqlite+aiosqlite:///x.db",
        "sqlite+nothing:///x.db",
        "postgresql+asyncpg://user:secret@host/registro",
        "mysql://user:secret@host/registro",
        "nothing://host/registro",
    ],
)
def test_refuses_what_names_no_ledger(place: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        store_url(place)

    assert caught.value.facts["setting"] == "ledger"
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("scheme", ["postgresql", "postgresql+psycopg"])
def test_a_server_names_a_ledger(scheme: str) -> None:
    url = store_url(f"{scheme}://user:secret@host:5433/registro?sslmode=require")

    assert url.drivername == "postgresql+psycopg"
    assert (url.host, url.port, url.database) == ("host", 5433, "registro")


def test_shows_a_place_without_its_password() -> None:
    server = URL.create("postgresql", username="u", password="secret", host="h", database="d")  # noqa: S106 - a password that must not be shown

    assert shown(store_url("a.db")) == "a.db"
    assert shown(store_url("sqlite://")) == ":memory:"
    assert "secret" not in shown(server)


@pytest.mark.parametrize("scheme", ["postgresql", "postgresql+psycopg"])
def test_shows_a_server_as_people_write_it(scheme: str) -> None:
    assert shown(store_url(f"{scheme}://u@h:5433/d")) == "postgresql://u@h:5433/d"


@pytest.mark.parametrize("place", [":memory:", "sqlite://", "sqlite:///:memory:"])
def test_a_ledger_in_memory_has_no_file(place: str) -> None:
    assert file_of(store_url(place)) is None


def test_a_ledger_on_a_server_has_no_file() -> None:
    assert file_of(URL.create("postgresql", database="registro")) is None


def test_a_ledger_in_a_file_names_it() -> None:
    assert file_of(store_url("sqlite:///a/b.db")) == Path("a/b.db")


def test_opening_an_engine_creates_nothing(tmp_path: Path) -> None:
    path = tmp_path / "none.db"

    open_engine(store_url(str(path)))

    assert not path.exists()


def test_a_ledger_file_has_a_write_ahead_log_and_full_synchronisation(ledger_file: Path) -> None:
    with reading(open_engine(store_url(str(ledger_file)))) as connection:
        assert connection.scalar(text("PRAGMA journal_mode")) == "wal"
        assert connection.scalar(text("PRAGMA synchronous")) == 2


def test_a_copy_that_lost_its_log_gets_it_back_when_it_is_opened(
    ledger_file: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.db"
    with closing(sqlite3.connect(ledger_file)) as raw:
        raw.execute("VACUUM INTO ?", (str(copy),))
    assert journal_of(copy) == "delete"

    store = store_at(copy)
    store.open()
    store.engine.dispose()

    assert journal_of(copy) == "wal"


def test_a_read_only_engine_leaves_the_journal_alone(tmp_path: Path) -> None:
    path = tmp_path / "plain.db"
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("CREATE TABLE t (x)")
    engine = open_engine(store_url(str(path)), read_only=True)

    keep_log(engine)
    engine.dispose()

    assert journal_of(path) == "delete"


def test_opening_a_foreign_database_does_not_change_a_byte_of_it(tmp_path: Path) -> None:
    path = tmp_path / "foreign.db"
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("CREATE TABLE bookmarks (url)")
    before = path.read_bytes()
    store = store_at(path)

    with pytest.raises(StoreError):
        store.open()
    with pytest.raises(StoreError):
        store.create()
    store.engine.dispose()

    assert path.read_bytes() == before
    assert [item.name for item in tmp_path.iterdir()] == ["foreign.db"]


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO store_format VALUES (7)",
        "UPDATE store_format SET version = 7",
        "DELETE FROM record",
        "DROP TABLE record",
        "CREATE TABLE other (x)",
    ],
)
@pytest.mark.parametrize("as_writer", [False, True])
def test_a_read_only_engine_cannot_write(
    ledger_file: Path, statement: str, *, as_writer: bool
) -> None:
    engine = open_engine(store_url(str(ledger_file)), read_only=True)
    enter = writing if as_writer else reading
    before = ledger_file.read_bytes()

    with pytest.raises(StoreError), enter(engine) as connection:
        connection.execute(text(statement))
    engine.dispose()

    assert ledger_file.read_bytes() == before


def test_a_read_only_engine_reads(ledger_file: Path) -> None:
    engine = open_engine(store_url(str(ledger_file)), read_only=True)

    with reading(engine) as connection:
        assert connection.scalar(text("SELECT version FROM store_format")) == 1


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE record SET stream = 'x'",
        "UPDATE record SET stream = stream",
        "UPDATE record SET content = x'' WHERE position = 1",
        "UPDATE store_format SET version = 2",
        "DELETE FROM record",
        "DELETE FROM record WHERE position = (SELECT max(position) FROM record)",
        "DELETE FROM store_format",
        "REPLACE INTO store_format VALUES (1)",
        "REPLACE INTO record SELECT * FROM record WHERE position = 1",
        "INSERT OR REPLACE INTO record SELECT * FROM record",
    ],
)
def test_refuses_to_change_or_remove_a_stored_row(ledger_file: Path, statement: str) -> None:
    engine = open_engine(store_url(str(ledger_file)))

    with pytest.raises(AppendOnlyError, match="append-only") as caught, writing(engine) as found:
        found.execute(text(statement))

    assert caught.value.facts["store"] == str(ledger_file)


def test_a_locked_database_is_waited_for_and_then_refused(ledger_file: Path) -> None:
    holder = open_engine(store_url(str(ledger_file)))
    other = open_engine(store_url(str(ledger_file)), lock_wait_seconds=SHORT_WAIT_SECONDS)

    with writing(holder):
        begun = time.monotonic()
        with pytest.raises(StoreLockedError) as caught, writing(other):
            pytest.fail("two writers at once")
        waited = time.monotonic() - begun

    assert caught.value.retriable
    assert caught.value.facts["seconds"] == "0.2"
    assert waited >= SHORT_WAIT_SECONDS * 0.9


def test_reads_while_another_process_writes(ledger_file: Path) -> None:
    holder = open_engine(store_url(str(ledger_file)))
    other = open_engine(store_url(str(ledger_file)), lock_wait_seconds=SHORT_WAIT_SECONDS)

    with writing(holder), reading(other) as connection:
        assert connection.scalar(text("SELECT count(*) FROM store_format")) == 1


def test_a_reader_sees_one_state_from_beginning_to_end(ledger_file: Path) -> None:
    writer = open_engine(store_url(str(ledger_file)))
    reader = open_engine(store_url(str(ledger_file)))
    count = text("SELECT count(*) FROM store_format")

    with reading(reader) as connection:
        before = connection.scalar(count)
        with writing(writer) as other:
            other.execute(text("INSERT INTO store_format VALUES (9)"))
        assert connection.scalar(count) == before
    with reading(reader) as connection:
        assert connection.scalar(count) == 2


def test_an_error_in_a_writing_transaction_undoes_it(ledger_file: Path) -> None:
    engine = open_engine(store_url(str(ledger_file)))

    def fails_halfway() -> None:
        with writing(engine) as connection:
            connection.execute(text("INSERT INTO store_format VALUES (9)"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails_halfway()

    with reading(engine) as connection:
        assert connection.scalar(text("SELECT count(*) FROM store_format")) == 1


def test_errors_of_the_ledger_pass_untranslated(ledger_file: Path) -> None:
    error = LedgerMissingError(store="x")

    with (
        pytest.raises(LedgerMissingError) as caught,
        translated(open_engine(store_url(str(ledger_file)))),
    ):
        raise error

    assert caught.value is error


def test_a_constraint_that_refuses_a_row_is_a_store_error(ledger_file: Path) -> None:
    engine = open_engine(store_url(str(ledger_file)))

    with pytest.raises(StoreError) as caught, writing(engine) as connection:
        connection.execute(text("INSERT INTO store_format VALUES (1)"))

    assert caught.value.code == "store"
    assert caught.value.__cause__ is not None


def test_a_folder_is_no_ledger(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailableError) as caught:
        store_at(tmp_path).open()

    assert caught.value.facts["store"] == str(tmp_path)


def test_nothing_is_created_in_a_folder_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailableError):
        store_at(tmp_path / "none" / "ledger.db").create()

    assert not (tmp_path / "none").exists()


def test_nothing_is_created_in_a_folder_that_cannot_be_written() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o555)
        with without_privileges(), pytest.raises(StoreUnavailableError):
            store_at(folder / "ledger.db").create()

        assert list(folder.iterdir()) == []
        folder.chmod(0o700)


def test_a_ledger_file_that_cannot_be_written_is_not_written() -> None:
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "ledger.db"
        ledger = new_ledger(path)
        ledger.store.engine.dispose()
        before = path.read_bytes()
        path.chmod(0o444)
        path.parent.chmod(0o555)
        with without_privileges():
            store = Store(
                open_engine(store_url(str(path))), clock=FakeClock(), entropy=CountingEntropy()
            )
            with pytest.raises(StoreError), writing(store.engine) as connection:
                connection.execute(text("INSERT INTO store_format VALUES (9)"))
            store.engine.dispose()

        assert path.read_bytes() == before
        path.parent.chmod(0o700)


def test_two_connections_of_a_ledger_in_memory_are_one_ledger() -> None:
    engine = open_engine(store_url(":memory:"))
    with writing(engine) as connection:
        connection.execute(text("CREATE TABLE t (x)"))

    with reading(engine) as connection:
        assert connection.scalar(text("SELECT count(*) FROM t")) == 0


def test_two_ledgers_in_memory_are_two() -> None:
    first, second = open_engine(store_url(":memory:")), open_engine(store_url(":memory:"))
    with writing(first) as connection:
        connection.execute(text("CREATE TABLE t (x)"))

    with pytest.raises(StoreError), reading(second) as connection:
        connection.execute(text("SELECT * FROM t"))


def test_a_text_that_is_not_utf_8_is_given_as_bytes(ledger_file: Path) -> None:
    with reading(open_engine(store_url(str(ledger_file)))) as connection:
        damaged = connection.scalar(text("SELECT CAST(x'ff00' AS TEXT)"))
        sound = connection.scalar(text("SELECT 'perché'"))

    assert damaged == b"\xff\x00"
    assert sound == "perché"


def reader_of(path: Path) -> Store:
    """Return a store that only reads."""
    engine = open_engine(store_url(str(path)), read_only=True)
    return Store(engine, clock=FakeClock(), entropy=CountingEntropy())


@contextmanager
def read_only_folder() -> Iterator[Path]:
    """Give a ledger in a folder in which nothing can be written, to somebody to whom that applies.

    Yields:
        The file of the ledger.
    """
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "ledger.db"
        new_ledger(path).store.engine.dispose()
        path.chmod(0o444)
        path.parent.chmod(0o555)
        with without_privileges():
            yield path
        path.parent.chmod(0o700)


def test_a_ledger_is_read_where_nothing_can_be_written() -> None:
    with read_only_folder() as path:
        store = reader_of(path)
        store.open()

        assert store.head() > 0
        store.engine.dispose()
        assert [item.name for item in path.parent.iterdir()] == ["ledger.db"]


def test_a_ledger_that_cannot_be_written_says_so_to_a_writer() -> None:
    with read_only_folder() as path, pytest.raises(StoreReadOnlyError) as caught:
        store_at(path).open()

    assert caught.value.facts["store"] == str(path)


def test_a_log_that_cannot_be_read_is_named() -> None:
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "ledger.db"
        ledger = new_ledger(path)
        held = path.with_name("ledger.db-wal").read_bytes()
        ledger.store.engine.dispose()
        path.with_name("ledger.db-wal").write_bytes(held or b"x" * 32)
        path.parent.chmod(0o555)
        with without_privileges(), pytest.raises(StoreReadOnlyError) as caught:
            reader_of(path).open()
        path.parent.chmod(0o700)

    assert "-wal" in caught.value.facts["reason"]


def test_the_folder_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreFolderMissingError) as caught:
        store_at(tmp_path / "none" / "ledger.db").create()

    assert caught.value.facts["folder"] == str(tmp_path / "none")


def test_a_folder_in_place_of_the_file_is_said_to_be_one(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailableError) as caught:
        store_at(tmp_path).open()

    assert caught.value.facts["reason"] == "it is a folder, not a file"
