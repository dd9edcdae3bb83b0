"""Evaluation: every operator on exact values, what is missing and why, caps, cycles, traces."""

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest

from ledger.errors import FormulaError
from ledger.events.base import Event
from ledger.formula import (
    Achievement,
    Cap,
    ChildrenMean,
    Constant,
    Days,
    Deviation,
    Flow,
    Formula,
    Indicator,
    Mean,
    Measure,
    Percent,
    Ratio,
    Recorded,
    Sum,
    Unpublished,
    WeightedMean,
)
from projections.cycle.evaluate import Evaluator
from projections.cycle.values import Missing, Reason, Value
from tests.support.cycle import (
    CLOSING,
    PLAN,
    PRE,
    Cycle,
    definition,
    flow,
    fraction,
    no_result,
    objective,
    result,
    revised,
    target,
    weight,
)


def number(text: str) -> Constant:
    return Constant(Decimal(text))


ONE, TWO, SEVEN = number("1"), number("2"), number("7")
ABSENT = Flow("ABSENT")
BEFORE_PLAN = PLAN - dt.timedelta(days=1)
LACKS_ABSENT = Missing(Reason.CHILD_MISSING, ("ABSENT",))
DIVIDED = Missing(Reason.DIVISION_BY_ZERO)


def value_of(formula: Formula) -> Value:
    """Return the exact value of a formula beside an amount, a result and another indicator."""
    cycle = Cycle().define(
        definition("OTHER", rule="DR2"),
        target("OTHER", "32"),
        result("OTHER", "49"),
        definition("X", formula),
        result("X", "12.5"),
        flow("A", "300"),
    )
    return cycle.evaluated("X").exact


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        (Recorded(), "12.5"),
        (Flow("A"), "300"),
        (number("-0.1"), "-1/10"),
        (Indicator("OTHER"), "49"),
        (Indicator("OTHER", "deviation"), "-53.125"),
        (Indicator("OTHER", "achievement"), "46.875"),
        (Sum((("+", SEVEN), ("-", TWO), ("-", TWO))), "3"),
        (Sum((("-", SEVEN),)), "-7"),
        (Ratio(ONE, SEVEN), "1/7"),
        (Ratio(number("0"), SEVEN), "0"),
        (Percent(Ratio(ONE, number("3"))), "100/3"),
        (Mean((ONE, TWO, SEVEN)), "10/3"),
        (Mean((SEVEN,)), "7"),
        (Deviation("DR1", SEVEN, TWO), "250"),
        (Deviation("DR3", ONE, SEVEN), "-6"),
        (Achievement("DR2", SEVEN, TWO), "-150"),
        (Achievement("DR4", SEVEN, TWO), "7"),
        (Cap(SEVEN), "7"),
        (Cap(SEVEN, None, Decimal(2)), "2"),
        (Cap(SEVEN, Decimal("7.5"), None), "7.5"),
        (Cap(SEVEN, Decimal(1), Decimal(9)), "7"),
        (Cap(SEVEN, Decimal(7), Decimal(7)), "7"),
        (Days(number("90"), number("300"), number("10")), "3"),
        (Days(ONE, TWO, SEVEN), "7/2"),
    ],
)
def test_computes_each_operator_exactly(formula: Formula, expected: str) -> None:
    assert value_of(formula) == Fraction(expected)


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        (ABSENT, Missing(Reason.NOT_RECORDED)),
        (Measure("settled"), Missing(Reason.FACTS_NOT_READ, ("settled",))),
        (Unpublished("weights_unpublished"), Missing(Reason.WEIGHTS_UNPUBLISHED)),
        (Unpublished("OWN_CODE"), Missing("OWN_CODE")),
        (Indicator("NOBODY"), Missing(Reason.NOT_DEFINED)),
        (Indicator("NOBODY", "deviation"), Missing(Reason.CHILD_MISSING)),
        (WeightedMean(), Missing(Reason.WEIGHTS_UNPUBLISHED)),
        (ChildrenMean(), Missing(Reason.NOT_RECORDED)),
        (Sum((("+", ONE), ("-", ABSENT))), LACKS_ABSENT),
        (Ratio(ABSENT, ONE), LACKS_ABSENT),
        (Ratio(ONE, ABSENT), LACKS_ABSENT),
        (Ratio(ABSENT, number("0")), LACKS_ABSENT),
        (Ratio(ONE, number("0")), DIVIDED),
        (Percent(ABSENT), Missing(Reason.NOT_RECORDED)),
        (Percent(Ratio(ONE, number("0"))), DIVIDED),
        (Mean((ONE, ABSENT)), LACKS_ABSENT),
        (
            Mean((ABSENT, Indicator("NOBODY"), ABSENT)),
            Missing(Reason.CHILD_MISSING, ("ABSENT", "NOBODY")),
        ),
        (Mean((Percent(ABSENT), ONE)), LACKS_ABSENT),
        (Sum((("+", Cap(Ratio(ONE, ABSENT))), ("+", ONE))), LACKS_ABSENT),
        (Sum((("+", Ratio(ONE, number("0"))),)), Missing(Reason.CHILD_MISSING)),
        (Deviation("DR1", ABSENT, ONE), LACKS_ABSENT),
        (Deviation("DR1", ONE, ABSENT), LACKS_ABSENT),
        (Deviation("DR1", ONE, number("0")), DIVIDED),
        (Achievement("DR3", ONE, ONE), Missing(Reason.NOT_DEFINED_BY_RULE)),
        (Achievement("DR6", ONE, ONE), Missing(Reason.NOT_DEFINED_BY_RULE)),
        (Cap(ABSENT, Decimal(0), Decimal(1)), Missing(Reason.NOT_RECORDED)),
        (Days(ONE, number("0"), ONE), DIVIDED),
        (Days(ONE, ONE, number("0")), Missing(Reason.CHILD_MISSING)),
        (Days(ABSENT, ONE, ONE), LACKS_ABSENT),
        (Days(ONE, ABSENT, ONE), LACKS_ABSENT),
        (Days(ONE, ONE, ABSENT), LACKS_ABSENT),
    ],
)
def test_a_missing_part_makes_the_whole_missing_with_the_reason(
    formula: Formula, expected: Missing
) -> None:
    assert value_of(formula) == expected


