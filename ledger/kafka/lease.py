"""One publisher at a time: a lock on the ledger that ends with its process.

Invariants:
1. The lock is the operating system's or the server's: a publisher that is killed holds nothing.
2. It orders publishers of one ledger; writers neither wait for it nor see it.

Source: docs/adr/0014-kafka.md; rulings 25.
"""

import contextlib
import fcntl
from collections.abc import Callable, Iterator
from typing import Final

from sqlalchemy import Connection, Engine, text

from ledger.errors import StoreReadOnlyError
from ledger.kafka.errors import PublisherBusyError
from ledger.store.engine import file_of, shown, translated

PUBLISH_LOCK: Final = 0x7265676973747231
"""Number of the advisory lock on PostgreSQL: `registr1` as bytes."""
SUFFIX: Final = "-publisher"
"""What the lock file beside an SQLite ledger is called, after the ledger's name."""

StillHeld = Callable[[], None]
"""Raises when the lock was lost meanwhile."""


@contextlib.contextmanager
def publisher_lease(engine: Engine) -> Iterator[StillHeld]:
    """Hold the publisher's lock of a ledger; a ledger in memory has none and needs none.

    Raises:
        PublisherBusyError: somebody else holds it.
        StoreReadOnlyError: the lock file cannot be made.
    """
    if engine.dialect.name == "postgresql":
        with _advisory(engine) as held:
            yield held
        return
    path = file_of(engine.url)
    if path is None:
        yield _nothing
        return
    lock = path.with_name(path.name + SUFFIX)
    try:
        file = lock.open("a")
    except OSError as error:
        raise StoreReadOnlyError(
            store=shown(engine.url), reason=f"the lock {lock.name} cannot be made beside it"
        ) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise PublisherBusyError(store=shown(engine.url)) from error
        yield _nothing


def _nothing() -> None:
    """Do nothing: a file lock ends with the process and not before."""


@contextlib.contextmanager
def _advisory(engine: Engine) -> Iterator[StillHeld]:
    with translated(engine), engine.connect() as plain:
        connection = plain.execution_options(isolation_level="AUTOCOMMIT")
        statement = text("SELECT pg_try_advisory_lock(:lock)")
        if not connection.scalar(statement, {"lock": PUBLISH_LOCK}):
            raise PublisherBusyError(store=shown(engine.url))
        try:
            yield lambda: _ask(engine, connection)
        finally:
            # A session that is gone took the lock with it.
            if not connection.invalidated:
                unlock = text("SELECT pg_advisory_unlock(:lock)")
                connection.scalar(unlock, {"lock": PUBLISH_LOCK})


def _ask(engine: Engine, connection: Connection) -> None:
    # The lock lives as long as its connection: one answer shows that it does.
    with translated(engine):
        connection.execute(text("SELECT 1"))
