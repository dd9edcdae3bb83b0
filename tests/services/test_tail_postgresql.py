"""The desk of the live tail on PostgreSQL: members at once, no deadlock, nothing shown twice.

The server is this module's own.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, make_url

from ledger.errors import ProjectionError
from ledger.kafka.client.connection import Partition
from ledger.kafka.message import Address
from projections.production.cube import empty
from projections.runner.database import open_views
from projections.runner.tables import LIVE
from projections.runner.views import Views
from projections.tail.desk import Desk
from projections.tail.handover import Group, HandedOnError, Move, Share, Window
from tests.support.postgresql_server import BIN, Server, own_server
from tests.support.tails import PRODUCTION

PLACES = tuple(Partition("t", number) for number in range(6))
RECORDS = 60
STEP = 3
PATIENCE_SECONDS = 60
MEMBERS = 4
REBUILDS = 3

pytestmark = [
    pytest.mark.skipif(not BIN, reason="no PostgreSQL: scripts/services up"),
    pytest.mark.timeout(180),
]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with own_server() as made:
        yield made


@pytest.fixture
def engine(server: Server, tmp_path: Path) -> Iterator[Engine]:
    """A database of its own."""
    name = f"t_{abs(hash(tmp_path)):x}"
    server.ask(f"CREATE DATABASE {name}")
    at = make_url(server.url).set(drivername="postgresql+psycopg", database=name)
    made = open_views(at.render_as_string(hide_password=False))
    yield made
    made.dispose()


def at_once(*works: Callable[[], None]) -> None:
    """Do several things at once; what one of them raises is raised here."""
    failed: list[BaseException] = []
    begin = threading.Barrier(len(works))

    def done(work: Callable[[], None]) -> None:
        try:
            begin.wait(PATIENCE_SECONDS)
            work()
        except BaseException as error:  # noqa: BLE001 - told by the test's own thread
            failed.append(error)

    threads = [threading.Thread(target=done, args=(work,)) for work in works]
    for one in threads:
        one.start()
    for one in threads:
        one.join(2 * PATIENCE_SECONDS)
    assert not any(one.is_alive() for one in threads)
    if failed:
        raise failed[0]


def test_members_that_begin_together_find_their_tables(engine: Engine) -> None:
    def begin() -> None:
        Desk(engine, PRODUCTION.name, release="test")

    at_once(*[begin] * 6)

    assert Desk(engine, PRODUCTION.name, release="test").pending().windows == ()


class Beside:
    """A member; each partition has one fact of each position, at offset position - 1."""

    def __init__(self, engine: Engine) -> None:
        self.views = Views(engine, code_version="test")
        self.desk = Desk(engine, PRODUCTION.name, release="test")
        self.shown: list[tuple[Partition, int]] = []
        self.refused = 0

    @property
    def position(self) -> int:
        """Where the live generation stands."""
        live = self.views.live(PRODUCTION.name)
        return 0 if live is None else live.position

    def work(self, begin: int) -> None:
        """Fold and merge until everything is visible, partitions from `begin` on first."""
        until = time.monotonic() + PATIENCE_SECONDS
        order = (*PLACES[begin:], *PLACES[:begin])
        while self.position < RECORDS:
            assert time.monotonic() < until
            try:
                standing = self.desk.standing()
                if standing.group is None or not standing.in_step:
                    if standing.group is not None:
                        self.desk.begin_anew(standing.group, doubtful=standing.position)
                    continue
                group = standing.group
                self.desk.plan(group, self._windows)
                for first in range(0, len(order), 2):
                    self._fold(group, order[first : first + 2])
                self._merge(group)
            except (HandedOnError, ProjectionError):
                self.refused += 1

    @staticmethod
    def _windows(after: int) -> list[Window]:
        through = min(after + STEP, RECORDS)
        count = len(PLACES) * (through - after)
        return [Window(after=after, through=through, facts=count, events=count)][:count]

    def _fold(self, group: Group, places: tuple[Partition, ...]) -> None:
        reach = self.desk.reaches(places)
        windows = self.desk.pending().windows
        if not windows:
            return
        moves, shares = [], []
        for place in places:
            before, end = reach[place].offset, windows[-1].through
            address = Address(end, 0)
            moves.append(Move(place=place, before=before, offset=end, address=address))
            for one in windows:
                own = [p for p in range(before + 1, end + 1) if one.after < p <= one.through]
                if own:
                    shares.append(
                        Share(
                            place=place,
                            through=one.through,
                            offset=own[0] - 1,
                            facts=len(own),
                            fallbacks=0,
                            cells=b"",
                            seen=bytes(own),
                        )
                    )
        self.desk.hand_in(group, moves, shares)

    def _merge(self, group: Group) -> None:
        live = self.views.live(PRODUCTION.name)
        for window in self.desk.pending().windows[:1]:
            if live is None or live.position != window.after or live.number != group.generation:
                return
            if self.desk.handed_in(window) != window.facts:
                return
            shares = self.desk.shares(window)
            self.views.apply(
                PRODUCTION,
                live,
                empty(),
                position=window.through,
                events=window.events,
                fallbacks=0,
                also=partial(self._let_go, group, window),
            )
            self.shown += [(one.place, position) for one in shares for position in one.seen]

    def _let_go(self, group: Group, window: Window, connection: Connection) -> None:
        self.desk.merged(connection, group, window)


def begun(engine: Engine) -> Beside:
    """Begin a live generation and its group."""
    first = Beside(engine)
    first.views.begin(PRODUCTION, state=LIVE)
    first.desk.begin(first.desk.standing())
    group = first.desk.standing().group
    assert group is not None
    first.desk.enter(group, dict.fromkeys(PLACES, 0), {})
    return first


def test_members_that_believe_to_have_every_partition_show_each_fact_once(engine: Engine) -> None:
    begun(engine)
    members = [Beside(engine) for _ in range(MEMBERS)]

    at_once(*[lambda one=one, n=n: one.work(n) for n, one in enumerate(members)])

    shown = sorted(pair for one in members for pair in one.shown)
    assert shown == sorted((p, n) for p in PLACES for n in range(1, RECORDS + 1))
    assert members[0].desk.pending().windows == ()


def test_a_group_that_keeps_beginning_anew_deadlocks_nobody(engine: Engine) -> None:
    first = begun(engine)
    members = [Beside(engine) for _ in range(2)]
    done = threading.Event()

    def unrest() -> None:
        while not done.is_set():
            group = first.desk.standing().group
            if group is not None:
                with contextlib.suppress(HandedOnError):
                    first.desk.begin_anew(group, offsets=dict.fromkeys(PLACES, 0))
            time.sleep(0.1)

    def working() -> None:
        try:
            at_once(*[lambda one=one, n=n: one.work(n) for n, one in enumerate(members)])
        finally:
            done.set()

    at_once(unrest, working)

    shown = sorted(pair for one in members for pair in one.shown)
    assert shown == sorted((p, n) for p in PLACES for n in range(1, RECORDS + 1))


def test_a_rebuild_beside_the_group_doubles_nothing(engine: Engine) -> None:
    begun(engine)
    members = [Beside(engine) for _ in range(2)]
    beside = Beside(engine)
    swapped: list[int] = []

    def rebuild() -> None:
        while beside.position < RECORDS and len(swapped) < REBUILDS:
            time.sleep(0.3)
            try:
                new = beside.views.begin(PRODUCTION)
                position = beside.position
                new = beside.views.apply(
                    PRODUCTION, new, empty(), position=position, events=6 * position, fallbacks=0
                )
                if beside.views.swap(PRODUCTION, new):
                    swapped.append(position)
            except ProjectionError:
                continue

    at_once(rebuild, *[lambda one=one, n=n: one.work(n) for n, one in enumerate(members)])

    shown = [pair for one in members for pair in one.shown]
    live = beside.views.live(PRODUCTION.name)
    assert live is not None
    assert (live.position, live.events) == (RECORDS, len(PLACES) * RECORDS)
    assert len(shown) == len(set(shown)) == len(PLACES) * RECORDS
    assert swapped


def test_a_swap_beside_a_move_that_is_not_committed_yet_takes_nobody_back(engine: Engine) -> None:
    moving, swapping = threading.Event(), threading.Event()
    views = Views(engine, code_version="test")
    live = views.begin(PRODUCTION, state=LIVE)
    new = views.begin(PRODUCTION)
    swapped: list[bool] = []

    def hold(_: Connection) -> None:
        moving.set()
        assert swapping.wait(PATIENCE_SECONDS)
        time.sleep(0.5)

    def move() -> None:
        views.apply(PRODUCTION, live, empty(), position=3, events=18, fallbacks=0, also=hold)

    def swap() -> None:
        assert moving.wait(PATIENCE_SECONDS)
        beside = Views(engine, code_version="test", fault_point=lambda _: swapping.set())
        swapped.append(beside.swap(PRODUCTION, new))

    at_once(move, swap)

    assert swapped == [False]
    found = views.live(PRODUCTION.name)
    assert found is not None
    assert (found.number, found.position) == (live.number, 3)
