"""Columns of instants in files with types: a day where the time of day is zero, else nothing.

Many programs write a day as an instant at midnight. The day is that of the column's own time zone,
or the one that it says without any; an instant with a time of day names no day, and is refused.

Source: docs/production.md; Apache Parquet, logical type TIMESTAMP.
"""

import datetime as dt
from typing import Final

import polars as pl

_UNITS_A_DAY: Final = {"ms": 86_400_000, "us": 86_400_000_000, "ns": 86_400_000_000_000}
_EPOCH: Final = dt.date(1970, 1, 1)
_FIRST_DAY: Final = (dt.date.min - _EPOCH).days
_LAST_DAY: Final = (dt.date.max - _EPOCH).days


def outside_calendar(column: pl.Series) -> int | None:
    """Return a day of the column, counted from 1970-01-01, that no calendar has; None for none.

    Polars can neither write nor compute with such a day: it panics.

    Args:
        column: of days or instants.
    """
    days = column.to_physical()
    if isinstance(column.dtype, pl.Datetime):
        days = days // _UNITS_A_DAY[column.dtype.time_unit]
    outside = days.filter(~days.is_between(_FIRST_DAY, _LAST_DAY))
    return None if outside.is_empty() else int(outside[0])


def wall_clock(column: pl.Series) -> pl.Series:
    """Return instants as the clock of the column's own zone shows them, without the zone.

    Args:
        column: of instants within the calendar.
    """
    return column.dt.replace_time_zone(None)


def day_of(column: pl.Expr) -> pl.Expr:
    """Return the days of instants without zone; null where there is a time of day."""
    return pl.when(_at_midnight(column)).then(column.dt.date())


def written(frame: pl.DataFrame) -> pl.DataFrame:
    """Return a table in which instants without zone are texts: a day alone, or day and time."""
    return frame.with_columns(
        pl.when(_at_midnight(column))
        .then(column.dt.to_string("%Y-%m-%d"))
        .otherwise(column.dt.to_string("%Y-%m-%dT%H:%M:%S%.f"))
        for column in (
            pl.col(name) for name, dtype in frame.schema.items() if isinstance(dtype, pl.Datetime)
        )
    )


def _at_midnight(column: pl.Expr) -> pl.Expr:
    return column.dt.truncate("1d") == column
