"""Temporary folders that do not outlive what uses them by more than one run.

A process that is killed cannot tidy up. Each folder therefore has a lock file beside it, which the
system unlocks whatever ends the process; the next run removes the folders whose locks are free.

Invariants:
1. A folder that is in use is never removed by another process, on this machine or on another that
   shares the place.
2. What cannot be removed stays; nobody is kept from working by it.

Source: docs/operating.md.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Final

from ledger.errors import StoreError

PREFIX: Final = "registro-scratch-"
"""What the names of folders and locks begin with."""
LOCK: Final = ".lock"
"""What the name of a lock ends with; its folder has the name without it."""


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Give an empty folder that goes at the end; the first one of a process tidies up.

    Raises:
        StoreError: no folder can be made in the place for temporary files.
    """
    place = Path(tempfile.gettempdir())
    remove_abandoned(place)
    try:
        held, lock = _lock(place)
        folder = lock.with_suffix("")
        folder.mkdir(mode=0o700)
    except OSError as error:
        raise StoreError(
            store=str(place),
            reason=f"no temporary folder can be made there: {error.strerror}; "
            "make room there, or name another folder in TMPDIR",
        ) from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        with suppress(OSError):
            lock.unlink()
        os.close(held)


@cache
def remove_abandoned(place: Path) -> None:
    """Remove folders that a killed process left behind, once in the life of this one."""
    for lock in sorted(place.glob(f"{PREFIX}*{LOCK}")):
        # Another account's, or one that goes at this moment.
        with suppress(OSError):
            _remove_if_free(lock)


def _remove_if_free(lock: Path) -> None:
    held = os.open(lock, os.O_RDWR)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(lock.with_suffix(""), ignore_errors=True)
        lock.unlink()
    finally:
        os.close(held)


def _lock(place: Path) -> tuple[int, Path]:
    """Return a new lock file, held."""
    while True:
        held, name = tempfile.mkstemp(prefix=PREFIX, suffix=LOCK, dir=place)
        fcntl.flock(held, fcntl.LOCK_EX)
        # Whoever tidied up between the two lines has removed it.
        if os.fstat(held).st_nlink:
            return held, Path(name)
        os.close(held)
