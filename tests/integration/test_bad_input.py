"""Every way in which a data folder can be wrong: what is said of it, and what is recorded.

Each case damages the small folder once. With `whole` nothing is recorded; with `rows` everything
else is. The place, the code and the value of the problem are stated by the case.
"""

import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest

from ledger.errors import DatasetError
from ledger.events.results import MoneyFlowRecorded
from ledger.intake.importer import ImportReport, Mode, import_folder
from tests.support.dataset import copy_of_example
from tests.support.folders import (
    SMALL,
    SMALL_ROWS,
    Damage,
    both,
    cell,
    event_ids,
    events_of,
    in_line,
    line_of,
    more,
    replayed,
    rewrite,
    small_folder,
)
from tests.support.ledgers import new_ledger

BOM = b"\xef\xbb\xbf"
HUGE = "x" * (1024 * 1024 + 1)
RESTING_ON_DOCUMENTS: Mapping[str, int] = {
    "documents.csv": 1,
    "ieep.csv": 3,
    "objectives.csv": 7,
    "guidelines.csv": 2,
    "risk_matrix.csv": 2,
    "risk_activity.csv": 2,
}
"""Rows that wait for the first document when its line cannot be read: all but one objective, whose
only day is that of the other document."""


@dataclass(frozen=True)
class Case:
    """One damage and what must be said of it."""

    name: str
    damage: Damage
    code: str
    file: str
    line: int | None
    column: str | None = None
    value: str | None = None
    """None when the problem is of no single value."""
    lost: Mapping[str, int] = field(default_factory=dict)
    """Rows of the small folder that are not recorded with `rows`, by file."""
    says: str = ""
    """A part of the message or hint."""


def cut_before(file: str, text: bytes) -> Damage:
    """Cut a file off before a text."""
    return rewrite(file, lambda data: data[: data.index(text)])


def written(file: str, content: bytes) -> Damage:
    """Replace the content of a file."""
    return rewrite(file, lambda _: content)


def recoded(file: str, encoding: str) -> Damage:
    """Save a file in another encoding."""
    return rewrite(file, lambda data: data.decode().encode(encoding))


def number(text: str, code: str, says: str = "") -> Case:
    """Put a text into a cell that holds an amount."""
    return Case(
        f"number {text}"[:24],
        cell("ieep.csv", 4, "closing", text),
        code,
        "ieep.csv",
        4,
        "closing",
        text,
        {"ieep.csv": 1},
        says,
    )


def unit(name: str, damage: Damage, code: str, column: str | None, value: str | None) -> Case:
    """Damage the last unit, which nothing refers to."""
    return Case(name, damage, code, "units.csv", 6, column, value, {"units.csv": 1})


def matrix(
    name: str, damage: Damage, code: str, column: str | None = None, *, line: int | None = 1
) -> Case:
    """Damage a whole table, which nothing refers to."""
    lost = {"risk_matrix.csv": 2}
    return Case(name, damage, code, "risk_matrix.csv", line, column, None, lost)


def objective(
    name: str, column: str, value: str, code: str, *, lost: int = 1, line: int = 6
) -> Case:
    """Put a text into a cell of an objective; by default of one that nothing refers to."""
    damage = cell("objectives.csv", line, column, value)
    return Case(name, damage, code, "objectives.csv", line, column, value, {"objectives.csv": lost})


