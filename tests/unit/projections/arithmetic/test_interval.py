"""Intervals are exact and open; what a reader sees of them is never narrower."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projections.arithmetic.interval import Interval, unrounded
from projections.cycle.rounding import round_half_up

FRACTIONS = st.fractions(min_value=-1000, max_value=1000, max_denominator=5000)
DECIMALS = st.integers(min_value=-4, max_value=6)


def test_adds_bounds() -> None:
    total = Interval.around(Fraction(5), Fraction(1, 2)).plus(Interval.point(Fraction(2)))

    assert total == Interval(low=Fraction(13, 2), high=Fraction(15, 2))


def test_turns_round_when_multiplied_by_a_negative_number() -> None:
    turned = Interval(low=Fraction(1), high=Fraction(3)).times(Fraction(-2))

    assert turned == Interval(low=Fraction(-6), high=Fraction(-2))


def test_is_a_point_when_multiplied_by_zero() -> None:
    assert Interval(low=Fraction(1), high=Fraction(3)).times(Fraction(0)).is_point


@pytest.mark.parametrize(
    ("low", "high", "touches"),
    [(-1, 1, True), (0, 1, True), (-1, 0, True), (0, 0, True), (1, 2, False), (-2, -1, False)],
)
def test_tells_whether_zero_is_within_or_a_bound(low: int, high: int, *, touches: bool) -> None:
    assert Interval(low=Fraction(low), high=Fraction(high)).touches_zero is touches


@pytest.mark.parametrize(
    ("low", "high", "printed", "decimals", "expected"),
    [
        ("1.4", "1.6", "1", 0, True),
        ("1.4", "1.6", "2", 0, True),
        ("1.5", "2.5", "1", 0, False),  # 1.5 itself is excluded, and would print 2
        ("1.5", "2.5", "3", 0, False),  # 2.5 itself would print 3, and is excluded
        ("0.5", "1.5", "2", 0, False),
        ("1234", "1400", "1000", -3, True),
        ("1500", "1600", "1000", -3, False),
        ("-1.6", "-1.5", "-2", 0, True),
        ("-1.5", "-1.4", "-2", 0, False),
        ("-0.4", "0.4", "0", 0, True),
    ],
)
def test_prints_what_an_open_interval_reaches(
    low: str, high: str, printed: str, decimals: int, *, expected: bool
) -> None:
    interval = Interval(low=Fraction(low), high=Fraction(high))

    assert interval.can_print(printed=Fraction(printed), decimals=decimals) is expected


@pytest.mark.parametrize(
    ("value", "printed", "expected"),
    [("1.5", "2", True), ("1.5", "1", False), ("-1.5", "-2", True), ("-1.5", "-1", False)],
)
def test_prints_a_point_half_up_and_nothing_else(
    value: str, printed: str, *, expected: bool
) -> None:
    point = Interval.point(Fraction(value))

    assert point.can_print(printed=Fraction(printed), decimals=0) is expected


def test_shows_a_point_as_closed_and_an_interval_as_open() -> None:
    point = Interval.point(Fraction(3)).shown(0)
    interval = Interval(low=Fraction(1), high=Fraction(3)).shown(0)

    assert (point.low_closed, point.high_closed) == (True, True)
    assert (interval.low_closed, interval.high_closed) == (False, False)


@pytest.mark.parametrize(
    ("value", "decimals", "expected"),
    [
        (Fraction(0), 2, "0"),
        (Fraction(100), 0, "100"),
        (Fraction(-5, 2), 0, "-2.5"),
        (Fraction(1, 3), 0, "0." + "3" * 20),
        (Fraction(2, 3), 2, "0." + "6" * 21 + "7"),
        (Fraction(1, 10**60), 0, "0." + "0" * 59 + "1"),
        (Fraction(10**38 + 1), -3, "1" + "0" * 37 + "1"),
    ],
)
def test_writes_a_number_in_full_or_far_beyond_the_printed_digits(
    value: Fraction, decimals: int, expected: str
) -> None:
    assert format(unrounded(value, decimals), "f") == expected


@pytest.mark.property
@settings(max_examples=150)
@given(low=FRACTIONS, high=FRACTIONS, decimals=DECIMALS)
def test_shown_bounds_are_never_narrower(low: Fraction, high: Fraction, decimals: int) -> None:
    interval = Interval(low=min(low, high), high=max(low, high))
    shown = interval.shown(decimals)
    if interval.is_point:
        return

    assert Fraction(shown.low) <= interval.low
    assert Fraction(shown.high) >= interval.high


@pytest.mark.property
@settings(max_examples=200)
@given(
    low=FRACTIONS,
    high=FRACTIONS,
    share=st.fractions(min_value=0, max_value=1, max_denominator=100),
    decimals=DECIMALS,
)
def test_reaches_what_any_number_within_prints(
    low: Fraction, high: Fraction, share: Fraction, decimals: int
) -> None:
    interval = Interval(low=min(low, high), high=max(low, high))
    inside = interval.low + share * (interval.high - interval.low)
    if not interval.is_point and inside in {interval.low, interval.high}:
        return

    printed = Fraction(round_half_up(inside, decimals))

    assert interval.can_print(printed=printed, decimals=decimals)


@pytest.mark.property
@settings(max_examples=200)
@given(
    centre=FRACTIONS,
    half=st.fractions(min_value=Fraction(1, 100), max_value=10),
    decimals=DECIMALS,
    steps=st.integers(min_value=1, max_value=50),
)
def test_does_not_reach_what_lies_a_unit_beyond(
    centre: Fraction, half: Fraction, decimals: int, steps: int
) -> None:
    interval = Interval.around(centre, half)
    unit = 1 / Fraction(10) ** decimals
    above = Fraction(round_half_up(interval.high, decimals)) + steps * unit

    assert not interval.can_print(printed=above, decimals=decimals)
