"""Temporary folders go at the end, and those of killed processes at the next run."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.errors import StoreError
from ledger.scratch import LOCK, PREFIX, remove_abandoned, scratch_folder

CHILD = """
import sys, time
from ledger.scratch import scratch_folder
with scratch_folder() as folder:
    (folder / "rows").write_text("kept")
    print(folder, flush=True)
    time.sleep(60)
"""


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A place for temporary files of its own; a process tidies up once in its life."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    remove_abandoned.cache_clear()
    yield tmp_path
    remove_abandoned.cache_clear()


@pytest.fixture
def child(place: Path) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """A process that uses a folder."""
    process = subprocess.Popen(
        [sys.executable, "-c", CHILD],
        env={**os.environ, "TMPDIR": str(place)},
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        yield process, Path(process.stdout.readline().strip())
        process.kill()


def test_a_folder_and_its_lock_go_at_the_end(place: Path) -> None:
    with scratch_folder() as folder:
        (folder / "rows").write_text("kept")
        assert folder.parent == place
        assert len(list(place.iterdir())) == 2
    assert list(place.iterdir()) == []


def test_a_folder_goes_when_its_user_fails(place: Path) -> None:
    with pytest.raises(ZeroDivisionError), scratch_folder() as folder:
        raise ZeroDivisionError(folder)
    assert list(place.iterdir()) == []


def test_what_a_killed_process_left_goes_at_the_next_run(
    place: Path, child: tuple[subprocess.Popen[str], Path]
) -> None:
    process, left = child
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert (left / "rows").read_text() == "kept"

    with scratch_folder() as folder:
        assert sorted(path.name for path in place.iterdir()) == sorted(
            [folder.name, folder.name + LOCK]
        )


def test_a_folder_in_use_stays(place: Path, child: tuple[subprocess.Popen[str], Path]) -> None:
    _, used = child
    with scratch_folder():
        assert (used / "rows").read_text() == "kept"
    assert used.with_name(used.name + LOCK).exists()
    assert used.parent == place


def test_what_is_nobodys_folder_stays(place: Path) -> None:
    (place / "registro-other").mkdir()
    (place / f"{PREFIX}unlocked").mkdir()

    with scratch_folder():
        pass

    assert {path.name for path in place.iterdir()} == {"registro-other", f"{PREFIX}unlocked"}


def test_a_place_without_room_is_told(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(place / "missing"))

    with pytest.raises(StoreError, match="TMPDIR"), scratch_folder():
        pass
