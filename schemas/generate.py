"""Write the event classes from the schemas: one module per context, and the catalogue.

The output is text that ruff would not reformat and mypy accepts in strict mode, so that the
generator needs neither. This package imports nothing of the ledger: it only writes files into its
folder.

Invariants:
1. The same schemas give the same bytes, on every machine.
2. A class is made from the newest version of its schema. Older bodies reach it through Avro's
   resolution, so every field that an older version lacks has a default (`schemas.compatibility`).
3. A module refers only to classes above it, or to those of the context `ledger`.

Source: docs/adr/0004-event-classes.md.
"""

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final, assert_never

from schemas.errors import InvalidSchemaError
from schemas.sources import Problem, SchemaSource, latest
from schemas.syntax import (
    Array,
    Enum,
    Field,
    Fixed,
    Map,
    Primitive,
    Record,
    Reference,
    SchemaType,
    Union,
)

WIDTH: Final = 100
"""Columns of a line, as in pyproject.toml."""
PACKAGE: Final = "ledger.events"
"""Package of the generated modules."""
RESERVED: Final = frozenset({"__init__", "base", "catalogue"})
"""Modules of the package that belong to no context."""
MARK: Final = "Generated from schemas/avro by `python -m schemas generate`; do not edit."
"""Stands in every generated module."""
BASES: Final[Mapping[str, str]] = {"event": "Event", "type": "Value"}
"""Base class by `registro:kind`; other kinds have no class."""

_PRIMITIVES: Final[Mapping[str, str]] = {
    "string": "str",
    "int": "int",
    "long": "int",
    "boolean": "bool",
    "bytes": "bytes",
}
_LOGICAL: Final[Mapping[tuple[str, str], str]] = {
    ("string", "registro-decimal"): "Decimal",
    ("int", "date"): "dt.date",
    ("long", "timestamp-micros"): "dt.datetime",
}


def generate(sources: Iterable[SchemaSource]) -> dict[str, str]:
    """Return the text of every generated module, by file name.

    Raises:
        InvalidSchemaError: a schema cannot become a class; `schemas.lint` says more.
    """
    records = {
        name: (source, source.schema)
        for name, source in latest(sources).items()
        if isinstance(source.schema, Record) and source.schema.kind in BASES
    }
    contexts = sorted({source.context for source, _ in records.values()})
    modules = {}
    for context in contexts:
        if context in RESERVED:
            raise _no_class(f"the context {context}")
        own = {
            name: record for name, (source, record) in records.items() if source.context == context
        }
        modules[f"{context}.py"] = _module(context, own)
    events = [name for name, (_, record) in records.items() if record.kind == "event"]
    modules["catalogue.py"] = _catalogue(events)
    return modules


def outdated(modules: Mapping[str, str], folder: Path) -> tuple[Problem, ...]:
    """Return how the files of a folder differ from the generated modules."""
    problems = []
    for name, text in sorted(modules.items()):
        path = folder / name
        if not path.is_file():
            problems.append(_outdated(name, "is missing"))
        elif path.read_bytes() != text.encode():
            problems.append(_outdated(name, "differs from what the schemas give"))
    return (*problems, *(_outdated(path.name, "has no schemas") for path in stale(modules, folder)))


def stale(modules: Mapping[str, str], folder: Path) -> tuple[Path, ...]:
    """Return the modules of a folder that were generated once and are not any more.

    A module without the generator's mark is somebody's work and is never touched.
    """
    return tuple(
        path
        for path in sorted(folder.glob("*.py"))
        if path.name not in modules and MARK in path.read_text(encoding="utf-8")
    )


def write(modules: Mapping[str, str], folder: Path) -> tuple[str, ...]:
    """Write the modules that changed, remove stale ones; return the names of both, in order."""
    changed = []
    for name, text in sorted(modules.items()):
        path = folder / name
        if not path.is_file() or path.read_bytes() != text.encode():
            path.write_bytes(text.encode())
            changed.append(name)
    for path in stale(modules, folder):
        path.unlink()
        changed.append(path.name)
    return tuple(changed)


