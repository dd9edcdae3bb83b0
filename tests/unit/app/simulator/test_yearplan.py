"""The plan of a year balances for every pair and month, or the figures are refused."""

from contextlib import nullcontext, suppress
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.simulator.apportion import sum_by
from app.simulator.errors import SimulationError
from app.simulator.pairs import build_pairs
from app.simulator.targets import Area, Targets
from app.simulator.totals import plan_totals
from app.simulator.world import World, build_world
from app.simulator.yearplan import plan_year

KINDS = {"HQ": 1, "LAND": 4, "DESK": 55}


def made(backlogs: list[int], outflow: int, productivity: int) -> Targets:
    return Targets(
        year=2023,
        productivity=Decimal(productivity),
        outflow=Decimal(outflow).scaleb(-2),
        areas=tuple(
            Area(code=f"a{place}", label="a", line="none", backlog_days=Decimal(days))
            for place, days in enumerate(backlogs)
        ),
        nodes=(),
        stages=(),
    )


@pytest.mark.property
@settings(max_examples=100, deadline=None)
@given(
    backlogs=st.lists(st.integers(0, 2000), min_size=1, max_size=6),
    outflow=st.integers(40, 300),
    productivity=st.integers(1, 300),
    units=st.integers(2, 120),
    seed=st.integers(0, 2**64),
)
def test_balances_or_is_refused(
    backlogs: list[int], outflow: int, productivity: int, units: int, seed: int
) -> None:
    targets = made(backlogs, outflow, productivity)
    world = build_world(targets, units, KINDS, seed)
    with suppress(SimulationError) if outflow <= 100 or len(backlogs) > 2 else nullcontext():
        _check_balance(targets, world, seed)


def _check_balance(targets: Targets, world: World, seed: int) -> None:
    totals = plan_totals(world, targets, 50_000)
    plan = plan_year(world, targets, totals, seed)

    moved_in = np.zeros_like(plan.moved)
    for month in range(12):
        moved_in[:, month] = sum_by(plan.partner[:, month], plan.moved[:, month], totals.pairs.size)
    before = np.column_stack((plan.opening, plan.stock[:, :-1]))
    net = plan.received - plan.moved + moved_in + plan.adjusted - plan.defined
    assert (before + net == plan.stock).all()
    for matrix in (plan.opening, plan.stock, plan.received, plan.defined, plan.moved):
        assert (matrix >= 0).all()
    assert (plan.extra_received <= plan.received // 2).all()
    assert (plan.extra_defined <= plan.defined // 2).all()
    areas, pairs = len(targets.areas), totals.pairs
    assert (sum_by(pairs.area, plan.received.sum(axis=1), areas) == totals.area_received).all()
    assert (sum_by(pairs.area, plan.defined.sum(axis=1), areas) == totals.area_defined).all()
    assert (sum_by(pairs.area, plan.stock[:, -1], areas) == totals.area_closing).all()
    assert int(plan.moved.sum()) == totals.moves
    assert np.count_nonzero(plan.adjusted) == totals.adjustments
    assert sum(totals.facts.values()) == 50_000


@pytest.mark.parametrize("events", [50_000, 400_000, 5_000_000])
@pytest.mark.parametrize("units", [2, 7, 60, 501])
def test_every_product_and_unit_at_work_has_a_pair(units: int, events: int) -> None:
    targets = made([30, 60, 90], 100, 100)
    world = build_world(targets, units, KINDS, 5)

    pairs = build_pairs(world, targets, events)

    combinations = set(zip(pairs.unit.tolist(), pairs.product.tolist(), strict=True))
    assert len(combinations) == pairs.size
    assert set(pairs.unit.tolist()) == set(range(len(pairs.units)))
    assert set(pairs.product.tolist()) == set(range(len(world.products)))
    assert (pairs.weight > 0).all()
    for place in range(pairs.size):
        peers = np.flatnonzero(pairs.product == pairs.product[place])
        assert (pairs.start[place], pairs.peers[place]) == (peers[0], peers.size)
        assert peers[-1] - peers[0] + 1 == peers.size


def test_partners_of_a_month_are_other_pairs_of_the_product_each_once() -> None:
    targets = made([30], 100, 100)
    world = build_world(targets, 60, KINDS, 5)
    totals = plan_totals(world, targets, 50_000)

    plan = plan_year(world, targets, totals, 5)

    every = np.arange(totals.pairs.size)
    for month in range(12):
        partner = plan.partner[:, month]
        assert sorted(partner.tolist()) == every.tolist()
        assert (totals.pairs.product[partner] == totals.pairs.product).all()
        assert (partner != every)[totals.pairs.linked].all()
