"""PostgreSQL killed while the ledger is appended to and published: whole or absent, never half.

The server is this module's own; Kafka is the one that `REGISTRO_TEST_KAFKA` names.
"""

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid1

import pytest

from ledger.aggregates.base import Proposal
from ledger.application import LedgerApplication
from ledger.envelopes import command
from ledger.errors import LedgerError, StoreError
from ledger.kafka.client.connection import Broker
from ledger.kafka.errors import PublisherBusyError
from ledger.kafka.lease import PUBLISH_LOCK
from ledger.store.mapper import AvroMapper
from ledger.types import BEFORE_FIRST
from ledger.verification import verify
from tests.services.faults.rig import Rig, child_of, rig_of, until
from tests.support.given import PLAN_ACT, act_adopted, envelope
from tests.support.kafka import FAST, SERVERS, ledger_with_facts
from tests.support.ledgers import CountingEntropy, FakeClock, store_at
from tests.support.postgresql_server import BIN, Server, own_server

POINTS_MAX = 10

pytestmark = [
    pytest.mark.skipif(
        not SERVERS or not BIN, reason="no Kafka or no PostgreSQL: scripts/services up"
    ),
    pytest.mark.timeout(300),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with own_server() as made:
        yield made


@pytest.fixture
def path(tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stands for a database of its own."""
    monkeypatch.setenv("REGISTRO_TEST_STORE", "postgresql")
    monkeypatch.setenv("REGISTRO_TEST_POSTGRESQL", server.url)
    recovered(server)
    return tmp_path / "ledger"


@pytest.fixture
def application(path: Path) -> Iterator[LedgerApplication]:
    made = ledger_with_facts(path)
    yield made
    made.store.engine.dispose()


@pytest.fixture
def rig(
    application: LedgerApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Rig]:
    broker = Broker(servers=SERVERS, fast=FAST)
    with rig_of(
        application,
        tmp_path,
        prefix=f"t{uuid1().hex}",
        broker=broker,
        calm=broker,
        monkeypatch=monkeypatch,
    ) as made:
        yield made


class KillBackends:
    """At the n-th fault point, kills every server process that works for the ledger."""

    def __init__(self, server: Server, number: int, *, everything: bool) -> None:
        self._server = server
        self._everything = everything
        self.left = number

    def __call__(self, _: str) -> None:
        self.left -= 1
        if self.left:
            return
        if self._everything:
            self._server.kill()
            return
        name = "SELECT pid FROM pg_stat_activity WHERE datname LIKE 't\\_%'"
        for pid in self._server.ask(name):
            os.kill(int(str(pid)), signal.SIGKILL)


def append(path: Path, kill: KillBackends | None) -> None:
    """Append one command on a store whose server is killed on the way."""
    clock, entropy = FakeClock(), CountingEntropy()
    store = store_at(path, clock=clock, entropy=entropy)
    try:
        ledger = LedgerApplication.open(store, clock=clock, entropy=entropy)
        if kill is not None:
            store._fault_point = kill
        act = replace(PLAN_ACT, number="killed")
        adopted = Proposal(event=act_adopted(act), envelope=envelope())
        ledger.execute(command("killed/1", [adopted]))
    finally:
        store.engine.dispose()


def recovered(server: Server) -> None:
    """Wait until the server has recovered; start it when it is gone."""
    time.sleep(0.1)
    pid = server.folder / "data" / "postmaster.pid"
    if not pid.exists() or not Path(f"/proc/{pid.read_text().split()[0]}").exists():
        server.start()
    until(server.answers, seconds=30, what="PostgreSQL does not come back")


@pytest.mark.parametrize("everything", [False, True], ids=["backend", "postmaster"])
def test_an_append_whose_server_is_killed_is_whole_or_absent_and_publishing_goes_on(
    rig: Rig, server: Server, path: Path, *, everything: bool
) -> None:
    rig.publish()
    outcomes: list[bool] = []
    before = rig.ledger.store.head()

    for number in range(1, POINTS_MAX):
        kill = KillBackends(server, number, everything=everything)
        with contextlib.suppress(LedgerError):
            append(path, kill)
        struck = kill.left <= 0
        rig.ledger.store.engine.dispose()
        recovered(server)
        head = rig.ledger.store.head()
        assert head in (before, before + 1)
        outcomes.append(head > before)
        if not struck or head > before:
            break

    append(path, None)
    assert rig.ledger.store.head() == before + 1
    assert outcomes[0] is False
    assert outcomes[-1] is True
    assert len(outcomes) >= 4
    assert verify(rig.ledger.store, AvroMapper(), deep=True).discrepancies == ()
    rig.publish()
    rig.assert_sound()


@pytest.mark.parametrize("everything", [False, True], ids=["backend", "postmaster"])
@pytest.mark.parametrize("number", [1, 3, 4, 5])
def test_a_publisher_whose_database_is_killed_stops_and_the_next_goes_on(
    rig: Rig, server: Server, *, number: int, everything: bool
) -> None:
    rig.grow("2", facts=5000)

    with pytest.raises(StoreError):
        rig.publish(fault_point=KillBackends(server, number, everything=everything))

    rig.ledger.store.engine.dispose()
    recovered(server)
    rig.publish()
    rig.assert_sound()


def _end_lock_session(server: Server) -> None:
    """End the session that holds the publisher's lock, as a failing network would."""
    held = (
        "FROM pg_locks WHERE locktype = 'advisory' "
        "AND granted AND (classid::bigint << 32 | objid::bigint) = :lock"
    )
    assert server.ask(f"SELECT pg_terminate_backend(pid) {held}", lock=PUBLISH_LOCK) == [True]
    until(
        lambda: server.ask(f"SELECT pid {held}", lock=PUBLISH_LOCK) == [],
        seconds=10,
        what="the session does not end",
    )


def test_a_publisher_that_lost_its_lock_sends_nothing_more(rig: Rig, server: Server) -> None:
    rig.grow("2", facts=9000)
    flushes = 0

    def overtake(point: str) -> None:
        nonlocal flushes
        if point != "publish.before_flush":
            return
        flushes += 1
        if flushes == 2:
            _end_lock_session(server)

    with pytest.raises(StoreError):
        rig.publish(fault_point=overtake)

    assert flushes == 2
    attempted = {step.element for step in rig.history.steps() if step.deed == "attempt"}
    confirmed = {step.element for step in rig.history.steps() if step.deed == "acknowledged"}
    # The batch that was made meanwhile was not even handed to the client.
    assert rig.checked().messages == len(confirmed) == len(attempted)
    assert len(confirmed) < rig.ledger.store.pending(BEFORE_FIRST).events
    rig.publish()
    rig.assert_sound()


def test_a_stopped_publisher_that_lost_its_lock_writes_nothing_when_it_goes_on(
    rig: Rig, server: Server, path: Path
) -> None:
    rig.grow("2", facts=5000)
    child = child_of(
        path, SERVERS, rig.ledger.topics.prefix, number=4, deed="stop", history=rig.history.path
    )
    try:
        until(
            lambda: (
                Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
            ),
            seconds=30,
            what="the child did not stop",
        )
        with pytest.raises(PublisherBusyError):
            rig.publish()
        _end_lock_session(server)
        rig.publish()
        child.send_signal(signal.SIGCONT)
        said, _ = child.communicate(timeout=30)
    finally:
        child.kill()

    assert said == "lost store_unavailable\n" or said.startswith("lost ")
    rig.assert_sound()
