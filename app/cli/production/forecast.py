"""Command `registro forecast`: backlog ahead, recorded as a scenario or compared with facts."""

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.choices import ActorOption
from app.cli.context import Cli, cli_of
from app.cli.production.indicators import cube_of, is_sandbox, last_year
from app.output.format import number
from app.output.table import Column, Table
from app.texts.usage import both
from ledger.aggregates.base import Proposal
from ledger.envelopes import parse_actor
from ledger.errors import InvalidCommandError, UnknownEntityError
from ledger.events.ledger import Envelope, Source
from ledger.events.production import ScenarioPublished
from ledger.feed import read_all
from projections.cycle.values import Missing
from projections.production.limits import MONTHS_MAX

if TYPE_CHECKING:
    from ledger.application import LedgerApplication
    from projections.production.forecast import Assumptions, Comparison, Projection
    from projections.production.periods import Month


def register(root: typer.Typer, name: str) -> None:
    """Add the command to the root."""
    root.command(name)(forecast)


def forecast(
    context: typer.Context,
    *,
    unit: Annotated[
        str | None,
        typer.Option(metavar="STRUTTURA", help=both("con quelle sotto", "with those below")),
    ] = None,
    after: Annotated[
        str | None,
        typer.Option(
            metavar="AAAA-MM",
            help=both("ultimo mese noto; senza, dicembre dell'ultimo anno", "last known month"),
        ),
    ] = None,
    months: Annotated[
        int,
        typer.Option(min=1, max=MONTHS_MAX, help=both("mesi da proiettare", "months ahead")),
    ] = 12,
    staff: Annotated[
        str | None, typer.Option(help=both("mesi uomo al mese", "staff months per month"))
    ] = None,
    productivity: Annotated[
        str | None, typer.Option(help=both("produttività", "productivity"))
    ] = None,
    inflow: Annotated[
        str | None,
        typer.Option(help=both("pervenuto omogeneizzato al mese", "homogenised inflow per month")),
    ] = None,
    change: Annotated[
        str, typer.Option(help=both("variazione mensile del pervenuto, %", "monthly change, %"))
    ] = "0",
    record: Annotated[
        str | None,
        typer.Option(metavar="ID", help=both("registra come scenario", "record as a scenario")),
    ] = None,
    label: Annotated[
        str | None, typer.Option(help=both("nome dello scenario", "name of the scenario"))
    ] = None,
    compare: Annotated[
        str | None,
        typer.Option(
            metavar="ID", help=both("confronta uno scenario coi fatti", "compare with the facts")
        ),
    ] = None,
    actor: ActorOption = None,
) -> None:
    """Project the backlog from the facts of the last twelve months."""
    from projections.production.forecast import against_actuals, project, scenario_from
    from projections.production.measures import FactsMissingError
    from projections.production.periods import last_day, month_of, shifted
    from projections.production.reference import Reference

    cli = cli_of(context)
    ledger = cli.open(read_only=record is None)
    cube = cube_of(cli, ledger, as_of=None, at=None)
    reference = Reference.of(read_all(ledger))
    cli.banner(sandbox=is_sandbox(ledger))
    if compare is not None:
        scenario = _scenario(ledger, compare)
        _show_comparison(cli, scenario, against_actuals(scenario, cube, reference))
        return
    last = _month(after) if after else month_of(last_year(cube), 12)
    found = scenario_from(cube, reference, unit, last)
    if isinstance(found, Missing):
        raise FactsMissingError(lacking=found.details)
    chosen = replace(
        found,
        staff_months=_number(staff, found.staff_months, "--staff"),
        productivity=_number(productivity, found.productivity, "--productivity"),
        inflow=_number(inflow, found.inflow, "--inflow"),
        inflow_change=_number(change, Decimal(0), "--change"),
    )
    ahead = [shifted(last, step) for step in range(1, months + 1)]
    projected = project(
        opening_stock=chosen.opening_stock,
        inflow=chosen.inflow,
        inflow_change=chosen.inflow_change,
        staff_months=chosen.staff_months,
        productivity=chosen.productivity,
        months=months,
        days=[last_day(month).day for month in ahead],
    )
    position = None
    if record is not None:
        position = _record(
            cli,
            ledger,
            chosen,
            projected,
            unit=unit,
            first=ahead[0],
            name=record,
            label=label,
            actor=actor,
        )
    _show(cli, chosen, projected, ahead, position=position)


def _month(text: str) -> "Month":
    from projections.production.periods import month_on

    try:
        return month_on(dt.date.fromisoformat(f"{text}-01"))
    except ValueError as error:
        raise InvalidCommandError(
            subject="forecast", field="--after", value=text, reason="write a month as 2023-12"
        ) from error


def _number(text: str | None, default: Decimal, field: str) -> Decimal:
    if text is None:
        return default
    try:
        return Decimal(text.replace(",", "."))
    except ArithmeticError as error:
        raise InvalidCommandError(
            subject="forecast", field=field, value=text, reason="write a number"
        ) from error


