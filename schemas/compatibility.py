"""Decide whether two versions of a schema can read each other's bodies.

The rules are Avro's schema resolution, in both directions (FULL) and against every earlier version
(TRANSITIVE), and stricter where resolution succeeds but the meaning changes:

1. A logical type, its precision and its scale never change: two decimals of different scale
   resolve as plain bytes and give wrong figures.
2. Text and bytes are not exchanged, though Avro promotes one to the other: not all bytes are text.
3. A default never changes: a body without the field would say something else in each version.

Source: Avro specification 1.12, schema resolution; docs/adr/0003-schemas.md.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, assert_never

from schemas.syntax import (
    Array,
    Enum,
    Field,
    Fixed,
    Json,
    Logical,
    Map,
    Primitive,
    Record,
    Reference,
    SchemaType,
    Union,
    place,
)

_PROMOTIONS: Final[Mapping[str, frozenset[str]]] = {
    "long": frozenset({"int"}),
    "float": frozenset({"int", "long"}),
    "double": frozenset({"int", "long", "float"}),
}
"""Types of the writer that a reader's type accepts, besides itself."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Incompatibility:
    """One reason why a reader cannot read what a writer wrote."""

    path: str
    """Place inside the schema; empty for the schema itself."""
    reason: str
    """What differs, in English."""


def find_incompatibilities(
    *, reader: SchemaType, writer: SchemaType
) -> tuple[Incompatibility, ...]:
    """Return why a reader's schema cannot read bodies of a writer's schema; empty if it can.

    Both schemas are self-contained: every reference names a type defined inside the same schema.
    """
    resolution = _Resolution(reader_types=_definitions(reader), writer_types=_definitions(writer))
    return tuple(resolution.compare(reader, writer, ""))


def find_breaks(versions: Sequence[SchemaType]) -> tuple[tuple[int, int, Incompatibility], ...]:
    """Compare every version with every earlier one, in both directions.

    Args:
        versions: self-contained schemas, version 1 first.

    Returns:
        (reader's version, writer's version, reason), versions 1-based, in order of the pair.
    """
    found: list[tuple[int, int, Incompatibility]] = []
    for older, newer in itertools.combinations(range(len(versions)), 2):
        for reader, writer in ((newer, older), (older, newer)):
            reasons = find_incompatibilities(reader=versions[reader], writer=versions[writer])
            found += [(reader + 1, writer + 1, reason) for reason in reasons]
    return tuple(found)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Resolution:
    """One comparison: the types of both sides, and the pairs that are being compared."""

    reader_types: Mapping[str, SchemaType]
    writer_types: Mapping[str, SchemaType]
    open_pairs: set[tuple[str, str]] = field(default_factory=set)
    """Named pairs that are being compared further out: a recursive type is read as compatible."""

    def compare(
        self, reader: SchemaType, writer: SchemaType, path: str
    ) -> Iterator[Incompatibility]:
        """Yield what a reader cannot read."""
        reader, writer = self._resolved(reader, writer)
        if isinstance(writer, Union):
            for branch in writer.branches:
                yield from self.compare(reader, branch, path)
            return
        match reader, writer:
            case Union(), _:
                yield from self._one_of(reader, writer, path)
            case Primitive(), Primitive():
                yield from _primitives(reader, writer, path)
            case Array(), Array():
                yield from self.compare(reader.items, writer.items, place(path, "[]"))
            case Map(), Map():
                yield from self.compare(reader.values, writer.values, place(path, "{}"))
            case Enum(), Enum():
                yield from _names(reader, writer, path)
                yield from _symbols(reader, writer, path)
            case Fixed(), Fixed():
                yield from _names(reader, writer, path)
                yield from _sizes(reader, writer, path)
            case Record(), Record():
                yield from self._records(reader, writer, path)
            case _:
                yield _differs(path, "type", _label(reader), _label(writer))

    def _resolved(self, reader: SchemaType, writer: SchemaType) -> tuple[SchemaType, SchemaType]:
        if isinstance(reader, Reference):
            reader = self.reader_types.get(reader.full_name, reader)
        if isinstance(writer, Reference):
            writer = self.writer_types.get(writer.full_name, writer)
        return reader, writer

    def _one_of(self, reader: Union, writer: SchemaType, path: str) -> Iterator[Incompatibility]:
        """A reader's union takes a writer's type if one branch does."""
        reasons = [list(self.compare(branch, writer, path)) for branch in reader.branches]
        if [] in reasons:
            return
        # The branch of the same name tells more than "no branch fits".
        alike = [
            found
            for branch, found in zip(reader.branches, reasons, strict=True)
            if _label(self._resolved(branch, writer)[0]) == _label(writer)
        ]
        if alike:
            yield from alike[0]
        else:
            yield _differs(path, "union", _label(reader), _label(writer))

    def _records(self, reader: Record, writer: Record, path: str) -> Iterator[Incompatibility]:
        pair = (reader.full_name, writer.full_name)
        if pair in self.open_pairs:
            return
        self.open_pairs.add(pair)
        yield from _names(reader, writer, path)
        written = {item.name: item for item in writer.fields}
        for item in reader.fields:
            inside = place(path, item.name)
            source = _source_of(item, written)
            if source is not None:
                reasons = tuple(self.compare(item.type, source.type, inside))
                # Defaults of different types differ of course: that says nothing more.
                yield from reasons or _defaults(item, source, inside)
            elif not item.has_default:
                yield Incompatibility(
                    path=inside, reason="the writer has no such field and the reader no default"
                )
        self.open_pairs.discard(pair)


