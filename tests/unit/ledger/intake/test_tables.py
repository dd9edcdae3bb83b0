"""Tables are read strictly: good rows typed, everything else explained, nothing lost."""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ledger.intake.numbers import decimal_cell
from ledger.intake.problems import CellError, Problem
from ledger.intake.tables import TableResult, TableSpec, parse_table, read_table
from ledger.intake.texts import choice_cell, code_cell, nullable, text_cell


@dataclass(frozen=True, kw_only=True)
class Figure:
    figure_id: str
    label: str
    value: Decimal | None
    unit: str
    note: str | None


def build(cells: Mapping[str, Any], texts: Mapping[str, str]) -> Figure:
    if texts["unit"] == "days" and texts["value"].startswith("-"):
        raise CellError("below_minimum", column="value", limit=0)
    return Figure(**cells)


SPEC = TableSpec(
    file="figures.csv",
    columns={
        "figure_id": code_cell,
        "label": text_cell,
        "value": nullable(decimal_cell),
        "unit": choice_cell(("EUR", "days"), what="unit of measure"),
        "note": nullable(text_cell),
    },
    key=("figure_id",),
    optional=frozenset({"note"}),
    build=build,
)
HEADER = b"figure_id,label,value,unit\n"
GOOD = b"f1,Riscossioni,100.48,EUR\n"


def read(rows: bytes) -> TableResult[Figure]:
    return parse_table(HEADER + rows, SPEC)


def brief(problems: tuple[Problem, ...]) -> list[tuple[int | None, str | None, str]]:
    return [(found.line, found.column, found.code) for found in problems]


def test_reads_typed_rows() -> None:
    result = read(GOOD + b'f2,"Giacenza, media",,days\n')

    assert result.is_good
    assert [row.value for row in result.rows] == [
        Figure(figure_id="f1", label="Riscossioni", value=Decimal("100.48"), unit="EUR", note=None),
        Figure(figure_id="f2", label="Giacenza, media", value=None, unit="days", note=None),
    ]
    assert [row.record.raw for row in result.rows] == [
        b"f1,Riscossioni,100.48,EUR",
        b'f2,"Giacenza, media",,days',
    ]
    assert [row.line for row in result.rows] == [2, 3]


def test_names_the_bytes_that_were_read() -> None:
    result = read(GOOD)

    assert result.sha256 == hashlib.sha256(HEADER + GOOD).digest()
    assert result.size == len(HEADER + GOOD)


@pytest.mark.parametrize(
    "data",
    [
        b"\xef\xbb\xbf" + HEADER + GOOD,
        (HEADER + GOOD).replace(b"\n", b"\r\n"),
        HEADER.replace(b"\n", b"\r\n") + GOOD,
        (HEADER + GOOD).removesuffix(b"\n"),
        HEADER + GOOD + b"\n\r\n\n",
        b"unit,value,label,figure_id\nEUR,100.48,Riscossioni,f1\n",
        b'"figure_id","label","value","unit"\n"f1","Riscossioni","100.48","EUR"\n',
        b"figure_id,label,value,unit,note\nf1,Riscossioni,100.48,EUR,\n",
    ],
    ids=["bom", "crlf", "mixed", "no-end", "blank-end", "order", "quoted", "optional"],
)
def test_accepts_what_means_the_same(data: bytes) -> None:
    result = parse_table(data, SPEC)

    assert result.problems == ()
    assert [row.value.value for row in result.rows] == [Decimal("100.48")]


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        (b"f1,a,1,234,EUR\n", [(2, None, "too_many_columns")]),
        (b"f1,a,1\n", [(2, None, "too_few_columns")]),
        (GOOD + b"f2,a", [(3, None, "truncated_row")]),
        (GOOD + b'f2,"a', [(3, None, "unclosed_quote")]),
        (b'f1,",a,1,EUR\nf2,",a,1,EUR\n', [(2, None, "row_over_lines")]),
        (b'f1,",a\nf2,",1,EUR\n', [(2, "label", "line_break")]),
        (GOOD + b"\n\nf2,a,1,EUR\n", [(3, None, "blank_line")]),
        (b",,,\n" + GOOD, [(2, None, "empty_row")]),
        (b'f1,"a\nb",1,EUR\n', [(2, "label", "line_break")]),
        (b"f1,a\0b,1,EUR\n", [(2, None, "nul_byte")]),
        (b"f1,a\x0bb,1,EUR\n", [(2, "label", "control_character")]),
        (b"f1,a ,1,EUR\n", [(2, "label", "outer_blanks")]),
        (b"f1,\xc3\xa0\xe0,1,EUR\n", [(2, None, "not_utf8")]),
        (b"f1,a,1,EUR\rf2,a,1,EUR\n", [(2, None, "lone_cr")]),
        (b'f1,"1,234",1,EUR\nf2,a,"1,234",EUR\n', [(3, "value", "ambiguous_number")]),
        (b"f1,a,-0,EUR\n", [(2, "value", "negative_zero")]),
        (b"f1,a,1e30,EUR\n", [(2, "value", "exponent")]),
        (b"f1,a,1,euro\n", [(2, "unit", "unknown_choice")]),
        (b"f1,a,-1,days\n", [(2, "value", "below_minimum")]),
        (b",a,1,EUR\n", [(2, "figure_id", "empty_value")]),
        (
            b"f 1,,x,kg\n",
            [
                (2, "figure_id", "bad_code"),
                (2, "label", "empty_value"),
                (2, "value", "not_a_number"),
                (2, "unit", "unknown_choice"),
            ],
        ),
        (
            GOOD + b"f2,a,1,EUR\n" + GOOD,
            [(2, "figure_id", "duplicate_key"), (4, "figure_id", "duplicate_key")],
        ),
    ],
)
def test_explains_every_fault(rows: bytes, found: list[tuple[int | None, str | None, str]]) -> None:
    assert brief(read(rows).problems) == found


