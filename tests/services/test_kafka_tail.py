"""The live tail on a real broker: whoever dies, joins or lies, the rows are those of a rebuild.

Run by `make test-services`, in one process: one test kills the broker.
"""

import contextlib
import datetime as dt
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid1

import pytest

from ledger.aggregates.base import Proposal
from ledger.application import LedgerApplication
from ledger.envelopes import command
from ledger.events.publication import DocumentPublished
from ledger.kafka.client.broker import Admin
from ledger.kafka.client.connection import Broker, Partition, partition_of
from ledger.kafka.errors import TopicGuardError
from ledger.kafka.guard import create_topics
from ledger.kafka.message import Message
from ledger.kafka.publisher import Publisher
from ledger.kafka.tails import Ledger
from ledger.kafka.topics import FACTS_PARTITIONS, Topics
from projections.runner.database import open_views
from projections.runner.models import PROJECTIONS
from projections.runner.runner import Runner
from projections.runner.views import Generation, Views
from projections.tail.desk import Desk
from projections.tail.errors import TailReleaseError
from projections.tail.merging import HOPE_SECONDS
from projections.tail.tail import NEAR_MESSAGES, Step, Tail, group_name
from tests.support.cli import run
from tests.support.given import envelope
from tests.support.kafka import SERVERS, add_facts, ledger_with_facts, published_as, rogue
from tests.support.ledgers import place_of

ROOT = Path(__file__).parents[2]
BROKER = Broker(servers=SERVERS)
PRODUCTION = PROJECTIONS["production"]
LEAST_POINTS = 12
POINTS_MAX = 60
SESSION = 1000
SECONDS = 40

