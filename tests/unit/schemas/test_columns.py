import datetime as dt
import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from schemas import columns
from schemas.canonical import normalise, read_schema
from schemas.codec import decode, encode
from schemas.columns import DTYPES, Bodies, decode_blocks, empty, encode_frame, layout
from schemas.errors import DecodingError, EncodingError, InvalidSchemaError
from schemas.registry import ReleasedSchema, SchemaRegistry, default_registry
from schemas.syntax import Json
from tests.support.schema_files import field, record

DATE: Json = {"type": "int", "logicalType": "date"}
FACTS = default_registry().names(kind="fact")
LOWEST: dict[str, object] = {
    "string": "",
    "int": -(2**31),
    "long": -(2**63),
    "boolean": False,
    "date": dt.date.min,
}
HIGHEST: dict[str, object] = {
    "string": "è\U0001f600" * 5000,
    "int": 2**31 - 1,
    "long": 2**63 - 1,
    "boolean": True,
    "date": dt.date.max,
}


def schema_of(**types: Json) -> ReleasedSchema:
    """Return a schema of the name `registro.test.Fact` from its fields."""
    fields = [field(name, type_) for name, type_ in types.items()]
    text = normalise(read_schema(json.dumps(record("registro.test.Fact", *fields, kind="fact"))))
    return SchemaRegistry(Path("absent")).register_text(text)


SMALL = schema_of(code="string", pieces="long", note=["null", "string"])


def small(count: int, *, first: int = 0) -> list[dict[str, object]]:
    return [
        {"code": f"c{number}", "pieces": number, "note": None if number % 2 else f"note {number}"}
        for number in range(first, first + count)
    ]


def block(schema: ReleasedSchema, rows: Sequence[dict[str, object]]) -> Bodies:
    return block_of([encode(schema, row) for row in rows])


def block_of(bodies: Sequence[bytes]) -> Bodies:
    return Bodies(lengths=[len(body) for body in bodies], content=b"".join(bodies))


def refusal(schema: ReleasedSchema, *blocks: Bodies, checked: bool = True) -> dict[str, str]:
    """Return the facts of the error that decoding ends with."""
    with pytest.raises(DecodingError) as caught:
        decode_blocks(schema, blocks, checked=checked)
    return dict(caught.value.facts)


def failing_on(marker: bytes, error: BaseException) -> Callable[[io.BytesIO], pl.DataFrame]:
    """Return a native reader that fails on containers in which the marker stands."""
    native = pl.read_avro

    def read(source: io.BytesIO) -> pl.DataFrame:
        if marker in source.getvalue():
            raise error
        return native(source)

    return read


@pytest.mark.parametrize(
    "type_",
    [
        "bytes",
        "double",
        {"type": "array", "items": "string"},
        {"type": "string", "logicalType": "registro-decimal"},
        {"type": "long", "logicalType": "timestamp-micros"},
        {"type": "long", "logicalType": "date"},
        ["null", "bytes"],
        ["string", "null"],
        ["null", "string", "long"],
        {"type": "enum", "name": "Colour", "symbols": ["RED"], "default": "RED"},
    ],
    ids=str,
)
def test_refuses_a_schema_that_is_not_flat(type_: Json) -> None:
    schema = schema_of(code="string", other=type_)

    with pytest.raises(InvalidSchemaError, match=r"registro\.test\.Fact, other: a field of a fact"):
        layout(schema)


def test_refuses_a_record_without_fields() -> None:
    with pytest.raises(InvalidSchemaError, match="a record with fields"):
        layout(schema_of())


def test_a_table_without_rows_has_the_columns_of_the_schema() -> None:
    schema = schema_of(a="string", b="int", c="long", d="boolean", e=["null", DATE])

    assert list(empty(schema).schema.items()) == list(zip("abcde", DTYPES.values(), strict=True))


@pytest.mark.parametrize("full_name", FACTS)
@pytest.mark.parametrize("nulls", [False, True])
def test_released_facts_of_extreme_values_agree_with_the_reference(
    full_name: str, *, nulls: bool
) -> None:
    schema = default_registry().latest(full_name)
    rows = [
        {one.name: None if nulls and one.nullable else values[one.kind] for one in layout(schema)}
        for values in (LOWEST, HIGHEST, LOWEST)
    ]
    bodies = [encode(schema, row) for row in rows]

    for count in (0, 1, 3):
        encoded = encode_frame(schema, pl.DataFrame(rows[:count], schema=empty(schema).schema))
        decoded = decode_blocks(schema, [block_of(bodies[:count])])

        assert encoded.content == b"".join(bodies[:count])
        assert encoded.lengths.tolist() == [len(body) for body in bodies[:count]]
        assert decoded.frame.rows(named=True) == [decode(schema, body) for body in bodies[:count]]
        assert decoded.fallbacks == 0


