"""Records keep their bytes and lines; a fault spoils one of them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.intake.records import cut_records, guess_encoding

SIGNS = st.sampled_from([b"a", b",", b'"', b"\n", b"\r\n", b"\r", b"\xc3\xa8", b"\xe8", b"\0"])


def codes(data: bytes) -> list[tuple[int, str | None]]:
    return [(cut.record.line, cut.fault.code if cut.fault else None) for cut in cut_records(data)]


@pytest.mark.parametrize(
    ("data", "values"),
    [
        (b"a,b\n", [("a", "b")]),
        (b"a,b", [("a", "b")]),
        (b"a,b\r\nc,d\n", [("a", "b"), ("c", "d")]),
        (b'"a,b",c\n', [("a,b", "c")]),
        (b'"a ""b"" c",\n', [('a "b" c', "")]),
        (b'"",""\n', [("", "")]),
        (b'""""\n', [('"',)]),
        (b'"a\r\nb",c\r\n', [("a\r\nb", "c")]),
        (b'a,"b"\r\n', [("a", "b")]),
        (b'a,"b"', [("a", "b")]),
        (b'"a",b\r\n', [("a", "b")]),
        (b",\n", [("", "")]),
        (b"\xc3\xa8\n", [("è",)]),
        (b"a\n\n\r\n", [("a",)]),
        (b"", []),
        (b"\n\n", []),
    ],
)
def test_cuts_records(data: bytes, values: list[tuple[str, ...]]) -> None:
    assert [cut.values for cut in cut_records(data)] == values


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b'a,"b\nc,d\n', [(1, "unclosed_quote"), (2, None)]),
        (b'a,"b\nc,"d"\ne,f\n', [(1, "unclosed_quote"), (2, None), (3, None)]),
        (b'a,b\nc,"d', [(1, None), (2, "unclosed_quote")]),
        (b'12" pipe,a\nb,c\n', [(1, "stray_quote"), (2, None)]),
        (b'"a"b,c\nd,e\n', [(1, "text_after_quote"), (2, None)]),
        (b'"a" ,c\nd,e\n', [(1, "text_after_quote"), (2, None)]),
        (b"a\rb\rc\r", [(1, "lone_cr")]),
        (b'"a",b\rc\n', [(1, "lone_cr")]),
        (b"a,b\n\r", [(1, None), (2, "lone_cr")]),
        (b"a\0b\nc\n", [(1, "nul_byte"), (2, None)]),
        (b"a\n\xe0\nb\n", [(1, None), (2, "not_utf8"), (3, None)]),
        (b"a\n\xed\xa0\x80\n", [(1, None), (2, "not_utf8")]),
        (b"a\n\xc3", [(1, None), (2, "cut_character")]),
        (b"a\n\xc3\nb", [(1, None), (2, "not_utf8"), (3, None)]),
        (b"\xc0\xaf\n", [(1, "not_utf8")]),
    ],
)
def test_a_fault_spoils_one_record(data: bytes, found: list[tuple[int, str | None]]) -> None:
    assert codes(data) == found


def test_counts_physical_lines() -> None:
    cuts = list(cut_records(b'a\n"b\n\nc"\n\n\nd\n'))

    assert [(cut.record.line, cut.is_blank) for cut in cuts] == [
        (1, False),
        (2, False),
        (5, True),
        (7, False),
    ]


def test_says_where_the_first_foreign_byte_is() -> None:
    (_, cut) = cut_records(b"abc\nd\x80\n")

    assert cut.fault is not None
    assert cut.fault.facts == {"offset": 5, "byte": "0x80", "guess": "Windows-1252"}


@pytest.mark.parametrize(
    ("raw", "guess"),
    [
        ("attività".encode("latin-1"), "Windows-1252 / ISO-8859-1"),
        ("€ 5".encode("cp1252"), "Windows-1252"),
        (b"\x81\x8d", "unknown"),
    ],
)
def test_guesses_the_encoding(raw: bytes, guess: str) -> None:
    assert guess_encoding(raw) == guess


@pytest.mark.property
@given(st.lists(SIGNS, max_size=40).map(b"".join))
@settings(max_examples=200)
def test_records_concatenate_to_the_file(data: bytes) -> None:
    cuts = list(cut_records(data))

    joined = b"".join(cut.record.raw + cut.record.line_end for cut in cuts)
    assert data.startswith(joined)
    assert not data[len(joined) :].strip(b"\r\n")


@pytest.mark.property
@given(st.lists(SIGNS, max_size=40).map(b"".join))
@settings(max_examples=200)
def test_every_record_begins_on_its_line(data: bytes) -> None:
    place = 0
    for cut in cut_records(data):
        assert cut.record.line == data[:place].count(b"\n") + 1
        place += len(cut.record.raw + cut.record.line_end)
