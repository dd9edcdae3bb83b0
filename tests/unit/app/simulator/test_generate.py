"""A simulated year: its figures, its equations, its form."""

import csv
import datetime as dt
import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cache
from pathlib import Path

import polars as pl
import pytest

from app.simulator.apportion import half_up, half_up_int
from app.simulator.cells import ROWS_MAX
from app.simulator.generate import Batch, generate
from app.simulator.summary import expected
from app.simulator.targets import Area, FlowNode, Line, Sign, Stage, Targets
from app.simulator.workdays import days_of_year, holidays, month_end
from app.simulator.world import World, build_world
from schemas.columns import empty
from schemas.registry import default_registry

IEEP = Path(__file__).parents[4] / "examples" / "inps-2023" / "ieep.csv"
KINDS = {
    "DG": 1,
    "DR": 20,
    "DCM": 3,
    "DP": 103,
    "FM": 12,
    "FP": 1,
    "AC": 36,
    "AT": 271,
    "PUNTO": 54,
}
SIGNS: Mapping[str, Sign] = {"+": "+", "-": "-"}
LINES: Mapping[str, Line] = {"prestazioni": "prestazioni", "flussi": "flussi"}
DATES = {
    "RequestReceived": "received_on",
    "RequestDefined": "defined_on",
    "RequestReassigned": "reassigned_on",
    "StockDeclared": "declared_on",
    "StockCounted": "counted_on",
    "StockAdjusted": "adjusted_on",
    "PresenceRecorded": "month",
    "FlowRecorded": "accounted_on",
    "RunningCostRecorded": "accounted_on",
    "QualityMeasured": "measured_on",
    "SurveyAggregated": "closed_on",
    "AppealsCounted": "counted_on",
    "MedicalAssessed": "assessed_on",
}


def inps() -> Targets:
    """Return the published figures of the worked example."""
    with IEEP.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    backlog = {"nucleo": 31, "prestazioni": 48, "conto": 165, "flussi": 90, "presidio": 49}
    return Targets(
        year=2023,
        productivity=Decimal("138.25"),
        outflow=Decimal("1.03"),
        areas=tuple(
            Area(code=code, label=code, line=LINES.get(code, "none"), backlog_days=Decimal(days))
            for code, days in backlog.items()
        ),
        nodes=tuple(
            FlowNode(
                code=row["node_code"], parent=row["parent_code"] or None, sign=SIGNS[row["sign"]]
            )
            for row in rows
        ),
        stages=tuple(
            Stage(
                vintage=vintage,
                as_of=dt.date.fromisoformat(rows[0][day]),
                flows={row["node_code"]: int(row[column]) for row in rows},
            )
            for vintage, column, day in (
                ("PRE_CONSUNTIVO", "pre_closing", "pre_as_of"),
                ("RENDICONTO", "closing", "closing_as_of"),
            )
        ),
    )


def other_body() -> Targets:
    """Return invented figures: a leap year, falling outflow, a stage within the year."""
    nodes = (
        FlowNode(code="N", parent=None, sign="+"),
        FlowNode(code="N1", parent="N", sign="+"),
        FlowNode(code="N2", parent="N", sign="-"),
        FlowNode(code="N21", parent="N2", sign="+"),
        FlowNode(code="N22", parent="N2", sign="-"),
        FlowNode(code="M", parent=None, sign="+"),
    )
    return Targets(
        year=2024,
        productivity=Decimal("7.5"),
        outflow=Decimal("0.97"),
        areas=(
            Area(code="zero", label="No backlog", line="none", backlog_days=Decimal(0)),
            Area(code="years", label="Years behind", line="flussi", backlog_days=Decimal(1200)),
        ),
        nodes=nodes,
        stages=(
            Stage(
                vintage="MONITORING_Q1",
                as_of=dt.date(2024, 6, 2),  # a Sunday: no working day of June before it
                flows={"N": -1, "N1": 1000, "N2": 1000, "N21": 1500, "N22": 500, "M": -9},
            ),
            Stage(vintage="NOTHING", as_of=dt.date(2024, 9, 1), flows={}),
            Stage(
                vintage="CONSUNTIVO",
                as_of=dt.date(2025, 5, 2),
                flows={"N": 700, "N1": 900, "N2": 200, "N21": 100, "N22": -100, "M": 0},
            ),
        ),
    )


@dataclass(frozen=True, kw_only=True)
class Case:
    """Arguments of one simulation."""

    name: str
    events: int
    seed: int
    units: int

    @property
    def targets(self) -> Targets:
        return inps() if self.name == "inps" else other_body()

    def world(self) -> World:
        kinds = KINDS if self.name == "inps" else {"HQ": 1, "LAND": 6, "DESK": 53}
        return build_world(self.targets, self.units, kinds, self.seed)


