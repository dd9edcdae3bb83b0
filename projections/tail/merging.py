"""Let windows become visible: the first one that is whole, once it is proved, and so on.

Invariants:
1. A window is visible after all windows before it, whole, and as the ledger has it; or not at all.
2. What cannot become right by waiting is read again, compared with the ledger; what is not right
   even then halts the generation, or is folded from the ledger itself.

Source: docs/adr/0018-live-tail.md.
"""

import contextlib
import time
from collections.abc import Callable, Sequence
from typing import Final

from ledger.errors import ProjectionError, ReadModelMovedError
from ledger.kafka.client.connection import Broker, Partition, partition_of
from ledger.kafka.client.source import Source
from ledger.kafka.message import Address
from ledger.kafka.tails import Ledger
from ledger.store.store import FaultPoint
from projections.runner.contract import Projection
from projections.runner.views import Generation, Views
from projections.tail.desk import Desk
from projections.tail.handover import Group, HandedOnError, Window
from projections.tail.planning import WINDOW_RECORDS
from projections.tail.shares import DoubtError, first_missing, judged

HOPE_SECONDS: Final = 1.0
"""How long a window may lack facts before it is looked whether they can still come."""


class Merger:
    """What the member with the first partition does for all."""

    def __init__(
        self,
        ledger: Ledger,
        broker: Broker,
        views: Views,
        projection: Projection,
        *,
        desk: Desk,
        places: Sequence[Partition],
        catch_up: Callable[[], Generation],
        fault_point: FaultPoint,
    ) -> None:
        """Take what windows are made of.

        Args:
            ledger: what the topics hold copies of.
            broker: where they are.
            views: the read models.
            projection: one that sums facts.
            desk: where shares wait.
            places: every partition.
            catch_up: folds the live generation from the ledger.
            fault_point: of the crash tests.
        """
        self._ledger = ledger
        self._broker = broker
        self._views = views
        self._projection = projection
        self._desk = desk
        self._places = places
        self._counts = counts_of(places)
        self._catch_up = catch_up
        self._fault_point = fault_point
        self._hope_due = 0.0

    def merge(self, group: Group) -> int:
        """Make visible what is whole, window by window; return how many were.

        Args:
            group: as it stands.

        Raises:
            HandedOnError: others merged, moved the generation, or the group began anew.
            ProjectionError: the generation is halted.
        """
        merged = 0
        while True:
            live = self._views.live(self._projection.name)
            first = next(iter(self._desk.pending().windows), None)
            if live is None or first is None:
                return merged
            if live.number != group.generation or live.position != first.after:
                raise HandedOnError
            if (there := self._desk.handed_in(first)) < first.facts:
                self._require_hope(group, live, first, there)
                return merged
            self._merge_one(group, live, first)
            merged += 1

    def _require_hope(self, group: Group, live: Generation, window: Window, there: int) -> None:
        """See whether the rest of a window can still come.

        Raises:
            HandedOnError: no, and the topics are read anew from where they begin.
            ProjectionError: no, and that was done already.
        """
        if time.monotonic() < self._hope_due:
            return
        self._hope_due = time.monotonic() + HOPE_SECONDS
        passed = self._passed_over_by(window)
        if passed is None:
            return
        self._desk.still(group)
        # However the ledger grows meanwhile, the window is no longer than this.
        through = window.after + WINDOW_RECORDS
        if window.through > group.reread:
            with Source(self._broker) as source:
                starts = source.starts(self._places)
            self._desk.begin_anew(group, doubtful=through, reread=through, offsets=starts)
            raise HandedOnError
        if passed > group.doubtful:
            # What stands behind the gap was taken as it came, and may be forged itself.
            self.begin_in_doubt(group, passed)
        reason = f"{window.facts - there} of {window.facts} facts up to position {window.through} "
        reason += "are not in the topics, and later ones are"
        raise self._halted(live, window, reason)

    def _passed_over_by(self, window: Window) -> int | None:
        """Return what stands behind a fact that was not handed in, by position; None for nothing.

        Partitions are empty, or end before a window, for good reasons: only that of the fact says
        something about it.
        """
        # In this order: whoever reads on hands in what lies before.
        reaches = self._desk.reaches(self._places)
        found = first_missing(self._ledger.store, window, self._desk.seen_for(window))
        if found is None:
            return None
        position, indexes = found
        messages = self._ledger.messages_at(position)
        for index in indexes:
            topic, key = messages[index].topic, messages[index].key
            place = Partition(topic, partition_of(key, self._counts[topic]))
            if place in reaches and reaches[place].address > Address(position, index):
                return reaches[place].address.position
        return None

    def _merge_one(self, group: Group, live: Generation, window: Window) -> None:
        shares = self._desk.shares(window)
        self._fault_point("tail.before_merge")
        try:
            rows = judged(self._projection, self._ledger.store, window, shares)
            self._views.apply(
                self._projection,
                live,
                rows,
                position=window.through,
                events=window.events,
                fallbacks=sum(one.fallbacks for one in shares),
                also=lambda connection: self._desk.merged(connection, group, window),
            )
        except DoubtError as error:
            if window.through > group.doubtful:
                self.begin_in_doubt(group, window.after + WINDOW_RECORDS)
            # Every message was compared: members do not agree on what a partition is.
            self._desk.begin_anew(group)
            reason = "the topics give other facts than the ledger holds; start all members anew"
            raise self._halted(live, window, reason) from error
        except OverflowError as error:
            raise self.left_to_ledger() from error
        except ReadModelMovedError as error:
            # By a rebuild, or from the ledger.
            raise HandedOnError from error
        except ProjectionError as error:
            raise self.left_to_ledger() from error
        self._fault_point("tail.merged")

    def begin_in_doubt(self, group: Group, through: int) -> None:
        """Have everything up to a position read again and compared with the ledger.

        Raises:
            HandedOnError: always.
        """
        self._desk.begin_anew(group, doubtful=through)
        raise HandedOnError

    def left_to_ledger(self) -> HandedOnError:
        """Have folded from the ledger what cannot be folded here.

        Whoever folds record by record names the one that cannot be folded, and comes up to it.

        Raises:
            ProjectionError: there is one; the generation is halted in front of it.
        """
        # Another member may do the same at this moment.
        with contextlib.suppress(ReadModelMovedError):
            self._catch_up()
        return HandedOnError()

    def _halted(self, live: Generation, window: Window, reason: str) -> ProjectionError:
        position = window.after + 1
        self._views.halt(live, position=position, reason=reason)
        return ProjectionError(projection=self._projection.name, position=position, reason=reason)


def counts_of(places: Sequence[Partition]) -> dict[str, int]:
    """Return the partitions of each topic."""
    counts: dict[str, int] = {}
    for place in places:
        counts[place.topic] = counts.get(place.topic, 0) + 1
    return counts
