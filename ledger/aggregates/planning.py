"""Objectives of a year with their weights and targets.

One stream per year, because weights are judged among siblings and the tree has some hundred nodes.
"""

import datetime as dt
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Final

from immutables import Map

from ledger.aggregates.base import (
    Aggregate,
    Happened,
    Lookup,
    Proposal,
    exact_sum,
    require_act,
    require_change,
    require_known,
    require_new,
    require_old_value,
    require_one_of,
    require_range,
    require_same,
    unexpected,
)
from ledger.aggregates.measurement import require_definition
from ledger.aggregates.organisation import require_unit
from ledger.events.base import Event
from ledger.events.ledger import Envelope
from ledger.events.planning import (
    AssignmentClosed,
    ObjectiveAssigned,
    TargetRevised,
    TargetSet,
    WeightSet,
)
from ledger.rules import Rule, refuse
from ledger.types import StreamName

FULL_WEIGHT: Final = Decimal(100)
"""Sum of the weights of siblings, percent."""

WEIGHT_BASES: Final = ("published", "equal")


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanningState:
    """The tree of objectives of one year."""

    objectives: Map[str, ObjectiveAssigned] = field(default_factory=Map)
    children: Map[str, tuple[str, ...]] = field(default_factory=Map)
    """Codes below a parent, in order of assignment."""
    weights: Map[tuple[str, str], Decimal] = field(default_factory=Map)
    """Percent, by parent and child."""
    closed: Map[str, bool] = field(default_factory=Map)
    """Parents whose assignment is closed."""
    targets: Map[tuple[str, str | None], Decimal] = field(default_factory=Map)
    """Target in force, by indicator and organisation unit."""

    def weights_below(self, parent: str) -> dict[str, Decimal]:
        """Return the weights of the children that have one, in order of assignment."""
        return {
            child: self.weights[(parent, child)]
            for child in self.children.get(parent, ())
            if (parent, child) in self.weights
        }


def planning_stream(year: int) -> StreamName:
    """Return the stream of the objectives of a year."""
    return StreamName(f"planning/{year}")


def year_bounds(year: int) -> tuple[dt.date, dt.date]:
    """Return the first and last day of a calendar year."""
    return dt.date(year, 1, 1), dt.date(year, 12, 31)


def _decide(state: PlanningState, proposal: Proposal, lookup: Lookup) -> None:
    match proposal.event:
        case ObjectiveAssigned() as event:
            _decide_objective(state, event, proposal.envelope, lookup)
        case WeightSet() as event:
            _decide_weight(state, event, proposal.envelope)
        case AssignmentClosed() as event:
            _decide_close(state, event)
        case TargetSet() as event:
            _require_indicator(event.indicator_code, event.unit_code, event.year, proposal, lookup)
            present = state.targets.get((event.indicator_code, event.unit_code))
            if present is not None:
                refuse(
                    Rule.TARGET_ALREADY_SET,
                    f"indicator {event.indicator_code} has the target {present}; revise it",
                    indicator=event.indicator_code,
                    target=present,
                )
        case TargetRevised() as event:
            _decide_revision(state, event, proposal.envelope)
        case other:
            raise unexpected(other)


def _decide_objective(
    state: PlanningState, event: ObjectiveAssigned, envelope: Envelope, lookup: Lookup
) -> None:
    require_new(state.objectives.get(event.code), kind="objective", name=event.code)
    require_unit(lookup, event.unit_code, _effect_day(event.year, envelope))
    if event.parent_code is None:
        return
    require_known(state.objectives.get(event.parent_code), kind="objective", name=event.parent_code)


def _decide_weight(state: PlanningState, event: WeightSet, envelope: Envelope) -> None:
    require_known(state.objectives.get(event.parent_code), kind="objective", name=event.parent_code)
    child = require_known(
        state.objectives.get(event.child_code), kind="objective", name=event.child_code
    )
    require_same(child.parent_code or "", event.parent_code, field="parent_code")
    require_range(event.weight, Decimal(0), FULL_WEIGHT, field="weight")
    require_one_of(event.basis, WEIGHT_BASES, field="basis")
    if event.parent_code in state.closed:
        if not envelope.acts:
            refuse(
                Rule.ASSIGNMENT_CLOSED,
                f"the assignment of {event.parent_code} is closed; its weights change only under "
                "an act",
                parent=event.parent_code,
            )
        present = state.weights.get((event.parent_code, event.child_code))
        require_change(present, event.weight, field=f"weight of {event.child_code}")


