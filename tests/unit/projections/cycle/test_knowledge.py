"""What a reader knows of a year on a day: definitions, objectives, targets, results."""

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest

from ledger.errors import FormulaError
from ledger.events.publication import FigurePublished
from ledger.formula import Constant, Recorded
from projections.cycle.knowledge import Knowledge
from tests.support.cycle import (
    CLOSING,
    PLAN,
    PRE,
    Cycle,
    definition,
    flow,
    objective,
    result,
    revised,
    target,
    weight,
)
from tests.support.given import DEC_31, JAN_1

LATER = dt.date(2024, 9, 1)
BEFORE_PLAN = PLAN - dt.timedelta(days=1)
V1 = definition("X", valid_to=DEC_31)
V2 = definition("X", Constant(Decimal(2)), version=2, valid_from=dt.date(2024, 1, 1))


def version(cycle: Cycle, year: int, as_of: dt.date | None = None) -> int | None:
    found = cycle.known(as_of, year=year).definition("X")
    return None if found is None else found.event.version


@pytest.mark.parametrize(("year", "expected"), [(2022, None), (2023, 1), (2024, 2), (2030, 2)])
def test_a_year_is_read_with_the_definition_of_that_year(year: int, expected: int | None) -> None:
    assert version(Cycle().define(V1, V2), year) == expected


def test_a_new_method_does_not_reach_back() -> None:
    cycle = Cycle().define(V1, V2)
    old, new = cycle.known(year=2023).definition("X"), cycle.known(year=2024).definition("X")

    assert old is not None
    assert new is not None
    assert (old.formula, new.formula) == (Recorded(), Constant(Decimal(2)))
    assert (old.address, new.address) == ("1", "2")


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        ((2022, 1, 1), (2022, 12, 31), None),
        ((2022, 1, 1), (2023, 1, 1), 1),
        ((2023, 12, 31), None, 1),
        ((2023, 6, 1), (2023, 6, 30), 1),
        ((2024, 1, 1), None, None),
    ],
)
def test_a_definition_applies_to_a_year_that_it_touches_by_one_day(
    first: tuple[int, int, int], last: tuple[int, int, int] | None, expected: int | None
) -> None:
    event = definition(
        "X",
        valid_from=dt.date(*first),
        valid_to=None if last is None else dt.date(*last),
    )

    assert version(Cycle().define(event), 2023) == expected


def test_the_newest_version_of_a_year_counts_whatever_was_recorded_last() -> None:
    second = definition("X", version=2, valid_from=dt.date(2023, 7, 1))

    assert version(Cycle().define(second, replace(V1, valid_to=None)), 2023) == 2


def test_a_version_known_later_is_not_seen_before() -> None:
    cycle = Cycle().define(V1).define(replace(V2, valid_from=JAN_1), as_of=CLOSING)

    assert version(cycle, 2023, BEFORE_PLAN) is None
    assert version(cycle, 2023, CLOSING - dt.timedelta(days=1)) == 1
    assert version(cycle, 2023, CLOSING) == 2


def test_a_corrected_definition_gives_way() -> None:
    cycle = Cycle()
    wrong = cycle.add(replace(V1, decimals=5))
    cycle.add(V1, CLOSING, supersedes=wrong)

    decimals = [
        found.event.decimals
        for day in (PRE, CLOSING)
        if (found := cycle.known(day).definition("X")) is not None
    ]
    assert decimals == [5, 2]


def test_a_definition_that_cannot_be_read_names_its_indicator() -> None:
    cycle = Cycle().define(replace(V1, formula='{"op":"guess"}'))

    with pytest.raises(FormulaError) as caught:
        cycle.known().definition("X")
    assert caught.value.facts["subject"] == "X"


def test_objectives_come_in_order_of_assignment_then_other_indicators() -> None:
    cycle = Cycle().define(
        definition("Z"), definition("B"), objective("B"), objective("A"), definition("A")
    )

    assert cycle.known().codes == ("B", "A", "Z")


def test_an_objective_needs_no_definition_to_be_listed() -> None:
    assert Cycle().define(objective("A")).known().codes == ("A",)


def test_an_indicator_without_definition_for_the_year_is_not_listed() -> None:
    cycle = Cycle().define(definition("X", valid_from=dt.date(2024, 1, 1)))

    assert cycle.known().codes == ()
    assert cycle.known(year=2024).codes == ("X",)