FILES = (
    unit("cut in a character", both(
        in_line("units.csv", 6, "Gare", "Attività"),
        rewrite("units.csv", lambda data: data[: data.index("à".encode()) + 1]),
    ), "cut_character", None, "UNIT,UF,,UF1,Attivit\\xc3"),
    Case(
        "cut in quotes", cut_before("acts.csv", b" con virgola"), "unclosed_quote", "acts.csv",
        4, None, 'Parliament,law,,2023-07-31,"legge,', {"acts.csv": 1}, "get a complete copy",
    ),
    Case(
        "cut in a row", cut_before("ieep.csv", b",300,2024-03-01,330"), "truncated_row", "ieep.csv",
        4, None, "A.2,A,Rimborsi,-,300,2024-03-01", {"ieep.csv": 1}, "get a complete copy",
    ),
    Case(
        "Latin-1", recoded("documents.csv", "latin-1"), "not_utf8", "documents.csv", 2, None,
        "ra,000,Relazione sulle attivit\\xe0,2024-03-01,,PRE_CONSUNTIVO", RESTING_ON_DOCUMENTS,
        "ISO-8859-1",
    ),
    unit("Latin-1 in a row", both(
        in_line("units.csv", 6, "Gare", "Attività"), recoded("units.csv", "latin-1"),
    ), "not_utf8", None, "UNIT,UF,,UF1,Attivit\\xe0,DC2"),
    matrix("UTF-16", recoded("risk_matrix.csv", "utf-16"), "utf16"),
    matrix("UTF-16 without mark", recoded("risk_matrix.csv", "utf-16-be"), "utf16"),
    matrix("UTF-32", recoded("risk_matrix.csv", "utf-32"), "utf16"),
    matrix("empty file", written("risk_matrix.csv", b""), "file_empty", line=None),
    matrix("only a mark", written("risk_matrix.csv", BOM), "file_empty", line=None),
    matrix("header only", cut_before("risk_matrix.csv", b"central"), "no_rows"),
    matrix("blank header", rewrite("risk_matrix.csv", lambda data: b"\n" + data), "blank_header"),
    matrix("spreadsheet", rewrite("risk_matrix.csv", lambda data: b"PK\x03\x04" + data),
           "not_a_table", line=None),
    matrix("semicolons", rewrite("risk_matrix.csv", lambda data: data.replace(b",", b";")),
           "semicolon_separated"),
    matrix("tabs", rewrite("risk_matrix.csv", lambda data: data.replace(b",", b"\t")),
           "semicolon_separated"),
    matrix("unknown column", in_line("risk_matrix.csv", 1, "locator", "locatore"),
           "unknown_column", "locatore"),
    matrix("missing column", rewrite("risk_matrix.csv", lambda data: data.replace(
        b",locator", b"").replace(b",l15", b"").replace(b",l16", b"")), "missing_column",
        "locator"),
    matrix("column twice", in_line("risk_matrix.csv", 1, "locator", "scope"),
           "duplicate_column", "scope"),
    unit("NUL byte", in_line("units.csv", 6, "Gare", "Ga\0re"), "nul_byte", None,
         "UNIT,UF,,UF1,Ga\\x00re,DC2"),
    unit("huge cell", cell("units.csv", 6, "name", HUGE), "field_too_long", "name",
         "x" * 119 + "…"),
    unit("long text", cell("units.csv", 6, "name", "x" * 4001), "text_too_long", "name",
         "x" * 119 + "…"),
    unit("stray quote", in_line("units.csv", 6, "Gare", 'Ga"re'), "stray_quote", None,
         'UNIT,UF,,UF1,Ga"re,DC2'),
    unit("too many values", in_line("units.csv", 6, "Gare", "Ga,re"), "too_many_columns", None,
         "UNIT,UF,,UF1,Ga,re,DC2"),
    unit("too few values", in_line("units.csv", 6, ",DC2", ""), "too_few_columns", None,
         "UNIT,UF,,UF1,Gare"),
    unit("outer blank", cell("units.csv", 6, "name", " Gare"), "outer_blanks", "name", " Gare"),
    unit("invisible sign", cell("units.csv", 6, "name", "Ga\u200bre"), "invisible_character",
         "name", "Ga\\u200bre"),
    unit("escape sequence", cell("units.csv", 6, "name", "\x1b[31mGare"), "control_character",
         "name", "\\x1b[31mGare"),
)  # fmt: skip

