"""What holds on a real Kafka broker: nothing lost, nothing doubled, whatever is killed or changed.

Run by `make test-services`. The tests share one broker, which some of them kill and start again:
they run in one process.
"""

import contextlib
import io
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from uuid import uuid1

import pytest
from kafka import KafkaAdminClient, TopicPartition

from app.cli.context import Cli
from app.cli.kafka import required as required_publishing
from app.config import resolve
from app.output.screen import Screen
from ledger.application import LedgerApplication
from ledger.clock import SystemEntropy
from ledger.kafka import publisher as publisher_module
from ledger.kafka.check import TopicsChecked, check_topics
from ledger.kafka.client.broker import Admin, Sink
from ledger.kafka.client.connection import Broker, partition_of
from ledger.kafka.client.source import Source
from ledger.kafka.errors import (
    PublisherBusyError,
    PublishUnfinishedError,
    TopicDivergedError,
    TopicGuardError,
    TopicRestoreError,
)
from ledger.kafka.guard import create_topics, mend_topics, mismatches
from ledger.kafka.message import Message, messages_of
from ledger.kafka.publisher import Published, Publisher
from ledger.kafka.reached import reached
from ledger.kafka.restore import Restored, restore
from ledger.kafka.tails import Ledger
from ledger.records import StoredRecord
from ledger.store.mapper import AvroMapper
from ledger.store.store import Store
from ledger.verification import verify
from tests.support.cli import run
from tests.support.kafka import (
    FAST,
    SERVERS,
    add_facts,
    ledger_at,
    ledger_with_facts,
    published_as,
    rogue,
)
from tests.support.ledgers import CountingEntropy, FakeClock, new_ledger, place_of, store_at

ROOT = Path(__file__).parents[2]
POINTS_MAX = 20

