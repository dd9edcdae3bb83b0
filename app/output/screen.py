"""Draw lines, tables and trees for people: Rich on a terminal, plain aligned text elsewhere.

Invariants:
1. Results go to stdout, everything about the run (progress, notes, warnings) to stderr.
2. Text from data is never read as markup.
3. Nothing is cut: what does not fit folds, or stands on lines of its own.
"""

import datetime as dt
import itertools
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, TextIO

from app.output.format import cell
from app.output.layout import Layout, folded, layout
from app.output.table import Table, Tree
from app.texts.text import Lang

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

HANG: Final = "    "
"""In front of a text that hangs below its row."""
UNLIMITED: Final = 1_000_000
"""Characters in a line of what is no terminal: a file or a program takes lines of any length."""


def terminal_width() -> int:
    """Return the characters in a line of the terminal; 80 when nobody knows."""
    return shutil.get_terminal_size().columns


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
        """Show a table; one without rows shows its heading only.

        On a terminal too narrow for it the texts fold, and a table that is too wide even so is
        shown as one block for each row; elsewhere lines are as long as they are.
        """
        self.tables.append(table)
        rows = [[cell(value, self.lang, self.zone) for value in row] for row in table.rows]
        room = terminal_width() if self.out.isatty() else UNLIMITED
        found = layout(table.columns, rows, room=room)
        if found is None:
            self._stacked(table, rows)
        elif self._terminal(self.out) and not found.hanging:
            self._rich_table(table, rows, found.widths)
        else:
            self._plain_table(table, rows, found, room=room)

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

        # Without a word on colours the variable NO_COLOR decides.
        plain = None if self._color else True
        return Console(file=stream, highlight=False, no_color=plain, width=terminal_width())

    def _rich_table(
        self, table: Table, rows: Sequence[Sequence[str]], found: Sequence[int]
    ) -> None:
        from rich import box  # noqa: PLC0415 - slow to import
        from rich.table import Table as RichTable  # noqa: PLC0415
        from rich.text import Text as RichText  # noqa: PLC0415

        # Rich reads markup in plain strings, titles included; a `RichText` stays as it is.
        drawn = RichTable(
            title=None if table.title is None else RichText(table.title),
            title_justify="left",
            box=box.SIMPLE_HEAD,
            show_header=table.headed,
            show_edge=False,
            pad_edge=False,
            padding=(0, 1, 0, 0),
        )
        for column, width in zip(table.columns, found, strict=True):
            title = RichText(column.title)
            drawn.add_column(title, justify=column.align, width=width, overflow="fold")
        for row in rows:
            drawn.add_row(*(RichText(text) for text in row))
        self._console(self.out).print(drawn)

    def _plain_table(
        self, table: Table, rows: Sequence[Sequence[str]], found: Layout, *, room: int
    ) -> None:
        if table.title:
            self.title(table.title)
        if table.headed:
            for line in self._lines(table, [column.title for column in table.columns], found, room):
                self.title(line)
        for row in rows:
            for line in self._lines(table, row, found, room):
                self.line(line)

    @staticmethod
    def _lines(table: Table, row: Sequence[str], found: Layout, room: int) -> Iterator[str]:
        """Yield the lines of one row, the hanging text last."""
        side_by_side = len(found.widths)
        cells = [
            folded(text, width) if len(text) > width else [text]
            for text, width in zip(row[:side_by_side], found.widths, strict=True)
        ]
        aligned = [column.align for column in table.columns[:side_by_side]]
        for parts in itertools.zip_longest(*cells, fillvalue=""):
            texts = (
                text.rjust(width) if align == "right" else text.ljust(width)
                for text, width, align in zip(parts, found.widths, aligned, strict=True)
            )
            yield (" " * found.gap).join(texts).rstrip()
        if found.hanging:
            text = ", ".join(row[-found.hanging :])
            yield from (f"{HANG}{line}".rstrip() for line in folded(text, room - len(HANG)))

    def _stacked(self, table: Table, rows: Sequence[Sequence[str]]) -> None:
        """Show each row as a block: its first cell, then a line for every other column."""
        if table.title:
            self.title(table.title)
        titles = [column.title for column in table.columns]
        broad = max((len(title) for title in titles[1:]), default=0)
        for row in rows:
            self.title(row[0])
            for title, text in zip(titles[1:], row[1:], strict=True):
                self.line(f"  {title.ljust(broad)}  {text}".rstrip())
