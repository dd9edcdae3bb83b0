import json

import pytest
from avro.compatibility import ReaderWriterCompatibilityChecker, SchemaCompatibilityType
from avro.schema import parse as apache_parse
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.compatibility import find_breaks, find_incompatibilities
from schemas.syntax import Json, parse
from tests.support.schema_files import field, record

DECIMAL: Json = {"type": "string", "logicalType": "registro-decimal"}
ITEMS: Json = {"type": "array", "items": "string"}
NAME = "registro.acts.Done"


def enum(*symbols: str, default: str | None = None, name: str = "Colour") -> dict[str, Json]:
    chosen: dict[str, Json] = {} if default is None else {"default": default}
    return {"type": "enum", "name": name, "symbols": list(symbols), **chosen}


def scaled(scale: int) -> Json:
    return {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": scale}


def reasons(reader: Json, writer: Json) -> list[str]:
    found = find_incompatibilities(reader=parse(reader), writer=parse(writer))
    return [item.path for item in found]


def apache(reader: Json, writer: Json) -> bool:
    checker = ReaderWriterCompatibilityChecker()  # type: ignore[no-untyped-call] # no types
    result = checker.get_compatibility(
        apache_parse(json.dumps(reader)), apache_parse(json.dumps(writer))
    )
    return bool(result.compatibility is SchemaCompatibilityType.compatible)


@pytest.mark.parametrize(
    ("reader", "writer"),
    [
        ("long", "int"),
        ("double", "long"),
        (["null", "string"], "string"),
        (["null", "long"], ["null", "int"]),
        (enum("A", "B", default="B"), enum("A", "C")),
        (enum("A", "B"), enum("A")),
        ({"type": "array", "items": "long"}, {"type": "array", "items": "int"}),
        ({"type": "map", "values": "long"}, {"type": "map", "values": "int"}),
        (record("a.R", field("x", default="")), record("a.R")),
        (record("a.R"), record("a.R", field("x"))),
        (record("a.R", field("y", aliases=["x"])), record("a.R", field("x"))),
        (record("a.S", aliases=["a.R"]), record("a.R")),
        (
            record("a.R", field("next", ["null", "a.R"], default=None)),
            record("a.R", field("next", ["null", "a.R"], default=None), field("x")),
        ),
    ],
)
def test_a_reader_accepts_what_resolution_allows(reader: Json, writer: Json) -> None:
    assert reasons(reader, writer) == []


@pytest.mark.parametrize(
    ("reader", "writer"),
    [
        ("int", "long"),
        ("string", "int"),
        ("string", ["null", "string"]),
        (["null", "int"], "string"),
        (["null", "int"], ["null", "long"]),
        (enum("A"), enum("A", "B")),
        (enum("A"), enum("A", name="Other")),
        (enum("A"), "string"),
        ({"type": "array", "items": "int"}, {"type": "array", "items": "long"}),
        ({"type": "array", "items": "int"}, {"type": "map", "values": "int"}),
        ({"type": "map", "values": "int"}, {"type": "map", "values": "string"}),
        ({"type": "fixed", "name": "F", "size": 4}, {"type": "fixed", "name": "F", "size": 8}),
        ({"type": "fixed", "name": "F", "size": 4}, {"type": "fixed", "name": "G", "size": 4}),
        (record("a.R"), record("a.S")),
        (record("a.R", field("x")), record("a.R")),
        (record("a.R", field("x", "int")), record("a.R", field("x", "long"))),
    ],
)
def test_a_reader_refuses_what_resolution_refuses(reader: Json, writer: Json) -> None:
    assert reasons(reader, writer)
    assert not apache(reader, writer)


@pytest.mark.filterwarnings("ignore::avro.errors.IgnoredLogicalType")
@pytest.mark.parametrize(
    ("reader", "writer"),
    [
        ("string", "bytes"),
        ("bytes", "string"),
        (DECIMAL, "string"),
        ("string", DECIMAL),
        (scaled(2), scaled(4)),
        ({"type": "int", "logicalType": "date"}, "int"),
        (["null", DECIMAL], ["null", "string"]),
        (record("a.R", field("x", default="")), record("a.R", field("x", default="-"))),
        (
            record("a.R", field("x", "long", default=1)),
            record("a.R", field("x", "long", default=0)),
        ),
        (
            {"type": "fixed", "name": "F", "size": 4, "logicalType": "one"},
            {"type": "fixed", "name": "F", "size": 4},
        ),
    ],
)
def test_a_reader_refuses_what_resolves_to_another_meaning(reader: Json, writer: Json) -> None:
    assert reasons(reader, writer)
    assert apache(reader, writer)


def test_names_the_place_of_each_reason() -> None:
    inner = record("a.I", field("y", "int"))
    other = record("a.I", field("y", "string"))
    reader = record("a.R", field("many", {"type": "array", "items": inner}), field("new"))
    writer = record("a.R", field("many", {"type": "array", "items": other}))
    assert reasons(reader, writer) == ["many.[].y", "new"]


def test_looks_inside_the_branch_of_the_same_name() -> None:
    reader = record("a.R", field("x", ["null", record("a.I", field("y", "int"))]))
    writer = record("a.R", field("x", ["null", record("a.I", field("y", "string"))]))
    assert reasons(reader, writer) == ["x.y"]


def test_compares_every_pair_in_both_directions() -> None:
    """Two steps that are fine one by one change the type of a field together."""
    versions = [
        parse(record(NAME, field("x"), field("y", "int", default=0))),
        parse(record(NAME, field("x"))),
        parse(record(NAME, field("x"), field("y", ITEMS, default=[]))),
    ]
    found = find_breaks(versions)
    assert [(reader, writer, item.path) for reader, writer, item in found] == [
        (3, 1, "y"),
        (1, 3, "y"),
    ]


@pytest.mark.parametrize(
    "newer",
    [
        record(NAME),
        record(NAME, field("x"), field("y")),
        record(NAME, field("x", ["null", "string"], default=None)),
        record(NAME, field("renamed", aliases=["x"])),
    ],
)
def test_a_change_that_only_one_side_can_read_breaks(newer: dict[str, Json]) -> None:
    assert find_breaks([parse(record(NAME, field("x"))), parse(newer)])


def test_one_version_breaks_nothing() -> None:
    assert find_breaks([parse(record(NAME, field("x")))]) == ()


PLAIN = st.sampled_from(["null", "boolean", "int", "long", "float", "double", "string"])


def unions(types: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    def named(node: Json) -> str:
        return node if isinstance(node, str) else str(node["type"] if isinstance(node, dict) else 0)

    members = types.filter(lambda node: not isinstance(node, list))
    return st.lists(members, min_size=1, max_size=3, unique_by=named).map(lambda found: [*found])


def wider(types: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    return st.one_of(
        types.map(lambda items: {"type": "array", "items": items}),
        types.map(lambda values: {"type": "map", "values": values}),
        unions(types),
    )


TYPES: st.SearchStrategy[Json] = st.recursive(PLAIN, wider, max_leaves=4)


@st.composite
def records(draw: st.DrawFn) -> Json:
    fields = []
    for name in draw(st.sets(st.sampled_from(["a", "b", "c"]))):
        kind = draw(st.sampled_from(["typed", "nullable", "enum"]))
        if kind == "nullable":
            fields.append(field(name, ["null", "long"], default=None))
        elif kind == "enum":
            symbols = draw(st.sets(st.sampled_from(["X", "Y", "Z"]), min_size=1))
            default = draw(st.sampled_from([None, *sorted(symbols)]))
            fields.append(field(name, enum(*sorted(symbols), default=default, name=f"E{name}")))
        else:
            fields.append(field(name, draw(TYPES)))
    return record("a.R", *fields)


@pytest.mark.property
@settings(max_examples=200, deadline=None)
@given(reader=st.one_of(TYPES, records()), writer=st.one_of(TYPES, records()))
def test_agrees_with_the_apache_checker_where_the_rules_are_the_same(
    reader: Json, writer: Json
) -> None:
    assert (reasons(reader, writer) == []) == apache(reader, writer)


@pytest.mark.property
@settings(max_examples=100, deadline=None)
@given(schema=st.one_of(TYPES, records()))
def test_every_schema_reads_itself(schema: Json) -> None:
    assert find_breaks([parse(schema), parse(schema)]) == ()
