"""Numbers and bytes with a meaning, so that one kind is never taken for another.

Source: docs/glossary.md for the words, docs/formats/ for the bytes.
"""

from typing import Final, NewType

Position = NewType("Position", int)
"""Place of a record in the whole ledger: dense, 1-based, in commit order."""

LeafIndex = NewType("LeafIndex", int)
"""0-based place of a leaf in the ledger's RFC 6962 tree; see `ledger.integrity.leaf`."""

TreeSize = NewType("TreeSize", int)
"""Number of leaves of a tree; 0 is the empty tree."""

StreamName = NewType("StreamName", str)
"""Text key of one aggregate's sequence, for example `planning/2023`."""

StreamVersion = NewType("StreamVersion", int)
"""Place of an event in its stream: contiguous, 1-based for streams of this product."""

Digest = NewType("Digest", bytes)
"""A SHA-256 value: 32 raw bytes inside, lower-case hex on screen and in JSON."""

AppendKey = NewType("AppendKey", str)
"""Idempotency key of one append: the same key twice records once."""

DIGEST_BYTES: Final = 32
FIRST_POSITION: Final = Position(1)
BEFORE_FIRST: Final = Position(0)
"""The `after` that reads from the beginning; also the position of an empty ledger."""
