"""Subscriptions: silent replay, resume after a position, following, gaps."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import consumers.subscription
from consumers.subscription import Group, Subscription
from ledger.aggregates.base import Proposal
from ledger.application import LedgerApplication
from ledger.envelopes import command
from ledger.errors import LedgerError, PositionGapError, StoreLockedError
from ledger.feed import RecordedEvent
from ledger.types import BEFORE_FIRST, Position
from tests.support.given import PLAN_ACT, act_adopted, envelope
from tests.support.ledgers import new_ledger


def adopt(ledger: LedgerApplication, number: int) -> None:
    act = replace(PLAN_ACT, number=str(number))
    ledger.execute(
        command(f"act/{number}", [Proposal(event=act_adopted(act), envelope=envelope())])
    )


def filled(acts: int = 5) -> LedgerApplication:
    ledger = new_ledger()
    for number in range(acts):
        adopt(ledger, number)
    return ledger


@pytest.fixture(scope="module")
def ledger() -> LedgerApplication:
    return filled()


class ListFeed:
    """A feed over a list, which may be damaged."""

    def __init__(self, events: Iterable[RecordedEvent]) -> None:
        self.events = list(events)

    def head(self) -> Position:
        return self.events[-1].position if self.events else BEFORE_FIRST

    def read(
        self, *, after: Position = BEFORE_FIRST, through: Position | None = None, limit: int
    ) -> tuple[RecordedEvent, ...]:
        last = self.head() if through is None else through
        found = [item for item in self.events if after < item.position <= last]
        return tuple(found[:limit])


def events_of(ledger: LedgerApplication) -> list[RecordedEvent]:
    return list(ledger.read(limit=1000))


def two_each(item: RecordedEvent) -> Sequence[str]:
    return (f"{item.position}a", f"{item.position}b")


def even_only(item: RecordedEvent) -> Sequence[int]:
    return (int(item.position),) if item.position % 2 == 0 else ()


def test_hands_on_every_group_in_order_and_ends_at_the_head(ledger: LedgerApplication) -> None:
    subscription = Subscription(ledger, derive=two_each)

    groups = list(subscription.groups())

    assert [group.position for group in groups] == list(range(1, ledger.head() + 1))
    assert subscription.position == ledger.head()


@pytest.mark.parametrize("batch", [1, 2, 3])
def test_a_group_is_never_split(
    ledger: LedgerApplication, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr(consumers.subscription, "READ_BATCH_EVENTS", batch)

    groups = list(Subscription(ledger, derive=two_each).groups())

    assert [group.updates for group in groups] == [two_each(item) for item in events_of(ledger)]


def test_a_record_without_updates_gives_no_group(ledger: LedgerApplication) -> None:
    groups = list(Subscription(ledger, derive=even_only).groups())

    assert groups == [
        Group(position=Position(p), updates=(p,)) for p in range(2, ledger.head() + 1, 2)
    ]


def test_an_empty_feed_gives_nothing() -> None:
    subscription = Subscription(ListFeed([]), derive=two_each)

    assert list(subscription.groups()) == []
    assert subscription.position == BEFORE_FIRST


@pytest.mark.parametrize("after", [0, 1, 3, 99])
def test_resumes_after_a_position(ledger: LedgerApplication, after: int) -> None:
    groups = list(Subscription(ledger, derive=two_each, after=Position(after)).groups())

    assert [group.position for group in groups] == list(range(after + 1, ledger.head() + 1))


def test_replays_silently_what_was_handled_before(ledger: LedgerApplication) -> None:
    folded: list[int] = []

    def derive(item: RecordedEvent) -> Sequence[tuple[int, ...]]:
        folded.append(item.position)
        return (tuple(folded),)

    (last,) = Subscription(ledger, derive=derive, after=Position(ledger.head() - 1)).groups()

    assert folded == list(range(1, ledger.head() + 1))
    assert last.updates == (tuple(folded),), "an update says what follows from all before it"


@pytest.mark.property
@settings(max_examples=50, deadline=None)
@given(stops=st.lists(st.integers(0, 6), max_size=5))
def test_whoever_stops_and_starts_again_misses_nothing_and_sees_nothing_twice(
    stops: Sequence[int],
) -> None:
    feed = ListFeed(EVENTS)
    seen: list[Group[int]] = []
    for stop in [*stops, len(EVENTS)]:
        last = seen[-1].position if seen else BEFORE_FIRST
        groups = Subscription(feed, derive=even_only, after=last).groups()
        seen.extend(group for group, _ in zip(groups, range(stop), strict=False))

    assert seen == list(Subscription(feed, derive=even_only).groups())


EVENTS = events_of(filled())


# Following


def test_waits_at_the_head_and_ends_when_waiting_ends(ledger: LedgerApplication) -> None:
    calls: list[bool] = []

    def wait() -> bool:
        calls.append(True)
        return len(calls) < 4

    groups = list(Subscription(ledger, derive=two_each, wait=wait).groups())

    assert len(groups) == ledger.head()
    assert len(calls) == 4


def test_follows_what_is_appended_while_it_waits() -> None:
    ledger = filled(2)
    head = ledger.head()
    numbers = iter([7, 8])

    def wait() -> bool:
        number = next(numbers, None)
        if number is not None:
            adopt(ledger, number)
        return number is not None

    groups = list(Subscription(ledger, derive=two_each, wait=wait).groups())

    assert [group.position for group in groups] == list(range(1, head + 3))


def test_asks_to_wait_only_at_the_head(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumers.subscription, "READ_BATCH_EVENTS", 2)
    places: list[int] = []
    subscription: Subscription[str]

    def wait() -> bool:
        places.append(subscription.position)
        return False

    subscription = Subscription(ListFeed(EVENTS), derive=two_each, wait=wait)
    list(subscription.groups())

    assert places == [EVENTS[-1].position]


def test_nothing_is_read_before_the_first_group_is_asked_for() -> None:
    derived: list[int] = []

    def derive(item: RecordedEvent) -> Sequence[int]:
        derived.append(item.position)
        return (item.position,)

    groups = Subscription(ListFeed(EVENTS), derive=derive).groups()
    assert derived == []

    next(iter(groups))
    assert derived == [1], "the next record is derived when its group is asked for"


# Gaps


@pytest.mark.parametrize("missing", [1, 2, 5, len(EVENTS) - 1])
def test_stops_at_a_missing_record(missing: int) -> None:
    feed = ListFeed(item for item in EVENTS if item.position != missing)
    handled: list[int] = []

    def follow() -> None:
        groups = Subscription(feed, derive=two_each).groups()
        handled.extend(group.position for group in groups)

    with pytest.raises(PositionGapError) as caught:
        follow()

    assert handled == list(range(1, missing))
    assert caught.value.facts == {"after": str(missing - 1), "found": str(missing + 1)}


def test_stops_at_a_gap_in_what_was_handled_before() -> None:
    feed = ListFeed(item for item in EVENTS if item.position != 2)

    with pytest.raises(PositionGapError):
        list(Subscription(feed, derive=two_each, after=Position(5)).groups())


def test_stops_at_a_gap_that_appears_while_it_follows() -> None:
    feed = ListFeed(EVENTS[:3])

    def wait() -> bool:
        feed.events.append(EVENTS[5])
        return True

    with pytest.raises(PositionGapError) as caught:
        list(Subscription(feed, derive=two_each, wait=wait).groups())

    assert caught.value.facts == {"after": "3", "found": "6"}


def test_stops_at_a_position_that_comes_twice() -> None:
    feed = ListFeed([EVENTS[0], EVENTS[1], EVENTS[1]])

    with pytest.raises(PositionGapError):
        list(Subscription(feed, derive=two_each).groups())


def test_a_gap_is_an_error_of_the_ledger_that_no_retry_mends() -> None:
    error = PositionGapError(after=3, found=5)

    assert isinstance(error, LedgerError)
    assert not error.retriable
    assert "verify" in error.hint
    assert "after position 3 comes 5" in str(error)


def test_errors_of_the_feed_and_of_the_fold_pass() -> None:
    class Locked(ListFeed):
        def read(self, **_: object) -> tuple[RecordedEvent, ...]:
            raise StoreLockedError(store="a.db", seconds=1)

    def broken(_: RecordedEvent) -> Sequence[int]:
        raise ZeroDivisionError

    with pytest.raises(StoreLockedError):
        list(Subscription(Locked(EVENTS), derive=two_each).groups())
    with pytest.raises(ZeroDivisionError):
        list(Subscription(ListFeed(EVENTS), derive=broken).groups())
