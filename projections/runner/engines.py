"""Fold a frozen range of records anywhere: what a worker is told, what it does, what it gives back.

An engine runs two functions, `fold_job` and `merge_parts`, somewhere: in processes of this machine
or on the workers of a cluster. Workers open their range themselves; records never travel.

Invariants:
1. A worker folds only what the one who asked would have folded: the records of its range
   (`projections.runner.places`), with the same code. Anything else is refused, never merged.
2. A range depends on nothing but its records, so an engine may run it twice, anywhere, at any time.

Source: docs/adr/0010-read-models.md, docs/adr/0017-distributed.md.
"""

import hashlib
import io
import os
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

import polars as pl

from ledger.errors import LedgerError
from ledger.types import Position
from projections.runner.contract import Projection
from projections.runner.folding import Folded, fold_records
from projections.runner.places import Frozen, Slice

RANGES_PER_WORKER: Final = 4
"""Ranges per worker: enough to even out, few enough that merging costs nothing."""
_CODE: Final = ("ledger", "projections", "schemas")
"""Packages of which the rows of a read model depend."""

Progress = Callable[[int, int], None]
"""Called with the number of records done and the head."""


class EngineError(LedgerError):
    """The engine that was to fold the ranges cannot do it; the read models stay as they were."""

    code = "engine"
    exit_code = 47
    retriable = True
    template = "engine {engine} at {address}: {reason}"
    hint = "check the address and that the workers run; without --engine this machine does it alone"

    def __init__(self, *, engine: str, address: str, reason: str) -> None:
        super().__init__(engine=engine, address=address, reason=reason)


class EngineMissingError(LedgerError):
    """The library of an engine is not installed."""

    code = "engine_missing"
    exit_code = 48
    template = "engine {engine} is not installed: there is no module {module}"
    hint = "install it: pip install 'registro[{extra}]'"

    def __init__(self, *, engine: str, module: str, extra: str) -> None:
        super().__init__(engine=engine, module=module, extra=extra)


class WorkerMismatchError(LedgerError):
    """A worker has another ledger, other records or other code than the one who asked."""

    code = "worker_mismatch"
    exit_code = 49
    template = "worker {worker}: {what} is not that of this machine; its rows are not used"
    hint = "give every worker this release, and a store that holds every record of the ledger"

    def __init__(self, *, worker: str, what: str) -> None:
        super().__init__(worker=worker, what=what)


class JobFailedError(Exception):
    """An error of a worker on its way home: its class takes its facts by name, which pickle cannot.

    Attributes:
        kind: class of the error.
        facts: what it is made of.
    """

    def __init__(self, kind: type[LedgerError], facts: dict[str, str]) -> None:
        super().__init__(kind, facts)
        self.kind = kind
        self.facts = facts

    def original(self) -> LedgerError:
        """Return the error as it was raised there."""
        return self.kind(**self.facts)


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """One range to fold."""

    slice: Slice
    projection: str
    code: str = ""
    """`CODE` of the one who asks; empty where the worker is this machine."""

    @property
    def after(self) -> int:
        """Exclusive lower bound."""
        return self.slice.after

    @property
    def through(self) -> int:
        """Inclusive upper bound."""
        return self.slice.through


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """What one range or several give."""

    rows: bytes = field(repr=False)
    """Arrow IPC."""
    events: int
    fallbacks: int
    reports: tuple[object, ...] = field(default=(), repr=False)
    """Of the readers of the ranges, in order."""


class Engine(Protocol):
    """Folds the records of a ledger in ranges."""

    def fold(self, ledger: Frozen, projection: Projection, *, progress: Progress) -> Folded:
        """Fold all records of a ledger.

        Args:
            ledger: up to a head that does not move.
            projection: one of the released read models, whose ranges may be folded apart.
            progress: told as ranges are done.

        Raises:
            ProjectionError: a record cannot be read or folded.
            EngineError: the engine cannot do it.
        """


def is_spread(projection: Projection) -> bool:
    """Return whether ranges of a projection are folded elsewhere: governed events are few."""
    return projection.facts and projection.parallel


