"""PostgreSQL: the append lock, guards, and the role that can only append.

Invariants:
1. One writer at a time holds the append lock, which ends with its transaction, after the commit is
   visible: positions become visible in order, without gaps.
2. Triggers refuse UPDATE, DELETE and TRUNCATE for everybody, the owner included; the append role
   has no right to them either.
3. Texts compare by code point, not by the server's locale: order is the same on every machine.

Source: docs/adr/0001-store.md; docs/adr/0013-postgresql.md.
"""

from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

APPEND_LOCK: Final = 0x7265676973747230
"""Number of the advisory lock: `registr0` as bytes; one ledger in each database."""
_LOCK_NOT_AVAILABLE: Final = "55P03"
_MILLISECONDS: Final = 1000

REFUSE_FUNCTION: Final = """
CREATE OR REPLACE FUNCTION registro_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'RG001'; END $$
"""

_ROW_GUARD: Final = (
    "CREATE TRIGGER {table}_no_{verb} BEFORE {verb} ON {table} "
    "FOR EACH ROW EXECUTE FUNCTION registro_append_only()"
)
_TABLE_GUARD: Final = (
    "CREATE TRIGGER {table}_no_{verb} BEFORE {verb} ON {table} "
    "FOR EACH STATEMENT EXECUTE FUNCTION registro_append_only()"
)


def guards_of(table: str) -> dict[str, str]:
    """Return the triggers of a table: statements by name."""
    return {
        f"{table}_no_{verb}": shape.format(table=table, verb=verb)
        for verb, shape in (
            ("update", _ROW_GUARD),
            ("delete", _ROW_GUARD),
            ("truncate", _TABLE_GUARD),
        )
    }


def on_connect(*, read_only: bool) -> Callable[[Any, object], None]:
    """Return what prepares a new connection."""

    def listener(raw: Any, _: object) -> None:
        with raw.cursor() as cursor:
            cursor.execute("SET synchronous_commit = on")
            cursor.execute("SET timezone = 'UTC'")
            if read_only:
                cursor.execute("SET default_transaction_read_only = on")
        raw.commit()

    return listener


def take_append_lock(connection: Connection, *, seconds: float) -> None:
    """Wait for the append lock; it ends with the transaction.

    Args:
        connection: in a transaction.
        seconds: how long to wait for another writer.
    """
    wait = round(seconds * _MILLISECONDS)
    connection.execute(text(f"SET LOCAL lock_timeout = {wait}"))
    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": APPEND_LOCK})


def lock_not_had(error: DBAPIError) -> bool:
    """Tell whether another writer did not finish in time."""
    return getattr(error.orig, "sqlstate", None) == _LOCK_NOT_AVAILABLE


def missing_guards(connection: Connection, wanted: dict[str, str]) -> tuple[str, ...]:
    """Return the names of the triggers that are missing, altered or switched off, sorted."""
    statement = text(
        "SELECT t.tgname AS name, pg_get_triggerdef(t.oid) AS sql, t.tgenabled AS enabled "
        "FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
        "JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE NOT t.tgisinternal AND n.nspname = current_schema()"
    )
    found = {
        row.name: _plain(row.sql)
        for row in connection.execute(statement)
        if row.enabled in {"O", "A", b"O", b"A"}
    }
    body = connection.scalar(
        text("SELECT prosrc FROM pg_proc WHERE proname = 'registro_append_only'")
    )
    expected = REFUSE_FUNCTION.split("$$")[1]
    if body is None or body.split() != expected.split():
        return ("registro_append_only", *sorted(wanted))
    return tuple(sorted(name for name, sql in wanted.items() if found.get(name) != _plain(sql)))


def _plain(definition: str) -> str:
    """Return a trigger's definition without what the server adds or writes in another case."""
    words = definition.replace("public.", "").split()
    return " ".join(words).lower()


def grant_append_only(connection: Connection, role: str) -> None:
    """Let a role read and append, and nothing else.

    Args:
        connection: of the owner of the tables.
        role: an existing role.
    """
    quoted = connection.dialect.identifier_preparer.quote(role)
    for statement in (
        f"REVOKE ALL ON record, store_format FROM {quoted}",
        f"GRANT SELECT, INSERT ON record TO {quoted}",
        f"GRANT SELECT ON store_format TO {quoted}",
    ):
        connection.execute(text(statement))
