"""Project the backlog under assumptions, and set projections beside what came.

The recursion, month by month, t from 1:

    inflow(t) = inflow * (1 + change / 100) ^ (t - 1)
    stock(t)  = max(0, stock(t - 1) + inflow(t) - productivity * staff months)
    days(t)   = stock(t) / (productivity * staff months / days of the month)

Invariants:
1. The recursion is exact; only what is returned is rounded, half-up.
2. Stocks and flows are in homogenised pieces; an assumption that facts do not carry is missing,
   never guessed.

Source: docs/production.md; domain notes, sections 7.2 (variant C) and 18.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Final

import polars as pl

from ledger.errors import InvalidCommandError
from ledger.events.production import ScenarioPublished
from projections.cycle.rounding import round_half_up
from projections.cycle.values import Missing, Reason, Value
from projections.production.indicators import scope_sums
from projections.production.limits import MONTHS_MAX
from projections.production.periods import Month, Period, last_day, month_on, shifted
from projections.production.reference import Reference
from projections.production.sums import ScopeSums

PIECES_DECIMALS: Final = 6
"""Decimals of stocks and assumptions: those a coefficient may have."""
DAYS_DECIMALS: Final = 2
"""Decimals of the backlog in days."""
MONTHS_BEFORE: Final = 12
"""Months over which the defaults of a scenario are means."""

_DAYS_OF_MONTH_MAX: Final = 31
_CHANGE_MIN: Final = -100


@dataclass(frozen=True, kw_only=True, slots=True)
class Projection:
    """Backlog at the end of each month projected."""

    stocks: tuple[Decimal, ...]
    """Homogenised pieces, at most 6 decimals, never below 0."""
    days: tuple[Decimal, ...]
    """Two decimals; empty when there is no capacity, since no number of days would do."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Assumptions:
    """What a scenario starts from, as the facts of the months before show it."""

    opening_stock: Decimal
    """Last stock counted, in homogenised pieces."""
    counted_in: Month
    """Month of that count."""
    inflow: Decimal
    """Homogenised pieces received per month, mean."""
    inflow_change: Decimal
    """Percent from one month to the next; 0 unless the user says otherwise."""
    staff_months: Decimal
    """Workable staff months per month, mean."""
    productivity: Decimal
    """Homogenised pieces per staff month."""
    months: tuple[Month, ...]
    """Months the means are made of: of the last 12 those with requests received."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """One month of a scenario and what came, in homogenised pieces."""

    month: Month
    projected: Decimal
    actual: Decimal | None
    """Stock counted; None when missing."""
    difference: Decimal | None
    """Actual less projected."""
    reason: str | None = None
    """Why there is no actual stock."""
    details: tuple[str, ...] = ()


def project(
    *,
    opening_stock: Decimal,
    inflow: Decimal,
    inflow_change: Decimal,
    staff_months: Decimal,
    productivity: Decimal,
    months: int,
    days: Sequence[int],
) -> Projection:
    """Return the backlog of the months ahead.

    Args:
        opening_stock: homogenised pieces, 0 or more.
        inflow: homogenised pieces received in the first month, 0 or more.
        inflow_change: percent from one month to the next, -100 or more.
        staff_months: per month, 0 or more.
        productivity: homogenised pieces per staff month, 0 or more.
        months: number of months, 1 to 120.
        days: days of each month, 1 to 31: working or calendar days, as the backlog is meant.

    Raises:
        InvalidCommandError: an argument is out of its bounds; its name is in the error.
    """
    _require_pieces(
        opening_stock=opening_stock,
        inflow=inflow,
        staff_months=staff_months,
        productivity=productivity,
    )
    grows = inflow_change.is_finite() and inflow_change >= _CHANGE_MIN
    _require(grows, "inflow_change", inflow_change, f"it is {_CHANGE_MIN} or more")
    _require(1 <= months <= MONTHS_MAX, "months", months, f"it is from 1 to {MONTHS_MAX}")
    _require(len(days) == months, "days", len(days), f"give one number for each of {months} months")
    for count in days:
        _require(1 <= count <= _DAYS_OF_MONTH_MAX, "days", count, "a month has 1 to 31 days")
    capacity = Fraction(productivity) * Fraction(staff_months)
    growth = 1 + Fraction(inflow_change) / 100
    stock, arriving = Fraction(opening_stock), Fraction(inflow)
    stocks: list[Fraction] = []
    for _ in range(months):
        stock = max(Fraction(0), stock + arriving - capacity)
        arriving *= growth
        stocks.append(stock)
    waiting = [one * count / capacity for one, count in zip(stocks, days, strict=True) if capacity]
    return Projection(
        stocks=tuple(_pieces(one) for one in stocks),
        days=tuple(round_half_up(one, DAYS_DECIMALS) for one in waiting),
    )


def scenario_from(
    cube: pl.DataFrame, reference: Reference, unit: str | None, after_month: Month
) -> Assumptions | Missing:
    """Return the assumptions that the facts up to a month lead to.

    Args:
        cube: merged.
        reference: what the facts refer to.
        unit: with all below it; None for the whole body.
        after_month: last month looked at.

    Returns:
        The first thing that is missing, when facts or coefficients are.

    Raises:
        UnknownEntityError: neither events nor facts know the unit.
    """
    counted_in = _last_count(cube, reference, unit, after_month)
    months = _recorded_months(cube, after_month)
    if counted_in is None or not months:
        lacking = "StockCounted" if counted_in is None else "RequestReceived"
        return Missing(Reason.NOT_RECORDED, (lacking,))
    sums = [_sums(cube, reference, unit, month) for month in months]
    count = Fraction(1, len(months))
    opening = _sums(cube, reference, unit, counted_in).weighted("StockCounted", "unit")
    inflow = _total([one.weighted("RequestReceived", "routed") for one in sums], count)
    output = _total([one.weighted("RequestDefined", "defining") for one in sums], count)
    staff = _total([one.sum("PresenceRecorded", "unit", "second") for one in sums], count / 1000)
    if isinstance(opening, Missing):
        return opening
    if isinstance(inflow, Missing):
        return inflow
    if isinstance(output, Missing):
        return output
    if isinstance(staff, Missing):
        return staff
    if staff == 0:
        return Missing(Reason.DIVISION_BY_ZERO, ("PresenceRecorded",))
    return Assumptions(
        opening_stock=_pieces(opening),
        counted_in=counted_in,
        inflow=_pieces(inflow),
        inflow_change=Decimal(0),
        staff_months=_pieces(staff),
        productivity=_pieces(output / staff),
        months=months,
    )


def against_actuals(
    scenario: ScenarioPublished, cube: pl.DataFrame, reference: Reference
) -> tuple[Comparison, ...]:
    """Return, for each month of a scenario, the stock projected and the one counted.

    Units count with all below them, in the tree as it is on the last day of the month.

    Args:
        scenario: as published.
        cube: merged.
        reference: what the facts refer to.
    """
    first = month_on(scenario.starts_on)
    return tuple(
        _compared(shifted(first, step), projected, scenario.unit_code, cube, reference)
        for step, projected in enumerate(scenario.stocks)
    )


def _compared(
    month: Month, projected: Decimal, unit: str | None, cube: pl.DataFrame, reference: Reference
) -> Comparison:
    counted = _sums(cube, reference, unit, month).weighted("StockCounted", "unit")
    if isinstance(counted, Missing):
        return Comparison(
            month=month,
            projected=projected,
            actual=None,
            difference=None,
            reason=counted.reason,
            details=counted.details,
        )
    return Comparison(
        month=month,
        projected=projected,
        actual=_pieces(counted),
        difference=_pieces(counted - Fraction(projected)),
    )


def _sums(cube: pl.DataFrame, reference: Reference, unit: str | None, month: Month) -> ScopeSums:
    (sums,) = scope_sums(cube, reference, Period.of_month(month), by="body", below=unit)
    return sums


def _last_count(
    cube: pl.DataFrame, reference: Reference, unit: str | None, after_month: Month
) -> Month | None:
    counts = cube.filter((pl.col("fact") == "StockCounted") & (pl.col("month") <= after_month))
    if unit is not None:
        inside = reference.inside(unit, last_day(after_month), known=cube["unit"].unique())
        counts = counts.filter(pl.col("unit").is_in(inside))
    return None if counts.is_empty() else Month(counts.select(pl.col("month").max()).item())


def _recorded_months(cube: pl.DataFrame, after_month: Month) -> tuple[Month, ...]:
    earliest = shifted(after_month, 1 - MONTHS_BEFORE)
    received = cube.filter(
        (pl.col("fact") == "RequestReceived") & pl.col("month").is_between(earliest, after_month)
    )
    return tuple(Month(month) for month in received["month"].unique().sort())


def _total(values: Sequence[Value], factor: Fraction) -> Value:
    total = Fraction(0)
    for value in values:
        if isinstance(value, Missing):
            return value
        total += value
    return total * factor


def _pieces(value: Fraction) -> Decimal:
    """Return a value with at most 6 decimals and no needless zeros."""
    text = format(round_half_up(value, PIECES_DECIMALS), "f")
    return Decimal(text.rstrip("0").rstrip("."))


def _require_pieces(**values: Decimal) -> None:
    for name, value in values.items():
        _require(value.is_finite() and value >= 0, name, value, "it is 0 or more")


def _require(holds: bool, field: str, value: object, reason: str) -> None:  # noqa: FBT001 - the condition is the subject of the call
    if not holds:
        raise InvalidCommandError(subject="scenario", field=field, value=value, reason=reason)
