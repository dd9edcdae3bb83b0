"""The column codec against the reference codec: same bytes, same values, same refusals."""

import datetime as dt
import json
from collections.abc import Sequence
from pathlib import Path

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from schemas.canonical import normalise, read_schema
from schemas.codec import decode, encode
from schemas.columns import Bodies, FactField, Kind, decode_blocks, empty, encode_frame, layout
from schemas.errors import DecodingError
from schemas.registry import ReleasedSchema, SchemaRegistry
from schemas.syntax import Json
from tests.support.schema_files import field, record

Row = dict[str, object]
Rows = list[Row]

AVRO: dict[Kind, Json] = {
    "string": "string",
    "int": "int",
    "long": "long",
    "boolean": "boolean",
    "date": {"type": "int", "logicalType": "date"},
}
# Both sides of every length of a varint, with either sign.
EDGES = [edge + step for bits in range(6, 63, 7) for edge in (2**bits,) for step in (-1, 0)]
LONGS = [0, *EDGES, *(-edge - 1 for edge in EDGES), 2**63 - 1, -(2**63)]
INTS = [number for number in LONGS if -(2**31) <= number < 2**31] + [2**31 - 1, -(2**31)]
VALUES: dict[Kind, st.SearchStrategy[object]] = {
    # Around 12 bytes Polars stores texts in another way, around 64 and 8192 their length grows.
    "string": st.one_of(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20),
        st.integers(10, 14).map("x".__mul__),
        st.sampled_from([63, 64, 65, 8191, 8192]).map("y".__mul__),
        st.sampled_from(["", "à" * 40, "\U0001f600", "\ufeff", "\x01", "\uffff"]),
    ),
    "int": st.sampled_from(INTS) | st.integers(-(2**31), 2**31 - 1),
    "long": st.sampled_from(LONGS) | st.integers(-(2**63), 2**63 - 1),
    "boolean": st.booleans(),
    "date": st.dates() | st.sampled_from([dt.date.min, dt.date.max, dt.date(1969, 12, 31)]),
}
FIELD = st.tuples(st.sampled_from(sorted(AVRO)), st.booleans())
# A number too long by one group, one that says 32 or 64 bits in vain, and what a flag never is.
INTRUDERS = [
    b"\x80\x00",
    b"\x02",
    b"\x04",
    b"\x00",
    b"\xff\xff\xff\xff\x0f",
    b"\xff\xff\xff\xff\x1f",
    b"\x81\x80\x80\x80\x20",
    b"\xff" * 9 + b"\x01",
    b"\xff" * 9 + b"\x03",
    b"\x80" * 9 + b"\x02",
    b"\x80" * 10 + b"\x01",
    b"\xff",
    b"\xc3",
]
EDIT = st.tuples(
    st.integers(0, 200),
    st.integers(0, 12),
    st.one_of(st.sampled_from(INTRUDERS), st.binary(max_size=3)),
)


def schema_of(fields: Sequence[tuple[Kind, bool]]) -> ReleasedSchema:
    """Return a fact schema: kind and whether it may be null, for each field."""
    document = record(
        "registro.test.Fact",
        *(
            field(f"f{number}", ["null", AVRO[kind]] if nullable else AVRO[kind])
            for number, (kind, nullable) in enumerate(fields)
        ),
        kind="fact",
    )
    text = normalise(read_schema(json.dumps(document)))
    return SchemaRegistry(Path("absent")).register_text(text)


def row_of(fields: Sequence[FactField]) -> st.SearchStrategy[Row]:
    return st.fixed_dictionaries(
        {
            one.name: st.none() | VALUES[one.kind] if one.nullable else VALUES[one.kind]
            for one in fields
        }
    )


@st.composite
def facts(draw: st.DrawFn) -> tuple[ReleasedSchema, Rows]:
    schema = schema_of(draw(st.lists(FIELD, min_size=1, max_size=7)))
    return schema, draw(st.lists(row_of(layout(schema)), max_size=12))


def table(schema: ReleasedSchema, rows: Rows) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=empty(schema).schema)