NUMBERS = (
    number("1.234,56", "comma_number", "1234.56"),
    number("1234,5", "comma_number", "1234.5"),
    number("1,234.56", "thousands_separator", "1234.56"),
    number("1,234", "ambiguous_number", "1.234 or 1234"),
    number("1.234.567", "thousands_separator", "1234567"),
    number("1 234", "thousands_separator", "1234"),
    number("-0", "negative_zero"),
    number("-0.00", "negative_zero"),
    number("NaN", "not_a_number"),
    number("Infinity", "not_a_number"),
    number("-inf", "not_a_number"),
    number("n.d.", "not_a_number"),
    number("1e30", "exponent"),
    number("+5", "plus_sign"),
    number("007", "leading_zeros", "write 7"),
    number(".5", "bare_dot"),
    number("12%", "unit_in_number"),
    number("\u2212300", "minus_sign", "-300"),
    number("\u0663", "foreign_digits"),
    number("9" * 39, "too_many_digits", "38"),
    Case("count too large", cell("units.csv", 2, "count", str(2**63)), "above_maximum",
         "units.csv", 2, "count", str(2**63), {"units.csv": 1}),
    Case("negative count", cell("risk_matrix.csv", 2, "measures", "-1"), "below_minimum",
         "risk_matrix.csv", 2, "measures", "-1", {"risk_matrix.csv": 1}),
    Case("decimals too large", in_line("figures.csv", 4, ",index,2,", f",index,{2**31},"),
         "above_maximum", "figures.csv", 4, "decimals", str(2**31), {"figures.csv": 1}),
    Case("half a count", cell("risk_activity.csv", 2, "risks", "1.5"), "not_an_integer",
         "risk_activity.csv", 2, "risks", "1.5", {"risk_activity.csv": 1}),
)  # fmt: skip

