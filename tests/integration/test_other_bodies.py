"""Other bodies, other years, folders with some tables only: replays computed by hand.

By hand, for `ACI_2024` (no catalogue, so every definition is inferred):
- ENTE, points, weights 25 and 75: (25 x 88 + 75 x 100) / 100 = 97.00.
- QUAL, percent, children in days and counts, so the mean of deviations: ATT is down, target 20,
  result 18: -100 (18 - 20) / 20 = 10; REC is down, 42 of 40: -5; (10 - 5) / 2 = 2.50.
- CLIMA, plain mean: (3 + 4 + 4) / 3 = 3.666... = 3.67 with two decimals.
- money flows: E up, 100 (500 - 400) / 400 = 25.00; U is subtracted, -100 (150 - 200) / 200 = 25.00.
For `ACI_2025`: ENTE = (50 x 91 + 50 x 98) / 100 = 94.50; ATT is up now, 100 (99 - 90) / 90 = 10.00.
"""

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import pytest

from ledger.application import LedgerApplication
from ledger.errors import BodyMismatchError
from ledger.events.acts import ActAdopted
from ledger.events.ledger import BodyAssigned
from ledger.events.measurement import IndicatorDefined, IndicatorMethodChanged
from ledger.events.organisation import UnitEstablished, UnitReorganised
from ledger.events.publication import DocumentPublished
from ledger.intake.importer import Mode, import_folder
from tests.support.dataset import EXAMPLE, write_folder
from tests.support.folders import (
    ACI_2024,
    ACI_2025,
    OBJECTIVES_HEADER,
    SMALL,
    SMALL_ROWS,
    event_ids,
    events_of,
    known_facts,
    replayed,
    small_folder,
)
from tests.support.ledgers import new_ledger

Line = tuple[str | None, str | None, str | None]
"""Value, deviation, reason why there is no value."""

BY_HAND_2024: Mapping[str, Line] = {
    "ENTE": ("97.00", "-3.00", None),
    "SOCI": ("88.00", "-12.00", None),
    "PRA": ("100.00", "0.00", None),
    "QUAL": ("2.50", None, None),
    "ATT": ("18", "10.00", None),
    "REC": ("42", "-5.00", None),
    "CLIMA": ("3.67", None, None),
    "CLI.1": ("3.00", "0.00", None),
    "CLI.2": ("4.00", "33.33", None),
    "CLI.3": ("4.00", "33.33", None),
    "TOT": (None, None, "weights_unpublished"),
    "IEEP.E": ("500", "25.00", None),
    "IEEP.U": ("150", "25.00", None),
}
BY_HAND_2025: Mapping[str, Line] = {
    "ENTE": ("94.50", "-5.50", None),
    "SOCI": ("91.00", "-9.00", None),
    "PRA": ("98.00", "-2.00", None),
    "ATT": ("99", "10.00", None),
}


def aci(path: Path, year: int) -> Path:
    """Write a year of the other body."""
    tables = {2024: ACI_2024, 2025: ACI_2025}[year]
    return write_folder(path / f"aci-{year}", tables, body="ACI", year=year)


def two_years(path: Path) -> LedgerApplication:
    """Return a ledger with both years of the other body."""
    ledger = new_ledger(body=None)
    for year in (2024, 2025):
        report = import_folder(ledger, aci(path, year))
        assert report.problems == ()
    return ledger


def lines(ledger: LedgerApplication, year: int) -> dict[str, Line]:
    """Return the replay of a year in the form of the tables above, digits as they are."""
    return {
        line.code: (
            None if line.value is None else str(line.value),
            None if line.deviation_pct is None else str(line.deviation_pct),
            line.value_missing,
        )
        for line in replayed(ledger, year).indicators
    }


def test_a_small_body_without_catalogue_replays_as_computed_by_hand(tmp_path: Path) -> None:
    ledger = new_ledger(body=None)

    report = import_folder(ledger, aci(tmp_path, 2024))

    assert report.problems == ()
    assert lines(ledger, 2024) == BY_HAND_2024


def test_definitions_without_catalogue_are_marked_as_inferred(tmp_path: Path) -> None:
    ledger = new_ledger(body=None)
    import_folder(ledger, aci(tmp_path, 2024))

    defined = {
        event.event.indicator_code: event.event
        for event in events_of(ledger)
        if isinstance(event.event, IndicatorDefined)
    }

    assert {one.basis for one in defined.values()} == {"inferred"}
    assert defined["ENTE"].formula == '{"op":"weighted_mean","part":"value"}'
    assert defined["QUAL"].formula == '{"op":"weighted_mean","part":"deviation"}'
    assert defined["CLIMA"].formula == '{"op":"children_mean","part":"value"}'
    assert defined["TOT"].formula == '{"op":"unpublished","reason":"weights_unpublished"}'
    assert (defined["ATT"].deviation_rule, defined["IEEP.U"].deviation_rule) == ("DR2", "DR5")
    assert (defined["SOCI"].decimals, defined["ATT"].decimals) == (2, 0)


