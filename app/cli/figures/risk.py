"""Commands `registro risk ...`: what the RPCT reads, and the recording commands of the group."""

import datetime as dt
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.choices import AsOfOption, AtOption, feed_of, optional_day, parse_day
from app.cli.context import Cli, cli_of
from app.cli.recording.write import add_commands
from app.output.format import day
from app.output.table import Column, Table
from app.texts.usage import both
from app.texts.words import risk_text
from ledger.errors import InvalidCommandError

if TYPE_CHECKING:
    from ledger.application import LedgerApplication
    from projections.risk_register import MeasureState, RiskRegister, RiskState

OnOption = Annotated[
    str | None,
    typer.Option(
        "--on",
        metavar="AAAA-MM-GG",
        help=both("giorno descritto; oggi se manca", "day described; today if absent"),
    ),
]
SOON_DAYS = 30
"""A deadline within so many days counts as near."""


def register(root: typer.Typer, name: str) -> None:
    """Add the group to the root."""
    group = typer.Typer(no_args_is_help=True)
    group.command(
        "matrix",
        help=both("Misure specifiche per ambito e tipo.", "Specific measures by scope and type."),
    )(matrix)
    group.command("overdue", help=both("Misure in ritardo.", "Measures that are late."))(overdue)
    group.command("due", help=both("Misure che scadono presto.", "Measures that fall due soon."))(
        due
    )
    group.command("list", help=both("Rischi e misure.", "Risks and measures."))(list_)
    add_commands(group, name)
    root.add_typer(group, name=name)


def matrix(
    context: typer.Context, *, on: OnOption = None, as_of: AsOfOption = None, at: AtOption = None
) -> None:
    """Show the matrix of measures by scope and type."""
    cli = cli_of(context)
    ledger = cli.open()
    register_ = _register(ledger, on, as_of, at)
    cells = register_.matrix()
    scopes = sorted({cell.scope for cell in cells})
    types = sorted({cell.measure_type for cell in cells})
    reported = {(c.scope, c.measure_type): c.reported for c in cells}
    registered = {(c.scope, c.measure_type): c.registered for c in cells}
    total = sum(value or 0 for value in reported.values())
    if cli.json:
        cli.answer(
            {
                "on": register_.on,
                "position": register_.position,
                "total_reported": total,
                "total_registered": sum(registered.values()),
                "cells": cells,
            }
        )
        return
    _banner(cli, ledger)
    if not cells:
        cli.screen.line(
            cli.tr(
                f"Nessuna misura al {day(register_.on, 'it')}.",
                f"No measure on {day(register_.on, 'en')}.",
            )
        )
        return
    columns = [Column(cli.tr("tipo di misura", "type of measure"))]
    columns += [Column(risk_text(scope, cli.lang), "right") for scope in scopes]
    columns.append(Column(cli.tr("totale", "total"), "right"))
    for title, counts in (
        (cli.tr("Numeri dichiarati", "Reported numbers"), reported),
        (cli.tr("Misure iscritte una per una", "Measures registered one by one"), registered),
    ):
        rows = [
            [risk_text(kind, cli.lang), *values, sum(value or 0 for value in values)]
            for kind in types
            if any(values := [counts.get((scope, kind)) for scope in scopes])
        ]
        sums = [sum(counts.get((scope, kind)) or 0 for kind in types) for scope in scopes]
        if not rows:
            continue
        rows.append([cli.tr("totale", "total"), *sums, sum(sums)])
        cli.screen.table(
            Table(title=f"{title}, {day(register_.on, cli.lang)}", columns=columns, rows=rows)
        )
        cli.screen.line()


def overdue(
    context: typer.Context, *, on: OnOption = None, as_of: AsOfOption = None, at: AtOption = None
) -> None:
    """Show the measures that are late on a day."""
    cli = cli_of(context)
    ledger = cli.open()
    found = _register(ledger, on, as_of, at)
    late = found.overdue()
    unchecked = found.without_monitoring()
    if cli.json:
        cli.answer(
            {
                "on": found.on,
                "position": found.position,
                "overdue": [_measure_json(risk, state, found.on) for risk, state in late],
                "without_monitoring": [state.measure.measure_id for _, state in unchecked],
            }
        )
        return
    _banner(cli, ledger)
    title = cli.tr(
        f"Misure in ritardo al {day(found.on, 'it')}: {len(late)}",
        f"Measures late on {day(found.on, 'en')}: {len(late)}",
    )
    _show_measures(cli, title, late, found.on)
    cli.screen.line(
        cli.tr(
            f"Misure mai controllate: {len(unchecked)}",
            f"Measures that nobody has checked: {len(unchecked)}",
        )
    )


