"""The cube: what facts sum to, by kind of fact, unit, item and month.

One row is one cell. Its numbers are additive, so that cubes of different positions, workers or
units merge by summing; nothing that is not additive (ratios, means, days) stands here.

Invariants:
1. All numbers are int64: pieces, cents, thousandths, hundredths; never a float.
2. A reversal counts with the sign turned: a corrected fact leaves no trace but in the ledger.
3. Cells whose numbers are all zero are dropped, and cells are sorted by key: one content, one
   digest.

Source: docs/production.md; docs/adr/0009-cube.md.
"""

import hashlib
from collections.abc import Iterable
from typing import Any, Final

import polars as pl

KEYS: Final = ("fact", "view", "unit", "item", "month")
"""Kind of fact (short name), which of its units, the unit, product or node or nature, month."""

THRESHOLDS: Final = (15, 30, 60, 90, 120)
"""Days within which settlements are counted."""

VALUES: Final = ("facts", "total", "second", "elapsed", *(f"within_{days}" for days in THRESHOLDS))
"""What is summed; see `projections.production.measures` for what each kind puts there."""

SCHEMA: Final[dict[str, Any]] = {
    "fact": pl.String,
    "view": pl.String,
    "unit": pl.String,
    "item": pl.String,
    "month": pl.Int32,  # year * 100 + month
    **dict.fromkeys(VALUES, pl.Int64),
}


def empty() -> pl.DataFrame:
    """Return a cube without cells."""
    return pl.DataFrame(schema=SCHEMA)


def merge(cubes: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Return the sum of cubes, in canonical order, without empty cells."""
    parts = [cube for cube in cubes if cube.height]
    if not parts:
        return empty()
    return (
        pl.concat(parts)
        .lazy()
        .group_by(KEYS)
        .agg(pl.col(VALUES).sum())
        .filter(pl.any_horizontal(pl.col(VALUES) != 0))
        .sort(KEYS)
        .select(list(SCHEMA))
        .collect()
    )


def digest(cube: pl.DataFrame) -> str:
    """Return the SHA-256, in hexadecimal, of a cube in canonical order.

    The bytes are the rows as comma-separated text, as `merge` orders them, UTF-8, with a heading.
    """
    return hashlib.sha256(merge([cube]).write_csv().encode()).hexdigest()
