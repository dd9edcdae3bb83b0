"""The body: a tree of the units asked for, products by area, one source per family."""

import datetime as dt
from collections import Counter
from decimal import Decimal

import pytest

from app.simulator.errors import WorldError
from app.simulator.targets import Area, Targets
from app.simulator.world import PRODUCTS_MAX, PRODUCTS_MIN, World, build_world

KINDS = {
    "DG": 1,
    "DR": 20,
    "DCM": 3,
    "DP": 103,
    "FM": 12,
    "FP": 1,
    "AC": 36,
    "AT": 271,
    "PUNTO": 54,
}
FAMILIES = ("production", "stock", "presence", "flow", "cost", "measurement")
TARGETS = Targets(
    year=2023,
    productivity=Decimal(100),
    outflow=Decimal(1),
    areas=tuple(
        Area(code=code, label=f"Area {code}", line="flussi", backlog_days=Decimal(30))
        for code in ("uno", "due", "tre")
    ),
    nodes=(),
    stages=(),
)


def world(units: int = 501, kinds: dict[str, int] | None = None, seed: int = 1) -> World:
    return build_world(TARGETS, units, KINDS if kinds is None else kinds, seed)


def test_units_have_the_real_counts() -> None:
    built = world()

    assert Counter(unit.unit_type for unit in built.units) == KINDS
    assert len({unit.code for unit in built.units}) == 501


@pytest.mark.parametrize("units", [2, 5, 60, 500, 502, 2000])
def test_another_number_of_units_keeps_the_proportions(units: int) -> None:
    counts = Counter(unit.unit_type for unit in world(units).units)

    assert sum(counts.values()) == units
    assert counts["DG"] == 1
    for kind in list(KINDS)[1:]:
        assert abs(counts[kind] - (units - 1) * KINDS[kind] / 500) < 1


@pytest.mark.parametrize("units", [2, 60, 501])
def test_units_form_a_tree_below_the_root(units: int) -> None:
    built = world(units).units
    seen: set[str] = set()

    for unit in built:
        assert (unit.parent_code is None) == (unit.unit_type == "DG")
        assert unit.parent_code is None or unit.parent_code in seen
        seen.add(unit.code)


def test_only_local_units_settle_requests() -> None:
    built = world()

    assert {unit.unit_type for unit in built.producing} == {"DP", "FM", "FP", "AC", "AT"}
    assert all(unit.weight > 0 for unit in built.producing)


def test_metropolitan_branches_hang_below_their_coordination() -> None:
    units = world().units
    kinds = {unit.code: unit.unit_type for unit in units}

    above = {
        kinds[unit.parent_code] for unit in units if unit.unit_type == "FM" and unit.parent_code
    }
    assert above == {"DCM"}


def test_kinds_of_another_body_hang_below_the_kind_named_before() -> None:
    units = world(20, {"HQ": 1, "LAND": 4, "DESK": 15}).units
    kinds = {unit.code: unit.unit_type for unit in units}

    assert Counter(kinds.values()) == {"HQ": 1, "LAND": 4, "DESK": 15}
    above = {
        kinds[unit.parent_code] for unit in units if unit.unit_type == "DESK" and unit.parent_code
    }
    assert above == {"LAND"}
    assert next(unit for unit in units if unit.unit_type == "HQ").weight == 0


def test_every_area_has_products_with_coefficients_of_three_decimals() -> None:
    built = world()
    per_area = Counter(product.area for product in built.products)

    assert list(per_area) == ["uno", "due", "tre"]
    assert all(PRODUCTS_MIN <= count <= PRODUCTS_MAX for count in per_area.values())
    for product in built.products:
        assert product.coefficient == Decimal(product.milli) / 1000 > 0
        assert product.line == "flussi"
    assert len({product.code for product in built.products}) == len(built.products)


def test_every_family_has_one_source() -> None:
    built = world()

    assert sorted(name for source in built.sources for name in source.families) == sorted(FAMILIES)
    assert {built.source_of(family) for family in FAMILIES} == {
        source.name for source in built.sources
    }


def test_the_calendar_is_that_of_the_year() -> None:
    assert [(month.year, month.month) for month in world().calendars] == [
        (2023, month) for month in range(1, 13)
    ]
    assert dt.date(2023, 8, 15).weekday() < 5
    assert world().calendars[7].working_days == 22


def test_the_same_seed_gives_the_same_world_and_another_one_does_not() -> None:
    assert world(seed=3) == world(seed=3)
    assert world(seed=3) != world(seed=4)


@pytest.mark.parametrize(
    ("units", "kinds", "reason"),
    [
        (1, KINDS, "between 2"),
        (0, KINDS, "between 2"),
        (100_001, KINDS, "between 2"),
        (10, {}, "counts"),
        (10, {"DG": 1, "DP": -1}, "counts"),
        (10, {"DG": 1}, "below the root"),
        (10, {"DG": 1, "DP": 0}, "below the root"),
        (10, {"DG": 1, "DR": 3, "PUNTO": 3}, "settles"),
    ],
)
def test_refuses_a_body_that_cannot_work(units: int, kinds: dict[str, int], reason: str) -> None:
    with pytest.raises(WorldError, match=reason) as caught:
        world(units, kinds)

    assert caught.value.units == units
