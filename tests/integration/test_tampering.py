"""Whatever is altered in the stored rows is found; the rest needs a head kept outside."""

import datetime as dt
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from ledger.aggregates.base import Proposal
from ledger.application import LedgerApplication
from ledger.envelopes import command
from ledger.events.acts import ActAdopted
from ledger.events.planning import ObjectiveAssigned
from ledger.events.publication import DocumentPublished
from ledger.integrity.commitment import commitment
from ledger.store.mapper import AvroMapper
from ledger.store.rows import fields_of, unpacked
from ledger.store.tables import record as record_table
from ledger.verification import Checked, TreeHead, verify
from tests.support.given import PLAN_ACT, act_adopted, envelope
from tests.support.ledgers import new_ledger, reopened, store_at
from tests.support.tampering import Row, alterations, rows, tamper

COLUMNS = [column.name for column in record_table.c]
Change = Callable[[object], object]


def filled(path: Path) -> LedgerApplication:
    """A ledger with single events, an append of two parts, and a compressed record."""
    ledger = new_ledger(path)
    day = dt.date(2023, 2, 1)
    ledger.execute(
        command("act", [Proposal(event=act_adopted(PLAN_ACT), envelope=envelope(as_of=day))])
    )
    children = [
        Proposal(
            event=ObjectiveAssigned(year=2023, code=code, level="OGE", label=code),
            envelope=envelope(as_of=day),
        )
        for code in ("A", "B")
    ]
    ledger.execute(command("objectives", children))
    long = DocumentPublished(document_id="d", title="titolo " * 400, published_on=day)
    ledger.execute(command("document", [Proposal(event=long, envelope=envelope(as_of=day))]))
    return ledger


@pytest.fixture
def ledger_file(tmp_path: Path) -> Path:
    path = tmp_path / "ledger.db"
    filled(path).store.engine.dispose()
    return path


def checked(path: Path, kept: TreeHead | None = None) -> Checked:
    store = store_at(path)
    try:
        return verify(store, AvroMapper(), kept=kept)
    finally:
        store.engine.dispose()


def test_an_untouched_ledger_is_clean(ledger_file: Path) -> None:
    outcome = checked(ledger_file)
    assert outcome.discrepancies == ()
    assert outcome.records == outcome.head.size == len(rows(ledger_file))


@pytest.mark.parametrize("column", COLUMNS)
def test_every_altered_cell_is_found(ledger_file: Path, column: str) -> None:
    original = rows(ledger_file)
    tried = 0
    for row in (original[3], original[-3], original[-1]):
        for other in alterations(row[column]):
            if other == row[column] or _payload_is_unchanged(row, column, other):
                continue
            place = row["position"]
            sql = f"UPDATE record SET {column} = ? WHERE position = ?"  # noqa: S608 - our own column names
            try:
                tamper(ledger_file, (sql, (other, place)))
            except sqlite3.IntegrityError:
                continue  # the table itself refuses it, for example a position that is taken
            tried += 1
            assert checked(ledger_file).discrepancies, (column, place, other)
            back = other if column == "position" else place
            tamper(ledger_file, (sql, (row[column], back)))
    assert tried >= 9
    assert checked(ledger_file).discrepancies == ()


def _payload_is_unchanged(row: Row, column: str, other: object) -> bool:
    """Whether altered compressed bytes stand for the same payload: then nothing was altered."""
    if column != "content" or not isinstance(other, bytes) or row["content_coding"] == 0:
        return False
    assert isinstance(row["content"], bytes)
    lengths = row["lengths"]
    assert isinstance(lengths, bytes)
    size = int.from_bytes(lengths)
    try:
        return unpacked(1, other, size=size) == unpacked(1, row["content"], size=size)
    except ValueError:
        return False


def test_the_discrepancy_names_kind_position_and_stream(ledger_file: Path) -> None:
    place = len(rows(ledger_file))
    tamper(
        ledger_file,
        ("UPDATE record SET recorded_at = recorded_at + 1 WHERE position = ?", (place,)),
    )
    (found,) = checked(ledger_file).discrepancies
    assert (found.kind, found.position, found.stream) == ("commitment", str(place), "document/d")


