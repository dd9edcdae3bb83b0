"""One member of the group that feeds a read model from the topics.

Kafka shares the partitions out among the members and takes them away from one that falls silent;
what a member makes of its messages waits at the desk until a window is whole. The member with the
first partition merges: it lets nothing become visible that is not exactly what the ledger holds.

Invariants:
1. The live generation only ever stands at one position, with everything up to there and nothing
   behind it: readers, comparisons and digests need not know that a group fed it.
2. Where to go on is read from the desk after every change of the group; the offsets that Kafka
   keeps for the group show lag to its tools, and nothing depends on them.
3. What is in doubt is read again and compared with the ledger message by message; a foreign message
   costs time, and changes nothing.

Source: docs/adr/0018-live-tail.md; docs/kafka.md, the live tail.
"""

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self

from ledger.errors import (
    LedgerError,
    PositionGapError,
    ProjectionError,
    ReadModelMovedError,
    StoredEventDecodeError,
)
from ledger.kafka.client.broker import Admin
from ledger.kafka.client.connection import Broker, Partition
from ledger.kafka.client.member import Member
from ledger.kafka.client.raw import RawMessage
from ledger.kafka.client.source import Source
from ledger.kafka.frozen import Sight
from ledger.kafka.guard import CREATE, missing
from ledger.kafka.merging import Span
from ledger.kafka.tails import BATCH_MESSAGES, Ledger
from ledger.store.store import FaultPoint
from projections.runner.contract import Projection
from projections.runner.poison import UNFOLDABLE
from projections.runner.views import Generation, Views
from projections.tail.desk import Desk
from projections.tail.errors import TailReleaseError
from projections.tail.handover import (
    Group,
    HandedOnError,
    Move,
    Pending,
    Reach,
    Share,
    Standing,
    Window,
)
from projections.tail.merging import Merger, counts_of
from projections.tail.messages import Fact, Passed, Sorter, Taken
from projections.tail.planning import WINDOW_RECORDS, windows_of
from projections.tail.shares import (
    addresses_of,
    cells_of,
    seen_of,
)
from schemas.registry import SchemaRegistry, default_registry

GATHER_MESSAGES: Final = 16_384
"""Messages after which a member hands in what it has."""
GATHER_SECONDS: Final = 0.02
"""How long a member waits for more once it has something."""
FOLLOW_MILLISECONDS: Final = 50
"""How long one look waits for messages."""
NEAR_MESSAGES: Final = 2 * BATCH_MESSAGES
"""Messages at the end of a partition that are read in any case: more than a publisher repeats."""
IDLE_SECONDS: Final = 0.2
"""How often a member to whom nothing came looks what the others did."""
_NUMBERS: Final = re.compile(r"\d+(\.\d+)*")
NOTHING: Final = Pending(merged=0, windows=())


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """What one look of a member did."""

    facts: int = 0
    """Folded and handed in."""
    merged: int = 0
    """Windows that became visible."""
    foreign: int = 0
    repeated: int = 0


