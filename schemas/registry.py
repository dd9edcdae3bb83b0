"""Find released schemas: by name and version among the files, by id everywhere.

Layout: `<root>/<context>/<Name>/v<N>.avsc` holds version N (from 1) of `registro.<context>.<Name>`.
Beside the root, `fingerprints.json` may hold the frozen ids; it serves as an index.

Invariants:
1. A file is read when it is asked for, once; making a registry reads names of files only.
2. An id always belongs to the text it was computed from: the index says where to look, and an
   entry that the file does not confirm is as good as none.
3. One object stands for one version, so schemas of one registry may be compared with `is`.
4. Which versions of shared types a schema means never changes with time: see `canonical`.

Source: docs/adr/0003-schemas.md, docs/formats/schema-id.md.
"""

import functools
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from schemas.canonical import Digest, normalise, read_schema, schema_id
from schemas.errors import InvalidSchemaError, UnknownSchemaError
from schemas.syntax import Enum, Fixed, Record, SchemaType

FINGERPRINTS_FILE: Final = "fingerprints.json"
"""Name of the file of frozen ids, beside the root."""

_FILE: Final = re.compile(r"v([1-9][0-9]*)\.avsc", re.ASCII)


class SchemaKind(StrEnum):
    """What a schema is for: the attribute `registro:kind` of its file."""

    EVENT = "event"
    """A governed event."""
    TYPE = "type"
    """A type that several schemas share."""
    FACT = "fact"
    """A fact of a block."""


