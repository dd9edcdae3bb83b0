"""Read JSON Lines: natively where all lines are of one kind, one by one where they are not.

Invariants:
1. One line holds one object without lists and objects in it, every name once.
2. A number is taken as it is written: `1.0` is not `1`, and nothing passes through a float. What
   one line holds changes nothing of what another is read as.
3. Both ways of reading give the same rows.

Source: RFC 8259; docs/production.md.
"""

import json
import re
from collections.abc import Iterator, Sequence
from typing import BinaryIO, Final

import polars as pl
from polars.exceptions import PolarsError

from ledger.errors import FactFileError
from ledger.facts.pieces import BOM, Piece, Unread, numbered, piece_of_texts, whole_lines
from ledger.facts.problems import ROW, FactProblem, problem_table

_ODD: Final = re.compile(rb"[\x00-\x09\x0b\x0c\x0e-\x1f\\]|\r(?!\n)")
"""Escapes and control characters, on which readers differ."""
_PLAIN: Final = frozenset({pl.String(), pl.Int64(), pl.Boolean(), pl.Null()})


def json_pieces(name: str, stream: BinaryIO, piece_bytes: int) -> Iterator[Piece]:
    """Yield the rows of a file of JSON Lines, in order; empty lines are none.

    Args:
        name: of the file, for messages.
        stream: at its beginning.
        piece_bytes: how many bytes to read at once.

    Raises:
        FactFileError: a line is too long, or a name is that of the row number.
    """
    row = 0
    for text, at in whole_lines(name, stream, piece_bytes):
        piece = _piece(text.removeprefix(BOM) if row == 0 else text, row, at)
        if piece.frame.get_column(ROW, default=None) is None:
            raise FactFileError(file=name, reason=f"no column may be called {ROW!r}")
        row += text.count(b"\n")
        if piece.rows:
            yield piece


def _piece(text: bytes, row: int, at: int) -> Piece:
    frame = native_table(text)
    if frame is not None:
        return Piece(
            frame=numbered(frame, row),
            problems=problem_table([]),
            rows=frame.height,
            bytes_read=at,
        )
    return _by_line(text.split(b"\n"), row, at)


def native_table(text: bytes) -> pl.DataFrame | None:
    """Return the rows when nothing was bent to make them one table, else None."""
    lines = text.count(b"\n") + (not text.endswith(b"\n"))
    if _ODD.search(text):
        return None
    try:
        frame = pl.read_ndjson(text, infer_schema_length=None)
    except PolarsError:
        return None
    if frame.height != lines or ROW in frame.columns or not set(frame.dtypes) <= _PLAIN:
        return None
    # A number among texts becomes a text, a repeated name is dropped: their quotes do not add up.
    texts = sum(
        frame.height - frame.get_column(name).null_count()
        for name, dtype in frame.schema.items()
        if dtype == pl.String
    )
    return frame if text.count(b'"') == 2 * (frame.height * frame.width + texts) else None


def _by_line(lines: Sequence[bytes], row: int, at: int) -> Piece:
    good: list[dict[str, str | None]] = []
    rows: list[int] = []
    bad: list[Unread] = []
    for number, line in enumerate(lines, start=row):
        if not line.strip():
            continue
        found = flat_object(line)
        if found is None:
            shown = line.decode(errors="replace").rstrip("\r")
            bad.append((number, "", FactProblem.UNREADABLE, shown))
        else:
            good.append(found)
            rows.append(number)
    names = list(dict.fromkeys(name for one in good for name in one))
    if ROW in names:
        return Piece(
            frame=pl.DataFrame(), problems=problem_table(bad), rows=len(rows), bytes_read=at
        )
    values = [[one.get(name) for name in names] for one in good]
    return piece_of_texts(names, values, rows, bad, bytes_read=at)


def flat_object(line: bytes) -> dict[str, str | None] | None:
    """Return the values of a line as texts; None when it is no flat object."""
    try:
        found = json.loads(
            line.decode(),
            object_pairs_hook=_once,
            parse_int=str,
            parse_float=str,
            parse_constant=_refuse,
        )
        if not isinstance(found, dict):
            return None
        values = {name: _text(value) for name, value in found.items()}
        "".join([*values, *(value or "" for value in values.values())]).encode()
    except (ValueError, RecursionError):
        # Among them: no JSON, no UTF-8, half a surrogate pair.
        return None
    return values


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def _refuse(name: str) -> object:
    raise ValueError(f"{name} is no JSON")


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    raise ValueError("lists and objects have no place in a fact")
