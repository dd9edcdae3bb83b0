"""Documents, figures and restatements."""

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest

from ledger.events.base import Event
from ledger.events.publication import DocumentPublished, FigurePublished, FigureRestated
from ledger.feed import event_id_of
from ledger.rules import Rule
from tests.support.given import Given, at

DOCUMENT = DocumentPublished(document_id="ra", title="Report", published_on=dt.date(2024, 3, 1))
FIGURE = FigurePublished(
    figure_id="ra.oge",
    document_id="ra",
    label="OGE",
    raw="105,68",
    value=Decimal("105.68"),
    measure_unit="index",
    decimals=2,
)
RESTATED = FigureRestated(
    figure_id="ra.oge",
    document_id="ra",
    old_value=Decimal("105.68"),
    new_value=Decimal("106.92"),
    old_vintage="PRE_CONSUNTIVO",
    new_vintage="RENDICONTO",
    cause="closing of accounts",
)


def test_a_figure_is_printed_and_restated() -> None:
    Given().accepts(DOCUMENT).accepts(FIGURE).accepts(RESTATED)


@pytest.mark.parametrize(
    ("event", "rule"),
    [
        (DOCUMENT, Rule.ALREADY_EXISTS),
        (FIGURE, Rule.ALREADY_EXISTS),
        (replace(FIGURE, document_id="rp"), Rule.UNKNOWN_REFERENCE),
        (replace(RESTATED, figure_id="ra.none"), Rule.UNKNOWN_REFERENCE),
        (replace(RESTATED, old_value=Decimal(1)), Rule.OLD_VALUE_DIFFERS),
        (replace(RESTATED, new_value=Decimal("105.68")), Rule.NOTHING_CHANGES),
        (replace(RESTATED, restated_in="rp"), Rule.UNKNOWN_REFERENCE),
    ],
)
def test_refuses(event: Event, rule: Rule) -> None:
    Given().given(DOCUMENT, FIGURE).refuses(event, rule)


def test_a_second_restatement_starts_from_the_first() -> None:
    ledger = Given().given(DOCUMENT, FIGURE, RESTATED)

    ledger.refuses(RESTATED, Rule.OLD_VALUE_DIFFERS)
    ledger.accepts(replace(RESTATED, old_value=Decimal("106.92"), new_value=Decimal(107)))


def test_a_figure_read_wrongly_is_corrected_with_a_reason() -> None:
    ledger = Given().given(DOCUMENT, FIGURE)
    first = event_id_of(ledger.session.staged[-1].append)
    right = replace(FIGURE, value=Decimal("105.69"))

    ledger.refuses(at(right, dt.date(2024, 3, 2), supersedes=first), Rule.CORRECTION_NEEDS_REASON)
    ledger.accepts(at(right, dt.date(2024, 3, 2), supersedes=first, reason="misread"))
