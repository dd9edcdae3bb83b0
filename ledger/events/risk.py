"""Events and values of the context `risk`.

Generated from schemas/avro by `python -m schemas generate`; do not edit.
"""

import datetime as dt
from dataclasses import dataclass
from typing import ClassVar

from ledger.events.base import Event


@dataclass(frozen=True, kw_only=True, slots=True)
class MeasureCountsReported(Event):
    """A published number of specific measures, without the measures themselves."""

    TYPE: ClassVar[str] = "registro.risk.MeasureCountsReported"
    KEYS: ClassVar[tuple[str, ...]] = ("measure_type",)
    scope: str
    """central or territorial."""
    measure_type: str
    """Type of measure."""
    measures: int
    """Number of measures, pieces."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MeasureMonitored(Event):
    """The state of a measure on a day."""

    TYPE: ClassVar[str] = "registro.risk.MeasureMonitored"
    KEYS: ClassVar[tuple[str, ...]] = ("measure_id", "risk_id")
    measure_id: str
    """Identifier of the measure."""
    risk_id: str
    """Identifier of the risk."""
    monitored_on: dt.date
    """Day of the check."""
    state: str
    """planned, in_progress, done or not_done."""
    completed_on: dt.date | None = None
    """Day of completion, when done."""
    suitable: bool | None = None
    """Whether the measure is suitable; null when not judged."""
    evidence: str | None = None
    """Reference to the evidence."""
    reason_code: str | None = None
    """Why it is late or not done."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MeasureSet(Event):
    """A specific prevention measure against a risk."""

    TYPE: ClassVar[str] = "registro.risk.MeasureSet"
    KEYS: ClassVar[tuple[str, ...]] = ("measure_id", "risk_id")
    measure_id: str
    """Identifier of the measure."""
    risk_id: str
    """Identifier of the risk."""
    measure_type: str
    """control, transparency, regulation, training, rotation; open, versioned set."""
    description: str
    """What is done."""
    owner: str
    """Unit or role that answers for it."""
    deadline: dt.date
    """Last day, inclusive, to carry it out."""
    indicator: str | None = None
    """How its realisation is measured."""
    target: str | None = None
    """Value aimed at."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RiskAssessed(Event):
    """The first assessment of a risk."""

    TYPE: ClassVar[str] = "registro.risk.RiskAssessed"
    KEYS: ClassVar[tuple[str, ...]] = ("risk_id",)
    risk_id: str
    """Identifier of the risk."""
    method: str
    """Method, for example qualitative."""
    level: str
    """high, medium or low."""
    rationale: str
    """Why that level."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RiskCountsReported(Event):
    """A published number of risks, without the risks themselves."""

    TYPE: ClassVar[str] = "registro.risk.RiskCountsReported"
    KEYS: ClassVar[tuple[str, ...]] = ("activity",)
    activity: str
    """What was done with the risks: identified, measures_set, reassessed, monitored or
    registered."""
    scope: str
    """central or territorial."""
    risk_level: str | None = None
    """high, medium or low; null when not split."""
    risks: int
    """Number of risks, pieces."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RiskReassessed(Event):
    """A later assessment of a risk."""

    TYPE: ClassVar[str] = "registro.risk.RiskReassessed"
    KEYS: ClassVar[tuple[str, ...]] = ("risk_id",)
    risk_id: str
    """Identifier of the risk."""
    method: str
    """Method, for example qualitative."""
    old_level: str
    """Level until now."""
    new_level: str
    """Level from now on."""
    rationale: str
    """Why the level changed or stayed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RiskRegistered(Event):
    """A risk enters the register."""

    TYPE: ClassVar[str] = "registro.risk.RiskRegistered"
    KEYS: ClassVar[tuple[str, ...]] = ("risk_id",)
    risk_id: str
    """Identifier of the risk."""
    process: str
    """Process or activity at risk."""
    area: str | None = None
    """Risk area."""
    scope: str
    """central or territorial."""
    risk_event: str
    """What might happen."""
    unit_code: str | None = None
    """Competent organisation unit."""
