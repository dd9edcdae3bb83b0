"""Explaining a figure: the tree of inputs, down to records, with definition, targets and acts."""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal

import pytest

from ledger.events.ledger import ActReference
from ledger.formula import Constant, Flow, Indicator, Ratio, Sum, WeightedMean
from projections.cycle.explain import Explanation, Step, explain
from projections.cycle.replay import Replay, replay
from tests.support.cycle import (
    CLOSING,
    PLAN,
    PRE,
    YEAR,
    Cycle,
    definition,
    flow,
    objective,
    result,
    revised,
    target,
    weight,
)
from tests.support.dataset import example_events
from tests.support.given import PLAN_ACT

LATER = dt.date(2024, 9, 1)
REPORT_ACT = ActReference(
    organ="CdA", act_type="resolution", number="30", adopted_on=dt.date(2024, 6, 14)
)


def explained(cycle: Cycle, code: str, as_of: dt.date | None = None) -> Explanation:
    found = explain(cycle.events, code=code, year=YEAR, as_of=as_of)
    assert found is not None
    return found


def leaves(step: Step) -> Iterator[Step]:
    if not step.children:
        yield step
    for child in step.children:
        yield from leaves(child)


def steps(step: Step) -> Iterator[Step]:
    yield step
    for child in step.children:
        yield from steps(child)


@pytest.mark.parametrize("code", ["", "NO", "x", "X ", "1"])
def test_an_unknown_code_is_not_explained(code: str) -> None:
    assert explain(Cycle().define(definition("X")).events, code=code, year=YEAR, as_of=None) is None


def test_an_indicator_is_not_explained_outside_its_years_or_before_it_is_known() -> None:
    ended = definition("X", valid_to=dt.date(2023, 12, 31))
    events = Cycle().define(ended, result("X", "1")).events

    assert explain(events, code="X", year=2024, as_of=None) is None
    assert explain(events, code="X", year=YEAR, as_of=PLAN - dt.timedelta(days=1)) is None
    assert explain(events, code="X", year=YEAR, as_of=PLAN) is not None
    assert explain([], code="X", year=YEAR, as_of=None) is None


@pytest.fixture(scope="module")
def example() -> Sequence[Explanation]:
    """Explain every indicator of the worked example at its closing."""
    codes = [line.code for line in closing().indicators]
    found = [explain(example_events(), code=code, year=YEAR, as_of=CLOSING) for code in codes]
    return [each for each in found if each is not None]


def closing() -> Replay:
    return replay(example_events(), year=YEAR, as_of=CLOSING)


def test_every_leaf_of_the_example_names_a_record_or_says_why_there_is_none(
    example: Sequence[Explanation],
) -> None:
    recordless = {
        (leaf.op, leaf.missing)
        for explanation in example
        for leaf in leaves(explanation.tree)
        if not leaf.records
    }

    assert recordless == {("unpublished", "not_published"), ("unpublished", "weights_unpublished")}


def test_a_step_of_the_example_has_a_value_or_a_reason(example: Sequence[Explanation]) -> None:
    found = [step for explanation in example for step in steps(explanation.tree)]

    assert len(found) > len(example)
    assert all((step.exact is None) == (step.missing is not None) for step in found)


def test_every_record_that_is_shown_is_a_known_record_of_the_ledger(
    example: Sequence[Explanation],
) -> None:
    by_address = {event.address: event for event in example_events()}

    for explanation in example:
        for record in (r for step in steps(explanation.tree) for r in step.records):
            event = by_address[record.address]
            assert record.event_id == event.event_id
            assert record.event_type == event.event.TYPE
            assert record.as_of == event.envelope.as_of <= CLOSING


def test_the_explanations_show_the_lines_of_the_replay(example: Sequence[Explanation]) -> None:
    assert tuple(each.line for each in example) == closing().indicators
    for each in example:
        shown = {record.address for step in steps(each.tree) for record in step.records}
        assert shown | {t.record.address for t in each.targets[-1:]} == set(each.line.sources)
        assert (each.year, each.as_of) == (YEAR, CLOSING)
        assert each.position == example_events()[-1].position


def composed() -> Cycle:
    """Return an index over a ratio of flows and a result, under two acts."""
    cycle = Cycle().define(objective("P"), objective("A", "P"), objective("B", "P"))
    cycle.add(definition("P", WeightedMean()), acts=(PLAN_ACT,))
    cycle.define(
        definition("A", Ratio(Flow("F"), Constant(Decimal(3)))),
        definition("B"),
        weight("P", "A", "75"),
        weight("P", "B", "25"),
    )
    cycle.add(flow("F", "1"), PRE, acts=(REPORT_ACT,))
    cycle.add(result("B", "2"), PRE, acts=(REPORT_ACT, PLAN_ACT))
    return cycle


def test_the_tree_is_that_of_the_formula_with_exact_values() -> None:
    tree = explained(composed(), "P").tree
    a, b = tree.children
    ratio = a.children[0]

    assert (tree.op, tree.exact, tree.code, tree.label) == (
        "weighted_mean",
        "0.75",
        "P",
        "label of P",
    )
    assert [(s.op, s.code, s.weight, s.exact) for s in (a, b)] == [
        ("value", "A", Decimal(75), "1/3"),
        ("value", "B", Decimal(25), "2"),
    ]
    assert [[r.address for r in s.records] for s in (a, b)] == [["7"], ["8"]]
    assert [(s.op, s.exact) for s in ratio.children] == [("flow", "1"), ("constant", "3")]
    assert [r.address for r in ratio.children[0].records] == ["9"]


