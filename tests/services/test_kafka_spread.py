"""A rebuild whose workers read Kafka themselves: one digest, whoever reads, whoever dies meanwhile.

Run by `make test-services`, in one process with the other tests of the broker.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid1

import pytest

from ledger.application import LedgerApplication
from ledger.errors import ReadModelAheadError
from ledger.kafka import seams
from ledger.kafka.client.broker import Admin, Sink
from ledger.kafka.client.connection import Broker, Partition, partition_of
from ledger.kafka.client.security import Security
from ledger.kafka.errors import TopicRestoreError
from ledger.kafka.frozen import FrozenTopics, freeze
from ledger.kafka.guard import create_topics
from ledger.kafka.message import Message, address_of
from ledger.kafka.publisher import Publisher
from ledger.kafka.tails import Ledger
from ledger.kafka.topics import FACTS_PARTITIONS
from ledger.records import RecordKind
from projections.runner.cluster import DaskEngine
from projections.runner.engines import Engine, EngineError
from projections.runner.models import PROJECTIONS
from projections.runner.rebuilding import rebuild_from
from projections.runner.workers import OwnProcess, ProcessEngine
from tests.support.cli import Ran, run
from tests.support.dask_cluster import Cluster, cluster
from tests.support.kafka import FAST, SERVERS, add_facts, ledger_with_facts, published_as
from tests.support.ledgers import place_of
from tests.support.topics_memory import messages
from tests.unit.projections.runner.test_digests import PRODUCTION, caught_up, views_at

pytestmark = [
    pytest.mark.skipif(
        not SERVERS, reason="no Kafka: scripts/services up, then make test-services"
    ),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

BROKER = Broker(servers=SERVERS, fast=FAST)
NEGATIVE = 1
ALTERED = 6
"""Position of the governed event that is altered on its way to the topics."""
LEAST_RANGES = 5
"""A ledger of a test has few records; so many ranges there are in any case."""


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster(tmp_path_factory.mktemp("three") / "dask") as made:
        yield made


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest.fixture
def application(path: Path) -> Iterator[LedgerApplication]:
    made = ledger_with_facts(path)
    for number in range(2, 9):
        add_facts(made, path.parent, batch_name=str(number), facts=60)
    yield made
    made.store.engine.dispose()


@pytest.fixture
def ledger(application: LedgerApplication, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ledger]:
    """A ledger with topics of its own, which the settings name."""
    prefix = f"t{uuid1().hex}"
    monkeypatch.setenv("REGISTRO_KAFKA", SERVERS)
    monkeypatch.setenv("REGISTRO_KAFKA_PREFIX", prefix)
    # As in a long ledger: what lies far in front of a range is not read.
    monkeypatch.setattr(seams, "CLOSE_ENOUGH", 20)
    monkeypatch.setattr("ledger.kafka.frozen.SLICE_MESSAGES", 1)
    own = published_as(application, prefix)
    with Admin(BROKER) as admin:
        create_topics(admin, own.topics)
    yield own
    with Admin(BROKER) as admin:
        admin.delete(list(admin.states(own.topics.all)))


def publish(ledger: Ledger) -> None:
    with Publisher(ledger, BROKER) as publisher:
        publisher.publish(seconds=20)


def write(ledger: Ledger, given: list[Message]) -> None:
    """Write messages past the publisher, as anybody with access to the topics can."""
    sink = Sink(BROKER)
    for one in given:
        count = 1 if one.topic == ledger.topics.events else FACTS_PARTITIONS
        place = Partition(one.topic, partition_of(one.key, count))
        sink.send_raw(place, one.key, one.value, one.headers)
    sink.flush(seconds=20)
    sink.close()


def position_of(message: Message) -> int:
    return address_of(message.headers).position


def altered(message: Message) -> Message:
    return message._replace(value=message.value[:-1] + bytes([message.value[-1] ^ 1]))


def frozen(ledger: Ledger) -> FrozenTopics:
    return freeze(BROKER, ledger.topics, slice_messages=1)


def wanted(application: LedgerApplication, tmp_path: Path) -> str:
    """Return the digest that one process gives from the store."""
    return caught_up(application, tmp_path / "wanted.db", PRODUCTION)


def on(place: str, *words: str) -> Ran:
    return run("--ledger", place, "rebuild", "--source", "kafka", *words)


def nowhere(tmp_path: Path) -> str:
    """Return a place of a ledger that was lost."""
    folder = tmp_path / "elsewhere"
    folder.mkdir(exist_ok=True)
    return str(folder / "lost.db")


def no_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the test fail when the topics are restored into a file."""

    def refuse(_: object) -> None:
        raise AssertionError("a copy of the ledger was made")

    monkeypatch.setattr("app.cli.production.rebuilding.topics_ledger", refuse)


