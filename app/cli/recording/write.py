"""Commands that record: one event by its command, several from a file, corrections.

Every command can be repeated safely: its key is made from what it says (or given with --key), and
a key that the ledger holds already adds nothing.
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli.choices import ActorOption, ActsOption, DryRunOption
from app.cli.context import cli_of
from app.cli.recording.write_catalogue import commands_of
from app.cli.recording.write_command import WriteCommand
from app.texts.fields import FIELDS
from app.texts.text import Text
from app.texts.usage import both
from ledger.intake.forms import FormField, build, fields_of

COMMON: Mapping[str, tuple[Any, object]] = {
    "actor": (ActorOption, None),
    "act": (ActsOption, None),
    "as_of": (
        Annotated[
            str | None,
            typer.Option(
                "--as-of",
                metavar="AAAA-MM-GG",
                help=both("da quando è noto; oggi se manca", "when it was known; today if absent"),
            ),
        ],
        None,
    ),
    "ref_from": (
        Annotated[
            str | None,
            typer.Option(
                "--from",
                metavar="AAAA-MM-GG",
                help=both("primo giorno descritto", "first day described"),
            ),
        ],
        None,
    ),
    "ref_to": (
        Annotated[
            str | None,
            typer.Option(
                "--to",
                metavar="AAAA-MM-GG",
                help=both("ultimo giorno descritto", "last day described"),
            ),
        ],
        None,
    ),
    "vintage": (
        Annotated[
            str | None,
            typer.Option(
                "--vintage",
                metavar="STADIO",
                help=both("BUDGET, PRE_CONSUNTIVO, CONSUNTIVO...", "BUDGET, PRE_CONSUNTIVO..."),
            ),
        ],
        None,
    ),
    "source_document": (
        Annotated[
            str | None,
            typer.Option("--source", help=both("documento di origine", "source document")),
        ],
        None,
    ),
    "source_locator": (
        Annotated[
            str | None,
            typer.Option("--place", help=both("punto del documento", "place in the document")),
        ],
        None,
    ),
    "reason": (
        Annotated[str | None, typer.Option("--reason", help=both("perché", "why"))],
        None,
    ),
    "key": (
        Annotated[
            str | None,
            typer.Option(
                "--key",
                help=both("chiave: la stessa non registra due volte", "same key records once"),
            ),
        ],
        None,
    ),
    "dry_run": (DryRunOption, False),
}
"""Options of every command that records: annotation and default."""


def register(root: typer.Typer, name: str) -> None:
    """Add a command or a group of commands to the root."""
    if name == "record":
        root.command(name)(record)
    elif name == "correct":
        root.command(name)(correct)
    else:
        group = typer.Typer(no_args_is_help=True)
        add_commands(group, name)
        root.add_typer(group, name=name)


def add_commands(group: typer.Typer, name: str) -> None:
    """Add the recording commands of a group."""
    for verb, command in commands_of(name).items():
        text = both(command.help.it, command.help.en)
        group.command(verb, help=text)(recorder_of(command))


def recorder_of(command: WriteCommand) -> Callable[..., None]:
    """Return the function behind a recording command, as Typer reads it."""
    fields = [item for item in fields_of(command.event) if item.name not in command.derived]
    arguments = [item for name in command.arguments for item in fields if item.name == name]
    options = [item for item in fields if item.name not in command.arguments]

    def run(context: typer.Context, **values: Any) -> None:
        from app.cli.recording.writing import Request, coded, envelope_of, submit

        cli = cli_of(context)
        common = {name: values.pop(name) for name in COMMON}
        texts = coded({name: value for name, value in values.items() if value})
        ledger = cli.open(read_only=bool(common["dry_run"]))
        event = build(command.event, command.complete(ledger, texts))
        request = Request(event=event, envelope=envelope_of(cli, ledger, event, common))
        submit(cli, ledger, [request], key=common["key"], dry_run=common["dry_run"])

    parameters = [
        inspect.Parameter(
            "context", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context
        ),
        *(_argument(item) for item in arguments),
        *(_option(item, command) for item in options),
        *(
            inspect.Parameter(
                name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default
            )
            for name, (annotation, default) in COMMON.items()
        ),
    ]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined] # Typer reads it
    run.__annotations__ = {each.name: each.annotation for each in parameters}
    return run


def _argument(item: FormField) -> inspect.Parameter:
    annotation = Annotated[str, typer.Argument(help=_help(item), metavar=item.name.upper())]
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    return inspect.Parameter(item.name, kind, annotation=annotation)


def _option(item: FormField, command: WriteCommand) -> inspect.Parameter:
    flag = "--" + item.name.replace("_", "-")
    required = item.required and item.name not in command.relaxed
    kind = inspect.Parameter.KEYWORD_ONLY
    if item.many:
        listed = Annotated[list[str] | None, typer.Option(flag, help=_help(item))]
        return inspect.Parameter(item.name, kind, annotation=listed, default=None)
    if required:
        single: Any = Annotated[str, typer.Option(flag, help=_help(item))]
        return inspect.Parameter(item.name, kind, annotation=single)
    optional = Annotated[str | None, typer.Option(flag, help=_help(item))]
    return inspect.Parameter(item.name, kind, annotation=optional, default=None)


def _help(item: FormField) -> str:
    text = FIELDS.get(item.name, Text(it=item.name, en=item.name))
    return both(text.it, text.en)


def record(
    context: typer.Context,
    file: Annotated[
        Path, typer.Argument(help=both("file YAML (docs/cli.md)", "YAML file (docs/cli.md)"))
    ],
    *,
    actor: ActorOption = None,
    key: Annotated[
        str | None, typer.Option(help=both("chiave dell'insieme", "key of the whole"))
    ] = None,
    dry_run: DryRunOption = False,
) -> None:
    """Record several events together from a YAML file: all of them or none."""
    from app.cli.recording.writing import read_requests, submit

    cli = cli_of(context)
    ledger = cli.open(read_only=dry_run)
    requests = read_requests(cli, ledger, file.expanduser(), actor=actor)
    submit(cli, ledger, requests, key=key, dry_run=dry_run)


def correct(
    context: typer.Context,
    event: Annotated[
        str,
        typer.Argument(
            help=both("posizione o identità dell'evento", "position or identity of the event")
        ),
    ],
    *,
    changes: Annotated[
        list[str],
        typer.Option("--set", metavar="CAMPO=VALORE", help=both("campo corretto", "field mended")),
    ],
    reason: Annotated[str, typer.Option("--reason", help=both("perché", "why"))],
    actor: ActorOption = None,
    act: ActsOption = None,
    as_of: Annotated[
        str | None,
        typer.Option("--as-of", help=both("da quando è noto; oggi", "when known; today")),
    ] = None,
    key: Annotated[str | None, typer.Option(help=both("chiave", "key"))] = None,
    dry_run: DryRunOption = False,
) -> None:
    """Correct an event by a new event that takes its place; the old one stays."""
    from app.cli.recording.writing import corrected, submit

    cli = cli_of(context)
    pairs = _pairs(changes)
    ledger = cli.open(read_only=dry_run)
    request = corrected(
        cli,
        ledger,
        event,
        changes=pairs,
        reason=reason,
        actor=actor,
        acts=act or (),
        as_of=as_of,
    )
    submit(cli, ledger, [request], key=key, dry_run=dry_run)


def _pairs(changes: Sequence[str]) -> dict[str, str]:
    pairs = {}
    for change in changes:
        name, equals, value = change.partition("=")
        if not equals:
            raise typer.BadParameter(f"write FIELD=VALUE, not {change!r}")
        pairs[name.strip()] = value
    return pairs
