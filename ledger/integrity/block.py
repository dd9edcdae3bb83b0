"""Bodies of a record: salts, length vector, content digest, inner tree.

Three salts derive from the record's stored one, none of which reveals another: showing one event of
a block, with the preimage and that event's own salt, tells nothing of its neighbours.

Invariants:
1. The content digest covers count, length vector and bodies; the inner root covers every body on
   its own, salted by its index.
2. Compression is outside: the bytes here are the plain bodies.

Source: docs/formats/block.md; docs/adr/0002-record-bytes.md.
"""

import hashlib
import hmac
import struct
from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import Final, cast

from ledger.integrity.merkle import tree_root
from ledger.integrity.problems import FieldBoundsError
from ledger.types import Digest

SALT_BYTES: Final = 32
EVENTS_MAX: Final = 2**20
"""Most events in a block."""
CONTENT_BYTES_MAX: Final = 2**30
"""Longest content of a record, uncompressed."""
_LENGTH_BYTES: Final = 4
_CONTENT_DOMAIN: Final = b"registro/content/v1\n"


def derived_salt(salt: bytes, purpose: str) -> bytes:
    """Return the salt of a purpose: `outer`, `content` or `inner`."""
    return hmac.digest(salt, f"registro/salt/{purpose}/v1".encode(), "sha256")


def encode_lengths(lengths: Sequence[int]) -> bytes:
    """Return the length vector: u32 big-endian each.

    Raises:
        FieldBoundsError: a length is negative or beyond 2^32-1.
    """
    try:
        return struct.pack(f">{len(lengths)}I", *lengths)
    except struct.error as error:
        raise FieldBoundsError(field="lengths", reason="a length is no u32") from error


def decode_lengths(data: bytes) -> tuple[int, ...]:
    """Return the lengths of a vector.

    Raises:
        FieldBoundsError: the bytes are no whole number of lengths.
    """
    if len(data) % _LENGTH_BYTES:
        raise FieldBoundsError(field="lengths", reason="not a multiple of 4 bytes")
    return struct.unpack(f">{len(data) // _LENGTH_BYTES}I", data)


def join_bodies(bodies: Sequence[bytes]) -> tuple[tuple[int, ...], bytes]:
    """Return the length vector and the content of bodies."""
    return tuple(map(len, bodies)), b"".join(bodies)


def split_bodies(lengths: Sequence[int], content: bytes) -> list[bytes]:
    """Return the bodies of a content.

    Raises:
        FieldBoundsError: the lengths do not sum to the content's.
    """
    check_content(lengths, content)
    ends = list(accumulate(lengths, initial=0))
    return [content[ends[index] : ends[index + 1]] for index in range(len(lengths))]


def check_content(lengths: Sequence[int], content: bytes) -> None:
    """Refuse a content that its length vector does not describe.

    Raises:
        FieldBoundsError: count, size or sum are out of bounds.
    """
    if not 1 <= len(lengths) <= EVENTS_MAX:
        raise FieldBoundsError(
            field="event_count", reason=f"{len(lengths)} is not from 1 to {EVENTS_MAX}"
        )
    if len(content) > CONTENT_BYTES_MAX:
        raise FieldBoundsError(field="content", reason=f"more than {CONTENT_BYTES_MAX} bytes")
    if min(lengths) < 0:
        raise FieldBoundsError(field="lengths", reason="a length is negative")
    if sum(lengths) != len(content):
        raise FieldBoundsError(
            field="lengths", reason=f"they sum to {sum(lengths)}, the content has {len(content)}"
        )


def content_digest(salt: bytes, lengths: Sequence[int], content: bytes) -> Digest:
    """Return the salted digest of all bodies and their lengths."""
    state = hashlib.sha256(_CONTENT_DOMAIN + derived_salt(salt, "content"))
    state.update(struct.pack(">I", len(lengths)))
    state.update(encode_lengths(lengths))
    state.update(content)
    return Digest(state.digest())


def inner_salt(salt: bytes, index: int) -> bytes:
    """Return the salt of the body at a 0-based index."""
    return hashlib.sha256(derived_salt(salt, "inner") + index.to_bytes(4)).digest()


def inner_leaf(salt: bytes, body: bytes) -> Digest:
    """Return the inner leaf of a body under its own salt."""
    return Digest(hashlib.sha256(b"\x00" + salt + body).digest())


def inner_leaves(salt: bytes, lengths: Sequence[int], content: bytes) -> list[Digest]:
    """Return the inner leaves of all bodies, in order."""
    sha256 = hashlib.sha256
    key = derived_salt(salt, "inner")
    # Comprehensions over plain bytes: this loop is most of a deep check.
    salts = [sha256(key + index.to_bytes(4)).digest() for index in range(len(lengths))]
    ends = pairwise(accumulate(lengths, initial=0))
    leaves = [
        sha256(b"\x00" + own + content[begin:end]).digest()
        for own, (begin, end) in zip(salts, ends, strict=True)
    ]
    return cast(list[Digest], leaves)


def inner_root(salt: bytes, lengths: Sequence[int], content: bytes) -> Digest:
    """Return the root of the inner tree; for one body, its leaf."""
    return tree_root(inner_leaves(salt, lengths, content))
