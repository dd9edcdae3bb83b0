"""Blocks of facts: the quick check finds every alteration, the deep one a wrong writer."""

import struct
from pathlib import Path

import pytest
import zstandard

from ledger.integrity.block import decode_lengths, encode_lengths
from ledger.integrity.commitment import quick_commitment, seal
from ledger.records import RecordKind
from ledger.store.mapper import AvroMapper
from ledger.store.rows import fields_of, unpacked
from ledger.store.tables import CODING_PLAIN
from ledger.store.tables import record as record_table
from ledger.types import Digest
from ledger.verification import BLOCKS_AT_ONCE, Checked, verify
from tests.support.ledgers import store_at
from tests.support.production import batch, fact, production_ledger, record
from tests.support.tampering import Row, alterations, rows, tamper

COLUMNS = [column.name for column in record_table.c]


@pytest.fixture
def ledger_file(tmp_path: Path) -> Path:
    path = tmp_path / "ledger.db"
    ledger = production_ledger(path)
    for name in ("1", "2"):
        facts = [fact("RequestDefined", source_id=f"{name}-{n}", pieces=n + 1) for n in range(40)]
        record(ledger, tmp_path, "RequestDefined", facts, batch(name=name))
    ledger.store.engine.dispose()
    return path


def checked(path: Path, *, deep: bool = False) -> Checked:
    store = store_at(path)
    try:
        return verify(store, AvroMapper(), deep=deep)
    finally:
        store.engine.dispose()


def kinds(path: Path, *, deep: bool = False) -> set[str]:
    return {one.kind for one in checked(path, deep=deep).discrepancies}


def last_block(path: Path) -> Row:
    return rows(path)[-1]


def change(path: Path, **values: object) -> None:
    """Change cells of the last block."""
    place = last_block(path)["position"]
    for column, value in values.items():
        sql = f"UPDATE record SET {column} = ? WHERE position = ?"  # noqa: S608 - our own column names
        tamper(path, (sql, (value, place)))


def cell(row: Row, column: str) -> bytes:
    found = row[column]
    assert isinstance(found, bytes)
    return found


def plain(row: Row) -> bytes:
    content = cell(row, "content")
    if row["content_coding"] == CODING_PLAIN:
        return content
    return zstandard.ZstdDecompressor().decompress(content)


@pytest.mark.parametrize("deep", [False, True])
def test_untouched_blocks_are_clean(ledger_file: Path, *, deep: bool) -> None:
    outcome = checked(ledger_file, deep=deep)

    assert outcome.discrepancies == ()
    assert outcome.events == outcome.records - 2 + 80


def test_both_checks_give_the_same_head(ledger_file: Path) -> None:
    assert checked(ledger_file).head == checked(ledger_file, deep=True).head


@pytest.mark.parametrize("column", COLUMNS)
def test_every_altered_cell_of_a_block_is_found(ledger_file: Path, column: str) -> None:
    original = last_block(ledger_file)
    tried = 0
    for other in alterations(original[column]):
        if other == original[column]:
            continue
        try:
            change(ledger_file, **{column: other})
        except Exception:  # noqa: BLE001, S112 - the table itself refuses it
            continue
        same = column == "content" and _same_payload(original, other)
        assert kinds(ledger_file) or same, other
        tried += 1
        if column == "position":
            tamper(
                ledger_file,
                (
                    "UPDATE record SET position = ? WHERE position = ?",
                    (original["position"], other),
                ),
            )
        else:
            change(ledger_file, **{column: original[column]})
    assert tried >= 3
    assert kinds(ledger_file) == set()


def _same_payload(row: Row, other: object) -> bool:
    try:
        return plain({**row, "content": other}) == plain(row)
    except (zstandard.ZstdError, AssertionError, MemoryError):  # a frame may promise any size
        return False


def test_two_facts_swapped_inside_a_block_are_found(ledger_file: Path) -> None:
    row = last_block(ledger_file)
    lengths, content = decode_lengths(cell(row, "lengths")), plain(row)
    first, second = content[: lengths[0]], content[lengths[0] : lengths[0] + lengths[1]]
    swapped = second + first + content[lengths[0] + lengths[1] :]
    change(
        ledger_file,
        content=swapped,
        content_coding=CODING_PLAIN,
        lengths=encode_lengths((lengths[1], lengths[0], *lengths[2:])),
    )

    assert kinds(ledger_file) == {"commitment"}