def test_there_are_released_facts() -> None:
    assert len(FACTS) >= 10


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5, 7])
def test_steps_leave_no_seam(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(columns, "ROWS_AT_ONCE", 2)
    rows = small(count)

    encoded = encode_frame(SMALL, pl.DataFrame(rows, schema=empty(SMALL).schema))

    assert block(SMALL, rows) == Bodies(lengths=encoded.lengths.tolist(), content=encoded.content)


def test_encodes_slices_and_joined_tables_in_any_order_of_columns() -> None:
    rows = small(9)
    frame = pl.DataFrame(rows, schema=empty(SMALL).schema).select("note", "pieces", "code")
    pieces = pl.concat([frame[2:5], frame[5:8]], rechunk=False)

    encoded = encode_frame(SMALL, pieces)

    assert encoded.content == block(SMALL, rows[2:8]).content


@pytest.mark.parametrize(
    ("frame", "path", "reason"),
    [
        ({"pieces": [1], "note": ["x"]}, "code", "the table has no such column"),
        ({"code": ["x"], "pieces": ["1"], "note": ["x"]}, "pieces", "String, not Int64"),
        ({"code": ["x"], "pieces": [1.0], "note": ["x"]}, "pieces", "Float64, not Int64"),
        ({"code": ["x"], "pieces": [True], "note": ["x"]}, "pieces", "Boolean, not Int64"),
        ({"code": ["x"], "pieces": [1], "note": [None]}, "note", "Null, not String"),
        ({"code": [None, "x"], "pieces": [1, 2], "note": ["x", "y"]}, "code", "a value is null"),
        ({"code": ["x"], "pieces": [1], "note": ["x"], "more": [1]}, "more", "no such field"),
        ({"code": ["x"], "pieces": [1], "note": ["a\0b"]}, "note", "the character NUL"),
        ({"code": ["\0"], "pieces": [1], "note": ["x"]}, "code", "the character NUL"),
    ],
)
def test_refuses_a_table_that_does_not_fit(
    frame: dict[str, list[object]], path: str, reason: str
) -> None:
    with pytest.raises(EncodingError) as caught:
        encode_frame(SMALL, pl.DataFrame(frame))

    assert caught.value.facts["path"] == path
    assert reason in caught.value.facts["reason"]


@pytest.mark.parametrize("type_", [DATE, ["null", DATE]], ids=["plain", "nullable"])
@pytest.mark.parametrize("day", [-719_163, 2_932_897, -(2**31), 2**31 - 1])
def test_refuses_a_date_that_python_has_not(type_: Json, day: int) -> None:
    column = pl.Series("day", [0, day], pl.Int32).cast(pl.Date)

    with pytest.raises(EncodingError, match="day: a date is not in the years 1 to 9999"):
        encode_frame(schema_of(day=type_), column.to_frame())


def test_an_error_of_encoding_does_not_show_the_value() -> None:
    frame = pl.DataFrame({"code": ["Mario\0Rossi"], "pieces": [1], "note": ["x"]})

    with pytest.raises(EncodingError) as caught:
        encode_frame(SMALL, frame)

    assert "Mario" not in str(caught.value)


@pytest.mark.parametrize("blocks", [[], [block_of([])], [block_of([]), block_of([])]])
def test_nothing_gives_a_table_without_rows(blocks: list[Bodies]) -> None:
    decoded = decode_blocks(SMALL, blocks)

    assert decoded.frame.equals(empty(SMALL))
    assert decoded.frame.schema == empty(SMALL).schema
    assert decoded.fallbacks == 0


def test_keeps_the_order_of_blocks_and_passes_over_empty_ones() -> None:
    rows = small(7)
    blocks = [block(SMALL, each) for each in (rows[:3], [], rows[3:4], [], rows[4:])]

    assert decode_blocks(SMALL, blocks).frame.rows(named=True) == rows


def test_reads_a_schema_with_defaults_and_aliases() -> None:
    fields = (
        field("day", DATE, default=19_000, aliases=["jour"]),
        field("note", ["null", "string"], default=None),
        field("pieces", "long", default=-1),
    )
    text = normalise(read_schema(json.dumps(record("registro.test.Defaulted", *fields))))
    schema = SchemaRegistry(Path("absent")).register_text(text)
    rows: list[dict[str, object]] = [{"day": dt.date(2023, 1, 1), "note": None, "pieces": 3}]

    decoded = decode_blocks(schema, [block(schema, rows)])

    assert (decoded.frame.rows(named=True), decoded.fallbacks) == (rows, 0)


ONE = {
    "string": schema_of(value="string"),
    "int": schema_of(value="int"),
    "long": schema_of(value="long"),
    "boolean": schema_of(value="boolean"),
    "date": schema_of(value=DATE),
    "nullable": schema_of(value=["null", "long"]),
}
BAD = [
    ("overlong_zero", "long", "8000"),
    ("overlong_length_of_a_text", "string", "820061"),
    ("overlong_branch", "nullable", "820002"),
    ("long_of_eleven_bytes", "long", "8080808080808080808001"),
    ("long_beyond_64_bits", "long", "ffffffffffffffffff03"),
    ("long_beyond_64_bits_in_vain", "long", "80808080808080808002"),
    ("int_beyond_32_bits", "int", "8080808010"),
    ("int_that_wraps_to_one_of_the_same_length", "int", "ffffffff1f"),
    ("int_of_64_bits", "int", "ffffffffffffffffff01"),
    ("boolean_2", "boolean", "02"),
    ("boolean_255", "boolean", "ff"),
    ("branch_2", "nullable", "0402"),
    ("branch_minus_1", "nullable", "0102"),
    ("day_before_year_1", "date", "f5e457"),
    ("day_after_year_9999", "date", "c282e602"),
    ("day_beyond_32_bits", "date", "8080808010"),
    ("text_of_negative_length", "string", "01"),
    ("text_longer_than_the_body", "string", "0461"),
    ("text_of_huge_length", "string", "feffffffffffffffff01"),
    ("text_of_latin_1", "string", "02e0"),
    ("half_of_a_surrogate_pair", "string", "06eda080"),
    ("overlong_utf_8", "string", "04c080"),
    ("text_with_nul", "string", "0400" + "61"),
    ("nothing", "long", ""),
    ("varint_cut_off", "long", "80"),
    ("value_cut_off", "nullable", "02"),
    ("byte_too_many", "long", "0200"),
]


@pytest.mark.parametrize(("kind", "body"), [case[1:] for case in BAD], ids=[c[0] for c in BAD])
def test_refuses_what_the_reference_refuses(kind: str, body: str) -> None:
    schema, raw = ONE[kind], bytes.fromhex(body)
    with pytest.raises(DecodingError):
        decode(schema, raw)

    assert refusal(schema, block_of([raw]))["path"].startswith("block 0, body 0, ")


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("long", "ffffffffffffffffff01"),
        ("int", "ffffffff0f"),
        ("date", "f3e457"),
        ("date", "c082e602"),
        ("nullable", "00"),
        ("string", "00"),
    ],
)
def test_reads_the_last_that_is_good(kind: str, body: str) -> None:
    schema, raw = ONE[kind], bytes.fromhex(body)

    decoded = decode_blocks(schema, [block_of([raw])])

    assert (decoded.frame.rows(named=True), decoded.fallbacks) == ([decode(schema, raw)], 0)


