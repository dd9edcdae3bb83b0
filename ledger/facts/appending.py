"""Append the judged rows of a batch as blocks, in one transaction.

Source: docs/formats/block.md; docs/adr/0008-facts.md.
"""

import datetime as dt
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Final

import polars as pl

from ledger.application import LedgerApplication
from ledger.errors import WrongExpectedVersionError
from ledger.events.base import to_record
from ledger.events.ledger import Envelope, Source
from ledger.facts.batches import Batch, Progress, stream_of
from ledger.facts.blocks import BLOCK_FACTS, BlockFrame, blocks_of, pending
from ledger.facts.families import RULES
from ledger.facts.spool import Spool
from ledger.records import PendingRecord
from ledger.types import AppendKey, Digest, Position, StreamVersion
from schemas.codec import encode
from schemas.columns import Bodies, layout
from schemas.registry import ReleasedSchema

_ENCODE_ROWS: Final = 16 * BLOCK_FACTS
"""Rows that are encoded at once."""
RELEASE_TRIES: Final = 5
"""How often the release of schemas is tried against other writers."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Judged:
    """Rows that go into the ledger."""

    batch: Batch
    key: AppendKey
    digest: Digest
    """SHA-256 of what the caller sent."""
    spool: Spool
    reversals: Mapping[str, pl.DataFrame]
    """Facts taken back, by schema."""
    require_unmoved: Callable[[StreamVersion], None]
    """Called under the append lock with the version of the first block: refuses the batch when
    somebody recorded meanwhile what was judged to be new."""

    @property
    def reversed_facts(self) -> int:
        """Number of reversals."""
        return sum(frame.height for frame in self.reversals.values())

    @property
    def facts(self) -> int:
        """Number of facts, reversals included."""
        return self.spool.rows + self.reversed_facts

    def tables(self) -> Iterator[tuple[str, pl.DataFrame]]:
        """Yield schema and rows."""
        return chain(self.spool.frames(), self.reversals.items())


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where the blocks of a batch went."""

    blocks: int
    first: Position
    last: Position


def append(ledger: LedgerApplication, judged: Judged, progress: Progress) -> Place:
    """Append the rows of a batch.

    Raises:
        AppendKeyConflictError: somebody appended a batch of this name meanwhile.
        WrongExpectedVersionError: somebody recorded meanwhile what was judged to be new.
        StoreError: the store failed; nothing was appended.
    """
    counts: dict[str, int] = {}
    for name, _, rows in judged.spool.pieces:
        counts[name] = counts.get(name, 0) + rows
    for name, frame in judged.reversals.items():
        counts[name] = counts.get(name, 0) + frame.height
    _release(ledger, counts)
    total = sum(-(-count // BLOCK_FACTS) for count in counts.values())
    shared = _shared(ledger, judged)

    def records(first: StreamVersion) -> Iterator[PendingRecord]:
        judged.require_unmoved(first)
        part = 0
        for name in counts:
            schema = ledger.avro.registry.latest(name)
            for bodies in _bodies(schema, (f for n, f in judged.tables() if n == name)):
                yield pending(
                    shared, schema, bodies, version=first + part, part=part, part_count=total
                )
                part += 1
                progress("append", part, total)

    appended = ledger.store.append_stream(shared.stream, judged.key, records)
    return Place(blocks=total, first=appended.first, last=appended.last)


def _release(ledger: LedgerApplication, names: Collection[str]) -> None:
    """Release schemas; who loses the race against another writer reads anew."""
    for left in reversed(range(RELEASE_TRIES)):
        try:
            ledger.release(*names)
        except WrongExpectedVersionError:
            if not left:
                raise
        else:
            return


def _bodies(schema: ReleasedSchema, frames: Iterator[pl.DataFrame]) -> Iterator[Bodies]:
    """Yield full blocks, and one that is not full at the end."""
    columns = [one.name for one in layout(schema)]
    held: list[pl.DataFrame] = []
    rows = 0
    for frame in frames:
        held.append(frame.select(columns))
        rows += frame.height
        if rows >= _ENCODE_ROWS:
            whole = pl.concat(held)
            cut = rows - rows % BLOCK_FACTS
            yield from blocks_of(schema, whole[:cut])
            held, rows = [whole[cut:]], rows - cut
    if rows:
        yield from blocks_of(schema, pl.concat(held))


def _shared(ledger: LedgerApplication, judged: Judged) -> BlockFrame:
    batch = judged.batch
    days: list[dt.date] = []
    for name, frame in judged.tables():
        day = frame.get_column(RULES[name].day)
        days += [found for found in (day.min(), day.max()) if isinstance(found, dt.date)]
    envelope = Envelope(
        ref_from=min(days),
        ref_to=max(days),
        as_of=batch.as_of,
        vintage=batch.vintage,
        actor=batch.actor,
        source=Source(system=batch.source),
        acts=batch.acts,
        reason=batch.reason,
    )
    schema = ledger.avro.envelope_schema
    return BlockFrame(
        stream=stream_of(batch.family, batch.source),
        key=judged.key,
        input_digest=judged.digest,
        envelope_schema_id=schema.schema_id,
        envelope=encode(schema, to_record(envelope)),
    )
