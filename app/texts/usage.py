"""Help in two languages, and usage errors in Italian.

A help text is written once with `both`, which joins the two languages into one string; `localised`
leaves only the language of the reader in a whole command line.
"""

import re
from typing import Final

from typer.exceptions import TyperException

from app.texts.text import Lang

_SEPARATOR: Final = "\x1f"
"""Unit separator: never part of a text."""

_ITALIAN: Final = (
    (
        re.compile(r"No such command '(.+?)'\.?(?: Did you mean (.+?)\?)?"),
        "il comando '{0}' non esiste{near}",
    ),
    (
        re.compile(r"No such option: (\S+?)\.?(?: Did you mean (.+?)\?)?"),
        "l'opzione {0} non esiste{near}",
    ),
    (re.compile(r"Missing option '(.+?)'.*", re.DOTALL), "manca l'opzione {0}"),
    (re.compile(r"Missing argument '(.+?)'.*", re.DOTALL), "manca l'argomento {0}"),
    (re.compile(r"Missing command\."), "manca il comando"),
    (re.compile(r"Got unexpected extra argument(?:s|\(s\))? \((.+)\)"), "argomenti di troppo: {0}"),
    (re.compile(r"Option '(.+?)' requires an argument\."), "l'opzione {0} vuole un valore"),
    (re.compile(r"Invalid value for '?(.+?)'?: (.+)", re.DOTALL), "valore non valido per {0}: {1}"),
    (re.compile(r"Invalid value: (.+)", re.DOTALL), "valore non valido: {0}"),
)


def both(it: str, en: str) -> str:
    """Return a help text in both languages, for `localised` to choose from."""
    return f"{it}{_SEPARATOR}{en}"


def localised(command: object, lang: Lang) -> None:
    """Leave one language in the help of a command, its options and its subcommands."""
    for name in ("help", "short_help", "epilog", "rich_help_panel"):
        _choose(command, name, lang)
    for parameter in getattr(command, "params", ()):
        for name in ("help", "rich_help_panel"):
            _choose(parameter, name, lang)
    for child in getattr(command, "commands", {}).values():
        localised(child, lang)


def _choose(owner: object, name: str, lang: Lang) -> None:
    text = getattr(owner, name, None)
    if isinstance(text, str) and _SEPARATOR in text:
        it, en = text.split(_SEPARATOR)
        setattr(owner, name, it if lang == "it" else en)


def usage_text(error: TyperException, lang: Lang) -> str:
    """Return what is wrong with a command line."""
    text = error.format_message()
    if lang == "en":
        return text
    for pattern, italian in _ITALIAN:
        match = pattern.fullmatch(text.strip())
        if match is not None:
            groups = [group or "" for group in match.groups()]
            near = f"; forse {groups[1]}?" if len(groups) > 1 and groups[1] else ""
            return italian.format(*groups, near=near)
    return text
