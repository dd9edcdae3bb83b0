"""RFC 6962 tree hashes."""

import hashlib
from collections.abc import Sequence

from ledger.types import Digest


def tree_root(leaves: Sequence[Digest]) -> Digest:
    """Return the root."""
    if not leaves:
        return Digest(hashlib.sha256(b"").digest())
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return Digest(
        hashlib.sha256(b"\x01" + tree_root(leaves[:split]) + tree_root(leaves[split:])).digest()
    )
