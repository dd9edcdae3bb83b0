"""Organisation units with validity and successors: one aggregate for the whole tree.

The tree is one consistency boundary because its rules (no cycle, open parent, no orphans) look at
several units at once; a body has some hundred units, so one stream stays short.
"""

import datetime as dt
from dataclasses import dataclass, field, replace

from immutables import Map

from ledger.aggregates.base import (
    Aggregate,
    Happened,
    Lookup,
    Proposal,
    require_known,
    require_new,
    require_order,
    unexpected,
)
from ledger.events.base import Event
from ledger.events.ledger import Envelope
from ledger.events.organisation import (
    UnitClosed,
    UnitCountsReported,
    UnitEstablished,
    UnitReorganised,
)
from ledger.rules import Rule, refuse
from ledger.types import StreamName

STREAM = StreamName("organisation")


@dataclass(frozen=True, kw_only=True, slots=True)
class Unit:
    """A unit in its latest state."""

    code: str
    name: str
    unit_type: str
    parent_code: str | None
    valid_from: dt.date
    changed_on: dt.date
    """First day of the latest state."""
    valid_to: dt.date | None = None
    """Last day of existence, inclusive; None while it exists."""


@dataclass(frozen=True, kw_only=True, slots=True)
class OrganisationState:
    """Units by code."""

    units: Map[str, Unit] = field(default_factory=Map)

    def exists_on(self, code: str, day: dt.date) -> bool:
        """Tell whether the unit exists on a day."""
        unit = self.units.get(code)
        return (
            unit is not None
            and unit.valid_from <= day
            and (unit.valid_to is None or day <= unit.valid_to)
        )


def _decide(state: OrganisationState, proposal: Proposal, _: Lookup) -> None:
    match proposal.event:
        case UnitEstablished() as event:
            require_new(state.units.get(event.unit_code), kind="unit", name=event.unit_code)
            if event.parent_code is not None:
                _require_parent(state, event.unit_code, event.parent_code, event.valid_from)
        case UnitReorganised() as event:
            unit = _open_unit(state, event.unit_code)
            require_order(
                unit.changed_on, event.valid_from, first="latest change", second="valid_from"
            )
            _require_change(unit, event)
            if event.parent_code is not None:
                _require_parent(state, event.unit_code, event.parent_code, event.valid_from)
        case UnitClosed() as event:
            _decide_close(state, event)
        case UnitCountsReported() as event:
            if event.units < 0:
                refuse(
                    Rule.VALUE_NOT_ALLOWED,
                    f"units is {event.units}; a count is not negative",
                    field="units",
                    value=event.units,
                    allowed=">= 0",
                )
        case other:
            raise unexpected(other)


def _decide_close(state: OrganisationState, event: UnitClosed) -> None:
    unit = _open_unit(state, event.unit_code)
    require_order(unit.changed_on, event.valid_to, first="latest change", second="valid_to")
    children = sorted(
        code
        for code, child in state.units.items()
        if child.parent_code == event.unit_code and child.valid_to is None
    )
    if children:
        refuse(
            Rule.HAS_OPEN_CHILDREN,
            f"unit {event.unit_code} still has open units below it: {', '.join(children)}",
            unit=event.unit_code,
            children=", ".join(children),
        )
    for successor in event.successors:
        _open_unit(state, successor)
        if successor == event.unit_code:
            refuse(
                Rule.HIERARCHY_CYCLE,
                f"unit {event.unit_code} cannot be its own successor",
                path=f"{event.unit_code} > {event.unit_code}",
            )


def _open_unit(state: OrganisationState, code: str) -> Unit:
    unit = require_known(state.units.get(code), kind="unit", name=code)
    if unit.valid_to is not None:
        refuse(
            Rule.ENTITY_CLOSED,
            f"unit {code} ended on {unit.valid_to}",
            kind="unit",
            name=code,
            date=unit.valid_to.isoformat(),
        )
    return unit


def _require_parent(state: OrganisationState, code: str, parent: str, day: dt.date) -> None:
    path = [code]
    above: str | None = parent
    while above is not None:
        path.append(above)
        if above == code:
            refuse(
                Rule.HIERARCHY_CYCLE,
                f"unit {code} would be above itself: {' > '.join(path)}",
                path=" > ".join(path),
            )
        unit = _open_unit(state, above)
        above = unit.parent_code
    require_order(
        state.units[parent].valid_from, day, first=f"beginning of {parent}", second="valid_from"
    )


def _require_change(unit: Unit, event: UnitReorganised) -> None:
    wanted = (event.name, event.unit_type, event.parent_code)
    present = (unit.name, unit.unit_type, unit.parent_code)
    if all(new is None or new == old for new, old in zip(wanted, present, strict=True)):
        refuse(
            Rule.NOTHING_CHANGES,
            f"unit {unit.code} has that name, type and parent already",
            field="unit",
            value=unit.code,
        )


def _evolve(state: OrganisationState, happened: Happened) -> OrganisationState:
    match happened.event:
        case UnitEstablished() as event:
            unit = Unit(
                code=event.unit_code,
                name=event.name,
                unit_type=event.unit_type,
                parent_code=event.parent_code,
                valid_from=event.valid_from,
                changed_on=event.valid_from,
            )
        case UnitReorganised() as event:
            before = state.units[event.unit_code]
            unit = replace(
                before,
                name=event.name or before.name,
                unit_type=event.unit_type or before.unit_type,
                parent_code=event.parent_code or before.parent_code,
                changed_on=event.valid_from,
            )
        case UnitClosed() as event:
            unit = replace(state.units[event.unit_code], valid_to=event.valid_to)
        case _:
            return state
    return OrganisationState(units=state.units.set(unit.code, unit))


def _stream_of(_: Event, __: Envelope) -> StreamName:
    return STREAM


ORGANISATION = Aggregate(
    name="organisation",
    events=(UnitEstablished, UnitReorganised, UnitClosed, UnitCountsReported),
    stream_of=_stream_of,
    initial=OrganisationState(),
    decide=_decide,
    evolve=_evolve,
)


def require_unit(lookup: Lookup, code: str | None, day: dt.date) -> None:
    """Refuse a unit that does not exist on a day; None stands for the whole body."""
    if code is None:
        return
    state = lookup.state(ORGANISATION, STREAM)
    unit = require_known(state.units.get(code), kind="unit", name=code)
    if not state.exists_on(code, day):
        refuse(
            Rule.ENTITY_CLOSED,
            f"unit {code} does not exist on {day}",
            kind="unit",
            name=code,
            date=(unit.valid_to or unit.valid_from).isoformat(),
        )
