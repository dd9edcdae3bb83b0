"""Rows are judged by the day in the fact: bounds, choices, references, periods, knowledge."""

import datetime as dt
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from ledger.envelopes import command
from ledger.events.organisation import UnitEstablished
from ledger.events.production import ProductCatalogued
from ledger.events.results import PeriodClosed, PeriodOpened
from ledger.facts.checks import check
from ledger.facts.families import COUNT_MAX, RULES
from ledger.facts.problems import PROBLEMS_SCHEMA, ROW
from ledger.facts.references import References, references
from ledger.facts.rejects import Rejects
from ledger.feed import read_all
from tests.support.given import under_act
from tests.support.production import (
    FIRST,
    LAST,
    YEAR,
    batch,
    fact,
    facts_table,
    production_ledger,
    record,
)

AS_OF = dt.date(YEAR, 12, 31)


@pytest.fixture(scope="module")
def known() -> References:
    return references(read_all(production_ledger()))


def found(known: References, name: str, **values: Any) -> list[Any]:
    """Return column, code and value of the problems of one fact."""
    as_of = values.pop("as_of", AS_OF)
    table = facts_table(name, [fact(name, **values)])
    frame = table.with_columns(pl.lit(5, pl.UInt64).alias(ROW))
    problems = check(frame, RULES[f"registro.facts.{name}"], known, as_of=as_of)
    assert problems.schema == PROBLEMS_SCHEMA
    assert set(problems.get_column(ROW)) <= {5}
    return sorted(problems.select("column", "code", "value").rows())


@pytest.mark.parametrize("name", [rules.name for rules in RULES.values()])
def test_a_plain_fact_of_every_kind_is_fine(known: References, name: str) -> None:
    assert found(known, name) == []


@pytest.mark.parametrize(
    ("name", "column", "value"),
    [
        ("RequestDefined", "pieces", 0),
        ("RequestDefined", "pieces", 10**7 + 1),
        ("RequestDefined", "pieces", -(2**63)),
        ("RequestDefined", "elapsed_days", -1),
        ("RequestDefined", "elapsed_days", 36_501),
        ("StockCounted", "pieces", -1),
        ("StockAdjusted", "delta", COUNT_MAX + 1),
        ("StockAdjusted", "delta", -COUNT_MAX - 1),
        ("FlowRecorded", "amount", 10**16 + 1),
        ("SurveyAggregated", "answers", 0),
    ],
)
def test_refuses_numbers_out_of_range(
    known: References, name: str, column: str, value: int
) -> None:
    assert found(known, name, **{column: value}) == [(column, "out_of_range", str(value))]


@pytest.mark.parametrize(
    ("name", "column", "value"),
    [
        ("RequestDefined", "pieces", 1),
        ("RequestDefined", "pieces", 10**7),
        ("RequestDefined", "elapsed_days", 0),
        ("StockCounted", "pieces", 0),
        ("StockAdjusted", "delta", -COUNT_MAX),
        ("FlowRecorded", "amount", -(10**16)),
    ],
)
def test_bounds_are_inclusive(known: References, name: str, column: str, value: int) -> None:
    assert found(known, name, **{column: value}) == []


@pytest.mark.parametrize(
    ("name", "column", "value"),
    [
        ("RequestReceived", "channel", "fax"),
        ("RequestReceived", "channel", "WEB"),
        ("RequestReassigned", "cause", "error"),
        ("AppealsCounted", "system", "incas"),
    ],
)
def test_refuses_what_is_none_of_the_choices(
    known: References, name: str, column: str, value: str
) -> None:
    assert found(known, name, **{column: value}) == [(column, "not_a_choice", value)]


@pytest.mark.parametrize("column", ["origin_unit", "routed_unit", "defining_unit"])
@pytest.mark.parametrize("unit", ["NOWHERE", "dp1", "DP1 ", "", "P1"])
def test_refuses_units_that_nobody_established(known: References, column: str, unit: str) -> None:
    assert found(known, "RequestDefined", **{column: unit}) == [(column, "unknown_unit", unit)]


@pytest.mark.parametrize(
    ("day", "open_"),
    [
        (dt.date(YEAR, 1, 1), True),
        (dt.date(YEAR, 6, 30), True),
        (dt.date(YEAR, 7, 1), False),
        (dt.date(YEAR, 12, 31), False),
    ],
)
def test_a_unit_is_used_until_the_day_it_closes(
    known: References,
    day: dt.date,
    open_: bool,  # noqa: FBT001 - a value of the table
) -> None:
    problems = found(known, "StockCounted", unit="OLD", counted_on=day)
    assert problems == ([] if open_ else [("unit", "unknown_unit", "OLD")])


def test_refuses_unknown_products_and_nodes(known: References) -> None:
    assert found(known, "StockCounted", product="DP1") == [("product", "unknown_product", "DP1")]
    assert found(known, "FlowRecorded", node="NOPE") == [("node", "unknown_node", "NOPE")]


