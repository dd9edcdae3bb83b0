"""Indicators of production over the cube: exact fractions of whole numbers, rounded at the end.

The cube is summed by Polars to a few rows for each scope, in whole numbers (weighted pieces in 128
bits); what is divided is divided in Python, exactly.

Invariants:
1. Nothing is rounded before the last step, and then half-up.
2. What the body never recorded in the period is missing, with a reason; what it recorded, though
   not in this scope, is zero in this scope. A piece without a coefficient makes the weighted sum
   missing, never smaller.
3. Units count with all below them, in the tree as it is on the last day of the period.
4. A product has the entry and the coefficient that are valid on the first day of the month of the
   pieces.

Source: docs/production.md; domain notes, sections 7 to 11; docs/indicators.md for the reasons.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

import polars as pl

from projections.cycle.rounding import round_half_up
from projections.cycle.values import Missing, Reason, Value
from projections.production.cube import THRESHOLDS, VALUES
from projections.production.periods import OPENING, Period, cells_of
from projections.production.reference import UNCLASSED, FlowNode, Reference, rolled_up
from projections.production.sums import ScopeSums, SumKey, Sums, both, scaled

Breakdown: TypeAlias = Literal["body", "area", "line", "unit", "cluster", "product"]
"""What the scopes of a table of indicators are."""

BODY: Final = ""
"""Scope of the whole body, or of the unit it was narrowed to."""
NO_LINE: Final = "none"
"""Line of products that no line of the outflow index counts."""

_PIECES: Final = ("RequestReceived", "RequestDefined", "StockCounted", OPENING)
_BY_PRODUCT: Final = frozenset({"area", "line", "product"})
_ALL: Final = frozenset({"body", "area", "line", "unit", "cluster", "product"})
_BY_UNIT: Final = frozenset({"body", "unit", "cluster"})
_ONE: Final = Fraction(1)
_SURVEY: Final = "SurveyAggregated"


@dataclass(frozen=True, kw_only=True, slots=True)
class ProductionIndicator:
    """One indicator of one scope."""

    code: str
    scope: str
    """Area, line, unit, cluster or product; empty for the body and for what has no class."""
    period: Period
    value: Decimal | None
    """Rounded half-up; None when missing."""
    numerator: Fraction | None
    """Exact, None when missing; times 100 for a percentage."""
    denominator: Fraction | None
    """Exact, 1 for a plain sum; None when missing."""
    decimals: int
    """Digits after the decimal sign of `value`."""
    reason: str | None = None
    """Why there is no value, see `projections.cycle.values.Reason`; None when there is one."""
    details: tuple[str, ...] = ()
    """What is missing: kinds of facts, `coefficient PRODUCT`, `calendar YYYYMM`, nodes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Formula:
    """An indicator that is one sum or the quotient of two."""

    code: str
    meaning: str
    decimals: int
    over: frozenset[str]
    """Breakdowns in which it has a meaning."""
    numerator: Callable[[ScopeSums], Value]
    denominator: Callable[[ScopeSums], Value] | None = None


def _sum(
    fact: str, view: str = "unit", name: str = "total", factor: Fraction = _ONE
) -> Callable[[ScopeSums], Value]:
    return lambda scope: scaled(scope.sum(fact, view, name), factor)


def _output(scope: ScopeSums) -> Value:
    return scope.weighted("RequestDefined", "defining")


def _stock_times_days(scope: ScopeSums) -> Value:
    return scaled(scope.sum("StockCounted", "unit"), Fraction(scope.period.days()))


def _workload(scope: ScopeSums) -> Value:
    opening = scope.sum(OPENING, "unit")
    received = scope.sum("RequestReceived", "routed")
    return both(opening, received, lambda first, second: first + second)


def _points_times_days(scope: ScopeSums) -> Value:
    if isinstance(scope.working_days, Missing):
        return scope.working_days
    return scaled(scope.weighted("StockCounted", "unit"), Fraction(scope.working_days))


def _quality_excess(scope: ScopeSums) -> Value:
    value = scope.sum("QualityMeasured", "unit")
    budget = scope.sum("QualityMeasured", "unit", "second")
    return both(value, budget, lambda result, plan: 100 * (result - plan))