def test_no_result_repeats_the_reasons_of_the_source() -> None:
    cycle = Cycle().define(definition("X"), no_result("X", "FUNDING", "MISSING_LEGAL_BASIS"))
    evaluation = cycle.evaluated("X")

    assert evaluation.value is None
    assert evaluation.missing == Missing(Reason.STATED, ("FUNDING", "MISSING_LEGAL_BASIS"))


def test_an_unknown_indicator_is_not_defined() -> None:
    evaluation = Cycle().evaluated("NO")

    assert evaluation.missing == Missing(Reason.NOT_DEFINED)
    assert (evaluation.definition, evaluation.value, evaluation.deviation) == (None, None, None)


@pytest.mark.parametrize(
    ("rule", "events", "off", "reached"),
    [
        ("DR1", [target("X", "88")], "0.36", "100.36"),
        ("DR2", [target("X", "32")], "-176.00", "-76.00"),
        ("DR3", [target("X", "88")], "0.32", None),
        ("DR4", [target("X", "88")], "-11.68", "88.32"),
        ("DR4", [], "-11.68", "88.32"),
        ("DR5", [target("X", "32")], "-176.00", "-76.00"),
        ("DR6", [target("X", "88")], "0.36", None),
        ("DR1", [], None, None),
        ("DR3", [], None, None),
        ("DR1", [target("X", "0")], None, None),
        ("DR3", [target("X", "0")], "88.32", None),
        ("DR9", [target("X", "88")], None, None),
    ],
)
def test_compares_the_result_with_the_target_under_the_rule(
    rule: str, events: list[Event], off: str | None, reached: str | None
) -> None:
    cycle = Cycle().define(definition("X", rule=rule), result("X", "88.32"), *events)
    evaluation = cycle.evaluated("X")

    shown = [
        None if value is None else str(value)
        for value in (evaluation.deviation, evaluation.achievement)
    ]
    assert shown == [off, reached]


@pytest.mark.parametrize(
    ("events", "reason"),
    [
        ([result("X", "1")], Reason.TARGET_MISSING),
        ([target("X", "1")], Reason.CHILD_MISSING),
        ([result("X", "1"), target("X", "0")], Reason.DIVISION_BY_ZERO),
    ],
)
def test_a_missing_deviation_says_why(events: list[Event], reason: Reason) -> None:
    evaluation = Cycle().define(definition("X"), *events).evaluated("X")

    assert evaluation.exact_deviation == evaluation.exact_achievement == Missing(reason)


