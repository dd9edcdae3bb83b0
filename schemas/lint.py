"""Judge schema files by the rules of this ledger, which are stricter than Avro's.

A schema is read for decades by people and programs that do not exist yet: everything is
documented, absence is always null, no value depends on binary fractions, and the classes that are
generated need no special case. Every rule has a stable name; a run reports all problems.

Source: docs/adr/0003-schemas.md, docs/adr/0004-event-classes.md.
"""

import keyword
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Final, TypeAlias, assert_never

from schemas.generate import RESERVED, is_plain, references
from schemas.sources import Problem, SchemaSource, latest
from schemas.syntax import (
    Array,
    Enum,
    Field,
    Fixed,
    Logical,
    Map,
    Primitive,
    Record,
    Reference,
    SchemaType,
    Union,
    place,
)

KINDS: Final = ("event", "type", "fact")
"""Values of `registro:kind`."""
SHARED_CONTEXT: Final = "ledger"
"""Context whose types every other context may use."""
SUMMARY_LENGTH_MAX: Final = 90
"""Columns of the first sentence of a record's doc: it is the first line of its class."""

_CLASS_NAME = re.compile(r"[A-Z][A-Za-z0-9]*", re.ASCII)
_SNAKE_CASE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", re.ASCII)
_CANONICAL_DECIMAL = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]*[1-9])?", re.ASCII)
_HIDING = frozenset({"str", "int", "bool", "bytes", "tuple", "dt"})
"""Field names that would hide a name the generated class body uses."""
_LOGICAL: Final[Mapping[str, str]] = {
    "registro-decimal": "string",
    "date": "int",
    "timestamp-micros": "long",
}
"""Avro type that carries each logical type."""
_KEY_TYPES = tuple(Primitive(name=name, logical=None) for name in ("string", "int", "long"))
_INT_BITS: Final[Mapping[str, int]] = {"int": 32, "long": 64}

Finding: TypeAlias = tuple[str, str, str]
"""Path inside the schema, rule, message."""


def lint(sources: Sequence[SchemaSource]) -> tuple[Problem, ...]:
    """Return every problem of a set of schema files, in order of the file.

    Args:
        sources: all files of a folder: references, versions and names are checked across them.
    """
    newest = latest(sources)
    by_file = {
        source.file: [*_schema(source), *_known_references(source, newest)] for source in sources
    }
    for file, finding in (
        *_versions(sources),
        *_class_names(newest),
        *_cycles(newest),
        *_newest_uses(newest),
    ):
        by_file[file].append(finding)
    return tuple(
        Problem(file=file, path=path, rule=rule, message=message)
        for file, findings in sorted(by_file.items())
        for path, rule, message in findings
    )


def _schema(source: SchemaSource) -> Iterator[Finding]:
    """Yield what can be judged from one file alone."""
    yield from _place(source)
    schema = source.schema
    if not isinstance(schema, Record):
        yield "", "record", "a schema file holds one record"
        return
    yield from _record_doc(schema.doc)
    if schema.kind not in KINDS:
        yield "", "kind", f"registro:kind must be one of {', '.join(KINDS)}"
    yield from _keys(schema)
    names = [item.name for item in schema.fields]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield name, "duplicate", "two fields have this name"
    for item in schema.fields:
        yield from _field(item, fact=schema.kind == "fact")


def _place(source: SchemaSource) -> Iterator[Finding]:
    if not _SNAKE_CASE.fullmatch(source.context) or keyword.iskeyword(source.context):
        yield "", "name", f"the context {source.context} must be snake_case and no keyword"
    if source.context in RESERVED:
        yield "", "name", f"the context {source.context} is the name of another module"
    if not _CLASS_NAME.fullmatch(source.name) or keyword.iskeyword(source.name):
        yield "", "name", f"the type {source.name} must be in CamelCase and no keyword"
    schema = source.schema
    if isinstance(schema, Record | Enum | Fixed) and schema.full_name != source.full_name:
        yield (
            "",
            "place",
            f"the file is that of {source.full_name}, the schema names {schema.full_name}",
        )


def _record_doc(doc: str) -> Iterator[Finding]:
    yield from _doc(doc, "")
    summary, _, rest = doc.partition(". ")
    if len(summary) + bool(rest) > SUMMARY_LENGTH_MAX:
        yield "", "doc", f"the first sentence is longer than {SUMMARY_LENGTH_MAX} characters"


