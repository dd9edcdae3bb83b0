"""Real ledgers in temporary files or in memory, with a clock that tests move.

With `REGISTRO_TEST_STORE=postgresql` the same tests run on PostgreSQL: each path stands for a
database of its own on the server that `REGISTRO_TEST_POSTGRESQL` names (`scripts/services up`).
"""

import contextlib
import datetime as dt
import hashlib
import itertools
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import IntegrityError, ProgrammingError
from sqlalchemy.pool import NullPool

from ledger.application import LedgerApplication
from ledger.clock import Entropy
from ledger.store.engine import open_engine, store_url
from ledger.store.store import FaultPoint, Store

START = dt.datetime(2026, 11, 21, 9, 0, tzinfo=dt.UTC)


class FakeClock:
    """A clock that moves one second at every look, and on demand."""

    def __init__(self, start: dt.datetime = START) -> None:
        self.instant = start

    def now(self) -> dt.datetime:
        """Return the instant, then move on."""
        self.instant += dt.timedelta(seconds=1)
        return self.instant


class CountingEntropy:
    """Bytes that are different each time and the same in every run."""

    def __init__(self) -> None:
        self._count = itertools.count(1)

    def token(self, size: int) -> bytes:
        """Return the next number, as bytes."""
        return next(self._count).to_bytes(size)


def on_postgresql() -> bool:
    """Tell whether the tests run on PostgreSQL."""
    return os.environ.get("REGISTRO_TEST_STORE") == "postgresql"


embedded = pytest.mark.skipif(on_postgresql(), reason="speaks of files of SQLite")
"""Marks what has a meaning on the embedded database only."""


def place_of(path: Path) -> str:
    """Return what names the store of a path: the file, or a database made for it."""
    if not on_postgresql():
        return str(path)
    server = make_url(os.environ["REGISTRO_TEST_POSTGRESQL"])
    name = f"t_{hashlib.sha256(str(path).encode()).hexdigest()[:24]}"
    url = server.set(drivername="postgresql+psycopg")
    engine = create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with engine.connect() as connection, contextlib.suppress(ProgrammingError, IntegrityError):
        # Another process of the same test may make it at the same moment.
        connection.execute(text(f"CREATE DATABASE {name}"))
    return server.set(database=name).render_as_string(hide_password=False)


def store_at(
    path: Path | None,
    *,
    clock: FakeClock | None = None,
    entropy: Entropy | None = None,
    fault_point: FaultPoint = lambda _: None,
) -> Store:
    """Return a store in a file, or in memory when there is no path; nothing is created."""
    return Store(
        open_engine(store_url(":memory:" if path is None else place_of(path))),
        clock=clock or FakeClock(),
        entropy=entropy or CountingEntropy(),
        fault_point=fault_point,
    )


def new_ledger(
    path: Path | None = None, *, body: str | None = "INPS", sandbox: bool = False
) -> LedgerApplication:
    """Create a ledger."""
    clock, entropy = FakeClock(), CountingEntropy()
    store = store_at(path, clock=clock, entropy=entropy)
    return LedgerApplication.create(store, clock=clock, entropy=entropy, body=body, sandbox=sandbox)


def reopened(path: Path) -> LedgerApplication:
    """Open a ledger that exists."""
    clock, entropy = FakeClock(), CountingEntropy()
    return LedgerApplication.open(
        store_at(path, clock=clock, entropy=entropy), clock=clock, entropy=entropy
    )


Maker = Callable[[], LedgerApplication]
