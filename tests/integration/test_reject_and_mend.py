"""Rows refused, mended among the rejects and imported: the ledger ends as if all was right."""

import csv
import shutil
from pathlib import Path

import pytest

from ledger.application import LedgerApplication
from ledger.errors import DatasetError
from ledger.events.ledger import Actor
from ledger.intake.importer import ImportReport, Mode, import_folder
from tests.support.folders import (
    SMALL,
    SMALL_ROWS,
    Damage,
    both,
    cell,
    event_ids,
    events_of,
    in_line,
    known_facts,
    line_of,
    replayed,
    rewrite,
    small_folder,
)
from tests.support.ledgers import new_ledger

THREE = both(
    cell("units.csv", 6, "name", " Gare"),
    cell("ieep.csv", 4, "closing", "1.234,56"),
    cell("objectives.csv", 6, "unit", "giorni"),
)
"""One bad row in each of three tables; nothing else rests on them."""

REFUSED = {"units.csv": 6, "ieep.csv": 4, "objectives.csv": 6}
"""Line of the refused row, by file."""


def clean_ledger(tmp_path: Path) -> LedgerApplication:
    """Return a ledger into which the small folder was imported undamaged."""
    ledger = new_ledger()
    report = import_folder(ledger, small_folder(tmp_path / "clean"))
    assert report.problems == ()
    return ledger


def by_rows(ledger: LedgerApplication, folder: Path, *, actor: str = "import") -> ImportReport:
    """Import the good rows of a folder."""
    return import_folder(ledger, folder, mode=Mode.ROWS, actor=Actor(role=actor))


def rejects_of(report: ImportReport) -> Path:
    """Return the folder of rejects of an import."""
    assert report.rejects is not None
    return report.rejects.folder


def damaged(folder: Path, damage: Damage) -> Path:
    """Write the small folder and damage it."""
    small_folder(folder)
    damage(folder)
    return folder


def mend(folder: Path) -> None:
    """Put the right lines in place of the rejected ones: those of the same first two columns."""
    for path in folder.glob("*.csv"):
        if path.name == "problems.csv":
            continue
        header, *bad = path.read_bytes().splitlines(keepends=True)
        right = SMALL[path.name].encode().splitlines(keepends=True)
        number = 5 if path.name == "units.csv" else 2
        keys = {_key(line, number) for line in bad}
        lines = [line for line in right[1:] if _key(line, number) in keys]
        assert len(lines) == len(bad), path.name
        path.write_bytes(header + b"".join(lines))


def _key(line: bytes, columns: int) -> tuple[str, ...]:
    cells = next(csv.reader([line.decode()]))
    return tuple(cells[3:4] if columns == 5 else cells[:columns])


def test_the_rejects_hold_exactly_the_refused_rows_byte_for_byte(tmp_path: Path) -> None:
    ledger = new_ledger()
    folder = damaged(tmp_path / "small", THREE)

    report = by_rows(ledger, folder)

    rejects = rejects_of(report)
    assert rejects == tmp_path / "small.rejects"
    assert {path.name for path in rejects.iterdir()} == {
        *REFUSED,
        "dataset.toml",
        "catalogue.toml",
        "problems.csv",
    }
    for file, line in REFUSED.items():
        expected = line_of(folder, file, 1) + line_of(folder, file, line)
        assert (rejects / file).read_bytes() == expected
    for name in ("dataset.toml", "catalogue.toml"):
        assert (rejects / name).read_bytes() == (folder / name).read_bytes()
    assert report.rejects is not None
    assert report.rejects.rows == 3
    recorded = {count.file: count.recorded for count in report.files}
    assert {file: SMALL_ROWS[file] - recorded[file] for file in REFUSED} == dict.fromkeys(
        REFUSED, 1
    )


def test_the_list_of_problems_names_every_refused_row(tmp_path: Path) -> None:
    folder = damaged(tmp_path / "small", THREE)

    rejects = rejects_of(by_rows(new_ledger(), folder))

    data = (rejects / "problems.csv").read_bytes()
    assert data.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(data.decode("utf-8-sig").splitlines(), delimiter=";"))
    assert [row[:6] for row in rows[1:]] == [
        ["units.csv", "6", "2", "name", " Gare", "outer_blanks"],
        ["ieep.csv", "4", "2", "closing", "1.234,56", "comma_number"],
        ["objectives.csv", "6", "2", "unit", "giorni", "unknown_choice"],
    ]
    assert all(cell.strip() for row in rows[1:] for cell in row[6:])


