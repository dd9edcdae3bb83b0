"""Organisation units: validity, hierarchy, successors."""

import datetime as dt

import pytest

from ledger.events.base import Event
from ledger.events.organisation import (
    UnitClosed,
    UnitCountsReported,
    UnitEstablished,
    UnitReorganised,
)
from ledger.rules import Rule
from tests.support.given import JAN_1, Given

MID_YEAR = dt.date(2023, 7, 1)


def unit(code: str, parent: str | None = None, *, since: dt.date = JAN_1) -> UnitEstablished:
    return UnitEstablished(
        unit_code=code, unit_type="DP", name=code.upper(), parent_code=parent, valid_from=since
    )


def moved(code: str, parent: str, *, since: dt.date = MID_YEAR) -> UnitReorganised:
    return UnitReorganised(unit_code=code, parent_code=parent, valid_from=since)


def closed(code: str, *successors: str, last_day: dt.date = MID_YEAR) -> UnitClosed:
    return UnitClosed(unit_code=code, valid_to=last_day, successors=successors)


def test_a_tree_of_units_grows_from_its_root() -> None:
    Given().accepts(unit("dg")).accepts(unit("dr", "dg")).accepts(unit("dp", "dr"))


@pytest.mark.parametrize(
    ("event", "rule"),
    [
        (unit("dr"), Rule.ALREADY_EXISTS),
        (unit("dp", "nowhere"), Rule.UNKNOWN_REFERENCE),
        (unit("dp", "dr", since=dt.date(2022, 12, 31)), Rule.DATES_OUT_OF_ORDER),
        (moved("nowhere", "dg"), Rule.UNKNOWN_REFERENCE),
        (moved("dg", "dr"), Rule.HIERARCHY_CYCLE),
        (moved("dr", "dr"), Rule.HIERARCHY_CYCLE),
        (moved("dr", "dg"), Rule.NOTHING_CHANGES),
        (moved("dr", "dg2", since=dt.date(2022, 1, 1)), Rule.DATES_OUT_OF_ORDER),
        (closed("dg"), Rule.HAS_OPEN_CHILDREN),
        (closed("dr", "nowhere"), Rule.UNKNOWN_REFERENCE),
        (closed("dr", "dr"), Rule.HIERARCHY_CYCLE),
        (closed("dr", last_day=dt.date(2022, 1, 1)), Rule.DATES_OUT_OF_ORDER),
        (UnitCountsReported(unit_type="DP", label="DP", units=-1), Rule.VALUE_NOT_ALLOWED),
    ],
)
def test_refuses(event: Event, rule: Rule) -> None:
    Given().given(unit("dg"), unit("dg2"), unit("dr", "dg")).refuses(event, rule)


def test_a_closed_unit_bears_no_further_event() -> None:
    ledger = Given().given(unit("dg"), unit("dr", "dg"), unit("dr2", "dg"), closed("dr", "dr2"))

    ledger.refuses(moved("dr", "dr2"), Rule.ENTITY_CLOSED)
    ledger.refuses(closed("dr"), Rule.ENTITY_CLOSED)
    ledger.refuses(unit("dp", "dr"), Rule.ENTITY_CLOSED)
    ledger.refuses(closed("dr2", "dr"), Rule.ENTITY_CLOSED)


def test_a_unit_may_end_after_the_units_below_it() -> None:
    ledger = Given().given(unit("dg"), unit("dr", "dg"), closed("dr"))

    ledger.accepts(closed("dg"))


def test_a_count_without_names_is_recorded_as_a_count() -> None:
    Given().accepts(UnitCountsReported(unit_type="AT", label="Agenzie", units=271))
