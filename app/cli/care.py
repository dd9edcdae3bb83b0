"""Commands `registro backup` and `restore`: copy a ledger while it may be in use, and back."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from app.cli.context import Cli, cli_of
from app.texts.usage import both
from ledger.errors import InvalidCommandError, LedgerExistsError, StoreFormatError
from ledger.store.engine import file_of, open_engine, store_url
from ledger.store.mapper import AvroMapper
from ledger.store.store import Store
from ledger.verification import verify


def register(root: typer.Typer, name: str) -> None:
    """Add the command to the root."""
    commands: dict[str, Callable[..., None]] = {"backup": backup, "restore": restore}
    root.command(name)(commands[name])


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
    _copy(source, path)
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


def restore(
    context: typer.Context,
    source: Annotated[
        Path, typer.Argument(help=both("copia fatta con backup", "copy made by backup"))
    ],
) -> None:
    """Put a copy in the place of a ledger that is not there; the copy is checked first."""
    cli = cli_of(context)
    path = source.expanduser()
    copy = Store(
        open_engine(store_url(str(path)), read_only=True), clock=cli.clock, entropy=cli.entropy
    )
    copy.open()
    target = file_of(store_url(cli.settings["ledger"]))
    if target is None:
        raise _refused(cli, "only a ledger in a file is restored here")
    if target.exists():
        raise LedgerExistsError(store=str(target))
    checked = verify(copy, AvroMapper())
    if checked.discrepancies:
        raise StoreFormatError(
            store=str(path),
            found=f"{len(checked.discrepancies)} discrepancies",
            expected="none",
        )
    _copy(path, target)
    if cli.json:
        cli.answer({"backup": str(path), "ledger": str(target), "position": checked.head.size})
        return
    cli.screen.line(
        cli.tr(
            f"Ripristinato {target} da {path}: posizione {checked.head.size}, nessuna discrepanza.",
            f"Restored {target} from {path}: position {checked.head.size}, no discrepancy.",
        )
    )


def _copy(source: Path, target: Path) -> None:
    origin = sqlite3.connect(f"{source.resolve().as_uri()}?mode=ro", uri=True)
    copy = sqlite3.connect(target)
    try:
        # The database's own online copy sees one state, also while somebody appends.
        origin.backup(copy)
    finally:
        copy.close()
        origin.close()


def _refused(cli: Cli, reason: str) -> InvalidCommandError:
    return InvalidCommandError(
        subject="restore", field="--ledger", value=cli.settings["ledger"], reason=reason
    )
