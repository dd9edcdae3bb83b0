"""Erasure of a subject and holds: what is asked, what forbids it, what follows."""

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest

from ledger.aggregates.base import Proposal
from ledger.aggregates.subjects import GROUNDS
from ledger.events.acts import ActAdopted
from ledger.events.ledger import Encrypted
from ledger.events.planning import WeightSet
from ledger.events.privacy import HoldPlaced, HoldReleased, RetentionTermSet, SubjectErased
from ledger.feed import event_id_of
from ledger.rules import Rule
from tests.support.given import PLAN_ACT, Given, act_adopted, at, envelope

DAY = dt.date(2026, 6, 1)
SUBJECT = "5d1c4a52-0000-4000-8000-000000000001"
ACT_TYPE = ActAdopted.TYPE
ERASED = SubjectErased(
    subject_id=SUBJECT,
    ground="request",
    legal_basis="GDPR art. 17(1)(a)",
    approvers=("RPCT", "DPO"),
    streams=("act/x", "planning/2023"),
    years=(2022, 2023),
    event_types=(ACT_TYPE,),
    last_days=(dt.date(2023, 12, 31),),
    records=3,
    first_position=4,
    last_position=9,
)
HOLD = HoldPlaced(hold_id="H1", hold_scope="subject", held=SUBJECT)
RELEASE = HoldReleased(hold_id="H1")
TERM = RetentionTermSet(event_type=ACT_TYPE, term_years=2)


def decided(
    event: SubjectErased | HoldPlaced | HoldReleased | RetentionTermSet,
    day: dt.date = DAY,
    *,
    reason: str | None = "decided",
    act: bool = True,
) -> Proposal:
    """Return a proposal under the plan act, with a reason."""
    acts = (PLAN_ACT,) if act else ()
    return Proposal(event=event, envelope=envelope(day, ref=None, acts=acts, reason=reason))


def ledger() -> Given:
    return Given().given(act_adopted())


def test_a_subject_is_erased_under_an_act_by_two_approvals() -> None:
    ledger().accepts(decided(ERASED))


@pytest.mark.parametrize("ground", GROUNDS[:1] + GROUNDS[2:])
def test_accepts_every_ground_that_needs_no_term(ground: str) -> None:
    ledger().accepts(decided(replace(ERASED, ground=ground)))


def test_refuses_an_erasure_without_an_act() -> None:
    ledger().refuses(decided(ERASED, act=False), Rule.ACT_REQUIRED)


@pytest.mark.parametrize("reason", [None, "", "  "])
def test_refuses_an_erasure_without_a_reason(reason: str | None) -> None:
    ledger().refuses(decided(ERASED, reason=reason), Rule.CORRECTION_NEEDS_REASON)


@pytest.mark.parametrize(
    "approvers",
    [(), ("RPCT",), ("RPCT", "RPCT"), ("RPCT", " rpct "), ("RPCT", ""), ("DG@A", "dg@a", " ")],
)
def test_refuses_an_erasure_without_two_different_approvers(approvers: tuple[str, ...]) -> None:
    refused = ledger().refuses(
        decided(replace(ERASED, approvers=approvers)), Rule.APPROVALS_MISSING
    )

    assert refused.facts["subject"] == SUBJECT


def test_accepts_the_same_role_of_two_units_as_two_approvers() -> None:
    ledger().accepts(decided(replace(ERASED, approvers=("DIR@A", "DIR@B"))))


@pytest.mark.parametrize("ground", ["", "whim", "REQUEST"])
def test_refuses_a_ground_outside_the_set(ground: str) -> None:
    ledger().refuses(decided(replace(ERASED, ground=ground)), Rule.VALUE_NOT_ALLOWED)


@pytest.mark.parametrize(
    "empty",
    [{"records": 0}, {"streams": ()}, {"years": ()}, {"event_types": (), "last_days": ()}],
)
def test_refuses_to_erase_a_subject_that_stands_nowhere(empty: dict[str, object]) -> None:
    event = replace(ERASED, **empty)  # type: ignore[arg-type] # fields of the event

    refused = ledger().refuses(decided(event), Rule.UNKNOWN_REFERENCE)

    assert refused.facts["kind"] == "subject"


def test_refuses_types_and_last_days_that_do_not_match() -> None:
    ledger().refuses(decided(replace(ERASED, last_days=())), Rule.VALUE_NOT_ALLOWED)


