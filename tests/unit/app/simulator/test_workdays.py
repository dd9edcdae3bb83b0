"""The Italian calendar: Easter, holidays, working days."""

import datetime as dt

import pytest

from app.simulator.workdays import (
    calendars,
    days_of_year,
    easter,
    epoch_day,
    holidays,
    month_days,
    month_end,
)


@pytest.mark.parametrize(
    "day", ["1961-04-02", "2000-04-23", "2008-03-23", "2011-04-24", "2023-04-09", "2024-03-31"]
)
def test_easter_falls_on_its_sunday(day: str) -> None:
    sunday = dt.date.fromisoformat(day)

    assert easter(sunday.year) == sunday


def test_easter_is_always_a_sunday_of_spring() -> None:
    for year in range(1900, 2200):
        day = easter(year)
        assert day.weekday() == 6
        assert dt.date(year, 3, 22) <= day <= dt.date(year, 4, 25)


def test_easter_monday_is_a_holiday_and_the_day_after_is_not() -> None:
    assert dt.date(2023, 4, 10) in holidays(2023)
    assert dt.date(2023, 4, 11) not in holidays(2023)


def test_a_new_holiday_does_not_reach_back() -> None:
    assert dt.date(2025, 10, 4) not in holidays(2025)
    assert dt.date(2026, 10, 4) in holidays(2026)


def test_working_days_of_2023() -> None:
    counted = [month.working_days for month in calendars(2023)]

    assert counted == [21, 20, 23, 18, 22, 21, 21, 22, 21, 22, 21, 18]
    assert [month.month for month in calendars(2023)] == list(range(1, 13))


def test_a_holiday_counts_as_a_sunday_and_a_saturday_is_no_working_day() -> None:
    april = month_days(2023, 4)

    assert april.weekday[9] == 6  # Easter Monday
    assert not april.working[9]
    assert april.weekday[0] == 5  # Saturday 1 April
    assert not april.working[0]
    assert april.working[3]


def test_the_month_after_december_is_january() -> None:
    assert month_end(2023, 13) == dt.date(2024, 1, 31)
    assert month_end(2024, 2) == dt.date(2024, 2, 29)
    assert (days_of_year(2023), days_of_year(2024)) == (365, 366)
    assert epoch_day(dt.date(1970, 1, 2)) == 1
