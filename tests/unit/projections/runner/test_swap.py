"""Readers see one whole generation at every moment; two runners never apply a record twice."""

import datetime as dt
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from sqlalchemy import func, select

from ledger.application import LedgerApplication
from ledger.errors import ReadModelMovedError, StoreError, StoreFolderMissingError
from projections.production.cube import digest
from projections.runner.contract import Batch, Delta
from projections.runner.database import open_views, reading
from projections.runner.models import PROJECTIONS
from projections.runner.runner import Runner
from projections.runner.tables import LIVE, RETIRED
from projections.runner.views import Views, read_rows
from tests.support.ledgers import FakeClock, reopened
from tests.support.production import batch as said_of
from tests.support.production import fact, production_ledger
from tests.support.production import record as take_in
from tests.unit.projections.runner.test_digests import (
    PRODUCTION,
    caught_up,
    facts_ledger,
    late_unit,
    views_at,
)

BEFORE_SWAP = (
    "begin.before",
    "begin.committed",
    "rebuild.folded",
    "apply.before_commit",
    "apply.committed",
    "swap.before",
    "swap.before_commit",
)
AFTER_SWAP = ("swap.committed", "purge.before_commit", "purge.committed")
ROUNDS = 8


def _doubled(batch: Batch) -> Delta:
    delta = PRODUCTION.fold(batch)
    return replace(delta, rows=pl.concat([delta.rows, delta.rows]))


DOUBLED = replace(PRODUCTION, fold=_doubled)
"""Production of a release that counts everything twice."""


class StoppedError(Exception):
    """A runner is stopped at a step."""


@pytest.fixture(scope="module")
def ledger_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return facts_ledger(tmp_path_factory.mktemp("ledger") / "ledger.db")


@pytest.fixture
def ledger(ledger_file: Path) -> LedgerApplication:
    return reopened(ledger_file)


def views_with(path: Path, fault_point: Callable[[str], None]) -> Views:
    """Return read models in a file whose steps are told."""
    return Views(open_views(f"sqlite:///{path}"), code_version="test", fault_point=fault_point)


def stop_at(step: str) -> Callable[[str], None]:
    """Return what stops a runner at a step."""

    def stop(point: str) -> None:
        if point == step:
            raise StoppedError

    return stop


def once(step: str, work: Callable[[], object]) -> Callable[[str], None]:
    """Return what does something the first time that a step comes."""
    done: list[str] = []

    def act(point: str) -> None:
        if point == step and not done:
            done.append(point)
            work()

    return act


def generations_with_rows(views: Views) -> list[int]:
    """Return the numbers of the generations that have rows of production."""
    column = PRODUCTION.table.c.generation
    with reading(views.engine) as connection:
        return list(connection.scalars(select(column).distinct().order_by(column)))


def one_fact(ledger: LedgerApplication, folder: Path, name: str) -> None:
    """Record a block of one fact."""
    row = fact("RequestDefined", source_id=name, pieces=7)
    assert take_in(ledger, folder, "RequestDefined", [row], said_of(name=name)).facts == 1


def test_at_every_step_of_a_rebuild_readers_see_the_old_or_the_new_whole(
    ledger: LedgerApplication, tmp_path: Path
) -> None:
    path = tmp_path / "views.db"
    reader = views_at(path)
    old = caught_up(ledger, path, PRODUCTION)
    seen: list[tuple[str, str]] = []

    def look(point: str) -> None:
        seen.append((point, reader.digest(PRODUCTION)))

    runner = Runner(ledger, views_with(path, look), fault_point=look)
    new = runner.rebuild(DOUBLED).digest

    assert new != old
    assert seen == [(point, old) for point in BEFORE_SWAP] + [(p, new) for p in AFTER_SWAP]
    assert generations_with_rows(reader) == [one.number for one in reader.generations()]
    assert len(reader.generations()) == 1


def test_a_reader_that_began_before_the_swap_finishes_with_what_it_saw(
    ledger: LedgerApplication, tmp_path: Path
) -> None:
    path = tmp_path / "views.db"
    old, views = caught_up(ledger, path, PRODUCTION), views_at(path)
    before = views.live("production")
    assert before is not None
    with reading(views.engine) as connection:
        assert connection.scalar(select(func.count()).select_from(PRODUCTION.table))
        Runner(ledger, views_at(path)).rebuild(DOUBLED)
        assert digest(read_rows(connection, PRODUCTION, before.number)) == old
    assert views.digest(PRODUCTION) != old


