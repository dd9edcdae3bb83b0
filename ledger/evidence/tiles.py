"""The log directory: leaves in bundles, hashes in tiles, as static files that anybody can check.

    checkpoint                      the signed head
    tile/<L>/<N>[.p/<W>]            256 hashes of level L, or the first W of them
    tile/entries/<N>[.p/<W>]        the leaves, each with its length in front (u16 big-endian)

Invariants:
1. A file that is there is never overwritten: it must hold the same bytes already, or the log stops.
2. A hash of level L+1 is the root of a full tile of level L; partial tiles are not hashed upward.

Source: C2SP tlog-tiles; RFC 6962 section 2.1; docs/formats/checkpoint.md.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ledger.evidence.problems import LogFileError, LogMissingError
from ledger.integrity.leaf import LEAF_BYTES
from ledger.integrity.merkle import EMPTY_ROOT, leaf_hash, tree_root
from ledger.types import DIGEST_BYTES, Digest, TreeSize

TILE_WIDTH: Final = 256
"""Hashes of a full tile, and leaves of a full bundle."""
CHECKPOINT: Final = "checkpoint"
ENTRIES: Final = "entries"
"""Stands in the place of the level for bundles of leaves."""
CHECKPOINT_BYTES_MAX: Final = 2**20
_LENGTH: Final = struct.Struct(">H")
_GROUP: Final = 1000
_ENTRY_BYTES: Final = _LENGTH.size + LEAF_BYTES

Level = int | str
"""A level from 0, or `ENTRIES`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TileFile:
    """A tile or a bundle: its place and its bytes."""

    level: Level
    index: int
    """0-based within the level."""
    width: int
    """1 to 256."""
    data: bytes = field(repr=False)

    @property
    def path(self) -> str:
        """Path below the log directory."""
        return tile_path(self.level, self.index, self.width)


def tile_path(level: Level, index: int, width: int = TILE_WIDTH) -> str:
    """Return the path of a tile below the log directory.

    Args:
        level: from 0, or `ENTRIES`.
        index: 0-based.
        width: 1 to 256; below 256 the tile is partial.
    """
    groups = [f"{index % _GROUP:03d}"]
    while index := index // _GROUP:
        groups.insert(0, f"x{index % _GROUP:03d}")
    partial = "" if width == TILE_WIDTH else f".p/{width}"
    return f"tile/{level}/{'/'.join(groups)}{partial}"


def widths(size: int) -> Iterator[tuple[int, int, int]]:
    """Yield level, number of full tiles and width of the partial one for a tree of `size` leaves.

    Levels without any hash are left out.
    """
    level, hashes = 0, size
    while hashes:
        yield level, hashes // TILE_WIDTH, hashes % TILE_WIDTH
        level, hashes = level + 1, hashes // TILE_WIDTH


@dataclass(slots=True)
class TileBuilder:
    """A tree that grows leaf by leaf and gives away each tile as soon as it is full."""

    size: int = 0
    """Number of leaves."""
    levels: list[list[Digest]] = field(default_factory=lambda: [[]])
    """Hashes of the last, not yet full, tile of each level."""
    entries: list[bytes] = field(default_factory=list)
    """Leaves of the last, not yet full, bundle."""

    def append(self, leaf: bytes) -> list[TileFile]:
        """Add a leaf and return the files that became full by it."""
        self.entries.append(leaf)
        self.levels[0].append(leaf_hash(leaf))
        self.size += 1
        if len(self.entries) < TILE_WIDTH:
            return []
        index = self.size // TILE_WIDTH - 1
        files = [_file(ENTRIES, index, encode_bundle(self.entries), TILE_WIDTH)]
        self.entries.clear()
        for level in range(len(self.levels)):
            hashes = self.levels[level]
            if len(hashes) < TILE_WIDTH:
                break
            files.append(_file(level, index, b"".join(hashes), TILE_WIDTH))
            if level + 1 == len(self.levels):
                self.levels.append([])
            self.levels[level + 1].append(tree_root(hashes))
            self.levels[level] = []
            index = (index + 1) // TILE_WIDTH - 1
        return files

    def partials(self) -> list[TileFile]:
        """Return the files at the right edge that are not full."""
        files: list[TileFile] = []
        if self.entries:
            index = self.size // TILE_WIDTH
            files.append(_file(ENTRIES, index, encode_bundle(self.entries), len(self.entries)))
        for level, hashes in enumerate(self.levels):
            if hashes:
                index = self.size // TILE_WIDTH ** (level + 1)
                files.append(_file(level, index, b"".join(hashes), len(hashes)))
        return files

    def root(self) -> Digest:
        """Return the root over all leaves so far."""
        return root_of_edge(self.levels)


