"""Commands `registro production` and `completeness`: the year from facts, and what it lacks."""

import datetime as dt
import fnmatch
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, cast

import typer

from app.cli.choices import AsOfOption, AtOption, YearOption, feed_of, optional_day, require_match
from app.cli.context import NEGATIVE, Cli, cli_of
from app.output.format import number
from app.output.table import Column, Table
from app.texts.production import GAPS, detail_text, indicator_text, month_text
from app.texts.usage import both
from app.texts.values import missing_text
from ledger.errors import InvalidCommandError
from ledger.types import Position
from projections.production.sequences import sequence_gaps

if TYPE_CHECKING:
    import polars as pl

    from ledger.application import LedgerApplication
    from projections.production.indicators import ProductionIndicator

BREAKDOWNS = ("body", "area", "line", "unit", "cluster", "product")
WITHOUT_UNITS = frozenset({"body", "area", "line", "product"})
ROWS_SHOWN = 40
"""Rows of a check that the screen shows unless all are asked for."""


def register(root: typer.Typer, name: str) -> None:
    """Add a command to the root."""
    commands: dict[str, Callable[..., None]] = {
        "production": production,
        "completeness": completeness,
    }
    root.command(name)(commands[name])


def cube_of(
    cli: Cli,
    ledger: "LedgerApplication",
    *,
    as_of: dt.date | None,
    at: int | None,
    national: bool = False,
) -> "pl.DataFrame":
    """Return the cube: from the read model, or folded anew for a cut in time.

    Args:
        cli: the run.
        ledger: to read from.
        as_of: last day of knowledge; None for all.
        at: last position; None for all.
        national: units may be left out, since nothing asks for them.
    """
    from app.cli.production.readmodels import runner_of, views_of, warn_if_outdated
    from projections.production.knowledge import cube_at
    from projections.runner.models import PROJECTIONS

    if as_of is not None or at is not None:
        return cube_at(ledger, as_of=as_of, through=None if at is None else Position(at))
    views, projection = views_of(cli), PROJECTIONS["production"]
    with cli.screen.progress("production") as bar:
        runner_of(cli, ledger, views).catch_up(
            projection, progress=lambda done, head: bar("production", done, head)
        )
    warn_if_outdated(cli, views, [projection])
    return views.national(projection) if national else views.rows(projection)


def last_year(cube: "pl.DataFrame") -> int:
    """Return the last year with requests settled.

    Raises:
        FactsMissingError: there are no facts of production.
    """
    import polars as pl

    from projections.production.measures import FactsMissingError

    month = cube.filter(pl.col("fact") == "RequestDefined").get_column("month").max()
    if month is None:
        raise FactsMissingError(lacking=("RequestDefined",))
    return int(str(month)) // 100


def is_sandbox(ledger: "LedgerApplication") -> bool:
    """Return whether the ledger was opened for trials."""
    opened = ledger.identity.opened
    return opened is not None and opened.sandbox