pytestmark = [
    pytest.mark.skipif(
        not SERVERS, reason="no Kafka: scripts/services up, then make test-services"
    ),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

BROKER = Broker(servers=SERVERS, fast=FAST)
IMPATIENT = Broker(servers=SERVERS, wait_seconds=2, fast=FAST)


@pytest.fixture
def prefix() -> str:
    """A prefix of topics that no other test has."""
    return f"t{uuid1().hex}"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest.fixture
def application(path: Path) -> Iterator[LedgerApplication]:
    made = ledger_with_facts(path)
    yield made
    made.store.engine.dispose()


@pytest.fixture
def ledger(application: LedgerApplication, prefix: str) -> Iterator[Ledger]:
    own = published_as(application, prefix)
    with Admin(BROKER) as admin:
        create_topics(admin, own.topics)
    yield own
    with Admin(BROKER) as admin:
        # A broker that is killed recovers every log that is there.
        admin.delete(list(admin.states(own.topics.all)))


def publish(ledger: Ledger, *, seconds: float = 20, refill: bool = False) -> Published:
    with Publisher(ledger, BROKER, refill=refill) as publisher:
        return publisher.publish(seconds=seconds)


def checked(ledger: Ledger) -> TopicsChecked:
    return check_topics(ledger, BROKER)


def assert_whole(ledger: Ledger) -> None:
    """Nothing lost, nothing doubled, and the ledger comes back from Kafka alone."""
    found = checked(ledger)
    assert (found.findings, found.clean) == ((), True)
    assert found.position == ledger.store.head()
    assert found.messages == sum(item.record.event_count for item in ledger.store.read())


def written(ledger: Ledger, position: int) -> list[Message]:
    (stored,) = ledger.store.read(after=position - 1, through=position)  # type: ignore[arg-type] # a position by another name
    keys = ledger.keys.of(stored)
    return list(messages_of(stored, origin=ledger.origin, topics=ledger.topics, keys=keys))


def restored(ledger: Ledger, path: Path) -> tuple[Restored, Store]:
    store = store_at(path)
    return restore(store, BROKER, ledger.topics), store


# Publish and check


def test_every_event_is_one_message_and_the_check_is_clean(ledger: Ledger) -> None:
    first = publish(ledger)

    again = publish(ledger)

    assert first.position == ledger.store.head()
    assert (again.messages, again.restarts) == (0, 0)
    assert_whole(ledger)


def test_publishing_goes_on_where_it_stopped(
    application: LedgerApplication, ledger: Ledger, tmp_path: Path
) -> None:
    with Publisher(ledger, BROKER) as publisher:
        publisher.publish(seconds=20)
        add_facts(application, tmp_path, batch_name="2")
        second = publisher.publish(seconds=20)
    add_facts(application, tmp_path, batch_name="3")

    third = publish(ledger)

    assert second.messages > 0
    assert third.messages > 0
    assert_whole(ledger)


def test_the_facts_of_a_unit_stay_on_one_partition_in_order(ledger: Ledger) -> None:
    publish(ledger)
    places: dict[bytes, set[int]] = {}

    with Source(BROKER) as source:
        own = source.partitions(ledger.topics.facts("production"))
        source.open(dict.fromkeys(own, 0))
        for place in own:
            while (received := source.take(place)) is not None:
                assert received.message is not None
                places.setdefault(received.message.key, set()).add(place.number)

    assert set(places) == {b"DP1", b"DP2", b"AG1", b"DR1", b"DG"}
    assert {len(found) for found in places.values()} == {1}
    assert len(set.union(*places.values())) > 1


# Restore


def test_a_lost_ledger_comes_back_from_kafka_alone(ledger: Ledger, tmp_path: Path) -> None:
    publish(ledger)
    kept = verify(ledger.store, AvroMapper(), deep=True)

    done, store = restored(ledger, tmp_path / "new.db")

    found = verify(store, AvroMapper(), deep=True)
    assert (found.head, found.discrepancies) == (kept.head, ())
    assert store.read() == ledger.store.read()
    assert (done.origin, done.foreign, done.repeated, done.cut) == (ledger.origin, 0, 0, False)
    assert publish(published_as(_opened(store), ledger.topics.prefix)).messages == 0
    store.engine.dispose()


def _opened(store: Store) -> LedgerApplication:
    return LedgerApplication.open(store, clock=FakeClock(), entropy=CountingEntropy())


def test_a_cut_end_leaves_out_the_last_append_whole(ledger: Ledger, tmp_path: Path) -> None:
    head = ledger.store.head()
    sink = Sink(BROKER)
    for position in range(1, head + 1):
        messages = written(ledger, position)
        counts = {ledger.topics.events: 1}
        for message in messages[:-1] if position == head else messages:
            sink.send(message, partition_of(message.key, counts.get(message.topic, 4)))
    sink.flush(seconds=10)
    sink.close()

    done, store = restored(ledger, tmp_path / "new.db")

    assert done.cut
    assert done.position < head
    assert verify(store, AvroMapper()).discrepancies == ()
    publish(ledger)
    assert_whole(ledger)
    store.engine.dispose()


def test_nothing_is_restored_when_a_message_is_missing(
    application: LedgerApplication, ledger: Ledger, tmp_path: Path
) -> None:
    add_facts(application, tmp_path, batch_name="2", facts=5000)
    sink = Sink(BROKER)
    for position in range(1, ledger.store.head() + 1):
        for message in written(ledger, position):
            if position != 3:
                count = 1 if message.topic == ledger.topics.events else 4
                sink.send(message, partition_of(message.key, count))
    sink.flush(seconds=20)
    sink.close()

    with pytest.raises(TopicRestoreError, match=r"3\.0 is missing"):
        restored(ledger, tmp_path / "new.db")

    found = checked(ledger)
    assert [(one.kind, one.address) for one in found.findings] == [("missing", "3.0")]
    assert not found.clean


def test_nothing_is_restored_from_no_topics(ledger: Ledger, tmp_path: Path) -> None:
    with pytest.raises(TopicRestoreError):
        restored(ledger, tmp_path / "new.db")


# Faults: publisher, broker, rogue, topics


def test_a_publisher_killed_at_any_step_loses_and_doubles_nothing(
    path: Path, ledger: Ledger
) -> None:
    outcomes = []
    for number in range(1, POINTS_MAX):
        killed = subprocess.run(
            [
                sys.executable,
                "-m",
                "tests.services.kafka_child",
                str(path),
                SERVERS,
                ledger.topics.prefix,
                str(number),
            ],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        outcomes.append(killed.returncode)
        found = checked(ledger)
        assert set(found.counts) <= {"repeated"}, killed.stderr
        if killed.returncode == 0:
            break

    assert outcomes[-1] == 0
    assert set(outcomes[:-1]) == {-signal.SIGKILL}
    assert len(outcomes) > 4
    assert_whole(ledger)


def _broker_folder() -> Path:
    return Path(os.environ["REGISTRO_SERVICES_KAFKA"])


def _kill_broker() -> None:
    os.kill(int((_broker_folder() / "pid").read_text()), signal.SIGKILL)


def _start_broker() -> None:
    port = SERVERS.rpartition(":")[2]
    subprocess.run(
        [ROOT / "scripts" / "kafka" / "broker", _broker_folder(), port], check=True, timeout=90
    )


@pytest.mark.skipif(
    "REGISTRO_SERVICES_KAFKA" not in os.environ, reason="the broker is not ours to kill"
)
def test_a_broker_killed_while_publishing_loses_and_doubles_nothing(
    application: LedgerApplication, ledger: Ledger, tmp_path: Path
) -> None:
    publish(ledger)
    add_facts(application, tmp_path, batch_name="2", facts=8_000)
    killed = threading.Event()

    def kill(point: str) -> None:
        if point == "publish.before_flush" and not killed.is_set():
            killed.set()
            _kill_broker()
            threading.Thread(target=_start_broker).start()

    with Publisher(ledger, IMPATIENT, fault_point=kill) as publisher:
        done = publisher.publish(seconds=40)

    assert killed.is_set()
    assert done.position == ledger.store.head()
    found = checked(ledger)
    assert found.clean
    assert found.position == ledger.store.head()


@pytest.mark.skipif(
    "REGISTRO_SERVICES_KAFKA" not in os.environ, reason="the broker is not ours to kill"
)
def test_a_dead_broker_is_told_in_time_and_the_records_stay(ledger: Ledger) -> None:
    head = ledger.store.head()
    _kill_broker()
    try:
        begin = time.monotonic()
        with (
            pytest.raises(PublishUnfinishedError),
            Publisher(ledger, Broker(servers=SERVERS, wait_seconds=1)) as publisher,
        ):
            publisher.publish(seconds=2, steady=False)
        assert time.monotonic() - begin < 20
    finally:
        _start_broker()
    assert ledger.store.head() == head
    publish(ledger)
    assert_whole(ledger)


@pytest.mark.parametrize("with_facts", [True, False])
def test_a_second_ledger_under_one_prefix_is_told_apart(
    ledger: Ledger, tmp_path: Path, prefix: str, *, with_facts: bool
) -> None:
    bare = new_ledger(tmp_path / "bare.db")
    first = ledger if with_facts else published_as(bare, prefix)
    publish(first)
    entropy = SystemEntropy()
    store = store_at(tmp_path / "other.db", clock=FakeClock(), entropy=entropy)
    other = LedgerApplication.create(store, clock=FakeClock(), entropy=entropy, body="INAIL")
    second = published_as(other, prefix)

    ids = (first.origin.ledger_id, second.origin.ledger_id)
    for refill in (False, True):
        with pytest.raises(TopicDivergedError) as caught:
            publish(second, refill=refill)
        assert caught.value.facts["topic"] == ledger.topics.events
        reason = caught.value.facts["reason"]
        assert reason.startswith(f"it is of ledger {ids[0]}, not of {ids[1]}")
    assert reached(second, BROKER).diverged is not None
    assert reached(first, BROKER).diverged is None
    bare.store.engine.dispose()
    other.store.engine.dispose()


def test_a_rogue_message_is_reported_as_foreign_and_harms_nobody(
    application: LedgerApplication, ledger: Ledger, tmp_path: Path
) -> None:
    publish(ledger)
    events = ledger.topics.events
    rogue(Message(events, b"key", b"value", ()))
    add_facts(application, tmp_path, batch_name="2")

    publish(ledger)

    found = checked(ledger)
    assert [(one.kind, one.topic, one.address) for one in found.findings] == [
        ("foreign", events, "")
    ]
    assert found.position == ledger.store.head()
    assert not found.clean
    done, store = restored(ledger, tmp_path / "new.db")
    assert done.foreign == 1
    assert store.read() == ledger.store.read()
    store.engine.dispose()


def test_a_forged_record_stops_the_publisher(
    application: LedgerApplication, ledger: Ledger, tmp_path: Path
) -> None:
    publish(ledger)
    (real,) = written(ledger, 5)
    rogue(Message(real.topic, real.key, real.value + b"\x00", real.headers))
    add_facts(application, tmp_path, batch_name="2")

    with pytest.raises(TopicDivergedError) as caught:
        publish(ledger)

    assert caught.value.facts["topic"] == ledger.topics.events
    assert [one.kind for one in checked(ledger).findings] == ["foreign"]


def test_a_record_of_another_history_stops_the_publisher(
    ledger: Ledger, tmp_path: Path, prefix: str
) -> None:
    publish(ledger)
    other = new_ledger(tmp_path / "other.db")
    older = published_as(other, prefix)
    older = Ledger(other.store, origin=ledger.origin, topics=older.topics, keys=older.keys)

    with pytest.raises(TopicDivergedError):
        publish(older)

    assert_whole(ledger)
    other.store.engine.dispose()


def test_an_identical_message_there_twice_is_reported_and_harmless(
    ledger: Ledger, tmp_path: Path
) -> None:
    publish(ledger)
    (real,) = written(ledger, 5)
    rogue(real)

    assert publish(ledger).position == ledger.store.head()

    found = checked(ledger)
    assert "repeated" in found.counts
    assert found.clean
    done, store = restored(ledger, tmp_path / "new.db")
    assert done.repeated >= 1
    assert store.read() == ledger.store.read()
    store.engine.dispose()


def test_a_deleted_topic_is_refused_and_filled_again_on_demand(
    application: LedgerApplication, ledger: Ledger, tmp_path: Path
) -> None:
    add_facts(application, tmp_path, batch_name="2", facts=6000)
    publish(ledger)
    with Admin(BROKER) as admin:
        admin.delete([ledger.topics.events])
        _until_gone(admin, ledger)
        with pytest.raises(TopicGuardError) as caught:
            publish(ledger)
        assert caught.value.facts["setting"] == "topic"
        create_topics(admin, ledger.topics)
    with pytest.raises(TopicDivergedError):
        publish(ledger)
    assert "missing" in checked(ledger).counts

    publish(ledger, refill=True)

    assert_whole(ledger)


def _until_gone(admin: Admin, ledger: Ledger) -> None:
    until = time.monotonic() + 10
    while ledger.topics.events in admin.states(ledger.topics.all):
        assert time.monotonic() < until
        time.sleep(0.1)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("retention.ms", "604800000"),
        ("retention.bytes", "1000000"),
        ("cleanup.policy", "compact"),
        ("unclean.leader.election.enable", "true"),
        ("max.message.bytes", "1000"),
    ],
)
def test_a_topic_that_could_lose_records_is_refused_until_mended(
    ledger: Ledger, setting: str, value: str
) -> None:
    topic = ledger.topics.facts("production")
    with Admin(BROKER) as admin:
        admin.alter(topic, {setting: value})
        with pytest.raises(TopicGuardError) as caught:
            publish(ledger)
        mended = mend_topics(admin, ledger.topics)
        left = mismatches(admin, ledger.topics)

    assert caught.value.facts["setting"] == setting
    assert caught.value.facts["found"] == value
    assert (mended, left) == ([topic], ())


