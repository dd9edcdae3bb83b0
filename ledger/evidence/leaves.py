"""The leaves of a store: as its commitments stand there, or computed again from the payload.

Invariants:
1. Leaves come in order of position, without gaps; a gap stops the reader.
2. A record that is to be sealed for the first time is hashed again, never believed.

Source: docs/formats/leaf.md, section 6.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, cast
from uuid import UUID

from sqlalchemy import select

from ledger.errors import PositionGapError, StoredEventDecodeError
from ledger.evidence.problems import AlteredRecordError
from ledger.integrity.commitment import quick_commitment, seal
from ledger.integrity.leaf import encode_leaf
from ledger.integrity.problems import IntegrityFormatError
from ledger.records import RecordKind, StoredRecord
from ledger.store.engine import reading
from ledger.store.reader import RecordReader
from ledger.store.rows import fields_of
from ledger.store.tables import record as record_table
from ledger.types import BEFORE_FIRST, Digest, Position

STORED_PER_QUERY: Final = 5000
"""Rows of three small columns that are in memory at once."""
RECORDS_PER_QUERY: Final = 100
"""Whole records that are in memory at once: blocks are large."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordLeaf:
    """A leaf computed from a record."""

    leaf: bytes
    recorded_at: int
    """Microseconds since 1970-01-01 UTC."""


class StoreLeaves:
    """The leaves of one ledger."""

    def __init__(self, store: RecordReader, ledger_id: UUID) -> None:
        self._store = store
        self._ledger_id = ledger_id

    def head(self) -> Position:
        """Return the position of the last record, 0 for none."""
        return self._store.head()

    def stored(self, *, through: Position) -> Iterator[bytes]:
        """Yield the leaves of the stored commitments from position 1 on.

        Args:
            through: last position, inclusive; fewer come when the store is shorter.

        Raises:
            PositionGapError: a record is missing.
            StoredEventDecodeError: a row cannot be a record's.
        """
        after = int(BEFORE_FIRST)
        while after < through:
            rows = self._rows(after, through)
            if not rows:
                return
            for position, kind, commitment in rows:
                if position != after + 1:
                    raise PositionGapError(after=after, found=position)
                yield self._leaf(Position(position), kind, commitment)
                after = position

    def recomputed(
        self, *, after: Position = BEFORE_FIRST, through: Position, believed: bool = True
    ) -> Iterator[RecordLeaf]:
        """Yield leaves computed from the payload of each record.

        Args:
            after: exclusive lower bound.
            through: inclusive upper bound.
            believed: stop at a record that does not give its commitment; without it, the leaf of
                the altered payload is yielded, for the caller to compare.

        Raises:
            PositionGapError: a record is missing.
            AlteredRecordError: a record does not give its commitment.
            StoredEventDecodeError: a row cannot be read as a record.
        """
        while after < through:
            batch = self._store.read(after=after, through=through, limit=RECORDS_PER_QUERY)
            if not batch:
                raise PositionGapError(after=after, found="the end")
            for item in batch:
                if item.position != after + 1:
                    raise PositionGapError(after=after, found=item.position)
                computed = commitment_of(item)
                if believed and computed != item.commitment:
                    raise AlteredRecordError(
                        position=item.position,
                        expected=item.commitment.hex(),
                        actual=computed.hex(),
                    )
                yield RecordLeaf(
                    leaf=self._leaf(item.position, int(item.record.kind), computed),
                    recorded_at=item.recorded_at,
                )
                after = item.position

    def _rows(self, after: int, through: int) -> list[tuple[int, int, bytes]]:
        statement = (
            select(record_table.c.position, record_table.c.kind, record_table.c.commitment)
            .where(record_table.c.position > after, record_table.c.position <= through)
            .order_by(record_table.c.position)
            .limit(STORED_PER_QUERY)
        )
        with reading(self._store.engine) as connection:
            rows = connection.execute(statement).all()
        return cast(list[tuple[int, int, bytes]], rows)

    def _leaf(self, position: Position, kind: int, commitment: bytes) -> bytes:
        try:
            return encode_leaf(
                ledger_id=self._ledger_id,
                position=position,
                kind=kind,
                commitment=Digest(bytes(commitment)),
            )
        except (IntegrityFormatError, TypeError) as error:
            raise StoredEventDecodeError(
                position=position, event_type="?", reason=str(error)
            ) from error


def commitment_of(item: StoredRecord) -> Digest:
    """Return the commitment computed from a record's payload.

    Raises:
        StoredEventDecodeError: the record cannot be hashed.
    """
    fields = fields_of(item.record, recorded_at=item.recorded_at, salt=item.salt)
    try:
        if item.record.kind is RecordKind.EVENT:
            return seal(fields).commitment
        return quick_commitment(fields, item.inner_root)
    except IntegrityFormatError as error:
        raise StoredEventDecodeError(
            position=item.position, event_type=item.record.event_type, reason=str(error)
        ) from error
