"""Publish what a command records, where the setting `publish` is `required`.

1. Nothing is recorded where no Kafka is named: the run is refused in front of the first record.
2. What was recorded stays, whatever Kafka does afterwards.
3. A command that recorded nothing waits for nobody.
4. A command that stays is never held up: a thread of its own publishes beside it and says of each
   batch whether Kafka has it.

Source: docs/kafka.md, settings.
"""

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator
from typing import Final

from app.cli.context import Cli
from app.cli.kafka.publishing import FOLLOW_SECONDS, broker_of, ledger_of
from app.output.logs import log_event
from app.texts.errors import error_texts
from ledger.errors import LedgerError, LedgerMissingError
from ledger.kafka.client.source import Source
from ledger.kafka.errors import (
    BrokerAccessError,
    BrokerError,
    PublisherBusyError,
    PublishUnfinishedError,
)
from ledger.kafka.publisher import Publisher
from ledger.kafka.reached import why_not_whole
from ledger.kafka.tails import Ledger

REQUIRED_SECONDS: Final = 10.0
"""How long a recording command waits for Kafka when publishing is required."""
CLOSE_SECONDS: Final = 2.0
"""What letting go of connections may take beyond that."""
_LOG: Final = logging.getLogger("registro.recorded")


def head_before(cli: Cli) -> int:
    """Return the head in front of a command that records; 0 where there is no ledger yet.

    Raises:
        ConfigurationError: no Kafka is named, or not as it must be.
    """
    broker_of(cli)
    return _head(cli)


def publish_since(cli: Cli, since: int) -> None:
    """Publish what a command has recorded, and say whether Kafka has it.

    Args:
        cli: the run, behind its command.
        since: position up to which nothing is to be done.

    Raises:
        LedgerError: the topics are unsafe, differ, or refuse this user; what was recorded stays.
    """
    if _head(cli) > since:
        publish_recorded(cli)


def publish_recorded(cli: Cli) -> None:
    """Publish what a command has recorded, when publishing is required; never undo it.

    Past the deadline the records stay in the ledger and are sent by the next publisher.
    """
    ledger = cli.open()
    own = ledger_of(cli, ledger)
    head = ledger.head()
    confirmed = False
    try:
        confirmed = _late(cli, own, head, seconds=REQUIRED_SECONDS) is None
    finally:
        # Also in front of a refusal: that something was recorded must not be in doubt.
        cli.screen.note(_told(cli, head, confirmed=confirmed))


@contextlib.contextmanager
def publishing_beside(cli: Cli) -> Iterator[Callable[[int], None]]:
    """Give a function that is told the last position of each batch that was recorded.

    Without the duty to publish it does nothing. At the end what is left is waited for, as long as
    any recording command waits.
    """
    if cli.to_publish is None:
        yield lambda _: None
        return
    beside = _Beside(cli)
    try:
        yield beside.recorded
    finally:
        cli.to_publish.since = max(beside.end(), cli.to_publish.since or 0)
    beside.require_sound()