def _source_of(item: Field, written: Mapping[str, Field]) -> Field | None:
    return next((written[name] for name in (item.name, *item.aliases) if name in written), None)


def _defaults(reader: Field, writer: Field, path: str) -> Iterator[Incompatibility]:
    if not (reader.has_default and writer.has_default):
        return
    if not _same(reader.default, writer.default):
        yield _differs(path, "default", repr(reader.default), repr(writer.default))


def _same(one: Json, other: Json) -> bool:
    """Compare JSON values; unlike `==` it tells true from 1."""
    return repr(one) == repr(other)


def _primitives(reader: Primitive, writer: Primitive, path: str) -> Iterator[Incompatibility]:
    if reader.name != writer.name and writer.name not in _PROMOTIONS.get(reader.name, ()):
        yield _differs(path, "type", reader.name, writer.name)
    yield from _logical(reader.logical, writer.logical, path)


def _logical(
    reader: Logical | None, writer: Logical | None, path: str
) -> Iterator[Incompatibility]:
    if reader != writer:
        yield _differs(path, "logical type", _logical_label(reader), _logical_label(writer))


def _symbols(reader: Enum, writer: Enum, path: str) -> Iterator[Incompatibility]:
    missing = [symbol for symbol in writer.symbols if symbol not in reader.symbols]
    if missing and reader.default is None:
        yield Incompatibility(
            path=path,
            reason=f"the reader has no default and no symbol {', '.join(missing)}",
        )


def _sizes(reader: Fixed, writer: Fixed, path: str) -> Iterator[Incompatibility]:
    if reader.size != writer.size:
        yield _differs(path, "size", str(reader.size), str(writer.size))
    yield from _logical(reader.logical, writer.logical, path)


def _names(
    reader: Enum | Fixed | Record, writer: Enum | Fixed | Record, path: str
) -> Iterator[Incompatibility]:
    if writer.full_name not in (reader.full_name, *reader.aliases):
        yield _differs(path, "name", reader.full_name, writer.full_name)


def _label(schema: SchemaType) -> str:
    match schema:
        case Primitive(name=name):
            return name
        case Reference(full_name=name) | Enum(full_name=name):
            return name
        case Fixed(full_name=name) | Record(full_name=name):
            return name
        case Union(branches=branches):
            return f"[{', '.join(_label(branch) for branch in branches)}]"
        case Array():
            return "array"
        case Map():
            return "map"
        case _:  # pragma: no cover
            assert_never(schema)


def _logical_label(logical: Logical | None) -> str:
    if logical is None:
        return "none"
    if logical.precision is None:
        return logical.name
    return f"{logical.name}({logical.precision}, {logical.scale or 0})"


def _differs(path: str, what: str, reader: str, writer: str) -> Incompatibility:
    return Incompatibility(path=path, reason=f"{what}: reader {reader}, writer {writer}")


def _definitions(schema: SchemaType) -> dict[str, SchemaType]:
    """Return the named types that are written out inside a schema, by full name."""
    match schema:
        case Enum(full_name=name) | Fixed(full_name=name):
            return {name: schema}
        case Record(full_name=name, fields=fields):
            found: dict[str, SchemaType] = {name: schema}
            for item in fields:
                found |= _definitions(item.type)
            return found
        case Array(items=inner) | Map(values=inner):
            return _definitions(inner)
        case Union(branches=branches):
            found = {}
            for branch in branches:
                found |= _definitions(branch)
            return found
        case Primitive() | Reference():
            return {}
        case _:  # pragma: no cover
            assert_never(schema)
