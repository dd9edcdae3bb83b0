"""The equation of stock and settlements without presence, on hand-made facts."""

import datetime as dt

import pytest

from ledger.events.organisation import UnitClosed
from projections.production.completeness import (
    PresenceGap,
    StockDifference,
    UncheckedCell,
    months_without_presence,
    stock_flow,
)
from projections.production.cube import empty
from projections.production.periods import Month
from projections.production.reference import Reference
from tests.unit.projections.production.test_measures import (
    Fields,
    cube_of,
    defined,
    presence,
    reassigned,
    received,
    stock,
)
from tests.unit.projections.production.test_reference import reference, unit

JANUARY: tuple[tuple[str, Fields], ...] = (
    stock("StockDeclared", "U1", "P1", "2023-01-01", 100),
    received("U1", "P1", "2023-01-10", 30),
    defined("U1", "P1", "2023-01-20", 50, defining_unit="U9"),
    reassigned("U1", "U2", "2023-01-21", 7),
    reassigned("U3", "U1", "2023-01-22", 4),
    stock("StockAdjusted", "U1", "P1", "2023-01-23", -2),
)
"""Leads to 100 + 30 - 50 - 7 + 4 - 2 = 75."""


def of_unit_1(*rows: tuple[str, Fields]) -> tuple[tuple[StockDifference, ...], list[str]]:
    """Return the differences and gaps of U1."""
    found = stock_flow(cube_of(*rows), Reference(), 2023)
    gaps = [f"{one.month} {one.gap}" for one in found.unchecked if one.unit == "U1"]
    return tuple(one for one in found.differences if one.unit == "U1"), gaps


def test_a_count_that_the_flows_lead_to_is_no_difference() -> None:
    rows = (*JANUARY, stock("StockCounted", "U1", "P1", "2023-01-31", 75))

    assert of_unit_1(*rows) == ((), [])
    assert stock_flow(cube_of(*rows), Reference(), 2023).checked == 1


@pytest.mark.parametrize(("counted", "difference"), [(74, -1), (76, 1), (0, -75)])
def test_a_difference_shows_every_part(counted: int, difference: int) -> None:
    (found,), gaps = of_unit_1(*JANUARY, stock("StockCounted", "U1", "P1", "2023-01-31", counted))

    assert gaps == []
    assert found == StockDifference(
        unit="U1",
        product="P1",
        month=Month(202301),
        opening=100,
        received=30,
        defined=50,
        given=7,
        taken=4,
        adjusted=-2,
        expected=75,
        counted=counted,
        difference=difference,
    )


def test_each_month_opens_with_the_count_before_it() -> None:
    differences, gaps = of_unit_1(
        stock("StockDeclared", "U1", "P1", "2023-01-01", 10),
        stock("StockCounted", "U1", "P1", "2023-01-31", 12),
        stock("StockCounted", "U1", "P1", "2023-02-28", 12),
        received("U1", "P1", "2023-03-03", 1),
        stock("StockCounted", "U1", "P1", "2023-03-31", 12),
    )

    assert gaps == []
    assert [(one.month, one.difference) for one in differences] == [(202301, 2), (202303, -1)]


def test_a_month_without_a_count_leaves_two_unchecked() -> None:
    differences, gaps = of_unit_1(
        stock("StockDeclared", "U1", "P1", "2023-01-01", 10),
        received("U1", "P1", "2023-01-03", 1),
        stock("StockCounted", "U1", "P1", "2023-02-28", 99),
        stock("StockCounted", "U1", "P1", "2023-03-31", 99),
    )

    assert differences == ()
    assert gaps == ["202301 no_count", "202302 no_opening"]


def test_a_count_of_december_opens_no_january() -> None:
    differences, gaps = of_unit_1(
        stock("StockCounted", "U1", "P1", "2022-12-31", 10),
        stock("StockCounted", "U1", "P1", "2023-01-31", 10),
    )

    assert differences == ()
    assert gaps == ["202301 no_opening"]


def test_a_declaration_in_another_month_opens_nothing() -> None:
    _, gaps = of_unit_1(
        stock("StockDeclared", "U1", "P1", "2023-03-01", 10),
        stock("StockCounted", "U1", "P1", "2023-03-31", 10),
    )

    assert gaps == ["202303 no_opening"]


@pytest.mark.parametrize("twice", ["StockDeclared", "StockCounted"])
def test_several_stocks_of_one_month_are_not_added_up(twice: str) -> None:
    day = "2023-01-01" if twice == "StockDeclared" else "2023-01-15"

    differences, gaps = of_unit_1(
        stock("StockDeclared", "U1", "P1", "2023-01-01", 5),
        stock("StockCounted", "U1", "P1", "2023-01-31", 5),
        stock(twice, "U1", "P1", day, 5),
    )

    assert differences == ()
    assert gaps == ["202301 several_counts"]


