"""Published keys: begun once, never back, and always what their id says."""

import datetime as dt
from dataclasses import replace

import pytest

from ledger.aggregates.signing import ACTIVE, KEYS_STREAM, RETIRED, RETIRING, SIGNING_KEYS
from ledger.evidence.keys import publication
from ledger.rules import Rule
from tests.support.given import Given
from tests.support.sealing import KEY, OTHER_KEY

NOW = dt.datetime(2026, 11, 21, 9, tzinfo=dt.UTC)
BEGUN = publication(KEY.verifier, state=ACTIVE, valid_from=NOW)


@pytest.mark.parametrize("steps", [(RETIRING, RETIRED), (RETIRED,), (RETIRING,)])
def test_a_key_goes_forward_through_its_states(steps: tuple[str, ...]) -> None:
    ledger = Given().given(BEGUN)

    for step in steps:
        ledger.accepts(replace(BEGUN, key_state=step))

    state = ledger.session.state(SIGNING_KEYS, KEYS_STREAM)
    assert [one.key_state for one in state.in_state(ACTIVE, RETIRING, RETIRED)] == [steps[-1]]


def test_refuses_a_key_that_began_already() -> None:
    Given().given(BEGUN).refuses(BEGUN, Rule.ALREADY_EXISTS)


def test_refuses_a_retired_key_that_begins_again() -> None:
    ledger = Given().given(BEGUN, replace(BEGUN, key_state=RETIRED))

    ledger.refuses(BEGUN, Rule.ALREADY_EXISTS)
    ledger.refuses(replace(BEGUN, key_state=RETIRING), Rule.ENTITY_CLOSED)


@pytest.mark.parametrize("state", [RETIRING, RETIRED])
def test_refuses_to_change_a_key_that_never_began(state: str) -> None:
    Given().refuses(replace(BEGUN, key_state=state), Rule.UNKNOWN_REFERENCE)


def test_refuses_a_state_that_it_has_already() -> None:
    ledger = Given().given(BEGUN, replace(BEGUN, key_state=RETIRING))

    ledger.refuses(replace(BEGUN, key_state=RETIRING), Rule.NOTHING_CHANGES)


def test_refuses_a_state_that_is_none() -> None:
    Given().refuses(replace(BEGUN, key_state="new"), Rule.VALUE_NOT_ALLOWED)


@pytest.mark.parametrize("key_id", ["", "00000000", KEY.verifier.key_id.hex().upper(), "abc"])
def test_refuses_an_id_that_is_not_the_one_of_the_key(key_id: str) -> None:
    wrong = replace(BEGUN, key_id=key_id)

    assert key_id != BEGUN.key_id
    Given().refuses(wrong, Rule.IDENTITY_MISMATCH)


@pytest.mark.parametrize("public", ["", "AAAA", "not base64", BEGUN.public_key + "=", "\u00e8"])
def test_refuses_a_public_key_that_is_none(public: str) -> None:
    Given().refuses(replace(BEGUN, public_key=public), Rule.VALUE_NOT_ALLOWED)


@pytest.mark.parametrize("name", ["", "with space", "with+plus"])
def test_refuses_a_name_that_no_signature_line_can_hold(name: str) -> None:
    Given().refuses(replace(BEGUN, key_name=name), Rule.VALUE_NOT_ALLOWED)


def test_refuses_another_key_under_the_same_id() -> None:
    other = publication(OTHER_KEY.verifier, state=RETIRING, valid_from=NOW)

    Given().given(BEGUN).refuses(replace(other, key_id=BEGUN.key_id), Rule.IDENTITY_MISMATCH)


def test_refuses_a_change_before_the_latest_one() -> None:
    earlier = replace(BEGUN, key_state=RETIRING, valid_from=NOW - dt.timedelta(seconds=1))

    Given().given(BEGUN).refuses(earlier, Rule.DATES_OUT_OF_ORDER)
