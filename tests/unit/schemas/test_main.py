import io
import subprocess
import sys
from pathlib import Path

import pytest

from schemas.__main__ import main
from tests.support.schema_files import field, put, put_text, record

NAME = "registro.acts.Done"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with one schema, frozen, with its classes: nothing is wrong."""
    (tmp_path / "events").mkdir()
    put(tmp_path / "avro", record(NAME, field("x")))
    assert run(tmp_path / "avro", "freeze")[0] == 0
    assert run(tmp_path / "avro", "generate")[0] == 0
    return tmp_path / "avro"


def run(root: Path, command: str) -> tuple[int, list[str]]:
    out = io.StringIO()
    events = str(root.parent / "events")
    code = main([command, "--root", str(root), "--events", events], out=out)
    return code, out.getvalue().splitlines()


def rules(lines: list[str]) -> set[str]:
    return {line.rpartition("[")[2].removesuffix("]") for line in lines[:-1]}


def test_check_says_nothing_when_nothing_is_wrong(root: Path) -> None:
    assert run(root, "check") == (0, ["1 schemas checked: no problem"])


def test_check_lists_problems_of_every_kind_in_one_run(root: Path) -> None:
    put(root, record(NAME, field("y", doc="")), version=2)
    put_text(root, "acts/Broken/v1.avsc", "{")
    put(root, record("registro.acts.Lost", field("x", "registro.ledger.Nowhere")))

    code, lines = run(root, "check")

    assert code == 1
    assert rules(lines) >= {
        "syntax",
        "doc",
        "reference",
        "identity",
        "compatibility",
        "fingerprint",
        "generated",
    }
    assert lines[-1].endswith(f"{len(lines) - 1} problems")


def test_check_finds_a_released_file_that_was_edited(root: Path) -> None:
    put(root, record(NAME, field("x", "int")))
    code, lines = run(root, "check")
    assert code == 1
    assert rules(lines) == {"fingerprint", "generated"}


def test_check_finds_a_released_file_that_is_gone(root: Path) -> None:
    put(root, record("registro.acts.Other", field("x")))
    run(root, "freeze")
    (root / "acts" / "Other" / "v1.avsc").unlink()
    run(root, "generate")
    code, lines = run(root, "check")
    assert code == 1
    assert rules(lines) == {"fingerprint"}


def test_check_allows_a_better_doc(root: Path) -> None:
    """Docs are not part of the identity; they are part of the classes."""
    put(root, record(NAME, field("x", doc="A better text.")))
    assert rules(run(root, "check")[1]) == {"generated"}
    run(root, "generate")
    assert run(root, "check")[0] == 0


def test_check_goes_on_after_a_damaged_file_of_fingerprints(root: Path) -> None:
    (root.parent / "fingerprints.json").write_text("[]")
    put(root, record(NAME, field("x", doc="")))
    code, lines = run(root, "check")
    assert code == 1
    assert rules(lines) >= {"unreadable", "doc", "generated"}


def test_check_goes_on_when_no_class_can_be_made(root: Path) -> None:
    put(root, record("registro.acts.Odd", field("x", "double")))
    code, lines = run(root, "check")
    assert code == 1
    assert rules(lines) == {"float", "unreadable", "fingerprint"}


def test_freeze_refuses_a_released_file_that_was_edited(root: Path) -> None:
    frozen = (root.parent / "fingerprints.json").read_bytes()
    put(root, record(NAME, field("x", "int")))
    code, lines = run(root, "freeze")
    assert code == 1
    assert NAME in lines[0]
    assert (root.parent / "fingerprints.json").read_bytes() == frozen


@pytest.mark.parametrize("command", ["freeze", "generate"])
def test_nothing_is_written_while_a_file_cannot_be_read(root: Path, command: str) -> None:
    put_text(root, "acts/Broken/v1.avsc", "{")
    put(root, record("registro.acts.New", field("x")))
    before = {path: path.read_bytes() for path in root.parent.rglob("*") if path.is_file()}
    code, lines = run(root, command)
    assert code == 1
    assert "acts/Broken/v1.avsc" in lines[0]
    after = {path: path.read_bytes() for path in root.parent.rglob("*") if path.is_file()}
    assert after == before


def test_generate_names_what_it_wrote(root: Path) -> None:
    put(root, record("registro.risk.Seen", field("x")))
    code, lines = run(root, "generate")
    assert code == 0
    assert lines == ["written: catalogue.py", "written: risk.py", "2 modules changed"]


def test_generate_fails_with_the_reason_when_no_class_can_be_made(root: Path) -> None:
    put(root, record("registro.acts.Odd", field("x", "double")))
    code, lines = run(root, "generate")
    assert code == 1
    assert "double" in lines[0]


@pytest.mark.parametrize("arguments", [[], ["thaw"], ["check", "--rot", "x"]])
def test_wrong_usage_is_code_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments, out=io.StringIO())
    assert caught.value.code == 2
    assert "usage" in capsys.readouterr().err


def test_runs_as_a_module(root: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "schemas", "check", "--root", str(root), "--events", "nowhere"],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "nowhere" not in done.stdout
    assert "is missing" in done.stdout
