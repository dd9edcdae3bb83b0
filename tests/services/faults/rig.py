"""What every fault run has: a ledger, a publisher that writes a history, and the same end.

Every run ends in `Rig.assert_sound`: the history is judged against what the topics hold, the topics
are compared with the ledger message by message, and the ledger comes back from the topics alone.
"""

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from ledger.application import LedgerApplication
from ledger.kafka import publisher as publishing
from ledger.kafka.check import TopicsChecked, check_topics
from ledger.kafka.client.broker import Admin
from ledger.kafka.client.connection import Broker
from ledger.kafka.guard import create_topics
from ledger.kafka.publisher import Published, Publisher
from ledger.kafka.restore import restore
from ledger.kafka.tails import Ledger
from ledger.store.store import FaultPoint
from tests.support.history import History, Verdict, judge, read_elements
from tests.support.kafka import add_facts, published_as
from tests.support.ledgers import store_at

ROOT = Path(__file__).parents[3]
SCRIPTS = ROOT / "scripts" / "kafka"
START_SECONDS = 90


def free_ports(count: int) -> list[int]:
    """Return ports of loopback that nobody listens on."""
    socks = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(one.getsockname()[1]) for one in socks]
    for one in socks:
        one.close()
    return ports


def run_script(name: str, *words: object, environment: Mapping[str, str] | None = None) -> None:
    """Run a script that starts brokers; what they print goes to their own log.

    Raises:
        RuntimeError: they did not start; with what the script said.
    """
    # Files, not pipes: a broker that stays would keep a pipe open.
    ran = subprocess.run(
        [SCRIPTS / name, *map(str, words)],
        env={**os.environ, **(environment or {})},
        timeout=START_SECONDS,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    if ran.returncode:
        raise RuntimeError(ran.stderr)


def process_of(folder: Path) -> int:
    """Return the process id of the broker in a folder."""
    return int((folder / "pid").read_text())


def until(condition: object, *, seconds: float = 20.0, what: str) -> None:
    """Wait for a condition, a function without arguments.

    Raises:
        TimeoutError: it did not come true.
    """
    end = time.monotonic() + seconds
    while not condition():  # type: ignore[operator] # a function, see above
        if time.monotonic() > end:
            raise TimeoutError(what)
        time.sleep(0.05)


def child_of(
    path: Path, servers: str, prefix: str, *, number: int, deed: str, history: Path
) -> subprocess.Popen[str]:
    """Start a publisher that kills or stops itself at the n-th fault point."""
    return subprocess.Popen(
        [
            sys.executable,
            "-m",
            "tests.services.faults.child",
            *map(str, (path, servers, prefix, number, deed, history)),
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@dataclass(kw_only=True)
class Rig:
    """One ledger, its topics and its history."""

    application: LedgerApplication
    ledger: Ledger
    broker: Broker
    """As the publisher under test reaches it."""
    calm: Broker
    """As the judges reach it."""
    history: History
    folder: Path
    seed: str = ""

    def grow(self, name: str, *, facts: int = 300) -> None:
        """Append facts."""
        add_facts(self.application, self.folder, batch_name=name, facts=facts)

    def publisher(self, *, fault_point: FaultPoint = lambda _: None) -> Publisher:
        """Return a publisher, not entered yet."""
        return Publisher(self.ledger, self.broker, fault_point=fault_point)

    def publish(
        self, *, seconds: float = 20, fault_point: FaultPoint = lambda _: None
    ) -> Published:
        """Publish everything."""
        with self.publisher(fault_point=fault_point) as one:
            return one.publish(seconds=seconds)

    def checked(self) -> TopicsChecked:
        """Compare topics and ledger."""
        return check_topics(self.ledger, self.calm)

    def verdict(self) -> Verdict:
        """Judge the history so far."""
        read = read_elements(self.calm, self.ledger.topics)
        return judge(self.history.steps(), read, seed=self.seed)

    def assert_sound(self, *, repeats: bool = False) -> None:
        """Nothing lost, made up or out of order; nothing doubled unless repeats are documented."""
        verdict, found = self.verdict(), self.checked()
        told = str(verdict)
        bad = (verdict.lost, verdict.reordered, verdict.unknown, verdict.aborted_read)
        assert bad == ((), (), (), ()), told
        assert repeats or not verdict.doubled, told
        assert set(found.counts) <= ({"repeated"} if repeats else set()), told
        assert found.clean
        assert found.position == self.ledger.store.head()
        assert found.messages == sum(item.record.event_count for item in self.ledger.store.read())
        self._assert_restorable()

    def _assert_restorable(self) -> None:
        path = self.folder / "restored.db"
        path.unlink(missing_ok=True)
        store = store_at(path)
        try:
            restore(store, self.calm, self.ledger.topics)
            assert store.read() == self.ledger.store.read()
        finally:
            store.engine.dispose()


@contextlib.contextmanager
def rig_of(
    application: LedgerApplication,
    folder: Path,
    *,
    prefix: str,
    broker: Broker,
    calm: Broker,
    monkeypatch: pytest.MonkeyPatch,
    replicas: int = 1,
) -> Iterator[Rig]:
    """Create the topics of a ledger, and let every publisher of this process write the history."""
    ledger = published_as(application, prefix)
    with Admin(calm) as admin:
        create_topics(admin, ledger.topics, replicas=replicas)
    with History(folder / "history") as history:
        monkeypatch.setattr(publishing, "Sink", history.recording())
        yield Rig(
            application=application,
            ledger=ledger,
            broker=broker,
            calm=calm,
            history=history,
            folder=folder,
        )
    with contextlib.suppress(Exception), Admin(calm) as admin:
        # A broker that is killed recovers every log that is there.
        admin.delete(list(admin.states(ledger.topics.all)))
