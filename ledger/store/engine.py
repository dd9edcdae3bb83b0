"""Open the database of a ledger: one place that knows how each dialect locks and syncs.

Invariants:
1. A writing transaction holds the ledger's one append lock from its first statement: on SQLite
   by `BEGIN IMMEDIATE`. Positions therefore become visible in order.
2. A commit is durable when it returns: SQLite runs with a write-ahead log and `synchronous=FULL`.
3. A read-only engine cannot write even by mistake.

Source: docs/adr/0001-store.md.
"""

import contextlib
import sqlite3
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
    StoreLockedError,
    StoreUnavailableError,
)

LOCK_WAIT_SECONDS: Final = 10.0
"""How long a writer waits for another one before it gives up."""


def store_url(place: str) -> URL:
    """Return the database URL of a ledger.

    Args:
        place: an SQLAlchemy URL, or the path of an SQLite file.

    Raises:
        ConfigurationError: the URL cannot be read or names a database that is not supported.
    """
    if "://" not in place:
        return URL.create("sqlite", database=place)
    try:
        url = make_url(place)
    except ArgumentError as error:
        raise ConfigurationError(setting="ledger", reason="not a database URL") from error
    if url.get_backend_name() != "sqlite":
        raise ConfigurationError(
            setting="ledger", reason=f"database {url.get_backend_name()!r} is not supported yet"
        )
    return url


def shown(url: URL) -> str:
    """Return the URL for messages, without its password."""
    if url.get_backend_name() == "sqlite":
        return url.database or ":memory:"
    return url.render_as_string(hide_password=True)


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
    in_memory = file_of(url) is None
    engine = create_engine(
        url,
        connect_args={"timeout": lock_wait_seconds, "check_same_thread": False},
        **({"poolclass": StaticPool} if in_memory else {}),
    )
    event.listen(engine, "connect", _sqlite_connect(read_only=read_only, in_memory=in_memory))
    event.listen(engine, "begin", _sqlite_begin)
    return engine


@contextlib.contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Hold the append lock for one transaction: commit at the end, roll back on any error.

    Raises:
        StoreLockedError: another writer did not finish in time.
        AppendOnlyError: a trigger refused to change a stored row.
        StoreUnavailableError: the database failed.
    """
    with translated(engine), engine.connect() as plain:
        connection = plain.execution_options(registro_write=True)
        with connection.begin():
            yield connection


@contextlib.contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Give a connection whose statements all see one state of the ledger."""
    with translated(engine), engine.connect() as connection, connection.begin():
        yield connection


@contextlib.contextmanager
def translated(engine: Engine) -> Iterator[None]:
    """Turn the database's errors into the ledger's, keeping the cause."""
    try:
        yield
    except LedgerError:
        raise
    except DBAPIError as error:
        raise _translate(error, shown(engine.url)) from error


def _translate(error: DBAPIError, store: str) -> LedgerError:
    text = str(error.orig)
    if "append-only" in text:
        return AppendOnlyError(store=store, reason=text)
    if "locked" in text or "busy" in text:
        return StoreLockedError(store=store, seconds=f"{LOCK_WAIT_SECONDS:.0f}", reason=text)
    if isinstance(error, OperationalError):
        return StoreUnavailableError(store=store, reason=text)
    return StoreError(store=store, reason=text)


def _sqlite_connect(*, read_only: bool, in_memory: bool):  # type: ignore[no-untyped-def] # noqa: ANN202 - SQLAlchemy's listener protocol is untyped
    def listener(raw: sqlite3.Connection, _: object) -> None:
        # The driver must not open transactions of its own: `_sqlite_begin` does it.
        raw.isolation_level = None
        raw.text_factory = _text_or_bytes
        if not in_memory and not read_only:
            raw.execute("PRAGMA journal_mode=WAL")
        raw.execute("PRAGMA synchronous=FULL")
        if read_only:
            raw.execute("PRAGMA query_only=ON")

    return listener


def _text_or_bytes(stored: bytes) -> str | bytes:
    """Return a stored text; damaged bytes as they are, so that they can be reported."""
    try:
        return stored.decode()
    except UnicodeDecodeError:
        return stored


def _sqlite_begin(connection: Connection) -> None:
    write = connection.get_execution_options().get("registro_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
