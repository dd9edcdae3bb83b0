"""Numbers, dates and flags as a reader of the chosen language writes them.

Italian: decimal comma, groups of three by full stops (four-digit numbers too, so that columns line
up), dates as 01/03/2024. English: ISO dates, groups by commas. JSON never passes here.
"""

import datetime as dt
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Final

from app.texts.text import Lang

_DIGITS: Final = 200
"""Precision in which a number is cut: far beyond any number of a ledger."""


def number(value: Decimal | int, lang: Lang, *, decimals: int | None = None) -> str:
    """Return a number as text; zero has no sign.

    Args:
        value: finite.
        lang: whose marks are used.
        decimals: digits to show after the mark, cut half-up; None shows those that the value has.
    """
    exact = Decimal(value)
    if decimals is not None:
        with localcontext() as context:
            context.prec = _DIGITS
            exact = exact.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)
    plain = f"{exact:f}"
    sign = "-" if exact < 0 else ""
    whole, _, fraction = plain.removeprefix("-").partition(".")
    group, mark = (".", ",") if lang == "it" else (",", ".")
    grouped = f"{int(whole):,}".replace(",", group)
    return sign + grouped + (mark + fraction if fraction else "")


def day(value: dt.date, lang: Lang) -> str:
    """Return a calendar day: 01/03/2024 in Italian, 2024-03-01 in English."""
    return value.strftime("%d/%m/%Y") if lang == "it" else value.isoformat()


def instant(value: dt.datetime, lang: Lang, zone: dt.tzinfo = dt.UTC) -> str:
    """Return an instant to the second, in a time zone whose short name it carries."""
    moment = value.astimezone(zone)
    return f"{day(moment.date(), lang)} {moment:%H:%M:%S %Z}"


def flag(value: bool, lang: Lang) -> str:  # noqa: FBT001 - a flag is what is formatted
    """Return yes or no."""
    if lang == "it":
        return "sì" if value else "no"
    return "yes" if value else "no"


def cell(value: object, lang: Lang, zone: dt.tzinfo = dt.UTC) -> str:
    """Return any value of a table: numbers and dates by language, a dash for nothing."""
    match value:
        case None:
            return "-"
        case bool():
            return flag(value, lang)
        case Decimal() | int():
            return number(value, lang)
        case dt.datetime():
            return instant(value, lang, zone)
        case dt.date():
            return day(value, lang)
        case _:
            return str(value)