def test_mended_rejects_complete_the_ledger_as_a_clean_import_does(tmp_path: Path) -> None:
    clean = clean_ledger(tmp_path)
    ledger = new_ledger()
    report = by_rows(ledger, damaged(tmp_path / "small", THREE))
    assert replayed(ledger).digest != replayed(clean).digest
    mend(rejects_of(report))

    again = import_folder(ledger, rejects_of(report))

    assert again.problems == ()
    assert {count.file: count.recorded for count in again.files} == dict.fromkeys(REFUSED, 1)
    assert replayed(ledger).digest == replayed(clean).digest
    assert known_facts(ledger) == known_facts(clean)


@pytest.mark.parametrize(
    "damage",
    [
        cell("objectives.csv", 3, "weight_pct", "sessanta"),
        cell("objectives.csv", 4, "weight_pct", "-40"),
        cell("objectives.csv", 2, "direction", "su"),
        cell("objectives.csv", 7, "unit", "euro"),
        cell("ieep.csv", 2, "closing", "1200,0"),
        cell("ieep.csv", 3, "closing", "n.d."),
        cell("units.csv", 3, "name", " Direzione generale"),
        cell("guidelines.csv", 2, "status_pct", "75,00"),
        cell("guidelines.csv", 3, "class", " SP"),
        cell("objectives.csv", 9, "target", "cento"),
        cell("figures.csv", 2, "figure_id", "rp p1"),
        cell("risk_activity.csv", 3, "risks", "due"),
        cell("acts.csv", 4, "adopted_on", "2023-13-31"),
        cell("acts.csv", 2, "adopted_on", "2023-13-30"),
        cell("acts.csv", 3, "adopted_on", "14/06/2024"),
        cell("documents.csv", 2, "published_on", "01/03/2024"),
        cell("documents.csv", 2, "document", "r a"),
        rewrite("documents.csv", lambda data: data.replace(b",2024-06-14,", b",14/06/2024,")),
        rewrite("documents.csv", lambda data: data.replace(b"rp,", b"r p,")),
        rewrite("documents.csv", lambda data: data.decode().encode("latin-1")),
        rewrite("documents.csv", lambda data: data.replace(b",", b"\t")),
        rewrite("ieep.csv", lambda data: data.replace(b",", b";")),
        rewrite("guidelines.csv", lambda data: data.replace(b",label,", b",etichetta,")),
        rewrite("objectives.csv", lambda data: data.replace(b",locator", b",luogo", 1)),
        rewrite("units.csv", lambda data: data.decode().encode("utf-16")),
        in_line("figures.csv", 3, ",rp,", ",rq,"),
    ],
    ids=[
        "weight of a parent",
        "negative weight",
        "root",
        "objective on a node",
        "root of flows",
        "flow below another",
        "root unit",
        "guideline",
        "guideline with reasons",
        "objective without result",
        "figure",
        "count",
        "act that nothing cites",
        "act of the plan",
        "act of the report",
        "day of the first document",
        "name of the first document",
        "day of the last document",
        "name of the last document",
        "unreadable document",
        "whole documents",
        "whole flows",
        "whole guidelines",
        "whole objectives",
        "whole units",
        "dangling figure",
    ],
)
def test_whatever_row_was_bad_its_mending_gives_the_clean_ledger(
    damage: Damage, tmp_path: Path
) -> None:
    clean = clean_ledger(tmp_path)
    ledger = new_ledger()
    folder = damaged(tmp_path / "small", damage)
    rejects = rejects_of(by_rows(ledger, folder))
    for path in rejects.glob("*.csv"):
        if path.name != "problems.csv":
            _mend_by_line(path, folder / path.name)

    again = import_folder(ledger, rejects)

    assert again.problems == ()
    assert replayed(ledger).digest == replayed(clean).digest
    assert known_facts(ledger) == known_facts(clean)


def _mend_by_line(path: Path, original: Path) -> None:
    """Replace rejected lines by the lines of the undamaged table at the same place."""
    right = SMALL[path.name].encode().splitlines(keepends=True)
    bad = original.read_bytes().splitlines(keepends=True)
    rejected = path.read_bytes()
    if rejected == original.read_bytes():
        path.write_bytes(b"".join(right))
        return
    lines = rejected.splitlines(keepends=True)
    path.write_bytes(b"".join(right[bad.index(line)] for line in lines))


