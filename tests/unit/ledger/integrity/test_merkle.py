"""RFC 6962 trees: against a slow recursive reference, public vectors and bad proofs."""

import base64
import hashlib
import json
import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ledger.integrity.merkle import (
    EMPTY_ROOT,
    CompactTree,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root_of_inclusion,
    tree_root,
    verify_consistency,
    verify_inclusion,
)
from ledger.integrity.problems import IntegrityFormatError, ProofError, RootMismatchError
from ledger.types import Digest, LeafIndex, TreeSize

ROOT = Path(__file__).parents[4]
VECTORS = Path(os.environ.get("REGISTRO_VECTORS") or ROOT.parent / "shared/vectors/rfc6962")
SIZES = range(1, 131)
DATA = [b"leaf %d" % number for number in range(130)]
LEAVES = [Digest(hashlib.sha256(b"\x00" + data).digest()) for data in DATA]
KNOWN_LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657"]
KNOWN_ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
]
"""Roots by size over `KNOWN_LEAVES`: the sample tree of the certificate transparency projects."""


# The reference: RFC 6962 section 2.1 word for word, over ranges of DATA so that it can be cached.


def split_of(size: int) -> int:
    power = 1
    while power * 2 < size:
        power *= 2
    return power


@cache
def mth(begin: int, end: int) -> Digest:
    """MTH(D[begin:end]), section 2.1."""
    size = end - begin
    if size == 0:
        return Digest(hashlib.sha256(b"").digest())
    if size == 1:
        return Digest(hashlib.sha256(b"\x00" + DATA[begin]).digest())
    middle = begin + split_of(size)
    return Digest(hashlib.sha256(b"\x01" + mth(begin, middle) + mth(middle, end)).digest())


def path(index: int, begin: int, end: int) -> list[Digest]:
    """PATH(m, D[begin:end]), section 2.1.1."""
    size = end - begin
    if size == 1:
        return []
    split = split_of(size)
    middle = begin + split
    if index < split:
        return [*path(index, begin, middle), mth(middle, end)]
    return [*path(index - split, middle, end), mth(begin, middle)]


def subproof(old: int, begin: int, end: int, *, whole: bool) -> list[Digest]:
    """SUBPROOF(m, D[begin:end], b), section 2.1.2."""
    size = end - begin
    if old == size:
        return [] if whole else [mth(begin, end)]
    split = split_of(size)
    middle = begin + split
    if old <= split:
        return [*subproof(old, begin, middle, whole=whole), mth(middle, end)]
    return [*subproof(old - split, middle, end, whole=False), mth(begin, middle)]


def included(
    index: int, size: int, proof: Sequence[bytes], *, leaf: bytes | None = None, root: bytes = b""
) -> None:
    """Verify a proof; leaf and root are those of the sample tree unless given."""
    verify_inclusion(
        Digest(LEAVES[index] if leaf is None else leaf),
        index=LeafIndex(index),
        size=TreeSize(size),
        proof=[Digest(step) for step in proof],
        root=Digest(root or mth(0, size)),
    )


def consistent(
    old: int, new: int, proof: Sequence[bytes], *, roots: tuple[bytes, bytes] | None = None
) -> None:
    """Verify a proof; the roots are those of the sample tree unless given."""
    old_root, new_root = roots or (mth(0, old), mth(0, new))
    verify_consistency(
        old_size=TreeSize(old),
        new_size=TreeSize(new),
        old_root=Digest(old_root),
        new_root=Digest(new_root),
        proof=[Digest(step) for step in proof],
    )