def test_refuses_to_erase_twice() -> None:
    erased = ledger().given(decided(ERASED))

    refused = erased.refuses(
        decided(replace(ERASED, ground="unlawful"), dt.date(2026, 7, 1)), Rule.SUBJECT_ERASED
    )

    assert refused.facts["date"] == "2026-06-01"


def test_an_erasure_is_never_corrected_away() -> None:
    erased = ledger().given(decided(ERASED))
    first = erased.session.staged[-1]
    correction = Proposal(
        event=replace(ERASED, legal_basis="other"),
        envelope=replace(decided(ERASED).envelope, supersedes=event_id_of(first.append)),
    )

    erased.refuses(correction, Rule.SUBJECT_ERASED)


def test_nothing_is_recorded_under_an_erased_subject() -> None:
    weight = WeightSet(
        year=2023, parent_code="A", child_code="B", weight=Decimal(1), basis="published"
    )
    person = Encrypted(
        scheme="AES-256-GCM/v1", key_id=SUBJECT, nonce=b"n" * 12, ciphertext=b"c" * 80
    )
    plain = envelope(DAY)
    named = replace(plain, actor=replace(plain.actor, person=person))

    refused = (
        ledger()
        .given(decided(ERASED))
        .refuses(Proposal(event=weight, envelope=named), Rule.SUBJECT_ERASED)
    )

    assert refused.facts["subject"] == SUBJECT


# Holds


@pytest.mark.parametrize(
    "hold",
    [
        HOLD,
        HoldPlaced(hold_id="H1", hold_scope="year", held="2023"),
        HoldPlaced(hold_id="H1", hold_scope="stream", held="planning/2023"),
    ],
)
@pytest.mark.parametrize("ground", ["request", "unlawful", "order"])
def test_a_hold_refuses_every_erasure_it_covers(hold: HoldPlaced, ground: str) -> None:
    held = ledger().given(decided(hold))

    refused = held.refuses(decided(replace(ERASED, ground=ground)), Rule.SUBJECT_HELD)

    assert refused.facts["holds"] == "H1"


@pytest.mark.parametrize(
    "hold",
    [
        HoldPlaced(hold_id="H1", hold_scope="subject", held="somebody else"),
        HoldPlaced(hold_id="H1", hold_scope="year", held="2024"),
        HoldPlaced(hold_id="H1", hold_scope="stream", held="planning/2024"),
        HoldPlaced(hold_id="H1", hold_scope="stream", held="planning"),
    ],
)
def test_a_hold_on_something_else_forbids_nothing(hold: HoldPlaced) -> None:
    ledger().given(decided(hold)).accepts(decided(ERASED))


def test_a_hold_in_force_refuses_an_erasure_dated_before_it() -> None:
    held = ledger().given(decided(HOLD, dt.date(2026, 6, 2)))

    held.refuses(decided(ERASED, dt.date(2026, 6, 1)), Rule.SUBJECT_HELD)


def test_a_released_hold_refuses_what_is_dated_while_it_was_in_force() -> None:
    released = (
        ledger()
        .given(decided(HOLD, dt.date(2026, 5, 1)))
        .given(decided(RELEASE, dt.date(2026, 6, 2)))
    )

    released.refuses(decided(ERASED, dt.date(2026, 6, 1)), Rule.SUBJECT_HELD)
    released.accepts(decided(ERASED, dt.date(2026, 6, 2)))


def test_every_hold_is_released_before_the_erasure() -> None:
    two = ledger().given(decided(HOLD)).given(decided(replace(HOLD, hold_id="H2")))
    one = two.given(decided(RELEASE))

    refused = one.refuses(decided(ERASED), Rule.SUBJECT_HELD)

    assert refused.facts["holds"] == "H2"


@pytest.mark.parametrize("event", [HOLD, RELEASE])
def test_refuses_to_place_or_release_a_hold_without_an_act(
    event: HoldPlaced | HoldReleased,
) -> None:
    given = ledger() if event is HOLD else ledger().given(decided(HOLD))

    given.refuses(decided(event, act=False), Rule.ACT_REQUIRED)


@pytest.mark.parametrize("event", [HOLD, RELEASE])
def test_refuses_to_place_or_release_a_hold_without_a_reason(
    event: HoldPlaced | HoldReleased,
) -> None:
    given = ledger() if event is HOLD else ledger().given(decided(HOLD))

    given.refuses(decided(event, reason=" "), Rule.CORRECTION_NEEDS_REASON)