def test_reads_the_rows_around_a_bad_one() -> None:
    result = read(GOOD + b'f2,"open,1,EUR\nf3,b,x,EUR\nf4,c,1,EUR\n')

    assert [row.value.figure_id for row in result.rows] == ["f1", "f4"]
    assert [row.record.raw for row in result.rejected] == [b'f2,"open,1,EUR', b"f3,b,x,EUR"]


def test_names_both_lines_of_a_duplicate() -> None:
    result = read(GOOD + b"f2,a,1,EUR\n" + GOOD + GOOD)

    others = [found.facts["other_line"] for found in result.problems]
    assert others == ["4", "2", "2"]
    assert [row.value.figure_id for row in result.rows] == ["f2"]


def test_finds_a_duplicate_of_a_row_that_is_bad_otherwise() -> None:
    result = read(GOOD + b"f1,a,x,EUR\n")

    assert brief(result.problems) == [
        (2, "figure_id", "duplicate_key"),
        (3, "value", "not_a_number"),
        (3, "figure_id", "duplicate_key"),
    ]


def test_exempts_empty_texts_from_a_further_key() -> None:
    spec = TableSpec(
        file="units.csv",
        columns={"record": str, "code": str},
        key=("record", "code"),
        also_unique=(("code",),),
        build=lambda cells, _: str(cells["code"]),
    )

    result = parse_table(b"record,code\nA,\nB,\nA,x\nB,x\n", spec)

    assert [row.line for row in result.rows] == [2, 3]


@pytest.mark.parametrize(
    ("data", "codes"),
    [
        (b"", ["file_empty"]),
        (b"\n\n", ["file_empty"]),
        (b"\xef\xbb\xbf", ["file_empty"]),
        (b"\n" + HEADER + GOOD, ["blank_header"]),
        ((HEADER + GOOD).decode().encode("utf-16"), ["utf16"]),
        ((HEADER + GOOD).decode().encode("utf-16-le"), ["utf16"]),
        ((HEADER + GOOD).decode().encode("utf-32"), ["utf16"]),
        (b"PK\x03\x04rest", ["not_a_table"]),
        (b"%PDF-1.7", ["not_a_table"]),
        ((HEADER + GOOD).replace(b",", b";"), ["semicolon_separated"]),
        (b'"figure_id";"label";"value";"unit"\n', ["semicolon_separated"]),
        ((HEADER + GOOD).replace(b",", b"\t"), ["semicolon_separated"]),
        ((HEADER + GOOD).replace(b"\n", b"\r"), ["lone_cr"]),
        (b'figure_id,"label\n' + GOOD, ["unclosed_quote"]),
        (b"figure_id,label\xe0,value,unit\n", ["not_utf8"]),
        (b"a,b\n1,2\n", ["unknown_column"] * 2 + ["missing_column"] * 4),
        (b"figure_id,label,value\nf1,a,1\n", ["missing_column"]),
        (b"figure_id,label,valeu,unit\nf1,a,1,EUR\n", ["unknown_column", "missing_column"]),
        (b"figure_id,label,Value,unit\nf1,a,1,EUR\n", ["unknown_column", "missing_column"]),
        (b"figure_id,label,value,unit,unit\nf1,a,1,EUR,EUR\n", ["duplicate_column"]),
        (b"figure_id,label,value,unit,\nf1,a,1,EUR,\n", ["blank_column"]),
        (b"figure_id,label,value,unit,extra\nf1,a,1,EUR,x\n", ["unknown_column"]),
        (b"figure_id, label,value,unit\nf1,a,1,EUR\n", ["unknown_column", "missing_column"]),
    ],
)
def test_refuses_a_file_as_a_whole(data: bytes, codes: list[str]) -> None:
    result = parse_table(data, SPEC)

    assert [found.code for found in result.problems] == codes
    assert (result.rows, result.rejected, result.whole) == ((), (), data)


def test_proposes_the_column_that_was_meant() -> None:
    result = parse_table(b"figure_id,label,valeu,unit\nf1,a,1,EUR\n", SPEC)

    assert result.problems[0].hint == "did you mean value?"


