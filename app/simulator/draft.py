"""One simulation under way: what every kind of fact is drawn from.

Source: numpy.random.SeedSequence for independent streams of random numbers.
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import polars as pl

from app.simulator.frames import Numbers, words
from app.simulator.pairs import Pairs
from app.simulator.targets import Targets
from app.simulator.totals import Totals
from app.simulator.world import World
from app.simulator.yearplan import YearPlan


class Draws(IntEnum):
    """Streams of random numbers; the year plan has stream 0. Never renumbered."""

    RECEIVED = 1
    DEFINED = 2
    REASSIGNED = 3
    STOCKS = 4
    TIME = 5
    COSTS = 6
    MEASUREMENTS = 7
    FLOW_AMOUNTS = 8
    FLOW_MONTHS = 9
    FLOW_STAGES = 10


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Draft:
    """World, figures, plan and identifiers of one simulation."""

    world: World
    targets: Targets
    totals: Totals
    plan: YearPlan
    numbers: Numbers
    seed: int

    @property
    def pairs(self) -> Pairs:
        """The pairs of a settling unit and a product."""
        return self.totals.pairs

    def rng(self, draws: Draws, place: int = 0) -> np.random.Generator:
        """Return the random numbers of one stream and month or stage: independent of all others."""
        return np.random.Generator(
            np.random.PCG64(np.random.SeedSequence([self.seed, int(draws), place]))
        )

    def unit_codes(self) -> pl.Series:
        """Return the codes of the settling units, in the order of the pairs' `units`."""
        return words([unit.code for unit in self.pairs.units])

    def product_codes(self) -> pl.Series:
        """Return the codes of the products, in the order of the world."""
        return words([product.code for product in self.world.products])
