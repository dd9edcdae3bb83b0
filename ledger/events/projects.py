"""Events and values of the context `projects`.

Generated from schemas/avro by `python -m schemas generate`; do not edit.
"""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from ledger.events.base import Event


@dataclass(frozen=True, kw_only=True, slots=True)
class ProjectApproved(Event):
    """A project begins: innovation (PES), improvement (PMI) or local."""

    TYPE: ClassVar[str] = "registro.projects.ProjectApproved"
    KEYS: ClassVar[tuple[str, ...]] = ("project_code",)
    project_code: str
    """Code of the project."""
    family: str
    """PES, PMI, local_central or local_territorial; open set."""
    title: str
    """Title."""
    year: int
    """Year of the performance cycle."""
    owner_unit: str | None = None
    """Unit that owns it."""
    weight: Decimal | None = None
    """Weight within its owner, percent."""
    guidelines: tuple[str, ...] = ()
    """Guidelines served, codes of the year."""
    directions: tuple[str, ...] = ()
    """Directions it contributes to; they overlap and are never summed."""
    planned_end: dt.date | None = None
    """Planned last day."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ProjectClosed(Event):
    """A project ends with a result."""

    TYPE: ClassVar[str] = "registro.projects.ProjectClosed"
    KEYS: ClassVar[tuple[str, ...]] = ("project_code",)
    project_code: str
    """Code of the project."""
    result: Decimal
    """Result, percent; territorial local projects may reach 150."""
    closed_on: dt.date
    """Last day."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ProjectMilestoneChanged(Event):
    """A milestone is planned or moved."""

    TYPE: ClassVar[str] = "registro.projects.ProjectMilestoneChanged"
    KEYS: ClassVar[tuple[str, ...]] = ("project_code",)
    project_code: str
    """Code of the project."""
    milestone: str
    """Name of the milestone within the project."""
    old_date: dt.date | None = None
    """Date until now; null when the milestone is new."""
    new_date: dt.date
    """Date from now on."""
    reason_code: str | None = None
    """Why it moved; null when new."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ProjectProgressReported(Event):
    """Progress of a project."""

    TYPE: ClassVar[str] = "registro.projects.ProjectProgressReported"
    KEYS: ClassVar[tuple[str, ...]] = ("project_code",)
    project_code: str
    """Code of the project."""
    percent: Decimal
    """Share carried out, percent."""
    evidence: str | None = None
    """Reference to the evidence."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ProjectRoleAssigned(Event):
    """A unit takes a role in a project."""

    TYPE: ClassVar[str] = "registro.projects.ProjectRoleAssigned"
    KEYS: ClassVar[tuple[str, ...]] = ("project_code",)
    project_code: str
    """Code of the project."""
    role: str
    """Role, for example project_manager, process_owner, technical_owner."""
    unit_code: str
    """Unit that takes the role."""
