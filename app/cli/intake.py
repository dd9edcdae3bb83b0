"""Command `registro import`."""

from collections.abc import Iterator
from contextlib import contextmanager
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
from ledger.store.engine import file_of, open_engine, shown, store_url
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
    chosen = actor or cli.settings["actor"]
    with ledger_to_fill(cli, dry_run=dry_run) as ledger:
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
        _report(cli, report, folder, every=show_all)


def _report(cli: Cli, report: ImportReport, folder: Path, *, every: bool) -> None:
    if cli.json:
        cli.answer(_json(report))
    else:
        show_problems(cli, report.problems, every=every)
        if not report.refused_whole:
            _show(cli, report)
    if report.refused_whole:
        raise ImportRefusedError(folder=folder.name, count=len(report.errors))
    if report.errors:
        raise typer.Exit(NEGATIVE)


@contextmanager
def ledger_to_fill(cli: Cli, *, dry_run: bool) -> Iterator[LedgerApplication]:
    """Give the ledger for writing; make it when there is none, and say so.

    A dry run makes nothing: it works on an empty ledger in memory. A ledger that was made and into
    which nothing was recorded is taken away again.
    """
    try:
        ledger = cli.open(read_only=dry_run)
    except LedgerMissingError:
        pass
    else:
        yield ledger
        return
    if dry_run:
        store = Store(open_engine(store_url(":memory:")), clock=cli.clock, entropy=cli.entropy)
        yield LedgerApplication.create(store, clock=cli.clock, entropy=cli.entropy, body=None)
        return
    ledger = create(cli, body=None)
    empty = ledger.head()
    try:
        yield ledger
    finally:
        place = ledger.store.engine.url
        if ledger.head() > empty:
            text = f"Non c'era un registro: creato {shown(place)}"
            cli.screen.note(cli.tr(text, f"There was no ledger: made {shown(place)}"))
        else:
            ledger.store.engine.dispose()
            _remove(file_of(place))


def _remove(file: Path | None) -> None:
    if file is not None:
        for each in (file, *(file.with_name(file.name + end) for end in ("-wal", "-shm"))):
            each.unlink(missing_ok=True)


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
