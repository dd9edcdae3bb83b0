"""The normalised text and the schema id: what changes them, what does not, what has none."""

import hashlib
import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.canonical import Resolve, normalise, read_schema, schema_id
from schemas.errors import InvalidSchemaError
from schemas.syntax import Json, SchemaType

SPECIFICATION = Path(__file__).parents[3] / "docs" / "formats" / "schema-id.md"
NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,6}", fullmatch=True)
LOGICAL = st.fixed_dictionaries(
    {"logicalType": st.sampled_from(["registro-decimal", "date", "Größe"])},
    optional={"precision": st.integers(1, 40), "scale": st.integers(0, 9)},
)
DEFAULTS: st.SearchStrategy[dict[str, Json]] = st.sampled_from(
    [{}, {"default": None}, {"default": [{"b": 1, "a": "é"}]}]
)
PRIMITIVE = st.sampled_from(["null", "boolean", "int", "long", "bytes", "string", "double"])


def normalised(document: Json, resolve: Resolve | None = None) -> str:
    return normalise(read_schema(json.dumps(document)), resolve=resolve)


def record(*fields: Json, **members: Json) -> dict[str, Json]:
    return {"type": "record", "name": "registro.t.R", "fields": list(fields), **members}


def field(kind: Json, **members: Json) -> dict[str, Json]:
    return {"name": "f", "type": kind, **members}


def shelf(**documents: Json) -> Resolve:
    """Shared types by `<Name>_v<N>`, all in the namespace registro.t."""

    def resolve(full_name: str, version: int) -> SchemaType:
        return read_schema(json.dumps(documents[f"{full_name.rpartition('.')[2]}_v{version}"]))

    return resolve


def shared(name: str, kind: Json, **members: Json) -> Json:
    return {
        "type": "record",
        "name": name,
        "namespace": "registro.t",
        "fields": [{"name": "x", "type": kind}],
        **members,
    }


def uses(full_name: str, version: int) -> dict[str, Json]:
    return {"registro:uses": {full_name: version}}


