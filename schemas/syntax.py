"""The typed form of a schema document: what an .avsc file says, without its JSON.

The checks of a schema (`schemas.lint`, `schemas.compatibility`) and the generator of event classes
walk this tree instead of raw JSON, so that each of them is a `match` over a closed union. The
bytes that are hashed are not made from it: they belong to `schemas.canonical`.

Invariants:
1. Every node comes from exactly one JSON value; nothing is resolved, nothing is filled in.
2. An attribute that is not listed here is refused: a misspelt `default` must not pass unseen.

Source: Avro specification 1.12, schema declaration; docs/adr/0003-schemas.md.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from schemas.errors import InvalidSchemaError

Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"

PRIMITIVES = frozenset(
    {"null", "boolean", "int", "long", "float", "double", "bytes", "string"},
)
"""Names of the types that need no definition."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Logical:
    """What a value means beyond its Avro type."""

    name: str
    """Name of the logical type, for example registro-decimal."""
    precision: int | None
    """Total digits; None when the logical type has none."""
    scale: int | None
    """Digits after the decimal mark; None when absent."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Primitive:
    """A type without parts."""

    name: str
    """One of `PRIMITIVES`."""
    logical: Logical | None
    """None for the bare type."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reference:
    """A named type that is defined elsewhere."""

    full_name: str
    """Namespace and name."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Array:
    """Many values of one type."""

    items: "SchemaType"


@dataclass(frozen=True, kw_only=True, slots=True)
class Map:
    """Values of one type by text."""

    values: "SchemaType"


@dataclass(frozen=True, kw_only=True, slots=True)
class Union:
    """One of several types."""

    branches: "tuple[SchemaType, ...]"


@dataclass(frozen=True, kw_only=True, slots=True)
class Enum:
    """One of several names."""

    full_name: str
    symbols: tuple[str, ...]
    default: str | None
    """Symbol that stands for those a reader does not know; None when absent."""
    doc: str
    """Empty when absent."""
    aliases: tuple[str, ...]
    kind: str
    """Value of `registro:kind`; empty when absent."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Fixed:
    """Bytes of one length."""

    full_name: str
    size: int
    """Length in bytes."""
    logical: Logical | None
    doc: str
    """Empty when absent."""
    aliases: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """A field of a record."""

    name: str
    type: "SchemaType"
    doc: str
    """Empty when absent."""
    has_default: bool
    """Tells an absent default from a default of null."""
    default: Json
    """None when absent or null."""
    key: bool
    """Whether the field names the entity that the event is about."""
    aliases: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """A type with named fields."""

    full_name: str
    fields: tuple[Field, ...]
    doc: str
    """Empty when absent."""
    aliases: tuple[str, ...]
    kind: str
    """Value of `registro:kind`: event, type or fact; empty when absent."""
    uses: Mapping[str, int]
    """Version of each shared type that this schema pins, by full name; absent means 1."""


SchemaType: TypeAlias = Primitive | Reference | Array | Map | Union | Enum | Fixed | Record

_NAMED = {"type", "name", "namespace", "doc", "aliases"}
_ATTRIBUTES: Mapping[str, frozenset[str]] = {
    "record": frozenset(_NAMED | {"fields", "registro:kind", "registro:uses"}),
    "enum": frozenset(_NAMED | {"symbols", "default", "registro:kind"}),
    "fixed": frozenset(_NAMED | {"size", "logicalType", "precision", "scale"}),
    "array": frozenset({"type", "items"}),
    "map": frozenset({"type", "values"}),
    "field": frozenset({"type", "name", "doc", "default", "aliases", "registro:key"}),
    "primitive": frozenset({"type", "logicalType", "precision", "scale"}),
}


def load_text(text: str) -> Json:
    """Return the JSON value of a schema text.

    Raises:
        InvalidSchemaError: the text is not JSON, or an object has the same member twice, which
            JSON readers resolve silently and differently.
    """
    try:
        value: Json = json.loads(text, object_pairs_hook=_unique)
    except ValueError as error:
        raise _refused("", f"is not JSON: {error}") from error
    return value


def parse(document: Json) -> SchemaType:
    """Return the typed form of a schema document.

    Raises:
        InvalidSchemaError: the document is not a schema; the fact `path` names the place.
    """
    return _type(document, path="", namespace="")


def place(path: str, part: str) -> str:
    """Return the path of a part: field names joined by dots, `[]` for items of an array."""
    return f"{path}.{part}" if path else part


def _type(node: Json, *, path: str, namespace: str) -> SchemaType:
    match node:
        case str():
            if node in PRIMITIVES:
                return Primitive(name=node, logical=None)
            return Reference(full_name=_full_name(node, namespace=namespace, path=path))
        case list():
            return Union(
                branches=tuple(_type(item, path=path, namespace=namespace) for item in node)
            )
        case dict():
            return _declared(node, path=path, namespace=namespace)
        case _:
            raise _refused(path, "a type is a name, a list or an object")


