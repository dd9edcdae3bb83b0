"""The live tail by the command, with a database that goes away: members stay, and work is spared.

The PostgreSQL server is this module's own.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest

from app.cli.production.live_tail import OTHERS_SECONDS
from ledger.application import LedgerApplication
from ledger.kafka.client.broker import Admin
from ledger.kafka.guard import create_topics
from ledger.kafka.publisher import Publisher
from ledger.kafka.tails import Ledger
from projections.runner.views import Generation
from projections.tail.tail import Tail
from tests.services.test_kafka_tail import BROKER, PRODUCTION, ROOT, Scene, prefix, scene
from tests.services.test_views_postgresql import server, wait_for
from tests.support.cli import run
from tests.support.kafka import SERVERS, add_facts, ledger_with_facts, published_as
from tests.support.ledgers import place_of
from tests.support.postgresql_server import BIN, Server

__all__ = ["prefix", "scene", "server"]

INTERRUPTED = 130
LOOKS = 4

pytestmark = [
    pytest.mark.skipif(
        not SERVERS, reason="no Kafka: scripts/services up, then make test-services"
    ),
    pytest.mark.timeout(180),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@dataclass(frozen=True, kw_only=True, slots=True)
class Published:
    """A ledger whose records are in its topics."""

    application: LedgerApplication
    ledger: Ledger


@pytest.fixture
def published(
    server: Server, tmp_path: Path, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Published]:
    """A published ledger on the server; its read models stand beside it."""
    monkeypatch.setenv("REGISTRO_TEST_STORE", "postgresql")
    monkeypatch.setenv("REGISTRO_TEST_POSTGRESQL", server.url)
    path = tmp_path / "ledger.db"
    application = ledger_with_facts(path)
    monkeypatch.setenv("REGISTRO_LEDGER", place_of(path))
    ledger = published_as(application, prefix)
    with Admin(BROKER) as admin:
        create_topics(admin, ledger.topics)
    publish(ledger)
    yield Published(application=application, ledger=ledger)
    with Admin(BROKER) as admin:
        admin.delete(list(admin.states(ledger.topics.all)))
    application.store.engine.dispose()


def publish(ledger: Ledger) -> None:
    with Publisher(ledger, BROKER) as publisher:
        publisher.publish(seconds=20)


def started(*words: str) -> "subprocess.Popen[str]":
    """Start a command in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "app", "--lang", "en", *words],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.skipif(not BIN, reason="no PostgreSQL: scripts/services up")
def test_a_member_goes_on_after_the_database_was_killed_and_started_again(
    server: Server, published: Published, tmp_path: Path
) -> None:
    place, store = os.environ["REGISTRO_LEDGER"], published.ledger.store
    with started("catch-up", "--source", "kafka", "--follow") as child:
        try:
            wait_for(place, store.head())
            server.kill()
            time.sleep(2)
            ended = child.poll()
            server.start()
            assert ended is None
            add_facts(published.application, tmp_path, batch_name="2")
            publish(published.ledger)
            wait_for(place, store.head())
        finally:
            child.send_signal(signal.SIGINT)
            _, said = child.communicate(timeout=60)

    assert child.returncode == INTERRUPTED, said
    assert "cannot be opened" in said
    assert "Traceback" not in said
    with started("verify", "--deep") as verify:
        found = verify.communicate(timeout=60)
    assert verify.returncode == 0, found


def test_the_others_are_looked_at_twice_a_second_at_most(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[float] = []

    def look(*_: object) -> None:
        looks.append(time.monotonic())
        if len(looks) == LOOKS:
            raise KeyboardInterrupt

    monkeypatch.setattr("app.cli.production.catching_up._Work.look", look)
    words = ("catch-up", "--source", "kafka", "--follow", "--interval", "0.01")

    ran = run(*words, "--ledger", scene.path)

    assert ran.code == INTERRUPTED
    pauses = [later - earlier for earlier, later in pairwise(looks)]
    assert min(pauses) >= OTHERS_SECONDS


def test_what_was_moved_under_a_member_is_gone_on_from_and_folded_only_once(scene: Scene) -> None:
    asked: list[int] = []
    moved: list[int] = []

    def catch_up() -> Generation:
        asked.append(scene.position)
        return scene.runner.catch_up(PRODUCTION)

    def beside(point: str) -> None:
        if point == "tail.before_merge" and not moved:
            moved.append(scene.runner.catch_up(PRODUCTION).position)

    with Tail(
        scene.ledger, BROKER, scene.views, PRODUCTION, catch_up=catch_up, fault_point=beside
    ) as tail:
        scene.until_head(tail)
        scene.add("2")
        scene.publish()
        scene.until_head(tail)
        scene.add("3")
        scene.publish()
        scene.until_head(tail)

    assert asked == [0], "once, before the group began"
    assert len(moved) == 1
    scene.assert_as_rebuilt()