def test_a_log_that_no_longer_begins_at_its_first_message_is_refused(ledger: Ledger) -> None:
    publish(ledger)
    with Admin(BROKER) as admin:
        _delete_before(ledger.topics.events, 3)
        found = mismatches(admin, ledger.topics)

    assert [(one.setting, one.found) for one in found] == [("log start of partition 0", "3")]


def _delete_before(topic: str, offset: int) -> None:
    client = KafkaAdminClient(bootstrap_servers=SERVERS)
    client.delete_records({TopicPartition(topic, 0): offset})
    client.close()


def test_a_second_publisher_is_refused(ledger: Ledger, path: Path, prefix: str) -> None:
    with (
        Publisher(ledger, BROKER),
        pytest.raises(PublisherBusyError),
        Publisher(ledger_at(path, prefix), BROKER),
    ):
        pass
    publish(ledger)
    assert_whole(ledger)


def test_a_second_publisher_past_the_lock_doubles_at_most(ledger: Ledger) -> None:
    """A copy of the ledger's file has a lock of its own: repeats are the worst that happens."""
    head = ledger.store.head()
    publish(ledger)
    sink = Sink(BROKER)
    for message in written(ledger, head):
        sink.send(message, partition_of(message.key, 4))
    sink.flush(seconds=10)
    sink.close()

    found = checked(ledger)
    assert set(found.counts) == {"repeated"}
    assert found.clean


