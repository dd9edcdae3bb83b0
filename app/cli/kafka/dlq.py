"""Commands `registro dlq list`, `show` and `retry`: messages that inboxes refused."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.context import Cli, cli_of
from app.output.table import Column, Table
from app.texts.usage import both
from ledger.errors import InvalidCommandError
from ledger.facts.families import FAMILIES
from ledger.kafka.topics import dead_letters_of

if TYPE_CHECKING:
    from ledger.kafka.inbox.letters import Letter

_PARTS = 3
VALUE_SHOWN = 2000
"""Characters of a value on the screen; all of it with --json."""


def register(root: typer.Typer, name: str) -> None:
    """Add the commands to the root."""
    group = typer.Typer(no_args_is_help=True)
    group.command("list")(list_)
    group.command("show")(show)
    group.command("retry")(again)
    root.add_typer(group, name=name)


_Topic = Annotated[
    str | None,
    typer.Option(
        "--topic",
        metavar="FAMILY",
        help=both("solo la casella di questa famiglia", "only the inbox of this family"),
    ),
]
_Everything = Annotated[
    bool,
    typer.Option("--all", help=both("anche quelli già rimandati", "those sent again too")),
]


def list_(context: typer.Context, *, topic: _Topic = None, everything: _Everything = False) -> None:
    """List refused messages: where they stood, why they were refused."""
    from app.texts.inbox import inbox_problem_text

    cli = cli_of(context)
    found = [
        (family, one)
        for family in _families(topic)
        for one in _letters(cli, family)
        if everything or not one.retried
    ]
    if cli.json:
        cli.answer({"letters": [_told(family, one) for family, one in found]})
        return
    if not found:
        cli.screen.line(cli.tr("Nessun messaggio rifiutato.", "No refused message."))
        return
    columns = [
        Column(cli.tr("voce", "entry")),
        Column("offset", "right"),
        Column(cli.tr("quando", "when")),
        Column(cli.tr("motivo", "reason")),
        Column(cli.tr("dettagli", "details")),
        Column(cli.tr("rimandato", "sent again")),
    ]
    yes = cli.tr("sì", "yes")
    rows = [
        [
            f"{family}/{one.partition}/{one.offset}",
            one.origin.offset,
            one.refused_at,
            inbox_problem_text(one.code, cli.lang),
            one.reason,
            yes if one.retried else "",
        ]
        for family, one in found
    ]
    cli.screen.table(Table(columns=columns, rows=rows))


def show(
    context: typer.Context,
    entry: Annotated[
        str,
        typer.Argument(
            help=both("voce, come la dice dlq list", "entry, as dlq list names it"),
            metavar="ENTRY",
        ),
    ],
) -> None:
    """Show a refused message in full, as it came."""
    from app.texts.inbox import inbox_problem_text

    cli = cli_of(context)
    family, partition, offset = _entry(entry)
    found = [
        one
        for one in _letters(cli, family, values=True)
        if (one.partition, one.offset) == (partition, offset)
    ]
    if not found:
        raise InvalidCommandError(
            subject="dlq show", field="ENTRY", value=entry, reason="there is no such entry"
        )
    one = found[0]
    if cli.json:
        cli.answer({**_told(family, one), "value": one.value})
        return
    value = "" if one.value is None else one.value.decode(errors="backslashreplace")
    lines = (
        (cli.tr("voce", "entry"), entry),
        (cli.tr("da", "from"), f"{one.topic}/{one.origin.partition}/{one.origin.offset}"),
        (cli.tr("rifiutato", "refused"), one.refused_at),
        (cli.tr("motivo", "reason"), inbox_problem_text(one.code, cli.lang)),
        (cli.tr("dettagli", "details"), one.reason),
        (cli.tr("rimandato", "sent again"), cli.tr("sì", "yes") if one.retried else "no"),
        (cli.tr("chiave", "key"), _shown(one.key)),
        *((name, _shown(content)) for name, content in one.headers),
    )
    for name, text in lines:
        cli.screen.line(f"{name}: {text}")
    cli.screen.line()
    cli.screen.line(value[:VALUE_SHOWN])


def again(
    context: typer.Context,
    entries: Annotated[
        list[str] | None,
        typer.Argument(
            help=both("voci; senza, tutte quelle non ancora rimandate", "entries; default all"),
            metavar="ENTRY...",
        ),
    ] = None,
    *,
    topic: _Topic = None,
    first: Annotated[
        int | None,
        typer.Option(
            "--from", min=0, help=both("dal messaggio con questo offset", "from this offset on")
        ),
    ] = None,
    last: Annotated[
        int | None,
        typer.Option("--to", min=0, help=both("fino a questo offset", "up to this offset")),
    ] = None,
    everything: _Everything = False,
) -> None:
    """Send refused messages to their inbox again, as they came."""
    from app.cli.kafka.publishing import broker_of
    from ledger.kafka.inbox.letters import retry

    cli = cli_of(context)
    asked = {_entry(one) for one in entries or ()}
    sent = 0
    for family in _families(topic):
        chosen = [
            one
            for one in _letters(cli, family, values=True)
            if (not asked or (family, one.partition, one.offset) in asked)
            and (everything or bool(asked) or not one.retried)
            and (first is None or one.origin.offset >= first)
            and (last is None or one.origin.offset <= last)
        ]
        if chosen:
            retry(broker_of(cli), chosen)
        sent += len(chosen)
    if sent < len(asked):
        raise InvalidCommandError(
            subject="dlq retry",
            field="ENTRY",
            value=" ".join(entries or ()),
            reason=f"only {sent} of these entries are there; they were sent",
        )
    if cli.json:
        cli.answer({"sent": sent})
        return
    count = cli.count(sent, ("messaggio", "messaggi"), ("message", "messages"))
    cli.screen.line(cli.tr(f"Rimandati alla casella: {count}.", f"Sent to the inbox: {count}."))


def _families(topic: str | None) -> Sequence[str]:
    if topic is None:
        return tuple(FAMILIES)
    if topic not in FAMILIES:
        raise InvalidCommandError(
            subject="dlq", field="--topic", value=topic, reason="one of " + ", ".join(FAMILIES)
        )
    return (topic,)


def _entry(text: str) -> tuple[str, int, int]:
    parts = text.split("/")
    if (
        len(parts) != _PARTS
        or parts[0] not in FAMILIES
        or not all(one.isdecimal() for one in parts[1:])
    ):
        raise InvalidCommandError(
            subject="dlq", field="ENTRY", value=text, reason="write FAMILY/PARTITION/OFFSET"
        )
    return parts[0], int(parts[1]), int(parts[2])


def _letters(cli: Cli, family: str, *, values: bool = False) -> "list[Letter]":
    from app.cli.kafka.publishing import broker_of, topics_of
    from ledger.kafka.client.broker import Admin
    from ledger.kafka.inbox.letters import letters

    topic = topics_of(cli).inbox(family)
    broker = broker_of(cli)
    with Admin(broker) as admin:
        if dead_letters_of(topic) not in admin.states([dead_letters_of(topic)]):
            return []
    opened = cli.open().identity.opened
    # What another ledger refused under this prefix is no business of this one.
    ledger_id = None if opened is None else opened.ledger_id
    return letters(broker, topic, ledger_id=ledger_id, values=values)


def _told(family: str, one: "Letter") -> dict[str, object]:
    return {
        "entry": f"{family}/{one.partition}/{one.offset}",
        "topic": one.topic,
        "partition": one.origin.partition,
        "offset": one.origin.offset,
        "timestamp": one.timestamp,
        "refused_at": one.refused_at,
        "code": one.code,
        "reason": one.reason,
        "retried": one.retried,
        "retry_of": one.retry_of,
        "key": one.key,
        "headers": [[name, value] for name, value in one.headers],
    }


def _shown(value: bytes | None) -> str:
    return "-" if value is None else value.decode(errors="backslashreplace")
