"""Files in pieces: good rows among bad ones, and the same answer however a file is cut."""

import csv
import datetime as dt
import io
import json
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.errors import FactFileError
from ledger.facts import csvlines, jsonlines
from ledger.facts.pieces import LINE_BYTES_MAX, Piece
from ledger.facts.problems import ROW
from ledger.facts.reading import columns_of, first_line, format_of, read_pieces

Rows = list[tuple[object, ...]]


def pieces(path: Path, form: str, size: int = 1 << 20) -> list[Piece]:
    return list(read_pieces(path, form, piece_bytes=size))


def texts(found: list[Piece]) -> tuple[Rows, Rows]:
    """Return the good rows with their places and the problems, whatever the pieces."""
    good: Rows = []
    bad: Rows = []
    for piece in found:
        names = sorted(set(piece.frame.columns) - {ROW})
        for row in piece.frame.iter_rows(named=True):
            named = tuple((name, _text(row[name])) for name in names if row[name] not in {None, ""})
            good.append((row[ROW], named))
        bad += piece.problems.select(ROW, "code", "value").rows()
        assert piece.rows == piece.frame.height + piece.problems.height
    return good, bad


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def read_csv(tmp_path: Path, content: str | bytes, size: int = 1 << 20) -> tuple[Rows, Rows]:
    path = tmp_path / "a.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return texts(pieces(path, "csv", size))


def read_json(tmp_path: Path, content: str | bytes, size: int = 1 << 20) -> tuple[Rows, Rows]:
    path = tmp_path / "a.jsonl"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return texts(pieces(path, "jsonl", size))


def row(place: int, *values: str, names: str = "abc") -> tuple[object, ...]:
    return place, tuple((name, v) for name, v in zip(names, values, strict=True) if v)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("a,b,c\n1,2,3\n", [row(0, "1", "2", "3")]),
        ("a,b,c\n1,2,3", [row(0, "1", "2", "3")]),
        ("a;b;c\n1;2,5;3\n", [row(0, "1", "2,5", "3")]),
        ("\ufeffa,b,c\n1,2,3\n", [row(0, "1", "2", "3")]),
        ("a,b,c\r\n1,2,3\r\n4,5,6\r\n", [row(0, "1", "2", "3"), row(1, "4", "5", "6")]),
        ('"a","b","c"\n"1","2","3"\n', [row(0, "1", "2", "3")]),
        ('a,b,c\n"1,5","x ""y""",3\n', [row(0, "1,5", 'x "y"', "3")]),
        ('a,b,c\n1,"2\n2\r\n2",3\n4,5,6\n', [row(0, "1", "2\n2\r\n2", "3"), row(3, "4", "5", "6")]),
        ("a,b,c\n\n1,2,3\n\r\n\n4,5,6\n\n", [row(1, "1", "2", "3"), row(4, "4", "5", "6")]),
        ("a,b,c\n,,\n1,,3\n", [row(0, "", "", ""), row(1, "1", "", "3")]),
        ('a,b,c\n1,DP"1,3"\n', [row(0, "1", 'DP"1', '3"')]),
        ("a,b,c\n 1 , 2,3 \n", [row(0, " 1 ", " 2", "3 ")]),
        ("a,b,c\n#1,2,3\n", [row(0, "#1", "2", "3")]),
        ("a,b,c\nNULL,NA,nan\n", [row(0, "NULL", "NA", "nan")]),
        ("a,b,c\n1,\u00e0\U0001f600,3\n", [row(0, "1", "\u00e0\U0001f600", "3")]),
        ("a,b,c\n1,2\r3,4\n", [row(0, "1", "2\r3", "4")]),
    ],
)
def test_reads_csv(tmp_path: Path, content: str, expected: Rows) -> None:
    good, bad = read_csv(tmp_path, content)
    assert good == expected
    assert bad == []


