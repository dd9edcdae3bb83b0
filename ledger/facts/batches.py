"""A batch of facts: what the caller says of it, and what became of it."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ledger.events.ledger import Actor, ActReference
from ledger.types import AppendKey, Digest, Position, StreamName

FORMATS: Final = ("csv", "jsonl", "parquet", "avro")
"""Formats of a file of facts."""
Progress = Callable[[str, int, int], None]
"""Called with a stage (`digest`, `read`, `append`), what is done and the total; 0 is unknown."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FactFile:
    """One file of a batch."""

    path: Path
    form: str
    """One of `FORMATS`."""
    name: str
    """What messages call it."""
    number: int | None = None
    """What its refused rows are filed under; its place in the batch by default."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """What the caller says of a batch."""

    family: str
    source: str
    batch: str | None
    """None names the batch by its content."""
    as_of: dt.date
    actor: Actor
    vintage: str | None = None
    acts: tuple[ActReference, ...] = ()
    reason: str | None = None
    whole: bool = False
    """Refuse the batch when a row is refused."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Ingested:
    """What became of a batch."""

    key: str
    repeated: bool
    """True when the batch was in the ledger already and nothing was added."""
    rows: int
    """Rows of the files."""
    facts: int
    """Facts appended, reversals included."""
    reversals: int
    blocks: int
    rejected: int
    """Rows refused."""
    first: Position
    last: Position


def stream_of(family: str, source: str) -> StreamName:
    """Return the stream of the facts of a source."""
    return StreamName(f"facts/{family}/{source}")


def key_of(batch: Batch, digest: Digest) -> AppendKey:
    """Return the append key of a batch; a batch without a name is named by its content."""
    return AppendKey(f"facts/{batch.family}/{batch.source}/{batch.batch or digest.hex()[:16]}")