def test_a_moved_border_between_facts_is_found(ledger_file: Path) -> None:
    lengths = list(decode_lengths(cell(last_block(ledger_file), "lengths")))
    lengths[0], lengths[1] = lengths[0] + 1, lengths[1] - 1
    change(ledger_file, lengths=struct.pack(f">{len(lengths)}I", *lengths))

    assert kinds(ledger_file) == {"commitment"}


def test_a_dropped_fact_is_found(ledger_file: Path) -> None:
    row = last_block(ledger_file)
    lengths, content = decode_lengths(cell(row, "lengths")), plain(row)
    change(
        ledger_file,
        content=content[: -lengths[-1]],
        content_coding=CODING_PLAIN,
        lengths=encode_lengths(lengths[:-1]),
        event_count=len(lengths) - 1,
    )

    assert kinds(ledger_file) == {"commitment"}


def test_the_same_content_compressed_in_another_way_is_the_same_record(ledger_file: Path) -> None:
    row = last_block(ledger_file)
    before = checked(ledger_file).head
    change(ledger_file, content=zstandard.ZstdCompressor(level=19).compress(plain(row)))

    assert kinds(ledger_file) == set()
    assert checked(ledger_file).head == before


def test_a_dropped_block_is_found(ledger_file: Path) -> None:
    place = rows(ledger_file)[-2]["position"]
    tamper(ledger_file, ("DELETE FROM record WHERE position = ?", (place,)))

    assert {"position", "stream_version"} <= kinds(ledger_file)


def test_an_inner_root_that_was_written_wrongly_shows_in_the_deep_check_only(
    ledger_file: Path,
) -> None:
    """Whoever writes a block may lie about its inner root: commitment and root agree then."""
    store = store_at(ledger_file)
    block = [one for one in store.read() if one.record.kind is RecordKind.BLOCK][-1]
    store.engine.dispose()
    fields = fields_of(block.record, recorded_at=block.recorded_at, salt=block.salt)
    wrong = Digest(b"\x01" * 32)
    assert seal(fields).inner_root != wrong
    change(ledger_file, inner_root=wrong, commitment=quick_commitment(fields, wrong))

    assert kinds(ledger_file) == set()
    assert kinds(ledger_file, deep=True) == {"commitment", "inner_root"}


@pytest.fixture
def many_blocks(tmp_path: Path) -> Path:
    """More blocks than the deep check decodes at once."""
    path = tmp_path / "many.db"
    ledger = production_ledger(path)
    for number in range(BLOCKS_AT_ONCE + 4):
        facts = [fact("RequestDefined", source_id=f"{number}-{n}") for n in range(3)]
        record(ledger, tmp_path, "RequestDefined", facts, batch(name=str(number)))
    ledger.store.engine.dispose()
    return path


def test_several_wrong_blocks_are_told_in_order_each_at_its_place(many_blocks: Path) -> None:
    blocks = [row for row in rows(many_blocks) if row["kind"] == RecordKind.BLOCK]
    wrong = [blocks[0], blocks[7], blocks[BLOCKS_AT_ONCE - 1], blocks[-1]]
    for row in wrong:
        place = row["position"]
        content = _plain(row)
        sql = "UPDATE record SET content = ?, content_coding = ? WHERE position = ?"
        tamper(many_blocks, (sql, (b"\xff" * len(content), CODING_PLAIN, place)))

    found = checked(many_blocks, deep=True).discrepancies

    positions = [int(one.position) for one in found]
    assert positions == sorted(positions)
    unreadable = [int(one.position) for one in found if one.kind == "content"]
    assert unreadable == [row["position"] for row in wrong]


def _plain(row: Row) -> bytes:
    """Return the content of a row without compression."""
    size = sum(decode_lengths(cell(row, "lengths")))
    coding = row["content_coding"]
    assert isinstance(coding, int)
    return unpacked(coding, cell(row, "content"), size=size)
