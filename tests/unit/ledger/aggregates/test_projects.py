"""Projects from approval to result."""

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest

from ledger.events.base import Event
from ledger.events.projects import (
    ProjectApproved,
    ProjectClosed,
    ProjectMilestoneChanged,
    ProjectProgressReported,
    ProjectRoleAssigned,
)
from ledger.rules import Rule
from tests.support.given import Given

APPROVED = ProjectApproved(project_code="P1", family="PES", title="Portal", year=2023)
PROGRESS = ProjectProgressReported(project_code="P1", percent=Decimal(40))
CLOSED = ProjectClosed(project_code="P1", result=Decimal(100), closed_on=dt.date(2023, 12, 31))
PLANNED = ProjectMilestoneChanged(
    project_code="P1", milestone="go-live", new_date=dt.date(2023, 9, 30)
)
MOVED = replace(
    PLANNED, old_date=dt.date(2023, 9, 30), new_date=dt.date(2023, 11, 30), reason_code="FUNDING"
)


def test_the_life_of_a_project() -> None:
    Given().accepts(APPROVED).accepts(PLANNED).accepts(MOVED).accepts(PROGRESS).accepts(CLOSED)


@pytest.mark.parametrize(
    ("event", "rule"),
    [
        (APPROVED, Rule.ALREADY_EXISTS),
        (replace(APPROVED, project_code="P2", owner_unit="nowhere"), Rule.UNKNOWN_REFERENCE),
        (replace(APPROVED, project_code="P2", weight=Decimal(101)), Rule.VALUE_NOT_ALLOWED),
        (replace(PROGRESS, project_code="P2"), Rule.UNKNOWN_REFERENCE),
        (replace(PROGRESS, percent=Decimal(101)), Rule.VALUE_NOT_ALLOWED),
        (replace(CLOSED, result=Decimal(101)), Rule.VALUE_NOT_ALLOWED),
        (replace(CLOSED, closed_on=dt.date(2022, 12, 31)), Rule.DATES_OUT_OF_ORDER),
        (PLANNED, Rule.OLD_VALUE_DIFFERS),
        (replace(MOVED, reason_code=None), Rule.CORRECTION_NEEDS_REASON),
        (
            ProjectRoleAssigned(project_code="P1", role="process_owner", unit_code="nowhere"),
            Rule.UNKNOWN_REFERENCE,
        ),
    ],
)
def test_refuses(event: Event, rule: Rule) -> None:
    Given().given(APPROVED, PLANNED).refuses(event, rule)


def test_a_territorial_local_project_may_reach_150() -> None:
    ledger = Given().given(replace(APPROVED, family="local_territorial"))

    ledger.refuses(replace(CLOSED, result=Decimal("150.01")), Rule.VALUE_NOT_ALLOWED)
    ledger.accepts(replace(CLOSED, result=Decimal(150)))


def test_nothing_happens_to_a_closed_project() -> None:
    ledger = Given().given(APPROVED, CLOSED)

    for event in (PROGRESS, PLANNED, CLOSED):
        ledger.refuses(event, Rule.ENTITY_CLOSED)
