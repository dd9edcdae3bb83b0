"""The frozen fixtures of the hashed bytes: what was put in, and every value that must come out.

The files were computed once by a program that shares nothing with the ledger. They are never
changed: another value is another format.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final
from uuid import UUID

from ledger.integrity.commitment import RecordFields
from ledger.integrity.leaf import Leaf
from ledger.types import Digest, Position

FOLDER: Final = Path(__file__).parents[1] / "formats" / "record-v1"

Values = Mapping[str, object]
"""Expected values by name: texts, numbers, lists and lists of lists; bytes as lower-case hex."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordFixture:
    """One record with every value on the way to its commitment."""

    fields: RecordFields
    bodies: tuple[bytes, ...]
    values: Values


@dataclass(frozen=True, kw_only=True, slots=True)
class LeavesFixture:
    """Leaves with what is computed over them."""

    leaves: tuple[Leaf, ...]
    values: Values


@cache
def record_fixture(name: str) -> RecordFixture:
    """Return the fixture `event` or `block`."""
    document = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    given = document["fields"]
    bodies = tuple(map(bytes.fromhex, document["bodies"]))
    fields = RecordFields(
        kind=given["kind"],
        stream=given["stream"],
        stream_version=given["stream_version"],
        event_type=given["event_type"],
        schema_id=bytes.fromhex(given["schema_id"]),
        append_key=given["append_key"],
        part=given["part"],
        part_count=given["part_count"],
        input_digest=bytes.fromhex(given["input_digest"]),
        recorded_at=given["recorded_at"],
        envelope_schema_id=bytes.fromhex(given["envelope_schema_id"]),
        envelope=bytes.fromhex(given["envelope"]),
        lengths=tuple(map(len, bodies)),
        content=b"".join(bodies),
        salt=bytes.fromhex(given["salt"]),
    )
    return RecordFixture(fields=fields, bodies=bodies, values=document["values"])


@cache
def leaves_fixture(name: str) -> LeavesFixture:
    """Return the fixture `leaf`, of one leaf, or `tree`, of five."""
    document = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    leaves = tuple(
        Leaf(
            ledger_id=UUID(document["ledger_id"]),
            position=Position(item["position"]),
            kind=item["kind"],
            commitment=Digest(bytes.fromhex(item["commitment"])),
        )
        for item in document["records"]
    )
    return LeavesFixture(leaves=leaves, values=document["values"])
