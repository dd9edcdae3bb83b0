"""A message as it stands at an offset, before anything of it was judged.

Source: docs/adr/0015-inbox.md.
"""

from collections.abc import Sequence
from typing import Protocol

RawHeaders = Sequence[tuple[str, bytes | None]]


class RawMessage(Protocol):
    """What stands at an offset; nothing of it was judged."""

    @property
    def offset(self) -> int:
        """Place in the partition, from 0."""

    @property
    def timestamp(self) -> int:
        """Milliseconds since 1970, as the producer or the broker says."""

    @property
    def key(self) -> bytes | None:
        """Key; None when it has none."""

    @property
    def value(self) -> bytes | None:
        """Value; None when it has none."""

    @property
    def headers(self) -> RawHeaders:
        """Headers in order; a name may stand twice."""
