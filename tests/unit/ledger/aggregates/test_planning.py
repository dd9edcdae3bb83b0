"""Objectives, weights and targets."""

import datetime as dt
from decimal import Decimal

import pytest

from ledger.aggregates.base import Proposal
from ledger.events.base import Event
from ledger.events.measurement import IndicatorDefined
from ledger.events.organisation import UnitEstablished
from ledger.events.planning import (
    AssignmentClosed,
    ObjectiveAssigned,
    TargetRevised,
    TargetSet,
    WeightSet,
)
from ledger.rules import Rule
from tests.support.given import DEC_31, JAN_1, Given, act_adopted, envelope, under_act

Y = 2023


def objective(code: str, parent: str | None = None, level: str = "OGE") -> ObjectiveAssigned:
    return ObjectiveAssigned(year=Y, code=code, level=level, parent_code=parent, label=code)


def weight(child: str, value: str, parent: str = "PS", basis: str = "published") -> WeightSet:
    return WeightSet(
        year=Y, parent_code=parent, child_code=child, weight=Decimal(value), basis=basis
    )


def close(total: str = "100", children: int = 2, parent: str = "PS") -> AssignmentClosed:
    return AssignmentClosed(year=Y, parent_code=parent, children=children, total=Decimal(total))


def definition(code: str) -> IndicatorDefined:
    return IndicatorDefined(
        indicator_code=code,
        version=1,
        label=code,
        measure_unit="index",
        decimals=2,
        direction="up",
        deviation_rule="DR1",
        formula='{"op":"recorded"}',
        valid_from=JAN_1,
        valid_to=DEC_31,
        basis="catalogue",
    )


def target(value: str = "100", code: str = "OGE1", unit: str | None = None) -> TargetSet:
    return TargetSet(year=Y, indicator_code=code, unit_code=unit, target=Decimal(value))


def revised(old: str = "100", new: str = "90", cause: str = "flood") -> TargetRevised:
    return TargetRevised(
        year=Y,
        indicator_code="OGE1",
        old_target=Decimal(old),
        new_target=Decimal(new),
        cause=cause,
    )


def tree() -> Given:
    return Given().given(
        act_adopted(),
        objective("PS", None, "INDICATOR"),
        objective("OGE1", "PS"),
        objective("OGE2", "PS"),
    )


@pytest.mark.parametrize(
    ("event", "rule"),
    [
        (objective("OGE1", "PS"), Rule.ALREADY_EXISTS),
        (objective("OGE9", "nowhere"), Rule.UNKNOWN_REFERENCE),
        (weight("nowhere", "10"), Rule.UNKNOWN_REFERENCE),
        (weight("OGE1", "10", parent="nowhere"), Rule.UNKNOWN_REFERENCE),
        (weight("OGE1", "10", parent="OGE2"), Rule.IDENTITY_MISMATCH),
        (weight("OGE1", "100.01"), Rule.VALUE_NOT_ALLOWED),
        (weight("OGE1", "-1"), Rule.VALUE_NOT_ALLOWED),
        (weight("OGE1", "10", basis="derived"), Rule.VALUE_NOT_ALLOWED),
        (close(), Rule.WEIGHTS_INCOMPLETE),
        (close(parent="nowhere"), Rule.UNKNOWN_REFERENCE),
    ],
)
def test_refuses(event: Event, rule: Rule) -> None:
    tree().refuses(event, rule)


def test_weights_of_siblings_sum_to_100_when_the_assignment_closes() -> None:
    tree().given(weight("OGE1", "60"), weight("OGE2", "40")).accepts(close())


@pytest.mark.parametrize(("first", "second"), [("60", "39.99"), ("60", "40.01"), ("0", "0")])
def test_refuses_to_close_when_weights_do_not_sum_to_100(first: str, second: str) -> None:
    ledger = tree().given(weight("OGE1", first), weight("OGE2", second))
    total = str(Decimal(first) + Decimal(second))

    refused = ledger.refuses(close(total), Rule.WEIGHTS_SUM)

    assert refused.facts["total"] == total
    assert refused.facts["weights"] == f"OGE1 {first}, OGE2 {second}"


def test_refuses_to_close_when_a_sibling_has_no_weight() -> None:
    refused = tree().given(weight("OGE1", "100")).refuses(close(), Rule.WEIGHTS_INCOMPLETE)

    assert refused.facts["without"] == "OGE2"