@pytest.mark.parametrize(
    ("sql", "kinds"),
    [
        ("DELETE FROM record WHERE position = 5", {"position"}),
        (
            "DELETE FROM record WHERE stream = 'planning/2023' AND stream_version = 2",
            {"append_part"},
        ),
        ("DELETE FROM store_format", {"store_format"}),
        ("UPDATE store_format SET version = 2", {"store_format"}),
        ("INSERT INTO store_format VALUES (2)", {"store_format"}),
    ],
)
def test_removed_rows_are_found(ledger_file: Path, sql: str, kinds: set[str]) -> None:
    tamper(ledger_file, (sql, ()))
    assert kinds <= {one.kind for one in checked(ledger_file).discrepancies}


def test_two_rows_that_changed_places_are_found(ledger_file: Path) -> None:
    tamper(
        ledger_file,
        ("UPDATE record SET position = -1 WHERE position = 5", ()),
        ("UPDATE record SET position = 5 WHERE position = 6", ()),
        ("UPDATE record SET position = 6 WHERE position = -1", ()),
    )
    assert checked(ledger_file).discrepancies


def test_a_row_that_was_put_in_is_found(ledger_file: Path) -> None:
    row = rows(ledger_file)[4]
    forged = {**row, "position": len(rows(ledger_file)) + 1, "append_key": "forged"}
    forged["stream_version"] = 99
    marks = ", ".join("?" for _ in COLUMNS)
    sql = f"INSERT INTO record ({', '.join(COLUMNS)}) VALUES ({marks})"  # noqa: S608 - our own names
    tamper(ledger_file, (sql, tuple(forged[name] for name in COLUMNS)))
    kinds = {one.kind for one in checked(ledger_file).discrepancies}
    assert {"commitment", "stream_version"} <= kinds


def test_a_guard_that_was_taken_away_is_found(ledger_file: Path) -> None:
    with closing(sqlite3.connect(ledger_file)) as connection, connection:
        connection.execute("DROP TRIGGER record_no_update")
    (found,) = checked(ledger_file).discrepancies
    assert (found.kind, "record_no_update" in found.detail) == ("guard_missing", True)


def _rewritten(path: Path, place: int) -> None:
    """Change a record and its commitment consistently, as somebody who knows the format could."""
    store = store_at(path)
    (stored,) = store.read(after=place - 1, through=place, limit=1)  # type: ignore[arg-type] # plain numbers
    store.engine.dispose()
    later = stored.recorded_at + 1
    forged = commitment(fields_of(stored.record, recorded_at=later, salt=stored.salt))
    sql = "UPDATE record SET recorded_at = ?, commitment = ? WHERE position = ?"
    tamper(path, (sql, (later, forged, place)))


def test_a_consistent_forgery_is_found_only_by_a_kept_head(ledger_file: Path) -> None:
    kept = checked(ledger_file).head
    _rewritten(ledger_file, kept.size)
    assert checked(ledger_file).discrepancies == ()
    (found,) = checked(ledger_file, kept).discrepancies
    assert found.kind == "kept_head"


def test_a_truncated_ledger_is_found_only_by_a_kept_head(ledger_file: Path) -> None:
    kept = checked(ledger_file).head
    tamper(ledger_file, ("DELETE FROM record WHERE position = ?", (kept.size,)))
    assert checked(ledger_file).discrepancies == ()
    (found,) = checked(ledger_file, kept).discrepancies
    assert found.kind == "kept_head"
    assert "removed" in found.detail


def test_a_ledger_that_only_grew_agrees_with_its_kept_head(ledger_file: Path) -> None:
    kept = checked(ledger_file).head
    ledger = reopened(ledger_file)
    act = ActAdopted(
        act_key="CIV/r//2023-03-01",
        organ="CIV",
        act_type="r",
        adopted_on=dt.date(2023, 3, 1),
        subject="s",
        effective_from=dt.date(2023, 3, 1),
    )
    ledger.execute(
        command("more", [Proposal(event=act, envelope=envelope(as_of=dt.date(2023, 3, 1)))])
    )
    ledger.store.engine.dispose()
    outcome = checked(ledger_file, kept)
    assert outcome.discrepancies == ()
    assert outcome.head.size == kept.size + 1


def test_every_discrepancy_of_a_badly_damaged_ledger_is_listed(ledger_file: Path) -> None:
    tamper(
        ledger_file,
        ("UPDATE record SET salt = x'00' WHERE position = 4", ()),
        ("UPDATE record SET kind = 9 WHERE position = 5", ()),
        ("UPDATE record SET event_type = 'x.Y' WHERE position = 6", ()),
        ("UPDATE record SET stream = CAST(x'ff' AS TEXT) WHERE position = 7", ()),
    )
    places = {one.position for one in checked(ledger_file).discrepancies}
    assert {"4", "5", "6", "7"} <= places
