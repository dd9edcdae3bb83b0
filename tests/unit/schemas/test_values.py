"""Values that fit a schema, and many that only look as if they did."""

import datetime as dt
import decimal
import json
from collections.abc import Callable
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.canonical import read_schema
from schemas.errors import InvalidSchemaError
from schemas.syntax import Json
from schemas.values import (
    DECIMAL_DIGITS_MAX,
    Check,
    ValueRefusedError,
    canonical_decimal,
    compile_check,
    parse_decimal,
)

DATE: Json = {"type": "int", "logicalType": "date"}
INSTANT: Json = {"type": "long", "logicalType": "timestamp-micros"}
DECIMAL: Json = {"type": "string", "logicalType": "registro-decimal"}
ENUM: Json = {"type": "enum", "name": "registro.t.E", "symbols": ["A", "B"]}
FIXED: Json = {"type": "fixed", "name": "registro.t.F", "size": 2}
EMPTY: Json = {"type": "record", "name": "registro.t.Empty", "fields": []}


class Text(str):
    __slots__ = ()


def check_of(document: Json) -> Check:
    return compile_check(read_schema(json.dumps(document)))


def record(**kinds: Json) -> Json:
    return {
        "type": "record",
        "name": "registro.t.R",
        "fields": [{"name": name, "type": kind} for name, kind in kinds.items()],
    }


def array(kind: Json) -> Json:
    return {"type": "array", "items": kind}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("0", "0"),
        ("0.000", "0"),
        ("0E-9999", "0"),
        ("0E+9999", "0"),
        ("1.50", "1.5"),
        ("100", "100"),
        ("1E+2", "100"),
        ("-0.10", "-0.1"),
        ("1E-38", "0." + "0" * 37 + "1"),
        ("-1E-38", "-0." + "0" * 37 + "1"),
        ("9" * 38, "9" * 38),
        ("-" + "9" * 37 + ".9", "-" + "9" * 37 + ".9"),
        ("1." + "0" * 60, "1"),
    ],
)
def test_a_decimal_has_one_text(value: str, text: str) -> None:
    assert canonical_decimal(Decimal(value)) == text
    assert parse_decimal(text) == Decimal(value)


@pytest.mark.parametrize(
    "value",
    [
        *("NaN", "sNaN", "Infinity", "-Infinity", "-0", "-0.00", "1E+38", "1E+999999", "1E-39"),
        *("9" * 39, "1." + "1" * 38, "-0." + "1" * 39),
    ],
)
def test_refuses_a_decimal_without_text(value: str) -> None:
    with pytest.raises(ValueError, match=r"decimal|zero"):
        canonical_decimal(Decimal(value))


@pytest.mark.parametrize(
    "text",
    [
        *("", "-", "+1", "01", "-01", "00", ".5", "5.", "1.0", "1.50", "-0", "-0.0", "0.0", "1e3"),
        *("1E3", " 1", "1 ", "1\n", "1_0", "1,5", "\u0661", "NaN", "Infinity", "0x1", "--1"),
        *("1.2.3", "9" * 39, "0." + "1" * 39, "-0." + "0" * 38 + "1", "1" * 20 + "." + "1" * 19),
    ],
)
def test_refuses_a_text_that_is_no_canonical_decimal(text: str) -> None:
    with pytest.raises(ValueError, match="decimal"):
        parse_decimal(text)


@pytest.mark.property
@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**30), max_value=10**30))
@settings(max_examples=200)
def test_a_decimal_comes_back_equal_or_is_refused(value: Decimal) -> None:
    try:
        text = canonical_decimal(value)
    except ValueError:
        return

    assert parse_decimal(text) == value
    assert canonical_decimal(parse_decimal(text)) == text
    assert sum(character.isdigit() for character in text) <= DECIMAL_DIGITS_MAX + 1