def test_refuses_texts_that_are_utf_8_only_together() -> None:
    schema = schema_of(left="string", right="string")

    for checked in (True, False):
        facts = refusal(schema, block_of([bytes.fromhex("02c302a9")]), checked=checked)

        assert "UnicodeDecodeError" in facts["reason"]


def test_names_block_and_body() -> None:
    good = [encode(SMALL, row) for row in small(4)]
    bad = [*good[:2], good[2] + b"\0", good[3]]

    facts = refusal(SMALL, block_of(good), block_of([]), block_of(bad), block_of(good))

    assert facts["path"] == "block 2, body 2, the body"


def test_an_error_of_decoding_does_not_show_the_value() -> None:
    body = encode(SMALL, {"code": "Mario Rossi", "pieces": 1, "note": None})

    assert "Mario" not in str(refusal(SMALL, block_of([body + b"\0"])))


@pytest.mark.parametrize("checked", [True, False])
@pytest.mark.parametrize(
    "change", [[0, 1], [0, -1], [1], [-1]], ids=["more", "less", "first_more", "first_less"]
)
def test_refuses_lengths_that_do_not_sum_to_the_content(
    change: list[int], *, checked: bool
) -> None:
    good = block(SMALL, small(2))
    lengths = np.asarray(good.lengths)
    lengths[: len(change)] += change

    facts = refusal(
        SMALL, good, Bodies(lengths=lengths.tolist(), content=good.content), checked=checked
    )

    assert facts["path"] == "block 1"
    assert "do not sum" in facts["reason"]