def test_an_assignment_known_later_does_not_hide_an_indicator_known_now() -> None:
    cycle = Cycle().define(definition("X")).define(objective("X", "P"), as_of=CLOSING)

    assert cycle.known(PLAN).codes == ("X",)
    assert cycle.known(PLAN).parent("X") is None
    assert cycle.known(CLOSING).parent("X") == "P"


def test_what_is_known_later_does_not_order_what_is_known_now() -> None:
    cycle = Cycle()
    cycle.add(definition("B", version=2), CLOSING)
    cycle.add(definition("A"), PLAN)
    cycle.add(definition("B"), PLAN)

    assert cycle.known(PLAN).codes == ("A", "B")


def test_the_parent_is_that_of_the_assignment_before_that_of_the_definition() -> None:
    cycle = Cycle().define(
        definition("X", parent="D"), definition("Y", parent="D"), objective("X", "P")
    )
    known = cycle.known()

    assert (known.parent("X"), known.parent("Y"), known.parent("NO")) == ("P", "D", None)
    assert known.children("P") == ("X",)
    assert known.children("D") == ("Y",)
    assert known.children("X") == ()


def test_children_of_a_level_without_any_weight_do_not_enter_a_mean() -> None:
    cycle = Cycle().define(
        objective("P"),
        objective("A", "P"),
        objective("B", "P"),
        objective("G", "P", level="LGG"),
        weight("P", "A", "60"),
    )

    assert cycle.known().weighted_children("P") == ("A", "B")
    assert cycle.known(BEFORE_PLAN).weighted_children("P") == ()


def test_without_any_weight_every_child_stands_for_the_missing_weights() -> None:
    cycle = Cycle().define(objective("P"), objective("A", "P"), objective("G", "P", level="LGG"))

    assert cycle.known().weighted_children("P") == ("A", "G")


def test_the_weight_set_last_counts_from_the_day_it_is_known() -> None:
    cycle = Cycle().define(weight("P", "A", "60")).define(weight("P", "A", "40"), as_of=PRE)

    weights = [
        None if found is None else found.event.weight
        for found in (cycle.known(day).weight("P", "A") for day in (BEFORE_PLAN, PLAN, PRE, None))
    ]
    assert weights == [None, 60, 40, 40]
    assert cycle.known().weight("Q", "A") is None


def test_revised_targets_keep_their_history() -> None:
    cycle = Cycle().define(target("X", "10"))
    cycle.define(revised("X", "10", "12"), as_of=PRE)
    cycle.define(revised("X", "12", "9"), as_of=CLOSING)

    days = (BEFORE_PLAN, PLAN, PRE, CLOSING, None)
    assert [cycle.known(day).target("X") for day in days] == [None, 10, 12, 9, 9]
    assert [len(cycle.known(day).targets("X")) for day in days] == [0, 1, 2, 3, 3]
    assert [k.recorded.address for k in cycle.known().targets("X")] == ["1", "2", "3"]


def test_a_corrected_target_leaves_the_history() -> None:
    cycle = Cycle()
    wrong = cycle.add(target("X", "10"))
    cycle.add(target("X", "11"), PRE, supersedes=wrong)

    assert cycle.known(PLAN).target("X") == 10
    assert cycle.known(PRE).target("X") == 11
    assert len(cycle.known(PRE).targets("X")) == 1


@pytest.mark.parametrize("closing_first", [False, True])
def test_the_result_of_the_latest_stage_counts_in_any_order_of_import(
    closing_first: bool,  # noqa: FBT001 - pytest hands parameters over by name
) -> None:
    stages = [("116.58", PRE), ("122.79", CLOSING)]
    cycle = Cycle()
    for value, day in reversed(stages) if closing_first else stages:
        cycle.add(result("OGE3", value), day)

    values = [
        None if found is None else found.event.value
        for found in (cycle.known(day).result("OGE3") for day in (PLAN, PRE, CLOSING, None))
    ]
    assert values == [None, Decimal("116.58"), Decimal("122.79"), Decimal("122.79")]


