"""Command `registro ingest`: facts of production from files, from stdin, or as they come."""

import datetime as dt
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.choices import ActorOption, BatchActOption, CheckOnlyOption, optional_day
from app.cli.context import NEGATIVE, Cli, cli_of
from app.output import jsontext
from app.output.format import number
from app.output.table import Column, Table
from app.texts.usage import both
from ledger.envelopes import parse_act, parse_actor
from ledger.errors import FactFileError, InvalidCommandError
from ledger.facts.batches import FORMATS, Batch, FactFile, Ingested
from ledger.facts.families import FAMILIES
from ledger.scratch import scratch_folder

if TYPE_CHECKING:
    from ledger.facts.ingest import FactIntake
    from ledger.facts.rejects import Rejects

STDIN = "-"


def register(root: typer.Typer, name: str) -> None:
    """Add the command to the root."""
    root.command(name)(ingest)


def ingest(
    context: typer.Context,
    family: Annotated[
        str,
        typer.Argument(
            help=both(
                "famiglia dei fatti: " + ", ".join(FAMILIES),
                "family of the facts: " + ", ".join(FAMILIES),
            ),
            metavar="FAMILY",
        ),
    ],
    files: Annotated[
        list[str] | None,
        typer.Argument(
            help=both("file CSV, JSON Lines, Parquet o Avro; - per stdin", "files; - for stdin"),
            metavar="FILE...",
        ),
    ] = None,
    *,
    source: Annotated[
        str, typer.Option(help=both("sistema che invia i fatti", "system that sends the facts"))
    ],
    batch: Annotated[
        str | None,
        typer.Option(
            help=both(
                "nome del lotto; senza, lo dà il contenuto",
                "name of the batch; by default its content names it",
            )
        ),
    ] = None,
    as_of: Annotated[
        str | None,
        typer.Option(
            "--as-of",
            metavar="AAAA-MM-GG",
            help=both("quando erano noti; senza, oggi", "when they were known; default today"),
        ),
    ] = None,
    vintage: Annotated[
        str | None, typer.Option(help=both("fase di chiusura", "closing stage"))
    ] = None,
    act: BatchActOption = None,
    actor: ActorOption = None,
    reason: Annotated[
        str | None, typer.Option(help=both("motivo delle correzioni", "reason of corrections"))
    ] = None,
    form: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="FORMATO",
            help=both("formato: " + ", ".join(FORMATS), "format: " + ", ".join(FORMATS)),
        ),
    ] = None,
    rejects: Annotated[
        Path | None,
        typer.Option(help=both("cartella degli scarti", "folder of refused rows")),
    ] = None,
    whole: Annotated[
        bool,
        typer.Option(
            "--whole",
            help=both("rifiuta tutto se una riga è errata", "refuse all when a row is bad"),
        ),
    ] = False,
    dry_run: CheckOnlyOption = False,
    follow: Annotated[
        float | None,
        typer.Option(
            min=0.01,
            metavar="SECONDI",
            help=both(
                "legge JSON Lines da stdin e registra entro tanti secondi",
                "read JSON Lines from stdin and record within so many seconds",
            ),
        ),
    ] = None,
) -> None:
    """Take in a batch of facts; the same batch again adds nothing."""
    from app.cli.production.fact_sources import warn_if_undeclared
    from app.texts.facts import PROBLEMS_IT, fact_problem_text
    from ledger.facts.ingest import FactIntake
    from ledger.facts.rejects import HEADING, Rejects

    cli = cli_of(context)
    cli.require_no_person("ingest")
    _check(family, source, form)
    ledger = cli.open(read_only=dry_run)
    said = Batch(
        family=family,
        source=source,
        batch=batch,
        as_of=optional_day(as_of, field="--as-of") or ledger.today(),
        actor=parse_actor(cli.actor(actor)),
        vintage=vintage,
        acts=() if act is None else (parse_act(act),),
        reason=reason,
        whole=whole,
    )
    folder = None if dry_run else (rejects or _beside(files or [STDIN]))
    refused = Rejects(
        folder=folder,
        explain=lambda code: fact_problem_text(code, cli.lang),
        heading=PROBLEMS_IT if cli.lang == "it" else HEADING,
    )
    warn_if_undeclared(cli, ledger, source)
    intake = FactIntake(ledger)
    if follow is not None:
        _follow(cli, intake, said, refused, follow)
        return
    begin = time.perf_counter()
    with _files(files or [STDIN], form) as found, cli.screen.progress(source) as bar:
        answer = intake.files(
            found,
            said,
            rejects=refused,
            dry_run=dry_run,
            progress=lambda stage, done, total: bar(cli.tr(*_STAGES[stage]), done, total),
        )
    _show(cli, answer, refused, seconds=time.perf_counter() - begin, dry_run=dry_run)
    if refused.rows:
        raise typer.Exit(NEGATIVE)


