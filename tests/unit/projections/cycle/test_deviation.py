"""The rules DR1 to DR6 on exact values, by a table written from the definitions."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.formula import WeightedMean
from projections.cycle.deviation import achievement, deviation
from projections.cycle.rounding import round_half_up
from projections.cycle.values import Missing, Reason
from tests.support.cycle import (
    Cycle,
    definition,
    fraction,
    objective,
    result,
    target,
    weight,
)

ZERO_TARGET = Missing(Reason.DIVISION_BY_ZERO)
NO_ACHIEVEMENT = Missing(Reason.NOT_DEFINED_BY_RULE)
UNKNOWN = Missing(Reason.RULE_UNKNOWN)
EXACT = st.fractions(min_value=-(10**12), max_value=10**12, max_denominator=10**4)


def exact(text: str) -> Fraction:
    return Fraction(text)


@pytest.mark.parametrize(
    ("rule", "result", "target", "off", "reached"),
    [
        ("DR1", "88.32", "88", "4/11", "1104/11"),
        ("DR1", "2.27", "1.6", "41.875", "141.875"),
        ("DR1", "0", "5", "-100", "0"),
        ("DR1", "-3", "2", "-250", "-150"),
        ("DR1", "7", "7", "0", "100"),
        ("DR2", "49", "32", "-53.125", "46.875"),
        ("DR2", "265995348", "199000000", "-66995348/1990000", "132004652/1990000"),
        ("DR2", "151.51", "143.09", "-84200/14309", "1346700/14309"),
        ("DR2", "0", "5", "100", "200"),
        ("DR4", "89.53", "100", "-10.47", "89.53"),
        ("DR4", "106.921", "100", "6.921", "106.921"),
        ("DR4", "89.53", "50", "-10.47", "89.53"),
        ("DR5", "47619087", "3709999", "-4390908800/3709999", "-4019908900/3709999"),
    ],
)
def test_rules_with_an_achievement(
    rule: str, result: str, target: str, off: str, reached: str
) -> None:
    assert deviation(rule, exact(result), exact(target)) == exact(off)
    assert achievement(rule, exact(result), exact(target)) == exact(reached)


@pytest.mark.parametrize(
    ("rule", "result", "target", "off"),
    [
        ("DR3", "1.03", "1", "0.03"),
        ("DR3", "-2", "0.5", "-2.5"),
        ("DR6", "97.79", "100", "-2.21"),
        ("DR6", "1", "3", "-200/3"),
    ],
)
def test_rules_without_an_achievement(rule: str, result: str, target: str, off: str) -> None:
    assert deviation(rule, exact(result), exact(target)) == exact(off)
    assert achievement(rule, exact(result), exact(target)) == NO_ACHIEVEMENT


@pytest.mark.parametrize(
    ("rule", "off", "reached"),
    [
        ("DR1", ZERO_TARGET, ZERO_TARGET),
        ("DR2", ZERO_TARGET, ZERO_TARGET),
        ("DR3", Fraction(5), NO_ACHIEVEMENT),
        ("DR4", Fraction(-95), Fraction(5)),
        ("DR5", ZERO_TARGET, ZERO_TARGET),
        ("DR6", ZERO_TARGET, NO_ACHIEVEMENT),
    ],
)
def test_a_target_of_zero_divides_nothing(
    rule: str, off: Fraction | Missing, reached: Fraction | Missing
) -> None:
    assert deviation(rule, Fraction(5), Fraction(0)) == off
    assert achievement(rule, Fraction(5), Fraction(0)) == reached


@pytest.mark.parametrize(
    ("rule", "off", "reached"),
    [
        ("DR1", "-150", "-50"),
        ("DR2", "150", "250"),
        ("DR3", "15", None),
        ("DR4", "-95", "5"),
        ("DR5", "150", "250"),
        ("DR6", "-150", None),
    ],
)
def test_a_negative_target_is_divided_by_as_it_is(rule: str, off: str, reached: str | None) -> None:
    assert deviation(rule, Fraction(5), Fraction(-10)) == exact(off)
    expected = NO_ACHIEVEMENT if reached is None else exact(reached)
    assert achievement(rule, Fraction(5), Fraction(-10)) == expected


@pytest.mark.parametrize("rule", ["", "DR0", "DR7", "dr1", "DR"])
@pytest.mark.parametrize("target", [0, 100])
def test_an_unknown_rule_is_said_to_be_unknown_whatever_the_target(rule: str, target: int) -> None:
    assert deviation(rule, Fraction(5), Fraction(target)) == UNKNOWN
    assert achievement(rule, Fraction(5), Fraction(target)) == UNKNOWN


@pytest.mark.property
@settings(max_examples=150, deadline=None)
@given(EXACT, EXACT.filter(bool))
def test_relative_rules_mirror_each_other(result: Fraction, target: Fraction) -> None:
    up = fraction(deviation("DR1", result, target))
    down = fraction(deviation("DR2", result, target))

    assert down == -up
    assert deviation("DR5", result, target) == down
    assert deviation("DR6", result, target) == up
    assert achievement("DR1", result, target) == 100 * result / target == 100 + up
    assert achievement("DR2", result, target) == achievement("DR5", result, target) == 100 + down


@pytest.mark.property
@settings(max_examples=100, deadline=None)
@given(EXACT, EXACT)
def test_differences_are_exact(result: Fraction, target: Fraction) -> None:
    assert deviation("DR3", result, target) == result - target
    assert deviation("DR4", result, target) == result - 100
    assert achievement("DR4", result, target) == result


def economic_index() -> Cycle:
    """Return the printed inputs of the economic index of 2023, by hand."""
    cycle = Cycle().define(
        objective("IEG"), definition("IEG", WeightedMean("deviation"), rule="DR1")
    )
    for code, rule, percent, value, goal in (
        ("IEG.1", "DR1", "25", "2.27", "1.60"),
        ("IEG.2", "DR2", "25", "151.51", "143.09"),
        ("IEG.3", "DR2", "50", "105.67", "100"),
    ):
        cycle.define(
            objective(code, "IEG"),
            definition(code, rule=rule),
            weight("IEG", code, percent),
            result(code, value),
            target(code, goal),
        )
    return cycle


def test_the_economic_index_is_616_from_unrounded_parts_and_not_617() -> None:
    cycle = economic_index()
    parts = [cycle.evaluated(f"IEG.{n}") for n in (1, 2, 3)]
    rounded = [Fraction(part.deviation) for part in parts if part.deviation is not None]
    too_early = (25 * rounded[0] + 25 * rounded[1] + 50 * rounded[2]) / 100

    assert [str(part.deviation) for part in parts] == ["41.88", "-5.88", "-5.67"]
    assert (
        cycle.evaluated("IEG").exact
        == (25 * Fraction("41.875") - 25 * Fraction(84200, 14309) - 50 * Fraction("5.67")) / 100
    )
    assert cycle.evaluated("IEG").value == Decimal("6.16")
    assert round_half_up(too_early, 2) == Decimal("6.17")
