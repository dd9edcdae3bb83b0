"""Small schema documents and folders of them, for the tests of `schemas`."""

import json
from collections.abc import Mapping
from pathlib import Path

from schemas.sources import Problem, SchemaSource, read_sources
from schemas.syntax import Json

Document = dict[str, Json]


def field(name: str, type_: Json = "string", **attributes: Json) -> Document:
    """Return a documented field."""
    return {"name": name, "type": type_, "doc": f"Meaning of {name}.", **attributes}


def record(
    full_name: str,
    *fields: Document,
    kind: str = "event",
    uses: Mapping[str, int] | None = None,
    **attributes: Json,
) -> Document:
    """Return a documented record; `uses` pins versions of shared types, `attributes` are others."""
    namespace, _, name = full_name.rpartition(".")
    return {
        "type": "record",
        "name": name,
        "namespace": namespace,
        "registro:kind": kind,
        "doc": f"What {name} says.",
        "fields": list(fields),
        **({"registro:uses": dict(uses)} if uses else {}),
        **attributes,
    }


def put(root: Path, document: Document, *, version: int = 1) -> Path:
    """Write a record where its full name belongs and return the file."""
    context = str(document["namespace"]).rpartition(".")[2]
    return put_text(root, f"{context}/{document['name']}/v{version}.avsc", json.dumps(document))


def put_text(root: Path, file: str, text: str) -> Path:
    """Write any text below a folder and return the file."""
    path = root / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def sources(root: Path) -> tuple[SchemaSource, ...]:
    """Return the schemas of a folder in which every file can be read."""
    found, problems = read_sources(root)
    assert problems == ()
    return found


def rules(problems: tuple[Problem, ...]) -> list[tuple[str, str]]:
    """Return place and rule of problems."""
    return [(problem.path, problem.rule) for problem in problems]
