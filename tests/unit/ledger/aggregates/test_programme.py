"""Programmatic reports, addresses and guidelines."""

from dataclasses import replace
from decimal import Decimal

import pytest

from ledger.events.base import Event
from ledger.events.planning import (
    GuidelineAdopted,
    GuidelineCarriedOver,
    GuidelineLinked,
    GuidelineStatusReported,
    ProgrammaticReportApproved,
    ProgrammingCycleOpened,
    StrategicAddressDeclared,
)
from ledger.rules import Rule
from tests.support.given import Given

REPORT = ProgrammaticReportApproved(
    report_id="R", first_year=2023, last_year=2025, missions=("4",), programmes=("4.1.f", "10.3")
)
ADDRESS = StrategicAddressDeclared(
    year=2023, address_id="a1", programme_code="4.1.f", title="reporting", treatment="guideline"
)
GUIDELINE = GuidelineAdopted(
    year=2023, code="13.1", title="ethics", guideline_class="SP", programme_codes=("4.1.f",)
)
STATUS = GuidelineStatusReported(year=2023, code="13.1", percent=Decimal(100))
CARRIED = GuidelineCarriedOver(from_year=2023, from_code="13.1", to_year=2024, to_code="23")


def test_the_cascade_from_report_to_status() -> None:
    Given().accepts(REPORT).accepts(ADDRESS).accepts(GUIDELINE).accepts(
        GuidelineLinked(year=2023, code="13.1", address_id="a1")
    ).accepts(STATUS)


def test_a_cycle_is_opened_once() -> None:
    event = ProgrammingCycleOpened(year=2023, title="2023")

    Given().accepts(event).refuses(event, Rule.ALREADY_EXISTS)


@pytest.mark.parametrize(
    ("event", "rule"),
    [
        (REPORT, Rule.ALREADY_EXISTS),
        (replace(REPORT, report_id="S", last_year=2022), Rule.VALUE_NOT_ALLOWED),
        (ADDRESS, Rule.ALREADY_EXISTS),
        (replace(ADDRESS, address_id="a2", programme_code="9.9"), Rule.UNKNOWN_REFERENCE),
        (replace(ADDRESS, address_id="a2", year=2026), Rule.UNKNOWN_REFERENCE),
        (GUIDELINE, Rule.ALREADY_EXISTS),
        (GuidelineLinked(year=2023, code="nowhere", address_id="a1"), Rule.UNKNOWN_REFERENCE),
        (GuidelineLinked(year=2023, code="13.1", address_id="nowhere"), Rule.UNKNOWN_REFERENCE),
        (replace(STATUS, code="nowhere"), Rule.UNKNOWN_REFERENCE),
        (replace(STATUS, percent=Decimal("100.01")), Rule.VALUE_NOT_ALLOWED),
        (replace(STATUS, percent=None), Rule.MISSING_NEEDS_REASON),
        (CARRIED, Rule.UNKNOWN_REFERENCE),
        (replace(CARRIED, from_code="nowhere"), Rule.UNKNOWN_REFERENCE),
    ],
)
def test_refuses(event: Event, rule: Rule) -> None:
    Given().given(REPORT, ADDRESS, GUIDELINE).refuses(event, rule)


def test_a_missing_status_says_why() -> None:
    event = replace(STATUS, percent=None, reason_codes=("MISSING_LEGAL_BASIS",))

    Given().given(GUIDELINE).accepts(event)


def test_a_guideline_goes_on_under_another_code() -> None:
    Given().given(GUIDELINE, replace(GUIDELINE, year=2024, code="23")).accepts(CARRIED)


def test_a_report_without_listed_programmes_restricts_nothing() -> None:
    Given().given(replace(REPORT, programmes=())).accepts(ADDRESS)