MEANING = (
    Case("duplicate id", more("units.csv", "UNIT,XX,,UF1,Gare bis,DG"), "duplicate_key",
         "units.csv", 6, "code", "UF1", {"units.csv": 1}, "line 7"),
    Case("duplicate act", more("acts.csv", "CdA,resolution,14,2023-01-30,bis,2023-01-30"),
         "duplicate_key", "acts.csv", 2, "adopted_on", "2023-01-30", {
             "acts.csv": 1, "objectives.csv": 8, "guidelines.csv": 0}),
    unit("dangling unit", cell("units.csv", 6, "parent_code", "DC9"), "dangling_reference",
         "parent_code", "DC9"),
    objective("dangling objective", "parent_code", "P.9", "dangling_reference"),
    Case("dangling flow", cell("ieep.csv", 4, "parent_code", "Z"), "dangling_reference",
         "ieep.csv", 4, "parent_code", "Z", {"ieep.csv": 1}),
    Case("dangling guideline", cell("guidelines.csv", 2, "oge_code", "P.9"), "dangling_reference",
         "guidelines.csv", 2, "oge_code", "P.9", {"guidelines.csv": 1, "objectives.csv": 0}),
    Case("dangling document", cell("figures.csv", 4, "document", "rpp"), "dangling_reference",
         "figures.csv", 4, "document", "rpp", {"figures.csv": 1}, "did you mean rp?"),
    unit("cycle of 1", cell("units.csv", 6, "parent_code", "UF1"), "cycle", "parent_code", "UF1"),
    Case("cycle of 2", cell("units.csv", 5, "parent_code", "UF1"), "cycle", "units.csv", 5,
         "parent_code", "UF1", {"units.csv": 2}, "DC2 > UF1 > DC2"),
    Case("cycle of 3", cell("units.csv", 3, "parent_code", "UF1"), "cycle", "units.csv", 3,
         "parent_code", "UF1", {"units.csv": 4}, "DC2 > DG > UF1 > DC2"),
    objective("cycle of objectives", "parent_code", "P.2.1", "cycle"),
    Case("cycle of flows", cell("ieep.csv", 4, "parent_code", "A.2"), "cycle", "ieep.csv", 4,
         "parent_code", "A.2", {"ieep.csv": 1}),
    Case("future act", cell("acts.csv", 4, "adopted_on", "2026-11-22"), "date_after_limit",
         "acts.csv", 4, "adopted_on", "2026-11-22", {"acts.csv": 1}, "2026-11-21"),
    objective("future result", "as_of_closing", "2026-11-22", "date_after_limit"),
    Case("future figure", in_line("figures.csv", 4, "2024-06-14", "2999-01-01"),
         "date_after_limit", "figures.csv", 4, "as_of", "2999-01-01", {"figures.csv": 1}),
    objective("impossible date", "as_of_closing", "2023-02-30", "impossible_date"),
    objective("day first", "as_of_closing", "14/06/2024", "day_first_date"),
    Case("result before its year", cell("objectives.csv", 6, "as_of_closing", "2022-12-31"),
         "refused_by_rule", "objectives.csv", 6, None, None, {"objectives.csv": 1}, "2022-12-31"),
    objective("unit of measure", "unit", "giorni", "unknown_choice"),
    objective("unit in capitals", "unit", "DAYS", "unknown_choice"),
    Case("unit of a figure", in_line("figures.csv", 4, ",index,", ",euro,"), "unknown_choice",
         "figures.csv", 4, "unit", "euro", {"figures.csv": 1}, "EUR"),
    objective("wrong year", "year", "2022", "other_year"),
    objective("year of two digits", "year", "23", "below_minimum"),
    Case("guideline of a wrong year", cell("guidelines.csv", 2, "year", "2024"), "other_year",
         "guidelines.csv", 2, "year", "2024", {"guidelines.csv": 1}),
    objective("negative weight", "weight_pct", "-40", "refused_by_rule", line=4, lost=2),
    objective("weight beyond 100", "weight_pct", "140", "refused_by_rule", line=4, lost=2),
    Case("weights of 101", cell("objectives.csv", 4, "weight_pct", "41"), "refused_by_rule",
         "objectives.csv", 3, "weight_pct", "60", {}, "sum to 101, not 100"),
    Case("weights of 99.99", cell("objectives.csv", 4, "weight_pct", "39.99"), "refused_by_rule",
         "objectives.csv", 3, "weight_pct", "60", {}, "sum to 99.99, not 100"),
    Case("act before it is in force",
         more("documents.csv", "nota,,Nota,2023-07-31,Parliament law of 2023-07-31,"),
         "refused_by_rule", "documents.csv", 4, "act", "Parliament law of 2023-07-31", {},
         "in force from 2023-08-01"),
    Case("unknown act",
         more("documents.csv", "nota,,Nota,2023-08-02,CdA resolution 99 of 2023-01-01,"),
         "refused_by_rule", "documents.csv", 4, "act", "CdA resolution 99 of 2023-01-01", {},
         "is not in this ledger"),
    Case("unreadable act", more("documents.csv", "nota,,Nota,2023-08-02,delibera 3,"),
         "refused_by_rule", "documents.csv", 4, "act", "delibera 3", {}, "ORGAN/TYPE/NUMBER/DATE"),
    Case("guideline beyond 100", cell("guidelines.csv", 2, "status_pct", "100.01"),
         "refused_by_rule", "guidelines.csv", 2, "status_pct", "100.01", {"guidelines.csv": 1}),
    Case("amount that differs from its node", cell("objectives.csv", 7, "result_closing", "1201"),
         "conflicting_value", "objectives.csv", 7, "result_closing", "1201",
         {"objectives.csv": 1}, "1200"),
    Case("type without count", cell("units.csv", 2, "count", ""), "empty_value", "units.csv", 2,
         "count", "", {"units.csv": 1}),
    unit("unit without code", cell("units.csv", 6, "code", ""), "empty_value", "code", ""),
    Case("period reversed", in_line("figures.csv", 4, "2023-12-31", "2022-12-31"),
         "refused_by_rule", "figures.csv", 4, None, None, {"figures.csv": 1}, "before it begins"),
)  # fmt: skip

CASES = (*FILES, *NUMBERS, *MEANING)


def card(name: str, damage: Callable[[str], str], code: str, column: str | None) -> Case:
    """Damage the card of the folder."""
    change = rewrite("dataset.toml", lambda data: damage(data.decode()).encode())
    return Case(name, change, code, "dataset.toml", None, column)


