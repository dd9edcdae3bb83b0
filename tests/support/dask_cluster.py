"""A Dask cluster of real processes on loopback, whose workers may be told to kill themselves."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT = Path(__file__).parents[2]
START_SECONDS: Final = 60
FAULTS: Final = "REGISTRO_TEST_FAULTS"
"""Variable of the folder through which workers are told when to die."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Cluster:
    """A scheduler and a process that keeps the workers."""

    address: str
    scheduler: subprocess.Popen[bytes]
    workers: subprocess.Popen[bytes]
    faults: Path
    log: Path

    def kill_at(self, step: str, number: int) -> None:
        """Let the worker that comes to a step for the n-th time, over all workers, kill itself.

        Args:
            step: `before`, `after` or `merge`.
            number: from 1; 0 kills everyone who comes there.
        """
        for old in self.faults.iterdir():
            old.unlink()
        (self.faults / "kill").write_text(f"{step}-{number}")

    def spare(self) -> None:
        """Kill nobody any more."""
        (self.faults / "kill").unlink(missing_ok=True)

    def killed(self) -> bool:
        """Whether a worker did."""
        return not (self.faults / "kill").exists()


def passed(step: str) -> None:
    """Note, on a worker, that a step was reached; die when it was the one."""
    folder = Path(os.environ[FAULTS])
    number = 1
    while True:
        try:
            (folder / f"{step}-{number}").touch(exist_ok=False)
        except FileExistsError:
            number += 1
        else:
            break
    told = folder / "kill"
    wanted = told.read_text() if told.exists() else ""
    if wanted == f"{step}-{number}":
        told.unlink()
    if wanted in {f"{step}-{number}", f"{step}-0"}:
        os.kill(os.getpid(), signal.SIGKILL)


@contextmanager
def cluster(
    folder: Path,
    *,
    workers: int = 3,
    nanny: bool = True,
    protocol: str = "tcp",
    extra: Mapping[str, str] | None = None,
) -> Iterator[Cluster]:
    """Start a cluster; stop it at the end, whatever happened.

    Args:
        folder: for its files.
        workers: how many worker processes.
        nanny: start workers anew that died.
        protocol: `tcp` or `tls`.
        extra: environment variables of all its processes.
    """
    faults, told, log = folder / "faults", folder / "scheduler.json", folder / "log"
    faults.mkdir(parents=True)
    environment = {
        **os.environ,
        **(extra or {}),
        FAULTS: str(faults),
        "PYTHONPATH": str(ROOT),
        "POLARS_MAX_THREADS": "1",
        "DASK_TEMPORARY_DIRECTORY": str(folder / "work"),
    }
    base = [sys.executable, "-m"]
    bind = f"{protocol}://127.0.0.1:0"
    with log.open("wb") as out:

        def start(*words: str) -> subprocess.Popen[bytes]:
            return subprocess.Popen(
                [*base, *words],
                cwd=folder,
                env=environment,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )

        scheduler = start(
            "distributed.cli.dask_scheduler",
            "--host",
            bind,
            "--no-dashboard",
            *("--scheduler-file", str(told)),
            # When the tests themselves are killed: the workers follow.
            *("--idle-timeout", "300s"),
        )
        address = _address(told, scheduler, log)
        keeper = start(
            "distributed.cli.dask_worker",
            address,
            *("--nworkers", str(workers), "--nthreads", "1"),
            "--nanny" if nanny else "--no-nanny",
            *("--preload", "tests.support.dask_preload", "--no-dashboard", "--memory-limit", "0"),
        )
        try:
            yield Cluster(
                address=address, scheduler=scheduler, workers=keeper, faults=faults, log=log
            )
        finally:
            for one in (keeper, scheduler):
                # With all that they started: what they do at a graceful end is not of interest.
                with suppress(ProcessLookupError):
                    os.killpg(one.pid, signal.SIGKILL)
                one.wait()


def _address(told: Path, scheduler: subprocess.Popen[bytes], log: Path) -> str:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and scheduler.poll() is None:
        try:
            return str(json.loads(told.read_text())["address"])
        except (OSError, ValueError, KeyError):
            time.sleep(0.05)
    raise RuntimeError(f"no scheduler: {log.read_text()[-2000:]}")
