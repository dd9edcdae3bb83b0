"""The frozen identities of released schemas: what must never change again.

The file holds one hexadecimal schema id per released version, by full name:
`{"registro.acts.ActAdopted": {"v1": "<64 digits>"}}`. Bodies in ledgers name these ids, so a file
of schemas/avro whose id differs from the frozen one would no longer describe what was written.

Invariants:
1. `freeze` adds; it never changes and never removes an entry.
2. The file's bytes depend on its content only: sorted names, versions in order, final newline.

Source: docs/formats/schema-id.md, docs/adr/0003-schemas.md.
"""

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final, TypeAlias

from schemas.errors import IncompatibleSchemaError, InvalidSchemaError
from schemas.registry import ReleasedSchema
from schemas.sources import Problem
from schemas.syntax import load_text

FILE: Final = "fingerprints.json"
"""Name of the file, beside the folder of the schemas."""

Fingerprints: TypeAlias = Mapping[str, Mapping[int, str]]
"""Hexadecimal schema ids by version, by full name."""

_VERSION = re.compile(r"v([1-9][0-9]*)", re.ASCII)
_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)


def fingerprints_of(schemas: Iterable[ReleasedSchema]) -> Fingerprints:
    """Return the fingerprints of schemas that stand in files."""
    found: dict[str, dict[int, str]] = {}
    for schema in schemas:
        if schema.version is not None:
            found.setdefault(schema.full_name, {})[schema.version] = schema.schema_id.hex()
    return found


def read_fingerprints(path: Path) -> Fingerprints:
    """Return the frozen fingerprints; empty when the file does not exist yet.

    Raises:
        InvalidSchemaError: the file has another form; restore it from the history of the project.
    """
    if not path.exists():
        return {}
    content = load_text(path.read_text(encoding="utf-8"))
    if not isinstance(content, dict):
        raise _damaged("", "an object of full names is expected")
    found: dict[str, dict[int, str]] = {}
    for name, versions in content.items():
        if not isinstance(versions, dict):
            raise _damaged(name, "an object of versions is expected")
        for version, digest in versions.items():
            number = _VERSION.fullmatch(version)
            if number is None or not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
                raise _damaged(name, 'entries have the form "v<N>": "<64 lower-case digits>"')
            found.setdefault(name, {})[int(number[1])] = digest
    return found


def freeze(current: Fingerprints, path: Path) -> tuple[str, ...]:
    """Add the versions that are not frozen yet.

    Args:
        current: fingerprints of the files, all versions.
        path: file of the frozen fingerprints; made when it does not exist.

    Returns:
        What was added, as "full name vN", in order.

    Raises:
        IncompatibleSchemaError: a frozen version differs from its file; nothing is written.
    """
    frozen = read_fingerprints(path)
    for name, version, digest in _entries(frozen):
        now = current.get(name, {}).get(version, digest)
        if now != digest:
            raise IncompatibleSchemaError(
                full_name=name,
                path=f"v{version}",
                reason=f"is frozen as {digest} and its file now gives {now}: release a new version",
            )
    new = [entry for entry in _entries(current) if entry[1] not in frozen.get(entry[0], {})]
    if new:
        _write(path, (*_entries(frozen), *new))
    return tuple(f"{name} v{version}" for name, version, _ in new)


def check(current: Fingerprints, path: Path) -> tuple[Problem, ...]:
    """Return how files and frozen fingerprints differ, in order of name and version."""
    frozen = read_fingerprints(path)
    entries = {(name, version) for name, version, _ in (*_entries(frozen), *_entries(current))}
    problems = []
    for name, version in sorted(entries):
        before = frozen.get(name, {}).get(version)
        now = current.get(name, {}).get(version)
        if before is None:
            message = "is not frozen: run `python -m schemas freeze`"
        elif now is None:
            message = "is frozen and has no readable file: restore it"
        elif before != now:
            message = f"is frozen as {before} and its file now gives {now}: release a new version"
        else:
            continue
        problems.append(
            Problem(
                file=path.name,
                path="",
                rule="fingerprint",
                message=f"{name} v{version} {message}",
            )
        )
    return tuple(problems)


def _entries(fingerprints: Fingerprints) -> tuple[tuple[str, int, str], ...]:
    return tuple(
        (name, version, digest)
        for name, versions in sorted(fingerprints.items())
        for version, digest in sorted(versions.items())
    )


def _write(path: Path, entries: Iterable[tuple[str, int, str]]) -> None:
    content: dict[str, dict[str, str]] = {}
    for name, version, digest in sorted(entries):
        content.setdefault(name, {})[f"v{version}"] = digest
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _damaged(name: str, reason: str) -> InvalidSchemaError:
    return InvalidSchemaError(path=name or "the file of fingerprints", reason=reason)
