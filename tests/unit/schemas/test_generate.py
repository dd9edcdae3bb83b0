import ast
import subprocess
import sys
from pathlib import Path

import pytest

from schemas.errors import InvalidSchemaError
from schemas.generate import MARK, WIDTH, generate, outdated, write
from schemas.sources import read_sources
from schemas.syntax import Json
from tests.support.schema_files import field, put, record, sources

PROJECT = Path(__file__).parents[3]
DECIMAL: Json = {"type": "string", "logicalType": "registro-decimal"}
ENUM: Json = {"type": "enum", "name": "E", "symbols": ["A", "B"], "default": "B"}


def made(root: Path, *documents: dict[str, Json]) -> dict[str, str]:
    for document in documents:
        put(root, document)
    return generate(sources(root))


def lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines()]


@pytest.mark.parametrize(
    ("item", "line"),
    [
        (field("x"), "x: str"),
        (field("x", default="none"), 'x: str = "none"'),
        (field("x", "int"), "x: int"),
        (field("x", "long", default=-1), "x: int = -1"),
        (field("x", "boolean", default=True), "x: bool = True"),
        (field("x", "bytes"), "x: bytes"),
        (field("x", {"type": "fixed", "name": "F", "size": 4}), "x: bytes"),
        (field("x", DECIMAL), "x: Decimal"),
        (field("x", DECIMAL, default="1.5"), 'x: Decimal = Decimal("1.5")'),
        (field("x", {"type": "int", "logicalType": "date"}), "x: dt.date"),
        (field("x", {"type": "long", "logicalType": "timestamp-micros"}), "x: dt.datetime"),
        (field("x", ENUM, default="A"), 'x: str = "A"'),
        (field("x", ["null", DECIMAL], default=None), "x: Decimal | None = None"),
        (
            field("x", {"type": "array", "items": DECIMAL}, default=[]),
            "x: tuple[Decimal, ...] = ()",
        ),
        (field("x", {"type": "array", "items": "int"}), "x: tuple[int, ...]"),
        (field("x", "registro.ledger.Part"), "x: Part"),
        (field("x", ["null", "registro.ledger.Part"], default=None), "x: Part | None = None"),
    ],
)
def test_every_type_and_default_has_its_line(
    tmp_path: Path, item: dict[str, Json], line: str
) -> None:
    part = record("registro.ledger.Part", field("y"), kind="type")
    modules = made(tmp_path, record("registro.acts.Done", item), part)
    assert line in lines(modules["acts.py"])
    ast.parse(modules["acts.py"])


@pytest.mark.parametrize(
    "item",
    [
        field("x", "double"),
        field("x", {"type": "map", "values": "int"}),
        field("x", {"type": "string", "logicalType": "uuid"}),
        field("x", ["int", "string"]),
        field("x", record("registro.acts.Inner")),
        field("x", {"type": "fixed", "name": "F", "size": 4, "logicalType": "duration"}),
        field("x", {"type": "array", "items": "string"}, default=["a"]),
        field("x", "int", default=1.5),
        field("x", default='"'),
        field("x", default="a\\"),
        field("x", doc='End it: """ + 1'),
    ],
)
def test_refuses_what_cannot_stand_in_a_class(tmp_path: Path, item: dict[str, Json]) -> None:
    put(tmp_path, record("registro.acts.Done", item))
    with pytest.raises(InvalidSchemaError):
        generate(sources(tmp_path))


def test_refuses_a_class_that_contains_itself(tmp_path: Path) -> None:
    put(tmp_path, record("registro.ledger.One", field("x", "registro.ledger.One"), kind="type"))
    with pytest.raises(InvalidSchemaError):
        generate(sources(tmp_path))


@pytest.mark.parametrize("context", ["base", "catalogue"])
def test_refuses_to_write_over_another_module(tmp_path: Path, context: str) -> None:
    put(tmp_path, record(f"registro.{context}.Done", field("x")))
    with pytest.raises(InvalidSchemaError):
        generate(sources(tmp_path))


def test_writes_a_class_after_those_it_needs(tmp_path: Path) -> None:
    text = made(
        tmp_path,
        record("registro.ledger.A", field("x", "registro.ledger.Z"), kind="type"),
        record("registro.ledger.Z", field("x"), kind="type"),
    )["ledger.py"]
    assert text.index("class Z(Value)") < text.index("class A(Value)")


