"""Fold frozen ranges of records in processes of this machine.

Records never change, so a range that lies below the head can be folded by anybody at any time; the
results are merged in order of position. A range that fails names its record and ends the fold.

Source: docs/adr/0010-read-models.md.
"""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass

from projections.runner.contract import Projection
from projections.runner.engines import (
    RANGES_PER_WORKER,
    EngineError,
    JobFailedError,
    Part,
    Progress,
    fold_job,
    fold_slice,
    folded_of,
    jobs_of,
)
from projections.runner.folding import Folded
from projections.runner.places import Frozen


@dataclass(frozen=True, kw_only=True, slots=True)
class ProcessEngine:
    """Worker processes that live as long as one fold."""

    workers: int

    def fold(self, ledger: Frozen, projection: Projection, *, progress: Progress) -> Folded:
        """Fold all records of a ledger; `progress` is told of every range in order.

        Raises:
            ProjectionError: a record cannot be read or folded.
            EngineError: a process was killed.
        """
        context = multiprocessing.get_context("spawn")
        parts: list[Part] = []
        jobs = jobs_of(ledger, projection, count=self.workers * RANGES_PER_WORKER, code="")
        with ProcessPoolExecutor(self.workers, mp_context=context) as pool:
            try:
                waiting = [pool.submit(fold_job, job) for job in jobs]
                for job, future in zip(jobs, waiting, strict=True):
                    parts.append(future.result())
                    progress(job.through, ledger.head)
            except JobFailedError as error:
                pool.shutdown(wait=False, cancel_futures=True)
                raise error.original() from error
            except BrokenProcessPool as error:
                raise EngineError(
                    engine="processes",
                    address="this machine",
                    reason="a worker process was killed, perhaps for want of memory: use fewer",
                ) from error
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        return folded_of(ledger, projection, parts)


@dataclass(frozen=True, kw_only=True, slots=True)
class OwnProcess:
    """This process alone, in one go."""

    threads: int = 2
    """At most so many batches of records at a time."""

    def fold(self, ledger: Frozen, projection: Projection, *, progress: Progress) -> Folded:
        """Fold all records of a ledger in one range.

        Raises:
            ProjectionError: a record cannot be read or folded.
        """
        (whole,) = ledger.slices(1)
        folded, report = fold_slice(whole, projection, threads=self.threads)
        ledger.judge([report])
        progress(ledger.head, ledger.head)
        return folded
