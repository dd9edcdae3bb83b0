"""Commands `registro backup` and `restore`: copy a ledger while it may be in use, and back."""

import shlex
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, cast

import typer

from app.cli.context import Cli, cli_of
from app.texts.usage import both
from ledger.errors import (
    CopyRefusedError,
    InvalidCommandError,
    LedgerExistsError,
    RestoreRefusedError,
    StoreFolderMissingError,
)


def register(root: typer.Typer, name: str) -> None:
    """Add the command to the root."""
    commands: dict[str, Callable[..., None]] = {"backup": backup, "restore": restore}
    root.command(name)(commands[name])


def backup(
    context: typer.Context,
    target: Annotated[Path, typer.Argument(help=both("file da creare", "file to create"))],
) -> None:
    """Copy the ledger to a new file; to restore, use the copy as the ledger."""
    from ledger.store.engine import file_of

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
        raise CopyRefusedError(store=path, reason="there is a file of this name already")
    if not path.absolute().parent.is_dir():
        raise CopyRefusedError(store=path, reason="its folder does not exist")
    try:
        _copy(source, path)
    except (OSError, sqlite3.Error) as error:
        path.unlink(missing_ok=True)
        raise CopyRefusedError(store=path, reason=str(error)) from error
    head = ledger.head()
    if cli.json:
        cli.answer({"ledger": str(source), "backup": str(path), "position": head})
        return
    check = f"`registro verify --ledger {shlex.quote(str(path))}`"
    cli.screen.line(
        cli.tr(
            f"Copia in {path}, posizione {head}. Controllarla: {check}",
            f"Copied to {path}, position {head}. Check it: {check}",
        )
    )


def restore(
    context: typer.Context,
    source: Annotated[
        Path, typer.Argument(help=both("copia fatta con backup", "copy made by backup"))
    ],
) -> None:
    """Put a copy in the place of a ledger that is not there; the copy is checked first."""
    from ledger.store.engine import file_of, open_engine, store_url
    from ledger.store.mapper import AvroMapper
    from ledger.store.store import Store
    from ledger.verification import verify

    cli = cli_of(context)
    path = source.expanduser()
    copy = Store(
        open_engine(store_url(str(path)), read_only=True), clock=cli.clock, entropy=cli.entropy
    )
    if not path.is_file():
        raise RestoreRefusedError(store=path, reason="it is not there")
    copy.open()
    target = file_of(store_url(cli.settings["ledger"]))
    if target is None:
        raise _refused(cli, "only a ledger in a file is restored here")
    if target.exists():
        raise LedgerExistsError(store=str(target))
    checked = verify(copy, AvroMapper())
    if checked.discrepancies:
        raise RestoreRefusedError(
            store=path, reason=f"discrepancies found in it: {len(checked.discrepancies)}"
        )
    if not target.absolute().parent.is_dir():
        raise StoreFolderMissingError(store=target, folder=target.absolute().parent)
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
    # Opened as every reader opens it: a ledger in a folder that cannot be written is copied too.
    from ledger.store.engine import open_engine, store_url

    engine = open_engine(store_url(str(source.resolve())), read_only=True)
    origin = engine.raw_connection()
    copy = sqlite3.connect(target)
    try:
        # The database's own online copy sees one state, also while somebody appends.
        cast(sqlite3.Connection, origin.driver_connection).backup(copy)
    finally:
        copy.close()
        origin.close()
        engine.dispose()


def _refused(cli: Cli, reason: str) -> InvalidCommandError:
    return InvalidCommandError(
        subject="restore", field="--ledger", value=cli.settings["ledger"], reason=reason
    )
