"""How many facts of each kind; figures that they cannot carry are refused at once."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

import pytest

from app.simulator.cells import ROWS_MAX
from app.simulator.errors import SimulationError, TargetsError, TooFewEventsError
from app.simulator.generate import generate
from app.simulator.summary import expected
from app.simulator.targets import Area, FlowNode, Stage, Targets
from app.simulator.totals import EVENTS_MIN
from app.simulator.world import World, build_world

KINDS: Mapping[str, int] = {"HQ": 1, "LAND": 6, "DESK": 53}


def areas(count: int, days: int) -> tuple[Area, ...]:
    return tuple(
        Area(code=f"a{place}", label="a", line="none", backlog_days=Decimal(days))
        for place in range(count)
    )


def flows(**amounts: int) -> tuple[Stage, ...]:
    return (Stage(vintage="CONSUNTIVO", as_of=dt.date(2024, 5, 2), flows=amounts),)


GOOD = Targets(
    year=2023,
    productivity=Decimal(100),
    outflow=Decimal("1.02"),
    areas=areas(2, 30),
    nodes=(
        FlowNode(code="top", parent=None, sign="+"),
        FlowNode(code="in", parent="top", sign="+"),
        FlowNode(code="out", parent="top", sign="-"),
    ),
    stages=flows(**{"top": 60, "in": 100, "out": 40}),
)


def world(targets: Targets = GOOD) -> World:
    return build_world(targets, 60, KINDS, 1)


def test_the_least_number_of_events_is_enough() -> None:
    assert sum(expected(world(), GOOD, EVENTS_MIN).facts.values()) == EVENTS_MIN


def test_more_events_mean_more_units_at_work() -> None:
    small = expected(world(), GOOD, EVENTS_MIN)
    large = expected(world(), GOOD, 10_000_000)

    assert small.settling_units < large.settling_units == len(world().producing)
    assert small.pairs < large.pairs
    assert small.units == large.units == 60


def test_another_seed_gives_other_facts_of_the_same_number() -> None:
    first, second = (
        [batch.frame for batch in generate(world(), GOOD, EVENTS_MIN, seed)] for seed in (1, 2)
    )

    assert [frame.height for frame in first[:2]] != [frame.height for frame in second[:2]]
    assert sum(frame.height for frame in first) == sum(frame.height for frame in second)


def test_the_first_batch_comes_before_the_rest_is_made() -> None:
    first = next(generate(world(), GOOD, 2_000_000_000, 1))

    assert first.frame.height == ROWS_MAX
    assert first.batch_id == "000001"


def test_a_body_without_printed_flows_has_no_flow_facts() -> None:
    bare = replace(GOOD, nodes=(), stages=(replace(GOOD.stages[0], flows={}),))

    batches = list(generate(world(), bare, EVENTS_MIN, 1))

    assert "flow" not in {batch.family for batch in batches}
    assert sum(batch.frame.height for batch in batches) == EVENTS_MIN
    assert expected(world(), bare, EVENTS_MIN).stages == ()


def test_a_stage_that_changes_nothing_sends_nothing() -> None:
    again = replace(GOOD.stages[0], vintage="RENDICONTO", as_of=dt.date(2024, 6, 14))
    twice = replace(GOOD, stages=(*GOOD.stages, again))

    batches = list(generate(world(), twice, EVENTS_MIN, 1))

    assert {batch.vintage for batch in batches} == {None, "CONSUNTIVO"}
    assert sum(batch.frame.height for batch in batches) == EVENTS_MIN
    assert len(expected(world(), twice, EVENTS_MIN).stages) == 2


@pytest.mark.parametrize("events", [-1, 0, EVENTS_MIN - 1])
def test_refuses_too_few_events(events: int) -> None:
    with pytest.raises(TooFewEventsError, match="at least 50000") as caught:
        generate(world(), GOOD, events, 1)

    assert caught.value.events == events
    assert (caught.value.code, caught.value.exit_code) == ("simulation_events", 61)


@pytest.mark.parametrize("seed", [-1, -(2**70)])
def test_refuses_a_seed_below_0(seed: int) -> None:
    with pytest.raises(TargetsError, match="seed"):
        generate(world(), GOOD, EVENTS_MIN, seed)
    with pytest.raises(TargetsError, match="seed"):
        build_world(GOOD, 60, KINDS, seed)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        (replace(GOOD, areas=areas(1, 30)), "no products"),
        (replace(GOOD, areas=areas(3, 30)), "no products"),
        (replace(GOOD, year=2022), "not of 2022"),
    ],
    ids=["fewer areas", "more areas", "other year"],
)
def test_refuses_a_world_made_for_other_figures(changed: Targets, reason: str) -> None:
    with pytest.raises(TargetsError, match=reason):
        generate(world(), changed, EVENTS_MIN, 1)


@pytest.mark.parametrize(
    ("changed", "error", "reason"),
    [
        (replace(GOOD, areas=areas(400, 30)), TooFewEventsError, "more than half"),
        (replace(GOOD, areas=areas(90, 37)), TooFewEventsError, "worth 37 days"),
        (replace(GOOD, outflow=Decimal("0.5")), TargetsError, "below 0"),
        (replace(GOOD, outflow=Decimal(1), areas=areas(2, 0)), TargetsError, "below 0"),
        (replace(GOOD, outflow=Decimal("9000.01")), TargetsError, "cannot have 9000.01"),
        (replace(GOOD, productivity=Decimal("9000.01")), TooFewEventsError, "of 9000.01"),
        (
            replace(GOOD, stages=flows(**{"top": 62, "in": 100, "out": 40})),
            TargetsError,
            "flow node top",
        ),
    ],
    ids=["areas", "backlog", "opening", "no stock", "outflow", "productivity", "flows"],
)
def test_refuses_figures_that_contradict_each_other(
    changed: Targets, error: type[SimulationError], reason: str
) -> None:
    made = world(changed)

    with pytest.raises(error, match=reason):
        generate(made, changed, EVENTS_MIN, 1)