class Drawing:
    """One random schema: every construct, references to what was written before."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.known: list[str] = []

    def new_name(self) -> str:
        context = self.draw(st.integers(0, 2))
        self.known.append(f"registro.c{context}.{self.draw(NAMES)}{len(self.known)}")
        return self.known[-1]

    def one_type(self, depth: int) -> Json:
        leaves = [self.primitive, self.logical, self.enum, self.fixed, self.reference]
        if not depth or self.draw(st.booleans()):
            return self.draw(st.sampled_from(leaves))()
        return self.draw(st.sampled_from([self.nested, self.record]))(depth)

    def primitive(self) -> Json:
        return self.draw(PRIMITIVE)

    def logical(self) -> Json:
        return {"type": self.draw(PRIMITIVE), **self.draw(LOGICAL)}

    def enum(self) -> Json:
        symbols = self.draw(st.lists(NAMES, min_size=1, max_size=3, unique=True))
        return {"type": "enum", "name": self.new_name(), "symbols": [*symbols]}

    def fixed(self) -> Json:
        return {"size": self.draw(st.integers(1, 64)), "type": "fixed", "name": self.new_name()}

    def reference(self) -> Json:
        return self.draw(st.sampled_from(self.known)) if self.known else "string"

    def nested(self, depth: int) -> Json:
        inner = self.one_type(depth - 1)
        outer: list[Json] = [
            {"type": "array", "items": inner},
            {"type": "map", "values": inner},
            ["null", {"type": "array", "items": inner}],
        ]
        return self.draw(st.sampled_from(outer))

    def record(self, depth: int) -> Json:
        namespace, _, name = self.new_name().rpartition(".")
        fields = [
            {
                **self.draw(DEFAULTS),
                "doc": self.draw(st.text(max_size=3)),
                "name": item,
                "type": self.one_type(depth - 1),
            }
            for item in self.draw(st.lists(NAMES, max_size=4, unique=True))
        ]
        return {
            "fields": [*fields],
            "type": "record",
            "doc": self.draw(st.sampled_from(["", "What it is."])),
            "namespace": namespace,
            "name": name,
            "aliases": [*self.draw(st.lists(NAMES, max_size=2))],
        }


@st.composite
def documents(draw: st.DrawFn) -> Json:
    return Drawing(draw).record(3)


@pytest.mark.property
@given(documents())
@settings(max_examples=150)
def test_normalising_a_normalised_text_changes_nothing(document: Json) -> None:
    once = normalised(document)

    assert normalise(read_schema(once)) == once


@pytest.mark.property
@given(documents(), st.randoms(use_true_random=False))
@settings(max_examples=50)
def test_order_of_members_and_white_space_change_nothing(document: Json, random: object) -> None:
    def shuffled(value: Json) -> Json:
        match value:
            case dict():
                members = list(value.items())
                random.shuffle(members)  # type: ignore[attr-defined] # hypothesis has no type for it
                return {name: shuffled(item) for name, item in members}
            case list():
                return [shuffled(item) for item in value]
            case _:
                return value

    text = json.dumps(shuffled(document), indent=3)

    assert normalise(read_schema(text)) == normalised(document)


def specified(heading: str) -> str:
    """The one code block under a heading of the specification."""
    page = SPECIFICATION.read_text(encoding="utf-8")
    found = re.search(rf"^#+ {heading}\n.*?^```\w*\n(.*?)\n```$", page, re.DOTALL | re.MULTILINE)
    assert found is not None, heading
    return found[1]


def test_the_worked_example_of_the_specification_is_true() -> None:
    shared_type = read_schema(specified("Input: shared type"))

    text = normalise(
        read_schema(specified("Input: schema")),
        resolve=lambda name, version: {("registro.example.Actor", 1): shared_type}[name, version],
    )

    assert text == specified("Output: normalised text")
    assert str(len(text.encode())) == specified("Output: length in bytes")
    assert schema_id(text).hex() == specified("Output: schema id")


def test_the_id_is_the_plain_hash_of_the_text_in_utf8() -> None:
    text = normalised(record(field("string", default="è")))

    assert "è" in text
    assert schema_id(text) == hashlib.sha256(text.encode("utf-8")).digest()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"type": "string", "logicalType": "registro-decimal"}, "string"),
        (
            {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2},
            {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 4},
        ),
        (
            {"type": "enum", "name": "E", "symbols": ["A", "B"]},
            {"type": "enum", "name": "E", "symbols": ["B", "A"]},
        ),
        (
            {"type": "enum", "name": "E", "symbols": ["A", "B"]},
            {"type": "enum", "name": "E", "symbols": ["A", "B"], "default": "A"},
        ),
        (["null", "string"], ["string", "null"]),
        ({"type": "fixed", "name": "F", "size": 1}, {"type": "fixed", "name": "F", "size": 2}),
        (
            {"type": "fixed", "name": "F", "size": 1},
            {"type": "fixed", "name": "F", "size": 1, "logicalType": "duration"},
        ),
        ({"type": "array", "items": "int"}, {"type": "map", "values": "int"}),
    ],
)
def test_what_changes_the_meaning_changes_the_text(one: Json, other: Json) -> None:
    assert normalised(record(field(one))) != normalised(record(field(other)))


def test_default_and_aliases_change_the_text() -> None:
    plain = normalised(record(field("int")))

    assert normalised(record(field("int", default=0))) != plain
    assert normalised(record(field("int", aliases=["g"]))) != plain
    assert normalised(record(field("int"), aliases=["Old"])) != plain
    assert normalised(record(field(["null", "int"], default=None))) != normalised(
        record(field(["null", "int"]))
    )


def test_documentation_and_registro_attributes_do_not_change_the_text() -> None:
    plain = record(field("int"))
    full = record(
        field({"type": "int"}, doc="Unit: days.", aliases=[], **{"registro:key": True}),
        doc="What it is.",
        aliases=[],
        **{"registro:kind": "event", **uses("registro.t.A", 3)},
    )

    assert normalised(full) == normalised(plain)


def test_the_members_stand_in_the_fixed_order() -> None:
    document = record(
        field({"type": "bytes", "scale": 2, "precision": 9, "logicalType": "decimal"}, default=""),
        {
            "aliases": ["h"],
            "name": "g",
            "default": {"b": [1, {"d": 2.0, "c": None}], "a": '\u00e8\u0001"/\\'},
            "type": {"type": "map", "values": "string"},
        },
        aliases=["Old", "registro.u.Older"],
    )

    assert normalised(document) == (
        '{"name":"registro.t.R","type":"record","fields":['
        '{"name":"f","type":{"type":"bytes","logicalType":"decimal","precision":9,"scale":2},'
        '"default":""},'
        '{"name":"g","type":{"type":"map","values":"string"},'
        '"default":{"a":"è\\u0001\\"/\\\\","b":[1,{"c":null,"d":2}]},"aliases":["h"]}],'
        '"aliases":["registro.t.Old","registro.u.Older"]}'
    )


def test_a_shared_type_is_written_out_once_and_named_afterwards() -> None:
    resolve = shelf(A_v1=shared("A", "int"))
    document = record(field("registro.t.A"), {"name": "g", "type": ["null", "A"]})

    assert normalised(document, resolve) == (
        '{"name":"registro.t.R","type":"record","fields":[{"name":"f","type":'
        '{"name":"registro.t.A","type":"record","fields":[{"name":"x","type":"int"}]}},'
        '{"name":"g","type":["null","registro.t.A"]}]}'
    )


def test_a_type_may_name_itself() -> None:
    text = normalised(record(field(["null", "R"])))

    assert text.endswith('"type":["null","registro.t.R"]}]}')
    assert normalise(read_schema(text)) == text


def test_a_reference_without_pin_means_version_1_even_when_there_is_a_later_one() -> None:
    both = shelf(A_v1=shared("A", "int"), A_v2=shared("A", "long"))
    only_first = shelf(A_v1=shared("A", "int"))
    document = record(field("A"))

    assert normalised(document, both) == normalised(document, only_first)


def test_a_pin_names_the_version() -> None:
    resolve = shelf(A_v1=shared("A", "int"), A_v2=shared("A", "long"))

    text = normalised(record(field("A"), **uses("registro.t.A", 2)), resolve)

    assert '{"name":"x","type":"long"}' in text


def test_the_pins_of_a_shared_type_are_its_own() -> None:
    resolve = shelf(
        A_v1=shared("A", "int"),
        A_v2=shared("A", "long"),
        B_v1=shared("B", "A", **uses("registro.t.A", 2)),
    )

    assert '{"name":"x","type":"long"}' in normalised(record(field("B")), resolve)
    with pytest.raises(
        InvalidSchemaError, match=r"g: means registro\.t\.A v1, but registro\.t\.A v2"
    ):
        normalised(record(field("B"), {"name": "g", "type": "A"}), resolve)


def test_refuses_a_shared_type_that_means_another_version_of_the_schema_itself() -> None:
    resolve = shelf(B_v1=shared("B", "R"))

    with pytest.raises(InvalidSchemaError, match="another definition stands in this schema"):
        normalised(record(field("B")), resolve)


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (record(field("registro.t.A")), "registro.t.A is not defined in this text"),
        (record(field("int", default=1.5)), "f: a default is no fraction"),
        (record(field("int", default=[{"a": 1e300}])), "f: a default is no fraction"),
        (record(field("int", default=float("nan"))), "f: a default is no fraction"),
        (record(field("int", default=float("-inf"))), "f: a default is no fraction"),
        (record(field("int", default="\ud800")), "half of a surrogate pair"),
        (record(field([])), "f: a union holds types, each once"),
        (record(field(["int", "int"])), "f: a union holds types, each once"),
        (record(field(["A", "registro.t.A"])), "f: a union holds types, each once"),
        (
            record(field([{"type": "array", "items": "int"}, {"type": "array", "items": "long"}])),
            "f: a union holds types, each once",
        ),
        (record(field(["null", ["int"]])), "f: a union holds no union"),
        (record(field("int"), field("long")), "the name f stands here twice"),
        (record({"name": "a-b", "type": "int"}), "'a-b' is not a name"),
        (record({"name": "f\n", "type": "int"}), "is not a name"),
        (record(field("int"), aliases=["a b"]), "'a b' is not a name"),
        (record(field("int", aliases=["a.b"])), "f: 'a.b' is not a name"),
        (record(field({"type": "enum", "name": "E", "symbols": ["è"]})), "f: 'è' is not a name"),
        (record(field({"type": "fixed", "name": "F"})), "f: a fixed has a size of at least 1"),
        (record(name="R"), "type R needs a namespace"),
        (record(field(record())), "f: type registro.t.R is defined twice"),
        (
            record(field({"type": "array", "items": {"type": "map", "values": [[]]}})),
            r"f\.\[\]\.\{\}: a union holds no union",
        ),
    ],
)
def test_refuses_a_schema_without_normalised_text(document: Json, reason: str) -> None:
    with pytest.raises(InvalidSchemaError, match=reason):
        normalised(document)


def test_refuses_text_that_is_nested_too_deeply() -> None:
    text = '{"type":"array","items":' * 5000 + '"int"' + "}" * 5000

    with pytest.raises(InvalidSchemaError, match="nested too deeply"):
        read_schema(text)


def test_refuses_a_schema_that_is_nested_too_deeply() -> None:
    schema = read_schema('"int"')
    for _ in range(2000):
        schema = type(read_schema('{"type":"array","items":"int"}'))(items=schema)  # type: ignore[call-arg] # an Array

    with pytest.raises(InvalidSchemaError, match="nested too deeply"):
        normalise(schema)
