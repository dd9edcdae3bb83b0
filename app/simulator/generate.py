"""A year of facts as batches, in order of the day they became known.

Invariants:
1. The rows of all batches are exactly the events asked for; no batch exceeds 200 000 rows.
2. Same arguments, same batches, byte for byte.
3. Memory holds the plan of the year, which does not grow with the events, and one batch.

Source: docs/production.md.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from app.simulator.cells import ROWS_MAX
from app.simulator.draft import Draft
from app.simulator.flowfacts import FlowFacts, month_part, plan_flows, stage_part
from app.simulator.frames import Numbers, Part
from app.simulator.measurements import measurement_parts
from app.simulator.production import Production
from app.simulator.resources import Resources, cost_parts, plan_resources, presence_part
from app.simulator.stocks import stock_parts
from app.simulator.targets import Targets, check_seed
from app.simulator.totals import plan_totals
from app.simulator.workdays import MONTHS, month_end
from app.simulator.world import World
from app.simulator.yearplan import plan_year

NAMESPACE: Final = "registro.facts"

_AFTER: Final = len(MONTHS) + 1
"""The month after the year: what is late or corrected from December."""
_ID_DIGITS: Final = 6


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Batch:
    """Facts of one kind that one source sends together."""

    family: str
    """One of production, stock, presence, flow, cost, measurement."""
    full_name: str
    """Full name of the schema of its facts."""
    source: str
    batch_id: str
    """Sequence number in its source: 6 digits, from 000001."""
    as_of: dt.date
    """Day on which the facts became known."""
    vintage: str | None
    """Stage that made them known; None during the year."""
    frame: pl.DataFrame
    """The facts: 1 to 200 000 rows, columns and types of the schema in its order."""


def generate(world: World, targets: Targets, events: int, seed: int) -> Iterator[Batch]:
    """Return the batches of a year.

    Args:
        world: the body, made for these targets.
        targets: figures to hit.
        events: number of facts, at least 50 000.
        seed: seed of the facts, at least 0; that of the world may be another one.

    Raises:
        TooFewEventsError: the facts cannot carry the figures; raised before the first batch.
        TargetsError: no facts can carry the figures; likewise.
    """
    check_seed(seed)
    totals = plan_totals(world, targets, events)
    draft = Draft(
        world=world,
        targets=targets,
        totals=totals,
        plan=plan_year(world, targets, totals, seed),
        numbers=Numbers(year=targets.year),
        seed=seed,
    )
    year = _Year(
        draft=draft,
        production=Production(draft=draft),
        resources=plan_resources(draft),
        flows=plan_flows(draft),
    )
    return year.batches()


@dataclass(kw_only=True, slots=True, eq=False)
class _Year:
    """Puts the facts of one simulation in order."""

    draft: Draft
    production: Production
    resources: Resources
    flows: FlowFacts | None
    _sent: dict[str, int] = field(default_factory=dict)

    def batches(self) -> Iterator[Batch]:
        """Yield months and stages by the day they became known; a month before a stage."""
        months = [(month_end(self.draft.targets.year, month), month) for month in (*MONTHS, _AFTER)]
        stages = [
            (known.stage.as_of, _AFTER + 1 + place)
            for place, known in enumerate(self.draft.totals.flows)
        ]
        for as_of, number in sorted(months + stages):
            if number <= _AFTER:
                for part in self._month(number):
                    yield from self._sliced(part, as_of, None)
                continue
            part_of_stage = self._stage(number - _AFTER - 1)
            if part_of_stage is not None:
                vintage = self.draft.totals.flows[number - _AFTER - 1].stage.vintage
                yield from self._sliced(part_of_stage, as_of, vintage)

    def _month(self, month: int) -> Iterator[Part]:
        """Yield what becomes known at the end of a month; 13 is the month after the year."""
        yield from self.production.month(month)
        if month not in MONTHS:
            return
        yield from stock_parts(self.draft, month)
        yield presence_part(self.draft, self.resources, month)
        if self.flows is not None:
            flows = month_part(self.draft, self.flows, month)
            if flows is not None:
                yield flows
        yield from cost_parts(self.draft, self.resources, month)
        yield from measurement_parts(self.draft, month)

    def _stage(self, stage: int) -> Part | None:
        """Return the flows that become known at a stage, 0-based."""
        return None if self.flows is None else stage_part(self.draft, self.flows, stage)

    def _sliced(self, part: Part, as_of: dt.date, vintage: str | None) -> Iterator[Batch]:
        """Yield the batches of facts that became known together."""
        source = self.draft.world.source_of(part.family)
        for first in range(0, part.frame.height, ROWS_MAX):
            self._sent[source] = self._sent.get(source, 0) + 1
            yield Batch(
                family=part.family,
                full_name=f"{NAMESPACE}.{part.name}",
                source=source,
                batch_id=f"{self._sent[source]:0{_ID_DIGITS}d}",
                as_of=as_of,
                vintage=vintage,
                frame=part.frame.slice(first, ROWS_MAX),
            )
