"""Leaves: 58 bytes, each in its place, and nothing else is one."""

from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.integrity.leaf import LEAF_BYTES, Leaf, encode_leaf, leaf_index_of, parse_leaf
from ledger.integrity.problems import FieldBoundsError
from ledger.records import RecordKind
from ledger.types import Digest, Position

LEDGER = UUID("6f1c2d3e-4a5b-4c6d-8e7f-90a1b2c3d4e5")
COMMITMENT = Digest(bytes(range(32)))
EXAMPLES = settings(max_examples=100)


def encoded(*, position: int = 7, kind: int = 1, commitment: bytes = COMMITMENT) -> bytes:
    return encode_leaf(
        ledger_id=LEDGER, position=Position(position), kind=kind, commitment=Digest(commitment)
    )


def with_byte(offset: int, value: int) -> bytes:
    data = bytearray(encoded())
    data[offset] = value
    return bytes(data)


def test_every_field_stands_in_its_place() -> None:
    data = encoded(position=0x0102030405060708, kind=2)

    assert len(data) == LEAF_BYTES == 58
    assert data[0] == 1
    assert data[1:17] == bytes.fromhex("6f1c2d3e4a5b4c6d8e7f90a1b2c3d4e5")
    assert data[17:25] == bytes.fromhex("0102030405060708")
    assert data[25] == 2
    assert data[26:] == COMMITMENT


@pytest.mark.parametrize("kind", list(RecordKind))
def test_every_kind_of_record_has_leaves(kind: RecordKind) -> None:
    assert parse_leaf(encoded(kind=kind)).kind == kind


@pytest.mark.property
@EXAMPLES
@given(
    st.uuids(),
    st.integers(1, 2**63 - 1),
    st.sampled_from([1, 2]),
    st.binary(min_size=32, max_size=32),
)
def test_a_leaf_reads_back(ledger_id: UUID, position: int, kind: int, commitment: bytes) -> None:
    leaf = Leaf(
        ledger_id=ledger_id,
        position=Position(position),
        kind=kind,
        commitment=Digest(commitment),
    )

    data = encode_leaf(
        ledger_id=ledger_id,
        position=leaf.position,
        kind=kind,
        commitment=leaf.commitment,
    )

    assert parse_leaf(data) == leaf


@pytest.mark.property
@EXAMPLES
@given(st.binary(min_size=58, max_size=58))
def test_bytes_that_are_accepted_are_written_again_as_they_were(data: bytes) -> None:
    data = bytes([1]) + data[1:25] + bytes([1 + data[25] % 2]) + data[26:]
    try:
        leaf = parse_leaf(data)
    except FieldBoundsError:
        assert not 1 <= int.from_bytes(data[17:25]) < 2**63
        return

    again = encode_leaf(
        ledger_id=leaf.ledger_id,
        position=leaf.position,
        kind=leaf.kind,
        commitment=leaf.commitment,
    )

    assert again == data


@pytest.mark.parametrize("length", [length for length in range(120) if length != 58])
def test_refuses_every_other_length(length: int) -> None:
    data = (encoded() + encoded() + encoded())[:length]

    with pytest.raises(FieldBoundsError, match=f"{length} bytes, not 58"):
        parse_leaf(data)


@pytest.mark.parametrize("version", [version for version in range(256) if version != 1])
def test_refuses_every_other_version(version: int) -> None:
    with pytest.raises(FieldBoundsError, match=f"version: {version}, not 1"):
        parse_leaf(with_byte(0, version))


@pytest.mark.parametrize("kind", [0, *range(3, 256)])
def test_refuses_every_other_kind(kind: int) -> None:
    with pytest.raises(FieldBoundsError, match="out of bounds"):
        parse_leaf(with_byte(25, kind))
    with pytest.raises(FieldBoundsError, match=f"{kind} is neither 1 nor 2"):
        encoded(kind=kind)


@pytest.mark.parametrize("position", [0, 2**63, 2**64 - 1])
def test_refuses_bytes_with_a_position_that_no_record_has(position: int) -> None:
    good = encoded()

    with pytest.raises(FieldBoundsError, match="out of bounds"):
        parse_leaf(good[:17] + position.to_bytes(8) + good[25:])


@pytest.mark.parametrize("position", [-1, 0, 2**63, 2**64])
def test_writes_no_leaf_with_a_position_that_no_record_has(position: int) -> None:
    with pytest.raises(FieldBoundsError) as caught:
        encoded(position=position)

    assert caught.value.facts["field"] == "position"


@pytest.mark.parametrize("length", [0, 1, 31, 33, 64])
def test_writes_no_leaf_with_a_commitment_that_is_no_digest(length: int) -> None:
    with pytest.raises(FieldBoundsError, match=f"commitment: {length} bytes, not 32"):
        encoded(commitment=bytes(length))


@pytest.mark.parametrize("kind", [-1, 256])
def test_writes_no_leaf_with_a_kind_that_is_no_byte(kind: int) -> None:
    with pytest.raises(FieldBoundsError):
        encoded(kind=kind)


@pytest.mark.parametrize(("position", "index"), [(1, 0), (2, 1), (2**63 - 1, 2**63 - 2)])
def test_the_first_position_is_the_leaf_of_index_0(position: int, index: int) -> None:
    assert leaf_index_of(Position(position)) == index


@pytest.mark.parametrize("position", [0, -1, -(2**63)])
def test_no_position_below_1_has_a_leaf(position: int) -> None:
    with pytest.raises(FieldBoundsError, match="is below 1"):
        leaf_index_of(Position(position))
