"""Show an error: what, why, what to do; on the screen or as a problem object in JSON.

Source: RFC 9457 for the members of the object; docs/cli.md.
"""

import logging
import traceback
from typing import Final

from typer.exceptions import Abort, TyperException

from app.cli.globals import GlobalOptions
from app.config import Settings
from app.output import jsontext
from app.output.logs import log_event
from app.output.screen import Screen
from app.texts.text import Lang
from app.texts.titles import title_text
from app.texts.usage import on_ledger, usage_text

USAGE = 2
INTERNAL = 99
ABORTED = 130
_LOG: Final = logging.getLogger("registro.command")


def report(error: Exception, *, options: GlobalOptions, lang: Lang, settings: Settings) -> int:
    """Show an error and return its exit code."""
    screen = Screen(lang=lang, color=settings["color"] == "auto", quiet=False)
    if "--debug" in options.flags:
        screen.warn("".join(traceback.format_exception(error)))
    code, exit_code, sentence, hint, facts = _described(error, lang)
    hint = on_ledger(hint, settings.ledger_given)
    if settings["log_format"] == "json":
        # Whoever reads objects gets one; a person reads the sentence below.
        facts_of = {"code": code, "exit_code": exit_code, "detail": sentence}
        log_event(_LOG, logging.ERROR, "command.failed", **facts_of)
    if "--json" in options.flags:
        document = {
            "type": f"registro:error:{code}",
            "title": title_text(code, lang),
            "detail": sentence,
            "hint": hint,
            "exit_code": exit_code,
            "facts": facts,
        }
        screen.warn(jsontext.document(document))
        return exit_code
    screen.warn(f"{'Errore' if lang == 'it' else 'Error'} [{code}]: {sentence}")
    if hint:
        screen.warn(f"{'Che fare' if lang == 'it' else 'What to do'}: {hint}")
    return exit_code


def _described(error: Exception, lang: Lang) -> tuple[str, int, str, str, dict[str, str]]:
    code = getattr(error, "code", None)
    exit_code = getattr(error, "exit_code", None)
    if isinstance(error, TyperException):
        return "usage", USAGE, usage_text(error, lang), _usage_hint(error, lang), {}
    if isinstance(error, Abort):
        return "interrupted", ABORTED, interrupted(lang, following=False), "", {}
    if isinstance(code, str) and isinstance(exit_code, int):
        from app.texts.errors import error_texts

        sentence, hint = error_texts(error, lang)
        return code, exit_code, sentence, hint, dict(getattr(error, "facts", {}))
    kind = type(error).__name__
    if lang == "it":
        hint = "ripetere con --debug e segnalare la traccia a chi cura il programma"
        return "internal", INTERNAL, f"errore imprevisto ({kind}: {error})", hint, {}
    hint = "repeat with --debug and send the trace to the maintainers"
    return "internal", INTERNAL, f"unexpected error ({kind}: {error})", hint, {}


def _usage_hint(error: TyperException, lang: Lang) -> str:
    context = getattr(error, "ctx", None)
    path = "registro" if context is None else context.command_path.split(" [")[0]
    return f"`{path} --help` elenca comandi e opzioni" if lang == "it" else f"see `{path} --help`"


def unknown_variable(name: str, lang: Lang) -> str:
    """Return the warning about a variable that no setting reads."""
    if lang == "it":
        return f"Avviso: la variabile {name} non è un'impostazione (registro config show)"
    return f"Warning: variable {name} is not a setting (registro config show)"


def interrupted(lang: Lang, *, following: bool) -> str:
    """Return what is said when the user interrupts.

    Args:
        lang: of the text.
        following: the command stays until it is interrupted: that is its end.
    """
    if following:
        if lang == "it":
            return "Fine: ripetendo il comando si riprende da qui."
        return "Ended: the same command goes on from here."
    if lang == "it":
        return "Interrotto: ciò che non era ancora registrato non lo è; ripetere il comando."
    return "Interrupted: what was not recorded yet is not; repeat the command."
