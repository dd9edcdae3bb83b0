"""The measurement system of a year and the versioned definitions of indicators."""

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
    require_one_of,
    require_order,
    unexpected,
)
from ledger.events.base import Event
from ledger.events.ledger import Envelope
from ledger.events.measurement import (
    IndicatorDefined,
    IndicatorMethodChanged,
    MeasurementSystemAdopted,
    ValueNodeDefined,
)
from ledger.formula import parse_formula
from ledger.rules import Rule, refuse
from ledger.types import StreamName

DIRECTIONS = ("up", "down")
DEVIATION_RULES = ("DR1", "DR2", "DR3", "DR4", "DR5", "DR6")


@dataclass(frozen=True, kw_only=True, slots=True)
class SystemState:
    """Measurement systems of a year by model, and the nodes of their models."""

    systems: Map[str, MeasurementSystemAdopted] = field(default_factory=Map)
    nodes: Map[tuple[str, str], ValueNodeDefined] = field(default_factory=Map)
    """By model and node code."""


@dataclass(frozen=True, kw_only=True, slots=True)
class IndicatorState:
    """The versions of one indicator's definition, oldest first."""

    versions: tuple[IndicatorDefined, ...] = ()
    announced: int = 0
    """Version announced by the latest IndicatorMethodChanged; 0 for none."""

    def defined_for(self, first: dt.date, last: dt.date) -> IndicatorDefined | None:
        """Return the newest definition that is valid on both days; None when there is none."""
        for definition in reversed(self.versions):
            if definition.valid_from <= first and (
                definition.valid_to is None or last <= definition.valid_to
            ):
                return definition
        return None


def indicator_stream(code: str) -> StreamName:
    """Return the stream of the definitions of an indicator."""
    return StreamName(f"indicator/{code}")


def system_stream(year: int) -> StreamName:
    """Return the stream of the measurement systems of a year."""
    return StreamName(f"measurement-system/{year}")


def _decide_system(state: SystemState, proposal: Proposal, _: Lookup) -> None:
    match proposal.event:
        case MeasurementSystemAdopted() as event:
            require_new(state.systems.get(event.model), kind="measurement system", name=event.model)
        case ValueNodeDefined() as event:
            require_known(
                state.systems.get(event.model), kind="measurement system", name=event.model
            )
            require_new(
                state.nodes.get((event.model, event.node_code)), kind="node", name=event.node_code
            )
            if event.parent_code is not None:
                require_known(
                    state.nodes.get((event.model, event.parent_code)),
                    kind="node",
                    name=event.parent_code,
                )
        case other:
            raise unexpected(other)


def _evolve_system(state: SystemState, happened: Happened) -> SystemState:
    match happened.event:
        case MeasurementSystemAdopted() as event:
            return replace(state, systems=state.systems.set(event.model, event))
        case ValueNodeDefined() as event:
            return replace(state, nodes=state.nodes.set((event.model, event.node_code), event))
        case other:
            raise unexpected(other)


def _decide_indicator(state: IndicatorState, proposal: Proposal, _: Lookup) -> None:
    last = len(state.versions)
    match proposal.event:
        case IndicatorDefined() as event:
            _require_definition(event)
            changed = bool(state.versions) and changes_method(state.versions[-1], event)
            unannounced = changed and state.announced != event.version
            if event.version != last + 1 or unannounced:
                refuse(
                    Rule.DEFINITION_VERSION,
                    f"indicator {event.indicator_code} has {last} versions; version "
                    f"{event.version} does not follow, or changes the method unannounced",
                    indicator=event.indicator_code,
                    versions=last,
                    version=event.version,
                )
            if state.versions:
                require_order(
                    state.versions[-1].valid_from,
                    event.valid_from,
                    first=f"validity of version {last}",
                    second="valid_from",
                )
        case IndicatorMethodChanged() as event:
            if (event.from_version, event.to_version) != (last, last + 1) or last == 0:
                refuse(
                    Rule.DEFINITION_VERSION,
                    f"indicator {event.indicator_code} has {last} versions; a change from "
                    f"{event.from_version} to {event.to_version} does not follow",
                    indicator=event.indicator_code,
                    versions=last,
                    version=event.to_version,
                )
        case other:
            raise unexpected(other)


def changes_method(before: IndicatorDefined, after: IndicatorDefined) -> bool:
    """Tell whether two versions measure in different ways, so that the change is announced."""
    return (before.formula, before.measure_unit, before.direction, before.deviation_rule) != (
        after.formula,
        after.measure_unit,
        after.direction,
        after.deviation_rule,
    )


def _require_definition(event: IndicatorDefined) -> None:
    require_one_of(event.direction, DIRECTIONS, field="direction")
    require_one_of(event.deviation_rule, DEVIATION_RULES, field="deviation_rule")
    if event.valid_to is not None:
        require_order(event.valid_from, event.valid_to, first="valid_from", second="valid_to")
    parse_formula(event.formula, subject=event.indicator_code)


def _evolve_indicator(state: IndicatorState, happened: Happened) -> IndicatorState:
    match happened.event:
        case IndicatorDefined() as event:
            return replace(state, versions=(*state.versions, event))
        case IndicatorMethodChanged() as event:
            return replace(state, announced=event.to_version)
        case other:
            raise unexpected(other)


def _system_stream_of(event: Event, _: Envelope) -> StreamName:
    match event:
        case MeasurementSystemAdopted() | ValueNodeDefined():
            return system_stream(event.year)
        case _:
            raise unexpected(event)


def _indicator_stream_of(event: Event, _: Envelope) -> StreamName:
    match event:
        case IndicatorDefined() | IndicatorMethodChanged():
            return indicator_stream(event.indicator_code)
        case _:
            raise unexpected(event)


SYSTEMS = Aggregate(
    name="measurement-system",
    events=(MeasurementSystemAdopted, ValueNodeDefined),
    stream_of=_system_stream_of,
    initial=SystemState(),
    decide=_decide_system,
    evolve=_evolve_system,
)

INDICATORS = Aggregate(
    name="indicator",
    events=(IndicatorDefined, IndicatorMethodChanged),
    stream_of=_indicator_stream_of,
    initial=IndicatorState(),
    decide=_decide_indicator,
    evolve=_evolve_indicator,
)


def require_definition(
    lookup: Lookup, code: str, first: dt.date, last: dt.date
) -> IndicatorDefined:
    """Return the definition of an indicator for a period, or refuse because there is none."""
    found = lookup.state(INDICATORS, indicator_stream(code)).defined_for(first, last)
    if found is None:
        refuse(
            Rule.DEFINITION_MISSING,
            f"indicator {code} has no definition for {first} - {last}",
            indicator=code,
            first=first.isoformat(),
            last=last.isoformat(),
        )
    return found
