"""Indicators of hand-made facts: every formula, scopes, the tree, variants and missing values."""

import datetime as dt
from decimal import Decimal
from fractions import Fraction

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.errors import UnknownEntityError
from ledger.events.base import Event
from ledger.events.organisation import UnitClosed
from projections.production.cube import empty
from projections.production.indicators import (
    BODY,
    Breakdown,
    ProductionIndicator,
    indicators,
)
from projections.production.periods import Period
from projections.production.reference import Reference
from tests.unit.projections.production.test_measures import (
    Fields,
    cube_of,
    defined,
    presence,
    received,
    stock,
)
from tests.unit.projections.production.test_reference import (
    JUL_1,
    JUN_30,
    calendars,
    clustered,
    coefficient,
    moved,
    node,
    product,
    reference,
    unit,
)

YEAR = Period.parse("2023")
MAY = Period.parse("2023-05")

EVENTS: tuple[Event, ...] = (
    unit("DG"),
    unit("R1", "DG"),
    unit("R2", "DG"),
    unit("U1", "R1"),
    unit("U2", "R2"),
    product("P1", area="A1", line="prestazioni"),
    product("P2", area="A2", line="flussi"),
    product("P3", area="A2", line="none"),
    coefficient("P1", "1.5"),
    coefficient("P2", "0.333"),
    coefficient("P3", "2"),
    clustered("R1", "large"),
    *calendars(2023, (21, 20, 23, 18, 22, 21, 21, 22, 21, 22, 21, 19)),
)


def table(
    cube: pl.DataFrame,
    *,
    by: Breakdown = "body",
    period: Period = MAY,
    about: Reference | None = None,
    below: str | None = None,
) -> dict[tuple[str, str], ProductionIndicator]:
    """Return indicators by scope and code."""
    found = indicators(cube, about or reference(*EVENTS), period, by=by, below=below)
    assert len({(one.scope, one.code) for one in found}) == len(found)
    return {(one.scope, one.code): one for one in found}


def values(
    cube: pl.DataFrame, code: str, *, by: Breakdown = "body", period: Period = MAY
) -> dict[str, Decimal | None]:
    """Return the values of one indicator by scope."""
    return {
        scope: one.value
        for (scope, of_code), one in table(cube, by=by, period=period).items()
        if of_code == code
    }


def money(node_code: str, amount: int, unit_code: str = "U1") -> tuple[str, Fields]:
    return "FlowRecorded", {
        "node": node_code,
        "unit": unit_code,
        "accounted_on": dt.date(2023, 5, 2),
        "amount": amount,
    }


def quality(unit_code: str, area: str, value: int, budget: int) -> tuple[str, Fields]:
    return "QualityMeasured", {
        "unit": unit_code,
        "area": area,
        "measured_on": dt.date(2023, 5, 31),
        "value": value,
        "budget": budget,
    }


def survey(phase: str, mean: int, answers: int) -> tuple[str, Fields]:
    return "SurveyAggregated", {
        "phase": phase,
        "channel": "mail",
        "closed_on": dt.date(2023, 5, 31),
        "mean": mean,
        "answers": answers,
    }


WORK = cube_of(
    received("U1", "P1", "2023-05-02", 10),
    received("U2", "P2", "2023-05-03", 20),
    received("U2", "P3", "2023-05-03", 5),
    defined("U1", "P1", "2023-05-10", 8, automated=True, elapsed_days=15),
    defined("U2", "P2", "2023-05-11", 30, elapsed_days=61),
    defined("U2", "P3", "2023-05-11", 4, elapsed_days=200),
    stock("StockCounted", "U1", "P1", "2023-04-30", 6),
    stock("StockCounted", "U2", "P2", "2023-04-30", 40),
    stock("StockCounted", "U2", "P3", "2023-04-30", 0),
    stock("StockCounted", "U1", "P1", "2023-05-31", 8),
    stock("StockCounted", "U2", "P2", "2023-05-31", 30),
    stock("StockCounted", "U2", "P3", "2023-05-31", 1),
    presence("U1", "2023-05", 1500),
    presence("U1", "2023-05", 9000, workable=False),
    presence("U2", "2023-05", 2500),
)
"""Three products of two units in May; output is 8*1.5 + 30*0.333 + 4*2 = 29.99."""


