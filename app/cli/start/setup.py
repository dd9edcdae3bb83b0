"""Command `registro init`."""

from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.context import Cli, cli_of
from app.texts.usage import both

if TYPE_CHECKING:
    from ledger.application import LedgerApplication


def register(root: typer.Typer, name: str) -> None:
    """Add the command to the root."""
    root.command(name)(init)


def init(
    context: typer.Context,
    *,
    body: Annotated[
        str | None,
        typer.Option(
            help=both(
                "codice dell'ente; senza, lo fissa la prima importazione",
                "code of the body; without it the first import decides",
            )
        ),
    ] = None,
    title: Annotated[
        str | None, typer.Option(help=both("nome dell'ente", "name of the body"))
    ] = None,
    origin: Annotated[
        str | None,
        typer.Option(
            help=both(
                "nome del registro nel mondo, per esempio ente.it/registro",
                "name of the ledger in the world, for example body.it/ledger",
            )
        ),
    ] = None,
    sandbox: Annotated[
        bool,
        typer.Option(
            "--sandbox", help=both("registro di prova, segnato come tale", "marked as a sandbox")
        ),
    ] = False,
) -> None:
    """Create a new, empty ledger."""
    from ledger.store.engine import shown

    cli = cli_of(context)
    ledger = create(cli, body=body, title=title, origin=origin, sandbox=sandbox)
    opened = ledger.identity.opened
    place = shown(ledger.store.engine.url)
    if cli.json:
        cli.answer({"ledger": place, "position": ledger.head(), **_identity(ledger)})
        return
    cli.banner(sandbox=sandbox)
    cli.screen.line(cli.tr(f"Creato il registro {place}", f"Created the ledger {place}"))
    if opened is not None:
        cli.screen.line(cli.tr("  identità  ", "  identity  ") + opened.ledger_id)
    cli.screen.line(
        cli.tr("Per continuare: ", "To go on: ")
        + cli.remedy(f"import {cli.tr('CARTELLA', 'FOLDER')}")
    )


def create(
    cli: Cli,
    *,
    body: str | None,
    title: str | None = None,
    origin: str | None = None,
    sandbox: bool = False,
) -> "LedgerApplication":
    """Create the ledger that the settings name.

    Raises:
        LedgerExistsError: there is something already.
    """
    from ledger.application import LedgerApplication

    ledger = LedgerApplication.create(
        cli.store(),
        clock=cli.clock,
        entropy=cli.entropy,
        body=body,
        title=title,
        origin=origin,
        sandbox=sandbox,
        language=cli.lang,
    )
    cli.screen.zone = ledger.zone
    return ledger


def _identity(ledger: "LedgerApplication") -> dict[str, object]:
    identity = ledger.identity
    opened = identity.opened
    return {
        "ledger_id": None if opened is None else opened.ledger_id,
        "origin": None if opened is None else opened.origin,
        "body": identity.body,
        "sandbox": opened is not None and opened.sandbox,
    }
