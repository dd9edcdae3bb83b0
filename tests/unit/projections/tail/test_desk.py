"""The desk: an offset moves with what was made of its messages, and a window is used once."""

import itertools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.errors import ProjectionError
from ledger.kafka.client.connection import Partition
from ledger.kafka.message import Address
from ledger.store.store import FaultPoint
from projections.production.cube import empty
from projections.runner.database import open_views
from projections.runner.tables import LIVE
from projections.runner.views import Generation, Views
from projections.tail.desk import Desk
from projections.tail.handover import (
    NOWHERE,
    Group,
    HandedOnError,
    Move,
    Reach,
    Share,
    Standing,
    Window,
)
from tests.support.tails import PRODUCTION

P0, P1, P2 = (Partition("t", number) for number in range(3))
FIRST = Window(after=0, through=4, facts=3, events=5)
SECOND = Window(after=4, through=6, facts=2, events=2)
HEAD = 6


class Scene:
    """Read models with a live generation, and a desk beside them."""

    def __init__(self, url: str, fault_point: FaultPoint = lambda _: None) -> None:
        self.views = Views(open_views(url), code_version="test", fault_point=fault_point)
        self.desk = Desk(
            self.views.engine, PRODUCTION.name, release="test", fault_point=fault_point
        )

    def begun(self, position: int = 0) -> Group:
        """Begin a live generation and a group at a position."""
        at = self.views.begin(PRODUCTION, state=LIVE)
        if position:
            self.fed(at, position)
        self.desk.begin(self.desk.standing())
        self.desk.enter(self.group, {P0: 0, P1: 10, P2: 0}, {})
        return self.group

    def fed(self, at: Generation, position: int) -> Generation:
        """Move the live generation as a catch-up from the ledger does."""
        return self.views.apply(PRODUCTION, at, empty(), position=position, events=0, fallbacks=0)

    @property
    def group(self) -> Group:
        """The group as it stands."""
        group = self.desk.standing().group
        assert group is not None
        return group

    @property
    def live(self) -> Generation:
        """The live generation."""
        live = self.views.live(PRODUCTION.name)
        assert live is not None
        return live

    def planned(self, at: Group, *windows: Window) -> None:
        """Plan these windows."""
        self.desk.plan(at, lambda _after: windows)

    def merged(self, at: Group, live: Generation, window: Window) -> None:
        """Merge a window as a member does."""
        self.views.apply(
            PRODUCTION,
            live,
            empty(),
            position=window.through,
            events=window.events,
            fallbacks=0,
            also=lambda connection: self.desk.merged(connection, at, window),
        )

    def begins(self) -> dict[Partition, int]:
        """Return where partitions would be read from anew, by beginning anew."""
        self.desk.begin_anew(self.group)
        return {p: one.offset for p, one in self.desk.reaches((P0, P1, P2)).items()}


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(f"sqlite:///{tmp_path / 'views.db'}")


def share(place: Partition, window: Window, offset: int, facts: int = 1) -> Share:
    return Share(
        place=place,
        through=window.through,
        offset=offset,
        facts=facts,
        fallbacks=0,
        cells=b"c",
        seen=b"%d" % offset,
    )


def move(place: Partition, before: int, offset: int, address: Address = NOWHERE) -> Move:
    return Move(place=place, before=before, offset=offset, address=address)


def test_without_a_generation_nothing_stands_anywhere(scene: Scene) -> None:
    assert scene.desk.standing() == Standing(group=None, generation=None, position=0, release="")
    assert not scene.desk.standing().in_step


def test_who_begins_anew_leaves_its_release(scene: Scene) -> None:
    group = scene.begun(3)
    newer = Desk(scene.views.engine, PRODUCTION.name, release="newer")

    newer.begin_anew(group)

    assert (group.release, scene.group.release) == ("test", "newer")
    assert scene.desk.standing().release == "test"


