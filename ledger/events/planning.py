"""Events and values of the context `planning`.

Generated from schemas/avro by `python -m schemas generate`; do not edit.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from ledger.events.base import Event


@dataclass(frozen=True, kw_only=True, slots=True)
class AssignmentClosed(Event):
    """The children of one parent and their weights are final; later changes need an act."""

    TYPE: ClassVar[str] = "registro.planning.AssignmentClosed"
    KEYS: ClassVar[tuple[str, ...]] = ("parent_code",)
    year: int
    """Year of the performance cycle."""
    parent_code: str
    """Parent objective."""
    children: int
    """Number of children with a weight."""
    total: Decimal
    """Sum of the weights, percent."""


@dataclass(frozen=True, kw_only=True, slots=True)
class GuidelineAdopted(Event):
    """A management guideline of the year."""

    TYPE: ClassVar[str] = "registro.planning.GuidelineAdopted"
    KEYS: ClassVar[tuple[str, ...]] = ("code",)
    year: int
    """Year of the performance cycle."""
    code: str
    """Code of the guideline within its year."""
    title: str
    """Subject."""
    guideline_class: str
    """OGE (general objective) or SP / OSP (specific); labels change with the years."""
    programme_codes: tuple[str, ...] = ()
    """Programmes it implements, codes of that year."""
    objective_code: str | None = None
    """General objective it contributes to, by subject."""


@dataclass(frozen=True, kw_only=True, slots=True)
class GuidelineCarriedOver(Event):
    """A guideline not completed goes on under another code in a later year."""

    TYPE: ClassVar[str] = "registro.planning.GuidelineCarriedOver"
    KEYS: ClassVar[tuple[str, ...]] = ("from_code", "to_code")
    from_year: int
    """Year it comes from."""
    from_code: str
    """Code in that year."""
    to_year: int
    """Year it goes to."""
    to_code: str
    """Code in the later year."""


@dataclass(frozen=True, kw_only=True, slots=True)
class GuidelineLinked(Event):
    """A guideline implements a strategic address."""

    TYPE: ClassVar[str] = "registro.planning.GuidelineLinked"
    KEYS: ClassVar[tuple[str, ...]] = ("code", "address_id")
    year: int
    """Year of the performance cycle."""
    code: str
    """Code of the guideline within its year."""
    address_id: str
    """Identifier of the address within the same year."""


@dataclass(frozen=True, kw_only=True, slots=True)
class GuidelineStatusReported(Event):
    """How far a guideline has been carried out."""

    TYPE: ClassVar[str] = "registro.planning.GuidelineStatusReported"
    KEYS: ClassVar[tuple[str, ...]] = ("code",)
    year: int
    """Year of the performance cycle."""
    code: str
    """Code of the guideline within its year."""
    percent: Decimal | None = None
    """Share carried out, percent; null when no status was given."""
    reason_codes: tuple[str, ...] = ()
    """Why less than 100 percent, or why there is none."""
    note: str | None = None
    """Note of the source."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ObjectiveAssigned(Event):
    """An objective enters the tree of a year and is assigned."""

    TYPE: ClassVar[str] = "registro.planning.ObjectiveAssigned"
    KEYS: ClassVar[tuple[str, ...]] = ("code",)
    year: int
    """Year of the performance cycle."""
    code: str
    """Code of the objective within its year; also the code of its indicator."""
    level: str
    """Level in the tree, for example INDICATOR, OGE, LEAF, LGG; open set."""
    parent_code: str | None = None
    """Objective above it; null at the top."""
    label: str
    """Official name, possibly shortened."""
    unit_code: str | None = None
    """Unit it is assigned to; null for the whole body."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ProgrammaticReportApproved(Event):
    """The organ of political direction approves missions and programmes for some years."""

    TYPE: ClassVar[str] = "registro.planning.ProgrammaticReportApproved"
    KEYS: ClassVar[tuple[str, ...]] = ("report_id",)
    report_id: str
    """Identifier of the report."""
    first_year: int
    """First year covered."""
    last_year: int
    """Last year covered, inclusive."""
    missions: tuple[str, ...] = ()
    """Codes of the missions."""
    programmes: tuple[str, ...] = ()
    """Codes of the programmes; they mean something only within the report's years."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ProgrammingCycleOpened(Event):
    """The yearly cycle of programming begins."""

    TYPE: ClassVar[str] = "registro.planning.ProgrammingCycleOpened"
    KEYS: ClassVar[tuple[str, ...]] = ()
    year: int
    """Year of the performance cycle."""
    title: str
    """Title of the cycle."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StrategicAddressDeclared(Event):
    """A strategic address of the organ of political direction, and how it is treated."""

    TYPE: ClassVar[str] = "registro.planning.StrategicAddressDeclared"
    KEYS: ClassVar[tuple[str, ...]] = ("address_id",)
    year: int
    """Year of the performance cycle."""
    address_id: str
    """Identifier of the address within its year."""
    mission_code: str | None = None
    """Mission, when stated."""
    programme_code: str
    """Programme the address belongs to."""
    title: str
    """Text of the address, shortened."""
    treatment: str
    """institutional, guideline, monitoring or not_used; open set."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TargetRevised(Event):
    """A target changes during the year, under an act and for a cause."""

    TYPE: ClassVar[str] = "registro.planning.TargetRevised"
    KEYS: ClassVar[tuple[str, ...]] = ("indicator_code",)
    year: int
    """Year of the performance cycle."""
    indicator_code: str
    """Indicator."""
    unit_code: str | None = None
    """Organisation unit; null for the whole body."""
    old_target: Decimal
    """Target in force until now, in the indicator's unit of measure."""
    new_target: Decimal
    """Target from now on, in the indicator's unit of measure."""
    cause: str
    """Cause of the change."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TargetSet(Event):
    """The first target of an indicator."""

    TYPE: ClassVar[str] = "registro.planning.TargetSet"
    KEYS: ClassVar[tuple[str, ...]] = ("indicator_code",)
    year: int
    """Year of the performance cycle."""
    indicator_code: str
    """Indicator."""
    unit_code: str | None = None
    """Organisation unit; null for the whole body."""
    target: Decimal
    """Target, in the indicator's unit of measure."""


@dataclass(frozen=True, kw_only=True, slots=True)
class WeightSet(Event):
    """The weight of a child within its parent.

    Set again before the assignment closes it replaces the earlier one.
    """

    TYPE: ClassVar[str] = "registro.planning.WeightSet"
    KEYS: ClassVar[tuple[str, ...]] = ("parent_code", "child_code")
    year: int
    """Year of the performance cycle."""
    parent_code: str
    """Parent objective."""
    child_code: str
    """Child objective."""
    weight: Decimal
    """Weight, percent of the parent."""
    basis: str
    """published or equal: how the weight is known; a derived weight is a hypothesis and is never
    recorded."""
