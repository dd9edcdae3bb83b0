"""Change stored rows behind the ledger's back."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

Row = dict[str, object]


def tamper(path: Path, *statements: tuple[str, tuple[object, ...]]) -> None:
    """Change rows behind the ledger's back, then put the guards back as they were."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA ignore_check_constraints=ON")
        connection.execute("BEGIN")
        guards = connection.execute("SELECT name, sql FROM sqlite_master WHERE type='trigger'")
        kept = guards.fetchall()
        for name, _ in kept:
            connection.execute(f"DROP TRIGGER {name}")
        for statement, values in statements:
            connection.execute(statement, values)
        for _, sql in kept:
            connection.execute(sql)
        connection.execute("COMMIT")


def rows(path: Path) -> list[Row]:
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        found = connection.execute("SELECT * FROM record ORDER BY position").fetchall()
    return [dict(row) for row in found]


def alterations(value: object) -> Iterator[object]:
    """Other values of a cell: near ones, of another type, and every single bit of bytes."""
    match value:
        case int():
            yield from (value + 1, value - 1, -value - 7, 2**62, 0.5, "x", b"x")
        case str():
            yield from (value + "x", value[:-1], "", value.upper(), value + "\x00", b"x", 3)
        case bytes():
            yield from (value + b"\x00", value[:-1], b"", value[::-1], "x", 3)
            for place in range(0, len(value), max(1, len(value) // 40)):
                for bit in (0, 7):
                    flipped = bytearray(value)
                    flipped[place] ^= 1 << bit
                    yield bytes(flipped)
        case _:
            raise AssertionError(value)
