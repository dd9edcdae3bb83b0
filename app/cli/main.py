"""Start the command line: global options, settings, the one command asked for, its exit code.

Invariants:
1. Only the module of the command that is asked for is imported; help imports none.
2. An expected error ends with its exit code and a text that says what to do, never a trace.

Source: rulings 26; docs/cli.md.
"""

import importlib
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

import typer
from typer.exceptions import TyperException

from app.cli import failures
from app.cli.commands import ENTRIES, Entry, entry_of
from app.cli.globals import EXPORT, FLAGS, VALUES, GlobalOptions, extract
from app.cli.help_frame import framed
from app.config import KAFKA_LOGIN, SPECS, Settings, defaults, resolve
from app.output.logs import configure
from app.output.screen import Screen
from app.texts.text import Lang
from app.texts.usage import localised

if TYPE_CHECKING:
    from app.cli.context import Cli

PROGRAM = "registro"
INTERRUPTED = 130
_COMPLETION = "_REGISTRO_COMPLETE"


class Runnable(Protocol):
    """What Typer makes of a command line."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,  # noqa: FBT001, FBT002 - Typer's signature
        *,
        obj: object,
    ) -> object:
        """Run it."""
        ...


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line.

    Args:
        argv: the words after the program's name; None takes those of the process.

    Returns:
        The exit code; see docs/cli.md.
    """
    options = extract(sys.argv[1:] if argv is None else argv)
    try:
        settings = resolve(options.settings, environment=os.environ, folder=Path.cwd())
    except Exception as error:  # noqa: BLE001 - shown like every other error
        return failures.report(error, options=options, lang=_asked(options), settings=defaults())
    _environment(settings)
    _log(settings)
    return _run(options, settings)


def _run(options: GlobalOptions, settings: Settings) -> int:
    screen = Screen(
        lang=settings.lang, color=settings["color"] == "auto", quiet="--quiet" in options.flags
    )
    try:
        if options.lacking is not None:
            raise TyperException(f"Option '{options.lacking}' requires an argument.")  # noqa: TRY301 - one place shows every error
        for name in settings.unknown_variables:
            screen.note(failures.unknown_variable(name, settings.lang))
        words = list(options.rest) or ["--help"]
        command = build(asked=_command(options), lang=settings.lang)
        context = _context(settings, options, screen)
        code = command.main(
            args=words,
            prog_name=PROGRAM,
            complete_var=_COMPLETION,
            standalone_mode=False,
            obj=context,
        )
        if code != INTERRUPTED:
            _publish(context)
        if options.export is not None:
            from app.output.export import write_tables

            write_tables(screen.tables, Path(options.export), lang=settings.lang)
    except KeyboardInterrupt:
        code = INTERRUPTED
    except BrokenPipeError:
        # The reader of the answer went away: nobody is left to tell.
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - kept open until the process ends
        return 0
    except Exception as error:  # noqa: BLE001 - the one place that turns errors into exit codes
        return failures.report(error, options=options, lang=settings.lang, settings=settings)
    if code == INTERRUPTED:
        # `ingest --follow` reads a stream that is gone with it: what it held must be sent again.
        following = "--follow" in options.rest and _command(options) != "ingest"
        screen.warn(failures.interrupted(settings.lang, following=following))
    return code if isinstance(code, int) else 0


def build(*, asked: str | None, lang: Lang) -> Runnable:
    """Return the whole command line, with the module of one command loaded.

    Args:
        asked: name of the command to load; the others stand in with their help only. `*` loads
            every command.
        lang: language of the help.
    """
    root = typer.Typer(
        name=PROGRAM,
        cls=None,
        add_completion=True,
        no_args_is_help=True,
        rich_markup_mode="rich",
        pretty_exceptions_enable=False,
    )
    root.callback(help=_root_help(lang), epilog=_epilog(lang))(_root_options())
    loaded: set[str] = set()
    for entry in ENTRIES:
        if asked in {entry.name, "*"}:
            if entry.name not in loaded:
                module = importlib.import_module(f"app.cli.{entry.module}")
                register: Callable[[typer.Typer, str], None] = module.register
                register(root, entry.name)
                loaded.add(entry.name)
        else:
            _stand_in(root, entry, lang)
    command = typer.main.get_command(root)
    for entry in ENTRIES:
        found = getattr(command, "commands", {}).get(entry.name)
        if found is not None:
            found.help = entry.help.in_(lang)
            found.rich_help_panel = entry.panel.in_(lang)
    localised(command, lang)
    framed(command, lang)
    return cast(Runnable, command)


