"""Records as rows of the table `record`, and back.

Content is compressed at rest; hashes are always taken over the plain content, so a copy that is
compressed in another way holds the same records.

Source: docs/adr/0001-store.md, docs/formats/record.md.
"""

from dataclasses import dataclass
from typing import Any, Final

import zstandard

from ledger.errors import StoredEventDecodeError
from ledger.integrity.block import decode_lengths, encode_lengths
from ledger.integrity.commitment import RecordFields
from ledger.integrity.problems import IntegrityFormatError
from ledger.records import AppendPart, BlockHeader, PendingRecord, RecordKind, StoredRecord
from ledger.store.tables import CODING_PLAIN, CODING_ZSTD
from ledger.types import AppendKey, Digest, Position, StreamName, StreamVersion

COMPRESS_FROM_BYTES: Final = 1024
"""Content from this size on is compressed at rest; smaller content gains nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RawRow:
    """One row of the table `record`, exactly as the database holds it."""

    position: object
    kind: object
    stream: object
    stream_version: object
    event_type: object
    schema_id: object
    append_key: object
    part: object
    part_count: object
    input_digest: object
    recorded_at: object
    envelope_schema_id: object
    envelope: object
    event_count: object
    lengths: object
    content_coding: object
    content: object
    salt: object
    inner_root: object
    commitment: object


def fields_of(item: PendingRecord, *, recorded_at: int, salt: bytes) -> RecordFields:
    """Return what the commitment of a record covers."""
    return RecordFields(
        kind=int(item.kind),
        stream=item.stream,
        stream_version=item.stream_version,
        event_type=item.event_type,
        schema_id=item.schema_id,
        append_key=item.append.key,
        part=item.append.part,
        part_count=item.append.part_count,
        input_digest=item.append.input_digest,
        recorded_at=recorded_at,
        envelope_schema_id=item.envelope_schema_id,
        envelope=item.envelope,
        lengths=item.lengths,
        content=item.content,
        salt=salt,
    )


def row_of(stored: StoredRecord) -> dict[str, object]:
    """Return the columns of a record, content compressed where that gains."""
    item = stored.record
    coding, content = _packed(item.content)
    return {
        "position": stored.position,
        "kind": int(item.kind),
        "stream": item.stream,
        "stream_version": item.stream_version,
        "event_type": item.event_type,
        "schema_id": item.schema_id,
        "append_key": item.append.key,
        "part": item.append.part,
        "part_count": item.append.part_count,
        "input_digest": item.append.input_digest,
        "recorded_at": stored.recorded_at,
        "envelope_schema_id": item.envelope_schema_id,
        "envelope": item.envelope,
        "event_count": item.event_count,
        "lengths": encode_lengths(item.lengths),
        "content_coding": coding,
        "content": content,
        "salt": stored.salt,
        "inner_root": stored.inner_root,
        "commitment": stored.commitment,
    }


def _packed(content: bytes) -> tuple[int, bytes]:
    if len(content) < COMPRESS_FROM_BYTES:
        return CODING_PLAIN, content
    packed = zstandard.ZstdCompressor(level=3).compress(content)
    return (CODING_ZSTD, packed) if len(packed) < len(content) else (CODING_PLAIN, content)


def unpacked(coding: int, content: bytes, *, size: int) -> bytes:
    """Return the content of a row, uncompressed.

    Args:
        coding: `CODING_PLAIN` or `CODING_ZSTD`.
        content: bytes as stored.
        size: length in bytes that the length vector promises; larger output is refused.

    Raises:
        ValueError: unknown coding, damaged bytes or another size.
    """
    if coding == CODING_PLAIN:
        plain = content
    elif coding == CODING_ZSTD:
        try:
            # A frame may promise any size: it is asked before memory is given to it.
            promised = zstandard.frame_content_size(content)
            if promised != size:
                raise ValueError(f"content promises {promised} bytes, not {size}")
            plain = zstandard.ZstdDecompressor().decompress(
                content, max_output_size=size, allow_extra_data=False
            )
        except zstandard.ZstdError as error:
            raise ValueError(f"content cannot be uncompressed: {error}") from error
    else:
        raise ValueError(f"content coding {coding} is unknown")
    if len(plain) != size:
        raise ValueError(f"content has {len(plain)} bytes, the length vector says {size}")
    return plain


def header_of(row: Any) -> BlockHeader:
    """Return the header of a row that holds a block.

    Args:
        row: has the columns of the table as attributes; content and what follows it may be null.

    Raises:
        StoredEventDecodeError: the row cannot be read as a block.
    """
    try:
        return BlockHeader(
            position=Position(row.position),
            recorded_at=row.recorded_at,
            stream=StreamName(row.stream),
            stream_version=StreamVersion(row.stream_version),
            event_type=row.event_type,
            schema_id=bytes(row.schema_id),
            append=_append_of(row),
            envelope_schema_id=bytes(row.envelope_schema_id),
            envelope=bytes(row.envelope),
            event_count=row.event_count,
        )
    except (ValueError, TypeError, AttributeError) as error:
        raise _undecodable(row, error) from error


def _append_of(row: Any) -> AppendPart:
    return AppendPart(
        key=AppendKey(row.append_key),
        part=row.part,
        part_count=row.part_count,
        input_digest=Digest(bytes(row.input_digest)),
    )


def _undecodable(row: Any, error: Exception) -> StoredEventDecodeError:
    return StoredEventDecodeError(
        position=getattr(row, "position", "?"),
        event_type=getattr(row, "event_type", "?"),
        reason=str(error),
    )


def stored_of(row: Any) -> StoredRecord:
    """Return the record of a row.

    Args:
        row: has the columns of the table as attributes.

    Raises:
        StoredEventDecodeError: the row cannot be read as a record.
    """
    try:
        lengths = decode_lengths(bytes(row.lengths))
        if len(lengths) != row.event_count:
            raise ValueError(f"{len(lengths)} lengths for {row.event_count} events")  # noqa: TRY301 - one place wraps every cause
        return StoredRecord(
            position=Position(row.position),
            recorded_at=row.recorded_at,
            salt=bytes(row.salt),
            commitment=Digest(bytes(row.commitment)),
            inner_root=Digest(bytes(row.inner_root)),
            record=PendingRecord(
                kind=RecordKind(row.kind),
                stream=StreamName(row.stream),
                stream_version=StreamVersion(row.stream_version),
                event_type=row.event_type,
                schema_id=bytes(row.schema_id),
                append=_append_of(row),
                envelope_schema_id=bytes(row.envelope_schema_id),
                envelope=bytes(row.envelope),
                lengths=lengths,
                content=unpacked(row.content_coding, bytes(row.content), size=sum(lengths)),
            ),
        )
    except (IntegrityFormatError, ValueError, TypeError, AttributeError) as error:
        raise _undecodable(row, error) from error
