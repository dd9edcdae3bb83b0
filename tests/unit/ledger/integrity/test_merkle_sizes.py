"""RFC 6962 trees of every size from 1 to 600 against the slow reference; mostly bad proofs.

Every leaf of every size up to 130 is tried by `test_merkle`; here each size has the leaves and old
sizes at which trees differ in shape, and some drawn with a fixed seed.
"""

import hashlib
import random
from collections.abc import Callable, Iterator, Sequence
from functools import cache

import pytest

from ledger.integrity.merkle import (
    CompactTree,
    consistency_proof,
    inclusion_proof,
    tree_root,
    verify_consistency,
    verify_inclusion,
)
from ledger.integrity.problems import ProofError, RootMismatchError
from ledger.types import Digest, LeafIndex, TreeSize

SIZES = range(1, 601)
DRAWN = 20
"""Leaves and old sizes drawn for each size, beside the special ones."""
LEAVES = [Digest(hashlib.sha256(b"\x00leaf %d" % number).digest()) for number in SIZES]
OTHER = Digest(hashlib.sha256(b"other").digest())


@cache
def mth(begin: int, end: int) -> Digest:
    """MTH(D[begin:end]), RFC 6962 section 2.1."""
    if end - begin == 1:
        return LEAVES[begin]
    middle = begin + split_of(end - begin)
    return Digest(hashlib.sha256(b"\x01" + mth(begin, middle) + mth(middle, end)).digest())


def split_of(size: int) -> int:
    power = 1
    while power * 2 < size:
        power *= 2
    return power


def path(index: int, begin: int, end: int) -> list[Digest]:
    """PATH(m, D[begin:end]), RFC 6962 section 2.1.1."""
    if end - begin == 1:
        return []
    split = split_of(end - begin)
    middle = begin + split
    if index < split:
        return [*path(index, begin, middle), mth(middle, end)]
    return [*path(index - split, middle, end), mth(begin, middle)]


def subproof(old: int, begin: int, end: int, *, whole: bool) -> list[Digest]:
    """SUBPROOF(m, D[begin:end], b), RFC 6962 section 2.1.2."""
    if old == end - begin:
        return [] if whole else [mth(begin, end)]
    split = split_of(end - begin)
    middle = begin + split
    if old <= split:
        return [*subproof(old, begin, middle, whole=whole), mth(middle, end)]
    return [*subproof(old - split, middle, end, whole=False), mth(begin, middle)]


def places(size: int) -> list[int]:
    """Return numbers from 0 to `size` - 1: both ends, both sides of each split, some drawn."""
    chosen = {0, size - 1, size // 2}
    left, begin = size, 0
    while left > 1:
        split = split_of(left)
        chosen |= {begin + split - 1, begin + split}
        begin, left = begin + split, left - split
    drawn = random.Random(size)  # noqa: S311 - the same in every run
    return sorted(chosen | {drawn.randrange(size) for _ in range(DRAWN)})


def damaged(proof: Sequence[Digest], *, seed: int) -> Iterator[list[Digest]]:
    """Yield proofs of one change: a step less, a step more, a bit, a doubled step, two swapped."""
    yield [*proof, OTHER]
    yield [OTHER, *proof]
    if not proof:
        return
    place = seed % len(proof)
    step = bytearray(proof[place])
    step[seed % 32] ^= 1 << seed % 8
    yield [*proof[:place], *proof[place + 1 :]]
    yield [*proof[:place], Digest(bytes(step)), *proof[place + 1 :]]
    yield [*proof[: place + 1], *proof[place:]]
    if len(proof) > 1:
        turned = list(reversed(proof))
        yield turned


def included(index: int, size: int, proof: Sequence[Digest], root: Digest) -> None:
    verify_inclusion(
        LEAVES[index], index=LeafIndex(index), size=TreeSize(size), proof=list(proof), root=root
    )


def consistent(old: int, size: int, proof: Sequence[Digest], root: Digest) -> None:
    verify_consistency(
        old_size=TreeSize(old),
        new_size=TreeSize(size),
        old_root=mth(0, old),
        new_root=root,
        proof=list(proof),
    )


Check = Callable[[int, int, Sequence[Digest], Digest], None]


def tried(check: Check, place: int, size: int, proof: Sequence[Digest]) -> int:
    """Expect that a proof is accepted, and that all its damaged forms are refused; count these."""
    root = mth(0, size)
    check(place, size, proof, root)
    wrong = [(bad, root) for bad in damaged(proof, seed=size + place)] + [(list(proof), OTHER)]
    for bad, head in wrong:
        with pytest.raises((ProofError, RootMismatchError)):
            check(place, size, bad, head)
    return len(wrong)


def test_roots_of_every_size_equal_the_reference() -> None:
    tree = CompactTree()
    for size in SIZES:
        tree.append(LEAVES[size - 1])

        assert tree.root() == mth(0, size)
        if size % 7 == 0 or size in {255, 256, 257, 511, 512, 513}:
            assert tree_root(LEAVES[:size]) == mth(0, size)


def test_inclusion_at_every_size_equals_the_reference_and_bad_proofs_are_refused() -> None:
    good = bad = 0
    for size in SIZES:
        for index in places(size):
            bad += tried(included, index, size, path(index, 0, size))
            good += 1
        sampled = random.Random(size).randrange(size)  # noqa: S311 - the same in every run
        assert list(inclusion_proof(LEAVES[:size], LeafIndex(sampled))) == path(sampled, 0, size)

    assert bad > 3 * good > 0


def test_consistency_at_every_size_equals_the_reference_and_bad_proofs_are_refused() -> None:
    good = bad = 0
    for size in SIZES:
        for old in (place + 1 for place in places(size)):
            bad += tried(consistent, old, size, subproof(old, 0, size, whole=True))
            good += 1
        sampled = random.Random(size).randint(1, size)  # noqa: S311 - the same in every run
        made = consistency_proof(LEAVES[:size], TreeSize(sampled))
        assert list(made) == subproof(sampled, 0, size, whole=True)

    assert bad > 3 * good > 0
