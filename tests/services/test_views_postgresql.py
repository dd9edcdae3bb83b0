"""Read models on PostgreSQL: nobody waits without end, readers see one state, followers go on.

The server is this module's own.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import polars as pl
import pytest
from sqlalchemy import Connection, event, make_url, text

from app.texts.errors import error_texts
from ledger.errors import StoreLockedError, StoreUnavailableError
from projections.production.cube import empty
from projections.runner.database import open_views, reading
from projections.runner.models import PROJECTIONS
from projections.runner.runner import Runner
from projections.runner.standing import existing_views
from projections.runner.tables import LIVE
from projections.runner.views import Views, digest_of
from tests.support.dataset import ROOT
from tests.support.ledgers import place_of, reopened
from tests.support.postgresql_server import BIN, Server, own_server
from tests.support.tails import PRODUCTION
from tests.unit.projections.runner.test_digests import facts_ledger, late_unit

PATIENCE_SECONDS = 30
SHORT_SECONDS = 0.5
INTERRUPTED = 130

pytestmark = [
    pytest.mark.skipif(not BIN, reason="no PostgreSQL: scripts/services up"),
    pytest.mark.timeout(180),
]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with own_server() as made:
        yield made


@pytest.fixture
def place(server: Server, tmp_path: Path) -> str:
    """A database of its own."""
    name = f"v_{abs(hash(tmp_path)):x}"
    server.ask(f"CREATE DATABASE {name}")
    at = make_url(server.url).set(drivername="postgresql+psycopg", database=name)
    return at.render_as_string(hide_password=False)


@contextmanager
def views_of(place: str, **waits: float) -> Iterator[Views]:
    """Give the read models of a place, through connections of their own."""
    views = Views(open_views(place, **waits), code_version="test")
    try:
        yield views
    finally:
        views.engine.dispose()


def moved(views: Views, *, also: Callable[[Connection], None] = lambda _: None) -> None:
    """Move the live generation on by one record without rows."""
    live = views.live(PRODUCTION.name)
    assert live is not None
    position = live.position + 1
    views.apply(PRODUCTION, live, empty(), position=position, events=0, fallbacks=0, also=also)


# Waiting


def test_every_connection_knows_how_long_to_wait(place: str) -> None:
    with (
        views_of(place) as views,
        views.engine.connect() as first,
        views.engine.connect() as second,
    ):
        for connection in (first, second):
            assert connection.scalar(text("SHOW lock_timeout")) == "1min"
            silence = connection.scalar(text("SHOW idle_in_transaction_session_timeout"))
            assert silence == "45s"


def test_who_waits_for_a_row_that_another_holds_gives_up_and_may_try_again(place: str) -> None:
    held, done = threading.Event(), threading.Event()

    def hold(_: Connection) -> None:
        held.set()
        assert done.wait(PATIENCE_SECONDS)

    with (
        views_of(place) as holder,
        views_of(place, lock_wait_seconds=SHORT_SECONDS) as waiting,
        ThreadPoolExecutor(1) as beside,
    ):
        holder.begin(PRODUCTION, state=LIVE)
        holding = beside.submit(moved, holder, also=hold)
        assert held.wait(PATIENCE_SECONDS)
        begun = time.monotonic()
        try:
            with pytest.raises(StoreLockedError) as caught:
                moved(waiting)
            waited = time.monotonic() - begun
        finally:
            done.set()
        holding.result(PATIENCE_SECONDS)
        moved(waiting)

        live = waiting.live(PRODUCTION.name)
    assert SHORT_SECONDS <= waited < PATIENCE_SECONDS / 2
    assert caught.value.retriable
    assert "waited 0.5 s" in str(caught.value)
    assert "(attesa: 0.5 s)" in error_texts(caught.value, "it")[0]
    assert live is not None
    assert live.position == 2


def test_a_transaction_that_rests_is_ended_and_who_waits_for_it_goes_on(place: str) -> None:
    held = threading.Event()

    def rest(connection: Connection) -> None:
        held.set()
        time.sleep(4 * SHORT_SECONDS)
        connection.execute(text("SELECT 1"))

    with (
        views_of(place, silence_seconds=SHORT_SECONDS) as holder,
        views_of(place) as waiting,
        ThreadPoolExecutor(1) as beside,
    ):
        holder.begin(PRODUCTION, state=LIVE)
        holding = beside.submit(moved, holder, also=rest)
        assert held.wait(PATIENCE_SECONDS)
        begun = time.monotonic()
        moved(waiting)
        waited = time.monotonic() - begun
        with pytest.raises(StoreUnavailableError, match="timeout") as caught:
            holding.result(PATIENCE_SECONDS)

        live = holder.live(PRODUCTION.name)
    assert waited < 3 * SHORT_SECONDS
    assert caught.value.retriable
    assert live is not None
    assert live.position == 1


def test_connections_of_before_a_restart_are_not_used(server: Server, place: str) -> None:
    with views_of(place) as views:
        views.begin(PRODUCTION, state=LIVE)
        server.kill()
        server.start()

        moved(views)

        live = views.live(PRODUCTION.name)
    assert live is not None
    assert live.position == 1


# Reading

READS: dict[str, Callable[[Views], str]] = {
    "rows": lambda views: digest_of(views.rows(PRODUCTION)),
    "national": lambda views: digest_of(views.national(PRODUCTION)),
    "digest": lambda views: views.digest(PRODUCTION),
}


@pytest.mark.parametrize("name", READS)
def test_a_swap_and_a_purge_in_the_middle_of_a_reading_are_not_seen(
    name: str, place: str, tmp_path: Path
) -> None:
    ledger, read = reopened(facts_ledger(tmp_path / "ledger.db")), READS[name]
    with views_of(place) as views, views_of(place) as others:
        Runner(ledger, views).catch_up(PRODUCTION)
        before, first = read(views), views.live(PRODUCTION.name)
        rebuilt: list[str] = []

        def rebuild(*_: object) -> None:
            if not rebuilt:
                rebuilt.append("begun")
                rebuilt.append(Runner(ledger, others).rebuild(PRODUCTION).digest)

        # After the first statement, which finds the generation.
        event.listen(views.engine, "after_cursor_execute", rebuild)
        after = read(views)
        event.remove(views.engine, "after_cursor_execute", rebuild)

        second = views.live(PRODUCTION.name)
        again = read(views)
    ledger.store.engine.dispose()
    assert first is not None
    assert second is not None
    assert (len(rebuilt), second.number) == (2, first.number + 1)
    assert after == before == again
    assert before != digest_of(pl.DataFrame(schema=dict(PRODUCTION.schema)))


def test_two_statements_of_a_reading_see_one_position(place: str) -> None:
    with views_of(place) as views, views_of(place) as others:
        views.begin(PRODUCTION, state=LIVE)
        asked = text("SELECT position FROM read_model_generation")
        with reading(views.engine) as connection:
            before = connection.scalar(asked)
            moved(others)
            after = connection.scalar(asked)
        with reading(views.engine) as connection:
            later = connection.scalar(asked)

    assert (before, after, later) == (0, 0, 1)


# Following


@pytest.fixture
def ledger(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A ledger on the server; its read models stand beside it."""
    monkeypatch.setenv("REGISTRO_TEST_STORE", "postgresql")
    monkeypatch.setenv("REGISTRO_TEST_POSTGRESQL", server.url)
    path = facts_ledger(tmp_path / "ledger.db")
    monkeypatch.setenv("REGISTRO_LEDGER", place_of(path))
    return path


