"""SQLite: how a connection is opened, begun and read where nobody can write.

Source: docs/adr/0001-store.md.
"""

import os
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection


def on_connect(*, read_only: bool) -> Callable[[sqlite3.Connection, object], None]:
    """Return what prepares a new connection."""

    def listener(raw: sqlite3.Connection, _: object) -> None:
        # The driver must not open transactions of its own: `on_begin` does it.
        raw.isolation_level = None
        raw.text_factory = _text_or_bytes
        raw.execute("PRAGMA synchronous=FULL")
        # Without it REPLACE removes the old row past the trigger that refuses to delete.
        raw.execute("PRAGMA recursive_triggers=ON")
        if read_only:
            raw.execute("PRAGMA query_only=ON")

    return listener


def open_frozen(
    _: object, __: object, arguments: Sequence[object], options: Mapping[str, Any]
) -> sqlite3.Connection | None:
    """Open a file whose folder cannot be written; None where the usual way works.

    SQLite reads a file that has a write-ahead log only where it can make files beside it, unless it
    is told that nobody changes the file: that is so where nothing can be written and no log waits.
    """
    path = Path(str(arguments[0]))
    if not path.is_file() or folder_writable(path) or has_log(path):
        return None
    place = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
    frozen: sqlite3.Connection = sqlite3.connect(place, uri=True, **options)
    return frozen


def folder_writable(path: Path) -> bool:
    """Whether this process can make files beside a file."""
    effective = os.access in os.supports_effective_ids
    return os.access(path.absolute().parent, os.W_OK, effective_ids=effective)


def has_log(path: Path) -> bool:
    """Whether appends wait in the write-ahead log beside a file."""
    log = path.with_name(path.name + "-wal")
    return log.is_file() and log.stat().st_size > 0


def _text_or_bytes(stored: bytes) -> str | bytes:
    """Return a stored text; damaged bytes as they are, so that they can be reported."""
    try:
        return stored.decode()
    except UnicodeDecodeError:
        return stored


def on_begin(connection: Connection) -> None:
    """Begin a transaction as the execution options ask."""
    statement = connection.get_execution_options().get("registro_begin", "BEGIN")
    if statement is not None:
        connection.exec_driver_sql(statement)
