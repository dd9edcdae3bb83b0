"""Facts of every schema as cells, reversals, splits and sums too large; builders of cubes."""

import datetime as dt

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from projections.production.cube import (
    SCHEMA,
    VALUES,
    CubeOverflowError,
    digest,
    empty,
    merge,
)
from projections.production.measures import (
    MEASURED,
    UnknownFactError,
    fold,
)
from schemas.columns import empty as no_facts
from schemas.registry import default_registry

INT64_MAX = 2**63 - 1
Fields = dict[str, object]
Cell = dict[str, int]


def facts(short: str, *rows: Fields) -> pl.DataFrame:
    """Return decoded facts; identifiers and reversals are filled in."""
    layout = no_facts(default_registry().latest(f"registro.facts.{short}"))
    whole = [
        {"source_id": f"{short}-{number}", "supersedes": None, "reversal": False, **row}
        for number, row in enumerate(rows)
    ]
    return pl.DataFrame(whole, schema=layout.schema)


def cube_of(*parts: tuple[str, Fields]) -> pl.DataFrame:
    """Return the cube of facts given as short name and fields."""
    return merge([fold(f"registro.facts.{short}", facts(short, row)) for short, row in parts])


def received(unit: str, product: str, day: str, pieces: int, **more: object) -> tuple[str, Fields]:
    """Return requests received by the unit they were routed to."""
    row: Fields = {
        "product": product,
        "origin_unit": unit,
        "routed_unit": unit,
        "channel": "web",
        "received_on": dt.date.fromisoformat(day),
        "pieces": pieces,
    }
    return "RequestReceived", {**row, **more}


def defined(unit: str, product: str, day: str, pieces: int, **more: object) -> tuple[str, Fields]:
    """Return requests settled by the unit they were routed to."""
    row: Fields = {
        "product": product,
        "origin_unit": unit,
        "routed_unit": unit,
        "defining_unit": unit,
        "defined_on": dt.date.fromisoformat(day),
        "pieces": pieces,
        "automated": False,
        "elapsed_days": 10,
    }
    return "RequestDefined", {**row, **more}


def reassigned(from_unit: str, to_unit: str, day: str, pieces: int) -> tuple[str, Fields]:
    """Return requests of product P1 that moved."""
    return "RequestReassigned", {
        "product": "P1",
        "from_unit": from_unit,
        "to_unit": to_unit,
        "cause": "load",
        "reassigned_on": dt.date.fromisoformat(day),
        "pieces": pieces,
    }


def stock(
    short: str, unit: str, product: str, day: str, pieces: int, **more: object
) -> tuple[str, Fields]:
    """Return a stock declared, counted or adjusted."""
    names = {
        "StockDeclared": ("declared_on", "pieces"),
        "StockCounted": ("counted_on", "pieces"),
        "StockAdjusted": ("adjusted_on", "delta"),
    }
    on, number = names[short]
    row: Fields = {"product": product, "unit": unit, on: dt.date.fromisoformat(day), number: pieces}
    if short == "StockAdjusted":
        row["reason"] = "duplicate"
    return short, {**row, **more}


def presence(
    unit: str, month: str, staff_time: int, *, workable: bool = True
) -> tuple[str, Fields]:
    """Return staff time of profile A."""
    return "PresenceRecorded", {
        "unit": unit,
        "profile": "A",
        "month": dt.date.fromisoformat(f"{month}-01"),
        "staff_time": staff_time,
        "workable": workable,
    }


def cells(cube: pl.DataFrame, view: str) -> dict[tuple[str, str, int], Cell]:
    """Return the values that are not zero, by unit, item and month of a view."""
    return {
        (row["unit"], row["item"], row["month"]): {name: row[name] for name in VALUES if row[name]}
        for row in cube.filter(pl.col("view") == view).iter_rows(named=True)
    }


def dated(column: str, **row: object) -> Fields:
    """Return fields with the given column set to the 31st of May 2023."""
    return {**row, column: dt.date(2023, 5, 31)}


