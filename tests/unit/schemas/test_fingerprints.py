from pathlib import Path

import pytest

from schemas.errors import IncompatibleSchemaError, InvalidSchemaError
from schemas.fingerprints import check, fingerprints_of, freeze, read_fingerprints
from schemas.registry import SchemaRegistry
from tests.support.schema_files import field, put, record

ONE, TWO = "1" * 64, "2" * 64
NAME = "registro.acts.Done"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "fingerprints.json"


def test_freezes_new_versions_and_keeps_the_old_ones(path: Path) -> None:
    assert freeze({NAME: {1: ONE}}, path) == (f"{NAME} v1",)
    assert freeze({NAME: {1: ONE, 2: TWO}}, path) == (f"{NAME} v2",)
    assert read_fingerprints(path) == {NAME: {1: ONE, 2: TWO}}


def test_freezing_twice_changes_no_byte(path: Path) -> None:
    freeze({NAME: {1: ONE, 10: ONE, 2: TWO}}, path)
    before = path.read_bytes()
    assert freeze({NAME: {1: ONE, 10: ONE, 2: TWO}}, path) == ()
    assert path.read_bytes() == before
    assert before.index(b'"v2"') < before.index(b'"v10"')


def test_refuses_to_change_a_frozen_version_and_writes_nothing(path: Path) -> None:
    freeze({NAME: {1: ONE}}, path)
    before = path.read_bytes()
    with pytest.raises(IncompatibleSchemaError):
        freeze({NAME: {1: TWO, 2: TWO}}, path)
    assert path.read_bytes() == before


def test_keeps_the_entry_of_a_file_that_is_gone(path: Path) -> None:
    freeze({NAME: {1: ONE}}, path)
    freeze({"registro.acts.Other": {1: TWO}}, path)
    assert read_fingerprints(path)[NAME] == {1: ONE}


@pytest.mark.parametrize(
    ("current", "said"),
    [
        ({NAME: {1: ONE}}, []),
        ({NAME: {1: TWO}}, ["now gives"]),
        ({}, ["has no readable file"]),
        ({NAME: {1: ONE, 2: TWO}}, ["is not frozen"]),
        ({"registro.acts.Other": {1: ONE}}, ["has no readable file", "is not frozen"]),
    ],
)
def test_lists_every_difference(
    path: Path, current: dict[str, dict[int, str]], said: list[str]
) -> None:
    freeze({NAME: {1: ONE}}, path)
    problems = check(current, path)
    assert len(problems) == len(said)
    assert all(text in str(problem) for text, problem in zip(said, problems, strict=True))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"a": 1}',
        f'{{"a": {{"1": "{ONE}"}}}}',
        f'{{"a": {{"v0": "{ONE}"}}}}',
        '{"a": {"v1": 1}}',
        '{"a": {"v1": "12"}}',
        f'{{"a": {{"v1": "{"A" * 64}"}}}}',
        f'{{"a": {{"v1": "{ONE}", "v1": "{TWO}"}}}}',
    ],
)
def test_refuses_a_damaged_file(path: Path, text: str) -> None:
    path.write_text(text)
    with pytest.raises(InvalidSchemaError):
        read_fingerprints(path)


def test_fingerprints_are_the_ids_of_the_registry(tmp_path: Path) -> None:
    put(tmp_path, record(NAME, field("x")))
    put(tmp_path, record(NAME, field("x"), field("y", default="")), version=2)
    schemas = SchemaRegistry(tmp_path).versions(NAME)
    found = fingerprints_of(schemas)
    assert found == {NAME: {1: schemas[0].schema_id.hex(), 2: schemas[1].schema_id.hex()}}
    assert found[NAME][1] != found[NAME][2]


def test_a_schema_that_stands_in_no_file_has_no_fingerprint(tmp_path: Path) -> None:
    put(tmp_path / "here", record(NAME, field("x")))
    text = SchemaRegistry(tmp_path / "here").latest(NAME).normalised
    (tmp_path / "elsewhere").mkdir()
    foreign = SchemaRegistry(tmp_path / "elsewhere").register_text(text)
    assert fingerprints_of([foreign]) == {}
