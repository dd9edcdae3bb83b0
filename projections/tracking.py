"""How far each projection has come, stored beside its rows.

Invariants:
1. A position is recorded by one conditional upsert in the same transaction as the rows that
   follow from it: an event is applied once, whatever crashes.
2. A position that is not greater than the recorded one is refused.

Source: the eventsourcing library's `TrackingRecorder` contract, whose own suite runs in
tests/contract/.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from eventsourcing.persistence import IntegrityError, Tracking, TrackingRecorder
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    MetaData,
    Table,
    Text,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError as DatabaseIntegrityError

metadata = MetaData()

tracking = Table(
    "projection_tracking",
    metadata,
    Column("application", Text, primary_key=True),
    Column("position", BigInteger, nullable=False),
)


class ProjectionStore(TrackingRecorder):
    """Tables of projections in one database, with their tracking position."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        metadata.create_all(engine)

    @contextmanager
    def applying(self, position: Tracking) -> Iterator[Connection]:
        """Give a transaction in which rows are written; the position moves when it commits.

        Raises:
            IntegrityError: the position is not greater than the recorded one; nothing is written.
        """
        with self.engine.begin() as connection:
            self._advance(connection, position)
            yield connection

    def insert_tracking(self, tracking: Tracking) -> None:
        """Record a position without rows; see `applying`."""
        with self.engine.begin() as connection:
            self._advance(connection, tracking)

    def max_tracking_id(self, application_name: str) -> int | None:
        """Return the recorded position of an application; None before the first."""
        with self.engine.connect() as connection:
            return connection.scalar(
                select(tracking.c.position).where(tracking.c.application == application_name)
            )

    @staticmethod
    def _advance(connection: Connection, position: Tracking) -> None:
        name, notification_id = position.application_name, position.notification_id
        moved = connection.execute(
            update(tracking)
            .where(tracking.c.application == name, tracking.c.position < notification_id)
            .values(position=notification_id)
        )
        if moved.rowcount == 1:
            return
        try:
            connection.execute(insert(tracking).values(application=name, position=notification_id))
        except DatabaseIntegrityError as error:
            raise IntegrityError(
                f"projection {name} is at position {notification_id} or beyond"
            ) from error