def test_printed_totals_stand_beside_what_was_computed(tmp_path: Path) -> None:
    ledger = new_ledger(body=None)
    import_folder(ledger, aci(tmp_path, 2024))

    found = {line.code: line.published for line in replayed(ledger, 2024).indicators}

    assert {code: value for code, value in found.items() if value is not None} == {
        "ENTE": Decimal(97),
        "QUAL": Decimal("2.5"),
        "CLIMA": Decimal("3.67"),
        "TOT": Decimal("101.1"),
    }


def test_an_unbound_ledger_takes_the_body_of_its_first_folder(tmp_path: Path) -> None:
    ledger = new_ledger(body=None)
    import_folder(ledger, aci(tmp_path, 2024))

    assigned = [e.event.body for e in events_of(ledger) if isinstance(e.event, BodyAssigned)]
    again = import_folder(ledger, aci(tmp_path, 2024))

    assert assigned == ["ACI"]
    assert (again.events, again.problems) == (0, ())
    assert replayed(ledger, 2024).body == "ACI"


@pytest.mark.parametrize("mode", Mode)
def test_a_folder_of_another_body_is_refused(mode: Mode, tmp_path: Path) -> None:
    ledger = two_years(tmp_path)
    before = events_of(ledger)

    with pytest.raises(BodyMismatchError) as caught:
        import_folder(ledger, small_folder(tmp_path / "small"), mode=mode)

    assert (caught.value.facts["expected"], caught.value.facts["actual"]) == ("ACI", "INPS")
    assert events_of(ledger) == before
    assert not (tmp_path / "small.rejects").exists()


def test_a_folder_of_another_body_is_refused_on_a_dry_run_too(tmp_path: Path) -> None:
    with pytest.raises(BodyMismatchError):
        import_folder(new_ledger(), aci(tmp_path, 2024), dry_run=True)


def test_a_second_year_replays_beside_the_first(tmp_path: Path) -> None:
    ledger = two_years(tmp_path)

    assert lines(ledger, 2024) == BY_HAND_2024
    assert lines(ledger, 2025) == BY_HAND_2025


def test_a_second_year_changes_no_digit_of_the_first(tmp_path: Path) -> None:
    first = new_ledger(body=None)
    import_folder(first, aci(tmp_path, 2024))

    both = two_years(tmp_path)

    assert replayed(both, 2024).digest == replayed(first, 2024).digest
    assert event_ids(both) > set(known_facts(first))


def test_acts_and_documents_of_two_years_are_recorded_once(tmp_path: Path) -> None:
    ledger = two_years(tmp_path)

    acts = [e.event.number for e in events_of(ledger) if isinstance(e.event, ActAdopted)]
    documents = [
        e.event.document_id for e in events_of(ledger) if isinstance(e.event, DocumentPublished)
    ]

    assert sorted(str(number) for number in acts) == ["3", "7", "9"]
    assert sorted(documents) == ["rel24", "rel25"]


def test_units_of_a_second_year_are_reorganised_not_invented(tmp_path: Path) -> None:
    ledger = two_years(tmp_path)

    established = [
        (e.event.unit_code, e.event.valid_from.year)
        for e in events_of(ledger)
        if isinstance(e.event, UnitEstablished)
    ]
    changed = [
        (e.event.unit_code, e.event.name, e.event.unit_type, e.event.parent_code)
        for e in events_of(ledger)
        if isinstance(e.event, UnitReorganised)
    ]

    assert established == [("S", 2024), ("S.1", 2024), ("S.2", 2024), ("S.3", 2025)]
    assert changed == [
        ("S.1", "Direzione sistemi", "DIR", "S"),
        ("S.2", "Servizio acquisti", "SERV", "S.1"),
    ]


def test_a_unit_without_parent_in_the_second_year_stays_where_it_is(tmp_path: Path) -> None:
    ledger = two_years(tmp_path)
    folder = write_folder(
        tmp_path / "aci-2026",
        {"units.csv": SMALL["units.csv"].splitlines()[0] + "\nUNIT,SERV,,S.3,Servizio studi,\n"},
        body="ACI",
        year=2026,
    )

    report = import_folder(ledger, folder)

    assert report.problems == ()
    assert not [
        e for e in events_of(ledger) if isinstance(e.event, UnitReorganised)
        and e.event.unit_code == "S.3"
    ]  # fmt: skip


