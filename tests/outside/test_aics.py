"""`aics-tlog`, a verifier from PyPI that shares nothing with ours, judges our log.

It needs Python 3.12 or newer, and is fetched by `scripts/outside` where such a Python is found; by
itself its absence fails nothing.
"""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ledger.evidence.tiles import TileReader
from ledger.types import TreeSize
from tests.outside.conftest import SOURCES, Evidence, Verdict, ran

PLACE = SOURCES.parents[1] / ".outside" / "bin" / "aics-tlog"
INDEX = 700


@pytest.fixture(scope="module")
def aics() -> str:
    """Return the program: named by REGISTRO_AICS_TLOG, fetched by `scripts/outside`, or at hand."""
    named = os.environ.get("REGISTRO_AICS_TLOG") or (str(PLACE) if PLACE.exists() else "aics-tlog")
    found = shutil.which(named)
    if found is None:
        pytest.skip("aics-tlog is absent: it needs Python 3.12, see scripts/outside")
    return found


@pytest.fixture
def log(evidence: Evidence, tmp_path: Path) -> Path:
    """Return a copy of the log, to be damaged."""
    shutil.copytree(evidence.log, tmp_path / "log")
    return tmp_path / "log"


def judged(aics: str, what: str, log: Path, evidence: Evidence, *more: str | Path) -> Verdict:
    return ran(aics, what, "--tiles", log, "--vkey-file", evidence.vkeys, *more)


def leaf_file(evidence: Evidence, folder: Path) -> Path:
    leaves = list(TileReader(evidence.log).leaves(TreeSize(INDEX + 1)))
    (folder / "leaf").write_bytes(leaves[INDEX])
    return folder / "leaf"


def inclusion(aics: str, log: Path, evidence: Evidence, leaf: Path, index: int = INDEX) -> Verdict:
    return judged(aics, "verify-inclusion", log, evidence, "--index", str(index), "--leaf", leaf)


def consistency(aics: str, log: Path, evidence: Evidence, old: Path) -> Verdict:
    return judged(aics, "verify-consistency", log, evidence, "--old-checkpoint", old)


def flip(path: Path, place: int) -> None:
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)


def test_accepts_checkpoint_record_and_growth(
    aics: str, evidence: Evidence, log: Path, tmp_path: Path
) -> None:
    (tmp_path / "old").write_bytes(evidence.old)
    leaf = leaf_file(evidence, tmp_path)

    told = [
        judged(aics, "verify-checkpoint", log, evidence),
        inclusion(aics, log, evidence, leaf),
        consistency(aics, log, evidence, tmp_path / "old"),
    ]

    assert [one.accepted for one in told] == [True] * 3, [one.text for one in told]


def _tile(log: Path) -> None:
    flip(log / "tile" / "0" / f"{INDEX // 256:03d}", 32 * (INDEX % 256))


def _higher_tile(log: Path) -> None:
    (path,) = (log / "tile" / "1").rglob("4")
    flip(path, 3)


def _root(log: Path) -> None:
    path = log / "checkpoint"
    lines = path.read_bytes().split(b"\n")
    lines[2] = b"A" * 43 + b"="
    path.write_bytes(b"\n".join(lines))


def _size(log: Path) -> None:
    path = log / "checkpoint"
    lines = path.read_bytes().split(b"\n")
    lines[1] = str(int(lines[1]) - 1).encode()
    path.write_bytes(b"\n".join(lines))


def _no_tile(log: Path) -> None:
    (log / "tile" / "0" / f"{INDEX // 256:03d}").unlink()


@pytest.mark.parametrize("damage", [_tile, _higher_tile, _root, _size, _no_tile])
def test_refuses_a_record_of_a_damaged_log(
    aics: str, evidence: Evidence, log: Path, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    leaf = leaf_file(evidence, tmp_path)
    damage(log)

    assert not inclusion(aics, log, evidence, leaf).accepted


def test_refuses_another_record_another_place_and_another_key(
    aics: str, evidence: Evidence, log: Path, tmp_path: Path
) -> None:
    leaf = leaf_file(evidence, tmp_path)
    wrong = tmp_path / "wrong"
    shutil.copy(leaf, wrong)
    flip(wrong, 30)
    other = tmp_path / "keys"
    text = evidence.vkeys.read_text(encoding="utf-8")
    other.write_text(text[:-8] + ("A" if text[-8] != "A" else "B") + text[-7:], encoding="utf-8")

    assert not inclusion(aics, log, evidence, wrong).accepted
    assert not inclusion(aics, log, evidence, leaf, INDEX + 1).accepted
    told = ran(aics, "verify-checkpoint", "--tiles", log, "--vkey-file", other)
    assert not told.accepted


def test_refuses_a_past_that_is_not_ours(
    aics: str, evidence: Evidence, log: Path, tmp_path: Path
) -> None:
    old = tmp_path / "old"
    lines = evidence.old.split(b"\n")
    lines[2] = b"A" * 43 + b"="
    old.write_bytes(b"\n".join(lines))

    assert not consistency(aics, log, evidence, old).accepted