def production(
    context: typer.Context,
    *,
    period: Annotated[
        str | None,
        typer.Option(
            metavar="PERIODO",
            help=both(
                "2023, 2023-Q2 o 2023-05; senza, l'ultimo anno",
                "2023, 2023-Q2 or 2023-05; by default the last year",
            ),
        ),
    ] = None,
    by: Annotated[
        str,
        typer.Option(
            metavar="AMBITO",
            help=both("per: " + ", ".join(BREAKDOWNS), "by: " + ", ".join(BREAKDOWNS)),
        ),
    ] = "body",
    below: Annotated[
        str | None,
        typer.Option(
            metavar="STRUTTURA",
            help=both("solo questa struttura e quelle sotto", "only this unit and those below"),
        ),
    ] = None,
    indicator: Annotated[
        str | None, typer.Option(metavar="GLOB", help=both("solo questi", "only these"))
    ] = None,
    as_of: AsOfOption = None,
    at: AtOption = None,
) -> None:
    """Compute indicators of production from the facts."""
    from projections.production.indicators import Breakdown, indicators
    from projections.production.periods import Period
    from projections.production.reference import Reference

    cli = cli_of(context)
    if by not in BREAKDOWNS:
        raise InvalidCommandError(
            subject="production", field="--by", value=by, reason="one of " + ", ".join(BREAKDOWNS)
        )
    day = optional_day(as_of, field="--as-of")
    ledger = cli.open()
    national = below is None and by in WITHOUT_UNITS
    cube = cube_of(cli, ledger, as_of=day, at=at, national=national)
    reference = Reference.of(feed_of(ledger, at), as_of=day)
    chosen = Period.parse(period) if period else Period.parse(str(last_year(cube)))
    computed = indicators(cube, reference, chosen, by=cast(Breakdown, by), below=below)
    require_match(indicator, (one.code for one in computed), kind="indicator")
    found = [
        one for one in computed if indicator is None or fnmatch.fnmatchcase(one.code, indicator)
    ]
    sandbox = is_sandbox(ledger)
    if cli.json:
        cli.answer(
            {
                "period": str(chosen),
                "by": by,
                "below": below,
                "as_of": day,
                "position": at if at is not None else ledger.head(),
                "sandbox": sandbox,
                "indicators": [_json(one) for one in found],
            }
        )
        return
    cli.banner(sandbox=sandbox)
    cli.screen.title(f"{cli.tr('Produzione', 'Production')} {chosen}")
    _table(cli, found, scoped=by != "body")


def _json(one: "ProductionIndicator") -> dict[str, object]:
    return {
        "code": one.code,
        "scope": one.scope,
        "value": None if one.value is None else format(one.value, "f"),
        "numerator": None if one.numerator is None else str(one.numerator),
        "denominator": None if one.denominator is None else str(one.denominator),
        "reason": one.reason,
        "details": list(one.details),
    }


def _table(cli: Cli, found: "list[ProductionIndicator]", *, scoped: bool) -> None:
    columns = [
        *([Column(cli.tr("ambito", "scope"))] if scoped else []),
        Column(cli.tr("indicatore", "indicator")),
        Column(cli.tr("valore", "value"), "right"),
        Column(cli.tr("nota", "note")),
    ]
    rows = [
        [
            *([one.scope or "-"] if scoped else []),
            indicator_text(one.code, cli.lang),
            None if one.value is None else number(one.value, cli.lang, decimals=one.decimals),
            "" if one.reason is None else f"{missing_text(one.reason, cli.lang)} {_few(cli, one)}",
        ]
        for one in found
    ]
    cli.screen.table(Table(columns=columns, rows=rows))


def _few(cli: Cli, one: "ProductionIndicator") -> str:
    shown = ", ".join(detail_text(detail, cli.lang) for detail in one.details[:3])
    return f"({shown}{', …' if len(one.details) > 3 else ''})" if shown else ""  # noqa: PLR2004 - a few