# One digest


@pytest.mark.parametrize("kind", ["own", "processes", "dask"])
def test_every_engine_gives_the_digest_of_the_store(
    kind: str, three: Cluster, application: LedgerApplication, ledger: Ledger, tmp_path: Path
) -> None:
    publish(ledger)
    engines: dict[str, Engine] = {
        "own": OwnProcess(),
        "processes": ProcessEngine(workers=2),
        "dask": DaskEngine(address=three.address, workers=3),
    }
    topics, views = frozen(ledger), views_at(tmp_path / "views.db")
    seen: list[int] = []
    done = rebuild_from(
        views, PRODUCTION, topics, engine=engines[kind], progress=lambda at, _: seen.append(at)
    )

    assert done.digest == views.digest(PRODUCTION) == wanted(application, tmp_path)
    assert (done.position, seen[-1]) == (ledger.store.head(),) * 2
    assert topics.restored is not None
    assert topics.restored.messages == done.events == len(messages(ledger))
    assert (topics.restored.foreign, topics.restored.repeated) == (0, 0)
    assert not topics.restored.cut


@pytest.mark.crash
@pytest.mark.parametrize(
    "point",
    [
        *(("before", number) for number in (1, 4, LEAST_RANGES)),
        *(("after", number) for number in (2, LEAST_RANGES)),
        ("merge", 1),
    ],
    ids=str,
)
def test_a_worker_that_dies_does_not_show(
    point: tuple[str, int],
    three: Cluster,
    application: LedgerApplication,
    ledger: Ledger,
    tmp_path: Path,
) -> None:
    publish(ledger)
    topics = frozen(ledger)
    three.kill_at(*point)
    done = rebuild_from(
        views_at(tmp_path / "views.db"),
        PRODUCTION,
        topics,
        engine=DaskEngine(address=three.address, workers=3),
    )

    assert three.killed()
    assert done.digest == wanted(application, tmp_path)
    assert topics.restored is not None
    assert (topics.restored.foreign, topics.restored.repeated) == (0, 0)


@pytest.mark.crash
def test_what_dask_tells_of_a_failure_shows_no_password(
    three: Cluster, ledger: Ledger, tmp_path: Path
) -> None:
    publish(ledger)
    secret = replace(BROKER, security=Security(password="hush-hush"))  # noqa: S106 - made up
    topics = freeze(secret, ledger.topics, slice_messages=1)
    three.kill_at("before", 0)
    try:
        with pytest.raises(EngineError, match="KilledWorker") as raised:
            rebuild_from(
                views_at(tmp_path / "views.db"),
                PRODUCTION,
                topics,
                engine=DaskEngine(address=three.address, workers=3),
            )
    finally:
        three.spare()

    assert "hush-hush" not in str(raised.value)
    assert "hush-hush" not in three.log.read_text(errors="replace")


# The command