def test_only_events_enter_the_catalogue_and_facts_have_no_class(tmp_path: Path) -> None:
    modules = made(
        tmp_path,
        record("registro.ledger.Part", field("x"), kind="type"),
        record("registro.acts.Done", field("x")),
        record("registro.facts.Counted", field("x"), kind="fact"),
    )
    assert sorted(modules) == ["acts.py", "catalogue.py", "ledger.py"]
    assert "Done.TYPE: Done," in modules["catalogue.py"]
    assert "Part" not in modules["catalogue.py"]


def test_the_newest_version_makes_the_class(tmp_path: Path) -> None:
    put(tmp_path, record("registro.acts.Done", field("x")), version=10)
    put(tmp_path, record("registro.acts.Done", field("y")), version=9)
    text = generate(sources(tmp_path))["acts.py"]
    assert "x: str" in lines(text)
    assert "y: str" not in lines(text)


def test_keys_follow_the_order_of_the_schema(tmp_path: Path) -> None:
    key: dict[str, Json] = {"registro:key": True}
    text = made(
        tmp_path, record("registro.acts.Done", field("b", **key), field("c"), field("a", **key))
    )["acts.py"]
    assert 'KEYS: ClassVar[tuple[str, ...]] = ("b", "a")' in lines(text)


def test_long_output_is_what_the_tools_of_the_project_want(tmp_path: Path) -> None:
    """Wrapped docs, keys and imports: the formatter, the linter and mypy have nothing to say."""
    key: dict[str, Json] = {"registro:key": True}
    many = [field(f"a_long_name_of_a_key_{n}", **key) for n in range(6)]
    parts = [record(f"registro.ledger.SomeQuiteLongPartName{n}", kind="type") for n in range(5)]
    uses = [field(f"x{n}", str(f"registro.ledger.{part['name']}")) for n, part in enumerate(parts)]
    doc = "Short first. " + "word " * 40 + "end."
    modules = made(
        tmp_path / "avro",
        *parts,
        record("registro.acts.Done", *many, *uses, field("y", doc="w " * 90 + "z."), doc=doc),
        record("registro.acts.ActReference", field("x", DECIMAL), kind="type"),
        record("registro.acts.Actor", field("x", "registro.acts.ActReference")),
    )
    folder = tmp_path / "ledger" / "events"
    folder.mkdir(parents=True)
    for name in ("__init__.py", "base.py"):
        (folder / name).write_bytes((PROJECT / "ledger" / "events" / name).read_bytes())
    (folder.parent / "__init__.py").write_text('"""The ledger."""\n')
    write(modules, folder)

    config = ["--no-cache", "--config", str(PROJECT / "pyproject.toml")]
    for command in (
        ["ruff", "format", "--check", *config],
        ["ruff", "check", *config],
        ["mypy", "--strict", "--config-file=", "--cache-dir", str(tmp_path / "cache")],
    ):
        done = subprocess.run(
            [sys.executable, "-m", *command, "ledger"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, (command, done.stdout, done.stderr)
    assert max(len(line) for text in modules.values() for line in text.splitlines()) <= WIDTH


def test_writing_changes_only_what_differs_and_removes_what_has_no_schemas(tmp_path: Path) -> None:
    modules = {"acts.py": "one\n", "catalogue.py": "two\n"}
    (tmp_path / "base.py").write_text("kept")
    (tmp_path / "gone.py").write_text(MARK)
    assert write(modules, tmp_path) == ("acts.py", "catalogue.py", "gone.py")
    assert write(modules, tmp_path) == ()
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "acts.py",
        "base.py",
        "catalogue.py",
    ]


def test_finds_missing_changed_and_left_over_modules(tmp_path: Path) -> None:
    modules = {"acts.py": "one\n", "catalogue.py": "two\n"}
    (tmp_path / "acts.py").write_bytes(b"one\r\n")
    (tmp_path / "gone.py").write_text(MARK)
    found = outdated(modules, tmp_path)
    assert [problem.file for problem in found] == [
        "ledger/events/acts.py",
        "ledger/events/catalogue.py",
        "ledger/events/gone.py",
    ]


def test_never_removes_a_module_written_by_hand(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text('"""Written by hand."""\n')
    assert write({}, tmp_path) == ()
    assert outdated({}, tmp_path) == ()
    assert (tmp_path / "mine.py").exists()


def test_the_same_schemas_give_the_same_text(tmp_path: Path) -> None:
    documents = [record(f"registro.acts.T{n}", field("x")) for n in range(5)]
    forwards = made(tmp_path / "a", *documents)
    backwards = made(tmp_path / "b", *reversed(documents))
    assert forwards == backwards


def test_the_classes_of_the_project_are_up_to_date() -> None:
    found, _ = read_sources(PROJECT / "schemas" / "avro")
    assert outdated(generate(found), PROJECT / "ledger" / "events") == ()
