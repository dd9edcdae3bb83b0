"""RFC 6962 trees: roots, a compact growing tree, inclusion and consistency proofs.

Invariants:
1. Leaves are hashed as SHA-256(0x00 || data), nodes as SHA-256(0x01 || left || right).
2. A proof's sizes, digests and exact length are checked before anything is hashed.
3. `CompactTree` gives the root that `tree_root` gives for the same leaves, at every size.

Source: RFC 6962 sections 2.1, 2.1.1, 2.1.2; RFC 9162 sections 2.1.3.2, 2.1.4.2 for the checks.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from ledger.integrity.problems import ProofError, RootMismatchError
from ledger.types import DIGEST_BYTES, Digest, LeafIndex, TreeSize

EMPTY_ROOT: Final = Digest(hashlib.sha256(b"").digest())
_LEAF: Final = b"\x00"
_NODE: Final = b"\x01"


def leaf_hash(data: bytes) -> Digest:
    """Return the hash of a leaf."""
    return Digest(hashlib.sha256(_LEAF + data).digest())


def node_hash(left: Digest, right: Digest) -> Digest:
    """Return the hash of an inner node."""
    return Digest(hashlib.sha256(_NODE + left + right).digest())


def tree_root(leaves: Sequence[Digest]) -> Digest:
    """Return the root over leaf hashes, in order; `EMPTY_ROOT` for none."""
    if not leaves:
        return EMPTY_ROOT
    sha256 = hashlib.sha256
    level: list[bytes] = list(leaves)
    while len(level) > 1:
        # A last node without a sibling rises unchanged: that is the tree of RFC 6962.
        pairs = zip(level[::2], level[1::2], strict=False)
        above = [sha256(_NODE + left + right).digest() for left, right in pairs]
        if len(level) % 2:
            above.append(level[-1])
        level = above
    return Digest(level[0])


@dataclass(slots=True)
class CompactTree:
    """A tree that grows leaf by leaf and keeps one digest for each full subtree."""

    size: int = 0
    """Number of leaves."""
    subtrees: list[Digest] = field(default_factory=list)
    """Roots of the full subtrees, largest first: one for each bit of `size`."""

    def append(self, leaf: Digest) -> None:
        """Add a leaf hash."""
        carried = leaf
        ones = (~self.size & (self.size + 1)).bit_length() - 1
        for _ in range(ones):
            carried = node_hash(self.subtrees.pop(), carried)
        self.subtrees.append(carried)
        self.size += 1

    def root(self) -> Digest:
        """Return the root over all leaves so far."""
        if not self.subtrees:
            return EMPTY_ROOT
        root = self.subtrees[-1]
        for left in reversed(self.subtrees[:-1]):
            root = node_hash(left, root)
        return root


def inclusion_proof(leaves: Sequence[Digest], index: LeafIndex) -> tuple[Digest, ...]:
    """Return the proof that a leaf is in the tree over `leaves`, lowest sibling first.

    Raises:
        ProofError: there is no such leaf.
    """
    if not 0 <= index < len(leaves):
        raise ProofError(reason=f"leaf {index} of a tree of {len(leaves)}")
    if len(leaves) == 1:
        return ()
    split = _split(len(leaves))
    if index < split:
        return (*inclusion_proof(leaves[:split], index), tree_root(leaves[split:]))
    rest = inclusion_proof(leaves[split:], LeafIndex(index - split))
    return (*rest, tree_root(leaves[:split]))


def root_of_inclusion(
    leaf: Digest, *, index: LeafIndex, size: TreeSize, proof: Sequence[Digest]
) -> Digest:
    """Return the root that an inclusion proof leads to.

    Raises:
        ProofError: the sizes, digests or length of the proof cannot be.
    """
    if not 0 <= index < size:
        raise ProofError(reason=f"leaf {index} of a tree of {size}")
    _check_digests((leaf, *proof))
    expected = _inclusion_length(index, size)
    if len(proof) != expected:
        raise ProofError(reason=f"{len(proof)} digests, {expected} expected")
    place, last, root = int(index), size - 1, leaf
    for sibling in proof:
        if place % 2 or place == last:
            root = node_hash(sibling, root)
            while place % 2 == 0 and place:
                place, last = place >> 1, last >> 1
        else:
            root = node_hash(root, sibling)
        place, last = place >> 1, last >> 1
    return root


def verify_inclusion(
    leaf: Digest, *, index: LeafIndex, size: TreeSize, proof: Sequence[Digest], root: Digest
) -> None:
    """Check that a leaf is in the tree of a root.

    Raises:
        ProofError: the proof cannot be one.
        RootMismatchError: it leads to another root.
    """
    computed = root_of_inclusion(leaf, index=index, size=size, proof=proof)
    if computed != root:
        raise RootMismatchError(computed=computed, expected=root)


def consistency_proof(leaves: Sequence[Digest], old_size: TreeSize) -> tuple[Digest, ...]:
    """Return the proof that the tree over `leaves` begins with its first `old_size` leaves.

    Raises:
        ProofError: the old size is 0 or beyond the tree: nothing could be proved.
    """
    if not 0 < old_size <= len(leaves):
        raise ProofError(reason=f"old size {old_size} of a tree of {len(leaves)}")
    return tuple(_subproof(leaves, old_size, whole=True))


def _subproof(leaves: Sequence[Digest], old_size: int, *, whole: bool) -> list[Digest]:
    if old_size == len(leaves):
        return [] if whole else [tree_root(leaves)]
    split = _split(len(leaves))
    if old_size <= split:
        return [*_subproof(leaves[:split], old_size, whole=whole), tree_root(leaves[split:])]
    rest = _subproof(leaves[split:], old_size - split, whole=False)
    return [*rest, tree_root(leaves[:split])]


def verify_consistency(
    *,
    old_size: TreeSize,
    new_size: TreeSize,
    old_root: Digest,
    new_root: Digest,
    proof: Sequence[Digest],
) -> None:
    """Check that a tree grew from another one without changing it.

    Raises:
        ProofError: the sizes, digests or length of the proof cannot be.
        RootMismatchError: the proof leads to another old or new root.
    """
    if not 0 < old_size <= new_size:
        raise ProofError(reason=f"old size {old_size} of a tree of {new_size}")
    _check_digests((old_root, new_root, *proof))
    expected = _consistency_length(old_size, new_size)
    if len(proof) != expected:
        raise ProofError(reason=f"{len(proof)} digests, {expected} expected")
    if old_size == new_size:
        _expect(old_root, new_root)
        return
    steps = list(proof)
    if old_size & (old_size - 1) == 0:
        steps.insert(0, old_root)
    place, last = old_size - 1, new_size - 1
    while place % 2:
        place, last = place >> 1, last >> 1
    old = new = steps[0]
    for sibling in steps[1:]:
        if place % 2 or place == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while place % 2 == 0 and place:
                place, last = place >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        place, last = place >> 1, last >> 1
    _expect(old, old_root)
    _expect(new, new_root)


def _expect(computed: Digest, expected: Digest) -> None:
    if computed != expected:
        raise RootMismatchError(computed=computed, expected=expected)


def _split(size: int) -> int:
    """Return the largest power of two below `size`, which is at least 2."""
    return 1 << ((size - 1).bit_length() - 1)


def _inclusion_length(index: int, size: int) -> int:
    inner = (index ^ (size - 1)).bit_length()
    return inner + (index >> inner).bit_count()


def _consistency_length(old_size: int, new_size: int) -> int:
    if old_size == new_size:
        return 0
    # The old tree's last full subtree begins the proof, unless the old tree is that subtree.
    shift = (old_size & -old_size).bit_length() - 1
    place, last = (old_size - 1) >> shift, (new_size - 1) >> shift
    inner = (place ^ last).bit_length()
    start = 0 if old_size & (old_size - 1) == 0 else 1
    return start + inner + (place >> inner).bit_count()


def _check_digests(digests: Sequence[bytes]) -> None:
    for digest in digests:
        if len(digest) != DIGEST_BYTES:
            raise ProofError(reason=f"a digest of {len(digest)} bytes")
