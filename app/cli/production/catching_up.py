"""Command `registro catch-up`: read models in step with the ledger, batch by batch.

Source: docs/production.md; docs/kafka.md, the live tail.
"""

import logging
import time
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.context import Cli, cli_of
from app.cli.production.readmodels import (
    ProjectionOption,
    RecordSource,
    chosen,
    runner_of,
    seconds_text,
    views_of,
    warn_if_outdated,
)
from app.cli.production.retrying import Retries
from app.output.logs import log_event
from app.output.table import Column, Table
from app.texts.errors import error_texts
from app.texts.usage import both
from ledger.errors import ProjectionError, ReadModelMovedError, StoreError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from projections.runner.contract import Projection
    from projections.runner.engines import Progress
    from projections.runner.runner import Runner

_LOG = logging.getLogger("registro.catch_up")


def register(root: typer.Typer, name: str) -> None:
    """Add the command to the root."""
    root.command(name)(catch_up)


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
    source: Annotated[
        RecordSource,
        typer.Option(
            help=both(
                "da dove leggere i fatti: il registro (store), o i topic insieme agli altri dello "
                "stesso gruppo di Kafka (kafka)",
                "where to read facts: the ledger (store), or the topics together with the others "
                "of one Kafka group (kafka)",
            )
        ),
    ] = RecordSource.STORE,
) -> None:
    """Fold what is new into the read models, and say how far behind they are."""
    cli = cli_of(context)
    asked = chosen(names)
    ledger, views = cli.open(), views_of(cli)
    runner = runner_of(cli, ledger, views)
    log_event(_LOG, logging.INFO, "catch_up.started", follow=follow, source=source.value)
    work = _Work(cli, runner)
    warn_if_outdated(cli, views, asked)
    if source is RecordSource.KAFKA:
        from app.cli.production.live_tail import LiveTail, fed

        fed_one = fed(asked)
        rest = [one for one in asked if one is not fed_one]
        tail = LiveTail(cli, ledger, views, runner, fed_one, others=lambda: work.look(rest))
        tail.run(follow=follow, interval=interval)
    elif follow:
        work.follow(asked, interval=interval)
    else:
        work.catch_up(asked)
    _lags(cli, runner, asked)
    if work.stopped:
        raise work.stopped[0]


class _Work:
    """Brings read models in step, and keeps why some of them stopped."""

    def __init__(self, cli: Cli, runner: "Runner") -> None:
        self._cli = cli
        self._runner = runner
        self._told: set[str] = set()
        self._retries = Retries(cli)
        self.stopped: list[ProjectionError] = []

    def catch_up(self, asked: "Sequence[Projection]") -> None:
        """Catch every projection up; when one stops, the others go on."""
        self.stopped = []
        with self._cli.screen.progress("catch-up") as bar:
            for projection in asked:

                def told(position: int, head: int, name: str = projection.name) -> None:
                    bar(name, position, head)
                    facts = {"projection": name, "position": position, "head": head}
                    log_event(_LOG, logging.INFO, "catch_up.progress", **facts)

                try:
                    self._caught_up(projection, told)
                except ProjectionError as error:
                    self.stopped.append(error)

    def _caught_up(self, projection: "Projection", progress: "Progress") -> None:
        while True:
            try:
                self._runner.catch_up(projection, progress=progress)
            except ReadModelMovedError as moved:
                # Others do the same, and came further with it: the next look begins there.
                log_event(_LOG, logging.DEBUG, "catch_up.moved", **moved.facts)
            else:
                return

    def follow(self, asked: "Sequence[Projection]", *, interval: float) -> None:
        """Catch every projection up for ever, also after a database was away for a while.

        Args:
            asked: what to catch up.
            interval: seconds between two looks.

        Raises:
            StoreError: a database fails in a way that does not pass.
        """
        while True:
            try:
                self.look(asked)
            except StoreError as error:
                if not error.retriable:
                    raise
                self._retries.wait(error)
            time.sleep(interval)

    def look(self, asked: "Sequence[Projection]") -> None:
        """Catch every projection up, and say why one stopped."""
        self.catch_up(asked)
        self.tell()

    def tell(self) -> None:
        """Say of each projection once why it stopped; it is tried again at every look."""
        for error in self.stopped:
            if str(error) not in self._told:
                self._told.add(str(error))
                log_event(_LOG, logging.WARNING, "catch_up.halted", **error.facts)
                self._cli.screen.warn(error_texts(error, self._cli.lang)[0])


def _lags(cli: Cli, runner: "Runner", asked: "Sequence[Projection]") -> None:
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
        [lag.projection, lag.position, lag.events, seconds_text(cli, lag.seconds, 1), lag.halted_at]
        for lag in lags
    ]
    cli.screen.table(Table(columns=columns, rows=rows))
