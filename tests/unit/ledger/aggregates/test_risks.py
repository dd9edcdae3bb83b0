"""Risks, assessments, measures and reported counts."""

import datetime as dt
from dataclasses import replace

import pytest

from ledger.aggregates.base import Proposal
from ledger.aggregates.risks import MEASURE_TYPES
from ledger.events.base import Event
from ledger.events.risk import (
    MeasureCountsReported,
    MeasureMonitored,
    MeasureSet,
    RiskAssessed,
    RiskCountsReported,
    RiskReassessed,
    RiskRegistered,
)
from ledger.feed import event_id_of
from ledger.rules import Rule
from tests.support.given import Given, at, envelope

RISK = RiskRegistered(
    risk_id="R1", process="inspections", scope="territorial", risk_event="favouring an employer"
)
ASSESSED = RiskAssessed(risk_id="R1", method="qualitative", level="high", rationale="past cases")
LOWER = RiskReassessed(
    risk_id="R1", method="qualitative", old_level="high", new_level="medium", rationale="rotation"
)
MEASURE = MeasureSet(
    measure_id="M1",
    risk_id="R1",
    measure_type="rotation",
    description="rotate inspectors",
    owner="dp-roma",
    deadline=dt.date(2023, 12, 31),
)
DONE = MeasureMonitored(
    measure_id="M1",
    risk_id="R1",
    monitored_on=dt.date(2023, 11, 30),
    state="done",
    completed_on=dt.date(2023, 11, 15),
)
JULY = dt.date(2023, 7, 1)


def test_a_risk_from_registration_to_a_completed_measure() -> None:
    Given().accepts(RISK).accepts(ASSESSED).accepts(LOWER).accepts(MEASURE).accepts(DONE)


@pytest.mark.parametrize(
    ("event", "rule"),
    [
        (RISK, Rule.ALREADY_EXISTS),
        (replace(RISK, risk_id="R2", scope="local"), Rule.VALUE_NOT_ALLOWED),
        (replace(RISK, risk_id="R2", unit_code="nowhere"), Rule.UNKNOWN_REFERENCE),
        (ASSESSED, Rule.ALREADY_EXISTS),
        (replace(ASSESSED, risk_id="R2"), Rule.UNKNOWN_REFERENCE),
        (replace(LOWER, old_level="low"), Rule.OLD_VALUE_DIFFERS),
        (replace(LOWER, new_level="none"), Rule.VALUE_NOT_ALLOWED),
        (replace(LOWER, risk_id="R2"), Rule.UNKNOWN_REFERENCE),
        (at(LOWER, dt.date(2023, 5, 31)), Rule.DATES_OUT_OF_ORDER),
        (MEASURE, Rule.ALREADY_EXISTS),
        (replace(MEASURE, measure_id="M2", risk_id="R2"), Rule.UNKNOWN_REFERENCE),
        (replace(DONE, measure_id="M2"), Rule.UNKNOWN_REFERENCE),
        (replace(DONE, state="perhaps"), Rule.VALUE_NOT_ALLOWED),
        (replace(DONE, completed_on=None), Rule.COMPLETION_DATE_MISSING),
        (replace(DONE, state="not_done"), Rule.VALUE_NOT_ALLOWED),
        (replace(MEASURE, measure_id="M2", measure_type="controllo"), Rule.VALUE_NOT_ALLOWED),
        (replace(MEASURE, measure_id="M2", measure_type="Control"), Rule.VALUE_NOT_ALLOWED),
        (
            MeasureCountsReported(scope="central", measure_type="controllo", measures=1),
            Rule.VALUE_NOT_ALLOWED,
        ),
        (replace(DONE, state="in_progress"), Rule.VALUE_NOT_ALLOWED),
        (replace(DONE, completed_on=dt.date(2023, 12, 1)), Rule.DATES_OUT_OF_ORDER),
        (
            MeasureCountsReported(scope="x", measure_type="control", measures=1),
            Rule.VALUE_NOT_ALLOWED,
        ),
        (
            MeasureCountsReported(scope="central", measure_type="control", measures=-1),
            Rule.VALUE_NOT_ALLOWED,
        ),
        (
            RiskCountsReported(activity="registered", scope="central", risk_level="x", risks=1),
            Rule.VALUE_NOT_ALLOWED,
        ),
    ],
)
def test_refuses(event: Event, rule: Rule) -> None:
    Given().given(RISK, ASSESSED, MEASURE).refuses(event, rule)


def test_a_first_level_is_low_enough_only_among_known_levels() -> None:
    Given().given(RISK).refuses(replace(ASSESSED, level="extreme"), Rule.VALUE_NOT_ALLOWED)


