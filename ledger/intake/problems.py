"""What is wrong with a file, a row or a cell, and where: values, never exceptions to the caller.

Invariants:
1. A problem is safe to print: values and facts are clipped, and characters that a terminal would
   obey or hide are escaped.
2. Message and hint are built from code and facts alone; see `ledger.intake.reasons`.
"""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, Literal

from ledger.intake.reasons import REASONS

VALUE_CHARACTERS_MAX: Final = 120
FACT_CHARACTERS_MAX: Final = 400

Severity = Literal["error", "warning"]
"""An error refuses the row or file; a warning is shown and refuses nothing."""

_ELLIPSIS: Final = "…"
_COMPARED_CHARACTERS_MAX: Final = 80
"""Longer texts are never near misses, and comparing them takes quadratic time."""


def shown(text: str, *, limit: int = VALUE_CHARACTERS_MAX) -> str:
    """Return a text as it may be shown: clipped to `limit` characters, unprintable ones escaped."""
    head = text[: limit + 1]
    if not head.isprintable():
        escaped = (c if c.isprintable() else c.encode("unicode_escape").decode() for c in head)
        head = "".join(escaped)
    if len(text) > limit or len(head) > limit:
        return head[: limit - 1] + _ELLIPSIS
    return head


def named(character: str) -> str:
    """Return a character with its code point."""
    return f"{character} (U+{ord(character):04X})"


def closest(text: str, choices: Iterable[str]) -> str:
    """Return the choice most like `text`, ignoring case and outer blanks; empty when none is near.

    The answer depends on the choices alone, not on their order.
    """
    wanted = text[:_COMPARED_CHARACTERS_MAX].strip().casefold()
    return _closest(wanted, tuple(sorted(choices)))


@lru_cache(maxsize=256)
def _closest(wanted: str, choices: tuple[str, ...]) -> str:
    # The same slip mostly stands in many rows, and comparing is slow.
    by_folded = {choice.casefold(): choice for choice in reversed(choices)}
    near = difflib.get_close_matches(wanted, by_folded, n=1, cutoff=0.6)
    return by_folded[near[0]] if near else ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """One thing wrong, with its place."""

    file: str
    """Name of the file, without folders."""
    line: int | None = None
    """1-based physical line in which the record begins; None for the file as a whole."""
    column: str | None = None
    """Name of the column, or of the key in a TOML file."""
    value: str | None = None
    """The offending text, clipped at 120 characters and escaped."""
    code: str
    # A mapping has no hash; place, value and code tell problems apart well enough.
    facts: Mapping[str, str] = field(default_factory=dict, hash=False)
    message: str
    """One English line: what is wrong and why."""
    hint: str
    """One English line: what to do."""
    severity: Severity = "error"
    follows: bool = False
    """Whether it follows from the problem of another row or file of the folder: mended there, it is
    gone here. See `ledger.intake.causes`."""

    def __str__(self) -> str:
        """Return place, value, message and hint in one line."""
        place = self.file if self.line is None else f"{self.file}, line {self.line}"
        if self.column is not None:
            place += f", column {self.column}"
        if self.value is not None:
            place += f", value '{self.value}'"
        return f"{place}: {self.message}; {self.hint}"


def problem(
    code: str,
    *,
    file: str,
    line: int | None = None,
    column: str | None = None,
    value: str | None = None,
    severity: Severity = "error",
    facts: Mapping[str, object] | None = None,
    message: str | None = None,
    hint: str | None = None,
) -> Problem:
    """Return the problem of a known reason.

    Args:
        code: A key of `REASONS`.
        file: Name of the file, without folders.
        line: 1-based line in which the record begins.
        column: Name of the column.
        value: The offending text, as it stands in the file; it is clipped here.
        severity: Whether it refuses the row.
        facts: What the templates of the reason name, beside `file` and `column`.
        message: Text in place of the one of `REASONS`, for reasons that are not listed there.
        hint: Likewise.

    Raises:
        KeyError: The code is unknown, or a fact that its templates name is missing.
    """
    texts = {
        name: shown(str(fact), limit=FACT_CHARACTERS_MAX) for name, fact in (facts or {}).items()
    }
    known = {"file": shown(file), "column": shown(column or ""), **texts}
    return Problem(
        file=known["file"],
        line=line,
        column=None if column is None else shown(column),
        value=None if value is None else shown(value),
        code=code,
        facts=texts,
        message=_message(code, known) if message is None else _line(message),
        hint=_hint(code, known) if hint is None else _line(hint),
        severity=severity,
    )


def _line(text: str) -> str:
    return shown(text, limit=FACT_CHARACTERS_MAX)


def _message(code: str, facts: Mapping[str, str]) -> str:
    return REASONS[code].message.format_map(facts)


def _hint(code: str, facts: Mapping[str, str]) -> str:
    reason = REASONS[code]
    if reason.hint_near is not None and facts.get("near"):
        return reason.hint_near.format_map(facts)
    return reason.hint.format_map(facts)


class CellError(Exception):
    """A text cannot be read as what its column holds.

    Raised by the parsers of cells and by the builders of rows; `read_table` turns it into a
    `Problem`, so it never reaches a caller of the package.
    """

    def __init__(
        self,
        code: str,
        message: str | None = None,
        hint: str | None = None,
        *,
        column: str | None = None,
        **facts: object,
    ) -> None:
        self.code = code
        """A key of `REASONS`, unless message and hint are given."""
        self.message = message
        self.hint = hint
        self.column = column
        """Set by builders of rows, which look at several columns; None in parsers of one cell."""
        self.facts: Mapping[str, object] = facts
        super().__init__(code)

    def at(self, *, file: str, line: int, column: str | None, value: str | None) -> Problem:
        """Return the problem at a place; the column of the error, if any, prevails."""
        return problem(
            self.code,
            file=file,
            line=line,
            column=column if self.column is None else self.column,
            value=value,
            facts=self.facts,
            message=self.message,
            hint=self.hint,
        )