def due(
    context: typer.Context,
    *,
    on: OnOption = None,
    days: Annotated[
        int, typer.Option(min=0, help=both("entro quanti giorni", "within how many days"))
    ] = SOON_DAYS,
    as_of: AsOfOption = None,
    at: AtOption = None,
) -> None:
    """Show the measures that fall due soon."""
    cli = cli_of(context)
    ledger = cli.open()
    found = _register(ledger, on, as_of, at)
    near = found.due_within(days)
    if cli.json:
        cli.answer(
            {
                "on": found.on,
                "days": days,
                "position": found.position,
                "due": [_measure_json(risk, state, found.on) for risk, state in near],
            }
        )
        return
    _banner(cli, ledger)
    title = cli.tr(
        f"Misure in scadenza entro {days} giorni dal {day(found.on, 'it')}: {len(near)}",
        f"Measures due within {days} days of {day(found.on, 'en')}: {len(near)}",
    )
    _show_measures(cli, title, near, found.on)


def list_(
    context: typer.Context, *, on: OnOption = None, as_of: AsOfOption = None, at: AtOption = None
) -> None:
    """Show the risks with their level and their measures."""
    cli = cli_of(context)
    ledger = cli.open()
    found = _register(ledger, on, as_of, at)
    if cli.json:
        cli.answer({"on": found.on, "position": found.position, "risks": found.risks})
        return
    _banner(cli, ledger)
    _show_risks(cli, found)
    every = tuple((risk, state) for risk in found.risks.values() for state in risk.measures)
    if every:
        cli.screen.line()
        _show_measures(cli, f"{cli.tr('Misure', 'Measures')}: {len(every)}", every, found.on)
    _show_counts(cli, found)


def _show_risks(cli: Cli, found: "RiskRegister") -> None:
    columns = (
        Column(cli.tr("rischio", "risk"), whole=True),
        Column(cli.tr("livello", "level")),
        Column(cli.tr("ambito", "scope")),
        Column(cli.tr("misure", "measures"), "right"),
        Column(cli.tr("processo", "process")),
        Column(cli.tr("evento rischioso", "risk event")),
    )
    rows = [
        [
            risk.risk.risk_id,
            "-" if risk.level is None else risk_text(risk.level, cli.lang),
            risk_text(risk.risk.scope, cli.lang),
            len(risk.measures),
            risk.risk.process,
            risk.risk.risk_event,
        ]
        for risk in found.risks.values()
    ]
    title = cli.tr(f"Rischi: {len(rows)}", f"Risks: {len(rows)}")
    if not rows:
        cli.screen.line(title)
        return
    cli.screen.table(Table(title=title, columns=columns, rows=rows))


def _show_counts(cli: Cli, found: "RiskRegister") -> None:
    counts = [
        [
            risk_text(activity, cli.lang),
            risk_text(scope, cli.lang),
            "-" if level is None else risk_text(level, cli.lang),
            value,
        ]
        for (activity, scope, level), (_, value, _) in sorted(
            found.risk_counts.items(), key=lambda item: str(item[0])
        )
    ]
    if counts:
        cli.screen.line()
        headings = (
            Column(cli.tr("fase", "stage")),
            Column(cli.tr("ambito", "scope")),
            Column(cli.tr("livello", "level")),
            Column(cli.tr("rischi", "risks"), "right"),
        )
        title = cli.tr("Numeri dichiarati", "Reported numbers")
        cli.screen.table(Table(title=title, columns=headings, rows=counts))


def _register(
    ledger: "LedgerApplication", on: str | None, as_of: str | None, at: int | None
) -> "RiskRegister":
    from projections.risk_register import risk_register

    known = optional_day(as_of, field="--as-of")
    described = ledger.today() if on is None else parse_day(on, field="--on")
    if described > ledger.today():
        raise InvalidCommandError(
            subject="risk", field="--on", value=on, reason="the day is in the future"
        )
    return risk_register(feed_of(ledger, at), on=described, as_of=known)


def _banner(cli: Cli, ledger: "LedgerApplication") -> None:
    opened = ledger.identity.opened
    cli.banner(sandbox=opened is not None and opened.sandbox)


def _show_measures(
    cli: Cli, title: str, found: "tuple[tuple[RiskState, MeasureState], ...]", on: dt.date
) -> None:
    if not found:
        cli.screen.line(title)
        return
    columns = (
        Column(cli.tr("misura", "measure"), whole=True),
        Column(cli.tr("rischio", "risk"), whole=True),
        Column(cli.tr("tipo", "type")),
        Column(cli.tr("responsabile", "owner")),
        Column(cli.tr("scadenza", "deadline")),
        Column(cli.tr("giorni di ritardo", "days late"), "right"),
        Column(cli.tr("stato", "state")),
    )
    rows = [
        [
            state.measure.measure_id,
            risk.risk.risk_id,
            risk_text(state.measure.measure_type, cli.lang),
            state.measure.owner,
            state.measure.deadline,
            state.overdue_days(on),
            risk_text(state.state, cli.lang),
        ]
        for risk, state in found
    ]
    cli.screen.table(Table(title=title, columns=columns, rows=rows))


def _measure_json(risk: "RiskState", state: "MeasureState", on: dt.date) -> dict[str, object]:
    measure = state.measure
    return {
        "measure_id": measure.measure_id,
        "risk_id": risk.risk.risk_id,
        "measure_type": measure.measure_type,
        "owner": measure.owner,
        "deadline": measure.deadline,
        "overdue_days": state.overdue_days(on),
        "state": state.state,
        "monitored_on": state.monitored_on,
        "source": state.address,
    }