def test_received_requests_count_where_routed_and_where_they_come_from() -> None:
    cube = cube_of(received("U1", "P1", "2023-05-31", 7, origin_unit="U2"))

    assert cells(cube, "routed") == {("U1", "P1", 202305): {"facts": 1, "total": 7}}
    assert cells(cube, "origin") == {("U2", "P1", 202305): {"facts": 1, "total": 7}}


def test_settled_requests_count_for_three_units() -> None:
    cube = cube_of(
        defined("U1", "P1", "2023-01-01", 3, origin_unit="U2", defining_unit="U3"),
    )

    value = {"facts": 1, "total": 3, "elapsed": 30}
    value |= {f"within_{days}": 3 for days in (15, 30, 60, 90, 120)}
    assert cells(cube, "routed") == {("U1", "P1", 202301): value}
    assert cells(cube, "origin") == {("U2", "P1", 202301): value}
    assert cells(cube, "defining") == {("U3", "P1", 202301): value}


@pytest.mark.parametrize(
    ("days", "within"),
    [
        (0, (15, 30, 60, 90, 120)),
        (15, (15, 30, 60, 90, 120)),
        (16, (30, 60, 90, 120)),
        (60, (60, 90, 120)),
        (120, (120,)),
        (121, ()),
    ],
)
def test_a_threshold_includes_its_day(days: int, within: tuple[int, ...]) -> None:
    cube = cube_of(defined("U1", "P1", "2023-01-01", 2, elapsed_days=days))

    (cell,) = cells(cube, "defining").values()
    assert {name for name in cell if name.startswith("within")} == {
        f"within_{one}" for one in within
    }


def test_automated_pieces_stand_apart_and_pieces_weigh_their_days() -> None:
    cube = cube_of(
        defined("U1", "P1", "2023-01-05", 2, automated=True, elapsed_days=1),
        defined("U1", "P1", "2023-01-06", 3, elapsed_days=100),
    )

    (cell,) = cells(cube, "defining").values()
    assert (cell["facts"], cell["total"], cell["second"]) == (2, 5, 2)
    assert cell["elapsed"] == 2 * 1 + 3 * 100
    assert (cell["within_90"], cell["within_120"]) == (2, 5)


def test_reassigned_requests_leave_one_unit_and_come_to_another() -> None:
    cube = cube_of(reassigned("U1", "U2", "2023-05-31", 4))

    assert cells(cube, "from") == {("U1", "P1", 202305): {"facts": 1, "total": 4}}
    assert cells(cube, "to") == {("U2", "P1", 202305): {"facts": 1, "total": 4}}


@pytest.mark.parametrize(
    ("short", "row", "item", "value"),
    [
        (
            "StockDeclared",
            dated("declared_on", product="P1", unit="U1", pieces=5),
            "P1",
            {"facts": 1, "total": 5},
        ),
        (
            "StockCounted",
            dated("counted_on", product="P1", unit="U1", pieces=0),
            "P1",
            {"facts": 1},
        ),
        (
            "StockAdjusted",
            dated("adjusted_on", product="P1", unit="U1", delta=-2, reason="duplicate"),
            "P1",
            {"facts": 1, "total": -2},
        ),
        (
            "PresenceRecorded",
            dated("month", unit="U1", profile="A", staff_time=1500, workable=True),
            "A",
            {"facts": 1, "total": 1500, "second": 1500},
        ),
        (
            "PresenceRecorded",
            dated("month", unit="U1", profile="A", staff_time=1500, workable=False),
            "A",
            {"facts": 1, "total": 1500},
        ),
        (
            "FlowRecorded",
            dated("accounted_on", node="N", unit="U1", amount=-12345),
            "N",
            {"facts": 1, "total": -12345},
        ),
        (
            "RunningCostRecorded",
            dated("accounted_on", nature="rent", unit="U1", amount=99),
            "rent",
            {"facts": 1, "total": 99},
        ),
        (
            "QualityMeasured",
            dated("measured_on", unit="U1", area="A1", value=9886, budget=9856),
            "A1",
            {"facts": 1, "total": 9886, "second": 9856},
        ),
        (
            "AppealsCounted",
            dated("counted_on", system="DICA", unit="U1", pieces=8),
            "DICA",
            {"facts": 1, "total": 8},
        ),
        (
            "MedicalAssessed",
            dated("assessed_on", kind="visit", unit="U1", pieces=2, elapsed_days=20),
            "visit",
            {"facts": 1, "total": 2, "elapsed": 40},
        ),
    ],
)
def test_what_a_kind_of_fact_puts_into_its_cell(
    short: str, row: Fields, item: str, value: Cell
) -> None:
    cube = cube_of((short, row))

    assert cube["fact"].to_list() == [short]
    assert cells(cube, "unit") == {("U1", item, 202305): value}


