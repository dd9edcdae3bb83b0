"""Command `registro subscribe`: indicator updates as JSON Lines."""

import fnmatch
import time
from typing import Annotated, Final

import typer

from app.cli.context import cli_of
from app.output import jsontext
from app.texts.usage import both
from consumers.subscription import Subscription
from ledger.errors import InvalidCommandError
from ledger.types import Position

POLL_SECONDS: Final = 0.5
"""How often a following subscription looks for new records."""


def register(root: typer.Typer, name: str) -> None:
    """Add the command to the root."""
    root.command(name)(subscribe)


def subscribe(
    context: typer.Context,
    *,
    indicator: Annotated[
        str | None,
        typer.Option(metavar="GLOB", help=both("solo i codici di questa forma", "only such codes")),
    ] = None,
    after: Annotated[
        int,
        typer.Option(
            min=0,
            help=both(
                "riprende dopo questa posizione: l'ultima già letta",
                "go on after this position: the last one handled",
            ),
        ),
    ] = 0,
    follow: Annotated[
        bool,
        typer.Option(
            "--follow", help=both("resta in ascolto (fine: Ctrl-C)", "stay and wait (end: Ctrl-C)")
        ),
    ] = False,
) -> None:
    """Print indicator updates as JSON Lines, one update a line, grouped by position."""
    from projections.indicator_updates import IndicatorUpdates

    cli = cli_of(context)
    ledger = cli.open()
    head = ledger.head()
    if after > head:
        raise InvalidCommandError(
            subject="subscribe",
            field="--after",
            value=str(after),
            reason=f"the last position is {head}",
        )
    updates = IndicatorUpdates()
    written = 0

    def wait() -> bool:
        time.sleep(POLL_SECONDS)
        return True

    subscription = Subscription(
        ledger, derive=updates.apply, after=Position(after), wait=wait if follow else None
    )
    for group in subscription.groups():
        for update in group.updates:
            if indicator is None or fnmatch.fnmatchcase(update.indicator, indicator):
                cli.screen.line(jsontext.line(update))
                written += 1
        cli.screen.out.flush()
    if indicator is not None and not written:
        cli.screen.note(
            cli.tr(
                f"Nessun aggiornamento ha un codice come '{indicator}'.",
                f"No update has a code like {indicator!r}.",
            )
        )
    cli.screen.note(
        cli.tr(
            f"Fine alla posizione {subscription.position}: --after {subscription.position} "
            "riprende da qui.",
            f"End at position {subscription.position}: --after {subscription.position} "
            "goes on from here.",
        )
    )
