"""Command `registro import`."""

from pathlib import Path
from typing import Annotated

import typer

from app.cli.context import NEGATIVE, Cli, cli_of
from app.cli.setup import create
from app.output.table import Column, Table
from app.texts.reasons import problem_texts
from app.texts.usage import both
from ledger.application import LedgerApplication
from ledger.envelopes import parse_actor
from ledger.errors import ImportRefusedError, LedgerMissingError
from ledger.intake.importer import ImportReport, Mode, import_folder
from ledger.intake.problems import Problem
from ledger.store.engine import open_engine, shown, store_url
from ledger.store.store import Store

PROBLEMS_SHOWN = 20
"""Problems listed on the screen unless all are asked for."""


def register(root: typer.Typer, name: str) -> None:
    """Add the command to the root."""
    root.command(name)(import_)


def import_(
    context: typer.Context,
    folder: Annotated[
        Path, typer.Argument(help=both("cartella di dati", "data folder"), metavar="DIR")
    ],
    *,
    rows: Annotated[
        bool,
        typer.Option(
            "--rows",
            help=both(
                "registra le righe buone e mette da parte le altre, da correggere",
                "record the good rows and put the others aside, to be mended",
            ),
        ),
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run", help=both("controlla tutto, non registra nulla", "check, record nothing")
        ),
    ] = False,
    rejects: Annotated[
        Path | None,
        typer.Option(help=both("dove mettere le righe rifiutate", "where to put refused rows")),
    ] = None,
    actor: Annotated[
        str | None, typer.Option(help=both("chi registra: RUOLO@UNITA", "who records: ROLE@UNIT"))
    ] = None,
    show_all: Annotated[
        bool, typer.Option("--all", help=both("elenca ogni problema", "list every problem"))
    ] = False,
) -> None:
    """Record a data folder; without --rows one bad row refuses the whole folder."""
    cli = cli_of(context)
    ledger = opened_or_created(cli, dry_run=dry_run)
    chosen = actor or cli.settings["actor"]
    with cli.screen.progress(str(folder)) as progress:
        report = import_folder(
            ledger,
            folder.expanduser(),
            mode=Mode.ROWS if rows else Mode.WHOLE,
            dry_run=dry_run,
            actor=parse_actor(chosen) if chosen else None,
            rejects_to=rejects,
            texts=lambda found: problem_texts(found, cli.lang),
            progress=progress,
        )
    if cli.json:
        cli.answer(_json(report))
    else:
        show_problems(cli, report.problems, every=show_all)
        if not report.refused_whole:
            _show(cli, report)
    if report.refused_whole:
        raise ImportRefusedError(folder=folder.name, count=len(report.errors))
    if report.errors:
        raise typer.Exit(NEGATIVE)


def opened_or_created(cli: Cli, *, dry_run: bool) -> LedgerApplication:
    """Open the ledger for writing; create it when there is none, and say so.

    A dry run creates nothing: it works on an empty ledger in memory.
    """
    try:
        return cli.open(read_only=dry_run)
    except LedgerMissingError:
        if dry_run:
            store = Store(open_engine(store_url(":memory:")), clock=cli.clock, entropy=cli.entropy)
            return LedgerApplication.create(store, clock=cli.clock, entropy=cli.entropy, body=None)
        ledger = create(cli, body=None)
        place = shown(ledger.store.engine.url)
        cli.screen.note(
            cli.tr(f"Non c'era un registro: creato {place}", f"There was no ledger: made {place}")
        )
        return ledger


def show_problems(cli: Cli, problems: tuple[Problem, ...], *, every: bool) -> None:
    """List problems on stderr: where, what, what to do."""
    listed = problems if every else problems[:PROBLEMS_SHOWN]
    for found in listed:
        message, hint = problem_texts(found, cli.lang)
        cli.screen.warn(f"{_place(cli, found)}: {message}; {hint}")
    left = len(problems) - len(listed)
    if left:
        cli.screen.warn(cli.tr(f"... e altri {left} (--all)", f"... and {left} more (--all)"))


def _place(cli: Cli, found: Problem) -> str:
    kind = cli.tr("avviso", "warning") + " " if found.severity == "warning" else ""
    place = kind + found.file
    if found.line is not None:
        place += cli.tr(f", riga {found.line}", f", line {found.line}")
    if found.column is not None:
        place += cli.tr(f", colonna {found.column}", f", column {found.column}")
    if found.value is not None:
        place += cli.tr(f", valore '{found.value}'", f", value '{found.value}'")
    return place


def _show(cli: Cli, report: ImportReport) -> None:
    columns = (
        Column("file"),
        Column(cli.tr("registrate", "recorded"), "right"),
        Column(cli.tr("già presenti", "known"), "right"),
        Column(cli.tr("rifiutate", "refused"), "right"),
    )
    rows = [[one.file, one.recorded, one.repeated, one.refused] for one in report.files]
    cli.screen.table(Table(columns=columns, rows=rows))
    if report.dry_run:
        text = cli.tr(
            f"Prova: si registrerebbero {report.events} eventi; non è stato registrato nulla.",
            f"Dry run: {report.events} events would be recorded; nothing was.",
        )
    elif report.events:
        text = cli.tr(
            f"Registrati {report.events} eventi; il registro è alla posizione {report.head}.",
            f"Recorded {report.events} events; the ledger is at position {report.head}.",
        )
    else:
        text = cli.tr(
            f"Nulla di nuovo: il registro resta alla posizione {report.head}.",
            f"Nothing new: the ledger stays at position {report.head}.",
        )
    cli.screen.line(text)
    if report.rejects is not None:
        cli.screen.line(
            cli.tr(
                f"Righe rifiutate in {report.rejects.folder}: correggerle e ripetere "
                f"`registro import --rows {report.rejects.folder}`",
                f"Refused rows in {report.rejects.folder}: mend them and run "
                f"`registro import --rows {report.rejects.folder}`",
            )
        )


def _json(report: ImportReport) -> dict[str, object]:
    return {
        "body": None if report.info is None else report.info.body,
        "year": None if report.info is None else report.info.year,
        "mode": report.mode,
        "dry_run": report.dry_run,
        "refused": report.refused_whole,
        "events": report.events,
        "position": report.head,
        "files": [
            {
                "file": one.file,
                "recorded": one.recorded,
                "repeated": one.repeated,
                "refused": one.refused,
            }
            for one in report.files
        ],
        "problems": [
            {
                "severity": found.severity,
                "file": found.file,
                "line": found.line,
                "column": found.column,
                "value": found.value,
                "code": found.code,
                "message": found.message,
                "hint": found.hint,
            }
            for found in report.problems
        ],
        "rejects": None if report.rejects is None else str(report.rejects.folder),
    }