def _declared(node: dict[str, Json], *, path: str, namespace: str) -> SchemaType:
    kind = _text(node, "type", path=path)
    _known(node, "primitive" if kind in PRIMITIVES else kind, path=path)
    match kind:
        case "array":
            items = _type(node.get("items"), path=place(path, "[]"), namespace=namespace)
            return Array(items=items)
        case "map":
            values = _type(node.get("values"), path=place(path, "{}"), namespace=namespace)
            return Map(values=values)
        case "record":
            return _record(node, path=path, namespace=namespace)
        case "enum":
            return _enum(node, path=path, namespace=namespace)
        case "fixed":
            return Fixed(
                full_name=_declared_name(node, namespace=namespace, path=path),
                size=_number(node, "size", path=path) or 0,
                logical=_logical(node, path=path),
                doc=_optional_text(node, "doc", path=path),
                aliases=_texts(node, "aliases", path=path),
            )
        case _:
            return Primitive(name=kind, logical=_logical(node, path=path))


def _record(node: dict[str, Json], *, path: str, namespace: str) -> Record:
    full_name = _declared_name(node, namespace=namespace, path=path)
    fields = node.get("fields")
    if not isinstance(fields, list):
        raise _refused(path, "a record needs a list of fields")
    uses = node.get("registro:uses", {})
    if not isinstance(uses, dict):
        raise _refused(path, "registro:uses is an object of versions by full name")
    return Record(
        full_name=full_name,
        fields=tuple(
            _field(item, path=path, namespace=full_name.rpartition(".")[0]) for item in fields
        ),
        doc=_optional_text(node, "doc", path=path),
        aliases=_texts(node, "aliases", path=path),
        kind=_optional_text(node, "registro:kind", path=path),
        uses={name: _number(uses, name, path=path) or 0 for name in uses},
    )


def _field(node: Json, *, path: str, namespace: str) -> Field:
    if not isinstance(node, dict):
        raise _refused(path, "a field is an object")
    name = _text(node, "name", path=path)
    inside = place(path, name)
    _known(node, "field", path=inside)
    key = node.get("registro:key", False)
    if not isinstance(key, bool):
        raise _refused(inside, "registro:key is true or absent")
    return Field(
        name=name,
        type=_type(node.get("type"), path=inside, namespace=namespace),
        doc=_optional_text(node, "doc", path=inside),
        has_default="default" in node,
        default=node.get("default"),
        key=key,
        aliases=_texts(node, "aliases", path=inside),
    )


def _enum(node: dict[str, Json], *, path: str, namespace: str) -> Enum:
    symbols = _texts(node, "symbols", path=path)
    if not symbols or len(set(symbols)) != len(symbols):
        raise _refused(path, "an enum needs symbols, each once")
    default = _optional_text(node, "default", path=path) or None
    if default is not None and default not in symbols:
        raise _refused(path, f"the default {default} is not a symbol")
    return Enum(
        full_name=_declared_name(node, namespace=namespace, path=path),
        symbols=symbols,
        default=default,
        doc=_optional_text(node, "doc", path=path),
        aliases=_texts(node, "aliases", path=path),
        kind=_optional_text(node, "registro:kind", path=path),
    )


def _logical(node: dict[str, Json], *, path: str) -> Logical | None:
    name = _optional_text(node, "logicalType", path=path)
    precision, scale = (_number(node, part, path=path) for part in ("precision", "scale"))
    if name:
        return Logical(name=name, precision=precision, scale=scale)
    if precision is not None or scale is not None:
        raise _refused(path, "precision and scale belong to a logical type")
    return None


def _declared_name(node: dict[str, Json], *, namespace: str, path: str) -> str:
    declared = _optional_text(node, "namespace", path=path)
    return _full_name(_text(node, "name", path=path), namespace=declared or namespace, path=path)


def _full_name(name: str, *, namespace: str, path: str) -> str:
    if not all(part.isidentifier() and part.isascii() for part in name.split(".")):
        raise _refused(path, f"{name!r} is not a name")
    return name if "." in name or not namespace else f"{namespace}.{name}"


def _known(node: dict[str, Json], kind: str, *, path: str) -> None:
    allowed = _ATTRIBUTES.get(kind)
    if allowed is None:
        raise _refused(path, f"there is no type {kind!r}")
    unknown = sorted(set(node) - allowed)
    if unknown:
        raise _refused(path, f"unknown attribute {', '.join(unknown)}")


def _text(node: dict[str, Json], name: str, *, path: str) -> str:
    value = node.get(name)
    if not isinstance(value, str) or not value:
        raise _refused(path, f"{name} must be a text")
    return value


def _optional_text(node: dict[str, Json], name: str, *, path: str) -> str:
    return _text(node, name, path=path) if node.get(name, "") != "" else ""


def _texts(node: dict[str, Json], name: str, *, path: str) -> tuple[str, ...]:
    values = node.get(name, [])
    texts = [item for item in values if isinstance(item, str)] if isinstance(values, list) else []
    if not isinstance(values, list) or len(texts) != len(values):
        raise _refused(path, f"{name} must be a list of texts")
    return tuple(texts)


def _number(node: dict[str, Json], name: str, *, path: str) -> int | None:
    value = node.get(name)
    if value is None and name not in node:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise _refused(path, f"{name} must be a whole number")
    return value


def _unique(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("an object has the same member twice")
    return members


def _refused(path: str, reason: str) -> InvalidSchemaError:
    return InvalidSchemaError(path=path or "the schema itself", reason=reason)
