"""The worked example, imported into a real ledger; and small folders written for one test."""

import shutil
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from ledger.feed import RecordedEvent, read_all
from ledger.intake.importer import import_folder
from tests.support.ledgers import new_ledger

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "inps-2023"


@cache
def example_events() -> tuple[RecordedEvent, ...]:
    """Return the events of the imported worked example."""
    ledger = new_ledger()
    report = import_folder(ledger, EXAMPLE)
    assert not report.errors, report.errors
    return tuple(read_all(ledger))


def copy_of_example(target: Path) -> Path:
    """Copy the worked example into a folder that the test may change."""
    shutil.copytree(EXAMPLE, target)
    return target


CARD = """[dataset]
body = "{body}"
year = {year}
title = "Ciclo"
language = "it"
currency = "EUR"
timezone = "Europe/Rome"
format = 1
"""


def write_folder(
    folder: Path, tables: Mapping[str, str], *, body: str = "INPS", year: int = 2023
) -> Path:
    """Write a data folder with a card and some tables."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "dataset.toml").write_text(CARD.format(body=body, year=year), encoding="utf-8")
    for name, text in tables.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def replaced(path: Path, old: str, new: str) -> None:
    """Replace a text that stands exactly once in a file."""
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {path.name}"
    path.write_text(text.replace(old, new), encoding="utf-8")
