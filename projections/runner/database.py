"""The database of the read models: open it, create its tables, read and write in transactions.

Source: docs/adr/0010-read-models.md.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import Connection, Engine, MetaData, create_engine, event
from sqlalchemy.exc import IntegrityError, ProgrammingError
from sqlalchemy.pool import NullPool

from ledger.errors import StoreError
from ledger.store.engine import translated
from projections.runner.tables import metadata

_LOCK_SECONDS: Final = 60


def open_views(url: str) -> Engine:
    """Return an engine over the database of the read models; its tables are created when missing.

    Args:
        url: SQLAlchemy URL.

    Raises:
        StoreFolderMissingError: its folder does not exist.
        StoreUnavailableError: it cannot be opened.
    """
    options = {"registro_read_only": False, "registro_lock_wait": float(_LOCK_SECONDS)}
    if not url.startswith("sqlite"):
        engine = create_engine(url, execution_options=options)
        create_tables(engine, metadata)
        return engine
    engine = create_engine(
        url,
        poolclass=NullPool,
        connect_args={"timeout": _LOCK_SECONDS},
        execution_options=options,
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
    create_tables(engine, metadata)
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
    with translated(engine), engine.connect() as connection, connection.begin():
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Give a connection whose statements are one transaction, begun as a writer."""
    with translated(engine), engine.connect() as plain:
        connection = plain.execution_options(registro_begin="BEGIN IMMEDIATE")
        with connection.begin():
            yield connection