@pytest.mark.parametrize("scope", ["", "person", "Year"])
def test_refuses_a_scope_outside_the_set(scope: str) -> None:
    ledger().refuses(decided(replace(HOLD, hold_scope=scope)), Rule.VALUE_NOT_ALLOWED)


@pytest.mark.parametrize("year", ["", "23", "20 23", "3000", "1899", "MMXXIII", "²⁰²³"])
def test_refuses_a_hold_on_what_is_no_year(year: str) -> None:
    hold = HoldPlaced(hold_id="H1", hold_scope="year", held=year)

    ledger().refuses(decided(hold), Rule.VALUE_NOT_ALLOWED)


def test_refuses_a_hold_on_an_erased_subject() -> None:
    ledger().given(decided(ERASED)).refuses(decided(HOLD), Rule.SUBJECT_ERASED)


def test_refuses_two_holds_of_one_name() -> None:
    ledger().given(decided(HOLD)).refuses(decided(replace(HOLD, held="other")), Rule.ALREADY_EXISTS)


def test_refuses_the_release_of_an_unknown_hold() -> None:
    ledger().refuses(decided(RELEASE), Rule.UNKNOWN_REFERENCE)


def test_refuses_to_release_twice() -> None:
    ledger().given(decided(HOLD)).given(decided(RELEASE)).refuses(
        decided(RELEASE), Rule.ENTITY_CLOSED
    )


def test_refuses_a_release_before_the_hold() -> None:
    ledger().given(decided(HOLD)).refuses(
        decided(RELEASE, dt.date(2026, 5, 31)), Rule.DATES_OUT_OF_ORDER
    )


# Retention terms against erasure


def test_a_running_term_refuses_a_request() -> None:
    kept = ledger().given(decided(replace(TERM, term_years=3)))

    refused = kept.refuses(decided(ERASED), Rule.RETENTION_RUNNING)

    assert refused.facts["until"] == "2026-12-31"
    assert refused.facts["event_type"] == ACT_TYPE


@pytest.mark.parametrize("ground", ["unlawful", "order"])
def test_a_running_term_keeps_nothing_unlawful_nor_against_an_order(ground: str) -> None:
    ledger().given(decided(replace(TERM, term_years=3))).accepts(
        decided(replace(ERASED, ground=ground))
    )


@pytest.mark.parametrize("ground", ["request", "term_ended"])
def test_a_term_keeps_through_its_last_day(ground: str) -> None:
    event = replace(ERASED, ground=ground)
    kept = ledger().given(decided(TERM, dt.date(2025, 1, 1)))

    kept.refuses(decided(event, dt.date(2025, 12, 31)), Rule.RETENTION_RUNNING)
    kept.accepts(decided(event, dt.date(2026, 1, 1)))


def test_refuses_the_end_of_a_term_that_nobody_set() -> None:
    refused = ledger().refuses(
        decided(replace(ERASED, ground="term_ended")), Rule.UNKNOWN_REFERENCE
    )

    assert refused.facts["kind"] == "retention term"


def test_every_type_of_record_is_beyond_its_term() -> None:
    other = "registro.planning.WeightSet"
    event = replace(
        ERASED,
        event_types=(ACT_TYPE, other),
        last_days=(dt.date(2023, 12, 31), dt.date(2024, 7, 1)),
    )
    terms = ledger().given(decided(TERM)).given(decided(replace(TERM, event_type=other)))

    refused = terms.refuses(decided(event), Rule.RETENTION_RUNNING)

    assert refused.facts["event_type"] == other


def test_a_term_that_is_known_later_keeps_nothing_yet() -> None:
    later = decided(replace(TERM, term_years=99), dt.date(2026, 6, 2))

    ledger().given(later).accepts(decided(ERASED))


def test_an_unknown_act_does_not_authorise() -> None:
    Given().refuses(decided(ERASED), Rule.ACT_UNKNOWN)


def test_nobody_erases_tomorrow() -> None:
    tomorrow = dt.date(2026, 11, 22)
    ledger().refuses(at(ERASED, tomorrow, acts=(PLAN_ACT,), reason="x"), Rule.AS_OF_IN_FUTURE)
