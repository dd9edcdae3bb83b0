"""Comparing two cuts: restated, first known, removed by a correction; and by how much."""

import datetime as dt
from decimal import Decimal

import pytest

from ledger.formula import Flow, Percent, Recorded, WeightedMean
from projections.cycle.diff import Change, Difference, change_pct, difference
from tests.support.cycle import (
    CLOSING,
    PLAN,
    PRE,
    YEAR,
    Cycle,
    definition,
    flow,
    no_result,
    objective,
    result,
    target,
    weight,
)
from tests.support.dataset import example_events


def compared(cycle: Cycle, first: dt.date = PRE, second: dt.date = CLOSING) -> Difference:
    return difference(cycle.facts(), year=YEAR, from_as_of=first, to_as_of=second)


def codes(changes: tuple[Change, ...]) -> list[str]:
    return [change.code for change in changes]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("100", "110", "10.00"),
        ("110", "100", "-9.09"),
        ("3", "1", "-66.67"),
        ("3", "2", "-33.33"),
        ("800", "801", "0.13"),
        ("800", "799", "-0.13"),
        ("100000", "100001", "0.00"),
        ("100000", "99999", "0.00"),
        ("-100", "-110", "10.00"),
        ("-100", "100", "-200.00"),
        ("5", "0", "-100.00"),
        ("0.01", "1000000", "9999999900.00"),
        ("5332073821", "5906162514", "10.77"),
    ],
)
def test_the_change_is_a_percent_rounded_half_up(old: str, new: str, expected: str) -> None:
    assert str(change_pct(Decimal(old), Decimal(new))) == expected


@pytest.mark.parametrize(
    ("old", "new"), [("0", "5"), ("0.00", "5"), ("-0", "5"), (None, "5"), ("5", None), (None, None)]
)
def test_a_change_from_zero_or_nothing_has_no_percent(old: str | None, new: str | None) -> None:
    values = [None if text is None else Decimal(text) for text in (old, new)]

    assert change_pct(values[0], values[1]) is None


def test_a_restated_value_shows_both_sides_and_its_cause() -> None:
    cycle = Cycle().define(definition("X"), target("X", "100"))
    cycle.add(result("X", "116.58"), PRE, vintage="PRE_CONSUNTIVO")
    closing = cycle.add(result("X", "122.79"), CLOSING, vintage="CONSUNTIVO")
    found = compared(cycle)

    assert found.first_known == ()
    assert found.changed == (
        Change(
            code="X",
            label="label of X",
            unit="percent",
            decimals=2,
            old=Decimal("116.58"),
            new=Decimal("122.79"),
            change_pct=Decimal("5.33"),
            old_vintage="PRE_CONSUNTIVO",
            new_vintage="CONSUNTIVO",
            causes=(closing.address,),
        ),
    )
    assert (found.year, found.before.as_of, found.after.as_of) == (YEAR, PRE, CLOSING)


@pytest.mark.parametrize("defined_on", [PLAN, CLOSING])
def test_a_value_first_known_is_no_restatement(defined_on: dt.date) -> None:
    cycle = Cycle().define(definition("X"), as_of=defined_on)
    closing = cycle.add(result("X", "7"), CLOSING, vintage="CONSUNTIVO")
    found = compared(cycle)

    assert found.changed == ()
    assert codes(found.first_known) == ["X"]
    change = found.first_known[0]
    assert (change.old, change.new, change.change_pct) == (None, Decimal("7.00"), None)
    assert (change.old_vintage, change.new_vintage) == (None, "CONSUNTIVO")
    assert change.causes == (closing.address,)


def test_a_value_removed_by_a_correction_is_a_change_to_nothing() -> None:
    cycle = Cycle().define(definition("X"))
    wrong = cycle.add(result("X", "7"), PRE, vintage="PRE_CONSUNTIVO")
    correction = cycle.add(no_result("X", "FUNDING"), CLOSING, supersedes=wrong)
    found = compared(cycle)

    assert found.first_known == ()
    (change,) = found.changed
    assert (change.old, change.new, change.change_pct) == (Decimal("7.00"), None, None)
    assert (change.old_vintage, change.new_vintage) == ("PRE_CONSUNTIVO", None)
    assert change.causes == (correction.address,)


def test_a_value_known_again_after_nothing_is_first_known() -> None:
    cycle = Cycle().define(definition("X"))
    nothing = cycle.add(no_result("X", "FUNDING"), PRE)
    cycle.add(result("X", "7"), CLOSING, supersedes=nothing)

    assert codes(compared(cycle).first_known) == ["X"]


def test_an_indicator_taken_out_of_the_year_by_a_correction_is_listed() -> None:
    cycle = Cycle()
    wrong = cycle.add(definition("X"))
    cycle.add(result("X", "7"), PRE, vintage="PRE_CONSUNTIVO")
    correction = cycle.add(
        definition("X", valid_from=dt.date(2024, 1, 1)), CLOSING, supersedes=wrong
    )
    found = compared(cycle)

    assert found.after.line("X") is None
    (change,) = found.changed
    assert (change.code, change.label, change.unit) == ("X", "label of X", "percent")
    assert (change.old, change.new) == (Decimal("7.00"), None)
    assert (change.new_vintage, change.causes) == (None, (correction.address,))


