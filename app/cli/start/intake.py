"""Command `registro import`."""

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.choices import ActorOption, CheckOnlyOption
from app.cli.context import NEGATIVE, Cli, cli_of
from app.output.table import Column, Table
from app.texts.reasons import problem_texts
from app.texts.usage import both, on_ledger
from ledger.envelopes import parse_actor
from ledger.errors import DataFolderError, ImportRefusedError, LedgerMissingError
from ledger.intake.dataset import PROBLEMS_FILE
from ledger.intake.problems import Problem
from ledger.intake.rejects import LABELS

if TYPE_CHECKING:
    from ledger.application import LedgerApplication
    from ledger.intake.importer import ImportReport

LABELS_IT = (
    "file",
    "riga originale",
    "riga qui",
    "colonna",
    "valore",
    "codice",
    "motivo",
    "che fare",
)
"""Header of the list of problems among the rejects, for Italian readers."""
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
    dry_run: CheckOnlyOption = False,
    rejects: Annotated[
        Path | None,
        typer.Option(help=both("dove mettere le righe rifiutate", "where to put refused rows")),
    ] = None,
    actor: ActorOption = None,
    show_all: Annotated[
        bool, typer.Option("--all", help=both("elenca ogni problema", "list every problem"))
    ] = False,
) -> None:
    """Record a data folder; without --rows one bad row refuses the whole folder."""
    from ledger.intake.importer import Mode, import_folder

    cli = cli_of(context)
    cli.require_no_person("import")
    chosen = actor or cli.settings["actor"]
    require_folder(folder.expanduser())
    with ledger_to_fill(cli, dry_run=dry_run) as ledger:
        with cli.screen.progress(str(folder)) as progress:
            report = import_folder(
                ledger,
                folder.expanduser(),
                mode=Mode.ROWS if rows else Mode.WHOLE,
                dry_run=dry_run,
                actor=parse_actor(chosen) if chosen else None,
                rejects_to=rejects,
                texts=lambda found: texts_of(cli, found),
                labels=LABELS_IT if cli.lang == "it" else LABELS,
                progress=progress,
            )
        _report(cli, report, folder, every=show_all)


def _report(cli: Cli, report: "ImportReport", folder: Path, *, every: bool) -> None:
    mended = _is_mended(report, folder.expanduser())
    if cli.json:
        cli.answer(_json(cli, report, mended=mended))
    else:
        show_problems(cli, report.problems, every=every)
        if not report.refused_whole:
            _show(cli, report)
        if mended:
            cli.screen.line(
                cli.tr(
                    f"Tutte le righe di {folder} sono nel registro: la cartella si può cancellare.",
                    f"All rows of {folder} are in the ledger: the folder can be deleted.",
                )
            )
    if report.refused_whole:
        raise ImportRefusedError(folder=folder.name, count=len(report.errors))
    if report.errors:
        raise typer.Exit(NEGATIVE)


def _is_mended(report: "ImportReport", folder: Path) -> bool:
    """Whether a folder of rejects was imported without a row left over."""
    of_rejects = (folder / PROBLEMS_FILE).is_file()
    return of_rejects and not report.errors and not report.dry_run


def require_folder(folder: Path) -> None:
    """Refuse what is no folder before anything is made.

    Raises:
        DataFolderError: there is no such folder, or it is a file.
    """
    if not folder.exists():
        raise DataFolderError(folder=folder, reason="there is no such folder")
    if not folder.is_dir():
        raise DataFolderError(folder=folder, reason="it is a file, not a folder")


def texts_of(cli: Cli, found: Problem) -> tuple[str, str]:
    """Return reason and hint of a problem in the reader's language, on the ledger of this run."""
    message, hint = problem_texts(found, cli.lang)
    return message, on_ledger(hint, cli.settings.ledger_given)


@contextmanager
def ledger_to_fill(cli: Cli, *, dry_run: bool) -> "Iterator[LedgerApplication]":
    """Give the ledger for writing; make it when there is none, and say so.

    A dry run makes nothing: it works on an empty ledger in memory. A ledger that was made and into
    which nothing was recorded is taken away again.
    """
    from app.cli.start.setup import create
    from ledger.application import LedgerApplication
    from ledger.store.engine import file_of, open_engine, shown, store_url
    from ledger.store.store import Store

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
        message, hint = texts_of(cli, found)
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


def _show(cli: Cli, report: "ImportReport") -> None:
    columns = (
        Column("file", whole=True),
        Column(cli.tr("registrate", "recorded"), "right"),
        Column(cli.tr("già presenti", "known"), "right"),
        Column(cli.tr("rifiutate", "refused"), "right"),
    )
    rows = [[one.file, one.recorded, one.repeated, one.refused] for one in report.files]
    cli.screen.table(Table(columns=columns, rows=rows))
    if report.dry_run:
        text = cli.tr(
            f"Prova: eventi che si registrerebbero: {report.events}; non è stato registrato nulla.",
            f"Dry run: events that would be recorded: {report.events}; nothing was.",
        )
    elif report.events:
        text = cli.tr(
            f"Eventi registrati: {report.events}; il registro è alla posizione {report.head}.",
            f"Events recorded: {report.events}; the ledger is at position {report.head}.",
        )
    else:
        text = cli.tr(
            f"Nulla di nuovo: il registro resta alla posizione {report.head}.",
            f"Nothing new: the ledger stays at position {report.head}.",
        )
    cli.screen.line(text)
    if report.rejects is not None:
        place = report.rejects.folder
        again = cli.remedy(f"import --rows {shlex.quote(str(place))}")
        cli.screen.line(
            cli.tr(
                f"Righe rifiutate in {place}: correggerle e ripetere `{again}`",
                f"Refused rows in {place}: mend them and run `{again}`",
            )
        )


def problems_json(cli: Cli, problems: tuple[Problem, ...]) -> list[dict[str, object]]:
    """Return problems as JSON, in the language of the run."""
    told = ((found, *texts_of(cli, found)) for found in problems)
    return [
        {
            "severity": found.severity,
            "file": found.file,
            "line": found.line,
            "column": found.column,
            "value": found.value,
            "code": found.code,
            "message": message,
            "hint": hint,
        }
        for found, message, hint in told
    ]


def _json(cli: Cli, report: "ImportReport", *, mended: bool) -> dict[str, object]:
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
        "problems": problems_json(cli, report.problems),
        "rejects": None if report.rejects is None else str(report.rejects.folder),
        "mended": mended,
    }
