"""Read files of facts in pieces: CSV, JSON Lines, Parquet, Avro containers.

A piece is a table with the column `row`; texts stay texts. What they mean is judged by
`ledger.facts.conversion`.

Invariants:
1. Memory is bounded by the size of a piece, whatever the size of the file.
2. A line that cannot be taken apart becomes a problem with its row number and its text; the lines
   around it are read.
3. A path is the name of one file: no pattern, and its folders say nothing.

Source: docs/production.md.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import polars as pl
from polars.exceptions import PolarsError

from ledger.errors import FactFileError
from ledger.facts.csvlines import csv_pieces
from ledger.facts.instants import outside_calendar, wall_clock
from ledger.facts.jsonlines import json_pieces
from ledger.facts.pieces import Piece, numbered
from ledger.facts.problems import ROW, problem_table
from schemas.containers import read_container
from schemas.errors import SchemaError

PIECE_BYTES: Final = 8 << 20
"""Bytes of text in one piece."""
PIECE_ROWS: Final = 100_000
"""Rows in one piece of a file with types."""
_TYPED: Final = {".parquet": "parquet", ".avro": "avro"}
_TEXTS: Final = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl"}


def first_line(form: str) -> int:
    """Return what people call the row 0 of a file: its line, or its first row."""
    return 2 if form == "csv" else 1


def format_of(path: Path) -> str:
    """Return the format that the ending of a name stands for.

    Raises:
        FactFileError: the ending is not known.
    """
    found = {**_TEXTS, **_TYPED}.get(path.suffix.lower())
    if found is None:
        raise FactFileError(
            file=path.name,
            reason=f"the ending {path.suffix!r} is not known; one of .csv .jsonl .parquet .avro",
        )
    return found


def columns_of(path: Path, form: str) -> tuple[str, ...]:
    """Return the names of the columns of a file, for choosing its schema.

    Raises:
        FactFileError: the file has none, or cannot be read.
    """
    for piece in read_pieces(path, form, piece_bytes=1 << 16):
        return tuple(name for name in piece.frame.columns if name != ROW)
    raise FactFileError(file=path.name, reason="the file holds no row")


def read_pieces(path: Path, form: str, *, piece_bytes: int = PIECE_BYTES) -> Iterator[Piece]:
    """Yield the rows of a file, in order.

    Args:
        path: of the file.
        form: one of `ledger.facts.batches.FORMATS`.
        piece_bytes: how much text one piece holds, about.

    Raises:
        FactFileError: the file cannot be read as this format at all.
    """
    try:
        match form:
            case "csv":
                with path.open("rb") as stream:
                    yield from csv_pieces(path.name, stream, piece_bytes)
            case "jsonl":
                with path.open("rb") as stream:
                    yield from json_pieces(path.name, stream, piece_bytes)
            case "parquet":
                yield from _parquet(path)
            case "avro":
                yield from _avro(path)
            case _:
                raise FactFileError(file=path.name, reason=f"{form!r} is no format of facts")
    except OSError as error:
        raise FactFileError(file=path.name, reason=error.strerror or str(error)) from error


def _parquet(path: Path) -> Iterator[Piece]:
    with _parquet_errors(path):
        scan = pl.scan_parquet(path, glob=False, hive_partitioning=False)
        total = scan.select(pl.len()).collect().item()
    for row in range(0, total, PIECE_ROWS):
        with _parquet_errors(path):
            frame = scan.slice(row, PIECE_ROWS).collect()
        yield _typed_piece(path, frame, row)


@contextmanager
def _parquet_errors(path: Path) -> Iterator[None]:
    """Tell what Polars says of a damaged file; it may also panic, which is no `Exception`."""
    try:
        yield
    except PolarsError as error:
        raise _no_parquet(path, error) from error
    except BaseException as panic:
        if type(panic).__name__ != "PanicException":
            raise
        raise _no_parquet(path, panic) from panic


def _no_parquet(path: Path, why: BaseException) -> FactFileError:
    return FactFileError(file=path.name, reason=f"no Parquet file, or damaged: {why}")


def _avro(path: Path) -> Iterator[Piece]:
    row = 0
    try:
        for frame in read_container(path, rows=PIECE_ROWS):
            yield _typed_piece(path, frame, row)
            row += frame.height
    except SchemaError as error:
        raise FactFileError(file=path.name, reason=str(error)) from error


def _typed_piece(path: Path, frame: pl.DataFrame, row: int) -> Piece:
    if ROW in frame.columns:
        raise FactFileError(file=path.name, reason=f"no column may be called {ROW!r}")
    columns = [_plain(path, frame.get_column(name)) for name in frame.columns]
    return Piece(
        frame=numbered(pl.DataFrame(columns), row),
        problems=problem_table([]),
        rows=frame.height,
        bytes_read=0,
    )


def _plain(path: Path, column: pl.Series) -> pl.Series:
    """Return a column that can be judged, shown and written as text."""
    dtype = column.dtype
    if isinstance(dtype, pl.Categorical | pl.Enum):
        return column.cast(pl.String)
    if dtype.is_nested() or isinstance(dtype, pl.Binary | pl.Object | pl.Duration):
        raise FactFileError(
            file=path.name,
            reason=f"column {column.name!r} has the type {dtype}: no value of a fact",
        )
    if dtype != pl.Date and not isinstance(dtype, pl.Datetime):
        return column
    found = column if dtype == pl.Date else _in_own_zone(path, column)
    _require_calendar(path, found)
    return found


def _in_own_zone(path: Path, column: pl.Series) -> pl.Series:
    _require_calendar(path, column)
    return wall_clock(column)


def _require_calendar(path: Path, column: pl.Series) -> None:
    outside = outside_calendar(column)
    if outside is not None:
        raise FactFileError(
            file=path.name,
            reason=f"column {column.name!r} holds a day outside the calendar: {outside} days "
            "from 1970-01-01",
        )