def position(place: str) -> int:
    """Return how far every read model is; 0 while there is none."""
    engine = existing_views(place)
    if engine is None:
        return 0
    try:
        found = [one.position for one in Views(engine, code_version="test").generations()]
    finally:
        engine.dispose()
    return min(found) if len(found) == len(PROJECTIONS) else 0


def wait_for(place: str, wanted: int) -> None:
    """Wait until every read model has reached a position."""
    until = time.monotonic() + PATIENCE_SECONDS
    while position(place) < wanted:
        assert time.monotonic() < until, f"nobody reached {wanted}"
        time.sleep(0.1)


def catching_up(*words: str) -> "subprocess.Popen[str]":
    """Start the command in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "app", "--lang", "en", "catch-up", *words],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_follower_goes_on_after_the_server_was_killed_and_started_again(
    server: Server, ledger: Path
) -> None:
    opened, place = reopened(ledger), os.environ["REGISTRO_LEDGER"]
    with catching_up("--follow", "--interval", "0.05") as child:
        try:
            wait_for(place, opened.head())
            opened.store.engine.dispose()
            server.kill()
            time.sleep(2)
            ended = child.poll()
            server.start()
            assert ended is None
            late_unit(opened, "LATE")
            wait_for(place, opened.head())
        finally:
            child.send_signal(signal.SIGINT)
            _, said = child.communicate(timeout=PATIENCE_SECONDS)
    opened.store.engine.dispose()

    assert child.returncode == INTERRUPTED, said
    assert "cannot be opened" in said
    assert "Traceback" not in said


def test_without_follow_a_server_that_is_away_ends_the_run(server: Server, ledger: Path) -> None:
    assert ledger.parent.is_dir()
    server.kill()
    try:
        with catching_up() as child:
            _, said = child.communicate(timeout=PATIENCE_SECONDS)
    finally:
        server.start()

    assert child.returncode == StoreUnavailableError.exit_code, said