def test_children_of_another_level_need_no_weight() -> None:
    ledger = tree().given(objective("3.1", "PS", "LGG"))

    ledger.given(weight("OGE1", "60"), weight("OGE2", "40")).accepts(close())


def test_refuses_a_closing_total_that_was_counted_wrongly() -> None:
    ledger = tree().given(weight("OGE1", "60"), weight("OGE2", "40"))

    ledger.refuses(close("99"), Rule.OLD_VALUE_DIFFERS)
    ledger.refuses(close("100", children=3), Rule.OLD_VALUE_DIFFERS)


def test_after_closing_a_weight_changes_only_under_an_act() -> None:
    ledger = tree().given(weight("OGE1", "60"), weight("OGE2", "40"), close())

    ledger.refuses(weight("OGE1", "50"), Rule.ASSIGNMENT_CLOSED)
    ledger.refuses(close(), Rule.ENTITY_CLOSED)
    ledger.refuses(under_act(weight("OGE1", "60")), Rule.NOTHING_CHANGES)
    ledger.accepts(under_act(weight("OGE1", "50")))


def test_a_weight_changed_after_closing_reopens_the_assignment() -> None:
    ledger = tree().given(weight("OGE1", "60"), weight("OGE2", "40"), close())
    ledger.given(under_act(weight("OGE1", "50")))

    ledger.refuses(close("90"), Rule.WEIGHTS_SUM)
    ledger.accepts(weight("OGE2", "50")).accepts(close())


def test_a_target_needs_a_definition() -> None:
    tree().refuses(target(), Rule.DEFINITION_MISSING)


def test_a_target_is_set_once() -> None:
    ledger = tree().given(definition("OGE1")).accepts(target())

    ledger.refuses(target("90"), Rule.TARGET_ALREADY_SET)


def test_a_target_of_a_unit_needs_the_unit() -> None:
    ledger = tree().given(definition("OGE1"))
    late = UnitEstablished(
        unit_code="dr", unit_type="DR", name="DR", valid_from=dt.date(2024, 1, 1)
    )

    ledger.refuses(target(unit="dr"), Rule.UNKNOWN_REFERENCE)
    ledger.given(late).refuses(target(unit="dr"), Rule.ENTITY_CLOSED)


def test_a_target_is_revised_under_an_act_and_for_a_cause() -> None:
    ledger = tree().given(definition("OGE1"), target())

    refused = ledger.refuses(revised(), Rule.ACT_REQUIRED)
    ledger.refuses(under_act(revised(cause=" ")), Rule.CORRECTION_NEEDS_REASON)
    ledger.accepts(under_act(revised()))

    assert "OGE1" in refused.facts["what"]


@pytest.mark.parametrize(
    ("event", "rule"),
    [
        (revised(old="99"), Rule.OLD_VALUE_DIFFERS),
        (revised(new="100"), Rule.NOTHING_CHANGES),
    ],
)
def test_refuses_a_revision(event: Event, rule: Rule) -> None:
    tree().given(definition("OGE1"), target()).refuses(under_act(event), rule)


def test_refuses_a_revision_of_a_target_never_set() -> None:
    tree().given(definition("OGE1")).refuses(under_act(revised()), Rule.TARGET_NOT_SET)


def test_a_revision_starts_from_the_latest_target() -> None:
    ledger = tree().given(definition("OGE1"), target(), under_act(revised()))

    ledger.refuses(under_act(revised()), Rule.OLD_VALUE_DIFFERS)
    ledger.accepts(under_act(revised(old="90", new="80")))


def test_refuses_a_revision_before_its_act_is_in_force() -> None:
    ledger = tree().given(definition("OGE1"), target())
    early = Proposal(event=revised(), envelope=under_act(revised(), dt.date(2023, 1, 29)).envelope)

    ledger.refuses(early, Rule.ACT_NOT_IN_FORCE)


def test_an_objective_of_a_unit_needs_the_unit() -> None:
    event = ObjectiveAssigned(year=Y, code="X", level="OGE", label="X", unit_code="dr")

    Given().refuses(Proposal(event=event, envelope=envelope(ref=None)), Rule.UNKNOWN_REFERENCE)
