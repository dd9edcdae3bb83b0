"""Commands `registro init` and `registro status`."""

from collections import Counter
from collections.abc import Callable
from typing import Annotated

import typer

from app.cli.context import Cli, cli_of
from app.output.table import Column, Table
from app.texts.events import event_text
from app.texts.usage import both
from ledger.application import LedgerApplication
from ledger.events.ledger import SchemaReleased
from ledger.feed import read_all
from ledger.store.engine import file_of, shown
from ledger.types import BEFORE_FIRST


def register(root: typer.Typer, name: str) -> None:
    """Add a command to the root."""
    commands: dict[str, Callable[..., None]] = {"init": init, "status": status}
    root.command(name)(commands[name])


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
) -> LedgerApplication:
    """Create the ledger that the settings name.

    Raises:
        LedgerExistsError: there is something already.
    """
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


def status(context: typer.Context) -> None:
    """Show what is in the ledger."""
    cli = cli_of(context)
    ledger = cli.open()
    types: Counter[str] = Counter()
    years: set[int] = set()
    schemas = 0
    last = None
    for recorded in read_all(ledger, after=BEFORE_FIRST):
        types[recorded.event.TYPE] += 1
        schemas += isinstance(recorded.event, SchemaReleased)
        year = getattr(recorded.event, "year", None)
        if isinstance(year, int):
            years.add(year)
        last = recorded.recorded_at
    file = file_of(ledger.store.engine.url)
    size = file.stat().st_size if file is not None else None
    answer = {
        "ledger": shown(ledger.store.engine.url),
        "position": ledger.head(),
        **_identity(ledger),
        "years": sorted(years),
        "last_recorded_at": last,
        "schemas": schemas,
        "size_bytes": size,
        "events": dict(sorted(types.items())),
    }
    if cli.json:
        cli.answer(answer)
        return
    cli.banner(sandbox=bool(answer["sandbox"]))
    names = {
        "ledger": cli.tr("registro", "ledger"),
        "position": cli.tr("posizione", "position"),
        "ledger_id": cli.tr("identità", "identity"),
        "origin": cli.tr("origine", "origin"),
        "body": cli.tr("ente", "body"),
        "years": cli.tr("anni", "years"),
        "last_recorded_at": cli.tr("ultima registrazione", "last recorded"),
        "schemas": cli.tr("schemi", "schemas"),
        "size_bytes": cli.tr("byte", "bytes"),
    }
    rows = [
        [title, ", ".join(map(str, value)) if isinstance(value := answer[key], list) else value]
        for key, title in names.items()
    ]
    cli.screen.table(Table(columns=(Column(""), Column("")), rows=rows))
    cli.screen.line()
    columns = (
        Column(cli.tr("evento", "event")),
        Column(cli.tr("n.", "no."), "right"),
        Column(cli.tr("tipo", "type"), whole=True),
    )
    counted = [[event_text(name, cli.lang), n, name] for name, n in sorted(types.items())]
    cli.screen.table(Table(columns=columns, rows=counted))


def _identity(ledger: LedgerApplication) -> dict[str, object]:
    identity = ledger.identity
    opened = identity.opened
    return {
        "ledger_id": None if opened is None else opened.ledger_id,
        "origin": None if opened is None else opened.origin,
        "body": identity.body,
        "sandbox": opened is not None and opened.sandbox,
    }
