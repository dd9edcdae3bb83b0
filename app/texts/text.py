"""A text in both languages, and its filling with facts.

Invariants:
1. Filling a template never fails: a text is often shown because something else went wrong.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Lang = Literal["it", "en"]
"""Language of a reader: Italian or English."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Text:
    """One text in both languages, plain or a template in `str.format` syntax."""

    it: str
    en: str

    def in_(self, lang: Lang) -> str:
        """Return the text in a language."""
        return self.it if lang == "it" else self.en


def render(template: str, facts: Mapping[str, str]) -> str:
    """Return a template filled with facts.

    A template that cannot be filled is returned as it stands, with all facts after it.
    """
    try:
        return template.format_map(facts)
    except (LookupError, ValueError, AttributeError, TypeError):
        listed = ", ".join(f"{name}={value}" for name, value in facts.items())
        return f"{template} ({listed})" if listed else template