@pytest.mark.parametrize(
    ("code", "value", "numerator", "denominator"),
    [
        ("received", "35", 35, 1),
        ("defined", "42", 42, 1),
        ("closing_stock", "39", 39, 1),
        ("homogenised_output", "29.99", "29.99", 1),
        ("productivity", "7.50", "29.99", 4),
        ("outflow", "1.20", 42, 35),
        ("outflow.prestazioni", "0.80", 8, 10),
        ("outflow.flussi", "1.50", 30, 20),
        ("backlog_days_a", "29", 39 * 31, 42),
        ("backlog_days_b", "15", 39 * 31, 46 + 35),
        # Stock 8*1.5 + 30*0.333 + 1*2 = 23.99; 22 working days.
        ("backlog_days_c", "18", Fraction("23.99") * 22, "29.99"),
        ("automated_share", "19.05", 800, 42),
        ("within_15_share", "19.05", 800, 42),
        ("within_60_share", "19.05", 800, 42),
        ("within_90_share", "90.48", 3800, 42),
        ("within_120_share", "90.48", 3800, 42),
        ("mean_days", "65.48", 8 * 15 + 30 * 61 + 4 * 200, 42),
    ],
)
def test_the_formulas_over_the_whole_body(
    code: str, value: str, numerator: int | str | Fraction, denominator: int | str
) -> None:
    found = table(WORK)[BODY, code]

    assert str(found.value) == value
    assert found.numerator == Fraction(numerator)
    assert found.denominator == Fraction(denominator)
    assert found.reason is None
    assert found.decimals == max(0, -int(Decimal(value).as_tuple().exponent))


def test_the_line_none_has_no_outflow_of_its_own() -> None:
    assert (BODY, "outflow.none") not in table(WORK)


@pytest.mark.parametrize(
    ("by", "code", "expected"),
    [
        ("area", "outflow", {"A1": "0.80", "A2": "1.36"}),
        ("line", "outflow", {"flussi": "1.50", "none": "0.80", "prestazioni": "0.80"}),
        ("product", "homogenised_output", {"P1": "12.00", "P2": "9.99", "P3": "8.00"}),
        (
            "unit",
            "homogenised_output",
            {"DG": "29.99", "R1": "12.00", "R2": "17.99", "U1": "12.00", "U2": "17.99"},
        ),
        (
            "unit",
            "productivity",
            {"DG": "7.50", "R1": "8.00", "R2": "7.20", "U1": "8.00", "U2": "7.20"},
        ),
        ("cluster", "outflow", {"": "1.36", "large": "0.80"}),
        ("area", "backlog_days_a", {"A1": "31", "A2": "28"}),
    ],
)
def test_scopes(by: Breakdown, code: str, expected: dict[str, str]) -> None:
    assert values(WORK, code, by=by) == {scope: Decimal(one) for scope, one in expected.items()}


@pytest.mark.parametrize("by", ["area", "line", "product"])
def test_presence_is_of_no_product(by: Breakdown) -> None:
    assert values(WORK, "productivity", by=by) == {}


def test_the_variants_of_backlog_differ() -> None:
    found = table(WORK)

    assert len({found[BODY, f"backlog_days_{one}"].value for one in "abc"}) == 3


def test_settlements_count_for_who_settled_and_stocks_for_who_was_routed_to() -> None:
    cube = cube_of(
        received("U1", "P1", "2023-05-02", 10),
        received("U2", "P1", "2023-05-02", 10),
        defined("U1", "P1", "2023-05-10", 10, defining_unit="U2"),
        stock("StockCounted", "U1", "P1", "2023-05-31", 20),
    )

    assert values(cube, "outflow", by="unit")["U1"] == 0
    assert values(cube, "outflow", by="unit")["U2"] == 1
    assert values(cube, "backlog_days_a", by="unit")["U1"] == 62
    assert values(cube, "backlog_days_a", by="unit")["U2"] is None


def test_a_unit_that_moves_counts_where_it_is_on_the_last_day() -> None:
    about = reference(*EVENTS, moved("U1", "R2", JUL_1))
    cube = cube_of(
        defined("U1", "P1", "2023-05-10", 8),
        defined("U2", "P1", "2023-08-10", 1),
    )

    before = table(cube, by="unit", period=Period.parse("2023-Q2"), about=about)
    year = table(cube, by="unit", period=YEAR, about=about)

    assert before["R1", "defined"].value == 8
    assert ("R2", "defined") not in before
    assert ("R1", "defined") not in year
    assert year["R2", "defined"].value == 9


