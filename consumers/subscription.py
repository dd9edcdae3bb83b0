"""Follow a feed from a position: replay silently up to it, then hand on every group once.

Invariants:
1. Groups are handed on in order of position, each whole, none twice within a run.
2. Whoever starts again with the position of the last group handled misses nothing and sees
   nothing twice.
3. A gap in the positions stops the subscription: nothing is skipped.

Source: rulings 21; docs/subscribing.md.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from ledger.errors import PositionGapError
from ledger.feed import READ_BATCH_EVENTS, Feed, RecordedEvent
from ledger.types import BEFORE_FIRST, Position

U = TypeVar("U")


@dataclass(frozen=True, kw_only=True, slots=True)
class Group(Generic[U]):
    """The updates of one record."""

    position: Position
    updates: Sequence[U]


class Subscription(Generic[U]):
    """Reads a feed and yields groups of updates."""

    def __init__(
        self,
        feed: Feed,
        *,
        derive: Callable[[RecordedEvent], Sequence[U]],
        after: Position = BEFORE_FIRST,
        wait: Callable[[], bool] | None = None,
    ) -> None:
        """Prepare a subscription; nothing is read yet.

        Args:
            feed: where records come from.
            derive: folds one record and returns its updates; called for every record from the
                first one on, since what an update says depends on all records before.
            after: position of the last group that was handled; 0 for none.
            wait: called at the head; False ends the subscription. None ends it at the head.
        """
        self._feed = feed
        self._derive = derive
        self._after = after
        self._wait = wait
        self.position = BEFORE_FIRST
        """Position of the last record read."""

    def groups(self) -> Iterator[Group[U]]:
        """Yield the groups after the given position, in order.

        Raises:
            PositionGapError: a record is missing.
        """
        while True:
            batch = self._feed.read(after=self.position, limit=READ_BATCH_EVENTS)
            for recorded in batch:
                if recorded.position != self.position + 1:
                    raise PositionGapError(after=self.position, found=recorded.position)
                self.position = recorded.position
                updates = self._derive(recorded)
                if updates and recorded.position > self._after:
                    yield Group(position=recorded.position, updates=updates)
            if not batch and (self._wait is None or not self._wait()):
                return
