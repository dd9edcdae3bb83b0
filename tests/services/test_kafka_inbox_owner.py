"""Whose an inbox is, on a real broker: a prefix for each ledger, and no verdict of another one."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid1

import pytest

from ledger.application import LedgerApplication
from ledger.clock import SystemEntropy
from ledger.kafka.client.broker import Admin
from ledger.kafka.client.connection import Broker
from ledger.kafka.client.member import Member
from ledger.kafka.errors import BrokerError, InboxForeignError
from ledger.kafka.guard import create_topics
from ledger.kafka.inbox.guard import create_inbox
from ledger.kafka.inbox.letters import letters
from ledger.kafka.publisher import Publisher
from ledger.kafka.topics import Topics, dead_letters_of
from tests.services.test_kafka_inbox import (
    BROKER,
    PARTITIONS,
    ROOT,
    assert_exact,
    goods,
    send,
    take,
)
from tests.support.kafka import SERVERS, published_as
from tests.support.ledgers import FakeClock, store_at
from tests.support.production import production_ledger

pytestmark = [
    pytest.mark.skipif(
        not SERVERS, reason="no Kafka: scripts/services up, then make test-services"
    ),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture
def topics() -> Iterator[Topics]:
    made = Topics(prefix=f"t{uuid1().hex}")
    name = made.inbox("production")
    with Admin(BROKER) as admin:
        create_inbox(admin, name, partitions=PARTITIONS)
    yield made
    with Admin(BROKER) as admin:
        admin.delete(list(admin.states([*made.all, name, dead_letters_of(name)])))


@pytest.fixture
def owner(tmp_path: Path) -> LedgerApplication:
    return production_ledger(tmp_path / "owner.db")


@pytest.fixture
def other(tmp_path: Path) -> LedgerApplication:
    """Another body's ledger, which knows no unit: it refuses every fact."""
    clock, entropy = FakeClock(), SystemEntropy()
    store = store_at(tmp_path / "other.db", clock=clock, entropy=entropy)
    return LedgerApplication.create(store, clock=clock, entropy=entropy, body="Comune")


def test_an_inbox_under_the_prefix_of_another_ledger_is_refused_and_left_as_it_is(
    owner: LedgerApplication, other: LedgerApplication, topics: Topics
) -> None:
    published = published_as(owner, topics.prefix)
    with Admin(BROKER) as admin:
        create_topics(admin, topics)
    with Publisher(published, BROKER) as publisher:
        publisher.publish(seconds=20)
    inbox = topics.inbox("production")
    send(inbox, goods(4))

    with pytest.raises(InboxForeignError) as refused:
        take(other, inbox)

    assert owner.identity.opened is not None
    assert refused.value.facts["owner"] == owner.identity.opened.ledger_id
    assert letters(BROKER, inbox) == []
    take(owner, inbox)
    assert_exact(owner, inbox, [f"g{n}" for n in range(4)], 0)


def test_what_another_ledger_refused_is_no_verdict(
    owner: LedgerApplication, other: LedgerApplication, topics: Topics
) -> None:
    inbox = topics.inbox("production")
    # Nothing was published yet, so nothing tells whose the prefix is.
    send(inbox, goods(6))
    assert sum(one.refused for one in take(other, inbox)) == 6
    assert owner.identity.opened is not None
    own_id = owner.identity.opened.ledger_id

    taken = take(owner, inbox)

    assert (sum(one.facts for one in taken), sum(one.refused for one in taken)) == (6, 0)
    assert len(letters(BROKER, inbox)) == 6
    assert letters(BROKER, inbox, ledger_id=own_id) == []


def poll_for(member: Member, *, seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        member.poll(100)


@pytest.mark.skipif(
    "REGISTRO_SERVICES_KAFKA" not in os.environ, reason="the broker is not ours to kill"
)
def test_a_member_to_whom_nothing_comes_notices_that_kafka_is_gone(
    topics: Topics, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ledger.kafka.client.member.SILENT_SECONDS", 0.5)
    folder = Path(os.environ["REGISTRO_SERVICES_KAFKA"])
    inbox = topics.inbox("production")
    member = Member(Broker(servers=SERVERS, wait_seconds=2), [inbox], group=inbox, share=False)
    try:
        # While it is there silence is no error.
        assert [member.poll(100) for _ in range(10)] == [{}] * 10
        os.kill(int((folder / "pid").read_text()), signal.SIGKILL)
        with pytest.raises(BrokerError):
            poll_for(member, seconds=20)
    finally:
        member.close()
        subprocess.run(
            [ROOT / "scripts" / "kafka" / "broker", folder, SERVERS.rpartition(":")[2]],
            check=True,
            timeout=90,
        )
