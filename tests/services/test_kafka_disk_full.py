"""A broker whose disk is full: told in time, nothing lost, and published once there is room again.

The log stands on a small file system in memory. Where mounting is not allowed the size of a file is
limited instead (`ulimit -f`), which ends a write in the same place with another error.
"""

import contextlib
import os
import shlex
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid1

import pytest

from ledger.application import LedgerApplication
from ledger.kafka.client.connection import Broker
from ledger.kafka.errors import PublishUnfinishedError
from tests.services.faults.rig import (
    SCRIPTS,
    Rig,
    free_ports,
    process_of,
    rig_of,
    run_script,
    until,
)
from tests.support.kafka import FAST, SERVERS, ledger_with_facts

pytestmark = [
    pytest.mark.skipif(
        not SERVERS, reason="no Kafka: scripts/services up, then make test-services"
    ),
    pytest.mark.timeout(300),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

SIZE = "size=16m"
LEFT_BYTES = 64 * 2**10
"""Left free when the disk is filled."""
FILE_BLOCKS = 200
"""Of 1 KiB: longest file where mounting is not allowed."""
FACTS = 5_000
TURNS = 10


@dataclass(frozen=True, kw_only=True)
class Disk:
    """A broker on a disk that is soon full."""

    folder: Path
    port: int
    mounted: bool

    @property
    def broker(self) -> Broker:
        return Broker(servers=f"127.0.0.1:{self.port}", wait_seconds=2, fast=FAST)

    def start(self, *, limited: bool) -> None:
        if not limited or self.mounted:
            run_script("broker", self.folder, self.port)
            return
        words = shlex.join(map(str, (SCRIPTS / "broker", self.folder, self.port)))
        subprocess.run(
            ["bash", "-c", f"ulimit -f {FILE_BLOCKS}; {words}"],
            check=True,
            timeout=90,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    @property
    def filler(self) -> Path:
        return self.folder / "data" / ".filler"

    def fill(self) -> None:
        """Fill the disk but for a little, as another program would."""
        if not self.mounted:
            return
        with self.filler.open("wb", buffering=0) as file:
            with contextlib.suppress(OSError):
                while file.write(bytes(4096)):
                    pass
            file.truncate(file.tell() - LEFT_BYTES)

    def make_room(self) -> None:
        """Take the filler away; a broker that is still there is started anew."""
        self.filler.unlink(missing_ok=True)
        with contextlib.suppress(ProcessLookupError):
            os.kill(process_of(self.folder), signal.SIGKILL)
        until(lambda: not _runs(process_of(self.folder)), what="the broker lives")
        self.start(limited=False)


def _runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def mount(*words: object) -> bool:
    """Call mount and tell whether it did what it was asked."""
    return (
        subprocess.run(["mount", *map(str, words)], capture_output=True, check=False).returncode
        == 0
    )


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    folder = tmp_path / "broker"
    data = folder / "data"
    data.mkdir(parents=True)
    mounted = mount("-t", "tmpfs", "-o", SIZE, "tmpfs", data)
    made = Disk(folder=folder, port=free_ports(1)[0], mounted=mounted)
    try:
        made.start(limited=True)
        yield made
    finally:
        with contextlib.suppress(OSError, ValueError):
            os.kill(process_of(folder), signal.SIGKILL)
        if mounted:
            subprocess.run(["umount", "--lazy", data], check=False)


@pytest.fixture
def application(tmp_path: Path) -> Iterator[LedgerApplication]:
    made = ledger_with_facts(tmp_path / "ledger.db")
    yield made
    made.store.engine.dispose()


@pytest.fixture
def rig(
    application: LedgerApplication, disk: Disk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Rig]:
    with rig_of(
        application,
        tmp_path,
        prefix=f"t{uuid1().hex}",
        broker=disk.broker,
        calm=Broker(servers=disk.broker.servers, fast=FAST),
        monkeypatch=monkeypatch,
    ) as made:
        yield made


def test_a_full_disk_of_the_broker_loses_nothing_and_is_told_in_time(rig: Rig, disk: Disk) -> None:
    rig.publish()
    disk.fill()
    full = False
    for turn in range(TURNS):
        rig.grow(f"more-{turn}", facts=FACTS)
        try:
            rig.publish(seconds=3)
        except PublishUnfinishedError:
            full = True
            break
    head = rig.ledger.store.head()

    disk.make_room()
    done = rig.publish(seconds=40)

    assert full
    assert done.position == rig.ledger.store.head() == head
    # A batch that was written and not answered for stands there; so may its repeat.
    rig.assert_sound(repeats=True)
