"""Write refused rows into a folder that can be mended and imported in place of the original.

For a data folder `NAME` the folder is `NAME.rejects`. It holds, under their original names, only
the tables with refused rows: the original header and the original bytes of those rows; a file that
is refused as a whole is copied whole; the card of the folder is copied. `problems.csv` beside them
lists every problem with its line in the original and in the reject file.

Invariants:
1. Bytes of rows are never changed; only a missing line end after the last row is added.
2. All or nothing: the folder appears complete under its name, or not at all, also after a crash.
3. An existing folder is never touched: somebody may be mending it.

`problems.csv` is made for spreadsheets with Italian settings: semicolons, CRLF, byte order mark. A
cell that a spreadsheet would run as a formula gets an apostrophe in front.

Source: docs/data-folder.md.
"""

import csv
import io
import os
import re
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Final, TypeVar

from ledger.errors import DatasetError
from ledger.intake.dataset import PROBLEMS_FILE
from ledger.intake.problems import Problem
from ledger.intake.records import BOM, Record
from ledger.intake.tables import RejectedRow, TableResult

T = TypeVar("T")

SUFFIX: Final = ".rejects"
LABELS: Final = (
    "file",
    "original line",
    "line here",
    "column",
    "value",
    "code",
    "reason",
    "what to do",
)
"""Header of the list of problems, in English; `app` gives the Italian one."""

_NUMBERED: Final = re.compile(rf"{re.escape(SUFFIX)}(?:-[0-9]+)?\Z")
_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")

Texts = Callable[[Problem], tuple[str, str]]
"""Gives reason and hint of a problem in the reader's language."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RejectedTable:
    """What of one file is refused."""

    file: str
    """Name of the file, without folders."""
    header: Record | None
    """The original header; None when the file has none, so that no row can be written."""
    rows: tuple[RejectedRow, ...]
    """Refused rows, in line order."""
    whole: bytes | None
    """Content of a file that is refused as a whole; then it is written instead of rows."""
    problems: tuple[Problem, ...]
    """Problems of the file and of lines without data."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RejectReport:
    """What was written."""

    folder: Path
    files: tuple[str, ...]
    """Names of the files written, sorted, the list of problems and the copies included."""
    rows: int
    """Refused rows, over all files; rows of files refused as a whole are not counted."""


def english(found: Problem) -> tuple[str, str]:
    """Return reason and hint of a problem in English."""
    return found.message, found.hint


def reject_folder(dataset: Path) -> Path:
    """Return the first free name for the rejects of a data folder, beside it.

    Rejects of `NAME`, and of `NAME.rejects` itself, go to `NAME.rejects`, or if that is taken to
    `NAME.rejects-2`, `-3` and so on.
    """
    name = _NUMBERED.sub("", dataset.resolve().name)
    parent = dataset.resolve().parent
    names = (f"{name}{SUFFIX}" if n == 1 else f"{name}{SUFFIX}-{n}" for n in count(1))
    return next(path for path in map(parent.joinpath, names) if not os.path.lexists(path))


def rejected_table(
    result: TableResult[T], more: Iterable[RejectedRow] = ()
) -> RejectedTable | None:
    """Gather what of one file is refused; None when nothing is.

    Args:
        result: The file as it was read.
        more: Rows refused later, for what they mean; a row may come several times, with other
            problems each time.
    """
    by_line: dict[int, RejectedRow] = {}
    for row in (*result.rejected, *more):
        before = by_line.get(row.record.line)
        problems = row.problems if before is None else (*before.problems, *row.problems)
        by_line[row.record.line] = RejectedRow(record=row.record, problems=problems)
    of_rows = {id(found) for row in result.rejected for found in row.problems}
    others = tuple(found for found in result.problems if id(found) not in of_rows)
    if not by_line and not others:
        return None
    return RejectedTable(
        file=result.file,
        header=result.header,
        rows=tuple(by_line[line] for line in sorted(by_line)),
        whole=result.whole,
        problems=others,
    )


def write_rejects(
    target: Path,
    tables: Sequence[RejectedTable],
    *,
    carry: Sequence[Path] = (),
    texts: Texts = english,
    labels: Sequence[str] = LABELS,
) -> RejectReport:
    """Write a folder of rejects.

    Args:
        target: The folder to make; see `reject_folder`.
        tables: What is refused; each file at most once.
        carry: Files to copy unchanged because the import of the rejects needs them, such as
            `dataset.toml`; one that is also in `tables` is not copied.
        texts: Reason and hint of a problem in the reader's language.
        labels: Header of the list of problems, eight names.

    Raises:
        DatasetError: The folder exists already or cannot be written; nothing is left behind.
    """
    contents: dict[str, bytes] = {}
    listed: list[tuple[str, ...]] = [tuple(labels)]
    for table in tables:
        content, lines = _table_content(table)
        if content is not None:
            contents[table.file] = content
        listed += _listing(table, lines, texts)
    try:
        for path in carry:
            if path.name not in contents:
                contents[path.name] = path.read_bytes()
        contents[PROBLEMS_FILE] = _spreadsheet(listed)
        _write_folder(target, contents)
    except OSError as error:
        reason = f"the rejects cannot be written: {error.strerror or error}"
        raise DatasetError(folder=target, reason=reason) from error
    return RejectReport(
        folder=target,
        files=tuple(sorted(contents)),
        rows=sum(len(table.rows) for table in tables),
    )


def _table_content(table: RejectedTable) -> tuple[bytes | None, dict[int, int]]:
    """Return the content of a reject file, and the line in it of each original line.

    The content is None when there is no row to write.
    """
    if table.whole is not None:
        return table.whole, {}
    if table.header is None or not table.rows:
        return None, {}
    usual = table.header.line_end or b"\n"
    parts: list[bytes] = []
    lines: dict[int, int] = {}
    line = 1
    for record in (table.header, *(row.record for row in table.rows)):
        lines[record.line] = line
        part = record.raw + (record.line_end or usual)
        parts.append(part)
        line += part.count(b"\n")
    return b"".join(parts), lines


def _listing(
    table: RejectedTable, lines: dict[int, int], texts: Texts
) -> Iterable[tuple[str, ...]]:
    """Yield the lines of the list of problems for one file, in line order."""
    found = [*table.problems, *(one for row in table.rows for one in row.problems)]
    for one in sorted(found, key=lambda item: item.line or 0):
        reason, hint = texts(one)
        here = one.line if table.whole is not None else lines.get(one.line or 0)
        yield (
            table.file,
            "" if one.line is None else str(one.line),
            "" if here is None else str(here),
            one.column or "",
            one.value or "",
            one.code,
            reason,
            hint,
        )


def _spreadsheet(rows: Iterable[Sequence[str]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerows([_inert(cell) for cell in row] for row in rows)
    return BOM + text.getvalue().encode()


def _inert(cell: str) -> str:
    """Return a cell that a spreadsheet shows instead of running it."""
    return f"'{cell}" if cell.startswith(_FORMULA_STARTS) else cell


def _write_folder(target: Path, contents: dict[str, bytes]) -> None:
    """Write files into a folder that appears under its name only when all are on the disk."""
    if os.path.lexists(target):
        raise DatasetError(folder=target, reason="there is such a folder of rejects already")
    partial = target.with_name(f".{target.name}.partial")
    # Only a crash leaves this folder behind, and its content is not complete.
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    try:
        for name, content in contents.items():
            with (partial / name).open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        _sync_folder(partial)
        partial.rename(target)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