@pytest.mark.parametrize("engine", ["one", "processes", "dask"])
def test_only_what_is_spread_makes_no_copy(  # noqa: PLR0917 - its fixtures
    engine: str,
    three: Cluster,
    ledger: Ledger,
    path: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    publish(ledger)
    no_copy(monkeypatch)
    words = {
        "one": (),
        "processes": ("--workers", "2"),
        "dask": ("--workers", "3", "--engine", "dask", "--address", three.address),
    }[engine]
    own = ("--projection", "production", "--json")
    from_store = run("--ledger", place_of(path), "rebuild", *own)
    lost = nowhere(tmp_path)
    ran = on(lost, *own, *words)

    assert (ran.code, from_store.code) == (0, 0), ran.err
    assert ran.json["digest"] == from_store.json["digest"]
    assert ran.json["events"] == from_store.json["events"]
    assert ran.json["position"] == ledger.store.head()
    assert not Path(lost).exists()


def test_governed_read_models_are_folded_here_and_facts_by_the_workers(
    three: Cluster, ledger: Ledger, path: Path, tmp_path: Path
) -> None:
    publish(ledger)
    from_store = run("--ledger", place_of(path), "rebuild", "--json")
    words = ("--workers", "3", "--engine", "dask", "--address", three.address, "--json")
    for old in three.faults.iterdir():
        old.unlink()
    ran = on(nowhere(tmp_path), *words)

    assert (ran.code, from_store.code) == (0, 0), ran.err
    found = {one["projection"]: one["digest"] for one in ran.json["projections"]}
    assert set(found) == set(PROJECTIONS)
    assert found == {one["projection"]: one["digest"] for one in from_store.json["projections"]}
    assert list(three.faults.glob("before-*"))


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("which", ["event", "fact"])
def test_damage_is_named_by_whoever_reads_it(
    workers: str, which: str, ledger: Ledger, tmp_path: Path
) -> None:
    blocks = [one.position for one in ledger.store.read() if one.record.kind is RecordKind.BLOCK]
    position = ALTERED if which == "event" else blocks[0]
    given = messages(ledger)
    write(
        ledger,
        [altered(m) if address_of(m.headers) == (position, 0) else m for m in given],
    )
    place = nowhere(tmp_path)
    ran = on(place, "--projection", "production", "--workers", workers)

    assert ran.code == TopicRestoreError.exit_code
    assert f"position {position}" in ran.err
    assert not Path(place).exists()
    assert "Traceback" not in ran.err


def test_damage_is_named_from_the_cluster_too(
    three: Cluster, ledger: Ledger, tmp_path: Path
) -> None:
    given = messages(ledger)
    write(ledger, [altered(m) if position_of(m) == ALTERED else m for m in given])
    words = ("--engine", "dask", "--address", three.address)
    ran = on(nowhere(tmp_path), "--projection", "production", *words)

    assert ran.code == TopicRestoreError.exit_code
    assert f"position {ALTERED}" in ran.err


@pytest.mark.parametrize("workers", ["1", "3"])
def test_an_end_that_is_not_published_yet_is_left_out_and_said(
    workers: str, ledger: Ledger, tmp_path: Path
) -> None:
    whole = messages(ledger)
    write(ledger, whole[:-1])
    own = ("--projection", "production", "--workers", workers)
    ran = on(nowhere(tmp_path), *own, "--json")
    told = on(nowhere(tmp_path), *own)

    last = next(one for one in reversed(whole) if not address_of(one.headers).index)
    assert ran.code == 0, ran.err
    assert ran.json["position"] == position_of(last) - 1
    assert ran.json["events"] == sum(position_of(m) < position_of(last) for m in whole)
    assert "incomplete append" in told.err


def test_what_stands_there_twice_or_is_foreign_is_passed_over_and_said(
    ledger: Ledger, path: Path, tmp_path: Path
) -> None:
    publish(ledger)
    whole = messages(ledger)
    write(ledger, whole[40:90])
    write(ledger, [whole[0]._replace(headers=())])
    own = ("--projection", "production", "--workers", "2")
    ran = on(nowhere(tmp_path), *own, "--lang", "it", "--json")
    told = on(nowhere(tmp_path), *own, "--lang", "it")
    from_store = run("--ledger", place_of(path), "rebuild", *own, "--json")

    assert ran.json["digest"] == from_store.json["digest"]
    assert "estranei 1, ripetuti 50" in told.err


def test_topics_of_another_ledger_are_refused(ledger: Ledger, tmp_path: Path) -> None:
    publish(ledger)
    place = place_of(tmp_path / "other.db")
    assert run("--ledger", place, "init", "--body", "INPS").code == 0
    ran = on(place, "--projection", "production", "--workers", "2")

    assert ran.code == TopicRestoreError.exit_code
    assert ledger.origin.ledger_id in ran.err


def test_a_read_model_that_covers_more_stays_as_it_was(
    application: LedgerApplication, ledger: Ledger, path: Path, tmp_path: Path
) -> None:
    publish(ledger)
    add_facts(application, tmp_path, batch_name="later")
    own = ("--projection", "production", "--json")
    before = run("--ledger", place_of(path), "rebuild", *own).json["digest"]

    refused = on(place_of(path), *own, "--workers", "2")

    assert refused.code == ReadModelAheadError.exit_code
    publish(ledger)
    again = on(place_of(path), *own, "--workers", "2")
    assert (again.json["digest"], again.json["projections"][0]["changed"]) == (before, False)
