"""`registro catch-up --source kafka`: one member of the group that feeds a read model from topics.

Source: docs/kafka.md, the live tail.
"""

import logging
import time
from collections.abc import Callable, Sequence
from typing import Final

from app.cli.context import Cli
from app.cli.kafka.publishing import broker_of, ledger_of
from app.cli.production.retrying import Retries
from app.output.logs import log_event
from ledger.application import LedgerApplication
from ledger.errors import InvalidCommandError, ProjectionError, StoreError
from ledger.kafka.client.member import SESSION_MILLISECONDS
from ledger.kafka.errors import BrokerError, TopicGuardError
from projections.runner.contract import Projection
from projections.runner.runner import Runner
from projections.runner.views import Views
from projections.tail.errors import TailUnfinishedError
from projections.tail.tail import Step, Tail

OTHERS_SECONDS: Final = 0.5
"""Least time between two looks at the other read models: each of them asks the database."""
PATIENCE_SECONDS: Final = 10.0
"""How long nothing may come before a run that does not follow gives up."""
JOIN_SECONDS: Final = 2 * SESSION_MILLISECONDS / 1000
"""How much longer one without partitions waits: Kafka leaves a dead member its own for a while."""
_LOG: Final = logging.getLogger("registro.catch_up")

Others = Callable[[], None]
"""Brings the read models in step that are not fed from the topics."""


def fed(asked: Sequence[Projection]) -> Projection:
    """Return the read model that a group feeds.

    Raises:
        InvalidCommandError: none of those that were asked for.
    """
    for projection in asked:
        if projection.facts:
            return projection
    raise InvalidCommandError(
        subject="catch-up",
        field="--source",
        value="kafka",
        reason="of the read models only production is fed from the topics",
    )


class LiveTail:
    """One run of the command."""

    def __init__(
        self,
        cli: Cli,
        ledger: LedgerApplication,
        views: Views,
        runner: Runner,
        projection: Projection,
        *,
        others: Others,
    ) -> None:
        """Take what the command works on.

        Args:
            cli: of the command.
            ledger: what the topics hold copies of.
            views: the read models.
            runner: folds from the ledger what there was before the group began.
            projection: from `fed`.
            others: called now and then, by the member that merges.
        """
        self._cli = cli
        self._ledger = ledger
        self._views = views
        self._runner = runner
        self._projection = projection
        self._others = others
        self._broker = broker_of(cli)
        self._retries = Retries(cli)

    def run(self, *, follow: bool, interval: float) -> None:
        """Feed the read model up to where the ledger ends now, or for ever.

        Args:
            follow: until the run is interrupted.
            interval: seconds between two looks at the other read models, at least `OTHERS_SECONDS`.

        Raises:
            TailUnfinishedError: nothing more came from the topics.
            BrokerError: Kafka does not answer; one that follows tries again.
            TopicGuardError: a topic is missing; one that follows tries again.
            StoreError: a database does not answer; one that follows tries again, if that may help.
            ProjectionError: a record cannot be folded; one that follows tries again.
        """
        log_event(
            _LOG,
            logging.INFO,
            "catch_up.joined",
            projection=self._projection.name,
            kafka=self._broker.servers,
        )
        head = None if follow else self._ledger.head()
        with self._cli.screen.progress("catch-up") as bar:
            while True:
                try:
                    with self._entered() as tail:
                        self._feed(tail, head, interval, bar)
                except (BrokerError, TopicGuardError) as error:
                    # Also a topic that is gone: it may be made anew and filled again.
                    if not follow:
                        raise
                    self._retries.wait(error)
                except StoreError as error:
                    if not (follow and error.retriable):
                        raise
                    self._retries.wait(error)
                else:
                    return

    def _entered(self) -> Tail:
        return Tail(
            ledger_of(self._cli, self._ledger),
            self._broker,
            self._views,
            self._projection,
            catch_up=lambda: self._runner.catch_up(self._projection),
        )

    def _feed(
        self,
        tail: Tail,
        head: int | None,
        interval: float,
        bar: Callable[[str, int, int], None],
    ) -> None:
        quiet_since, due = time.monotonic(), 0.0
        partitions = before = 0
        while True:
            done = self._stepped(tail, follow=head is None)
            if tail.partitions != partitions:
                partitions, quiet_since = tail.partitions, time.monotonic()
                log_event(_LOG, logging.INFO, "catch_up.assigned", partitions=partitions)
            if done != Step():
                quiet_since = time.monotonic()
                self._told(done)
            if tail.leads and time.monotonic() >= due:
                self._others()
                due = time.monotonic() + max(interval, OTHERS_SECONDS)
            if head is None:
                continue
            live = self._views.live(self._projection.name)
            position = 0 if live is None else live.position
            if position != before:
                # Others work for all.
                before, quiet_since = position, time.monotonic()
            bar(self._projection.name, min(position, head), head)
            if position >= head:
                # Whoever merges has the others in step as well; alone, this member does it.
                self._others()
                return
            quiet = time.monotonic() - quiet_since
            if quiet > PATIENCE_SECONDS + (0 if partitions else JOIN_SECONDS):
                raise TailUnfinishedError(
                    projection=self._projection.name,
                    position=position,
                    head=head,
                    seconds=f"{quiet:.0f}",
                )

    def _stepped(self, tail: Tail, *, follow: bool) -> Step:
        try:
            return tail.step()
        except ProjectionError as error:
            if not follow:
                raise
            # It stays in the group: who leaves and comes back stops all others each time.
            self._retries.wait(error)
            return Step()

    def _told(self, done: Step) -> None:
        name = self._projection.name
        if done.facts or done.merged:
            live = self._views.live(name)
            log_event(
                _LOG,
                logging.INFO,
                "catch_up.progress",
                projection=name,
                facts=done.facts,
                windows=done.merged,
                position=None if live is None else live.position,
            )
        if done.foreign or done.repeated:
            log_event(
                _LOG,
                logging.WARNING,
                "catch_up.passed_over",
                projection=name,
                foreign=done.foreign,
                repeated=done.repeated,
            )
