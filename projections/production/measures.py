"""Fold decoded facts of one schema into cells of the cube.

What each kind of fact puts into a cell, under its short name (the part after the last dot):

| fact | views | item | total | second | elapsed, within_N |
|---|---|---|---|---|---|
| RequestReceived | routed, origin | product | pieces | | |
| RequestDefined | defining, routed, origin | product | pieces | automated | days; pieces |
| RequestReassigned | from, to | product | pieces | | |
| StockDeclared, StockCounted | unit | product | pieces | | |
| StockAdjusted | unit | product | delta | | |
| PresenceRecorded | unit | profile | thousandths of a staff month | those workable | |
| FlowRecorded | unit | node | cents | | |
| RunningCostRecorded | unit | nature | cents | | |
| QualityMeasured | unit | area | hundredths of a point | budget, the same | |
| SurveyAggregated | unit, which is "" | phase/channel | thousandths * answers | answers | |
| AppealsCounted | unit | system | pieces | | |
| MedicalAssessed | unit | kind | pieces | | days; none |

`automated` are pieces settled without staff; `days` are pieces times elapsed days. Views other than
`unit` name which unit of the fact is meant.

Invariants:
1. `facts` is the number of facts; a reversal counts -1 there and turns the sign of every number.
2. `merge([fold(a), fold(b)])` is `merge([fold(a + b)])`, however facts are split into frames.
3. A sum that would leave int64 is refused; nothing wraps around.

Source: docs/production.md; schemas/avro/facts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from types import MappingProxyType
from typing import Final

import polars as pl

from ledger.errors import LedgerError
from projections.production.cube import (
    INT64_MAX,
    KEYS,
    NAMESPACE,
    THRESHOLDS,
    VALUES,
    CubeOverflowError,
)


class UnknownFactError(LedgerError):
    """A schema of facts has no measure here; a newer release wrote it, or the name is wrong."""

    code = "unknown_fact"
    exit_code = 44
    template = "facts of {full_name} have no place in the cube of production"
    hint = "read this ledger with the release that knows the schema"

    def __init__(self, *, full_name: str) -> None:
        self.full_name = full_name
        super().__init__(full_name=full_name)


class FactsMissingError(LedgerError):
    """What was asked for rests on facts that nobody recorded."""

    code = "facts_missing"
    exit_code = 56
    template = "this rests on facts that are not in the ledger: {lacking}"
    hint = "take them in with `registro ingest`, see docs/production.md"

    def __init__(self, *, lacking: tuple[str, ...]) -> None:
        self.lacking = lacking
        super().__init__(lacking=", ".join(lacking))


@dataclass(frozen=True, kw_only=True, slots=True)
class Measure:
    """How facts of one schema become cells."""

    views: Mapping[str, str | None]
    """Column of the unit by name of the view; None when the fact is of the whole body."""
    items: tuple[str, ...]
    """Columns of the item, joined by a slash."""
    day: str
    """Column of the day that decides the month."""
    sums: Mapping[str, tuple[str, ...]]
    """Columns whose product is summed, by name of the value; a boolean counts 1 or 0."""
    days: str | None = None
    """Column of the days compared with the thresholds; None when they are not counted."""


def _of_unit(*, item: str, day: str, total: str, second: str | None = None) -> Measure:
    sums = {"total": (total,)} if second is None else {"total": (total,), "second": (second,)}
    return Measure(views={"unit": "unit"}, items=(item,), day=day, sums=sums)


_MEASURES: Final[Mapping[str, Measure]] = MappingProxyType(
    {
        "RequestReceived": Measure(
            views={"routed": "routed_unit", "origin": "origin_unit"},
            items=("product",),
            day="received_on",
            sums={"total": ("pieces",)},
        ),
        "RequestDefined": Measure(
            views={
                "defining": "defining_unit",
                "routed": "routed_unit",
                "origin": "origin_unit",
            },
            items=("product",),
            day="defined_on",
            sums={
                "total": ("pieces",),
                "second": ("pieces", "automated"),
                "elapsed": ("pieces", "elapsed_days"),
            },
            days="elapsed_days",
        ),
        "RequestReassigned": Measure(
            views={"from": "from_unit", "to": "to_unit"},
            items=("product",),
            day="reassigned_on",
            sums={"total": ("pieces",)},
        ),
        "StockDeclared": _of_unit(item="product", day="declared_on", total="pieces"),
        "StockCounted": _of_unit(item="product", day="counted_on", total="pieces"),
        "StockAdjusted": _of_unit(item="product", day="adjusted_on", total="delta"),
        "PresenceRecorded": Measure(
            views={"unit": "unit"},
            items=("profile",),
            day="month",
            sums={"total": ("staff_time",), "second": ("staff_time", "workable")},
        ),
        "FlowRecorded": _of_unit(item="node", day="accounted_on", total="amount"),
        "RunningCostRecorded": _of_unit(item="nature", day="accounted_on", total="amount"),
        "QualityMeasured": _of_unit(item="area", day="measured_on", total="value", second="budget"),
        "SurveyAggregated": Measure(
            views={"unit": None},
            items=("phase", "channel"),
            day="closed_on",
            sums={"total": ("mean", "answers"), "second": ("answers",)},
        ),
        "AppealsCounted": _of_unit(item="system", day="counted_on", total="pieces"),
        "MedicalAssessed": Measure(
            views={"unit": "unit"},
            items=("kind",),
            day="assessed_on",
            sums={"total": ("pieces",), "elapsed": ("pieces", "elapsed_days")},
        ),
    }
)

MEASURED: Final = tuple(f"{NAMESPACE}.{short}" for short in _MEASURES)
"""Full names of the schemas that `fold` takes."""


def fold(full_name: str, frame: pl.DataFrame) -> pl.DataFrame:
    """Return the cells of facts of one schema.

    The facts are grouped once, by the finest key; the views are sums over those groups. The
    streaming engine sums by text keys more than twice as fast as the one in memory.

    Args:
        full_name: of the schema, for example `registro.facts.RequestDefined`.
        frame: decoded facts, with the columns of the schema; others are not looked at.

    Returns:
        Cells with the columns of `cube.SCHEMA`, each key once, in no particular order; `merge`
        puts them in order and drops those that are zero.

    Raises:
        UnknownFactError: the schema has no measure.
        CubeOverflowError: a sum does not fit into int64.
    """
    space, _, short = full_name.rpartition(".")
    measure = _MEASURES.get(short) if space == NAMESPACE else None
    if measure is None:
        raise UnknownFactError(full_name=full_name)
    for factors in measure.sums.values():
        _require_room(full_name, frame, factors)
    finest = _finest(measure, frame)
    views = [_view(short, measure, view, finest) for view in measure.views]
    return pl.concat(views).collect(engine="streaming")


def _finest(measure: Measure, frame: pl.DataFrame) -> pl.LazyFrame:
    """Return the sums by all units, item and month; they are computed once, here."""
    units = list(dict.fromkeys(unit for unit in measure.views.values() if unit is not None))
    keys = [*units, *measure.items]
    day = pl.col(measure.day).dt
    sign = 1 - 2 * pl.col("reversal").cast(pl.Int64)
    values = {name: _product(factors) for name, factors in measure.sums.items()}
    if measure.days is not None:
        for days in THRESHOLDS:
            values[f"within_{days}"] = values["total"] * (pl.col(measure.days) <= days)
    # Numbers are multiplied out before the grouping: sums of plain columns are the quick ones.
    rows = frame.lazy().select(
        *keys,
        (day.year() * 100 + day.month().cast(pl.Int32)).alias("month"),
        sign.alias("facts"),
        *((sign * value).alias(name) for name, value in values.items()),
    )
    sums = rows.group_by([*keys, "month"]).agg(pl.col("facts", *values).sum())
    return sums.collect(engine="streaming").lazy()


def _product(factors: tuple[str, ...]) -> pl.Expr:
    first, *others = factors
    product = pl.col(first).cast(pl.Int64)
    for other in others:
        product *= pl.col(other)
    return product


def _view(short: str, measure: Measure, view: str, finest: pl.LazyFrame) -> pl.LazyFrame:
    unit = measure.views[view]
    keys = [*measure.items, "month"] if unit is None else [unit, *measure.items, "month"]
    present = [name for name in VALUES if name in finest.collect_schema().names()]
    if len(measure.views) > 1:
        finest = finest.group_by(keys).agg(pl.col(present).sum())
    return finest.select(
        pl.lit(short).alias("fact"),
        pl.lit(view).alias("view"),
        (pl.lit("") if unit is None else pl.col(unit)).alias("unit"),
        pl.concat_str(measure.items, separator="/").alias("item"),
        pl.col("month"),
        *(pl.col(name) if name in present else pl.lit(0, pl.Int64).alias(name) for name in VALUES),
    ).select([*KEYS, *VALUES])


def _require_room(full_name: str, frame: pl.DataFrame, factors: tuple[str, ...]) -> None:
    """Refuse facts whose numbers might sum to more than int64 holds.

    The bound from the largest numbers is nearly always enough; only beyond it the sum is made
    exactly, in 128 bits.
    """
    if frame.height == 0:
        return
    reach = prod(_largest(frame, factor) for factor in factors)
    if reach * frame.height <= INT64_MAX:
        return
    wide = pl.lit(1, pl.Int128)
    for factor in factors:
        wide *= pl.col(factor).cast(pl.Int128)
    if int(frame.select(wide.abs().sum()).item()) > INT64_MAX:
        raise CubeOverflowError(full_name=full_name, measured=" * ".join(factors))


def _largest(frame: pl.DataFrame, column: str) -> int:
    low, high = frame.select(
        pl.col(column).min().alias("low"), pl.col(column).max().alias("high")
    ).row(0)
    return max(abs(int(low)), abs(int(high)))