CASES = [
    *(
        Case(name="inps", events=events, seed=seed, units=units)
        for events, seed, units in itertools.product((60_000, 300_000), (1, 2), (501, 60))
    ),
    Case(name="other", events=50_000, seed=3, units=60),
    Case(name="other", events=70_001, seed=4, units=9),
]


@cache
def batches(case: Case) -> tuple[Batch, ...]:
    return tuple(generate(case.world(), case.targets, case.events, case.seed))


@cache
def raw(case: Case, name: str) -> pl.DataFrame:
    """Return all facts of one kind, as sent."""
    full_name = f"registro.facts.{name}"
    return pl.concat([batch.frame for batch in batches(case) if batch.full_name == full_name])


@cache
def net(case: Case, name: str) -> pl.DataFrame:
    """Return the facts of one kind that no later fact takes the place of."""
    facts = raw(case, name)
    return facts.filter(~pl.col("source_id").is_in(facts["supersedes"].drop_nulls().implode()))


def pieces(case: Case, name: str) -> int:
    return int(net(case, name)["pieces"].sum())


every_case = pytest.mark.parametrize("case", CASES, ids=str)


@every_case
def test_the_number_of_facts_is_the_one_asked_for(case: Case) -> None:
    counted: dict[str, int] = {}
    for batch in batches(case):
        counted[batch.full_name] = counted.get(batch.full_name, 0) + batch.frame.height

    assert sum(counted.values()) == case.events
    assert counted == expected(case.world(), case.targets, case.events).facts


@every_case
def test_productivity_is_that_of_the_figures(case: Case) -> None:
    milli = pl.DataFrame(
        [(product.code, product.milli) for product in case.world().products],
        schema={"product": pl.String, "milli": pl.Int64},
        orient="row",
    )
    defined = net(case, "RequestDefined").join(milli, on="product", how="left")
    output = int((defined["pieces"] * defined["milli"]).sum())
    presence = net(case, "PresenceRecorded")
    time = int(presence.filter(pl.col("workable"))["staff_time"].sum())

    assert half_up(Fraction(output, time), 2) == case.targets.productivity


@every_case
def test_outflow_is_that_of_the_figures(case: Case) -> None:
    received, defined = pieces(case, "RequestReceived"), pieces(case, "RequestDefined")

    assert half_up(Fraction(defined, received), 2) == case.targets.outflow
    promised = expected(case.world(), case.targets, case.events)
    assert (promised.received, promised.defined) == (received, defined)


@every_case
def test_backlog_of_every_area_is_that_of_the_figures(case: Case) -> None:
    areas = {product.code: product.area for product in case.world().products}
    counted = net(case, "StockCounted")
    closing = counted.filter(pl.col("counted_on") == pl.lit(month_end(case.targets.year, 12)))

    def by_area(facts: pl.DataFrame) -> dict[str, int]:
        named = facts.with_columns(pl.col("product").replace_strict(areas).alias("area"))
        return dict(named.group_by("area").agg(pl.col("pieces").sum()).iter_rows())

    stocks, defined = by_area(closing), by_area(net(case, "RequestDefined"))
    received = by_area(net(case, "RequestReceived"))
    for area in expected(case.world(), case.targets, case.events).areas:
        days = Fraction(stocks[area.code] * days_of_year(case.targets.year), defined[area.code])
        assert half_up(days) == area.backlog_days
        assert (area.received, area.defined, area.closing) == (
            received[area.code],
            defined[area.code],
            stocks[area.code],
        )


@every_case
def test_flows_of_every_node_are_those_of_every_stage(case: Case) -> None:
    targets = case.targets
    children = {
        node.code: [child for child in targets.nodes if child.parent == node.code]
        for node in targets.nodes
    }

    def cents(code: str, leaves: Mapping[str, int]) -> int:
        return sum(
            (1 if child.sign == "+" else -1) * cents(child.code, leaves) for child in children[code]
        ) + leaves.get(code, 0)

    for stage in targets.stages:
        known = pl.concat(
            [
                batch.frame
                for batch in batches(case)
                if batch.family == "flow" and batch.as_of <= stage.as_of
            ]
        )
        leaves = dict(known.group_by("node").agg(pl.col("amount").sum()).iter_rows())
        for code, euro in stage.flows.items():
            assert half_up_int(Fraction(cents(code, leaves), 100)) == euro, (stage.vintage, code)


