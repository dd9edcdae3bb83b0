"""What the facts of a simulation must add up to, told before they are drawn.

Source: docs/production.md for the indices.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from app.simulator.generate import NAMESPACE
from app.simulator.targets import Targets
from app.simulator.totals import plan_totals
from app.simulator.world import World


@dataclass(frozen=True, kw_only=True, slots=True)
class ExpectedArea:
    """One area of production over the year."""

    code: str
    received: int
    """Pieces received."""
    defined: int
    """Pieces settled."""
    closing: int
    """Pieces waiting at the end of the year."""
    backlog_days: Decimal
    """Closing stock over daily settlements, rounded half-up to whole days."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ExpectedStage:
    """The money flows known at one stage."""

    vintage: str
    as_of: dt.date
    euro: Mapping[str, int]
    """Amount of every node, rounded half-up to euro."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Expected:
    """Totals of the year, corrections taken into account."""

    facts: Mapping[str, int]
    """Number of facts by full name of their schema; they add up to the events."""
    units: int
    """Units of the body."""
    settling_units: int
    """Units that settle requests in this simulation."""
    pairs: int
    """Pairs of a unit and a product that have facts."""
    received: int
    """Pieces received."""
    defined: int
    """Pieces settled."""
    productivity: Decimal
    """Homogenised pieces per workable staff month, rounded half-up to 2 decimals."""
    outflow: Decimal
    """Pieces settled over pieces received, rounded half-up to 2 decimals."""
    areas: tuple[ExpectedArea, ...]
    stages: tuple[ExpectedStage, ...]


def expected(world: World, targets: Targets, events: int) -> Expected:
    """Return what the facts of any seed add up to.

    Args:
        world: the body, made for these targets.
        targets: figures to hit.
        events: number of facts, at least 50 000.

    Raises:
        TooFewEventsError: the facts cannot carry the figures.
        TargetsError: no facts can carry the figures.
    """
    totals = plan_totals(world, targets, events)
    return Expected(
        facts={f"{NAMESPACE}.{name}": count for name, count in sorted(totals.facts.items())},
        units=len(world.units),
        settling_units=len(totals.pairs.units),
        pairs=totals.pairs.size,
        received=totals.received,
        defined=totals.defined,
        productivity=targets.productivity,
        outflow=targets.outflow,
        areas=tuple(
            ExpectedArea(
                code=area.code,
                received=int(totals.area_received[place]),
                defined=int(totals.area_defined[place]),
                closing=int(totals.area_closing[place]),
                backlog_days=area.backlog_days,
            )
            for place, area in enumerate(targets.areas)
        ),
        stages=tuple(
            ExpectedStage(
                vintage=known.stage.vintage,
                as_of=known.stage.as_of,
                euro=dict(known.stage.flows),
            )
            for known in totals.flows
        ),
    )
