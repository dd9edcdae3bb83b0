"""Fold frozen ranges of records on a Dask cluster that stands already.

What runs where, what is run again when a worker is lost, and who keeps a result meanwhile is the
business of Dask; here stand the jobs, their order, and an end to waiting.

Invariants:
1. The same digest for any number of workers, and when workers are lost or join meanwhile.
2. Every wait ends: without a scheduler, without workers, without any range that gets done.
3. Of several records that cannot be folded the first one is told, as everywhere.

Source: docs/adr/0017-distributed.md.
"""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib import import_module
from typing import Final, Protocol

from ledger.clock import SystemEntropy, random_uuid
from projections.runner.contract import Projection
from projections.runner.engines import (
    RANGES_PER_WORKER,
    EngineError,
    EngineMissingError,
    Job,
    JobFailedError,
    Part,
    Progress,
    fold_job,
    folded_of,
    jobs_of,
    merge_parts,
)
from projections.runner.folding import Folded
from projections.runner.places import Frozen

NAME: Final = "dask"
EXTRA: Final = "distributed"
_MODULE: Final = "distributed"
RECORDS_PER_RANGE: Final = 2048
"""At most so many records in one range, some eight million facts: what a lost worker costs."""
PARTS_PER_MERGE: Final = 8
"""Ranges that a worker merges before rows travel: neighbours share most of their cells."""
CONNECT_SECONDS: Final = 30.0
_LOOK_SECONDS: Final = 0.05
_ANSWER_SECONDS: Final = 10.0
_FAILED: Final = "error"
"""State of a future whose job raised."""
_GONE: Final = "cancelled"
"""State of every future when the client has lost the scheduler."""


class Task(Protocol):
    """What is used of a future of Dask, whose own classes are typed in part only."""

    status: str

    def done(self) -> bool:
        """Whether there is a result or an error."""

    def result(self, timeout: float) -> object:
        """Wait for the result; raise what the job raised."""


class _Scheduler(Protocol):
    ncores: object


