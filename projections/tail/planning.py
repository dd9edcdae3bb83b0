"""Cut what the ledger holds into windows, each of which becomes visible at once.

Invariants:
1. Windows join without gaps, and none holds more than `WINDOW_RECORDS` records.

Source: docs/adr/0018-live-tail.md.
"""

from typing import Final

from ledger.errors import PositionGapError
from ledger.records import BlockHeader
from ledger.store.store import Store
from ledger.types import Position
from projections.tail.handover import Window

WINDOW_RECORDS: Final = 512
"""Most records of a window: two million facts."""


def windows_of(store: Store, *, after: int, head: int) -> list[Window]:
    """Return the windows of a range, in order.

    Args:
        store: of the ledger.
        after: exclusive lower bound.
        head: inclusive upper bound.

    Raises:
        PositionGapError: a record is missing.
    """
    found: list[Window] = []
    while after < head:
        found.append(_window(store, after, min(after + WINDOW_RECORDS, head)))
        after = found[-1].through
    return found


def _window(store: Store, after: int, through: int) -> Window:
    facts = events = 0
    last = after
    for one in store.outline(
        after=Position(after), through=Position(through), limit=WINDOW_RECORDS
    ):
        if one.position != last + 1:
            raise PositionGapError(after=last, found=one.position)
        last = one.position
        if isinstance(one, BlockHeader):
            facts += one.event_count
            events += one.event_count
        else:
            events += one.record.event_count
    if last != through:
        raise PositionGapError(after=last, found=through)
    return Window(after=after, through=through, facts=facts, events=events)
