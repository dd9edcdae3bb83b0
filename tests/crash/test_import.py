"""kill -9 at every step of an import: whole or absent, a second run completes, no event twice."""

import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from ledger.application import LedgerApplication
from ledger.intake.importer import Mode, import_folder
from tests.support.folders import (
    both,
    cell,
    event_ids,
    events_of,
    known_facts,
    replayed,
    small_folder,
)
from tests.support.ledgers import CountingEntropy, FakeClock, new_ledger, reopened, store_at

pytestmark = pytest.mark.crash

ROOT = Path(__file__).parents[2]

STORE_POINTS = ("before_lock", "locked", "before_insert", "before_commit", "committed")
"""Fault points of one append, in order; an import is one append."""

TABLES = ("units.csv", "acts.csv", "documents.csv", "ieep.csv", "risk_matrix.csv")
"""Enough for several streams; few rows, because every row is a point."""

BAD = both(cell("units.csv", 6, "name", " Gare"), cell("ieep.csv", 4, "closing", "1.234,56"))


def run_child(work: str, path: Path, number: int, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run an import in a process that kills itself at the n-th point."""
    return subprocess.run(
        [sys.executable, "-m", "tests.crash.child", work, str(path), str(number), str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def created(path: Path) -> int:
    """Create a ledger in a file and return its head."""
    ledger = new_ledger(path)
    head = ledger.head()
    ledger.store.engine.dispose()
    return head


def require_sound(ledger: LedgerApplication) -> None:
    """Require dense positions, contiguous versions and no event twice."""
    events = events_of(ledger)
    positions = [event.position for event in events]
    assert positions == list(range(1, len(events) + 1))
    assert ledger.store.count() == len(events) == ledger.head()
    assert not [name for name, times in Counter(e.event_id for e in events).items() if times > 1]
    versions: dict[str, list[int]] = {}
    for event in events:
        versions.setdefault(event.stream, []).append(event.stream_version)
    assert all(found == list(range(1, len(found) + 1)) for found in versions.values())


def undisturbed(folder: Path, *, mode: Mode, tmp_path: Path) -> LedgerApplication:
    """Return a ledger into which a folder was imported in peace."""
    ledger = new_ledger(tmp_path / "undisturbed.db")
    import_folder(ledger, folder, mode=mode, rejects_to=tmp_path / "undisturbed.rejects")
    return ledger


def test_the_points_are_all_those_that_an_import_passes(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    created(path)
    clock, entropy = FakeClock(), CountingEntropy()
    passed: list[str] = []
    store = store_at(path, clock=clock, entropy=entropy, fault_point=passed.append)
    ledger = LedgerApplication.open(store, clock=clock, entropy=entropy)

    import_folder(ledger, small_folder(tmp_path / "small"))

    assert passed == [f"append.{point}" for point in STORE_POINTS]


@pytest.mark.parametrize("number", range(1, len(STORE_POINTS) + 2))
def test_an_import_killed_at_any_step_of_the_append_is_whole_or_absent(
    number: int, tmp_path: Path
) -> None:
    folder = small_folder(tmp_path / "small")
    path = tmp_path / "ledger.db"
    before = created(path)
    whole = undisturbed(folder, mode=Mode.WHOLE, tmp_path=tmp_path)

    killed = run_child("import_whole", path, number, folder)
    after_kill = reopened(path)
    require_sound(after_kill)
    head_after_kill = after_kill.head()
    again = import_folder(after_kill, folder)

    last = number > len(STORE_POINTS)
    committed = number >= STORE_POINTS.index("committed") + 1
    assert killed.returncode == (0 if last else -signal.SIGKILL), killed.stderr
    assert head_after_kill == (whole.head() if committed else before)
    assert (again.problems, again.events > 0) == ((), not committed)
    after_kill.store.engine.dispose()
    ledger = reopened(path)
    require_sound(ledger)
    assert ledger.head() == whole.head()
    assert event_ids(ledger) == event_ids(whole)
    assert known_facts(ledger) == known_facts(whole)
    assert replayed(ledger).digest == replayed(whole).digest


def test_an_import_by_rows_killed_anywhere_is_completed_by_the_next(tmp_path: Path) -> None:
    folder = small_folder(tmp_path / "small", *TABLES)
    BAD(folder)
    whole = undisturbed(folder, mode=Mode.ROWS, tmp_path=tmp_path)
    rows = sum((folder / name).read_bytes().count(b"\n") - 1 for name in TABLES) - 2
    rejected = 2
    first_row, last_row, first_reject = 1, rows, rows + len(STORE_POINTS) + 1
    steps = (first_row, rows // 2, last_row, first_reject - 1, first_reject, first_reject + 1)

    for number in steps:
        run = tmp_path / str(number)
        run.mkdir()
        copy = small_folder(run / "small", *TABLES)
        BAD(copy)
        path = run / "ledger.db"
        before = created(path)

        killed = run_child("import_rows", path, number, copy)
        after_kill = reopened(path)
        require_sound(after_kill)
        head_after_kill = after_kill.head()
        left = [entry.name for entry in run.iterdir() if entry.is_dir() and entry != copy]
        import_folder(after_kill, copy, mode=Mode.ROWS)
        after_kill.store.engine.dispose()

        assert killed.returncode == -signal.SIGKILL, (number, killed.stderr)
        assert head_after_kill == (before if number <= last_row else whole.head()), number
        assert "small.rejects" not in left, "no folder of rejects before it is complete"
        ledger = reopened(path)
        require_sound(ledger)
        assert known_facts(ledger) == known_facts(whole), number
        kept = {entry.name: entry.read_bytes() for entry in (run / "small.rejects").iterdir()}
        assert kept == {
            entry.name: entry.read_bytes() for entry in (tmp_path / "undisturbed.rejects").iterdir()
        }
    assert first_reject + rejected - 1 == steps[-1]