def test_the_precision_of_the_caller_does_not_round() -> None:
    value = Decimal("123456789012345678901234567890.12")

    with decimal.localcontext(prec=3):
        assert canonical_decimal(value) == "123456789012345678901234567890.12"
        assert parse_decimal("123456789012345678901234567890.12") == value


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("null", None),
        ("boolean", True),
        ("boolean", False),
        ("int", -(2**31)),
        ("int", 2**31 - 1),
        ("long", -(2**63)),
        ("long", 2**63 - 1),
        ("bytes", b""),
        ("string", ""),
        ("string", "è \U0001f600 \ufffd"),
        (DATE, dt.date.min),
        (DATE, dt.date.max),
        (INSTANT, dt.datetime.min.replace(tzinfo=dt.UTC)),
        (INSTANT, dt.datetime.max.replace(tzinfo=dt.UTC)),
        (INSTANT, dt.datetime(2023, 1, 1, tzinfo=ZoneInfo("UTC"))),
        (DECIMAL, Decimal("1.50")),
        (ENUM, "A"),
        (FIXED, b"ab"),
        (["null", "int"], None),
        (["null", "int"], 1),
        (["string", "null"], "a"),
        (array("int"), []),
        (array(["null", DATE]), [None, dt.date(2023, 1, 1)]),
        (record(a="int", b=array("string")), {"b": ["x"], "a": 1}),
        (record(a=ENUM, b="registro.t.E"), {"a": "A", "b": "B"}),
        (EMPTY, {}),
    ],
)
def test_accepts_a_value_of_the_exact_type(kind: Json, value: object) -> None:
    check_of(kind)(value)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("null", 0),
        ("null", False),
        ("boolean", 1),
        ("boolean", None),
        ("boolean", "true"),
        ("int", True),
        ("int", 1.0),
        ("int", "1"),
        ("int", Decimal(1)),
        ("int", None),
        ("int", 2**31),
        ("int", -(2**31) - 1),
        ("long", False),
        ("long", 1.0),
        ("long", float("nan")),
        ("long", 2**63),
        ("long", -(2**63) - 1),
        ("bytes", "a"),
        ("bytes", bytearray(b"a")),
        ("bytes", memoryview(b"a")),
        ("bytes", [1]),
        ("string", b"a"),
        ("string", 1),
        ("string", None),
        ("string", Text("subclass")),
        ("string", "a\0b"),
        ("string", "è\0"),
        ("string", "\ud800"),
        ("string", "a\udfff"),
        (DATE, dt.datetime(2023, 1, 1, tzinfo=dt.UTC)),
        (DATE, "2023-01-01"),
        (DATE, 19358),
        (INSTANT, dt.date(2023, 1, 1)),
        (INSTANT, dt.datetime(2023, 1, 1)),  # noqa: DTZ001 - naive on purpose
        (INSTANT, dt.datetime(2023, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=1)))),
        (INSTANT, dt.datetime(2023, 7, 1, tzinfo=ZoneInfo("Europe/Rome"))),
        (INSTANT, 1),
        (DECIMAL, "1.5"),
        (DECIMAL, 1),
        (DECIMAL, 1.5),
        (DECIMAL, Decimal("NaN")),
        (DECIMAL, Decimal("-0")),
        (DECIMAL, Decimal("Infinity")),
        (DECIMAL, Decimal("1E+38")),
        (ENUM, "C"),
        (ENUM, 0),
        (ENUM, None),
        (FIXED, b"a"),
        (FIXED, b"abc"),
        (FIXED, "ab"),
        (["null", "int"], "1"),
        (["null", "string"], 0),
        (array("int"), (1,)),
        (array("int"), {1: 1}),
        (array("int"), "1"),
        (array("int"), None),
        (record(a="int"), None),
        (record(a="int"), [1]),
        (record(a="int"), {}),
        (record(a="int"), {"a": 1, "b": 1}),
        (record(a="int"), {"b": 1}),
        (record(a="int"), {"a": 1, 2: 1}),
        (record(a=["null", "int"]), {}),
    ],
)
def test_refuses_a_value_of_another_type_or_range(kind: Json, value: object) -> None:
    with pytest.raises(ValueRefusedError):
        check_of(kind)(value)


@pytest.mark.parametrize(
    ("value", "path", "reason"),
    [
        ({"a": "x", "b": []}, "a", "a whole number is expected, not str"),
        (
            {"a": 1, "b": [{"c": Decimal(1)}, {"c": Decimal("NaN")}]},
            "b.1.c",
            "a finite decimal is expected",
        ),
        ({"a": 1, "b": [{}]}, "b.0", "fields are missing: c"),
        (
            {"a": 1, "b": [], "z": 1, "y": 1},
            "the record itself",
            "the schema has no such field: y, z",
        ),
        ({"a": 1, "b": [], 3: 1}, "the record itself", "the schema has no such field: not a text"),
    ],
)
def test_tells_the_place_and_the_reason(value: object, path: str, reason: str) -> None:
    inner = {**dict_of(record(c=DECIMAL)), "name": "registro.t.Inner"}
    check = check_of(record(a="int", b=array(inner)))

    with pytest.raises(ValueRefusedError) as caught:
        check(value)

    assert (caught.value.path, caught.value.reason) == (path, reason)


