"""Periods as texts, months and days."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import InvalidCommandError
from projections.production.periods import (
    OPENING,
    Month,
    Period,
    cells_of,
    last_day,
    month_of,
    month_on,
    shifted,
)
from tests.unit.projections.production.test_measures import cube_of, received, stock


@pytest.mark.parametrize(
    ("text", "months", "days", "last"),
    [
        ("2023", tuple(range(202301, 202313)), 365, dt.date(2023, 12, 31)),
        ("2024", tuple(range(202401, 202413)), 366, dt.date(2024, 12, 31)),
        ("2023-Q1", (202301, 202302, 202303), 90, dt.date(2023, 3, 31)),
        ("2023-Q4", (202310, 202311, 202312), 92, dt.date(2023, 12, 31)),
        ("2024-02", (202402,), 29, dt.date(2024, 2, 29)),
        ("9999-12", (999912,), 31, dt.date(9999, 12, 31)),
    ],
)
def test_a_text_names_months(text: str, months: tuple[int, ...], days: int, last: dt.date) -> None:
    period = Period.parse(text)

    assert period.months() == months
    assert period.days() == days
    assert period.last_day == last
    assert str(period) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "23",
        "0023",
        "2023-",
        "2023-00",
        "2023-13",
        "2023-5",
        "2023-Q0",
        "2023-Q5",
        "2023-q1",
        "2023-05-01",
        " 2023",
        "2023\n",
        "\u0662\u0660\u0662\u0663",
    ],
)
def test_refuses_a_text_that_names_no_period(text: str) -> None:
    with pytest.raises(InvalidCommandError) as caught:
        Period.parse(text)

    assert caught.value.facts["value"] == text


@pytest.mark.parametrize(
    ("month", "steps", "result"),
    [
        (202312, 1, 202401),
        (202301, -1, 202212),
        (202305, 0, 202305),
        (202305, -17, 202112),
        (202305, 24, 202505),
    ],
)
def test_months_are_counted_over_years(month: int, steps: int, result: int) -> None:
    assert shifted(Month(month), steps) == result


@pytest.mark.property
@given(day=st.dates())
def test_a_day_lies_in_its_month(day: dt.date) -> None:
    period = Period.of_month(month_on(day))

    assert period.first_day <= day <= period.last_day == last_day(month_of(day.year, day.month))
    assert period.days() in {28, 29, 30, 31}


def test_stocks_of_a_year_are_those_declared_and_those_of_december() -> None:
    cube = cube_of(
        stock("StockCounted", "U1", "P1", "2022-12-31", 1),
        stock("StockDeclared", "U1", "P1", "2023-01-01", 2),
        stock("StockCounted", "U1", "P1", "2023-11-30", 3),
        stock("StockCounted", "U1", "P1", "2023-12-31", 4),
        received("U1", "P1", "2023-07-01", 5),
        received("U1", "P1", "2024-01-01", 6),
    )

    found = cells_of(cube, Period.parse("2023")).unique(["fact", "total"])

    assert sorted(found.select("fact", "total").rows()) == [
        (OPENING, 2),
        ("RequestReceived", 5),
        ("StockCounted", 4),
    ]


def test_the_opening_stock_of_a_later_month_is_the_one_counted_before() -> None:
    cube = cube_of(
        stock("StockDeclared", "U1", "P1", "2023-01-01", 2),
        stock("StockCounted", "U1", "P1", "2023-03-31", 3),
        stock("StockCounted", "U1", "P1", "2023-04-30", 9),
    )

    found = cells_of(cube, Period.parse("2023-Q2"))

    assert found.select("fact", "total").rows() == [(OPENING, 3)]
