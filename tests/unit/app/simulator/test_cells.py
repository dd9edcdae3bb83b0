"""Rows are exactly the facts of their cells, however they are cut."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.simulator.cells import Cells, join, month_cells, no_cells, rows_of, split_late

DAYS = np.arange(100, 110)
WEIGHTS = np.array([0, 3, 3, 2, 0, 0, 9, 1, 1, 0])


def rng(seed: int = 1) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(seed))


FACTS = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 100)), min_size=1, max_size=12)


def cells_of(facts: list[tuple[int, int]]) -> Cells:
    count = np.array([number for number, _ in facts])
    extra = np.array([number * share // 100 for number, share in facts])
    return month_cells(count, extra, DAYS, WEIGHTS, rng())


@pytest.mark.property
@settings(max_examples=100)
@given(facts=FACTS, size=st.integers(1, 50))
def test_rows_are_the_facts_and_pieces_of_every_pair(
    facts: list[tuple[int, int]], size: int
) -> None:
    batches = list(rows_of(cells_of(facts), size))

    pair = np.concatenate([rows.pair for rows in batches] or [np.zeros(0, np.int64)])
    pieces = np.concatenate([rows.pieces for rows in batches] or [np.zeros(0, np.int64)])
    assert all(rows.day.size <= size for rows in batches)
    assert [rows.first for rows in batches] == list(range(0, pair.size, size))
    for place, (count, share) in enumerate(facts):
        assert int((pair == place).sum()) == count
        assert int(pieces[pair == place].sum()) == count + count * share // 100


@pytest.mark.property
@settings(max_examples=100)
@given(facts=FACTS, first=st.integers(1, 7), second=st.integers(8, 400))
def test_rows_do_not_depend_on_the_size_of_batches(
    facts: list[tuple[int, int]], first: int, second: int
) -> None:
    cells = cells_of(facts)

    for name in ("pair", "day", "pieces"):
        values = [
            [value for rows in rows_of(cells, size) for value in getattr(rows, name).tolist()]
            for size in (first, second)
        ]
        assert values[0] == values[1]


def test_nothing_falls_on_a_day_without_weight_and_days_are_in_order() -> None:
    cells = cells_of([(30, 10), (5, 0), (0, 0)])

    assert set(cells.day.tolist()) <= {101, 102, 103, 106, 107, 108}
    assert (np.diff(cells.day) >= 0).all()
    assert (cells.count > 0).all()
    assert (cells.extra <= cells.count).all()


@pytest.mark.property
@settings(max_examples=100)
@given(facts=FACTS, seed=st.integers(0, 1000))
def test_late_and_punctual_facts_add_up(facts: list[tuple[int, int]], seed: int) -> None:
    cells = cells_of(facts)

    punctual, late = split_late(cells, rng(seed))

    both = join(punctual, late)
    assert both.rows == cells.rows
    assert int(both.extra.sum()) == int(cells.extra.sum())
    assert (both.extra <= both.count).all()
    assert abs(late.rows - cells.rows * 5 / 1000) <= 1


def test_no_cells_have_no_rows() -> None:
    assert list(rows_of(no_cells())) == []
    assert split_late(no_cells(), rng())[1].rows == 0
