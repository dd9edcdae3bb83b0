"""kill -9 at every step of a rebuild and a catch-up: readers lose nothing, a second run completes.

The steps are those that the read models and their runner tell; every one is killed once.
"""

import itertools
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl
import pytest

from ledger.types import BEFORE_FIRST, Position
from projections.production.cube import digest
from projections.runner.contract import Batch, Delta
from projections.runner.database import open_views, reading
from projections.runner.folding import fold_range
from projections.runner.runner import Runner
from projections.runner.views import Views
from tests.crash.rebuild_child import PRODUCTION, RECORDS
from tests.support.ledgers import reopened
from tests.unit.projections.runner.test_digests import caught_up, facts_ledger, views_at

pytestmark = pytest.mark.crash

ROOT = Path(__file__).parents[2]
KILLED, ENDED = -signal.SIGKILL, 0
AT_ONCE = 2
"""Processes at a time: there are few cores, and each has a folder of its own."""


def _doubled(batch: Batch) -> Delta:
    delta = PRODUCTION.fold(batch)
    return replace(delta, rows=pl.concat([delta.rows, delta.rows]))


OLD = replace(PRODUCTION, fold=_doubled)
"""What stands there before the rebuild: rows that differ from the new ones."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What became of one run that was to be killed."""

    code: int
    seen: frozenset[str]
    """Digests that a reader saw meanwhile."""
    left: str
    """Digest that readers see after it."""
    position: int
    """Record that the live generation has reached after it; 0 when there is none."""
    states: tuple[str, ...]
    views: Path


@pytest.fixture(scope="module")
def ledger_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return facts_ledger(tmp_path_factory.mktemp("ledger") / "ledger.db")


@pytest.fixture(scope="module")
def wanted(ledger_file: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Digest of the whole ledger."""
    place = tmp_path_factory.mktemp("wanted") / "views.db"
    return caught_up(reopened(ledger_file), place, PRODUCTION)


def told_steps(ledger_file: Path, place: Path, work: Callable[[Runner], object]) -> list[str]:
    """Return the steps that a piece of work passes."""
    steps: list[str] = []
    views = Views(open_views(f"sqlite:///{place}"), code_version="test", fault_point=steps.append)
    work(Runner(reopened(ledger_file), views, fault_point=steps.append))
    return steps


def run_child(work: str, ledger: Path, views: Path, number: int) -> int:
    """Run a piece of work that ends at a step; return how the process ended."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.crash.rebuild_child", work, ledger, views, str(number)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout.strip() == "done") == (done.returncode == ENDED), done.stderr
    return done.returncode


def killed_at(work: str, ledger: Path, views: Path, number: int) -> Outcome:
    """Kill a piece of work at a step while somebody reads."""
    reader, seen, ended = views_at(views), set[str](), threading.Event()

    def read() -> None:
        while not ended.is_set():
            seen.add(reader.digest(PRODUCTION))
            ended.wait(0.01)

    with ThreadPoolExecutor(1) as pool:
        looking = pool.submit(read)
        try:
            code = run_child(work, ledger, views, number)
        finally:
            ended.set()
        looking.result()
    live = reader.live("production")
    return Outcome(
        code=code,
        seen=frozenset(seen),
        left=reader.digest(PRODUCTION),
        position=0 if live is None else live.position,
        states=tuple(one.state for one in reader.generations()),
        views=views,
    )


def killed_everywhere(work: str, ledger: Path, begun: Path, steps: int) -> list[Outcome]:
    """Kill a piece of work at each of its steps, and once not at all; begin with a copy."""

    def killed(number: int) -> Outcome:
        views = begun.with_name(f"{work}-{number}.db")
        shutil.copy(begun, views)
        return killed_at(work, ledger, views, number)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(killed, range(1, steps + 2)))


def require_only_the_live_rows(views: Views) -> None:
    """Require one generation, and no row of another one."""
    (only,) = views.generations()
    column = PRODUCTION.table.c.generation
    with reading(views.engine) as connection:
        found = set(connection.execute(PRODUCTION.table.select().with_only_columns(column)))
    assert {row[0] for row in found} == {only.number}


def committed(steps: list[str]) -> int:
    """Return how many transactions of a catch-up had ended when the last of these steps came."""
    return steps.count("apply.committed")


def digest_through(ledger_file: Path, position: int) -> str:
    """Return the digest of the records up to a position."""
    folded = fold_range(
        reopened(ledger_file), PRODUCTION, after=BEFORE_FIRST, through=Position(position)
    )
    return digest(folded.rows)


def test_a_rebuild_killed_at_any_step_leaves_a_whole_generation(
    ledger_file: Path, wanted: str, tmp_path: Path
) -> None:
    begun, copy = tmp_path / "begun.db", tmp_path / "told.db"
    old = caught_up(reopened(ledger_file), begun, OLD)
    shutil.copy(begun, copy)
    steps = told_steps(ledger_file, copy, lambda runner: runner.rebuild(PRODUCTION))

    outcomes = killed_everywhere("rebuild", ledger_file, begun, len(steps))

    swapped = steps.index("swap.committed")
    for number, outcome in enumerate(outcomes):
        assert outcome.code == (KILLED if number < len(steps) else ENDED)
        assert outcome.left == (old if number < swapped else wanted), steps[number]
        assert outcome.seen <= {old, wanted}
        assert old in outcome.seen
        assert outcome.states.count("live") == 1
    left_behind = set(itertools.chain.from_iterable(one.states for one in outcomes))
    assert left_behind == {"building", "live", "retired"}
    for outcome in outcomes[:-1]:
        views = views_at(outcome.views)
        rebuilt = Runner(reopened(ledger_file), views).rebuild(PRODUCTION)
        assert rebuilt.digest == views.digest(PRODUCTION) == wanted
        require_only_the_live_rows(views)


def test_a_catch_up_killed_at_any_step_goes_on_where_it_was(
    ledger_file: Path, wanted: str, tmp_path: Path
) -> None:
    begun = tmp_path / "begun.db"
    views_at(begun).engine.dispose()
    steps = told_steps(
        ledger_file,
        tmp_path / "told.db",
        lambda runner: runner.catch_up(PRODUCTION, records=RECORDS),
    )
    head = reopened(ledger_file).head()
    reached = [0, *range(RECORDS, head, RECORDS), head]
    digests = {position: digest_through(ledger_file, position) for position in reached}

    outcomes = killed_everywhere("catch_up", ledger_file, begun, len(steps))

    for number, outcome in enumerate(outcomes):
        assert outcome.code == (KILLED if number < len(steps) else ENDED)
        assert outcome.position == min(RECORDS * committed(steps[: number + 1]), head)
        assert outcome.left == digests[outcome.position]
        assert outcome.seen <= set(digests.values())
    assert {outcome.position for outcome in outcomes} == set(reached)
    for outcome in outcomes:
        views = views_at(outcome.views)
        went_on = Runner(reopened(ledger_file), views).catch_up(PRODUCTION)
        assert (went_on.position, views.digest(PRODUCTION)) == (head, wanted)
        require_only_the_live_rows(views)