def test_reports_bad_cells_under_a_bad_header_too() -> None:
    result = parse_table(b"figure_id,label,value,unit,extra\nf1,a,x,EUR,y\n", SPEC)

    assert brief(result.problems) == [(1, "extra", "unknown_column"), (2, "value", "not_a_number")]


def test_refuses_a_table_without_rows() -> None:
    assert [found.code for found in read(b"").problems] == ["no_rows"]


def test_accepts_a_table_without_rows_where_it_may_be_empty() -> None:
    spec = TableSpec(
        file="a.csv",
        columns={"a": str},
        key=("a",),
        may_be_empty=True,
        build=lambda cells, _: str(cells["a"]),
    )

    assert parse_table(b"a\n", spec).is_good


def test_counts_offsets_from_the_byte_order_mark() -> None:
    result = parse_table(b"\xef\xbb\xbf" + HEADER + b"f1,\xe0,1,EUR\n", SPEC)

    assert result.problems[0].facts["offset"] == str(3 + len(HEADER) + 3)


def test_reports_a_missing_file(tmp_path: Path) -> None:
    result = read_table(tmp_path / "figures.csv", SPEC)

    assert [found.code for found in result.problems] == ["file_missing"]
    assert result.whole is None


def test_reports_a_folder_in_place_of_a_file(tmp_path: Path) -> None:
    assert [found.code for found in read_table(tmp_path, SPEC).problems] == ["not_a_file"]


def test_does_not_wait_for_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "figures.csv")

    result = read_table(tmp_path / "figures.csv", SPEC)

    assert [found.code for found in result.problems] == ["not_a_file"]


def test_reports_a_path_that_cannot_be() -> None:
    result = read_table(Path("a\0b"), SPEC)

    assert [found.code for found in result.problems] == ["file_unreadable"]


@pytest.mark.parametrize(("limit", "codes"), [(len(HEADER + GOOD), []), (10, ["file_too_large"])])
def test_limits_the_size_of_a_file(tmp_path: Path, limit: int, codes: list[str]) -> None:
    path = tmp_path / "figures.csv"
    path.write_bytes(HEADER + GOOD)

    result = read_table(path, SPEC, file_bytes_max=limit)

    assert [found.code for found in result.problems] == codes


def test_one_line_of_a_problem_says_all() -> None:
    (found,) = read(b'f1,a,"1,234",EUR\n').problems

    assert str(found) == (
        "figures.csv, line 2, column value, value '1,234': the comma may stand for decimals"
        " (1.234) or for thousands (1234); write 1.234 or 1234"
    )


def accounted(result: TableResult[Figure], data: bytes) -> None:
    """Every byte of a row is in a row or in a rejected record, and every refusal has a reason."""
    for found in result.problems:
        assert found.message.isprintable()
        assert found.hint.isprintable()
    if result.whole is not None:
        assert result.whole == data
        assert result.problems
        return
    assert all(row.problems for row in result.rejected)
    kept = sorted(
        [*(row.record for row in result.rows), *(row.record for row in result.rejected)],
        key=lambda record: record.line,
    )
    lost = data.count(b"f") - sum(record.raw.count(b"f") for record in kept)
    assert result.header is not None
    assert lost == result.header.raw.count(b"f")


@pytest.mark.property
@given(st.binary(max_size=400))
@example(b"\xff\xfe")
@example(b'"')
@example(b'\xef\xbb\xbf"\r')
@settings(max_examples=200)
def test_any_bytes_give_an_answer(data: bytes) -> None:
    accounted(parse_table(data, SPEC), data)


@pytest.mark.property
@given(st.binary(max_size=200))
@settings(max_examples=200)
def test_any_bytes_below_a_header_give_an_answer(rows: bytes) -> None:
    accounted(read(rows), HEADER + rows)


VALID = HEADER + GOOD + 'f2,"Attività, altre",5,days\r\nf3,"d""e",,EUR\n'.encode()


@pytest.mark.property
@given(
    st.lists(
        st.tuples(
            st.integers(0, len(VALID)),
            st.integers(0, 4),
            st.sampled_from([b"", b'"', b",", b"\n", b"\r", b"\0", b"\xe0", b";", b" ", b"f"]),
        ),
        max_size=4,
    )
)
@settings(max_examples=200)
def test_a_damaged_file_gives_an_answer(damage: list[tuple[int, int, bytes]]) -> None:
    data = VALID
    for place, cut, put in damage:
        data = data[:place] + put + data[place + cut :]

    accounted(parse_table(data, SPEC), data)


@pytest.mark.parametrize("end", range(len(HEADER), len(VALID)))
def test_a_cut_file_is_refused_unless_cut_at_a_row(end: int) -> None:
    result = parse_table(VALID[:end], SPEC)

    whole_rows = VALID[:end].count(b"\n") - 1
    assert len(result.rows) in {whole_rows, whole_rows + 1}
    if len(result.rows) > whole_rows:
        # Only values that are still valid when shortened can hide a cut: the last column.
        assert VALID[:end].endswith((b"EUR", b"days", b"days\r"[:-1]))
