"""The order of the rows in the files of a data folder says nothing."""

import random
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.application import LedgerApplication
from ledger.intake.importer import Mode, import_folder
from tests.support.dataset import EXAMPLE, write_folder
from tests.support.folders import ACI_2024, SMALL, event_ids, known_facts, replayed
from tests.support.ledgers import new_ledger

pytestmark = pytest.mark.property

Folder = tuple[str, int, Mapping[str, str]]
"""Body, year and files."""

BODIES: Mapping[str, Folder] = {
    "small": ("INPS", 2023, SMALL),
    "without catalogue": ("ACI", 2024, ACI_2024),
}


def imported(folder: Folder, *, mode: Mode = Mode.WHOLE) -> LedgerApplication:
    """Return a new ledger with a folder, which holds no error unless imported by rows."""
    body, year, tables = folder
    ledger = new_ledger(body=body)
    with tempfile.TemporaryDirectory() as place:
        path = write_folder(Path(place) / "data", tables, body=body, year=year)
        report = import_folder(ledger, path, mode=mode)
    assert mode is Mode.ROWS or not report.errors, report.errors
    return ledger


def header_and_rows(text: str) -> tuple[str, Sequence[str]]:
    """Split a table whose rows stand on one line each."""
    header, *rows = text.splitlines(keepends=True)
    return header, rows


def shuffled(folder: Folder, seed: random.Random) -> Folder:
    """Return a folder with the rows of every table in another order."""
    body, year, tables = folder
    mixed = dict(tables)
    for name, text in tables.items():
        if name.endswith(".csv"):
            header, rows = header_and_rows(text)
            mixed[name] = header + "".join(seed.sample(list(rows), k=len(rows)))
    return body, year, mixed


@pytest.mark.parametrize("name", BODIES)
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_rows_in_any_order_give_the_same_ledger(name: str, data: st.DataObject) -> None:
    folder = BODIES[name]
    year = folder[1]
    body, year, tables = folder
    mixed = dict(tables)
    for file, text in tables.items():
        if file.endswith(".csv"):
            header, rows = header_and_rows(text)
            mixed[file] = header + "".join(data.draw(st.permutations(rows), label=file))

    straight, other = imported(folder), imported((body, year, mixed))

    assert replayed(other, year).digest == replayed(straight, year).digest
    assert event_ids(other) == event_ids(straight)
    assert known_facts(other) == known_facts(straight)


@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_the_same_bad_rows_are_refused_in_any_order(data: st.DataObject) -> None:
    body, year, tables = BODIES["small"]
    broken = dict(tables)
    files = [name for name in tables if name in {"units.csv", "ieep.csv", "objectives.csv"}]
    for file in files:
        header, rows = header_and_rows(tables[file])
        bad = data.draw(st.integers(0, len(rows) - 1), label=f"bad row of {file}")
        kept = [
            row.replace(",", ", ", 1) if place == bad else row for place, row in enumerate(rows)
        ]
        broken[file] = header + "".join(kept)
    seed = data.draw(st.randoms(use_true_random=False))

    straight = imported((body, year, broken), mode=Mode.ROWS)
    other = imported(shuffled((body, year, broken), seed), mode=Mode.ROWS)

    assert known_facts(other) == known_facts(straight)
    assert replayed(other, year).digest == replayed(straight, year).digest


@settings(max_examples=2, deadline=None)
@given(seed=st.randoms(use_true_random=False))
def test_the_worked_example_in_any_order_is_the_same_ledger(seed: random.Random) -> None:
    tables = {
        path.name: path.read_text(encoding="utf-8")
        for path in EXAMPLE.iterdir()
        if path.suffix in {".csv", ".toml"} and path.name != "dataset.toml"
    }
    folder: Folder = ("INPS", 2023, tables)

    straight, other = imported(folder), imported(shuffled(folder, seed))

    assert replayed(other).digest == replayed(straight).digest
    assert event_ids(other) == event_ids(straight)
