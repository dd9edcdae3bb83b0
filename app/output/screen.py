"""Draw lines, tables and trees for people: Rich on a terminal, plain aligned text elsewhere.

Invariants:
1. Results go to stdout, everything about the run (progress, notes, warnings) to stderr.
2. Text from data is never read as markup.
"""

import datetime as dt
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, TextIO

from app.output.format import cell
from app.output.table import Table, Tree
from app.texts.text import Lang

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

PLAIN_WIDTH: Final = 100
"""Columns of a screen whose width nobody knows."""


class Screen:
    """Where a command shows its answer."""

    def __init__(self, *, lang: Lang, color: bool, quiet: bool) -> None:
        self.lang = lang
        self._color = color
        self._quiet = quiet
        self.zone: dt.tzinfo = dt.UTC
        """Time zone of the body: instants are shown in it."""
        self.tables: list[Table] = []
        """Every table shown so far, for exports."""

    @property
    def out(self) -> TextIO:
        """Where results go; looked up at each use, so that tests may replace it."""
        return sys.stdout

    @property
    def err(self) -> TextIO:
        """Where everything about the run goes."""
        return sys.stderr

    def line(self, text: str = "") -> None:
        """Show one line of the answer."""
        print(text, file=self.out)

    def title(self, text: str) -> None:
        """Show a heading of the answer."""
        if self._terminal(self.out):
            from rich.text import Text as RichText  # noqa: PLC0415 - slow to import

            self._console(self.out).print(RichText(text, style="bold"))
        else:
            self.line(text)

    def note(self, text: str) -> None:
        """Say something about the run; silent with --quiet."""
        if not self._quiet:
            print(text, file=self.err)

    def warn(self, text: str) -> None:
        """Say something about the run that must be seen."""
        print(text, file=self.err)

    def table(self, table: Table) -> None:
        """Show a table; one without rows shows its heading only."""
        self.tables.append(table)
        rows = [[cell(value, self.lang, self.zone) for value in row] for row in table.rows]
        if self._terminal(self.out):
            self._rich_table(table, rows)
        else:
            self._plain_table(table, rows)

    def tree(self, tree: Tree) -> None:
        """Show a tree."""
        self.line(tree.text)
        self._branches(tree.children, "")

    @contextmanager
    def progress(self, total_text: str) -> Iterator["Callable[[str, int, int], None]"]:
        """Give a function that shows what is done of how much; it draws on a terminal only."""
        if self._quiet or not self.err.isatty():
            yield lambda _what, _done, _total: None
            return
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn  # noqa: PLC0415

        name = TextColumn("{task.description}", markup=False)
        columns = (name, BarColumn(), MofNCompleteColumn())
        with Progress(*columns, console=self._console(self.err), transient=True) as bar:
            task = bar.add_task(total_text, total=None)
            yield lambda what, done, total: bar.update(
                task, description=what, completed=done, total=total
            )

    def _branches(self, children: Sequence[Tree], indent: str) -> None:
        for place, child in enumerate(children, start=1):
            last = place == len(children)
            self.line(f"{indent}{'└─ ' if last else '├─ '}{child.text}")
            self._branches(child.children, indent + ("   " if last else "│  "))

    def _terminal(self, stream: TextIO) -> bool:
        return self._color and stream.isatty()

    def _console(self, stream: TextIO) -> "Console":
        from rich.console import Console  # noqa: PLC0415 - slow to import

        return Console(file=stream, highlight=False, no_color=not self._color)

    def _rich_table(self, table: Table, rows: Sequence[Sequence[str]]) -> None:
        from rich import box  # noqa: PLC0415 - slow to import
        from rich.table import Table as RichTable  # noqa: PLC0415
        from rich.text import Text as RichText  # noqa: PLC0415

        # Rich reads markup in plain strings, titles included; a `RichText` stays as it is.
        title = None if table.title is None else RichText(table.title)
        drawn = RichTable(title=title, title_justify="left", box=box.SIMPLE_HEAD)
        for column in table.columns:
            drawn.add_column(
                RichText(column.title), justify=column.align, no_wrap=column.align == "right"
            )
        for row in rows:
            drawn.add_row(*(RichText(text) for text in row))
        self._console(self.out).print(drawn)

    def _plain_table(self, table: Table, rows: Sequence[Sequence[str]]) -> None:
        if table.title:
            self.line(table.title)
        lines = [[column.title for column in table.columns], *rows]
        widths = [max(len(line[place]) for line in lines) for place in range(len(table.columns))]
        for row in lines:
            texts = (
                text.rjust(width) if column.align == "right" else text.ljust(width)
                for text, width, column in zip(row, widths, table.columns, strict=True)
            )
            self.line("  ".join(texts).rstrip())
