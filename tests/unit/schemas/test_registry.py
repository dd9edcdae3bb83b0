"""Schemas found by name, version and id; what a damaged or missing file leads to."""

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from schemas.canonical import schema_id
from schemas.errors import InvalidSchemaError, UnknownSchemaError
from schemas.registry import ReleasedSchema, SchemaKind, SchemaRegistry, default_registry
from tests.support.schema_files import field, put, put_text, record

NOTE = "registro.notes.NoteTaken"
ACTOR = "registro.notes.Actor"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """An event of two versions, the second of which has one more field, and its shared type."""
    folder = tmp_path / "avro"
    text = field("text")
    actor = field("actor", ACTOR)
    later = field("pages", ["null", "int"], default=None)
    put(folder, record(ACTOR, field("role"), kind="type"))
    put(folder, record(NOTE, field("code", **{"registro:key": True}), text, actor))
    put(
        folder, record(NOTE, field("code", **{"registro:key": True}), text, actor, later), version=2
    )
    return folder


def freeze(root: Path, **versions: bytes) -> None:
    content = {NOTE: {version: digest.hex() for version, digest in versions.items()}}
    put_text(root.parent, "fingerprints.json", json.dumps(content))


def loaded(registry: SchemaRegistry) -> set[tuple[str, int]]:
    return set(registry._loaded)


def test_a_schema_knows_what_its_file_says(root: Path) -> None:
    schema = SchemaRegistry(root).latest(NOTE)

    assert (schema.full_name, schema.version, schema.kind) == (NOTE, 2, SchemaKind.EVENT)
    assert schema.key_fields == ("code",)
    assert schema.fields == ("code", "text", "actor", "pages")
    assert schema.doc == "What NoteTaken says."
    assert schema.schema_id == hashlib.sha256(schema.normalised.encode()).digest()
    assert '"name":"registro.notes.Actor","type":"record"' in schema.normalised


def test_versions_come_in_order_and_the_tenth_after_the_second(root: Path) -> None:
    extra = [field(f"f{number}", ["null", "int"], default=None) for number in range(10)]
    put(root, record(NOTE, field("code"), *extra), version=10)
    registry = SchemaRegistry(root)

    assert [schema.version for schema in registry.versions(NOTE)] == [1, 2, 10]
    assert registry.latest(NOTE) is registry.versions(NOTE)[-1]


def test_names_are_sorted_and_may_be_asked_by_kind(root: Path) -> None:
    put(root, record("registro.a.Fact", field("x", "long"), kind="fact"))
    registry = SchemaRegistry(root)

    assert registry.names() == ("registro.a.Fact", ACTOR, NOTE)
    assert registry.names("event") == (NOTE,)
    assert registry.names(SchemaKind.TYPE) == (ACTOR,)
    assert registry.names("fact") == ("registro.a.Fact",)
    assert registry.names("other") == ()


def test_names_are_known_without_reading_a_file(root: Path) -> None:
    put_text(root, "notes/Broken/v1.avsc", "{")

    assert "registro.notes.Broken" in SchemaRegistry(root).names()


def test_a_schema_is_found_by_its_id_and_is_the_same_object(root: Path) -> None:
    first, second = SchemaRegistry(root).versions(NOTE)
    registry = SchemaRegistry(root)

    assert registry.by_id(first.schema_id) == first
    assert registry.by_id(second.schema_id) is registry.latest(NOTE)


def test_frozen_ids_spare_reading_the_other_files(root: Path) -> None:
    wanted = SchemaRegistry(root).versions(NOTE)[1]
    freeze(root, v2=wanted.schema_id)
    put_text(root, "notes/AAA/v1.avsc", "damaged")
    registry = SchemaRegistry(root)

    assert registry.by_id(wanted.schema_id) == wanted
    assert loaded(registry) == {(NOTE, 2)}


def test_a_frozen_id_that_the_file_does_not_give_finds_nothing(root: Path) -> None:
    freeze(root, v1=bytes(32))

    with pytest.raises(UnknownSchemaError) as caught:
        SchemaRegistry(root).by_id(bytes(32))

    assert caught.value.facts["schema"] == "00" * 32


def test_a_frozen_id_under_the_wrong_version_does_not_hide_the_right_file(root: Path) -> None:
    first, second = SchemaRegistry(root).versions(NOTE)
    freeze(root, v1=second.schema_id, v2=first.schema_id, v7=bytes(32))
    registry = SchemaRegistry(root)

    assert registry.by_id(first.schema_id).version == 1
    assert registry.by_id(second.schema_id).version == 2


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{", '{"a": 1}', '{"a": {"v1": 1}}', '{"a": {"v1": "zz"}}', '{"a": {"x": "00"}}'],
)
def test_a_damaged_file_of_frozen_ids_is_no_index_and_no_harm(root: Path, text: str) -> None:
    wanted = SchemaRegistry(root).latest(NOTE)
    put_text(root.parent, "fingerprints.json", text)

    assert SchemaRegistry(root).by_id(wanted.schema_id) == wanted


