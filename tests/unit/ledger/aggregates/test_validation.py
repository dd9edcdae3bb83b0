"""Validation by the OIV, and the incentive parameters that wait for it."""

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest

from ledger.events.base import Event
from ledger.events.measurement import IncentiveScaleSet, UnitParameterAssigned
from ledger.events.organisation import UnitEstablished
from ledger.events.validation import (
    CriterionExamined,
    FindingAnswered,
    FindingRaised,
    ReportNotValidated,
    ReportValidated,
    ValidationOpened,
)
from ledger.rules import Rule
from tests.support.given import JAN_1, Given, at

OPENED = ValidationOpened(report_id="rp2023", year=2023, received_on=dt.date(2024, 6, 14))
EXAMINED = CriterionExamined(report_id="rp2023", criterion="e", conclusion="met")
FINDING = FindingRaised(
    finding_id="f1", report_id="rp2023", severity="blocking", text="53.13 is the size of the miss"
)
ANSWERED = FindingAnswered(finding_id="f1", report_id="rp2023", answer="corrected")
VALIDATED = ReportValidated(report_id="rp2023", validated_on=dt.date(2024, 6, 28))
REFUSED = ReportNotValidated(report_id="rp2023", concluded_on=dt.date(2024, 6, 28), reasons="data")
UNIT = UnitEstablished(unit_code="dp", unit_type="DP", name="DP", valid_from=JAN_1)
PARAMETER = UnitParameterAssigned(
    year=2023, unit_code="dp", scale="ordinary", parameter=Decimal(110), report_id="rp2023"
)
AFTER = dt.date(2024, 7, 1)


def test_a_validation_from_receipt_to_conclusion() -> None:
    Given().accepts(OPENED).accepts(EXAMINED).accepts(FINDING).accepts(ANSWERED).accepts(VALIDATED)


@pytest.mark.parametrize(
    ("event", "rule"),
    [
        (OPENED, Rule.ALREADY_EXISTS),
        (replace(EXAMINED, report_id="rp2022"), Rule.UNKNOWN_REFERENCE),
        (replace(EXAMINED, criterion="l"), Rule.VALUE_NOT_ALLOWED),
        (replace(EXAMINED, conclusion="perhaps"), Rule.VALUE_NOT_ALLOWED),
        (FINDING, Rule.ALREADY_EXISTS),
        (replace(FINDING, finding_id="f2", severity="awful"), Rule.VALUE_NOT_ALLOWED),
        (replace(FINDING, finding_id="f2", criterion="z"), Rule.VALUE_NOT_ALLOWED),
        (replace(ANSWERED, finding_id="f2"), Rule.UNKNOWN_REFERENCE),
        (VALIDATED, Rule.BLOCKING_FINDING_OPEN),
        (replace(VALIDATED, validated_on=dt.date(2024, 6, 13)), Rule.DATES_OUT_OF_ORDER),
        (replace(REFUSED, concluded_on=dt.date(2024, 6, 13)), Rule.DATES_OUT_OF_ORDER),
    ],
)
def test_refuses(event: Event, rule: Rule) -> None:
    Given().given(OPENED, FINDING).refuses(event, rule)


@pytest.mark.parametrize("conclusion", [VALIDATED, REFUSED])
def test_a_concluded_validation_is_not_reopened(conclusion: Event) -> None:
    ledger = Given().given(OPENED, conclusion)

    for event in (EXAMINED, FINDING, VALIDATED, REFUSED):
        ledger.refuses(event, Rule.VALIDATION_CONCLUDED)


def test_refuses_a_parameter_before_the_report_is_validated() -> None:
    ledger = Given().given(UNIT, OPENED)

    refused = ledger.refuses(at(PARAMETER, AFTER), Rule.REPORT_NOT_VALIDATED)
    ledger.given(VALIDATED).accepts(at(PARAMETER, AFTER))

    assert refused.facts == {
        "rule": "report_not_validated",
        "detail": refused.facts["detail"],
        "report": "rp2023",
        "unit": "dp",
        "date": "2024-07-01",
    }


def test_refuses_a_parameter_dated_before_the_validation() -> None:
    ledger = Given().given(UNIT, OPENED, VALIDATED)

    ledger.refuses(at(PARAMETER, dt.date(2024, 6, 27)), Rule.REPORT_NOT_VALIDATED)
    ledger.accepts(at(PARAMETER, dt.date(2024, 6, 28)))


def test_refuses_a_parameter_after_a_refused_validation_or_of_another_year() -> None:
    Given().given(UNIT, OPENED, REFUSED).refuses(at(PARAMETER, AFTER), Rule.REPORT_NOT_VALIDATED)
    Given().given(UNIT, OPENED, VALIDATED).refuses(
        at(replace(PARAMETER, year=2022), AFTER), Rule.REPORT_NOT_VALIDATED
    )


def test_a_parameter_is_assigned_once_to_an_existing_unit() -> None:
    ledger = Given().given(UNIT, OPENED, VALIDATED).accepts(at(PARAMETER, AFTER))

    ledger.refuses(at(PARAMETER, AFTER), Rule.ALREADY_EXISTS)
    ledger.refuses(at(replace(PARAMETER, unit_code="x"), AFTER), Rule.UNKNOWN_REFERENCE)


def test_a_scale_has_as_many_steps_as_thresholds() -> None:
    scale = IncentiveScaleSet(
        year=2023,
        scale="ordinary",
        steps=(Decimal(90), Decimal(100)),
        thresholds=(Decimal(0), Decimal(95)),
    )

    Given().accepts(scale).refuses(scale, Rule.ALREADY_EXISTS)
    Given().refuses(replace(scale, thresholds=()), Rule.VALUE_NOT_ALLOWED)