def root_of_edge(levels: Sequence[Sequence[Digest]]) -> Digest:
    """Return the root of a tree from the hashes of the last tile of each level, lowest first."""
    below: list[Digest] = []
    for hashes in levels:
        # What is smaller than one hash of this level hangs at its right end.
        units = [*hashes, *below]
        below = [tree_root(units)] if units else []
    return below[0] if below else EMPTY_ROOT


def _file(level: Level, index: int, data: bytes, width: int) -> TileFile:
    return TileFile(level=level, index=index, width=width, data=data)


def encode_bundle(leaves: Sequence[bytes]) -> bytes:
    """Return the bytes of a bundle: each leaf with its length in front."""
    return b"".join(_LENGTH.pack(len(leaf)) + leaf for leaf in leaves)


def decode_bundle(data: bytes, *, width: int, path: str) -> list[bytes]:
    """Return the first `width` leaves of a bundle.

    Args:
        data: of a bundle that holds at least as many.
        width: 1 to 256.
        path: for messages.

    Raises:
        LogFileError: it is shorter, or holds something that is no leaf.
    """
    if len(data) % _ENTRY_BYTES:
        raise LogFileError(path=path, reason="its length is not that of whole entries")
    leaves = []
    for offset in range(0, width * _ENTRY_BYTES, _ENTRY_BYTES):
        entry = data[offset : offset + _ENTRY_BYTES]
        if len(entry) != _ENTRY_BYTES:
            raise LogFileError(path=path, reason=f"fewer than {width} entries")
        (length,) = _LENGTH.unpack_from(entry)
        if length != LEAF_BYTES:
            raise LogFileError(path=path, reason=f"an entry of {length} bytes, not {LEAF_BYTES}")
        leaves.append(entry[_LENGTH.size :])
    return leaves


class TileReader:
    """Reads a log directory; trusts nothing of it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def checkpoint(self) -> bytes:
        """Return the bytes of the signed head.

        Raises:
            LogMissingError: there is none.
            LogFileError: it cannot be read.
        """
        path = self.directory / CHECKPOINT
        try:
            with path.open("rb") as file:
                return file.read(CHECKPOINT_BYTES_MAX)
        except FileNotFoundError as error:
            raise LogMissingError(directory=str(self.directory)) from error
        except OSError as error:
            raise LogFileError(path=CHECKPOINT, reason=str(error)) from error

    def hashes(self, level: int, index: int, width: int = TILE_WIDTH) -> list[Digest]:
        """Return the first hashes of a tile.

        Args:
            level: from 0.
            index: 0-based.
            width: how many of them, 1 to 256.

        Raises:
            LogFileError: the tile is missing or too short.
        """
        path, data = self._read(level, index, width)
        if len(data) % DIGEST_BYTES or len(data) < width * DIGEST_BYTES:
            raise LogFileError(path=path, reason=f"{len(data)} bytes do not hold {width} hashes")
        return [
            Digest(data[start : start + DIGEST_BYTES])
            for start in range(0, width * DIGEST_BYTES, DIGEST_BYTES)
        ]

    def bundle(self, index: int, width: int = TILE_WIDTH) -> list[bytes]:
        """Return the first leaves of a bundle.

        Args:
            index: 0-based.
            width: how many of them, 1 to 256.

        Raises:
            LogFileError: the bundle is missing, too short or holds no leaves.
        """
        path, data = self._read(ENTRIES, index, width)
        return decode_bundle(data, width=width, path=path)

    def leaves(self, size: TreeSize) -> Iterator[bytes]:
        """Yield the leaves of a tree of `size`, from the bundles.

        Raises:
            LogFileError: a bundle is missing or damaged.
        """
        full, rest = divmod(size, TILE_WIDTH)
        for index in range(full):
            yield from self.bundle(index)
        if rest:
            yield from self.bundle(full, rest)

    def leaf_hashes(self, size: TreeSize) -> list[Digest]:
        """Return the leaf hashes of a tree of `size`, from the tiles of level 0.

        Raises:
            LogFileError: a tile is missing or damaged.
        """
        full, rest = divmod(size, TILE_WIDTH)
        found = [one for index in range(full) for one in self.hashes(0, index)]
        return [*found, *self.hashes(0, full, rest)] if rest else found

    def _read(self, level: Level, index: int, width: int) -> tuple[str, bytes]:
        partial = tile_path(level, index, width)
        # Once a tile is full its partial forms may be gone: its first hashes are the same.
        for path in dict.fromkeys((partial, tile_path(level, index))):
            try:
                return path, (self.directory / path).read_bytes()
            except FileNotFoundError:
                continue
            except OSError as error:
                raise LogFileError(path=path, reason=str(error)) from error
        raise LogFileError(path=partial, reason="it is missing")