pytestmark = [
    pytest.mark.skipif(
        not SERVERS, reason="no Kafka: scripts/services up, then make test-services"
    ),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture
def prefix(monkeypatch: pytest.MonkeyPatch) -> str:
    own = f"t{uuid1().hex}"
    monkeypatch.setenv("REGISTRO_KAFKA", SERVERS)
    monkeypatch.setenv("REGISTRO_KAFKA_PREFIX", own)
    return own


@dataclass(frozen=True, kw_only=True, slots=True)
class Scene:
    """A published ledger and its read models."""

    application: LedgerApplication
    ledger: Ledger
    views: Views
    runner: Runner
    folder: Path

    def member(self) -> Tail:
        """Return one that is not in the group yet."""
        return Tail(
            self.ledger,
            BROKER,
            self.views,
            PRODUCTION,
            catch_up=lambda: self.runner.catch_up(PRODUCTION),
            session=SESSION,
        )

    def add(self, name: str, *, facts: int = 300) -> None:
        """Append a batch, and nine facts of another family."""
        add_facts(self.application, self.folder, batch_name=name, facts=facts)

    def publish(self, *, refill: bool = False) -> None:
        """Publish what is not there yet."""
        with Publisher(self.ledger, BROKER, refill=refill) as publisher:
            publisher.publish(seconds=20)

    @property
    def desk(self) -> Desk:
        """What the members work with."""
        return Desk(self.views.engine, PRODUCTION.name, release="test")

    @property
    def head(self) -> int:
        """Where the ledger ends."""
        return self.ledger.store.head()

    @property
    def live(self) -> Generation | None:
        """What readers see."""
        return self.views.live(PRODUCTION.name)

    @property
    def position(self) -> int:
        """Where that stands."""
        return 0 if self.live is None else self.live.position

    @property
    def path(self) -> str:
        """The ledger as the command line names it."""
        return place_of(path_in(self.folder))

    @property
    def where(self) -> tuple[str, str, str, str]:
        """What a child is told."""
        topics = self.ledger.topics
        return (str(path_in(self.folder)), SERVERS, topics.prefix, views_in(self.folder))

    def until_head(self, tail: Tail) -> list[Step]:
        """Let a member work until the read model is where the ledger is."""
        head, done = self.head, list[Step]()
        until = time.monotonic() + SECONDS
        while self.position < head:
            done.append(tail.step())
            assert time.monotonic() < until, f"at {self.position} of {head}: {done[-3:]}"
        return done

    def of(self, release: str) -> "Scene":
        """Return the same as another release sees it."""
        views = Views(self.views.engine, code_version=release)
        return replace(self, views=views, runner=Runner(self.application, views))

    def work_until_refused(self, refused: Tail, *others: Tail) -> None:
        """Let members work until one is told that its release is too old."""
        until = time.monotonic() + SECONDS
        try:
            while time.monotonic() < until:
                for one in (*others, refused):
                    one.step()
        except TailReleaseError:
            return
        pytest.fail("nobody was refused")

    def await_head(self) -> None:
        """Wait until others have brought the read model where the ledger is."""
        until = time.monotonic() + SECONDS
        while self.position < self.head:
            assert time.monotonic() < until, f"at {self.position} of {self.head}"
            time.sleep(0.05)

    def assert_as_rebuilt(self) -> None:
        """The rows, the position and the count of events are those of a rebuild."""
        before, digest = self.live, self.views.digest(PRODUCTION)
        rebuilt = self.runner.rebuild(PRODUCTION)
        assert before is not None
        assert (before.position, before.events, digest) == (
            rebuilt.position,
            rebuilt.events,
            rebuilt.digest,
        )


def path_in(folder: Path) -> Path:
    return folder / "ledger.db"


def views_in(folder: Path) -> str:
    return f"sqlite:///{folder / 'views.db'}"


@pytest.fixture
def scene(tmp_path: Path, prefix: str) -> Iterator[Scene]:
    application = ledger_with_facts(path_in(tmp_path))
    views = Views(open_views(views_in(tmp_path)), code_version="test")
    ledger = published_as(application, prefix)
    with Admin(BROKER) as admin:
        create_topics(admin, ledger.topics)
    made = Scene(
        application=application,
        ledger=ledger,
        views=views,
        runner=Runner(application, views),
        folder=tmp_path,
    )
    made.publish()
    yield made
    with Admin(BROKER) as admin:
        admin.delete(list(admin.states(ledger.topics.all)))
    views.engine.dispose()
    application.store.engine.dispose()


# One member


def test_what_was_there_comes_from_the_ledger_and_what_comes_from_the_topics(scene: Scene) -> None:
    with scene.member() as tail:
        first = scene.until_head(tail)
        scene.add("2", facts=9_000)
        scene.publish()
        second = scene.until_head(tail)

    assert sum(one.facts for one in first) == 0
    assert sum(one.facts for one in second) == 9_009
    scene.assert_as_rebuilt()


def test_a_group_that_begins_late_enters_the_topics_near_their_ends(scene: Scene) -> None:
    scene.add("2", facts=60_000)
    scene.publish()
    topic = scene.ledger.topics.facts("production")
    places = [Partition(topic, number) for number in range(FACTS_PARTITIONS)]

    with scene.member() as tail:
        while not tail.partitions:
            tail.step()
        begun = scene.desk.reaches(places)
        scene.add("3")
        scene.publish()
        scene.until_head(tail)

    assert max(one.offset for one in begun.values()) > NEAR_MESSAGES
    scene.assert_as_rebuilt()


def test_nothing_becomes_visible_before_it_is_published(scene: Scene) -> None:
    with scene.member() as tail:
        scene.until_head(tail)
        before = scene.head
        scene.add("2")
        for _ in range(20):
            tail.step()
        seen = scene.runner.lag(PRODUCTION)
        assert scene.position == before
        scene.publish()
        scene.until_head(tail)

    assert seen.events == 309
    scene.assert_as_rebuilt()


def test_governed_events_move_the_position_though_nobody_sums_them(scene: Scene) -> None:
    with scene.member() as tail:
        scene.until_head(tail)
        before = scene.head
        event = DocumentPublished(document_id="d", title="D", published_on=dt.date(2023, 1, 2))
        scene.application.execute(command("tail/1", [Proposal(event=event, envelope=envelope())]))
        scene.until_head(tail)

    assert scene.head > before
    scene.assert_as_rebuilt()


def test_a_topic_that_is_not_there_is_named(scene: Scene) -> None:
    unpublished = published_as(scene.application, f"t{uuid1().hex}")
    tail = replace(scene, ledger=unpublished).member()

    with pytest.raises(TopicGuardError) as refused, tail:
        tail.step()

    assert refused.value.facts["topic"] == unpublished.topics.all[1]


# Rebuilds and other runners beside


def test_a_rebuild_beside_the_group_is_gone_on_from(scene: Scene) -> None:
    with scene.member() as tail:
        scene.until_head(tail)
        scene.add("2")
        scene.runner.rebuild(PRODUCTION)
        scene.publish()
        scene.add("3")
        scene.publish()
        scene.until_head(tail)

    scene.assert_as_rebuilt()


def test_a_catch_up_from_the_ledger_beside_the_group_doubles_nothing(scene: Scene) -> None:
    with scene.member() as tail:
        scene.until_head(tail)
        scene.add("2", facts=2_000)
        scene.publish()
        tail.step()
        scene.runner.catch_up(PRODUCTION)
        scene.add("3")
        scene.publish()
        scene.until_head(tail)

    scene.assert_as_rebuilt()


# Messages that should not be there


def test_identical_messages_that_stand_there_twice_count_once(scene: Scene) -> None:
    with scene.member() as tail:
        scene.until_head(tail)
        scene.add("2")
        scene.publish()
        for message in scene.ledger.messages_at(scene.head - 1)[:5]:
            rogue(message, partition=partition_of(message.key, FACTS_PARTITIONS))
        scene.add("3")
        scene.publish()
        done = scene.until_head(tail)

    assert sum(one.facts for one in done) == 618
    scene.assert_as_rebuilt()


@pytest.mark.parametrize("forgery", ["body", "garbage", "schema", "partition"])
def test_a_message_forged_ahead_of_its_turn_is_found_out_and_passed_over(
    scene: Scene, forgery: str
) -> None:
    with scene.member() as tail, Publisher(scene.ledger, BROKER) as publisher:
        scene.until_head(tail)
        publisher.publish(seconds=20)
        scene.add("2")
        # The publisher looked at the tails before; it will not look again.
        forge(scene.ledger, forgery)
        done = [tail.step()]
        publisher.publish(seconds=20)
        done += scene.until_head(tail)

    assert sum(one.foreign for one in done) >= 1
    scene.assert_as_rebuilt()


def forge(ledger: Ledger, forgery: str) -> None:
    """Write a message that claims the place of one that is about to be published."""
    block = next(
        position
        for position in range(ledger.store.head(), 0, -1)
        if len(ledger.messages_at(position)) > FACTS_PARTITIONS
    )
    true = ledger.messages_at(block)[3]
    other = ledger.messages_at(block)[4]
    schema = ("schema_id", bytes(32))
    partition = partition_of(true.key, FACTS_PARTITIONS)
    match forgery:
        case "body":
            forged = true._replace(value=other.value)
        case "garbage":
            forged = true._replace(value=b"\xff" * 9)
        case "schema":
            forged = true._replace(headers=(*true.headers[:2], schema))
        case _:
            forged, partition = true, (partition + 1) % FACTS_PARTITIONS
    rogue(forged, partition=partition)


def test_a_message_far_ahead_of_the_ledger_stops_nothing(scene: Scene) -> None:
    topic = scene.ledger.topics.facts("production")
    headers = (("position", b"999999999"), ("index", b"1"), ("schema_id", bytes(32)))
    with scene.member() as tail, Publisher(scene.ledger, BROKER) as publisher:
        scene.until_head(tail)
        publisher.publish(seconds=20)
        for number in range(FACTS_PARTITIONS):
            keys = (f"k{n}".encode() for n in range(1000))
            key = next(key for key in keys if partition_of(key, FACTS_PARTITIONS) == number)
            rogue(Message(topic, key, b"x", headers), partition=number)
        scene.add("2")
        publisher.publish(seconds=20)
        done = scene.until_head(tail)

    assert sum(one.foreign for one in done) == FACTS_PARTITIONS
    scene.assert_as_rebuilt()


def test_topics_made_anew_and_refilled_are_read_from_their_beginning(scene: Scene) -> None:
    with scene.member() as tail:
        scene.until_head(tail)
        scene.add("2")
        scene.publish()
        scene.until_head(tail)
        for message in scene.ledger.messages_at(scene.head - 1)[:20]:
            # What was read stands further behind than it will in the new topic.
            rogue(message, partition=partition_of(message.key, FACTS_PARTITIONS))
        tail.step()
    with Admin(BROKER) as admin:
        admin.delete([scene.ledger.topics.facts("production")])
        create_topics(admin, scene.ledger.topics)
    scene.add("3")
    scene.publish(refill=True)

    with scene.member() as tail:
        scene.until_head(tail)

    group = scene.desk.standing().group
    assert group is not None
    assert group.reread == 0, "it was found out by its identity, not by what was missing"
    scene.assert_as_rebuilt()


def test_a_message_forged_for_the_end_halts_nothing_while_others_are_not_published(
    scene: Scene,
) -> None:
    with scene.member() as tail, Publisher(scene.ledger, BROKER) as publisher:
        publisher.publish(seconds=20)
        scene.until_head(tail)
        group = scene.desk.standing().group
        assert group is not None
        scene.desk.begin_anew(group, doubtful=group.merged)
        scene.add("2")
        block = next(p for p in range(scene.head, 0, -1) if len(scene.ledger.messages_at(p)) > 9)
        true = scene.ledger.messages_at(block)[1]
        headers = (true.headers[0], ("index", b"3999"), true.headers[2])
        forged = true._replace(headers=headers)
        rogue(forged, partition=partition_of(true.key, FACTS_PARTITIONS))
        until = time.monotonic() + 5 * HOPE_SECONDS
        while time.monotonic() < until:
            tail.step()
        publisher.publish(seconds=20)
        scene.until_head(tail)

    scene.assert_as_rebuilt()


# Several members


@contextlib.contextmanager
def children(count: int, *where: str) -> Iterator[list[subprocess.Popen[str]]]:
    """Run members in processes of their own; each has partitions when they are given."""
    words = [sys.executable, "-m", "tests.services.tail_child", *where, "follow"]
    started = [
        subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(count)
    ]
    try:
        yield started
    finally:
        for one in started:
            one.kill()
            one.wait(timeout=10)
            if one.stdout is not None:
                one.stdout.close()


def said(child: subprocess.Popen[str], word: str) -> int:
    """Return the number of the first line of a child that begins with a word."""
    assert child.stdout is not None
    for line in child.stdout:
        name, _, text = line.partition(" ")
        if name == word:
            return int(text)
    pytest.fail(f"the child ended without {word}")


def test_members_share_the_partitions_and_one_that_joins_later_gets_some(scene: Scene) -> None:
    partitions = FACTS_PARTITIONS * (len(scene.ledger.topics.all) - 1)
    with children(1, *scene.where) as alone:
        assert said(alone[0], "assigned") == partitions
        with children(1, *scene.where) as joined:
            second = said(joined[0], "assigned")
            for name in ("2", "3", "4"):
                scene.add(name, facts=5_000)
                scene.publish()
            scene.await_head()
            folded = said(joined[0], "folded"), said(alone[0], "folded")

    assert 0 < second < partitions
    assert min(folded) > 0
    scene.assert_as_rebuilt()


def test_members_that_begin_together_begin_once_behind_what_there_was(scene: Scene) -> None:
    scene.add("2", facts=40_000)
    scene.publish()

    with children(3, *scene.where):
        scene.await_head()
        scene.add("3")
        scene.publish()
        scene.await_head()
        group = scene.desk.standing().group

    assert group is not None
    assert group.epoch == 1
    scene.assert_as_rebuilt()


def stopped_at_rest(scene: Scene, child: subprocess.Popen[str], sign: signal.Signals) -> None:
    """Send a signal; who is stopped must not hold the lock of the file, or all wait for it."""
    while True:
        child.send_signal(sign)
        if sign is not signal.SIGSTOP:
            return
        with contextlib.closing(sqlite3.connect(scene.folder / "views.db", timeout=0.2)) as file:
            try:
                file.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                child.send_signal(signal.SIGCONT)
                time.sleep(0.01)
            else:
                return


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGSTOP])
def test_a_member_that_falls_silent_is_replaced_and_counts_nothing_twice_when_it_wakes(
    scene: Scene, sign: signal.Signals
) -> None:
    with children(2, *scene.where) as started:
        for child in started:
            said(child, "assigned")
        scene.add("2", facts=30_000)
        scene.publish()
        said(started[0], "folded")
        stopped_at_rest(scene, started[0], sign)
        scene.add("3", facts=5_000)
        scene.publish()
        scene.await_head()
        if sign is signal.SIGSTOP:
            started[0].send_signal(signal.SIGCONT)
            scene.add("4", facts=5_000)
            scene.publish()
            scene.await_head()

    scene.assert_as_rebuilt()