def dict_of(document: Json) -> dict[str, Json]:
    assert isinstance(document, dict)
    return document


@pytest.mark.parametrize(
    "make",
    [lambda secret: secret + "\ud800", lambda secret: secret + "\0", lambda secret: [secret]],
    ids=["surrogate", "nul", "list"],
)
def test_never_tells_the_value(make: Callable[[str], object]) -> None:
    with pytest.raises(ValueRefusedError) as caught:
        check_of(record(a="string"))({"a": make("Mario Rossi")})

    error: BaseException | None = caught.value
    assert "Rossi" not in str(error)
    assert error is not None
    assert error.__cause__ is None


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("float", "a: float is not supported"),
        ("double", "a: double is not supported"),
        ({"type": "map", "values": "int"}, "a: map is not supported"),
        ({"type": "int", "logicalType": "time-millis"}, "a: int with time-millis"),
        ({"type": "string", "logicalType": "date"}, "a: string with date"),
        ({"type": "long", "logicalType": "timestamp-millis"}, "a: long with timestamp-millis"),
        ({"type": "bytes", "logicalType": "decimal", "precision": 9}, "a: logical type decimal"),
        ({"type": "string", "logicalType": "registro-decimal", "scale": 2}, "a: logical type"),
        (
            {"type": "fixed", "name": "registro.t.D", "size": 12, "logicalType": "duration"},
            "a: fixed is not supported",
        ),
        (["int"], "a: a union is of null and one other type"),
        (["null"], "a: a union is of null and one other type"),
        (["int", "string"], "a: a union is of null and one other type"),
        (["null", "int", "string"], "a: a union is of null and one other type"),
        (["null", "registro.t.R"], "a: registro.t.R is recursive or not defined"),
        ("registro.t.Nowhere", "a: registro.t.Nowhere is recursive or not defined"),
        (array(["null", "int", "long"]), r"a\.\[\]: a union is of null"),
    ],
)
def test_refuses_a_schema_that_records_cannot_follow(kind: Json, reason: str) -> None:
    with pytest.raises(InvalidSchemaError, match=reason):
        check_of(record(a=kind))


@pytest.mark.parametrize("kind", ["float", array("null"), "registro.t.R"])
def test_refuses_such_a_schema_outside_a_record_too(kind: Json) -> None:
    with pytest.raises(InvalidSchemaError, match="the schema itself: "):
        check_of(kind)


@pytest.mark.parametrize(
    "items",
    [
        "null",
        EMPTY,
        {
            "type": "record",
            "name": "registro.t.Nulls",
            "fields": [{"name": "a", "type": "null"}, {"name": "b", "type": EMPTY}],
        },
    ],
)
def test_refuses_arrays_of_items_that_take_no_bytes(items: Json) -> None:
    """A body of ten bytes could announce 2^62 of them."""
    with pytest.raises(InvalidSchemaError, match="items of an array take at least one byte"):
        check_of(record(a=array(items)))


def test_refuses_arrays_of_a_named_type_that_takes_no_bytes() -> None:
    with pytest.raises(InvalidSchemaError, match="b: items of an array take at least one byte"):
        check_of(record(a=EMPTY, b=array("registro.t.Empty")))


def test_refuses_arrays_of_an_empty_fixed() -> None:
    with pytest.raises(InvalidSchemaError, match="items of an array take at least one byte"):
        check_of(record(a=array({"type": "fixed", "name": "registro.t.Z", "size": 0})))


def test_accepts_arrays_of_named_types_that_take_bytes() -> None:
    kinds = [ENUM, FIXED, {**dict_of(record(c="int")), "name": "registro.t.I"}]
    names = ["registro.t.E", "registro.t.F", "registro.t.I"]
    fields = {f"a{i}": array(kind) for i, kind in enumerate([*kinds, *names])}

    check_of(record(**fields))({name: [] for name in fields})
