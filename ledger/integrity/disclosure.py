"""Show one event of a block, and nothing of its neighbours.

Source: docs/formats/block.md, disclosure.
"""

import hashlib
from dataclasses import dataclass

from ledger.integrity.block import (
    SALT_BYTES,
    check_content,
    inner_leaf,
    inner_leaves,
    inner_salt,
    split_bodies,
)
from ledger.integrity.commitment import Preimage, RecordFields, parse_preimage, preimage
from ledger.integrity.merkle import inclusion_proof, verify_inclusion
from ledger.integrity.problems import FieldBoundsError, RootMismatchError
from ledger.types import Digest, LeafIndex, TreeSize


@dataclass(frozen=True, kw_only=True, slots=True)
class Disclosure:
    """One body with everything that proves it against the commitment of its record."""

    index: LeafIndex
    """0-based place of the body in its record."""
    body: bytes
    inner_salt: bytes
    proof: tuple[Digest, ...]
    """Inclusion in the inner tree, lowest sibling first."""
    preimage: bytes
    """Of the record's commitment."""


def disclose(fields: RecordFields, index: LeafIndex) -> Disclosure:
    """Return the disclosure of one body.

    Raises:
        FieldBoundsError: there is no such body, or the fields are out of bounds.
    """
    check_content(fields.lengths, fields.content)
    if not 0 <= index < len(fields.lengths):
        raise FieldBoundsError(field="index", reason=f"{index} of {len(fields.lengths)} bodies")
    leaves = inner_leaves(fields.salt, fields.lengths, fields.content)
    return Disclosure(
        index=index,
        body=split_bodies(fields.lengths, fields.content)[index],
        inner_salt=inner_salt(fields.salt, index),
        proof=inclusion_proof(leaves, index),
        preimage=preimage(fields),
    )


def verify_disclosure(disclosure: Disclosure, commitment: Digest) -> Preimage:
    """Check a disclosure and return what its preimage says of the record.

    Raises:
        RootMismatchError: the preimage does not give the commitment, or the body is not in it.
        FieldBoundsError: the inner salt is not one.
        PreimageError: the preimage cannot be taken apart.
        ProofError: the proof cannot be one.
    """
    computed = hashlib.sha256(disclosure.preimage).digest()
    if computed != commitment:
        raise RootMismatchError(computed=computed, expected=commitment)
    # Salt and body are hashed one after the other: only the salt's length says where it ends.
    if len(disclosure.inner_salt) != SALT_BYTES:
        raise FieldBoundsError(
            field="inner_salt", reason=f"{len(disclosure.inner_salt)} bytes, not {SALT_BYTES}"
        )
    record = parse_preimage(disclosure.preimage)
    verify_inclusion(
        inner_leaf(disclosure.inner_salt, disclosure.body),
        index=disclosure.index,
        size=TreeSize(record.event_count),
        proof=disclosure.proof,
        root=record.inner_root,
    )
    return record
