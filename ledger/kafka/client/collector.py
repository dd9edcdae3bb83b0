"""The collector of cycles, held back while many messages are in hand.

Messages are tuples, and the collector looks at all of them again and again, though none is part of
a cycle: a third of the time that reading takes. So it runs seldom while partitions are read or the
ledger is published; it is the interpreter's, so all who want that are counted.

Source: docs/performance.md, Kafka.
"""

import contextlib
import gc
import threading
from collections.abc import Iterator
from typing import Final

SELDOM: Final = 200_000
"""New objects after which the collector looks at them; 700 is the interpreter's own number."""

_lock = threading.Lock()
_before: list[tuple[int, int, int]] = []
"""Thresholds as they were, once for each that wants it seldom."""


@contextlib.contextmanager
def seldom_collected() -> Iterator[None]:
    """Have the collector run seldom until the last one leaves."""
    with _lock:
        _before.append(gc.get_threshold() if not _before else _before[0])
        gc.set_threshold(SELDOM, *_before[0][1:])
    try:
        yield
    finally:
        with _lock:
            own = _before.pop()
            if not _before:
                gc.set_threshold(*own)
