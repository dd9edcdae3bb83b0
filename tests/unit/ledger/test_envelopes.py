"""Actors and acts as people write them; keys and digests of commands."""

import datetime as dt
import hashlib
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.aggregates.base import Proposal
from ledger.envelopes import command, input_digest, parse_act, parse_actor
from ledger.errors import InvalidCommandError
from ledger.events.ledger import Actor, ActReference
from tests.support.given import PLAN_ACT, act_adopted, envelope

WITH_NUMBER = ActReference(
    organ="CdA", act_type="resolution", number="177", adopted_on=dt.date(2022, 11, 3)
)
WITHOUT_NUMBER = replace(WITH_NUMBER, number=None)


@pytest.mark.parametrize(
    ("text", "role", "unit"),
    [
        ("OIV", "OIV", None),
        ("DG@DCPCG", "DG", "DCPCG"),
        (" DG @ DCPCG ", "DG", "DCPCG"),
        ("DG@", "DG", None),
        ("DG@a@b", "DG", "a@b"),
        ("Direttore generale@Sede di Forlì", "Direttore generale", "Sede di Forlì"),
    ],
)
def test_reads_an_actor(text: str, role: str, unit: str | None) -> None:
    assert parse_actor(text) == Actor(role=role, unit_code=unit)


@pytest.mark.parametrize("text", ["", "  ", "@", "@DCPCG", " @DCPCG"])
def test_refuses_an_actor_without_a_role(text: str) -> None:
    with pytest.raises(InvalidCommandError) as caught:
        parse_actor(text)

    assert caught.value.facts["field"] == "role"
    assert caught.value.facts["value"] == text


@pytest.mark.parametrize(
    ("text", "act"),
    [
        ("CdA/resolution/177/2022-11-03", WITH_NUMBER),
        ("CdA/resolution//2022-11-03", WITHOUT_NUMBER),
        ("CdA resolution 177 of 2022-11-03", WITH_NUMBER),
        ("CdA resolution of 2022-11-03", WITHOUT_NUMBER),
        ("  CdA   resolution   177   of   2022-11-03  ", WITH_NUMBER),
    ],
)
def test_reads_an_act(text: str, act: ActReference) -> None:
    assert parse_act(text) == act


@pytest.mark.parametrize(
    "text",
    [
        "",
        "CdA",
        "CdA/resolution/177",
        "CdA/resolution/177/2022/11/03",
        "CdA resolution 177 2022-11-03",
        "CdA resolution of",
        "of of of",
        "the CdA resolution 177 of 2022-11-03",
        "CdA resolution 177 bis of 2022-11-03",
    ],
)
def test_refuses_an_act_of_another_form(text: str) -> None:
    with pytest.raises(InvalidCommandError) as caught:
        parse_act(text)

    assert caught.value.facts["field"] == "act"
    assert "ORGAN/TYPE/NUMBER/DATE" in caught.value.facts["reason"]


@pytest.mark.parametrize(
    "text",
    [
        "CdA/resolution/177/",
        "CdA/resolution/177/2022-02-30",
        "CdA/resolution/177/03-11-2022",
        "CdA/resolution/177/yesterday",
        "CdA/resolution/177/20221103",
        "CdA/resolution/177/2022-W44-4",
        "CdA resolution 177 of 2022-13-01",
        "CdA resolution of today",
    ],
)
def test_refuses_an_act_without_a_real_day(text: str) -> None:
    with pytest.raises(InvalidCommandError) as caught:
        parse_act(text)

    assert caught.value.facts["field"] == "date"


@pytest.mark.parametrize(
    "text", ["/resolution/177/2022-11-03", "CdA//177/2022-11-03", "///2022-11-03"]
)
def test_refuses_an_act_without_organ_or_type(text: str) -> None:
    with pytest.raises(InvalidCommandError) as caught:
        parse_act(text)

    assert caught.value.facts["field"] == "act"


# Digests


def test_the_digest_of_known_facts_never_changes() -> None:
    facts = {"b": [1, None, True], "a": "perché", "d": dt.date(2023, 1, 31), "n": Decimal("1.50")}

    canonical = '{"a":"perché","b":[1,null,true],"d":"2023-01-31","n":"1.50"}'
    assert input_digest(facts) == hashlib.sha256(canonical.encode()).digest()


@pytest.mark.parametrize(
    ("one", "same"),
    [
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        ([1, 2], (1, 2)),
        (Decimal("1.5"), "1.5"),
        (b"\x0f", "0f"),
        (dt.date(2023, 1, 1), "2023-01-01"),
    ],
)
def test_the_digest_depends_on_what_is_said_not_on_how_it_is_held(
    one: object, same: object
) -> None:
    assert input_digest(one) == input_digest(same)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, "1"),
        (None, ""),
        (None, "None"),
        (True, 1),
        (["a", "b"], ["b", "a"]),
        (["ab"], ["a", "b"]),
        ([[]], []),
        ({"a": None}, {}),
        ("a", "A"),
        (Decimal("1.5"), Decimal("1.6")),
        (dt.date(2023, 1, 1), dt.date(2023, 1, 2)),
    ],
)
def test_the_digest_tells_different_facts_apart(one: object, other: object) -> None:
    assert input_digest(one) != input_digest(other)


@pytest.mark.property
@given(
    facts=st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=5), min_size=1),
    other=st.integers(),
)
def test_the_digest_changes_with_every_fact(facts: Mapping[str, object], other: int) -> None:
    for name, value in facts.items():
        if value != other:
            assert input_digest({**facts, name: other}) != input_digest(facts)


# Commands

PROPOSAL = Proposal(event=act_adopted(), envelope=envelope())


def test_a_command_keeps_its_proposals_in_order() -> None:
    other = Proposal(event=act_adopted(), envelope=envelope(reason="x"))

    found = command("k", iter([PROPOSAL, other]))

    assert found.append_key == "k"
    assert found.proposals == (PROPOSAL, other)


@pytest.mark.parametrize(
    "other",
    [
        (),
        (PROPOSAL, PROPOSAL),
        (replace(PROPOSAL, event=replace(act_adopted(), subject="another")),),
        (replace(PROPOSAL, event=replace(act_adopted(), amends=(PLAN_ACT,))),),
        (replace(PROPOSAL, envelope=envelope(reason="why")),),
        (replace(PROPOSAL, envelope=envelope(ref=None)),),
        (replace(PROPOSAL, envelope=envelope(acts=(PLAN_ACT,))),),
        (replace(PROPOSAL, envelope=replace(envelope(), actor=Actor(role="OIV"))),),
    ],
)
def test_the_digest_of_a_command_changes_with_whatever_is_recorded(
    other: tuple[Proposal, ...],
) -> None:
    assert command("k", other).input_digest != command("k", [PROPOSAL]).input_digest


def test_the_digest_of_a_command_does_not_depend_on_its_key() -> None:
    assert command("k", [PROPOSAL]).input_digest == command("l", [PROPOSAL]).input_digest


def test_facts_given_take_the_place_of_the_proposals() -> None:
    other = replace(PROPOSAL, envelope=envelope(reason="x"))

    one = command("k", [PROPOSAL], facts=["row", 1])

    assert one.input_digest == command("k", [other], facts=["row", 1]).input_digest
    assert one.input_digest != command("k", [PROPOSAL], facts=["row", 2]).input_digest
