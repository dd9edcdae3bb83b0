"""Pieces of a file of facts: what every format is read into, and whole lines of text files.

Invariants:
1. Which piece a line falls into changes nothing of what it is read as.
2. Memory is bounded by the size of a piece and that of the longest line allowed.

Source: docs/production.md.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Final

import polars as pl

from ledger.errors import FactFileError
from ledger.facts.problems import ROW, FactProblem, problem_table

LINE_BYTES_MAX: Final = 1 << 20
"""Longest line of a text file; what has longer ones is no table."""
BOM: Final = b"\xef\xbb\xbf"

Unread = tuple[int, str, FactProblem, str]
"""A line that could not be taken apart: row, no column, why, the line."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Piece:
    """Some rows of a file."""

    frame: pl.DataFrame
    """Columns as the file has them, with `row`: the place of the row in its file, from 0. Lines of
    text are counted one by one, the heading of a CSV file not; elsewhere rows are."""
    problems: pl.DataFrame
    """Lines that could not be taken apart; `value` holds the line."""
    rows: int
    """Rows of the file in this piece, those with problems included, empty lines not."""
    bytes_read: int
    """Bytes of the file read so far; 0 when the format does not tell."""


def whole_lines(name: str, stream: BinaryIO, size: int) -> Iterator[tuple[bytes, int]]:
    """Yield whole lines, about `size` bytes at a time, and how far the file was read.

    Args:
        name: of the file, for messages.
        stream: at the beginning of a line.
        size: how many bytes to read at once.

    Raises:
        FactFileError: a line is longer than `LINE_BYTES_MAX`.
    """
    rest = b""
    while chunk := stream.read(size):
        text = rest + chunk
        cut = text.rfind(b"\n") + 1
        rest = text[cut:]
        if len(rest) > LINE_BYTES_MAX:
            raise FactFileError(
                file=name, reason=f"a line is longer than {LINE_BYTES_MAX} bytes: no table of facts"
            )
        if cut:
            yield text[:cut], stream.tell()
    if rest:
        yield rest, stream.tell()


def numbered(frame: pl.DataFrame, row: int) -> pl.DataFrame:
    """Return rows with their places, the first of which is given."""
    return frame.with_columns(pl.int_range(row, row + pl.len(), dtype=pl.UInt64).alias(ROW))


def piece_of_texts(
    names: Sequence[str],
    good: Sequence[Sequence[str | None]],
    rows: Sequence[int],
    bad: list[Unread],
    *,
    bytes_read: int,
) -> Piece:
    """Return a piece of rows that were taken apart one by one.

    Args:
        names: of the columns.
        good: values of every good row, in order of the columns.
        rows: place of every good row.
        bad: the others.
        bytes_read: so far.
    """
    columns = [list(values) for values in zip(*good, strict=True)] if good else [[] for _ in names]
    texts = [pl.Series(name, own, pl.String) for name, own in zip(names, columns, strict=True)]
    return Piece(
        frame=pl.DataFrame([*texts, pl.Series(ROW, rows, pl.UInt64)]),
        problems=problem_table(bad),
        rows=len(good) + len(bad),
        bytes_read=bytes_read,
    )
