"""Bodies of a record: length vector, salts, content digest, inner Merkle root.

Source: docs/formats/block.md.
"""

import hashlib
import hmac
import struct
from collections.abc import Sequence

from ledger.integrity.merkle import tree_root
from ledger.types import Digest


def derived_salt(salt: bytes, purpose: str) -> bytes:
    """Return a salt that reveals neither the record's salt nor another purpose's."""
    return hmac.digest(salt, f"registro/salt/{purpose}/v1".encode(), "sha256")


def encode_lengths(lengths: Sequence[int]) -> bytes:
    """Return the length vector: u32 big-endian each."""
    return struct.pack(f">{len(lengths)}I", *lengths)


def decode_lengths(data: bytes) -> tuple[int, ...]:
    """Return the lengths of a vector."""
    if len(data) % 4:
        raise ValueError("the length vector is not a multiple of 4 bytes")
    return struct.unpack(f">{len(data) // 4}I", data)


def content_digest(salt: bytes, lengths: Sequence[int], content: bytes) -> Digest:
    """Return the salted digest of all bodies and their lengths."""
    state = hashlib.sha256(b"registro/content/v1\n" + derived_salt(salt, "content"))
    state.update(struct.pack(">I", len(lengths)))
    state.update(encode_lengths(lengths))
    state.update(content)
    return Digest(state.digest())


def inner_root(salt: bytes, lengths: Sequence[int], content: bytes) -> Digest:
    """Return the root over the salted inner leaves."""
    key = derived_salt(salt, "inner")
    leaves = []
    start = 0
    for index, length in enumerate(lengths):
        inner = hashlib.sha256(key + struct.pack(">I", index)).digest()
        leaves.append(
            Digest(hashlib.sha256(b"\x00" + inner + content[start : start + length]).digest())
        )
        start += length
    return tree_root(leaves)