def changes(case: Case) -> pl.DataFrame:
    """Return what changes the stock, by unit, product and month."""
    moved = net(case, "RequestReassigned").rename({"reassigned_on": "day"})
    parts = [
        net(case, "RequestReceived").select(
            unit="routed_unit", product="product", day="received_on", change="pieces"
        ),
        net(case, "RequestDefined").select(
            "product", unit="routed_unit", day="defined_on", change=-pl.col("pieces")
        ),
        moved.select("product", "day", unit="from_unit", change=-pl.col("pieces")),
        moved.select("product", "day", unit="to_unit", change=pl.col("pieces")),
        net(case, "StockAdjusted").select("product", "unit", day="adjusted_on", change="delta"),
    ]
    columns = ["unit", "product", "day", "change"]
    return (
        pl.concat([part.select(columns) for part in parts])
        .with_columns(month=pl.col("day").dt.month().cast(pl.Int64))
        .group_by("unit", "product", "month")
        .agg(pl.col("change").sum())
    )


@every_case
def test_stocks_follow_from_what_came_and_went(case: Case) -> None:
    keys = ["unit", "product", "month"]
    opening = net(case, "StockDeclared").select(
        "unit", "product", month=pl.lit(0, pl.Int64), pieces="pieces"
    )
    counted = net(case, "StockCounted").select(
        "unit", "product", month=pl.col("counted_on").dt.month().cast(pl.Int64), pieces="pieces"
    )
    stocks = pl.concat([opening, counted])
    before = stocks.with_columns(month=pl.col("month") + 1)

    checked = (
        counted.join(before, on=keys, how="left", suffix="_before")
        .join(changes(case), on=keys, how="full", coalesce=True)
        .with_columns(pl.col("change").fill_null(0))
    )

    assert checked.height == counted.height == 12 * opening.height
    assert checked["pieces"].null_count() == 0
    assert checked.filter(pl.col("pieces_before") + pl.col("change") != pl.col("pieces")).is_empty()
    assert int(stocks["pieces"].min() or 0) >= 0  # type: ignore[arg-type]  # a union of all cells


@every_case
def test_facts_fit_their_schemas(case: Case) -> None:
    assert {batch.full_name for batch in batches(case)} == {
        f"registro.facts.{name}" for name in DATES
    }
    for batch in batches(case):
        form = empty(default_registry().latest(batch.full_name))
        assert list(batch.frame.schema.items()) == list(form.schema.items())
        assert batch.frame.drop("supersedes").null_count().sum_horizontal().item() == 0
        assert not batch.frame["reversal"].any()


@every_case
def test_identifiers_are_unique_and_rising(case: Case) -> None:
    for name in DATES:
        identifiers = raw(case, name)["source_id"]
        assert identifiers.is_unique().all()
        assert identifiers.is_sorted()


@every_case
def test_batches_of_a_source_are_numbered_without_gaps(case: Case) -> None:
    for source in case.world().sources:
        sent = [batch for batch in batches(case) if batch.source == source.name]
        assert [batch.batch_id for batch in sent] == [
            f"{number:06d}" for number in range(1, len(sent) + 1)
        ]
        assert {batch.family for batch in sent} == set(source.families)
        assert [batch.as_of for batch in sent] == sorted(batch.as_of for batch in sent)


@every_case
def test_no_batch_is_empty_or_too_large(case: Case) -> None:
    assert all(0 < batch.frame.height <= ROWS_MAX for batch in batches(case))


@every_case
def test_facts_happen_within_the_year_and_before_they_are_known(case: Case) -> None:
    year = case.targets.year
    for batch in batches(case):
        days = batch.frame[DATES[batch.full_name.rpartition(".")[2]]]
        assert (days.dt.year() == year).all()
        assert (days <= batch.as_of).all()


@every_case
def test_only_the_web_works_on_sundays_and_holidays(case: Case) -> None:
    closed = pl.Series("closed", sorted(holidays(case.targets.year)))

    def on_closed_days(name: str) -> pl.DataFrame:
        day = pl.col(DATES[name])
        return raw(case, name).filter((day.dt.weekday() == 7) | day.is_in(closed.implode()))

    assert set(on_closed_days("RequestReceived")["channel"]) == {"web"}
    assert on_closed_days("RequestDefined").is_empty()
    assert on_closed_days("RequestReassigned").is_empty()


@every_case
def test_some_facts_arrive_with_the_month_after(case: Case) -> None:
    late = total = 0
    for batch in batches(case):
        if batch.full_name.rpartition(".")[2] not in {"RequestReceived", "RequestDefined"}:
            continue
        sent = batch.frame.filter(pl.col("supersedes").is_null())
        days = sent[DATES[batch.full_name.rpartition(".")[2]]]
        late += int((days < batch.as_of.replace(day=1)).sum())
        total += sent.height

    assert 0.004 < late / total < 0.006