def test_each_act_is_cited_once_in_order_of_use() -> None:
    found = explained(composed(), "P")

    assert found.acts == (PLAN_ACT, REPORT_ACT)
    assert found.children == ("A", "B")
    assert explained(composed(), "B").acts == (REPORT_ACT, PLAN_ACT)


def test_the_definition_is_named_with_its_record() -> None:
    found = explained(composed(), "P")

    assert found.definition is not None
    assert found.definition_record is not None
    assert found.definition_record.address == found.definition.address == "4"
    assert found.definition_record.event_type == "registro.measurement.IndicatorDefined"


def test_the_history_of_the_target_is_shown_with_causes_as_known_at_the_cut() -> None:
    cycle = Cycle().define(definition("X"), target("X", "10"))
    cycle.add(revised("X", "10", "12"), PRE, acts=(REPORT_ACT,))

    found = explained(cycle, "X")
    assert [(t.target, t.cause, t.record.address) for t in found.targets] == [
        (Decimal(10), None, "2"),
        (Decimal(12), "variation", "3"),
    ]
    assert found.acts == (REPORT_ACT,)
    assert [t.target for t in explained(cycle, "X", PLAN).targets] == [10]


def test_missing_and_signed_steps_say_so() -> None:
    cycle = Cycle().define(definition("X", Sum((("+", Flow("F")), ("-", Indicator("Y"))))))
    cycle.define(flow("F", "5"))
    tree = explained(cycle, "X").tree

    assert (tree.exact, tree.missing) == (None, "child_missing")
    assert [(s.sign, s.exact, s.missing) for s in tree.children] == [
        ("+", "5", None),
        ("-", None, "not_defined"),
    ]
    assert tree.children[1].children[0].records == ()


def test_an_objective_without_definition_is_explained_as_undefined() -> None:
    found = explained(Cycle().define(objective("A", "P")), "A")

    assert (found.definition, found.definition_record) == (None, None)
    assert (found.tree.op, found.tree.missing, found.tree.label) == (
        "undefined",
        "not_defined",
        None,
    )


def test_a_record_line_says_who_and_where_from() -> None:
    record = explained(composed(), "B").tree.records[0]

    assert (record.actor, record.source) == ("DCPCG", "test")
    assert record.as_of == PRE
    assert record.recorded_at.utcoffset() == dt.timedelta(0)


def test_every_place_in_a_document_of_the_example_is_a_place_of_that_document(
    example: Sequence[Explanation],
) -> None:
    tags = {"ra2023": "000", "rp2023": "001"}
    lines = [
        record
        for day in (PRE, CLOSING)
        for explanation in example
        if (found := explain(example_events(), code=explanation.line.code, year=YEAR, as_of=day))
        for step in steps(found.tree)
        for record in (*step.records, *(each.record for each in found.targets))
        if record.document is not None
    ]

    assert {line.document for line in lines} == set(tags)
    for line in lines:
        assert (line.locator or "").startswith(tags[line.document or ""] + ":"), line
        assert line.document_title is not None


def test_the_pre_closing_result_of_the_example_is_read_from_the_pre_closing_document() -> None:
    found = explain(example_events(), code="OGE1", year=YEAR, as_of=PRE)

    assert found is not None
    (record,) = found.tree.records
    assert record.source == "import ra2023 000:230"
    assert record.document_title == "INPS, Relazione attività 2023"


def test_a_correction_without_acts_stands_under_the_acts_of_what_it_corrects() -> None:
    cycle = Cycle().define(definition("X"))
    first = cycle.add(result("X", "1"), CLOSING, acts=(REPORT_ACT,))
    second = cycle.add(result("X", "2"), LATER, supersedes=first)
    cycle.add(result("X", "3"), LATER, supersedes=second)
    found = explained(cycle, "X")

    assert found.acts == (REPORT_ACT,)
    assert [(r.acts, r.corrects) for r in found.tree.records] == [((REPORT_ACT,), second.address)]


def test_a_correction_under_an_act_of_its_own_stands_under_that_act() -> None:
    cycle = Cycle().define(definition("X"))
    first = cycle.add(result("X", "1"), CLOSING, acts=(REPORT_ACT,))
    cycle.add(result("X", "2"), LATER, supersedes=first, acts=(PLAN_ACT,))

    assert explained(cycle, "X").acts == (PLAN_ACT,)


def test_a_correction_of_itself_in_an_altered_ledger_has_no_acts() -> None:
    cycle = Cycle().define(definition("X"))
    wrong = cycle.add(result("X", "1"), CLOSING)
    cycle.events[-1] = replace(
        wrong, envelope=replace(wrong.envelope, supersedes=wrong.event_id, reason="altered")
    )
    cycle.add(result("X", "2"), LATER, supersedes=wrong)

    assert explained(cycle, "X").acts == ()
