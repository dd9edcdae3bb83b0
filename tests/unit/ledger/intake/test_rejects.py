"""Refused rows come back with their bytes, and the folder appears whole or not at all."""

import csv
import io
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.errors import DatasetError
from ledger.intake.numbers import decimal_cell
from ledger.intake.problems import Problem, problem
from ledger.intake.rejects import (
    LABELS,
    RejectedTable,
    reject_folder,
    rejected_table,
    write_rejects,
)
from ledger.intake.tables import RejectedRow, TableResult, TableSpec, parse_table, read_table
from ledger.intake.texts import code_cell

SPEC: TableSpec[str] = TableSpec(
    file="figures.csv",
    columns={"id": code_cell, "label": str, "value": decimal_cell},
    key=("id",),
    build=lambda cells, _: str(cells["id"]),
)
HEADER = b"id,label,value\n"


def rejected_of(result: TableResult[str]) -> RejectedTable:
    table = rejected_table(result)
    assert table is not None
    return table


def listing(folder: Path) -> list[list[str]]:
    text = (folder / "problems.csv").read_bytes().decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=";"))


def write(folder: Path, data: bytes) -> Path:
    target = folder / "data.rejects"
    write_rejects(target, [rejected_of(parse_table(data, SPEC))])
    return target


def test_writes_header_and_bad_rows_unchanged(tmp_path: Path) -> None:
    target = write(tmp_path, HEADER + b'a,"x, ""y""","1,5"\r\nb,ok,2\nc,z,n.d.\n')

    assert (target / "figures.csv").read_bytes() == HEADER + b'a,"x, ""y""","1,5"\r\nc,z,n.d.\n'


def test_keeps_the_byte_order_mark(tmp_path: Path) -> None:
    target = write(tmp_path, b"\xef\xbb\xbf" + HEADER + b"a,x,bad\n")

    assert (target / "figures.csv").read_bytes().startswith(b"\xef\xbb\xbfid,")


def test_ends_a_last_row_that_had_no_end(tmp_path: Path) -> None:
    target = write(tmp_path, b"id,label,value\r\na,x,bad")

    assert (target / "figures.csv").read_bytes() == b"id,label,value\r\na,x,bad\r\n"


def test_the_mended_folder_is_read_in_place_of_the_original(tmp_path: Path) -> None:
    target = write(tmp_path, HEADER + b'a,x,"1,5"\nb,ok,2\n')
    file = target / "figures.csv"

    file.write_bytes(file.read_bytes().replace(b'"1,5"', b"1.5"))

    result = read_table(file, SPEC)
    assert result.is_good
    assert [row.value for row in result.rows] == ["a"]


def test_lists_problems_with_both_lines(tmp_path: Path) -> None:
    target = write(tmp_path, HEADER + b'b,ok,2\na,"x\ny",1,5\nc,z,+4\n')

    assert listing(target)[0] == list(LABELS)
    assert [row[:6] for row in listing(target)[1:]] == [
        ["figures.csv", "3", "2", "", "a,x\\ny,1,5", "row_over_lines"],
        ["figures.csv", "5", "4", "value", "'+4", "plus_sign"],
    ]


def test_the_list_is_made_for_italian_spreadsheets(tmp_path: Path) -> None:
    target = write(tmp_path, HEADER + b"a,x,bad\n")

    data = (target / "problems.csv").read_bytes()
    assert data.startswith(b"\xef\xbb\xbffile;original line;")
    assert data.count(b"\r\n") == data.count(b"\n") == 2


@pytest.mark.parametrize("start", ["=", "+", "-", "@"])
def test_no_cell_of_the_list_runs_as_a_formula(tmp_path: Path, start: str) -> None:
    target = write(tmp_path, HEADER + b"a,x," + start.encode() + b"cmd|x\n")

    assert listing(target)[1][4] == f"'{start}cmd|x"


def test_renders_problems_in_the_language_of_the_reader(tmp_path: Path) -> None:
    def italian(found: Problem) -> tuple[str, str]:
        return f"motivo {found.code}", "correggere"

    table = rejected_of(parse_table(HEADER + b"a,x,bad\n", SPEC))

    write_rejects(tmp_path / "r", [table], texts=italian, labels=["colonna"] * 8)

    assert listing(tmp_path / "r")[1][6:] == ["motivo not_a_number", "correggere"]


@pytest.mark.parametrize(
    "data",
    [
        b"id;label;value\na;x;1\n",
        b"id,label,valeu\na,x,1\n",
        "id,label,value\na,x,1\n".encode("utf-16"),
        b"",
    ],
)
def test_copies_a_file_that_is_refused_whole(tmp_path: Path, data: bytes) -> None:
    target = write(tmp_path, data)

    assert (target / "figures.csv").read_bytes() == data


def test_writes_no_table_when_only_lines_without_data_are_refused(tmp_path: Path) -> None:
    target = write(tmp_path, HEADER + b"a,x,1\n\nb,y,2\n")

    assert [path.name for path in target.iterdir()] == ["problems.csv"]
    assert listing(target)[1][:3] == ["figures.csv", "3", ""]


