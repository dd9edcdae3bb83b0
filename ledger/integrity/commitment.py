"""The commitment of a record."""

import hashlib
import struct
from dataclasses import dataclass

from ledger.integrity.block import content_digest, derived_salt, inner_root
from ledger.types import Digest


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordFields:
    kind: int
    stream: str
    stream_version: int
    event_type: str
    schema_id: bytes
    append_key: str
    part: int
    part_count: int
    input_digest: bytes
    recorded_at: int
    envelope_schema_id: bytes
    envelope: bytes
    lengths: tuple[int, ...]
    content: bytes
    salt: bytes


def preimage(f: RecordFields) -> bytes:
    parts = [
        bytes([f.kind]),
        f.stream.encode(),
        struct.pack(">Q", f.stream_version),
        f.event_type.encode(),
        f.schema_id,
        f.append_key.encode(),
        struct.pack(">I", f.part),
        struct.pack(">I", f.part_count),
        f.input_digest,
        struct.pack(">q", f.recorded_at),
        f.envelope_schema_id,
        f.envelope,
        struct.pack(">I", len(f.lengths)),
        content_digest(f.salt, f.lengths, f.content),
        inner_root(f.salt, f.lengths, f.content),
    ]
    return (
        b"registro/record/v1\n"
        + derived_salt(f.salt, "outer")
        + b"".join(struct.pack(">I", len(p)) + p for p in parts)
    )


def commitment(f: RecordFields) -> Digest:
    return Digest(hashlib.sha256(preimage(f)).digest())