_STAGES = {
    "digest": ("impronta", "digest"),
    "read": ("controllo", "checking"),
    "append": ("registrazione", "recording"),
}


def _check(family: str, source: str, form: str | None) -> None:
    for field, value, allowed in (("FAMILY", family, FAMILIES), ("--format", form, FORMATS)):
        if value is not None and value not in allowed:
            raise InvalidCommandError(
                subject="ingest", field=field, value=value, reason="one of " + ", ".join(allowed)
            )
    if not source.strip() or "/" in source:
        raise InvalidCommandError(
            subject="ingest", field="--source", value=source, reason="a name without '/'"
        )


def _beside(files: list[str]) -> Path:
    first = files[0]
    return Path() if first == STDIN else Path(first).expanduser().parent


@contextmanager
def _files(names: list[str], form: str | None) -> Iterator[list[FactFile]]:
    """Give the files; what comes from stdin is kept in a temporary one meanwhile."""
    from ledger.facts.reading import format_of

    with scratch_folder() as folder:
        found: list[FactFile] = []
        for name in names:
            path = Path(name).expanduser()
            if name == STDIN:
                if form is None:
                    raise InvalidCommandError(
                        subject="ingest",
                        field="--format",
                        value="",
                        reason="stdin does not tell its format: one of " + ", ".join(FORMATS),
                    )
                path = folder / "stdin"
                with path.open("wb") as kept:
                    shutil.copyfileobj(sys.stdin.buffer, kept)
            elif path.is_dir():
                raise FactFileError(file=name, reason="it is a folder, not a file")
            elif not path.is_file():
                raise FactFileError(file=name, reason="there is no such file")
            found.append(FactFile(path=path, form=form or format_of(path), name=path.name))
        yield found


def _follow(
    cli: Cli, intake: "FactIntake", said: Batch, refused: "Rejects", seconds: float
) -> None:
    """Record lines of stdin as they come; each group is a batch of its own."""
    if cli.to_publish is None:
        _feed(cli, intake, said, refused, seconds, recorded=lambda _: None)
    else:
        from app.cli.kafka.required import publishing_beside

        with publishing_beside(cli) as recorded:
            _feed(cli, intake, said, refused, seconds, recorded=recorded)
    if refused.rows:
        raise typer.Exit(NEGATIVE)


def _feed(
    cli: Cli,
    intake: "FactIntake",
    said: Batch,
    refused: "Rejects",
    seconds: float,
    *,
    recorded: Callable[[int], None],
) -> None:
    from ledger.facts.realtime import Feeding

    def told(answer: Ingested) -> None:
        if cli.json:
            cli.screen.line(_line(answer))
        else:
            cli.screen.note(_note(cli, answer))
        if answer.facts and not answer.repeated:
            recorded(answer.last)

    delay = dt.timedelta(seconds=seconds)
    feeding = Feeding(intake, said, rejects=refused, delay=delay, told=told)
    try:
        with feeding:
            for line in sys.stdin.buffer:
                feeding.offer(line)
    finally:
        feeding.finish()


def _note(cli: Cli, answer: Ingested) -> str:
    places = f"{answer.first}-{answer.last}"
    if answer.repeated:
        return cli.tr(f"Già registrati, posizioni {places}", f"Recorded before, positions {places}")
    it, en = f"Registrati {answer.facts} fatti", f"Recorded {answer.facts} facts"
    if answer.facts:
        it, en = f"{it}, posizioni {places}", f"{en}, positions {places}"
    if answer.rejected:
        it += f"; righe rifiutate: {answer.rejected}"
        en += f"; rows refused: {answer.rejected}"
    return cli.tr(it, en)


def _line(answer: Ingested) -> str:
    return jsontext.line(
        {
            "key": answer.key,
            "repeated": answer.repeated,
            "facts": answer.facts,
            "rejected": answer.rejected,
            "first": answer.first,
            "last": answer.last,
        }
    )