def test_mending_in_two_rounds_works_too(tmp_path: Path) -> None:
    clean = clean_ledger(tmp_path)
    ledger = new_ledger()
    first = rejects_of(by_rows(ledger, damaged(tmp_path / "small", THREE)))
    still_bad = (first / "ieep.csv").read_bytes()
    mend(first)
    (first / "ieep.csv").write_bytes(still_bad)

    second = rejects_of(by_rows(ledger, first))
    assert second == tmp_path / "small.rejects-2"
    assert (second / "ieep.csv").read_bytes() == still_bad
    assert not (second / "units.csv").exists()
    mend(second)
    report = import_folder(ledger, second)

    assert report.problems == ()
    assert known_facts(ledger) == known_facts(clean)


def test_unmended_rejects_add_nothing(tmp_path: Path) -> None:
    ledger = new_ledger()
    rejects = rejects_of(by_rows(ledger, damaged(tmp_path / "small", THREE)))
    before = events_of(ledger)

    again = by_rows(ledger, rejects)

    assert again.events == 0
    assert events_of(ledger) == before
    assert rejects_of(again) == tmp_path / "small.rejects-2"
    for file in REFUSED:
        assert (rejects_of(again) / file).read_bytes() == (rejects / file).read_bytes()


@pytest.mark.parametrize("mode", Mode)
def test_a_second_import_adds_nothing(mode: Mode, tmp_path: Path) -> None:
    ledger = clean_ledger(tmp_path)
    before = events_of(ledger)

    again = import_folder(ledger, tmp_path / "clean", mode=mode)

    assert again.problems == ()
    assert again.events == 0
    assert events_of(ledger) == before
    assert {count.file: count.repeated for count in again.files} == SMALL_ROWS


def test_a_second_import_of_the_original_with_bad_rows_adds_nothing(tmp_path: Path) -> None:
    ledger = new_ledger()
    folder = damaged(tmp_path / "small", THREE)
    by_rows(ledger, folder)
    before = events_of(ledger)

    again = by_rows(ledger, folder)

    assert again.events == 0
    assert events_of(ledger) == before


def test_the_original_mended_in_place_adds_the_missing_rows_alone(tmp_path: Path) -> None:
    clean = clean_ledger(tmp_path)
    ledger = new_ledger()
    by_rows(ledger, damaged(tmp_path / "small", THREE))

    report = import_folder(ledger, tmp_path / "clean")

    assert report.problems == ()
    assert {count.file: count.recorded for count in report.files if count.recorded} == (
        dict.fromkeys(REFUSED, 1)
    )
    assert known_facts(ledger) == known_facts(clean)


def test_another_person_may_import_the_same_folder_again(tmp_path: Path) -> None:
    ledger = new_ledger()
    folder = damaged(tmp_path / "small", THREE)
    rejects = rejects_of(by_rows(ledger, folder, actor="RPCT"))
    head = ledger.head()

    unmended = by_rows(ledger, folder, actor="OIV")
    assert (unmended.events, ledger.head()) == (0, head)
    assert "row_changed" not in {one.code for one in unmended.problems}
    mend(rejects)
    report = import_folder(ledger, rejects, actor=Actor(role="OIV"))

    assert report.problems == ()
    assert event_ids(ledger) >= set(known_facts(clean_ledger(tmp_path)))


def test_a_recorded_row_with_other_content_is_refused(tmp_path: Path) -> None:
    ledger = clean_ledger(tmp_path)
    head = ledger.head()
    folder = damaged(tmp_path / "small", cell("ieep.csv", 4, "closing", "331"))

    report = import_folder(ledger, folder, mode=Mode.ROWS)

    assert [(one.code, one.file, one.line) for one in report.errors] == [
        ("row_changed", "ieep.csv", 4)
    ]
    assert ledger.head() == head
    assert (rejects_of(report) / "ieep.csv").read_bytes() == (
        line_of(folder, "ieep.csv", 1) + line_of(folder, "ieep.csv", 4)
    )


def test_rejects_never_overwrite_a_folder(tmp_path: Path) -> None:
    folder = damaged(tmp_path / "small", THREE)
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "note.txt").write_text("mended half-way", encoding="utf-8")

    with pytest.raises(DatasetError, match="already"):
        import_folder(new_ledger(), folder, mode=Mode.ROWS, rejects_to=mine)

    assert [path.name for path in mine.iterdir()] == ["note.txt"]


def test_a_lost_folder_of_rejects_is_made_again(tmp_path: Path) -> None:
    ledger = new_ledger()
    folder = damaged(tmp_path / "small", THREE)
    first = rejects_of(by_rows(ledger, folder))
    kept = {path.name: path.read_bytes() for path in first.iterdir()}
    shutil.rmtree(first)

    second = rejects_of(by_rows(ledger, folder))

    assert second == first
    assert {path.name: path.read_bytes() for path in second.iterdir()} == kept
