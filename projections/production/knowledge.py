"""The cube as it was known on a day, or at a position: folded anew from the blocks.

The read model knows everything that is in the ledger. A cut in time leaves out the blocks that
became known later; as corrections are facts of their own, nothing else has to be undone.

Source: rulings 14; docs/production.md.
"""

import datetime as dt

import polars as pl

from ledger.application import LedgerApplication
from ledger.errors import PositionGapError
from ledger.facts.blocks import read_facts
from ledger.records import RecordKind
from ledger.types import BEFORE_FIRST, Position
from projections.production.cube import empty, merge
from projections.production.measures import fold

_BLOCKS_AT_ONCE = 128
_CELLS_TO_MERGE = 2_000_000


def cube_at(
    ledger: LedgerApplication, *, as_of: dt.date | None = None, through: Position | None = None
) -> pl.DataFrame:
    """Return the cube of the blocks that a cut leaves.

    Args:
        ledger: to read from.
        as_of: last day of knowledge, inclusive; None for every day.
        through: last position, inclusive; None for all.

    Raises:
        StoredEventDecodeError: a block is not what was committed to, or cannot be decoded.
        PositionGapError: a record is missing.
    """
    last = ledger.head() if through is None else through
    after = BEFORE_FIRST
    parts: list[pl.DataFrame] = []
    known: dict[tuple[bytes, bytes], bool] = {}
    while after < last:
        records = ledger.store.read(after=after, through=last, limit=_BLOCKS_AT_ONCE)
        if not records or records[0].position != after + 1:
            raise PositionGapError(after=after, found=records[0].position if records else "nothing")
        after = records[-1].position
        chosen = []
        for one in records:
            if one.record.kind is not RecordKind.BLOCK:
                continue
            # Blocks of one batch share their envelope, byte for byte.
            key = (one.record.envelope_schema_id, one.record.envelope)
            if key not in known:
                known[key] = as_of is None or ledger.avro.envelope(*key).as_of <= as_of
            if known[key]:
                chosen.append(one)
        tables = read_facts(chosen, ledger.avro.registry)
        parts.extend(fold(table.full_name, table.frame) for table in tables)
        if sum(part.height for part in parts) > _CELLS_TO_MERGE:
            parts = [merge(parts)]
    return merge(parts) if parts else empty()