def _formula(
    code: str,
    meaning: str,
    numerator: Callable[[ScopeSums], Value],
    denominator: Callable[[ScopeSums], Value] | None = None,
    *,
    decimals: int = 2,
    over: frozenset[str] = _ALL,
) -> Formula:
    return Formula(
        code=code,
        meaning=meaning,
        decimals=decimals,
        over=over,
        numerator=numerator,
        denominator=denominator,
    )


_RECEIVED: Final = _sum("RequestReceived", "routed")
_DEFINED: Final = _sum("RequestDefined", "defining")

BACKLOG: Final = (
    _formula(
        "backlog_days_a",
        "closing stock / (pieces settled / calendar days)",
        _stock_times_days,
        _sum("RequestDefined", "routed"),
        decimals=0,
    ),
    _formula(
        "backlog_days_b",
        "closing stock / (opening stock + pieces received) * calendar days",
        _stock_times_days,
        _workload,
        decimals=0,
    ),
    _formula(
        "backlog_days_c",
        "homogenised closing stock / (homogenised output / working days)",
        _points_times_days,
        _output,
        decimals=0,
    ),
)
"""The variants of backlog in days; stock and settlements by the unit routed to, as they balance."""

_SHARES: Final = (
    ("automated_share", "pieces settled without staff", "second"),
    *(
        (f"within_{days}_share", f"pieces settled within {days} days", f"within_{days}")
        for days in THRESHOLDS
    ),
)
_QUALITY: Final = "QualityMeasured"
_HUNDREDTHS: Final = Fraction(1, 100)
_THOUSANDTHS: Final = Fraction(1, 1000)
_COST: Final = _sum("RunningCostRecorded", factor=_HUNDREDTHS)
"""In euro."""

FORMULAS: Final = (
    _formula("received", "pieces received", _RECEIVED, decimals=0),
    _formula("defined", "pieces settled", _DEFINED, decimals=0),
    _formula("closing_stock", "pieces waiting at the end", _sum("StockCounted"), decimals=0),
    _formula("homogenised_output", "sum of pieces settled * coefficient", _output),
    _formula(
        "productivity",
        "homogenised output / workable staff months",
        _output,
        _sum("PresenceRecorded", name="second", factor=_THOUSANDTHS),
        over=_BY_UNIT,
    ),
    _formula("outflow", "pieces settled / pieces received", _DEFINED, _RECEIVED),
    *BACKLOG,
    *(
        _formula(
            code,
            f"{what} / pieces settled, in percent",
            _sum("RequestDefined", "defining", name, Fraction(100)),
            _DEFINED,
        )
        for code, what, name in _SHARES
    ),
    _formula(
        "mean_days",
        "days from receipt to settlement, mean over pieces",
        _sum("RequestDefined", "defining", "elapsed"),
        _DEFINED,
    ),
    _formula(
        "quality",
        "mean of the quality indices measured, in points",
        _sum(_QUALITY, factor=_HUNDREDTHS),
        _sum(_QUALITY, name="facts"),
        over=_BY_UNIT | {"area"},
    ),
    _formula(
        "quality_deviation",
        "(quality - planned quality) / planned quality, in percent (DR6)",
        _quality_excess,
        _sum(_QUALITY, name="second"),
        over=_BY_UNIT | {"area"},
    ),
    _formula(
        "survey_mean",
        "mean score over all answers",
        _sum(_SURVEY, factor=_THOUSANDTHS),
        _sum(_SURVEY, name="second"),
        over=frozenset({"body"}),
    ),
    _formula(
        "running_cost",
        "running cost, in euro",
        _COST,
        over=_BY_UNIT,
    ),
    _formula(
        "cost_per_point",
        "running cost / homogenised output, in euro",
        _COST,
        _output,
        over=_BY_UNIT,
    ),
)
"""Every indicator that is one sum or one quotient, in the order of tables."""