def test_a_method_that_changes_between_years_is_announced(tmp_path: Path) -> None:
    ledger = two_years(tmp_path)

    changed = [
        (e.event.indicator_code, e.event.from_version, e.event.to_version)
        for e in events_of(ledger)
        if isinstance(e.event, IndicatorMethodChanged)
    ]
    versions = [
        (e.event.indicator_code, e.event.version, e.event.measure_unit)
        for e in events_of(ledger)
        if isinstance(e.event, IndicatorDefined) and e.event.indicator_code == "ATT"
    ]

    assert changed == [("ATT", 1, 2)]
    assert versions == [("ATT", 1, "days"), ("ATT", 2, "percent")]


def test_two_years_imported_twice_add_nothing(tmp_path: Path) -> None:
    ledger = two_years(tmp_path)
    before = events_of(ledger)

    for year in (2025, 2024):
        report = import_folder(ledger, aci(tmp_path, year))
        assert (report.events, report.problems) == (0, ())

    assert events_of(ledger) == before


@pytest.mark.parametrize("file", sorted(SMALL_ROWS.keys() - {"figures.csv", "guidelines.csv"}))
def test_a_folder_with_one_table_is_imported(file: str, tmp_path: Path) -> None:
    ledger = new_ledger()
    text = SMALL[file].replace("CdA resolution 30 of 2024-06-14", "")
    folder = write_folder(tmp_path / "one", {file: text})

    report = import_folder(ledger, folder)

    assert report.problems == ()
    assert {count.file: count.recorded for count in report.files} == {file: SMALL_ROWS[file]}


@pytest.mark.parametrize(
    ("file", "needs"), [("figures.csv", "documents.csv"), ("guidelines.csv", "objectives.csv")]
)
def test_a_table_whose_references_are_not_there_is_refused(
    file: str, needs: str, tmp_path: Path
) -> None:
    ledger = new_ledger()
    alone = write_folder(tmp_path / "alone", {file: SMALL[file]})
    beside = {name: SMALL[name] for name in ("acts.csv", "documents.csv", needs)}

    report = import_folder(ledger, alone)
    assert {one.code for one in report.errors} == {"dangling_reference"}
    import_folder(ledger, write_folder(tmp_path / "beside", beside))
    again = import_folder(ledger, alone)

    assert again.problems == ()
    assert {count.file: count.recorded for count in again.files} == {file: SMALL_ROWS[file]}


def test_a_card_alone_opens_the_year_and_nothing_more(tmp_path: Path) -> None:
    ledger = new_ledger()

    report = import_folder(ledger, write_folder(tmp_path / "card", {}))

    assert (report.problems, report.files, report.events) == ((), (), 1)
    assert replayed(ledger).indicators == ()


def test_tables_imported_one_by_one_say_the_same_as_together(tmp_path: Path) -> None:
    together, apart = new_ledger(), new_ledger()
    import_folder(together, small_folder(tmp_path / "small"))

    for file in (name for name in SMALL if name in SMALL_ROWS):
        report = import_folder(
            apart,
            write_folder(
                tmp_path / file.removesuffix(".csv"),
                {name: SMALL[name] for name in (file, "catalogue.toml")},
            ),
        )
        assert report.problems == (), file

    assert known_facts(apart).keys() <= known_facts(together).keys()
    assert {line.code: line.value for line in replayed(apart).indicators} == {
        line.code: line.value for line in replayed(together).indicators
    }


def test_two_documents_of_one_day_count_alike_in_any_order(tmp_path: Path) -> None:
    header, first, second = SMALL["documents.csv"].splitlines(keepends=True)
    twin = second.replace("rp,001", "zz,002").replace("CdA resolution 30 of 2024-06-14", "")
    found = []
    for name, rows in {"ab": (first, second, twin), "ba": (twin, second, first)}.items():
        ledger = new_ledger()
        tables = {**SMALL, "documents.csv": header + "".join(rows)}
        report = import_folder(ledger, write_folder(tmp_path / name, tables))
        assert report.problems == ()
        found.append(known_facts(ledger))

    assert found[0] == found[1]


def test_the_worked_example_cannot_enter_the_ledger_of_another_body(tmp_path: Path) -> None:
    ledger = two_years(tmp_path)

    with pytest.raises(BodyMismatchError):
        import_folder(ledger, EXAMPLE)


def test_an_indicator_without_children_is_not_computed(tmp_path: Path) -> None:
    ledger = new_ledger()
    row = "2023,X,AREA,,Vuoto,,up,index,100,,50.00,,2024-06-14,computed,,2023-01-30,\n"
    folder = write_folder(tmp_path / "empty", {"objectives.csv": OBJECTIVES_HEADER + row})

    report = import_folder(ledger, folder)
    (line,) = replayed(ledger).indicators

    assert report.problems == ()
    assert line.value is None
    assert line.value_missing is not None
