"""Tables of the screen in files that spreadsheets open."""

import csv
import zipfile
from pathlib import Path

import pytest

from tests.support.cli import run


def replay(ledger: Path, target: str) -> int:
    words = ("--ledger", str(ledger), "replay", "--as-of", "2024-06-14", "--export", target)
    return run(*words).code


def test_csv_has_plain_numbers_and_one_header(example_ledger: Path, clean_place: Path) -> None:
    assert replay(example_ledger, "out.csv") == 0
    with (clean_place / "out.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["code"]: row for row in csv.DictReader(file)}
    assert rows["IEEP.A"]["value"] == "5906162514"
    assert rows["PS"]["value"] == "106.92"


def test_a_workbook_keeps_numbers_as_numbers(example_ledger: Path, clean_place: Path) -> None:
    assert replay(example_ledger, "out.xlsx") == 0
    with zipfile.ZipFile(clean_place / "out.xlsx") as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
    assert "<v>106.92</v>" in sheet
    assert "<v>5906162514</v>" in sheet


def test_several_tables_give_several_files(example_ledger: Path, clean_place: Path) -> None:
    ran = run("--ledger", str(example_ledger), "status", "--export", "s.csv")
    assert ran.code == 0
    assert (clean_place / "s.csv").is_file()
    assert (clean_place / "s-2.csv").is_file()


@pytest.mark.parametrize("target", ["out.pdf", "out", "taken.csv"])
def test_a_file_that_cannot_be_written_is_refused(
    example_ledger: Path, clean_place: Path, target: str
) -> None:
    (clean_place / "taken.csv").write_text("mine", encoding="utf-8")
    assert replay(example_ledger, target) == 13
    assert (clean_place / "taken.csv").read_text(encoding="utf-8") == "mine"


def test_a_text_that_looks_like_a_formula_stays_a_text(clean_place: Path) -> None:
    assert run("init", "--body", "X").code == 0
    words = ("act", "adopt", "CIV", "r", "2023-02-01", "=1+1", "--actor", "A")
    assert run(*words).code == 0
    assert run("list", "acts", "--export", "acts.csv").code == 0
    assert "'=1+1" in (clean_place / "acts.csv").read_text(encoding="utf-8")
