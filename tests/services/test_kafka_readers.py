"""Readers of the topics alone: read models and verification without the store, on a real broker.

Run by `make test-services`, in one process with the other tests of the broker.
"""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid1

import pytest

from ledger.application import LedgerApplication
from ledger.errors import ConfigurationError, ReadModelAheadError
from ledger.kafka.client.broker import Admin, Sink
from ledger.kafka.client.connection import Broker, partition_of
from ledger.kafka.errors import BrokerError, TopicRestoreError
from ledger.kafka.guard import create_topics
from ledger.kafka.message import Message, messages_of
from ledger.kafka.publisher import Publisher
from ledger.kafka.tails import Ledger
from ledger.kafka.topics import FACTS_PARTITIONS
from ledger.records import RecordKind
from ledger.types import Position
from ledger.verification import verify
from projections.runner.models import PROJECTIONS
from tests.support.cli import Ran, run
from tests.support.kafka import SERVERS, add_facts, ledger_with_facts, published_as
from tests.support.ledgers import place_of

pytestmark = [
    pytest.mark.skipif(
        not SERVERS, reason="no Kafka: scripts/services up, then make test-services"
    ),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

BROKER = Broker(servers=SERVERS)
NEGATIVE = 1
ALTERED = 6
"""Position of the governed event that is altered on its way to the topics."""


@pytest.fixture
def prefix(monkeypatch: pytest.MonkeyPatch) -> str:
    """A prefix of topics that no other test has; the settings name it."""
    own = f"t{uuid1().hex}"
    monkeypatch.setenv("REGISTRO_KAFKA", SERVERS)
    monkeypatch.setenv("REGISTRO_KAFKA_PREFIX", own)
    return own


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


def publish(ledger: Ledger) -> None:
    with Publisher(ledger, BROKER) as publisher:
        publisher.publish(seconds=20)


def messages(ledger: Ledger) -> list[Message]:
    return [
        message
        for stored in ledger.store.read()
        for message in messages_of(
            stored, origin=ledger.origin, topics=ledger.topics, keys=ledger.keys.of(stored)
        )
    ]


def write(ledger: Ledger, given: list[Message]) -> None:
    """Write messages past the publisher, as anybody with access to the topics can."""
    sink = Sink(BROKER)
    for message in given:
        count = 1 if message.topic == ledger.topics.events else FACTS_PARTITIONS
        sink.send(message, partition_of(message.key, count))
    sink.flush(seconds=20)
    sink.close()


def altered(message: Message) -> Message:
    return message._replace(value=message.value[:-1] + bytes([message.value[-1] ^ 1]))


def with_altered_event(ledger: Ledger, position: int) -> list[Message]:
    return [
        altered(one) if (b"%d" % position, b"0") == (one.headers[0][1], one.headers[1][1]) else one
        for one in messages(ledger)
    ]


def nowhere(tmp_path: Path) -> str:
    """Return a place of a ledger that was lost."""
    folder = tmp_path / "elsewhere"
    folder.mkdir(exist_ok=True)
    return str(folder / "lost.db")


def digests(ran: Ran) -> dict[str, str]:
    assert ran.code == 0, ran.err
    return {one["projection"]: one["digest"] for one in ran.json["projections"]}


# Read models


@pytest.mark.parametrize("workers", ["1", "2"])
def test_read_models_from_the_topics_alone_have_the_digests_of_the_store(
    ledger: Ledger, path: Path, tmp_path: Path, workers: str
) -> None:
    publish(ledger)
    lost = nowhere(tmp_path)

    from_store = run("--ledger", place_of(path), "rebuild", "--json")
    from_kafka = run(
        "--ledger", lost, "rebuild", "--source", "kafka", "--workers", workers, "--json"
    )

    assert set(digests(from_store)) == set(PROJECTIONS)
    assert digests(from_kafka) == digests(from_store)
    assert from_kafka.json["position"] == ledger.store.head()
    assert from_kafka.json["events"] == from_store.json["events"]
    assert [one["rows"] for one in from_kafka.json["projections"]] == [
        one["rows"] for one in from_store.json["projections"]
    ]
    assert not Path(lost).exists()


def test_read_models_from_the_topics_take_the_place_of_those_from_the_store(
    ledger: Ledger, path: Path
) -> None:
    publish(ledger)
    own = ("--ledger", place_of(path))
    first = run(*own, "rebuild", "--json")

    again = run(*own, "rebuild", "--source", "kafka", "--json")
    lag = run(*own, "catch-up", "--json")

    assert digests(again) == digests(first)
    assert {one["changed"] for one in again.json["projections"]} == {False}
    assert {one["lag_records"] for one in lag.json["projections"]} == {0}


def test_read_models_are_not_taken_back_by_topics_that_end_earlier(
    application: LedgerApplication, ledger: Ledger, path: Path, tmp_path: Path
) -> None:
    publish(ledger)
    add_facts(application, tmp_path, batch_name="2")
    own = ("--ledger", place_of(path))
    before = digests(run(*own, "rebuild", "--json"))

    refused = run(*own, "rebuild", "--source", "kafka")

    assert refused.code == ReadModelAheadError.exit_code
    assert "registro publish --once" in refused.err
    publish(ledger)
    assert digests(run(*own, "rebuild", "--source", "kafka", "--json")) == before


def test_a_copy_leaves_nothing_behind(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(ledger)
    lost = nowhere(tmp_path)
    aside = tmp_path / "aside"
    aside.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(aside))

    assert run("--ledger", lost, "rebuild", "--source", "kafka").code == 0
    assert run("--ledger", lost, "verify", "--source", "kafka").code == 0

    assert list(aside.iterdir()) == []


@pytest.mark.parametrize("which", ["event", "fact"])
def test_read_models_are_not_built_from_damaged_topics(
    ledger: Ledger, tmp_path: Path, which: str
) -> None:
    position = ALTERED if which == "event" else first_block(ledger)
    write(ledger, with_altered_event(ledger, position))

    refused = run("--ledger", nowhere(tmp_path), "rebuild", "--source", "kafka")

    assert refused.code == TopicRestoreError.exit_code
    assert f"position {position}" in refused.err
    assert list((tmp_path / "elsewhere").iterdir()) == []


def first_block(ledger: Ledger) -> int:
    return next(
        stored.position for stored in ledger.store.read() if stored.record.kind is RecordKind.BLOCK
    )


def test_a_forged_last_message_is_refused_too(ledger: Ledger, tmp_path: Path) -> None:
    governed = [one for one in messages(ledger) if one.topic == ledger.topics.events]
    head = int(dict(governed[-1].headers)["position"])
    kept = [one for one in messages(ledger) if int(dict(one.headers)["position"]) < head]
    write(ledger, [*kept, altered(governed[-1])])

    refused = run("--ledger", nowhere(tmp_path), "rebuild", "--source", "kafka")

    assert refused.code == TopicRestoreError.exit_code
    assert f"{head}.0" in refused.err


def test_topics_of_another_ledger_are_refused(ledger: Ledger, tmp_path: Path, path: Path) -> None:
    publish(ledger)
    place = place_of(tmp_path / "other.db")
    assert run("--ledger", place, "init", "--body", "INPS").code == 0

    rebuilt = run("--ledger", place, "rebuild", "--source", "kafka")
    verified = run("--ledger", place, "verify", "--source", "kafka")

    assert (rebuilt.code, verified.code) == (TopicRestoreError.exit_code,) * 2
    assert ledger.origin.ledger_id in rebuilt.err
    assert run("--ledger", place_of(path), "verify", "--source", "kafka").code == 0


# Verification


def test_verify_from_the_topics_gives_the_head_of_the_store(
    ledger: Ledger, path: Path, tmp_path: Path
) -> None:
    publish(ledger)
    from_store = run("--ledger", place_of(path), "verify", "--json")

    ran = run("--ledger", nowhere(tmp_path), "verify", "--source", "kafka", "--deep", "--json")

    assert ran.code == 0, ran.err
    names = ("ledger_id", "records", "events", "head", "clean", "discrepancies")
    assert {name: ran.json[name] for name in names} == {
        name: from_store.json[name] for name in names
    }
    assert ran.json["topics"] == {
        "messages": ran.json["events"],
        "foreign": 0,
        "repeated": 0,
        "cut": False,
    }
    assert ran.json["ledger"] == f"kafka://{SERVERS}/{ledger.topics.prefix}"


def test_verify_from_the_topics_compares_with_a_kept_head(
    application: LedgerApplication, ledger: Ledger, tmp_path: Path
) -> None:
    publish(ledger)
    kept = verify(ledger.store, application.avro).head
    add_facts(application, tmp_path, batch_name="2")
    later = verify(ledger.store, application.avro).head
    lost = nowhere(tmp_path)

    def ask(head: str) -> Ran:
        return run("--ledger", lost, "verify", "--source", "kafka", "--head", head, "--json")

    same = ask(f"{kept.size}:{kept.root.hex()}")
    other = ask(f"{kept.size}:{later.root.hex()}")
    shorter = ask(f"{later.size}:{later.root.hex()}")

    assert (same.code, same.json["clean"]) == (0, True)
    for ran in (other, shorter):
        assert ran.code == NEGATIVE
        assert [one["kind"] for one in ran.json["discrepancies"]] == ["kept_head"]


def test_verify_from_the_topics_compares_with_a_checkpoint(
    ledger: Ledger, path: Path, tmp_path: Path
) -> None:
    own = ("--ledger", place_of(path))
    assert run(*own, "keys", "new", "--actor", "OIV").code == 0
    assert run(*own, "seal").code == 0
    publish(ledger)
    checkpoint = next(tmp_path.glob("*log*/checkpoint"))
    bad = tmp_path / "bad"
    text = checkpoint.read_text()
    bad.write_text(text.replace("\n", "9\n", 2).replace("9\n", "\n", 1))

    good = run(
        "--ledger", nowhere(tmp_path), "verify", "--source", "kafka", "--json",
        "--checkpoint", str(checkpoint),
    )  # fmt: skip
    wrong = run(
        "--ledger", nowhere(tmp_path), "verify", "--source", "kafka", "--json",
        "--checkpoint", str(bad),
    )  # fmt: skip

    assert good.code == 0, good.out
    assert good.json["checkpoint"]["size"] <= good.json["records"]
    assert wrong.code == NEGATIVE
    assert {one["kind"] for one in wrong.json["discrepancies"]} == {"checkpoint"}


@pytest.mark.parametrize("which", ["event", "fact"])
def test_verify_from_the_topics_finds_a_tampered_message(
    ledger: Ledger, tmp_path: Path, which: str
) -> None:
    position = ALTERED if which == "event" else first_block(ledger)
    write(ledger, with_altered_event(ledger, position))

    ran = run("--ledger", nowhere(tmp_path), "verify", "--source", "kafka")

    assert ran.code == TopicRestoreError.exit_code
    assert f"position {position}" in ran.err


def test_verify_from_the_topics_lists_a_forged_record_before_the_true_one(
    ledger: Ledger, tmp_path: Path
) -> None:
    """The true messages are all there: nothing is lost, but somebody wrote into the topics."""
    given = messages(ledger)
    place = next(index for index, one in enumerate(given) if one.headers[0][1] == b"%d" % ALTERED)
    write(ledger, [*given[:place], altered(given[place]), *given[place:]])
    lost = nowhere(tmp_path)

    ran = run("--ledger", lost, "verify", "--source", "kafka", "--json")
    told = run("--ledger", lost, "--lang", "it", "verify", "--source", "kafka")

    assert (ran.code, told.code) == (NEGATIVE, NEGATIVE)
    assert [(one["kind"], one["position"]) for one in ran.json["discrepancies"]] == [
        ("topic", ALTERED)
    ]
    assert ran.json["head"]["position"] == ledger.store.head()
    assert f"il messaggio {ALTERED}.0 dei topic non è come lo scrive il registro" in told.out
    assert "estranei 1" in told.out


def test_verify_does_not_take_damage_for_an_end_that_is_not_published_yet(
    ledger: Ledger, tmp_path: Path
) -> None:
    """A message whose address is gone leaves a gap that looks like the work of a publisher."""
    given = messages(ledger)
    place = next(index for index, one in enumerate(given) if one.headers[0][1] == b"%d" % ALTERED)
    nameless = given[place]._replace(headers=given[place].headers[1:])
    write(ledger, [*given[:place], nameless, *given[place + 1 :]])

    ran = run("--ledger", nowhere(tmp_path), "verify", "--source", "kafka", "--json")

    assert ran.code == NEGATIVE
    assert [one["kind"] for one in ran.json["discrepancies"]] == ["topic"]
    assert ran.json["topics"]["cut"]


def test_verify_lists_what_was_forged_in_an_append_that_is_left_out(
    ledger: Ledger, tmp_path: Path
) -> None:
    begin, forged = 14, 20
    given = [one for one in messages(ledger) if int(one.headers[0][1]) <= forged]
    (stored,) = ledger.store.read(after=Position(forged - 1), through=Position(forged))
    write(ledger, [*given[:-1], altered(given[-1])])

    ran = run("--ledger", nowhere(tmp_path), "verify", "--source", "kafka", "--json")

    assert stored.record.append.part == forged - begin
    assert ran.code == NEGATIVE
    assert ran.json["head"]["position"] == begin - 1
    assert [(one["kind"], one["position"]) for one in ran.json["discrepancies"]] == [
        ("topic", forged),
        ("topic", begin),
    ]


def test_verify_tells_of_an_end_that_is_not_published_yet(ledger: Ledger, tmp_path: Path) -> None:
    head = ledger.store.head()
    given = messages(ledger)
    write(ledger, given[:-1])

    ran = run("--ledger", nowhere(tmp_path), "verify", "--source", "kafka", "--json")
    told = run("--ledger", nowhere(tmp_path), "verify", "--source", "kafka")

    assert (ran.code, ran.json["clean"], ran.json["topics"]["cut"]) == (0, True, True)
    assert ran.json["head"]["position"] < head
    assert "incomplete append" in told.out


def test_topics_that_end_before_the_ledger_is_opened_give_no_ledger(
    ledger: Ledger, tmp_path: Path
) -> None:
    write(ledger, messages(ledger)[:2])

    ran = run("--ledger", nowhere(tmp_path), "verify", "--source", "kafka")

    assert ran.code == TopicRestoreError.exit_code
    assert "position 3" in ran.err


# Settings


@pytest.mark.parametrize("command", ["rebuild", "verify"])
def test_no_broker_is_said_at_once(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REGISTRO_KAFKA", raising=False)

    ran = run("--ledger", nowhere(tmp_path), command, "--source", "kafka")

    assert ran.code == ConfigurationError.exit_code
    assert "REGISTRO_KAFKA" in ran.err


@pytest.mark.parametrize("command", ["rebuild", "verify"])
def test_topics_that_are_not_there_give_no_ledger(
    command: str, prefix: str, tmp_path: Path
) -> None:
    ran = run("--ledger", nowhere(tmp_path), command, "--source", "kafka")

    assert prefix
    assert ran.code == TopicRestoreError.exit_code


@pytest.mark.parametrize("command", ["rebuild", "verify"])
def test_a_broker_that_is_not_there_is_said(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGISTRO_KAFKA", "127.0.0.1:1")
    monkeypatch.setattr("app.cli.kafka.from_topics.broker_of", _impatient)

    ran = run("--ledger", nowhere(tmp_path), command, "--source", "kafka")

    assert ran.code == BrokerError.exit_code


def _impatient(_: object) -> Broker:
    return Broker(servers="127.0.0.1:1", wait_seconds=1)


def test_positions_are_those_of_the_ledger(ledger: Ledger) -> None:
    """What the tests above alter is there: a governed event, and a block behind it."""
    (stored,) = ledger.store.read(after=Position(ALTERED - 1), through=Position(ALTERED))

    assert stored.record.kind is RecordKind.EVENT
    assert ALTERED < first_block(ledger) < ledger.store.head()
