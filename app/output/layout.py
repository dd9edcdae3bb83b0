"""How wide the columns of a table are in a given width, and when it must be stacked instead.

Invariants:
1. No column is dropped and no text is cut: a text folds between its words, a code or a number
   stays on one line.
2. A table whose columns do not fit even so has no widths: it is shown as one block for each row.
"""

import textwrap
from collections.abc import Sequence
from typing import Final

from app.output.table import Column

GAP: Final = 2
"""Blanks between two columns."""
TEXT_LEAST: Final = 16
"""A column of text is not made narrower than this to let others fit."""
WORD_MOST: Final = 30
"""Longer words of a text are broken rather than widening the column for them."""


def widths(
    columns: Sequence[Column], rows: Sequence[Sequence[str]], *, room: int
) -> list[int] | None:
    """Return the width of each column; None when the table must be stacked.

    Args:
        columns: of the table.
        rows: cells as they are shown, one for each column.
        room: characters in a line.
    """
    cells = [[row[place] for row in rows] for place in range(len(columns))]
    natural = [
        max((len(text) for text in (column.title, *texts)), default=0)
        for column, texts in zip(columns, cells, strict=True)
    ]
    least = [
        min(most, _least(column, texts))
        for column, texts, most in zip(columns, cells, natural, strict=True)
    ]
    free = room - GAP * (len(columns) - 1) - sum(least)
    if free < 0:
        return None
    return _shared(least, natural, free)


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
