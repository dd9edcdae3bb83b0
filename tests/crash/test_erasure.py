"""kill -9 at every step of an erasure: not recorded, or told until the next one ends it."""

import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.cli import run
from tests.support.ledgers import embedded

pytestmark = [pytest.mark.crash, embedded]

ROOT = Path(__file__).parents[2]
ACT = "CdA/resolution/14/2023-01-30"
NAME = "Mario Rossi"


@pytest.fixture
def before(tmp_path: Path) -> Path:
    """A ledger with one act, adopted by a person."""
    folder = tmp_path / "before"
    folder.mkdir()
    ledger = ("--ledger", str(folder / "registro.db"))
    assert run(*ledger, "init", "--body", "X").code == 0
    adopted = run(
        *ledger, "act", "adopt", "CdA", "resolution", "2023-01-30", "plan", "--number", "14",
        "--as-of", "2023-01-30", "--actor", "DG", "--person", NAME,
    )  # fmt: skip
    assert adopted.code == 0, adopted.err
    return folder


def words_of(folder: Path) -> list[str]:
    """Return the command that erases the only person of a ledger."""
    ledger = ("--ledger", str(folder / "registro.db"))
    (only,) = run(*ledger, "subject", "list", "--json").json["subjects"]
    return [
        "subject", "erase", only["subject_id"], "--ground", "request", "--legal-basis", "art. 17",
        "--reason", "asked", "--act", ACT, "--approver", "RPCT", "--approver", "DPO@STAFF",
        "--actor", "DG",
    ]  # fmt: skip


def key_of(folder: Path) -> bytes | None:
    with closing(sqlite3.connect(folder / "registro.keys.db")) as connection:
        (key,) = connection.execute("SELECT key FROM subject_key").fetchone()
        return None if key is None else bytes(key)


def holds(folder: Path, key: bytes) -> bool:
    """Tell whether any file of a folder holds the bytes of a key."""
    return any(key in path.read_bytes() for path in folder.iterdir())


def state_of(folder: Path) -> tuple[bool, bool]:
    """Return whether the erasure is recorded and whether the key is there, as commands tell it."""
    ledger = ("--ledger", str(folder / "registro.db"))
    (only,) = run(*ledger, "subject", "list", "--json").json["subjects"]
    recorded = only["person"]["state"] == "erased"
    there = key_of(folder) is not None
    verified = run(*ledger, "verify", "--json")

    assert (verified.code, verified.json["clean"]) == (0, True)
    undone = [only["subject_id"]] if recorded and there else []
    assert verified.json["keys_to_destroy"] == undone
    assert only["key_to_destroy"] == bool(undone)
    assert ("subject erase" in run(*ledger, "verify").err) == bool(undone)
    return recorded, there


def test_an_erasure_killed_at_any_step_is_told_and_the_next_one_ends_it(
    before: Path, tmp_path: Path
) -> None:
    key = key_of(before)
    assert key is not None
    words = words_of(before)

    done = subprocess.run(
        [sys.executable, "-m", "tests.crash.erase_child", before, tmp_path / "killed", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    codes = [int(line) for line in done.stdout.split()]
    assert codes.pop() == 0, "the last erasure must reach its end unharmed"
    assert set(codes) == {-signal.SIGKILL}
    seen = set()
    for number in range(1, len(codes) + 1):
        folder = tmp_path / "killed" / str(number)
        seen.add(state_of(folder))
        again = run("--ledger", str(folder / "registro.db"), *words)
        assert again.code == 0, again.err
        assert state_of(folder) == (True, False)
        assert not holds(folder, key), number
    assert seen == {(False, True), (True, True), (True, False)}
