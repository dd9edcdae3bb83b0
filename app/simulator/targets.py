"""The figures that a simulated year must reproduce: parameters, never constants of one body.

Invariants:
1. Flow nodes form a forest: unique codes, known parents, no circle.
2. A stage prints every node, or none.
3. Whole days of backlog; productivity above 0 and outflow above 0, with at most 2 decimals.

Source: docs/production.md for the indices.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal

from app.simulator.errors import TargetsError

Line = Literal["prestazioni", "flussi", "none"]
"""Line of the outflow index that counts an area."""

Sign = Literal["+", "-"]
"""How a node enters its parent."""

FIRST_YEAR: Final = 1900
LAST_YEAR: Final = 9997
"""The calendar must know the year before and after."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FlowNode:
    """One node of the tree of money flows."""

    code: str
    parent: str | None
    """Code of the node above, None for a root."""
    sign: Sign
    """How it enters its parent; its own amount is not affected."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Stage:
    """One closing of the year, as it was printed."""

    vintage: str
    as_of: dt.date
    """Day on which its amounts were known."""
    flows: Mapping[str, int]
    """Printed amount in whole euro by code of node, of all levels; empty for none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Area:
    """One area of production."""

    code: str
    label: str
    line: Line
    backlog_days: Decimal
    """Closing stock over daily settlements, in whole days of the calendar; at least 0."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Targets:
    """All that a year must reproduce.

    Raises:
        TargetsError: a figure is out of bounds or the figures do not fit each other in form.
    """

    year: int
    productivity: Decimal
    """Homogenised pieces per staff month, 2 decimals."""
    outflow: Decimal
    """Pieces settled over pieces received, 2 decimals."""
    areas: tuple[Area, ...]
    nodes: tuple[FlowNode, ...]
    stages: tuple[Stage, ...]
    """Closings in order of `as_of`."""
    cost_per_point: Decimal | None = None
    """Running cost in euro of one homogenised piece, 2 decimals; None leaves costs to the staff."""

    def __post_init__(self) -> None:
        """Refuse figures that cannot be hit by any facts."""
        if not FIRST_YEAR <= self.year <= LAST_YEAR:
            raise TargetsError(
                subject="year", reason=f"{self.year} is not between {FIRST_YEAR} and {LAST_YEAR}"
            )
        _check_ratio("productivity", self.productivity)
        _check_ratio("outflow", self.outflow)
        if self.cost_per_point is not None:
            _check_ratio("cost per point", self.cost_per_point)
        _check_areas(self.areas)
        _check_nodes(self.nodes)
        _check_stages(self)


def check_seed(seed: int) -> None:
    """Refuse a seed that the generator of random numbers does not take.

    Raises:
        TargetsError: the seed is below 0.
    """
    if seed < 0:
        raise TargetsError(subject="seed", reason=f"{seed} is below 0")


def _check_ratio(subject: str, value: Decimal) -> None:
    """Refuse a ratio that two decimals cannot print, or that is not above 0."""
    if not value.is_finite() or value <= 0:
        raise TargetsError(subject=subject, reason=f"{value} is not a number above 0")
    if value != value.quantize(Decimal("0.01")):
        raise TargetsError(subject=subject, reason=f"{value} has more than 2 decimals")


def _check_areas(areas: tuple[Area, ...]) -> None:
    """Refuse no area, the same area twice, and days that are not whole or below 0."""
    if not areas:
        raise TargetsError(subject="areas", reason="there is none")
    seen: set[str] = set()
    for area in areas:
        if area.code in seen:
            raise TargetsError(subject=f"area {area.code}", reason="it stands twice")
        seen.add(area.code)
        days = area.backlog_days
        if not days.is_finite() or days < 0 or days != days.to_integral_value():
            raise TargetsError(
                subject=f"backlog of {area.code}", reason=f"{days} is not a whole number of days"
            )


def _check_nodes(nodes: tuple[FlowNode, ...]) -> None:
    """Refuse nodes that do not form a forest."""
    parents = {node.code: node.parent for node in nodes}
    if len(parents) != len(nodes):
        raise TargetsError(subject="flow nodes", reason="a code stands twice")
    for code, parent in parents.items():
        if parent is not None and parent not in parents:
            raise TargetsError(subject=f"flow node {code}", reason=f"no parent {parent!r}")
        above, steps = parent, 0
        while above is not None and steps <= len(parents):
            above, steps = parents.get(above), steps + 1
        if above is not None:
            raise TargetsError(subject=f"flow node {code}", reason="it is below itself")


def _check_stages(targets: Targets) -> None:
    """Refuse stages out of order, before the year, or that print some nodes only."""
    codes = {node.code for node in targets.nodes}
    before = dt.date(targets.year, 1, 30)
    for stage in targets.stages:
        if stage.as_of <= before:
            raise TargetsError(
                subject=f"stage {stage.vintage}",
                reason=f"{stage.as_of} is not after {before}, the stage or month before it",
            )
        before = stage.as_of
        if stage.flows and set(stage.flows) != codes:
            differing = sorted(set(stage.flows) ^ codes)
            raise TargetsError(
                subject=f"stage {stage.vintage}",
                reason=f"node {differing[0]} is in the tree or in the stage, not in both",
            )