def test_a_group_begins_where_the_generation_stands_and_once(scene: Scene) -> None:
    group = scene.begun(3)
    assert (group.merged, group.epoch, group.doubtful) == (3, 1, 0)
    assert scene.desk.standing().in_step

    scene.desk.begin(Standing(group=None, generation=9, position=9, release="test"))
    scene.desk.enter(group, {P0: 99}, {})

    assert scene.group == group
    assert scene.desk.reaches((P0,)) == {P0: Reach(offset=0, address=NOWHERE)}


def test_partitions_that_nobody_began_are_absent(scene: Scene) -> None:
    scene.begun()
    assert scene.desk.reaches((P0, Partition("other", 0))).keys() == {P0}


def test_what_is_planned_stands_behind_what_is_planned_already(scene: Scene) -> None:
    group = scene.begun()
    asked: list[int] = []

    def made(windows: tuple[Window, ...]) -> Callable[[int], tuple[Window, ...]]:
        def given(after: int) -> tuple[Window, ...]:
            asked.append(after)
            return windows

        return given

    scene.desk.plan(group, made((FIRST,)))
    pending = scene.desk.plan(group, made((SECOND,)))

    assert asked == [0, FIRST.through]
    assert pending.windows == (FIRST, SECOND)
    assert scene.desk.pending() == pending
    assert (pending.through, scene.desk.pending().merged) == (HEAD, 0)


def test_handing_in_moves_the_offset_and_keeps_the_shares(scene: Scene) -> None:
    group = scene.begun()
    scene.planned(group, FIRST, SECOND)

    scene.desk.hand_in(
        group,
        [move(P1, 10, 15, Address(5, 1)), move(P0, 0, 7, Address(3, 2))],
        [share(P0, FIRST, 2, facts=2), share(P1, SECOND, 11)],
    )

    assert scene.desk.reaches((P0, P1, P2)) == {
        P0: Reach(offset=7, address=Address(3, 2)),
        P1: Reach(offset=15, address=Address(5, 1)),
        P2: Reach(offset=0, address=NOWHERE),
    }
    assert scene.desk.handed_in(FIRST) == 2
    assert scene.desk.shares(FIRST) == (share(P0, FIRST, 2, facts=2),)
    assert scene.desk.seen_for(SECOND) == (b"11",)
    assert dict(scene.desk.seen((P1,))) == {P1: b"11"}


def test_refuses_a_second_member_that_read_the_same_messages(scene: Scene) -> None:
    group = scene.begun()
    scene.planned(group, FIRST)
    scene.desk.hand_in(group, [move(P0, 0, 3)], [share(P0, FIRST, 0)])

    with pytest.raises(HandedOnError):
        scene.desk.hand_in(
            group, [move(P1, 10, 12), move(P0, 0, 3)], [share(P1, FIRST, 10), share(P0, FIRST, 0)]
        )

    assert scene.desk.handed_in(FIRST) == 1
    assert scene.desk.reaches((P1,))[P1].offset == 10


def test_refuses_what_is_handed_in_for_a_partition_that_nobody_began(scene: Scene) -> None:
    group = scene.begun()
    with pytest.raises(HandedOnError):
        scene.desk.hand_in(group, [move(Partition("t", 9), 0, 1)], [])


def test_whatever_names_an_epoch_of_before_is_refused(scene: Scene) -> None:
    old = scene.begun()
    scene.planned(old, FIRST)
    scene.desk.begin_anew(old)
    scene.planned(scene.group, FIRST)

    for late in (
        lambda: scene.desk.still(old),
        lambda: scene.desk.enter(old, {Partition("t", 7): 0}, {}),
        lambda: scene.desk.plan(old, lambda _after: [SECOND]),
        lambda: scene.desk.hand_in(old, [move(P0, 0, 3)], [share(P0, FIRST, 0)]),
        lambda: scene.desk.begin_anew(old, doubtful=3),
        lambda: scene.merged(old, scene.live, FIRST),
    ):
        with pytest.raises(HandedOnError):
            late()

    assert scene.group.epoch == old.epoch + 1
    assert scene.desk.pending().windows == (FIRST,)
    assert scene.desk.handed_in(FIRST) == 0
    assert (scene.live.position, scene.group.doubtful) == (0, 0)


