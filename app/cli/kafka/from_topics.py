"""A ledger read from its topics alone, for commands that take `--source kafka`.

Either the records are restored into a file of their own, every commitment computed again, and the
file goes with the command; or whoever folds them reads them from the topics. Nothing is written
where the settings name a ledger.

Source: docs/kafka.md, reading from the topics.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from app.cli.context import Cli
from app.cli.kafka.publishing import broker_of, topics_of
from ledger.application import LedgerApplication
from ledger.discrepancy import Discrepancy
from ledger.errors import LedgerError, LedgerMissingError
from ledger.kafka.client.connection import Broker
from ledger.kafka.errors import TopicRestoreError
from ledger.kafka.frozen import FrozenTopics, freeze
from ledger.kafka.message import Origin
from ledger.kafka.restore import Restored, restore
from ledger.scratch import scratch_folder
from ledger.store.engine import open_engine, store_url
from ledger.store.store import Store
from ledger.types import FIRST_POSITION

_FILE: Final = "ledger.db"


@dataclass(frozen=True, kw_only=True, slots=True)
class TopicsLedger:
    """What the topics gave."""

    ledger: LedgerApplication
    url: str
    """Of its store, which is there as long as the context."""
    restored: Restored
    place: str
    """Servers and prefix, as they are shown."""

    @property
    def discrepancies(self) -> tuple[Discrepancy, ...]:
        """What stands in the topics and should not, or is not there and should."""
        return self.restored.discrepancies

    def facts(self) -> dict[str, object]:
        """Return what is answered in JSON about the messages."""
        done = self.restored
        return {
            "messages": done.messages,
            "foreign": done.foreign,
            "repeated": done.repeated,
            "cut": done.cut,
        }

    def lines(self, cli: Cli) -> list[str]:
        """Return what is said to people about messages that were not used."""
        return told_of(cli, self.restored)


def told_of(cli: Cli, done: Restored) -> list[str]:
    """Return what is said to people about messages that were not used.

    Args:
        cli: knows the language.
        done: what the topics gave.
    """
    told = []
    if done.foreign or done.repeated:
        told.append(
            cli.tr(
                f"Messaggi tralasciati: estranei {done.foreign}, ripetuti {done.repeated}.",
                f"Messages passed over: foreign {done.foreign}, repeated {done.repeated}.",
            )
        )
    if done.cut:
        told.append(
            cli.tr(
                f"Dopo la posizione {done.position} i topic hanno messaggi di una "
                "registrazione incompleta: esclusi.",
                f"Behind position {done.position} the topics hold messages of an incomplete "
                "append: left out.",
            )
        )
    return told


def frozen_topics(cli: Cli) -> FrozenTopics:
    """Return the ledger that the topics hold now, to be read by whoever folds it.

    Raises:
        ConfigurationError: the settings name no broker.
        TopicRestoreError: the topics do not begin with a ledger, or are of another one than the
            settings name.
        BrokerError: Kafka does not answer.
    """
    frozen = freeze(_travelling(broker_of(cli)), topics_of(cli))
    _refuse_another(cli, frozen.origin)
    return frozen


def _travelling(broker: Broker) -> Broker:
    """Return a broker as others name it: the path of a file does not depend on the folder."""
    authority = broker.security.authority
    if authority is None:
        return broker
    return replace(broker, security=replace(broker.security, authority=authority.absolute()))


@contextlib.contextmanager
def topics_ledger(cli: Cli) -> Iterator[TopicsLedger]:
    """Give the ledger that the topics hold, as long as the context.

    Raises:
        ConfigurationError: the settings name no broker.
        TopicRestoreError: the topics do not give a ledger, or give another one than the settings
            name.
        StoredEventDecodeError: a record does not give its commitment.
        BrokerError: Kafka does not answer.
        StoreError: there is no room for temporary files.
    """
    broker, topics = broker_of(cli), topics_of(cli)
    # The folder is its owner's alone: what a ledger holds is not for everybody on the machine.
    with scratch_folder() as folder:
        path = str(folder / _FILE)
        store = Store(open_engine(store_url(path)), clock=cli.clock, entropy=cli.entropy)
        try:
            restored = restore(store, broker, topics)
            _refuse_another(cli, restored.origin)
            ledger = _opened(cli, store, restored)
            cli.screen.zone = ledger.zone
            yield TopicsLedger(
                ledger=ledger,
                url=path,
                restored=restored,
                place=f"kafka://{broker.servers}/{topics.prefix}",
            )
        finally:
            store.engine.dispose()


def _opened(cli: Cli, store: Store, restored: Restored) -> LedgerApplication:
    try:
        return LedgerApplication.open(store, clock=cli.clock, entropy=cli.entropy)
    except LedgerMissingError as error:
        raise TopicRestoreError(
            position=restored.position + 1, reason="the topics end before the ledger is opened"
        ) from error


def _refuse_another(cli: Cli, origin: Origin) -> None:
    """Refuse topics of another ledger than the one that the settings name, if it is there."""
    try:
        opened = cli.open().identity.opened
    except LedgerError:
        # A ledger that was lost is what topics are for.
        return
    if opened is not None and opened.ledger_id != origin.ledger_id:
        raise TopicRestoreError(
            position=FIRST_POSITION,
            reason=f"the topics are of ledger {origin.ledger_id}, "
            f"the settings name ledger {opened.ledger_id}",
        )
