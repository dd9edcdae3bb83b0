"""Commands `registro rebuild` and `registro catch-up`: read models in step with the ledger."""

import contextlib
import enum
import hashlib
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from importlib.metadata import version
from typing import Annotated

import typer

from app.cli.context import Cli, cli_of
from app.cli.production.engine_choice import AddressOption, EngineName, EngineOption, engine_of
from app.cli.production.views_place import views_url
from app.output.format import number
from app.output.logs import log_event
from app.output.table import Column, Table
from app.texts.errors import error_texts
from app.texts.usage import both
from ledger.application import LedgerApplication
from ledger.errors import InvalidCommandError, ProjectionError
from projections.runner.contract import Projection
from projections.runner.models import PROJECTIONS
from projections.runner.runner import Rebuilt, Runner
from projections.runner.views import Views, open_views


class RecordSource(enum.StrEnum):
    """Where the records are read from."""

    STORE = "store"
    KAFKA = "kafka"


_NAMES = ", ".join(PROJECTIONS)

_LOG = logging.getLogger("registro.catch_up")

ProjectionOption = Annotated[
    list[str] | None,
    typer.Option(
        "--projection",
        help=both(f"solo queste: {_NAMES}", f"only these: {_NAMES}"),
        metavar="NOME",
    ),
]


def register(root: typer.Typer, name: str) -> None:
    """Add a command to the root."""
    commands: dict[str, Callable[..., None]] = {"rebuild": rebuild, "catch-up": catch_up}
    root.command(name)(commands[name])


def views_of(cli: Cli) -> Views:
    """Return the read models of the ledger that the settings name.

    Raises:
        ConfigurationError: they would stand in the ledger's own file.
        StoreUnavailableError: they cannot be opened.
    """
    return Views(open_views(views_url(cli)), code_version=version("registro"))


def warn_if_outdated(cli: Cli, views: Views, projections: Sequence[Projection]) -> None:
    """Ask for a rebuild when another release made rows that are read now.

    What one release folds another may fold otherwise: rows of both do not belong together.
    """
    for projection in projections:
        made_by = views.outdated(projection.name)
        if made_by is not None:
            cli.screen.warn(
                cli.tr(
                    f"la vista {projection.name} è della versione {made_by}, questa è la "
                    f"{version('registro')}: ricostruirla con "
                    f"registro rebuild --projection {projection.name}",
                    f"read model {projection.name} was made by release {made_by}, this is "
                    f"{version('registro')}: run registro rebuild --projection {projection.name}",
                )
            )


def chosen(names: Sequence[str] | None) -> list[Projection]:
    """Return the projections that were asked for, all by default.

    Raises:
        InvalidCommandError: there is no projection of a name.
    """
    for name in names or ():
        if name not in PROJECTIONS:
            raise InvalidCommandError(
                subject="projection",
                field="--projection",
                value=name,
                reason="one of " + ", ".join(PROJECTIONS),
            )
    return [PROJECTIONS[name] for name in dict.fromkeys(names or PROJECTIONS)]


def runner_of(cli: Cli, ledger: LedgerApplication, views: Views) -> Runner:
    """Return the runner of a ledger."""
    return Runner(ledger, views, url=cli.settings["ledger"])


def rebuild(
    context: typer.Context,
    *,
    names: ProjectionOption = None,
    workers: Annotated[
        int,
        typer.Option(min=1, max=64, help=both("processi di lavoro", "worker processes")),
    ] = 1,
    source: Annotated[
        RecordSource,
        typer.Option(
            help=both(
                "da dove leggere: il registro (store) o i soli topic (kafka)",
                "where to read: the ledger (store) or the topics alone (kafka)",
            )
        ),
    ] = RecordSource.STORE,
    engine: EngineOption = EngineName.PROCESSES,
    address: AddressOption = "",
) -> None:
    """Build read models anew beside those in use, then swap them."""
    cli = cli_of(context)
    asked = chosen(names)
    shared = source is RecordSource.STORE
    spread = engine_of(cli, engine, address, workers=workers, shared=shared)
    begin = time.perf_counter()
    done: list[Rebuilt] = []
    with (
        _records(cli, source) as (ledger, url),
        cli.screen.progress("rebuild") as bar,
    ):
        runner = Runner(ledger, views_of(cli), url=url)
        for projection in asked:

            def told(position: int, head: int, name: str = projection.name) -> None:
                bar(name, position, head)

            done.append(runner.rebuild(projection, workers=workers, engine=spread, progress=told))
    _answer(cli, done, seconds=time.perf_counter() - begin)


@contextlib.contextmanager
def _records(cli: Cli, source: RecordSource) -> Iterator[tuple[LedgerApplication, str]]:
    """Give the ledger to fold from, and the place of its store for workers."""
    if source is RecordSource.STORE:
        yield cli.open(), cli.settings["ledger"]
        return
    from app.cli.kafka.from_topics import topics_ledger  # noqa: PLC0415 - slow to import

    with topics_ledger(cli) as topics:
        topics.require_sound()
        for line in topics.lines(cli):
            cli.screen.warn(line)
        yield topics.ledger, topics.url


