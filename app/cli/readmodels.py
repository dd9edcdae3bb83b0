"""Commands `registro rebuild` and `registro catch-up`: read models in step with the ledger."""

import hashlib
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import Annotated

import typer

from app.cli.context import Cli, cli_of
from app.output.format import number
from app.output.table import Column, Table
from app.texts.errors import error_texts
from app.texts.usage import both
from ledger.application import LedgerApplication
from ledger.errors import ConfigurationError, InvalidCommandError, ProjectionError
from ledger.store.engine import file_of, store_url
from projections.runner.contract import Projection
from projections.runner.models import PROJECTIONS
from projections.runner.runner import Rebuilt, Runner
from projections.runner.views import Views, open_views

ProjectionOption = Annotated[
    list[str] | None,
    typer.Option(
        "--projection",
        help=both("solo queste: ", "only these: ") + ", ".join(PROJECTIONS),
        metavar="NAME",
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
    ledger = store_url(cli.settings["ledger"])
    own = file_of(ledger)
    # On a server they are tables of the same database, unless the setting names another one.
    beside = ledger.render_as_string(hide_password=False)
    if own is not None:
        beside = f"{str(own).removesuffix('.db')}.views.db"
    url = store_url(cli.settings["views"] or beside)
    file = file_of(url)
    if own is not None and file is not None and own.absolute() == file.absolute():
        raise ConfigurationError(
            setting="views", reason=f"{file} is the ledger itself: name another file"
        )
    return Views(
        open_views(url.render_as_string(hide_password=False)), code_version=version("registro")
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
) -> None:
    """Build read models anew beside those in use, then swap them."""
    cli = cli_of(context)
    asked = chosen(names)
    ledger, views = cli.open(), views_of(cli)
    runner = runner_of(cli, ledger, views)
    begin = time.perf_counter()
    done: list[Rebuilt] = []
    with cli.screen.progress("rebuild") as bar:
        for projection in asked:

            def told(position: int, head: int, name: str = projection.name) -> None:
                bar(name, position, head)

            done.append(runner.rebuild(projection, workers=workers, progress=told))
    _answer(cli, done, seconds=time.perf_counter() - begin)


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
            f"{one.seconds:.2f}",
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
    stopped = _caught_up(cli, runner, asked)
    told: set[str] = set()
    while follow:
        # A projection that stopped is tried again at every look; why it stopped is said once.
        for error in stopped:
            if str(error) not in told:
                told.add(str(error))
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
        [lag.projection, lag.position, lag.events, f"{lag.seconds:.1f}", lag.halted_at]
        for lag in lags
    ]
    cli.screen.table(Table(columns=columns, rows=rows))
