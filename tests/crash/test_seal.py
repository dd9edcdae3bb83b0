"""kill -9 at every step of a seal: the log is always valid, and the next seal completes it."""

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ledger.evidence.check import check_log, compare_head, judge
from ledger.evidence.problems import LogBusyError, LogMissingError
from ledger.evidence.tiles import TileReader
from ledger.types import TreeSize
from tests.support.ledgers import new_ledger, reopened
from tests.support.sealing import KEY, ORIGIN, append_acts, files_of, sealed

pytestmark = pytest.mark.crash

ROOT = Path(__file__).parents[2]
WORD = [sys.executable, "-m", "tests.crash.seal_child"]


def killed_at_every_step(ledger: Path, before: Path, folder: Path) -> list[int]:
    """Return how each seal ended; the log of the n-th one is in `folder / n`, counted from 1."""
    ran = subprocess.run(
        [*WORD, "seal", str(ledger), str(before), str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    codes = [int(line) for line in ran.stdout.split()]
    assert codes.pop() == 0, "the last seal must reach its end unharmed"
    assert set(codes) == {-signal.SIGKILL}
    return [*codes, 0]


def size_of(log: Path) -> TreeSize:
    """Return how many records a valid log covers, 0 for one that has no checkpoint yet."""
    reader = TileReader(log)
    try:
        data = reader.checkpoint()
    except LogMissingError:
        return TreeSize(0)
    judged = judge(data, [KEY.verifier], origin=ORIGIN)
    size = judged.checkpoint.size
    checked = check_log(reader, size)
    compared = compare_head(judged.checkpoint, checked.roots, records=checked.leaves)
    assert (*judged.discrepancies, *checked.discrepancies, *compared) == ()
    return size


def test_a_seal_killed_at_any_step_leaves_a_valid_log(tmp_path: Path) -> None:
    """From 250 records to 260, so that a full tile, partial ones and their removal are among it."""
    ledger = new_ledger(tmp_path / "ledger.db")
    append_acts(ledger, range(245))
    before = tmp_path / "before"
    old = sealed(ledger, before).size
    append_acts(ledger, range(245, 255))
    whole = tmp_path / "whole"
    shutil.copytree(before, whole)
    new = sealed(ledger, whole).size
    expected = files_of(whole)
    assert old < 256 < new
    ledger.store.engine.dispose()
    sizes = set()

    codes = killed_at_every_step(tmp_path / "ledger.db", before, tmp_path / "logs")

    for number in range(1, len(codes) + 1):
        log = tmp_path / "logs" / str(number)
        sizes.add(size_of(log))
        again = sealed(reopened(tmp_path / "ledger.db"), log)
        assert (again.size, size_of(log)) == (new, new), number
        # Partial tiles that became useless may be left when the kill fell between two removals.
        found = files_of(log)
        assert all(".p/" in path for path in set(found) - set(expected))
        assert {path: found[path] for path in expected} == expected
    assert sizes == {old, new}
    assert len(codes) > len(expected) + 3


def test_the_first_seal_killed_at_any_step_can_be_repeated(tmp_path: Path) -> None:
    ledger = new_ledger(tmp_path / "ledger.db")
    size = ledger.head()
    ledger.store.engine.dispose()
    sizes = set()

    codes = killed_at_every_step(tmp_path / "ledger.db", tmp_path / "none", tmp_path / "logs")

    for number in range(1, len(codes) + 1):
        log = tmp_path / "logs" / str(number)
        sizes.add(size_of(log))
        assert sealed(reopened(tmp_path / "ledger.db"), log).size == size
        assert size_of(log) == size
    assert sizes == {0, size}


def test_a_second_sealer_is_refused_and_a_killed_one_holds_nothing(tmp_path: Path) -> None:
    ledger = new_ledger(tmp_path / "ledger.db")
    log = tmp_path / "log"
    holder = subprocess.Popen(
        [*WORD, "hold", str(log)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"

        with pytest.raises(LogBusyError):
            sealed(ledger, log)
        holder.kill()

    assert sealed(ledger, log).size == ledger.head()