@pytest.mark.parametrize(
    ("cap", "reached"),
    [(None, "173.20"), ("150", "150.00"), ("173.2", "173.20"), ("173.19", "173.19"), ("0", "0.00")],
)
def test_a_cap_bounds_the_achievement_and_not_the_deviation(cap: str | None, reached: str) -> None:
    cycle = Cycle().define(definition("X", cap=cap), result("X", "173.2"), target("X", "100"))
    evaluation = cycle.evaluated("X")

    assert (str(evaluation.achievement), str(evaluation.deviation)) == (reached, "73.20")


def test_a_capped_achievement_enters_the_mean_of_achievements_capped() -> None:
    cycle = Cycle().define(
        objective("P"),
        objective("A", "P"),
        definition("P", ChildrenMean("achievement")),
        definition("A", cap="150"),
        result("A", "173.2"),
        target("A", "100"),
    )

    assert cycle.evaluated("P").exact == 150


def test_only_the_answer_is_rounded() -> None:
    third = definition("T", Ratio(ONE, number("3")), decimals=2)
    cycle = Cycle().define(third, definition("X", Sum((("+", Indicator("T")),) * 3), decimals=2))

    assert cycle.evaluated("T").value == Decimal("0.33")
    assert str(cycle.evaluated("X").value) == "1.00"


@pytest.mark.parametrize(("decimals", "shown"), [(0, "1235"), (1, "1234.5"), (3, "1234.500")])
def test_shows_the_decimals_of_the_definition(decimals: int, shown: str) -> None:
    cycle = Cycle().define(definition("X", decimals=decimals), result("X", "1234.5"))

    assert str(cycle.evaluated("X").value) == shown


def weighted(*children: tuple[str, str | None, str | None], part: str = "value") -> Cycle:
    """Return a parent P with children: code, weight, result; None leaves either unknown."""
    cycle = Cycle().define(objective("P"), definition("P", WeightedMean(part), rule="DR4"))
    for code, percent, value in children:
        cycle.define(objective(code, "P"), definition(code), target(code, "100"))
        if percent is not None:
            cycle.define(weight("P", code, percent))
        if value is not None:
            cycle.define(result(code, value))
    return cycle


@pytest.mark.parametrize(
    ("children", "expected"),
    [
        ([("A", "60", "110"), ("B", "40", "100")], Fraction(106)),
        ([("A", "30", "1"), ("B", "70", "2")], Fraction(17, 10)),
        ([("A", "30", "1"), ("B", "30", "2")], Missing(Reason.WEIGHTS_INCOMPLETE, ("60 %",))),
        ([("A", "60", "1"), ("B", "60", "2")], Missing(Reason.WEIGHTS_INCOMPLETE, ("120 %",))),
        (
            [("A", "33.33", "1"), ("B", "33.33", "1"), ("C", "33.33", "1")],
            Missing(Reason.WEIGHTS_INCOMPLETE, ("99.99 %",)),
        ),
        ([("A", "50", None), ("B", "30", "8")], Missing(Reason.WEIGHTS_INCOMPLETE, ("80 %",))),
        ([("A", "100", "7"), ("B", "0", "1000")], Fraction(7)),
        ([("A", "12.5", "1"), ("B", "87.5", "0")], Fraction(1, 8)),
        ([("A", "0", "7")], Missing(Reason.WEIGHTS_INCOMPLETE, ("0 %",))),
        ([("A", None, "7")], Missing(Reason.WEIGHTS_UNPUBLISHED, ("A",))),
        (
            [("A", "50", "7"), ("B", None, "8"), ("C", None, None)],
            Missing(Reason.WEIGHTS_UNPUBLISHED, ("B", "C")),
        ),
        ([("A", "50", None), ("B", None, "8")], Missing(Reason.WEIGHTS_UNPUBLISHED, ("B",))),
        (
            [("A", "50", None), ("B", "25", "8"), ("C", "25", None)],
            Missing(Reason.CHILD_MISSING, ("A", "C")),
        ),
        ([("A", "0", None), ("B", "100", "8")], Missing(Reason.CHILD_MISSING, ("A",))),
        ([], Missing(Reason.WEIGHTS_UNPUBLISHED)),
    ],
)
def test_the_weighted_mean_uses_published_weights_or_is_missing_with_the_codes(
    children: list[tuple[str, str | None, str | None]], expected: Value
) -> None:
    assert weighted(*children).evaluated("P").exact == expected


@pytest.mark.parametrize(
    ("part", "expected"), [("value", "106"), ("deviation", "6"), ("achievement", "106")]
)
def test_the_weighted_mean_takes_a_part_of_the_children(part: str, expected: str) -> None:
    cycle = weighted(("A", "60", "110"), ("B", "40", "100"), part=part)

    assert cycle.evaluated("P").exact == Fraction(expected)


