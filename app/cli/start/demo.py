"""Command `registro demo`: the main job from end to end, in a sandbox ledger."""

import dataclasses
import datetime as dt
import shlex
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from app.cli.context import Cli, cli_of
from app.config import Setting, Settings
from app.examples_folder import example_folder
from app.output.format import day
from app.output.table import Column, Table
from app.texts.usage import both
from app.texts.words import unit_text
from ledger.errors import ImportRefusedError, LedgerExistsError, LedgerMissingError

if TYPE_CHECKING:
    from ledger.application import LedgerApplication
    from ledger.feed import RecordedEvent
    from ledger.intake.importer import ImportReport
    from projections.arithmetic.verdict import RelationVerdict
    from projections.cycle.diff import Difference
    from projections.cycle.explain import Explanation
    from projections.cycle.replay import Replay

PROGRAM: Final = "registro"
DEFAULT_PLACE: Final = "./registro-demo.db"
"""Where the demo ledger goes when no option names one: never into somebody's own ledger."""


def register(root: typer.Typer, name: str) -> None:
    """Add the command to the root."""
    root.command(name)(demo)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class _Demo:
    """Everything the demo shows, computed from the events."""

    place: str
    imported: "ImportReport"
    found: "Difference"
    explained: "Explanation | None"
    verdicts: "tuple[RelationVerdict, ...]"


def demo(
    context: typer.Context,
    *,
    every: Annotated[
        bool, typer.Option("--all", help=both("tutti gli indicatori", "every indicator"))
    ] = False,
) -> None:
    """Run the 2023 cycle of INPS from end to end in a sandbox ledger."""
    cli = _in_demo_place(cli_of(context))
    shown_demo = _run(cli)
    if cli.json:
        cli.answer(_json(shown_demo))
        return
    cli.banner(sandbox=True)
    _show(cli, shown_demo, every=every)


def _in_demo_place(cli: Cli) -> Cli:
    """Return the run with a ledger of its own, unless an option of this run names one.

    The variable and the file name the ledger that is worked with, and a demonstration has no place
    there.
    """
    found: list[Setting] = []
    for one in cli.settings.found:
        if one.spec.name == "ledger" and one.kind != "option":
            # As if an option had named it: commands for the reader then name it too.
            found.append(dataclasses.replace(one, value=DEFAULT_PLACE, kind="option"))
        else:
            found.append(one)
    # It is no ledger of any topics either.
    return dataclasses.replace(cli, settings=Settings(found=tuple(found)), to_publish=None)


def _run(cli: Cli) -> _Demo:
    from ledger.feed import read_all
    from ledger.intake.importer import import_folder
    from ledger.store.engine import shown
    from projections.arithmetic.audit import audit as check_all
    from projections.arithmetic.rows import read_audit_tables
    from projections.cycle.diff import difference
    from projections.cycle.explain import explain
    from projections.cycle.facts import fold

    folder = example_folder()
    ledger = _sandbox(cli)
    with cli.screen.progress(folder.name) as progress:
        imported = import_folder(ledger, folder, progress=progress)
    if imported.refused_whole or imported.info is None:
        raise ImportRefusedError(folder=folder.name, count=len(imported.errors))
    year = imported.info.year
    events = list(read_all(ledger))
    first, last = _days(events, year)
    facts = fold(events)
    found = difference(facts, year=year, from_as_of=first, to_as_of=last)
    with_parts = [one.code for one in found.changed if _has_parts(found.after, one.code)]
    explained = None
    if with_parts:
        explained = explain(events, code=with_parts[0], year=year, as_of=last)
    tables = read_audit_tables(folder, today=ledger.today())
    return _Demo(
        place=shown(ledger.store.engine.url),
        imported=imported,
        found=found,
        explained=explained,
        verdicts=check_all(tables.figures, tables.relations),
    )


def _sandbox(cli: Cli) -> "LedgerApplication":
    from app.cli.start.setup import create
    from ledger.store.engine import shown

    try:
        ledger = cli.open(read_only=False)
    except LedgerMissingError:
        return create(cli, body=None, sandbox=True)
    opened = ledger.identity.opened
    if opened is None or not opened.sandbox:
        raise LedgerExistsError(store=shown(ledger.store.engine.url))
    return ledger


def _days(events: "Sequence[RecordedEvent]", year: int) -> tuple[dt.date, dt.date]:
    """Return the first and the last day on which results of the year became known."""
    from ledger.events.results import MoneyFlowRecorded, ResultRecorded

    days = {
        recorded.envelope.as_of
        for recorded in events
        if isinstance(recorded.event, ResultRecorded | MoneyFlowRecorded)
        and recorded.event.year == year
        and recorded.envelope.as_of.year > year
    }
    return min(days), max(days)


def _has_parts(result: "Replay", code: str) -> bool:
    return any(line.parent == code for line in result.indicators)


