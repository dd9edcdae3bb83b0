"""Whoever receives a dossier checks it with the sheet inside it: sha256sum, openssl, Python, Go."""

import hashlib
import shutil
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from ledger.evidence.dossier.format import pack
from ledger.evidence.dossier.reading import members_of
from tests.outside.conftest import Evidence, Judge, Verdict, absent, ran
from tests.support.cli import run

SHEETS = {"ISTRUZIONI.txt": "FINE", "INSTRUCTIONS.txt": "END"}
RECORD = "records/000000000004"


@pytest.fixture(scope="module")
def dossier(evidence: Evidence, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a dossier of one figure with an earlier checkpoint."""
    folder = tmp_path_factory.mktemp("dossier")
    (folder / "old").write_bytes(evidence.old)
    made = run(
        "--ledger", str(evidence.ledger), "dossier", "--year", "2023", "--indicator", "PS",
        "--vkey", str(evidence.vkeys), "--since", str(folder / "old"),
        "--out", str(folder / "ps.zip"),
    )  # fmt: skip
    assert made.code == 0, made.err
    return folder / "ps.zip"


@pytest.fixture
def unpacked(dossier: Path, tmp_path: Path) -> Path:
    with zipfile.ZipFile(dossier) as archive:
        archive.extractall(tmp_path / "dossier")
    return tmp_path / "dossier"


def step_of(sheet: str, word: str) -> str:
    """Return the command of a sheet that begins with a word, with its further lines."""
    lines = sheet.splitlines()
    begin = next(n for n, line in enumerate(lines) if line.strip().startswith(word))
    end = begin
    while lines[end].endswith("\\"):
        end += 1
    return "\n".join(lines[begin : end + 1])


def program_of(folder: Path, name: str) -> str:
    """Return the program that a sheet prints, between its two marks."""
    text = (folder / name).read_text(encoding="utf-8")
    return text.partition(f"python3 - <<'{SHEETS[name]}'\n")[2].partition(f"{SHEETS[name]}\n")[0]


def by_python(folder: Path, name: str = "ISTRUZIONI.txt") -> Verdict:
    (folder.parent / "check.py").write_text(program_of(folder, name), encoding="utf-8")
    return ran(sys.executable, "-I", folder.parent / "check.py", folder=folder)


@pytest.mark.parametrize("name", SHEETS)
def test_every_step_of_the_sheet_works(openssl: str, unpacked: Path, name: str) -> None:
    assert openssl
    sheet = (unpacked / name).read_text(encoding="utf-8")

    for word in ("sha256sum -c", "openssl pkeyutl", "head -c"):
        done = ran("bash", "-euo", "pipefail", "-c", step_of(sheet, word), folder=unpacked)
        assert done.accepted, (word, done.text)
    done = by_python(unpacked, name)
    assert done.accepted, done.text
    assert done.text.startswith("OK ")


def test_the_sheet_names_every_kind_of_member(dossier: Path) -> None:
    members = members_of(dossier.read_bytes())
    sheet = members["ISTRUZIONI.txt"].decode()

    for name in members:
        if "/" not in name and name not in SHEETS:
            assert (
                name.replace("since.request", "--since").replace("since.checkpoint", "--since")
                in sheet
            ), name


def test_go_accepts_the_dossier(go: Judge, evidence: Evidence, unpacked: Path) -> None:
    verdict = go("dossier", evidence.vkeys, unpacked)

    assert verdict.accepted, verdict.text


def test_go_judges_every_record(go: Judge, evidence: Evidence, unpacked: Path) -> None:
    count = len(list((unpacked / "records").glob("*.leaf")))

    assert f"records={count} " in go("dossier", evidence.vkeys, unpacked).text


def flip(path: Path, place: int) -> None:
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)


def _preimage(folder: Path) -> None:
    flip(folder / f"{RECORD}.preimage", 200)


def _leaf(folder: Path) -> None:
    flip(folder / f"{RECORD}.leaf", 40)


def _body(folder: Path) -> None:
    flip(folder / f"{RECORD}.body", 10)


def _salt(folder: Path) -> None:
    flip(folder / f"{RECORD}.salt", 10)


def _step(folder: Path) -> None:
    path = folder / f"{RECORD}.tlog-proof"
    lines = path.read_bytes().split(b"\n")
    lines[4] = b"A" * 43 + b"="
    path.write_bytes(b"\n".join(lines))


def _root(folder: Path) -> None:
    path = folder / "checkpoint"
    lines = path.read_bytes().split(b"\n")
    lines[2] = b"A" * 43 + b"="
    path.write_bytes(b"\n".join(lines))


def _swapped(folder: Path) -> None:
    first, second = sorted((folder / "records").glob("*.leaf"))[1:3]
    first_bytes, second_bytes = first.read_bytes(), second.read_bytes()
    first.write_bytes(second_bytes)
    second.write_bytes(first_bytes)


def _no_preimage(folder: Path) -> None:
    (folder / f"{RECORD}.preimage").unlink()


def _no_records(folder: Path) -> None:
    shutil.rmtree(folder / "records")


def _since(folder: Path) -> None:
    path = folder / "since.request"
    lines = path.read_bytes().split(b"\n")
    lines[1] = b"A" * 43 + b"="
    path.write_bytes(b"\n".join(lines))


Damage = Callable[[Path], None]


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (_preimage, "commitment"),
        (_leaf, "inclusion"),
        (_step, "inclusion"),
        (_root, "signature"),
        (_swapped, "leaf"),
        (_no_preimage, "missing"),
        (_no_records, "missing"),
        (_since, "consistency"),
    ],
)
def test_go_refuses_a_changed_dossier(
    go: Judge, evidence: Evidence, unpacked: Path, damage: Damage, reason: str
) -> None:
    damage(unpacked)

    verdict = go("dossier", evidence.vkeys, unpacked)

    assert (verdict.accepted, verdict.reason) == (False, reason), verdict.text


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        (_preimage, "commitment"),
        (_leaf, "commitment"),
        (_body, "body"),
        (_salt, "body"),
        (_step, "root"),
        (_root, "checkpoint"),
        (_swapped, "commitment"),
        (_no_records, "records"),
    ],
)
def test_the_printed_program_refuses_a_changed_dossier(
    unpacked: Path, damage: Damage, named: str
) -> None:
    damage(unpacked)

    verdict = by_python(unpacked)

    assert not verdict.accepted
    assert verdict.text.startswith("NO: ")
    assert named in verdict.text


def test_a_new_manifest_does_not_help_against_the_proofs(
    go: Judge, evidence: Evidence, dossier: Path, tmp_path: Path
) -> None:
    members = members_of(dossier.read_bytes())
    changed = bytearray(members[f"{RECORD}.preimage"])
    changed[100] ^= 1
    members[f"{RECORD}.preimage"] = bytes(changed)
    path = tmp_path / "forged.zip"
    path.write_bytes(pack(members))
    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path / "forged")

    manifest = ran("sha256sum", "-c", "--quiet", "MANIFEST.sha256", folder=tmp_path / "forged")

    assert manifest.accepted
    assert go("dossier", evidence.vkeys, tmp_path / "forged").reason == "commitment"


def test_the_digest_told_by_another_way_is_that_of_the_file(
    dossier: Path, evidence: Evidence
) -> None:
    told = run("dossier", "check", str(dossier), "--vkey", str(evidence.vkeys), "--json")

    summed = ran("sha256sum", dossier)

    assert told.json["sha256"] == summed.text.split()[0]
    assert told.json["sha256"] == hashlib.sha256(dossier.read_bytes()).hexdigest()


def test_the_tools_of_the_sheet_are_common() -> None:
    for tool in ("sha256sum", "bash", "cmp", "head"):
        if shutil.which(tool) is None:
            absent(f"{tool} is not installed")