def indicators(
    cube: pl.DataFrame,
    reference: Reference,
    period: Period,
    *,
    by: Breakdown,
    below: str | None = None,
) -> tuple[ProductionIndicator, ...]:
    """Return the indicators of a period.

    Beside `FORMULAS`, each only where it has a meaning: `outflow.LINE` for the body, units and
    clusters; `flow.NODE` for the same, parents being the signed sums of the leaves below them;
    `profitability.NODE` for the nodes at the top, over the running cost; and
    `survey_mean.PHASE/CHANNEL` for the body.

    Args:
        cube: merged.
        reference: what the facts refer to.
        period: months summed; stock is that of its last month.
        by: what the scopes are.
        below: unit, with all below it, that the facts are narrowed to; None for the whole body.

    Returns:
        In order of scope, then of the formulas.

    Raises:
        UnknownEntityError: neither events nor facts know the unit `below`.
    """
    found: list[ProductionIndicator] = []
    for scope in scope_sums(cube, reference, period, by=by, below=below):
        found.extend(_evaluated(formula, scope) for formula in FORMULAS if by in formula.over)
        if by in _BY_UNIT:
            found.extend(_outflow_by_line(scope))
            found.extend(_flows(scope, reference.nodes(period.year)))
        if by == "body":
            found.extend(_survey_by_group(scope))
    return tuple(found)


def _evaluated(formula: Formula, scope: ScopeSums) -> ProductionIndicator:
    numerator = formula.numerator(scope)
    denominator = _ONE if formula.denominator is None else formula.denominator(scope)
    return _shown(formula.code, scope, numerator, denominator, formula.decimals)


def scope_sums(
    cube: pl.DataFrame,
    reference: Reference,
    period: Period,
    *,
    by: Breakdown,
    below: str | None = None,
) -> tuple[ScopeSums, ...]:
    """Return the sums of every scope, in order of scope; arguments as those of `indicators`.

    Raises:
        UnknownEntityError: neither events nor facts know the unit `below`.
    """
    cells = cells_of(cube, period)
    recorded = frozenset(cells["fact"].unique())
    nodes = frozenset(cells.filter(pl.col("fact") == "FlowRecorded")["item"].unique())
    if below is not None:
        inside = reference.inside(below, period.last_day, known=cube["unit"].unique())
        cells = cells.filter(pl.col("unit").is_in(inside))
    pairs = cells.filter(pl.col("fact").is_in(_PIECES)).select("item", "month").unique()
    catalogue, scale = reference.weights(pairs)
    cells = cells.join(catalogue, on=["item", "month"], how="left", maintain_order="left")
    grouped = _grouped(_scoped(cells, reference, period, by, below))
    if by == "body" and BODY not in grouped:
        grouped[BODY] = {}
    return tuple(
        ScopeSums(
            scope=scope,
            period=period,
            rows=MappingProxyType(grouped[scope]),
            recorded=recorded,
            recorded_nodes=nodes,
            scale=scale,
            working_days=reference.working_days_of(period.months()),
        )
        for scope in sorted(grouped)
    )


def _scoped(
    cells: pl.DataFrame, reference: Reference, period: Period, by: Breakdown, below: str | None
) -> pl.DataFrame:
    """Return the cells with a column `scope`: once for every scope a cell counts in."""
    if by == "body":
        return cells.with_columns(pl.lit(BODY).alias("scope"))
    of_product = pl.col("fact").is_in(_PIECES)
    if by in _BY_PRODUCT:
        of_quality = (pl.col("fact") == "QualityMeasured") & pl.lit(by == "area")
        scope = pl.col("item" if by == "product" else by)
        return cells.filter(of_product | of_quality).with_columns(
            pl.when(of_quality).then("item").otherwise(scope).alias("scope")
        )
    day = period.last_day
    pairs: list[tuple[str, str]] = []
    for unit in set(cells["unit"].unique()) - {""}:
        if by == "cluster":
            pairs.append((unit, reference.cluster(unit, day) or UNCLASSED))
            continue
        chain = (unit, *reference.ancestors(unit, day))
        last = len(chain) if below is None else chain.index(below) + 1
        pairs.extend((unit, scope) for scope in chain[:last])
    schema = {"unit": pl.String, "scope": pl.String}
    return cells.join(pl.DataFrame(pairs, schema=schema, orient="row"), on="unit")


