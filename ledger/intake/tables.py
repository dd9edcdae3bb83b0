"""Read one CSV table strictly: typed rows for what is right, problems for everything else.

Invariants:
1. Never raises for the content of a file: whatever the bytes, the answer is a `TableResult`.
2. All problems of a file are reported, in line order, and every one names its place.
3. Every record with data is either a row or rejected, with its original bytes, unless the file is
   refused as a whole; then its content is kept whole.
4. Nothing is repaired: blanks are not trimmed, spellings not converted, defaults not invented.

Source: docs/data-folder.md.
"""

import hashlib
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

from ledger.intake.problems import CellError, Problem, closest, problem
from ledger.intake.records import BOM, CutRecord, Record, cut_records
from ledger.intake.texts import require_clean
from ledger.types import Digest

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

FILE_BYTES_MAX: Final = 256 * 1024 * 1024
_MAGIC: Final = (
    (b"PK\x03\x04", "XLSX, ODS or ZIP"),
    (b"\xd0\xcf\x11\xe0", "XLS"),
    (b"%PDF", "PDF"),
    (b"\x1f\x8b", "gzip"),
)
_MARKS: Final = (
    (b"\xff\xfe\x00\x00", "UTF-32"),
    (b"\x00\x00\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)
_SEPARATORS: Final = ((";", "«;»"), ("\t", "«TAB»"), ("|", "«|»"))
_PROBED_BYTES: Final = 4096
_SHOWN_BYTES: Final = 1024


Cells = Mapping[str, Any]
"""Values of the cells of one row by column, as the parsers of the columns gave them. Their types
differ, so a builder hands them on to a typed row at once."""
Texts = Mapping[str, str]
"""Texts of the cells of one row by column, as they stand in the file, quotes removed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TableSpec(Generic[T]):
    """What a table holds and what its rows become."""

    file: str
    """Name of the file, without folders."""
    columns: Mapping[str, Callable[[str], object]]
    """Parser of each column; a parser raises `CellError` for a cell that it cannot read."""
    build: Callable[[Cells, Texts], T]
    """Makes a row; it may raise `CellError(code, column=..., ...)` for what several cells say
    together."""
    key: tuple[str, ...]
    """Columns whose texts, taken together, no two rows share."""
    optional: frozenset[str] = frozenset()
    """Columns that the header may leave out; their cells are read as empty."""
    also_unique: tuple[tuple[str, ...], ...] = ()
    """Further sets of columns that no two rows share; rows in which all columns of a set are empty
    are exempt from it."""
    may_be_empty: bool = False
    """Whether a header without rows is accepted."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Row(Generic[T_co]):
    """A row without problems of its own."""

    record: Record
    texts: Texts
    value: T_co
    """What the table's builder made of it."""

    @property
    def line(self) -> int:
        """1-based physical line in which the row begins."""
        return self.record.line


@dataclass(frozen=True, kw_only=True, slots=True)
class RejectedRow:
    """A record that is refused, with the reasons."""

    record: Record
    problems: tuple[Problem, ...]
    """At least one."""
    texts: Texts = field(default_factory=dict)
    """Its cells as far as they could be cut."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TableResult(Generic[T_co]):
    """All that was read from one file."""

    file: str
    sha256: Digest
    """Of the bytes of the file; of no bytes when it could not be read."""
    size: int
    """Bytes read."""
    header: Record | None = None
    """The header as it stands, byte order mark included; None when the file has none."""
    rows: tuple[Row[T_co], ...] = ()
    """Good rows, in file order."""
    rejected: tuple[RejectedRow, ...] = ()
    """Refused rows, in file order."""
    problems: tuple[Problem, ...] = ()
    """All problems in line order: of the file first, then those of rows and blank lines."""
    whole: bytes | None = None
    """The content of a file that is refused as a whole; None when rows are judged one by one."""

    @property
    def is_good(self) -> bool:
        """Whether there is no problem but warnings."""
        return all(found.severity == "warning" for found in self.problems)


@dataclass(frozen=True, slots=True)
class _Header:
    """Where the columns of the table stand in the file."""

    places: Mapping[str, int]
    """0-based place of each known column in a record."""
    width: int
    """Number of values in the header."""
    problems: tuple[Problem, ...]


@dataclass(slots=True)
class _Draft(Generic[T]):
    """A record on its way to a row."""

    record: Record
    texts: Mapping[str, str]
    problems: list[Problem]
    row: Row[T] | None = None


def read_table(
    path: Path, spec: TableSpec[T], *, file_bytes_max: int = FILE_BYTES_MAX
) -> TableResult[T]:
    """Read a file as a table.

    Args:
        path: Where the file is; a missing or unreadable file is a problem, not an exception.
        spec: What it should hold.
        file_bytes_max: Greatest size in bytes; a larger file is not read.
    """
    data = read_bytes(path, file=spec.file, file_bytes_max=file_bytes_max)
    if isinstance(data, Problem):
        return TableResult(
            file=spec.file, sha256=digest_of(b""), size=0, problems=(data,), whole=None
        )
    return parse_table(data, spec)


def read_bytes(path: Path, *, file: str, file_bytes_max: int) -> bytes | Problem:
    """Return the content of a regular file, or the problem that prevents it.

    Args:
        path: Where the file is.
        file: Its name for the problem.
        file_bytes_max: Greatest size in bytes.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            return problem("not_a_file", file=file)
        with path.open("rb") as source:
            data = source.read(file_bytes_max + 1)
    except FileNotFoundError:
        return problem("file_missing", file=file)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        return problem("file_unreadable", file=file, facts={"reason": reason or "bad path"})
    if len(data) > file_bytes_max:
        return problem("file_too_large", file=file, facts={"limit": file_bytes_max})
    return data


def parse_table(data: bytes, spec: TableSpec[T]) -> TableResult[T]:
    """Read the content of a file as a table; see `read_table`."""
    refusal = _refused_content(data, spec.file)
    if refusal is not None:
        return _refused(data, spec.file, (refusal,))
    mark = BOM if data.startswith(BOM) else b""
    cuts = cut_records(data.removeprefix(BOM))
    first = next(cuts, None)
    if first is None:
        return _refused(data, spec.file, (problem("file_empty", file=spec.file),))
    header = _read_header(first, spec, offset=len(mark))
    first_record = Record(line=1, raw=mark + first.record.raw, line_end=first.record.line_end)
    if not header.places:
        return _refused(data, spec.file, header.problems, header=first_record)
    strays: list[Problem] = []
    drafts = list(_drafts(cuts, spec, header, offset=len(mark), strays=strays))
    _refuse_duplicates(drafts, spec)
    found = list(header.problems)
    if not drafts and not spec.may_be_empty:
        found.append(problem("no_rows", file=spec.file, line=1))
    of_rows = [*strays, *(one for draft in drafts for one in draft.problems)]
    found += sorted(of_rows, key=lambda one: one.line or 0)
    if header.problems:
        return _refused(data, spec.file, tuple(found), header=first_record)
    return TableResult(
        file=spec.file,
        sha256=digest_of(data),
        size=len(data),
        header=first_record,
        rows=tuple(d.row for d in drafts if d.row is not None and not d.problems),
        rejected=tuple(
            RejectedRow(record=d.record, problems=tuple(d.problems), texts=d.texts)
            for d in drafts
            if d.problems
        ),
        problems=tuple(found),
    )


def digest_of(data: bytes) -> Digest:
    """Return the SHA-256 of the content of a file."""
    return Digest(hashlib.sha256(data).digest())


def _refused(
    data: bytes, file: str, problems: tuple[Problem, ...], *, header: Record | None = None
) -> TableResult[T]:
    return TableResult(
        file=file,
        sha256=digest_of(data),
        size=len(data),
        header=header,
        problems=problems,
        whole=data,
    )


def _refused_content(data: bytes, file: str) -> Problem | None:
    """Return the problem of content that is no UTF-8 text at all."""
    if not data:
        return problem("file_empty", file=file)
    for magic, kind in _MAGIC:
        if data.startswith(magic):
            return problem("not_a_table", file=file, facts={"kind": kind})
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return problem("utf16", file=file, line=1, facts={"encoding": encoding})
    probe = data[:_PROBED_BYTES]
    # Latin text in UTF-16 has a NUL in every second byte, in UTF-32 in three of four.
    if probe.count(0) * 3 > len(probe):
        encoding = "UTF-32" if probe.count(0) * 8 > len(probe) * 5 else "UTF-16"
        return problem("utf16", file=file, line=1, facts={"encoding": encoding})
    return None


def _read_header(first: CutRecord, spec: TableSpec[T], *, offset: int) -> _Header:
    """Match the names of the header with the columns of the table."""
    if first.is_blank:
        return _no_header(problem("blank_header", file=spec.file, line=1))
    separator = _other_separator(first.record.raw, spec)
    if separator is not None:
        facts = {"separator": separator}
        return _no_header(problem("semicolon_separated", file=spec.file, line=1, facts=facts))
    if first.fault is not None:
        return _no_header(_fault_problem(first, spec.file, offset=offset))
    names = first.values
    known = spec.columns.keys()
    places: dict[str, int] = {}
    problems: list[Problem] = []
    for place, name in enumerate(names):
        if name in places:
            facts_twice = {"first": places[name] + 1, "second": place + 1}
            problems.append(
                problem("duplicate_column", file=spec.file, line=1, column=name, facts=facts_twice)
            )
        elif name in known:
            places[name] = place
        else:
            problems.append(_strange_column(name, place, names, spec))
    problems += (
        problem("missing_column", file=spec.file, line=1, column=name)
        for name in spec.columns
        if name not in places and name not in spec.optional
    )
    return _Header(places=places, width=len(names), problems=tuple(problems))


def _other_separator(raw: bytes, spec: TableSpec[T]) -> str | None:
    """Return the name of the separator by which a header gives several columns of the table."""
    text = raw.decode(errors="replace").replace('"', "")
    known = spec.columns.keys()
    by_comma = len(known & set(text.split(",")))
    for separator, called in _SEPARATORS:
        if len(known & set(text.split(separator))) > max(by_comma, 1):
            return called
    return None


def _no_header(found: Problem) -> _Header:
    return _Header(places={}, width=0, problems=(found,))


def _strange_column(name: str, place: int, names: Sequence[str], spec: TableSpec[T]) -> Problem:
    if not name.strip():
        facts: dict[str, object] = {"place": place + 1}
        return problem("blank_column", file=spec.file, line=1, value=name, facts=facts)
    absent = [column for column in spec.columns if column not in names]
    facts = {"near": closest(name, absent)}
    return problem("unknown_column", file=spec.file, line=1, column=name, facts=facts)


def _fault_problem(cut: CutRecord, file: str, *, offset: int) -> Problem:
    """Return the problem of a record that could not be cut, offsets counted from the file."""
    fault = cut.fault
    if fault is None:
        message = "a record without fault has no problem"
        raise ValueError(message)
    facts = dict(fault.facts)
    line = cut.record.line
    inside = facts.get("offset")
    if isinstance(inside, int):
        facts["offset"] = inside + offset
    value = cut.record.raw[:_SHOWN_BYTES].decode(errors="backslashreplace")
    return problem(fault.code, file=file, line=line, value=value, facts=facts)


def _drafts(
    cuts: Iterator[CutRecord],
    spec: TableSpec[T],
    header: _Header,
    *,
    offset: int,
    strays: list[Problem],
) -> Iterator[_Draft[T]]:
    """Yield the records with data; problems of lines without data go to `strays`."""
    for cut in cuts:
        line = cut.record.line
        if cut.is_blank:
            strays.append(problem("blank_line", file=spec.file, line=line))
        elif cut.fault is not None:
            found = _fault_problem(cut, spec.file, offset=offset)
            yield _Draft(cut.record, {}, [found])
        elif len(cut.values) != header.width:
            yield _Draft(cut.record, {}, [_wrong_width(cut, spec.file, header.width)])
        elif not any(cut.values):
            strays.append(problem("empty_row", file=spec.file, line=line))
        else:
            yield _draft(cut, spec, header)


def _wrong_width(cut: CutRecord, file: str, expected: int) -> Problem:
    found = len(cut.values)
    lines = cut.record.raw.count(b"\n") + 1
    if lines > 1:
        code = "row_over_lines"
    elif found > expected:
        code = "too_many_columns"
    elif cut.record.line_end:
        code = "too_few_columns"
    else:
        code = "truncated_row"
    return problem(
        code,
        file=file,
        line=cut.record.line,
        value=",".join(cut.values),
        facts={"found": found, "expected": expected, "lines": lines},
    )


def _draft(cut: CutRecord, spec: TableSpec[T], header: _Header) -> _Draft[T]:
    """Read the cells of a record and, when all are right, build its row."""
    line = cut.record.line
    texts: dict[str, str] = {}
    values: dict[str, object] = {}
    problems: list[Problem] = []
    for column, parse in spec.columns.items():
        place = header.places.get(column)
        if place is None and column not in spec.optional:
            continue
        text = "" if place is None else cut.values[place]
        texts[column] = text
        try:
            require_clean(text)
            values[column] = parse(text)
        except CellError as error:
            problems.append(error.at(file=spec.file, line=line, column=column, value=text))
    draft: _Draft[T] = _Draft(cut.record, texts, problems)
    if problems or header.problems:
        return draft
    try:
        draft.row = Row(record=cut.record, texts=texts, value=spec.build(values, texts))
    except CellError as error:
        value = None if error.column is None else texts.get(error.column)
        problems.append(error.at(file=spec.file, line=line, column=None, value=value))
    return draft


def _refuse_duplicates(drafts: Sequence[_Draft[T]], spec: TableSpec[T]) -> None:
    """Add a problem to every row that shares a key with another, the first one included.

    Which of them is right cannot be known, so none is taken.
    """
    for names in (spec.key, *spec.also_unique):
        first_of: dict[tuple[str, ...], _Draft[T]] = {}
        for draft in drafts:
            texts = tuple(draft.texts.get(name, "") for name in names)
            if not any(texts) or any(name not in draft.texts for name in names):
                continue
            first = first_of.setdefault(texts, draft)
            if first is draft:
                continue
            if not any(found.code == "duplicate_key" for found in first.problems):
                first.problems.append(_duplicate(first, draft, names, texts, spec.file))
            if not any(found.code == "duplicate_key" for found in draft.problems):
                draft.problems.append(_duplicate(draft, first, names, texts, spec.file))


def _duplicate(
    draft: _Draft[T],
    other: _Draft[T],
    names: Sequence[str],
    texts: Sequence[str],
    file: str,
) -> Problem:
    filled = [(name, text) for name, text in zip(names, texts, strict=True) if text]
    key = ", ".join(f"{name} {text}" for name, text in filled)
    return problem(
        "duplicate_key",
        file=file,
        line=draft.record.line,
        column=filled[-1][0],
        value=filled[-1][1],
        facts={"key": key, "other_line": other.record.line},
    )
