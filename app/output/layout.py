"""How a table is laid out in a given width: side by side, with hanging texts, or in blocks.

Invariants:
1. No column is dropped and no text is cut: a text folds between its words, a code or a number
   stays on one line.
2. When all columns do not fit side by side, texts in the last one or two hang below their row; when
   the others do not fit even so there are no widths, and each row is shown as a block.
"""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from app.output.table import Column

GAP: Final = 2
"""Blanks between two columns."""
NARROW_GAP: Final = 1
"""Blanks between two columns when two do not fit."""
TEXT_LEAST: Final = 12
"""A column of text is not made narrower than this to let others fit."""
BESIDE_LEAST: Final = 3
"""Fewer columns than these beside each other are shown in blocks, without hanging texts."""
WORD_MOST: Final = 64
"""Longer words of a text are broken rather than widening the column for them; a hash is not."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Layout:
    """The columns that stand side by side."""

    widths: Sequence[int]
    """Characters of each of them, in order."""
    gap: int = GAP
    """Blanks between two of them."""
    hanging: int = 0
    """How many of the last columns have no width and stand below their row."""


def layout(columns: Sequence[Column], rows: Sequence[Sequence[str]], *, room: int) -> Layout | None:
    """Return how a table is laid out; None when each row must be a block.

    Args:
        columns: of the table.
        rows: cells as they are shown, one for each column.
        room: characters in a line.
    """
    all_of_them = _widths(columns, rows, room=room)
    if all_of_them is not None:
        return Layout(widths=all_of_them)
    for hanging in (1, 2):
        beside = columns[:-hanging]
        if len(beside) < BESIDE_LEAST or any(each.unbroken for each in columns[-hanging:]):
            break
        for gap in (GAP, NARROW_GAP):
            found = _widths(beside, rows, room=room, gap=gap)
            if found is not None:
                return Layout(widths=found, gap=gap, hanging=hanging)
    return None


def _widths(
    columns: Sequence[Column], rows: Sequence[Sequence[str]], *, room: int, gap: int = GAP
) -> list[int] | None:
    cells = [[row[place] for row in rows] for place in range(len(columns))]
    natural = [
        max(len(text) for text in (column.title, *texts))
        for column, texts in zip(columns, cells, strict=True)
    ]
    least = [
        min(most, _least(column, texts))
        for column, texts, most in zip(columns, cells, natural, strict=True)
    ]
    free = room - gap * (len(columns) - 1) - sum(least)
    return None if free < 0 else _shared(least, natural, free)


def _least(column: Column, texts: Sequence[str]) -> int:
    title = max((len(word) for word in column.title.split()), default=0)
    if column.unbroken:
        return max((title, *map(len, texts)))
    words = (len(word) for text in texts for word in text.split())
    return max(title, TEXT_LEAST, min(WORD_MOST, max(words, default=0)))


def _shared(least: Sequence[int], natural: Sequence[int], free: int) -> list[int]:
    """Return the least widths with the free room given to the columns that lack most."""
    found = list(least)
    while free > 0:
        lacking = [most - width for most, width in zip(natural, found, strict=True)]
        widest = max(range(len(found)), key=lacking.__getitem__, default=None)
        if widest is None or lacking[widest] <= 0:
            break
        found[widest] += 1
        free -= 1
    return found


def folded(text: str, width: int) -> list[str]:
    """Return a text in lines of a width, broken between words; one line at least."""
    lines = textwrap.wrap(text, max(1, width), break_on_hyphens=False)
    return lines or [""]