def _module(context: str, records: Mapping[str, Record]) -> str:
    ordered = _dependencies_first(records)
    names = {name for record in ordered for field in record.fields for name in _references(field)}
    foreign = sorted(names - set(records))
    header = f'"""Events and values of the context `{context}`.\n\n{MARK}\n"""\n\n'
    classes = "".join(f"\n\n{_class(record)}" for record in ordered)
    return header + _imports(ordered, foreign) + classes


def _imports(records: Sequence[Record], foreign: Sequence[str]) -> str:
    annotations = [_annotation(field.type) for record in records for field in record.fields]
    standard = [
        *(["import datetime as dt"] if any("dt." in text for text in annotations) else []),
        "from dataclasses import dataclass",
        *(
            ["from decimal import Decimal"]
            if any("Decimal" in text for text in annotations)
            else []
        ),
        "from typing import ClassVar",
    ]
    own = {f"{PACKAGE}.base": {BASES[record.kind] for record in records}}
    for full_name in foreign:
        _, context, name = full_name.split(".")
        own.setdefault(f"{PACKAGE}.{context}", set()).add(name)
    return "\n".join(standard) + "\n\n" + _from_imports(own)


def _from_imports(names: Mapping[str, Iterable[str]]) -> str:
    """Return import lines in the order and the shape the formatter wants."""
    lines = []
    for module in sorted(names):
        members = sorted(names[module], key=lambda name: (name.lower(), name))
        line = f"from {module} import {', '.join(members)}\n"
        if len(line) > WIDTH + 1:
            rows = "".join(f"    {name},\n" for name in members)
            line = f"from {module} import (\n{rows})\n"
        lines.append(line)
    return "".join(lines)


def _class(record: Record) -> str:
    keys = [field.name for field in record.fields if field.key]
    return (
        "@dataclass(frozen=True, kw_only=True, slots=True)\n"
        f"class {_class_name(record.full_name)}({BASES[record.kind]}):\n"
        f"{_class_doc(record)}\n"
        f'    TYPE: ClassVar[str] = "{record.full_name}"\n'
        f"    KEYS: ClassVar[tuple[str, ...]] = {_names(keys)}\n"
        + "".join(_field(field) for field in record.fields)
    )


def _class_doc(record: Record) -> str:
    """Return the docstring: the first sentence on the first line, the others in a paragraph."""
    summary, _, rest = _plain_doc(record.doc, record.full_name).partition(". ")
    if not rest:
        return _wrapped(summary)
    paragraph = textwrap.fill(
        rest,
        WIDTH,
        initial_indent="    ",
        subsequent_indent="    ",
        break_long_words=False,
        break_on_hyphens=False,
    )
    return f'    """{summary}.\n\n{paragraph}\n    """\n'


def _field(field: Field) -> str:
    annotation = _annotation(field.type)
    default = f" = {_default(field)}" if field.has_default else ""
    return f"    {field.name}: {annotation}{default}\n{_wrapped(_plain_doc(field.doc, field.name))}"


def _wrapped(doc: str) -> str:
    # The closing quotes are part of the last line, so they are wrapped with it.
    text = textwrap.fill(
        f'"""{doc}"""',
        WIDTH,
        initial_indent="    ",
        subsequent_indent="    ",
        break_long_words=False,
        break_on_hyphens=False,
    )
    return f"{text}\n"


def _plain_doc(doc: str, owner: str) -> str:
    # A doc that needed escapes could end the docstring early.
    if not is_plain(doc):
        raise _no_class(f"the doc of {owner}")
    return doc


def _names(names: Sequence[str]) -> str:
    quoted = [f'"{name}"' for name in names]
    line = f"({', '.join(quoted)}{',' if len(quoted) == 1 else ''})"
    if len("    KEYS: ClassVar[tuple[str, ...]] = ") + len(line) <= WIDTH:
        return line
    return "(\n" + "".join(f"        {name},\n" for name in quoted) + "    )"