def test_a_change_of_one_weight_alone_leaves_no_mean_until_the_others_follow() -> None:
    cycle = weighted(("A", "60", "110"), ("B", "40", "100"))
    cycle.add(weight("P", "A", "50"), PRE)
    cycle.add(weight("P", "B", "50"), CLOSING)

    assert cycle.evaluated("P", PLAN).exact == 106
    assert cycle.evaluated("P", PRE).exact == Missing(Reason.WEIGHTS_INCOMPLETE, ("90 %",))
    assert cycle.evaluated("P", CLOSING).exact == 105


def test_a_guideline_without_weight_below_weighted_objectives_does_not_enter() -> None:
    cycle = weighted(("A", "60", "110"), ("B", "40", "100"))
    cycle.define(objective("G", "P", level="LGG"), definition("G"), result("G", "0"))

    assert cycle.evaluated("P").exact == 106


def test_the_plain_mean_takes_every_child() -> None:
    cycle = Cycle().define(objective("P"), definition("P", ChildrenMean()))
    for code, value in (("A", "1"), ("B", "2"), ("C", "7")):
        cycle.define(objective(code, "P"), definition(code), result(code, value))

    assert cycle.evaluated("P").exact == Fraction(10, 3)

    cycle.define(objective("D", "P"), definition("D"))
    assert cycle.evaluated("P").exact == Missing(Reason.CHILD_MISSING, ("D",))


def test_a_missing_leaf_is_named_by_each_indicator_that_rests_on_it() -> None:
    cycle = Cycle().define(
        definition("TOP", Percent(Indicator("MID"))),
        definition("MID", Ratio(Indicator("LEAF"), TWO)),
        definition("LEAF"),
    )

    assert cycle.evaluated("LEAF").missing == Missing(Reason.NOT_RECORDED)
    assert cycle.evaluated("MID").missing == Missing(Reason.CHILD_MISSING, ("LEAF",))
    assert cycle.evaluated("TOP").missing == Missing(Reason.CHILD_MISSING, ("LEAF",))


@pytest.mark.parametrize(
    ("formulas", "asked", "path"),
    [
        ({"A": Indicator("A")}, "A", "A > A"),
        ({"A": Percent(Indicator("B")), "B": Sum((("-", Indicator("A")),))}, "A", "A > B > A"),
        (
            {"TOP": Indicator("A"), "A": Indicator("B"), "B": Mean((ONE, Indicator("A")))},
            "TOP",
            "A > B > A",
        ),
        ({"A": Indicator("B", "deviation"), "B": Indicator("A", "achievement")}, "B", "B > A > B"),
    ],
)
def test_a_cycle_of_definitions_is_an_error_that_names_it(
    formulas: dict[str, Formula], asked: str, path: str
) -> None:
    cycle = Cycle().define(*(definition(code, formula) for code, formula in formulas.items()))

    with pytest.raises(FormulaError, match="refers to itself") as caught:
        cycle.evaluated(asked)
    assert caught.value.facts["reason"] == f"refers to itself: {path}"
    assert caught.value.facts["subject"] == path.rsplit(" ", 1)[1]


def test_a_mean_of_children_that_read_their_parent_is_a_cycle() -> None:
    cycle = weighted(("A", "100", None))
    cycle.define(definition("A", Indicator("P"), version=2))

    with pytest.raises(FormulaError, match="P > A > P"):
        cycle.evaluated("P")


def test_after_a_cycle_the_other_indicators_are_still_computed() -> None:
    cycle = Cycle().define(
        definition("A", Indicator("B")), definition("B", Indicator("A")), definition("C", SEVEN)
    )
    evaluator = Evaluator(cycle.known())

    for _ in range(2):
        with pytest.raises(FormulaError, match="A > B > A"):
            evaluator.evaluate("A")
    assert evaluator.evaluate("C").exact == 7


def test_two_readers_of_one_indicator_are_no_cycle() -> None:
    cycle = Cycle().define(
        definition("X", Ratio(Indicator("A"), Indicator("B"))),
        definition("A", Indicator("LEAF")),
        definition("B", Sum((("+", Indicator("LEAF")), ("+", Indicator("LEAF"))))),
        definition("LEAF", SEVEN),
    )

    assert cycle.evaluated("X").exact == Fraction(1, 2)


