"""Nothing is guessed: every value is read as it is written, or refused with its code."""

import datetime as dt
from typing import Any, Literal

import polars as pl
import pytest

from ledger.facts.conversion import TEXT_BYTES_MAX, convert
from ledger.facts.problems import ROW
from schemas.columns import DTYPES, layout
from schemas.registry import default_registry

FIELDS = layout(default_registry().latest("registro.facts.RequestDefined"))
"""Has every kind: texts, a date, a long, an int, booleans, a text that may be null."""
PLAIN = {
    "source_id": "1",
    "product": "P1",
    "origin_unit": "DP1",
    "routed_unit": "DP1",
    "defining_unit": "DP1",
    "defined_on": "2023-03-15",
    "pieces": "1",
    "elapsed_days": "10",
    "automated": "false",
    "supersedes": "",
    "reversal": "false",
}
MIDNIGHT = dt.datetime(2023, 3, 15)  # noqa: DTZ001 - as a file holds it
TIMES = (
    MIDNIGHT.replace(microsecond=1000),
    MIDNIGHT.replace(hour=10, minute=30),
    MIDNIGHT.replace(hour=23, minute=59, second=59),
    MIDNIGHT.replace(year=1960, hour=23),
)
UNITS: tuple[Literal["ms", "us", "ns"], ...] = ("ms", "us", "ns")
KIND = {"text": "product", "number": "pieces", "int": "elapsed_days", "day": "defined_on"}


def read(column: str, value: object, dtype: Any = pl.String) -> tuple[object, list[str]]:
    """Return what a value is read as, and the codes of its problems."""
    raw = pl.DataFrame({**PLAIN, ROW: 0}).with_columns(pl.Series(column, [value], dtype=dtype))
    converted = convert(raw, FIELDS)
    problems = converted.problems
    assert set(problems.get_column("column")) <= {column}
    return converted.frame.get_column(column).item(), problems.get_column("code").to_list()


def test_the_schema_has_every_kind_of_field() -> None:
    assert {one.kind for one in FIELDS} == {*DTYPES}
    assert {one.name for one in FIELDS} == set(PLAIN)
    assert {one.name for one in FIELDS if one.nullable} == {"supersedes"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0),
        ("-0", 0),
        ("7", 7),
        ("-12", -12),
        ("9223372036854775807", 2**63 - 1),
        ("-9223372036854775808", -(2**63)),
    ],
)
def test_reads_whole_numbers(text: str, value: int) -> None:
    assert read("pieces", text) == (value, [])


@pytest.mark.parametrize(
    "text",
    [
        "1.234",
        "1,5",
        "1.234,56",
        "1'000",
        "1 000",
        "1\u00a0000",
        "1.0",
        "1e3",
        "+5",
        "007",
        "00",
        "-",
        "--1",
        "-01",
        " 5",
        "5 ",
        "5\n",
        "0x10",
        "\u0665",
        "5\u20ac",
        "NaN",
        "inf",
        "null",
        "true",
        "9223372036854775808",
        "-9223372036854775809",
        "9999999999999999999",
        "1" + "0" * 30,
    ],
)
def test_refuses_what_is_no_whole_number(text: str) -> None:
    assert read("pieces", text) == (None, ["not_a_number"])


@pytest.mark.parametrize("text", ["2147483648", "-2147483649"])
def test_refuses_a_number_too_large_for_its_column(text: str) -> None:
    assert read("elapsed_days", text) == (None, ["not_a_number"])


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2023-03-15", dt.date(2023, 3, 15)),
        ("2024-02-29", dt.date(2024, 2, 29)),
        ("0001-01-01", dt.date.min),
        ("9999-12-31", dt.date.max),
    ],
)
def test_reads_days(text: str, day: dt.date) -> None:
    assert read("defined_on", text) == (day, [])


@pytest.mark.parametrize(
    "text",
    [
        "2023-02-29",
        "2023-02-30",
        "2023-13-01",
        "2023-00-10",
        "2023-04-31",
        "2023-1-5",
        "31/12/2023",
        "31-12-2023",
        "20231231",
        "2023-12-31T00:00:00",
        "2023-12-31 ",
        " 2023-12-31",
        "2023-12-31\n",
        "10000-01-01",
        "-001-01-01",
        "0000-01-01",
        "45000",
        "\u0662\u0660\u0662\u0663-12-31",
        "today",
    ],
)
def test_refuses_what_is_no_day(text: str) -> None:
    assert read("defined_on", text) == (None, ["not_a_day"])


@pytest.mark.parametrize(
    ("text", "flag"),
    [
        ("true", True),
        ("True", True),
        ("TRUE", True),
        ("1", True),
        ("false", False),
        ("False", False),
        ("FALSE", False),
        ("0", False),
    ],
)
def test_reads_flags(text: str, flag: bool) -> None:  # noqa: FBT001 - a value of the table
    assert read("automated", text) == (flag, [])


@pytest.mark.parametrize("text", ["yes", "s\u00ec", "S", "vero", "2", "-1", "1.0", " true", "tRUE"])
def test_refuses_what_is_no_flag(text: str) -> None:
    assert read("automated", text) == (None, ["not_a_flag"])


@pytest.mark.parametrize(
    "text",
    [
        "P1",
        " P1 ",
        "007",
        "1.0",
        "\u00e0\U0001f600",
        "a\"b'c;d,e",
        "x" * TEXT_BYTES_MAX,
        "\u00e8" * 256,
    ],
)
def test_reads_texts_as_they_are(text: str) -> None:
    assert read("product", text) == (text, [])