def test_a_reader_in_a_loop_sees_whole_generations_only(
    ledger: LedgerApplication, tmp_path: Path
) -> None:
    path = tmp_path / "views.db"
    runner, ended = Runner(ledger, views_at(path)), threading.Event()
    allowed = {runner.rebuild(one).digest for one in (DOUBLED, PRODUCTION)}

    def read() -> set[str]:
        views, seen = views_at(path), set[str]()
        while not ended.is_set():
            seen.add(views.digest(PRODUCTION))
        return seen

    with ThreadPoolExecutor(1) as pool:
        reading_on = pool.submit(read)
        for number in range(ROUNDS):
            runner.rebuild((DOUBLED, PRODUCTION)[number % 2])
        ended.set()
        seen = reading_on.result()

    assert seen <= allowed
    assert len(allowed) == 2


@pytest.mark.parametrize("step", [*BEFORE_SWAP[1:], *AFTER_SWAP[:-1]])
def test_what_a_stopped_rebuild_left_behind_goes_with_the_next(
    step: str, ledger: LedgerApplication, tmp_path: Path
) -> None:
    path = tmp_path / "views.db"
    old, stop = caught_up(ledger, path, PRODUCTION), stop_at(step)
    with pytest.raises(StoppedError):
        Runner(ledger, views_with(path, stop), fault_point=stop).rebuild(DOUBLED)

    views = views_at(path)
    swapped = step in AFTER_SWAP
    assert (views.digest(PRODUCTION) != old) == swapped
    assert [one.state for one in views.generations()].count(LIVE) == 1
    assert [one.state for one in views.generations()].count(RETIRED) == swapped
    rebuilt = Runner(ledger, views).rebuild(PRODUCTION)
    assert (rebuilt.digest, views.digest(PRODUCTION)) == (old, old)
    assert len(views.generations()) == len(generations_with_rows(views)) == 1


def test_of_two_runners_that_catch_up_one_is_refused(
    ledger: LedgerApplication, tmp_path: Path
) -> None:
    path = tmp_path / "views.db"
    late = Runner(ledger, views_at(path))
    late.catch_up(PRODUCTION, records=5, progress=lambda _done, _head: None)
    one_fact(ledger, tmp_path, "late")
    act = once("advance.folded", lambda: Runner(ledger, views_at(path)).catch_up(PRODUCTION))

    with pytest.raises(ReadModelMovedError) as caught:
        Runner(ledger, views_at(path), fault_point=act).catch_up(PRODUCTION)

    assert caught.value.retriable
    assert "another process moved it" in str(caught.value)
    assert views_at(path).digest(PRODUCTION) == caught_up(ledger, tmp_path / "w.db", PRODUCTION)
    assert Runner(ledger, views_at(path)).lag(PRODUCTION).halted_at is None


@pytest.mark.parametrize("name", PROJECTIONS)
def test_of_two_runners_that_begin_one_is_refused(
    name: str, ledger: LedgerApplication, tmp_path: Path
) -> None:
    path, projection = tmp_path / "views.db", PROJECTIONS[name]
    act = once("begin.before", lambda: Runner(ledger, views_at(path)).catch_up(projection))

    with pytest.raises(ReadModelMovedError):
        Runner(ledger, views_with(path, act)).catch_up(projection)

    views = views_at(path)
    assert [one.state for one in views.generations()] == [LIVE]
    assert views.digest(projection) == caught_up(ledger, tmp_path / "w.db", projection)


@pytest.mark.parametrize("step", ["begin.committed", "rebuild.folded", "apply.committed"])
def test_of_two_rebuilds_one_is_refused_and_readers_lose_nothing(
    step: str, ledger: LedgerApplication, tmp_path: Path
) -> None:
    path = tmp_path / "views.db"
    caught_up(ledger, path, DOUBLED)
    act = once(step, lambda: Runner(ledger, views_at(path)).rebuild(PRODUCTION))

    with pytest.raises(ReadModelMovedError):
        Runner(ledger, views_with(path, act), fault_point=act).rebuild(PRODUCTION)

    views = views_at(path)
    assert [one.state for one in views.generations()].count(LIVE) == 1
    assert views.digest(PRODUCTION) == caught_up(ledger, tmp_path / "w.db", PRODUCTION)


def test_a_generation_that_is_gone_is_not_swapped_in(
    ledger: LedgerApplication, tmp_path: Path
) -> None:
    path = tmp_path / "views.db"
    old, views = caught_up(ledger, path, PRODUCTION), views_at(path)
    live = views.live("production")
    for gone in (views.begin(PRODUCTION), live):
        assert gone is not None
        wrong = replace(gone, number=gone.number + 7, position=10**6)
        with pytest.raises(ReadModelMovedError):
            views.swap(PRODUCTION, wrong)
        assert views.live("production") == live
        assert views.digest(PRODUCTION) == old