def test_gathers_nothing_from_a_good_file() -> None:
    assert rejected_table(parse_table(HEADER + b"a,x,1\n", SPEC)) is None


def test_adds_rows_refused_for_what_they_mean(tmp_path: Path) -> None:
    result = parse_table(HEADER + b"a,x,1\nb,y,bad\nc,z,3\n", SPEC)
    late = problem(
        "dangling_reference", file="figures.csv", line=2, facts={"what": "", "target": ""}
    )
    more = [RejectedRow(record=result.rows[0].record, problems=(late,))] * 2

    table = rejected_table(result, more)
    assert table is not None
    report = write_rejects(tmp_path / "r", [table])

    assert (tmp_path / "r" / "figures.csv").read_bytes() == HEADER + b"a,x,1\nb,y,bad\n"
    assert [len(row.problems) for row in table.rows] == [2, 1]
    assert report.rows == 2


def test_carries_the_files_that_the_import_needs(tmp_path: Path) -> None:
    card = tmp_path / "dataset.toml"
    card.write_bytes(b"[dataset]\n")
    original = tmp_path / "figures.csv"
    original.write_bytes(b"never copied")
    table = rejected_of(parse_table(HEADER + b"a,x,bad\n", SPEC))

    report = write_rejects(tmp_path / "r", [table], carry=[card, original])

    assert report.files == ("dataset.toml", "figures.csv", "problems.csv")
    assert (tmp_path / "r" / "dataset.toml").read_bytes() == b"[dataset]\n"
    assert (tmp_path / "r" / "figures.csv").read_bytes() == HEADER + b"a,x,bad\n"


def test_refuses_to_touch_a_folder_that_exists(tmp_path: Path) -> None:
    target = write(tmp_path, HEADER + b"a,x,bad\n")

    with pytest.raises(DatasetError, match="already"):
        write(tmp_path, HEADER + b"b,x,bad\n")

    assert (target / "figures.csv").read_bytes() == HEADER + b"a,x,bad\n"


def test_leaves_nothing_behind_when_writing_fails(tmp_path: Path) -> None:
    table = rejected_of(parse_table(HEADER + b"a,x,bad\n", SPEC))

    with pytest.raises(DatasetError, match="cannot be written"):
        write_rejects(tmp_path / "r", [table], carry=[tmp_path / "missing.toml"])
    with pytest.raises(DatasetError, match="cannot be written"):
        write_rejects(tmp_path / "no" / "r", [table])

    assert list(tmp_path.iterdir()) == []


def test_leaves_nothing_behind_when_writing_fails_half_way(tmp_path: Path) -> None:
    good = rejected_of(parse_table(HEADER + b"a,x,bad\n", SPEC))
    bad = replace(good, file="no_such_folder/figures.csv")

    with pytest.raises(DatasetError, match="cannot be written"):
        write_rejects(tmp_path / "r", [good, bad])

    assert list(tmp_path.iterdir()) == []


def test_starts_anew_after_a_crash(tmp_path: Path) -> None:
    partial = tmp_path / ".data.rejects.partial"
    partial.mkdir()
    (partial / "figures.csv").write_bytes(b"half")

    target = write(tmp_path, HEADER + b"a,x,bad\n")

    assert [path.name for path in tmp_path.iterdir()] == [target.name]
    assert (target / "figures.csv").read_bytes() == HEADER + b"a,x,bad\n"


@pytest.mark.parametrize(
    ("dataset", "taken", "name"),
    [
        ("data", [], "data.rejects"),
        ("data", ["data.rejects"], "data.rejects-2"),
        ("data.rejects", ["data.rejects"], "data.rejects-2"),
        ("data.rejects-2", ["data.rejects", "data.rejects-2"], "data.rejects-3"),
    ],
)
def test_takes_the_first_free_name(
    tmp_path: Path, dataset: str, taken: list[str], name: str
) -> None:
    for folder in taken:
        (tmp_path / folder).mkdir()

    assert reject_folder(tmp_path / dataset) == tmp_path / name


ROWS = st.lists(
    st.tuples(
        st.sampled_from(["x", "b c", "", "attività"]),
        st.text(alphabet='ab,"\nè;', max_size=6),
        st.sampled_from(["bad", "1,5", "-0", "2"]),
        st.sampled_from(["\n", "\r\n"]),
    ),
    max_size=6,
)


@pytest.mark.property
@given(ROWS)
@settings(max_examples=60)
def test_rejects_read_back_as_the_same_rows(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str, str, str]]
) -> None:
    text = io.StringIO(newline="")
    text.write("id,label,value\r\n")
    for code, label, value, end in rows:
        csv.writer(text, lineterminator=end).writerow([code, label, value])
    result = parse_table(text.getvalue().encode(), SPEC)
    table = rejected_table(result)
    if table is None or not table.rows:
        return

    target = tmp_path_factory.mktemp("round") / "r"
    write_rejects(target, [table])

    again = read_table(target / "figures.csv", SPEC)
    kept = sorted(
        [*(row.record for row in again.rows), *(row.record for row in again.rejected)],
        key=lambda record: record.line,
    )
    assert [record.raw for record in kept] == [row.record.raw for row in table.rows]
