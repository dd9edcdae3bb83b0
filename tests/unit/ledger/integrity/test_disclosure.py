"""One event of a record can be shown and proved; an altered showing proves nothing."""

import hashlib
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.integrity.block import (
    derived_salt,
    inner_leaf,
    inner_leaves,
    inner_salt,
    join_bodies,
)
from ledger.integrity.commitment import RecordFields, commitment, parse_preimage, preimage
from ledger.integrity.disclosure import Disclosure, disclose, verify_disclosure
from ledger.integrity.problems import (
    FieldBoundsError,
    IntegrityFormatError,
    PreimageError,
    ProofError,
    RootMismatchError,
)
from ledger.types import Digest, LeafIndex
from tests.support.record_fixtures import record_fixture

EVENT = record_fixture("event").fields
BLOCK = record_fixture("block").fields
EXAMPLES = settings(max_examples=100)

bodies_lists = st.lists(st.binary(max_size=12), min_size=1, max_size=20)


def block_of(bodies: list[bytes]) -> RecordFields:
    lengths, content = join_bodies(bodies)
    return replace(BLOCK, lengths=lengths, content=content)


def shown(fields: RecordFields, index: int) -> Disclosure:
    return disclose(fields, LeafIndex(index))


def last_bit_flipped(data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 1])


# Good ones


def test_the_event_of_a_record_is_disclosed_and_verified() -> None:
    disclosure = shown(EVENT, 0)

    record = verify_disclosure(disclosure, commitment(EVENT))

    assert disclosure.body == EVENT.content
    assert disclosure.proof == ()
    assert record == parse_preimage(preimage(EVENT))
    assert (record.stream, record.stream_version) == (EVENT.stream, EVENT.stream_version)


@pytest.mark.parametrize("index", [0, 1, 2])
def test_each_event_of_a_block_is_disclosed_and_verified(index: int) -> None:
    disclosure = shown(BLOCK, index)

    record = verify_disclosure(disclosure, commitment(BLOCK))

    assert disclosure.body == record_fixture("block").bodies[index]
    assert record.event_count == 3


@pytest.mark.property
@EXAMPLES
@given(bodies_lists, st.data())
def test_any_event_of_any_block_is_disclosed_and_verified(
    bodies: list[bytes], data: st.DataObject
) -> None:
    fields = block_of(bodies)
    index = data.draw(st.integers(0, len(bodies) - 1))

    disclosure = shown(fields, index)

    assert disclosure.body == bodies[index]
    assert verify_disclosure(disclosure, commitment(fields)).event_count == len(bodies)


# What it keeps to itself


@pytest.mark.parametrize("index", [0, 1, 2])
def test_a_disclosure_holds_neither_neighbours_nor_any_salt_of_theirs(index: int) -> None:
    disclosure = shown(BLOCK, index)
    everything = b"|".join(
        [disclosure.body, disclosure.inner_salt, *disclosure.proof, disclosure.preimage]
    )
    secrets = [BLOCK.salt, derived_salt(BLOCK.salt, "content"), derived_salt(BLOCK.salt, "inner")]
    for other in {0, 1, 2} - {index}:
        secrets += [inner_salt(BLOCK.salt, other), record_fixture("block").bodies[other]]

    assert not [secret for secret in secrets if secret in everything]


def test_a_neighbour_cannot_be_guessed_from_what_is_disclosed() -> None:
    disclosure = shown(BLOCK, 0)
    neighbour = record_fixture("block").bodies[1]
    leaf = inner_leaves(BLOCK.salt, BLOCK.lengths, BLOCK.content)[1]
    outer = parse_preimage(disclosure.preimage).outer_salt
    known = [disclosure.inner_salt, outer, b"", bytes(32), inner_salt(outer, 1)]

    assert leaf in disclosure.proof
    assert leaf not in [inner_leaf(salt, neighbour) for salt in known]


# Altered ones

ALTERED: dict[str, Callable[[Disclosure], Disclosure]] = {
    "body changed": lambda good: replace(good, body=last_bit_flipped(good.body)),
    "body cut": lambda good: replace(good, body=good.body[:-1]),
    "body longer": lambda good: replace(good, body=good.body + b"\x00"),
    "body empty": lambda good: replace(good, body=b""),
    "body of a neighbour": lambda good: replace(good, body=shown(BLOCK, 2).body),
    "salt changed": lambda good: replace(good, inner_salt=last_bit_flipped(good.inner_salt)),
    "salt of a neighbour": lambda good: replace(good, inner_salt=shown(BLOCK, 0).inner_salt),
    "salt empty": lambda good: replace(good, inner_salt=b""),
    "record's salt": lambda good: replace(good, inner_salt=BLOCK.salt),
    "index of a neighbour": lambda good: replace(good, index=LeafIndex(0)),
    "index of a neighbour higher up": lambda good: replace(good, index=LeafIndex(2)),
    "index behind the last": lambda good: replace(good, index=LeafIndex(3)),
    "index below 0": lambda good: replace(good, index=LeafIndex(-1)),
    "proof empty": lambda good: replace(good, proof=()),
    "proof cut": lambda good: replace(good, proof=good.proof[:-1]),
    "proof longer": lambda good: replace(good, proof=(*good.proof, good.proof[0])),
    "proof turned round": lambda good: replace(good, proof=good.proof[::-1]),
    "proof of a neighbour": lambda good: replace(good, proof=shown(BLOCK, 0).proof),
    "proof with a step cut": lambda good: replace(
        good, proof=(Digest(good.proof[0][:-1]), *good.proof[1:])
    ),
    "preimage changed": lambda good: replace(good, preimage=last_bit_flipped(good.preimage)),
    "preimage cut": lambda good: replace(good, preimage=good.preimage[:-1]),
    "preimage longer": lambda good: replace(good, preimage=good.preimage + b"\x00"),
    "preimage empty": lambda good: replace(good, preimage=b""),
    "preimage of another record": lambda good: replace(good, preimage=preimage(EVENT)),
    "all of a neighbour but the body": lambda good: replace(shown(BLOCK, 0), body=good.body),
}