@dataclass(frozen=True, kw_only=True)
class ReleasedSchema:
    """One version of one schema; two are equal when their ids are."""

    full_name: str
    version: int | None
    """1-based; None for a text that came from a ledger and stands in no file."""
    schema_id: Digest
    """32 raw bytes."""
    normalised: str
    """The text that the id is computed from; self-contained."""
    kind: SchemaKind | None
    """None when the text does not say: normalised texts hold no `registro:` attributes."""
    key_fields: tuple[str, ...]
    """Fields that name the entity, in order of the schema; empty when the text does not say."""
    doc: str
    """Documentation of the record; empty when the text does not say."""
    fields: tuple[str, ...]
    """Names of the record's fields, in order; empty for an enum or a fixed."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ReleasedSchema) and self.schema_id == other.schema_id

    def __hash__(self) -> int:
        return hash(self.schema_id)

    @functools.cached_property
    def parsed(self) -> object:
        """The schema in the form fastavro works with; made when first asked for.

        Raises:
            InvalidSchemaError: the schema is no valid Avro, for example a default of another type.
        """
        # Imported here: commands that read no ledger, such as --help, do without it.
        from fastavro.schema import SchemaParseException, UnknownType, parse_schema  # noqa: PLC0415

        try:
            return parse_schema(json.loads(self.normalised), named_schemas={})
        except (SchemaParseException, UnknownType) as error:
            raise InvalidSchemaError(path=self.full_name, reason=str(error)) from error


class SchemaRegistry:
    """The schemas of a folder, and those learnt from a ledger."""

    def __init__(self, root: Path) -> None:
        """Take the folder of the schema files; a folder that is not there holds no schema."""
        self._root = root
        self._loaded: dict[tuple[str, int], ReleasedSchema] = {}
        self._latest: dict[str, ReleasedSchema] = {}
        self._known: dict[bytes, ReleasedSchema] = {}

    def latest(self, full_name: str) -> ReleasedSchema:
        """Return the highest version of a schema that stands in a file.

        Raises:
            UnknownSchemaError: no file holds a schema of this name.
            InvalidSchemaError: its file is damaged.
        """
        found = self._latest.get(full_name)
        if found is None:
            found = self._load(full_name, max(self._versions_of(full_name)))
            self._latest[full_name] = found
        return found

    def versions(self, full_name: str) -> tuple[ReleasedSchema, ...]:
        """Return the versions of a schema that stand in files, in order of the version.

        Raises:
            UnknownSchemaError: no file holds a schema of this name.
            InvalidSchemaError: a file is damaged.
        """
        return tuple(
            self._load(full_name, version) for version in sorted(self._versions_of(full_name))
        )

    def names(self, kind: str | None = None) -> tuple[str, ...]:
        """Return the full names that have files, in order.

        Args:
            kind: a `SchemaKind`, to return only those whose latest version is of this kind; this
                reads all files.

        Raises:
            InvalidSchemaError: a file is damaged (only when `kind` is given).
        """
        names = sorted(self._files)
        return tuple(name for name in names if kind is None or self.latest(name).kind == kind)

    def by_id(self, schema_id: bytes) -> ReleasedSchema:
        """Return the schema of an id, from the files or from those registered.

        Raises:
            UnknownSchemaError: neither a file nor a registered text has this id.
            InvalidSchemaError: a file that had to be read is damaged.
        """
        found = self._known.get(schema_id)
        if found is not None:
            return found
        place = self._frozen.get(schema_id)
        candidates = [place, *self._places] if place in self._places else self._places
        for full_name, version in candidates:
            if self._load(full_name, version).schema_id == schema_id:
                return self._known[schema_id]
        raise UnknownSchemaError(schema=schema_id.hex(), reason="no file and no ledger text has it")

    def register_text(self, text: str) -> ReleasedSchema:
        """Learn a schema from its normalised text, as the ledger holds it.

        Returns:
            The schema of the file when there is one of the same id, otherwise one without version.

        Raises:
            InvalidSchemaError: the text is no schema, or is not in the normalised form.
        """
        schema = read_schema(text)
        if normalise(schema) != text:
            raise InvalidSchemaError(
                path="the text to register", reason="is not in the normalised form"
            )
        foreign = _released(schema, text, version=None)
        # The files know more than the text: kind, keys and documentation.
        for version in sorted(self._files.get(foreign.full_name, ())):
            self._load(foreign.full_name, version)
        return self._known.setdefault(foreign.schema_id, foreign)

    @functools.cached_property
    def _files(self) -> Mapping[str, Mapping[int, Path]]:
        """The schema files by full name and version; others are left to `schemas.lint`."""
        found: dict[str, dict[int, Path]] = {}
        for path in self._root.glob("*/*/v*.avsc"):
            version = _FILE.fullmatch(path.name)
            if version is not None:
                full_name = f"registro.{path.parts[-3]}.{path.parts[-2]}"
                found.setdefault(full_name, {})[int(version[1])] = path
        return found

    @functools.cached_property
    def _places(self) -> tuple[tuple[str, int], ...]:
        return tuple(
            (name, version) for name in sorted(self._files) for version in sorted(self._files[name])
        )

    @functools.cached_property
    def _frozen(self) -> Mapping[bytes, tuple[str, int]]:
        """Where the frozen ids say that a schema stands; what cannot be read is no index."""
        path = self._root.parent / FINGERPRINTS_FILE
        try:
            return dict(_entries(json.loads(path.read_text(encoding="utf-8"))))
        except (OSError, ValueError):
            return {}

    def _versions_of(self, full_name: str) -> Mapping[int, Path]:
        try:
            return self._files[full_name]
        except KeyError as error:
            raise UnknownSchemaError(
                schema=full_name, reason="there is no schema file of this name"
            ) from error

    def _load(self, full_name: str, version: int) -> ReleasedSchema:
        found = self._loaded.get((full_name, version))
        if found is not None:
            return found
        schema = self._read(full_name, version)
        try:
            text = normalise(schema, resolve=self._read)
        except InvalidSchemaError as error:
            raise _in_file(full_name, version, error) from error
        found = _released(schema, text, version=version)
        self._known.setdefault(found.schema_id, found)
        self._loaded[full_name, version] = found
        return found

    def _read(self, full_name: str, version: int) -> SchemaType:
        """Return what a file says, shared types not resolved."""
        path = self._versions_of(full_name).get(version)
        if path is None:
            raise UnknownSchemaError(
                schema=f"{full_name} v{version}", reason="there is no file of this version"
            )
        try:
            schema = read_schema(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise InvalidSchemaError(
                path=f"{full_name} v{version}", reason=f"the file cannot be read: {error}"
            ) from error
        except InvalidSchemaError as error:
            raise _in_file(full_name, version, error) from error
        named = schema.full_name if isinstance(schema, Record | Enum | Fixed) else "a type"
        if named != full_name:
            raise InvalidSchemaError(
                path=f"{full_name} v{version}", reason=f"the file defines {named} instead"
            )
        return schema


@functools.cache
def default_registry() -> SchemaRegistry:
    """Return the registry of the packaged schemas; one per process."""
    return SchemaRegistry(Path(__file__).parent / "avro")


def _released(schema: SchemaType, text: str, *, version: int | None) -> ReleasedSchema:
    if not isinstance(schema, Record | Enum | Fixed):
        raise InvalidSchemaError(
            path="the schema itself", reason="a released schema is a record, an enum or a fixed"
        )
    fields = schema.fields if isinstance(schema, Record) else ()
    kind = "" if isinstance(schema, Fixed) else schema.kind
    try:
        known_kind = SchemaKind(kind) if kind else None
    except ValueError as error:
        raise InvalidSchemaError(
            path=schema.full_name,
            reason=f"registro:kind {kind!r} is none of {', '.join(SchemaKind)}",
        ) from error
    return ReleasedSchema(
        full_name=schema.full_name,
        version=version,
        schema_id=schema_id(text),
        normalised=text,
        kind=known_kind,
        key_fields=tuple(item.name for item in fields if item.key),
        doc=schema.doc,
        fields=tuple(item.name for item in fields),
    )


def _entries(content: object) -> Iterator[tuple[bytes, tuple[str, int]]]:
    """Yield the well-formed entries of a file of frozen ids; `schemas.fingerprints` checks it."""
    for name, versions in content.items() if isinstance(content, dict) else ():
        for version, digest in versions.items() if isinstance(versions, dict) else ():
            if isinstance(digest, str):
                yield bytes.fromhex(digest), (name, int(version.removeprefix("v")))


def _in_file(full_name: str, version: int, error: InvalidSchemaError) -> InvalidSchemaError:
    return InvalidSchemaError(
        path=f"{full_name} v{version}, {error.facts['path']}", reason=error.facts["reason"]
    )
