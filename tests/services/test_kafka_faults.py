"""Faults between a publisher and a real broker: nothing lost, nothing doubled, whatever breaks.

The broker is this module's own, behind a proxy of the tests. Every run ends in `Rig.assert_sound`.
"""

import contextlib
import os
import random
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid1

import pytest
from kafka import KafkaProducer

from ledger.application import LedgerApplication
from ledger.kafka.client.broker import Sink
from ledger.kafka.client.connection import Broker, partition_of
from ledger.kafka.errors import BrokerAccessError, PublisherBusyError, PublishUnfinishedError
from ledger.kafka.message import messages_of
from ledger.kafka.publisher import Publisher
from tests.services.faults.proxy import (
    INIT_PRODUCER_ID,
    LIST_OFFSETS,
    METADATA,
    PRODUCE,
    Fault,
    Proxy,
)
from tests.services.faults.rig import (
    Rig,
    child_of,
    free_ports,
    process_of,
    rig_of,
    run_script,
    until,
)
from tests.support.history import Step, element_of
from tests.support.kafka import FAST, SERVERS, ledger_at, ledger_with_facts

pytestmark = [
    pytest.mark.skipif(
        not SERVERS, reason="no Kafka: scripts/services up, then make test-services"
    ),
    pytest.mark.timeout(300),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

SEEDS = [int(one) for one in os.environ.get("REGISTRO_FAULT_SEEDS", "1 2 3").split()]
STEPS_MAX = 6

# Error codes of the protocol in replies to Produce (research: D1, and the usual ones).
CODES = {
    "CORRUPT_MESSAGE": 2,
    "UNKNOWN_TOPIC_OR_PARTITION": 3,
    "NOT_LEADER_OR_FOLLOWER": 6,
    "REQUEST_TIMED_OUT": 7,
    "MESSAGE_TOO_LARGE": 10,
    "NOT_ENOUGH_REPLICAS": 19,
    "NOT_ENOUGH_REPLICAS_AFTER_APPEND": 20,
    "OUT_OF_ORDER_SEQUENCE_NUMBER": 45,
    "INVALID_PRODUCER_EPOCH": 47,
    "KAFKA_STORAGE_ERROR": 56,
    "UNKNOWN_PRODUCER_ID": 59,
}
FORBIDDEN = 29


@pytest.fixture(scope="module")
def proxied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Proxy, int]]:
    """A broker whose clients are sent to the proxy, and the proxy's port."""
    folder = tmp_path_factory.mktemp("broker")
    own, outer = free_ports(2)
    run_script("broker", folder, own, outer)
    try:
        with Proxy(port=outer, upstream=own) as proxy:
            yield proxy, outer
    finally:
        os.kill(process_of(folder), signal.SIGKILL)


@pytest.fixture
def proxy(proxied: tuple[Proxy, int]) -> Proxy:
    return proxied[0]


@pytest.fixture
def application(tmp_path: Path) -> Iterator[LedgerApplication]:
    made = ledger_with_facts(tmp_path / "ledger.db")
    yield made
    made.store.engine.dispose()


@pytest.fixture
def rig(
    application: LedgerApplication,
    proxied: tuple[Proxy, int],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Rig]:
    servers = f"127.0.0.1:{proxied[1]}"
    with rig_of(
        application,
        tmp_path,
        prefix=f"t{uuid1().hex}",
        broker=Broker(servers=servers, wait_seconds=1.5, fast=FAST),
        calm=Broker(servers=servers, fast=FAST),
        monkeypatch=monkeypatch,
    ) as made:
        yield made


# The connection


@pytest.mark.parametrize(
    "fault",
    [
        Fault(deed="drop"),
        Fault(deed="drop", times=2),
        Fault(deed="delay", seconds=0.5),
        Fault(deed="half_close"),
        Fault(deed="cut", after=0),
        Fault(deed="cut", after=3),
        Fault(deed="cut", after=60),
        Fault(deed="cut", after=2000),
        Fault(deed="lose_reply"),
        Fault(deed="lose_reply", times=3),
        Fault(deed="lose_reply", skip=1),
        Fault(deed="drop", kind=INIT_PRODUCER_ID),
        Fault(deed="lose_reply", kind=INIT_PRODUCER_ID),
        Fault(deed="cut", kind=METADATA, after=6),
        Fault(deed="lose_reply", kind=LIST_OFFSETS),
    ],
    ids=lambda one: f"{one.deed}-{one.kind}-{one.times}-{one.skip}-{one.after}",
)
def test_a_connection_that_breaks_loses_and_doubles_nothing(
    rig: Rig, proxy: Proxy, fault: Fault
) -> None:
    rig.grow("2", facts=5000 if fault.skip else 600)

    with proxy.failing(fault):
        done = rig.publish(seconds=15)

    assert fault.struck
    assert done.position == rig.ledger.store.head()
    rig.assert_sound()


