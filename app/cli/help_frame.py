"""The frame that Typer draws around help, in the reader's language.

Typer keeps its words in constants of a module that only help needs: they are set when a command's
help is drawn, so that a command that shows none imports nothing for it.
"""

from collections.abc import Callable
from typing import Any, Final

from app.texts.text import Lang, Text

_CONSTANTS: Final = {
    "ARGUMENTS_PANEL_TITLE": Text(it="Argomenti", en="Arguments"),
    "OPTIONS_PANEL_TITLE": Text(it="Opzioni", en="Options"),
    "COMMANDS_PANEL_TITLE": Text(it="Comandi", en="Commands"),
    "REQUIRED_LONG_STRING": Text(it="[obbligatorio]", en="[required]"),
    "DEFAULT_STRING": Text(it="[predefinito: {}]", en="[default: {}]"),
}
_HELP: Final = {
    "help": "Mostra questo messaggio.",
    "install_completion": "Installa il completamento dei comandi in questa shell.",
    "show_completion": "Mostra il completamento per questa shell, da copiare o adattare.",
}
"""Italian help of the options that Typer adds, by their names."""
_TYPES: Final = {
    "<bool>": "",
    "<str>": "<testo>",
    "<int>": "<numero>",
    "<int range>": "<numero>",
    "<float>": "<numero>",
    "<float range>": "<numero>",
    "<Path>": "<percorso>",
    "<path>": "<percorso>",
    "<list[str]>": "<testo>...",
}
"""Italian names of the types of values; a flag takes none."""
_USAGE: Final = (
    ("Usage: ", "Uso: "),
    ("[OPTIONS]", "[OPZIONI]"),
    ("COMMAND [ARGS]...", "COMANDO [ARGOMENTI]..."),
)


def framed(command: Any, lang: Lang) -> None:
    """Make a command and those below it draw their help in a language.

    Args:
        command: as Typer builds it; Typer's own classes say nothing of their parts.
        lang: of the reader.
    """
    command.format_help = _drawing(command, command.format_help, lang)
    if lang == "it":
        command.get_usage = _usage(command.get_usage)
    for child in getattr(command, "commands", {}).values():
        framed(child, lang)


def _drawing(command: Any, draw: Callable[..., None], lang: Lang) -> Callable[..., None]:
    def format_help(context: Any, formatter: Any) -> None:
        from typer import rich_utils

        for name, text in _CONSTANTS.items():
            setattr(rich_utils, name, text.in_(lang))
        if lang == "it":
            for parameter in command.get_params(context):
                _translate(parameter)
        draw(context, formatter)

    return format_help


def _translate(parameter: Any) -> None:
    if parameter.name in _HELP:
        parameter.help = _HELP[parameter.name]
    shown = parameter.display_type_rich

    def display_type_rich(*, ctx: Any) -> str | None:
        text: str | None = shown(ctx=ctx)
        return text if text is None else _TYPES.get(text, text)

    parameter.display_type_rich = display_type_rich


def _usage(shown: Callable[[Any], str]) -> Callable[[Any], str]:
    def get_usage(context: Any) -> str:
        text = shown(context)
        for english, italian in _USAGE:
            text = text.replace(english, italian)
        return text

    return get_usage
