"""The year of every pair of unit and product, month by month, in whole pieces.

Invariants:
1. opening + received + moved in - moved out + adjusted - settled = stock, for every pair and month.
2. Nothing is below 0; receipts, settlements and closing stocks of an area are those of the totals.
3. Memory depends on the number of pairs, not on the number of facts.

Source: docs/production.md.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import numpy as np

from app.simulator.apportion import Longs, apportion, half_up, half_up_int, spread, sum_by
from app.simulator.errors import TooFewEventsError
from app.simulator.pairs import Pairs
from app.simulator.targets import Targets
from app.simulator.totals import WORKABLE, Totals
from app.simulator.workdays import MONTHS
from app.simulator.world import World

SEASON: Final = (110, 102, 108, 96, 100, 92, 84, 52, 100, 108, 102, 86)
"""Relative intake of the months; August is the holiday month."""

BUMP: Final = (60, 50, 40, 50, 40, 60, 100, 250, 160, 80, 30, 0)
"""Stock above the straight line from opening to closing, in thousandths of a month's intake."""

_THOUSAND: Final = 1000
_HUNDRED: Final = 100
_DELTAS: Final = (-2, -1, 1, 2, 3)
_YEAR: Final = len(MONTHS)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class YearPlan:
    """Matrices of pairs x 12 months."""

    received: Longs
    """Pieces received."""
    extra_received: Longs
    """Of these, pieces beyond one per fact."""
    defined: Longs
    """Pieces settled."""
    extra_defined: Longs
    """Of these, pieces beyond one per fact."""
    moved: Longs
    """Pieces that leave to the partner of the month."""
    partner: Longs
    """Pair that takes them."""
    adjusted: Longs
    """Correction of the stock; 0 for none."""
    opening: Longs
    """Stock at the start of the year, by pair."""
    stock: Longs
    """Stock at the end of the month."""
    staff_time: int
    """Workable staff time of the year, in thousandths of a staff month."""