def _decide_close(state: PlanningState, event: AssignmentClosed) -> None:
    require_known(state.objectives.get(event.parent_code), kind="objective", name=event.parent_code)
    if event.parent_code in state.closed:
        refuse(
            Rule.ENTITY_CLOSED,
            f"the assignment of {event.parent_code} is closed already",
            kind="assignment",
            name=event.parent_code,
            date="",
        )
    weights = state.weights_below(event.parent_code)
    listed = ", ".join(f"{code} {weight}" for code, weight in weights.items())
    levels = {state.objectives[code].level for code in weights}
    without = [
        code
        for code in state.children.get(event.parent_code, ())
        if code not in weights and (not weights or state.objectives[code].level in levels)
    ]
    if without or not weights:
        refuse(
            Rule.WEIGHTS_INCOMPLETE,
            f"children of {event.parent_code} without a weight: {', '.join(without) or 'all'}",
            parent=event.parent_code,
            without=", ".join(without) or "-",
        )
    total = exact_sum(weights.values())
    if total != FULL_WEIGHT:
        refuse(
            Rule.WEIGHTS_SUM,
            f"the weights below {event.parent_code} sum to {total}, not 100: {listed}",
            parent=event.parent_code,
            total=total,
            weights=listed,
        )
    require_old_value(event.total, total, field="total")
    require_old_value(event.children, len(weights), field="children")


def _decide_revision(state: PlanningState, event: TargetRevised, envelope: Envelope) -> None:
    present = state.targets.get((event.indicator_code, event.unit_code))
    if present is None:
        refuse(
            Rule.TARGET_NOT_SET,
            f"indicator {event.indicator_code} has no target in {event.year}",
            indicator=event.indicator_code,
            year=event.year,
        )
    require_old_value(event.old_target, present, field="old_target")
    require_change(event.old_target, event.new_target, field="target")
    require_act(envelope, what=f"the revision of the target of {event.indicator_code}")
    if not event.cause.strip():
        refuse(
            Rule.CORRECTION_NEEDS_REASON,
            f"the revision of the target of {event.indicator_code} states no cause",
            subject=event.indicator_code,
        )


def _require_indicator(
    code: str, unit_code: str | None, year: int, proposal: Proposal, lookup: Lookup
) -> None:
    first, last = year_bounds(year)
    require_definition(lookup, code, first, last)
    require_unit(lookup, unit_code, _effect_day(year, proposal.envelope))


def _effect_day(year: int, envelope: Envelope) -> dt.date:
    return max(envelope.ref_from or year_bounds(year)[0], year_bounds(year)[0])


def _evolve(state: PlanningState, happened: Happened) -> PlanningState:
    match happened.event:
        case ObjectiveAssigned() as event:
            children = state.children
            if event.parent_code is not None:
                siblings = children.get(event.parent_code, ())
                children = children.set(event.parent_code, (*siblings, event.code))
            objectives = state.objectives.set(event.code, event)
            return replace(state, objectives=objectives, children=children)
        case WeightSet() as event:
            key = (event.parent_code, event.child_code)
            closed = state.closed
            if event.parent_code in closed:
                closed = closed.delete(event.parent_code)
            return replace(state, weights=state.weights.set(key, event.weight), closed=closed)
        case AssignmentClosed() as event:
            return replace(state, closed=state.closed.set(event.parent_code, True))  # noqa: FBT003 - a map value
        case TargetSet() as event:
            return _with_target(state, event.indicator_code, event.unit_code, event.target)
        case TargetRevised() as event:
            return _with_target(state, event.indicator_code, event.unit_code, event.new_target)
        case other:
            raise unexpected(other)


def _with_target(
    state: PlanningState, code: str, unit_code: str | None, target: Decimal
) -> PlanningState:
    return replace(state, targets=state.targets.set((code, unit_code), target))


def _stream_of(event: Event, _: Envelope) -> StreamName:
    match event:
        case ObjectiveAssigned() | WeightSet() | AssignmentClosed() | TargetSet() | TargetRevised():
            return planning_stream(event.year)
        case _:
            raise unexpected(event)


PLANNING = Aggregate(
    name="planning",
    events=(ObjectiveAssigned, WeightSet, AssignmentClosed, TargetSet, TargetRevised),
    stream_of=_stream_of,
    initial=PlanningState(),
    decide=_decide,
    evolve=_evolve,
)
