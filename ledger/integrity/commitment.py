"""The commitment of a record, version 1: one digest over everything that is stored of it.

Preimage: domain, outer salt, then fifteen fields, each with its length in front; parsing it back is
strict, so that no two records have one preimage.

Invariants:
1. Every stored column is in the preimage, or in the content digest and inner root that are.
2. Fields are within their bounds, or nothing is hashed.

Source: docs/formats/record.md; docs/adr/0002-record-bytes.md; rulings 3.
"""

import hashlib
import struct
from dataclasses import dataclass
from typing import Final

from ledger.integrity.block import (
    EVENTS_MAX,
    SALT_BYTES,
    check_content,
    content_digest,
    derived_salt,
    inner_root,
)
from ledger.integrity.problems import FieldBoundsError, PreimageError
from ledger.types import DIGEST_BYTES, Digest

DOMAIN: Final = b"registro/record/v1\n"
EVENT: Final = 1
BLOCK: Final = 2
_U32_MAX: Final = 2**32 - 1
_I63_MAX: Final = 2**63 - 1
_TEXT_BYTES_MAX: Final = 1024
_ENVELOPE_BYTES_MAX: Final = 2**20
_LENGTH: Final = struct.Struct(">I")
_U64: Final = struct.Struct(">Q")
_I64: Final = struct.Struct(">q")


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordFields:
    """What a commitment covers."""

    kind: int
    """1 for an event, 2 for a block."""
    stream: str
    stream_version: int
    """0 or more."""
    event_type: str
    """Avro full name."""
    schema_id: bytes
    """32 bytes, or empty for records of the library's suites."""
    append_key: str
    part: int
    """0-based."""
    part_count: int
    input_digest: bytes
    """32 bytes, or empty."""
    recorded_at: int
    """Microseconds since 1970-01-01 UTC."""
    envelope_schema_id: bytes
    """32 bytes, or empty."""
    envelope: bytes
    """Avro body."""
    lengths: tuple[int, ...]
    """Length of each body; one for an event."""
    content: bytes
    """The bodies, concatenated, uncompressed."""
    salt: bytes
    """32 random bytes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Preimage:
    """What a preimage says; the contents stand behind two digests."""

    outer_salt: bytes
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
    event_count: int
    content_digest: Digest
    inner_root: Digest


@dataclass(frozen=True, slots=True)
class Seal:
    """What the store keeps of a record's hashing."""

    commitment: Digest
    inner_root: Digest
    """Root of the inner tree; kept so that a block can be checked without hashing each event."""


def seal(fields: RecordFields) -> Seal:
    """Return commitment and inner root of a record: every event is hashed.

    Raises:
        FieldBoundsError: a field is outside its bounds.
    """
    check(fields)
    root = inner_root(fields.salt, fields.lengths, fields.content)
    return Seal(Digest(hashlib.sha256(preimage_with(fields, root)).digest()), root)


def commitment(fields: RecordFields) -> Digest:
    """Return the commitment of a record.

    Raises:
        FieldBoundsError: a field is outside its bounds.
    """
    return seal(fields).commitment


def quick_commitment(fields: RecordFields, root: Digest) -> Digest:
    """Return the commitment under an inner root that is taken on trust: the content is hashed once.

    With the root that the store keeps, this finds any change of the content; a wrong root that was
    stored with a matching commitment shows only when every event is hashed, see `seal`.

    Raises:
        FieldBoundsError: a field is outside its bounds.
    """
    check(fields)
    return Digest(hashlib.sha256(preimage_with(fields, root)).digest())


def preimage(fields: RecordFields) -> bytes:
    """Return the bytes whose SHA-256 is the commitment.

    Raises:
        FieldBoundsError: a field is outside its bounds.
    """
    check(fields)
    root = inner_root(fields.salt, fields.lengths, fields.content)
    return preimage_with(fields, root)


def preimage_with(fields: RecordFields, root: Digest) -> bytes:
    """Return the preimage of fields that were checked, with an inner root that is known."""
    parts = (
        bytes([fields.kind]),
        fields.stream.encode(),
        _U64.pack(fields.stream_version),
        fields.event_type.encode(),
        fields.schema_id,
        fields.append_key.encode(),
        _LENGTH.pack(fields.part),
        _LENGTH.pack(fields.part_count),
        fields.input_digest,
        _I64.pack(fields.recorded_at),
        fields.envelope_schema_id,
        fields.envelope,
        _LENGTH.pack(len(fields.lengths)),
        content_digest(fields.salt, fields.lengths, fields.content),
        root,
    )
    framed = b"".join(_LENGTH.pack(len(part)) + part for part in parts)
    return DOMAIN + derived_salt(fields.salt, "outer") + framed


