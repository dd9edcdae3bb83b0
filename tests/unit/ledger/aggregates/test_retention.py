"""Retention terms: set under an act, for a type that exists, and how they end."""

import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.aggregates.base import Proposal
from ledger.aggregates.retention import RetentionState, term_end
from ledger.events.acts import ActAdopted
from ledger.events.privacy import RetentionTermSet
from ledger.rules import Rule
from tests.support.given import PLAN_ACT, Given, act_adopted, envelope

TERM = RetentionTermSet(event_type=ActAdopted.TYPE, term_years=5)
DAY = dt.date(2024, 3, 1)


def decided(event: RetentionTermSet, day: dt.date = DAY, *, act: bool = True) -> Proposal:
    return Proposal(event=event, envelope=envelope(day, ref=None, acts=(PLAN_ACT,) if act else ()))


def ledger() -> Given:
    return Given().given(act_adopted())


def test_a_term_is_set_and_changed_under_an_act() -> None:
    changed = replace(TERM, term_years=10)

    ledger().accepts(decided(TERM)).accepts(decided(changed, dt.date(2024, 3, 2)))


def test_refuses_a_term_without_an_act() -> None:
    ledger().refuses(decided(TERM, act=False), Rule.ACT_REQUIRED)


@pytest.mark.parametrize(
    "name", ["", "ActAdopted", "registro.acts.Unheard", "registro.ledger.Actor"]
)
def test_refuses_a_type_that_is_no_event(name: str) -> None:
    ledger().refuses(decided(replace(TERM, event_type=name)), Rule.UNKNOWN_REFERENCE)


@pytest.mark.parametrize("years", [-1, 0, 101, 2**31 - 1])
def test_refuses_a_term_out_of_range(years: int) -> None:
    ledger().refuses(decided(replace(TERM, term_years=years)), Rule.VALUE_NOT_ALLOWED)


def test_refuses_the_term_that_holds_already() -> None:
    ledger().given(decided(TERM)).refuses(decided(TERM, dt.date(2024, 4, 1)), Rule.NOTHING_CHANGES)


def test_refuses_a_change_known_before_the_present_term() -> None:
    ledger().given(decided(TERM)).refuses(
        decided(replace(TERM, term_years=1), dt.date(2024, 2, 29)), Rule.DATES_OUT_OF_ORDER
    )


@pytest.mark.parametrize(
    ("last_day", "years", "end"),
    [
        ("2023-12-31", 5, "2028-12-31"),
        ("2024-02-29", 1, "2025-02-28"),
        ("2024-02-29", 4, "2028-02-29"),
        ("2096-02-29", 4, "2100-02-28"),
        ("9999-01-01", 1, "9999-12-31"),
    ],
)
def test_a_term_ends_on_the_same_day_of_a_later_year(last_day: str, years: int, end: str) -> None:
    assert term_end(dt.date.fromisoformat(last_day), years).isoformat() == end


@pytest.mark.property
@given(first=st.dates(), second=st.dates(), years=st.integers(1, 100))
@settings(max_examples=200)
def test_who_begins_later_never_ends_earlier(first: dt.date, second: dt.date, years: int) -> None:
    low, high = sorted((first, second))

    assert term_end(low, years) <= term_end(high, years)


def test_a_type_without_a_term_has_none() -> None:
    assert RetentionState().years(ActAdopted.TYPE, DAY) is None
