"""Read the lines of CSV files: natively where a line is plain, one by one where it is not.

Invariants:
1. A field is quoted when it begins with a quote; what follows its closing quote is a separator or
   the end of the row, else the row cannot be read. A quote elsewhere is a letter.
2. A quoted field may hold line breaks. Where its end is not found within `ROW_BYTES_MAX`, only the
   line that opens it is lost, not those behind it.
3. Both ways of reading give the same rows.

Source: RFC 4180; docs/production.md.
"""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import BinaryIO, Final

import polars as pl
from polars.exceptions import PolarsError

from ledger.errors import FactFileError
from ledger.facts.pieces import (
    BOM,
    LINE_BYTES_MAX,
    Piece,
    Unread,
    numbered,
    piece_of_texts,
    whole_lines,
)
from ledger.facts.problems import ROW, FactProblem, problem_table

ROW_BYTES_MAX: Final = 1 << 16
"""Longest row that goes over several lines, about."""


def csv_pieces(name: str, stream: BinaryIO, piece_bytes: int) -> Iterator[Piece]:
    """Yield the rows of a CSV file, comma or semicolon, in order.

    Args:
        name: of the file, for messages.
        stream: at its beginning.
        piece_bytes: how many bytes to read at once.

    Raises:
        FactFileError: the heading does not name the columns, or a line is too long.
    """
    names, separator = _heading(name, stream.readline(LINE_BYTES_MAX).removeprefix(BOM))
    row = at = 0
    rest = b""
    for text, at in whole_lines(name, stream, piece_bytes):
        whole = rest + text
        piece, used = _piece(whole, names, separator, row, at=at, last=False)
        row += whole.count(b"\n", 0, used)
        rest = whole[used:]
        if piece.rows:
            yield piece
    if rest:
        yield _piece(rest, names, separator, row, at=at, last=True)[0]


def line_of(fields: Sequence[str]) -> str:
    """Return values as one row of CSV with commas, without a line break at its end."""
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(fields)
    return text.getvalue()


def _heading(name: str, line: bytes) -> tuple[list[str], str]:
    try:
        text = line.decode().strip("\r\n")
    except UnicodeDecodeError as error:
        raise FactFileError(file=name, reason="the heading is not UTF-8") from error
    separator = ";" if ";" in text and "," not in text else ","
    try:
        names = next(csv.reader([text], delimiter=separator, strict=True), [])
    except csv.Error:
        names = []
    if not names or not all(names) or len(set(names)) != len(names):
        raise FactFileError(file=name, reason="the first line must name the columns, each once")
    if ROW in names:
        raise FactFileError(file=name, reason=f"no column may be called {ROW!r}")
    return names, separator


def _piece(
    text: bytes, names: Sequence[str], separator: str, row: int, *, at: int, last: bool
) -> tuple[Piece, int]:
    """Return the rows of a text and how many of its bytes they are."""
    frame = _native(text, names, separator)
    if frame is not None:
        read = Piece(
            frame=numbered(frame, row),
            problems=problem_table([]),
            rows=frame.height,
            bytes_read=at,
        )
        return read, len(text)
    lines = _Lines(raw=io.BytesIO(text).readlines(), names=names, separator=separator, row=row)
    used = lines.read(last=last)
    piece = piece_of_texts(names, lines.good, lines.rows, lines.bad, bytes_read=at)
    return piece, used


def _native(text: bytes, names: Sequence[str], separator: str) -> pl.DataFrame | None:
    """Return the rows when every line is plain and has all its fields, else None."""
    lines = text.count(b"\n") + (not text.endswith(b"\n"))
    quoted = b'"' in text
    if quoted:
        plain = _plain(len(names), separator).fullmatch(text) is not None
    else:
        # Polars fills short lines with nulls and refuses long ones: the sum tells the short ones.
        plain = text.count(separator.encode()) == lines * (len(names) - 1)
    if not plain or b"\0" in text:
        return None
    try:
        frame = pl.read_csv(
            text,
            has_header=False,
            separator=separator,
            quote_char='"' if quoted else None,
            schema=dict.fromkeys(names, pl.String),
        )
    except PolarsError:
        return None
    return frame if frame.height == lines else None


@cache
def _plain(fields: int, separator: str) -> re.Pattern[bytes]:
    """Return what lines look like whose quotes leave no doubt: around whole fields, none inside."""
    mark = re.escape(separator)
    one = rf'(?:"[^"\r\n]*+"|[^"\r\n{mark}]*+)'
    line = rf"{one}(?:{mark}{one}){{{fields - 1}}}"
    return re.compile(rf"(?:{line}\r?\n)*+(?:{line})?".encode())


@dataclass(kw_only=True)
class _Lines:
    """Lines that are taken apart one by one."""

    raw: list[bytes]
    names: Sequence[str]
    separator: str
    row: int
    """Place of the first line in its file."""
    good: list[list[str]] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    bad: list[Unread] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.lines = [line.decode(errors="surrogateescape") for line in self.raw]

    def read(self, *, last: bool) -> int:
        """Take the lines apart.

        Args:
            last: nothing comes behind these lines.

        Returns:
            How many bytes were taken apart: those of a row that goes on are left.
        """
        place = 0
        while place < len(self.lines):
            if not self.lines[place].strip("\r\n"):
                place += 1
                continue
            fields, end, opened = self._row(place)
            if opened and end == len(self.lines) and not last:
                break
            if opened:
                fields, end = None, place + 1
            self._take(place, end, fields)
            place = end
        return sum(map(len, self.raw[:place]))

    def _row(self, place: int) -> tuple[list[str] | None, int, bool]:
        """Return the fields of a row, the place behind it, and whether a quote stays open."""
        line = self.lines[place]
        if '"' not in line:
            return (
                line.removesuffix("\n").removesuffix("\r").split(self.separator),
                place + 1,
                False,
            )
        end, opened = place, False

        def feed() -> Iterator[str]:
            nonlocal end, opened
            size = 0
            while end < len(self.lines) and size <= ROW_BYTES_MAX:
                size += len(self.raw[end])
                end += 1
                yield self.lines[end - 1]
            # The reader asks for more: the quote is open.
            opened = True

        try:
            fields = next(csv.reader(feed(), delimiter=self.separator, strict=True))
        except csv.Error:
            return None, end, opened
        return fields, end, opened

    def _take(self, place: int, end: int, fields: list[str] | None) -> None:
        number = self.row + place
        text = "".join(self.lines[place:end])
        if fields is None or not _is_text(text):
            shown = b"".join(self.raw[place:end]).decode(errors="replace").rstrip("\r\n")
            self.bad.append((number, "", FactProblem.UNREADABLE, shown))
        elif len(fields) != len(self.names):
            self.bad.append((number, "", FactProblem.FIELD_COUNT, line_of(fields)))
        else:
            self.good.append(fields)
            self.rows.append(number)


def _is_text(line: str) -> bool:
    try:
        line.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in line
