"""Read files of facts in pieces: CSV, JSON Lines, Parquet, Avro containers.

A piece is a table with the column `row`: the number of the row in its file, from 0, the heading of
a CSV file not counted. Texts stay texts; what they mean is judged by `ledger.facts.conversion`.

Invariants:
1. Memory is bounded by the size of a piece, whatever the size of the file.
2. A line that cannot be taken apart becomes a problem with its row number and its text; the lines
   around it are read.

Source: RFC 4180; docs/production.md.
"""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

import polars as pl
from polars.exceptions import PolarsError

from ledger.errors import FactFileError
from ledger.facts.problems import ROW, FactProblem, problem_table
from schemas.containers import read_container
from schemas.errors import SchemaError

PIECE_BYTES: Final = 8 << 20
"""Bytes of text in one piece."""
PIECE_ROWS: Final = 100_000
"""Rows in one piece of a file with types."""
_BOM: Final = b"\xef\xbb\xbf"
_TYPED: Final = {".parquet": "parquet", ".avro": "avro"}
_TEXTS: Final = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl"}
FORMATS: Final = ("csv", "jsonl", "parquet", "avro")


@dataclass(frozen=True, kw_only=True, slots=True)
class Piece:
    """Some rows of a file."""

    frame: pl.DataFrame
    """Columns as the file has them, with `row`."""
    problems: pl.DataFrame
    """Lines that could not be taken apart; `value` holds the whole line."""
    rows: int
    """Rows of the file in this piece, those with problems included."""
    bytes_read: int
    """Bytes of the file read so far; 0 when the format does not tell."""


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
        form: one of `FORMATS`.
        piece_bytes: how much text one piece holds.

    Raises:
        FactFileError: the file cannot be read as this format at all.
    """
    try:
        match form:
            case "csv":
                with path.open("rb") as stream:
                    yield from _csv(path, stream, piece_bytes)
            case "jsonl":
                with path.open("rb") as stream:
                    yield from _json_lines(stream, piece_bytes)
            case "parquet":
                yield from _parquet(path)
            case "avro":
                yield from _avro(path)
            case _:
                raise FactFileError(file=path.name, reason=f"{form!r} is no format of facts")
    except OSError as error:
        raise FactFileError(file=path.name, reason=error.strerror or str(error)) from error


def _csv(path: Path, stream: BinaryIO, piece_bytes: int) -> Iterator[Piece]:
    heading = stream.readline().removeprefix(_BOM)
    names = _heading(path, heading)
    separator = ";" if b";" in heading and b"," not in heading else ","
    row = 0
    for text, position in _texts(stream, piece_bytes, quoted=True):
        piece = _csv_piece(text, names, separator, row, position)
        row += piece.rows
        yield piece


def _heading(path: Path, line: bytes) -> list[str]:
    try:
        text = line.decode()
    except UnicodeDecodeError as error:
        raise FactFileError(file=path.name, reason="the heading is not UTF-8") from error
    separator = ";" if ";" in text and "," not in text else ","
    names = next(csv.reader([text.strip("\r\n")], delimiter=separator), [])
    if not names or not all(names) or len(set(names)) != len(names):
        raise FactFileError(
            file=path.name, reason="the first line must name the columns, each once"
        )
    if ROW in names:
        raise FactFileError(file=path.name, reason=f"no column may be called {ROW!r}")
    return names


def _texts(stream: BinaryIO, size: int, *, quoted: bool) -> Iterator[tuple[bytes, int]]:
    """Yield whole lines, about `size` bytes at a time; line breaks inside quotes do not count."""
    rest = b""
    while chunk := stream.read(size):
        text = rest + chunk
        cut = _last_line_end(text, quoted=quoted)
        rest = text[cut:]
        if cut:
            yield text[:cut], stream.tell()
    if rest:
        yield rest, stream.tell()


def _last_line_end(text: bytes, *, quoted: bool) -> int:
    """Return the place after the last line break that ends a row, 0 when there is none."""
    cut = text.rfind(b"\n") + 1
    while quoted and cut and text.count(b'"', 0, cut) % 2:
        cut = text.rfind(b"\n", 0, cut - 1) + 1
    return cut


def _csv_piece(text: bytes, names: Sequence[str], separator: str, row: int, at: int) -> Piece:
    schema = dict.fromkeys(names, pl.String)
    frame: pl.DataFrame | None
    try:
        frame = pl.read_csv(text, has_header=False, separator=separator, schema=schema)
    except PolarsError:
        frame = None
    # Short lines are filled with nulls, so a table that was read says nothing of field counts.
    expected = (len(names) - 1) * (text.count(b"\n") + (not text.endswith(b"\n")))
    if frame is None or text.count(separator.encode()) != expected:
        return _csv_by_line(text, names, separator, row, at)
    return Piece(
        frame=_numbered(frame, row),
        problems=problem_table([]),
        rows=frame.height,
        bytes_read=at,
    )


def _csv_by_line(text: bytes, names: Sequence[str], separator: str, row: int, at: int) -> Piece:
    good: list[list[str]] = []
    numbers: list[int] = []
    bad: list[tuple[int, str, FactProblem, str]] = []
    reader = csv.reader(
        io.StringIO(text.decode(errors="surrogateescape"), newline=""), delimiter=separator
    )
    rows = 0
    for fields in reader:
        if not fields:
            continue
        number = row + rows
        rows += 1
        line = separator.join(fields)
        if not _is_text(line):
            shown = line.encode(errors="surrogateescape").decode(errors="replace")
            bad.append((number, "", FactProblem.UNREADABLE, shown))
        elif len(fields) != len(names):
            bad.append((number, "", FactProblem.FIELD_COUNT, line))
        else:
            good.append(fields)
            numbers.append(number)
    frame = pl.DataFrame(good, schema=dict.fromkeys(names, pl.String), orient="row")
    return Piece(
        frame=frame.with_columns(pl.Series(ROW, numbers, dtype=pl.UInt64)),
        problems=problem_table(bad),
        rows=rows,
        bytes_read=at,
    )


def _is_text(line: str) -> bool:
    try:
        line.encode()
    except UnicodeEncodeError:
        return False
    return "\x00" not in line


def _json_lines(stream: BinaryIO, piece_bytes: int) -> Iterator[Piece]:
    row = 0
    for text, position in _texts(stream, piece_bytes, quoted=False):
        piece = _json_piece(text.removeprefix(_BOM) if row == 0 else text, row, position)
        row += piece.rows
        yield piece


def _json_piece(text: bytes, row: int, at: int) -> Piece:
    lines = [line for line in text.splitlines() if line.strip()]
    try:
        frame = pl.read_ndjson(text, infer_schema_length=None)
    except (PolarsError, UnicodeDecodeError):
        frame = None
    if frame is None or frame.height != len(lines) or frame.schema.get(ROW) is not None:
        return _json_by_line(lines, row, at)
    return Piece(
        frame=_numbered(frame, row), problems=problem_table([]), rows=frame.height, bytes_read=at
    )


def _json_by_line(lines: Sequence[bytes], row: int, at: int) -> Piece:
    good: list[dict[str, str | None]] = []
    numbers: list[int] = []
    bad: list[tuple[int, str, FactProblem, str]] = []
    for number, line in enumerate(lines, start=row):
        try:
            found = json.loads(line)
        except (ValueError, UnicodeDecodeError):
            found = None
        if isinstance(found, dict):
            good.append({str(name): _json_text(value) for name, value in found.items()})
            numbers.append(number)
        else:
            shown = line.decode(errors="replace")
            bad.append((number, "", FactProblem.UNREADABLE, shown))
    names = dict.fromkeys(name for one in good for name in one if name != ROW)
    frame = pl.DataFrame(
        [[one.get(name) for name in names] for one in good],
        schema=dict.fromkeys(names, pl.String),
        orient="row",
    )
    if not names:
        frame = pl.DataFrame()
    return Piece(
        frame=frame.with_columns(pl.Series(ROW, numbers, dtype=pl.UInt64)),
        problems=problem_table(bad),
        rows=len(lines),
        bytes_read=at,
    )


def _json_text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def _parquet(path: Path) -> Iterator[Piece]:
    try:
        scan = pl.scan_parquet(path)
        total = scan.select(pl.len()).collect().item()
        for row in range(0, total, PIECE_ROWS):
            frame = scan.slice(row, PIECE_ROWS).collect()
            yield _typed_piece(frame, row)
    except PolarsError as error:
        raise FactFileError(file=path.name, reason=f"no Parquet file: {error}") from error


def _avro(path: Path) -> Iterator[Piece]:
    row = 0
    try:
        for frame in read_container(path, rows=PIECE_ROWS):
            yield _typed_piece(frame, row)
            row += frame.height
    except SchemaError as error:
        raise FactFileError(file=path.name, reason=str(error)) from error


def _typed_piece(frame: pl.DataFrame, row: int) -> Piece:
    texts = frame.cast({pl.Categorical: pl.String})
    return Piece(
        frame=_numbered(texts, row), problems=problem_table([]), rows=frame.height, bytes_read=0
    )


def _numbered(frame: pl.DataFrame, row: int) -> pl.DataFrame:
    return frame.with_columns(pl.int_range(row, row + pl.len(), dtype=pl.UInt64).alias(ROW))
