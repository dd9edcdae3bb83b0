"""Records that cannot be read or folded: which one it is, as an error that names it.

Source: docs/adr/0010-read-models.md.
"""

from typing import Final

import polars as pl

from ledger.errors import LedgerError, PositionGapError, ProjectionError
from ledger.types import Position
from schemas.errors import SchemaError

UNFOLDABLE: Final = (
    LedgerError,
    SchemaError,
    ValueError,
    TypeError,
    ArithmeticError,
    LookupError,
    pl.exceptions.PolarsError,
    pl.exceptions.PanicException,
)
"""What a fold raises over a record that it cannot take."""


def position_of(error: BaseException) -> Position | None:
    """Return the position that an error names, None when it names none."""
    if isinstance(error, PositionGapError):
        return Position(int(error.facts["after"]) + 1)
    named = error.facts.get("position", "") if isinstance(error, LedgerError) else ""
    return Position(int(named)) if named.isdecimal() else None


def poison(
    projection: str, error: BaseException, *, position: Position | None = None
) -> ProjectionError:
    """Return the error that halts a projection.

    Args:
        projection: its name.
        error: why the record cannot be read or folded.
        position: of the record; None when the error names it.
    """
    named = position_of(error) if position is None else position
    return ProjectionError(
        projection=projection, position=0 if named is None else named, reason=str(error)
    )
