"""Projections computed by hand, their defaults, and comparison with what came."""

import datetime as dt
from decimal import Decimal
from fractions import Fraction

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.errors import InvalidCommandError, UnknownEntityError
from ledger.events.production import ScenarioPublished
from projections.cycle.rounding import round_half_up
from projections.cycle.values import Missing, Reason
from projections.production.cube import empty, merge
from projections.production.forecast import (
    Assumptions,
    Projection,
    against_actuals,
    project,
    scenario_from,
)
from projections.production.periods import Month
from tests.unit.projections.production.test_measures import (
    cube_of,
    defined,
    presence,
    received,
    stock,
)
from tests.unit.projections.production.test_reference import (
    coefficient,
    product,
    reference,
    unit,
)

MAY = Month(202305)
ABOUT = reference(
    unit("DG"),
    unit("U1", "DG"),
    unit("U2", "DG"),
    product("P1"),
    coefficient("P1", "1.5"),
)


def projected(
    *,
    opening_stock: str = "100",
    inflow: str = "50",
    inflow_change: str = "0",
    staff_months: str = "2",
    productivity: str = "30",
    months: int = 3,
    days: tuple[int, ...] = (20, 22, 21),
) -> Projection:
    """Return a projection; capacity is 60 a month unless said otherwise."""
    return project(
        opening_stock=Decimal(opening_stock),
        inflow=Decimal(inflow),
        inflow_change=Decimal(inflow_change),
        staff_months=Decimal(staff_months),
        productivity=Decimal(productivity),
        months=months,
        days=days,
    )


def test_the_recursion_by_hand() -> None:
    found = projected()

    assert [str(one) for one in found.stocks] == ["90", "80", "70"]
    # 90 * 20 / 60, 80 * 22 / 60, 70 * 21 / 60
    assert [str(one) for one in found.days] == ["30.00", "29.33", "24.50"]


def test_the_inflow_changes_from_the_second_month_on() -> None:
    found = projected(inflow_change="10")

    # 100 + 50 - 60; + 55 - 60; + 60.5 - 60
    assert found.stocks == (Decimal(90), Decimal(85), Decimal("85.5"))


def test_a_stock_never_falls_below_zero_and_grows_again_from_there() -> None:
    found = projected(opening_stock="5", inflow_change="100")

    # 5 + 50 - 60 is below 0; 0 + 100 - 60; 40 + 200 - 60
    assert [str(one) for one in found.stocks] == ["0", "40", "180"]
    assert found.days[0] == 0


def test_nothing_is_rounded_on_the_way() -> None:
    found = projected(inflow="0.0000004", opening_stock="0.0000004", staff_months="0")

    assert found.stocks == (Decimal("0.000001"), Decimal("0.000001"), Decimal("0.000002"))


def test_a_tie_is_rounded_up() -> None:
    found = projected(
        opening_stock="0.1", inflow="0", productivity="0.01", staff_months="8", months=1, days=(1,)
    )

    # 0.02 left, 0.02 / 0.08 = 0.25 days
    assert found.stocks == (Decimal("0.02"),)
    assert str(found.days[0]) == "0.25"


def test_without_capacity_there_are_no_days() -> None:
    found = projected(staff_months="0")

    assert [str(one) for one in found.stocks] == ["150", "200", "250"]
    assert found.days == ()


@pytest.mark.parametrize(
    ("field", "changed"),
    [
        ("opening_stock", {"opening_stock": "-0.01"}),
        ("opening_stock", {"opening_stock": "NaN"}),
        ("inflow", {"inflow": "-1"}),
        ("inflow", {"inflow": "Infinity"}),
        ("staff_months", {"staff_months": "-1"}),
        ("productivity", {"productivity": "-1"}),
        ("inflow_change", {"inflow_change": "-100.1"}),
        ("inflow_change", {"inflow_change": "NaN"}),
        ("months", {"months": 0, "days": ()}),
        ("months", {"months": 121, "days": (30,) * 121}),
        ("days", {"days": (20, 22)}),
        ("days", {"days": (20, 22, 0)}),
        ("days", {"days": (20, 22, 32)}),
    ],
)
def test_refuses_assumptions_out_of_bounds(field: str, changed: dict[str, object]) -> None:
    with pytest.raises(InvalidCommandError) as caught:
        projected(**changed)  # type: ignore[arg-type] # each case has the type of its field

    assert caught.value.facts["field"] == field


@pytest.mark.property
@settings(max_examples=60, deadline=None)
@given(
    opening=st.decimals(0, 10**6, places=3),
    inflow=st.decimals(0, 10**6, places=3),
    change=st.integers(-100, 20),
    staff=st.decimals(0, 1000, places=3),
    productivity=st.decimals(0, 200, places=2),
    months=st.integers(1, 24),
)
def test_the_recursion_as_its_closed_form(
    *,
    opening: Decimal,
    inflow: Decimal,
    change: int,
    staff: Decimal,
    productivity: Decimal,
    months: int,
) -> None:
    found = project(
        opening_stock=opening,
        inflow=inflow,
        inflow_change=Decimal(change),
        staff_months=staff,
        productivity=productivity,
        months=months,
        days=(30,) * months,
    )

    # A walk that stops at zero stands above its lowest point so far (Lindley).
    drift = [
        Fraction(inflow) * Fraction(100 + change, 100) ** step - Fraction(staff * productivity)
        for step in range(months)
    ]
    walk = [Fraction(opening) + sum(drift[: step + 1]) for step in range(months)]
    expected = [one - min(Fraction(0), *walk[: step + 1]) for step, one in enumerate(walk)]
    assert found.stocks == tuple(round_half_up(one, 6) for one in expected)