@pytest.mark.parametrize(
    ("first", "second", "counts"),
    [
        (("CONSUNTIVO", CLOSING), (None, LATER), "1"),
        (("CONSUNTIVO", CLOSING), ("ASSESTATO", LATER), "1"),
        (("CONSUNTIVO", CLOSING), ("PRE_CONSUNTIVO", LATER), "1"),
        (("RENDICONTO", PRE), ("CONSUNTIVO", CLOSING), "1"),
        (("CONSUNTIVO", CLOSING), ("RENDICONTO", CLOSING), "2"),
        (("CONSUNTIVO", CLOSING), ("CONSUNTIVO", LATER), "2"),
        ((None, CLOSING), ("ASSESTATO", LATER), "2"),
        ((None, LATER), ("ASSESTATO", CLOSING), "1"),
        ((None, LATER), ("PRE_CONSUNTIVO", PRE), "2"),
    ],
)
def test_the_stage_decides_before_the_day_of_knowledge(
    first: tuple[str | None, dt.date], second: tuple[str | None, dt.date], counts: str
) -> None:
    cycle = Cycle()
    for value, (vintage, day) in (("1", first), ("2", second)):
        cycle.add(result("X", value), day, vintage=vintage)
        cycle.add(flow("A", value), day, vintage=vintage)
    found, amount = cycle.known().result("X"), cycle.known().flow("A")

    assert found is not None
    assert amount is not None
    assert (found.event.value, amount.event.amount) == (Decimal(counts), Decimal(counts))


def test_a_later_stage_is_not_seen_before_it_is_known() -> None:
    cycle = Cycle()
    cycle.add(result("X", "1"), PRE, vintage="PRE_CONSUNTIVO")
    cycle.add(result("X", "2"), CLOSING, vintage="CONSUNTIVO")
    found = cycle.known(PRE).result("X")

    assert found is not None
    assert found.event.value == 1


def test_of_two_results_known_on_one_day_the_one_recorded_later_counts() -> None:
    cycle = Cycle().define(result("X", "1"), result("X", "2"), flow("N", "1"), flow("N", "2"))
    known = cycle.known()
    found, amount = known.result("X"), known.flow("N")

    assert found is not None
    assert amount is not None
    assert found.event.value == amount.event.amount == 2


@pytest.mark.parametrize(
    "ref",
    [
        None,
        (JAN_1, dt.date(2023, 6, 30)),
        (dt.date(2023, 1, 2), DEC_31),
        (dt.date(2022, 1, 1), DEC_31),
        (JAN_1, dt.date(2024, 12, 31)),
    ],
)
def test_only_the_whole_year_enters_its_figures(ref: tuple[dt.date, dt.date] | None) -> None:
    cycle = Cycle()
    cycle.add(result("X", "1"))
    cycle.add(result("X", "2"), PRE, ref=ref)
    cycle.add(flow("N", "2"), PRE, ref=ref)
    found = cycle.known().result("X")

    assert found is not None
    assert found.event.value == 1
    assert cycle.known().flow("N") is None


def test_results_of_a_unit_stand_beside_those_of_the_whole_body() -> None:
    cycle = Cycle().define(
        result("X", "1"),
        result("X", "2", unit_code="DC1"),
        replace(target("X", "9"), unit_code="DC1"),
    )
    whole = cycle.known()
    unit = Knowledge(facts=cycle.facts(), year=2023, as_of=None, unit_code="DC1")
    values = [k.event.value for k in (whole.result("X"), unit.result("X")) if k is not None]

    assert values == [1, 2]
    assert whole.target("X") is None
    assert unit.target("X") == 9


def test_a_corrected_result_gives_way_to_its_correction() -> None:
    cycle = Cycle()
    wrong = cycle.add(result("X", "1"), PRE)
    cycle.add(result("X", "2"), CLOSING, supersedes=wrong)

    values = [
        found.event.value
        for day in (PRE, CLOSING)
        if (found := cycle.known(day).result("X")) is not None
    ]
    assert values == [1, 2]


def test_the_printed_value_is_the_latest_of_the_year() -> None:
    figure = FigurePublished(
        figure_id="rp.x",
        document_id="rp",
        label="X",
        raw="7",
        value=Decimal(7),
        measure_unit="percent",
        decimals=0,
        indicator_code="X",
        aspect="value",
    )
    cycle = Cycle()
    cycle.add(figure, PRE)
    cycle.add(replace(figure, value=Decimal(8)), CLOSING)
    cycle.add(
        replace(figure, value=Decimal(6)),
        CLOSING,
        ref=(dt.date(2022, 1, 1), dt.date(2022, 12, 31)),
    )

    printed = [
        None if found is None else found.event.value
        for found in (cycle.known(day).printed("X") for day in (PLAN, PRE, CLOSING))
    ]
    assert printed == [None, 7, 8]
