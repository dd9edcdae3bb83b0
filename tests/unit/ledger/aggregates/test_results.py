"""Periods, results and money flows."""

import datetime as dt
from decimal import Decimal

import pytest

from ledger.aggregates.base import Proposal
from ledger.events.base import Event
from ledger.events.results import (
    FlowNodeDefined,
    MoneyFlowRecorded,
    PeriodClosed,
    PeriodOpened,
    ResultRecorded,
)
from ledger.feed import event_id_of
from ledger.rules import Rule
from tests.support.given import DEC_31, JAN_1, Given, at, envelope
from tests.unit.ledger.aggregates.test_planning import definition

Y = 2023
CLOSING = dt.date(2024, 6, 14)
OPENED = PeriodOpened(year=Y, period_from=JAN_1, period_to=DEC_31)
CLOSED = PeriodClosed(year=Y, period_from=JAN_1, period_to=DEC_31)


def result(
    value: str | None = "105.68", *reasons: str, code: str = "PS", unit: str | None = None
) -> ResultRecorded:
    return ResultRecorded(
        year=Y,
        indicator_code=code,
        unit_code=unit,
        value=None if value is None else Decimal(value),
        missing_reasons=reasons,
    )


def node(code: str, parent: str | None = None, sign: str = "+") -> FlowNodeDefined:
    return FlowNodeDefined(year=Y, node_code=code, parent_code=parent, label=code, sign=sign)


def flow(code: str = "A", amount: str = "10") -> MoneyFlowRecorded:
    return MoneyFlowRecorded(year=Y, node_code=code, amount=Decimal(amount))


def ready() -> Given:
    return Given().given(OPENED, definition("PS"), node("A"))


def test_refuses_a_result_for_a_period_that_is_not_open() -> None:
    refused = Given().given(definition("PS")).refuses(result(), Rule.PERIOD_NOT_OPEN)

    assert refused.facts["period"] == "2023-01-01 - 2023-12-31"


def test_refuses_a_result_outside_the_open_period() -> None:
    wider = envelope(CLOSING, ref=(dt.date(2022, 12, 31), DEC_31))

    ready().refuses(Proposal(event=result(), envelope=wider), Rule.PERIOD_NOT_OPEN)


def test_refuses_a_result_without_a_period() -> None:
    ready().refuses(
        Proposal(event=result(), envelope=envelope(CLOSING, ref=None)), Rule.PERIOD_NOT_OPEN
    )


def test_accepts_a_result_of_a_part_of_the_open_period() -> None:
    quarter = envelope(CLOSING, ref=(JAN_1, dt.date(2023, 3, 31)))

    ready().accepts(Proposal(event=result(), envelope=quarter))


def test_after_closing_only_corrections_are_recorded() -> None:
    ledger = ready().given(at(result(), CLOSING))
    corrected = event_id_of(ledger.session.staged[-1].append)
    ledger.given(CLOSED)
    later = dt.date(2024, 7, 1)

    ledger.refuses(at(result("106.92"), later), Rule.PERIOD_NOT_OPEN)
    ledger.refuses(at(CLOSED, later), Rule.PERIOD_NOT_OPEN)
    ledger.refuses(at(result("106.92"), later, supersedes=corrected), Rule.CORRECTION_NEEDS_REASON)
    ledger.accepts(at(result("106.92"), later, supersedes=corrected, reason="typing error"))


@pytest.mark.parametrize(
    ("event", "rule"),
    [
        (result(code="nowhere"), Rule.DEFINITION_MISSING),
        (result(None), Rule.MISSING_NEEDS_REASON),
        (result("1", "FUNDING"), Rule.MISSING_NEEDS_REASON),
        (result(unit="nowhere"), Rule.UNKNOWN_REFERENCE),
        (OPENED, Rule.ALREADY_EXISTS),
        (PeriodOpened(year=Y, period_from=DEC_31, period_to=JAN_1), Rule.DATES_OUT_OF_ORDER),
        (
            PeriodClosed(year=Y, period_from=JAN_1, period_to=dt.date(2024, 1, 1)),
            Rule.PERIOD_NOT_OPEN,
        ),
        (node("A"), Rule.ALREADY_EXISTS),
        (node("B", "nowhere"), Rule.UNKNOWN_REFERENCE),
        (node("B", "A", sign="*"), Rule.VALUE_NOT_ALLOWED),
        (flow("nowhere"), Rule.UNKNOWN_REFERENCE),
    ],
)
def test_refuses(event: Event, rule: Rule) -> None:
    ready().refuses(at(event, CLOSING), rule)


