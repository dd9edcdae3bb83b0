"""Which units settle which products: as many pairs as the number of facts can fill with sense.

Invariants:
1. Every product has a pair, and every unit of `units` has one.
2. Pairs are sorted by product, then by unit: the pairs of a product stand together.
3. Nothing here depends on the seed of the facts: the totals of a year are those of its world.

Source: docs/production.md.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from app.simulator.apportion import Flags, Longs, sum_by
from app.simulator.errors import TargetsError
from app.simulator.targets import Targets
from app.simulator.world import Unit, World

EVENTS_PER_PAIR: Final = 400
"""Facts that a pair should have in a year: some 16 requests in and out a month."""

PAIRS_PER_UNIT: Final = 3


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Pairs:
    """The pairs of a settling unit and a product, as vectors of one length."""

    units: tuple[Unit, ...]
    """The units that settle something in this simulation."""
    unit: Longs
    """Place in `units`, 0-based."""
    product: Longs
    """Place in the products of the world, 0-based."""
    area: Longs
    """Place in the areas of the targets, 0-based."""
    weight: Longs
    """Relative demand; above 0."""
    start: Longs
    """First pair of the same product."""
    peers: Longs
    """Number of pairs of the same product, itself among them."""

    @property
    def size(self) -> int:
        """Number of pairs."""
        return self.unit.size

    @property
    def linked(self) -> Flags:
        """Whether requests can move to another unit."""
        return self.peers > 1


def build_pairs(world: World, targets: Targets, events: int) -> Pairs:
    """Return the pairs that a year of so many facts uses.

    Raises:
        TargetsError: the world was made for other figures.
    """
    _check_fit(world, targets)
    everyone, products = world.producing, len(world.products)
    limit = min(max(events // EVENTS_PER_PAIR, products), len(everyone) * products)
    active = min(len(everyone), max(limit // PAIRS_PER_UNIT, 1))
    units = tuple(everyone[number * len(everyone) // active] for number in range(active))
    unit, product = _cover(active, products, min(limit, active * products))
    areas = {area.code: place for place, area in enumerate(targets.areas)}
    area = np.array([areas[item.area] for item in world.products], np.int64)
    size = np.array([item.weight for item in units], np.int64)
    demand = np.array([item.weight for item in world.products], np.int64)
    peers = sum_by(product, np.ones(product.size, np.int64), products)
    starts = np.cumsum(peers) - peers
    return Pairs(
        units=units,
        unit=unit,
        product=product,
        area=area[product],
        weight=size[unit] * demand[product],
        start=starts[product],
        peers=peers[product],
    )


def _check_fit(world: World, targets: Targets) -> None:
    """Refuse a world of another year or of other areas."""
    if {month.year for month in world.calendars} != {targets.year}:
        raise TargetsError(subject="year", reason=f"the world is not of {targets.year}")
    differing = {area.code for area in targets.areas} ^ {item.area for item in world.products}
    if differing:
        raise TargetsError(
            subject=f"area {min(differing)}", reason="it has no products, or products only"
        )


def _cover(units: int, products: int, limit: int) -> tuple[Longs, Longs]:
    """Return `limit` pairs, sorted, that reach every unit and product as evenly as can be.

    Round after round each element of the larger side meets the next of the smaller one.
    """
    larger, smaller = max(units, products), min(units, products)
    rounds, place = np.divmod(np.arange(limit, dtype=np.int64), larger)
    other = (place + rounds) % smaller
    unit, product = (place, other) if units >= products else (other, place)
    order = np.lexsort((unit, product))
    return unit[order], product[order]
