"""What may be wrong with one row of a batch of facts, as stable codes.

Texts in both languages stand in `app.texts.facts`.
"""

from enum import StrEnum
from typing import Any, Final

import polars as pl


class FactProblem(StrEnum):
    """Why a row is refused."""

    FIELD_COUNT = "field_count"
    """A line has more or fewer fields than the heading."""
    UNREADABLE = "unreadable"
    """A line is no valid text, its quotes do not match, or it is no flat JSON object."""
    NO_KIND = "no_kind"
    """The names of a line are those of no kind of fact of the family."""
    MISSING = "missing"
    """A required value is empty, or a reversal does not say what it takes back."""
    NOT_A_NUMBER = "not_a_number"
    """A whole number is wanted."""
    NOT_A_DAY = "not_a_day"
    """A real day as YYYY-MM-DD is wanted."""
    TIME_OF_DAY = "time_of_day"
    """A day is wanted, and the instant that a file with types holds has a time of day."""
    NOT_A_FLAG = "not_a_flag"
    """true or false is wanted."""
    BAD_TEXT = "bad_text"
    """A text has characters that no record may hold, or is too long."""
    OUT_OF_RANGE = "out_of_range"
    """A number is outside the bounds of its column."""
    NOT_A_CHOICE = "not_a_choice"
    """A value is none of those allowed."""
    UNKNOWN_UNIT = "unknown_unit"
    """There is no such unit on that day."""
    UNKNOWN_PRODUCT = "unknown_product"
    """The product is not catalogued on that day."""
    UNKNOWN_NODE = "unknown_node"
    """There is no such node of the money flows in that year."""
    PERIOD_NOT_OPEN = "period_not_open"
    """The day lies in no open period; for a correction, in none that was ever open."""
    AFTER_AS_OF = "after_as_of"
    """The day lies after the day on which the batch says it was known."""
    DUPLICATE_IN_BATCH = "duplicate_in_batch"
    """Another row of the batch has the same identifier."""
    DUPLICATE_IN_LEDGER = "duplicate_in_ledger"
    """A fact of the source, within its window, has the same identifier."""
    SUPERSEDED_UNKNOWN = "superseded_unknown"
    """The fact to be corrected is not in the ledger."""
    SUPERSEDED_TWICE = "superseded_twice"
    """The fact to be corrected was taken back already."""


ROW: Final = "row"
"""Name of the column with the row number."""

PROBLEMS_SCHEMA: Final[dict[str, Any]] = {
    ROW: pl.UInt64,
    "column": pl.String,
    "code": pl.String,
    "value": pl.String,
}
"""One row per problem; `row` is the place in the file, see `ledger.facts.pieces.Piece`; `column` is
empty for a line that could not be taken apart."""


def problem_table(rows: list[tuple[int, str, FactProblem, str]]) -> pl.DataFrame:
    """Return a table of problems: row, column, problem, value."""
    return pl.DataFrame(
        [(row, column, str(code), value) for row, column, code, value in rows],
        schema=PROBLEMS_SCHEMA,
        orient="row",
    )