@pytest.mark.parametrize("day", [FIRST - dt.timedelta(1), dt.date(2000, 1, 1), dt.date(1, 1, 1)])
def test_refuses_days_before_every_period(known: References, day: dt.date) -> None:
    codes = [code for _, code, _ in found(known, "StockCounted", counted_on=day)]
    assert "period_not_open" in codes


def test_refuses_days_after_the_day_of_knowledge(known: References) -> None:
    day = dt.date(YEAR, 3, 15)
    assert found(known, "StockCounted", as_of=day) == []
    assert found(known, "StockCounted", as_of=day - dt.timedelta(1)) == [
        ("counted_on", "after_as_of", day.isoformat())
    ]


def test_all_problems_of_a_row_are_reported(known: References) -> None:
    day = dt.date(YEAR + 1, 1, 1)
    problems = found(
        known,
        "RequestReceived",
        product="P9",
        origin_unit="X",
        routed_unit="OLD",
        channel="fax",
        pieces=0,
        received_on=day,
        reversal=True,
    )
    assert problems == [
        ("channel", "not_a_choice", "fax"),
        ("origin_unit", "unknown_unit", "X"),
        ("pieces", "out_of_range", "0"),
        ("product", "unknown_product", "P9"),
        ("received_on", "after_as_of", day.isoformat()),
        ("received_on", "period_not_open", day.isoformat()),
        ("routed_unit", "unknown_unit", "OLD"),
        ("supersedes", "missing", ""),
    ]


def test_values_that_could_not_be_read_are_left_to_the_conversion(known: References) -> None:
    nothing = {"product": None, "unit": None, "counted_on": None, "pieces": None, "reversal": None}
    assert found(known, "StockCounted", **nothing) == []


def test_without_an_open_period_no_fact_is_taken() -> None:
    nothing = References(
        units=pl.DataFrame(schema={"code": pl.String, "first": pl.Date, "last": pl.Date}),
        products=pl.DataFrame(schema={"code": pl.String, "first": pl.Date, "last": pl.Date}),
        nodes=pl.DataFrame(schema={"code": pl.String, "first": pl.Date, "last": pl.Date}),
        open_days=(),
    )
    codes = {code for _, code, _ in found(nothing, "StockCounted")}
    assert codes == {"unknown_unit", "unknown_product", "period_not_open"}


def test_references_follow_the_ledger() -> None:
    ledger = production_ledger()
    later = dt.date(YEAR, 7, 1)
    ledger.execute(
        command(
            "more",
            [
                under_act(
                    UnitEstablished(
                        unit_code="NEW",
                        unit_type="DP",
                        name="New",
                        parent_code="DG",
                        valid_from=later,
                    )
                ),
                under_act(
                    ProductCatalogued(
                        product="P3",
                        label="P3",
                        area="A",
                        line="none",
                        valid_from=FIRST,
                        valid_to=dt.date(YEAR, 3, 31),
                    )
                ),
            ],
        )
    )
    known = references(read_all(ledger))
    before = later - dt.timedelta(1)
    assert found(known, "StockCounted", unit="NEW", counted_on=later) == []
    assert found(known, "StockCounted", unit="NEW", counted_on=before)[0][1] == "unknown_unit"
    assert found(known, "StockCounted", product="P3") == []
    assert found(known, "StockCounted", product="P3", counted_on=later)[0][1] == "unknown_product"
    assert known.open_days == known.known_days == ((FIRST, LAST),)


def test_a_closed_period_is_known_and_not_open() -> None:
    ledger = production_ledger()
    closed = PeriodClosed(year=YEAR, period_from=FIRST, period_to=LAST)
    following = PeriodOpened(
        year=YEAR + 1, period_from=dt.date(YEAR + 1, 1, 1), period_to=dt.date(YEAR + 1, 12, 31)
    )
    late = dt.date(YEAR + 1, 6, 1)
    ledger.execute(command("turn", [under_act(closed, late), under_act(following, late)]))
    known = references(read_all(ledger))
    assert known.open_days == ((following.period_from, following.period_to),)
    assert known.known_days == ((FIRST, LAST), *known.open_days)
    refused = found(known, "StockCounted")
    assert refused == [("counted_on", "period_not_open", f"{YEAR}-03-15")]
    assert found(known, "StockCounted", supersedes="A") == []


def test_conversion_and_checks_of_one_row_are_reported_together(tmp_path: Path) -> None:
    ledger, rejects = production_ledger(), Rejects(folder=None)
    rows = [fact("StockCounted", unit="NOWHERE", product="a\tb", source_id="S")]
    answer = record(ledger, tmp_path, "StockCounted", rows, batch("stock"), rejects=rejects)
    assert answer.rejected == 1
    assert dict(rejects.codes) == {"bad_text": 1, "unknown_unit": 1}
