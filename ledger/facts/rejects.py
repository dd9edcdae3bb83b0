"""Refused rows: a file that can be mended and taken in again, and the list of what is wrong.

For every file with refused rows there is `<name>.rejects.csv`, with its columns and the values as
they came, and for all of them one `<name>.problems.csv`, called after the first of them. A line
that has too few or too many fields keeps them; one that could not be taken apart stands there as
one field. Nothing is written while no row is refused.

Invariants:
1. Counting goes on when nothing is written (`folder` is None): a dry run tells the same numbers.
2. Memory does not grow with the refused rows.

Source: docs/production.md.
"""

import csv
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import IO, Any, Final

import polars as pl

from ledger.errors import FactFileError
from ledger.facts.csvlines import line_of
from ledger.facts.instants import written
from ledger.facts.problems import ROW, FactProblem
from ledger.facts.spool import FILE

HEADING: Final = ("file", "line", "column", "value", "code", "reason")
"""Of the list of problems; `app` may translate it."""
_FORMULA_STARTS: Final = ("=", "+", "@", "\t")

Explain = Callable[[str], str]
"""Gives the sentence of a code, in the reader's language."""


@dataclass(kw_only=True)
class _File:
    name: str
    columns: tuple[str, ...]
    line: int
    """What people call the row 0."""
    path: Path | None = None
    stream: IO[str] | None = None


@dataclass(kw_only=True)
class Rejects:
    """Takes refused rows and writes them."""

    folder: Path | None
    """Where the files go; None writes nothing."""
    explain: Explain = field(default=lambda code: code)
    heading: tuple[str, ...] = HEADING
    rows: int = 0
    """Refused rows."""
    codes: Counter[str] = field(default_factory=Counter)
    """Problems by code."""
    first: list[dict[str, object]] = field(default_factory=list)
    """The first problems, for the screen."""
    written: list[Path] = field(default_factory=list)
    _files: dict[int, _File] = field(default_factory=dict)
    _problems_path: Path | None = None
    _problems: IO[str] | None = None

    FIRST_MAX = 20

    def begin(self, number: int, name: str, columns: tuple[str, ...], *, line: int = 1) -> None:
        """Announce a file of the batch; one of the same name and columns is continued.

        Args:
            number: of the file in its batch, from 0.
            name: what messages call it.
            columns: those of the file, in its order.
            line: what people call its row 0.
        """
        present = self._files.get(number)
        if present is None or (present.name, present.columns) != (name, columns):
            self._close(present)
            self._files[number] = _File(name=name, columns=columns, line=line)

    def add(self, number: int, raw: pl.DataFrame, problems: pl.DataFrame) -> None:
        """Take the rows of one file that are refused, as they came, and their problems.

        Args:
            number: of the file.
            raw: rows that could be taken apart.
            problems: of these rows and of lines that could not be taken apart.
        """
        unread = [
            value if code == FactProblem.FIELD_COUNT else line_of([value])
            for code, value in problems.filter(pl.col("column") == "")
            .select("code", "value")
            .iter_rows()
        ]
        bad = problems.get_column(ROW).n_unique()
        self.rows += bad
        self._write_rows(number, raw, unread)
        self._write_problems(number, problems)

    def add_spooled(self, rows: pl.DataFrame, code: FactProblem) -> None:
        """Take rows that were refused after the whole batch was read."""
        for (number,), own in rows.group_by(FILE, maintain_order=True):
            column = "supersedes" if code.startswith("superseded") else "source_id"
            problems = own.select(
                pl.col(ROW),
                pl.lit(column).alias("column"),
                pl.lit(str(code)).alias("code"),
                pl.col(column).alias("value"),
            )
            self.rows += own.height
            self._write_rows(int(str(number)), own, [])
            self._write_problems(int(str(number)), problems)

    def finish(self) -> None:
        """Close the files; what comes later is written behind what stands in them."""
        for file in self._files.values():
            self._close(file)
        if self._problems is not None:
            self._problems.close()
            self._problems = None

    @staticmethod
    def _close(file: _File | None) -> None:
        if file is not None and file.stream is not None:
            file.stream.close()
            file.stream = None

    def _write_rows(self, number: int, raw: pl.DataFrame, unread: list[str]) -> None:
        if self.folder is None:
            return
        file = self._files[number]
        with _written(self.folder):
            if file.stream is None:
                stem = f"{Path(file.name).stem}.rejects"
                file.stream, file.path = self._open(file.path, stem, encoding="utf-8")
                if file.stream.tell() == 0:
                    csv.writer(file.stream).writerow(file.columns)
            if raw.height:
                missing = [name for name in file.columns if name not in raw.columns]
                table = raw.with_columns(pl.lit(None).alias(name) for name in missing)
                rows = written(table.select(file.columns))
                file.stream.write(rows.write_csv(include_header=False))
            for line in unread:
                file.stream.write(line + "\n")

    def _write_problems(self, number: int, problems: pl.DataFrame) -> None:
        counted = problems.group_by("code").len()
        for code, times in counted.iter_rows():
            self.codes[code] += times
        file = self._files[number]
        for one in problems.sort(ROW).head(self.FIRST_MAX - len(self.first)).iter_rows(named=True):
            self.first.append({"file": file.name, "line": one[ROW] + file.line, **one})
        if self.folder is None:
            return
        with _written(self.folder):
            if self._problems is None:
                stem = f"{Path(file.name).stem}.problems"
                self._problems, self._problems_path = self._open(
                    self._problems_path, stem, encoding="utf-8-sig"
                )
                if self._problems.tell() == 0:
                    csv.writer(self._problems, delimiter=";").writerow(self.heading)
            csv.writer(self._problems, delimiter=";").writerows(
                (file.name, row + file.line, column, _safe(value), code, self.explain(code))
                for row, column, code, value in problems.sort(ROW).iter_rows()
            )

    def _open(self, path: Path | None, stem: str, *, encoding: str) -> tuple[IO[str], Path]:
        """Open a file of a new name, or one of ours at its end."""
        if path is not None:
            return path.open("a", encoding=encoding, newline=""), path
        folder = self.folder or Path()
        folder.mkdir(parents=True, exist_ok=True)
        for number in count(1):
            path = folder / (f"{stem}.csv" if number == 1 else f"{stem}-{number}.csv")
            # An earlier file may be in somebody's hands.
            with suppress(FileExistsError):
                stream = path.open("x", encoding=encoding, newline="")
                self.written.append(path)
                return stream, path
        raise AssertionError("the numbers do not end")


@contextmanager
def _written(folder: Path) -> Iterator[None]:
    """Turn what the operating system says into what the caller is told."""
    try:
        yield
    except OSError as error:
        raise FactFileError(
            file=str(folder),
            reason=f"the refused rows cannot be written there: {error.strerror}; name another "
            "folder for them",
        ) from error


def _safe(value: Any) -> str:
    text = "" if value is None else str(value)
    formula = text.startswith(_FORMULA_STARTS) or (text.startswith("-") and not text[1:].isdigit())
    return f"'{text}" if formula else text
