"""Jobs of workers elsewhere: what they show, what they refuse, how their errors come home."""

import pickle
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from ledger.errors import LedgerMissingError, ProjectionError, ReadModelAheadError
from ledger.store.engine import file_of
from ledger.types import Position
from projections.runner.cluster import DaskEngine
from projections.runner.engines import (
    Engine,
    EngineError,
    EngineMissingError,
    Job,
    JobFailedError,
    Part,
    WorkerMismatchError,
    fold_job,
    folded_of,
    jobs_of,
    merge_parts,
)
from projections.runner.rebuilding import rebuild_from
from projections.runner.runner import Runner
from projections.runner.store_place import FrozenStore, StoreSlice, everywhere, mark_of
from projections.runner.views import canonical, digest_of
from projections.runner.workers import OwnProcess, ProcessEngine
from tests.support.dying import killed
from tests.support.ledgers import new_ledger, reopened
from tests.unit.projections.runner.test_digests import (
    PRODUCTION,
    caught_up,
    facts_ledger,
    late_unit,
    views_at,
)


@pytest.fixture(scope="module")
def facts_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return facts_ledger(tmp_path_factory.mktemp("facts") / "ledger.db")


def frozen(path: Path) -> FrozenStore:
    """Return a ledger up to its present head."""
    ledger = reopened(path)
    return FrozenStore(ledger=ledger, url=str(path), head=ledger.head())


def jobs(path: Path, count: int = 5) -> list[Job]:
    """Return the jobs of a ledger."""
    return jobs_of(frozen(path), PRODUCTION, count=count)


def other(job: Job, *, url: str | None = None, ledger_id: str | None = None) -> Job:
    """Return a job whose range is named otherwise."""
    place = job.slice
    assert isinstance(place, StoreSlice)
    url = place.url if url is None else url
    ledger_id = place.ledger_id if ledger_id is None else ledger_id
    return replace(job, slice=replace(place, url=url, ledger_id=ledger_id))


def refused(job: Job) -> WorkerMismatchError:
    """Return the error of a worker that is not fit for a job, after its way home."""
    with pytest.raises(JobFailedError) as raised:
        fold_job(job)
    error = pickle.loads(pickle.dumps(raised.value)).original()  # noqa: S301 - our own bytes
    assert isinstance(error, WorkerMismatchError)
    return error


@pytest.mark.parametrize("count", [1, 2, 7, 1000])
@pytest.mark.parametrize("group", [1, 3])
def test_jobs_and_merges_in_any_number_give_one_digest(
    count: int, group: int, facts_file: Path, tmp_path: Path
) -> None:
    ledger = reopened(facts_file)
    parts = [fold_job(pickle.loads(pickle.dumps(job))) for job in jobs(facts_file, count)]  # noqa: S301 - our own bytes
    merged = [
        merge_parts("production", parts[first : first + group])
        for first in range(0, len(parts), group)
    ]
    folded = folded_of(frozen(facts_file), PRODUCTION, merged)

    rows = canonical(PRODUCTION, folded.rows)
    assert digest_of(rows) == caught_up(ledger, tmp_path / "views.db", PRODUCTION)
    assert folded.events == sum(one.record.event_count for one in ledger.store.read())


@pytest.mark.parametrize("engine", [OwnProcess(), ProcessEngine(workers=2)], ids=["own", "two"])
def test_a_ledger_that_does_not_go_on_gives_the_digest_of_one_that_does(
    engine: Engine, facts_file: Path, tmp_path: Path
) -> None:
    views, seen = views_at(tmp_path / "views.db"), list[tuple[int, int]]()
    ledger = frozen(facts_file)
    done = rebuild_from(
        views,
        PRODUCTION,
        ledger,
        engine=engine,
        progress=lambda at, head: seen.append((at, head)),
    )

    assert done.digest == caught_up(ledger.ledger, tmp_path / "whole.db", PRODUCTION)
    assert (done.position, done.changed) == (ledger.head, None)
    assert seen[-1] == (ledger.head, ledger.head)
    with pytest.raises(ReadModelAheadError):
        rebuild_from(views, PRODUCTION, replace(ledger, head=Position(3)), engine=engine)


class Doubtful(FrozenStore):
    """Judges that something is not right, once all ranges were read."""

    def judge(self, reports: Sequence[object]) -> None:
        raise EngineError(engine="test", address="here", reason=f"{len(reports)} reports")


def test_what_is_judged_wrong_after_all_ranges_were_read_changes_nothing(
    facts_file: Path, tmp_path: Path
) -> None:
    views, ledger = views_at(tmp_path / "views.db"), frozen(facts_file)
    doubtful = Doubtful(ledger=ledger.ledger, url=ledger.url, head=ledger.head)
    parts = [fold_job(job) for job in jobs(facts_file, 4)]
    merged = merge_parts("production", parts)

    with pytest.raises(EngineError, match="4 reports"):
        folded_of(doubtful, PRODUCTION, [merged])
    with pytest.raises(EngineError, match="1 reports"):
        rebuild_from(views, PRODUCTION, doubtful, engine=OwnProcess())
    assert views.live("production") is None