def test_whoever_is_idle_sees_what_was_merged_and_that_the_group_began_anew(scene: Scene) -> None:
    old = scene.begun()
    scene.planned(old, FIRST)
    scene.merged(old, scene.live, FIRST)

    assert scene.desk.still(old) == replace(old, merged=FIRST.through)
    scene.desk.begin_anew(scene.group)
    with pytest.raises(HandedOnError):
        scene.desk.still(old)


def test_beginning_anew_throws_away_what_waits_and_reads_it_again(scene: Scene) -> None:
    group = scene.begun()
    scene.planned(group, FIRST)
    scene.desk.hand_in(group, [move(P0, 0, 3, Address(2, 0))], [share(P0, FIRST, 1)])

    scene.desk.begin_anew(group, doubtful=4, offsets={P1: 12})

    assert scene.desk.pending().windows == ()
    assert scene.desk.handed_in(FIRST) == 0
    assert scene.desk.reaches((P0, P1)) == {
        P0: Reach(offset=0, address=NOWHERE),
        P1: Reach(offset=12, address=NOWHERE),
    }
    assert (scene.group.epoch, scene.group.doubtful) == (group.epoch + 1, 4)


def test_doubt_grows_and_never_shrinks(scene: Scene) -> None:
    scene.begun()
    for doubtful, wanted in ((9, 9), (4, 9), (0, 9), (12, 12)):
        scene.desk.begin_anew(scene.group, doubtful=doubtful)
        assert scene.group.doubtful == wanted


def test_a_group_whose_generation_was_moved_or_swapped_is_not_in_step(scene: Scene) -> None:
    scene.begun()
    scene.fed(scene.live, 2)
    assert not scene.desk.standing().in_step

    scene.desk.begin_anew(scene.group)
    assert scene.desk.standing().in_step
    assert scene.group.merged == 2

    new = scene.fed(scene.views.begin(PRODUCTION), 2)
    assert scene.views.swap(PRODUCTION, new)
    assert not scene.desk.standing().in_step

    scene.desk.begin_anew(scene.group)
    assert scene.desk.standing().in_step
    assert scene.group.generation == new.number


def test_a_window_is_merged_once_and_its_shares_go(scene: Scene) -> None:
    group, live = scene.begun(), scene.live
    scene.planned(group, FIRST, SECOND)
    scene.desk.hand_in(group, [move(P0, 0, 9)], [share(P0, FIRST, 0), share(P0, SECOND, 5)])
    scene.merged(group, live, FIRST)

    for again in (live, scene.live):
        with pytest.raises((HandedOnError, ProjectionError)):
            scene.merged(group, again, FIRST)

    assert scene.desk.standing().in_step
    assert (scene.live.position, scene.live.events) == (FIRST.through, FIRST.events)
    assert scene.desk.pending().windows == (SECOND,)
    assert scene.desk.handed_in(FIRST) == 0
    assert scene.desk.handed_in(SECOND) == 1


def test_a_window_is_not_merged_out_of_its_turn(scene: Scene) -> None:
    group = scene.begun()
    scene.planned(group, FIRST, SECOND)

    with pytest.raises(HandedOnError):
        scene.merged(group, scene.live, SECOND)

    assert scene.live.position == 0
    assert scene.desk.pending().windows == (FIRST, SECOND)


def test_what_claims_to_be_of_a_visible_window_is_not_kept(scene: Scene) -> None:
    group = scene.begun()
    scene.planned(group, FIRST, SECOND)
    scene.merged(group, scene.live, FIRST)

    scene.desk.hand_in(group, [move(P0, 0, 4)], [share(P0, FIRST, 0), share(P0, SECOND, 2)])

    assert scene.desk.handed_in(FIRST) == 0
    assert scene.desk.handed_in(SECOND) == 1


