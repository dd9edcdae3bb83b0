"""What an operator stumbles over, by the command line: lost topics, inboxes, publishing beside."""

import contextlib
import itertools
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid1

import pytest
from kafka import KafkaAdminClient, KafkaProducer, TopicPartition

from app.cli.context import Cli, ToPublish
from app.cli.kafka import required
from app.config import resolve
from app.output.screen import Screen
from ledger.application import LedgerApplication
from ledger.kafka.client.broker import Admin, Sink
from ledger.kafka.client.connection import Broker, partition_of
from ledger.kafka.client.source import Source
from ledger.kafka.errors import (
    BrokerError,
    PublishUnfinishedError,
    TopicDivergedError,
    TopicGuardError,
    TopicRestoreError,
)
from ledger.kafka.guard import create_topics
from ledger.kafka.inbox.guard import create_inbox
from ledger.kafka.message import Message, messages_of
from ledger.kafka.publisher import Publisher
from ledger.kafka.reached import why_not_whole
from ledger.kafka.tails import BATCH_MESSAGES, Ledger
from ledger.kafka.topics import dead_letters_of
from tests.support.cli import run
from tests.support.dataset import ROOT
from tests.support.kafka import FAST, SERVERS, add_facts, ledger_with_facts, published_as
from tests.support.production import fact

BROKER = Broker(servers=SERVERS, fast=FAST)
NUMBERS = itertools.count(1)