def test_refuses_a_result_known_before_its_period_began() -> None:
    ready().refuses(at(result(), dt.date(2022, 12, 31)), Rule.DATES_OUT_OF_ORDER)


def test_a_missing_result_says_why() -> None:
    ready().accepts(at(result(None, "MISSING_LEGAL_BASIS"), CLOSING))


def test_a_second_value_of_the_same_day_is_a_correction() -> None:
    ledger = ready().given(at(result(), CLOSING), at(flow(), CLOSING))

    ledger.refuses(at(result("1"), CLOSING), Rule.RESULT_ALREADY_RECORDED)
    ledger.refuses(at(flow("A", "11"), CLOSING), Rule.RESULT_ALREADY_RECORDED)
    ledger.accepts(at(result("1"), CLOSING, vintage="RENDICONTO"))
    ledger.accepts(at(flow("A", "11"), dt.date(2024, 7, 1)))


def closed(event: ResultRecorded | MoneyFlowRecorded) -> Given:
    """Return a year in which an indicator or node has a closing value."""
    return ready().given(at(event, CLOSING, vintage="CONSUNTIVO"))


LATER = dt.date(2024, 9, 1)
EARLIER = dt.date(2024, 3, 1)


@pytest.mark.parametrize("event", [result("1.234"), flow("A", "11"), result(None, "FUNDING")])
@pytest.mark.parametrize("vintage", [None, "consuntivo", "ASSESTATO"])
@pytest.mark.parametrize("known_on", [EARLIER, CLOSING, LATER])
def test_beside_a_closing_value_a_value_without_listed_stage_is_refused(
    event: ResultRecorded | MoneyFlowRecorded, vintage: str | None, known_on: dt.date
) -> None:
    given = result() if isinstance(event, ResultRecorded) else flow()

    refused = closed(given).refuses(at(event, known_on, vintage=vintage), Rule.RESULT_STAGE)
    assert refused.facts["stage"] == (vintage or "-")
    assert refused.facts["standing"] == "2024-06-14"


@pytest.mark.parametrize(
    ("vintage", "known_on"), [("CONSUNTIVO", EARLIER), ("CONSUNTIVO", dt.date(2024, 6, 13))]
)
def test_a_closing_value_known_before_the_one_that_counts_is_refused(
    vintage: str, known_on: dt.date
) -> None:
    closed(result()).refuses(at(result("1"), known_on, vintage=vintage), Rule.RESULT_STAGE)


@pytest.mark.parametrize(
    ("vintage", "known_on"),
    [
        ("CONSUNTIVO", LATER),
        ("RENDICONTO", CLOSING),
        ("RENDICONTO", EARLIER),
        ("PRE_CONSUNTIVO", EARLIER),
        ("PRE_CONSUNTIVO", LATER),
        ("MONITORING_Q3", dt.date(2023, 10, 31)),
    ],
)
def test_beside_a_closing_value_a_value_that_says_where_it_belongs_is_accepted(
    vintage: str, known_on: dt.date
) -> None:
    closed(result()).accepts(at(result("1"), known_on, vintage=vintage))


def test_the_stage_is_asked_only_where_a_value_of_a_listed_stage_stands() -> None:
    ledger = ready().given(at(result(), EARLIER), at(result("2"), CLOSING, vintage="ASSESTATO"))

    ledger.accepts(at(result("3"), LATER))
    ledger.accepts(at(result("4"), LATER, vintage="PRE_CONSUNTIVO"))
    ledger.refuses(at(result("5"), dt.date(2024, 10, 1)), Rule.RESULT_STAGE)


def test_another_unit_indicator_or_period_has_its_own_stage() -> None:
    quarter = envelope(LATER, ref=(JAN_1, dt.date(2023, 3, 31)))

    closed(result()).accepts(Proposal(event=result("1"), envelope=quarter))
    closed(result()).given(definition("PI")).accepts(at(result("1", code="PI"), LATER))


def test_a_correction_needs_no_stage() -> None:
    ledger = closed(result())
    corrected = event_id_of(ledger.session.staged[-1].append)

    ledger.accepts(at(result("1"), LATER, supersedes=corrected, reason="typing error"))