def test_after_a_merge_only_what_still_waits_is_read_again(scene: Scene) -> None:
    group = scene.begun()
    scene.planned(group, FIRST, SECOND)
    scene.desk.hand_in(
        group,
        [move(P0, 0, 9), move(P1, 10, 14)],
        [share(P0, FIRST, 1), share(P0, SECOND, 5), share(P1, FIRST, 12)],
    )
    scene.merged(group, scene.live, FIRST)

    assert scene.begins() == {P0: 5, P1: 14, P2: 0}


def test_a_fact_in_front_of_those_of_an_earlier_window_is_read_again(scene: Scene) -> None:
    group = scene.begun()
    scene.planned(group, FIRST, SECOND)
    scene.desk.hand_in(group, [move(P0, 0, 3)], [share(P0, SECOND, 2)])
    scene.desk.hand_in(group, [move(P0, 3, 9)], [share(P0, FIRST, 3, facts=3)])
    scene.merged(group, scene.live, FIRST)

    assert scene.begins()[P0] == 2


def test_two_projections_share_nothing(scene: Scene) -> None:
    group = scene.begun()
    scene.planned(group, FIRST)
    scene.desk.hand_in(group, [move(P0, 0, 3)], [share(P0, FIRST, 0)])
    other = Desk(scene.views.engine, "other", release="test")

    assert other.standing().group is None
    assert other.pending().windows == ()
    assert other.handed_in(FIRST) == 0
    assert other.reaches((P0,)) == {}
    assert list(other.seen((P0,))) == []


class Lost(BaseException):
    """Power."""


def whole_work(scene: Scene) -> None:
    """Hand in, merge and begin anew, going on wherever the work stands."""
    standing = scene.desk.standing()
    if standing.generation is None:
        scene.views.begin(PRODUCTION, state=LIVE)
    scene.desk.begin(scene.desk.standing())
    scene.desk.enter(scene.group, {P0: 0}, {})
    if scene.desk.pending().through < HEAD:
        windows = (FIRST, SECOND) if not scene.live.position else (SECOND,)
        scene.planned(scene.group, *windows)
    for begin, end, window in ((0, 3, FIRST), (3, 5, SECOND)):
        if scene.desk.reaches((P0,))[P0].offset == begin:
            handed = share(P0, window, begin, facts=window.facts)
            scene.desk.hand_in(scene.group, [move(P0, begin, end)], [handed])
        if scene.live.position == window.after:
            assert scene.desk.handed_in(window) == window.facts
            scene.merged(scene.group, scene.live, window)


def test_killed_at_any_step_the_work_goes_on_and_nothing_is_lost_or_doubled(
    tmp_path: Path,
) -> None:
    for number in itertools.count(1):
        url = f"sqlite:///{tmp_path / f'{number}.db'}"
        left = itertools.count(number - 1, -1)

        def kill(_: str, left: "itertools.count[int]" = left) -> None:
            if next(left) == 0:
                raise Lost

        try:
            whole_work(Scene(url, kill))
        except Lost:
            ended = False
        else:
            ended = True
        scene = Scene(url)
        whole_work(scene)

        assert (scene.live.position, scene.live.events) == (HEAD, FIRST.events + SECOND.events)
        assert scene.desk.standing().in_step
        assert scene.desk.reaches((P0,))[P0].offset == 5
        assert scene.desk.pending().windows == ()
        assert scene.begins() == {P0: 5}
        if ended:
            assert number > 10
            return


LAST = 8
PLACES = (P0, P1)
Pair = tuple[Partition, int]


