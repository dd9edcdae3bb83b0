"""Events and values of the context `validation`.

Generated from schemas/avro by `python -m schemas generate`; do not edit.
"""

import datetime as dt
from dataclasses import dataclass
from typing import ClassVar

from ledger.events.base import Event


@dataclass(frozen=True, kw_only=True, slots=True)
class CriterionExamined(Event):
    """The OIV examined one validation criterion."""

    TYPE: ClassVar[str] = "registro.validation.CriterionExamined"
    KEYS: ClassVar[tuple[str, ...]] = ("report_id",)
    report_id: str
    """Report under validation."""
    criterion: str
    """Letter a to k of the guidelines."""
    conclusion: str
    """met, partly_met or not_met."""
    evidence: tuple[str, ...] = ()
    """References to the evidence."""
    note: str | None = None
    """Note of the OIV."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FindingAnswered(Event):
    """The administration answers a finding."""

    TYPE: ClassVar[str] = "registro.validation.FindingAnswered"
    KEYS: ClassVar[tuple[str, ...]] = ("finding_id", "report_id")
    finding_id: str
    """Identifier of the finding within its report."""
    report_id: str
    """Report under validation."""
    answer: str
    """Answer of the administration."""
    correction: str | None = None
    """Event that corrects the figure."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FindingRaised(Event):
    """The OIV raises a finding on the report."""

    TYPE: ClassVar[str] = "registro.validation.FindingRaised"
    KEYS: ClassVar[tuple[str, ...]] = ("finding_id", "report_id")
    finding_id: str
    """Identifier of the finding within its report."""
    report_id: str
    """Report under validation."""
    severity: str
    """minor, significant or blocking."""
    text: str
    """What was found."""
    figure_ids: tuple[str, ...] = ()
    """Figures concerned."""
    criterion: str | None = None
    """Criterion concerned, letter a to k."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ReportNotValidated(Event):
    """The OIV does not validate the report."""

    TYPE: ClassVar[str] = "registro.validation.ReportNotValidated"
    KEYS: ClassVar[tuple[str, ...]] = ("report_id",)
    report_id: str
    """Report under validation."""
    concluded_on: dt.date
    """Day of the conclusion."""
    reasons: str
    """Why."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ReportValidated(Event):
    """The OIV validates the report."""

    TYPE: ClassVar[str] = "registro.validation.ReportValidated"
    KEYS: ClassVar[tuple[str, ...]] = ("report_id",)
    report_id: str
    """Report under validation."""
    validated_on: dt.date
    """Day of validation."""
    document_sha256: bytes | None = None
    """SHA-256 of the document, 32 raw bytes."""
    note: str | None = None
    """Note of the OIV."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ValidationOpened(Event):
    """The OIV receives a report to validate."""

    TYPE: ClassVar[str] = "registro.validation.ValidationOpened"
    KEYS: ClassVar[tuple[str, ...]] = ("report_id",)
    report_id: str
    """Report under validation."""
    year: int
    """Year of the performance cycle."""
    document_id: str | None = None
    """Document that holds the report."""
    received_on: dt.date
    """Day of receipt."""
