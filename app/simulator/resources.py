"""Staff time and running costs of the units.

Invariants:
1. Workable staff time adds up to the plan of the year; every unit has some in every month.
2. Running costs add up to the cost of a homogenised piece times the output, where one is given.

Source: docs/production.md, productivity.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import numpy as np

from app.simulator.apportion import Longs, apportion, half_up_int, sum_by
from app.simulator.draft import Draft, Draws
from app.simulator.frames import Part, dates, flags, longs, texts, words
from app.simulator.totals import NATURES, PROFILES, QUARTERS, WORKABLE
from app.simulator.workdays import MONTHS, epoch_day, month_days, month_end

PROFILE_SHARES: Final = (500, 350, 150)
"""Share of the workable profiles in the time of a unit, in thousandths."""
OTHER_SHARE: Final = 30
"""Time of other profiles, in thousandths of the workable time."""

CENTS_PER_THOUSANDTH: Final = 410
"""Cost of staff: cents per thousandth of a staff month, where no cost of a piece is given."""
NATURE_SHARES: Final = (1000, 80, 120, 90)
"""Costs by nature, in thousandths of the cost of staff."""

MONTHS_OF_QUARTER: Final = 3

_CENTS: Final = 100
_THOUSAND: Final = 1000
_SCALE: Final = 1_000_000


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Resources:
    """Staff time of the active units."""

    time: Longs
    """Units x profiles x 12 months, in thousandths of a staff month; workable profiles first."""
    costs: Longs
    """Units x natures x 4 quarters, in cents."""


def plan_resources(draft: Draft) -> Resources:
    """Return staff time and costs of all units: in proportion to what they settle, more or less."""
    pairs, plan, rng = draft.pairs, draft.plan, draft.rng(Draws.TIME)
    units, months = len(pairs.units), len(MONTHS)
    milli = np.array([product.milli for product in draft.world.products], np.int64)
    output = sum_by(pairs.unit, plan.defined.sum(axis=1) * milli[pairs.product], units)
    size = 1 + output * _SCALE // max(int(output.max()), 1)
    days = np.array([item.working_days for item in draft.world.calendars], np.int64)
    shares = np.array(PROFILE_SHARES, np.int64)
    weights = size[:, None, None] * shares[None, :, None] * days[None, None, :]
    noisy = weights * rng.integers(92, 109, (units, len(WORKABLE), months))
    rest = plan.staff_time - noisy.size
    workable = 1 + apportion(rest, noisy.reshape(-1)).reshape(noisy.shape)
    others = 1 + workable.sum(axis=1, keepdims=True) * OTHER_SHARE // _THOUSAND
    time = np.concatenate([workable, *([others] * (len(PROFILES) - len(WORKABLE)))], axis=1)
    return Resources(time=time, costs=_costs(draft, time, output_milli=int(output.sum())))


def _costs(draft: Draft, time: Longs, *, output_milli: int) -> Longs:
    """Return the running costs of the year: in proportion to the staff time, more or less."""
    units, natures = time.shape[0], len(NATURES)
    quarters = time.reshape(units, -1, len(QUARTERS), MONTHS_OF_QUARTER).sum(axis=(1, 3))
    noise = np.stack(
        [draft.rng(Draws.COSTS, month).integers(950, 1051, (units, natures)) for month in QUARTERS],
        axis=2,
    )
    shares = np.array(NATURE_SHARES, np.int64)
    staff = quarters[:, None, :] * CENTS_PER_THOUSANDTH
    costs: Longs = staff * shares[None, :, None] // _THOUSAND * noise // _THOUSAND
    wanted = draft.targets.cost_per_point
    if wanted is None:
        return costs
    total = half_up_int(Fraction(wanted) * _CENTS * output_milli / _THOUSAND)
    return apportion(total, costs.reshape(-1)).reshape(costs.shape)


def presence_part(draft: Draft, resources: Resources, month: int) -> Part:
    """Return the staff time of a month, 1 to 12."""
    units, profiles = len(draft.pairs.units), len(PROFILES)
    unit = np.repeat(np.arange(units, dtype=np.int64), profiles)
    profile = np.tile(np.arange(profiles, dtype=np.int64), units)
    first = epoch_day(month_end(draft.targets.year, month).replace(day=1))
    columns = [
        texts("unit", draft.unit_codes(), unit),
        texts("profile", words(PROFILES), profile),
        dates("month", np.full(unit.size, first)),
        longs("staff_time", resources.time[:, :, month - 1].reshape(-1)),
        flags("workable", profile < len(WORKABLE)),
    ]
    name = "PresenceRecorded"
    return Part(family="presence", name=name, frame=draft.numbers.frame(name, columns))


def cost_parts(draft: Draft, resources: Resources, month: int) -> Iterator[Part]:
    """Yield the running costs of the quarter that a month ends, if it ends one."""
    if month not in QUARTERS:
        return
    units, natures = len(draft.pairs.units), len(NATURES)
    days = month_days(draft.targets.year, month)
    amount = resources.costs[:, :, QUARTERS.index(month)]
    columns = [
        texts(
            "unit",
            draft.unit_codes(),
            np.repeat(np.arange(units, dtype=np.int64), natures),
        ),
        texts("nature", words(NATURES), np.tile(np.arange(natures, dtype=np.int64), units)),
        dates("accounted_on", np.full(amount.size, days.day[days.working][-1])),
        longs("amount", amount.reshape(-1)),
    ]
    name = "RunningCostRecorded"
    yield Part(family="cost", name=name, frame=draft.numbers.frame(name, columns))
