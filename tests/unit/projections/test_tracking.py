"""Tracking of projections: a position moves forward only, together with the rows that follow."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from eventsourcing.persistence import IntegrityError, Tracking
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from ledger.store.engine import open_engine, store_url
from projections.tracking import ProjectionStore


def opened(path: Path | None = None) -> ProjectionStore:
    return ProjectionStore(open_engine(store_url(":memory:" if path is None else str(path))))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "projections.db"


@pytest.fixture
def store(path: Path) -> ProjectionStore:
    created = opened(path)
    with created.engine.begin() as connection:
        connection.execute(text("CREATE TABLE rows (position INTEGER)"))
    return created


def rows(store: ProjectionStore) -> list[int]:
    with store.engine.connect() as connection:
        return list(connection.scalars(text("SELECT position FROM rows ORDER BY position")))


def apply(store: ProjectionStore, position: int, *, fail: bool = False) -> None:
    with store.applying(Tracking("risks", position)) as connection:
        connection.execute(text("INSERT INTO rows VALUES (:p)"), {"p": position})
        if fail:
            raise ZeroDivisionError


def test_an_application_that_never_ran_has_no_position(store: ProjectionStore) -> None:
    assert store.max_tracking_id("risks") is None


def test_a_position_is_recorded_with_its_rows(store: ProjectionStore) -> None:
    apply(store, 1)
    apply(store, 5)

    assert store.max_tracking_id("risks") == 5
    assert rows(store) == [1, 5]


@pytest.mark.parametrize("position", [7, 6, 1, 0, -1])
def test_refuses_a_position_that_is_not_greater(store: ProjectionStore, position: int) -> None:
    apply(store, 7)

    with pytest.raises(IntegrityError, match="risks"):
        apply(store, position)
    with pytest.raises(IntegrityError):
        store.insert_tracking(Tracking("risks", position))

    assert store.max_tracking_id("risks") == 7
    assert rows(store) == [7]


def test_an_error_while_applying_moves_nothing(store: ProjectionStore) -> None:
    apply(store, 1)

    with pytest.raises(ZeroDivisionError):
        apply(store, 2, fail=True)

    assert store.max_tracking_id("risks") == 1
    assert rows(store) == [1]
    apply(store, 2)
    assert rows(store) == [1, 2]


def test_an_error_while_applying_the_first_position_leaves_none(store: ProjectionStore) -> None:
    with pytest.raises(ZeroDivisionError):
        apply(store, 1, fail=True)

    assert store.max_tracking_id("risks") is None


def test_applications_do_not_share_their_positions(store: ProjectionStore) -> None:
    store.insert_tracking(Tracking("risks", 9))
    store.insert_tracking(Tracking("indicators", 3))

    assert store.max_tracking_id("risks") == 9
    assert store.max_tracking_id("indicators") == 3


def test_the_position_is_known_after_opening_again(path: Path, store: ProjectionStore) -> None:
    apply(store, 4)

    again = opened(path)

    assert again.max_tracking_id("risks") == 4
    with pytest.raises(IntegrityError):
        apply(again, 4)


def test_of_several_that_apply_the_same_position_one_does(
    path: Path, store: ProjectionStore
) -> None:
    def attempt(position: int) -> bool:
        try:
            apply(opened(path), position)
        except IntegrityError:
            return False
        return True

    with ThreadPoolExecutor(max_workers=4) as pool:
        done = list(pool.map(attempt, [1] * 8))

    assert done.count(True) == 1
    assert rows(store) == [1]


@pytest.mark.property
@settings(max_examples=40, deadline=None)
@given(positions=st.lists(st.integers(0, 20), max_size=12))
def test_any_positions_leave_the_greatest_and_rows_that_only_rise(positions: list[int]) -> None:
    store = opened()
    applied: list[int] = []
    for position in positions:
        try:
            store.insert_tracking(Tracking("risks", position))
        except IntegrityError:
            assert applied
            assert position <= applied[-1]
        else:
            applied.append(position)

    assert applied == sorted(set(applied))
    assert store.max_tracking_id("risks") == (max(positions) if positions else None)
