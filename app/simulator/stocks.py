"""Stocks declared, counted and adjusted.

Source: docs/production.md, stock equation.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
import polars as pl

from app.simulator.apportion import Longs
from app.simulator.frames import Numbers, Part, dates, longs, texts, words
from app.simulator.pairs import Pairs
from app.simulator.targets import Targets
from app.simulator.workdays import month_days
from app.simulator.world import World
from app.simulator.yearplan import YearPlan

FAMILY: Final = "stock"
REASONS: Final = ("count_correction", "duplicate", "migration")


def stock_parts(
    world: World,
    targets: Targets,
    pairs: Pairs,
    plan: YearPlan,
    numbers: Numbers,
    month: int,
    rng: np.random.Generator,
) -> Iterator[Part]:
    """Yield the stocks of a month: the opening ones in January, corrections, counts at the end.

    Args:
        world: the body.
        targets: figures to hit, for the year.
        pairs: the pairs of unit and product.
        plan: plan of the year.
        numbers: gives out identifiers.
        month: 1 to 12.
        rng: draws days and reasons.
    """
    days = month_days(targets.year, month)
    every = np.arange(pairs.size, dtype=np.int64)
    if month == 1:
        columns = _columns(world, pairs, every)
        columns += [
            dates("declared_on", np.full(pairs.size, days.day[0])),
            longs("pieces", plan.opening),
        ]
        yield _part("StockDeclared", columns, numbers)
    adjusted = plan.adjusted[:, month - 1]
    changed = np.flatnonzero(adjusted)
    if changed.size:
        columns = _columns(world, pairs, changed)
        columns += [
            dates("adjusted_on", rng.choice(days.day[days.working], changed.size)),
            longs("delta", adjusted[changed]),
            texts("reason", words(REASONS), rng.integers(0, len(REASONS), changed.size)),
        ]
        yield _part("StockAdjusted", columns, numbers)
    columns = _columns(world, pairs, every)
    columns += [
        dates("counted_on", np.full(pairs.size, days.day[-1])),
        longs("pieces", plan.stock[:, month - 1]),
    ]
    yield _part("StockCounted", columns, numbers)


def _columns(world: World, pairs: Pairs, places: Longs) -> list[pl.Series]:
    """Return the columns of product and unit of some pairs."""
    return [
        texts("product", words([item.code for item in world.products]), pairs.product[places]),
        texts("unit", words([unit.code for unit in pairs.units]), pairs.unit[places]),
    ]


def _part(name: str, columns: list[pl.Series], numbers: Numbers) -> Part:
    """Return facts of one kind."""
    return Part(family=FAMILY, name=name, frame=numbers.frame(name, columns))