@pytest.mark.parametrize(
    "text",
    ["a\nb", "a\rb", "a\tb", "\x00", "a\x01", "\x1f", "x" * (TEXT_BYTES_MAX + 1), "\u00e8" * 257],
)
def test_refuses_texts_that_no_record_holds(text: str) -> None:
    assert read("product", text) == (None, ["bad_text"])


@pytest.mark.parametrize("column", [name for name in PLAIN if name != "supersedes"])
@pytest.mark.parametrize("value", ["", None])
def test_refuses_a_missing_value(column: str, value: str | None) -> None:
    assert read(column, value) == (None, ["missing"])


@pytest.mark.parametrize("value", ["", None])
def test_a_value_that_may_be_missing_is_null(value: str | None) -> None:
    assert read("supersedes", value) == (None, [])


def test_a_missing_column_counts_as_empty() -> None:
    raw = pl.DataFrame({**PLAIN, ROW: 0}).drop("product", "reversal", "supersedes")
    converted = convert(raw, FIELDS)
    assert converted.problems.select("column", "code").rows() == [("product", "missing")]
    assert converted.frame.select("reversal", "supersedes").rows() == [(False, None)]


def test_every_problem_of_a_row_is_reported() -> None:
    row = {**PLAIN, "pieces": "1,5", "defined_on": "", "automated": "x", "product": "a\tb"}
    converted = convert(pl.DataFrame({**row, ROW: 41}), FIELDS)
    assert sorted(converted.problems.rows()) == [
        (41, "automated", "not_a_flag", "x"),
        (41, "defined_on", "missing", ""),
        (41, "pieces", "not_a_number", "1,5"),
        (41, "product", "bad_text", "a\tb"),
    ]


def test_a_table_without_rows_has_no_problems() -> None:
    converted = convert(pl.DataFrame({**PLAIN, ROW: 0}).clear(), FIELDS)
    assert (converted.frame.height, converted.problems.height) == (0, 0)
    assert converted.frame.drop(ROW).schema == {one.name: DTYPES[one.kind] for one in FIELDS}


@pytest.mark.parametrize(
    ("column", "value", "dtype", "found"),
    [
        ("pieces", 7, pl.Int8, 7),
        ("pieces", 7, pl.Int32, 7),
        ("pieces", 7, pl.UInt64, 7),
        ("elapsed_days", 7, pl.Int64, 7),
        ("automated", True, pl.Boolean, True),
        ("automated", 0, pl.Int64, False),
        ("defined_on", dt.date(2023, 3, 15), pl.Date, dt.date(2023, 3, 15)),
        *(("defined_on", MIDNIGHT, pl.Datetime(unit), MIDNIGHT.date()) for unit in UNITS),
        ("defined_on", MIDNIGHT.replace(year=1960), pl.Datetime("ns"), dt.date(1960, 3, 15)),
        ("product", 12, pl.Int64, "12"),
        ("product", "P1", pl.Categorical, "P1"),
        ("product", "P1", pl.Enum(["P1", "P2"]), "P1"),
        ("supersedes", None, pl.Null, None),
    ],
)
def test_reads_typed_columns(column: str, value: object, dtype: Any, found: object) -> None:
    assert read(column, value, dtype) == (found, [])


@pytest.mark.parametrize(
    ("column", "value", "dtype", "code"),
    [
        ("pieces", 7.0, pl.Float64, "not_a_number"),
        ("pieces", float("nan"), pl.Float64, "not_a_number"),
        ("pieces", 2**64 - 1, pl.UInt64, "not_a_number"),
        ("pieces", 7, pl.Decimal(10, 2), "not_a_number"),
        ("pieces", True, pl.Boolean, "not_a_number"),
        ("pieces", dt.date(2023, 3, 15), pl.Date, "not_a_number"),
        ("elapsed_days", 2**31, pl.Int64, "not_a_number"),
        ("defined_on", 19000, pl.Int32, "not_a_day"),
        *(("defined_on", one, pl.Datetime(unit), "time_of_day") for one in TIMES for unit in UNITS),
        ("product", MIDNIGHT, pl.Datetime, "bad_text"),
        ("pieces", MIDNIGHT, pl.Datetime, "not_a_number"),
        ("automated", 2, pl.Int64, "not_a_flag"),
        ("automated", 1.0, pl.Float64, "not_a_flag"),
        ("product", 12.0, pl.Float64, "bad_text"),
        ("product", True, pl.Boolean, "bad_text"),
        ("product", dt.date(2023, 3, 15), pl.Date, "bad_text"),
        ("product", None, pl.Null, "missing"),
        ("pieces", None, pl.Null, "missing"),
        ("defined_on", None, pl.Null, "missing"),
        ("automated", None, pl.Null, "missing"),
        ("pieces", None, pl.Int64, "missing"),
        ("pieces", None, pl.Float64, "missing"),
    ],
)
def test_refuses_typed_columns_that_say_something_else(
    column: str, value: object, dtype: Any, code: str
) -> None:
    assert read(column, value, dtype) == (None, [code])


def test_the_kinds_named_here_are_those_of_the_schema() -> None:
    kinds = {one.name: one.kind for one in FIELDS}
    assert [kinds[name] for name in KIND.values()] == ["string", "long", "int", "date"]