pytestmark = [
    pytest.mark.skipif(
        not SERVERS, reason="no Kafka: scripts/services up, then make test-services"
    ),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def required_of(since: int | None = None) -> ToPublish:
    return ToPublish(head_before=required.head_before, since=since)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest.fixture
def application(path: Path) -> Iterator[LedgerApplication]:
    made = ledger_with_facts(path, facts=40)
    yield made
    made.store.engine.dispose()


@pytest.fixture
def ledger(
    application: LedgerApplication, path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Ledger]:
    """A ledger with topics, named by the variables of the environment."""
    own = published_as(application, f"t{uuid1().hex}")
    monkeypatch.setenv("REGISTRO_KAFKA", SERVERS)
    monkeypatch.setenv("REGISTRO_KAFKA_PREFIX", own.topics.prefix)
    monkeypatch.setenv("REGISTRO_LEDGER", str(path))
    monkeypatch.setenv("REGISTRO_ACTOR", "DCPCG")
    with Admin(BROKER) as admin:
        create_topics(admin, own.topics)
    yield own
    inbox = own.topics.inbox("production")
    with Admin(BROKER) as admin:
        admin.delete(list(admin.states([*own.topics.all, inbox, dead_letters_of(inbox)])))


@pytest.fixture
def inbox(ledger: Ledger) -> str:
    """The inbox of the family production, with one partition."""
    name = ledger.topics.inbox("production")
    with Admin(BROKER) as admin:
        create_inbox(admin, name, partitions=1)
    return name


def until(holds: Callable[[], object], *, seconds: float = 30) -> None:
    limit = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < limit, "waited in vain"
        time.sleep(0.05)


def gone(topic: str) -> None:
    """Delete a topic and wait until it is not there."""
    with Admin(BROKER) as admin:
        admin.delete([topic])
        until(lambda: topic not in admin.identities([topic]))


def send(topic: str, *values: bytes) -> None:
    producer = KafkaProducer(bootstrap_servers=SERVERS, acks="all")
    for value in values:
        producer.send(topic, value=value, headers=[("content-type", b"application/json")])
    producer.flush(timeout=20)
    producer.close(timeout=2)


def good() -> bytes:
    row = fact("RequestReceived", source_id=f"o{next(NUMBERS)}")
    return json.dumps({k: v for k, v in row.items() if v is not None}, default=str).encode()


# Topics that are gone


def test_a_deleted_topic_of_events_is_named_by_everybody_and_comes_back(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic = ledger.topics.events
    assert run("publish", "--once").code == 0
    gone(topic)

    publish, check = run("publish", "--once"), run("kafka", "check")
    status, as_json = run("status", "--stage", "published"), run("kafka", "check", "--json")
    monkeypatch.setenv("REGISTRO_LEDGER", str(tmp_path / "new.db"))
    restore = run("restore", "--from-kafka")
    monkeypatch.setenv("REGISTRO_LEDGER", str(tmp_path / "ledger.db"))

    mended = "registro kafka topics --create"
    assert (publish.code, check.code, status.code) == (TopicGuardError.exit_code, 1, 1)
    for said in (publish.err, check.err, status.out):
        assert topic in said
        assert mended in said
    assert as_json.json["missing"] == [topic]
    assert restore.code == TopicRestoreError.exit_code
    assert "registro kafka check" in restore.err
    assert not (tmp_path / "new.db").exists()

    for words in (("kafka", "topics", "--create"), ("publish", "--once"), ("kafka", "check")):
        ran = run(*words)
        assert ran.code == 0, ran.err
    assert run("status", "--stage", "published").code == 0


def test_one_replica_is_not_told_as_safe(ledger: Ledger) -> None:
    english, italian = run("kafka", "topics"), run("kafka", "topics", "--lang", "it")

    assert (english.code, italian.code) == (0, 0)
    assert f"{len(ledger.topics.all)} topics, all set up as they must be." in english.out
    assert "With one replica the loss of a disk loses" in english.out
    assert "una sola copia" in italian.out


def test_more_replicas_than_brokers_are_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGISTRO_KAFKA", SERVERS)
    monkeypatch.setenv("REGISTRO_KAFKA_PREFIX", f"t{uuid1().hex}")
    ran = run("kafka", "topics", "--create", "--replicas", "3", "--json")

    assert ran.code == BrokerError.exit_code
    assert "3" in ran.problem["facts"]["reason"]
    assert "CreatableTopic" not in ran.err
    assert len(ran.problem["facts"]["reason"]) <= 300


@pytest.mark.usefixtures("ledger")
def test_a_source_that_nobody_declared_is_named_by_its_inbox(inbox: str) -> None:
    send(inbox, good())
    ran = run("inbox", "production", "--source", "NIENTE", "--lang", "it")

    assert ran.code == 0, ran.err
    assert "La fonte NIENTE non è dichiarata" in ran.err


def test_a_publisher_that_follows_says_in_italian_why_it_tries_again(ledger: Ledger) -> None:
    words = ["--lang", "it", "--log-level", "error", "publish", "--follow", "--seconds", "1"]
    child = subprocess.Popen(
        [sys.executable, "-m", "app", *words],
        cwd=ROOT,
        env={**os.environ, "REGISTRO_KAFKA": "127.0.0.1:1"},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert child.stderr is not None
        told = child.stderr.readline()
    finally:
        child.kill()
        child.communicate()
    head = ledger.store.head()
    assert f"Kafka non ha confermato tutto fino alla posizione {head}: " in told
    assert "connessione rifiutata" in told


def test_a_deleted_topic_is_told_in_italian_too(ledger: Ledger) -> None:
    gone(ledger.topics.events)
    assert "il topic manca; registro kafka topics --create" in run("status", "--lang", "it").out


def rewritten(ledger: Ledger, topic: str, keep: int) -> None:
    """Make a topic anew with its first messages only, as a broker with an older disk has it."""
    gone(topic)
    with Admin(BROKER) as admin:
        create_topics(admin, ledger.topics)
    sink = Sink(BROKER)
    kept: list[Message] = []
    for stored in ledger.store.read():
        keys = ledger.keys.of(stored)
        made = messages_of(stored, origin=ledger.origin, topics=ledger.topics, keys=keys)
        kept += [one for one in made if one.topic == topic]
    for one in kept[:keep]:
        sink.send(one, partition_of(one.key, 1 if topic == ledger.topics.events else 4))
    sink.flush(seconds=20)
    sink.close()


def test_a_lost_tail_is_refused_and_refilled(
    ledger: Ledger, application: LedgerApplication, tmp_path: Path
) -> None:
    add_facts(application, tmp_path, batch_name="2", facts=3 * BATCH_MESSAGES)
    assert run("publish", "--once").code == 0
    rewritten(ledger, ledger.topics.facts("production"), 13)

    refused, status = run("publish", "--once"), run("status", "--stage", "published")
    refilled = run("publish", "--once", "--refill")

    assert refused.code == TopicDivergedError.exit_code
    assert "registro kafka check" in refused.err
    assert status.code == 1
    assert ledger.topics.facts("production") in status.out
    assert refilled.code == 0, refilled.err
    assert run("kafka", "check").code == 0
    assert run("status", "--stage", "published").code == 0


def test_a_tail_as_short_as_a_batch_is_sent_again_without_a_word(ledger: Ledger) -> None:
    assert run("publish", "--once").code == 0
    rewritten(ledger, ledger.topics.events, 13)

    assert run("publish", "--once").code == 0
    assert run("kafka", "check").code == 0


# How much waits in an inbox


def waiting() -> list[tuple[str, int, int]]:
    found = run("status", "--json").json["inboxes"]
    return [(one["family"], one["waiting"], one["lost"]) for one in found]


def take() -> None:
    assert run("inbox", "production", "--source", "SRC").code in {0, 1}


def test_status_counts_what_is_neither_in_the_ledger_nor_refused(inbox: str) -> None:
    counted = [waiting()]
    for values in ((good(), good()), (b"{", b"{"), (good(), b"{")):
        send(inbox, *values)
        counted.append(waiting())
        take()
        counted.append(waiting())
    judged = run("status", "--stage", "inbox", "--max-lag-events", "0").code
    send(inbox, good())
    late = run("status", "--stage", "inbox", "--max-lag-events", "0", "--json")

    assert [one[0][1] for one in counted] == [0, 2, 0, 2, 0, 2, 0]
    assert {(one[0][0], one[0][2]) for one in counted} == {("production", 0)}
    assert judged == 0
    assert late.code == 1
    assert [(one["kind"], one["name"]) for one in late.json["problems"]] == [
        ("lag_events", "production")
    ]
    shown = run("status")
    assert inbox in shown.out
    assert "messages waiting" in shown.out


def test_status_looks_and_changes_nothing(inbox: str, application: LedgerApplication) -> None:
    send(inbox, good(), b"{")
    head = application.head()

    assert [waiting() for _ in range(2)] == [[("production", 2, 0)]] * 2

    assert (application.head(), _groups(inbox)) == (head, [])


def _groups(inbox: str) -> list[str]:
    client = KafkaAdminClient(bootstrap_servers=SERVERS)
    try:
        return [str(one) for one in client.list_groups() if inbox in str(one)]
    finally:
        client.close()


def test_status_tells_messages_that_are_gone(inbox: str) -> None:
    send(inbox, *(good() for _ in range(6)))
    client = KafkaAdminClient(bootstrap_servers=SERVERS)
    client.delete_records({TopicPartition(inbox, 0): 4})
    client.close()

    ran = run("status", "--json", "--stage", "inbox")

    assert ran.code == 1
    assert [one["kind"] for one in ran.json["problems"]] == ["inbox_lost"]
    assert waiting() == [("production", 2, 4)]
    assert run("inbox", "production", "--source", "SRC").code != 0


def test_an_inbox_without_its_other_topic_is_told_with_its_own_command(inbox: str) -> None:
    gone(dead_letters_of(inbox))
    send(inbox, good())

    refused = run("inbox", "production", "--source", "SRC")

    assert refused.code == TopicGuardError.exit_code
    assert "`registro inbox production --create" in refused.err
    assert "kafka topics" not in refused.err
    assert waiting() == [("production", 1, 0)]


# Publishing beside a command that stays


@pytest.fixture
def cli(ledger: Ledger, path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """A run that must publish."""
    monkeypatch.setattr(required, "REQUIRED_SECONDS", 2.0)
    monkeypatch.setenv("REGISTRO_PUBLISH", "required")
    monkeypatch.setenv("REGISTRO_LANG", "en")
    settings = resolve({}, environment=os.environ, folder=path.parent)
    assert settings["kafka_prefix"] == ledger.topics.prefix
    screen = Screen(lang="en", color=False, quiet=False)
    return Cli(
        settings=settings,
        json=False,
        screen=screen,
        to_publish=required_of(),
    )


def whole(ledger: Ledger) -> bool:
    with Source(BROKER) as source:
        return why_not_whole(source, ledger, through=ledger.store.head()) is None


def test_batches_are_published_beside_while_the_command_stays(
    cli: Cli,
    ledger: Ledger,
    application: LedgerApplication,
    path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    heads = []
    with required.publishing_beside(cli) as recorded:
        for name in ("2", "3"):
            add_facts(application, path.parent, batch_name=name, facts=20)
            heads.append(application.head())
            recorded(application.head())
            until(lambda: whole(ledger), seconds=10)
            until(lambda: f"published up to position {heads[-1]}" in capfd.readouterr().err)
    assert cli.to_publish == required_of(since=heads[-1])


def test_a_publisher_that_stands_still_holds_nothing_up_and_is_told(
    cli: Cli, ledger: Ledger, application: LedgerApplication, capfd: pytest.CaptureFixture[str]
) -> None:
    head = application.head()
    said = ""

    def told(words: str) -> bool:
        nonlocal said
        said += capfd.readouterr().err
        return words in said

    with Publisher(ledger, BROKER) as still, required.publishing_beside(cli) as recorded:
        began = time.monotonic()
        recorded(head)
        assert time.monotonic() - began < 0.2
        until(lambda: told("Recorded, not yet published"), seconds=10)
        still.publish(seconds=20)
        until(lambda: told(f"Recorded and published up to position {head}"), seconds=10)

    assert said.count("not yet") == 1


@pytest.mark.parametrize("kind", ["foreign", "repeated", "marks"])
def test_as_many_messages_as_lack_are_not_taken_for_those_that_lack(
    cli: Cli,
    ledger: Ledger,
    application: LedgerApplication,
    capfd: pytest.CaptureFixture[str],
    kind: str,
) -> None:
    folder = Path(os.environ["REGISTRO_LEDGER"]).parent
    topics = (ledger.topics.facts("production"), ledger.topics.facts("stock"))
    with Publisher(ledger, BROKER) as busy:
        busy.publish(seconds=20)
        before = ledger.counts(through=application.head())
        sent = _messages(ledger)
        add_facts(application, folder, batch_name="2", facts=5)
        wanted = ledger.counts(through=application.head())
        for topic in topics:
            lacking = wanted[topic] - before[topic]
            first = next(one for one in sent if one.topic == topic)
            if kind == "foreign":
                send(topic, *[b"{}"] * lacking)
            elif kind == "repeated":
                _write([first] * lacking)
            else:
                _marks(topic, lacking)
        required.publish_recorded(cli)
        early = capfd.readouterr().err
        busy.publish(seconds=20)
        required.publish_recorded(cli)
        late = capfd.readouterr().err

    assert "Recorded, not yet published" in early
    assert f"Recorded and published up to position {application.head()}" in late


def _messages(ledger: Ledger) -> list[Message]:
    return [
        one
        for stored in ledger.store.read()
        for one in messages_of(
            stored, origin=ledger.origin, topics=ledger.topics, keys=ledger.keys.of(stored)
        )
    ]


def _write(messages: list[Message]) -> None:
    sink = Sink(BROKER)
    for one in messages:
        sink.send(one, partition_of(one.key, 4))
    sink.flush(seconds=20)
    sink.close()


def _marks(topic: str, count: int) -> None:
    """Have a transaction write one mark after another, each with a message that is given up."""
    producer = KafkaProducer(bootstrap_servers=SERVERS, transactional_id=topic)
    producer.init_transactions()
    for _ in range(count):
        producer.begin_transaction()
        producer.send(topic, value=b"{}", partition=0)
        producer.flush()
        producer.abort_transaction()
    producer.close(timeout=2)


def test_an_attempt_that_outlasts_the_command_is_told_as_not_yet_published(
    cli: Cli,
    application: LedgerApplication,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def stuck(*_: object, **__: object) -> None:
        begun.set()
        go_on.wait(20)

    monkeypatch.setattr(required, "_late", stuck)
    monkeypatch.setattr(required, "REQUIRED_SECONDS", 0.2)
    monkeypatch.setattr(required, "CLOSE_SECONDS", 0.2)
    head = application.head()
    with required.publishing_beside(cli) as recorded:
        recorded(head - 1)
        begun.wait(10)
        recorded(head)
    said = capfd.readouterr().err
    go_on.set()
    until(lambda: "publishing" not in {one.name for one in threading.enumerate()})

    assert [f"(position {one})" in said for one in (head - 1, head)] == [True, True]
    assert "Recorded and published" not in said
    assert capfd.readouterr().err == ""
    assert cli.to_publish == required_of(since=head)


def test_an_attempt_that_fails_leaves_nobody_without_an_answer(
    cli: Cli,
    application: LedgerApplication,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ValueError("of the test")

    monkeypatch.setattr(required, "_late", broken)
    head = application.head()
    with pytest.raises(ValueError, match="of the test"), required.publishing_beside(cli) as told:
        told(head)

    assert f"Recorded, not yet published (position {head})" in capfd.readouterr().err


def test_a_publisher_whose_time_is_over_while_it_begins_sends_nothing(ledger: Ledger) -> None:
    def slow(point: str) -> None:
        if point == "publish.guarded":
            time.sleep(1.2)

    with (
        Publisher(ledger, BROKER, fault_point=slow) as publisher,
        pytest.raises(PublishUnfinishedError, match="the time is over"),
    ):
        publisher.publish(seconds=1, steady=False)

    with Source(BROKER) as source:
        places = [one for topic in ledger.topics.all for one in source.partitions(topic)]
        assert set(source.ends(places).values()) == {0}


def test_unsafe_topics_stop_no_intake_and_are_said_once(
    cli: Cli, ledger: Ledger, application: LedgerApplication, capfd: pytest.CaptureFixture[str]
) -> None:
    gone(ledger.topics.events)
    with required.publishing_beside(cli) as recorded:
        for _ in range(3):
            recorded(application.head())
            time.sleep(0.8)
    said = capfd.readouterr().err
    assert said.count("topic is missing") == 1
    assert "Recorded, not yet published" in said


def test_kafka_that_is_gone_delays_the_end_by_no_more_than_a_single_command(
    cli: Cli,
    application: LedgerApplication,
    capfd: pytest.CaptureFixture[str],
) -> None:
    environment = {**os.environ, "REGISTRO_KAFKA": "127.0.0.1:1"}
    settings = resolve({}, environment=environment, folder=Path())
    away = Cli(
        settings=settings,
        json=False,
        screen=cli.screen,
        to_publish=required_of(),
    )
    with required.publishing_beside(away) as recorded:
        recorded(application.head())
        began = time.monotonic()
    assert time.monotonic() - began < 2 * required.REQUIRED_SECONDS
    assert "not yet published" in capfd.readouterr().err


def test_an_intake_that_follows_says_of_each_batch_that_kafka_has_it(
    inbox: str, ledger: Ledger, tmp_path: Path
) -> None:
    words = ["inbox", "production", "--source", "SRC", "--follow", "--json"]
    err = (tmp_path / "err").open("w+")
    child = subprocess.Popen(
        [sys.executable, "-m", "app", "--log-format", "json", "--log-level", "info", *words],
        cwd=ROOT,
        env={**os.environ, "REGISTRO_PUBLISH": "required"},
        stdout=subprocess.PIPE,
        stderr=err,
        text=True,
    )
    with contextlib.ExitStack() as stack:
        stack.callback(err.close)
        stack.callback(child.kill)
        for values in ((good(), good()), (good(), b"{")):
            before = ledger.store.head()
            send(inbox, *values)
            until(lambda: ledger.store.head() > before)  # noqa: B023 - called here
            until(lambda: whole(ledger))
        child.send_signal(signal.SIGINT)
        child.wait(timeout=30)
        logged = [
            json.loads(line)
            for line in (tmp_path / "err").read_text().splitlines()
            if line.startswith("{")
        ]

    events = [one["event"] for one in logged if "event" in one]
    for wanted in ("inbox.started", "inbox.batch", "inbox.refused", "inbox.finished"):
        assert wanted in events
    batches = [one["position"] for one in logged if one.get("event") == "inbox.batch"]
    assert [one["position"] for one in logged if one.get("event") == "recorded.published"] == [
        one for one in batches if one is not None
    ]
    (refused,) = [one for one in logged if one.get("event") == "inbox.refused"]
    assert (refused["refused"], refused["codes"]) == (1, "no_json=1")
    (finished,) = [one for one in logged if one.get("event") == "inbox.finished"]
    assert (finished["facts"], finished["refused"]) == (3, 1)


def test_an_intake_that_fails_logs_why(inbox: str, capfd: pytest.CaptureFixture[str]) -> None:
    gone(inbox)
    words = ("--log-format", "json", "--log-level", "info")
    run(*words, "inbox", "production", "--source", "SRC")
    ran = run(*words, "inbox", "production", "--source", "SRC")
    told = ran.err + capfd.readouterr().err
    failed = [json.loads(line) for line in told.splitlines() if '"inbox.failed"' in line]
    assert {one["error"] for one in failed} == {"topic_guard"}
