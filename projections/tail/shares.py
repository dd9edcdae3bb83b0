"""Make shares of facts, and judge whether the shares of a window are what the ledger holds.

A share says of every record which of its events it has, and the SHA-256 of them: so the ledger can
be asked, before anything becomes visible, whether each of its facts was folded once and as it is.

Invariants:
1. What `judged` lets through was folded from exactly the facts of the ledger, none left out, none
   twice, none altered: their bytes are compared by digest, the digest is made of the stored bytes
   anew, and these give the commitment.

Source: docs/adr/0018-live-tail.md.
"""

import hashlib
import io
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ledger.errors import StoredEventDecodeError
from ledger.facts.blocks import check_block, read_bodies
from ledger.integrity.block import join_bodies, split_bodies
from ledger.kafka.message import Address
from ledger.records import BlockHeader, RecordKind, StoredRecord
from ledger.store.reader import RecordReader
from ledger.types import Position
from projections.runner.contract import Projection
from projections.runner.poison import poison
from projections.tail.handover import Share, Window
from projections.tail.messages import Fact
from schemas.columns import Bodies
from schemas.registry import SchemaRegistry

READ_RECORDS: Final = 64
"""Records in memory at once: blocks are large."""
_SEEN: Final = {
    "position": pl.Int64,
    "listed": pl.Boolean,
    "indexes": pl.Binary,
    "digest": pl.Binary,
}
"""Record; which of its events: a bit each, lowest first, or listed as u32 where that is shorter, so
that no message makes a share longer than itself; SHA-256 of schema, indexes and bodies."""
_INDEX: Final = "<u4"
_Indexes = NDArray[np.uint32]


class DoubtError(Exception):
    """Shares are not what the ledger holds: their messages have to be read again, and compared."""


def cells_of(
    projection: Projection, facts: Sequence[Fact], registry: SchemaRegistry
) -> tuple[bytes, int]:
    """Return what facts sum to, as Arrow IPC, and how many tables the reference decoder read.

    Args:
        projection: one that sums facts.
        facts: in any order.
        registry: knows their schemas.

    Raises:
        schemas.errors.SchemaError: a body cannot be decoded.
        OverflowError: a cell cannot hold its sum.
    """
    if projection.cells is None:
        raise TypeError(f"read model {projection.name} sums no facts")
    by_schema: dict[bytes, list[bytes]] = {}
    for fact in facts:
        by_schema.setdefault(fact.schema_id, []).append(fact.body)
    tables = []
    for schema_id, bodies in by_schema.items():
        lengths, content = join_bodies(bodies)
        tables.append(
            read_bodies(registry.by_id(schema_id), Bodies(lengths=lengths, content=content))
        )
    rows = projection.cells(tables)
    return _packed(rows), sum(one.fallbacks for one in tables)


def seen_of(facts: Sequence[Fact]) -> bytes:
    """Return what facts are: by record their places and their digest, as Arrow IPC.

    Args:
        facts: addresses ascending.
    """
    rows = []
    for position, group in groupby(facts, key=lambda fact: fact.address.position):
        found = list(group)
        indexes = np.array([one.address.index for one in found], _INDEX)
        digest = _digest(found[0].schema_id, indexes, [one.body for one in found])
        if any(one.schema_id != found[0].schema_id for one in found):
            # No record has two schemas: this matches none.
            digest = b""
        rows.append((position, *_kept(indexes), digest))
    return _packed(pl.DataFrame(rows, schema=_SEEN, orient="row"))


def addresses_of(seen: bytes) -> Iterator[Address]:
    """Yield the addresses of the facts that a share was made of."""
    for position, indexes, _ in _claims(seen):
        for index in indexes:
            yield Address(position, int(index))


