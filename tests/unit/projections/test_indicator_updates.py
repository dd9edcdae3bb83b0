"""Indicator updates: derived from the feed, the same whoever starts where."""

import datetime as dt
from collections.abc import Sequence

import pytest

from consumers.subscription import Group, Subscription
from ledger.errors import PositionGapError
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


def test_a_mean_is_never_told_of_a_part_of_its_weights(
    everything: list[Group[IndicatorUpdated]],
) -> None:
    told = [u for group in everything for u in group.updates if u.indicator == "PS"]

    assert {str(u.value) for u in told if u.value is not None} == {"106.92"}
    assert {u.missing_reason for u in told if u.value is None} <= {
        "child_missing",
        "weights_incomplete",
        "weights_unpublished",
    }


def test_the_last_update_of_each_indicator_of_one_instant_tells_an_import_as_a_whole(
    everything: list[Group[IndicatorUpdated]],
) -> None:
    updates = [update for group in everything for update in group.updates]
    settled = {(u.recorded_at, u.indicator): u for u in updates}

    assert len({u.recorded_at for u in updates}) == 1
    assert len(settled) < len(updates)
    for line in replay(example_events(), year=2023, as_of=None).indicators:
        instants = [u for (_, code), u in settled.items() if code == line.code]
        assert [u.value for u in instants] == ([line.value] if instants else [])


def test_an_update_names_the_append_of_its_record(
    everything: list[Group[IndicatorUpdated]],
) -> None:
    by_position = {event.position: event for event in example_events()}

    for update in (update for group in everything for update in group.updates):
        assert update.append_key == by_position[Position(update.position)].append.key
