"""Command `registro backup`: copy a ledger while it may be in use."""

import sqlite3
from pathlib import Path
from typing import Annotated

import typer

from app.cli.context import cli_of
from app.texts.usage import both
from ledger.errors import InvalidCommandError, LedgerExistsError
from ledger.store.engine import file_of


def register(root: typer.Typer, name: str) -> None:
    """Add the command to the root."""
    root.command(name)(backup)


def backup(
    context: typer.Context,
    target: Annotated[Path, typer.Argument(help=both("file da creare", "file to create"))],
) -> None:
    """Copy the ledger to a new file; to restore, use the copy as the ledger."""
    cli = cli_of(context)
    ledger = cli.open()
    source = file_of(ledger.store.engine.url)
    if source is None:
        raise InvalidCommandError(
            subject="backup",
            field="--ledger",
            value=cli.settings["ledger"],
            reason="only a ledger in a file is copied here; a server has tools of its own",
        )
    path = target.expanduser()
    if path.exists():
        raise LedgerExistsError(store=str(path))
    origin = sqlite3.connect(f"{source.resolve().as_uri()}?mode=ro", uri=True)
    copy = sqlite3.connect(path)
    try:
        # The database's own online copy sees one state, also while somebody appends.
        origin.backup(copy)
    finally:
        copy.close()
        origin.close()
    head = ledger.head()
    if cli.json:
        cli.answer({"ledger": str(source), "backup": str(path), "position": head})
        return
    cli.screen.line(
        cli.tr(
            f"Copia in {path}, posizione {head}. Controllarla: registro verify --ledger {path}",
            f"Copied to {path}, position {head}. Check it: registro verify --ledger {path}",
        )
    )