def flipped(digest: bytes, bit: int) -> Digest:
    changed = bytearray(digest)
    changed[bit // 8] ^= 1 << bit % 8
    return Digest(bytes(changed))


def damaged(proof: Sequence[Digest], *, seed: int) -> list[list[Digest]]:
    """Every proof of one change: a bit, a step less, a step more, a step doubled, two swapped."""
    other = Digest(hashlib.sha256(b"other").digest())
    bad = []
    for place, step in enumerate(proof):
        before, after = list(proof[:place]), list(proof[place + 1 :])
        bad.append([*before, flipped(step, (seed + 37 * place) % 256), *after])
        bad.append([*before, *after])
        bad.append([*before, step, step, *after])
        if after:
            bad.append([*before, after[0], step, *after[1:]])
    bad.extend([[*proof, other], [other, *proof]])
    return bad


# Roots


def test_hashes_of_leaf_and_node_have_their_own_prefixes() -> None:
    left, right = LEAVES[0], LEAVES[1]

    assert leaf_hash(b"abc") == hashlib.sha256(b"\x00abc").digest()
    assert node_hash(left, right) == hashlib.sha256(b"\x01" + left + right).digest()
    assert leaf_hash(left + right) != node_hash(left, right)


def test_the_empty_tree_has_the_digest_of_nothing() -> None:
    assert hashlib.sha256(b"").digest() == EMPTY_ROOT
    assert tree_root([]) == EMPTY_ROOT
    assert CompactTree().root() == EMPTY_ROOT


def test_roots_are_those_published_for_the_sample_tree() -> None:
    leaves = [leaf_hash(bytes.fromhex(text)) for text in KNOWN_LEAVES]

    roots = [tree_root(leaves[:size]).hex() for size in range(len(leaves) + 1)]

    assert roots == KNOWN_ROOTS


@pytest.mark.parametrize("size", SIZES)
def test_root_equals_the_reference_at_every_size(size: int) -> None:
    assert tree_root(LEAVES[:size]) == mth(0, size)


def test_a_growing_tree_has_the_root_of_the_reference_at_every_size() -> None:
    tree = CompactTree()
    for size in SIZES:
        tree.append(LEAVES[size - 1])

        assert tree.size == size
        assert tree.root() == mth(0, size)
        assert len(tree.subtrees) == size.bit_count()


@pytest.mark.property
@settings(max_examples=100)
@given(st.lists(st.binary(max_size=40), max_size=40), st.data())
def test_growing_gives_the_same_root_as_computing_at_once(
    bodies: list[bytes], data: st.DataObject
) -> None:
    leaves = [leaf_hash(body) for body in bodies]
    seen = data.draw(st.integers(0, len(leaves)))
    tree = CompactTree()

    for leaf in leaves[:seen]:
        tree.append(leaf)
    early = tree.root()
    for leaf in leaves[seen:]:
        tree.append(leaf)

    assert early == tree_root(leaves[:seen])
    assert tree.root() == tree_root(leaves)


@pytest.mark.property
@settings(max_examples=100)
@given(st.lists(st.binary(max_size=8), min_size=1, max_size=30), st.data())
def test_any_changed_lost_or_moved_leaf_changes_the_root(
    bodies: list[bytes], data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(bodies) - 1))
    target = data.draw(st.integers(0, len(bodies) - 1))
    leaves = [leaf_hash(body) for body in bodies]
    root = tree_root(leaves)
    changed = [*leaves[:place], leaf_hash(bodies[place] + b"x"), *leaves[place + 1 :]]
    lost = [*leaves[:place], *leaves[place + 1 :]]
    moved = [*lost[:target], leaves[place], *lost[target:]]

    assert tree_root(changed) != root
    assert tree_root(lost) != root
    assert (tree_root(moved) == root) == (moved == leaves)


# Inclusion


@pytest.mark.parametrize("size", SIZES)
def test_inclusion_proofs_equal_the_reference_and_are_accepted(size: int) -> None:
    for index in range(size):
        proof = inclusion_proof(LEAVES[:size], LeafIndex(index))

        assert list(proof) == path(index, 0, size)
        included(index, size, proof)


@pytest.mark.parametrize("size", range(1, 34))
def test_refuses_every_damaged_inclusion_proof(size: int) -> None:
    for index in range(size):
        for bad in damaged(path(index, 0, size), seed=index):
            with pytest.raises((ProofError, RootMismatchError)):
                included(index, size, bad)


@pytest.mark.parametrize("size", range(2, 34))
def test_refuses_an_inclusion_proof_at_another_index(size: int) -> None:
    for index in range(size):
        proof = path(index, 0, size)
        for other in set(range(size)) - {index}:
            with pytest.raises((ProofError, RootMismatchError)):
                included(other, size, proof, leaf=LEAVES[index])


@pytest.mark.parametrize("size", range(1, 34))
def test_refuses_another_leaf_and_another_root(size: int) -> None:
    for index in range(size):
        proof = path(index, 0, size)
        with pytest.raises(RootMismatchError):
            included(index, size, proof, leaf=flipped(LEAVES[index], index))
        with pytest.raises(RootMismatchError):
            included(index, size, proof, root=flipped(mth(0, size), index))
        with pytest.raises(RootMismatchError):
            included(index, size, proof, root=mth(0, size + 1))


def test_a_root_mismatch_names_both_roots() -> None:
    wrong = flipped(mth(0, 5), 0)

    with pytest.raises(RootMismatchError) as caught:
        included(2, 5, path(2, 0, 5), root=wrong)

    assert caught.value.facts == {"computed": mth(0, 5).hex(), "expected": wrong.hex()}


