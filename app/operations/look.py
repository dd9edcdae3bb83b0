"""Look at a ledger and at what follows it, and return a `Snapshot`.

Source: docs/operating.md, status.
"""

from pathlib import Path
from typing import Final

from app.cli.context import Cli
from app.cli.evidence.sealing import known_keys, log_folder, max_seal_delay
from app.cli.kafka.publishing import broker_of, ledger_of, topics_of
from app.operations.snapshot import Behind, Published, ReadModel, SealedUpTo, Snapshot
from ledger.application import LedgerApplication
from ledger.errors import ConfigurationError, StoreError
from ledger.evidence.checkpoint import open_checkpoint
from ledger.evidence.problems import EvidenceError, LogMissingError
from ledger.evidence.tiles import TileReader
from ledger.kafka.errors import BrokerError
from ledger.kafka.inbox.waiting import InboxWaiting, waiting_inboxes
from ledger.kafka.reached import reached
from ledger.store.engine import shown
from ledger.types import BEFORE_FIRST, Position
from projections.runner.standing import standings

WAIT_SECONDS: Final = 3.0
"""How long each question to Kafka may take."""


def look(cli: Cli, ledger: LedgerApplication, *, views: str) -> Snapshot:
    """Look at every stage once.

    Args:
        cli: names Kafka and the sealed log.
        ledger: opened for reading.
        views: URL of the read models.

    Raises:
        LedgerError: the ledger cannot be read, or a setting is wrong.
    """
    opened = ledger.identity.opened
    published = _published(cli, ledger)
    inboxes, inboxes_reason = _inboxes(cli, ledger, published)
    sealed = _sealed(cli, ledger)
    models, reason = _models(ledger, views)
    head = ledger.head()
    last = ledger.store.pending(Position(head - 1)).since if head else None
    age = None if last is None else max((ledger.clock.now() - last).total_seconds(), 0.0)
    return Snapshot(
        ledger=shown(ledger.store.engine.url),
        ledger_id=None if opened is None else opened.ledger_id,
        origin=None if opened is None else opened.origin,
        body=ledger.identity.body,
        sandbox=opened is not None and opened.sandbox,
        head=head,
        last_recorded_at=last,
        age_seconds=age,
        inboxes=inboxes,
        inboxes_reason=inboxes_reason,
        published=published,
        sealed=sealed,
        read_models=models,
        read_models_reason=reason,
    )


def _behind(ledger: LedgerApplication, position: int) -> Behind:
    pending = ledger.store.pending(Position(position))
    age = 0.0
    if pending.since is not None:
        age = max((ledger.clock.now() - pending.since).total_seconds(), 0.0)
    return Behind(
        position=Position(position), records=pending.records, events=pending.events, seconds=age
    )


def _published(cli: Cli, ledger: LedgerApplication) -> Published | None:
    servers = cli.settings["kafka"]
    if not servers or cli.settings["publish"] == "off" or ledger.identity.opened is None:
        return None
    try:
        found = reached(ledger_of(cli, ledger), broker_of(cli, wait_seconds=WAIT_SECONDS))
    except BrokerError as error:
        return Published(
            servers=servers,
            reachable=False,
            reason=error.facts["reason"],
            behind=None,
            mismatches=(),
            diverged=None,
        )
    return Published(
        servers=servers,
        reachable=True,
        reason=None,
        behind=None if found.position is None else _behind(ledger, found.position),
        mismatches=found.mismatches,
        diverged=None if found.diverged is None else str(found.diverged),
    )


def _inboxes(
    cli: Cli, ledger: LedgerApplication, published: Published | None
) -> tuple[tuple[InboxWaiting, ...], str | None]:
    if not cli.settings["kafka"]:
        return (), None
    if published is not None and not published.reachable:
        # Asked a moment ago: nobody waits for it twice.
        return (), published.reason
    broker = broker_of(cli, wait_seconds=WAIT_SECONDS)
    try:
        return waiting_inboxes(ledger, broker, topics_of(cli)), None
    except BrokerError as error:
        return (), error.facts["reason"]


def _sealed(cli: Cli, ledger: LedgerApplication) -> SealedUpTo | None:
    limit = max_seal_delay(cli)
    try:
        folder = log_folder(cli)
    except ConfigurationError:
        # The ledger is on a server and no folder is named: sealing is not set up here.
        if limit is not None:
            raise
        return None
    size, reason = _checkpoint(ledger, folder)
    return SealedUpTo(
        log=str(folder),
        checkpoint=size is not None,
        behind=_behind(ledger, size or BEFORE_FIRST),
        max_delay_seconds=limit,
        reason=reason,
    )


def _checkpoint(ledger: LedgerApplication, folder: Path) -> tuple[int | None, str | None]:
    """Return how many records the checkpoint covers, and why it is not believed."""
    opened = ledger.identity.opened
    try:
        signed = open_checkpoint(TileReader(folder).checkpoint(), known_keys(ledger, None))
    except LogMissingError:
        return None, None
    except EvidenceError as error:
        return None, str(error)
    head = signed.checkpoint
    if opened is not None and head.origin != opened.origin:
        return None, f"origin {head.origin}, not {opened.origin}"
    return head.size, None


def _models(ledger: LedgerApplication, views: str) -> tuple[tuple[ReadModel, ...], str | None]:
    try:
        found = standings(views)
    except StoreError as error:
        return (), str(error)
    return tuple(
        ReadModel(
            name=one.projection,
            generation=one.generation,
            behind=_behind(ledger, one.position),
            fallbacks=one.fallbacks,
            halted_at=one.halted_at,
            halted_reason=one.halted_reason,
        )
        for one in found
    ), None