def cut(bodies: Sequence[bytes], size: int) -> list[Bodies]:
    """Return blocks of so many bodies, the last one of what is left."""
    groups = [bodies[start : start + size] for start in range(0, len(bodies), size)]
    return [
        Bodies(lengths=[len(body) for body in group], content=b"".join(group)) for group in groups
    ]


def by_reference(schema: ReleasedSchema, bodies: Sequence[bytes]) -> Rows | None:
    """Return the rows, None when a body is refused."""
    try:
        return [decode(schema, body) for body in bodies]
    except DecodingError:
        return None


def by_columns(schema: ReleasedSchema, blocks: Sequence[Bodies]) -> Rows | None:
    """Return the rows, None when a block is refused."""
    try:
        return decode_blocks(schema, blocks).frame.rows(named=True)
    except DecodingError:
        return None


@pytest.mark.property
@settings(max_examples=200, deadline=None)
@given(facts())
def test_writes_the_bytes_of_the_reference_body_by_body(
    given_facts: tuple[ReleasedSchema, Rows],
) -> None:
    schema, rows = given_facts
    bodies = [encode(schema, row) for row in rows]

    encoded = encode_frame(schema, table(schema, rows))

    assert encoded.content == b"".join(bodies)
    assert encoded.lengths.tolist() == [len(body) for body in bodies]


@pytest.mark.property
@settings(max_examples=200, deadline=None)
@given(given_facts=facts(), size=st.integers(1, 5), checked=st.booleans())
def test_reads_what_the_reference_reads_without_its_help(
    given_facts: tuple[ReleasedSchema, Rows], size: int, *, checked: bool
) -> None:
    schema, rows = given_facts
    bodies = [encode(schema, row) for row in rows]

    decoded = decode_blocks(schema, cut(bodies, size), checked=checked)

    assert decoded.frame.rows(named=True) == by_reference(schema, bodies) == rows
    assert decoded.frame.schema == empty(schema).schema
    assert decoded.fallbacks == 0


@pytest.mark.property
@settings(max_examples=200, deadline=None)
@given(facts(), st.integers(1, 5), st.lists(EDIT, min_size=1, max_size=3))
@example((schema_of([("boolean", False)]), [{"f0": True}]), 1, [(0, 1, b"\x02")])
@example((schema_of([("int", True)]), [{"f0": None}]), 1, [(0, 1, b"\x04")])
@example((schema_of([("date", False)]), [{"f0": dt.date.max}]), 1, [(0, 9, b"\xc2\x82\xe6\x02")])
@example((schema_of([("int", False)]), [{"f0": 0}]), 1, [(0, 1, b"\xff\xff\xff\xff\x1f")])
def test_refuses_or_reads_altered_bodies_as_the_reference_does(
    given_facts: tuple[ReleasedSchema, Rows], size: int, edits: Sequence[tuple[int, int, bytes]]
) -> None:
    """Part of a body is replaced, the lengths follow: only what the bodies say is wrong."""
    schema, rows = given_facts
    bodies = [encode(schema, row) for row in rows]
    for place, removed, inserted in edits if bodies else []:
        number = place % len(bodies)
        start = place % (len(bodies[number]) + 1)
        body = bodies[number]
        bodies[number] = body[:start] + inserted + body[start + removed :]

    assert by_columns(schema, cut(bodies, size)) == by_reference(schema, bodies)


@pytest.mark.property
@settings(max_examples=100, deadline=None)
@given(facts(), st.integers(0, 20), st.integers(-4, 4))
def test_refuses_bodies_that_end_elsewhere_than_the_lengths_say(
    given_facts: tuple[ReleasedSchema, Rows], place: int, shift: int
) -> None:
    """Content and sum of the lengths stay right; one border moves."""
    schema, rows = given_facts
    bodies = [encode(schema, row) for row in rows]
    lengths = [len(body) for body in bodies]
    if len(lengths) > 1:
        at = place % (len(lengths) - 1)
        lengths[at] += shift
        lengths[at + 1] -= shift
    moved = len(lengths) > 1 and shift != 0

    found = by_columns(schema, [Bodies(lengths=lengths, content=b"".join(bodies))])

    assert found == (None if moved else rows)
