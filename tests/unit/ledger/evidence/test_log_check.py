"""Tampering with the log, the ledger or both: what our own check finds, and what only others can.

Each row of the acceptance matrix of the transparency research is one test here.
"""

from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

import pytest

from ledger.application import LedgerApplication
from ledger.discrepancy import Discrepancy
from ledger.evidence.check import OLDER, PRESENT, LogChecked, check_log, compare_head, judge
from ledger.evidence.checkpoint import open_checkpoint, sign_checkpoint
from ledger.evidence.leaves import StoreLeaves
from ledger.evidence.note import sign_note
from ledger.evidence.policy import Policy
from ledger.evidence.problems import NoteFormatError
from ledger.evidence.tiles import TileReader
from ledger.types import Position
from tests.support.ledgers import new_ledger
from tests.support.sealing import (
    KEY,
    ORIGIN,
    OTHER_KEY,
    OTHER_WITNESS,
    WITNESS,
    append_acts,
    flip,
    sealed,
)
from tests.support.tampering import tamper

RECORDS = 300
LEDGER_ID = UUID("00000000-0000-4000-8000-000000000001")


def build(folder: Path, *, count: int = RECORDS, subject: str = "plan") -> LedgerApplication:
    folder.mkdir(exist_ok=True)
    ledger = new_ledger(folder / "ledger.db")
    append_acts(ledger, range(count), subject)
    sealed(ledger, folder / "log")
    return ledger


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> tuple[LedgerApplication, Path]:
    folder = tmp_path_factory.mktemp("original")
    return build(folder), folder


@pytest.fixture
def log(original: tuple[LedgerApplication, Path], tmp_path: Path) -> Path:
    copy = tmp_path / "log"
    source = original[1] / "log"
    for path in source.rglob("*"):
        if path.is_file():
            target = copy / path.relative_to(source)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    return copy


def audited(
    log: Path, ledger: LedgerApplication | None = None, *, kept: bytes | None = None
) -> list[Discrepancy]:
    """Return everything found: checkpoint, directory, ledger, older checkpoint kept outside."""
    reader = TileReader(log)
    judged = judge(reader.checkpoint(), [KEY.verifier], origin=ORIGIN)
    older = None if kept is None else judge(kept, [KEY.verifier], origin=ORIGIN, kind=OLDER)
    size = judged.checkpoint.size
    expected = None
    if ledger is not None:
        leaves = StoreLeaves(ledger.store, LEDGER_ID)
        through = Position(min(size, ledger.head()))
        expected = (one.leaf for one in leaves.recomputed(through=through, believed=False))
    sizes = [] if older is None else [older.checkpoint.size]
    found: LogChecked = check_log(reader, size, sizes=sizes, ledger_id=LEDGER_ID, expected=expected)
    heads: Sequence[Discrepancy] = compare_head(
        judged.checkpoint, found.roots, records=found.leaves
    )
    old: Sequence[Discrepancy] = ()
    if older is not None:
        old = (
            *older.discrepancies,
            *compare_head(older.checkpoint, found.roots, records=found.leaves, kind=OLDER),
        )
    return [*judged.discrepancies, *found.discrepancies, *heads, *old]


def kinds(found: Sequence[Discrepancy]) -> set[str]:
    return {one.kind for one in found}


def test_an_untouched_log_is_clean(original: tuple[LedgerApplication, Path], log: Path) -> None:
    kept = (log / "checkpoint").read_bytes()

    assert audited(log, original[0], kept=kept) == []
    assert audited(log) == []


def test_a_flipped_byte_in_an_entry_bundle_is_found(
    original: tuple[LedgerApplication, Path], log: Path
) -> None:
    flip(log / "tile/entries/000", 5 * 60 + 50)

    found = audited(log, original[0])

    assert kinds(found) == {"log_ledger", "log_tile", PRESENT}
    (entry,) = (one for one in found if one.kind == "log_ledger")
    assert entry.position == "6"
    assert entry.facts["expected"] != entry.facts["found"]


@pytest.mark.parametrize(("offset", "reason"), [(2, "entry_form"), (5, "entry_ledger")])
def test_a_flipped_byte_in_the_head_of_a_leaf_is_named(log: Path, offset: int, reason: str) -> None:
    flip(log / "tile/entries/000", 7 * 60 + offset)

    found = audited(log)

    assert reason in {one.reason for one in found}
    assert "8" in {one.position for one in found}


def test_a_flipped_byte_in_a_length_makes_the_bundle_unreadable(log: Path) -> None:
    flip(log / "tile/entries/000", 1)

    assert "log_file" in kinds(audited(log))


@pytest.mark.parametrize("path", ["tile/0/000", "tile/0/001.p/48", "tile/1/000.p/1"])
def test_a_flipped_byte_in_a_tile_is_found(log: Path, path: str) -> None:
    size = open_checkpoint((log / "checkpoint").read_bytes(), [KEY.verifier]).checkpoint.size
    assert size == RECORDS + 5
    flip(log / path.replace("48", str(size - 256)), 3)

    found = audited(log)

    assert kinds(found) == {"log_tile"}
    assert [one.facts["place"] for one in found] == ["0"]


def test_two_entries_that_changed_places_are_found(log: Path) -> None:
    path = log / "tile/entries/000"
    data = path.read_bytes()
    path.write_bytes(data[60:120] + data[:60] + data[120:])

    found = audited(log)

    assert {one.position for one in found if one.kind == "log_entry"} == {"1", "2"}
    assert PRESENT in kinds(found)


def test_a_dropped_entry_is_found(log: Path) -> None:
    path = log / "tile/entries/000"
    data = path.read_bytes()
    path.write_bytes(data[:60] + data[120:])

    assert "log_file" in kinds(audited(log))


