"""Open the database of a ledger: one place that knows how each dialect locks and syncs.

Invariants:
1. A writing transaction holds the ledger's one append lock from its first statement: on SQLite
   by `BEGIN IMMEDIATE`. Positions therefore become visible in order.
2. A commit is durable when it returns: SQLite runs with a write-ahead log and `synchronous=FULL`.
3. A read-only engine cannot write even by mistake.
4. Where nobody can write, a ledger is read without the files that SQLite keeps beside it.
5. Opening changes nothing: a file becomes a ledger only by `Store.create`, and a database that is
   not a ledger stays as it was.

Source: docs/adr/0001-store.md.
"""

import contextlib
import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

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

LOCK_WAIT_SECONDS: Final = 10.0
"""How long a writer waits for another one before it gives up."""

_DRIVERS: Final = frozenset({"sqlite", "sqlite+pysqlite"})


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
    if url.host or url.query:
        raise ConfigurationError(
            setting="ledger", reason="write sqlite:/// and a path, without host and parameters"
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
        poolclass=StaticPool if in_memory else None,
        execution_options={
            "registro_read_only": read_only,
            "registro_lock_wait": lock_wait_seconds,
        },
    )
    if read_only:
        event.listen(engine, "do_connect", _sqlite_frozen)
    event.listen(engine, "connect", _sqlite_connect(read_only=read_only))
    event.listen(engine, "begin", _sqlite_begin)
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
    if path is not None and not _folder_writable(path) and _has_log(path):
        reason = "its last appends stand in the file -wal beside it, which cannot be read here"
        return StoreReadOnlyError(store=store, reason=reason)
    if "locked" in text or "busy" in text:
        waited = engine.get_execution_options()["registro_lock_wait"]
        return StoreLockedError(store=store, seconds=f"{waited:g}", reason=text)
    if isinstance(error, OperationalError):
        return StoreUnavailableError(store=store, reason=text)
    return StoreError(store=store, reason=text)


def _sqlite_connect(*, read_only: bool) -> Callable[[sqlite3.Connection, object], None]:
    def listener(raw: sqlite3.Connection, _: object) -> None:
        # The driver must not open transactions of its own: `_sqlite_begin` does it.
        raw.isolation_level = None
        raw.text_factory = _text_or_bytes
        raw.execute("PRAGMA synchronous=FULL")
        # Without it REPLACE removes the old row past the trigger that refuses to delete.
        raw.execute("PRAGMA recursive_triggers=ON")
        if read_only:
            raw.execute("PRAGMA query_only=ON")

    return listener


def _sqlite_frozen(
    _: object, __: object, arguments: Sequence[object], options: Mapping[str, Any]
) -> sqlite3.Connection | None:
    """Open a file whose folder cannot be written; None where the usual way works.

    SQLite reads a file that has a write-ahead log only where it can make files beside it, unless it
    is told that nobody changes the file: that is so where nothing can be written and no log waits.
    """
    path = Path(str(arguments[0]))
    if not path.is_file() or _folder_writable(path) or _has_log(path):
        return None
    place = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
    frozen: sqlite3.Connection = sqlite3.connect(place, uri=True, **options)
    return frozen


def _folder_writable(path: Path) -> bool:
    """Whether this process can make files beside a file."""
    effective = os.access in os.supports_effective_ids
    return os.access(path.absolute().parent, os.W_OK, effective_ids=effective)


def _has_log(path: Path) -> bool:
    """Whether appends wait in the write-ahead log beside a file."""
    log = path.with_name(path.name + "-wal")
    return log.is_file() and log.stat().st_size > 0


def _text_or_bytes(stored: bytes) -> str | bytes:
    """Return a stored text; damaged bytes as they are, so that they can be reported."""
    try:
        return stored.decode()
    except UnicodeDecodeError:
        return stored


def _sqlite_begin(connection: Connection) -> None:
    statement = connection.get_execution_options().get("registro_begin", "BEGIN")
    if statement is not None:
        connection.exec_driver_sql(statement)
