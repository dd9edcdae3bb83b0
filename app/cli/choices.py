"""Options that several commands share: the year, the cut in time, dates, who records and why."""

import datetime as dt
import difflib
import fnmatch
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Final

import typer

from app.cli.context import Cli
from app.texts.usage import both
from ledger.errors import InvalidCommandError, UnknownEntityError
from ledger.feed import Feed, RecordedEvent, read_all
from ledger.types import Position

if TYPE_CHECKING:
    from projections.cycle.facts import CycleFacts

CODES_SHOWN: Final = 20
"""How many codes are named in place of one that is not there."""

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

ActorOption = Annotated[
    str | None,
    typer.Option("--actor", help=both("chi registra: RUOLO@UNITA", "who records: ROLE@UNIT")),
]
ActsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--act",
        metavar="ORGANO/TIPO/NUMERO/DATA",
        help=both("atto che autorizza; ripetibile", "authorising act; repeatable"),
    ),
]
BatchActOption = Annotated[
    str | None,
    typer.Option(
        "--act", help=both("atto: ORGANO/TIPO/NUMERO/DATA", "act: ORGAN/TYPE/NUMBER/DATE")
    ),
]
"""The one act of a batch of facts."""
DryRunOption = Annotated[
    bool, typer.Option("--dry-run", help=both("mostra, non registra", "show, do not record"))
]
"""Shows what would be recorded."""
CheckOnlyOption = Annotated[
    bool,
    typer.Option(
        "--dry-run", help=both("controlla tutto, non registra nulla", "check, record nothing")
    ),
]
"""Checks rows as if they were to be recorded."""
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


def facts_of(ledger: Feed, at: int | None) -> "CycleFacts":
    """Return what the events of a ledger say, up to a position."""
    from projections.cycle.facts import fold

    return fold(feed_of(ledger, at))


def chosen_year(cli: Cli, facts: "CycleFacts", year: int | None) -> int:
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


def require_match(pattern: str | None, codes: Iterable[str], *, kind: str) -> None:
    """Refuse a pattern that no code has, and name the codes there are.

    Args:
        pattern: as the shell writes it, case included; None for all.
        codes: what it may match, repetitions allowed.
        kind: what the codes are.

    Raises:
        UnknownEntityError: it matches nothing.
    """
    there = list(dict.fromkeys(codes))
    if pattern is None or any(fnmatch.fnmatchcase(code, pattern) for code in there):
        return
    shown = [*there[:CODES_SHOWN], *(["..."] if len(there) > CODES_SHOWN else [])]
    raise UnknownEntityError(
        kind=kind, name=pattern, near=nearest(pattern, there), known=", ".join(shown)
    )


def nearest(typed: str, known: Iterable[str]) -> str:
    """Return the name most like what was typed, without regard to case; empty when none is."""
    by_folded = {name.casefold(): name for name in sorted(known, reverse=True)}
    near = difflib.get_close_matches(typed.casefold(), by_folded, n=1)
    return by_folded[near[0]] if near else ""
