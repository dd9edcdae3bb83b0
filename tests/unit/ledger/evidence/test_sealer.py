"""Sealing: what is signed extends what was signed, or nothing is signed."""

import datetime as dt
from pathlib import Path

import pytest

from ledger.application import LedgerApplication
from ledger.evidence.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from ledger.evidence.files import LogFiles
from ledger.evidence.problems import (
    AlteredRecordError,
    KeyFileError,
    LogBusyError,
    LogConflictError,
    LogFileError,
    NoteFormatError,
    SignatureInvalidError,
    SignatureMissingError,
)
from ledger.evidence.sealer import seal, sealer_of
from ledger.evidence.tiles import TileReader
from ledger.store.mapper import AvroMapper
from ledger.types import Digest, TreeSize
from ledger.verification import verify
from tests.support.ledgers import FakeClock, new_ledger, reopened
from tests.support.sealing import (
    KEY,
    ORIGIN,
    OTHER_KEY,
    append_acts,
    files_of,
    flip,
    root_of_entries,
    root_of_tiles,
    sealed,
)
from tests.support.tampering import tamper


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest.fixture
def ledger(path: Path) -> LedgerApplication:
    return new_ledger(path)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


def test_the_head_is_that_of_the_verifier(ledger: LedgerApplication, log: Path) -> None:
    append_acts(ledger, range(10))

    result = sealed(ledger, log)

    head = verify(ledger.store, AvroMapper()).head
    assert (result.size, result.root) == (head.size, head.root)
    assert (result.added, result.origin) == (ledger.head(), ORIGIN)
    opened = open_checkpoint((log / "checkpoint").read_bytes(), [KEY.verifier])
    assert opened.checkpoint.root == head.root
    assert result.checkpoint == (log / "checkpoint").read_bytes()


def test_the_log_grows_with_the_ledger_past_a_full_tile(
    ledger: LedgerApplication, log: Path
) -> None:
    sealer = sealer_of(ledger, log, [KEY])
    for first in (0, 120, 240, 260):
        append_acts(ledger, range(first, first + 20 if first > 200 else first + 120))
        result = sealer.seal()
        head = verify(ledger.store, AvroMapper()).head
        reader = TileReader(log)
        assert (result.size, result.root) == (head.size, head.root)
        assert root_of_entries(reader, head.size) == root_of_tiles(reader, head.size) == head.root

    assert (log / "tile/0/000").is_file()
    assert not (log / "tile/0/000.p").exists()


def test_a_new_process_writes_the_files_that_one_process_writes(
    ledger: LedgerApplication, tmp_path: Path
) -> None:
    one = sealer_of(ledger, tmp_path / "one", [KEY])
    for first in range(0, 300, 100):
        append_acts(ledger, range(first, first + 100))
        one.seal()
        sealed(ledger, tmp_path / "many")

    assert files_of(tmp_path / "one") == files_of(tmp_path / "many")


def test_sealing_again_changes_nothing(ledger: LedgerApplication, log: Path) -> None:
    sealed(ledger, log)
    before = files_of(log)
    stamp = (log / "checkpoint").stat().st_mtime_ns

    again = sealed(ledger, log)

    assert (again.added, again.delay) == (0, dt.timedelta(0))
    assert files_of(log) == before
    assert (log / "checkpoint").stat().st_mtime_ns == stamp


def test_signatures_of_others_stay_while_nothing_is_new(
    ledger: LedgerApplication, log: Path
) -> None:
    sealed(ledger, log)
    note = (log / "checkpoint").read_bytes() + sign_checkpoint(
        Checkpoint(origin="x", size=TreeSize(0), root=Digest(bytes(32))), [OTHER_KEY]
    ).splitlines(keepends=True)[-1]
    (log / "checkpoint").write_bytes(note)

    assert sealed(ledger, log).checkpoint == note
    assert (log / "checkpoint").read_bytes() == note


def test_the_delay_is_that_of_the_oldest_record(ledger: LedgerApplication, log: Path) -> None:
    sealed(ledger, log)
    append_acts(ledger, [1])
    clock = ledger.clock
    assert isinstance(clock, FakeClock)
    clock.instant += dt.timedelta(seconds=100)
    append_acts(ledger, [2])

    delay = sealed(ledger, log).delay

    assert dt.timedelta(seconds=100) < delay < dt.timedelta(seconds=120)


def test_refuses_to_seal_without_a_key(ledger: LedgerApplication, log: Path) -> None:
    with pytest.raises(KeyFileError):
        seal(ledger, log, [])
    assert not log.exists()


def test_refuses_a_ledger_whose_past_was_changed(
    ledger: LedgerApplication, path: Path, log: Path
) -> None:
    append_acts(ledger, range(3))
    sealed(ledger, log)
    before = files_of(log)
    tamper(path, ("UPDATE record SET commitment = ? WHERE position = 2", (bytes(32),)))
    append_acts(ledger, [9])

    with pytest.raises(LogConflictError):
        sealed(ledger, log)

    assert files_of(log) == before