class Client(Protocol):
    """What is used of a client of Dask."""

    scheduler: _Scheduler

    def submit(self, function: object, *args: object, key: str, pure: bool) -> Task:
        """Ask for one call."""

    def cancel(self, tasks: Sequence[Task], *, force: bool) -> None:
        """Take back what was asked."""

    def sync(self, function: object, *, callback_timeout: float) -> dict[str, int]:
        """Wait for what the scheduler answers."""

    def close(self, timeout: float) -> None:
        """Leave the cluster as it is and go."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DaskEngine:
    """The workers of a Dask cluster."""

    address: str
    """Of the scheduler: `tcp://host:port`, or `tls://host:port` with the certificates that the
    settings of Dask name."""
    workers: int = 1
    """Workers to wait for before beginning."""
    connect_seconds: float = field(default_factory=lambda: CONNECT_SECONDS)
    """How long to wait for the scheduler, and again for the workers."""
    patience_seconds: float = 600.0
    """How long to wait for the next range to be done."""

    def fold(self, ledger: Frozen, projection: Projection, *, progress: Progress) -> Folded:
        """Fold all records of a ledger; `progress` is told the number of records done.

        Raises:
            ProjectionError: a record cannot be read or folded.
            WorkerMismatchError: a worker has another ledger or other code.
            EngineError: there is no scheduler, no worker, or nothing gets done any more.
            EngineMissingError: Dask is not installed.
        """
        if not ledger.shared:
            raise self._error("a ledger in memory is seen by this process alone")
        with self._connected() as client:
            threads = self._threads(client)
            count = max(threads * RANGES_PER_WORKER, -(-ledger.head // RECORDS_PER_RANGE))
            run = _Run(
                engine=self,
                client=client,
                name=f"registro-{random_uuid(SystemEntropy())}",
                jobs=jobs_of(ledger, projection, count=count),
                head=ledger.head,
                progress=progress,
            )
            return folded_of(ledger, projection, run.parts(projection))

    @contextmanager
    def _connected(self) -> Iterator[Client]:
        try:
            dask = import_module(_MODULE)
        except ModuleNotFoundError as error:
            raise EngineMissingError(engine=NAME, module=str(error.name), extra=EXTRA) from error
        with _quiet():
            client = self._client(dask.Client)
            try:
                yield client
            finally:
                with suppress(Exception):
                    client.close(timeout=_ANSWER_SECONDS)

    def _client(self, make: Callable[..., Client]) -> Client:
        try:
            return make(self.address, timeout=self.connect_seconds, set_as_default=False)
        except (OSError, TimeoutError, ValueError, TypeError, RuntimeError) as error:
            raise self._error(f"the scheduler does not answer: {_said(error)}") from error
        except AssertionError as error:
            # Dask says so when its own thread does not begin within ten seconds.
            raise self._error(
                "this machine is too busy to begin: the thread of Dask did not start"
            ) from error

    def _threads(self, client: Client) -> int:
        """Return the threads of all workers, once there are as many workers as were asked for."""
        until = time.monotonic() + self.connect_seconds
        while True:
            found = self.present(client)
            if len(found) >= self.workers:
                return sum(found.values())
            if time.monotonic() > until:
                raise self._error(
                    f"{len(found)} of {self.workers} workers after {self.connect_seconds:g} s"
                )
            time.sleep(_LOOK_SECONDS)

    def present(self, client: Client) -> dict[str, int]:
        """Return the workers that the scheduler knows and the threads of each.

        Raises:
            EngineError: the scheduler does not answer any more.
        """
        try:
            found = client.sync(client.scheduler.ncores, callback_timeout=_ANSWER_SECONDS)
        except (OSError, TimeoutError, CancelledError, RuntimeError, AttributeError) as error:
            raise self._error(f"the scheduler does not answer any more: {_said(error)}") from error
        return {str(name): int(threads) for name, threads in found.items()}

    def _error(self, reason: str) -> EngineError:
        return EngineError(engine=NAME, address=self.address, reason=reason)


@dataclass(kw_only=True, slots=True, eq=False)
class _Run:
    """The futures of one rebuild."""

    engine: DaskEngine
    client: Client
    name: str
    """First part of the name of every task: two rebuilds do not share results."""
    jobs: Sequence[Job]
    head: int
    progress: Progress
    told: int = field(default=0, init=False)
    """Records that were told done: what a lost worker held is done again, in silence."""
    looked: float = field(default=0.0, init=False)
    """When the workers were last counted, on the monotonic clock."""

    def parts(self, projection: Projection) -> list[Part]:
        """Return what the ranges give, merged in groups, in order of position."""
        folds = [
            self.client.submit(fold_job, job, key=f"{self.name}-fold-{number}", pure=False)
            for number, job in enumerate(self.jobs)
        ]
        groups = [
            folds[first : first + PARTS_PER_MERGE]
            for first in range(0, len(folds), PARTS_PER_MERGE)
        ]
        merges = [
            self.client.submit(
                merge_parts,
                projection.name,
                group,
                key=f"{self.name}-merge-{number}",
                pure=False,
            )
            for number, group in enumerate(groups)
        ]
        try:
            self._until_done(folds, merges)
            return [self._result(merge) for merge in merges]
        finally:
            with suppress(Exception):
                self.client.cancel([*folds, *merges], force=True)

    def _until_done(self, folds: Sequence[Task], merges: Sequence[Task]) -> None:
        """Wait for all; raise the error of the first range that failed."""
        quiet_since, before = time.monotonic(), -1
        while True:
            failed = next((n for n, one in enumerate(folds) if one.status == _FAILED), None)
            # Those before a range that failed are waited for: the first error is the one to tell.
            folding = folds if failed is None else folds[:failed]
            merging = merges if failed is None else ()
            done = [job for job, one in zip(self.jobs, folding, strict=False) if one.done()]
            merged = sum(one.done() for one in merging)
            if len(done) == len(folding) and merged == len(merging):
                break
            if len(done) + merged != before:
                quiet_since, before = time.monotonic(), len(done) + merged
                self._tell(sum(job.through - job.after for job in done))
            self._still_alive([*folding, *merging], quiet_since)
        if failed is not None:
            self._result(folds[failed])
        self._tell(self.head)

    def _tell(self, records: int) -> None:
        if records > self.told:
            self.told = records
            self.progress(records, self.head)

    def _still_alive(self, pending: Sequence[Task], quiet_since: float) -> None:
        """Wait for a moment; raise when nothing will ever happen."""
        # What is merely "lost" was on a worker that died; the scheduler has it made again.
        if any(one.status == _GONE for one in pending):
            raise self._error("the scheduler went away and took the ranges with it")
        time.sleep(_LOOK_SECONDS)
        now = time.monotonic()
        quiet = now - quiet_since
        if quiet > self.engine.patience_seconds:
            raise self._error(f"no range was done for {quiet:.0f} s")
        if quiet > self.engine.connect_seconds and now > self.looked + _ANSWER_SECONDS:
            self.looked = now
            if not self.engine.present(self.client):
                raise self._error(f"no worker is left, for {quiet:.0f} s nothing was done")

    def _result(self, future: Task) -> Part:
        try:
            part = future.result(timeout=self.engine.patience_seconds)
        except JobFailedError as error:
            raise error.original() from error
        except (TimeoutError, CancelledError) as error:
            raise self._error(f"the scheduler went away: {_said(error)}") from error
        except Exception as error:
            raise self._error(f"a worker cannot fold: {_said(error)}") from error
        if not isinstance(part, Part):
            raise self._error(f"a worker gave back {type(part).__name__}")
        return part

    def _error(self, reason: str) -> EngineError:
        return EngineError(engine=NAME, address=self.engine.address, reason=reason)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep what Dask says while it waits for the scheduler off the screen: an error says it."""
    loggers = [logging.getLogger(f"distributed.{name}") for name in ("client", "core", "comm")]
    levels = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(logging.CRITICAL + 1)
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _said(error: BaseException) -> str:
    """Return the first line of what an error says, with its class."""
    text = str(error).strip().partition("\n")[0]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