def _annotation(schema: SchemaType) -> str:
    """Return the Python type of a schema type."""
    match schema:
        case Primitive():
            return _plain(schema)
        case Reference(full_name=name):
            return _class_name(name)
        case Array(items=items):
            return f"tuple[{_annotation(items)}, ...]"
        case Enum():
            # A reader of an older version meets symbols of a newer one as the default: text.
            return "str"
        case Fixed(logical=None):
            return "bytes"
        case Union(branches=(Primitive(name="null"), present)):
            return f"{_annotation(present)} | None"
        case Map() | Union() | Record() | Fixed():
            raise _no_class(f"a {type(schema).__name__.lower()} of this form")
        case _:  # pragma: no cover
            assert_never(schema)


def _plain(schema: Primitive) -> str:
    if schema.logical is None:
        found = _PRIMITIVES.get(schema.name)
    else:
        found = _LOGICAL.get((schema.name, schema.logical.name))
    if found is None:
        raise _no_class(schema.name if schema.logical is None else schema.logical.name)
    return found


def _default(field: Field) -> str:
    match field.default:
        case None | bool() | int():
            return repr(field.default)
        case []:
            return "()"
        case str() if isinstance(field.type, Primitive | Enum) and is_plain(field.default):
            text = f'"{field.default}"'
            return f"Decimal({text})" if _annotation(field.type) == "Decimal" else text
        case _:
            raise _no_class(f"the default of {field.name}")


def _references(field: Field) -> set[str]:
    return references(field.type)


def is_plain(text: str) -> bool:
    """Return whether a text can stand between quotes without an escape, on one line."""
    return text.isprintable() and not set(text) & set('"\\')


def references(schema: SchemaType) -> set[str]:
    """Return the full names of the types that a type refers to, at any depth."""
    match schema:
        case Reference(full_name=name):
            return {name}
        case Array(items=inner) | Map(values=inner):
            return references(inner)
        case Union(branches=branches):
            return set().union(*(references(branch) for branch in branches))
        case Record(fields=fields):
            return set().union(*(references(field.type) for field in fields))
        case Primitive() | Enum() | Fixed():
            return set()
        case _:  # pragma: no cover
            assert_never(schema)


def _dependencies_first(records: Mapping[str, Record]) -> list[Record]:
    """Return records in order of name, each after those it refers to."""
    ordered: dict[str, Record] = {}
    open_names: list[str] = []

    def visit(name: str) -> None:
        if name in ordered or name not in records:
            return
        if name in open_names:
            raise _no_class(f"{name}, which contains itself,")
        open_names.append(name)
        for needed in sorted(references(records[name])):
            visit(needed)
        open_names.pop()
        ordered[name] = records[name]

    for name in sorted(records):
        visit(name)
    return list(ordered.values())


def _catalogue(events: Sequence[str]) -> str:
    imports: dict[str, set[str]] = {f"{PACKAGE}.base": {"Event"}}
    for full_name in events:
        _, context, name = full_name.split(".")
        imports.setdefault(f"{PACKAGE}.{context}", set()).add(name)
    rows = "".join(f"        {name}.TYPE: {name},\n" for name in map(_class_name, events))
    return (
        f'"""Every event class by its stored type name.\n\n{MARK}\n"""\n\n'
        "from collections.abc import Mapping\n"
        "from types import MappingProxyType\n"
        "from typing import Final\n\n"
        f"{_from_imports(imports)}\n"
        "EVENT_TYPES: Final[Mapping[str, type[Event]]] = MappingProxyType(\n"
        f"    {{\n{rows}    }}\n)\n"
        '"""In order of the full name; `python -m schemas check` keeps it in step."""\n'
    )


def _class_name(full_name: str) -> str:
    return full_name.rpartition(".")[2]


def _no_class(what: str) -> InvalidSchemaError:
    return InvalidSchemaError(path=what, reason="cannot become part of an event class")


def _outdated(name: str, what: str) -> Problem:
    return Problem(
        file=f"{PACKAGE.replace('.', '/')}/{name}",
        path="",
        rule="generated",
        message=f"{what}: run `python -m schemas generate`",
    )
