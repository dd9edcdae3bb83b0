"""The database of the read models: open it, create its tables, read and write in transactions.

Invariants:
1. Nobody waits without end: neither for a lock, nor for one that began a transaction and fell
   silent.
2. The statements of one reading all see one state; those of a writing see what others committed
   before them, so that a conditional update meets the row as it is.

Source: docs/adr/0010-read-models.md.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import Connection, Engine, MetaData, create_engine, event
from sqlalchemy.exc import IntegrityError, ProgrammingError
from sqlalchemy.pool import NullPool

from ledger.errors import StoreError
from ledger.store.engine import translated
from projections.runner.tables import metadata

LOCK_WAIT_SECONDS: Final = 60.0
"""How long a writer waits for another one before it gives up."""
SILENCE_SECONDS: Final = 45.0
"""How long PostgreSQL lets a transaction rest between two statements before it ends it. Less than
the wait for a lock: who waits for one that is stopped gets what that one held."""
_MILLISECONDS: Final = 1000


def open_views(
    url: str,
    *,
    lock_wait_seconds: float = LOCK_WAIT_SECONDS,
    silence_seconds: float = SILENCE_SECONDS,
) -> Engine:
    """Return an engine over the database of the read models; its tables are created when missing.

    Args:
        url: SQLAlchemy URL.
        lock_wait_seconds: how long to wait for another writer.
        silence_seconds: how long a transaction may rest; of no meaning on SQLite, whose locks end
            with the process that held them.

    Raises:
        StoreFolderMissingError: its folder does not exist.
        StoreUnavailableError: it cannot be opened.
    """
    options = {"registro_read_only": False, "registro_lock_wait": lock_wait_seconds}
    if url.startswith("sqlite"):
        engine = _on_file(url, lock_wait_seconds, options)
    else:
        # A connection of before a restart of the server is found out before it is used.
        engine = create_engine(
            url, isolation_level="READ COMMITTED", pool_pre_ping=True, execution_options=options
        )
        event.listen(engine, "connect", _with_patience(lock_wait_seconds, silence_seconds))
    create_tables(engine, metadata)
    return engine


def _with_patience(
    lock_wait_seconds: float, silence_seconds: float
) -> Callable[[Any, object], None]:
    """Return what tells a new connection to PostgreSQL how long to wait."""

    def prepare(raw: Any, _: object) -> None:
        limits = {
            "lock_timeout": lock_wait_seconds,
            "idle_in_transaction_session_timeout": silence_seconds,
        }
        with raw.cursor() as cursor:
            for name, seconds in limits.items():
                cursor.execute(f"SET {name} = {round(seconds * _MILLISECONDS)}")
        raw.commit()

    return prepare


def _on_file(url: str, lock_wait_seconds: float, options: Mapping[str, float]) -> Engine:
    engine = create_engine(
        url,
        poolclass=NullPool,
        connect_args={"timeout": lock_wait_seconds},
        execution_options=dict(options),
    )

    def prepare(connection: Any, _: object) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode=WAL")
        # What is lost in a power cut is folded again: the ledger is the durable copy.
        connection.execute("PRAGMA synchronous=NORMAL")

    def begin(connection: Connection) -> None:
        connection.exec_driver_sql(
            connection.get_execution_options().get("registro_begin", "BEGIN")
        )

    event.listen(engine, "connect", prepare)
    event.listen(engine, "begin", begin)
    return engine


def create_tables(engine: Engine, tables: MetaData) -> None:
    """Create those tables that are missing.

    Args:
        engine: of the database.
        tables: what must be there.

    Raises:
        StoreUnavailableError: the database does not let us.
    """
    for last in (False, True):
        try:
            with writing(engine) as connection:
                tables.create_all(connection)
        except StoreError as error:
            # Several begin together: PostgreSQL refuses the one that was slower at a table.
            if last or not isinstance(error.__cause__, (IntegrityError, ProgrammingError)):
                raise
        else:
            return


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Give a connection whose statements all see one state of the read models."""
    with translated(engine), engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            # By default each statement would see a state of its own.
            connection.execution_options(isolation_level="REPEATABLE READ")
        with connection.begin():
            yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Give a connection whose statements are one transaction, begun as a writer."""
    with translated(engine), engine.connect() as plain:
        connection = plain.execution_options(registro_begin="BEGIN IMMEDIATE")
        with connection.begin():
            yield connection