def test_neither_a_job_nor_a_part_shows_what_it_holds() -> None:
    secret = "postgresql://reader:hush@db.example.invalid/registro"  # noqa: S105 - made up
    place = StoreSlice(url=secret, after=0, through=1)
    assert "hush" not in repr(Job(slice=place, projection="production"))
    assert "hush" not in repr(Part(rows=b"hush", events=1, fallbacks=0, reports=("hush",)))


def test_refuses_to_fold_another_ledger(facts_file: Path, tmp_path: Path) -> None:
    job = jobs(facts_file)[0]
    elsewhere = other(job, ledger_id="00000000-0000-4000-8000-00000000ffff")
    assert refused(elsewhere).facts["what"] == "the ledger"
    empty = new_ledger(tmp_path / "ledger.db")
    lagging = other(job, url=str(tmp_path / "ledger.db"), ledger_id="")
    assert refused(lagging).facts["what"] == f"record {job.through}"
    assert empty.head() < job.through


def test_refuses_to_fold_a_store_that_lags_or_went_another_way(
    facts_file: Path, tmp_path: Path
) -> None:
    last = jobs(facts_file)[-1]
    ledger = reopened(facts_ledger(tmp_path / "ledger.db", pieces=2))
    late_unit(ledger, "OTHER")
    elsewhere = other(last, url=str(tmp_path / "ledger.db"), ledger_id="")
    assert refused(elsewhere).facts["what"] == f"record {last.through}"


def test_refuses_to_fold_with_other_code(facts_file: Path) -> None:
    error = refused(replace(jobs(facts_file)[0], code="0" * 64))
    assert error.facts["what"] == "the code of projections"
    assert "rows are not used" in str(error)


def test_a_worker_without_the_file_says_that_there_is_no_ledger(
    facts_file: Path, tmp_path: Path
) -> None:
    with pytest.raises(JobFailedError) as raised:
        fold_job(other(jobs(facts_file)[0], url=str(tmp_path / "nowhere.db")))
    assert isinstance(raised.value.original(), LedgerMissingError)


def test_a_record_that_cannot_be_folded_is_named_after_its_way_home(facts_file: Path) -> None:
    head = reopened(facts_file).head()
    place = StoreSlice(url=str(facts_file), after=head, through=head + 3)
    beyond = Job(slice=place, projection="production")
    with pytest.raises(JobFailedError) as raised:
        fold_job(beyond)
    error = pickle.loads(pickle.dumps(raised.value)).original()  # noqa: S301 - our own bytes
    assert isinstance(error, ProjectionError)
    assert error.facts["projection"] == "production"


def test_marks_tell_records_apart_and_a_missing_one_has_none(facts_file: Path) -> None:
    store = reopened(facts_file).store
    head = store.head()
    marks = [mark_of(store, position) for position in range(1, head + 1)]
    assert len(set(marks)) == head
    assert mark_of(store, head + 1) == ""


def test_a_path_becomes_absolute_and_a_ledger_in_memory_is_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert everywhere("year.db") == str(tmp_path / "year.db")
    assert everywhere("sqlite:///year.db") == str(tmp_path / "year.db")
    assert everywhere(":memory:") is None
    kept = everywhere("postgresql://reader:hush@db.example.invalid/registro")
    assert kept == "postgresql+psycopg://reader:hush@db.example.invalid/registro"


def test_refuses_a_ledger_in_memory_on_a_cluster(tmp_path: Path) -> None:
    ledger = new_ledger()
    assert file_of(ledger.store.engine.url) is None
    runner = Runner(ledger, views_at(tmp_path / "views.db"), url=":memory:")
    with pytest.raises(EngineError, match="in memory"):
        runner.rebuild(PRODUCTION, engine=DaskEngine(address="tcp://127.0.0.1:9"))


def test_an_engine_that_is_not_installed_says_how_to_install_it(
    facts_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    runner = Runner(reopened(facts_file), views_at(tmp_path / "views.db"), url=str(facts_file))
    with pytest.raises(EngineMissingError) as raised:
        runner.rebuild(PRODUCTION, engine=DaskEngine(address="tcp://127.0.0.1:9"))
    assert raised.value.facts == {"engine": "dask", "module": "distributed", "extra": "distributed"}
    assert runner.rebuild(PRODUCTION).position > 0


def test_a_process_that_is_killed_is_told_and_ends_the_fold(
    facts_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("projections.runner.workers.fold_job", killed)
    ledger = frozen(facts_file)

    with pytest.raises(EngineError, match="a worker process was killed"):
        ProcessEngine(workers=2).fold(ledger, PRODUCTION, progress=lambda _done, _head: None)
    ledger.ledger.store.engine.dispose()