# Command line


def test_the_command_line_publishes_checks_shows_and_restores(
    application: LedgerApplication,
    path: Path,
    prefix: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("REGISTRO_KAFKA", SERVERS)
    monkeypatch.setenv("REGISTRO_KAFKA_PREFIX", prefix)
    monkeypatch.setenv("REGISTRO_LEDGER", place_of(path))
    head = application.head()

    refused = run("publish", "--once")
    created = run("kafka", "topics", "--create", "--json")
    published = run("publish", "--once", "--json")
    clean = run("kafka", "check", "--json")
    shown = run("tail", "facts.stock")
    monkeypatch.setenv("REGISTRO_LEDGER", str(tmp_path / "new.db"))
    back = run("restore", "--from-kafka", "--json")

    assert refused.code == TopicGuardError.exit_code
    assert "registro kafka topics --create" in refused.err
    assert (created.code, len(created.json["created"])) == (0, 7)
    assert (published.code, published.json["position"]) == (0, head)
    assert (clean.code, clean.json["position"], clean.json["head"]) == (0, head, head)
    assert len(shown.out.splitlines()) == 9
    assert '"type":"registro.facts.StockCounted"' in shown.out
    assert (back.code, back.json["position"], back.json["discrepancies"]) == (0, head, 0)


def required(ledger: Ledger, path: Path, servers: str = SERVERS) -> str:
    """What a command that requires publishing tells its user."""
    given = {
        "REGISTRO_KAFKA": servers,
        "REGISTRO_KAFKA_PREFIX": ledger.topics.prefix,
        "REGISTRO_LEDGER": place_of(path),
    }
    settings = resolve({}, environment=given, folder=path.parent)
    screen = Screen(lang="it", color=False, quiet=False)
    err = io.StringIO()
    with contextlib.redirect_stderr(err):
        required_publishing.publish_recorded(Cli(settings=settings, json=False, screen=screen))
    return err.getvalue()


@pytest.mark.parametrize(
    ("servers", "said"),
    [
        (SERVERS, "Registrato e pubblicato fino alla posizione"),
        ("127.0.0.1:1", "Registrato, non ancora pubblicato"),
    ],
)
def test_required_publishing_says_whether_kafka_has_it(
    ledger: Ledger, path: Path, servers: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(required_publishing, "REQUIRED_SECONDS", 4.0)
    head = ledger.store.head()

    assert said in required(ledger, path, servers)
    assert ledger.store.head() == head


def test_required_publishing_leaves_the_sending_to_a_publisher_that_runs(
    ledger: Ledger, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(required_publishing, "REQUIRED_SECONDS", 2.0)

    with Publisher(ledger, BROKER) as running:
        before = required(ledger, path)
        running.publish(seconds=10)
        after = required(ledger, path)

    assert "non ancora pubblicato" in before
    assert "Registrato e pubblicato" in after


@pytest.mark.skipif("REGISTRO_TEST_POSTGRESQL" not in os.environ, reason="no PostgreSQL")
def test_on_postgresql_too_a_second_publisher_is_refused_and_all_comes_back(
    tmp_path: Path, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGISTRO_TEST_STORE", "postgresql")
    application = ledger_with_facts(tmp_path / "ledger")
    own = published_as(application, prefix)
    with Admin(BROKER) as admin:
        create_topics(admin, own.topics)

    with Publisher(own, BROKER) as first:
        with pytest.raises(PublisherBusyError), Publisher(own, BROKER):
            pass
        first.publish(seconds=20)
    done, store = restored(own, tmp_path / "new")

    assert_whole(own)
    assert done.position == application.head()
    assert store.read() == own.store.read()
    store.engine.dispose()
    application.store.engine.dispose()


def test_a_restore_that_fails_leaves_no_file(
    prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGISTRO_KAFKA", SERVERS)
    monkeypatch.setenv("REGISTRO_KAFKA_PREFIX", prefix)
    monkeypatch.setenv("REGISTRO_LEDGER", str(tmp_path / "new.db"))

    ran = run("restore", "--from-kafka")

    assert ran.code == TopicRestoreError.exit_code
    assert list(tmp_path.iterdir()) == []


def test_a_batch_is_sent_when_the_one_before_is_confirmed_and_made_while_it_is_not(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    sizes: list[int] = []

    class Watched(Sink):
        """Says what it does."""

        def begin(self, messages: Sequence[tuple[Message, int]], *, seconds: float) -> None:
            said.append("begin")
            sizes.append(len(messages))
            super().begin(messages, seconds=seconds)

        def await_confirmed(self) -> None:
            super().await_confirmed()
            said.append("confirmed")

    keys_of = ledger.keys.of

    def made(stored: StoredRecord) -> Sequence[bytes]:
        said.append("made")
        return keys_of(stored)

    monkeypatch.setattr(publisher_module, "BATCH_MESSAGES", 7)
    monkeypatch.setattr(publisher_module, "Sink", Watched)
    monkeypatch.setattr(ledger.keys, "of", made)

    done = publish(ledger)

    steps = [one for one in said if one != "made"]
    assert steps == ["begin", "confirmed"] * (len(steps) // 2)
    assert len(steps) > 2
    assert (max(sizes), sum(sizes)) == (7, done.messages)
    begun = said.index("begin")
    assert "made" in said[begun : said.index("confirmed")]
    assert_whole(ledger)
