import pytest

from schemas.errors import InvalidSchemaError
from schemas.syntax import Field, Json, Primitive, Record, Reference, Union, load_text, parse
from tests.support.schema_files import field, record


@pytest.mark.parametrize(
    ("document", "path"),
    [
        (3, "the schema itself"),
        (None, "the schema itself"),
        ("two words", "the schema itself"),
        ({}, "the schema itself"),
        ({"type": "thing"}, "the schema itself"),
        ({"type": "array"}, "[]"),
        ({"type": "map", "values": 1}, "{}"),
        ({"type": "string", "logicaltype": "date"}, "the schema itself"),
        ({"type": "string", "scale": 2}, "the schema itself"),
        ({"type": "bytes", "logicalType": "decimal", "precision": True}, "the schema itself"),
        ({"type": "bytes", "logicalType": "decimal", "precision": None}, "the schema itself"),
        ({"type": "fixed", "name": "F", "size": -1}, "the schema itself"),
        ({"type": "enum", "name": "E", "symbols": []}, "the schema itself"),
        ({"type": "enum", "name": "E", "symbols": ["A", "A"]}, "the schema itself"),
        ({"type": "enum", "name": "E", "symbols": ["A"], "default": "B"}, "the schema itself"),
        ({"type": "enum", "name": "E", "symbols": "A"}, "the schema itself"),
        ({"type": "record", "name": "R", "fields": {}}, "the schema itself"),
        ({"type": "record", "name": "R", "fields": [1]}, "the schema itself"),
        ({"type": "record", "name": "R-R", "fields": []}, "the schema itself"),
        ({**record("a.R"), "registro:uses": []}, "the schema itself"),
        ({**record("a.R"), "registro:kye": True}, "the schema itself"),
        (record("a.R", field("x", defualt=None)), "x"),
        (record("a.R", field("x", doc=1)), "x"),
        (record("a.R", field("x", aliases=[1])), "x"),
        (record("a.R", field("x", **{"registro:key": "yes"})), "x"),
        (record("a.R", field("x", record("a.I", field("y", 1)))), "x.y"),
    ],
)
def test_refuses_what_is_not_a_schema_and_names_the_place(document: Json, path: str) -> None:
    with pytest.raises(InvalidSchemaError) as caught:
        parse(document)
    assert caught.value.facts["path"] == path


def test_completes_names_with_the_namespace_around_them() -> None:
    inner: Json = {"type": "record", "name": "I", "fields": [field("z", "Other")]}
    found = parse(record("a.b.R", field("x", "Near"), field("y", inner), field("w", "c.Far")))
    assert isinstance(found, Record)
    near, middle, far = (item.type for item in found.fields)
    assert near == Reference(full_name="a.b.Near")
    assert far == Reference(full_name="c.Far")
    assert isinstance(middle, Record)
    assert (middle.full_name, middle.fields[0].type) == (
        "a.b.I",
        Reference(full_name="a.b.Other"),
    )


def test_tells_an_absent_default_from_null() -> None:
    found = parse(record("a.R", field("x", ["null", "int"], default=None), field("y", "int")))
    assert isinstance(found, Record)
    assert [item.has_default for item in found.fields] == [True, False]
    assert found.fields[0] == Field(
        name="x",
        type=Union(
            branches=(Primitive(name="null", logical=None), Primitive(name="int", logical=None))
        ),
        doc="Meaning of x.",
        has_default=True,
        default=None,
        key=False,
        aliases=(),
    )


@pytest.mark.parametrize("text", ["", "{", '{"a": 1, "a": 2}', "[1,]"])
def test_refuses_text_that_json_readers_would_disagree_on(text: str) -> None:
    with pytest.raises(InvalidSchemaError):
        load_text(text)