@pytest.mark.parametrize("unknown", [b"", bytes(31), bytes(32), bytes(33)])
def test_refuses_an_id_that_nothing_has(root: Path, unknown: bytes) -> None:
    with pytest.raises(UnknownSchemaError):
        SchemaRegistry(root).by_id(unknown)


@pytest.mark.parametrize("name", ["", "NoteTaken", "registro.notes", "registro.notes.notetaken"])
def test_refuses_a_name_without_file(root: Path, name: str) -> None:
    registry = SchemaRegistry(root)

    with pytest.raises(UnknownSchemaError, match="there is no schema file of this name"):
        registry.latest(name)
    with pytest.raises(UnknownSchemaError):
        registry.versions(name)


def test_a_folder_that_is_not_there_holds_no_schema(tmp_path: Path) -> None:
    registry = SchemaRegistry(tmp_path / "nowhere")

    assert registry.names() == ()
    with pytest.raises(UnknownSchemaError):
        registry.latest(NOTE)


@pytest.mark.parametrize("name", ["v0.avsc", "v01.avsc", "v1.avsc.bak", "vx.avsc", "v\u0661.avsc"])
def test_passes_over_files_that_are_no_version(root: Path, name: str) -> None:
    put_text(root, f"notes/NoteTaken/{name}", "damaged")

    assert [schema.version for schema in SchemaRegistry(root).versions(NOTE)] == [1, 2]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is not JSON"),
        ('{"type":"record"}', "name must be a text"),
        ('"string"', "the file defines a type instead"),
        ('["null","string"]', "the file defines a type instead"),
        (
            '{"type":"fixed","name":"registro.notes.Other","size":1}',
            "the file defines registro.notes",
        ),
        ('{"type":"fixed","name":"registro.notes.Bad"}', "a fixed has a size"),
        ('{"type":"record","name":"registro.notes.Bad","fields":[],"x":1}', "unknown attribute x"),
        (
            '{"type":"record","name":"registro.notes.Bad","fields":[],"registro:kind":"odd"}',
            "registro:kind 'odd' is none of event, type, fact",
        ),
    ],
)
def test_refuses_a_damaged_file_and_names_it(root: Path, text: str, reason: str) -> None:
    put_text(root, "notes/Bad/v1.avsc", text)

    with pytest.raises(InvalidSchemaError, match=reason) as caught:
        SchemaRegistry(root).latest("registro.notes.Bad")

    assert caught.value.facts["path"].startswith("registro.notes.Bad")


def test_refuses_a_file_that_is_not_utf8(root: Path) -> None:
    put_text(root, "notes/Bad/v1.avsc", "").write_bytes(b'{"doc": "\xe8"}')

    with pytest.raises(InvalidSchemaError, match="the file cannot be read"):
        SchemaRegistry(root).latest("registro.notes.Bad")


def test_names_the_file_of_a_damaged_shared_type(root: Path) -> None:
    put_text(root, "notes/Actor/v1.avsc", "{")

    with pytest.raises(InvalidSchemaError, match=r"registro\.notes\.Actor v1"):
        SchemaRegistry(root).latest(NOTE)


def test_a_released_schema_keeps_the_shared_type_it_was_released_with(root: Path) -> None:
    before = SchemaRegistry(root).latest(NOTE)
    put(
        root,
        record(ACTOR, field("role"), field("unit", ["null", "string"], default=None), kind="type"),
        version=2,
    )

    assert SchemaRegistry(root).latest(NOTE).schema_id == before.schema_id
    assert SchemaRegistry(root).latest(ACTOR).version == 2


def test_a_new_version_pins_the_new_shared_type(root: Path) -> None:
    put(root, record(ACTOR, field("role"), field("unit", "int"), kind="type"), version=2)
    pinned = record(NOTE, field("actor", ACTOR), uses={ACTOR: 2})
    put(root, pinned, version=3)

    assert '"name":"unit"' in SchemaRegistry(root).latest(NOTE).normalised


def test_refuses_a_pin_of_a_version_without_file(root: Path) -> None:
    put(root, record(NOTE, field("actor", ACTOR), uses={ACTOR: 9}), version=3)

    with pytest.raises(UnknownSchemaError, match=r"registro\.notes\.Actor v9 is not known"):
        SchemaRegistry(root).latest(NOTE)


