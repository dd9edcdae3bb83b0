"""Command `registro rebuild`, and what it shares with `catch-up`: which read models, and where."""

import contextlib
import enum
import hashlib
import logging
import time
from collections.abc import Iterator, Sequence
from decimal import Decimal
from importlib.metadata import version
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.context import Cli, cli_of
from app.cli.production.engine_choice import AddressOption, EngineName, EngineOption
from app.output.format import number
from app.output.logs import log_event
from app.output.table import Column, Table
from app.texts.usage import both
from ledger.errors import (
    InvalidCommandError,
    LedgerError,
    StoreError,
    StoreFolderMissingError,
    StoreUnavailableError,
    ViewsDeniedError,
    ViewsUnavailableError,
)

if TYPE_CHECKING:
    from app.cli.production.rebuilding import Build
    from ledger.application import LedgerApplication
    from projections.runner.contract import Projection
    from projections.runner.engines import Engine
    from projections.runner.rebuilding import Rebuilt
    from projections.runner.runner import Runner
    from projections.runner.views import Views


class RecordSource(enum.StrEnum):
    """Where the records are read from."""

    STORE = "store"
    KAFKA = "kafka"


NAMES = ("production", "organisation", "targets", "indicators", "trail")
"""Every projection, for the help: what folds them is slow to import."""
_NAMES = ", ".join(NAMES)

_NOT_ALLOWED = "42501"
"""SQLSTATE of what a role may not do."""
_LOG = logging.getLogger("registro.rebuild")

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
    root.command(name)(rebuild)


def views_of(cli: Cli) -> "Views":
    """Return the read models of the ledger that the settings name.

    Raises:
        ConfigurationError: they would stand in the ledger's own file.
        ViewsUnavailableError: they cannot be opened.
        ViewsDeniedError: they are not there, and the database does not let us make them.
        StoreError: the place holds something else.
    """
    from app.cli.production.views_place import views_url
    from ledger.store.engine import shown, store_url
    from projections.runner.database import open_views
    from projections.runner.views import Views

    url = views_url(cli)
    try:
        engine = open_views(url)
    except StoreError as error:
        ours = _of_views(error, shown(store_url(url)))
        if ours is None:
            raise
        raise ours from error
    return Views(engine, code_version=version("registro"))


def _of_views(error: StoreError, place: str) -> StoreError | None:
    """Return an error of opening a database as that of the read models; None for any other."""
    if getattr(getattr(error.__cause__, "orig", None), "sqlstate", None) == _NOT_ALLOWED:
        return ViewsDeniedError(store=place, reason=error.facts["reason"])
    if isinstance(error, StoreFolderMissingError):
        folder = error.facts["folder"]
        return ViewsUnavailableError(store=place, reason=f"the folder {folder} does not exist")
    if isinstance(error, StoreUnavailableError):
        return ViewsUnavailableError(store=place, reason=error.facts["reason"])
    return None


def warn_if_outdated(cli: Cli, views: "Views", projections: "Sequence[Projection]") -> None:
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


def chosen(names: Sequence[str] | None) -> "list[Projection]":
    """Return the projections that were asked for, all by default.

    Raises:
        InvalidCommandError: there is no projection of a name.
    """
    from projections.runner.models import PROJECTIONS

    for name in names or ():
        if name not in PROJECTIONS:
            raise InvalidCommandError(
                subject="projection",
                field="--projection",
                value=name,
                reason="one of " + ", ".join(PROJECTIONS),
            )
    return [PROJECTIONS[name] for name in dict.fromkeys(names or PROJECTIONS)]


def runner_of(cli: Cli, ledger: "LedgerApplication", views: "Views") -> "Runner":
    """Return the runner of a ledger."""
    from projections.runner.runner import Runner

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
    from app.cli.production.engine_choice import engine_of

    cli = cli_of(context)
    asked = chosen(names)
    from_kafka = source is RecordSource.KAFKA
    spread = engine_of(cli, engine, address, workers=workers, kafka=from_kafka)
    begin = time.perf_counter()
    done: list[Rebuilt] = []
    log_event(_LOG, logging.INFO, "rebuild.started", source=source.value, workers=workers)
    with (
        _logged(),
        _builder(cli, source, asked, workers=workers, engine=spread) as build,
        cli.screen.progress("rebuild") as bar,
    ):
        for projection in asked:

            def told(position: int, head: int, name: str = projection.name) -> None:
                bar(name, position, head)
                facts = {"projection": name, "position": position, "head": head}
                log_event(_LOG, logging.INFO, "rebuild.progress", **facts)

            done.append(build(projection, told))
            _log_finished(done[-1])
    _answer(cli, done, seconds=time.perf_counter() - begin)


@contextlib.contextmanager
def _logged() -> Iterator[None]:
    """Log why a rebuild ended before its end; the read models in use are as they were."""
    try:
        yield
    except LedgerError as error:
        log_event(_LOG, logging.ERROR, "rebuild.failed", error=error.code, detail=str(error))
        raise


def _log_finished(one: "Rebuilt") -> None:
    log_event(
        _LOG,
        logging.INFO,
        "rebuild.finished",
        projection=one.projection,
        position=one.position,
        events=one.events,
        digest=one.digest,
        seconds=f"{one.seconds:.3f}",
    )


@contextlib.contextmanager
def _builder(
    cli: Cli,
    source: RecordSource,
    asked: "Sequence[Projection]",
    *,
    workers: int,
    engine: "Engine | None",
) -> "Iterator[Build]":
    """Give what builds read models from the place that was asked for."""
    from app.cli.production import rebuilding

    def views() -> "Views":
        return views_of(cli)

    match source:
        case RecordSource.STORE:
            yield rebuilding.from_store(cli, views, workers=workers, engine=engine)
        case RecordSource.KAFKA:
            with rebuilding.from_topics(cli, views, asked, workers=workers, engine=engine) as build:
                yield build


def _answer(cli: Cli, done: "Sequence[Rebuilt]", *, seconds: float) -> None:
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
            seconds_text(cli, one.seconds, 2),
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


def seconds_text(cli: Cli, seconds: float, decimals: int) -> str:
    """Return a time as people write it."""
    return number(Decimal(f"{seconds:.{decimals}f}"), cli.lang, decimals=decimals)


def combined_digest(digests: dict[str, str]) -> str:
    """Return one digest over those of several read models, in order of their names."""
    if len(digests) == 1:
        return next(iter(digests.values()))
    text = "".join(f"{name} {digests[name]}\n" for name in sorted(digests))
    return hashlib.sha256(text.encode()).hexdigest()
