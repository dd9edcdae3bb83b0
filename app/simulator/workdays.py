"""Which days an Italian public office works, and how work falls over the days of a month.

Source: law 260 of 27 May 1949 and later changes for the holidays; the anonymous Gregorian algorithm
for Easter.
"""

import calendar
import datetime as dt
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np

from app.simulator.apportion import Flags, Longs

MONTHS: Final = tuple(range(1, 13))

_FIXED: Final = (
    (1, 1),
    (1, 6),
    (4, 25),
    (5, 1),
    (6, 2),
    (8, 15),
    (11, 1),
    (12, 8),
    (12, 25),
    (12, 26),
)
_SAINT_FRANCIS: Final = (10, 4)
_SAINT_FRANCIS_FROM: Final = 2026
_SATURDAY: Final = 5
_SUNDAY: Final = 6
_EPOCH: Final = dt.date(1970, 1, 1).toordinal()

RECEIVED: Final = (120, 112, 104, 98, 82, 14, 8)
"""Relative intake of a day, Monday to Sunday; a holiday counts as a Sunday."""

DEFINED: Final = (96, 104, 106, 104, 90, 4, 0)
"""Relative settlement of a day, Monday to Sunday; nobody settles on Sundays and holidays."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MonthCalendar:
    """How many days of a month an office works."""

    year: int
    month: int
    working_days: int
    """Mondays to Fridays that are no holidays."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class MonthDays:
    """The days of one month as vectors of one length."""

    day: Longs
    """Days since 1 January 1970."""
    weekday: Longs
    """0 Monday to 6 Sunday; 6 for every holiday."""
    working: Flags
    """Whether offices are open and it is no Saturday."""


def easter(year: int) -> dt.date:
    """Return Easter Sunday of a year of the Gregorian calendar."""
    golden, century, rest = year % 19, year // 100, year % 100
    leaps = century // 4
    correction = (century - (century + 8) // 25 + 1) // 3
    moon = (19 * golden + century - leaps - correction + 15) % 30
    sunday = (32 + 2 * (century % 4) + 2 * (rest // 4) - moon - rest % 4) % 7
    shift = (golden + 11 * moon + 22 * sunday) // 451
    total = moon + sunday - 7 * shift + 114
    return dt.date(year, total // 31, total % 31 + 1)


@cache
def holidays(year: int) -> frozenset[dt.date]:
    """Return the national holidays of a year, Easter Monday among them."""
    fixed = (*_FIXED, _SAINT_FRANCIS) if year >= _SAINT_FRANCIS_FROM else _FIXED
    sunday = easter(year)
    return frozenset(
        {*(dt.date(year, month, day) for month, day in fixed), sunday, sunday + dt.timedelta(1)}
    )


def month_end(year: int, month: int) -> dt.date:
    """Return the last day of a month; month 13 is January of the year after."""
    year, month = year + (month - 1) // 12, (month - 1) % 12 + 1
    return dt.date(year, month, calendar.monthrange(year, month)[1])


def days_of_year(year: int) -> int:
    """Return 365 or 366."""
    return 366 if calendar.isleap(year) else 365


def epoch_day(day: dt.date) -> int:
    """Return the days from 1 January 1970 to a day."""
    return day.toordinal() - _EPOCH


def month_days(year: int, month: int) -> MonthDays:
    """Return the days of a month.

    Args:
        year: year.
        month: month, 1 to 12.
    """
    last = month_end(year, month)
    days = [last.replace(day=number) for number in range(1, last.day + 1)]
    closed = holidays(year)
    weekday = np.array([_SUNDAY if day in closed else day.weekday() for day in days], np.int64)
    return MonthDays(
        day=np.array([epoch_day(day) for day in days], np.int64),
        weekday=weekday,
        working=weekday < _SATURDAY,
    )


def calendars(year: int) -> tuple[MonthCalendar, ...]:
    """Return the working days of the 12 months of a year."""
    return tuple(
        MonthCalendar(
            year=year,
            month=month,
            working_days=int(np.count_nonzero(month_days(year, month).working)),
        )
        for month in MONTHS
    )