def _record(
    cli: Cli,
    ledger: "LedgerApplication",
    chosen: "Assumptions",
    projected: "Projection",
    *,
    unit: str | None,
    first: "Month",
    name: str,
    label: str | None,
    actor: str | None,
) -> int:
    from app.cli.privacy.persons import record as record_signed
    from projections.production.periods import first_day

    today = ledger.today()
    event = ScenarioPublished(
        scenario_id=name,
        label=label or name,
        unit_code=unit,
        starts_on=first_day(first),
        months=len(projected.stocks),
        opening_stock=chosen.opening_stock,
        inflow=chosen.inflow,
        staff_months=chosen.staff_months,
        productivity=chosen.productivity,
        inflow_change=chosen.inflow_change,
        stocks=projected.stocks,
        days=projected.days,
    )
    envelope = Envelope(
        ref_from=first_day(first),
        ref_to=_end(first, len(projected.stocks)),
        as_of=today,
        actor=parse_actor(cli.actor(actor)),
        source=Source(system="forecast"),
    )
    proposal = Proposal(event=event, envelope=envelope)
    return record_signed(cli, ledger, [proposal], key=f"forecast/{name}").head


def _end(first: "Month", months: int) -> dt.date:
    from projections.production.periods import last_day, shifted

    return last_day(shifted(first, months - 1))


def _scenario(ledger: "LedgerApplication", name: str) -> ScenarioPublished:
    for recorded in read_all(ledger):
        event = recorded.event
        if isinstance(event, ScenarioPublished) and event.scenario_id == name:
            return event
    raise UnknownEntityError(kind="scenario", name=name)


def _show(
    cli: Cli,
    chosen: "Assumptions",
    projected: "Projection",
    ahead: "list[Month]",
    *,
    position: int | None,
) -> None:
    days = projected.days or (None,) * len(ahead)
    if cli.json:
        cli.answer(
            {
                "opening_stock": format(chosen.opening_stock, "f"),
                "inflow": format(chosen.inflow, "f"),
                "inflow_change": format(chosen.inflow_change, "f"),
                "staff_months": format(chosen.staff_months, "f"),
                "productivity": format(chosen.productivity, "f"),
                "position": position,
                "months": [
                    {
                        "month": f"{month // 100}-{month % 100:02}",
                        "stock": format(stock, "f"),
                        "backlog_days": None if wait is None else format(wait, "f"),
                    }
                    for month, stock, wait in zip(ahead, projected.stocks, days, strict=True)
                ],
            }
        )
        return
    lang = cli.lang
    for it, en, value in (
        ("Giacenza iniziale omogeneizzata", "Opening stock, homogenised", chosen.opening_stock),
        ("Pervenuto al mese", "Received per month", chosen.inflow),
        ("Mesi uomo al mese", "Staff months per month", chosen.staff_months),
        ("Produttività", "Productivity", chosen.productivity),
    ):
        cli.screen.line(f"{cli.tr(it, en)}: {number(value, lang, decimals=2)}")
    columns = [
        Column(cli.tr("mese", "month")),
        Column(cli.tr("giacenza", "stock"), "right"),
        Column(cli.tr("giorni", "days"), "right"),
    ]
    rows = [
        [f"{month // 100}-{month % 100:02}", number(stock, lang, decimals=0), wait]
        for month, stock, wait in zip(ahead, projected.stocks, days, strict=True)
    ]
    cli.screen.table(Table(columns=columns, rows=rows))
    if position is not None:
        cli.screen.line(
            cli.tr(f"Registrato alla posizione {position}.", f"Recorded at position {position}.")
        )


def _show_comparison(
    cli: Cli, scenario: ScenarioPublished, months: "tuple[Comparison, ...]"
) -> None:
    if cli.json:
        cli.answer(
            {
                "scenario": scenario.scenario_id,
                "months": [
                    {
                        "month": f"{one.month // 100}-{one.month % 100:02}",
                        "projected": format(one.projected, "f"),
                        "actual": None if one.actual is None else format(one.actual, "f"),
                        "difference": None
                        if one.difference is None
                        else format(one.difference, "f"),
                        "reason": one.reason,
                    }
                    for one in months
                ],
            }
        )
        return
    cli.screen.title(scenario.label)
    columns = [
        Column(cli.tr("mese", "month")),
        Column(cli.tr("previsto", "projected"), "right"),
        Column(cli.tr("effettivo", "actual"), "right"),
        Column(cli.tr("differenza", "difference"), "right"),
    ]
    rows = [
        [
            f"{one.month // 100}-{one.month % 100:02}",
            number(one.projected, cli.lang, decimals=0),
            None if one.actual is None else number(one.actual, cli.lang, decimals=0),
            None if one.difference is None else number(one.difference, cli.lang, decimals=0),
        ]
        for one in months
    ]
    cli.screen.table(Table(columns=columns, rows=rows))