PAST = cube_of(
    stock("StockCounted", "U1", "P1", "2023-03-31", 999),
    stock("StockCounted", "U1", "P1", "2023-04-30", 40),
    stock("StockCounted", "U2", "P1", "2023-04-30", 2),
    stock("StockCounted", "U1", "P1", "2023-06-30", 7777),
    received("U1", "P1", "2023-04-02", 10),
    received("U2", "P1", "2023-05-02", 31),
    received("U1", "P1", "2023-06-02", 7777),
    received("U1", "P1", "2022-05-02", 7777),
    defined("U1", "P1", "2023-04-02", 20),
    defined("U2", "P1", "2023-05-02", 4),
    presence("U1", "2023-04", 1500),
    presence("U1", "2023-04", 1500, workable=False),
    presence("U2", "2023-05", 500),
)


def test_the_defaults_are_means_of_the_months_before() -> None:
    found = scenario_from(PAST, ABOUT, None, MAY)

    assert found == Assumptions(
        opening_stock=Decimal(63),  # 42 * 1.5
        counted_in=Month(202304),
        inflow=Decimal("30.75"),  # 41 * 1.5 / 2
        inflow_change=Decimal(0),
        staff_months=Decimal(1),
        productivity=Decimal(18),  # 24 * 1.5 / 2
        months=(Month(202304), Month(202305)),
    )


def test_the_defaults_of_a_unit_are_its_own() -> None:
    found = scenario_from(PAST, ABOUT, "U1", MAY)

    assert isinstance(found, Assumptions)
    assert found.opening_stock == 60
    assert found.inflow == Decimal("7.5")
    assert found.staff_months == Decimal("0.75")
    assert found.productivity == 20


def test_the_defaults_of_the_root_are_those_of_the_body() -> None:
    assert scenario_from(PAST, ABOUT, "DG", MAY) == scenario_from(PAST, ABOUT, None, MAY)


def test_refuses_a_unit_that_nobody_knows() -> None:
    with pytest.raises(UnknownEntityError):
        scenario_from(PAST, ABOUT, "nowhere", MAY)


@pytest.mark.parametrize(
    ("fact", "missing"),
    [
        ("StockCounted", Missing(Reason.NOT_RECORDED, ("StockCounted",))),
        ("RequestReceived", Missing(Reason.NOT_RECORDED, ("RequestReceived",))),
        ("RequestDefined", Missing(Reason.NOT_RECORDED, ("RequestDefined",))),
        ("PresenceRecorded", Missing(Reason.NOT_RECORDED, ("PresenceRecorded",))),
    ],
)
def test_an_assumption_without_facts_is_missing(fact: str, missing: Missing) -> None:
    assert scenario_from(PAST.filter(pl.col("fact") != fact), ABOUT, None, MAY) == missing


def test_an_assumption_without_coefficient_is_missing() -> None:
    assert scenario_from(PAST, reference(unit("U1")), None, MAY) == Missing(
        Reason.CHILD_MISSING, ("coefficient P1",)
    )


def test_an_inflow_without_coefficient_is_missing() -> None:
    cube = merge([PAST, cube_of(received("U1", "P9", "2023-05-02", 1))])

    assert scenario_from(cube, ABOUT, None, MAY) == Missing(
        Reason.CHILD_MISSING, ("coefficient P9",)
    )


def test_without_staff_there_is_no_productivity() -> None:
    cube = PAST.with_columns(
        second=pl.when(pl.col("fact") == "PresenceRecorded").then(0).otherwise("second")
    )

    assert scenario_from(cube, ABOUT, None, MAY) == Missing(
        Reason.DIVISION_BY_ZERO, ("PresenceRecorded",)
    )


def test_an_empty_ledger_has_no_defaults() -> None:
    assert isinstance(scenario_from(empty(), ABOUT, None, MAY), Missing)


def scenario(unit_code: str | None, *stocks: str) -> ScenarioPublished:
    """Return a scenario that starts in March."""
    return ScenarioPublished(
        scenario_id="S1",
        label="S1",
        unit_code=unit_code,
        starts_on=dt.date(2023, 3, 1),
        months=len(stocks),
        opening_stock=Decimal(1),
        inflow=Decimal(1),
        staff_months=Decimal(1),
        productivity=Decimal(1),
        inflow_change=Decimal(0),
        stocks=tuple(Decimal(one) for one in stocks),
    )


def test_projected_and_actual_stand_side_by_side() -> None:
    found = against_actuals(scenario(None, "1500", "60.5", "10"), PAST, ABOUT)

    assert [(one.month, one.projected, one.actual, one.difference) for one in found] == [
        (202303, Decimal(1500), Decimal("1498.5"), Decimal("-1.5")),
        (202304, Decimal("60.5"), Decimal(63), Decimal("2.5")),
        (202305, Decimal(10), None, None),
    ]
    assert (found[2].reason, found[2].details) == ("not_recorded", ("StockCounted",))


def test_a_scenario_of_a_unit_is_compared_with_that_unit() -> None:
    found = against_actuals(scenario("U2", "0", "3"), PAST, ABOUT)

    assert [one.actual for one in found] == [0, 3]


def test_a_scenario_without_stocks_has_nothing_to_compare() -> None:
    assert against_actuals(scenario(None), PAST, ABOUT) == ()
