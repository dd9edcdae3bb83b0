"""A rebuild on a cluster whose workers open the ledger on PostgreSQL by its URL."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from ledger.application import LedgerApplication
from projections.runner.cluster import DaskEngine
from projections.runner.engines import EngineError, WorkerMismatchError
from projections.runner.runner import Runner
from tests.support.dask_cluster import Cluster, cluster
from tests.support.ledgers import on_postgresql, place_of, reopened
from tests.support.production import production_ledger
from tests.unit.projections.runner.test_digests import (
    PRODUCTION,
    caught_up,
    facts_ledger,
    late_unit,
    record_facts,
    views_at,
)

pytestmark = [
    pytest.mark.skipif(
        "REGISTRO_TEST_POSTGRESQL" not in os.environ,
        reason="no PostgreSQL: scripts/services up, then make test-services",
    ),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

RANGES = 12
"""Three workers of one thread, four ranges each."""


@pytest.fixture(autouse=True)
def _postgresql(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGISTRO_TEST_STORE", "postgresql")
    assert on_postgresql()


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster(tmp_path_factory.mktemp("three") / "dask") as made:
        yield made


@pytest.fixture
def url(tmp_path: Path) -> str:
    """URL of a ledger with facts."""
    ledger = production_ledger(tmp_path / "ledger.db")
    record_facts(ledger, tmp_path, pieces=3)
    late_unit(ledger, "NEW")
    ledger.store.engine.dispose()
    return place_of(tmp_path / "ledger.db")


@pytest.fixture
def ledger(url: str, tmp_path: Path) -> Iterator[LedgerApplication]:
    """The ledger of that URL."""
    assert url
    opened = reopened(tmp_path / "ledger.db")
    yield opened
    opened.store.engine.dispose()


@pytest.mark.crash
@pytest.mark.parametrize(
    "point",
    [
        *(("before", number) for number in range(1, RANGES + 1)),
        *(("after", number) for number in range(3, RANGES + 1, 3)),
        *(("merge", number) for number in (1, 2)),
    ],
    ids=str,
)
def test_a_worker_that_dies_does_not_show(
    point: tuple[str, int], three: Cluster, ledger: LedgerApplication, url: str, tmp_path: Path
) -> None:
    views = views_at(tmp_path / "views.db")
    three.kill_at(*point)
    done = Runner(ledger, views, url=url).rebuild(
        PRODUCTION, engine=DaskEngine(address=three.address, workers=3)
    )

    assert three.killed()
    assert done.position == ledger.head()
    assert done.digest == caught_up(ledger, tmp_path / "whole.db", PRODUCTION)


@pytest.mark.crash
def test_a_range_that_kills_every_worker_ends_the_rebuild(
    three: Cluster, ledger: LedgerApplication, url: str, tmp_path: Path
) -> None:
    views = views_at(tmp_path / "views.db")
    runner = Runner(ledger, views, url=url)
    three.kill_at("before", 0)
    try:
        with pytest.raises(EngineError, match="a worker cannot fold: KilledWorker"):
            runner.rebuild(PRODUCTION, engine=DaskEngine(address=three.address, workers=3))
    finally:
        three.spare()

    assert views.live("production") is None
    done = runner.rebuild(PRODUCTION, engine=DaskEngine(address=three.address, workers=3))
    assert done.position == ledger.head()


def test_workers_leave_no_connection_behind(
    three: Cluster, ledger: LedgerApplication, url: str, tmp_path: Path
) -> None:
    views = views_at(tmp_path / "views.db")
    engine = DaskEngine(address=three.address, workers=3)
    for _ in range(3):
        Runner(ledger, views, url=url).rebuild(PRODUCTION, engine=engine)

    with ledger.store.engine.connect() as connection:
        mine = connection.scalar(text("SELECT pg_backend_pid()"))
        others = connection.scalars(
            text("SELECT pid FROM pg_stat_activity WHERE datname = current_database()")
        )
        assert set(others) <= {mine}


def test_a_ledger_elsewhere_with_the_same_facts_is_refused(
    three: Cluster, ledger: LedgerApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    views = views_at(tmp_path / "views.db")
    monkeypatch.setenv("REGISTRO_TEST_STORE", "sqlite")
    folder = tmp_path / "copy"
    folder.mkdir()
    copy = facts_ledger(folder / "ledger.db", pieces=2)
    with pytest.raises(WorkerMismatchError):
        Runner(ledger, views, url=str(copy)).rebuild(
            PRODUCTION, engine=DaskEngine(address=three.address)
        )
