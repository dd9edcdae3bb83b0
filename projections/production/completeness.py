"""Whether the facts of a year hold together: stocks against flows, settlements against presence.

The equation of stock, for every product, month and unit that requests were routed to:

    opening + received - settled - given + taken + adjusted = counted

Invariants:
1. A cell without one opening and one counted stock is listed as not checkable, never as right or
   wrong.
2. Months are those up to the last one of the year in which the body recorded any of these facts.

Source: docs/production.md; domain notes, section 7.1.
"""

from dataclasses import dataclass, fields
from typing import Final, Literal, TypeAlias

import polars as pl

from projections.production.periods import (
    MONTHS_OF_YEAR,
    Month,
    last_day,
    month_of,
    month_on,
    shifted,
)
from projections.production.reference import Reference

Gap: TypeAlias = Literal["no_opening", "no_count", "several_counts"]
"""What a cell lacks: its opening stock (January: declared; later: counted before), or its count, or
which of several counts of one month, declared or counted, is the one of its end."""

_MOVEMENTS: Final = (
    ("received", "RequestReceived", "routed"),
    ("defined", "RequestDefined", "routed"),
    ("given", "RequestReassigned", "from"),
    ("taken", "RequestReassigned", "to"),
    ("adjusted", "StockAdjusted", "unit"),
)
_KEYS: Final = ("unit", "item", "month")
_CELL: Final = ("unit", "product", "month")


@dataclass(frozen=True, kw_only=True, slots=True)
class StockDifference:
    """A cell whose count is not what the flows lead to; all numbers in pieces."""

    unit: str
    product: str
    month: Month
    opening: int
    received: int
    defined: int
    """Settled, whoever settled them."""
    given: int
    """Reassigned to other units."""
    taken: int
    """Reassigned from other units."""
    adjusted: int
    expected: int
    """What opening and flows lead to."""
    counted: int
    difference: int
    """Counted less expected."""


@dataclass(frozen=True, kw_only=True, slots=True)
class UncheckedCell:
    """A cell of which something is not recorded."""

    unit: str
    product: str
    month: Month
    gap: Gap


