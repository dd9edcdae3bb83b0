"""Where the members of a group put their work: who has read how far, and what waits to be merged.

Invariants:
1. An offset moves together with what was made of the messages before it, in one transaction, and
   only from the offset and in the epoch that the member read: two members that both believe to have
   a partition cannot both hand in its messages.
2. A window is merged in the transaction that moves the generation, so its shares are used once.
3. Beginning anew loses nothing: `begin` of a partition lies before every message that is not
   visible yet.

Source: docs/adr/0018-live-tail.md.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Engine, Table, delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from ledger.kafka.client.connection import Partition
from ledger.kafka.message import Address
from ledger.store.store import FaultPoint
from projections.runner.database import create_tables, reading, writing
from projections.runner.tables import LIVE, generation
from projections.tail.handover import (
    NOWHERE,
    Group,
    HandedOnError,
    Move,
    Pending,
    Reach,
    Share,
    Standing,
    Window,
)
from projections.tail.tables import group, metadata, reach, share, window


class Desk:
    """The tables of the live tail of one projection."""

    def __init__(
        self,
        engine: Engine,
        projection: str,
        *,
        release: str,
        fault_point: FaultPoint = lambda _: None,
    ) -> None:
        """Take the database of the read models; the tables are created when missing.

        Args:
            engine: of the database.
            projection: which read model.
            release: of this program.
            fault_point: of the crash tests.
        """
        self.engine = engine
        self.projection = projection
        self._release = release
        self._fault_point = fault_point
        create_tables(engine, metadata)

    # Looking

    def standing(self) -> Standing:
        """Return where group and generation stand, both seen at one moment."""
        live = select(
            generation.c.generation, generation.c.position, generation.c.code_version
        ).where(generation.c.projection == self.projection, generation.c.state == LIVE)
        found = live.subquery()
        of_group = select(group).where(group.c.projection == self.projection).subquery()
        both = select(
            found.c.generation.label("live"),
            found.c.position.label("at"),
            found.c.code_version,
            *(column.label(f"group_{column.name}") for column in of_group.c),
        ).select_from(found.outerjoin(of_group, of_group.c.projection == self.projection))
        with reading(self.engine) as connection:
            row = connection.execute(both).first()
        if row is None:
            return Standing(group=None, generation=None, position=0, release="")
        own = None
        if row.group_epoch is not None:
            own = Group(
                projection=self.projection,
                generation=row.group_generation,
                merged=row.group_merged,
                epoch=row.group_epoch,
                doubtful=row.group_doubtful,
                reread=row.group_reread,
                release=row.group_release,
            )
        return Standing(group=own, generation=row.live, position=row.at, release=row.code_version)

    def still(self, at: Group) -> Group:
        """Return where a group stands that has not begun anew.

        Whoever has nothing to hand in has to ask: its partitions may have to be read again.

        Raises:
            HandedOnError: it began anew.
        """
        with reading(self.engine) as connection:
            row = connection.execute(select(group).where(self._of(group))).first()
        if row is None or row.epoch != at.epoch:
            raise HandedOnError
        return replace(at, merged=row.merged)

    def reaches(self, places: Collection[Partition]) -> dict[Partition, Reach]:
        """Return how far partitions were read; those that nobody began are absent."""
        with reading(self.engine) as connection:
            rows = connection.execute(select(reach).where(self._of(reach))).all()
        found = {
            Partition(row.topic, row.partition): Reach(
                offset=row.offset,
                address=Address(row.position, row.place),
                topic_id=row.topic_id,
            )
            for row in rows
        }
        return {place: found[place] for place in places if place in found}

    def pending(self) -> Pending:
        """Return what is planned and not merged yet."""
        with reading(self.engine) as connection:
            return self._pending(connection)

    def _pending(self, connection: Connection) -> Pending:
        merged = connection.scalar(select(group.c.merged).where(self._of(group))) or 0
        statement = select(window).where(self._of(window)).order_by(window.c.after)
        return Pending(merged=merged, windows=tuple(map(_window, connection.execute(statement))))

    def handed_in(self, of: Window) -> int:
        """Return how many facts of a window were handed in."""
        total = func.coalesce(func.sum(share.c.facts), 0)
        statement = select(total).where(self._of(share), share.c.through == of.through)
        with reading(self.engine) as connection:
            return int(connection.scalar(statement) or 0)

    def seen_for(self, of: Window) -> tuple[bytes, ...]:
        """Return what the shares of a window were made of, see `projections.tail.shares`."""
        statement = select(share.c.seen).where(self._of(share), share.c.through == of.through)
        with reading(self.engine) as connection:
            return tuple(map(bytes, connection.scalars(statement)))

    def shares(self, of: Window) -> tuple[Share, ...]:
        """Return what was handed in for a window, by partition and offset."""
        statement = (
            select(share)
            .where(self._of(share), share.c.through == of.through)
            .order_by(share.c.topic, share.c.partition, share.c.offset)
        )
        with reading(self.engine) as connection:
            return tuple(map(_share, connection.execute(statement)))

    def seen(self, places: Collection[Partition]) -> Iterator[tuple[Partition, bytes]]:
        """Yield what the shares of partitions were made of, see `projections.tail.shares`."""
        columns = (share.c.topic, share.c.partition, share.c.seen)
        with reading(self.engine) as connection:
            rows = connection.execute(select(*columns).where(self._of(share))).all()
        for row in rows:
            place = Partition(row.topic, row.partition)
            if place in places:
                yield place, bytes(row.seen)

    # Beginning

    def begin(self, live: Standing) -> None:
        """Begin where the live generation stands; nothing happens when others were quicker."""
        row = {
            "projection": self.projection,
            "generation": live.generation,
            "merged": live.position,
            "epoch": 1,
            "doubtful": 0,
            "reread": 0,
            "release": self._release,
        }
        with writing(self.engine) as connection:
            connection.execute(self._unless_there(group).values(row))

    def enter(
        self, at: Group, offsets: Mapping[Partition, int], topic_ids: Mapping[str, str]
    ) -> None:
        """Note where partitions are read from that nobody began yet.

        Args:
            at: the group as it was read.
            offsets: by partition.
            topic_ids: what the topics are known by.

        Raises:
            HandedOnError: the group began anew meanwhile.
        """
        with self._working(at) as connection:
            for place, offset in sorted(offsets.items()):
                row = {**self._key(place), "begin": offset, "offset": offset}
                row |= {"topic_id": topic_ids.get(place.topic, "")}
                row |= {"position": NOWHERE.position, "place": NOWHERE.index}
                connection.execute(self._unless_there(reach).values(row))

    def begin_anew(
        self,
        at: Group,
        *,
        doubtful: int = 0,
        reread: int = 0,
        offsets: Mapping[Partition, int] | None = None,
        topic_ids: Mapping[str, str] | None = None,
    ) -> None:
        """Throw away what is not merged, and read it again behind the live generation.

        Args:
            at: the group as it was read.
            doubtful: up to here every message is compared with the ledger.
            reread: up to here the topics are now read from their beginning.
            offsets: where to begin with partitions that are not read on from where they were.
            topic_ids: what the topics of these are known by now, where that changed.

        Raises:
            HandedOnError: the group began anew meanwhile.
        """
        with self._working(at, alone=True) as connection:
            live = connection.execute(
                select(generation.c.generation, generation.c.position).where(
                    generation.c.projection == self.projection, generation.c.state == LIVE
                )
            ).first()
            if live is None:
                raise HandedOnError
            connection.execute(
                update(group)
                .where(self._of(group))
                .values(
                    generation=live.generation,
                    merged=live.position,
                    epoch=at.epoch + 1,
                    doubtful=max(at.doubtful, doubtful),
                    reread=max(at.reread, reread),
                    release=self._release,
                )
            )
            for table in (window, share):
                connection.execute(delete(table).where(self._of(table)))
            for place, offset in sorted((offsets or {}).items()):
                values: dict[str, Any] = {"begin": offset}
                if topic_ids and place.topic in topic_ids:
                    values["topic_id"] = topic_ids[place.topic]
                connection.execute(update(reach).where(*self._at(reach, place)).values(**values))
            connection.execute(
                update(reach)
                .where(self._of(reach))
                .values(offset=reach.c.begin, position=NOWHERE.position, place=NOWHERE.index)
            )

    # Working

    def plan(self, at: Group, made: Callable[[int], Sequence[Window]]) -> Pending:
        """Add windows behind those that are planned; one member at a time does so.

        Args:
            at: the group as it was read.
            made: gives the windows behind a position.

        Raises:
            HandedOnError: the group began anew meanwhile.
        """
        with self._working(at, alone=True) as connection:
            before = self._pending(connection)
            new = made(before.through)
            for one in new:
                row = {
                    "projection": self.projection,
                    "after": one.after,
                    "through": one.through,
                    "facts": one.facts,
                    "events": one.events,
                }
                connection.execute(insert(window).values(row))
            return Pending(merged=before.merged, windows=(*before.windows, *new))

    def hand_in(self, at: Group, moves: Sequence[Move], shares: Sequence[Share]) -> None:
        """Move offsets, and keep what was made of the messages before them.

        Raises:
            HandedOnError: another member read one of the partitions, or the group began anew.
        """
        with self._working(at) as connection:
            merged = connection.scalar(select(group.c.merged).where(self._of(group))) or 0
            for one in sorted(moves, key=lambda move: move.place):
                moved = connection.execute(
                    update(reach)
                    .where(*self._at(reach, one.place), reach.c.offset == one.before)
                    .values(
                        offset=one.offset,
                        position=one.address.position,
                        place=one.address.index,
                    )
                )
                if moved.rowcount != 1:
                    raise HandedOnError
            rows = [
                {
                    **self._key(one.place),
                    "through": one.through,
                    "offset": one.offset,
                    "facts": one.facts,
                    "fallbacks": one.fallbacks,
                    "cells": one.cells,
                    "seen": one.seen,
                }
                for one in shares
                # Of a window that is visible nothing is missing: what claims to be of it is not.
                if one.through > merged
            ]
            if rows:
                connection.execute(insert(share), rows)

    def merged(self, connection: Connection, at: Group, done: Window) -> None:
        """Let go of a window whose rows are in the generation now, in the same transaction.

        Args:
            connection: of the transaction.
            at: the group as it was read.
            done: the window.

        Raises:
            HandedOnError: others merged it, or the group began anew.
        """
        moved = connection.execute(
            update(group)
            .where(self._of(group), group.c.epoch == at.epoch, group.c.merged == done.after)
            .values(merged=done.through)
        )
        if moved.rowcount != 1:
            raise HandedOnError
        connection.execute(delete(window).where(self._of(window), window.c.through == done.through))
        connection.execute(delete(share).where(self._of(share), share.c.through == done.through))
        # What stands before the offset was handed in, so only what still waits could be lost.
        waiting = (
            select(func.min(share.c.offset))
            .where(
                self._of(share),
                share.c.topic == reach.c.topic,
                share.c.partition == reach.c.partition,
            )
            .scalar_subquery()
        )
        connection.execute(
            update(reach)
            .where(self._of(reach))
            .values(begin=func.coalesce(waiting, reach.c.offset))
        )

    @contextmanager
    def _working(self, at: Group, *, alone: bool = False) -> Iterator[Connection]:
        """Give a transaction during which the group does not begin anew.

        The row of the group is locked first, everywhere: members share it, who begins anew or
        merges has it alone.
        """
        with writing(self.engine) as connection:
            epoch = connection.scalar(
                select(group.c.epoch).where(self._of(group)).with_for_update(read=not alone)
            )
            if epoch != at.epoch:
                raise HandedOnError
            yield connection
            self._fault_point("desk.before_commit")
        self._fault_point("desk.committed")

    def _of(self, table: Table) -> Any:
        return table.c.projection == self.projection

    def _at(self, table: Table, place: Partition) -> tuple[Any, ...]:
        return (
            self._of(table),
            table.c.topic == place.topic,
            table.c.partition == place.number,
        )

    def _key(self, place: Partition) -> dict[str, Any]:
        return {"projection": self.projection, "topic": place.topic, "partition": place.number}

    def _unless_there(self, table: Table) -> Any:
        dialect = postgresql_insert if self.engine.dialect.name == "postgresql" else sqlite_insert
        return dialect(table).on_conflict_do_nothing()


def _window(row: Any) -> Window:
    return Window(after=row.after, through=row.through, facts=row.facts, events=row.events)


def _share(row: Any) -> Share:
    return Share(
        place=Partition(row.topic, row.partition),
        through=row.through,
        offset=row.offset,
        facts=row.facts,
        fallbacks=row.fallbacks,
        cells=bytes(row.cells),
        seen=bytes(row.seen),
    )
