"""Fold a frozen range of records anywhere: what a worker is told, what it does, what it gives back.

An engine runs two functions, `fold_job` and `merge_parts`, somewhere: in processes of this machine
or on the workers of a cluster. Workers open the store themselves; records never travel.

Invariants:
1. A worker folds only what the one who asked would have folded: same ledger, same records up to the
   end of its range, same code. Anything else is refused, never merged.
2. A range depends on nothing but its records, so an engine may run it twice, anywhere, at any time.

Source: docs/adr/0010-read-models.md, docs/adr/0017-distributed.md.
"""

import hashlib
import io
import os
import socket
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

import polars as pl

from ledger.application import LedgerApplication
from ledger.clock import SystemClock, SystemEntropy
from ledger.errors import LedgerError
from ledger.store.engine import file_of, open_engine, store_url
from ledger.store.reader import RecordReader
from ledger.store.store import Store
from ledger.types import Position
from projections.runner.contract import Projection
from projections.runner.folding import Folded, fold_range

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

    url: str = field(repr=False)
    """Of the store; not shown, since engines write what they run into their logs."""
    projection: str
    after: int
    """Exclusive lower bound."""
    through: int
    """Inclusive upper bound."""
    ledger_id: str = ""
    mark: str = ""
    """`mark_of` the last record of the range; empty where the worker is this machine."""
    code: str = ""
    """`CODE` of the one who asks; empty where the worker is this machine."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """What one range or several give."""

    rows: bytes = field(repr=False)
    """Arrow IPC."""
    events: int
    fallbacks: int


class Engine(Protocol):
    """Folds the records of a ledger in ranges."""

    def fold(
        self,
        ledger: LedgerApplication,
        projection: Projection,
        *,
        url: str,
        head: Position,
        progress: Progress,
    ) -> Folded:
        """Fold all records up to a position.

        Args:
            ledger: the ledger, as this machine sees it.
            projection: one of the released read models, whose ranges may be folded apart.
            url: path or SQLAlchemy URL of its store, under which workers open it.
            head: last record.
            progress: told as ranges are done.

        Raises:
            ProjectionError: a record cannot be read or folded.
            EngineError: the engine cannot do it.
        """


def ranges(head: int, count: int) -> list[tuple[int, int]]:
    """Return up to `count` ranges (exclusive, inclusive) that cover 1 to `head`."""
    count = max(1, min(count, head))
    bounds = [head * part // count for part in range(count + 1)]
    return [(bounds[part], bounds[part + 1]) for part in range(count)]


def everywhere(url: str) -> str | None:
    """Return the place of a store as other machines can open it; None for one in memory.

    A path becomes absolute: the workers see the same folder, or say that there is no ledger.
    """
    parsed = store_url(url)
    if parsed.get_backend_name() != "sqlite":
        return parsed.render_as_string(hide_password=False)
    file = file_of(parsed)
    return None if file is None else str(file.absolute())


def jobs_of(
    ledger: LedgerApplication, projection: Projection, *, url: str, head: Position, count: int
) -> Iterator[Job]:
    """Yield the jobs of a rebuild for workers elsewhere, in order of position.

    Args:
        ledger: to read the marks from.
        projection: what to fold with.
        url: from `everywhere`.
        head: last record.
        count: about how many ranges.
    """
    ledger_id, code = _id_of(ledger), CODE
    for after, through in ranges(head, count):
        yield Job(
            url=url,
            projection=projection.name,
            after=after,
            through=through,
            ledger_id=ledger_id,
            mark=mark_of(ledger.store, through),
            code=code,
        )


def mark_of(reader: RecordReader, position: int) -> str:
    """Return the commitment that is stored with a record, as text; empty when there is none.

    Whether it is right is for the fold to find out; here it only tells two stores apart.
    """
    found = reader.raw_rows(after=position - 1, limit=1)
    return repr(found[0].commitment) if found and found[0].position == position else ""


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
        raise WorkerMismatchError(worker=_here(), what="the code of projections")
    clock, entropy = SystemClock(), SystemEntropy()
    engine = open_engine(store_url(job.url), read_only=True)
    try:
        store = Store(engine, clock=clock, entropy=entropy)
        ledger = LedgerApplication.open(store, clock=clock, entropy=entropy)
        if job.ledger_id and job.ledger_id != _id_of(ledger):
            raise WorkerMismatchError(worker=_here(), what="the ledger")
        if job.mark and job.mark != mark_of(store, job.through):
            raise WorkerMismatchError(worker=_here(), what=f"record {job.through}")
        folded = fold_range(
            ledger,
            PROJECTIONS[job.projection],
            after=Position(job.after),
            through=Position(job.through),
            threads=1,
        )
    finally:
        engine.dispose()
    return _part(folded.rows, folded.events, folded.fallbacks)


def merge_parts(name: str, parts: Sequence[Part]) -> Part:
    """Merge what neighbouring ranges gave, in order of position."""
    from projections.runner.models import PROJECTIONS  # noqa: PLC0415 - the models import the runner's contract

    rows = PROJECTIONS[name].merge([rows_of(part) for part in parts])
    return _part(rows, sum(one.events for one in parts), sum(one.fallbacks for one in parts))


def folded_of(projection: Projection, parts: Sequence[Part], *, head: Position) -> Folded:
    """Return what all ranges give together, from their parts in order of position."""
    return Folded(
        rows=projection.merge([rows_of(part) for part in parts]),
        position=head,
        events=sum(one.events for one in parts),
        fallbacks=sum(one.fallbacks for one in parts),
    )


def rows_of(part: Part) -> pl.DataFrame:
    """Return the rows of a part."""
    return pl.read_ipc(io.BytesIO(part.rows))


def _part(rows: pl.DataFrame, events: int, fallbacks: int) -> Part:
    buffer = io.BytesIO()
    rows.write_ipc(buffer, compression="lz4")
    return Part(rows=buffer.getvalue(), events=events, fallbacks=fallbacks)


def _id_of(ledger: LedgerApplication) -> str:
    opened = ledger.identity.opened
    return "" if opened is None else opened.ledger_id


def _here() -> str:
    return f"{socket.gethostname()}/{os.getpid()}"