def test_a_swap_never_takes_readers_back(ledger_file: Path, tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    path.write_bytes(ledger_file.read_bytes())
    ledger, place = reopened(path), tmp_path / "views.db"
    caught_up(ledger, place, PRODUCTION)
    positions: list[int] = []

    def overtake() -> None:
        one_fact(ledger, tmp_path, "overtaking")
        positions.append(Runner(ledger, views_at(place)).catch_up(PRODUCTION).position)

    act = once("swap.before", overtake)
    rebuilt = Runner(ledger, views_with(place, act)).rebuild(PRODUCTION)

    assert positions == [ledger.head()] == [rebuilt.position]
    assert rebuilt.changed is False
    assert rebuilt.digest == caught_up(ledger, tmp_path / "w.db", PRODUCTION)
    assert views_at(place).digest(PRODUCTION) == rebuilt.digest


@pytest.mark.parametrize("name", ["production", "trail"])
def test_runners_that_compete_apply_every_record_once(
    name: str, ledger: LedgerApplication, tmp_path: Path
) -> None:
    path, projection = tmp_path / "views.db", PROJECTIONS[name]
    start = threading.Barrier(2)

    def compete(_: int) -> int:
        own, refused = Runner(reopened_of(ledger), views_at(path)), 0
        start.wait(timeout=30)
        while True:
            try:
                own.catch_up(projection, records=3)
            except ReadModelMovedError:
                refused += 1
            else:
                return refused

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(compete, range(2)))

    views = views_at(path)
    (only,) = views.generations()
    assert only.events == sum(one.record.event_count for one in ledger.store.read())
    assert views.digest(projection) == caught_up(ledger, tmp_path / "w.db", projection)


def reopened_of(ledger: LedgerApplication) -> LedgerApplication:
    """Open the file of a ledger once more."""
    return reopened(Path(str(ledger.store.engine.url.database)))


def test_the_lag_counts_records_events_and_seconds(tmp_path: Path) -> None:
    ledger = production_ledger(tmp_path / "ledger.db")
    runner = Runner(ledger, views_at(tmp_path / "views.db"))
    head = ledger.head()
    unseen = runner.lag(PRODUCTION)
    assert (unseen.position, unseen.records, unseen.events) == (0, head, head)

    runner.catch_up(PRODUCTION)
    level = runner.lag(PRODUCTION)
    assert (level.position, level.records, level.events, level.seconds) == (head, 0, 0, 0.0)

    rows = [fact("RequestDefined", source_id=f"f{n}") for n in range(5)]
    before = ledger.head()
    take_in(ledger, tmp_path, "RequestDefined", rows, said_of(name="five"))
    recorded = ledger.store.read(after=before, limit=1)[0].recorded_instant
    late_unit(ledger, "NEW")
    clock = ledger.clock
    assert isinstance(clock, FakeClock)
    clock.instant = recorded + dt.timedelta(minutes=5)
    behind = runner.lag(PRODUCTION)

    assert behind.records == ledger.head() - head
    assert behind.events == behind.records + 4
    assert 300 <= behind.seconds <= 303
    assert behind.position == head


def test_a_clock_that_was_set_back_gives_no_negative_lag(tmp_path: Path) -> None:
    ledger = production_ledger(tmp_path / "ledger.db")
    clock = ledger.clock
    assert isinstance(clock, FakeClock)
    clock.instant -= dt.timedelta(days=1)
    assert Runner(ledger, views_at(tmp_path / "views.db")).lag(PRODUCTION).seconds == 0.0


def test_read_models_of_a_folder_that_does_not_exist_are_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreFolderMissingError):
        open_views(f"sqlite:///{tmp_path}/nowhere/views.db")


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "views.db"
    path.write_text("no database at all, but long enough to be taken for one" * 40)
    with pytest.raises(StoreError):
        open_views(f"sqlite:///{path}")


def test_rows_before_the_first_generation_are_none(tmp_path: Path) -> None:
    views = views_at(tmp_path / "views.db")
    for projection in PROJECTIONS.values():
        assert views.live(projection.name) is None
        assert views.rows(projection).height == 0
        assert views.rows(projection).columns == list(projection.schema)


def test_cells_that_sum_to_nothing_are_no_rows(tmp_path: Path) -> None:
    ledger, views = production_ledger(tmp_path / "ledger.db"), views_at(tmp_path / "views.db")
    runner = Runner(ledger, views)
    take_in(
        ledger, tmp_path, "StockAdjusted", [fact("StockAdjusted", delta=3)], said_of("stock", "1")
    )
    runner.catch_up(PRODUCTION)
    assert views.rows(PRODUCTION).height == 1
    back = fact(
        "StockAdjusted", source_id="b", supersedes="StockAdjusted-000000", reversal=True, delta=3
    )
    said = said_of("stock", "2", reason="never happened")
    assert take_in(ledger, tmp_path, "StockAdjusted", [back], said).reversals == 1

    runner.catch_up(PRODUCTION)

    assert views.rows(PRODUCTION).height == 0
    assert runner.rebuild(PRODUCTION).changed is False