OLDER, NEWER = "0.2.0", "0.10.0"


def test_an_older_release_leaves_when_a_newer_one_comes(scene: Scene) -> None:
    with scene.of(OLDER).member() as old, scene.of(NEWER).member() as new:
        scene.until_head(old)
        scene.add("2")
        scene.publish()
        scene.work_until_refused(old, new)

        scene.until_head(new)

    scene.assert_as_rebuilt()


def test_an_older_release_is_taken_back_once_it_rebuilt_the_read_model(scene: Scene) -> None:
    with scene.of(NEWER).member() as new:
        scene.until_head(new)
    scene.add("2")
    scene.publish()
    with scene.of(OLDER).member() as old:
        scene.work_until_refused(old)
    scene.of(OLDER).runner.rebuild(PRODUCTION)
    scene.add("3")
    scene.publish()

    with scene.of(OLDER).member() as old:
        scene.until_head(old)

    scene.assert_as_rebuilt()


def test_a_member_killed_at_any_step_loses_and_doubles_nothing(scene: Scene) -> None:
    words = [sys.executable, "-m", "tests.services.tail_child", *scene.where, "points"]
    killed = 0
    with subprocess.Popen(
        words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        for number in range(1, POINTS_MAX):
            scene.add(f"b{number}", facts=40)
            scene.publish()
            child.stdin.write(f"{number}\n")
            child.stdin.flush()
            outcome = child.stdout.readline().strip()
            if outcome == "done":
                break
            assert outcome == "killed"
            killed += 1
        child.stdin.close()

    assert LEAST_POINTS <= killed < POINTS_MAX - 1
    assert scene.position == scene.head
    scene.assert_as_rebuilt()


@pytest.mark.skipif(
    "REGISTRO_SERVICES_KAFKA" not in os.environ, reason="the broker is not ours to kill"
)
def test_a_broker_killed_under_the_group_loses_and_doubles_nothing(scene: Scene) -> None:
    folder = Path(os.environ["REGISTRO_SERVICES_KAFKA"])
    with children(2, *scene.where) as started:
        for child in started:
            said(child, "assigned")
        scene.add("2", facts=30_000)
        scene.publish()
        said(started[0], "folded")
        os.kill(int((folder / "pid").read_text()), signal.SIGKILL)
        subprocess.run(
            [ROOT / "scripts" / "kafka" / "broker", folder, SERVERS.rpartition(":")[2]],
            check=True,
            timeout=90,
        )
        scene.add("3", facts=1_000)
        scene.publish()
        scene.await_head()

    scene.assert_as_rebuilt()


# The command


def test_the_command_feeds_production_and_brings_the_others_in_step(scene: Scene) -> None:
    assert scene.application.head() == scene.head

    ran = run("catch-up", "--source", "kafka", "--json", "--ledger", scene.path)

    assert ran.code == 0, ran.err
    answer = ran.json["projections"]
    assert {one["position"] for one in answer} == {scene.head}
    assert {one["projection"] for one in answer} == set(PROJECTIONS)
    assert run("verify", "--deep", "--ledger", scene.path).code == 0


def test_the_command_says_when_the_topics_are_behind(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.cli.production.live_tail.PATIENCE_SECONDS", 1.0)
    assert run("catch-up", "--source", "kafka", "--ledger", scene.path).code == 0
    before = scene.head
    scene.add("2")

    ran = run("catch-up", "--source", "kafka", "--ledger", scene.path)

    assert ran.code == 57
    assert f"stands at {before} of {scene.head}" in ran.err
    assert "registro publish" in ran.err


def test_the_group_is_shown_to_tools_under_a_name_of_its_own() -> None:
    topics = Topics(prefix="registro")

    assert group_name(topics.prefix, "production", "id") == "registro.tail.production.id"
