"""Indicator updates: derived from the feed, the same whoever starts where."""

import datetime as dt
from collections.abc import Sequence

import pytest

from consumers.subscription import Group, PositionGapError, Subscription
from ledger.feed import RecordedEvent
from ledger.types import BEFORE_FIRST, Position
from projections.cycle.replay import replay
from projections.indicator_updates import IndicatorUpdated, IndicatorUpdates
from tests.support.dataset import example_events


class ListFeed:
    """A feed over a list; a test may add to it."""

    def __init__(self, events: Sequence[RecordedEvent]) -> None:
        self.events = list(events)

    def head(self) -> Position:
        return self.events[-1].position if self.events else BEFORE_FIRST

    def read(
        self, *, after: Position = BEFORE_FIRST, through: Position | None = None, limit: int
    ) -> tuple[RecordedEvent, ...]:
        last = self.head() if through is None else through
        return tuple(e for e in self.events if after < e.position <= last)[:limit]


def groups(events: Sequence[RecordedEvent], *, after: int = 0) -> list[Group[IndicatorUpdated]]:
    subscription = Subscription(
        ListFeed(events), derive=IndicatorUpdates().apply, after=Position(after)
    )
    return list(subscription.groups())


@pytest.fixture(scope="module")
def everything() -> list[Group[IndicatorUpdated]]:
    return groups(example_events())


def test_the_last_updates_say_what_a_replay_says(everything: list[Group[IndicatorUpdated]]) -> None:
    latest = {update.indicator: update for group in everything for update in group.updates}
    replayed = replay(example_events(), year=2023, as_of=None)

    for line in replayed.indicators:
        update = latest.get(line.code)
        assert (None if update is None else update.value) == line.value, line.code


def test_groups_come_in_order_and_each_is_whole(everything: list[Group[IndicatorUpdated]]) -> None:
    positions = [group.position for group in everything]

    assert positions == sorted(set(positions))
    for group in everything:
        assert [u.group_index for u in group.updates] == list(range(len(group.updates)))
        assert {u.group_size for u in group.updates} == {len(group.updates)}
        assert {u.position for u in group.updates} == {group.position}


def test_a_leaf_moves_the_index_above_it_in_the_same_group(
    everything: list[Group[IndicatorUpdated]],
) -> None:
    closing = [
        group for group in everything if {"OGE5", "PS"} <= {u.indicator for u in group.updates}
    ]

    assert closing
    assert all(len(group.updates) >= 2 for group in closing)


@pytest.mark.parametrize("resume", [0, 1, 0.3, 0.9])
def test_whoever_resumes_misses_nothing_and_sees_nothing_twice(
    everything: list[Group[IndicatorUpdated]], resume: float
) -> None:
    cut = int(len(everything) * resume)
    last = everything[cut - 1].position if cut else 0

    rest = groups(example_events(), after=last)

    assert [g.updates for g in rest] == [g.updates for g in everything[cut:]]


def test_a_missing_record_stops_the_subscription() -> None:
    events = [e for e in example_events() if e.position != 100]

    with pytest.raises(PositionGapError) as caught:
        groups(events)

    assert caught.value.facts == {"after": "99", "found": "101"}


def test_following_waits_at_the_head_and_goes_on() -> None:
    events = example_events()
    feed = ListFeed(events[:600])
    waits = iter([True, False])

    def wait() -> bool:
        feed.events = list(events)
        return next(waits)

    subscription = Subscription(feed, derive=IndicatorUpdates().apply, wait=wait)

    assert [g.position for g in subscription.groups()] == [g.position for g in groups(events)]


def test_an_update_names_its_cause_and_its_knowledge(
    everything: list[Group[IndicatorUpdated]],
) -> None:
    update = next(
        u for g in everything for u in g.updates if u.indicator == "OGE3" and u.value is not None
    )

    assert update.cause == "registro.results.ResultRecorded"
    assert dt.date.fromisoformat(update.as_of) in {dt.date(2024, 3, 1), dt.date(2024, 6, 14)}