def test_a_unit_that_ended_still_counts_above() -> None:
    about = reference(*EVENTS, UnitClosed(unit_code="U1", valid_to=JUN_30))
    cube = cube_of(defined("U1", "P1", "2023-05-10", 8))

    assert table(cube, by="unit", period=YEAR, about=about)["R1", "defined"].value == 8


def test_a_unit_without_events_counts_for_itself_and_the_body() -> None:
    cube = cube_of(defined("X", "P1", "2023-05-10", 8))

    assert values(cube, "defined", by="unit") == {"X": 8}
    assert values(cube, "defined") == {BODY: 8}
    assert values(cube, "defined", by="cluster") == {"": 8}


@pytest.mark.parametrize(
    ("by", "scopes"),
    [
        ("body", {""}),
        ("unit", {"R2", "U2"}),
        ("area", {"A2"}),
        ("product", {"P2", "P3"}),
        ("cluster", {""}),
    ],
)
def test_facts_are_narrowed_to_a_unit_and_those_below(by: Breakdown, scopes: set[str]) -> None:
    found = table(WORK, by=by, below="R2")

    assert {scope for scope, _ in found} == scopes
    assert sum(one.value or 0 for (_, code), one in found.items() if code == "defined") == (
        68 if by == "unit" else 34
    )


def test_refuses_an_unknown_unit() -> None:
    with pytest.raises(UnknownEntityError):
        indicators(WORK, reference(*EVENTS), MAY, by="body", below="nowhere")


def test_the_coefficient_of_each_month_weighs_its_pieces() -> None:
    about = reference(product("P1"), coefficient("P1", "1"), coefficient("P1", "3", JUL_1))
    cube = cube_of(
        defined("U1", "P1", "2023-06-30", 10),
        defined("U1", "P1", "2023-07-01", 10),
    )

    assert table(cube, period=YEAR, about=about)[BODY, "homogenised_output"].value == 40


def test_an_unknown_coefficient_makes_the_weighted_sums_missing() -> None:
    cube = cube_of(
        defined("U1", "P1", "2023-05-10", 8),
        defined("U2", "P9", "2023-05-10", 1),
        defined("U2", "P8", "2023-05-10", 1),
        presence("U1", "2023-05", 1000),
    )

    found = table(cube)

    for code in ("homogenised_output", "productivity"):
        assert found[BODY, code].value is None
        assert found[BODY, code].numerator is None
        assert found[BODY, code].reason == "child_missing"
        assert found[BODY, code].details == ("coefficient P8", "coefficient P9")
    assert found[BODY, "defined"].value == 10
    assert table(cube, by="unit")["R1", "productivity"].value == 12


def test_a_coefficient_that_begins_later_weighs_nothing_before() -> None:
    about = reference(coefficient("P1", "1", dt.date(2023, 5, 2)))

    found = table(cube_of(defined("U1", "P1", "2023-05-10", 8)), about=about)

    assert found[BODY, "homogenised_output"].reason == "child_missing"


def test_a_product_taken_back_needs_no_coefficient() -> None:
    cube = cube_of(
        defined("U1", "P1", "2023-05-10", 8),
        defined("U2", "P9", "2023-05-10", 1),
        defined("U2", "P9", "2023-05-10", 1, reversal=True),
    )

    assert values(cube, "homogenised_output") == {BODY: 12}


def test_an_empty_stock_needs_no_coefficient() -> None:
    cube = cube_of(
        defined("U1", "P1", "2023-05-10", 8),
        stock("StockCounted", "U1", "P1", "2023-05-31", 16),
        stock("StockCounted", "U1", "P9", "2023-05-31", 0),
    )

    assert values(cube, "backlog_days_c") == {BODY: 44}


@pytest.mark.parametrize(
    ("code", "details"),
    [
        ("received", ("RequestReceived",)),
        ("homogenised_output", ("RequestDefined",)),
        ("productivity", ("RequestDefined",)),
        ("outflow", ("RequestDefined",)),
        ("backlog_days_a", ("StockCounted",)),
        ("backlog_days_b", ("StockCounted",)),
        ("backlog_days_c", ("StockCounted",)),
        ("quality", ("QualityMeasured",)),
        ("survey_mean", ("SurveyAggregated",)),
        ("running_cost", ("RunningCostRecorded",)),
    ],
)
def test_nothing_recorded_is_missing_and_not_zero(code: str, details: tuple[str, ...]) -> None:
    found = table(empty())[BODY, code]

    assert found.value is None
    assert (found.reason, found.details) == ("not_recorded", details)


