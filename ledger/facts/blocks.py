"""Facts as records and back: tables of facts to blocks, blocks to tables.

Invariants:
1. A block holds facts of one schema, one source and one envelope, at most `BLOCK_FACTS` of them.
2. What is read was checked: the commitment is computed anew from the content.
3. An address is `position.index`, the index from 0.

Source: docs/formats/block.md; docs/adr/0008-facts.md.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

import polars as pl

from ledger.errors import StoredEventDecodeError
from ledger.integrity.commitment import quick_commitment
from ledger.records import AppendPart, PendingRecord, RecordKind, StoredRecord
from ledger.store.rows import fields_of
from ledger.types import AppendKey, Digest, StreamName, StreamVersion
from schemas.columns import Bodies, decode_blocks, encode_frame
from schemas.errors import SchemaError
from schemas.registry import ReleasedSchema, SchemaRegistry

BLOCK_FACTS: Final = 4096
"""Most facts in a block: measured, docs/performance.md."""

POSITION: Final = "_position"
"""Column that `read_facts` adds on request: position of the record."""
INDEX: Final = "_index"
"""Column that `read_facts` adds on request: place in the block, 0-based."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BlockFrame:
    """What the blocks of one append share."""

    stream: StreamName
    key: AppendKey
    input_digest: Digest
    envelope_schema_id: bytes
    envelope: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class FactTable:
    """Facts of one schema, in order of the ledger."""

    full_name: str
    frame: pl.DataFrame
    fallbacks: int
    """Blocks that the reference decoder had to read."""


def blocks_of(schema: ReleasedSchema, frame: pl.DataFrame) -> Iterator[Bodies]:
    """Yield the bodies of a table, cut into blocks.

    Raises:
        schemas.errors.EncodingError: the table does not fit the schema.
    """
    encoded = encode_frame(schema, frame)
    lengths = encoded.lengths.tolist()
    view = memoryview(encoded.content)
    start = 0
    for first in range(0, len(lengths), BLOCK_FACTS):
        own = tuple(lengths[first : first + BLOCK_FACTS])
        end = start + sum(own)
        yield Bodies(lengths=own, content=bytes(view[start:end]))
        start = end


def pending(
    shared: BlockFrame,
    schema: ReleasedSchema,
    bodies: Bodies,
    *,
    version: int,
    part: int,
    part_count: int,
) -> PendingRecord:
    """Return the record of one block.

    Args:
        shared: of the append.
        schema: with which the bodies were written.
        bodies: of the block.
        version: of the stream, 1-based.
        part: place of the block in its append, 0-based.
        part_count: number of blocks of the append.
    """
    return PendingRecord(
        kind=RecordKind.BLOCK,
        stream=shared.stream,
        stream_version=StreamVersion(version),
        event_type=schema.full_name,
        schema_id=schema.schema_id,
        append=AppendPart(
            key=shared.key, part=part, part_count=part_count, input_digest=shared.input_digest
        ),
        envelope_schema_id=shared.envelope_schema_id,
        envelope=shared.envelope,
        lengths=tuple(bodies.lengths),
        content=bodies.content,
    )


def check_block(stored: StoredRecord) -> None:
    """Compute the commitment of a block anew and compare.

    The inner root is taken from the store: the deep check of `ledger.verification` computes that
    too. Any change of the content shows here.

    Raises:
        StoredEventDecodeError: the content is not what was committed to.
    """
    fields = fields_of(stored.record, recorded_at=stored.recorded_at, salt=stored.salt)
    if quick_commitment(fields, stored.inner_root) != stored.commitment:
        raise StoredEventDecodeError(
            position=stored.position,
            event_type=stored.record.event_type,
            reason="the content does not give the stored commitment",
        )


def read_facts(
    records: Sequence[StoredRecord],
    registry: SchemaRegistry,
    *,
    addresses: bool = False,
    checked: bool = True,
) -> list[FactTable]:
    """Decode blocks into tables, one per schema, in order of the first block of each.

    Args:
        records: blocks, in order of position.
        registry: knows the schemas that wrote them.
        addresses: adds the columns `POSITION` and `INDEX`.
        checked: compute every commitment anew first.

    Raises:
        StoredEventDecodeError: a block is not what was committed to, or cannot be decoded.
    """
    if checked:
        for record in records:
            check_block(record)
    by_schema: dict[bytes, list[StoredRecord]] = {}
    for record in records:
        by_schema.setdefault(record.record.schema_id, []).append(record)
    return [
        _table(registry, schema_id, members, addresses=addresses)
        for schema_id, members in by_schema.items()
    ]


def read_bodies(schema: ReleasedSchema, bodies: Bodies) -> FactTable:
    """Decode bodies that stand outside any record; nothing says yet that they are the ledger's.

    Args:
        schema: with which they were written.
        bodies: in any order.

    Raises:
        schemas.errors.SchemaError: one cannot be decoded.
    """
    decoded = decode_blocks(schema, [bodies], checked=False)
    return FactTable(full_name=schema.full_name, frame=decoded.frame, fallbacks=decoded.fallbacks)


def _table(
    registry: SchemaRegistry,
    schema_id: bytes,
    records: Sequence[StoredRecord],
    *,
    addresses: bool,
) -> FactTable:
    first = records[0]
    try:
        schema = registry.by_id(schema_id)
        decoded = decode_blocks(
            schema,
            [Bodies(lengths=item.record.lengths, content=item.record.content) for item in records],
            # The commitment stands for bytes that the encoder wrote; `ledger.verification` checks
            # that they are canonical.
            checked=False,
        )
    except SchemaError as error:
        raise StoredEventDecodeError(
            position=_guilty(registry, schema_id, records),
            event_type=first.record.event_type,
            reason=str(error),
        ) from error
    if any(item.record.event_type != schema.full_name for item in records):
        raise StoredEventDecodeError(
            position=first.position,
            event_type=first.record.event_type,
            reason=f"written with the schema of {schema.full_name}",
        )
    frame = decoded.frame
    if addresses:
        frame = frame.with_columns(_addresses(records))
    return FactTable(full_name=schema.full_name, frame=frame, fallbacks=decoded.fallbacks)


def _guilty(registry: SchemaRegistry, schema_id: bytes, records: Sequence[StoredRecord]) -> int:
    """Return the position of the first block that cannot be decoded on its own."""
    for item in records:
        bodies = Bodies(lengths=item.record.lengths, content=item.record.content)
        try:
            decode_blocks(registry.by_id(schema_id), [bodies])
        except SchemaError:
            return item.position
    return records[0].position


def _addresses(records: Sequence[StoredRecord]) -> list[pl.Series]:
    counts = [item.record.event_count for item in records]
    starts = list(accumulate(counts, initial=0))
    positions = pl.Series(POSITION, [item.position for item in records], dtype=pl.Int64)
    blocks = pl.Series("block", range(len(records)), dtype=pl.UInt32)
    repeated = blocks.repeat_by(pl.Series(counts, dtype=pl.UInt32)).explode()
    begin = pl.Series(starts[:-1], dtype=pl.Int64)
    rows = pl.int_range(0, starts[-1], dtype=pl.Int64, eager=True)
    return [
        positions.gather(repeated).alias(POSITION),
        (rows - begin.gather(repeated)).alias(INDEX),
    ]