def test_refuses_a_ledger_that_became_shorter(
    ledger: LedgerApplication, path: Path, log: Path
) -> None:
    append_acts(ledger, range(3))
    size = sealed(ledger, log).size
    tamper(path, ("DELETE FROM record WHERE position = ?", (size,)))

    with pytest.raises(LogConflictError) as caught:
        sealed(ledger, log)

    assert caught.value.facts["actual"] == f"only {size - 1} records"


def test_refuses_another_ledger_in_the_same_folder(
    ledger: LedgerApplication, tmp_path: Path, log: Path
) -> None:
    append_acts(ledger, range(3))
    sealed(ledger, log)
    other = new_ledger(tmp_path / "other.db")
    append_acts(other, range(5), "other plan")

    with pytest.raises(LogConflictError):
        sealed(other, log)


def test_refuses_a_checkpoint_of_another_origin(ledger: LedgerApplication, log: Path) -> None:
    result = sealed(ledger, log)
    foreign = Checkpoint(origin="elsewhere.example", size=result.size, root=result.root)
    (log / "checkpoint").write_bytes(sign_checkpoint(foreign, [KEY]))

    with pytest.raises(LogConflictError) as caught:
        sealed(ledger, log)

    assert caught.value.facts["expected"] == "elsewhere.example"


def test_refuses_a_new_record_that_does_not_give_its_commitment(
    ledger: LedgerApplication, path: Path, log: Path
) -> None:
    sealed(ledger, log)
    before = files_of(log)
    append_acts(ledger, [1])
    last = ledger.head()
    tamper(path, ("UPDATE record SET recorded_at = recorded_at + 1 WHERE position = ?", (last,)))

    with pytest.raises(AlteredRecordError) as caught:
        sealed(ledger, log)

    assert caught.value.facts["position"] == str(last)
    assert (log / "checkpoint").read_bytes() == before["checkpoint"]


def test_refuses_a_last_checkpoint_with_a_broken_signature(
    ledger: LedgerApplication, log: Path
) -> None:
    sealed(ledger, log)
    data = (log / "checkpoint").read_bytes()
    (log / "checkpoint").write_bytes(data.replace(b"\n4\n", b"\n3\n"))
    append_acts(ledger, [1])

    with pytest.raises(SignatureInvalidError):
        sealed(ledger, log)


def test_refuses_a_last_checkpoint_that_a_stranger_signed(
    ledger: LedgerApplication, log: Path
) -> None:
    sealed(ledger, log, OTHER_KEY)

    with pytest.raises(SignatureMissingError):
        sealed(ledger, log, KEY)
    assert seal(ledger, log, [KEY], known=[OTHER_KEY.verifier]).added == 0


@pytest.mark.parametrize("data", [b"", b"garbage", b"\xff\xfe"])
def test_refuses_a_last_checkpoint_that_is_none(
    ledger: LedgerApplication, log: Path, data: bytes
) -> None:
    sealed(ledger, log)
    (log / "checkpoint").write_bytes(data)

    with pytest.raises(NoteFormatError):
        sealed(ledger, log)
    assert (log / "checkpoint").read_bytes() == data


def test_refuses_while_another_one_seals(ledger: LedgerApplication, log: Path) -> None:
    with LogFiles(log).locked(), pytest.raises(LogBusyError):
        sealed(ledger, log)
    assert sealed(ledger, log).added == ledger.head()


def test_refuses_to_overwrite_a_file_with_other_bytes(ledger: LedgerApplication, log: Path) -> None:
    sealed(ledger, log)
    flip(log / "tile/0/000.p/4", 3)
    (log / "checkpoint").unlink()

    with pytest.raises(LogFileError, match="other bytes"):
        sealed(ledger, log)
    assert not (log / "checkpoint").exists()


def test_a_checkpoint_changed_between_two_rounds_is_not_believed(
    ledger: LedgerApplication, log: Path
) -> None:
    sealer = sealer_of(ledger, log, [KEY])
    result = sealer.seal()
    forged = Checkpoint(origin=ORIGIN, size=result.size, root=Digest(bytes(32)))
    (log / "checkpoint").write_bytes(sign_checkpoint(forged, [KEY]))
    append_acts(ledger, [1])

    with pytest.raises(LogConflictError):
        sealer.seal()


def test_a_round_that_failed_is_repeated_from_the_store(
    ledger: LedgerApplication, path: Path, log: Path
) -> None:
    sealer = sealer_of(ledger, log, [KEY])
    sealer.seal()
    append_acts(ledger, range(3))
    last = ledger.head()
    tamper(path, ("UPDATE record SET recorded_at = recorded_at + 1 WHERE position = ?", (last,)))
    with pytest.raises(AlteredRecordError):
        sealer.seal()
    tamper(path, ("UPDATE record SET recorded_at = recorded_at - 1 WHERE position = ?", (last,)))

    assert sealer.seal().root == verify(reopened(path).store, AvroMapper()).head.root
