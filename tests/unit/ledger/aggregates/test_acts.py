"""Legal acts: adopted once, cited only when in force."""

import datetime as dt
from dataclasses import replace

from ledger.aggregates.base import Proposal
from ledger.events.acts import ActReferenceCorrected
from ledger.events.ledger import ActReference
from ledger.rules import Rule
from tests.support.given import PLAN_ACT, Given, act_adopted, at, envelope

LATER = ActReference(organ="DG", act_type="circular", number="9", adopted_on=dt.date(2023, 7, 31))


def test_an_act_is_adopted_once() -> None:
    ledger = Given().accepts(act_adopted())

    ledger.refuses(act_adopted(), Rule.ACT_ALREADY_ADOPTED)


def test_refuses_a_key_that_does_not_match_the_act() -> None:
    Given().refuses(
        replace(act_adopted(), act_key="CdA/resolution/15/2023-01-30"), Rule.IDENTITY_MISMATCH
    )


def test_refuses_a_citation_of_an_act_that_is_not_recorded() -> None:
    refused = Given().refuses(
        Proposal(event=act_adopted(), envelope=envelope(acts=(LATER,))), Rule.ACT_UNKNOWN
    )

    assert refused.facts["act"] == "DG/circular/9/2023-07-31"


def test_refuses_a_citation_before_the_act_is_adopted() -> None:
    ledger = Given().given(at(act_adopted(LATER), dt.date(2023, 7, 31), ref_from=None, ref_to=None))

    ledger.refuses(
        Proposal(
            event=act_adopted(),
            envelope=envelope(dt.date(2023, 7, 30), acts=(LATER,)),
        ),
        Rule.ACT_NOT_IN_FORCE,
    )


def test_refuses_a_citation_before_the_act_is_in_force() -> None:
    in_force = dt.date(2024, 1, 1)
    ledger = Given().given(act_adopted(effective_from=in_force))

    refused = ledger.refuses(
        Proposal(
            event=act_adopted(LATER), envelope=envelope(dt.date(2023, 12, 31), acts=(PLAN_ACT,))
        ),
        Rule.ACT_NOT_IN_FORCE,
    )

    assert refused.facts["effective_from"] == "2024-01-01"


def test_accepts_a_citation_when_the_period_begins_after_the_act_is_in_force() -> None:
    ledger = Given().given(act_adopted(effective_from=dt.date(2024, 1, 1)))
    next_year = (dt.date(2024, 1, 1), dt.date(2024, 12, 31))

    ledger.accepts(
        Proposal(
            event=act_adopted(LATER),
            envelope=envelope(dt.date(2023, 11, 3), ref=next_year, acts=(PLAN_ACT,)),
        )
    )


def test_a_corrected_citation_names_a_known_act() -> None:
    event = ActReferenceCorrected(document_id="rp2024", locator="48", cited=LATER, correct=PLAN_ACT)

    Given().refuses(event, Rule.ACT_UNKNOWN)
    Given().given(act_adopted()).accepts(event)


def test_refuses_a_correction_of_a_right_citation() -> None:
    event = ActReferenceCorrected(
        document_id="rp2024", locator="48", cited=PLAN_ACT, correct=PLAN_ACT
    )

    Given().given(act_adopted()).refuses(event, Rule.NOTHING_CHANGES)


def test_refuses_knowledge_from_the_future() -> None:
    Given().refuses(at(act_adopted(), dt.date(2026, 11, 22)), Rule.AS_OF_IN_FUTURE)


def test_refuses_a_period_that_ends_before_it_begins() -> None:
    Given().refuses(
        Proposal(
            event=act_adopted(),
            envelope=envelope(ref=(dt.date(2023, 12, 31), dt.date(2023, 1, 1))),
        ),
        Rule.PERIOD_REVERSED,
    )


def test_refuses_to_supersede_an_event_that_is_not_there() -> None:
    Given().refuses(
        at(act_adopted(), dt.date(2023, 6, 1), supersedes="none", reason="typing error"),
        Rule.SUPERSEDED_UNKNOWN,
    )
