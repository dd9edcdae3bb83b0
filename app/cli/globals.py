"""Options that every command takes, in any place on the command line.

They are taken out before the commands see the line, so `registro replay --json` and
`registro --json replay` are the same. What follows a bare `--` is left alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from app.texts.text import Text

FLAGS: Final = {
    "--json": Text(it="risposta in JSON", en="answer as JSON"),
    "--quiet": Text(it="nessuna nota sullo svolgimento", en="no notes about the run"),
    "--debug": Text(it="mostra la traccia degli errori", en="show the trace of errors"),
    "--no-color": Text(it="senza colori", en="no colours"),
}
VALUES: Final = {
    "--ledger": "ledger",
    "--lang": "lang",
    "--person": "person",
    "--subject-keys": "subject_keys",
    "--log-level": "log_level",
    "--log-format": "log_format",
}
"""Options with a value, and the setting each gives."""
EXPORT: Final = "--export"
"""Option with a file to which the tables on the screen are written."""


@dataclass(frozen=True, kw_only=True, slots=True)
class GlobalOptions:
    """The options that were taken out, and what is left of the line."""

    flags: frozenset[str] = frozenset()
    settings: dict[str, str] = field(default_factory=dict)
    export: str | None = None
    """File for the tables on the screen."""
    rest: tuple[str, ...] = ()
    lacking: str | None = None
    """Option that stands at the end of the line without its value."""

    @property
    def command(self) -> str | None:
        """First word that is not an option: the command."""
        return next((word for word in self.rest if not word.startswith("-")), None)


def extract(words: Sequence[str]) -> GlobalOptions:
    """Take the global options out of a command line."""
    flags: set[str] = set()
    settings: dict[str, str] = {}
    rest: list[str] = []
    export = None
    lacking = None
    pending = iter(words)
    for word in pending:
        name, equals, value = word.partition("=")
        if word == "--":
            rest.extend((word, *pending))
        elif word in FLAGS:
            flags.add(word)
        elif name in VALUES or name == EXPORT:
            given = value if equals else next(pending, None)
            if given is None:
                lacking = name
            elif name == EXPORT:
                export = given
            else:
                settings[VALUES[name]] = given
        else:
            rest.append(word)
    if "--no-color" in flags:
        settings["color"] = "never"
    return GlobalOptions(
        flags=frozenset(flags),
        settings=settings,
        export=export,
        rest=tuple(rest),
        lacking=lacking,
    )