def _doc(doc: str, path: str) -> Iterator[Finding]:
    if not doc.strip():
        yield path, "doc", "doc is missing: say the meaning, the unit and what null means"
    elif doc != doc.strip() or not is_plain(doc):
        yield path, "doc", "doc must be one line without double quotes, backslashes or outer space"
    elif not doc.endswith("."):
        yield path, "doc", "doc must end with a full stop"


def _keys(schema: Record) -> Iterator[Finding]:
    keys = [item for item in schema.fields if item.key]
    if schema.kind == "type" and keys:
        yield keys[0].name, "key", "a shared type has no keys: keys name the entity of an event"
    for item in keys:
        if item.type not in _KEY_TYPES:
            yield item.name, "key", "a key is a text or a whole number, never null"


def _field(item: Field, *, fact: bool) -> Iterator[Finding]:
    name = item.name
    if not _SNAKE_CASE.fullmatch(name) or keyword.iskeyword(name):
        yield name, "name", "a field name must be snake_case and no keyword"
    if name in _HIDING:
        yield name, "name", "the generated class needs this name for something else"
    yield from _doc(item.doc, name)
    yield from _type(item.type, name)
    yield from _field_default(item)
    if fact and not _is_flat(item.type):
        yield name, "flat", "a fact has plain columns only: no arrays, records or references"


def _type(schema: SchemaType, path: str) -> Iterator[Finding]:
    match schema:
        case Primitive():
            yield from _primitive(schema, path)
        case Fixed():
            yield path, "nested", "fixed is not used: bytes with the length in the doc"
        case Map():
            yield path, "map", "maps have no order and no documented members: use an array"
        case Array(items=items):
            yield from _items(items, place(path, "[]"))
        case Union(branches=branches):
            yield from _union(branches, path)
        case Enum():
            yield from _enum(schema, path)
        case Record():
            yield path, "nested", "a record is defined in a file of its own and referred to"
        case Reference():
            return
        case _:  # pragma: no cover
            assert_never(schema)


def _items(items: SchemaType, path: str) -> Iterator[Finding]:
    if isinstance(items, Union | Array):
        yield path, "items", "items are neither null nor arrays: an absent item is no item"
    else:
        yield from _type(items, path)


def _primitive(schema: Primitive, path: str) -> Iterator[Finding]:
    if schema.name in {"float", "double"}:
        yield path, "float", "binary fractions are forbidden: use registro-decimal"
    if schema.name == "null":
        yield path, "union", "null stands only in a union of null and one type"
    if schema.logical is not None:
        yield from _logical(schema.logical, schema.name, path)


def _logical(logical: Logical, carrier: str, path: str) -> Iterator[Finding]:
    expected = _LOGICAL.get(logical.name)
    if expected is None:
        known = ", ".join(sorted(_LOGICAL))
        yield path, "logical_type", f"unknown logical type {logical.name}: one of {known}"
    elif expected != carrier:
        yield path, "logical_type", f"{logical.name} is carried by {expected}, not {carrier}"
    elif logical.precision is not None or logical.scale is not None:
        yield path, "logical_type", f"{logical.name} has no precision and no scale"


def _union(branches: Sequence[SchemaType], path: str) -> Iterator[Finding]:
    match branches:
        case (Primitive(name="null"), Enum()):
            yield path, "nullable_enum", "add a symbol for the absent case instead of null"
        case (Primitive(name="null"), present) if not isinstance(present, Union):
            yield from _type(present, path)
        case _:
            yield path, "union", "a union is null, first, and one other type"


def _enum(schema: Enum, path: str) -> Iterator[Finding]:
    yield from _doc(schema.doc, path)
    if not _CLASS_NAME.fullmatch(schema.full_name.rpartition(".")[2]):
        yield path, "name", "an enum name must be in CamelCase"
    if schema.default is None:
        yield path, "enum_default", "an enum needs a default: older readers meet newer symbols"


def _field_default(item: Field) -> Iterator[Finding]:
    path = item.name
    match item.type:
        case Union():
            if not item.has_default or item.default is not None:
                yield path, "default", "a nullable field needs the default null"
        case Array():
            if not item.has_default or item.default != []:
                yield path, "default", "an array needs the default []"
        case Primitive() | Enum() if item.has_default:
            if not _fits(item):
                yield path, "default", f"{item.default!r} is no default of this type"
        case _:
            if item.has_default:
                yield path, "default", "only nullable, array and plain fields have a default"