@pytest.mark.parametrize(("index", "size"), [(-1, 3), (3, 3), (4, 3), (0, 0), (0, -1), (-1, 0)])
def test_refuses_an_index_outside_the_tree(index: int, size: int) -> None:
    with pytest.raises(ProofError, match=f"leaf {index} of a tree of {size}"):
        included(index, size, [], leaf=LEAVES[0], root=LEAVES[0])


@pytest.mark.parametrize("index", [-1, 5, 6])
def test_makes_no_inclusion_proof_outside_the_tree(index: int) -> None:
    with pytest.raises(ProofError):
        inclusion_proof(LEAVES[:5], LeafIndex(index))


def test_makes_no_inclusion_proof_in_the_empty_tree() -> None:
    with pytest.raises(ProofError):
        inclusion_proof([], LeafIndex(0))


@pytest.mark.parametrize("length", [0, 1, 31, 33, 64])
def test_refuses_leaf_and_steps_that_are_no_digests(length: int) -> None:
    proof = path(2, 0, 5)
    odd = b"\x00" * length

    with pytest.raises(ProofError, match=f"a digest of {length} bytes"):
        included(2, 5, proof, leaf=odd)
    with pytest.raises(ProofError, match=f"a digest of {length} bytes"):
        included(2, 5, [proof[0], odd, *proof[2:]])


@pytest.mark.parametrize(
    ("index", "size", "steps"), [(0, 1, 0), (0, 2, 1), (4, 5, 1), (0, 5, 3), (129, 130, 2)]
)
def test_refuses_a_proof_of_any_other_length(index: int, size: int, steps: int) -> None:
    for length in set(range(10)) - {steps}:
        with pytest.raises(ProofError, match=f"{length} digests, {steps} expected"):
            included(index, size, [LEAVES[0]] * length)


def test_finds_the_root_at_the_largest_sizes_at_once() -> None:
    size = 2**63 - 1
    expected = LEAVES[0]
    for step in LEAVES[1:64]:
        expected = node_hash(expected, step)

    root = root_of_inclusion(LEAVES[0], index=LeafIndex(0), size=TreeSize(size), proof=LEAVES[1:64])

    assert root == expected


@pytest.mark.property
@settings(max_examples=100)
@given(st.data())
def test_refuses_made_up_inclusion_proofs(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 130))
    index = data.draw(st.integers(0, size - 1))
    good = path(index, 0, size)
    made = data.draw(st.lists(st.binary(min_size=32, max_size=32), max_size=9))
    assume(made != good)

    with pytest.raises(IntegrityFormatError):
        included(index, size, made)


# Consistency


@pytest.mark.parametrize("size", SIZES)
def test_consistency_proofs_equal_the_reference_and_are_accepted(size: int) -> None:
    for old in range(1, size + 1):
        proof = consistency_proof(LEAVES[:size], TreeSize(old))

        assert list(proof) == subproof(old, 0, size, whole=True)
        consistent(old, size, proof)


@pytest.mark.parametrize("size", range(1, 34))
def test_refuses_every_damaged_consistency_proof(size: int) -> None:
    for old in range(1, size + 1):
        for bad in damaged(subproof(old, 0, size, whole=True), seed=old):
            with pytest.raises((ProofError, RootMismatchError)):
                consistent(old, size, bad)


@pytest.mark.parametrize("size", range(1, 34))
def test_refuses_other_roots_and_swapped_roots(size: int) -> None:
    for old in range(1, size + 1):
        proof = subproof(old, 0, size, whole=True)
        old_root, new_root = mth(0, old), mth(0, size)
        bad = [(flipped(old_root, old), new_root), (old_root, flipped(new_root, old))]
        if old < size:
            bad.extend([(new_root, old_root), (new_root, new_root), (old_root, old_root)])
        for roots in bad:
            with pytest.raises(RootMismatchError):
                consistent(old, size, proof, roots=roots)


@pytest.mark.parametrize("place", range(7))
def test_a_tree_with_another_past_is_refused(place: int) -> None:
    forged = [*LEAVES[:place], leaf_hash(b"forged"), *LEAVES[place + 1 : 12]]
    proof = consistency_proof(forged, TreeSize(7))

    with pytest.raises(RootMismatchError):
        consistent(7, 12, proof, roots=(mth(0, 7), tree_root(forged)))


@pytest.mark.parametrize(("old", "new"), [(0, 0), (0, 5), (-1, 5), (6, 5), (1, 0), (-2, -1)])
def test_refuses_sizes_that_prove_nothing(old: int, new: int) -> None:
    with pytest.raises(ProofError, match=f"old size {old} of a tree of {new}"):
        consistent(old, new, [], roots=(EMPTY_ROOT, EMPTY_ROOT))


