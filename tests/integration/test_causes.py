"""One slip in the worked example: the cause comes first, what follows from it is marked.

And no figure is computed from what is left: a mean of which a part is refused has no value.
"""

from pathlib import Path

import pytest

from ledger.application import LedgerApplication
from ledger.intake.importer import ImportReport, Mode, import_folder
from ledger.intake.problems import Problem
from projections.cycle.replay import IndicatorLine
from tests.support.dataset import EXAMPLE, copy_of_example, replaced
from tests.support.folders import replayed
from tests.support.ledgers import new_ledger

OGE2 = "Pensioni di invalidità civile,20,up,index,100,89.53,89.53"
SPOILT = "Pensioni di invalidità civile,20,up,index,100,89.53,89.5.3"
FIGURES_CUT = 12


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return copy_of_example(tmp_path / "data")


def followers_of(report: ImportReport) -> tuple[Problem, ...]:
    """Return the errors that are gone when the causes are mended."""
    return tuple(one for one in report.errors if one.follows)


def by_rows(folder: Path, ledger: LedgerApplication | None = None) -> ImportReport:
    return import_folder(ledger or new_ledger(), folder, mode=Mode.ROWS)


def line(ledger: LedgerApplication, code: str) -> IndicatorLine:
    found = replayed(ledger).line(code)
    assert found is not None
    return found


def test_an_empty_file_of_acts_is_the_one_cause_of_all_that_is_refused(folder: Path) -> None:
    (folder / "acts.csv").write_bytes(b"")

    report = import_folder(new_ledger(), folder, dry_run=True)

    assert [(one.file, one.code) for one in report.causes] == [("acts.csv", "file_empty")]
    assert report.problems[0] == report.causes[0]
    assert len(followers_of(report)) == len(report.errors) - 1 > 500


def test_a_refused_objective_is_the_one_cause_of_what_rests_on_it(folder: Path) -> None:
    replaced(folder / "objectives.csv", OGE2, SPOILT)

    report = by_rows(folder)

    assert [(one.file, one.value) for one in report.causes] == [("objectives.csv", "89.5.3")]
    assert {one.file for one in followers_of(report)} == {"objectives.csv", "guidelines.csv"}
    assert any(one.facts.get("parent") == "PS" for one in followers_of(report))


def test_what_is_refused_in_the_folder_is_never_taken_for_a_slip_of_the_pen(folder: Path) -> None:
    replaced(folder / "objectives.csv", OGE2, SPOILT)

    report = by_rows(folder)

    followers = [one for one in followers_of(report) if one.code == "dangling_reference"]
    assert {one.value for one in followers} >= {"OGE2"}
    assert {one.facts["near"] for one in followers} == {""}
    assert not any("did you mean" in one.hint for one in followers)
    assert report.rejects is not None
    listed = (report.rejects.folder / "problems.csv").read_text(encoding="utf-8-sig")
    assert "did you mean" not in listed


def test_a_name_that_stands_nowhere_is_a_cause_with_a_suggestion(folder: Path) -> None:
    replaced(folder / "objectives.csv", "2023,OGE2.1,LEAF,OGE2,", "2023,OGE2.1,LEAF,0GE2,")

    report = by_rows(folder)

    (cause,) = report.causes
    assert (cause.value, cause.facts["near"]) == ("0GE2", "OGE2")


def test_rows_that_share_a_name_that_stands_nowhere_do_not_follow_from_each_other(
    folder: Path,
) -> None:
    for leaf in ("OGE2.1", "OGE2.2"):
        replaced(folder / "objectives.csv", f"2023,{leaf},LEAF,OGE2,", f"2023,{leaf},LEAF,NONE,")

    report = by_rows(folder)

    assert [one.value for one in report.causes] == ["NONE", "NONE"]
    assert followers_of(report) == ()


def test_a_refused_document_is_the_cause_of_the_rows_that_wait_for_it(folder: Path) -> None:
    replaced(folder / "documents.csv", "rp2023,001,", "rp2023 ,001,")

    report = by_rows(folder)

    assert {one.file for one in report.causes} == {"documents.csv"}
    assert len(followers_of(report)) > 400


def test_without_one_of_its_objectives_the_strategic_performance_has_no_value(
    folder: Path,
) -> None:
    replaced(folder / "objectives.csv", OGE2, SPOILT)
    ledger = new_ledger()
    report = by_rows(folder, ledger)

    found = line(ledger, "PS")
    assert (found.value, found.deviation_pct, found.achievement_pct) == (None, None, None)
    assert (found.value_missing, found.missing_details) == ("weights_incomplete", ("80 %",))
    assert (str(found.printed), found.agrees) == ("106.92", None)

    assert report.rejects is not None
    replaced(report.rejects.folder / "objectives.csv", SPOILT, OGE2)
    assert by_rows(report.rejects.folder, ledger).errors == ()
    assert (str(line(ledger, "PS").value), line(ledger, "PS").agrees) == ("106.92", True)


def test_figures_cut_at_a_line_end_leave_a_warning_that_counts_them(folder: Path) -> None:
    path = folder / "figures.csv"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-FIGURES_CUT]))

    report = import_folder(new_ledger(), folder)

    assert report.errors == ()
    (warning,) = report.problems
    assert (warning.severity, warning.file, warning.column) == (
        "warning",
        "relations.csv",
        "result",
    )
    assert warning.value is not None
    assert warning.value.encode() in b"".join(lines[-FIGURES_CUT:])
    assert warning.facts["target"].count(", ") <= FIGURES_CUT


def test_one_absent_figure_is_named_with_the_one_most_like_it(folder: Path) -> None:
    replaced(
        folder / "figures.csv",
        "\nrp2023.ieep.accertato.result,",
        "\nrp2023.ieep.accertato.results,",
    )

    report = import_folder(new_ledger(), folder)

    (warning,) = report.problems
    assert warning.facts["target"] == "rp2023.ieep.accertato.result"
    assert warning.facts["near"] == "rp2023.ieep.accertato.results"


def test_figures_that_the_ledger_holds_are_not_absent(folder: Path) -> None:
    ledger = new_ledger()
    import_folder(ledger, EXAMPLE)
    (folder / "figures.csv").unlink()

    assert import_folder(ledger, folder).problems == ()


def test_a_refused_figure_is_not_absent_as_well(folder: Path) -> None:
    replaced(
        folder / "figures.csv", 'Valore Pubblico,"100,48",100.48', 'Valore Pubblico,"100,48",x'
    )

    report = by_rows(folder)

    assert [(one.file, one.value) for one in report.problems] == [("figures.csv", "x")]


def test_the_whole_example_is_imported_without_a_word() -> None:
    assert import_folder(new_ledger(), EXAMPLE).problems == ()
