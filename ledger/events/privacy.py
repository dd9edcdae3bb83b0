"""Events and values of the context `privacy`.

Generated from schemas/avro by `python -m schemas generate`; do not edit.
"""

import datetime as dt
from dataclasses import dataclass
from typing import ClassVar

from ledger.events.base import Event


@dataclass(frozen=True, kw_only=True, slots=True)
class HoldPlaced(Event):
    """A hold forbids to erase the values of the subjects it covers."""

    TYPE: ClassVar[str] = "registro.privacy.HoldPlaced"
    KEYS: ClassVar[tuple[str, ...]] = ("hold_id", "held")
    hold_id: str
    """Name of the hold."""
    hold_scope: str
    """What the hold covers: subject, year, stream; closed set."""
    held: str
    """Subject id, year of four digits, or name of the stream."""


@dataclass(frozen=True, kw_only=True, slots=True)
class HoldReleased(Event):
    """A hold ends."""

    TYPE: ClassVar[str] = "registro.privacy.HoldReleased"
    KEYS: ClassVar[tuple[str, ...]] = ("hold_id",)
    hold_id: str
    """Name of the hold."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RetentionTermSet(Event):
    """How long the personal values in records of a type are kept."""

    TYPE: ClassVar[str] = "registro.privacy.RetentionTermSet"
    KEYS: ClassVar[tuple[str, ...]] = ("event_type",)
    event_type: str
    """Full name of the type of the records."""
    term_years: int
    """Whole years, 1 to 100, from the day of knowledge or the last day described, the later."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SubjectErased(Event):
    """The personal values of a subject are erased: its key is destroyed after this record.

    No byte of an earlier record changes.
    """

    TYPE: ClassVar[str] = "registro.privacy.SubjectErased"
    KEYS: ClassVar[tuple[str, ...]] = ("subject_id",)
    subject_id: str
    """Random name of the subject and of its key; says nothing about the person."""
    ground: str
    """Why the values may go: request, term_ended, unlawful, order; closed set."""
    legal_basis: str
    """Provision that the erasure rests on, for example GDPR art. 17(1)(a)."""
    requested_on: dt.date | None = None
    """Day on which the person asked; null when nobody did."""
    approvers: tuple[str, ...] = ()
    """Offices that approved, ROLE or ROLE@UNIT, at least two different ones; never names."""
    streams: tuple[str, ...] = ()
    """Streams that hold records of the subject, in order of name."""
    years: tuple[int, ...] = ()
    """Years that these records are about, in order."""
    event_types: tuple[str, ...] = ()
    """Full names of the types of these records, in order."""
    last_days: tuple[dt.date, ...] = ()
    """For each type, the last day from which a retention term runs, in the same order."""
    records: int
    """Number of these records, at least 1."""
    first_position: int
    """Position of the first of these records, 1-based."""
    last_position: int
    """Position of the last of these records when they were counted, 1-based."""
