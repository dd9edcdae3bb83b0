from pathlib import Path

import pytest

from schemas.lint import lint
from schemas.sources import read_sources
from schemas.syntax import Json
from tests.support.schema_files import Document, field, put, put_text, record, rules, sources

DECIMAL: Document = {"type": "string", "logicalType": "registro-decimal"}
DATE: Json = {"type": "int", "logicalType": "date"}
COLOUR: Document = {
    "type": "enum",
    "name": "Colour",
    "doc": "Colours.",
    "symbols": ["RED", "OTHER"],
    "default": "OTHER",
}


def findings(root: Path, *documents: dict[str, Json]) -> list[tuple[str, str]]:
    for document in documents:
        put(root, document)
    return rules(lint(sources(root)))


@pytest.mark.parametrize(
    "good",
    [
        field("code", **{"registro:key": True}),
        field("amount", DECIMAL),
        field("amount", DECIMAL, default="-12.5"),
        field("amount", ["null", DECIMAL], default=None),
        field("day", DATE),
        field("at", {"type": "long", "logicalType": "timestamp-micros"}),
        field("codes", {"type": "array", "items": "string"}, default=[]),
        field("colour", COLOUR),
        field("colour", COLOUR, default="RED"),
        field("open", "boolean", default=False),
        field("count", "int", default=-(2**31)),
        field("count", "long", default=2**63 - 1),
        field("label", default="none"),
    ],
)
def test_accepts_what_a_class_can_hold(tmp_path: Path, good: dict[str, Json]) -> None:
    assert findings(tmp_path, record("registro.acts.Good", good)) == []


@pytest.mark.parametrize(
    ("bad", "rule"),
    [
        (field("x", doc=" "), "doc"),
        (field("x", doc="No stop"), "doc"),
        (field("x", doc='Says "so".'), "doc"),
        (field("x", doc="Two\nlines."), "doc"),
        ({"name": "x", "type": "string"}, "doc"),
        (field("x", "float"), "float"),
        (field("x", ["null", "double"], default=None), "float"),
        (field("x", {"type": "array", "items": "double"}, default=[]), "float"),
        (field("x", {"type": "map", "values": "string"}), "map"),
        (field("x", "null"), "union"),
        (field("x", ["string", "null"], default=None), "union"),
        (field("x", ["null", "int", "string"], default=None), "union"),
        (field("x", ["null"], default=None), "union"),
        (field("x", ["null", "string"]), "default"),
        (field("x", ["null", "string"], default="a"), "default"),
        (field("x", ["null", COLOUR], default=None), "nullable_enum"),
        (field("x", {**COLOUR, "default": ""}), "enum_default"),
        (field("x", {**COLOUR, "doc": ""}), "doc"),
        (field("x", {**COLOUR, "name": "colour"}), "name"),
        (field("x", COLOUR, default="GREEN"), "default"),
        (field("x", {"type": "array", "items": "string"}), "default"),
        (field("x", {"type": "array", "items": "string"}, default=["a"]), "default"),
        (field("x", {"type": "array", "items": ["null", "string"]}, default=[]), "items"),
        (field("x", {"type": "string", "logicalType": "uuid"}), "logical_type"),
        (field("x", {"type": "long", "logicalType": "date"}), "logical_type"),
        (field("x", {"type": "bytes", "logicalType": "decimal", "precision": 9}), "logical_type"),
        (field("x", {**DECIMAL, "scale": 2}), "logical_type"),
        (field("x", {"type": "fixed", "name": "F", "size": 4}), "nested"),
        (field("x", record("registro.acts.Inner", field("y"))), "nested"),
        (field("x", DECIMAL, default="1.50"), "default"),
        (field("x", DECIMAL, default="-0"), "default"),
        (field("x", "int", default=2**31), "default"),
        (field("x", "int", default=True), "default"),
        (field("x", "boolean", default=1), "default"),
        (field("x", default='a"b'), "default"),
        (field("x", DATE, default=0), "default"),
        (field("x", "bytes", default=""), "default"),
        (field("x", ["null", "string"], default=None, **{"registro:key": True}), "key"),
        (field("x", DECIMAL, **{"registro:key": True}), "key"),
    ],
)
def test_names_the_rule_a_field_breaks(tmp_path: Path, bad: dict[str, Json], rule: str) -> None:
    found = findings(tmp_path, record("registro.acts.Bad", bad))
    assert [name for _, name in found] == [rule]
    assert all(path.startswith("x") for path, _ in found)