CARDS = (
    card("no table", lambda text: text.replace("[dataset]", "[data]"), "missing_key", "[dataset]"),
    card("no TOML", lambda text: text.replace('"INPS"', "INPS"), "toml_syntax", None),
    card("year as text", lambda text: text.replace("2023", '"2023"'), "wrong_type", "year"),
    card("year as truth", lambda text: text.replace("2023", "true"), "wrong_type", "year"),
    card("body as number", lambda text: text.replace('"INPS"', "7"), "wrong_type", "body"),
    card("unknown key", lambda text: text + 'titolo = "x"\n', "unknown_key", "titolo"),
    card("missing key", lambda text: text.replace('currency = "EUR"\n', ""), "missing_key",
         "currency"),
    card("bad currency", lambda text: text.replace("EUR", "euro"), "bad_currency", "currency"),
    card("bad zone", lambda text: text.replace("Rome", "Roma"), "unknown_timezone", "timezone"),
    card("later format", lambda text: text.replace("= 1", "= 2"), "unknown_format", "format"),
    card("year 0", lambda text: text.replace("2023", "0"), "below_minimum", "year"),
    card("empty body", lambda text: text.replace("INPS", ""), "empty_value", "body"),
)  # fmt: skip

CATALOGUES = {
    "not TOML": ("format = 1\n[[indicator", "catalogue.toml"),
    "no format": ('[plan]\nact = "CdA/resolution/14/2023-01-30"\n', "format None"),
    "later format": ("format = 2\n", "format 2"),
    "unknown key": ("format = 1\n[piano]\n", "unknown keys piano"),
    "plan as text": ('format = 1\nplan = "CdA"\n', "plan: write it as a table"),
    "act as number": ("format = 1\n[plan]\nact = 14\n", "plan: act is 14"),
    "unreadable act": ('format = 1\n[plan]\nact = "CdA 14"\n', "ORGAN/TYPE/NUMBER/DATE"),
    "no code": ('format = 1\n[[indicator]]\nrule = "DR1"\n', "indicator 1: code is None"),
    "operator": ('format = 1\n[[indicator]]\ncode = "P"\nformula = { op = "average" }\n',
                 "formula of P, at $: unknown operator 'average'"),
    "formula as text": ('format = 1\n[[indicator]]\ncode = "P"\nformula = "a+b"\n',
                        "formula of P, at $"),
    "formula with a date": (
        'format = 1\n[[indicator]]\ncode = "P"\nformula = { op = 2023-01-01 }\n', "catalogue.toml"),
    "rule": ('format = 1\n[[indicator]]\ncode = "P"\nrule = "DR9"\n', "P: rule is 'DR9'"),
    "decimals": ('format = 1\n[[indicator]]\ncode = "P"\ndecimals = "2"\n', "P: decimals is '2'"),
    "no decimals": ('format = 1\n[[indicator]]\ncode = "P"\ndecimals = -1\n', "P: decimals is -1"),
    "cap": ('format = 1\n[[indicator]]\ncode = "P"\ncap = nan\n', "P: cap is nan"),
    "code twice": ('format = 1\n[[indicator]]\ncode = "P"\n[[indicator]]\ncode = "P"\n',
                   "P: it stands twice"),
    "system": ("format = 1\n[measurement_system]\nmodel = 1\n", "measurement_system: model is 1"),
}  # fmt: skip


def damaged(folder: Path, damage: Damage) -> Path:
    """Write the small folder and damage it."""
    small_folder(folder)
    damage(folder)
    return folder


def require_said(report: ImportReport, case: Case) -> None:
    """Require that a report states the problem of a case and explains every problem."""
    places = [(one.code, one.file, one.line, one.column) for one in report.errors]
    assert (case.code, case.file, case.line, case.column) in places, report.errors
    found = report.errors[places.index((case.code, case.file, case.line, case.column))]
    if case.value is not None:
        shown = case.value if len(case.value) <= 120 else f"{case.value[:119]}…"
        assert found.value == shown
    assert case.says in f"{found.message} {found.hint}"
    for one in report.problems:
        assert one.message.strip()
        assert one.hint.strip()


