"""kill -9 at every step of an append: nothing half-written, a retry completes, no duplicate."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ledger.events.acts import ActAdopted, ActReferenceCorrected
from tests.support.ledgers import new_ledger, reopened

pytestmark = pytest.mark.crash

ROOT = Path(__file__).parents[2]
POINTS_MAX = 50


def run_child(work: str, path: Path, number: int, *extra: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.crash.child", work, str(path), str(number), *extra],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_an_append_killed_at_any_step_is_whole_or_absent(tmp_path: Path) -> None:
    outcomes = []
    for number in range(1, POINTS_MAX):
        path = tmp_path / f"{number}.db"
        new_ledger(path).store.engine.dispose()
        before = reopened(path).head()

        killed = run_child("append", path, number)

        after_kill = reopened(path).head()
        retried = run_child("append", path, 0)
        ledger = reopened(path)
        events = [type(r.event) for r in ledger.read(limit=100)]
        assert retried.stdout.strip() == "done", retried.stderr
        assert after_kill in {before, ledger.head()}
        assert events.count(ActAdopted) == 1
        assert events.count(ActReferenceCorrected) == 1
        outcomes.append((killed.returncode, after_kill == before))
        if killed.returncode == 0:
            break

    assert outcomes[-1] == (0, False), "the last run must reach the end unharmed"
    assert (-signal.SIGKILL, True) in outcomes
    assert (-signal.SIGKILL, False) in outcomes
