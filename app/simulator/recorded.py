"""What of a simulated body enters the ledger as governed events, before its facts.

Invariant: the same world gives the same commands under the same keys; twice adds nothing.
"""

import datetime as dt
from collections.abc import Collection, Iterator
from typing import Final

from app.simulator.world import World
from ledger.aggregates.base import Command, Proposal
from ledger.envelopes import command
from ledger.events.base import Event
from ledger.events.ledger import Actor, ActReference, Envelope, Source
from ledger.events.organisation import UnitEstablished
from ledger.events.production import (
    FactSourceDeclared,
    HomogenisationCoefficientSet,
    ProductCatalogued,
    WorkingCalendarSet,
)

SYSTEM: Final = "simulator"
ACTOR: Final = Actor(role=SYSTEM)
WINDOW_FACTS: Final = 0
"""The simulator numbers its facts itself: nothing is searched for duplicates."""


def setup_commands(
    world: World, *, year: int, act: ActReference, known_units: Collection[str]
) -> Iterator[Command]:
    """Yield the commands that record the body of a simulation.

    Args:
        world: the body.
        year: from whose first day everything is valid.
        act: under which it is recorded.
        known_units: codes of units that the ledger has already; they stay as they are.
    """
    first = dt.date(year, 1, 1)
    as_of = max(first, act.adopted_on)
    groups: tuple[tuple[str, list[Event]], ...] = (
        ("units", list(_units(world, first))),
        ("products", list(_products(world, first))),
        ("calendars", list(_calendars(world))),
        ("sources", list(_sources(world))),
    )
    for name, events in groups:
        envelope = Envelope(
            as_of=as_of, actor=ACTOR, source=Source(system=SYSTEM, locator=name), acts=(act,)
        )
        proposals = [Proposal(event=event, envelope=envelope) for event in events]
        # The key stands for the whole group, also when some of its units were there before.
        said = [[one.TYPE, one] for one in events]
        new = [
            one
            for one in proposals
            if not isinstance(one.event, UnitEstablished) or one.event.unit_code not in known_units
        ]
        yield command(f"simulation/{year}/{name}", new, facts=said)


def _units(world: World, first: dt.date) -> Iterator[Event]:
    for unit in world.units:
        yield UnitEstablished(
            unit_code=unit.code,
            unit_type=unit.unit_type,
            name=unit.name,
            parent_code=unit.parent_code,
            valid_from=first,
        )


def _products(world: World, first: dt.date) -> Iterator[Event]:
    for product in world.products:
        yield ProductCatalogued(
            product=product.code,
            label=product.label,
            area=product.area,
            line=product.line,
            valid_from=first,
        )
        yield HomogenisationCoefficientSet(
            product=product.code, coefficient=product.coefficient, valid_from=first
        )


def _calendars(world: World) -> Iterator[Event]:
    for month in world.calendars:
        yield WorkingCalendarSet(
            year=month.year, month=month.month, working_days=month.working_days
        )


def _sources(world: World) -> Iterator[Event]:
    for source in world.sources:
        yield FactSourceDeclared(
            source=source.name, label=source.label, window_facts=WINDOW_FACTS, sequential=True
        )
