"""Projects: approval, roles, milestones, progress and result."""

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
    require_known,
    require_new,
    require_old_value,
    require_order,
    require_range,
    unexpected,
)
from ledger.aggregates.organisation import require_unit
from ledger.events.base import Event
from ledger.events.ledger import Envelope
from ledger.events.projects import (
    ProjectApproved,
    ProjectClosed,
    ProjectMilestoneChanged,
    ProjectProgressReported,
    ProjectRoleAssigned,
)
from ledger.rules import Rule, refuse
from ledger.types import StreamName

RESULT_CAP: Final = Decimal(150)
"""Highest result of a project, percent; only territorial local projects exceed 100."""
LOCAL_TERRITORIAL: Final = "local_territorial"


@dataclass(frozen=True, kw_only=True, slots=True)
class ProjectState:
    """One project; None until it is approved."""

    project: ProjectApproved | None = None
    milestones: Map[str, dt.date] = field(default_factory=Map)
    closed_on: dt.date | None = None


def project_stream(code: str) -> StreamName:
    """Return the stream of a project."""
    return StreamName(f"project/{code}")


def _decide(state: ProjectState, proposal: Proposal, lookup: Lookup) -> None:
    event = proposal.event
    if isinstance(event, ProjectApproved):
        require_new(state.project, kind="project", name=event.project_code)
        require_unit(lookup, event.owner_unit, proposal.envelope.as_of)
        if event.weight is not None:
            require_range(event.weight, Decimal(0), Decimal(100), field="weight")
        return
    project = _open_project(state, event)
    match event:
        case ProjectRoleAssigned():
            require_unit(lookup, event.unit_code, proposal.envelope.as_of)
        case ProjectMilestoneChanged():
            _decide_milestone(state, event)
        case ProjectProgressReported():
            require_range(event.percent, Decimal(0), Decimal(100), field="percent")
        case ProjectClosed():
            cap = RESULT_CAP if project.family == LOCAL_TERRITORIAL else Decimal(100)
            require_range(event.result, Decimal(0), cap, field="result")
            require_order(
                dt.date(project.year, 1, 1),
                event.closed_on,
                first="project year",
                second="closed_on",
            )
        case _:
            raise unexpected(event)


def _open_project(state: ProjectState, event: Event) -> ProjectApproved:
    name = str(getattr(event, "project_code", ""))
    project = require_known(state.project, kind="project", name=name)
    if state.closed_on is not None:
        refuse(
            Rule.ENTITY_CLOSED,
            f"project {name} was closed on {state.closed_on}",
            kind="project",
            name=name,
            date=state.closed_on.isoformat(),
        )
    return project


def _decide_milestone(state: ProjectState, event: ProjectMilestoneChanged) -> None:
    present = state.milestones.get(event.milestone)
    require_old_value(event.old_date, present, field=f"date of {event.milestone}")
    if present is not None and not event.reason_code:
        refuse(
            Rule.CORRECTION_NEEDS_REASON,
            f"milestone {event.milestone} moves without a reason code",
            subject=event.milestone,
        )


def _evolve(state: ProjectState, happened: Happened) -> ProjectState:
    match happened.event:
        case ProjectApproved() as event:
            return replace(state, project=event)
        case ProjectMilestoneChanged() as event:
            return replace(state, milestones=state.milestones.set(event.milestone, event.new_date))
        case ProjectClosed() as event:
            return replace(state, closed_on=event.closed_on)
        case _:
            return state


def _stream_of(event: Event, _: Envelope) -> StreamName:
    match event:
        case (
            ProjectApproved()
            | ProjectRoleAssigned()
            | ProjectMilestoneChanged()
            | ProjectProgressReported()
            | ProjectClosed()
        ):
            return project_stream(event.project_code)
        case _:
            raise unexpected(event)


PROJECTS = Aggregate(
    name="project",
    events=(
        ProjectApproved,
        ProjectRoleAssigned,
        ProjectMilestoneChanged,
        ProjectProgressReported,
        ProjectClosed,
    ),
    stream_of=_stream_of,
    initial=ProjectState(),
    decide=_decide,
    evolve=_evolve,
)
