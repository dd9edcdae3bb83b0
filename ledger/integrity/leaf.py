"""The leaf that stands for a record in the ledger's tree, version 1.

Layout, 58 bytes, numbers big-endian: version u8 = 1 | ledger uuid 16 | position u64 | kind u8 |
commitment 32.

Source: docs/formats/leaf.md; rulings 4.
"""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from ledger.integrity.problems import FieldBoundsError
from ledger.types import DIGEST_BYTES, FIRST_POSITION, Digest, LeafIndex, Position

VERSION: Final = 1
LEAF_BYTES: Final = 58
_POSITION_MAX: Final = 2**63 - 1
_KINDS: Final = (1, 2)


@dataclass(frozen=True, kw_only=True, slots=True)
class Leaf:
    """What a leaf says."""

    ledger_id: UUID
    position: Position
    """1-based."""
    kind: int
    """1 for an event, 2 for a block."""
    commitment: Digest


def leaf_index_of(position: Position) -> LeafIndex:
    """Return the 0-based place in the tree of a record: the only place that subtracts 1.

    Raises:
        FieldBoundsError: positions begin at 1.
    """
    if position < FIRST_POSITION:
        raise FieldBoundsError(field="position", reason=f"{position} is below 1")
    return LeafIndex(position - FIRST_POSITION)


def encode_leaf(*, ledger_id: UUID, position: Position, kind: int, commitment: Digest) -> bytes:
    """Return the bytes of a leaf.

    Raises:
        FieldBoundsError: a field is outside its bounds.
    """
    if not FIRST_POSITION <= position <= _POSITION_MAX:
        raise FieldBoundsError(field="position", reason=f"{position} is not from 1 to 2^63-1")
    if kind not in _KINDS:
        raise FieldBoundsError(field="kind", reason=f"{kind} is neither 1 nor 2")
    if len(commitment) != DIGEST_BYTES:
        raise FieldBoundsError(field="commitment", reason=f"{len(commitment)} bytes, not 32")
    return bytes([VERSION]) + ledger_id.bytes + position.to_bytes(8) + bytes([kind]) + commitment


def parse_leaf(data: bytes) -> Leaf:
    """Return what the bytes of a leaf say.

    Raises:
        FieldBoundsError: they are not a leaf of version 1.
    """
    if len(data) != LEAF_BYTES:
        raise FieldBoundsError(field="leaf", reason=f"{len(data)} bytes, not {LEAF_BYTES}")
    if data[0] != VERSION:
        raise FieldBoundsError(field="version", reason=f"{data[0]}, not {VERSION}")
    leaf = Leaf(
        ledger_id=UUID(bytes=data[1:17]),
        position=Position(int.from_bytes(data[17:25])),
        kind=data[25],
        commitment=Digest(data[26:]),
    )
    if not FIRST_POSITION <= leaf.position <= _POSITION_MAX or leaf.kind not in _KINDS:
        raise FieldBoundsError(field="leaf", reason="position or kind is out of bounds")
    return leaf