@pytest.mark.parametrize("case", [*CASES, *CARDS], ids=lambda case: case.name)
def test_a_whole_import_refuses_and_records_nothing(case: Case, tmp_path: Path) -> None:
    ledger = new_ledger()
    before = events_of(ledger)
    folder = damaged(tmp_path / "small", case.damage)

    report = import_folder(ledger, folder)

    require_said(report, case)
    assert report.refused_whole
    assert (report.events, report.rejects) == (0, None)
    assert events_of(ledger) == before
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["small"]


@cache
def clean_ids() -> frozenset[str]:
    """Return the identifiers of all events of the undamaged folder."""
    ledger = new_ledger()
    with tempfile.TemporaryDirectory() as place:
        import_folder(ledger, small_folder(Path(place) / "clean"))
    return frozenset(event_ids(ledger))


def expected_lost(case: Case) -> dict[str, int]:
    """Return the rows a case loses, without the files that lose none."""
    return {file: rows for file, rows in case.lost.items() if rows}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_an_import_by_rows_records_every_good_row(case: Case, tmp_path: Path) -> None:
    ledger = new_ledger()
    folder = damaged(tmp_path / "small", case.damage)

    report = import_folder(ledger, folder, mode=Mode.ROWS)

    require_said(report, case)
    recorded = {count.file: count.recorded for count in report.files}
    lost = {
        file: rows - recorded.get(file, 0)
        for file, rows in SMALL_ROWS.items()
        if rows != recorded.get(file, 0)
    }
    assert lost == expected_lost(case)
    assert report.events > 0
    assert event_ids(ledger) <= clean_ids()


@pytest.mark.parametrize("case", CARDS, ids=lambda case: case.name)
def test_a_bad_card_refuses_the_folder_in_either_mode(case: Case, tmp_path: Path) -> None:
    ledger = new_ledger()
    before = events_of(ledger)
    folder = damaged(tmp_path / "small", case.damage)

    report = import_folder(ledger, folder, mode=Mode.ROWS)

    require_said(report, case)
    assert report.info is None
    assert report.events == 0
    assert events_of(ledger) == before


@pytest.mark.parametrize("name", CATALOGUES)
@pytest.mark.parametrize("mode", Mode)
def test_a_bad_catalogue_refuses_the_folder_in_either_mode(
    name: str, mode: Mode, tmp_path: Path
) -> None:
    text, says = CATALOGUES[name]
    ledger = new_ledger()
    before = events_of(ledger)
    folder = damaged(tmp_path / "small", written("catalogue.toml", text.encode()))

    with pytest.raises(DatasetError) as caught:
        import_folder(ledger, folder, mode=mode)

    assert "catalogue.toml" in str(caught.value)
    assert says in str(caught.value)
    assert caught.value.hint
    assert events_of(ledger) == before


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="there is no such folder"):
        import_folder(new_ledger(), tmp_path / "nowhere")


def test_a_folder_without_card_is_refused(tmp_path: Path) -> None:
    ledger = new_ledger()
    before = ledger.head()
    folder = small_folder(tmp_path / "small")
    (folder / "dataset.toml").unlink()

    report = import_folder(ledger, folder, mode=Mode.ROWS)

    assert [(one.code, one.file) for one in report.errors] == [("file_missing", "dataset.toml")]
    assert ledger.head() == before


@pytest.mark.parametrize(
    "damage",
    [
        both(*(rewrite(file, lambda data: BOM + data) for file in SMALL_ROWS)),
        both(*(rewrite(file, lambda data: data.replace(b"\n", b"\r\n")) for file in SMALL_ROWS)),
        both(*(rewrite(file, lambda data: data.removesuffix(b"\n")) for file in SMALL_ROWS)),
        both(*(rewrite(file, lambda data: data + b"\n\n") for file in SMALL_ROWS)),
        in_line("risk_matrix.csv", 2, "central,control,11,l15", '"central","control","11","l15"'),
    ],
    ids=["mark", "CRLF", "no last line end", "blank lines at the end", "needless quotes"],
)
def test_spellings_of_one_content_are_the_same_import(damage: Damage, tmp_path: Path) -> None:
    clean, other = new_ledger(), new_ledger()
    import_folder(clean, small_folder(tmp_path / "clean"))

    report = import_folder(other, damaged(tmp_path / "small", damage))

    assert report.problems == ()
    assert replayed(other).digest == replayed(clean).digest
    assert event_ids(other) == event_ids(clean)