def test_an_indicator_without_value_that_leaves_the_year_is_no_change() -> None:
    cycle = Cycle()
    wrong = cycle.add(objective("X"))
    cycle.add(objective("Y"), CLOSING, supersedes=wrong)
    found = compared(cycle)

    assert (found.changed, found.first_known) == ((), ())


@pytest.mark.parametrize("value", ["7", "7.00", "7.004"])
def test_a_value_that_reads_the_same_is_not_restated(value: str) -> None:
    cycle = Cycle().define(definition("X"))
    cycle.add(result("X", "7"), PRE, vintage="PRE_CONSUNTIVO")
    cycle.add(result("X", value), CLOSING, vintage="CONSUNTIVO")
    found = compared(cycle)

    assert (found.changed, found.first_known) == ((), ())


def test_a_new_target_alone_restates_no_value() -> None:
    cycle = Cycle().define(definition("X"), target("X", "5"), result("X", "7"))
    cycle.define(target("X", "6"), as_of=CLOSING)

    assert compared(cycle).changed == ()


def test_what_rests_on_a_restated_value_is_restated_with_the_same_cause() -> None:
    cycle = Cycle().define(definition("X", Percent(Flow("A"))), definition("Y", Flow("B")))
    cycle.define(flow("A", "1"), flow("B", "1"), as_of=PRE)
    closing = cycle.add(flow("A", "2"), CLOSING)
    found = compared(cycle)

    assert codes(found.changed) == ["X"]
    assert found.changed[0].causes == (closing.address,)
    assert found.changed[0].change_pct == Decimal("100.00")


def weighted(pre: tuple[str, str], closing: tuple[str, str]) -> tuple[Cycle, list[str]]:
    """Return a weighted mean P of A and B at two stages, and the closing records of A and B."""
    cycle = Cycle().define(objective("P"), definition("P", WeightedMean(), rule="DR4"))
    for code in "AB":
        cycle.define(objective(code, "P"), definition(code), weight("P", code, "50"))
    for code, value in zip("AB", pre, strict=True):
        cycle.add(result(code, value), PRE, vintage="PRE_CONSUNTIVO")
    records = [
        cycle.add(result(code, value), CLOSING, vintage="CONSUNTIVO").address
        for code, value in zip("AB", closing, strict=True)
    ]
    return cycle, records


def test_a_closing_result_that_repeats_the_value_before_is_no_cause() -> None:
    cycle, (_, second) = weighted(("1", "2"), ("1.00", "4"))
    parent, child = compared(cycle).changed

    assert (child.code, child.causes) == ("B", (second,))
    assert (parent.code, parent.causes) == ("P", (second,))


def test_every_input_that_changed_is_a_cause_in_order_of_position() -> None:
    cycle, records = weighted(("1", "2"), ("2", "4"))

    assert compared(cycle).changed[0].causes == tuple(records)


def test_a_weight_that_changed_is_a_cause() -> None:
    cycle, _ = weighted(("1", "2"), ("1", "2"))
    changed = [
        cycle.add(weight("P", code, part), CLOSING) for code, part in (("A", "40"), ("B", "60"))
    ]
    (change,) = compared(cycle).changed

    assert change.code == "P"
    assert change.causes == tuple(record.address for record in changed)


def test_a_definition_that_changed_is_a_cause() -> None:
    cycle = Cycle().define(definition("X"), result("X", "7"))
    changed = cycle.add(definition("X", Percent(Recorded()), version=2), CLOSING)
    (change,) = compared(cycle).changed

    assert (change.new, change.causes) == (700, (changed.address,))


def test_a_definition_known_after_its_result_is_the_cause_that_a_value_is_known() -> None:
    cycle = Cycle().define(result("X", "7"))
    defined = cycle.add(definition("X"), CLOSING)
    (change,) = compared(cycle).first_known

    assert change.causes == (defined.address,)


def test_a_correction_that_brings_an_older_value_back_is_its_cause() -> None:
    cycle = Cycle().define(definition("X"))
    cycle.add(result("X", "7"), PLAN)
    wrong = cycle.add(result("X", "9"), PRE)
    moved = cycle.add(result("X", "9", unit_code="DR01"), CLOSING, supersedes=wrong)
    (change,) = compared(cycle).changed

    assert (change.old, change.new, change.causes) == (9, 7, (moved.address,))


def test_a_correction_moved_to_another_unit_is_the_cause_that_a_value_is_gone() -> None:
    cycle = Cycle().define(definition("X"))
    wrong = cycle.add(result("X", "7"), PRE)
    moved = cycle.add(result("X", "7", unit_code="DR01"), CLOSING, supersedes=wrong)
    (change,) = compared(cycle).changed

    assert (change.new, change.causes) == (None, (moved.address,))


def test_the_restatement_of_the_example_names_the_objectives_that_changed() -> None:
    cycle = Cycle(events=list(example_events()))
    changes = {change.code: change for change in compared(cycle).changed}
    of = {change.code: set(change.causes) for change in changes.values()}

    assert of["PS"] == of["OGE3"] | of["OGE5"]
    assert {code for code in changes if code.startswith("OGE")} == {"OGE3", "OGE5"}


@pytest.mark.parametrize("day", [PLAN, PRE, CLOSING])
def test_nothing_differs_from_itself(day: dt.date) -> None:
    cycle = Cycle().define(definition("X")).define(result("X", "7"), as_of=PRE)
    found = compared(cycle, day, day)

    assert (found.changed, found.first_known) == ((), ())
    assert found.before == found.after