class Tail:
    """One member of the group, from entering to leaving the context."""

    def __init__(
        self,
        ledger: Ledger,
        broker: Broker,
        views: Views,
        projection: Projection,
        *,
        catch_up: Callable[[], Generation],
        session: int | None = None,
        fault_point: FaultPoint = lambda _: None,
    ) -> None:
        """Prepare; nothing is asked of Kafka yet.

        Args:
            ledger: what the topics hold copies of.
            broker: where they are.
            views: the read models.
            projection: one that sums facts.
            catch_up: folds the live generation from the ledger, before a group first begins.
            session: milliseconds after which a silent member loses its partitions.
            fault_point: of the crash tests.
        """
        self._ledger = ledger
        self._broker = broker
        self._views = views
        self._projection = projection
        self._catch_up = catch_up
        self._session = session
        self._fault_point = fault_point
        self._desk = Desk(
            views.engine,
            projection.name,
            release=views.code_version,
            fault_point=fault_point,
        )
        self._sorter = Sorter(ledger)
        self._registry: SchemaRegistry = default_registry()
        self._group: Group | None = None
        self._reach: dict[Partition, Reach] = {}
        self._taken: dict[Partition, Taken] = {}
        self._look_due = 0.0
        self._pending = NOTHING
        self._counts: dict[str, int] = {}

    def __enter__(self) -> Self:
        """Join the group.

        Raises:
            BrokerError: Kafka does not answer.
            TopicGuardError: a topic is missing.
        """
        prefix, ledger_id = self._ledger.topics.prefix, self._ledger.origin.ledger_id
        self._member = Member(
            self._broker,
            self._ledger.topics.all[1:],
            group=group_name(prefix, self._projection.name, ledger_id),
            share=True,
            session=self._session,
        )
        for topic in self._ledger.topics.all[1:]:
            if not any(place.topic == topic for place in self._member.all):
                self._member.close()
                raise missing(topic, remedy=CREATE).error()
        self._counts = counts_of(self._member.all)
        self._merger = Merger(
            self._ledger,
            self._broker,
            self._views,
            self._projection,
            desk=self._desk,
            places=self._member.all,
            catch_up=self._catch_up,
            fault_point=self._fault_point,
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._member.close()

    @property
    def leads(self) -> bool:
        """Whether this member has the first partition: it merges."""
        return self._member.all[0] in self._reach

    @property
    def partitions(self) -> int:
        """How many partitions this member reads now."""
        return len(self._reach)

    def step(self, *, milliseconds: int = FOLLOW_MILLISECONDS) -> Step:
        """Fold what comes, once, and merge what is whole.

        Args:
            milliseconds: how long to wait for something.

        Raises:
            BrokerError: Kafka failed; enter again.
            StoreError: the ledger or the read models failed; nothing is lost.
            ProjectionError: a record cannot be folded; the generation is halted in front of it.
            TailReleaseError: another release works in the group.
        """
        try:
            return self._step(milliseconds)
        except HandedOnError:
            self._place()
            return Step()
        except LedgerError:
            # What was gathered is not handed in, and the client stands behind it already.
            self._member.look_again()
            raise

    def _step(self, milliseconds: int) -> Step:
        runs = self._gather(milliseconds)
        if self._group is None or not (runs or time.monotonic() >= self._look_due):
            return Step()
        self._look_due = time.monotonic() + IDLE_SECONDS
        try:
            group = self._group = self._desk.still(self._group)
            for taken in self._taken.values():
                taken.forget(group.merged)
            folded, passed = self._hand_in(group, runs)
            merged = self._merger.merge(group) if self.leads else 0
        except (StoredEventDecodeError, PositionGapError) as error:
            raise self._merger.left_to_ledger() from error
        return Step(facts=folded, merged=merged, foreign=passed.foreign, repeated=passed.repeated)

    # Reading

    def _gather(self, milliseconds: int) -> dict[Partition, list[RawMessage]]:
        runs: dict[Partition, list[RawMessage]] = {}
        count, due = 0, 0.0
        while True:
            wait = milliseconds if not runs else max(0, round((due - time.monotonic()) * 1000))
            found = self._member.poll(wait)
            if self._member.moved():
                # What was gathered is read again, by whoever has the partition now.
                self._place()
                return {}
            for place, messages in found.items():
                if place not in self._reach:
                    continue
                run = runs.setdefault(place, [])
                expected = run[-1].offset + 1 if run else self._reach[place].offset
                if messages[0].offset < expected:
                    # The client went back: what it was told to read is not there any more.
                    self._place()
                    return {}
                run.extend(messages)
                count += len(messages)
            if not count:
                return {}
            due = due or time.monotonic() + GATHER_SECONDS
            if not found or count >= GATHER_MESSAGES or time.monotonic() >= due:
                return runs

    def _place(self) -> None:
        """Read from the desk where the group stands, and go there."""
        self._group, self._reach, self._taken, self._pending = None, {}, {}, NOTHING
        mine = self._member.assigned()
        if not mine:
            return
        try:
            group = self._joined(self._desk.standing())
            found = self._entered(group, mine)
        except HandedOnError:
            # Next time: the look that notices comes with the next poll.
            self._member.look_again()
            return
        except LedgerError:
            self._member.look_again()
            raise
        self._member.seek({place: one.offset for place, one in found.items()})
        self._group, self._reach = group, found
        self._taken = {place: Taken() for place in found}
        if group.doubtful > group.merged:
            for place, seen in self._desk.seen(found):
                for address in addresses_of(seen):
                    self._taken[place].add(address)
        self._pending = self._desk.pending()
        self._fault_point("tail.placed")

    def _joined(self, standing: Standing) -> Group:
        """Return the group, in step with the generation that readers see.

        Raises:
            HandedOnError: others changed it meanwhile.
        """
        if standing.group is None or standing.generation is None:
            try:
                # What there is already comes from the ledger: that is ten times as quick.
                self._catch_up()
            except ReadModelMovedError as error:
                # Another member does the same at this moment: the group begins behind it.
                raise HandedOnError from error
            except ProjectionError:
                # Halted: the group begins where it stands, and says so in its turn.
                if self._views.live(self._projection.name) is None:
                    raise
            self._desk.begin(self._desk.standing())
        elif not standing.in_step or standing.group.release != self._views.code_version:
            self._require_release(standing, standing.group)
            self._desk.begin_anew(standing.group)
        group = self._desk.standing().group
        if group is None:
            raise HandedOnError
        return group

    def _require_release(self, standing: Standing, group: Group) -> None:
        """See to it that all members fold alike.

        A newer release takes the work over, and so does one that rebuilt the read model since;
        others leave. Builds of one release are of equal rank: who comes takes over.

        Raises:
            TailReleaseError: another release works here.
        """
        own = self._views.code_version
        rebuilt = standing.generation != group.generation and standing.release == own
        if own == group.release or rebuilt or _order(own) >= _order(group.release):
            return
        raise TailReleaseError(projection=self._projection.name, own=own, others=group.release)

    def _entered(self, group: Group, mine: frozenset[Partition]) -> dict[Partition, Reach]:
        found = self._desk.reaches(mine)
        with Admin(self._broker) as admin:
            topic_ids = admin.identities(sorted({place.topic for place in mine}))
        with Source(self._broker) as source:
            starts, ends = source.starts(mine), source.ends(mine)
            fresh = {
                place: max(starts[place], near)
                for place, near in self._near_ends(
                    source, group, {one: ends[one] for one in mine if one not in found}
                ).items()
            }
        if fresh:
            self._desk.enter(group, fresh, topic_ids)
        lost = {
            place: starts[place]
            for place, one in found.items()
            if not starts[place] <= one.offset <= ends[place]
            or one.topic_id != topic_ids.get(place.topic, "")
        }
        if lost:
            # The log was cut or made anew. From its start nothing is missed: what is visible is
            # passed over, and what is not there keeps its window from becoming visible.
            self._desk.begin_anew(group, offsets=lost, topic_ids=topic_ids)
            raise HandedOnError
        return self._desk.reaches(mine)

    def _near_ends(
        self, source: Source, group: Group, ends: Mapping[Partition, int]
    ) -> dict[Partition, int]:
        """Return offsets in front of what is not visible yet.

        They are taken from a few looks. One that is too late leaves a window that lacks facts:
        then the topics are read from where they begin.
        """
        begins = dict.fromkeys(ends, 0)
        span = Span(origin=self._ledger.origin, counts=self._counts, begins=begins, ends=ends)
        looks = Sight(source=source, span=span).looks()
        return {
            place: looks.begin_near_end(place, group.merged, least=NEAR_MESSAGES) for place in ends
        }

    # Folding

    def _hand_in(
        self, group: Group, runs: Mapping[Partition, Sequence[RawMessage]]
    ) -> tuple[int, Passed]:
        passed = Passed()
        moves: list[Move] = []
        shares: list[Share] = []
        head = self._plan(group)
        for place, messages in runs.items():
            before = self._reach[place]
            done = self._sorter.sort(
                place,
                messages,
                partitions=self._counts[place.topic],
                last=before.address,
                taken=self._taken[place],
                settled=group.merged,
                doubtful=group.doubtful,
                head=head,
            )
            if done.doubt:
                self._merger.begin_in_doubt(group, self._pending.through)
            if done.last.position > self._pending.through:
                # What was read came after the windows were looked at.
                self._plan(group)
            passed += done.passed
            offset = messages[-1].offset + 1
            moves.append(Move(place=place, before=before.offset, offset=offset, address=done.last))
            shares.extend(self._shares(group, place, done.facts))
        if moves:
            self._fault_point("tail.before_hand_in")
            self._desk.hand_in(group, moves, shares)
            self._fault_point("tail.handed_in")
        for move in moves:
            self._reach[move.place] = Reach(offset=move.offset, address=move.address)
        self._member.commit({move.place: move.offset for move in moves})
        return sum(share.facts for share in shares), passed

    def _shares(self, group: Group, place: Partition, facts: Sequence[Fact]) -> list[Share]:
        """Return the shares of a run, one for each window that it touches."""
        found: list[Share] = []
        begin = 0
        for window in self._pending.windows:
            stop = begin
            while stop < len(facts) and facts[stop].address.position <= window.through:
                stop += 1
            if stop > begin:
                found.append(self._share(group, place, window, facts[begin:stop]))
                begin = stop
        return found

    def _share(
        self, group: Group, place: Partition, window: Window, facts: Sequence[Fact]
    ) -> Share:
        try:
            cells, fallbacks = cells_of(self._projection, facts, self._registry)
        except UNFOLDABLE as error:
            if window.through > group.doubtful:
                self._merger.begin_in_doubt(group, window.after + WINDOW_RECORDS)
            # Every message was compared: it is the ledger's own fact that cannot be folded.
            raise self._merger.left_to_ledger() from error
        return Share(
            place=place,
            through=window.through,
            offset=min(fact.offset for fact in facts),
            facts=len(facts),
            fallbacks=fallbacks,
            cells=cells,
            seen=seen_of(facts),
        )

    def _plan(self, group: Group) -> int:
        """See to it that windows cover everything that the ledger holds now; return its head."""
        head = self._ledger.store.head()
        if self._pending.through < head:
            self._pending = self._desk.pending()
        if self._pending.through < head:
            self._pending = self._desk.plan(
                group, lambda after: windows_of(self._ledger.store, after=after, head=head)
            )
        return head


def _order(release: str) -> tuple[int, ...]:
    """Return the numbers that a release begins with, and that builds of it share."""
    found = _NUMBERS.match(release)
    return () if found is None else tuple(map(int, found[0].split(".")))


def group_name(prefix: str, projection: str, ledger_id: str) -> str:
    """Return the consumer group of a projection, as Kafka's tools show it."""
    return f"{prefix}.tail.{projection}.{ledger_id}"