@pytest.mark.parametrize(
    ("line", "code", "shown"),
    [
        ("1,2", "field_count", "1,2"),
        ("1", "field_count", "1"),
        ("1,2,3,4", "field_count", "1,2,3,4"),
        (" ", "field_count", " "),
        ('1,"2,2"', "field_count", '1,"2,2"'),
        ('"1"2,3,4', "unreadable", '"1"2,3,4'),
        ('1,"2,3', "unreadable", '1,"2,3'),
        ("1,\x00,3", "unreadable", "1,\x00,3"),
        (b"1,\xff,3", "unreadable", "1,\ufffd,3"),
        (b"\xe8,\xe8", "unreadable", "\ufffd,\ufffd"),
    ],
)
@pytest.mark.parametrize("size", [1, 7, 1 << 20])
def test_a_bad_line_is_located_and_costs_no_other(
    tmp_path: Path, line: str | bytes, code: str, shown: str, size: int
) -> None:
    raw = line.encode() if isinstance(line, str) else line
    good, bad = read_csv(tmp_path, b"a,b,c\n1,2,3\n" + raw + b"\n4,5,6\n7,8,9\n", size)
    assert bad == [(1, code, shown)]
    assert good == [row(0, "1", "2", "3"), row(2, "4", "5", "6"), row(3, "7", "8", "9")]


def test_short_and_long_lines_do_not_make_up_for_one_another(tmp_path: Path) -> None:
    good, bad = read_csv(tmp_path, "a,b,c\n1,2\n1,2,3,4\n5,6,7\n\n1,2,3,4,5\n")
    assert good == [row(2, "5", "6", "7")]
    assert [(place, code) for place, code, _ in bad] == [
        (0, "field_count"),
        (1, "field_count"),
        (4, "field_count"),
    ]


def test_a_quote_that_is_never_closed_costs_one_line_of_a_large_file(tmp_path: Path) -> None:
    lines = [f"{n},x,y" for n in range(60_000)]
    lines[100] = '100,"x,y'
    good, bad = read_csv(tmp_path, "a,b,c\n" + "\n".join(lines), 1 << 16)
    assert [(place, code) for place, code, _ in bad] == [(100, "unreadable")]
    assert len(good) == 59_999
    assert good[-1] == row(59_999, "59999", "x", "y")


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_a_line_without_end_is_no_table(tmp_path: Path, form: str) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"a,b\n" + b"x" * (3 * LINE_BYTES_MAX))
    with pytest.raises(FactFileError, match="longer than"):
        pieces(path, form, 1 << 16)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "name the columns"),
        (b"\n", "name the columns"),
        (b"a,a\n1,2\n", "each once"),
        (b"a,,c\n1,2,3\n", "each once"),
        (b'"a"x,b\n1,2\n', "name the columns"),
        (b"row,b\n1,2\n", "'row'"),
        (b"\xe8,b\n1,2\n", "not UTF-8"),
        ("a,b\n1,2\n".encode("utf-16"), "not UTF-8"),
    ],
)
def test_refuses_a_heading_that_names_no_columns(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    with pytest.raises(FactFileError, match=reason):
        read_csv(tmp_path, content)


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ('{"a":"1","b":2}', (("a", "1"), ("b", "2"))),
        ('{"a":"\\u00e8\\n","b":-2}', (("a", "\u00e8\n"), ("b", "-2"))),
        ('{"a":null,"b":true}', (("b", "true"),)),
        ('{"a":1.0,"b":1e3}', (("a", "1.0"), ("b", "1e3"))),
        ('{"a":"x","b":1' + "0" * 30 + "}", (("a", "x"), ("b", "1" + "0" * 30))),
        ('  {"a" :\t"1" }  ', (("a", "1"),)),
        ("{}", ()),
    ],
)
@pytest.mark.parametrize("size", [1, 1 << 20])
def test_reads_json_lines(tmp_path: Path, line: str, value: object, size: int) -> None:
    content = '\ufeff{"a":"0","b":0}\n\n' + line + '\r\n{"a":"9","b":9}'
    good, bad = read_json(tmp_path, content, size)
    assert bad == []
    assert good == [(0, (("a", "0"), ("b", "0"))), (2, value), (3, (("a", "9"), ("b", "9")))]


