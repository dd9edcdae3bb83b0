"""Open the database of a ledger: one place that knows how each dialect locks and syncs.

Invariants:
1. A writing transaction holds the ledger's one append lock from its first statement: on SQLite
   by `BEGIN IMMEDIATE`, on PostgreSQL by an advisory lock that ends with the transaction. Positions
   therefore become visible in order.
2. A commit is durable when it returns: SQLite runs with a write-ahead log and `synchronous=FULL`,
   PostgreSQL with `synchronous_commit` on.
3. A read-only engine cannot write even by mistake.
4. Where nobody can write, a ledger is read without the files that SQLite keeps beside it.
5. Opening changes nothing: a file becomes a ledger only by `Store.create`, and a database that is
   not a ledger stays as it was.

Source: docs/adr/0001-store.md.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.pool import StaticPool

from ledger.errors import (
    AppendOnlyError,
    ConfigurationError,
    LedgerError,
    StoreError,
    StoreFolderMissingError,
    StoreLockedError,
    StoreReadOnlyError,
    StoreUnavailableError,
)
from ledger.store import postgresql, sqlite

LOCK_WAIT_SECONDS: Final = 10.0
"""How long a writer waits for another one before it gives up."""

_DRIVERS: Final = {
    "sqlite": "sqlite",
    "sqlite+pysqlite": "sqlite",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}
"""Drivers that a URL may name, and the one that is used."""


def store_url(place: str) -> URL:
    """Return the database URL of a ledger.

    Args:
        place: an SQLAlchemy URL, or the path of an SQLite file.

    Raises:
        ConfigurationError: the place is empty, the URL cannot be read or names a database that is
            not supported.
    """
    if not place.strip():
        raise ConfigurationError(setting="ledger", reason="it is empty: name a file or a URL")
    if "://" not in place:
        return URL.create("sqlite", database=place)
    try:
        url = make_url(place)
    except (ArgumentError, ValueError) as error:
        raise ConfigurationError(setting="ledger", reason="not a database URL") from error
    if url.drivername not in _DRIVERS:
        raise ConfigurationError(
            setting="ledger", reason=f"database {url.drivername!r} is not supported yet"
        )
    if url.get_backend_name() == "postgresql":
        return url.set(drivername=_DRIVERS[url.drivername])
    if url.host or url.query:
        raise ConfigurationError(
            setting="ledger", reason="write sqlite:/// and a path, without host and parameters"
        )
    return url


def shown(url: URL) -> str:
    """Return the URL for messages, as people write it: without driver and password."""
    if url.get_backend_name() == "sqlite":
        return url.database or ":memory:"
    return url.set(drivername=url.get_backend_name()).render_as_string(hide_password=True)


def file_of(url: URL) -> Path | None:
    """Return the file of an SQLite ledger; None for one in memory or on a server."""
    if url.get_backend_name() != "sqlite" or url.database in {None, "", ":memory:"}:
        return None
    return Path(str(url.database))


def open_engine(
    url: URL, *, read_only: bool = False, lock_wait_seconds: float = LOCK_WAIT_SECONDS
) -> Engine:
    """Return an engine for the ledger at `url`; nothing is created or read yet.

    Args:
        url: from `store_url`.
        read_only: refuse every write.
        lock_wait_seconds: how long to wait for another writer.
    """
    options = {
        "registro_read_only": read_only,
        "registro_lock_wait": lock_wait_seconds,
    }
    if url.get_backend_name() == "postgresql":
        engine = create_engine(
            url, execution_options=options, isolation_level="REPEATABLE READ", pool_pre_ping=True
        )
        event.listen(engine, "connect", postgresql.on_connect(read_only=read_only))
        return engine
    engine = create_engine(
        url,
        connect_args={"timeout": lock_wait_seconds, "check_same_thread": False},
        poolclass=StaticPool if file_of(url) is None else None,
        execution_options=options,
    )
    if read_only:
        event.listen(engine, "do_connect", sqlite.open_frozen)
    event.listen(engine, "connect", sqlite.on_connect(read_only=read_only))
    event.listen(engine, "begin", sqlite.on_begin)
    return engine


@contextlib.contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Hold the append lock for one transaction: commit at the end, roll back on any error.

    Raises:
        StoreLockedError: another writer did not finish in time.
        AppendOnlyError: a trigger refused to change a stored row.
        StoreUnavailableError: the database failed.
        StoreError: the file is not a database, or a constraint refused a row.
    """
    if engine.dialect.name == "postgresql":
        # The lock comes before the snapshot: a writer that waited sees what the one before wrote.
        waited = engine.get_execution_options()["registro_lock_wait"]
        with translated(engine), engine.connect() as plain:
            connection = plain.execution_options(isolation_level="READ COMMITTED")
            with connection.begin():
                postgresql.take_append_lock(connection, seconds=waited)
                yield connection
        return
    with translated(engine), engine.connect() as plain:
        connection = plain.execution_options(registro_begin="BEGIN IMMEDIATE")
        with connection.begin():
            yield connection


@contextlib.contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Give a connection whose statements all see one state of the ledger."""
    with translated(engine), engine.connect() as connection, connection.begin():
        yield connection


def keep_log(engine: Engine) -> None:
    """Give an SQLite file its write-ahead log, which stays with the file.

    Only for files that are known to be ledgers: it changes the header of the file. Nothing is done
    in memory and on a read-only engine.

    Raises:
        StoreLockedError: another process holds the file.
        StoreUnavailableError: the file cannot be written.
    """
    if file_of(engine.url) is None or engine.get_execution_options()["registro_read_only"]:
        return
    with translated(engine), engine.connect() as plain:
        # SQLite changes the journal outside of transactions only.
        connection = plain.execution_options(registro_begin=None)
        connection.exec_driver_sql("PRAGMA journal_mode=WAL")


@contextlib.contextmanager
def translated(engine: Engine) -> Iterator[None]:
    """Turn the database's errors into the ledger's, keeping the cause."""
    try:
        yield
    except LedgerError:
        raise
    except DBAPIError as error:
        raise _translate(error, engine) from error


def _translate(error: DBAPIError, engine: Engine) -> LedgerError:
    store, text = shown(engine.url), str(error.orig)
    path = file_of(engine.url)
    if path is not None and not path.absolute().parent.is_dir():
        return StoreFolderMissingError(store=store, folder=path.absolute().parent)
    if path is not None and path.is_dir():
        return StoreUnavailableError(store=store, reason="it is a folder, not a file")
    if "append-only" in text:
        return AppendOnlyError(store=store, reason=text)
    if "readonly" in text and not engine.get_execution_options()["registro_read_only"]:
        return StoreReadOnlyError(store=store, reason="the file or its folder cannot be written")
    if path is not None and not sqlite.folder_writable(path) and sqlite.has_log(path):
        reason = "its last appends stand in the file -wal beside it, which cannot be read here"
        return StoreReadOnlyError(store=store, reason=reason)
    if "locked" in text or "busy" in text:
        waited = engine.get_execution_options()["registro_lock_wait"]
        return StoreLockedError(store=store, seconds=f"{waited:g}", reason=text)
    if postgresql.lock_not_had(error):
        waited = engine.get_execution_options()["registro_lock_wait"]
        return StoreLockedError(store=store, seconds=f"{waited:g}", reason=text)
    if isinstance(error, OperationalError) or error.connection_invalidated:
        return StoreUnavailableError(store=store, reason=text)
    return StoreError(store=store, reason=text)
