"""What every proposal must satisfy, whatever its event."""

import datetime as dt
from collections.abc import Container
from dataclasses import replace
from typing import Any

import pytest

from ledger.aggregates.acts import ActState
from ledger.aggregates.base import Aggregate, Proposal, act_key
from ledger.envelope_rules import check_envelope
from ledger.errors import CommandRefusedError
from ledger.events.acts import ActAdopted
from ledger.events.ledger import ActReference, Envelope
from ledger.events.planning import ProgrammingCycleOpened
from ledger.rules import Rule
from ledger.types import StreamName
from tests.support.given import JAN_1, PLAN_ACT, act_adopted, envelope

TODAY = dt.date(2023, 6, 15)
ONE_DAY = dt.timedelta(days=1)


class Acts:
    """Looks up acts among those given."""

    def __init__(self, *acts: ActAdopted) -> None:
        self._acts = {f"act/{act.act_key}": act for act in acts}

    def state(self, aggregate: Aggregate[Any], stream: StreamName) -> Any:
        """Return the state of an act."""
        assert aggregate.name == "act"
        return ActState(act=self._acts.get(stream))


def check(envelope: Envelope, *acts: ActAdopted, known: Container[str] = ()) -> None:
    proposal = Proposal(event=ProgrammingCycleOpened(year=2023, title="cycle"), envelope=envelope)
    check_envelope(proposal, lookup=Acts(*acts), today=TODAY, known_ids=known)


def refused(
    envelope: Envelope, *acts: ActAdopted, known: Container[str] = ()
) -> CommandRefusedError:
    with pytest.raises(CommandRefusedError) as caught:
        check(envelope, *acts, known=known)
    return caught.value


def test_accepts_a_plain_envelope() -> None:
    check(envelope(TODAY))


# Days


def test_accepts_what_is_known_today_and_refuses_tomorrow() -> None:
    check(envelope(TODAY))

    error = refused(envelope(TODAY + ONE_DAY))

    assert error.rule == Rule.AS_OF_IN_FUTURE
    assert error.facts["as_of"] == "2023-06-16"
    assert error.facts["today"] == "2023-06-15"


@pytest.mark.parametrize(("days", "fine"), [(1, True), (0, True), (-1, False), (-365, False)])
def test_a_period_ends_on_or_after_its_first_day(days: int, *, fine: bool) -> None:
    proposed = envelope(TODAY, ref=(JAN_1, JAN_1 + days * ONE_DAY))
    if fine:
        check(proposed)
        return

    assert refused(proposed).rule == Rule.PERIOD_REVERSED


@pytest.mark.parametrize("missing", ["ref_from", "ref_to"])
def test_a_period_open_on_one_side_is_not_reversed(missing: str) -> None:
    proposed = envelope(TODAY)
    check(
        replace(proposed, ref_from=None)
        if missing == "ref_from"
        else replace(proposed, ref_to=None)
    )


def test_a_period_may_lie_in_the_future() -> None:
    check(envelope(TODAY, ref=(dt.date(2024, 1, 1), dt.date(2026, 12, 31))))


# Corrections


def test_accepts_a_correction_of_a_known_event_with_a_reason() -> None:
    check(envelope(TODAY, supersedes="e1", reason="typing error"), known={"e1"})


@pytest.mark.parametrize("known", [set(), {"e2"}, {"E1"}])
def test_refuses_to_correct_an_unknown_event(known: set[str]) -> None:
    error = refused(envelope(TODAY, supersedes="e1", reason="x"), known=known)

    assert error.rule == Rule.SUPERSEDED_UNKNOWN
    assert error.facts["event_id"] == "e1"


@pytest.mark.parametrize("reason", [None, "", "  ", "\n"])
def test_refuses_a_correction_without_a_reason(reason: str | None) -> None:
    error = refused(envelope(TODAY, supersedes="e1", reason=reason), known={"e1"})

    assert error.rule == Rule.CORRECTION_NEEDS_REASON


def test_an_event_that_corrects_nothing_needs_no_reason() -> None:
    check(envelope(TODAY, reason=None))


# Acts


def cited(
    act: ActReference = PLAN_ACT, *, as_of: dt.date = TODAY, ref_from: dt.date | None = None
) -> Envelope:
    period = None if ref_from is None else (ref_from, ref_from)
    return envelope(as_of, ref=period, acts=(act,))


def test_accepts_an_act_in_force() -> None:
    check(cited(), act_adopted())


def test_refuses_an_act_that_is_not_in_the_ledger() -> None:
    error = refused(cited())

    assert error.rule == Rule.ACT_UNKNOWN
    assert error.facts["act"] == act_key("CdA", "resolution", "14", dt.date(2023, 1, 30))


@pytest.mark.parametrize(
    "other",
    [
        replace(PLAN_ACT, organ="CIV"),
        replace(PLAN_ACT, act_type="circular"),
        replace(PLAN_ACT, number="15"),
        replace(PLAN_ACT, number=None),
        replace(PLAN_ACT, adopted_on=dt.date(2023, 1, 31)),
    ],
)
def test_refuses_an_act_that_differs_in_one_part(other: ActReference) -> None:
    assert refused(cited(other), act_adopted()).rule == Rule.ACT_UNKNOWN


def test_an_article_does_not_make_another_act() -> None:
    check(cited(replace(PLAN_ACT, article="3")), act_adopted())


def test_refuses_an_act_before_its_adoption() -> None:
    day = PLAN_ACT.adopted_on
    check(cited(as_of=day), act_adopted())

    error = refused(cited(as_of=day - ONE_DAY), act_adopted())

    assert error.rule == Rule.ACT_NOT_IN_FORCE
    assert error.facts["cited_on"] == "2023-01-29"


def test_refuses_an_act_before_it_is_effective() -> None:
    later = act_adopted(effective_from=dt.date(2023, 3, 1))
    check(cited(as_of=dt.date(2023, 3, 1)), later)

    error = refused(cited(as_of=dt.date(2023, 2, 28)), later)

    assert error.rule == Rule.ACT_NOT_IN_FORCE
    assert error.facts["effective_from"] == "2023-03-01"


def test_an_act_that_is_not_effective_yet_may_speak_of_a_later_period() -> None:
    next_year = act_adopted(effective_from=dt.date(2024, 1, 1))

    check(cited(ref_from=dt.date(2024, 1, 1)), next_year)

    assert refused(cited(ref_from=dt.date(2023, 12, 31)), next_year).rule == Rule.ACT_NOT_IN_FORCE


def test_a_past_period_does_not_bring_an_act_into_force_earlier() -> None:
    later = act_adopted(effective_from=TODAY + ONE_DAY)

    assert refused(cited(ref_from=JAN_1), later).rule == Rule.ACT_NOT_IN_FORCE


def test_every_act_cited_is_checked() -> None:
    unknown = replace(PLAN_ACT, number="99")
    proposed = envelope(TODAY, acts=(PLAN_ACT, unknown))

    error = refused(proposed, act_adopted())

    assert error.facts["act"].split("/")[2] == "99"
