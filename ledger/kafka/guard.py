"""Topics must be set up so that nothing is ever lost: create them, and check them before each use.

Invariants:
1. Nothing is published to a topic that expires, compacts or cuts its log, that elects leaders which
   lack records, or whose log no longer begins at offset 0.
2. The guard never repairs by itself: it names topic, setting, what it found, what is wanted and the
   command that mends it.

Source: docs/kafka.md, topics.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from ledger.kafka.client.broker import Admin, TopicState
from ledger.kafka.errors import TopicGuardError
from ledger.kafka.topics import FACTS_PARTITIONS, Topics, settings_of

VERSION_MIN: Final = (2, 7)
"""Older brokers let a fenced producer take its identifier back."""
INSYNC: Final = 2
"""Replicas in sync that are asked for where there are as many."""
MEND: Final = "registro kafka topics --mend"
CREATE: Final = "registro kafka topics --create"
CHECK: Final = "registro kafka topics"


@dataclass(frozen=True, kw_only=True, slots=True)
class Mismatch:
    """One thing that is not as it must be."""

    topic: str
    """`*` for the broker itself."""
    setting: str
    found: str
    wanted: str
    remedy: str
    """Command that mends it."""

    def error(self, *, check: str = CHECK) -> TopicGuardError:
        """Return it as the refusal.

        Args:
            check: command that shows everything that is wrong with the topics of this kind.
        """
        return TopicGuardError(
            topic=self.topic,
            setting=self.setting,
            found=self.found,
            wanted=self.wanted,
            remedy=self.remedy,
            check=check,
        )


def insync_of(replicas: int) -> int:
    """Return how many replicas must be in sync: one less than there are, from 1 to 2 at most."""
    return max(1, min(INSYNC, replicas - 1))


def mismatches(admin: Admin, topics: Topics) -> tuple[Mismatch, ...]:
    """Return everything that is not as it must be; empty when records are safe."""
    found: list[Mismatch] = []
    version = admin.version()
    if version < VERSION_MIN:
        found.append(
            Mismatch(
                topic="*",
                setting="broker version",
                found=".".join(map(str, version)),
                wanted=f"{'.'.join(map(str, VERSION_MIN))} or later",
                remedy="upgrade the broker",
            )
        )
    states = admin.states(topics.all)
    for topic in topics.all:
        state = states.get(topic)
        if state is None:
            found.append(missing(topic, remedy=CREATE))
        else:
            found.extend(_of_topic(topic, state, topics))
    return tuple(found)


def _of_topic(topic: str, state: TopicState, topics: Topics) -> Iterator[Mismatch]:
    if topic == topics.events and state.partitions != 1:
        yield Mismatch(
            topic=topic,
            setting="partitions",
            found=str(state.partitions),
            wanted="1",
            remedy="publish under a new kafka_prefix",
        )
    for setting, wanted in settings_of(insync=insync_of(state.replicas)).items():
        found = state.settings.get(setting, "unknown")
        if not holds(setting, found, wanted):
            yield Mismatch(topic=topic, setting=setting, found=found, wanted=wanted, remedy=MEND)
    yield from cut_starts(
        topic, state, remedy="publish under a new kafka_prefix: records are gone from this topic"
    )


def missing(topic: str, *, remedy: str) -> Mismatch:
    """Return what is wrong when a topic is not there."""
    return Mismatch(topic=topic, setting="topic", found="missing", wanted="there", remedy=remedy)


def cut_starts(topic: str, state: TopicState, *, remedy: str) -> Iterator[Mismatch]:
    """Yield the partitions of a topic that lost their beginning."""
    for number, start in enumerate(state.log_starts):
        if start != 0:
            yield Mismatch(
                topic=topic,
                setting=f"log start of partition {number}",
                found=str(start),
                wanted="0",
                remedy=remedy,
            )


def holds(setting: str, found: str, wanted: str) -> bool:
    """Tell whether a setting is as it must be: equal, or for some no less."""
    at_least = {"min.insync.replicas", "max.message.bytes"}
    if setting in at_least and found.isdigit():
        return int(found) >= int(wanted)
    return found == wanted


def verify_topics(admin: Admin, topics: Topics) -> None:
    """Refuse topics that could lose records.

    Raises:
        TopicGuardError: the first thing that is not as it must be.
    """
    found = mismatches(admin, topics)
    if found:
        raise found[0].error()


def create_topics(
    admin: Admin, topics: Topics, *, partitions: int = FACTS_PARTITIONS, replicas: int = 1
) -> Sequence[str]:
    """Create the topics that are missing and return their names.

    Args:
        admin: of the broker.
        topics: their names.
        partitions: of each topic of facts.
        replicas: copies of each partition; 3 in production.
    """
    there = admin.states(topics.all)
    absent = [topic for topic in topics.all if topic not in there]
    if absent:
        counts = {topic: 1 if topic == topics.events else partitions for topic in absent}
        admin.create(counts, replicas=replicas, settings=settings_of(insync=insync_of(replicas)))
    return absent


def mend_topics(admin: Admin, topics: Topics) -> Sequence[str]:
    """Set the settings of topics as they must be and return the names of those changed."""
    changed = []
    for topic, state in admin.states(topics.all).items():
        wanted = settings_of(insync=insync_of(state.replicas))
        wrong = {
            name: value
            for name, value in wanted.items()
            if not holds(name, state.settings.get(name, "unknown"), value)
        }
        if wrong:
            admin.alter(topic, wrong)
            changed.append(topic)
    return changed
