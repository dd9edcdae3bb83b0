"""The eventsourcing library's own projection runner over production events, one event each.

The application lives in memory, the quickest the library offers. The view is measured twice: in
memory, and in SQLite, where each event is one transaction, as the library's documentation shows it.
"""

import time
from collections.abc import Mapping
from typing import Any, Final
from uuid import NAMESPACE_URL, UUID, uuid5

import polars as pl
from eventsourcing.application import Application
from eventsourcing.dispatch import singledispatchmethod
from eventsourcing.domain import Aggregate, event
from eventsourcing.persistence import Tracking
from eventsourcing.popo import POPOTrackingRecorder
from eventsourcing.projection import Projection, ProjectionRunner
from eventsourcing.sqlite import SQLiteTrackingRecorder

WAIT_SECONDS: Final = 600


class Unit(Aggregate):
    """A unit that settles requests."""

    @event("Created")
    def __init__(self, code: str) -> None:
        self.code = code

    @staticmethod
    def create_id(code: str) -> UUID:
        """Return the identity of a unit."""
        return uuid5(NAMESPACE_URL, code)

    @event("Defined")
    def define(self, product: str, month: int, pieces: int, elapsed_days: int) -> None:
        """Settle a request; the aggregate itself keeps nothing."""


class InMemory(POPOTrackingRecorder):
    """Pieces and days by unit, product and month, in a dict."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.cells: dict[tuple[UUID, str, int], list[int]] = {}

    def count(self, key: tuple[UUID, str, int], pieces: int, days: int, tracking: Tracking) -> None:
        """Add to a cell."""
        cell = self.cells.setdefault(key, [0, 0])
        cell[0] += pieces
        cell[1] += days
        self.insert_tracking(tracking)


class InSQLite(SQLiteTrackingRecorder):
    """The same cells in a table, each event in the transaction of its position."""

    def construct_create_table_statements(self) -> list[str]:
        """Add the table of the cells."""
        cell = "unit TEXT, product TEXT, month INTEGER, pieces INTEGER, days INTEGER"
        key = "PRIMARY KEY (unit, product, month)"
        statement = f"CREATE TABLE IF NOT EXISTS cell ({cell}, {key}) WITHOUT ROWID"
        return [*super().construct_create_table_statements(), statement]

    def count(self, key: tuple[UUID, str, int], pieces: int, days: int, tracking: Tracking) -> None:
        """Add to a cell."""
        with self.datastore.transaction(commit=True) as cursor:
            self._insert_tracking(cursor, tracking)
            cursor.execute(
                "INSERT INTO cell VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE "
                "SET pieces = pieces + excluded.pieces, days = days + excluded.days",
                (key[0].hex, key[1], key[2], pieces, days),
            )


class Settled(Projection[Any]):
    """The library's projection."""

    @singledispatchmethod
    def process_event(self, domain_event: Any, tracking: Tracking) -> None:
        """Pass over what is not counted."""
        del domain_event
        self.view.insert_tracking(tracking)

    @process_event.register
    def defined(self, domain_event: Unit.Defined, tracking: Tracking) -> None:  # type: ignore[name-defined] # made by the decorator
        """Count settlements."""
        key = (domain_event.originator_id, domain_event.product, domain_event.month)
        days = domain_event.pieces * domain_event.elapsed_days
        self.view.count(key, domain_event.pieces, days, tracking)


class Filled(Application[UUID]):
    """An application that holds the facts of a table when it is made."""

    facts: pl.DataFrame = pl.DataFrame()

    def __init__(self, env: Any = None) -> None:
        super().__init__(env)
        units: dict[str, Unit] = {}
        for row in self.facts.iter_rows(named=True):
            unit = units.setdefault(row["defining_unit"], Unit(row["defining_unit"]))
            day = row["defined_on"]
            unit.define(
                row["product"], day.year * 100 + day.month, row["pieces"], row["elapsed_days"]
            )
        for unit in units.values():
            self.save(unit)


def project(facts: pl.DataFrame, *, database: str | None) -> float:
    """Project a table of settlements and return events a second.

    Args:
        facts: settlements.
        database: file of the view; None keeps it in memory.
    """
    Filled.facts = facts
    env: Mapping[str, str] = {}
    if database is not None:
        env = {
            "SETTLED_PERSISTENCE_MODULE": "eventsourcing.sqlite",
            "SETTLED_SQLITE_DBNAME": database,
        }
    with ProjectionRunner(
        application_class=Filled,
        projection_class=Settled,
        view_class=InMemory if database is None else InSQLite,
        env=dict(env),
    ) as runner:
        # The runner begins at the end of its construction: what it did by then is left out of the
        # events, not of the time.
        done = runner.view.max_tracking_id(runner.app.name) or 0
        last = runner.app.recorder.max_notification_id() or 0
        begin = time.perf_counter()
        runner.wait(last, timeout=WAIT_SECONDS)
        return (last - done) / (time.perf_counter() - begin)