@pytest.mark.parametrize(
    "line",
    [
        "x",
        "[1]",
        '"a"',
        "1",
        "null",
        '{"a":1',
        '{"a":1}}',
        '{"a":1} {"a":2}',
        "{'a':1}",
        '{"a":1,}',
        '{"a":01}',
        '{"a":NaN}',
        '{"a":-Infinity}',
        '{"a":1,"a":2}',
        '{"a":[1]}',
        '{"a":{"b":1}}',
        '{"a":"\\ud800"}',
        '{"a":"\t"}',
        b'{"a":"\xff"}',
        "[" * 100_000,
    ],
)
@pytest.mark.parametrize("size", [1, 1 << 20])
def test_a_bad_line_of_json_is_located_and_costs_no_other(
    tmp_path: Path, line: str | bytes, size: int
) -> None:
    raw = line.encode() if isinstance(line, str) else line
    good, bad = read_json(tmp_path, b'{"a":1}\n' + raw + b'\n{"a":2}\n', size)
    assert [(place, code) for place, code, _ in bad] == [(1, "unreadable")]
    assert good == [(0, (("a", "1"),)), (2, (("a", "2"),))]


@pytest.mark.parametrize("other", ["1.5", '"x"', "true", "1" + "0" * 30, "null", '"1"'])
def test_what_one_line_holds_changes_nothing_of_another(tmp_path: Path, other: str) -> None:
    good, _ = read_json(tmp_path, '{"a":1}\n{"a":' + other + '}\n{"a":2}\n')
    assert good[0] == (0, (("a", "1"),))
    assert good[-1] == (2, (("a", "2"),))


def test_a_name_that_stands_for_the_row_number_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FactFileError, match="'row'"):
        read_json(tmp_path, '{"a":1}\n{"a":1,"row":5}\n')


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("a.csv", "csv"),
        ("A.CSV", "csv"),
        ("a.jsonl", "jsonl"),
        ("a.ndjson", "jsonl"),
        ("a.json", "jsonl"),
        ("a.parquet", "parquet"),
        ("a.avro", "avro"),
    ],
)
def test_the_ending_tells_the_format(name: str, form: str) -> None:
    assert format_of(Path(name)) == form


@pytest.mark.parametrize("name", ["a", "a.txt", "a.csv.gz", "a.xlsx", "csv"])
def test_an_unknown_ending_is_refused(name: str) -> None:
    with pytest.raises(FactFileError, match="ending"):
        format_of(Path(name))


def test_the_first_line_of_a_csv_file_is_its_heading() -> None:
    assert (first_line("csv"), first_line("jsonl"), first_line("parquet")) == (2, 1, 1)


@pytest.mark.parametrize("form", ["parquet", "avro"])
@pytest.mark.parametrize("content", [b"", b"Obj\x01", b"PAR1PAR1", b"\x00" * 100, b"a,b\n1,2\n"])
def test_what_is_no_file_with_types_is_refused(tmp_path: Path, form: str, content: bytes) -> None:
    path = tmp_path / "a"
    path.write_bytes(content)
    with pytest.raises(FactFileError):
        pieces(path, form)


def test_an_unknown_format_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FactFileError, match="no format"):
        pieces(tmp_path, "xlsx")
    for form in ("csv", "jsonl", "parquet", "avro"):
        with pytest.raises(FactFileError):
            pieces(tmp_path / "nothing", form)


@pytest.mark.parametrize("folder", ["a[1]", "unit=DP1", "*"])
def test_a_path_is_a_name_and_no_pattern(tmp_path: Path, folder: str) -> None:
    (tmp_path / folder).mkdir()
    path = tmp_path / folder / "x?.parquet"
    pl.DataFrame({"a": [1]}).write_parquet(path)
    assert columns_of(path, "parquet") == ("a",)


@pytest.mark.parametrize(
    "column",
    [
        pl.Series("a", [[1]]),
        pl.Series("a", [{"b": 1}]),
        pl.Series("a", [b"x"]),
        pl.Series("a", [dt.timedelta(1)]),
        pl.Series("a", [10**8], dtype=pl.Int32).cast(pl.Date),
        pl.Series("a", [10**17]).cast(pl.Datetime("ms")),
        pl.Series("a", [-(2**62)]).cast(pl.Datetime("us")),
        pl.Series("a", [2**62]).cast(pl.Datetime("us", "Europe/Rome")),
        # The last midnight of the calendar is a day later where it was written.
        pl.Series("a", [253_402_300_799_999]).cast(pl.Datetime("ms", "Asia/Tokyo")),
    ],
)
def test_columns_that_are_no_values_are_refused(tmp_path: Path, column: pl.Series) -> None:
    path = tmp_path / "a.parquet"
    pl.DataFrame([column]).write_parquet(path)
    with pytest.raises(FactFileError, match="'a'"):
        pieces(path, "parquet")