def test_counts_are_recorded_as_counts() -> None:
    Given().accepts(
        MeasureCountsReported(scope="central", measure_type="control", measures=111)
    ).accepts(RiskCountsReported(activity="registered", scope="central", risks=276))


def test_the_refusal_of_a_measure_done_without_a_day_says_that_the_day_is_missing() -> None:
    ledger = Given().given(RISK, ASSESSED, MEASURE)
    refused = ledger.refuses(replace(DONE, completed_on=None), Rule.COMPLETION_DATE_MISSING)

    assert refused.facts["measure"] == "M1"
    assert "completed_on, the day of completion, is missing" in str(refused)


def test_the_refusal_of_an_unknown_type_lists_the_types() -> None:
    ledger = Given().given(RISK)
    refused = ledger.refuses(replace(MEASURE, measure_type="controllo"), Rule.VALUE_NOT_ALLOWED)

    assert refused.facts["field"] == "measure_type"
    assert refused.facts["allowed"].split(", ") == list(MEASURE_TYPES)


# Corrections of assessments


def latest_id(ledger: Given) -> str:
    """Identifier of the event that was accepted last."""
    return event_id_of(ledger.session.staged[-1].append)


def correcting(event: Event, wrong: str, *, reason: str | None = "wrong grid") -> Proposal:
    return Proposal(event=event, envelope=envelope(JULY, supersedes=wrong, reason=reason))


def assessed() -> tuple[Given, str]:
    """A risk with a first assessment, and its identifier."""
    ledger = Given().given(RISK, ASSESSED)
    return ledger, latest_id(ledger)


def test_a_first_assessment_is_corrected_and_later_ones_go_on_from_the_right_level() -> None:
    ledger, wrong = assessed()

    ledger.accepts(correcting(replace(ASSESSED, level="low"), wrong))

    ledger.refuses(LOWER, Rule.OLD_VALUE_DIFFERS)
    ledger.accepts(replace(LOWER, old_level="low"))


def test_a_correction_is_corrected_again_by_its_own_name_or_by_the_first_one() -> None:
    ledger, wrong = assessed()
    ledger.accepts(correcting(replace(ASSESSED, level="low"), wrong))

    ledger.accepts(correcting(replace(ASSESSED, level="medium"), latest_id(ledger)))
    ledger.accepts(correcting(replace(ASSESSED, level="high"), wrong))

    ledger.accepts(LOWER)


def test_a_correction_of_the_first_leaves_the_level_of_the_second() -> None:
    ledger, wrong = assessed()
    ledger.given(LOWER).accepts(correcting(replace(ASSESSED, level="low"), wrong))

    ledger.refuses(replace(LOWER, old_level="low"), Rule.OLD_VALUE_DIFFERS)
    ledger.accepts(replace(LOWER, old_level="medium", new_level="low"))


def test_a_correction_does_not_move_the_day_of_an_assessment() -> None:
    ledger, wrong = assessed()
    ledger.accepts(correcting(ASSESSED, wrong))

    ledger.refuses(at(LOWER, dt.date(2023, 5, 31)), Rule.DATES_OUT_OF_ORDER)
    ledger.accepts(LOWER)


def test_a_second_assessment_is_corrected_from_the_level_before_it() -> None:
    ledger, _ = assessed()
    wrong = latest_id(ledger.given(LOWER))

    stale = replace(LOWER, old_level="medium", new_level="low")
    ledger.refuses(correcting(stale, wrong), Rule.OLD_VALUE_DIFFERS)
    ledger.accepts(correcting(replace(LOWER, new_level="low"), wrong))

    ledger.accepts(replace(LOWER, old_level="low", new_level="high"))


def test_refuses_wrong_corrections_of_assessments() -> None:
    ledger, first = assessed()
    second = latest_id(ledger.given(LOWER))
    measure = latest_id(ledger.given(MEASURE))

    ledger.refuses(correcting(ASSESSED, second), Rule.SUPERSEDED_UNKNOWN)
    ledger.refuses(correcting(LOWER, first), Rule.SUPERSEDED_UNKNOWN)
    ledger.refuses(correcting(ASSESSED, measure), Rule.SUPERSEDED_UNKNOWN)
    ledger.refuses(correcting(LOWER, measure), Rule.SUPERSEDED_UNKNOWN)
    ledger.refuses(correcting(ASSESSED, "nobody"), Rule.SUPERSEDED_UNKNOWN)
    ledger.refuses(correcting(ASSESSED, first, reason=None), Rule.CORRECTION_NEEDS_REASON)
    ledger.refuses(correcting(replace(ASSESSED, level="x"), first), Rule.VALUE_NOT_ALLOWED)
    ledger.refuses(correcting(replace(ASSESSED, risk_id="R2"), first), Rule.SUPERSEDED_UNKNOWN)
