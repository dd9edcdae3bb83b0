"""Where time and randomness enter: every other module takes them from here as parameters.

Invariants:
1. Instants are aware, in UTC, with microsecond resolution.
2. Only the adapters of this module read the operating system's clock or entropy.
"""

import datetime as dt
import os
from typing import Protocol
from uuid import UUID


class Clock(Protocol):
    """Tells the present instant."""

    def now(self) -> dt.datetime:
        """Return the present instant, aware, in UTC."""
        ...


class Entropy(Protocol):
    """Gives unpredictable bytes."""

    def token(self, size: int) -> bytes:
        """Return `size` bytes that nobody can guess.

        Args:
            size: number of bytes, at least 1.
        """
        ...


class SystemClock:
    """The operating system's clock."""

    def now(self) -> dt.datetime:
        """Return the present instant in UTC."""
        return dt.datetime.now(tz=dt.UTC)


class SystemEntropy:
    """The operating system's source of randomness."""

    def token(self, size: int) -> bytes:
        """Return `size` random bytes."""
        return os.urandom(size)


def random_uuid(entropy: Entropy) -> UUID:
    """Return a version 4 UUID made from `entropy` (RFC 9562 section 5.4)."""
    return UUID(bytes=entropy.token(16), version=4)