def test_what_was_recorded_elsewhere_is_zero_here() -> None:
    cube = cube_of(
        received("U1", "P1", "2023-05-02", 10),
        received("U2", "P1", "2023-05-02", 10),
        defined("U2", "P1", "2023-05-10", 5),
    )

    assert values(cube, "outflow", by="unit")["U1"] == 0


@pytest.mark.parametrize("code", ["outflow", "productivity"])
def test_a_denominator_of_zero_is_a_reason(code: str) -> None:
    cube = cube_of(
        defined("U1", "P1", "2023-05-10", 5),
        received("U2", "P1", "2023-05-02", 10),
        presence("U2", "2023-05", 1000),
    )

    found = table(cube, by="unit")["U1", code]

    assert found.value is None
    assert found.reason == "division_by_zero"
    assert found.denominator == 0


def test_variant_b_needs_the_opening_and_a_no_more_than_flows() -> None:
    cube = cube_of(
        received("U1", "P1", "2023-05-02", 10),
        defined("U1", "P1", "2023-05-10", 10),
        stock("StockCounted", "U1", "P1", "2023-05-31", 10),
    )

    found = table(cube)

    assert found[BODY, "backlog_days_a"].value == 31
    assert found[BODY, "backlog_days_b"].details == ("Opening",)


def test_variant_c_needs_every_calendar_of_the_period() -> None:
    about = reference(product("P1"), coefficient("P1", "1"), *calendars(2023, (21, 20, 23, 18)))
    cube = cube_of(
        defined("U1", "P1", "2023-05-10", 10),
        stock("StockCounted", "U1", "P1", "2023-06-30", 10),
    )

    found = table(cube, period=Period.parse("2023-Q2"), about=about)[BODY, "backlog_days_c"]

    assert found.value is None
    assert found.details == ("calendar 202305", "calendar 202306")


def test_quality_is_the_mean_of_the_indices_and_deviates_from_the_budget() -> None:
    cube = cube_of(
        quality("U1", "A1", 9720, 9940),
        quality("U2", "A1", 9720, 9940),
        quality("U2", "A2", 50, 100),
    )

    assert values(cube, "quality", by="area") == {"A1": Decimal("97.20"), "A2": Decimal("0.50")}
    assert values(cube, "quality_deviation", by="area") == {
        "A1": Decimal("-2.21"),
        "A2": Decimal("-50.00"),
    }
    assert values(cube, "quality") == {BODY: Decimal("64.97")}


def test_a_survey_is_weighted_by_its_answers() -> None:
    cube = cube_of(survey("search", 4330, 3), survey("contact", 3540, 1))

    found = table(cube)

    assert found[BODY, "survey_mean"].value == Decimal("4.13")
    assert found[BODY, "survey_mean.search/mail"].value == Decimal("4.33")
    assert found[BODY, "survey_mean.contact/mail"].value == Decimal("3.54")


def test_running_cost_is_in_euro() -> None:
    row: Fields = {
        "unit": "U1",
        "nature": "rent",
        "accounted_on": dt.date(2023, 5, 5),
        "amount": 12345,
    }

    assert values(cube_of(("RunningCostRecorded", row)), "running_cost") == {
        BODY: Decimal("123.45")
    }


FLOWS = reference(
    *EVENTS, node("TOP"), node("N1", "TOP"), node("N2", "TOP", "-"), node("N3", "TOP")
)


def test_a_parent_is_rounded_from_cents_and_not_from_rounded_leaves() -> None:
    cube = cube_of(money("N1", 150), money("N2", 149), money("N3", 149), money("N3", 100, "U2"))

    found = table(cube, about=FLOWS)

    assert found[BODY, "flow.N1"].value == 2
    assert found[BODY, "flow.N2"].value == 1
    assert found[BODY, "flow.N3"].value == 2
    assert found[BODY, "flow.TOP"].value == 3
    assert found[BODY, "flow.TOP"].numerator == Fraction("2.50")


def cost(amount: int, unit_code: str = "U1") -> tuple[str, Fields]:
    row = {"unit": unit_code, "nature": "rent", "amount": amount}
    return "RunningCostRecorded", {**row, "accounted_on": dt.date(2023, 5, 31)}


