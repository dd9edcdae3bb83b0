"""Days are read in one spelling; others are refused with the day they mean."""

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.intake.dates import date_cell
from ledger.intake.problems import CellError

LIMIT = dt.date(2024, 12, 31)


@pytest.mark.parametrize(
    ("text", "code", "facts"),
    [
        ("", "empty_value", {}),
        ("2023-02-30", "impossible_date", {}),
        ("2023-13-01", "impossible_date", {}),
        ("0000-01-01", "impossible_date", {}),
        ("31/02/2023", "impossible_date", {}),
        ("2025-01-01", "date_after_limit", {"limit": "2024-12-31"}),
        ("14/06/2024", "day_first_date", {"suggestion": "2024-06-14"}),
        ("14.06.2024", "day_first_date", {"suggestion": "2024-06-14"}),
        ("06/14/2024", "day_first_date", {"suggestion": "2024-06-14"}),
        ("06/06/2024", "day_first_date", {"suggestion": "2024-06-06"}),
        (
            "06/07/2024",
            "ambiguous_date",
            {"day_first": "2024-07-06", "month_first": "2024-06-07"},
        ),
        ("14/06/24", "two_digit_year", {}),
        ("24-06-14", "two_digit_year", {}),
        ("2024-06-14T00:00:00Z", "date_with_time", {"suggestion": "2024-06-14"}),
        ("2024-06-14 10:30", "date_with_time", {"suggestion": "2024-06-14"}),
        ("2024-6-4", "unpadded_date", {"suggestion": "2024-06-04"}),
        ("2024/06/14", "unpadded_date", {"suggestion": "2024-06-14"}),
        ("20240614", "unpadded_date", {"suggestion": "2024-06-14"}),
        ("45457", "spreadsheet_date", {"suggestion": "2024-06-14"}),
        ("2024-W24-5", "not_a_date", {}),
        ("14 giugno 2024", "not_a_date", {}),
        ("\uff12\uff10\uff12\uff14-06-14", "not_a_date", {}),
        ("2024-06-14\n", "not_a_date", {}),
        ("-2024-06-14", "not_a_date", {}),
    ],
)
def test_refuses_another_spelling_of_a_day(text: str, code: str, facts: dict[str, str]) -> None:
    with pytest.raises(CellError) as refused:
        date_cell(LIMIT)(text)

    assert (refused.value.code, refused.value.facts) == (code, facts)


def test_limits_are_inclusive() -> None:
    parse = date_cell(LIMIT, not_before=LIMIT)

    assert parse("2024-12-31") == LIMIT


def test_refuses_a_day_before_the_first() -> None:
    with pytest.raises(CellError) as refused:
        date_cell(not_before=LIMIT)("2024-12-30")

    assert refused.value.code == "date_before_limit"


@pytest.mark.property
@given(st.dates())
@settings(max_examples=100)
def test_reads_every_day_of_the_calendar(day: dt.date) -> None:
    assert date_cell()(day.isoformat()) == day


@pytest.mark.property
@given(st.text(alphabet="0123456789-/. T:", max_size=12))
@settings(max_examples=200)
def test_gives_a_day_or_a_reason_for_any_text(text: str) -> None:
    try:
        day = date_cell()(text)
    except CellError:
        return

    assert day.isoformat() == text