def _show(cli: Cli, answer: Ingested, refused: "Rejects", *, seconds: float, dry_run: bool) -> None:
    rate = round(answer.facts / seconds) if seconds and not answer.repeated else 0
    if cli.json:
        cli.answer(
            {
                "key": answer.key,
                "repeated": answer.repeated,
                "dry_run": dry_run,
                "rows": answer.rows,
                "facts": answer.facts,
                "reversals": answer.reversals,
                "blocks": answer.blocks,
                "rejected": answer.rejected,
                "problems": dict(sorted(refused.codes.items())),
                "first_problems": refused.first,
                "rejects": [str(path) for path in refused.written],
                "first": answer.first,
                "last": answer.last,
                "seconds": f"{seconds:.3f}",
                "rate": rate,
            }
        )
        return
    lang = cli.lang
    if answer.repeated:
        cli.screen.line(
            cli.tr(
                f"Lotto già registrato: {number(answer.facts, lang)} fatti, posizioni "
                f"{answer.first}-{answer.last}. Aggiunto nulla.",
                f"The batch is in the ledger: {number(answer.facts, lang)} facts, positions "
                f"{answer.first}-{answer.last}. Nothing added.",
            )
        )
        return
    facts, rows = number(answer.facts, lang), number(answer.rows, lang)
    if dry_run:
        it = f"Prova: {facts} fatti da {rows} righe si registrerebbero."
        en = f"Trial: {facts} facts of {rows} rows would be recorded."
    else:
        it = f"Registrati {facts} fatti da {rows} righe"
        en = f"Recorded {facts} facts of {rows} rows"
        if answer.blocks:
            blocks, fast = number(answer.blocks, lang), number(rate, lang)
            places = f"{answer.first}-{answer.last}"
            it += f", blocchi {blocks}, posizioni {places}, {fast} al secondo"
            en += f", blocks {blocks}, positions {places}, {fast} a second"
        it, en = f"{it}.", f"{en}."
    cli.screen.line(cli.tr(it, en))
    if answer.reversals:
        cli.screen.line(
            cli.tr(
                f"Di cui {number(answer.reversals, lang)} storni di fatti corretti.",
                f"{number(answer.reversals, lang)} of them take corrected facts back.",
            )
        )
    if answer.rejected:
        _show_rejects(cli, answer, refused)


def _place(problem: dict[str, object]) -> tuple[str, int]:
    """Return where a problem stands; those that the whole batch showed come last otherwise."""
    return str(problem["file"]), int(str(problem["line"]))


def _show_rejects(cli: Cli, answer: Ingested, refused: "Rejects") -> None:
    from app.texts.facts import fact_problem_text

    cli.screen.line(
        cli.tr(
            f"Righe rifiutate: {number(answer.rejected, cli.lang)}.",
            f"Rows refused: {number(answer.rejected, cli.lang)}.",
        )
    )
    columns = [Column(cli.tr("motivo", "reason")), Column(cli.tr("quante", "how many"), "right")]
    counted = [
        [fact_problem_text(code, cli.lang), count] for code, count in refused.codes.most_common()
    ]
    cli.screen.table(Table(columns=columns, rows=counted))
    columns = [
        Column(cli.tr("file", "file")),
        Column(cli.tr("riga", "line"), "right"),
        Column(cli.tr("colonna", "column")),
        Column(cli.tr("valore", "value")),
        Column(cli.tr("motivo", "reason")),
    ]
    shown = [
        [
            str(one["file"]),
            int(str(one["line"])),
            str(one["column"]),
            str(one["value"])[:40],
            fact_problem_text(str(one["code"]), cli.lang),
        ]
        for one in sorted(refused.first, key=_place)
    ]
    cli.screen.table(Table(columns=columns, rows=shown))
    if answer.rejected > len(shown):
        cli.screen.line(
            cli.tr(
                "Qui sono elencati i primi motivi; tutti stanno nel file .problems.csv."
                if refused.written
                else "Qui sono elencati i primi motivi.",
                "These are the first reasons; the .problems.csv file has all of them."
                if refused.written
                else "These are the first reasons.",
            )
        )
    for path in refused.written:
        cli.screen.line(str(path))
    if refused.written:
        cli.screen.line(
            cli.tr(
                "Correggere il file .rejects.csv e registrarlo come un lotto nuovo.",
                "Mend the .rejects.csv file and take it in as a new batch.",
            )
        )