def ranges(head: int, count: int) -> list[tuple[int, int]]:
    """Return up to `count` ranges (exclusive, inclusive) that cover 1 to `head`."""
    count = max(1, min(count, head))
    bounds = [head * part // count for part in range(count + 1)]
    return [(bounds[part], bounds[part + 1]) for part in range(count)]


def jobs_of(
    ledger: Frozen, projection: Projection, *, count: int, code: str | None = None
) -> list[Job]:
    """Return the jobs of a rebuild, in order of position.

    Args:
        ledger: to be folded.
        projection: what to fold with.
        count: about how many ranges.
        code: that workers must have, see `Job.code`; `CODE` unless given.
    """
    code = CODE if code is None else code
    return [Job(slice=one, projection=projection.name, code=code) for one in ledger.slices(count)]


def _code_digest() -> str:
    """Return the SHA-256 of the source of what rows depend on, in hexadecimal."""
    hashed = hashlib.sha256()
    root = Path(__file__).resolve().parents[2]
    for package in _CODE:
        for path in sorted((root / package).rglob("*.py")):
            hashed.update(f"{path.relative_to(root).as_posix()}\0".encode())
            hashed.update(hashlib.sha256(path.read_bytes()).digest())
    return hashed.hexdigest()


CODE: Final = _code_digest()
"""Taken when this module is loaded, like the code: a worker that was not restarted after an upgrade
still has the old one."""


def fold_job(job: Job) -> Part:
    """Fold one range, on a worker.

    Raises:
        JobFailedError: a record cannot be read or folded, or the worker is not fit for the job.
    """
    try:
        return _fold(job)
    except LedgerError as error:
        # Without its cause: what hangs on it need not cross the wire.
        raise JobFailedError(type(error), dict(error.facts)) from None


def _fold(job: Job) -> Part:
    from projections.runner.models import PROJECTIONS  # noqa: PLC0415 - the models import the runner's contract

    if job.code and job.code != CODE:
        raise WorkerMismatchError(worker=here(), what="the code of projections")
    folded, report = fold_slice(job.slice, PROJECTIONS[job.projection], threads=1)
    return _part(folded.rows, folded.events, folded.fallbacks, (report,))


def fold_slice(wanted: Slice, projection: Projection, *, threads: int) -> tuple[Folded, object]:
    """Fold a range where this runs, and return its report too.

    Raises:
        ProjectionError: a record cannot be read or folded.
    """
    with wanted.open() as reader:
        folded = fold_records(
            projection, reader.records(), through=Position(wanted.through), threads=threads
        )
        return folded, reader.report()


def merge_parts(name: str, parts: Sequence[Part]) -> Part:
    """Merge what neighbouring ranges gave, in order of position."""
    from projections.runner.models import PROJECTIONS  # noqa: PLC0415 - the models import the runner's contract

    rows = PROJECTIONS[name].merge([rows_of(part) for part in parts])
    reports = tuple(report for one in parts for report in one.reports)
    events, fallbacks = sum(one.events for one in parts), sum(one.fallbacks for one in parts)
    return _part(rows, events, fallbacks, reports)


def folded_of(ledger: Frozen, projection: Projection, parts: Sequence[Part]) -> Folded:
    """Return what all ranges give together, from their parts in order of position.

    Raises:
        LedgerError: what the readers saw does not give one ledger.
    """
    ledger.judge([report for one in parts for report in one.reports])
    return Folded(
        rows=projection.merge([rows_of(part) for part in parts]),
        position=ledger.head,
        events=sum(one.events for one in parts),
        fallbacks=sum(one.fallbacks for one in parts),
    )


def rows_of(part: Part) -> pl.DataFrame:
    """Return the rows of a part."""
    return pl.read_ipc(io.BytesIO(part.rows))


def _part(rows: pl.DataFrame, events: int, fallbacks: int, reports: tuple[object, ...]) -> Part:
    buffer = io.BytesIO()
    rows.write_ipc(buffer, compression="lz4")
    return Part(rows=buffer.getvalue(), events=events, fallbacks=fallbacks, reports=reports)


def here() -> str:
    """Return a name for this process that others understand."""
    return f"{socket.gethostname()}/{os.getpid()}"