def _fits(item: Field) -> bool:
    """Return whether the default of a plain field is a value the class can write down."""
    match item.type, item.default:
        case Enum(symbols=symbols), str(text):
            return text in symbols
        case Primitive(name="boolean"), bool():
            return True
        case Primitive(name="int" | "long" as name, logical=None), int(number):
            bound = 2 ** (_INT_BITS[name] - 1)
            return not isinstance(number, bool) and -bound <= number < bound
        case Primitive(name="string", logical=None), str(text):
            return is_plain(text)
        case Primitive(name="string", logical=Logical(name="registro-decimal")), str(text):
            return _CANONICAL_DECIMAL.fullmatch(text) is not None and text != "-0"
        case _:
            return False


def _is_flat(schema: SchemaType) -> bool:
    if isinstance(schema, Union):
        return all(isinstance(branch, Primitive) for branch in schema.branches)
    return isinstance(schema, Primitive | Enum)


def _known_references(
    source: SchemaSource, newest: Mapping[str, SchemaSource]
) -> Iterator[Finding]:
    found = references(source.schema)
    for name in sorted(found):
        target = newest.get(name)
        if target is None:
            yield "", "reference", f"there is no type {name}"
        elif not isinstance(target.schema, Record) or target.schema.kind != "type":
            yield "", "reference", f"{name} is not a shared type (registro:kind type)"
        elif target.context not in {source.context, SHARED_CONTEXT}:
            yield (
                "",
                "reference",
                f"{name} belongs to another context: move it to {SHARED_CONTEXT}",
            )
    if isinstance(source.schema, Record):
        for name in sorted(set(source.schema.uses) - found):
            yield "", "uses", f"registro:uses names {name}, which the schema does not refer to"


def _versions(sources: Sequence[SchemaSource]) -> Iterator[tuple[str, Finding]]:
    """Yield gaps between versions, and versions of another kind than the first."""
    ordered = sorted(sources, key=lambda source: (source.full_name, source.version))
    for _, group in groupby(ordered, key=lambda source: source.full_name):
        first, *later = group
        if first.version != 1:
            yield first.file, ("", "version", f"version 1 is missing before {first.version}")
        before = first
        for source in later:
            if source.version != before.version + 1:
                message = f"version {before.version + 1} is missing before {source.version}"
                yield source.file, ("", "version", message)
            if _kind(source) != _kind(first):
                message = f"registro:kind was {_kind(first)} in version {first.version}"
                yield source.file, ("", "kind", message)
            before = source


def _class_names(newest: Mapping[str, SchemaSource]) -> Iterator[tuple[str, Finding]]:
    taken: dict[str, str] = {}
    for full_name, source in newest.items():
        other = taken.setdefault(source.name, full_name)
        if other != full_name:
            message = f"{other} has the same class name: the catalogue needs each name once"
            yield source.file, ("", "class_name", message)


def _cycles(newest: Mapping[str, SchemaSource]) -> Iterator[tuple[str, Finding]]:
    for full_name, source in newest.items():
        reached: set[str] = set()
        waiting = [source]
        while waiting:
            names = references(waiting.pop().schema) - reached
            reached |= names
            waiting += [newest[name] for name in names if name in newest]
        if full_name in reached:
            yield source.file, ("", "cycle", "the type contains itself")


def _newest_uses(newest: Mapping[str, SchemaSource]) -> Iterator[tuple[str, Finding]]:
    """Yield newest versions that use an older version of a shared type.

    One class is generated per type, from its newest version: a schema that is written with that
    class has to know all of its fields.
    """
    for source in newest.values():
        uses = source.schema.uses if isinstance(source.schema, Record) else {}
        for name in sorted(references(source.schema) & set(newest)):
            used, current = uses.get(name, 1), newest[name].version
            if used != current:
                message = (
                    f"uses version {used} of {name}, whose newest is {current}:"
                    " release a new version with registro:uses"
                )
                yield source.file, ("", "uses", message)


def _kind(source: SchemaSource) -> str:
    return source.schema.kind if isinstance(source.schema, Record | Enum) else ""