def plan_year(world: World, targets: Targets, totals: Totals, seed: int) -> YearPlan:
    """Return the plan of the year.

    Raises:
        TooFewEventsError: the facts are too few for the figures.
    """
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, 0])))
    pairs = totals.pairs
    received = _received(totals, rng)
    partner = _partners(pairs, rng)
    moved = _cut(totals, totals.moves, received * pairs.linked[:, None], rng)
    adjusted = _adjusted(totals.adjustments, received - moved, rng)
    net = received - moved + adjusted
    for month in range(_YEAR):
        net[:, month] += sum_by(partner[:, month], moved[:, month], pairs.size)
    opening, closing, defined_year = _stocks(totals, net, rng)
    stock = _path(opening, closing, net, defined_year, rng)
    before = np.column_stack((opening, stock[:, :-1]))
    defined = before + net - stock
    return YearPlan(
        received=received,
        extra_received=_cut(totals, totals.extra_received, received // 2, rng),
        defined=defined,
        extra_defined=_cut(totals, totals.extra_defined, defined // 2, rng),
        moved=moved,
        partner=partner,
        adjusted=adjusted,
        opening=opening,
        stock=stock,
        staff_time=_staff_time(world, targets, totals, defined_year),
    )


def _received(totals: Totals, rng: np.random.Generator) -> Longs:
    """Return the receipts: by area, then by weight of the pair, then by season."""
    pairs = totals.pairs
    year = _by_area(totals.area_received, pairs, pairs.weight)
    noise = rng.integers(85, 116, (pairs.size, _YEAR))
    weights = np.array(SEASON, np.int64)[None, :] * noise
    return spread(year, weights, rng.integers(0, 1 << 20, pairs.size))


def _by_area(parts: Longs, pairs: Pairs, weights: Longs) -> Longs:
    """Return the total of each area cut over its pairs."""
    cut = np.zeros(pairs.size, np.int64)
    for area, total in enumerate(parts.tolist()):
        inside = pairs.area == area
        cut[inside] = apportion(total, weights[inside])
    return cut


def _cut(totals: Totals, total: int, limits: Longs, rng: np.random.Generator) -> Longs:
    """Return `total` cut evenly over a matrix of limits, none exceeded."""
    if total > int(limits.sum()):
        raise TooFewEventsError(
            events=totals.events,
            reason=f"{total} pieces do not fit in the {int(limits.sum())} places of the months",
        )
    flat = spread(np.array([total]), limits.reshape(1, -1), rng.integers(0, 1 << 40, 1))
    return flat.reshape(limits.shape)


def _partners(pairs: Pairs, rng: np.random.Generator) -> Longs:
    """Return for each pair and month the pair of the same product that takes from it.

    Each month is a turn of the pairs of a product, so each takes from one and gives to one.
    """
    products = int(pairs.product.max()) + 1
    turns = rng.integers(0, 1 << 30, (products, _YEAR))[pairs.product]
    shift = 1 + turns % np.maximum(pairs.peers - 1, 1)[:, None]
    place = np.arange(pairs.size, dtype=np.int64) - pairs.start
    return pairs.start[:, None] + (place[:, None] + shift) % pairs.peers[:, None]


def _adjusted(count: int, room: Longs, rng: np.random.Generator) -> Longs:
    """Return the corrections of stocks: `count` of them, taking away only what came in."""
    adjusted = np.zeros(room.size, np.int64)
    places = rng.choice(room.size, count, replace=False)
    delta = rng.choice(np.array(_DELTAS, np.int64), count)
    adjusted[places] = np.where(room.reshape(-1)[places] + delta < 0, -delta, delta)
    return adjusted.reshape(room.shape)


def _stocks(totals: Totals, net: Longs, rng: np.random.Generator) -> tuple[Longs, Longs, Longs]:
    """Return opening stock, closing stock and settlements of the year, by pair.

    What an area settles beyond what comes in is cut over its pairs first; the pairs then share the
    rest of the stock, which stands at the start and at the end alike: so all is at least 0.
    """
    pairs = totals.pairs
    inflow = net.sum(axis=1)
    areas = totals.area_defined.size
    beyond = totals.area_defined - sum_by(pairs.area, inflow, areas)
    change = _by_area(beyond, pairs, inflow)
    growth = np.maximum(-change, 0)
    common = totals.area_closing - sum_by(pairs.area, growth, areas)
    noise = rng.integers(80, 121, pairs.size)
    kept = _by_area(common, pairs, np.maximum(inflow, 1) * noise)
    return np.maximum(change, 0) + kept, growth + kept, inflow + change


def _path(
    opening: Longs, closing: Longs, net: Longs, defined_year: Longs, rng: np.random.Generator
) -> Longs:
    """Return the stock at each month's end: near its season, never making settlements negative."""
    month = np.arange(1, _YEAR + 1, dtype=np.int64)
    line = (opening[:, None] * (_YEAR - month) + closing[:, None] * month) // _YEAR
    mean = net.sum(axis=1)[:, None] * rng.integers(50, 151, net.shape)
    wished = line + mean * np.array(BUMP, np.int64) // (_YEAR * _THOUSAND * _HUNDRED)
    came = opening[:, None] + np.cumsum(net, axis=1)
    settled = np.maximum.accumulate(np.maximum(came - wished, 0), axis=1)
    return came - np.minimum(settled, defined_year[:, None])


def _staff_time(world: World, targets: Targets, totals: Totals, defined_year: Longs) -> int:
    """Return the staff time that gives the productivity, in thousandths of a staff month."""
    milli = np.array([product.milli for product in world.products], np.int64)
    output = int((defined_year * milli[totals.pairs.product]).sum())
    time = half_up_int(output / Fraction(targets.productivity))
    rows = len(totals.pairs.units) * len(WORKABLE) * _YEAR
    if time < rows or half_up(Fraction(output, time), 2) != targets.productivity:
        raise TooFewEventsError(
            events=totals.events,
            reason=f"a productivity of {targets.productivity} leaves {time} thousandths of a staff "
            f"month for {rows} facts of presence",
        )
    return time
