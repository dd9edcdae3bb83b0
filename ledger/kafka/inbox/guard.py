"""Topics of an inbox: create them, and check them before each use.

An inbox may expire: what the ledger has taken is in the ledger. What was refused is only in the
`.dlq` topic, which never expires.

Invariants:
1. Nothing is taken from an inbox that compacts, which loses facts of the same key, or that takes
   messages which the `.dlq` topic could not hold.
2. Every partition of an inbox has one of the same number in its `.dlq` topic.
3. Where the topics under a prefix are of another ledger, its inboxes are that ledger's as well.

Source: docs/inbox.md; docs/adr/0015-inbox.md.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from ledger.kafka.client.broker import Admin, TopicState
from ledger.kafka.client.connection import Broker
from ledger.kafka.client.source import Source
from ledger.kafka.errors import InboxForeignError
from ledger.kafka.guard import Mismatch, cut_starts, holds, insync_of, missing
from ledger.kafka.merging import origin_of_events
from ledger.kafka.topics import (
    FACTS_PARTITIONS,
    FRAME_BYTES,
    MESSAGE_BYTES_MAX,
    Topics,
    dead_letters_of,
    settings_of,
)

RETENTION_DAYS: Final = 30
"""How long a new inbox keeps messages: longer than any intake stands still."""
_DAY_MILLISECONDS: Final = 24 * 60 * 60 * 1000
_BYTES: Final = "max.message.bytes"


def inbox_settings(*, insync: int) -> Mapping[str, str]:
    """Return the settings of a new inbox."""
    return {
        **settings_of(insync=insync),
        "retention.ms": str(RETENTION_DAYS * _DAY_MILLISECONDS),
        _BYTES: str(MESSAGE_BYTES_MAX - FRAME_BYTES),
    }


def inbox_mismatches(admin: Admin, inbox: str) -> tuple[Mismatch, ...]:
    """Return everything about an inbox that is not as it must be."""
    dead = dead_letters_of(inbox)
    states = admin.states([inbox, dead])
    absent = tuple(
        missing(one, remedy=inbox_command(inbox)) for one in (inbox, dead) if one not in states
    )
    return absent or tuple(_wrong(inbox, states))


def verify_inbox(admin: Admin, inbox: str) -> None:
    """Refuse an inbox that could lose messages.

    Raises:
        TopicGuardError: the first thing that is not as it must be.
    """
    found = inbox_mismatches(admin, inbox)
    if found:
        raise found[0].error(check=inbox_command(inbox))


def create_inbox(
    admin: Admin, inbox: str, *, partitions: int = FACTS_PARTITIONS, replicas: int = 1
) -> Sequence[str]:
    """Create an inbox and its `.dlq` topic, mend the settings of those that are there.

    Args:
        admin: of the broker.
        inbox: name of the topic.
        partitions: of a new inbox.
        replicas: copies of each partition; 3 in production.

    Returns:
        The topics that were created.
    """
    dead = dead_letters_of(inbox)
    states = admin.states([inbox, dead])
    if inbox in states:
        partitions = states[inbox].partitions
    absent = [one for one in (inbox, dead) if one not in states]
    insync = insync_of(replicas)
    for one in absent:
        settings = inbox_settings(insync=insync) if one == inbox else settings_of(insync=insync)
        admin.create({one: partitions}, replicas=replicas, settings=settings)
    for one, state in states.items():
        wrong = {name: wanted for name, _, wanted in _settings(one, inbox, state)}
        if wrong:
            admin.alter(one, wrong)
    return absent


def inbox_command(inbox: str) -> str:
    """Return the command that makes, checks and mends the topics of an inbox."""
    return f"registro inbox {inbox.split('.')[-2]} --create"


def _wrong(inbox: str, states: Mapping[str, TopicState]) -> Iterator[Mismatch]:
    dead = dead_letters_of(inbox)
    for topic, state in states.items():
        for setting, found, wanted in _settings(topic, inbox, state):
            yield Mismatch(
                topic=topic,
                setting=setting,
                found=found,
                wanted=wanted,
                remedy=inbox_command(inbox),
            )
    if states[dead].partitions < states[inbox].partitions:
        yield Mismatch(
            topic=dead,
            setting="partitions",
            found=str(states[dead].partitions),
            wanted=f"{states[inbox].partitions} or more",
            remedy=f"add partitions to {dead} with the tools of Kafka",
        )
    yield from cut_starts(
        dead, states[dead], remedy="take in under a new kafka_prefix: refused messages are gone"
    )


def _settings(topic: str, inbox: str, state: TopicState) -> Iterator[tuple[str, str, str]]:
    """Yield the settings that are wrong: name, found, wanted."""
    wanted = dict(settings_of(insync=insync_of(state.replicas)))
    limit = MESSAGE_BYTES_MAX - FRAME_BYTES
    if topic == inbox:
        # An inbox may expire, and may allow less.
        del wanted["retention.ms"], wanted["retention.bytes"]
        wanted[_BYTES] = str(limit)
    for name, value in wanted.items():
        found = state.settings.get(name, "unknown")
        if topic == inbox and name == _BYTES and found.isdigit():
            good = int(found) <= limit
        else:
            good = holds(name, found, value)
        if not good:
            yield name, found, value


def require_own(broker: Broker, inbox: str, ledger_id: str) -> None:
    """Refuse an inbox under the prefix of another ledger: its messages are not for this one.

    Before that ledger has published anything nothing tells whose the prefix is.

    Args:
        broker: where the topics are.
        inbox: name of its topic.
        ledger_id: of the ledger that would take the messages in.

    Raises:
        InboxForeignError: the prefix is another ledger's.
        BrokerError: Kafka does not answer.
    """
    events = Topics(prefix=inbox.partition(".inbox.")[0]).events
    with Source(broker) as source:
        origin = origin_of_events(source, source.partitions(events))
    if origin is not None and origin.ledger_id != ledger_id:
        raise InboxForeignError(topic=inbox, ledger=ledger_id, owner=origin.ledger_id)
