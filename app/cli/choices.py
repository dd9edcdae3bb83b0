"""Options that several commands share: the year, the cut in time, dates."""

import datetime as dt
import difflib
from collections.abc import Iterable
from typing import Annotated

import typer

from app.cli.context import Cli
from app.texts.usage import both
from ledger.errors import InvalidCommandError, UnknownEntityError
from ledger.feed import Feed, RecordedEvent, read_all
from ledger.types import Position
from projections.cycle.facts import CycleFacts, fold

YearOption = Annotated[
    int | None,
    typer.Option(
        "--year",
        help=both("anno del ciclo; senza, l'ultimo", "year of the cycle; by default the last"),
    ),
]
AsOfOption = Annotated[
    str | None,
    typer.Option(
        "--as-of",
        metavar="AAAA-MM-GG",
        help=both("ultimo giorno di conoscenza", "last day of knowledge"),
    ),
]
AtOption = Annotated[
    int | None,
    typer.Option("--at", min=0, help=both("ultima posizione da leggere", "last position to read")),
]

RecordOption = Annotated[
    bool,
    typer.Option(
        "--record",
        help=both("registra il ricalcolo come evento", "record the replay as an event"),
    ),
]
CheckOption = Annotated[
    str | None,
    typer.Option(
        "--check",
        metavar="RICALCOLO",
        help=both(
            "ripete un ricalcolo registrato e lo confronta: nome, posizione o identità",
            "repeat a recorded replay and compare: name, position or identity",
        ),
    ),
]


def parse_day(text: str, *, field: str) -> dt.date:
    """Read a date in ISO form, or in Italian form (31/12/2023).

    Raises:
        InvalidCommandError: it is no date.
    """
    form = "%d/%m/%Y" if "/" in text else "%Y-%m-%d"
    try:
        return dt.datetime.strptime(text, form).date()  # noqa: DTZ007 - a calendar day has no zone
    except ValueError as error:
        raise InvalidCommandError(
            subject="date", field=field, value=text, reason="write a real day as YYYY-MM-DD"
        ) from error


def optional_day(text: str | None, *, field: str) -> dt.date | None:
    """Read a date that may be absent; see `parse_day`."""
    return None if text is None else parse_day(text, field=field)


def feed_of(ledger: Feed, at: int | None) -> Iterable[RecordedEvent]:
    """Return the events of a ledger, up to a position.

    Raises:
        InvalidCommandError: the position is beyond the last one.
    """
    if at is None:
        return read_all(ledger)
    if at > ledger.head():
        raise InvalidCommandError(
            subject="position",
            field="--at",
            value=str(at),
            reason=f"the last position is {ledger.head()}",
        )
    return read_all(ledger, through=Position(at))


def facts_of(ledger: Feed, at: int | None) -> CycleFacts:
    """Return what the events of a ledger say, up to a position."""
    return fold(feed_of(ledger, at))


def chosen_year(cli: Cli, facts: CycleFacts, year: int | None) -> int:
    """Return the year asked for, or the last one of the ledger.

    Raises:
        UnknownEntityError: the ledger knows no such year, or none at all.
    """
    known = sorted(facts.years)
    if year is None and known:
        if len(known) > 1:
            cli.screen.note(cli.tr(f"Anno {known[-1]} (--year)", f"Year {known[-1]} (--year)"))
        return known[-1]
    if year is None or year not in known:
        asked = cli.tr("uno qualsiasi", "any") if year is None else year
        raise UnknownEntityError(kind="year", name=asked, known=", ".join(map(str, known)))
    return year


def nearest(typed: str, known: Iterable[str]) -> str:
    """Return the name most like what was typed, without regard to case; empty when none is."""
    by_folded = {name.casefold(): name for name in sorted(known, reverse=True)}
    near = difflib.get_close_matches(typed.casefold(), by_folded, n=1)
    return by_folded[near[0]] if near else ""