@pytest.mark.parametrize(
    "text",
    [
        "1.234",
        "0",
        "0.00",
        "-300",
        "1" + "0" * 30,
        "123456789012345678901234567890",
        "-" + "9" * 38,
        "0." + "0" * 29 + "1",
    ],
)
def test_an_amount_is_recorded_to_the_last_digit(text: str, tmp_path: Path) -> None:
    ledger = new_ledger()
    folder = damaged(tmp_path / "small", cell("ieep.csv", 4, "closing", text))

    report = import_folder(ledger, folder)

    amounts = [
        event.event.amount
        for event in events_of(ledger)
        if isinstance(event.event, MoneyFlowRecorded) and event.event.node_code == "A.2"
    ]
    assert report.problems == ()
    assert amounts[-1] == Decimal(text)


def test_an_unknown_file_is_warned_of_and_refuses_nothing(tmp_path: Path) -> None:
    ledger = new_ledger()
    folder = small_folder(tmp_path / "small")
    shutil.copy(folder / "units.csv", folder / "unit.csv")

    report = import_folder(ledger, folder)

    assert [(one.code, one.file, one.severity) for one in report.problems] == [
        ("unknown_file", "unit.csv", "warning")
    ]
    assert not report.refused_whole
    assert report.events > 0


def test_all_problems_of_all_files_are_said_at_once(tmp_path: Path) -> None:
    picked = {case.file: case for case in CASES if case.line != 1 and case.column is not None}
    folder = damaged(tmp_path / "small", both(*(case.damage for case in picked.values())))

    report = import_folder(new_ledger(), folder)

    assert len(picked) > 6
    for case in picked.values():
        require_said(report, case)
    files = [one.file for one in report.errors]
    assert files == sorted(files, key=list(SMALL).index)


def test_a_dry_run_says_the_same_and_writes_nothing(tmp_path: Path) -> None:
    ledger = new_ledger()
    before = events_of(ledger)
    folder = damaged(tmp_path / "small", cell("ieep.csv", 4, "closing", "1.234,56"))

    dry = import_folder(ledger, folder, mode=Mode.ROWS, dry_run=True)

    assert events_of(ledger) == before
    assert not (tmp_path / "small.rejects").exists()
    wet = import_folder(ledger, folder, mode=Mode.ROWS)
    assert (dry.problems, dry.events, dry.files) == (wet.problems, wet.events, wet.files)


EXAMPLE_CASES = (
    Case("number", cell("objectives.csv", 13, "result_closing", "1.234,56"), "comma_number",
         "objectives.csv", 13, "result_closing", "1.234,56"),
    Case("reference", cell("guidelines.csv", 3, "oge_code", "OGE9"), "dangling_reference",
         "guidelines.csv", 3, "oge_code", "OGE9"),
)  # fmt: skip


@pytest.mark.parametrize("case", EXAMPLE_CASES, ids=lambda case: case.name)
def test_one_bad_row_refuses_the_worked_example(case: Case, tmp_path: Path) -> None:
    ledger = new_ledger()
    before = ledger.head()
    folder = copy_of_example(tmp_path / "example")
    case.damage(folder)

    report = import_folder(ledger, folder)

    require_said(report, case)
    assert report.refused_whole
    assert ledger.head() == before


def test_the_reject_of_a_case_is_its_line(tmp_path: Path) -> None:
    ledger = new_ledger()
    folder = damaged(tmp_path / "small", cell("ieep.csv", 4, "closing", "NaN"))

    report = import_folder(ledger, folder, mode=Mode.ROWS)

    assert report.rejects is not None
    written_rows = (report.rejects.folder / "ieep.csv").read_bytes().splitlines(keepends=True)
    assert written_rows == [line_of(folder, "ieep.csv", 1), line_of(folder, "ieep.csv", 4)]