def _stand_in(root: typer.Typer, entry: Entry, lang: Lang) -> None:
    def stand_in() -> None:
        """Do nothing: the command line is built anew with the command that is asked for."""

    root.command(entry.name, help=entry.help.in_(lang), rich_help_panel=entry.panel.in_(lang))(
        stand_in
    )


def _root_options() -> Callable[..., None]:
    def options() -> None:
        """Hold the options of the program itself; `app.cli.globals` reads them."""

    return options


def _root_help(lang: Lang) -> str:
    if lang == "it":
        return (
            "Registro: il ciclo della performance e dell'anticorruzione come eventi immutabili; "
            "ogni cifra si ricalcola e si spiega."
        )
    return (
        "Registro: the performance and anticorruption cycle as immutable events; "
        "every figure can be recomputed and explained."
    )


def _epilog(lang: Lang) -> str:
    helps = {spec.name: spec.help for spec in SPECS}
    valued = [f"{option} ({helps[name].in_(lang)})" for option, name in VALUES.items()]
    flags = [f"{option} ({text.in_(lang)})" for option, text in FLAGS.items()]
    flags.append(
        f"{EXPORT} ("
        + ("tabelle in FILE.csv o .xlsx" if lang == "it" else "tables to FILE.csv or .xlsx")
        + ")"
    )
    begin = "Opzioni di ogni comando" if lang == "it" else "Options of every command"
    return f"{begin}: " + ", ".join([*valued, *flags]) + "."


def _command(options: GlobalOptions) -> str | None:
    if _COMPLETION in os.environ:
        words = (
            os.environ.get("COMP_WORDS", "").split()
            or os.environ.get("_TYPER_COMPLETE_ARGS", "").split()
        )
        return extract(words[1:]).command
    found = entry_of(options.command)
    return None if found is None else found.name


def _context(settings: Settings, options: GlobalOptions, screen: Screen) -> "Cli | None":
    if options.command is None or entry_of(options.command) is None:
        return None
    # The ledger is imported here, which help does not need.
    from app.cli.context import Cli, ToPublish

    to_publish = ToPublish(head_before=_head_before) if settings["publish"] == "required" else None
    as_json = "--json" in options.flags
    return Cli(settings=settings, json=as_json, screen=screen, to_publish=to_publish)


def _head_before(cli: "Cli") -> int:
    from app.cli.kafka.required import head_before

    return head_before(cli)


def _publish(context: "Cli | None") -> None:
    """Publish what the command has recorded, where that is required."""
    if context is None or context.to_publish is None or context.to_publish.since is None:
        return
    from app.cli.kafka.required import publish_since

    publish_since(context, context.to_publish.since)


def _asked(options: GlobalOptions) -> Lang:
    return "en" if options.settings.get("lang") == "en" else "it"


def _environment(settings: Settings) -> None:
    if settings["color"] == "never":
        # Typer draws help and usage with a console of its own, which asks the environment.
        os.environ["NO_COLOR"] = "1"


def _log(settings: Settings) -> None:
    password = os.environ.get(KAFKA_LOGIN, "")
    configure(
        level=settings["log_level"],
        as_json=settings["log_format"] == "json",
        secrets=(*settings.secrets, password, *_in_file(settings["kafka_password_file"])),
    )


def _in_file(name: str) -> tuple[str, ...]:
    """Return the password in a file; what is wrong with the file is told where it is used."""
    try:
        return (Path(name).read_text(encoding="utf-8").strip(),) if name else ()
    except (OSError, UnicodeDecodeError):
        return ()
