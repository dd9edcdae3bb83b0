"""A computed value beside the figure that was printed: compared only where it must agree."""

import datetime as dt
from decimal import Decimal

import pytest

from ledger.events.publication import FigurePublished
from ledger.formula import ChildrenMean, Percent, Recorded
from projections.cycle.replay import IndicatorLine
from tests.support.cycle import CLOSING, PLAN, PRE, Cycle, definition, objective, result
from tests.support.dataset import example_events

AFTER = dt.date(2024, 9, 1)


def figure(code: str, value: str | None, *, decimals: int = 2) -> FigurePublished:
    """Return a total that a document printed."""
    return FigurePublished(
        figure_id=f"doc.{code}",
        document_id="doc",
        label=code,
        raw="",
        value=None if value is None else Decimal(value),
        measure_unit="index",
        decimals=decimals,
        indicator_code=code,
        aspect="value",
    )


def mean(*results: str) -> Cycle:
    """Return a parent P, the plain mean of children with results known at the closing."""
    cycle = Cycle().define(objective("P"), definition("P", ChildrenMean()))
    for number, value in enumerate(results):
        code = f"C{number}"
        cycle.define(objective(code, "P"), definition(code))
        cycle.add(result(code, value), CLOSING, vintage="CONSUNTIVO")
    return cycle


def line(cycle: Cycle, code: str = "P", as_of: dt.date | None = None) -> IndicatorLine:
    found = cycle.replayed(as_of).line(code)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("printed", "decimals", "agrees"),
    [
        ("1.67", 2, True),
        ("1.7", 1, True),
        ("2", 0, True),
        ("1.66", 2, False),
        ("1.6", 1, False),
        ("1.670", 3, False),
    ],
)
def test_the_value_is_compared_with_the_decimals_that_were_printed(
    printed: str, decimals: int, *, agrees: bool
) -> None:
    cycle = mean("1", "2", "2")
    cycle.add(figure("P", printed, decimals=decimals), CLOSING)

    assert (line(cycle).printed, line(cycle).agrees) == (Decimal(printed), agrees)


def test_a_figure_printed_before_an_input_was_known_is_not_compared() -> None:
    cycle = mean("1", "2")
    cycle.add(figure("P", "9"), PRE)

    assert line(cycle).published == 9
    assert (line(cycle).printed, line(cycle).agrees) == (None, None)


def test_a_figure_printed_after_every_input_is_compared() -> None:
    cycle = mean("1", "2")
    cycle.add(figure("P", "1.5", decimals=1), AFTER)

    assert line(cycle).agrees is True
    assert line(cycle, as_of=CLOSING).printed is None


def test_a_value_that_is_missing_neither_agrees_nor_differs() -> None:
    cycle = mean("1").define(objective("LOST", "P"), definition("LOST"))
    cycle.add(figure("P", "1"), CLOSING)

    assert line(cycle).value_missing == "child_missing"
    assert (line(cycle).printed, line(cycle).agrees) == (1, None)


def test_a_printed_figure_without_value_is_nothing_to_compare_with() -> None:
    cycle = mean("1")
    cycle.add(figure("P", None), CLOSING)

    assert (line(cycle).printed, line(cycle).agrees) == (None, None)


def test_a_result_recorded_for_a_computed_value_is_compared_with_it() -> None:
    cycle = mean("1", "2")
    cycle.add(result("P", "1.49"), CLOSING, vintage="CONSUNTIVO")

    assert line(cycle).value == Decimal("1.50")
    assert (line(cycle).printed, line(cycle).agrees) == (Decimal("1.49"), False)


def test_a_result_that_the_formula_reads_is_not_compared_with_itself() -> None:
    cycle = Cycle().define(definition("X", Percent(Recorded())))
    cycle.add(result("X", "0.5"), CLOSING)

    assert line(cycle, "X").value == 50
    assert line(cycle, "X").printed is None


def test_of_a_printed_figure_and_a_result_the_one_known_last_counts() -> None:
    cycle = mean("1", "2")
    cycle.add(figure("P", "1.50"), CLOSING)
    cycle.add(result("P", "3"), AFTER)

    assert line(cycle, as_of=CLOSING).agrees is True
    assert line(cycle).agrees is False


def test_an_input_known_after_the_figure_was_printed_ends_the_comparison() -> None:
    cycle = mean("1", "2")
    cycle.add(figure("P", "9"), CLOSING)
    other = Cycle(events=list(cycle.events))
    other.add(result("C0", "1"), AFTER, vintage="RENDICONTO")

    assert line(cycle).agrees is False
    assert line(other).agrees is None


@pytest.mark.parametrize(
    ("day", "compared"),
    [
        (PLAN, {}),
        (PRE, {"PS": True}),
        (CLOSING, {"IEG": True, "PS": True, "SR": True}),
    ],
)
def test_the_computed_figures_of_the_example_agree_with_those_printed_on_the_day(
    day: dt.date, compared: dict[str, bool]
) -> None:
    lines = Cycle(events=list(example_events())).replayed(day).indicators

    assert {each.code: each.agrees for each in lines if each.agrees is not None} == compared