def test_a_survey_is_of_no_unit_and_weighs_its_answers() -> None:
    row = dated("closed_on", phase="search", channel="mail", mean=4330, answers=3)

    cube = cube_of(("SurveyAggregated", row))

    assert cells(cube, "unit") == {
        ("", "search/mail", 202305): {"facts": 1, "total": 12990, "second": 3}
    }


@pytest.mark.parametrize("full_name", MEASURED)
def test_every_fact_schema_gives_the_columns_of_the_cube(full_name: str) -> None:
    frame = no_facts(default_registry().latest(full_name))

    assert fold(full_name, frame).schema == pl.Schema(SCHEMA)


def test_every_released_fact_schema_is_measured() -> None:
    assert sorted(MEASURED) == sorted(default_registry().names(kind="fact"))


@pytest.mark.parametrize(
    "full_name",
    [
        "registro.facts.Unheard",
        "registro.facts.",
        "RequestDefined",
        "registro.production.RequestDefined",
        "registro.facts.requestdefined",
        "",
    ],
)
def test_refuses_facts_of_an_unknown_schema(full_name: str) -> None:
    with pytest.raises(UnknownFactError) as caught:
        fold(full_name, pl.DataFrame())

    assert caught.value.full_name == full_name
    assert caught.value.code == "unknown_fact"


def test_a_reversal_cancels_exactly() -> None:
    original = defined("U1", "P1", "2023-05-31", 7, automated=True, elapsed_days=33)
    taken_back = defined(
        "U1", "P1", "2023-05-31", 7, automated=True, elapsed_days=33, reversal=True
    )

    assert_frame_equal(cube_of(original, taken_back), empty())


def test_a_reversal_of_a_negative_amount_adds_it_back() -> None:
    row = dated("accounted_on", node="N", unit="U1", amount=-500)

    cube = cube_of(("FlowRecorded", row | {"reversal": True}))

    assert cells(cube, "unit") == {("U1", "N", 202305): {"facts": -1, "total": 500}}


def test_a_reversal_in_another_month_leaves_both_months() -> None:
    cube = cube_of(
        received("U1", "P1", "2023-01-31", 1),
        received("U1", "P1", "2023-02-01", 1, reversal=True),
    )

    assert {key[2]: cell["total"] for key, cell in cells(cube, "routed").items()} == {
        202301: 1,
        202302: -1,
    }


def test_the_largest_sum_is_kept() -> None:
    cube = cube_of(received("U1", "P1", "2023-05-31", INT64_MAX))

    assert cube["total"].to_list() == [INT64_MAX, INT64_MAX]


def test_large_numbers_that_fit_are_not_refused() -> None:
    rows = [received("U1", "P1", "2023-05-31", pieces)[1] for pieces in (INT64_MAX - 1, 1)]

    cube = fold("registro.facts.RequestReceived", facts("RequestReceived", *rows))

    assert cube["total"].to_list() == [INT64_MAX, INT64_MAX]


