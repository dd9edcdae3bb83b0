"""Command `registro audit`: the arithmetic of printed figures."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.choices import ActorOption
from app.cli.context import NEGATIVE, Cli, cli_of
from app.output.format import number
from app.output.table import Column, Table
from app.texts.usage import both
from app.texts.words import VERDICT_MEANINGS, VERDICTS, unit_text, word
from ledger.envelopes import parse_actor
from ledger.errors import AuditRefusedError, DataFolderError
from ledger.intake.problems import Problem
from projections.arithmetic.verdict import Verdict

if TYPE_CHECKING:
    from ledger.intake.printed import PrintedReport
    from projections.arithmetic.interval import Bounds
    from projections.arithmetic.verdict import RelationVerdict

_QUIET = frozenset({Verdict.EXACT, Verdict.ROUNDING})
"""Verdicts that are listed on demand only."""


FIGURES_FILE = "figures.csv"
RELATIONS_FILE = "relations.csv"
INTERVAL_DECIMALS = 4
"""Decimals of an interval on the screen; JSON has them all."""


def register(root: typer.Typer, name: str) -> None:
    """Add the command to the root."""
    root.command(name)(audit)


def audit(
    context: typer.Context,
    folder: Annotated[
        Path,
        typer.Argument(
            help=both(
                "cartella con figures.csv e relations.csv",
                "folder with figures.csv and relations.csv",
            ),
            metavar="DIR",
        ),
    ],
    *,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help=both("non registra le cifre come eventi", "do not record the figures as events"),
        ),
    ] = False,
    show_all: Annotated[
        bool,
        typer.Option(
            "--all", help=both("elenca anche le relazioni che tornano", "list those that agree too")
        ),
    ] = False,
    actor: ActorOption = None,
) -> None:
    """Check the arithmetic of printed figures; exit code 1 when something is inconsistent."""
    from app.cli.start.intake import ledger_to_fill, show_problems
    from ledger.intake.printed import record_printed
    from projections.arithmetic.audit import audit as check_all
    from projections.arithmetic.rows import read_audit_tables

    cli = cli_of(context)
    cli.require_no_person("audit")
    path = folder.expanduser()
    recorded = None
    verdicts: tuple[RelationVerdict, ...] = ()
    require_tables(path)
    with ledger_to_fill(cli, dry_run=dry_run) as ledger:
        tables = read_audit_tables(path, today=ledger.today())
        if not tables.errors:
            verdicts = check_all(tables.figures, tables.relations)
            chosen = actor or cli.settings["actor"]
            recorded = record_printed(
                ledger, path, dry_run=dry_run, actor=parse_actor(chosen) if chosen else None
            )
    problems = (*tables.problems, *(() if recorded is None else recorded.problems))
    if cli.json:
        refused = bool(tables.errors)
        cli.answer(_json(cli, verdicts, problems, recorded, dry_run=dry_run, refused=refused))
    else:
        show_problems(cli, problems, every=show_all)
        if not tables.errors:
            # Verdicts over a part of the tables would look like those over all of them.
            show_verdicts(cli, verdicts, every=show_all)
        if recorded is not None:
            _show_recorded(cli, recorded, dry_run=dry_run)
    if tables.errors:
        raise AuditRefusedError(folder=folder.name, count=len(tables.errors))
    if any(one.verdict is Verdict.INCONSISTENT for one in verdicts):
        raise typer.Exit(NEGATIVE)


def require_tables(folder: Path) -> None:
    """Refuse a folder that holds no table of an audit.

    Raises:
        DataFolderError: there is no such folder, or neither table is in it.
    """
    from app.cli.start.intake import require_folder

    require_folder(folder)
    if not any((folder / name).is_file() for name in (FIGURES_FILE, RELATIONS_FILE)):
        raise DataFolderError(
            folder=folder, reason="it holds neither figures.csv nor relations.csv"
        )


def show_verdicts(cli: Cli, verdicts: "tuple[RelationVerdict, ...]", *, every: bool) -> None:
    """Show the summary of an audit and the relations that ask for attention."""
    from projections.arithmetic.verdict import summarise

    counts = summarise(verdicts)
    columns = (
        Column(cli.tr("giudizio", "verdict")),
        Column(cli.tr("relazioni", "relations"), "right"),
        Column(cli.tr("significato", "meaning")),
    )
    rows = [
        [word(VERDICTS, one, cli.lang), counts[one], word(VERDICT_MEANINGS, one, cli.lang)]
        for one in Verdict
    ]
    cli.screen.table(Table(columns=columns, rows=rows))
    listed = [one for one in verdicts if every or one.verdict not in _QUIET]
    if not listed:
        return
    cli.screen.line()
    headings = (
        Column(cli.tr("relazione", "relation"), whole=True),
        Column(cli.tr("giudizio", "verdict")),
        Column(cli.tr("calcolato", "computed"), "right"),
        Column(cli.tr("stampato", "printed"), "right"),
        Column(cli.tr("possibile", "possible"), "right"),
        Column(cli.tr("unità", "unit")),
        Column(cli.tr("dove", "where")),
    )
    details = [
        [
            one.relation_id,
            word(VERDICTS, one.verdict, cli.lang),
            one.computed,
            one.printed,
            _interval_text(cli, one.interval),
            unit_text(one.unit or "", cli.lang),
            one.locator,
        ]
        for one in listed
    ]
    cli.screen.table(Table(columns=headings, rows=details))


def _interval_text(cli: Cli, bounds: "Bounds | None") -> str:
    if bounds is None:
        return "-"
    begin = "[" if bounds.low_closed else "("
    end = "]" if bounds.high_closed else ")"
    low, high = (
        number(round(each, INTERVAL_DECIMALS).normalize() + 0, cli.lang)
        for each in (bounds.low, bounds.high)
    )
    return f"{begin}{low}; {high}{end}"


def _show_recorded(cli: Cli, report: "PrintedReport", *, dry_run: bool) -> None:
    for name in report.implied_documents:
        cli.screen.note(
            cli.tr(
                f"Avviso: del documento {name} si conosce solo il nome (manca documents.csv).",
                f"Warning: of document {name} only the name is known (no documents.csv).",
            )
        )
    if dry_run:
        text = cli.tr(
            f"Prova: cifre che si registrerebbero: {report.recorded}; "
            "non è stato registrato nulla.",
            f"Dry run: figures that would be recorded: {report.recorded}; nothing was.",
        )
    else:
        text = cli.tr(
            f"Cifre registrate: {report.recorded}, già presenti: {report.repeated}, "
            f"rifiutate: {report.refused}; posizione {report.head}.",
            f"Figures recorded: {report.recorded}, known before: {report.repeated}, "
            f"refused: {report.refused}; position {report.head}.",
        )
    cli.screen.line(text)


def _json(
    cli: Cli,
    verdicts: "tuple[RelationVerdict, ...]",
    problems: tuple[Problem, ...],
    recorded: "PrintedReport | None",
    *,
    dry_run: bool,
    refused: bool,
) -> dict[str, object]:
    from app.cli.start.intake import problems_json
    from projections.arithmetic.verdict import summarise

    return {
        "relations": [
            {
                "relation_id": one.relation_id,
                "kind": one.kind,
                "verdict": one.verdict,
                "reason": one.reason,
                "computed": one.computed,
                "computed_unrounded": one.computed_unrounded,
                "printed": one.printed,
                "unit": one.unit,
                "interval": one.interval,
                "result": one.result,
                "subject": one.subject,
                "locator": one.locator,
                "operands": one.operands,
                "note": one.note,
            }
            for one in verdicts
        ],
        "summary": None if refused else dict(summarise(verdicts)),
        "dry_run": dry_run,
        "figures": None
        if recorded is None
        else {
            "recorded": recorded.recorded,
            "repeated": recorded.repeated,
            "refused": recorded.refused,
            "position": recorded.head,
        },
        "problems": problems_json(cli, problems),
    }