@pytest.mark.parametrize("path", ["tile/entries/000", "tile/0/000", "tile/1/000.p/1"])
def test_a_missing_file_is_found(log: Path, path: str) -> None:
    (log / path).unlink()

    found = audited(log)

    assert any(one.kind == "log_file" and one.facts["path"].startswith(path) for one in found)


def test_a_changed_payload_is_found_though_the_stored_commitment_is_as_it_was(
    tmp_path: Path,
) -> None:
    ledger = build(tmp_path, count=5)
    where = "UPDATE record SET recorded_at = recorded_at + 1 WHERE position = 9"
    tamper(tmp_path / "ledger.db", (where, ()))

    found = audited(tmp_path / "log", ledger)

    assert [(one.kind, one.position) for one in found] == [("log_ledger", "9")]


def test_a_log_that_covers_more_than_the_ledger_is_found(tmp_path: Path) -> None:
    ledger = build(tmp_path, count=5)
    tamper(tmp_path / "ledger.db", ("DELETE FROM record WHERE position > 8", ()))

    found = audited(tmp_path / "log", ledger)

    assert [(one.reason, one.position) for one in found] == [("ledger_shorter", "9")]


def test_a_changed_checkpoint_is_found(log: Path) -> None:
    path = log / "checkpoint"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join([lines[0], "299\n", *lines[2:]]), encoding="utf-8")

    assert "signature_bad" in {one.reason for one in audited(log)}


def test_a_log_rebuilt_under_the_old_head_is_found(
    log: Path, original: tuple[LedgerApplication, Path], tmp_path: Path
) -> None:
    build(tmp_path / "forged", subject="other plan")
    forged = tmp_path / "forged" / "log"
    (forged / "checkpoint").write_bytes((log / "checkpoint").read_bytes())

    found = audited(forged, original[0])

    assert {PRESENT, "log_ledger"} <= kinds(found)
    assert "checkpoint_root" in {one.reason for one in found}


def test_a_log_rolled_back_to_an_older_directory_shows_only_against_a_head_kept_outside(
    tmp_path: Path, log: Path
) -> None:
    kept = (log / "checkpoint").read_bytes()
    ledger = build(tmp_path / "early", count=RECORDS - 50)

    assert audited(tmp_path / "early" / "log", ledger) == []
    found = audited(tmp_path / "early" / "log", ledger, kept=kept)
    assert [(one.kind, one.reason) for one in found] == [(OLDER, "checkpoint_longer")]


def test_a_ledger_rebuilt_and_signed_anew_shows_only_against_a_head_kept_outside(
    tmp_path: Path, log: Path
) -> None:
    kept = (log / "checkpoint").read_bytes()
    ledger = build(tmp_path / "forged", count=RECORDS + 20, subject="other plan")

    assert audited(tmp_path / "forged" / "log", ledger) == []
    found = audited(tmp_path / "forged" / "log", ledger, kept=kept)
    assert [(one.kind, one.reason) for one in found] == [(OLDER, "checkpoint_root")]


def test_a_ledger_cut_and_signed_anew_shows_only_against_a_head_kept_outside(
    tmp_path: Path,
) -> None:
    ledger = build(tmp_path, count=20)
    kept = (tmp_path / "log" / "checkpoint").read_bytes()
    tamper(tmp_path / "ledger.db", ("DELETE FROM record WHERE position > 15", ()))
    sealed(ledger, tmp_path / "cut")

    assert audited(tmp_path / "cut", ledger) == []
    found = audited(tmp_path / "cut", ledger, kept=kept)
    assert [(one.kind, one.reason) for one in found] == [(OLDER, "checkpoint_longer")]
    assert (found[0].facts["expected"], found[0].facts["found"]) == ("25", "15")


def test_a_checkpoint_of_another_key_or_ledger_is_told(log: Path) -> None:
    data = (log / "checkpoint").read_bytes()

    strange = judge(data, [OTHER_KEY.verifier], origin=ORIGIN)
    elsewhere = judge(data, [KEY.verifier], origin="elsewhere.example")

    assert [one.reason for one in strange.discrepancies] == ["signature_unknown"]
    assert [one.reason for one in elsewhere.discrepancies] == ["checkpoint_origin"]


def test_a_file_that_is_no_checkpoint_cannot_be_judged() -> None:
    with pytest.raises(NoteFormatError):
        judge(b"nothing", [KEY.verifier])


def test_too_few_witnesses_are_told(log: Path) -> None:
    data = (log / "checkpoint").read_bytes()
    opened = open_checkpoint(data, [KEY.verifier])
    cosigned = sign_note(opened.note.text, [WITNESS], keep=opened.note.signatures, at=5)
    witnesses = {"first": WITNESS.verifier, "second": OTHER_WITNESS.verifier}
    asks = [Policy(log=(KEY.verifier,), witnesses=witnesses, quorum=count) for count in (0, 1, 2)]

    found = [judge(cosigned, [KEY.verifier], policy=policy) for policy in asks]

    assert [[one.reason for one in each.discrepancies] for each in found] == [[], [], ["quorum"]]
    assert {each.witnesses for each in found} == {("first",)}


def test_a_forged_line_of_a_witness_is_told(log: Path) -> None:
    opened = open_checkpoint((log / "checkpoint").read_bytes(), [KEY.verifier])
    forged = sign_note("other\n", [WITNESS], at=5).splitlines(keepends=True)[-1]
    data = sign_checkpoint(opened.checkpoint, [KEY]) + forged
    policy = Policy(log=(KEY.verifier,), witnesses={"w": WITNESS.verifier}, quorum=0)

    judged = judge(data, [KEY.verifier], policy=policy)

    assert [one.reason for one in judged.discrepancies] == ["signature_bad"]