class Beside:
    """A member that knows what it saw last; each partition has a fact of each position."""

    def __init__(self, scene: Scene, shown: list[Pair]) -> None:
        self.scene = scene
        self.shown = shown
        self.look()

    def look(self) -> None:
        """See where the group stands, and begin anew where it is out of step."""
        if not self.scene.desk.standing().in_step:
            self.scene.desk.begin_anew(self.scene.group)
        self.group = self.scene.group
        self.reach = self.scene.desk.reaches(PLACES)
        self.windows = self.scene.desk.pending().windows
        self.merge: tuple[Generation, Window, tuple[Share, ...]] | None = None

    def plan(self) -> None:
        """Plan up to two positions more."""

        def made(after: int) -> list[Window]:
            through = min(after + 2, LAST)
            count = 2 * (through - after)
            return [Window(after=after, through=through, facts=count, events=count)][:count]

        self.windows = self.scene.desk.plan(self.group, made).windows

    def fold(self, place: Partition, count: int) -> None:
        """Read some messages on and hand them in, as far as there are windows."""
        before = self.reach[place].offset
        through = self.windows[-1].through if self.windows else 0
        end = min(before + count, through)
        if end <= before:
            return
        shares = []
        for window in self.windows:
            own = [p for p in range(before + 1, end + 1) if window.after < p <= window.through]
            if own and own[-1] > self.group.merged:
                one = share(place, window, own[0] - 1, facts=len(own))
                shares.append(replace(one, seen=bytes(own)))
        self.scene.desk.hand_in(self.group, [move(place, before, end)], shares)
        self.reach[place] = Reach(offset=end, address=Address(end, 0))

    def weigh(self) -> None:
        """Look at the first window; what is found may be old when it is used."""
        live, pending = self.scene.live, self.scene.desk.pending()
        first = pending.windows[0] if pending.windows else None
        if first is None or (live.number, live.position) != (self.group.generation, first.after):
            return
        if self.scene.desk.handed_in(first) == first.facts:
            self.merge = (live, first, self.scene.desk.shares(first))

    def show(self) -> None:
        """Merge what was weighed."""
        if self.merge is None:
            return
        live, window, shares = self.merge
        self.merge = None
        self.scene.merged(self.group, live, window)
        self.shown += [(one.place, position) for one in shares for position in one.seen]

    def do(self, deed: str, place: Partition, count: int) -> None:
        """Do one thing; what is refused is looked at anew."""
        try:
            match deed:
                case "fold":
                    self.fold(place, count)
                case "rebuild":
                    new = self.scene.views.begin(PRODUCTION)
                    new = self.scene.fed(new, self.scene.live.position)
                    self.scene.views.swap(PRODUCTION, new)
                case "catch up":
                    at = self.scene.live
                    if at.position < LAST:
                        self.scene.fed(at, at.position + 1)
                        self.shown += [(one, at.position + 1) for one in PLACES]
                case _:
                    getattr(self, deed)()
        except (HandedOnError, ProjectionError):
            self.look()


DEEDS = ("look", "plan", "plan", "fold", "fold", "fold", "weigh", "show", "rebuild", "catch up")


@pytest.mark.property
@settings(max_examples=30, deadline=None)
@given(
    steps=st.lists(
        st.tuples(
            st.integers(0, 1), st.sampled_from(DEEDS), st.sampled_from(PLACES), st.integers(1, 4)
        ),
        max_size=40,
    )
)
def test_however_two_members_a_rebuild_and_a_catch_up_meet_each_fact_is_shown_once(
    steps: list[tuple[int, str, Partition, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    scene = Scene(f"sqlite:///{tmp_path_factory.mktemp('desk') / 'views.db'}")
    scene.views.begin(PRODUCTION, state=LIVE)
    scene.desk.begin(scene.desk.standing())
    scene.desk.enter(scene.group, dict.fromkeys(PLACES, 0), {})
    shown: list[Pair] = []
    members = [Beside(scene, shown), Beside(scene, shown)]

    for which, deed, place, count in steps:
        members[which].do(deed, place, count)
    for _ in range(3 * LAST):
        if scene.live.position == LAST:
            break
        for deed in ("plan", "look", "fold", "weigh", "show"):
            for place in PLACES if deed == "fold" else (P0,):
                members[0].do(deed, place, LAST)

    assert sorted(shown) == sorted(itertools.product(PLACES, range(1, LAST + 1)))
    assert scene.live.position == LAST
    assert scene.desk.pending().windows == ()
