"""What the merging member leaves to a fold from the ledger, and what it makes of the outcome."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ledger.errors import ProjectionError, ReadModelMovedError, StoreLockedError
from ledger.kafka.client.connection import Broker, Partition
from projections.runner.database import open_views
from projections.runner.tables import LIVE
from projections.runner.views import Generation, Views
from projections.tail.desk import Desk
from projections.tail.handover import HandedOnError
from projections.tail.merging import Merger
from tests.support.tails import PRODUCTION, ledger_of_facts

NAME = PRODUCTION.name


@pytest.fixture
def views(tmp_path: Path) -> Iterator[Views]:
    made = Views(open_views(f"sqlite:///{tmp_path}/views.db"), code_version="test")
    made.begin(PRODUCTION, state=LIVE)
    yield made
    made.engine.dispose()


def merger(views: Views, catch_up: Callable[[], Generation]) -> Merger:
    """Return what asks no broker as long as no fact is missing."""
    return Merger(
        ledger_of_facts(),
        Broker(servers="127.0.0.1:9"),
        views,
        PRODUCTION,
        desk=Desk(views.engine, NAME, release="test"),
        places=(Partition("t", 0),),
        catch_up=catch_up,
        fault_point=lambda _: None,
    )


def failing(error: Exception) -> Callable[[], Generation]:
    """Return a catch-up that fails."""

    def catch_up() -> Generation:
        raise error

    return catch_up


def test_a_fold_that_another_member_did_first_is_no_failure(views: Views) -> None:
    moved = ReadModelMovedError(projection=NAME, position=0)

    assert isinstance(merger(views, failing(moved)).left_to_ledger(), HandedOnError)


@pytest.mark.parametrize(
    "error",
    [
        ProjectionError(projection=NAME, position=7, reason="cannot be folded"),
        StoreLockedError(store="views", seconds="60"),
    ],
    ids=lambda error: error.code,
)
def test_a_record_that_cannot_be_folded_is_told_even_if_nobody_could_note_it(
    error: Exception, views: Views
) -> None:
    live = views.live(NAME)
    assert live is not None
    assert live.halted_at is None

    with pytest.raises(type(error)) as caught:
        merger(views, failing(error)).left_to_ledger()

    assert caught.value is error
