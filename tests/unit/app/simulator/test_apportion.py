"""Whole parts add up, keep to their limits and round half-up."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.simulator.apportion import apportion, half_up, half_up_int, spread, sum_by

WEIGHTS = st.lists(st.integers(0, 1000), min_size=1, max_size=30).filter(sum)


@pytest.mark.property
@settings(max_examples=100)
@given(total=st.integers(-(10**15), 10**15), weights=WEIGHTS)
def test_parts_add_up_and_are_within_one_of_their_quota(total: int, weights: list[int]) -> None:
    parts = apportion(total, np.array(weights))

    assert int(parts.sum()) == total
    for part, weight in zip(parts.tolist(), weights, strict=True):
        assert abs(part - Fraction(total * weight, sum(weights))) < 1


@pytest.mark.property
@settings(max_examples=50)
@given(total=st.integers(2**55, 2**61), weights=WEIGHTS)
def test_parts_are_exact_beyond_64_bits(total: int, weights: list[int]) -> None:
    parts = apportion(total, np.array(weights))

    assert sum(parts.tolist()) == total
    for part, weight in zip(parts.tolist(), weights, strict=True):
        assert abs(part - Fraction(total * weight, sum(weights))) < 1


def test_ties_go_to_the_first_and_a_weight_of_nothing_gets_nothing() -> None:
    assert apportion(3, np.array([1, 0, 1])).tolist() == [2, 0, 1]
    assert apportion(-3, np.array([1, 0, 1])).tolist() == [-2, 0, -1]
    assert apportion(0, np.array([0, 0])).tolist() == [0, 0]


@pytest.mark.property
@settings(max_examples=100)
@given(limits=WEIGHTS, share=st.integers(0, 100), offset=st.integers(0, 2**30))
def test_spread_exceeds_no_limit(limits: list[int], share: int, offset: int) -> None:
    total = sum(limits) * share // 100

    parts = spread(np.array([total]), np.array([limits]), np.array([offset]))[0]

    assert int(parts.sum()) == total
    assert all(0 <= part <= limit for part, limit in zip(parts.tolist(), limits, strict=True))


def test_spread_keeps_every_rows_total() -> None:
    totals = np.array([0, 1, 7, 1000])

    parts = spread(totals, np.array([[5, 0, 20]]), np.array([0, 24, 3, 9]))

    assert parts.sum(axis=1).tolist() == totals.tolist()
    assert not parts[:, 1].any()


def test_sums_by_place() -> None:
    assert sum_by(np.array([2, 0, 2]), np.array([1, 5, 10]), 4).tolist() == [5, 0, 11, 0]


@pytest.mark.parametrize(
    ("value", "decimals", "rounded"),
    [
        (Fraction(5, 2), 0, "3"),
        (Fraction(-5, 2), 0, "-3"),
        (Fraction(1035, 1000), 2, "1.04"),
        (Fraction(10349999, 10000000), 2, "1.03"),
        (Fraction(0), 2, "0.00"),
    ],
)
def test_rounds_ties_away_from_zero(value: Fraction, decimals: int, rounded: str) -> None:
    assert half_up(value, decimals) == Decimal(rounded)
    assert half_up_int(value) == half_up(value)
