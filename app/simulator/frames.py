"""Facts as Polars frames: identifiers, columns, the two fields that every fact ends with.

Invariants:
1. Identifiers of a kind of fact count from 1 and never repeat.
2. Columns stand in the order of the schema, with its types (tested against schemas/avro).

Source: schemas/avro/facts; schemas.columns for the types.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import polars as pl

from app.simulator.apportion import Flags, Longs

PREFIXES: Final = {
    "RequestReceived": "RR",
    "RequestDefined": "RD",
    "RequestReassigned": "RS",
    "StockDeclared": "SD",
    "StockCounted": "SC",
    "StockAdjusted": "SA",
    "PresenceRecorded": "PR",
    "FlowRecorded": "FR",
    "RunningCostRecorded": "RC",
    "QualityMeasured": "QM",
    "SurveyAggregated": "SU",
    "AppealsCounted": "AC",
    "MedicalAssessed": "MA",
}
"""First letters of the identifiers of a kind of fact."""

_DIGITS: Final = 9


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Part:
    """Facts of one kind, not yet put into batches."""

    family: str
    name: str
    """Short name of the schema."""
    frame: pl.DataFrame


@dataclass(kw_only=True, slots=True)
class Numbers:
    """Gives out the identifiers of one simulation."""

    year: int
    _used: dict[str, int] = field(default_factory=dict)

    def take(self, name: str, count: int) -> Longs:
        """Return the next `count` numbers of a kind of fact."""
        first = self._used.get(name, 0) + 1
        self._used[name] = first + count - 1
        return np.arange(first, first + count, dtype=np.int64)

    def identifiers(self, name: str, numbers: Longs) -> pl.Series:
        """Return the identifiers of some numbers, like `RD-2023-000000001`."""
        digits = pl.lit(pl.Series(numbers)).cast(pl.String).str.zfill(_DIGITS)
        return pl.select(pl.format(f"{PREFIXES[name]}-{self.year}-{{}}", digits)).to_series()

    def frame(
        self,
        name: str,
        columns: Sequence[pl.Series],
        *,
        numbers: Longs | None = None,
        supersedes: Longs | None = None,
    ) -> pl.DataFrame:
        """Return facts of one kind.

        Args:
            name: short name of the schema.
            columns: its columns between `source_id` and `supersedes`, in order, not empty.
            numbers: numbers of the facts, else the next ones.
            supersedes: numbers of the facts that these take the place of, else none.
        """
        size = columns[0].len()
        own = self.take(name, size) if numbers is None else numbers
        before = (
            pl.Series("supersedes", [None], pl.String).new_from_index(0, size)
            if supersedes is None
            else self.identifiers(name, supersedes).alias("supersedes")
        )
        return pl.DataFrame(
            [
                self.identifiers(name, own).alias("source_id"),
                *columns,
                before,
                pl.Series("reversal", [False], pl.Boolean).new_from_index(0, size),
            ]
        )


def texts(name: str, words: pl.Series, places: Longs) -> pl.Series:
    """Return a column of words chosen by place."""
    return words.gather(pl.Series(places.astype(np.uint32))).alias(name)


def words(values: Sequence[str]) -> pl.Series:
    """Return words to choose from."""
    return pl.Series(values, dtype=pl.String)


def longs(name: str, values: Longs) -> pl.Series:
    """Return a column of 64-bit whole numbers."""
    return pl.Series(name, values, pl.Int64)


def ints(name: str, values: Longs) -> pl.Series:
    """Return a column of 32-bit whole numbers."""
    return pl.Series(name, values.astype(np.int32), pl.Int32)


def dates(name: str, days: Longs) -> pl.Series:
    """Return a column of dates from days since 1 January 1970."""
    return pl.Series(name, days.astype(np.int32), pl.Int32).cast(pl.Date)


def flags(name: str, values: Flags) -> pl.Series:
    """Return a column of yes and no."""
    return pl.Series(name, values, pl.Boolean)
