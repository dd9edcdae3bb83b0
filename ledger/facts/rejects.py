"""Refused rows: a file that can be mended and taken in again, and the list of what is wrong.

For every file with refused rows there is `<name>.rejects.csv`, with its columns and the refused
rows as they came, and for all of them one `problems.csv`. Nothing is written while no row is
refused.

Invariants:
1. Counting goes on when nothing is written (`folder` is None): a dry run tells the same numbers.
2. Memory does not grow with the refused rows.

Source: docs/production.md.
"""

import csv
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final

import polars as pl

from ledger.facts.problems import ROW, FactProblem
from ledger.facts.spool import FILE

HEADING: Final = ("file", "row", "line", "column", "value", "code", "reason")
"""Of the list of problems; `app` may translate it."""
_FORMULA_STARTS: Final = ("=", "+", "@", "\t")

Explain = Callable[[str], str]
"""Gives the sentence of a code, in the reader's language."""


@dataclass(kw_only=True)
class _File:
    name: str
    columns: tuple[str, ...]
    stream: IO[str] | None = None
    rows: int = 0


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
    _problems: IO[str] | None = None

    FIRST_MAX = 20

    def begin(self, number: int, name: str, columns: tuple[str, ...]) -> None:
        """Announce a file of the batch and the columns of its schema."""
        self._files[number] = _File(name=name, columns=columns)

    def add(self, number: int, raw: pl.DataFrame, problems: pl.DataFrame) -> None:
        """Take the rows of one file that are refused, as they came, and their problems.

        Args:
            number: of the file.
            raw: rows that could be taken apart.
            problems: of these rows and of lines that could not be taken apart.
        """
        unread = problems.filter(pl.col("column") == "").get_column("value").to_list()
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
        """Close the files."""
        for stream in (self._problems, *(file.stream for file in self._files.values())):
            if stream is not None:
                stream.close()

    def _write_rows(self, number: int, raw: pl.DataFrame, unread: list[str]) -> None:
        if self.folder is None:
            return
        file = self._files[number]
        names = [name for name in raw.columns if name not in {ROW, FILE}] or list(file.columns)
        if file.stream is None:
            path = self._new(f"{Path(file.name).stem}.rejects", ".csv")
            file.stream = path.open("w", encoding="utf-8", newline="")
            file.columns = tuple(names)
            csv.writer(file.stream).writerow(names)
        if raw.height:
            missing = [name for name in file.columns if name not in raw.columns]
            table = raw.with_columns(pl.lit(None).alias(name) for name in missing)
            file.stream.write(table.select(file.columns).write_csv(include_header=False))
        for line in unread:
            file.stream.write(line.rstrip("\r\n") + "\n")

    def _write_problems(self, number: int, problems: pl.DataFrame) -> None:
        counted = problems.group_by("code").len()
        for code, count in counted.iter_rows():
            self.codes[code] += count
        name = self._files[number].name
        for one in problems.head(self.FIRST_MAX - len(self.first)).iter_rows(named=True):
            self.first.append({"file": name, **one})
        if self.folder is None:
            return
        if self._problems is None:
            path = self._new("problems", ".csv")
            self._problems = path.open("w", encoding="utf-8-sig", newline="")
            csv.writer(self._problems, delimiter=";").writerow(self.heading)
        writer = csv.writer(self._problems, delimiter=";")
        writer.writerows(
            (name, row, row + 2, column, _safe(value), code, self.explain(code))
            for row, column, code, value in problems.sort(ROW).iter_rows()
        )

    def _new(self, stem: str, ending: str) -> Path:
        folder = self.folder or Path()
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{stem}{ending}"
        number = 2
        # An earlier file may be in somebody's hands.
        while path.exists():
            path = folder / f"{stem}-{number}{ending}"
            number += 1
        self.written.append(path)
        return path


def _safe(value: Any) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text
