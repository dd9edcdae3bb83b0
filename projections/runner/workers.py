"""Fold frozen ranges of records in processes of this machine.

Records never change, so a range that lies below the head can be folded by anybody at any time; the
results are merged in order of position. A range that fails names its record and ends the fold.

Source: docs/adr/0010-read-models.md.
"""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass

from ledger.application import LedgerApplication
from ledger.types import Position
from projections.runner.contract import Projection
from projections.runner.engines import (
    RANGES_PER_WORKER,
    EngineError,
    Job,
    JobFailedError,
    Part,
    Progress,
    fold_job,
    folded_of,
    ranges,
)
from projections.runner.folding import Folded


@dataclass(frozen=True, kw_only=True, slots=True)
class ProcessEngine:
    """Worker processes that live as long as one fold."""

    workers: int

    def fold(
        self,
        ledger: LedgerApplication,  # noqa: ARG002 - the processes open it themselves
        projection: Projection,
        *,
        url: str,
        head: Position,
        progress: Progress,
    ) -> Folded:
        """Fold all records up to a position; `progress` is told of every range in order.

        Raises:
            ProjectionError: a record cannot be read or folded.
            EngineError: a process was killed.
        """
        context = multiprocessing.get_context("spawn")
        parts: list[Part] = []
        jobs = [
            Job(url=url, projection=projection.name, after=after, through=through)
            for after, through in ranges(head, self.workers * RANGES_PER_WORKER)
        ]
        with ProcessPoolExecutor(self.workers, mp_context=context) as pool:
            try:
                waiting = [pool.submit(fold_job, job) for job in jobs]
                for job, future in zip(jobs, waiting, strict=True):
                    parts.append(future.result())
                    progress(job.through, head)
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
        return folded_of(projection, parts, head=head)
