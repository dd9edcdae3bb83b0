"""Command `registro status`: what is in the ledger, how far everything else is, what is wrong."""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Final

import typer

from app.cli.context import NEGATIVE, Cli, cli_of
from app.operations.snapshot import STAGES, Behind, Limits, Problem, Snapshot, problems_of
from app.output.format import number
from app.output.table import Column, Table
from app.texts.events import event_text
from app.texts.operations import PROBLEMS, STAGE_NAMES
from app.texts.usage import both
from app.texts.values import facts_in
from app.texts.words import word
from ledger.errors import InvalidCommandError
from ledger.events.ledger import SchemaReleased
from ledger.feed import read_all
from ledger.types import BEFORE_FIRST

if TYPE_CHECKING:
    from ledger.application import LedgerApplication

_STAGES: Final = ", ".join(STAGES)

LIMIT_EVENTS = Annotated[
    int | None,
    typer.Option(
        "--max-lag-events",
        min=0,
        help=both(
            "eventi di ritardo ammessi per ogni passo: oltre, codice di uscita 1",
            "events a stage may be behind: beyond them exit code 1",
        ),
    ),
]
LIMIT_SECONDS = Annotated[
    float | None,
    typer.Option(
        "--max-lag-seconds",
        min=0,
        help=both(
            "secondi di ritardo ammessi per ogni passo: oltre, codice di uscita 1",
            "seconds a stage may be behind: beyond them exit code 1",
        ),
    ),
]


def register(root: typer.Typer, name: str) -> None:
    """Add the command to the root."""
    root.command(name)(status)


def status(
    context: typer.Context,
    *,
    max_lag_events: LIMIT_EVENTS = None,
    max_lag_seconds: LIMIT_SECONDS = None,
    stages: Annotated[
        list[str] | None,
        typer.Option(
            "--stage",
            metavar="NAME",
            help=both(f"giudica solo: {_STAGES}", f"judge only: {_STAGES}"),
        ),
    ] = None,
) -> None:
    """Show what is in the ledger and how far each stage is; exit code 1 when something is wrong."""
    from app.cli.production.views_place import views_url
    from app.operations.look import look

    cli = cli_of(context)
    judged = _judged(stages)
    ledger = cli.open()
    found = look(cli, ledger, views=views_url(cli))
    limits = Limits(events=max_lag_events, seconds=max_lag_seconds)
    problems = [one for one in problems_of(found, limits) if one.stage in judged]
    content = _content(ledger)
    if cli.json:
        cli.answer(_answer(found, content, problems))
    else:
        cli.banner(sandbox=found.sandbox)
        _show_ledger(cli, found, content)
        _show_inboxes(cli, found)
        _show_stages(cli, found)
        _show_events(cli, content)
        _show_problems(cli, problems)
    if problems:
        raise typer.Exit(NEGATIVE)


def _judged(stages: Sequence[str] | None) -> Sequence[str]:
    for stage in stages or ():
        if stage not in STAGES:
            raise InvalidCommandError(
                subject="status", field="--stage", value=stage, reason=f"one of {_STAGES}"
            )
    return stages or STAGES


def _content(ledger: "LedgerApplication") -> dict[str, object]:
    """Return what the governed events of the ledger say of it."""
    from ledger.store.engine import file_of

    types: Counter[str] = Counter()
    years: set[int] = set()
    for recorded in read_all(ledger, after=BEFORE_FIRST):
        types[recorded.event.TYPE] += 1
        year = getattr(recorded.event, "year", None)
        if isinstance(year, int):
            years.add(year)
    file = file_of(ledger.store.engine.url)
    return {
        "years": sorted(years),
        "schemas": types[SchemaReleased.TYPE],
        "size_bytes": file.stat().st_size if file is not None else None,
        "events": dict(sorted(types.items())),
    }


def _answer(
    found: Snapshot, content: dict[str, object], problems: Sequence[Problem]
) -> dict[str, object]:
    return {
        "ledger": found.ledger,
        "position": found.head,
        "ledger_id": found.ledger_id,
        "origin": found.origin,
        "body": found.body,
        "sandbox": found.sandbox,
        "years": content["years"],
        "last_recorded_at": found.last_recorded_at,
        "age_seconds": None if found.age_seconds is None else f"{found.age_seconds:.3f}",
        "schemas": content["schemas"],
        "size_bytes": content["size_bytes"],
        "inboxes": [
            {
                "family": one.family,
                "topic": one.topic,
                "waiting": one.waiting,
                "lost": one.lost,
                "partitions": one.partitions,
            }
            for one in found.inboxes
        ],
        "inboxes_reason": found.inboxes_reason,
        "published": _published(found),
        "sealed": _sealed(found),
        "read_models": [
            {
                "projection": model.name,
                "generation": model.generation,
                **_behind(model.behind),
                "fallbacks": model.fallbacks,
                "halted_at": model.halted_at,
                "halted_reason": model.halted_reason,
            }
            for model in found.read_models
        ],
        "read_models_reason": found.read_models_reason,
        "problems": problems,
        "events": content["events"],
    }


def _published(found: Snapshot) -> dict[str, object] | None:
    published = found.published
    if published is None:
        return None
    return {
        "servers": published.servers,
        "reachable": published.reachable,
        "reason": published.reason,
        **_behind(published.behind),
        "mismatches": published.mismatches,
        "diverged": published.diverged,
    }