def check(fields: RecordFields) -> None:
    """Refuse fields that no record can have.

    Raises:
        FieldBoundsError: a field is outside its bounds.
    """
    if fields.kind not in {EVENT, BLOCK}:
        raise FieldBoundsError(field="kind", reason=f"{fields.kind} is neither 1 nor 2")
    if len(fields.salt) != SALT_BYTES:
        raise FieldBoundsError(field="salt", reason=f"{len(fields.salt)} bytes, not {SALT_BYTES}")
    for name in ("stream", "event_type", "append_key"):
        _check_text(name, getattr(fields, name))
    for name in ("schema_id", "input_digest", "envelope_schema_id"):
        if len(getattr(fields, name)) not in {0, DIGEST_BYTES}:
            raise FieldBoundsError(field=name, reason="neither empty nor 32 bytes")
    _check_number("stream_version", fields.stream_version, 0, _I63_MAX)
    _check_number("recorded_at", fields.recorded_at, 0, _I63_MAX)
    _check_number("part_count", fields.part_count, 1, _U32_MAX)
    _check_number("part", fields.part, 0, fields.part_count - 1)
    if len(fields.envelope) > _ENVELOPE_BYTES_MAX:
        raise FieldBoundsError(field="envelope", reason=f"more than {_ENVELOPE_BYTES_MAX} bytes")
    if fields.kind == EVENT and len(fields.lengths) != 1:
        raise FieldBoundsError(field="event_count", reason="an event record holds one event")
    check_content(fields.lengths, fields.content)


def _check_text(name: str, text: str) -> None:
    try:
        data = text.encode()
    except UnicodeEncodeError as error:
        raise FieldBoundsError(field=name, reason="not valid Unicode") from error
    if not 1 <= len(data) <= _TEXT_BYTES_MAX or b"\x00" in data:
        raise FieldBoundsError(
            field=name, reason=f"empty, longer than {_TEXT_BYTES_MAX} bytes, or with a NUL"
        )


def _check_number(name: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise FieldBoundsError(field=name, reason=f"{value} is not from {low} to {high}")


def parse_preimage(data: bytes) -> Preimage:
    """Take a preimage apart; every byte must have its place.

    Raises:
        PreimageError: it is not a preimage of version 1.
    """
    start = len(DOMAIN) + SALT_BYTES
    if data[: len(DOMAIN)] != DOMAIN or len(data) < start:
        raise PreimageError(offset=0, reason="not a preimage of version 1")
    reader = _Reader(data, start)
    parsed = Preimage(
        outer_salt=data[len(DOMAIN) : start],
        kind=reader.number(1),
        stream=reader.text(),
        stream_version=reader.number(8),
        event_type=reader.text(),
        schema_id=reader.digest_or_nothing(),
        append_key=reader.text(),
        part=reader.number(4),
        part_count=reader.number(4),
        input_digest=reader.digest_or_nothing(),
        recorded_at=reader.number(8),
        envelope_schema_id=reader.digest_or_nothing(),
        envelope=reader.part(),
        event_count=reader.number(4),
        content_digest=Digest(reader.part(DIGEST_BYTES)),
        inner_root=Digest(reader.part(DIGEST_BYTES)),
    )
    reader.end()
    if not 1 <= parsed.event_count <= EVENTS_MAX:
        raise PreimageError(offset=len(data), reason=f"{parsed.event_count} events")
    return parsed


class _Reader:
    def __init__(self, data: bytes, offset: int) -> None:
        self._data = data
        self._offset = offset

    def part(self, size: int | None = None) -> bytes:
        begin = self._offset + _LENGTH.size
        if begin > len(self._data):
            raise PreimageError(offset=self._offset, reason="cut off")
        (length,) = _LENGTH.unpack_from(self._data, self._offset)
        if size is not None and length != size:
            raise PreimageError(offset=self._offset, reason=f"{length} bytes, not {size}")
        if begin + length > len(self._data):
            raise PreimageError(offset=self._offset, reason="cut off")
        self._offset = begin + length
        return self._data[begin : self._offset]

    def number(self, size: int) -> int:
        return int.from_bytes(self.part(size))

    def text(self) -> str:
        offset = self._offset
        try:
            return self.part().decode()
        except UnicodeDecodeError as error:
            raise PreimageError(offset=offset, reason="not valid UTF-8") from error

    def digest_or_nothing(self) -> bytes:
        offset = self._offset
        found = self.part()
        if len(found) not in {0, DIGEST_BYTES}:
            raise PreimageError(offset=offset, reason="neither empty nor 32 bytes")
        return found

    def end(self) -> None:
        if self._offset != len(self._data):
            raise PreimageError(offset=self._offset, reason="bytes behind the last field")
