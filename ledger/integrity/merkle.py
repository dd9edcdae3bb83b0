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


def leaf_hash(data):
    return hashlib.sha256(b"\x00"+data).digest()


class CompactTree:
    def __init__(self): self.size=0; self._h=[]
    def append(self, h):
        self._h.append(h); self.size+=1
    def root(self): return tree_root(self._h) if self._h else hashlib.sha256().digest()