ODD = st.sampled_from(
    [
        "",
        "1",
        "P1",
        "a b",
        '"',
        '""',
        '"x"',
        '"a,b"',
        '"a\nb"',
        "x\ry",
        "\x00",
        '"open',
        'q"q',
        "\u00e8",
    ]
)
LINE = st.lists(ODD, min_size=1, max_size=4).map(",".join)
CONTENT = st.lists(st.one_of(st.just("1,2,3"), LINE), max_size=12).flatmap(
    lambda lines: st.sampled_from(["\n", "\r\n"]).map(lambda end: end.join(lines))
)


@pytest.mark.property
@settings(
    max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(CONTENT, st.integers(1, 40), st.booleans())
def test_any_cut_of_a_csv_file_reads_the_same(
    tmp_path: Path,
    content: str,
    size: int,
    ended: bool,  # noqa: FBT001 - hypothesis gives it
) -> None:
    text = "a,b,c\n" + content + ("\n" if ended else "")
    assert read_csv(tmp_path, text, size) == read_csv(tmp_path, text)


FIELDS3 = st.lists(
    st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=6),
    min_size=3,
    max_size=3,
)


@pytest.mark.property
@settings(
    max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(st.lists(FIELDS3, min_size=1, max_size=8), st.integers(1, 60), st.sampled_from(",;"))
def test_what_a_csv_writer_writes_is_read_as_it_was(
    tmp_path: Path, table: list[list[str]], size: int, separator: str
) -> None:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator)
    writer.writerow("abc")
    writer.writerows(table)
    good, bad = read_csv(tmp_path, text.getvalue(), size)
    assert not bad
    assert [values for _, values in good] == [row(0, *values)[1] for values in table]


VALUE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=4),
    st.just([1]),
)
OBJECT = st.dictionaries(st.sampled_from("abc"), VALUE, max_size=3).map(json.dumps)
PLAIN = st.builds(
    lambda a, b: json.dumps({"a": a, "b": b, "c": None}), st.text("xyz"), st.integers(0, 9)
)


@pytest.mark.property
@settings(
    max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(
    st.lists(st.one_of(PLAIN, OBJECT, st.sampled_from(["", "x", "{"])), max_size=10),
    st.integers(1, 60),
)
def test_any_cut_of_a_file_of_json_lines_reads_the_same(
    tmp_path: Path, lines: list[str], size: int
) -> None:
    text = "\n".join(lines)
    assert read_json(tmp_path, text, size) == read_json(tmp_path, text)


@pytest.mark.property
@settings(
    max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(st.lists(PLAIN, min_size=1, max_size=8))
def test_plain_lines_are_read_natively_and_alike(lines: list[str]) -> None:
    text = "\n".join(lines).encode()
    native = jsonlines._piece(text, 0, 0)
    single = jsonlines._by_line(text.split(b"\n"), 0, 0)
    assert native.frame.get_column("a").dtype in {pl.String, pl.Null}
    assert texts([native]) == texts([single])


def test_plain_text_is_read_natively() -> None:
    names = ["a", "b", "c"]
    assert csvlines._native(b"1,2,3\n4,,6", names, ",") is not None
    assert csvlines._native(b'1,"2;,2",""\r\n"4",,6', names, ",") is not None
    for odd in (b'1,"2""2",3\n', b'1,"2\n",3\n', b'1,2"2,3\n', b'1,"2",3,4\n', b'1,"2"\n'):
        assert csvlines._native(odd, names, ",") is None, odd
    for odd in (b"1,2\n", b"1,2\n1,2,3,4\n", b"\n", b"1,\xff,3\n", b"1,\x00,3\n"):
        assert csvlines._native(odd, names, ",") is None, odd
