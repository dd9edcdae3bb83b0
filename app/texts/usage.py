"""Help in two languages, and usage errors in Italian.

A help text is written once with `both`, which joins the two languages into one string; `localised`
leaves only the language of the reader in a whole command line.
"""

import re
import shlex
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
    (
        re.compile(r"No such option: (\S+?) \(Possible options: (.+)\)"),
        "l'opzione {0} non esiste{near}",
    ),
    (re.compile(r"Option '(.+?)' does not take a value\."), "l'opzione {0} non vuole un valore"),
    (re.compile(r"Missing option '(.+?)'.*", re.DOTALL), "manca l'opzione {0}"),
    (re.compile(r"Missing argument '(.+?)'.*", re.DOTALL), "manca l'argomento {0}"),
    (re.compile(r"Missing command\."), "manca il comando"),
    (re.compile(r"Got unexpected extra argument(?:s|\(s\))? \((.+)\)"), "argomenti di troppo: {0}"),
    (re.compile(r"Option '(.+?)' requires an argument\."), "l'opzione {0} vuole un valore"),
    (re.compile(r"Invalid value for '?(.+?)'?: (.+)", re.DOTALL), "valore non valido per {0}: {1}"),
    (re.compile(r"Invalid value: (.+)", re.DOTALL), "valore non valido: {0}"),
)

_VALUES: Final = tuple(
    (re.compile(pattern), italian)
    for pattern, italian in (
        (r"Input should be a valid integer.*", "scrivere un numero intero"),
        (r"Input should be a valid number.*", "scrivere un numero"),
        (r"Input should be a valid boolean.*", "scrivere sì o no"),
        (r"Input should be greater than or equal to (\S+)", r"il minimo è \1"),
        (r"Input should be less than or equal to (\S+)", r"il massimo è \1"),
        (r"(?:Value error, )?(.+) is not one of (.+)\.", r"\1 non è tra \2"),
        (r"(?:File|Path|Directory) (.+) does not exist\.", r"\1 non esiste"),
        (r"write FIELD=VALUE, not (.+)", r"scrivere CAMPO=VALORE, non \1"),
    )
)
"""What the library that reads values says of one that it refuses."""
_COMMAND: Final = re.compile(r"`(registro [^`]+)`")
_WITHOUT_LEDGER: Final = frozenset({"config", "--help"})
"""First words of commands that work on no ledger."""


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


def on_ledger(text: str, ledger: str | None) -> str:
    """Return a text whose commands in backticks name the ledger that the run was given.

    Args:
        text: with commands as `registro verify`.
        ledger: as given by `--ledger`; None when it was not, so that the same is found again.
    """
    if ledger is None:
        return text
    return _COMMAND.sub(lambda found: f"`{with_ledger(found[1], ledger)}`", text)


def with_ledger(command: str, ledger: str | None) -> str:
    """Return a command of this program that works on the ledger that the run was given.

    Args:
        command: as `registro verify`; one that names a ledger or needs none stays as it is.
        ledger: as given by `--ledger`; None when it was not.
    """
    if ledger is None or "--ledger" in command or command.split()[1] in _WITHOUT_LEDGER:
        return command
    return f"{command} --ledger {shlex.quote(ledger)}"


def _told(text: str) -> str:
    """Return the part of a message that a value was refused with."""
    for pattern, italian in _VALUES:
        found = pattern.fullmatch(text)
        if found is not None:
            return found.expand(italian)
    return text


def usage_text(error: TyperException, lang: Lang) -> str:
    """Return what is wrong with a command line."""
    text = error.format_message()
    if not text.strip():
        # Only the help was shown, because the command is not complete.
        text = "Missing command."
    if lang == "en":
        return text
    for pattern, italian in _ITALIAN:
        match = pattern.fullmatch(text.strip())
        if match is not None:
            groups = [_told(group or "") for group in match.groups()]
            near = f"; forse {groups[1]}?" if len(groups) > 1 and groups[1] else ""
            return italian.format(*groups, near=near)
    return text