@pytest.mark.parametrize("name", ALTERED)
def test_refuses_an_altered_disclosure(name: str) -> None:
    altered = ALTERED[name](shown(BLOCK, 1))

    assert altered != shown(BLOCK, 1)
    with pytest.raises((RootMismatchError, ProofError, FieldBoundsError)):
        verify_disclosure(altered, commitment(BLOCK))


@pytest.mark.property
@EXAMPLES
@given(bodies_lists, st.data())
def test_refuses_any_other_body(bodies: list[bytes], data: st.DataObject) -> None:
    fields = block_of(bodies)
    index = data.draw(st.integers(0, len(bodies) - 1))
    candidates = st.one_of(st.sampled_from(bodies), st.binary(max_size=14))
    body = data.draw(candidates.filter(lambda candidate: candidate != bodies[index]))

    with pytest.raises(RootMismatchError):
        verify_disclosure(replace(shown(fields, index), body=body), commitment(fields))


@pytest.mark.parametrize("index", [0, 1, 2])
def test_refuses_a_disclosure_of_another_record(index: int) -> None:
    other = replace(BLOCK, append_key="example/facts/2")

    with pytest.raises(RootMismatchError):
        verify_disclosure(shown(other, index), commitment(BLOCK))


def test_refuses_bytes_that_give_the_commitment_but_are_no_preimage() -> None:
    made = b"registro/record/v2\n" + preimage(BLOCK)[19:]
    disclosure = replace(shown(BLOCK, 0), preimage=made)

    with pytest.raises(PreimageError):
        verify_disclosure(disclosure, hashed(made))


def hashed(data: bytes) -> Digest:
    return Digest(hashlib.sha256(data).digest())


@pytest.mark.parametrize("moved", [1, 31, 32])
def test_refuses_bytes_moved_between_salt_and_body(moved: int) -> None:
    """Salt and body are hashed one after the other: only the salt's length says where it ends."""
    good = shown(BLOCK, 1)
    longer = replace(
        good, inner_salt=good.inner_salt[:-moved], body=good.inner_salt[-moved:] + good.body
    )

    with pytest.raises(IntegrityFormatError):
        verify_disclosure(longer, commitment(BLOCK))


@pytest.mark.parametrize("moved", [1, 5, 21])
def test_refuses_the_rest_of_a_body_whose_beginning_became_salt(moved: int) -> None:
    good = shown(BLOCK, 1)
    shorter = replace(good, inner_salt=good.inner_salt + good.body[:moved], body=good.body[moved:])

    with pytest.raises(IntegrityFormatError):
        verify_disclosure(shorter, commitment(BLOCK))


def test_takes_the_number_of_events_from_the_preimage_and_not_from_the_index() -> None:
    """In a tree of five the last leaf has the one step that it has in a tree of three."""
    higher = replace(shown(BLOCK, 2), index=LeafIndex(4))

    with pytest.raises(ProofError, match="leaf 4 of a tree of 3"):
        verify_disclosure(higher, commitment(BLOCK))


# What cannot be disclosed


@pytest.mark.parametrize("index", [-1, 3, 4, 2**31])
def test_discloses_nothing_outside_the_record(index: int) -> None:
    with pytest.raises(FieldBoundsError) as caught:
        shown(BLOCK, index)

    assert caught.value.facts["field"] == "index"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        (replace(BLOCK, content=BLOCK.content[:-1]), "lengths"),
        (replace(BLOCK, content=BLOCK.content + b"\x00"), "lengths"),
        (replace(BLOCK, lengths=()), "event_count"),
        (replace(BLOCK, kind=1), "event_count"),
        (replace(BLOCK, kind=3), "kind"),
        (replace(BLOCK, salt=b""), "salt"),
        (replace(BLOCK, stream=""), "stream"),
    ],
)
def test_discloses_nothing_of_fields_that_no_record_has(fields: RecordFields, field: str) -> None:
    with pytest.raises(FieldBoundsError) as caught:
        shown(fields, 0)

    assert caught.value.facts["field"] == field
