"""The schema files of a folder, each read into its typed form.

Layout: `<root>/<context>/<Name>/v<N>.avsc`, versions from 1. A file that cannot be read becomes a
`Problem`, never an exception, so that one run shows everything that is wrong.

Source: docs/adr/0003-schemas.md.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from schemas.errors import InvalidSchemaError
from schemas.syntax import SchemaType, load_text, parse

_VERSION = re.compile(r"v([1-9][0-9]*)\.avsc", re.ASCII)


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class Problem:
    """One thing that is wrong, with its place."""

    file: str
    """Path below the root of the schemas, with slashes; or the name of another checked file."""
    path: str
    """Place inside the schema: field names joined by dots; empty for the schema itself."""
    rule: str
    """Stable name of the rule, snake_case."""
    message: str
    """What is wrong and what to do, in English."""

    def __str__(self) -> str:
        inside = f": {self.path}" if self.path else ""
        return f"{self.file}{inside}: {self.message} [{self.rule}]"


@dataclass(frozen=True, kw_only=True, slots=True)
class SchemaSource:
    """One schema file."""

    file: str
    """Path below the root, with slashes."""
    context: str
    """First folder."""
    name: str
    """Second folder: the name of the type."""
    version: int
    """Number in the file's name, 1-based."""
    schema: SchemaType
    """What the file says."""

    @property
    def full_name(self) -> str:
        """Full name that the place of the file promises."""
        return f"registro.{self.context}.{self.name}"


def read_sources(root: Path) -> tuple[tuple[SchemaSource, ...], tuple[Problem, ...]]:
    """Read every file below a folder.

    Returns:
        The schemas in order of context, name and version; then what could not be read.
    """
    sources: list[SchemaSource] = []
    problems: list[Problem] = []
    for path in sorted(item for item in root.rglob("*") if item.is_file()):
        file = path.relative_to(root).as_posix()
        read = _read(path, file=file)
        if isinstance(read, Problem):
            problems.append(read)
        else:
            sources.append(read)
    sources.sort(key=lambda source: (source.context, source.name, source.version))
    return tuple(sources), tuple(problems)


def latest(sources: Iterable[SchemaSource]) -> dict[str, SchemaSource]:
    """Return the highest version of each type, by full name, in order of the name."""
    found: dict[str, SchemaSource] = {}
    for source in sorted(sources, key=lambda source: (source.full_name, source.version)):
        found[source.full_name] = source
    return found


def _read(path: Path, *, file: str) -> SchemaSource | Problem:
    parts = file.split("/")
    version = _VERSION.fullmatch(parts[-1])
    if version is None or len(parts) != 3:  # noqa: PLR2004 - context, name, version
        return Problem(
            file=file, path="", rule="layout", message="expected <context>/<Name>/v<N>.avsc"
        )
    try:
        schema = parse(load_text(path.read_text(encoding="utf-8")))
    except InvalidSchemaError as error:
        return Problem(
            file=file,
            path=error.facts["path"],
            rule="syntax",
            message=error.facts["reason"],
        )
    except (OSError, UnicodeDecodeError) as error:
        return Problem(file=file, path="", rule="syntax", message=f"cannot be read: {error}")
    return SchemaSource(
        file=file, context=parts[0], name=parts[1], version=int(version[1]), schema=schema
    )