def _answer(cli: Cli, done: Sequence[Rebuilt], *, seconds: float) -> None:
    if cli.json:
        cli.answer(
            {
                "events": max((one.events for one in done), default=0),
                "seconds": f"{seconds:.3f}",
                "digest": combined_digest({one.projection: one.digest for one in done}),
                "position": max((one.position for one in done), default=0),
                "projections": [
                    {
                        "projection": one.projection,
                        "position": one.position,
                        "events": one.events,
                        "rows": one.rows,
                        "digest": one.digest,
                        "changed": one.changed,
                        "fallbacks": one.fallbacks,
                        "seconds": f"{one.seconds:.3f}",
                    }
                    for one in done
                ],
            }
        )
        return
    columns = [
        Column(cli.tr("proiezione", "projection")),
        Column(cli.tr("posizione", "position"), "right"),
        Column(cli.tr("eventi", "events"), "right"),
        Column(cli.tr("righe", "rows"), "right"),
        Column(cli.tr("secondi", "seconds"), "right"),
        Column(cli.tr("diversa da prima", "differs from before")),
        Column(cli.tr("impronta", "digest")),
    ]
    rows = [
        [
            one.projection,
            one.position,
            number(one.events, cli.lang),
            number(one.rows, cli.lang),
            _seconds(cli, one.seconds, 2),
            one.changed,
            one.digest,
        ]
        for one in done
    ]
    cli.screen.table(Table(columns=columns, rows=rows))
    for one in done:
        if one.fallbacks:
            cli.screen.warn(
                cli.tr(
                    f"{one.projection}: {one.fallbacks} blocchi letti dal decodificatore lento",
                    f"{one.projection}: {one.fallbacks} blocks read by the slow decoder",
                )
            )


def _seconds(cli: Cli, seconds: float, decimals: int) -> str:
    """Return a time as people write it."""
    return number(Decimal(f"{seconds:.{decimals}f}"), cli.lang, decimals=decimals)


def combined_digest(digests: dict[str, str]) -> str:
    """Return one digest over those of several read models, in order of their names."""
    if len(digests) == 1:
        return next(iter(digests.values()))
    text = "".join(f"{name} {digests[name]}\n" for name in sorted(digests))
    return hashlib.sha256(text.encode()).hexdigest()


def catch_up(
    context: typer.Context,
    *,
    names: ProjectionOption = None,
    follow: Annotated[
        bool, typer.Option("--follow", help=both("resta in ascolto", "keep following"))
    ] = False,
    interval: Annotated[
        float,
        typer.Option(min=0.01, help=both("secondi tra due sguardi", "seconds between two looks")),
    ] = 0.1,
) -> None:
    """Fold what is new into the read models, and say how far behind they are."""
    cli = cli_of(context)
    asked = chosen(names)
    ledger, views = cli.open(), views_of(cli)
    runner = runner_of(cli, ledger, views)
    log_event(_LOG, logging.INFO, "catch_up.started", follow=follow)
    stopped = _caught_up(cli, runner, asked)
    warn_if_outdated(cli, views, asked)
    told: set[str] = set()
    while follow:
        # A projection that stopped is tried again at every look; why it stopped is said once.
        for error in stopped:
            if str(error) not in told:
                told.add(str(error))
                log_event(_LOG, logging.WARNING, "catch_up.halted", **error.facts)
                cli.screen.warn(error_texts(error, cli.lang)[0])
        time.sleep(interval)
        stopped = _caught_up(cli, runner, asked)
    _lags(cli, runner, asked)
    if stopped:
        raise stopped[0]


def _caught_up(cli: Cli, runner: Runner, asked: Sequence[Projection]) -> list[ProjectionError]:
    """Catch every projection up; return the errors of those that stopped, the others go on."""
    stopped: list[ProjectionError] = []
    with cli.screen.progress("catch-up") as bar:
        for projection in asked:

            def told(position: int, head: int, name: str = projection.name) -> None:
                bar(name, position, head)
                facts = {"projection": name, "position": position, "head": head}
                log_event(_LOG, logging.INFO, "catch_up.progress", **facts)

            try:
                runner.catch_up(projection, progress=told)
            except ProjectionError as error:
                stopped.append(error)
    return stopped


def _lags(cli: Cli, runner: Runner, asked: Sequence[Projection]) -> None:
    lags = [runner.lag(projection) for projection in asked]
    if cli.json:
        cli.answer(
            {
                "projections": [
                    {
                        "projection": lag.projection,
                        "position": lag.position,
                        "lag_records": lag.records,
                        "lag_events": lag.events,
                        "lag_seconds": f"{lag.seconds:.3f}",
                        "fallbacks": lag.fallbacks,
                        "halted_at": lag.halted_at,
                        "halted_reason": lag.halted_reason,
                    }
                    for lag in lags
                ]
            }
        )
        return
    columns = [
        Column(cli.tr("proiezione", "projection")),
        Column(cli.tr("posizione", "position"), "right"),
        Column(cli.tr("eventi in attesa", "events behind"), "right"),
        Column(cli.tr("secondi", "seconds"), "right"),
        Column(cli.tr("ferma a", "halted at"), "right"),
    ]
    rows = [
        [lag.projection, lag.position, lag.events, _seconds(cli, lag.seconds, 1), lag.halted_at]
        for lag in lags
    ]
    cli.screen.table(Table(columns=columns, rows=rows))