def test_indicators_that_are_shared_at_every_level_take_no_exponential_time() -> None:
    cycle = Cycle().define(definition("L0"), target("L0", "1"))
    leaf = cycle.add(result("L0", "1"), PRE, vintage="PRE_CONSUNTIVO")
    for level in range(1, 41):
        below = Indicator(f"L{level - 1}")
        cycle.define(definition(f"L{level}", Sum((("+", below), ("+", below)))))
    evaluation = cycle.evaluated("L40")

    assert evaluation.exact == 2**40
    assert evaluation.vintage == "PRE_CONSUNTIVO"
    assert evaluation.trace.addresses() == (leaf.address,)
    assert evaluation.trace.codes() == {f"L{level}" for level in range(40)}


def test_each_indicator_is_computed_once() -> None:
    cycle = weighted(("A", "60", "110"), ("B", "40", "100"))
    evaluator = Evaluator(cycle.known())

    assert evaluator.evaluate("P") is evaluator.evaluate("P")
    assert [evaluation.code for evaluation in evaluator.all()] == ["P", "A", "B"]
    assert evaluator.all()[0] is evaluator.evaluate("P")


def test_the_trace_names_the_records_in_order_of_use() -> None:
    cycle = weighted(("A", "60", "110"), ("B", "40", "100"))
    addresses = {
        (event.event.TYPE.rsplit(".", 1)[1], *map(str, map(event.event.__getattribute__, keys))): (
            event.address
        )
        for event in cycle.events
        if (keys := event.event.KEYS)
    }
    trace = cycle.evaluated("P").trace

    assert trace.op == "weighted_mean"
    assert [(step.code, step.weight) for step in trace.children] == [
        ("A", Decimal(60)),
        ("B", Decimal(40)),
    ]
    assert trace.addresses() == (
        addresses["WeightSet", "P", "A"],
        addresses["ResultRecorded", "A"],
        addresses["WeightSet", "P", "B"],
        addresses["ResultRecorded", "B"],
    )
    assert trace.codes() == {"P", "A", "B"}


def test_a_part_that_is_compared_names_the_target_it_rests_on() -> None:
    cycle = Cycle().define(definition("X", Indicator("A", "deviation")), definition("A"))
    cycle.define(target("A", "5"), revised("A", "5", "4"), result("A", "8"))
    evaluation = cycle.evaluated("X")

    assert evaluation.exact == 100
    assert evaluation.trace.addresses() == ("4", "5")


def test_the_terms_of_a_sum_carry_their_sign() -> None:
    cycle = Cycle().define(definition("X", Sum((("+", SEVEN), ("-", TWO)))))
    trace = cycle.evaluated("X").trace

    assert [(step.sign, step.value) for step in trace.children] == [
        ("+", Fraction(7)),
        ("-", Fraction(2)),
    ]


@pytest.mark.parametrize(
    ("as_of", "value", "vintage"),
    [
        (BEFORE_PLAN, None, None),
        (PLAN, None, None),
        (PRE, "1", "PRE_CONSUNTIVO"),
        (CLOSING, "2", "CONSUNTIVO"),
        (None, "2", "CONSUNTIVO"),
    ],
)
def test_value_and_vintage_are_those_known_at_the_cut(
    as_of: dt.date | None, value: str | None, vintage: str | None
) -> None:
    cycle = Cycle().define(definition("X", decimals=0))
    cycle.add(result("X", "2"), CLOSING, vintage="CONSUNTIVO")
    cycle.add(result("X", "1"), PRE, vintage="PRE_CONSUNTIVO")
    evaluation = cycle.evaluated("X", as_of)

    assert evaluation.value == (None if value is None else Decimal(value))
    assert evaluation.vintage == vintage


def test_the_vintage_is_that_of_the_newest_input() -> None:
    cycle = Cycle().define(definition("X", Sum((("+", Flow("A")), ("+", Flow("B"))))))
    cycle.add(flow("A", "1"), CLOSING, vintage="CONSUNTIVO")
    cycle.add(flow("B", "1"), PRE, vintage="PRE_CONSUNTIVO")

    assert cycle.evaluated("X", PRE).vintage == "PRE_CONSUNTIVO"
    assert cycle.evaluated("X", CLOSING).vintage == "CONSUNTIVO"


def test_an_indicator_defined_for_another_year_is_not_read() -> None:
    later = replace(definition("Y", SEVEN), valid_from=dt.date(2024, 1, 1))
    cycle = Cycle().define(definition("X", Percent(Indicator("Y"))), later)

    assert cycle.evaluated("X").missing == Missing(Reason.NOT_DEFINED)
    assert fraction(cycle.evaluated("X", year=2024).exact) == 700
