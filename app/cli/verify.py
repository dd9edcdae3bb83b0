"""Command `registro verify`: was any record changed?"""

from typing import Annotated

import typer

from app.cli.context import NEGATIVE, Cli, cli_of
from app.texts.discrepancies import detail_text, discrepancy_text
from app.texts.text import Lang
from app.texts.usage import both
from ledger.discrepancy import Discrepancy
from ledger.errors import InvalidCommandError
from ledger.store.engine import shown
from ledger.store.mapper import AvroMapper
from ledger.types import DIGEST_BYTES, Digest, TreeSize
from ledger.verification import Checked, TreeHead
from ledger.verification import verify as check

LISTED = 20
"""Discrepancies listed on the screen unless all are asked for."""


def register(root: typer.Typer, name: str) -> None:
    """Add the command to the root."""
    root.command(name)(verify)


def verify(
    context: typer.Context,
    *,
    head: Annotated[
        str | None,
        typer.Option(
            metavar="N:RADICE",
            help=both(
                "testa conservata fuori: posizione e radice, come le stampa questo comando",
                "head kept outside: position and root, as this command prints them",
            ),
        ),
    ] = None,
    deep: Annotated[
        bool,
        typer.Option(
            "--deep",
            help=both(
                "controlla anche ogni singolo fatto dei blocchi",
                "check every single fact of the blocks too",
            ),
        ),
    ] = False,
    show_all: Annotated[
        bool, typer.Option("--all", help=both("elenca ogni discrepanza", "list every discrepancy"))
    ] = False,
) -> None:
    """Recompute every commitment; exit code 1 on any discrepancy."""
    cli = cli_of(context)
    kept = None if head is None else parse_head(head)
    store = cli.store(read_only=True)
    store.require()
    with cli.screen.progress(cli.tr("verifica", "verify")) as progress:
        checked = check(
            store,
            AvroMapper(),
            kept=kept,
            deep=deep,
            progress=lambda done, total: progress(cli.tr("verifica", "verify"), done, total),
        )
    if cli.json:
        cli.answer(_json(checked, shown(store.engine.url), cli.lang))
    else:
        _show(cli, checked, kept, every=show_all)
    if checked.discrepancies:
        raise typer.Exit(NEGATIVE)


def parse_head(text: str) -> TreeHead:
    """Read a head as `verify` prints it: position, colon, 64 hex digits.

    Raises:
        InvalidCommandError: it is not written so.
    """
    size, _, root = text.partition(":")
    try:
        head = TreeHead(size=TreeSize(int(size)), root=Digest(bytes.fromhex(root)))
    except ValueError:
        head = None
    if head is None or head.size < 1 or len(head.root) != DIGEST_BYTES:
        raise InvalidCommandError(
            subject="verify",
            field="--head",
            value=text,
            reason="write POSITION:ROOT, the root in 64 hexadecimal digits",
        )
    return head


def head_text(head: TreeHead) -> str:
    """Return a head as it is kept: position, colon, root in hex."""
    return f"{head.size}:{head.root.hex()}"


def _show(cli: Cli, checked: Checked, kept: TreeHead | None, *, every: bool) -> None:
    screen = cli.screen
    found = checked.discrepancies
    if found:
        screen.title(
            cli.tr(f"DISCREPANZE TROVATE: {len(found)}", f"DISCREPANCIES FOUND: {len(found)}")
        )
        listed = found if every else found[:LISTED]
        for one in listed:
            screen.line(_place(cli, one) + discrepancy_text(one.kind, cli.lang))
            screen.line(f"  {detail_text(one, cli.lang)}")
        if len(found) > len(listed):
            screen.line(cli.tr("... l'elenco intero con --all", "... the whole list with --all"))
        screen.line(
            cli.tr(
                "Che fare: non toccare il registro; docs/it/discrepanza.md spiega i passi.",
                "What to do: do not touch the ledger; docs/it/discrepanza.md lists the steps.",
            )
        )
    else:
        screen.line(
            cli.tr(
                f"Nessuna discrepanza: registrazioni ricalcolate {checked.records}, "
                f"eventi {checked.events}, posizioni senza lacune.",
                f"No discrepancy: records recomputed {checked.records}, "
                f"events {checked.events}, positions without gaps.",
            )
        )
    screen.line(cli.tr("Testa del registro: ", "Head of the ledger: ") + head_text(checked.head))
    if kept is None:
        screen.line(
            cli.tr(
                "Questo controllo legge solo il registro. Chi potesse riscriverlo per intero, o "
                "toglierne la fine, non lascerebbe tracce qui: lo mostra solo una testa conservata "
                "altrove. Conservare la riga qui sopra e ripetere con --head.",
                "This check reads the ledger alone. Whoever could write it all anew, or remove its "
                "end, would leave no trace here: only a head kept elsewhere shows it. Keep the "
                "line above and repeat with --head.",
            )
        )
    elif not found:
        screen.line(
            cli.tr(
                f"Fino alla posizione {kept.size} il registro è quello della testa conservata.",
                f"Up to position {kept.size} the ledger is the one of the kept head.",
            )
        )


def _place(cli: Cli, one: Discrepancy) -> str:
    if not one.position:
        return ""
    place = cli.tr(f"posizione {one.position}", f"position {one.position}")
    return f"{place}, {one.stream}: "


def _number(position: str) -> int | str | None:
    """Return a position as a number; a damaged one as it stands, null for the whole store."""
    return int(position) if position.lstrip("-").isdecimal() else position or None


def _json(checked: Checked, place: str, lang: Lang) -> dict[str, object]:
    return {
        "ledger": place,
        "ledger_id": checked.ledger_id,
        "clean": not checked.discrepancies,
        "records": checked.records,
        "events": checked.events,
        "head": {"position": checked.head.size, "root": checked.head.root},
        "discrepancies": [
            {
                "kind": one.kind,
                "position": _number(one.position),
                "stream": one.stream or None,
                "detail": detail_text(one, lang),
            }
            for one in checked.discrepancies
        ],
    }
