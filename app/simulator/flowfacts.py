"""Money flows as facts: month by month, the rest at the first stage, then what changed.

Invariants:
1. The facts of a leaf known at a stage add up to its cents of that stage.
2. A leaf that did not change between two stages has no fact of the later one.

Source: docs/production.md, money flows.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Final

import numpy as np

from app.simulator.apportion import Longs, apportion
from app.simulator.draft import Draft, Draws
from app.simulator.frames import Part, dates, longs, texts, words
from app.simulator.workdays import epoch_day, month_days

_MONTH_WEIGHT: Final = 8
_STAGE_WEIGHT: Final = 5
"""Part of the first stage's batch, when a month's is 8."""
_DECEMBER: Final = 12


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class FlowFacts:
    """Amounts planned before the year: leaves x slots x units, in cents."""

    leaves: tuple[str, ...]
    first: Longs
    """Slots: the months that carry flows, then the first stage."""
    unit: Longs
    """Leaves x units: which units account for a leaf."""


def plan_flows(draft: Draft) -> FlowFacts | None:
    """Return the amounts up to the first stage; None when no stage prints flows."""
    totals, rng = draft.totals, draft.rng(Draws.FLOW_AMOUNTS)
    if not totals.flows:
        return None
    cents = totals.flows[0].cents
    slots = [_MONTH_WEIGHT] * len(totals.flow_months) + [_STAGE_WEIGHT]
    units = len(totals.pairs.units)
    place = np.arange(totals.flow_units, dtype=np.int64) * units // totals.flow_units
    unit = (place[None, :] + np.arange(len(cents), dtype=np.int64)[:, None]) % units
    size = np.array([item.weight for item in totals.pairs.units], np.int64)
    shape = (len(slots), totals.flow_units)
    first = [
        apportion(
            amount,
            (
                np.array(slots, np.int64)[:, None] * size[unit[leaf]] * rng.integers(8, 13, shape)
            ).reshape(-1),
        ).reshape(shape)
        for leaf, amount in enumerate(cents.values())
    ]
    return FlowFacts(leaves=tuple(cents), first=np.stack(first), unit=unit)


def month_part(draft: Draft, facts: FlowFacts, month: int) -> Part | None:
    """Return the flows of a month, 1 to 12; None when its batches carry none."""
    months = draft.totals.flow_months
    if month not in months:
        return None
    rng = draft.rng(Draws.FLOW_MONTHS, month)
    days = month_days(draft.targets.year, month)
    amounts = facts.first[:, months.index(month), :]
    drawn = rng.choice(days.day[days.working], amounts.size)
    every = np.arange(len(facts.leaves), dtype=np.int64)
    return _part(draft, facts, every, amounts, drawn)


def stage_part(draft: Draft, facts: FlowFacts, stage: int) -> Part | None:
    """Return the flows that become known at a stage, 0 for the first; None when nothing changed."""
    totals, rng = draft.totals, draft.rng(Draws.FLOW_STAGES, stage)
    known = totals.flows[stage]
    day = min(known.stage.as_of, dt.date(draft.targets.year, _DECEMBER, 31))
    if stage == 0:
        changed = np.arange(len(facts.leaves), dtype=np.int64)
        amounts = facts.first[:, -1, :]
    else:
        before = totals.flows[stage - 1].cents
        deltas = [known.cents[leaf] - before[leaf] for leaf in facts.leaves]
        changed = np.flatnonzero(np.array(deltas, np.int64))
        if not changed.size:
            return None
        weights = rng.integers(50, 150, (changed.size, totals.flow_units))
        amounts = np.stack(
            [
                apportion(deltas[leaf], row)
                for leaf, row in zip(changed.tolist(), weights, strict=True)
            ]
        )
    days = month_days(day.year, day.month)
    closing = days.day[days.working & (days.day <= epoch_day(day))]
    last = closing[-1] if closing.size else epoch_day(day)
    return _part(draft, facts, changed, amounts, np.full(amounts.size, last))


def _part(draft: Draft, facts: FlowFacts, leaves: Longs, amounts: Longs, days: Longs) -> Part:
    """Return the facts of some leaves, one per unit that accounts for them."""
    name = "FlowRecorded"
    columns = [
        texts("node", words(facts.leaves), np.repeat(leaves, draft.totals.flow_units)),
        texts(
            "unit",
            draft.unit_codes(),
            facts.unit[leaves].reshape(-1),
        ),
        dates("accounted_on", days),
        longs("amount", amounts.reshape(-1)),
    ]
    return Part(family="flow", name=name, frame=draft.numbers.frame(name, columns))
