"""kill -9 at every step of a batch of facts, a full disk, two writers: whole or absent, once."""

import itertools
import signal
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ledger.application import LedgerApplication
from ledger.verification import verify
from tests.crash.child_ingest import ingest, passed
from tests.support.ledgers import reopened
from tests.support.production import production_ledger, recorded_facts

pytestmark = pytest.mark.crash

ROOT = Path(__file__).parents[2]
NAME = "StockCounted"
ROWS = 5000
"""Two blocks, several pieces."""
STORE_POINTS = ("before_lock", "locked", "before_insert", "before_commit", "committed")

Ran = subprocess.CompletedProcess[str]


def run_child(work: str, path: Path, file: Path, number: int) -> Ran:
    words = ["-m", "tests.crash.child_ingest", work, str(path), str(file), str(number)]
    return subprocess.run(
        [sys.executable, *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def at_once(*runs: tuple[str, Path, Path, int]) -> Sequence[Ran]:
    """Run children, two at a time."""
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(lambda words: run_child(*words), runs))


def created(path: Path) -> int:
    """Create the ledger of the small body in a file and return its head."""
    ledger = production_ledger(path)
    head = ledger.head()
    ledger.store.engine.dispose()
    return head


def written(folder: Path, rows: int = ROWS) -> Path:
    """Write a file of facts, one of which is refused and one corrected."""
    lines = [f"{n:08x},P1,DP1,2023-03-31,{n % 1000},,false" for n in range(rows)]
    lines[3] = lines[3].replace("DP1", "NOWHERE")
    lines[rows - 1] = f"last,P1,DP1,2023-03-31,7,{0:08x},false"
    path = folder / "facts.csv"
    head = "source_id,product,unit,counted_on,pieces,supersedes,reversal"
    path.write_text("\n".join([head, *lines, ""]))
    return path


def require_sound(ledger: LedgerApplication) -> None:
    """Require that nothing is half-written: every position, version, commitment and part."""
    checked = verify(ledger.store, ledger.avro, deep=True)
    assert checked.discrepancies == ()
    assert ledger.store.count() == ledger.head()


def require_whole(ledger: LedgerApplication, rows: int = ROWS) -> None:
    """Require that every fact is there once: those of the file, and the reversal."""
    require_sound(ledger)
    facts = recorded_facts(ledger, NAME)
    assert facts.height == rows
    assert facts.get_column("source_id").n_unique() == rows
    assert facts.filter("reversal").height == 1


def test_a_batch_killed_at_any_step_is_whole_or_absent(tmp_path: Path) -> None:
    file = written(tmp_path)
    created(tmp_path / "whole.db")
    points = passed(tmp_path / "whole.db", file)
    appended = len(points) - points[::-1].index("append.committed")
    assert {f"append.{name}" for name in STORE_POINTS} <= set(points[-7:])
    assert points.count("read") > 2
    # The last of those that are alike is enough, and so is the end of the release of the schema,
    # which is an append of its own.
    release = points.index("append.committed")
    steps = [
        number
        for number, (point, following) in enumerate(itertools.pairwise([*points, ""]), 1)
        if point != following and (number > release or not point.startswith("append."))
    ]
    paths = {number: tmp_path / f"{number}.db" for number in [*steps, len(points) + 1]}
    before = {number: created(path) for number, path in paths.items()}

    ran = at_once(*(("killed", path, file, number) for number, path in paths.items()))

    for (number, path), child in zip(paths.items(), ran, strict=True):
        ledger = reopened(path)
        require_sound(ledger)
        last = number > len(points)
        assert child.returncode == (0 if last else -signal.SIGKILL), (number, child.stderr)
        committed = number >= appended
        assert recorded_facts(ledger, NAME).height == (ROWS if committed else 0), points[number - 1]
        again = ingest(ledger, file, lambda _: None)
        assert (again.repeated, again.facts) == (committed, ROWS)
        require_whole(ledger)
        assert ledger.head() == before[number] + 1 + 2
        ledger.store.engine.dispose()


def test_two_processes_with_one_batch_record_it_once(tmp_path: Path) -> None:
    file, path = written(tmp_path), tmp_path / "ledger.db"
    created(path)
    ran = at_once(*[("killed", path, file, 0)] * 3)
    assert [(child.returncode, child.stdout) for child in ran] == [(0, f"facts {ROWS}\n")] * 3
    require_whole(reopened(path))


def test_a_full_disk_is_told_and_leaves_the_ledger_as_it_was(tmp_path: Path) -> None:
    rows = 60_000
    file = written(tmp_path, rows)
    paths = [tmp_path / "store.db", tmp_path / "spool.db"]
    before = [created(path) for path in paths]
    size = paths[0].stat().st_size

    # Pieces of the spool fit, the transaction does not; in the other not even the pieces do.
    store, spool = at_once(
        ("full", paths[0], file, size + (1 << 16)), ("full", paths[1], file, 1 << 12)
    )

    assert (store.returncode, spool.returncode) == (0, 0), store.stderr + spool.stderr
    assert store.stdout.startswith("store_unavailable store "), store.stdout
    assert spool.stdout.startswith("store store "), spool.stdout
    assert "TMPDIR" in spool.stdout
    for path, head in zip(paths, before, strict=True):
        ledger = reopened(path)
        require_sound(ledger)
        assert recorded_facts(ledger, NAME).is_empty()
        assert ledger.head() in {head, head + 1}, "the schema may have been released"
        assert ingest(ledger, file, lambda _: None).facts == rows
        require_whole(ledger, rows)
