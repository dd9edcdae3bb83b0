"""Publish behind a command that records, where the setting `publish` is `required`.

1. Nothing is recorded where no Kafka is named: the run is refused before it begins.
2. What was recorded stays, whatever Kafka does afterwards.
3. A command that recorded nothing waits for nobody.

Source: docs/kafka.md, settings.
"""

import time
from dataclasses import dataclass
from typing import Final

from app.cli.context import Cli
from app.cli.kafka.publishing import FOLLOW_SECONDS, broker_of, ledger_of
from ledger.errors import LedgerMissingError
from ledger.kafka.client.source import Source
from ledger.kafka.errors import BrokerError, PublisherBusyError, PublishUnfinishedError
from ledger.kafka.publisher import Publisher
from ledger.kafka.tails import Ledger, is_whole

REQUIRED_SECONDS: Final = 10.0
"""How long a recording command waits for Kafka when publishing is required."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Before:
    """How far the ledger had come before a command ran."""

    head: int


def before(cli: Cli) -> Before:
    """Return the head in front of a command; 0 where there is no ledger yet.

    Raises:
        ConfigurationError: no Kafka is named, or not as it must be.
    """
    broker_of(cli)
    return Before(head=_head(cli))


def publish_since(cli: Cli, started: Before) -> None:
    """Publish what a command has recorded, and say whether Kafka has it.

    Args:
        cli: the run, behind its command.
        started: what `before` returned in front of it.

    Raises:
        LedgerError: the topics are unsafe, differ, or refuse this user; what was recorded stays.
    """
    if _head(cli) > started.head:
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
        confirmed = _confirmed(cli, own, head)
    finally:
        # Also in front of a refusal: that something was recorded must not be in doubt.
        cli.screen.note(_told(cli, head, confirmed=confirmed))


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


def _confirmed(cli: Cli, own: Ledger, head: int) -> bool:
    until = time.monotonic() + REQUIRED_SECONDS
    broker = broker_of(cli, wait_seconds=REQUIRED_SECONDS / 2)
    while time.monotonic() < until:
        try:
            with Publisher(own, broker) as publisher:
                publisher.publish(seconds=until - time.monotonic(), steady=False)
        except (BrokerError, PublishUnfinishedError):
            return False
        except PublisherBusyError:
            # A publisher that follows sends it: its topics tell when.
            try:
                with Source(broker) as source:
                    if is_whole(source, own, through=head):
                        return True
            except BrokerError:
                return False
            time.sleep(FOLLOW_SECONDS)
        else:
            return True
    return False


def _head(cli: Cli) -> int:
    try:
        return cli.open().head()
    except LedgerMissingError:
        return 0