@pytest.mark.parametrize("name", ["Upper", "two__bars", "class", "dt", "tuple", "_x"])
def test_refuses_field_names_that_a_class_cannot_have(tmp_path: Path, name: str) -> None:
    assert findings(tmp_path, record("registro.acts.Bad", field(name))) == [(name, "name")]


@pytest.mark.parametrize("name", ["lower", "With_Bar", "None"])
def test_refuses_type_names_that_a_class_cannot_have(tmp_path: Path, name: str) -> None:
    assert ("", "name") in findings(tmp_path, record(f"registro.acts.{name}", field("x")))


@pytest.mark.parametrize("context", ["base", "catalogue", "Upper", "import"])
def test_refuses_contexts_that_cannot_be_modules(tmp_path: Path, context: str) -> None:
    assert ("", "name") in findings(tmp_path, record(f"registro.{context}.Thing", field("x")))


def test_refuses_a_first_sentence_that_does_not_fit_on_one_line(tmp_path: Path) -> None:
    long, short = f"{'a' * 90}.", f"{'a' * 89}. {'b ' * 90}end."
    assert findings(tmp_path / "a", record("registro.acts.A", field("x"), doc=long)) == [
        ("", "doc")
    ]
    assert findings(tmp_path / "b", record("registro.acts.A", field("x"), doc=short)) == []


def test_refuses_a_file_in_the_place_of_another(tmp_path: Path) -> None:
    path = put(tmp_path, record("registro.acts.Here", field("x")))
    path.parent.rename(path.parent.parent / "There")
    assert rules(lint(sources(tmp_path))) == [("", "place")]


def test_refuses_a_file_that_holds_no_record(tmp_path: Path) -> None:
    put_text(tmp_path, "acts/Text/v1.avsc", '"string"')
    assert rules(lint(sources(tmp_path))) == [("", "record")]


def test_refuses_unknown_kinds_and_repeated_fields(tmp_path: Path) -> None:
    document = record("registro.acts.Odd", field("x"), field("x"), kind="thing")
    assert findings(tmp_path, document) == [("", "kind"), ("x", "duplicate")]


def test_refuses_keys_of_shared_types(tmp_path: Path) -> None:
    document = record("registro.ledger.Part", field("x", **{"registro:key": True}), kind="type")
    assert findings(tmp_path, document) == [("x", "key")]


def test_refuses_facts_that_are_not_flat(tmp_path: Path) -> None:
    document = record(
        "registro.facts.Fact",
        field("plain"),
        field("maybe", ["null", "long"], default=None),
        field("many", {"type": "array", "items": "string"}, default=[]),
        field("perhaps", ["null", "registro.ledger.Part"], default=None),
        kind="fact",
    )
    part = record("registro.ledger.Part", field("x"), kind="type")
    assert findings(tmp_path, document, part) == [("many", "flat"), ("perhaps", "flat")]


def test_refuses_references_that_lead_nowhere_or_to_events(tmp_path: Path) -> None:
    found = findings(
        tmp_path,
        record("registro.acts.One", field("x", "registro.acts.Two")),
        record("registro.acts.Two", field("x", "registro.acts.Nowhere")),
    )
    assert found == [("", "reference"), ("", "reference")]


def test_refuses_defaults_of_shared_types(tmp_path: Path) -> None:
    part = record("registro.ledger.Part", field("x"), kind="type")
    event = record("registro.acts.Done", field("y", "registro.ledger.Part", default={"x": ""}))
    assert findings(tmp_path, part, event) == [("y", "default")]