def test_a_request_that_arrives_after_its_sender_gave_up_doubles_at_most(
    rig: Rig, proxy: Proxy
) -> None:
    """No client can take back what is on its way: the one case where messages stand there twice."""
    with proxy.failing(Fault(deed="delay", seconds=4, times=1)):
        done = rig.publish(seconds=15)

    assert done.position == rig.ledger.store.head()
    rig.assert_sound(repeats=True)


def test_what_waits_in_a_producer_that_is_given_up_is_never_sent(rig: Rig) -> None:
    sink = Sink(rig.broker)
    (stored,) = rig.ledger.store.read(through=1)  # type: ignore[arg-type] # a position
    for message in messages_of(
        stored,
        origin=rig.ledger.origin,
        topics=rig.ledger.topics,
        keys=rig.ledger.keys.of(stored),
    ):
        sink.send(message, partition_of(message.key, 1))

    sink.close()

    assert rig.checked().messages == 0
    rig.publish()
    rig.assert_sound()


def test_a_silent_broker_is_told_in_time_and_publishing_goes_on_later(
    rig: Rig, proxy: Proxy
) -> None:
    with (
        proxy.failing(Fault(deed="drop", times=1000)),
        pytest.raises(PublishUnfinishedError),
    ):
        rig.publish(seconds=4)

    rig.publish()
    rig.assert_sound()


# What the broker says


@pytest.mark.parametrize("code", CODES.values(), ids=CODES.keys())
def test_a_refusal_of_messages_loses_nothing(rig: Rig, proxy: Proxy, code: int) -> None:
    """Part of a request is not in the log, and the reply names a code; D1 is among them."""
    fault = Fault(deed="spoil_and_alter", code=code)

    with proxy.failing(fault):
        done = rig.publish(seconds=15)

    assert fault.struck
    assert done.position == rig.ledger.store.head()
    # What the broker did take of the refused request may stand there twice: a lying broker.
    rig.assert_sound(repeats=True)


@pytest.mark.parametrize("code", CODES.values(), ids=CODES.keys())
def test_a_refusal_of_messages_that_are_there_doubles_at_most(
    rig: Rig, proxy: Proxy, code: int
) -> None:
    fault = Fault(deed="alter", code=code)

    with proxy.failing(fault):
        done = rig.publish(seconds=15)

    assert fault.struck
    assert done.position == rig.ledger.store.head()
    rig.assert_sound(repeats=True)


def test_a_broker_that_forbids_writing_is_told_at_once_and_nothing_is_lost(
    rig: Rig, proxy: Proxy
) -> None:
    with (
        proxy.failing(Fault(deed="spoil_and_alter", code=FORBIDDEN)),
        pytest.raises(BrokerAccessError),
    ):
        rig.publish()

    rig.publish()
    rig.assert_sound(repeats=True)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_run_of_faults_drawn_by_lot_loses_and_doubles_nothing(
    rig: Rig, proxy: Proxy, seed: int
) -> None:
    rig.seed = str(seed)
    lot = random.Random(seed)  # noqa: S311 - a lot, not a secret
    for turn in range(3):
        rig.grow(f"lot-{turn}", facts=lot.randrange(200, 3000))
        faults = [
            Fault(
                deed=lot.choice(("drop", "half_close", "cut", "lose_reply")),
                kind=lot.choice((PRODUCE, PRODUCE, PRODUCE, METADATA, LIST_OFFSETS)),
                skip=lot.randrange(3),
                after=lot.randrange(3000),
            )
            for _ in range(lot.randrange(1, 4))
        ]
        with proxy.failing(*faults):
            rig.publish(seconds=25)

    rig.assert_sound()


# Processes that are killed or stopped


