"""Parsers of cells that hold a text, a code, a word of a closed set, or several words.

Invariants:
1. A parser gives the text as it stands, or raises `CellError`; it never trims or repairs.
2. Blanks around a value and characters that cannot be seen are refused for every column by
   `ledger.intake.tables`, before any parser.

Source: docs/data-folder.md.
"""

import re
from collections.abc import Callable, Collection
from typing import Final, TypeVar

from ledger.intake.problems import CellError, closest, named

T = TypeVar("T")

TEXT_CHARACTERS_MAX: Final = 4000
CODE_CHARACTERS_MAX: Final = 120
CODE_SIGNS: Final = ".-_:/"
"""Signs allowed in a code after its first character."""

FIELD_BYTES_MAX: Final = 1024 * 1024

_CODE: Final = re.compile(rf"[A-Za-z0-9{re.escape(CODE_SIGNS)}]*+")

_UNWANTED: Final = re.compile(
    "[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\ufff9-\ufffb\U000e0000-\U000e007f]"
)
"""Control characters, line separators and characters without a shape."""
_LINE_BREAKS: Final = "\n\r\u0085\u2028\u2029"
_CONTROLS_END: Final = 0xA0
"""First code point after the control characters C1."""


def require_clean(text: str) -> None:
    """Refuse what no cell may hold, whatever its column.

    Raises:
        CellError: The text is too long, begins or ends with a blank, or holds a character that
            breaks the line or cannot be seen.
    """
    if len(text) * 4 > FIELD_BYTES_MAX:
        size = len(text.encode())
        if size > FIELD_BYTES_MAX:
            raise CellError("field_too_long", bytes=size, limit=FIELD_BYTES_MAX)
    unwanted = _UNWANTED.search(text)
    if unwanted is not None:
        character = unwanted[0]
        if character in _LINE_BREAKS:
            raise CellError("line_break")
        kind = "control" if ord(character) < _CONTROLS_END else "invisible"
        raise CellError(f"{kind}_character", character=f"U+{ord(character):04X}")
    if text != text.strip():
        raise CellError("outer_blanks")


def text_cell(text: str) -> str:
    """Read a text that is not empty, of at most `TEXT_CHARACTERS_MAX` characters."""
    if not text:
        raise CellError("empty_value")
    if len(text) > TEXT_CHARACTERS_MAX:
        raise CellError("text_too_long", characters=len(text), limit=TEXT_CHARACTERS_MAX)
    return text


def code_cell(text: str) -> str:
    """Read an identifier: ASCII letters, digits and `CODE_SIGNS`, a letter or digit first."""
    if not text:
        raise CellError("empty_value")
    if len(text) > CODE_CHARACTERS_MAX:
        raise CellError("text_too_long", characters=len(text), limit=CODE_CHARACTERS_MAX)
    match = _CODE.match(text)
    end = 0 if match is None or text[0] in CODE_SIGNS else match.end()
    if end < len(text):
        raise CellError("bad_code", character=named(text[end]), signs=" ".join(CODE_SIGNS))
    return text


def choice_cell(choices: Collection[str], *, what: str) -> Callable[[str], str]:
    """Return the parser of one of a closed set of words, case included.

    Args:
        choices: The words; their order is the one shown.
        what: What they are, for the message, for example `unit of measure`.
    """
    ordered = tuple(choices)
    known = frozenset(ordered)

    def parse(text: str) -> str:
        if not text:
            raise CellError("empty_value")
        if text not in known:
            near = closest(text, ordered)
            raise CellError("unknown_choice", what=what, choices=", ".join(ordered), near=near)
        return text

    return parse


def words_cell(text: str) -> tuple[str, ...]:
    """Read words with one blank between; an empty cell has none."""
    words = tuple(text.split(" ")) if text else ()
    if "" in words:
        raise CellError("word_blanks")
    return words


def nullable(parser: Callable[[str], T]) -> Callable[[str], T | None]:
    """Return the parser that reads an empty cell as None, meaning "not published"."""

    def parse(text: str) -> T | None:
        return parser(text) if text else None

    return parse