def test_refuses_shared_types_of_another_context(tmp_path: Path) -> None:
    part = record("registro.risk.Part", field("x"), kind="type")
    event = record("registro.acts.Done", field("x", "registro.risk.Part"))
    assert findings(tmp_path, part, event) == [("", "reference")]


def test_refuses_types_that_contain_themselves(tmp_path: Path) -> None:
    found = findings(
        tmp_path,
        record("registro.ledger.One", field("x", "registro.ledger.Two"), kind="type"),
        record("registro.ledger.Two", field("x", "registro.ledger.One"), kind="type"),
        record("registro.acts.Outside", field("x", "registro.ledger.One")),
    )
    assert found == [("", "cycle"), ("", "cycle")]


def test_refuses_two_types_with_one_class_name(tmp_path: Path) -> None:
    found = findings(
        tmp_path, record("registro.acts.Same", field("x")), record("registro.risk.Same", field("x"))
    )
    assert found == [("", "class_name")]


def test_refuses_gaps_between_versions_and_a_change_of_kind(tmp_path: Path) -> None:
    put(tmp_path, record("registro.acts.Late", field("x")), version=2)
    put(tmp_path, record("registro.acts.Gap", field("x")))
    put(tmp_path, record("registro.acts.Gap", field("x"), kind="fact"), version=3)
    assert [(p.file, p.rule) for p in lint(sources(tmp_path))] == [
        ("acts/Gap/v3.avsc", "version"),
        ("acts/Gap/v3.avsc", "kind"),
        ("acts/Late/v2.avsc", "version"),
    ]


def test_wants_the_newest_version_of_a_shared_type_in_the_newest_schemas(tmp_path: Path) -> None:
    part = record("registro.ledger.Part", field("x"), kind="type")
    put(tmp_path, part)
    put(tmp_path, part, version=2)
    event = record("registro.acts.Done", field("x", "registro.ledger.Part"))
    put(tmp_path, event)
    assert rules(lint(sources(tmp_path))) == [("", "uses")]

    put(tmp_path, {**event, "registro:uses": {"registro.ledger.Part": 2}}, version=2)
    assert rules(lint(sources(tmp_path))) == []


def test_refuses_pins_of_types_that_are_not_used(tmp_path: Path) -> None:
    document = record("registro.acts.Done", field("x"))
    document["registro:uses"] = {"registro.a.B": 1}
    assert findings(tmp_path, document) == [("", "uses")]


def test_unreadable_files_are_problems_and_hide_no_others(tmp_path: Path) -> None:
    put_text(tmp_path, "acts/Broken/v1.avsc", "{")
    put_text(tmp_path, "acts/Twice/v1.avsc", '{"type": "int", "type": "int"}')
    put_text(tmp_path, "acts/Bytes/v1.avsc", "")
    (tmp_path / "acts/Bytes/v1.avsc").write_bytes(b"\xff")
    put_text(tmp_path, "acts/notes.txt", "")
    put_text(tmp_path, "acts/Zero/v0.avsc", "{}")
    put(tmp_path, record("registro.acts.Good", field("x")))

    found, problems = read_sources(tmp_path)

    assert [source.name for source in found] == ["Good"]
    assert [(problem.file, problem.rule) for problem in problems] == [
        ("acts/Broken/v1.avsc", "syntax"),
        ("acts/Bytes/v1.avsc", "syntax"),
        ("acts/Twice/v1.avsc", "syntax"),
        ("acts/Zero/v0.avsc", "layout"),
        ("acts/notes.txt", "layout"),
    ]
    assert "twice" in str(problems[2])


def test_the_released_schemas_break_no_rule() -> None:
    found, problems = read_sources(Path(__file__).parents[3] / "schemas" / "avro")
    assert len(found) >= 58
    assert [str(problem) for problem in (*problems, *lint(found))] == []
