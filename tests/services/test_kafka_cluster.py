"""Three brokers, three copies of each message, two of them needed: what is lost when brokers are.

The cluster is this module's own. Every run ends in `Rig.assert_sound`. Messages that a leader has
and too few others are shown to nobody until the others have them: the publisher waits for them, so
nothing is repeated even where two of three brokers are gone.
"""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid1

import pytest
from kafka import KafkaAdminClient, TopicPartition

from ledger.application import LedgerApplication
from ledger.kafka.client.broker import Admin
from ledger.kafka.client.connection import Broker
from ledger.kafka.errors import PublishUnfinishedError
from ledger.kafka.guard import mismatches
from tests.services.faults.rig import Rig, free_ports, process_of, rig_of, run_script, until
from tests.support.kafka import FAST, SERVERS, ledger_with_facts

pytestmark = [
    pytest.mark.skipif(
        not SERVERS, reason="no Kafka: scripts/services up, then make test-services"
    ),
    pytest.mark.timeout(300),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

NODES = (1, 2, 3)
FACTS = 9000
"""Enough for several batches."""


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """Three brokers in a folder."""

    folder: Path
    ports: tuple[int, ...]

    @property
    def servers(self) -> str:
        return ",".join(f"127.0.0.1:{port}" for port in self.ports)

    def start(self, *nodes: int) -> None:
        """Start nodes that do not run."""
        chosen = {"KAFKA_NODE": " ".join(map(str, nodes))} if nodes else {}
        run_script("cluster", self.folder, *self.ports, environment=chosen)

    def kill(self, *nodes: int) -> None:
        """Kill nodes as a power cut would."""
        for node in nodes:
            os.kill(process_of(self.folder / str(node)), signal.SIGKILL)

    def nodes(self) -> int:
        """Return how many brokers are in the cluster."""
        client = KafkaAdminClient(bootstrap_servers=self.servers.split(","))
        try:
            return len(client.describe_cluster()["brokers"])
        finally:
            client.close()

    def leader(self, topic: str) -> int:
        """Return the node that leads the first partition of a topic; -1 while there is none."""
        client = KafkaAdminClient(bootstrap_servers=self.servers.split(","))
        try:
            (described,) = client.describe_topics([topic])
            return int(described["partitions"][0]["leader_id"])
        finally:
            client.close()

    def whole(self, topics: tuple[str, ...]) -> bool:
        """Tell whether every copy of every partition is in step."""
        client = KafkaAdminClient(bootstrap_servers=self.servers.split(","))
        try:
            described = client.describe_topics(list(topics))
        finally:
            client.close()
        partitions = [one for topic in described for one in topic["partitions"]]
        return all(len(one["isr_nodes"]) == len(NODES) for one in partitions)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    made = Cluster(folder=tmp_path_factory.mktemp("cluster"), ports=tuple(free_ports(3)))
    made.start()
    until(lambda: made.nodes() == len(NODES), seconds=30, what="not all brokers are there")
    yield made
    made.kill(*NODES)


@pytest.fixture
def application(tmp_path: Path) -> Iterator[LedgerApplication]:
    made = ledger_with_facts(tmp_path / "ledger.db")
    yield made
    made.store.engine.dispose()


@pytest.fixture
def rig(
    application: LedgerApplication,
    cluster: Cluster,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Rig]:
    with rig_of(
        application,
        tmp_path,
        prefix=f"t{uuid1().hex}",
        broker=Broker(servers=cluster.servers, wait_seconds=3, fast=FAST),
        calm=Broker(servers=cluster.servers, fast=FAST),
        monkeypatch=monkeypatch,
        replicas=len(NODES),
    ) as made:
        yield made
        cluster.start()


def once_at(point: str, deed: Callable[[], None]) -> tuple[Callable[[str], None], threading.Event]:
    """Return a fault point that does something the second time it comes to a step."""
    done, seen = threading.Event(), 0

    def act(reached: str) -> None:
        nonlocal seen
        if reached == point and not done.is_set():
            seen += 1
            if seen > 1:
                done.set()
                deed()

    return act, done


def test_topics_have_three_copies_of_which_two_are_needed(rig: Rig, cluster: Cluster) -> None:
    with Admin(rig.calm) as admin:
        states = admin.states(rig.ledger.topics.all)
        found = mismatches(admin, rig.ledger.topics)

    assert {one.replicas for one in states.values()} == {3}
    assert {one.settings["min.insync.replicas"] for one in states.values()} == {"2"}
    assert found == ()
    assert cluster.whole(rig.ledger.topics.all)


def test_one_of_three_brokers_killed_while_publishing_is_hardly_noticed(
    rig: Rig, cluster: Cluster
) -> None:
    rig.grow("2", facts=FACTS)
    victim = cluster.leader(rig.ledger.topics.facts("production"))
    act, done = once_at("publish.before_flush", lambda: cluster.kill(victim))

    published = rig.publish(seconds=40, fault_point=act)

    assert done.is_set()
    assert published.position == rig.ledger.store.head()
    rig.assert_sound()
    cluster.start(victim)
    until(lambda: cluster.whole(rig.ledger.topics.all), seconds=30, what="the copies do not agree")
    rig.assert_sound()


def test_without_two_brokers_nothing_is_confirmed_and_it_is_told_in_time(
    rig: Rig, cluster: Cluster
) -> None:
    rig.publish()
    rig.grow("2", facts=FACTS)
    head = rig.ledger.store.head()
    first = cluster.leader(rig.ledger.topics.facts("production"))
    second = next(node for node in NODES if node != first)
    act, done = once_at("publish.before_flush", lambda: cluster.kill(first, second))

    with pytest.raises(PublishUnfinishedError):
        rig.publish(seconds=4, fault_point=act)

    assert done.is_set()
    assert rig.ledger.store.head() == head
    cluster.start()
    assert rig.publish(seconds=40).position == head
    rig.assert_sound()


def test_a_publisher_that_waits_for_brokers_goes_on_when_they_are_back(
    rig: Rig, cluster: Cluster
) -> None:
    rig.grow("2", facts=FACTS)

    def kill() -> None:
        cluster.kill(1, 2)
        threading.Timer(3, cluster.start).start()

    act, done = once_at("publish.before_flush", kill)

    published = rig.publish(seconds=50, fault_point=act)

    assert done.is_set()
    assert published.restarts >= 1
    assert published.position == rig.ledger.store.head()
    cluster.start()
    rig.assert_sound()


def test_a_leader_that_moves_while_publishing_loses_and_doubles_nothing(
    rig: Rig, cluster: Cluster
) -> None:
    rig.grow("2", facts=FACTS)
    topic = rig.ledger.topics.facts("production")
    until(lambda: cluster.leader(topic) in NODES, what="no leader")
    before = cluster.leader(topic)

    def move() -> None:
        client = KafkaAdminClient(bootstrap_servers=cluster.servers.split(","))
        order = [*(node for node in NODES if node != before), before]
        place = TopicPartition(topic, 0)
        client.alter_partition_reassignments({place: order})
        client.elect_leaders(0, {topic: [0]}, raise_errors=False)
        client.close()
        until(lambda: cluster.leader(topic) not in (before, -1), what="the leader stays")

    act, done = once_at("publish.before_flush", move)

    published = rig.publish(seconds=40, fault_point=act)

    assert done.is_set()
    assert published.position == rig.ledger.store.head()
    rig.assert_sound()