class _Beside:
    """Publishes in a thread of its own."""

    def __init__(self, cli: Cli) -> None:
        self._cli = cli
        self._changed = threading.Condition()
        self._waiting: list[int] = []
        """Batches that no attempt has taken yet, by their last position."""
        self._untold: list[int] = []
        """Batches that nobody was told about yet, those of the attempt under way included."""
        self._ended = False
        """Nobody is told anything any more."""
        self._until: float | None = None
        """When the last attempt ends; None while the command stays."""
        self._last = 0
        self._broken: Exception | None = None
        self._refused = ""
        self._thread = threading.Thread(target=self._run, name="publishing", daemon=True)
        self._thread.start()

    def recorded(self, position: int) -> None:
        """Take a batch; return at once."""
        self.require_sound()
        with self._changed:
            self._last = position
            self._waiting.append(position)
            self._untold.append(position)
            self._changed.notify()

    def end(self) -> int:
        """Wait for what is left, and return the position up to which everything was told.

        An attempt that outlasts the wait, or has failed, is not believed: what nobody was told
        about yet is not yet published.
        """
        with self._changed:
            self._until = time.monotonic() + REQUIRED_SECONDS
            self._changed.notify()
        self._thread.join(REQUIRED_SECONDS + CLOSE_SECONDS)
        reason = "the attempt outlasts its time" if self._thread.is_alive() else "it has failed"
        with self._changed:
            for position in tuple(self._untold):
                self._tell(position, reason)
            self._ended = True
        return self._last

    def require_sound(self) -> None:
        """Raise what has ended the thread."""
        if self._broken is not None:
            raise self._broken

    def _run(self) -> None:
        try:
            ledger = self._cli.open()
            own = ledger_of(self._cli, ledger)
            late = 0
            while (waiting := self._next(late=late)) is not None:
                late = self._publish(own, waiting, late)
            ledger.store.engine.dispose()
        except Exception as error:  # noqa: BLE001 - raised again where the batches come from
            self._broken = error

    def _next(self, *, late: int) -> list[int] | None:
        """Return the batches that came; None when the command has ended and all was tried."""
        with self._changed:
            while not self._waiting and not late and self._until is None:
                self._changed.wait()
            if late and not self._waiting and self._until is None:
                # What is late is tried again by and by.
                self._changed.wait(FOLLOW_SECONDS)
            waiting, self._waiting = self._waiting, []
            over = self._until is not None and time.monotonic() >= self._until
            if over or (self._until is not None and not waiting and not late):
                for position in waiting:
                    self._tell(position, "the time is over")
                return None
            return waiting

    def _publish(self, own: Ledger, waiting: list[int], late: int) -> int:
        """Try once, tell what came of it, and return the position that Kafka does not have; 0."""
        last = waiting[-1] if waiting else late
        left = REQUIRED_SECONDS
        if self._until is not None:
            left = min(left, max(self._until - time.monotonic(), FOLLOW_SECONDS))
        reason = self._tried(own, last, left)
        if reason is None:
            # What was late has come too: the last of it is told.
            for position in waiting or [late]:
                self._tell(position, None)
            return 0
        for position in waiting:
            self._tell(position, reason)
        return last

    def _tried(self, own: Ledger, last: int, seconds: float) -> str | None:
        try:
            reason = _late(self._cli, own, last, seconds=seconds)
        except LedgerError as error:
            # The topics are not as they must be, or do not let us in: recording goes on, and the
            # reason is said whenever it is another one.
            reason = str(error)
            if reason != self._refused:
                log_event(
                    _LOG, logging.WARNING, "recorded.refused", error=error.code, detail=reason
                )
                self._cli.screen.warn(error_texts(error, self._cli.lang)[0])
            self._refused = reason
        else:
            self._refused = ""
        return reason

    def _tell(self, position: int, reason: str | None) -> None:
        with self._changed:
            if self._ended:
                return
            if position in self._untold:
                self._untold.remove(position)
            if reason is None:
                log_event(_LOG, logging.INFO, "recorded.published", position=position)
            else:
                log_event(_LOG, logging.WARNING, "recorded.late", position=position, reason=reason)
            self._cli.screen.note(_told(self._cli, position, confirmed=reason is None))


def _told(cli: Cli, head: int, *, confirmed: bool) -> str:
    if confirmed:
        return cli.tr(
            f"Registrato e pubblicato fino alla posizione {head}.",
            f"Recorded and published up to position {head}.",
        )
    return cli.tr(
        f"Registrato, non ancora pubblicato (posizione {head}): lo farà "
        f"`{cli.remedy('publish --once')}`.",
        f"Recorded, not yet published (position {head}): "
        f"`{cli.remedy('publish --once')}` will do it.",
    )


def _late(cli: Cli, own: Ledger, head: int, *, seconds: float) -> str | None:
    """Publish, or watch the publisher that does; return why Kafka has not all, None when it has.

    Raises:
        LedgerError: the topics are unsafe, differ, or refuse this user.
    """
    until = time.monotonic() + seconds
    broker = broker_of(cli, wait_seconds=seconds / 2)
    reason = "the time is over"
    while time.monotonic() < until:
        try:
            with Publisher(own, broker) as publisher:
                publisher.publish(seconds=until - time.monotonic(), steady=False)
        except BrokerAccessError:
            raise
        except (BrokerError, PublishUnfinishedError) as error:
            return error.facts["reason"]
        except PublisherBusyError as busy:
            # A publisher that follows sends it: its topics tell when.
            try:
                with Source(broker) as source:
                    lacking = why_not_whole(source, own, through=head)
            except BrokerError as error:
                return error.facts["reason"]
            if lacking is None:
                return None
            # What differs may be what the other one is mending; if not, it is raised when its
            # lock is free.
            reason = f"{busy}; {lacking}"
            time.sleep(FOLLOW_SECONDS)
        else:
            return None
    return reason


def _head(cli: Cli) -> int:
    try:
        return cli.open().head()
    except LedgerMissingError:
        return 0
