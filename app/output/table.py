"""Tables and trees as data, apart from how they are drawn."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

Align = Literal["left", "right"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table."""

    title: str
    align: Align = "left"
    whole: bool = False
    """Whether its texts are codes, which are never broken over lines; numbers never are."""

    @property
    def unbroken(self) -> bool:
        """Whether a text of the column must stand on one line: a code or a number."""
        return self.whole or self.align == "right"


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """Rows of cells; numbers and dates are written by the screen, in the reader's language."""

    columns: Sequence[Column]
    rows: Sequence[Sequence[object]]
    title: str | None = None

    @property
    def headed(self) -> bool:
        """Whether any column has a title."""
        return any(column.title for column in self.columns)


@dataclass(slots=True)
class Tree:
    """A text with texts below it."""

    text: str
    children: list["Tree"] = field(default_factory=list)

    def add(self, text: str) -> "Tree":
        """Add a text below this one and return its node."""
        child = Tree(text)
        self.children.append(child)
        return child
