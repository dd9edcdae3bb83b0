"""The cube: what facts sum to, by kind of fact, unit, item and month.

One row is one cell. Its numbers are additive, so that cubes of different positions, workers or
units merge by summing; nothing that is not additive (ratios, means, days) stands here.

Invariants:
1. All numbers are int64: pieces, cents, thousandths, hundredths; never a float.
2. A reversal counts with the sign turned: a corrected fact leaves no trace but in the ledger.
3. A sum that would leave int64 is refused; nothing wraps around.
4. Cells whose numbers are all zero are dropped, and cells are sorted by key: one content, one
   digest.

Source: docs/production.md; docs/adr/0009-cube.md.
"""

import hashlib
from collections.abc import Iterable
from typing import Any, Final

import polars as pl

from ledger.errors import LedgerError

NAMESPACE: Final = "registro.facts"
"""What the full names of facts begin with."""
INT64_MAX: Final = 2**63 - 1
"""Largest number of a cell; the smallest one is one further from 0 and never used."""

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


class CubeOverflowError(LedgerError, OverflowError):
    """Facts sum to more than a cell can hold; their source sent wrong numbers."""

    code = "cube_overflow"
    exit_code = 45
    template = "facts of {full_name}: the sum of {measured} leaves the 64 bits of a cell"
    hint = "look for facts with absurd numbers and correct them at their source"

    def __init__(self, *, full_name: str, measured: str) -> None:
        self.full_name = full_name
        self.measured = measured
        super().__init__(full_name=full_name, measured=measured)


def empty() -> pl.DataFrame:
    """Return a cube without cells."""
    return pl.DataFrame(schema=SCHEMA)


def merge(cubes: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Return the sum of cubes, in canonical order, without empty cells.

    Raises:
        CubeOverflowError: a sum does not fit into int64.
    """
    parts = [cube for cube in cubes if cube.height]
    if not parts:
        return empty()
    cells = pl.concat(parts)
    _require_room(cells)
    return (
        cells.lazy()
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


def _require_room(cells: pl.DataFrame) -> None:
    """Refuse cells whose sums leave int64.

    The bound from the largest numbers is nearly always enough; only beyond it the sums are made
    exactly, in 128 bits.
    """
    reaches = cells.select(
        *(pl.col(name).min().alias(f"{name}.min") for name in VALUES),
        *(pl.col(name).max().alias(f"{name}.max") for name in VALUES),
    ).row(0)
    if max(abs(int(reach)) for reach in reaches) * cells.height <= INT64_MAX:
        return
    sums = cells.group_by(KEYS).agg(pl.col(VALUES).cast(pl.Int128).sum())
    for name in VALUES:
        beyond = sums.filter(pl.col(name).abs() > INT64_MAX).get_column("fact").sort().to_list()
        if beyond:
            raise CubeOverflowError(full_name=f"{NAMESPACE}.{beyond[0]}", measured=name)