def _sealed(found: Snapshot) -> dict[str, object] | None:
    sealed = found.sealed
    if sealed is None:
        return None
    return {
        "log": sealed.log,
        "checkpoint": sealed.checkpoint,
        **_behind(sealed.behind),
        "max_delay_seconds": sealed.max_delay_seconds,
        "reason": sealed.reason,
    }


def _behind(behind: Behind | None) -> dict[str, object]:
    if behind is None:
        return {"position": None, "lag_records": None, "lag_events": None, "lag_seconds": None}
    return {
        "position": behind.position,
        "lag_records": behind.records,
        "lag_events": behind.events,
        "lag_seconds": f"{behind.seconds:.3f}",
    }


def _show_ledger(cli: Cli, found: Snapshot, content: dict[str, object]) -> None:
    years = content["years"]
    rows: list[tuple[str, object]] = [
        (cli.tr("registro", "ledger"), found.ledger),
        (cli.tr("posizione", "position"), found.head),
        (cli.tr("identità", "identity"), found.ledger_id),
        (cli.tr("origine", "origin"), found.origin),
        (cli.tr("ente", "body"), found.body),
        (
            cli.tr("anni", "years"),
            ", ".join(map(str, years)) if isinstance(years, list) else None,
        ),
        (cli.tr("ultima registrazione", "last recorded"), found.last_recorded_at),
        (
            cli.tr("secondi da allora", "seconds since then"),
            None if found.age_seconds is None else round(found.age_seconds),
        ),
        (cli.tr("schemi", "schemas"), content["schemas"]),
        (cli.tr("byte", "bytes"), content["size_bytes"]),
    ]
    cli.screen.table(Table(columns=(Column(""), Column("")), rows=rows))
    cli.screen.line()


def _show_stages(cli: Cli, found: Snapshot) -> None:
    rows: list[tuple[object, ...]] = []
    if found.published is not None:
        note = found.published.servers
        if not found.published.reachable:
            unreachable = cli.tr("Kafka non risponde", "Kafka does not answer")
            note = f"{unreachable}: {_told(cli, found.published.reason or '')}"
        rows.append(
            (word(STAGE_NAMES, "published", cli.lang), *_cells(cli, found.published.behind), note)
        )
    if found.sealed is not None:
        note = found.sealed.log
        if not found.sealed.checkpoint:
            note = cli.tr("nessun sigillo", "no checkpoint")
        rows.append(
            (word(STAGE_NAMES, "sealed", cli.lang), *_cells(cli, found.sealed.behind), note)
        )
    for model in found.read_models:
        name = cli.tr("vista", "read model") + f" {model.name}"
        generation = cli.tr("generazione", "generation") + f" {model.generation}"
        rows.append((name, *_cells(cli, model.behind), generation))
    columns = (
        Column(cli.tr("passo", "stage")),
        Column(cli.tr("posizione", "position"), "right"),
        Column(cli.tr("eventi di ritardo", "events behind"), "right"),
        Column(cli.tr("secondi", "seconds"), "right"),
        Column(cli.tr("nota", "note")),
    )
    cli.screen.table(Table(columns=columns, rows=rows))
    if found.read_models_reason is not None:
        cli.screen.line(
            cli.tr("viste non leggibili: ", "read models cannot be read: ")
            + _told(cli, found.read_models_reason)
        )
    cli.screen.line()


def _show_inboxes(cli: Cli, found: Snapshot) -> None:
    if not found.inboxes and found.inboxes_reason is None:
        return
    if found.inboxes:
        columns = (
            Column(cli.tr("casella", "inbox")),
            Column(cli.tr("messaggi in attesa", "messages waiting"), "right"),
            Column(cli.tr("perduti", "lost"), "right"),
            Column(cli.tr("topic", "topic")),
        )
        rows = [(one.family, one.waiting, one.lost, one.topic) for one in found.inboxes]
        cli.screen.table(Table(columns=columns, rows=rows))
    if found.inboxes_reason is not None:
        cli.screen.line(
            cli.tr("caselle non leggibili: ", "inboxes cannot be read: ")
            + _told(cli, found.inboxes_reason)
        )
    cli.screen.line()


def _told(cli: Cli, reason: str) -> str:
    """Return a reason in the language of the run, as far as its words are known."""
    return facts_in({"reason": reason}, cli.lang)["reason"]


def _cells(cli: Cli, behind: Behind | None) -> tuple[object, object, object]:
    if behind is None:
        return None, None, None
    return behind.position, behind.events, number(round(behind.seconds), cli.lang)


def _show_events(cli: Cli, content: dict[str, object]) -> None:
    events = content["events"]
    columns = (
        Column(cli.tr("evento", "event")),
        Column(cli.tr("n.", "no."), "right"),
        Column(cli.tr("tipo", "type"), whole=True),
    )
    counted = events.items() if isinstance(events, dict) else ()
    rows = [[event_text(name, cli.lang), count, name] for name, count in counted]
    cli.screen.table(Table(columns=columns, rows=rows))


def _show_problems(cli: Cli, problems: Sequence[Problem]) -> None:
    if not problems:
        return
    cli.screen.line()
    columns = (
        Column(cli.tr("non va", "wrong")),
        Column(cli.tr("dove", "where")),
        Column(cli.tr("che cosa", "what")),
    )
    rows = [
        (
            word(PROBLEMS, one.kind, cli.lang),
            one.name or word(STAGE_NAMES, one.stage, cli.lang),
            _told(cli, one.detail),
        )
        for one in problems
    ]
    cli.screen.table(Table(columns=columns, rows=rows))