@every_case
def test_corrections_follow_in_the_month_after_and_change_something(case: Case) -> None:
    total = 0
    for name in ("RequestReceived", "RequestDefined"):
        sent = pl.concat(
            [
                batch.frame.with_columns(as_of=pl.lit(batch.as_of))
                for batch in batches(case)
                if batch.full_name == f"registro.facts.{name}"
            ]
        )
        pairs = sent.filter(pl.col("supersedes").is_not_null()).join(
            sent, left_on="supersedes", right_on="source_id", suffix="_old", how="left"
        )
        total += pairs.height
        day = DATES[name]
        assert pairs[f"{day}_old"].null_count() == 0
        assert (pairs["as_of_old"].dt.offset_by("1d").dt.month_end() == pairs["as_of"]).all()
        changed = pl.col("pieces") != pl.col("pieces_old")
        if name == "RequestDefined":
            changed |= pl.col("elapsed_days") != pl.col("elapsed_days_old")
        assert pairs.filter(~changed).is_empty()
        assert pairs.filter(pl.col(day) != pl.col(f"{day}_old")).is_empty()
        assert pairs.filter(pl.col("supersedes").is_duplicated()).is_empty()

    assert 0.0005 < total / case.events < 0.002


@every_case
def test_some_requests_are_settled_by_another_unit(case: Case) -> None:
    defined = net(case, "RequestDefined")
    other = defined.filter(pl.col("defining_unit") != pl.col("routed_unit"))

    assert 0.025 < other.height / defined.height < 0.035


@every_case
def test_single_pieces_and_plausible_values(case: Case) -> None:
    for name in ("RequestReceived", "RequestDefined", "RequestReassigned"):
        facts = net(case, name)
        assert set(facts["pieces"]) <= {1, 2}
        assert facts.filter(pl.col("pieces") == 1).height > 0.97 * facts.height
    defined = net(case, "RequestDefined")
    assert defined["elapsed_days"].is_between(0, 20 * 1200).all()
    assert 0 < defined.filter(pl.col("automated")).height < 0.6 * defined.height
    moved = net(case, "RequestReassigned")
    assert (moved["from_unit"] != moved["to_unit"]).all()
    assert (net(case, "StockAdjusted")["delta"] != 0).all()
    assert (net(case, "PresenceRecorded")["staff_time"] > 0).all()


@every_case
def test_facts_name_units_and_products_of_the_world(case: Case) -> None:
    world = case.world()
    settling = {unit.code for unit in world.producing}
    products = {product.code for product in world.products}
    for batch in batches(case):
        for column in batch.frame.columns:
            if column == "unit" or column.endswith("_unit"):
                assert set(batch.frame[column]) <= settling
    assert set(net(case, "StockDeclared")["product"]) == products
    assert set(net(case, "RequestReceived")["product"]) == products


@every_case
def test_vintages_name_the_stage_that_made_flows_known(case: Case) -> None:
    stages = {stage.vintage: stage.as_of for stage in case.targets.stages if stage.flows}
    seen = {batch.vintage: batch.as_of for batch in batches(case) if batch.vintage is not None}

    assert seen == stages
    for batch in batches(case):
        assert batch.vintage is None or batch.family == "flow"
        if batch.vintage is None:
            assert batch.as_of == month_end(batch.as_of.year, batch.as_of.month)


def test_units_that_settle_have_staff_in_every_month() -> None:
    case = CASES[0]
    presence = net(case, "PresenceRecorded").filter(pl.col("workable"))

    months = presence.group_by("unit").agg(pl.col("month").n_unique())

    assert (months["month"] == 12).all()
    assert set(net(case, "RequestDefined")["defining_unit"]) <= set(months["unit"])


def test_the_year_has_seasons() -> None:
    received = net(CASES[4], "RequestReceived")
    months = received.group_by(pl.col("received_on").dt.month()).agg(pl.col("pieces").sum())
    by_month = dict(months.iter_rows())

    assert by_month[8] == min(by_month.values())
    assert by_month[8] < 0.7 * by_month[1]


@pytest.mark.parametrize("case", [CASES[0], CASES[-1]], ids=str)
def test_the_same_arguments_give_the_same_bytes(case: Case) -> None:
    again = tuple(generate(case.world(), case.targets, case.events, case.seed))

    assert len(again) == len(batches(case))
    for first, second in zip(batches(case), again, strict=True):
        assert first.frame.write_csv() == second.frame.write_csv()
        assert (first.batch_id, first.source, first.as_of, first.vintage) == (
            second.batch_id,
            second.source,
            second.as_of,
            second.vintage,
        )