@pytest.mark.parametrize("checked", [True, False])
def test_refuses_a_negative_length_that_another_makes_up_for(*, checked: bool) -> None:
    good = block(SMALL, small(2))
    lengths = [-1, len(good.content) + 1]

    facts = refusal(SMALL, Bodies(lengths=lengths, content=good.content), checked=checked)

    assert facts["path"] == "block 0"


@pytest.mark.parametrize("checked", [True, False])
def test_refuses_content_without_bodies(*, checked: bool) -> None:
    assert refusal(SMALL, Bodies(lengths=[], content=b"\0"), checked=checked)


def test_refuses_lengths_that_cut_good_bodies_elsewhere() -> None:
    good = block(SMALL, small(3))
    first, second, third = good.lengths
    moved = Bodies(lengths=[first + 1, int(second) - 1, third], content=good.content)

    assert refusal(SMALL, moved)["path"].startswith("block 0, body 0, ")
    assert decode_blocks(SMALL, [moved], checked=False).frame.rows(named=True) == small(3)


def test_unchecked_reading_still_counts_the_rows() -> None:
    good = block(SMALL, small(2))
    missing = Bodies(lengths=[*good.lengths, 0], content=good.content)

    assert refusal(SMALL, missing, checked=False)["path"].startswith("block 0, body 2, ")


@pytest.mark.parametrize(
    "error",
    [
        pl.exceptions.PanicException("index out of bounds"),
        pl.exceptions.ComputeError("not supported"),
        MemoryError(),
        OSError("out of spec"),
    ],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize("checked", [True, False])
def test_only_the_block_that_the_native_reader_fails_on_is_read_slowly(
    monkeypatch: pytest.MonkeyPatch, error: BaseException, *, checked: bool
) -> None:
    rows = small(40)
    blocks = [block(SMALL, rows[start : start + 2]) for start in range(0, 40, 2)]
    slow: list[int] = []
    reference = columns._reference

    def counted(schema: ReleasedSchema, one: Bodies, number: int) -> pl.DataFrame:
        slow.append(number)
        return reference(schema, one, number)

    monkeypatch.setattr(pl, "read_avro", failing_on(b"c13", error))
    monkeypatch.setattr(columns, "_reference", counted)

    decoded = decode_blocks(SMALL, blocks, checked=checked)

    assert decoded.frame.rows(named=True) == rows
    assert decoded.frame.schema == empty(SMALL).schema
    assert (decoded.fallbacks, slow) == (1, [6])


def test_counts_every_block_when_the_native_reader_reads_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    panic = pl.exceptions.PanicException("always")
    monkeypatch.setattr(pl, "read_avro", failing_on(b"", panic))
    rows = small(9)

    decoded = decode_blocks(
        SMALL, [block(SMALL, each) for each in (rows[:3], [], rows[3:6], rows[6:])]
    )

    assert (decoded.frame.rows(named=True), decoded.fallbacks) == (rows, 3)


@pytest.mark.parametrize(
    "change",
    [
        pl.col("pieces") + 1,
        pl.col("code").str.to_uppercase(),
        pl.col("note").fill_null(""),
        pl.col("code") + "\0",
        pl.col("pieces").reverse(),
    ],
    ids=["number", "text", "null", "nul", "order"],
)
def test_checked_reading_finds_what_the_native_reader_got_wrong(
    monkeypatch: pytest.MonkeyPatch, change: pl.Expr
) -> None:
    native = pl.read_avro
    monkeypatch.setattr(pl, "read_avro", lambda source: native(source).with_columns(change))
    rows = small(4)

    decoded = decode_blocks(SMALL, [block(SMALL, rows)])

    assert (decoded.frame.rows(named=True), decoded.fallbacks) == (rows, 1)


def test_a_native_reader_that_loses_rows_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    native = pl.read_avro
    monkeypatch.setattr(pl, "read_avro", lambda source: native(source)[1:])
    rows = small(4)

    decoded = decode_blocks(SMALL, [block(SMALL, rows)], checked=False)

    assert (decoded.frame.rows(named=True), decoded.fallbacks) == (rows, 1)


def test_an_interrupt_is_no_panic(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pl, "read_avro", failing_on(b"", KeyboardInterrupt()))

    with pytest.raises(KeyboardInterrupt):
        decode_blocks(SMALL, [block(SMALL, small(1))])


def test_a_real_panic_is_caught(capfd: pytest.CaptureFixture[str]) -> None:
    schema, body = ONE["string"], bytes.fromhex("0461")
    container = columns._container_head(schema) + b"\x02\x04" + body + bytes(16)
    with pytest.raises(pl.exceptions.PanicException):
        pl.read_avro(io.BytesIO(container))

    assert refusal(schema, block_of([body]), checked=False)
    assert "panicked" in capfd.readouterr().err
