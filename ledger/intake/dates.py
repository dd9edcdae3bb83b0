"""Parser of a cell that holds a calendar day.

Invariants:
1. One spelling: year-month-day with four, two and two ASCII digits and dashes.
2. Other spellings are refused with the day they probably mean, and with both days when two are
   possible; nothing is converted.

Source: ISO 8601 calendar dates, extended form; docs/data-folder.md.
"""

import datetime as dt
import re
from collections.abc import Callable
from typing import Final, NoReturn

from ledger.intake.problems import CellError

_ISO: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_ISO_TIME: Final = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})[T ][0-9:.,+\-Z]*+")
_UNPADDED: Final = re.compile(r"([0-9]{4})[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})")
_COMPACT: Final = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})")
_YEAR_LAST: Final = re.compile(r"([0-9]{1,2})[-/. ]([0-9]{1,2})[-/. ]([0-9]{4})")
_SHORT_YEAR: Final = re.compile(r"[0-9]{1,2}[-/.][0-9]{1,2}[-/.][0-9]{2}")
_SERIAL: Final = re.compile(r"[0-9]{5}")
_SERIAL_EPOCH: Final = dt.date(1899, 12, 30)
"""Day 0 of spreadsheets, with their leap day of 1900 taken into account."""


def date_cell(
    not_after: dt.date | None = None, *, not_before: dt.date | None = None
) -> Callable[[str], dt.date]:
    """Return the parser of a day.

    Args:
        not_after: Last day allowed, inclusive; the caller's today where the future is refused.
        not_before: First day allowed, inclusive.
    """

    def parse(text: str) -> dt.date:
        if not text:
            raise CellError("empty_value")
        if not _ISO.fullmatch(text):
            _explain(text)
        day = _day(text[:4], text[5:7], text[8:])
        if day is None:
            raise CellError("impossible_date")
        if not_before is not None and day < not_before:
            raise CellError("date_before_limit", limit=not_before.isoformat())
        if not_after is not None and day > not_after:
            raise CellError("date_after_limit", limit=not_after.isoformat())
        return day

    return parse


def _day(year: str, month: str, day: str) -> dt.date | None:
    try:
        return dt.date(int(year), int(month), int(day))
    except ValueError:
        return None


def _explain(text: str) -> NoReturn:
    """Say why a text is not a day in our spelling."""
    with_time = _ISO_TIME.fullmatch(text)
    if with_time:
        raise CellError("date_with_time", suggestion=with_time[1])
    year_first = _UNPADDED.fullmatch(text) or _COMPACT.fullmatch(text)
    if year_first:
        found = _day(*year_first.groups())
        if found is None:
            raise CellError("impossible_date")
        raise CellError("unpadded_date", suggestion=found.isoformat())
    year_last = _YEAR_LAST.fullmatch(text)
    if year_last:
        _explain_year_last(*year_last.groups())
    if _SHORT_YEAR.fullmatch(text):
        raise CellError("two_digit_year")
    if _SERIAL.fullmatch(text):
        found = _SERIAL_EPOCH + dt.timedelta(days=int(text))
        raise CellError("spreadsheet_date", suggestion=found.isoformat())
    raise CellError("not_a_date")


def _explain_year_last(first: str, second: str, year: str) -> NoReturn:
    day_first = _day(year, second, first)
    month_first = _day(year, first, second)
    if day_first is not None and month_first is not None and day_first != month_first:
        raise CellError(
            "ambiguous_date",
            day_first=day_first.isoformat(),
            month_first=month_first.isoformat(),
        )
    found = day_first or month_first
    if found is None:
        raise CellError("impossible_date")
    raise CellError("day_first_date", suggestion=found.isoformat())