def completeness(
    context: typer.Context,
    *,
    year: YearOption = None,
    show_all: Annotated[
        bool, typer.Option("--all", help=both("elenca tutto", "list everything"))
    ] = False,
    as_of: AsOfOption = None,
    at: AtOption = None,
) -> None:
    """Check that the facts of a year are whole; exit code 1 when something is amiss."""
    from projections.production.completeness import months_without_presence, stock_flow
    from projections.production.reference import Reference

    cli = cli_of(context)
    day = optional_day(as_of, field="--as-of")
    ledger = cli.open()
    cube = cube_of(cli, ledger, as_of=day, at=at)
    chosen = year or last_year(cube)
    events = list(feed_of(ledger, at))
    reference = Reference.of(events, as_of=day)
    flow = stock_flow(cube, reference, chosen)
    absences = months_without_presence(cube, reference, chosen)
    gaps, unnumbered = sequence_gaps(events)
    amiss = bool(flow.differences or absences or gaps or unnumbered)
    if cli.json:
        cli.answer(
            {
                "year": chosen,
                "checked": flow.checked,
                "differences": [asdict(one) for one in flow.differences],
                "unchecked": [asdict(one) for one in flow.unchecked],
                "months_without_presence": [asdict(one) for one in absences],
                "sequence_gaps": [asdict(one) for one in gaps],
                "unnumbered_batches": [asdict(one) for one in unnumbered],
            }
        )
    else:
        limit = None if show_all else ROWS_SHOWN
        cli.banner(sandbox=is_sandbox(ledger))
        cli.screen.line(
            cli.tr(
                f"Equazione delle giacenze {chosen}: {number(flow.checked, cli.lang)} celle "
                f"(struttura, prodotto, mese) controllate, "
                f"{number(len(flow.differences), cli.lang)} non quadrano, "
                f"{number(len(flow.unchecked), cli.lang)} non controllabili.",
                f"Stock equation {chosen}: {number(flow.checked, cli.lang)} cells (unit, product, "
                f"month) checked, {number(len(flow.differences), cli.lang)} do not balance, "
                f"{number(len(flow.unchecked), cli.lang)} cannot be checked.",
            )
        )
        _list(cli, [asdict(one) for one in flow.differences], limit)
        _list(cli, [asdict(one) for one in flow.unchecked], limit)
        cli.screen.line(
            cli.tr(
                f"Mesi con definizioni e senza presenze: {len(absences)}.",
                f"Months with settlements and nobody present: {len(absences)}.",
            )
        )
        _list(cli, [asdict(one) for one in absences], limit)
        cli.screen.line(
            cli.tr(
                f"Lacune nella sequenza dei lotti: {len(gaps)}; lotti senza numero: "
                f"{len(unnumbered)}.",
                f"Gaps in the sequence of batches: {len(gaps)}; batches without a number: "
                f"{len(unnumbered)}.",
            )
        )
        _list(cli, [*map(asdict, gaps), *map(asdict, unnumbered)], limit)
    if amiss:
        raise typer.Exit(NEGATIVE)


def _list(cli: Cli, rows: list[dict[str, object]], limit: int | None) -> None:
    if not rows:
        return
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = [
        Column(cli.tr(*_NAMES.get(name, (name, name))), "left" if name in _TEXTS else "right")
        for name in names
    ]
    shown = rows if limit is None else rows[:limit]
    told = [[_told(cli, name, row.get(name)) for name in names] for row in shown]
    cli.screen.table(Table(columns=columns, rows=told))
    if len(shown) < len(rows):
        left = len(rows) - len(shown)
        cli.screen.line(cli.tr(f"... e altre {left} (--all)", f"... and {left} more (--all)"))


def _told(cli: Cli, name: str, value: object) -> object:
    """Return a value of a check as people write it."""
    if name == "month" and isinstance(value, int):
        return month_text(value)
    if name == "gap" and value in GAPS:
        return GAPS[str(value)].in_(cli.lang)
    return value


_TEXTS = frozenset({"unit", "product", "month", "gap", "name", "source", "batch"})
"""Columns that are no numbers."""

_NAMES = {
    "unit": ("struttura", "unit"),
    "product": ("prodotto", "product"),
    "month": ("mese", "month"),
    "opening": ("iniziale", "opening"),
    "received": ("pervenuto", "received"),
    "defined": ("definito", "settled"),
    "given": ("ceduto", "given"),
    "taken": ("preso", "taken"),
    "adjusted": ("rettifiche", "adjusted"),
    "expected": ("atteso", "expected"),
    "counted": ("contato", "counted"),
    "difference": ("differenza", "difference"),
    "gap": ("lacuna", "gap"),
    "name": ("nome", "name"),
    "automated": ("automatico", "automated"),
    "source": ("fonte", "source"),
    "batch": ("lotto", "batch"),
    "position": ("posizione", "position"),
    "first": ("dal numero", "from number"),
    "last": ("al numero", "to number"),
}