def test_a_ledger_text_without_file_is_learnt(root: Path, tmp_path: Path) -> None:
    text = SchemaRegistry(root).latest(NOTE).normalised
    registry = SchemaRegistry(tmp_path / "nowhere")

    learnt = registry.register_text(text)

    assert registry.by_id(schema_id(text)) is learnt
    assert registry.register_text(text) is learnt
    assert (learnt.full_name, learnt.version, learnt.kind) == (NOTE, None, None)
    assert (learnt.key_fields, learnt.doc, learnt.fields[0]) == ((), "", "code")
    assert registry.names() == ()


def test_a_ledger_text_that_stands_in_a_file_gives_the_schema_of_the_file(root: Path) -> None:
    first, _ = SchemaRegistry(root).versions(NOTE)
    registry = SchemaRegistry(root)

    found = registry.register_text(first.normalised)

    assert found.version == 1
    assert found is registry.versions(NOTE)[0]


def test_a_lost_version_is_learnt_beside_those_that_have_files(root: Path) -> None:
    first, second = SchemaRegistry(root).versions(NOTE)
    (root / "notes" / "NoteTaken" / "v1.avsc").unlink()
    registry = SchemaRegistry(root)

    learnt = registry.register_text(first.normalised)

    assert registry.by_id(first.schema_id) is learnt
    assert registry.latest(NOTE) == second


def test_a_learnt_enum_and_fixed_have_no_fields(tmp_path: Path) -> None:
    registry = SchemaRegistry(tmp_path)

    for text in (
        '{"name":"registro.t.E","type":"enum","symbols":["A"]}',
        '{"name":"registro.t.F","type":"fixed","size":2}',
    ):
        assert registry.register_text(text).fields == ()


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text + " ",
        lambda text: text.replace('"type":"record",', '"type":"record","doc":"",'),
        lambda text: text.replace("{", '{"namespace":"registro.notes",', 1),
        lambda text: text.replace('"string"', '{"type":"string"}', 1),
    ],
    ids=["space", "doc", "namespace", "long form"],
)
def test_refuses_a_text_that_is_not_normalised(root: Path, change: Callable[[str], str]) -> None:
    text = SchemaRegistry(root).latest(NOTE).normalised

    with pytest.raises(InvalidSchemaError, match="is not in the normalised form"):
        SchemaRegistry(root).register_text(change(text))


@pytest.mark.parametrize(
    "text",
    ["", "{}", '"string"', '["null","string"]', '{"type":"array","items":"int"}', '"registro.a.B"'],
)
def test_refuses_a_text_that_is_no_schema_of_a_record(root: Path, text: str) -> None:
    with pytest.raises(InvalidSchemaError):
        SchemaRegistry(root).register_text(text)


def test_refuses_to_work_with_a_default_of_another_type(root: Path) -> None:
    put(root, record("registro.notes.Odd", field("x", "int", default="a")))
    schema = SchemaRegistry(root).latest("registro.notes.Odd")

    with pytest.raises(InvalidSchemaError, match=r"registro\.notes\.Odd"):
        _ = schema.parsed


def test_schemas_are_equal_when_their_ids_are(root: Path) -> None:
    one, other = (SchemaRegistry(root).latest(NOTE) for _ in range(2))
    first = SchemaRegistry(root).versions(NOTE)[0]

    assert one is not other
    assert {one, other, first} == {one, first}
    assert one != first
    assert one != one.schema_id


def test_every_packaged_schema_is_found_by_its_id() -> None:
    registry = default_registry()
    schemas: list[ReleasedSchema] = [
        schema for name in registry.names() for schema in registry.versions(name)
    ]

    assert len({schema.schema_id for schema in schemas}) == len(schemas) >= 58
    assert all(registry.by_id(schema.schema_id) is schema for schema in schemas)
    assert all(schema.kind is not None and schema.parsed for schema in schemas)
    assert default_registry() is registry


def test_every_packaged_schema_can_be_learnt_from_its_own_text(tmp_path: Path) -> None:
    foreign = SchemaRegistry(tmp_path)

    for name in default_registry().names():
        text = default_registry().latest(name).normalised
        assert foreign.register_text(text).schema_id == schema_id(text)


def test_importing_the_registry_does_not_import_fastavro() -> None:
    program = (
        "import sys, schemas.codec, schemas.registry as r;"
        "r.default_registry().latest('registro.ledger.Envelope');"
        "sys.exit('fastavro' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
