"""The normalised text of a schema and the schema id: the bytes fixed here are fixed for ever.

Bodies in a ledger are bare Avro and name their schema by its id. The standard canonical form of
Avro drops logical types and defaults, so that decimals of scale 2 and 4 share one fingerprint;
this form keeps everything that decides what a body means, and nothing else.

Invariants:
1. The text is self-contained: each named type is written out at its first use, depth first, and
   by full name afterwards.
2. Normalising a normalised text gives the same text.
3. Documentation, `registro:` attributes, order of members and white space do not change the text.

Source: docs/formats/schema-id.md (normative); Avro specification 1.12, schema declaration.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, NewType, TypeAlias, assert_never

from schemas.errors import InvalidSchemaError
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
    load_text,
    parse,
    place,
)

Digest = NewType("Digest", bytes)
"""A schema id: 32 raw bytes; 64 lower-case hexadecimal digits in text."""

Resolve: TypeAlias = Callable[[str, int], SchemaType]
"""Returns a shared type by full name and version (1-based), as its file says it."""

FIRST_VERSION: Final = 1
"""Version of a shared type that a schema means when it pins none; never another one."""

_INTEGER_MAX: Final = 2**53
"""Largest magnitude at which every JSON reader gets a number with point or exponent right."""
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def read_schema(text: str) -> SchemaType:
    """Return the typed form of a schema's text.

    Raises:
        InvalidSchemaError: the text is not JSON, or not a schema.
    """
    try:
        return parse(load_text(text))
    except RecursionError as error:
        raise _too_deep() from error


def normalise(schema: SchemaType, *, resolve: Resolve | None = None) -> str:
    """Return the normalised text of a schema.

    Args:
        schema: what a schema file or a normalised text says.
        resolve: finds shared types; None for a text that must be self-contained.

    Raises:
        InvalidSchemaError: the schema has no normalised text; the facts say where and why.
    """
    normaliser = _Normaliser(resolve)
    try:
        text = _json(normaliser.type(schema, "", _Scope(owner="", uses=_uses(schema))))
        # Half of a surrogate pair is JSON, but no UTF-8.
        text.encode()
    except RecursionError as error:
        raise _too_deep() from error
    except UnicodeEncodeError as error:
        raise _refused("", "a text holds half of a surrogate pair") from error
    return text


def schema_id(normalised: str) -> Digest:
    """Return the id of a schema: SHA-256 of its normalised text in UTF-8."""
    return Digest(hashlib.sha256(normalised.encode()).digest())


@dataclass(frozen=True, kw_only=True, slots=True)
class _Scope:
    """The schema file that a node stands in."""

    owner: str
    """Full name and version; empty for the schema that is normalised."""
    uses: Mapping[str, int]
    """Versions of shared types that the file pins."""

    def origin_of(self, full_name: str) -> str:
        """Return the owner that a reference from this file means."""
        return _owner(full_name, self.uses.get(full_name, FIRST_VERSION))


class _Normaliser:
    """One walk over a schema; remembers which types are written out already."""

    def __init__(self, resolve: Resolve | None) -> None:
        self._resolve = resolve
        self._owners: dict[str, str] = {}
        """The file that each written type came from, by full name."""

    def type(self, node: SchemaType, path: str, scope: _Scope) -> Json:
        """Return the JSON value of a type, members in the order of the format."""
        match node:
            case Primitive(name=name, logical=None):
                return name
            case Primitive(name=name, logical=logical):
                return {"type": name, **_logical(logical)}
            case Reference(full_name=full_name):
                return self._reference(full_name, path, scope)
            case Union(branches=branches):
                return self._union(branches, path, scope)
            case Array(items=items):
                return {"type": "array", "items": self.type(items, place(path, "[]"), scope)}
            case Map(values=values):
                return {"type": "map", "values": self.type(values, place(path, "{}"), scope)}
            case Record() | Enum() | Fixed():
                return self._named(node, path, scope)
            case _:
                assert_never(node)

    def _reference(self, full_name: str, path: str, scope: _Scope) -> Json:
        owner = self._owners.get(full_name)
        if owner is None:
            return self._shared(full_name, path, scope)
        wanted = scope.origin_of(full_name)
        if owner not in {scope.owner, wanted}:
            raise _refused(
                path,
                f"means {wanted}, but {owner or 'another definition'} stands in this schema"
                " already: pin one version in registro:uses",
            )
        return full_name

    def _shared(self, full_name: str, path: str, scope: _Scope) -> Json:
        """Write out a type that stands in a file of its own."""
        if self._resolve is None:
            raise _refused(path, f"{full_name} is not defined in this text")
        found = self._resolve(full_name, scope.uses.get(full_name, FIRST_VERSION))
        inside = _Scope(owner=scope.origin_of(full_name), uses=_uses(found))
        return self.type(found, path, inside)

    def _union(self, branches: tuple[SchemaType, ...], path: str, scope: _Scope) -> Json:
        if any(isinstance(branch, Union) for branch in branches):
            raise _refused(path, "a union holds no union")
        names = [_branch_name(branch) for branch in branches]
        if not names or len(set(names)) != len(names):
            raise _refused(path, "a union holds types, each once")
        return [self.type(branch, path, scope) for branch in branches]

    def _named(self, node: Record | Enum | Fixed, path: str, scope: _Scope) -> Json:
        full_name = node.full_name
        namespace, _, _ = full_name.rpartition(".")
        # Without a namespace the name would mean another type inside a namespace.
        if not namespace:
            raise _refused(path, f"type {full_name} needs a namespace")
        if full_name in self._owners:
            raise _refused(path, f"type {full_name} is defined twice")
        # Before the fields: a field may name the type that it stands in.
        self._owners[full_name] = scope.owner
        return {
            "name": full_name,
            **self._content(node, path, scope),
            **_aliases(node.aliases, namespace=namespace, path=path),
        }

    def _content(self, node: Record | Enum | Fixed, path: str, scope: _Scope) -> dict[str, Json]:
        match node:
            case Record(fields=fields):
                _check_names((item.name for item in fields), path)
                return {
                    "type": "record",
                    "fields": [self._field(item, place(path, item.name), scope) for item in fields],
                }
            case Enum(symbols=symbols, default=default):
                _check_names(symbols, path)
                chosen: dict[str, Json] = {} if default is None else {"default": default}
                return {"type": "enum", "symbols": list(symbols), **chosen}
            case Fixed(size=size, logical=logical):
                if not size:
                    raise _refused(path, "a fixed has a size of at least 1 byte")
                return {"type": "fixed", "size": size, **_logical(logical)}
            case _:
                assert_never(node)

    def _field(self, item: Field, path: str, scope: _Scope) -> Json:
        default = {"default": _default(item.default, path)} if item.has_default else {}
        return {
            "name": item.name,
            "type": self.type(item.type, path, scope),
            **default,
            **_aliases(item.aliases, namespace="", path=path),
        }


def _logical(logical: Logical | None) -> dict[str, Json]:
    if logical is None:
        return {}
    members: dict[str, Json] = {"logicalType": logical.name}
    if logical.precision is not None:
        members["precision"] = logical.precision
    if logical.scale is not None:
        members["scale"] = logical.scale
    return members


def _aliases(aliases: tuple[str, ...], *, namespace: str, path: str) -> dict[str, Json]:
    """Return the member for aliases; those of a type get its namespace, those of a field none."""
    if not aliases:
        return {}
    for alias in aliases:
        parts = alias.split(".") if namespace else [alias]
        if not all(_NAME.fullmatch(part) for part in parts):
            raise _refused(path, f"{alias!r} is not a name")
    full = namespace and f"{namespace}."
    return {"aliases": [alias if "." in alias else f"{full}{alias}" for alias in aliases]}


def _default(value: Json, path: str) -> Json:
    match value:
        case float():
            if not (abs(value) <= _INTEGER_MAX and value.is_integer()):
                raise _refused(path, "a default is no fraction and no large or infinite float")
            return int(value)
        case list():
            return [_default(item, path) for item in value]
        case dict():
            return {name: _default(value[name], path) for name in sorted(value)}
        case _:
            return value


def _branch_name(branch: SchemaType) -> str:
    match branch:
        case Primitive(name=name):
            return name
        case Record() | Enum() | Fixed() | Reference():
            return branch.full_name
        case _:
            return type(branch).__name__


def _check_names(names: Iterable[str], path: str) -> None:
    seen: set[str] = set()
    for name in names:
        if not _NAME.fullmatch(name):
            raise _refused(path, f"{name!r} is not a name")
        if name in seen:
            raise _refused(path, f"the name {name} stands here twice")
        seen.add(name)


def _uses(schema: SchemaType) -> Mapping[str, int]:
    return schema.uses if isinstance(schema, Record) else {}


def _owner(full_name: str, version: int) -> str:
    return f"{full_name} v{version}"


def _json(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _too_deep() -> InvalidSchemaError:
    return _refused("", "is nested too deeply")


def _refused(path: str, reason: str) -> InvalidSchemaError:
    return InvalidSchemaError(path=path or "the schema itself", reason=reason)