def test_a_corrected_count_is_one_count() -> None:
    differences, gaps = of_unit_1(
        stock("StockDeclared", "U1", "P1", "2023-01-01", 5),
        stock("StockCounted", "U1", "P1", "2023-01-31", 50),
        stock("StockCounted", "U1", "P1", "2023-01-31", 50, reversal=True),
        stock("StockCounted", "U1", "P1", "2023-01-31", 5),
    )

    assert (differences, gaps) == ((), [])


def test_months_that_nobody_has_recorded_yet_are_not_looked_at() -> None:
    _, gaps = of_unit_1(
        stock("StockDeclared", "U1", "P1", "2023-01-01", 5),
        stock("StockCounted", "U1", "P1", "2023-01-31", 5),
    )

    assert gaps == []


def test_a_unit_that_falls_silent_is_seen_when_others_go_on() -> None:
    _, gaps = of_unit_1(
        stock("StockDeclared", "U1", "P1", "2023-01-01", 5),
        stock("StockCounted", "U1", "P1", "2023-01-31", 5),
        received("U2", "P1", "2023-02-01", 1),
    )

    assert gaps == ["202302 no_count"]


@pytest.mark.parametrize(
    ("ended_on", "left", "differences"),
    [
        (dt.date(2023, 1, 31), 0, []),
        (dt.date(2023, 1, 31), 3, [(202302, -3)]),
        (dt.date(2023, 2, 27), 0, []),
    ],
)
def test_a_unit_that_ended_needs_no_count(
    ended_on: dt.date, left: int, differences: list[tuple[int, int]]
) -> None:
    cube = cube_of(
        stock("StockDeclared", "U1", "P1", "2023-01-01", left),
        stock("StockCounted", "U1", "P1", "2023-01-31", left),
        stock("StockDeclared", "U2", "P1", "2023-01-01", 0),
        stock("StockCounted", "U2", "P1", "2023-01-31", 0),
        stock("StockCounted", "U2", "P1", "2023-02-28", 0),
        stock("StockCounted", "U2", "P1", "2023-03-31", 0),
    )
    about = reference(unit("U1"), unit("U2"), UnitClosed(unit_code="U1", valid_to=ended_on))

    found = stock_flow(cube, about, 2023)

    assert [(one.month, one.difference) for one in found.differences] == differences
    assert found.unchecked == ()


def test_a_unit_that_ends_with_the_month_still_counts_at_its_end() -> None:
    cube = cube_of(
        stock("StockDeclared", "U1", "P1", "2023-01-01", 3),
        received("U1", "P1", "2023-01-02", 1),
    )
    about = reference(unit("U1"), UnitClosed(unit_code="U1", valid_to=dt.date(2023, 1, 31)))

    assert stock_flow(cube, about, 2023).unchecked == (
        UncheckedCell(unit="U1", product="P1", month=Month(202301), gap="no_count"),
    )


def test_cells_come_in_order_of_unit_product_and_month() -> None:
    cube = cube_of(
        *(
            received(code, item, f"2023-0{month}-01", 1)
            for month in (2, 1)
            for item in ("P2", "P1")
            for code in ("U2", "U1")
        )
    )

    found = stock_flow(cube, Reference(), 2023).unchecked

    order = [(one.unit, one.product, one.month) for one in found]
    assert order == sorted(order)
    assert len(order) == 8


def test_an_empty_cube_has_nothing_to_check() -> None:
    found = stock_flow(empty(), Reference(), 2023)

    assert (found.checked, found.differences, found.unchecked) == (0, (), ())
    assert months_without_presence(empty(), Reference(), 2023) == ()


def test_settlements_without_presence_are_listed() -> None:
    cube = cube_of(
        defined("U1", "P1", "2023-01-20", 5),
        defined("U1", "P2", "2023-01-20", 2, automated=True),
        defined("U1", "P1", "2023-02-20", 5),
        defined("U1", "P1", "2022-12-20", 5),
        presence("U1", "2023-02", 1),
        presence("U2", "2023-01", 1000),
    )

    assert months_without_presence(cube, reference(unit("U1")), 2023) == (
        PresenceGap(unit="U1", name="Unit U1", month=Month(202301), defined=7, automated=2),
    )


def test_presence_is_asked_of_the_unit_that_settled() -> None:
    cube = cube_of(defined("U1", "P1", "2023-01-20", 5, defining_unit="U2"))

    (gap,) = months_without_presence(cube, Reference(), 2023)

    assert (gap.unit, gap.name) == ("U2", "")


def test_presence_of_no_time_is_no_presence() -> None:
    cube = cube_of(defined("U1", "P1", "2023-01-20", 5), presence("U1", "2023-01", 0))

    assert len(months_without_presence(cube, Reference(), 2023)) == 1