@dataclass(frozen=True, kw_only=True, slots=True)
class StockFlow:
    """The equation of stock over a year."""

    year: int
    checked: int
    """Cells with opening and count, right or wrong."""
    differences: tuple[StockDifference, ...]
    """In order of unit, product and month."""
    unchecked: tuple[UncheckedCell, ...]
    """In the same order."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PresenceGap:
    """A month in which a unit settled requests and nobody was present."""

    unit: str
    name: str
    """Name of the unit at the end of the month; empty when it is unknown."""
    month: Month
    defined: int
    """Pieces settled."""
    automated: int
    """Those settled without staff."""


def stock_flow(cube: pl.DataFrame, reference: Reference, year: int) -> StockFlow:
    """Check the equation of stock in every cell of a year.

    A unit that has ended by the end of a month waits for nothing more: without a count its stock
    is taken as zero, so that what it left behind shows as a difference.

    Args:
        cube: merged.
        reference: for the units that ended.
        year: months from January on.
    """
    cells = _cells(cube.filter(pl.col("month") // 100 == year), year)
    cells = (
        cells.join(_endings(reference), on="unit", how="left")
        .with_columns(
            counted=pl.when(pl.col("ended") <= pl.col("month"))
            .then(pl.col("counted").fill_null(0))
            .otherwise("counted"),
            expected=pl.sum_horizontal("opening", "received", "taken", "adjusted")
            - pl.sum_horizontal("defined", "given"),
        )
        .with_columns(difference=pl.col("counted") - pl.col("expected"), gap=_gap())
        .sort(_CELL)
    )
    whole = cells.filter(pl.col("gap").is_null())
    wrong = whole.filter(pl.col("difference") != 0)
    lacking = cells.filter(pl.col("gap").is_not_null())
    names = [one.name for one in fields(StockDifference)]
    return StockFlow(
        year=year,
        checked=whole.height,
        differences=tuple(StockDifference(**row) for row in wrong.select(names).to_dicts()),
        unchecked=tuple(UncheckedCell(**row) for row in lacking.select(*_CELL, "gap").to_dicts()),
    )


def _gap() -> pl.Expr:
    several = (pl.col("openings") > 1) | (pl.col("counts") > 1)
    return (
        pl.when(several)
        .then(pl.lit("several_counts"))
        .when(pl.col("opening").is_null())
        .then(pl.lit("no_opening"))
        .when(pl.col("counted").is_null())
        .then(pl.lit("no_count"))
    )


def _cells(cube: pl.DataFrame, year: int) -> pl.DataFrame:
    """Return a row for every cell of the year in which anything was recorded, or stood before.

    Its columns are those of the equation; opening and counted are null when there is none.
    """
    declared = _stock(cube, "StockDeclared", "opening", "openings")
    declared = declared.filter(pl.col("month") == month_of(year, 1))
    counted = _stock(cube, "StockCounted", "counted", "counts")
    before = counted.rename({"counted": "opening", "counts": "openings"})
    before = before.with_columns(pl.col("month") + 1)
    movements = [
        _of(cube, fact, view).select(*_KEYS, pl.col("total").alias(name))
        for name, fact, view in _MOVEMENTS
    ]
    recorded = pl.concat([declared, counted, *movements], how="diagonal")
    known = recorded.select(pl.col("month").max()).item()
    through = min(month_of(year, MONTHS_OF_YEAR), known or 0)
    sums = [pl.col(name).sum() for name, _, _ in _MOVEMENTS]
    # A sum of nothing would be zero: a stock that is not recorded stays null.
    stocks = [pl.col(name).max() for name in ("opening", "openings", "counted", "counts")]
    return (
        pl.concat([recorded, before.filter(pl.col("month") <= through)], how="diagonal")
        .group_by(_KEYS)
        .agg(*sums, *stocks)
        .rename({"item": "product"})
    )


def _of(cube: pl.DataFrame, fact: str, view: str) -> pl.DataFrame:
    return cube.filter((pl.col("fact") == fact) & (pl.col("view") == view))


def _stock(cube: pl.DataFrame, fact: str, stock: str, count: str) -> pl.DataFrame:
    cells = _of(cube, fact, "unit")
    return cells.select(*_KEYS, pl.col("total").alias(stock), pl.col("facts").alias(count))


def _endings(reference: Reference) -> pl.DataFrame:
    """Return, by unit, the first month at whose end it no longer exists."""
    rows: list[tuple[str, int]] = []
    for unit, ended_on in reference.closings.items():
        month = month_on(ended_on)
        rows.append((unit, month if ended_on < last_day(month) else shifted(month, 1)))
    return pl.DataFrame(rows, schema={"unit": pl.String, "ended": pl.Int32}, orient="row")


def months_without_presence(
    cube: pl.DataFrame, reference: Reference, year: int
) -> tuple[PresenceGap, ...]:
    """Return the months in which a unit settled requests without any staff time.

    Args:
        cube: merged.
        reference: for the names of the units.
        year: months from January on.

    Returns:
        In order of unit and month.
    """
    keys = ["unit", "month"]
    of_year = cube.filter(pl.col("month") // 100 == year)
    settled = _of(of_year, "RequestDefined", "defining").group_by(keys)
    present = _of(of_year, "PresenceRecorded", "unit").group_by(keys)
    gaps = (
        settled.agg(pl.col("total", "second").sum())
        .filter(pl.col("total") > 0)
        .join(present.agg(pl.col("total").sum()).filter(pl.col("total") > 0), on=keys, how="anti")
    )
    return tuple(
        PresenceGap(
            unit=unit,
            name=_name(reference, unit, month),
            month=Month(month),
            defined=defined,
            automated=automated,
        )
        for unit, month, defined, automated in gaps.sort(keys).iter_rows()
    )


def _name(reference: Reference, unit: str, month: int) -> str:
    state = reference.unit(unit, last_day(Month(month)))
    return "" if state is None else state.name