def _show(cli: Cli, found: _Demo, *, every: bool) -> None:
    from app.cli.figures.audit import show_verdicts
    from app.cli.figures.cycle_view import show_changes
    from app.cli.figures.explain_view import show_explanation

    screen = cli.screen
    before, after = found.found.before, found.found.after
    screen.line(
        cli.tr(
            f"1. Eventi registrati da examples/inps-2023 in {found.place}: "
            f"{found.imported.events}; posizione {found.imported.head}.",
            f"1. Events recorded of examples/inps-2023 in {found.place}: "
            f"{found.imported.events}; position {found.imported.head}.",
        )
    )
    screen.line()
    screen.title(cli.tr("2. Il quadro dell'anno alle due date", "2. The year on both days"))
    _scoreboard(cli, before, after, every=every)
    screen.line()
    title = cli.tr("3. Valori rettificati tra le due date", "3. Values restated between the days")
    show_changes(cli, title, found.found.changed)
    if found.explained is not None:
        screen.line()
        screen.title(cli.tr("4. Una cifra spiegata", "4. One figure, explained"))
        show_explanation(cli, found.explained)
    screen.line()
    screen.title(
        cli.tr("5. L'aritmetica delle cifre stampate", "5. The arithmetic of printed figures")
    )
    show_verdicts(cli, found.verdicts, every=False)
    screen.line()
    _next_steps(cli, found)


def _scoreboard(cli: Cli, before: "Replay", after: "Replay", *, every: bool) -> None:
    from app.cli.figures.cycle_view import value_text

    earlier = {line.code: line for line in before.indicators}
    columns = [
        Column(cli.tr("codice", "code"), whole=True),
        Column(cli.tr("obiettivo", "target"), "right"),
    ]
    days = [one.as_of for one in (before, after) if one.as_of is not None]
    columns += [Column(day(each, cli.lang), "right") for each in days]
    columns += [Column(cli.tr("unità", "unit")), Column(cli.tr("indicatore", "indicator"))]
    rows = [
        [
            line.code,
            line.target,
            value_text(cli, earlier[line.code]) if line.code in earlier else "-",
            value_text(cli, line),
            unit_text(line.unit, cli.lang),
            line.label,
        ]
        for line in after.indicators
        if every or _has_parts(after, line.code)
    ]
    cli.screen.table(Table(columns=columns, rows=rows))
    if not every:
        left = len(after.indicators) - len(rows)
        cli.screen.line(
            cli.tr(
                f"Gli altri {left} indicatori: {_program()} demo --all",
                f"The other {left} indicators: {_program()} demo --all",
            )
        )


def _next_steps(cli: Cli, found: _Demo) -> None:
    screen = cli.screen
    year = found.found.year
    program, place = _program(), f"--ledger {shlex.quote(found.place)}"
    screen.title(cli.tr("Per continuare", "To go on"))
    steps = (
        (f"replay --year {year} {place}", "ogni indicatore", "every indicator"),
        (f"explain PS --year {year} {place}", "una cifra", "one figure"),
        (f"trail OGE3 {place}", "la storia di un obiettivo", "the history of one"),
        (f"risk matrix --on {year}-12-31 {place}", "le misure", "the measures"),
        (f"subscribe --indicator 'PS' {place}", "gli aggiornamenti", "updates"),
        (f"verify {place}", "nulla è cambiato?", "was anything changed?"),
        ("import DIR", "i propri dati (docs/data-folder.md)", "your own data"),
    )
    for command, it, en in steps:
        screen.line(f"  {cli.tr(it, en)}:")
        screen.line(f"    {program} {command}")
    if program != PROGRAM:
        folder = shlex.quote(str(Path(program).absolute().parent))
        screen.line(
            cli.tr(
                f"Perché basti scrivere {PROGRAM}: export PATH={folder}:$PATH",
                f"So that {PROGRAM} alone is enough: export PATH={folder}:$PATH",
            )
        )


def _program() -> str:
    """Return the command as it works here: with its path when the shell would not find it."""
    beside = Path(sys.executable).with_name(PROGRAM)
    if shutil.which(PROGRAM) is not None or not beside.is_file():
        return PROGRAM
    here = Path.cwd()
    return shlex.quote(str(beside.relative_to(here) if beside.is_relative_to(here) else beside))


def _json(found: _Demo) -> dict[str, object]:
    from app.cli.figures.cycle_view import difference_json
    from app.cli.figures.explain_view import explanation_json
    from projections.arithmetic.verdict import summarise

    return {
        "ledger": found.place,
        "sandbox": True,
        "events": found.imported.events,
        "position": found.imported.head,
        **difference_json(found.found),
        "explained": None if found.explained is None else explanation_json(found.explained),
        "audit": dict(summarise(found.verdicts)),
    }
