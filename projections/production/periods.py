"""Periods over which indicators of production are computed: a month, a quarter or a year.

Months are written as in the cube: year * 100 + month, so that May 2023 is 202305.

Source: docs/production.md.
"""

import datetime as dt
import re
from dataclasses import dataclass
from typing import Final, NewType

import polars as pl

from ledger.errors import InvalidCommandError

Month = NewType("Month", int)
"""A month as a number: year * 100 + month, the latter from 1 to 12."""

MONTHS_OF_YEAR: Final = 12
MONTHS_OF_QUARTER: Final = 3
OPENING: Final = "Opening"
"""Kind of the cells that hold the stock at the beginning of a period, see `cells_of`."""

_TEXT: Final = re.compile(
    r"(?P<year>[1-9][0-9]{3})(?:-Q(?P<quarter>[1-4])|-(?P<month>0[1-9]|1[0-2]))?"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Period:
    """Whole months of one year."""

    first: Month
    """First month."""
    count: int
    """Number of months: 1, 3 or 12."""

    @classmethod
    def parse(cls, text: str) -> "Period":
        """Return the period that a text names: `2023`, `2023-Q2` or `2023-05`.

        Raises:
            InvalidCommandError: the text is none of these.
        """
        found = _TEXT.fullmatch(text)
        if found is None:
            raise InvalidCommandError(
                subject="period",
                field="period",
                value=text,
                reason="write a year (2023), a quarter (2023-Q2) or a month (2023-05)",
            )
        year = int(found["year"])
        if found["quarter"] is not None:
            first = (int(found["quarter"]) - 1) * MONTHS_OF_QUARTER + 1
            return cls(first=month_of(year, first), count=MONTHS_OF_QUARTER)
        if found["month"] is not None:
            return cls(first=month_of(year, int(found["month"])), count=1)
        return cls(first=month_of(year, 1), count=MONTHS_OF_YEAR)

    @classmethod
    def of_month(cls, month: Month) -> "Period":
        """Return the period that is one month."""
        return cls(first=month, count=1)

    @property
    def year(self) -> int:
        """Year the months belong to."""
        return self.first // 100

    @property
    def last(self) -> Month:
        """Last month."""
        return shifted(self.first, self.count - 1)

    @property
    def first_day(self) -> dt.date:
        """First day."""
        return first_day(self.first)

    @property
    def last_day(self) -> dt.date:
        """Last day, inclusive."""
        return last_day(self.last)

    def months(self) -> tuple[Month, ...]:
        """Return the months, in order."""
        return tuple(shifted(self.first, step) for step in range(self.count))

    def days(self) -> int:
        """Return the number of calendar days."""
        return (self.last_day - self.first_day).days + 1

    def __str__(self) -> str:
        """Return the text that `parse` reads."""
        if self.count == MONTHS_OF_YEAR:
            return str(self.year)
        month = self.first % 100
        if self.count == MONTHS_OF_QUARTER:
            return f"{self.year}-Q{(month - 1) // MONTHS_OF_QUARTER + 1}"
        return f"{self.year}-{month:02}"


def month_of(year: int, month: int) -> Month:
    """Return a month as a number; `month` is from 1 to 12."""
    return Month(year * 100 + month)


def month_on(day: dt.date) -> Month:
    """Return the month a day belongs to."""
    return month_of(day.year, day.month)


def shifted(month: Month, steps: int) -> Month:
    """Return the month so many months later; earlier when `steps` is negative."""
    year, rest = divmod((month // 100) * MONTHS_OF_YEAR + month % 100 - 1 + steps, MONTHS_OF_YEAR)
    return month_of(year, rest + 1)


def first_day(month: Month) -> dt.date:
    """Return the first day of a month."""
    return dt.date(month // 100, month % 100, 1)


def last_day(month: Month) -> dt.date:
    """Return the last day of a month."""
    # The 31st of December 9999 is the last day there is: no month after it is asked for.
    if month % 100 == MONTHS_OF_YEAR:
        return dt.date(month // 100, MONTHS_OF_YEAR, 31)
    return first_day(shifted(month, 1)) - dt.timedelta(days=1)


def cells_of(cube: pl.DataFrame, period: Period) -> pl.DataFrame:
    """Return the cells of a cube that count in a period.

    Of stocks these are the ones counted in its last month, and, as `OPENING`, those at its
    beginning: declared in January, else counted the month before.
    """
    fact, month = pl.col("fact"), pl.col("month")
    counted, declared = fact == "StockCounted", fact == "StockDeclared"
    flowing = ~counted & ~declared & month.is_in(period.months())
    opens = declared if period.first % 100 == 1 else counted
    opened = period.first if period.first % 100 == 1 else shifted(period.first, -1)
    return pl.concat(
        [
            cube.filter(flowing | (counted & (month == period.last))),
            cube.filter(opens & (month == opened)).with_columns(pl.lit(OPENING).alias("fact")),
        ]
    )
