"""Write the files of a log directory so that no crash and no second writer can spoil it.

Invariants:
1. A tile appears under its name whole or not at all: written elsewhere, synced, renamed.
2. A tile that is there already is compared, never overwritten.
3. The checkpoint is replaced by one rename, after everything it covers is on the disk.
4. One process writes at a time; its lock dies with it.

Source: docs/adr/0011-evidence.md.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ledger.evidence.problems import LogBusyError, LogFileError
from ledger.evidence.tiles import CHECKPOINT, TILE_WIDTH, TileFile, tile_path
from ledger.store.store import FaultPoint

LOCK: Final = ".lock"
INCOMING: Final = ".incoming"
"""Folder of files that are not whole yet."""


class LogFiles:
    """The writing side of a log directory; used under `locked`."""

    def __init__(self, directory: Path, *, fault_point: FaultPoint = lambda _: None) -> None:
        self.directory = directory
        self._fault_point = fault_point
        self._touched: set[Path] = set()

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the directory for one writer.

        Raises:
            LogBusyError: another process holds it.
            LogFileError: the directory cannot be written.
        """
        with self._translated(str(self.directory)):
            if not self.directory.is_dir():
                self.directory.mkdir(parents=True, exist_ok=True)
                _sync_folder(self.directory.absolute().parent)
            handle = os.open(self.directory / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise LogBusyError(directory=str(self.directory)) from error
            self._fault_point("seal.locked")
            self._clear_incoming()
            yield
        finally:
            os.close(handle)

    def write_tile(self, file: TileFile) -> None:
        """Write a tile or a bundle, once.

        Raises:
            LogFileError: there is one with other bytes already.
        """
        self._write_once(file.path, file.data, step="seal.tile")

    def write_beside(self, name: str, data: bytes) -> None:
        """Write a file beside the checkpoint, once.

        Raises:
            LogFileError: there is one with other bytes already.
        """
        self._write_once(name, data, step="seal.beside")
        self.sync()

    def write_checkpoint(self, data: bytes) -> None:
        """Replace the checkpoint; everything written before is on the disk first.

        Raises:
            LogFileError: it cannot be written.
        """
        self.sync()
        self._fault_point("seal.tiles_synced")
        self._place(self.directory / CHECKPOINT, data, step="seal.checkpoint")
        self.sync()
        self._fault_point("seal.checkpoint.synced")

    def prune_partials(self, *, old_size: int, new_size: int) -> None:
        """Remove the partial forms of tiles that became full between two sizes."""
        levels: list[tuple[int | str, int, int]] = [("entries", old_size, new_size)]
        level, old, new = 0, old_size, new_size
        while new >= TILE_WIDTH:
            levels.append((level, old, new))
            level, old, new = level + 1, old // TILE_WIDTH, new // TILE_WIDTH
        for name, before, after in levels:
            index = before // TILE_WIDTH
            if after // TILE_WIDTH > index:
                self._remove_partials(self.directory / (tile_path(name, index) + ".p"))

    def sync(self) -> None:
        """Bring the names of new files to the disk."""
        with self._translated(str(self.directory)):
            for folder in sorted(self._touched):
                _sync_folder(folder)
        self._touched.clear()

    def _remove_partials(self, folder: Path) -> None:
        if not folder.is_dir():
            return
        with self._translated(str(folder)):
            for path in sorted(folder.iterdir()):
                self._fault_point("seal.prune")
                path.unlink()
            folder.rmdir()

    def _write_once(self, path: str, data: bytes, *, step: str) -> None:
        target = self.directory / path
        with self._translated(path):
            if target.exists():
                if target.read_bytes() != data:
                    raise LogFileError(path=path, reason="it is there already with other bytes")
                self._touch(target.parent)
                return
        self._place(target, data, step=step)

    def _place(self, target: Path, data: bytes, *, step: str) -> None:
        with self._translated(str(target)):
            incoming = self.directory / INCOMING
            incoming.mkdir(exist_ok=True)
            temporary = incoming / "file"
            self._fault_point(f"{step}.before")
            with temporary.open("wb") as file:
                file.write(data)
                file.flush()
                self._fault_point(f"{step}.written")
                os.fsync(file.fileno())
            target.parent.mkdir(parents=True, exist_ok=True)
            temporary.replace(target)
            self._touch(target.parent)
            self._fault_point(f"{step}.renamed")

    def _touch(self, folder: Path) -> None:
        # A new folder is a new name in the one above it, up to the log directory.
        while folder not in self._touched:
            self._touched.add(folder)
            if folder == self.directory:
                return
            folder = folder.parent

    def _clear_incoming(self) -> None:
        with self._translated(INCOMING):
            for left in (self.directory / INCOMING).glob("*"):
                left.unlink()

    @staticmethod
    @contextlib.contextmanager
    def _translated(path: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise LogFileError(path=path, reason=str(error)) from error


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