def first_missing(
    reader: RecordReader, window: Window, seen: Iterable[bytes]
) -> tuple[Position, tuple[int, ...]] | None:
    """Return the first record of a window of which facts are missing, and which; None for none.

    Args:
        reader: of the ledger.
        window: the range.
        seen: of the shares that were handed in for it.
    """
    found: dict[int, list[_Indexes]] = {}
    for one in seen:
        for position, indexes, _ in _claims(one):
            found.setdefault(position, []).append(indexes)
    for header in reader.outline(
        after=Position(window.after),
        through=Position(window.through),
        limit=window.through - window.after,
    ):
        if isinstance(header, BlockHeader):
            there = np.concatenate([np.zeros(0, _INDEX), *found.get(header.position, [])])
            lacking = np.setdiff1d(np.arange(header.event_count, dtype=_INDEX), there)
            if lacking.size:
                return header.position, tuple(map(int, lacking))
    return None


def _kept(indexes: _Indexes) -> tuple[bool, bytes]:
    listed = indexes.astype(_INDEX).tobytes()
    if int(indexes[-1]) // 8 >= len(listed):
        return True, listed
    flags = np.zeros(int(indexes[-1]) + 1, np.uint8)
    flags[indexes] = 1
    return False, np.packbits(flags, bitorder="little").tobytes()


def _claims(seen: bytes) -> Iterator[tuple[int, _Indexes, bytes]]:
    for position, listed, kept, digest in _unpacked(seen).iter_rows():
        if listed:
            indexes = np.frombuffer(kept, _INDEX)
        else:
            flags = np.unpackbits(np.frombuffer(kept, np.uint8), bitorder="little")
            indexes = np.flatnonzero(flags).astype(_INDEX)
        yield position, indexes, digest


def _digest(schema_id: bytes, indexes: _Indexes, bodies: Sequence[bytes]) -> bytes:
    hashed = hashlib.sha256(schema_id)
    hashed.update(indexes.astype(_INDEX).tobytes())
    hashed.update(np.array([len(body) for body in bodies], "<u4").tobytes())
    hashed.update(b"".join(bodies))
    return hashed.digest()


def judged(
    projection: Projection,
    reader: RecordReader,
    window: Window,
    shares: Sequence[Share],
) -> pl.DataFrame:
    """Return the cells of a window, once they are proved to be the ledger's.

    Args:
        projection: one that sums facts.
        reader: of the ledger.
        window: the range.
        shares: everything handed in for it.

    Raises:
        DoubtError: they are not what the ledger holds.
        ProjectionError: a record of the ledger does not give its commitment.
        OverflowError: a cell cannot hold its sum.
    """
    claims: dict[int, list[tuple[_Indexes, bytes]]] = {}
    for one in shares:
        for position, indexes, digest in _claims(one.seen):
            claims.setdefault(position, []).append((indexes, digest))
    for record in _blocks(projection, reader, window) if window.facts else ():
        _require_same(record, claims.pop(record.position, []))
    if claims:
        raise DoubtError
    return projection.merge([_unpacked(one.cells) for one in shares])


def _blocks(projection: Projection, reader: RecordReader, window: Window) -> Iterator[StoredRecord]:
    after = window.after
    while after < window.through:
        records = reader.read(
            after=Position(after), through=Position(window.through), limit=READ_RECORDS
        )
        for record in records:
            if record.record.kind is RecordKind.BLOCK:
                try:
                    check_block(record)
                except StoredEventDecodeError as error:
                    raise poison(projection.name, error, position=record.position) from error
                yield record
        if not records:
            return
        after = records[-1].position


def _require_same(record: StoredRecord, claims: Sequence[tuple[_Indexes, bytes]]) -> None:
    item = record.record
    bodies = split_bodies(item.lengths, item.content)
    present = np.zeros(len(bodies), np.int64)
    for indexes, digest in claims:
        ascending = indexes[:-1] < indexes[1:]
        if not indexes.size or indexes[-1] >= len(bodies) or not ascending.all():
            raise DoubtError
        present[indexes] += 1
        if _digest(item.schema_id, indexes, [bodies[index] for index in indexes]) != digest:
            raise DoubtError
    if not (present == 1).all():
        raise DoubtError


def _packed(rows: pl.DataFrame) -> bytes:
    held = io.BytesIO()
    rows.write_ipc(held, compression="zstd")
    return held.getvalue()


def _unpacked(packed: bytes) -> pl.DataFrame:
    return pl.read_ipc(io.BytesIO(packed))
