"""PostgreSQL killed while the ledger is appended to and published: whole or absent, never half.

The server is this module's own; Kafka is the one that `REGISTRO_TEST_KAFKA` names.
"""

import contextlib
import glob
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid1

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from ledger.aggregates.base import Proposal
from ledger.application import LedgerApplication
from ledger.envelopes import command
from ledger.errors import LedgerError, StoreError
from ledger.kafka.client.connection import Broker
from ledger.kafka.errors import PublisherBusyError
from ledger.kafka.lease import PUBLISH_LOCK
from ledger.store.mapper import AvroMapper
from ledger.verification import verify
from tests.services.faults.rig import Rig, child_of, free_ports, rig_of, until
from tests.support.given import PLAN_ACT, act_adopted, envelope
from tests.support.kafka import FAST, SERVERS, ledger_with_facts
from tests.support.ledgers import CountingEntropy, FakeClock, store_at

BIN = os.environ.get("REGISTRO_SERVICES_POSTGRESQL_BIN") or next(
    iter(sorted(glob.glob("/usr/lib/postgresql/*/bin"))[-1:]),  # noqa: PTH207 - a place of the system
    "",
)
OWNER = os.environ.get("SERVICE_USER", "postgres")
POINTS_MAX = 10
START_SECONDS = 60

pytestmark = [
    pytest.mark.skipif(
        not SERVERS or not BIN, reason="no Kafka or no PostgreSQL: scripts/services up"
    ),
    pytest.mark.timeout(300),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@dataclass(frozen=True, kw_only=True)
class Server:
    """A PostgreSQL server that may be killed."""

    folder: Path
    port: int

    @property
    def url(self) -> str:
        return f"postgresql://registro@127.0.0.1:{self.port}/postgres"

    def _run(self, *words: object) -> None:
        before = ["runuser", "-u", OWNER, "--"] if os.geteuid() == 0 else []
        subprocess.run(
            [*before, *map(str, words)],
            check=True,
            timeout=START_SECONDS,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def create(self) -> None:
        if os.geteuid() == 0:
            owner = pwd.getpwnam(OWNER)
            os.chown(self.folder, owner.pw_uid, owner.pw_gid)
        data = f"--pgdata={self.folder / 'data'}"
        self._run(
            f"{BIN}/initdb",
            data,
            "--username=registro",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
        )

    def start(self) -> None:
        options = (
            f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self.folder}"
        )
        self._run(
            f"{BIN}/pg_ctl",
            f"--pgdata={self.folder / 'data'}",
            f"--log={self.folder / 'log'}",
            "--wait",
            f"--options={options}",
            "start",
        )

    def kill(self) -> None:
        """Kill the postmaster and everything it has started."""
        pid = int((self.folder / "data" / "postmaster.pid").read_text().split()[0])
        listed = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False
        )
        for one in (pid, *map(int, listed.stdout.split())):
            with contextlib.suppress(ProcessLookupError):
                os.kill(one, signal.SIGKILL)
        until(lambda: not Path(f"/proc/{pid}").exists(), what="the postmaster lives")

    def answers(self) -> bool:
        ran = subprocess.run(
            [f"{BIN}/pg_isready", "--quiet", f"--dbname={self.url}"], timeout=10, check=False
        )
        return ran.returncode == 0

    def ask(self, statement: str, **values: object) -> list[object]:
        engine = create_engine(
            self.url.replace("postgresql:", "postgresql+psycopg:"),
            poolclass=NullPool,
            isolation_level="AUTOCOMMIT",
        )
        with engine.connect() as connection:
            return list(connection.execute(text(statement), values).scalars())


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    made = Server(folder=folder, port=free_ports(1)[0])
    made.create()
    made.start()
    yield made
    made.kill()
    shutil.rmtree(folder)


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
    holders = server.ask(
        "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' "
        "AND granted AND (classid::bigint << 32 | objid::bigint) = :lock",
        lock=PUBLISH_LOCK,
    )
    assert holders == [True]


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
    assert rig.checked().messages == len(confirmed) < len(attempted)
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
