"""Loaded by the workers of a test cluster: at the steps of a job they may be told to die."""

from collections.abc import Sequence

from projections.runner import engines
from projections.runner.engines import Job, Part
from tests.support.dask_cluster import passed

_fold, _merge = engines.fold_job, engines.merge_parts


def fold_job(job: Job) -> Part:
    """Fold one range, with a step before it and one after it."""
    passed("before")
    part = _fold(job)
    passed("after")
    return part


def merge_parts(name: str, parts: Sequence[Part]) -> Part:
    """Merge, with a step before it."""
    passed("merge")
    return _merge(name, parts)


def dask_setup(_: object) -> None:
    """Take the place of the functions that clients name."""
    engines.fold_job = fold_job
    engines.merge_parts = merge_parts
