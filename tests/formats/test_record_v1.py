"""Bytes of version 1 are frozen: every value of the fixtures is computed again from its inputs."""

import hashlib

import pytest

from ledger.feed import event_id_of
from ledger.integrity.block import (
    content_digest,
    decode_lengths,
    derived_salt,
    encode_lengths,
    inner_leaves,
    inner_root,
    inner_salt,
    join_bodies,
    split_bodies,
)
from ledger.integrity.commitment import (
    EVENT,
    RecordFields,
    commitment,
    parse_preimage,
    preimage,
    quick_commitment,
    seal,
)
from ledger.integrity.disclosure import disclose, verify_disclosure
from ledger.integrity.leaf import Leaf, encode_leaf, leaf_index_of, parse_leaf
from ledger.integrity.merkle import (
    CompactTree,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    tree_root,
    verify_consistency,
    verify_inclusion,
)
from ledger.records import AppendPart
from ledger.types import AppendKey, Digest, LeafIndex, TreeSize
from tests.support.record_fixtures import FOLDER, leaves_fixture, record_fixture

FILES = {
    "block.json": "51fd78dec88d813d3c559b2ab26b9050419dbdead29d9b0edb3c86323c307899",
    "event.json": "89dd404a5a8749b63d963a486b783f98f646cca3b1e3aa321e8e1a3dc151c912",
    "leaf.json": "f7dd55e50dac9ec04191780e0eec07a62008ebbf85be7ca253d1d7bb79f09f60",
    "tree.json": "71347e22bd8992051d8ded182217cb6ed7d320fe7757eb18a7cf4d0256f92f16",
}
"""SHA-256 of each fixture: a fixture that is edited is no fixture."""

RECORDS = ["event", "block"]


def hexes(digests: tuple[bytes, ...] | list[bytes] | list[Digest]) -> list[str]:
    return [digest.hex() for digest in digests]


def computed_values(fields: RecordFields) -> dict[str, object]:
    """Every value of a record fixture, from the code."""
    count = len(fields.lengths)
    leaves = inner_leaves(fields.salt, fields.lengths, fields.content)
    values: dict[str, object] = {
        "outer_salt": derived_salt(fields.salt, "outer").hex(),
        "content_salt": derived_salt(fields.salt, "content").hex(),
        "inner_key": derived_salt(fields.salt, "inner").hex(),
        "lengths": encode_lengths(fields.lengths).hex(),
        "content_digest": content_digest(fields.salt, fields.lengths, fields.content).hex(),
        "inner_salts": [inner_salt(fields.salt, index).hex() for index in range(count)],
        "inner_leaves": hexes(leaves),
        "inner_root": inner_root(fields.salt, fields.lengths, fields.content).hex(),
        "inclusion_proofs": [
            hexes(inclusion_proof(leaves, LeafIndex(index))) for index in range(count)
        ],
        "preimage": preimage(fields).hex(),
        "commitment": commitment(fields).hex(),
    }
    if fields.kind == EVENT:
        part = AppendPart(
            key=AppendKey(fields.append_key), part=fields.part, part_count=fields.part_count
        )
        values["event_id"] = event_id_of(part)
    return values


def encoded(leaf: Leaf) -> bytes:
    return encode_leaf(
        ledger_id=leaf.ledger_id,
        position=leaf.position,
        kind=leaf.kind,
        commitment=leaf.commitment,
    )


def test_the_fixtures_are_the_frozen_ones() -> None:
    found = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in FOLDER.iterdir()}

    assert found == FILES


@pytest.mark.parametrize("name", RECORDS)
def test_every_value_of_a_record_is_computed_again(name: str) -> None:
    fixture = record_fixture(name)

    assert computed_values(fixture.fields) == fixture.values


@pytest.mark.parametrize("name", RECORDS)
def test_the_quick_commitment_is_the_same(name: str) -> None:
    fixture = record_fixture(name)
    sealed = seal(fixture.fields)

    assert sealed.commitment.hex() == fixture.values["commitment"]
    assert quick_commitment(fixture.fields, sealed.inner_root) == sealed.commitment


@pytest.mark.parametrize("name", RECORDS)
def test_the_frozen_bytes_read_back(name: str) -> None:
    fixture = record_fixture(name)
    lengths = decode_lengths(bytes.fromhex(str(fixture.values["lengths"])))
    parsed = parse_preimage(bytes.fromhex(str(fixture.values["preimage"])))

    assert (lengths, fixture.fields.content) == join_bodies(fixture.bodies)
    assert split_bodies(lengths, fixture.fields.content) == list(fixture.bodies)
    assert parsed.append_key == fixture.fields.append_key
    assert parsed.content_digest.hex() == fixture.values["content_digest"]
    assert parsed.inner_root.hex() == fixture.values["inner_root"]


@pytest.mark.parametrize("name", RECORDS)
def test_every_frozen_event_is_disclosed_against_the_frozen_commitment(name: str) -> None:
    fixture = record_fixture(name)
    expected = Digest(bytes.fromhex(str(fixture.values["commitment"])))
    for index, body in enumerate(fixture.bodies):
        disclosure = disclose(fixture.fields, LeafIndex(index))

        assert disclosure.body == body
        verify_disclosure(disclosure, expected)


def test_the_leaf_is_computed_again() -> None:
    fixture = leaves_fixture("leaf")
    (leaf,) = fixture.leaves
    data = encoded(leaf)

    assert fixture.values == {
        "leaf": data.hex(),
        "leaf_index": leaf_index_of(leaf.position),
        "leaf_hash": leaf_hash(data).hex(),
    }
    assert parse_leaf(data) == leaf
    assert leaf.commitment.hex() == record_fixture("event").values["commitment"]


def test_every_value_of_the_tree_is_computed_again() -> None:
    fixture = leaves_fixture("tree")
    data = [encoded(leaf) for leaf in fixture.leaves]
    hashes = [leaf_hash(item) for item in data]
    size = len(hashes)

    assert fixture.values == {
        "leaves": hexes(data),
        "leaf_hashes": hexes(hashes),
        "roots": [tree_root(hashes[:end]).hex() for end in range(size + 1)],
        "inclusion_proofs": [
            hexes(inclusion_proof(hashes, LeafIndex(index))) for index in range(size)
        ],
        "consistency_proofs": [
            hexes(consistency_proof(hashes, TreeSize(old))) for old in range(1, size + 1)
        ],
    }


def test_the_tree_grows_through_the_frozen_roots() -> None:
    fixture = leaves_fixture("tree")
    tree = CompactTree()
    grown = [tree.root().hex()]
    for leaf in fixture.leaves:
        tree.append(leaf_hash(encoded(leaf)))
        grown.append(tree.root().hex())

    assert grown == fixture.values["roots"]


def test_the_proofs_of_the_tree_are_accepted() -> None:
    hashes = [leaf_hash(encoded(leaf)) for leaf in leaves_fixture("tree").leaves]
    size, root = TreeSize(len(hashes)), tree_root(hashes)
    for place, leaf in enumerate(hashes):
        old = TreeSize(place + 1)
        index = LeafIndex(place)

        verify_inclusion(
            leaf, index=index, size=size, proof=inclusion_proof(hashes, index), root=root
        )
        verify_consistency(
            old_size=old,
            new_size=size,
            old_root=tree_root(hashes[:old]),
            new_root=root,
            proof=consistency_proof(hashes, old),
        )
