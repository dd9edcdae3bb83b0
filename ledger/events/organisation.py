"""Events and values of the context `organisation`.

Generated from schemas/avro by `python -m schemas generate`; do not edit.
"""

import datetime as dt
from dataclasses import dataclass
from typing import ClassVar

from ledger.events.base import Event


@dataclass(frozen=True, kw_only=True, slots=True)
class UnitClosed(Event):
    """A unit ends; its competences go to successors."""

    TYPE: ClassVar[str] = "registro.organisation.UnitClosed"
    KEYS: ClassVar[tuple[str, ...]] = ("unit_code",)
    unit_code: str
    """Code of the unit."""
    valid_to: dt.date
    """Last day of existence, inclusive."""
    successors: tuple[str, ...] = ()
    """Units that take over; empty when the competence ends."""


@dataclass(frozen=True, kw_only=True, slots=True)
class UnitCountsReported(Event):
    """A published number of units of one type, without their names."""

    TYPE: ClassVar[str] = "registro.organisation.UnitCountsReported"
    KEYS: ClassVar[tuple[str, ...]] = ("unit_type",)
    unit_type: str
    """Type of unit."""
    label: str
    """Name of the type as published."""
    units: int
    """Number of units, pieces."""


@dataclass(frozen=True, kw_only=True, slots=True)
class UnitEstablished(Event):
    """An organisation unit begins to exist."""

    TYPE: ClassVar[str] = "registro.organisation.UnitEstablished"
    KEYS: ClassVar[tuple[str, ...]] = ("unit_code",)
    unit_code: str
    """Code of the unit, unique for ever within the body."""
    unit_type: str
    """Type of unit, for example DG, DR, DP; open set."""
    name: str
    """Official name."""
    parent_code: str | None = None
    """Unit it belongs to; null for the root."""
    competences: tuple[str, ...] = ()
    """Competences of the unit; empty when not listed."""
    valid_from: dt.date
    """First day of existence."""


@dataclass(frozen=True, kw_only=True, slots=True)
class UnitReorganised(Event):
    """A unit changes name, type or parent from a day on; null leaves a property as it was."""

    TYPE: ClassVar[str] = "registro.organisation.UnitReorganised"
    KEYS: ClassVar[tuple[str, ...]] = ("unit_code",)
    unit_code: str
    """Code of the unit."""
    name: str | None = None
    """New official name."""
    unit_type: str | None = None
    """New type of unit."""
    parent_code: str | None = None
    """New parent unit."""
    valid_from: dt.date
    """First day of the new state."""