def test_a_publisher_killed_behind_a_failing_connection_loses_and_doubles_nothing(
    rig: Rig, proxy: Proxy, proxied: tuple[Proxy, int], tmp_path: Path
) -> None:
    codes = []
    for number in range(1, STEPS_MAX):
        with proxy.failing(Fault(deed="lose_reply")):
            child = child_of(
                tmp_path / "ledger.db",
                f"127.0.0.1:{proxied[1]}",
                rig.ledger.topics.prefix,
                number=number,
                deed="kill",
                history=rig.history.path,
            )
            child.communicate(timeout=60)
        codes.append(child.returncode)
        rig.grow(f"killed-{number}")

    rig.publish()

    assert codes.count(-signal.SIGKILL) >= 4
    rig.assert_sound()


def _is_stopped(child: subprocess.Popen[str]) -> bool:
    state = Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()[0]
    return state == "T"


@contextlib.contextmanager
def stopped_publisher(rig: Rig, port: int, *, number: int) -> Iterator[subprocess.Popen[str]]:
    """A publisher that stopped at a fault point, in the middle of its work."""
    child = child_of(
        rig.folder / "ledger.db",
        f"127.0.0.1:{port}",
        rig.ledger.topics.prefix,
        number=number,
        deed="stop",
        history=rig.history.path,
    )
    try:
        until(lambda: _is_stopped(child), seconds=30, what="the child did not stop")
        yield child
    finally:
        child.kill()
        child.communicate(timeout=20)


@pytest.mark.parametrize("number", [1, 4, 5])
def test_a_stopped_publisher_keeps_its_lock_until_it_is_killed(
    rig: Rig, proxied: tuple[Proxy, int], number: int
) -> None:
    with stopped_publisher(rig, proxied[1], number=number) as child:
        with pytest.raises(PublisherBusyError):
            rig.publish()
        child.kill()
        child.communicate(timeout=20)

        rig.publish()

    rig.assert_sound()


def test_a_stopped_publisher_that_goes_on_finishes_its_work(
    rig: Rig, proxied: tuple[Proxy, int]
) -> None:
    with stopped_publisher(rig, proxied[1], number=4) as child:
        child.send_signal(signal.SIGCONT)
        said, _ = child.communicate(timeout=30)

    assert said == "done\n"
    rig.assert_sound()


# Two writers of one history; transactions of others


def test_two_producers_of_one_history_double_at_most(rig: Rig) -> None:
    """The lock is a file beside the ledger; a copy of the ledger elsewhere has another lock."""
    rig.grow("2", facts=5000)
    copy = rig.folder / "copy.db"
    rig.ledger.store.engine.dispose()
    copy.write_bytes((rig.folder / "ledger.db").read_bytes())
    for suffix in ("-wal",):
        log = rig.folder / f"ledger.db{suffix}"
        if log.exists():
            copy.with_name(copy.name + suffix).write_bytes(log.read_bytes())
    other = ledger_at(copy, rig.ledger.topics.prefix)
    taken = False

    def overtake(point: str) -> None:
        nonlocal taken
        if point == "publish.before_flush" and not taken:
            taken = True
            with Publisher(other, rig.broker) as second:
                second.publish(seconds=20)

    rig.publish(fault_point=overtake)

    assert taken
    assert rig.verdict().doubled
    rig.assert_sound(repeats=True)
    other.store.engine.dispose()


def test_messages_of_an_aborted_transaction_are_seen_by_nobody(rig: Rig) -> None:
    """Abort isolation on the real broker, and what the marks in the log do to our offsets."""
    head = rig.ledger.store.head()
    (stored,) = rig.ledger.store.read(after=head - 1)  # type: ignore[arg-type] # a position
    messages = list(
        messages_of(
            stored,
            origin=rig.ledger.origin,
            topics=rig.ledger.topics,
            keys=rig.ledger.keys.of(stored),
        )
    )
    producer = KafkaProducer(
        bootstrap_servers=rig.calm.servers, transactional_id=f"{rig.ledger.topics.prefix}-x"
    )
    producer.init_transactions()
    producer.begin_transaction()
    for message in messages:
        number = partition_of(message.key, 4)
        producer.send(
            message.topic,
            key=message.key,
            value=message.value,
            headers=list(message.headers),
            partition=number,
        ).get(timeout=10)
        element = element_of(message, number)
        rig.history.write("attempt", [element])
        rig.history.write("aborted", [element])
    producer.abort_transaction()
    producer.close(timeout=2)
    before = rig.checked()

    rig.publish()

    assert before.messages == 0
    assert {one.deed for one in rig.history.steps()} >= {"aborted"}
    assert all(isinstance(one, Step) for one in rig.history.steps())
    rig.assert_sound()