@pytest.mark.parametrize(
    ("short", "rows", "measured"),
    [
        (
            "RequestReceived",
            [
                received("U1", "P1", "2023-05-31", INT64_MAX)[1],
                received("U", "P", "2023-05-31", 1)[1],
            ],
            "pieces",
        ),
        (
            "RequestDefined",
            [defined("U1", "P1", "2023-05-31", 2**62, elapsed_days=2)[1]],
            "pieces * elapsed_days",
        ),
        (
            "FlowRecorded",
            [dated("accounted_on", node="N", unit="U1", amount=-(2**63))],
            "amount",
        ),
        (
            "SurveyAggregated",
            [dated("closed_on", phase="a", channel="b", mean=2**40, answers=2**40)],
            "mean * answers",
        ),
    ],
)
def test_refuses_sums_that_leave_the_cell(short: str, rows: list[Fields], measured: str) -> None:
    with pytest.raises(CubeOverflowError) as caught:
        fold(f"registro.facts.{short}", facts(short, *rows))

    assert caught.value.measured == measured


def flow_cells(*totals: int, unit: str = "U1") -> pl.DataFrame:
    """Return cells of one key, one for each total."""
    row = dict.fromkeys(VALUES, 0)
    keys = {"fact": "FlowRecorded", "view": "unit", "unit": unit, "item": "N", "month": 202301}
    return pl.DataFrame([{**keys, **row, "total": total} for total in totals], schema=SCHEMA)


@pytest.mark.parametrize("sign", [1, -1])
def test_refuses_cells_that_leave_the_cell_when_they_are_merged(sign: int) -> None:
    with pytest.raises(CubeOverflowError) as caught:
        merge([flow_cells(sign * INT64_MAX), flow_cells(sign)])

    assert (caught.value.full_name, caught.value.measured) == (
        "registro.facts.FlowRecorded",
        "total",
    )


def test_large_cells_that_do_not_meet_are_merged() -> None:
    merged = merge([flow_cells(INT64_MAX, -INT64_MAX), flow_cells(INT64_MAX - 1, 1, unit="U2")])

    assert merged.get_column("total").to_list() == [INT64_MAX]


settlement = st.builds(
    lambda unit, other, product, day, pieces, automated, elapsed, reversal: defined(
        unit,
        product,
        day.isoformat(),
        pieces,
        defining_unit=other,
        automated=automated,
        elapsed_days=elapsed,
        reversal=reversal,
    )[1],
    st.sampled_from(["U1", "U2", "U3"]),
    st.sampled_from(["U1", "U2"]),
    st.sampled_from(["P1", "P2"]),
    st.dates(dt.date(2022, 12, 1), dt.date(2023, 2, 28)),
    st.integers(1, 1000),
    st.booleans(),
    st.integers(0, 200),
    st.booleans(),
)


@pytest.mark.property
@settings(max_examples=60, deadline=None)
@given(rows=st.lists(settlement, max_size=12), cut=st.integers(0, 12))
def test_however_facts_are_split_the_cube_is_the_same(rows: list[Fields], cut: int) -> None:
    name = "registro.facts.RequestDefined"
    parts = [fold(name, facts("RequestDefined", *part)) for part in (rows[:cut], rows[cut:])]

    whole = merge([fold(name, facts("RequestDefined", *rows))])

    assert_frame_equal(merge(parts), whole)
    assert digest(merge(reversed(parts))) == digest(whole)


@pytest.mark.property
@settings(max_examples=60, deadline=None)
@given(rows=st.lists(settlement, max_size=12))
def test_taking_everything_back_leaves_an_empty_cube(rows: list[Fields]) -> None:
    back = [row | {"reversal": not row["reversal"]} for row in rows]

    cube = merge([fold("registro.facts.RequestDefined", facts("RequestDefined", *rows, *back))])

    assert cube.is_empty()


@pytest.mark.property
@settings(max_examples=60, deadline=None)
@given(rows=st.lists(settlement, min_size=1, max_size=12))
def test_every_view_adds_up_to_the_same(rows: list[Fields]) -> None:
    cube = fold("registro.facts.RequestDefined", facts("RequestDefined", *rows))

    sums = cube.group_by("view").agg(pl.col(VALUES).sum())

    assert sums.height == 3
    assert sums.select(VALUES).unique().height == 1