@pytest.mark.parametrize("old", [-1, 0, 6])
def test_makes_no_consistency_proof_outside_the_tree(old: int) -> None:
    with pytest.raises(ProofError):
        consistency_proof(LEAVES[:5], TreeSize(old))


@pytest.mark.parametrize("length", [0, 31, 33])
def test_refuses_roots_and_steps_that_are_no_digests(length: int) -> None:
    proof = subproof(3, 0, 7, whole=True)
    roots = (mth(0, 3), mth(0, 7))
    odd = b"\x00" * length

    with pytest.raises(ProofError):
        consistent(3, 7, [*proof[:-1], odd], roots=roots)
    with pytest.raises(ProofError):
        consistent(3, 7, proof, roots=(odd, roots[1]))
    with pytest.raises(ProofError):
        consistent(3, 7, proof, roots=(roots[0], odd))


@pytest.mark.parametrize(
    ("old", "new", "steps"), [(1, 1, 0), (1, 2, 1), (2, 3, 1), (3, 4, 3), (4, 8, 1), (6, 8, 3)]
)
def test_refuses_a_consistency_proof_of_any_other_length(old: int, new: int, steps: int) -> None:
    for length in set(range(7)) - {steps}:
        with pytest.raises(ProofError, match=f"{length} digests, {steps} expected"):
            consistent(old, new, [LEAVES[0]] * length)


def test_a_size_is_bound_by_its_head_and_not_by_a_proof() -> None:
    """Why size and root must come from one head: RFC 6962 proofs alone leave the size open."""
    included(0, 3, path(0, 0, 3))
    included(0, 4, path(0, 0, 3), root=mth(0, 3))
    consistent(2, 4, subproof(2, 0, 3, whole=True), roots=(mth(0, 2), mth(0, 3)))


@pytest.mark.property
@settings(max_examples=100)
@given(st.data())
def test_refuses_made_up_consistency_proofs(data: st.DataObject) -> None:
    new = data.draw(st.integers(1, 130))
    old = data.draw(st.integers(1, new))
    good = subproof(old, 0, new, whole=True)
    made = data.draw(st.lists(st.binary(min_size=32, max_size=32), max_size=9))
    assume(made != good)

    with pytest.raises(IntegrityFormatError):
        consistent(old, new, made)


# Public vectors

STRICTER = {"sizes-are-equal-one-and-proof-is-empty.json"}
"""Accepted by the vectors, refused here: the two equal roots are 12 bytes of text, no digests."""


def vector_files(kind: str) -> list[Path]:
    return sorted((VECTORS / kind).rglob("*.json"))


def vectors_of(kind: str) -> list[object]:
    """One case for each file; one skipped case where the folder is absent."""
    files = vector_files(kind)
    if not files:
        reason = "the public RFC 6962 vectors are absent: REGISTRO_VECTORS names their folder"
        return [pytest.param(None, marks=pytest.mark.skip(reason=reason), id="absent")]
    return [pytest.param(file, id=str(file.relative_to(VECTORS / kind))) for file in files]


def raw(text: str | None) -> bytes:
    return base64.b64decode(text or "", validate=True)


@pytest.mark.parametrize("file", vectors_of("inclusion"))
def test_judges_public_inclusion_vectors_as_they_ask(file: Path) -> None:
    case = json.loads(file.read_text(encoding="utf-8"))

    def judge() -> None:
        verify_inclusion(
            Digest(raw(case["leafHash"])),
            index=LeafIndex(case["leafIdx"]),
            size=TreeSize(case["treeSize"]),
            proof=[Digest(raw(step)) for step in case["proof"] or ()],
            root=Digest(raw(case["root"])),
        )

    if case["wantErr"]:
        with pytest.raises(IntegrityFormatError):
            judge()
    else:
        judge()


@pytest.mark.parametrize("file", vectors_of("consistency"))
def test_judges_public_consistency_vectors_as_they_ask(file: Path) -> None:
    case = json.loads(file.read_text(encoding="utf-8"))

    def judge() -> None:
        consistent(
            case["size1"],
            case["size2"],
            [raw(step) for step in case["proof"] or ()],
            roots=(raw(case["root1"]), raw(case["root2"])),
        )

    if case["wantErr"] or file.name in STRICTER:
        with pytest.raises(IntegrityFormatError):
            judge()
    else:
        judge()


def test_bad_public_vectors_outnumber_the_good() -> None:
    files = vector_files("inclusion") + vector_files("consistency")
    if not files:
        pytest.skip("the public RFC 6962 vectors are absent: REGISTRO_VECTORS names their folder")
    wanted = [json.loads(file.read_text(encoding="utf-8"))["wantErr"] for file in files]

    assert wanted.count(True) > 5 * wanted.count(False) > 0
