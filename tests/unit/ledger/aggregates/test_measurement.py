"""Measurement systems and versions of definitions."""

import datetime as dt
from dataclasses import replace

import pytest

from ledger.errors import FormulaError
from ledger.events.base import Event
from ledger.events.measurement import (
    IndicatorDefined,
    IndicatorMethodChanged,
    MeasurementSystemAdopted,
    ValueNodeDefined,
)
from ledger.rules import Rule
from tests.support.given import JAN_1, Given

V1 = IndicatorDefined(
    indicator_code="PROD",
    version=1,
    label="Produttività",
    measure_unit="points",
    decimals=2,
    direction="up",
    deviation_rule="DR1",
    formula='{"op":"recorded"}',
    valid_from=JAN_1,
    valid_to=dt.date(2023, 12, 31),
    basis="catalogue",
)
V2 = replace(V1, version=2, valid_from=dt.date(2024, 1, 1), valid_to=None)
NEW_METHOD = replace(V2, formula='{"op":"constant","value":"1"}')
CHANGE = IndicatorMethodChanged(
    indicator_code="PROD", from_version=1, to_version=2, break_in_series=True, comparability="none"
)
SYSTEM = MeasurementSystemAdopted(year=2023, model="pyramid", title="SMVP 2023")


def node(code: str, parent: str | None = None, model: str = "pyramid") -> ValueNodeDefined:
    return ValueNodeDefined(year=2023, model=model, node_code=code, parent_code=parent, label=code)


@pytest.mark.parametrize(
    ("event", "rule"),
    [
        (replace(V1, version=2), Rule.DEFINITION_VERSION),
        (replace(V1, direction="sideways"), Rule.VALUE_NOT_ALLOWED),
        (replace(V1, deviation_rule="DR7"), Rule.VALUE_NOT_ALLOWED),
        (replace(V1, valid_to=dt.date(2022, 12, 31)), Rule.DATES_OUT_OF_ORDER),
        (CHANGE, Rule.DEFINITION_VERSION),
    ],
)
def test_refuses_as_first(event: Event, rule: Rule) -> None:
    Given().refuses(event, rule)


def test_refuses_a_formula_that_cannot_be_read() -> None:
    with pytest.raises(FormulaError):
        Given().given(replace(V1, formula='{"op":"guess"}'))


def test_a_version_with_the_same_method_follows_without_announcement() -> None:
    Given().given(V1).accepts(V2)


def test_a_new_method_is_announced_before_it_is_defined() -> None:
    ledger = Given().given(V1)

    ledger.refuses(NEW_METHOD, Rule.DEFINITION_VERSION)
    ledger.accepts(CHANGE).accepts(NEW_METHOD)


def test_versions_do_not_run_backwards_in_time() -> None:
    Given().given(V1).refuses(replace(V2, valid_from=dt.date(2022, 1, 1)), Rule.DATES_OUT_OF_ORDER)


def test_a_change_of_method_names_the_present_version() -> None:
    Given().given(V1).refuses(
        replace(CHANGE, from_version=2, to_version=3), Rule.DEFINITION_VERSION
    )


def test_a_model_is_adopted_once_and_its_nodes_form_a_tree() -> None:
    ledger = Given().accepts(SYSTEM).accepts(node("VP")).accepts(node("PS", "VP"))

    ledger.refuses(SYSTEM, Rule.ALREADY_EXISTS)
    ledger.refuses(node("VP"), Rule.ALREADY_EXISTS)
    ledger.refuses(node("X", "nowhere"), Rule.UNKNOWN_REFERENCE)
    ledger.refuses(node("X", model="ambits"), Rule.UNKNOWN_REFERENCE)


def test_two_models_live_side_by_side() -> None:
    Given().given(SYSTEM).accepts(replace(SYSTEM, model="ambits"))