def _grouped(cells: pl.DataFrame) -> dict[str, dict[SumKey, Sums]]:
    """Sum cells by scope, kind, view and group."""
    fact, total = pl.col("fact"), pl.col("total")
    named = fact.is_in(["FlowRecorded", "SurveyAggregated"])
    pieces = fact.is_in(_PIECES)
    lacking = pieces & pl.col("weight").is_null() & (total != 0)
    group = pl.when(named).then("item").when(pieces).then("line").otherwise(pl.lit(""))
    keys = ["scope", "fact", "view", "group"]
    sums = (
        cells.lazy()
        .with_columns(group.alias("group"))
        .group_by(keys)
        .agg(
            pl.col(VALUES).sum(),
            (total.cast(pl.Int128) * pl.col("weight")).sum().alias("weighted"),
            pl.col("item").filter(lacking).unique().sort().alias("unweighted"),
        )
        .sort(keys)
        .collect()
    )
    found: dict[str, dict[SumKey, Sums]] = {}
    for row in sums.iter_rows(named=True):
        key = (row["fact"], row["view"], row["group"])
        found.setdefault(row["scope"], {})[key] = Sums(
            values=MappingProxyType({name: row[name] for name in VALUES}),
            weighted=row["weighted"],
            unweighted=tuple(row["unweighted"]),
        )
    return found


def _shown(
    code: str, scope: ScopeSums, numerator: Value, denominator: Value, decimals: int
) -> ProductionIndicator:
    zero = Missing(Reason.DIVISION_BY_ZERO)
    value = both(numerator, denominator, lambda above, under: above / under if under else zero)
    gone = value if isinstance(value, Missing) else None
    return ProductionIndicator(
        code=code,
        scope=scope.scope,
        period=scope.period,
        value=None if isinstance(value, Missing) else round_half_up(value, decimals),
        numerator=None if isinstance(numerator, Missing) else numerator,
        denominator=None if isinstance(denominator, Missing) else denominator,
        decimals=decimals,
        reason=None if gone is None else gone.reason,
        details=() if gone is None else gone.details,
    )


def _outflow_by_line(scope: ScopeSums) -> list[ProductionIndicator]:
    found: list[ProductionIndicator] = []
    lines = {*scope.groups("RequestDefined"), *scope.groups("RequestReceived")}
    for line in sorted(lines - {NO_LINE, UNCLASSED}):
        settled = scope.sum("RequestDefined", "defining", group=line)
        received = scope.sum("RequestReceived", "routed", group=line)
        found.append(_shown(f"outflow.{line}", scope, settled, received, 2))
    return found


def _survey_by_group(scope: ScopeSums) -> list[ProductionIndicator]:
    found: list[ProductionIndicator] = []
    for group in scope.groups(_SURVEY):
        score = scaled(scope.sum(_SURVEY, "unit", group=group), _THOUSANDTHS)
        answers = scope.sum(_SURVEY, "unit", "second", group=group)
        found.append(_shown(f"survey_mean.{group}", scope, score, answers, 2))
    return found


def _flows(scope: ScopeSums, nodes: Mapping[str, FlowNode]) -> list[ProductionIndicator]:
    def recorded(code: str) -> Value:
        if code not in scope.recorded_nodes:
            return Missing(Reason.NOT_RECORDED, (code,))
        return scope.sum("FlowRecorded", "unit", group=code)

    amounts = rolled_up(nodes, recorded)
    undefined = sorted(set(scope.groups("FlowRecorded")) - set(nodes))
    amounts |= {code: Missing(Reason.NOT_DEFINED, (code,)) for code in undefined}
    found = [
        _shown(f"flow.{code}", scope, scaled(cents, _HUNDREDTHS), _ONE, 0)
        for code, cents in amounts.items()
    ]
    cost = _COST(scope)
    found.extend(
        _shown(f"profitability.{code}", scope, scaled(amounts[code], _HUNDREDTHS), cost, 2)
        for code, node in nodes.items()
        if node.parent_code is None and code in amounts
    )
    return found
