"""What a projection is: a pure fold of records to rows, and how rows of several folds merge.

Invariants:
1. `fold` depends on nothing but its records: no clock, no database, no order of batches.
2. Rows of an additive table merge by summing cells of one key; rows of any other table are named by
   the position they come from, so that folds merge by putting them one after the other.

Source: architecture, projections; docs/adr/0010-read-models.md.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import polars as pl
from sqlalchemy import Table

from ledger.facts.blocks import FactTable
from ledger.feed import RecordedEvent
from ledger.records import StoredRecord

Rows: TypeAlias = pl.DataFrame


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """Records in order of position."""

    events: Sequence[RecordedEvent]
    """Governed events; a block of facts appears as one `FactBlock`."""
    blocks: Sequence[StoredRecord]
    """Blocks of facts, when the projection asked for them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Delta:
    """What a fold gives."""

    rows: Rows
    fallbacks: int = 0
    """Blocks that the reference decoder had to read."""


Fold: TypeAlias = Callable[[Batch], Delta]


@dataclass(frozen=True, kw_only=True, slots=True)
class Projection:
    """One read model."""

    name: str
    table: Table
    schema: Mapping[str, Any]
    """Columns and Polars types of its rows, without the generation."""
    fold: Fold
    additive: bool = False
    cells: Callable[[Iterable[FactTable]], Rows] | None = None
    """Sums tables of facts, wherever they were read; None for those that fold governed events."""
    fresh: Callable[[], Fold] | None = None
    """Makes a fold that carries state from batch to batch; such a projection is folded from the
    first record on, by one worker."""
    merge: Callable[[Sequence[Rows]], Rows] = field(default=pl.concat)

    @property
    def facts(self) -> bool:
        """Whether it reads the bodies of facts."""
        return self.cells is not None

    @property
    def parallel(self) -> bool:
        """Whether ranges of records may be folded apart."""
        return self.fresh is None
