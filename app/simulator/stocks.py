"""Stocks declared, counted and adjusted.

Source: docs/production.md, stock equation.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
import polars as pl

from app.simulator.apportion import Longs
from app.simulator.draft import Draft, Draws
from app.simulator.frames import Part, dates, longs, texts, words
from app.simulator.workdays import month_days

FAMILY: Final = "stock"
REASONS: Final = ("count_correction", "duplicate", "migration")


def stock_parts(draft: Draft, month: int) -> Iterator[Part]:
    """Yield the stocks of a month: the opening ones in January, corrections, counts at the end.

    Args:
        draft: the simulation.
        month: 1 to 12.
    """
    pairs, plan, rng = draft.pairs, draft.plan, draft.rng(Draws.STOCKS, month)
    days = month_days(draft.targets.year, month)
    every = np.arange(pairs.size, dtype=np.int64)
    if month == 1:
        columns = _columns(draft, every)
        columns += [
            dates("declared_on", np.full(pairs.size, days.day[0])),
            longs("pieces", plan.opening),
        ]
        yield _part("StockDeclared", columns, draft)
    adjusted = plan.adjusted[:, month - 1]
    changed = np.flatnonzero(adjusted)
    if changed.size:
        columns = _columns(draft, changed)
        columns += [
            dates("adjusted_on", rng.choice(days.day[days.working], changed.size)),
            longs("delta", adjusted[changed]),
            texts("reason", words(REASONS), rng.integers(0, len(REASONS), changed.size)),
        ]
        yield _part("StockAdjusted", columns, draft)
    columns = _columns(draft, every)
    columns += [
        dates("counted_on", np.full(pairs.size, days.day[-1])),
        longs("pieces", plan.stock[:, month - 1]),
    ]
    yield _part("StockCounted", columns, draft)


def _columns(draft: Draft, places: Longs) -> list[pl.Series]:
    """Return the columns of product and unit of some pairs."""
    return [
        texts("product", draft.product_codes(), draft.pairs.product[places]),
        texts("unit", draft.unit_codes(), draft.pairs.unit[places]),
    ]


def _part(name: str, columns: list[pl.Series], draft: Draft) -> Part:
    """Return facts of one kind."""
    return Part(family=FAMILY, name=name, frame=draft.numbers.frame(name, columns))
