"""Folding: histories keep everything; a cut and corrections decide what stands."""

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest

from ledger.events.acts import ActAdopted
from ledger.events.base import Event
from ledger.events.ledger import BodyAssigned, LedgerOpened
from ledger.events.measurement import IndicatorMethodChanged
from ledger.events.organisation import UnitEstablished
from ledger.events.planning import GuidelineAdopted, GuidelineStatusReported
from ledger.events.publication import DocumentPublished, FigurePublished
from ledger.events.results import FlowNodeDefined, PeriodOpened, ResultRecorded
from projections.cycle.facts import CycleFacts, Known, YearFacts, fold, target_value
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
from tests.support.given import DEC_31, JAN_1, act_adopted

OPENED = LedgerOpened(
    ledger_id="l",
    origin="o",
    body=None,
    sandbox=True,
    language="it",
    currency="EUR",
    timezone="Europe/Rome",
)
FIGURE = FigurePublished(
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


def standing(cycle: Cycle, as_of: dt.date | None) -> list[Decimal | None]:
    facts = cycle.facts()
    history: list[Known[ResultRecorded]] = facts.year(2023).results.get(("X", None), [])
    return [known.event.value for known in facts.valid(history, as_of=as_of)]


def test_nothing_gives_empty_facts() -> None:
    facts = fold([])

    assert facts == CycleFacts()
    assert facts.position == 0
    assert facts.year(2023) == YearFacts()


def test_the_position_moves_with_events_of_other_contexts() -> None:
    cycle = Cycle().define(
        UnitEstablished(unit_code="DG", unit_type="DG", name="Direzione", valid_from=JAN_1)
    )
    facts = cycle.facts()

    assert facts.position == 1
    assert replace(facts, position=0) == CycleFacts()


def test_the_body_is_known_once_it_is_assigned() -> None:
    cycle = Cycle().define(OPENED)
    assert (cycle.facts().body, cycle.facts().sandbox) == (None, True)

    cycle.define(BodyAssigned(body="INPS"))

    assert (cycle.facts().body, cycle.facts().sandbox) == ("INPS", True)


@pytest.mark.parametrize(
    ("event", "history", "key"),
    [
        (objective("X"), "objectives", "X"),
        (weight("P", "X", "30"), "weights", ("P", "X")),
        (target("X", "5"), "targets", ("X", None)),
        (revised("X", "5", "6"), "targets", ("X", None)),
        (replace(target("X", "5"), unit_code="DG"), "targets", ("X", "DG")),
        (result("X", "5"), "results", ("X", None)),
        (result("X", "5", unit_code="DG"), "results", ("X", "DG")),
        (flow("A", "5"), "flows", ("A", None)),
        (FlowNodeDefined(year=2023, node_code="A", label="A", sign="+"), "flow_nodes", "A"),
        (
            GuidelineAdopted(year=2023, code="1.1", title="T", guideline_class="SP"),
            "guidelines",
            "1.1",
        ),
        (GuidelineStatusReported(year=2023, code="1.1"), "statuses", "1.1"),
    ],
)
def test_an_event_enters_the_history_of_its_year_and_slot(
    event: Event, history: str, key: object
) -> None:
    facts = Cycle().define(event).facts()

    assert [known.event for known in getattr(facts.year(2023), history)[key]] == [event]
    assert facts.year(2022) == facts.year(2024) == YearFacts()


def test_periods_are_kept_in_order() -> None:
    first = PeriodOpened(year=2023, period_from=JAN_1, period_to=dt.date(2023, 6, 30))
    second = replace(first, period_from=dt.date(2023, 7, 1), period_to=DEC_31)
    facts = Cycle().define(first, second).facts()

    assert [known.event for known in facts.year(2023).periods] == [first, second]


def test_definitions_acts_documents_and_figures_belong_to_no_year() -> None:
    change = IndicatorMethodChanged(
        indicator_code="X", from_version=1, to_version=2, break_in_series=True, comparability="none"
    )
    document = DocumentPublished(document_id="rp", title="R", published_on=CLOSING)
    act: ActAdopted = act_adopted()
    facts = Cycle().define(definition("X"), change, document, act, FIGURE).facts()

    assert facts.years == {}
    assert [known.event for known in facts.definitions["X"]] == [definition("X")]
    assert [known.event for known in facts.method_changes["X"]] == [change]
    assert facts.documents["rp"].event == document
    assert facts.acts[act.act_key].event == act
    assert [known.event for known in facts.figures["rp.x"]] == [FIGURE]
    assert [known.event for known in facts.printed["X"]] == [FIGURE]


@pytest.mark.parametrize(
    "figure",
    [
        replace(FIGURE, indicator_code=None),
        replace(FIGURE, aspect="target"),
        replace(FIGURE, aspect="achievement"),
        replace(FIGURE, aspect=None),
    ],
)
def test_only_a_printed_value_of_an_indicator_stands_beside_it(figure: FigurePublished) -> None:
    facts = Cycle().define(figure).facts()

    assert facts.printed == {}
    assert set(facts.figures) == {"rp.x"}


@pytest.mark.parametrize(
    ("as_of", "expected"),
    [
        (PRE - dt.timedelta(days=1), []),
        (PRE, [1]),
        (CLOSING - dt.timedelta(days=1), [1]),
        (CLOSING, [1, 2]),
        (None, [1, 2]),
    ],
)
def test_the_day_of_the_cut_is_included(as_of: dt.date | None, expected: list[int]) -> None:
    cycle = Cycle()
    cycle.add(result("X", "1"), PRE)
    cycle.add(result("X", "2"), CLOSING)

    assert standing(cycle, as_of) == expected


def test_knowledge_orders_before_the_ledger_does() -> None:
    cycle = Cycle()
    cycle.add(result("X", "3"), CLOSING)
    cycle.add(result("X", "1"), PRE)
    cycle.add(result("X", "4"), CLOSING)
    cycle.add(result("X", "2"), PRE)

    assert standing(cycle, None) == [1, 2, 3, 4]


def test_a_correction_counts_from_the_day_it_is_known() -> None:
    cycle = Cycle()
    wrong = cycle.add(result("X", "1"), PRE)
    cycle.add(result("X", "2"), CLOSING, supersedes=wrong)

    assert standing(cycle, CLOSING - dt.timedelta(days=1)) == [1]
    assert standing(cycle, CLOSING) == [2]
    assert standing(cycle, None) == [2]


def test_a_correction_known_on_the_same_day_replaces_at_once() -> None:
    cycle = Cycle()
    wrong = cycle.add(result("X", "1"), PRE)
    cycle.add(result("X", "2"), PRE, supersedes=wrong)

    assert standing(cycle, PRE) == [2]


def test_what_a_corrected_correction_replaced_does_not_come_back() -> None:
    cycle = Cycle()
    first = cycle.add(result("X", "1"), PLAN)
    second = cycle.add(result("X", "2"), PRE, supersedes=first)
    cycle.add(result("X", "3"), CLOSING, supersedes=second)

    assert standing(cycle, PRE) == [2]
    assert standing(cycle, CLOSING) == [3]


@pytest.mark.parametrize("days", [(PRE, CLOSING), (CLOSING, PRE)])
def test_an_event_corrected_twice_is_gone_from_the_first_correction_on(
    days: tuple[dt.date, dt.date],
) -> None:
    cycle = Cycle()
    wrong = cycle.add(result("X", "1"), PLAN)
    for value, day in enumerate(days, start=2):
        cycle.add(result("X", str(value)), day, supersedes=wrong)

    assert Decimal(1) not in standing(cycle, PRE)
    assert standing(cycle, PLAN) == [1]


def test_a_correction_touches_only_the_event_it_names() -> None:
    cycle = Cycle()
    cycle.add(result("X", "1"), PLAN)
    wrong = cycle.add(result("X", "2"), PLAN)
    cycle.add(result("X", "3"), PLAN)
    cycle.add(result("X", "4"), PRE, supersedes=wrong)

    assert standing(cycle, None) == [1, 3, 4]


def test_a_revised_target_puts_the_new_one_in_force() -> None:
    assert target_value(target("X", "5")) == 5
    assert target_value(revised("X", "5", "6")) == 6