def test_profitability_is_the_flow_of_a_top_node_over_the_running_cost() -> None:
    flows = (money("N1", 700), money("N2", 100), money("N3", 0))

    found = table(cube_of(*flows, cost(200), cost(100, "U2")), about=FLOWS)

    assert found[BODY, "profitability.TOP"].numerator == found[BODY, "flow.TOP"].numerator
    assert found[BODY, "profitability.TOP"].denominator == Fraction(3)
    assert (BODY, "profitability.N1") not in found


def test_profitability_without_a_cost_is_missing() -> None:
    found = table(cube_of(money("N1", 700), money("N2", 100), money("N3", 0)), about=FLOWS)

    assert found[BODY, "profitability.TOP"].details == ("RunningCostRecorded",)


def test_a_point_costs_the_running_cost_over_the_output() -> None:
    cube = cube_of(defined("U1", "P1", "2023-05-02", 2), cost(1500))

    found = table(cube)[BODY, "cost_per_point"]

    assert found.numerator == Fraction(15)
    assert found.denominator == table(cube)[BODY, "homogenised_output"].numerator


def test_a_leaf_recorded_in_one_unit_is_zero_in_another() -> None:
    cube = cube_of(money("N1", 500), money("N2", 200, "U2"), money("N3", 100))

    found = table(cube, by="unit", about=FLOWS)

    assert found["U1", "flow.TOP"].value == 6
    assert found["U2", "flow.TOP"].value == -2


def test_a_leaf_that_nobody_recorded_makes_its_parent_missing() -> None:
    found = table(cube_of(money("N1", 500), money("N2", 200)), about=FLOWS)

    assert found[BODY, "flow.N3"].reason == "not_recorded"
    assert found[BODY, "flow.TOP"].reason == "child_missing"
    assert found[BODY, "flow.TOP"].details == ("N3",)
    assert found[BODY, "flow.N1"].value == 5


@pytest.mark.parametrize("code", ["X", "TOP"])
def test_money_where_none_is_expected_is_shown_as_such(code: str) -> None:
    cube = cube_of(money("N1", 1), money("N2", 1), money("N3", 1), money(code, 7))

    found = table(cube, about=FLOWS)[BODY, f"flow.{code}"]

    assert found.value is None
    assert found.reason == "not_defined"


def test_a_product_without_an_entry_has_no_area() -> None:
    cube = cube_of(defined("U1", "P1", "2023-05-10", 8), defined("U1", "P9", "2023-05-10", 3))

    assert values(cube, "defined", by="area") == {"": 3, "A1": 8}


def test_facts_outside_the_period_do_not_count() -> None:
    cube = cube_of(
        defined("U1", "P1", "2023-04-30", 100),
        defined("U1", "P1", "2023-05-31", 1),
        defined("U1", "P1", "2023-06-01", 100),
        defined("U1", "P1", "2022-05-31", 100),
    )

    assert values(cube, "defined") == {BODY: 1}


def test_large_sums_stay_exact() -> None:
    about = reference(product("P1"), coefficient("P1", "123456.654321"))
    cube = cube_of(defined("U1", "P1", "2023-05-10", 10**15 + 1))

    found = table(cube, about=about)[BODY, "homogenised_output"]

    assert found.numerator == Fraction("123456.654321") * (10**15 + 1)


piece = st.tuples(
    st.sampled_from(["U1", "U2", "R1", "X"]),
    st.sampled_from(["P1", "P2", "P3"]),
    st.integers(1, 12),
    st.integers(1, 500),
)


@pytest.mark.property
@settings(max_examples=40, deadline=None)
@given(pieces=st.lists(piece, min_size=1, max_size=10))
def test_every_breakdown_adds_up_to_the_body(pieces: list[tuple[str, str, int, int]]) -> None:
    weights = {"P1": Fraction("1.5"), "P2": Fraction("0.333"), "P3": Fraction(2)}
    cube = cube_of(
        *(defined(code, item, f"2023-{month:02}-15", count) for code, item, month, count in pieces)
    )
    expected = sum(weights[item] * count for _, item, _, count in pieces)

    for by in ("body", "area", "line", "product", "cluster"):
        found = table(cube, by=by, period=YEAR)
        total = sum(
            one.numerator or 0 for (_, code), one in found.items() if code == "homogenised_output"
        )
        assert total == expected
