"""Erase a subject: the record first, the key after it; and say who is due.

A crash between the two leaves a record without destruction: readers obey the record at once, and
the next run of the same command destroys the key. The other order could destroy a key for an
erasure that is then refused.

Source: Regulation (EU) 2016/679, article 17; docs/adr/0012-personal-data.md.
"""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from ledger.aggregates.retention import RetentionState, term_end
from ledger.aggregates.subjects import HoldsState
from ledger.events.privacy import SubjectErased
from ledger.privacy.footprint import Footprint
from ledger.privacy.keystore import KeyStore


class KeyFate(StrEnum):
    """What became of the key of an erased subject."""

    DESTROYED = "destroyed"
    """It was here and is destroyed now."""
    GONE = "gone"
    """It was destroyed before."""
    ABSENT = "absent"
    """This file never had it: it must be destroyed where it is."""


def erasure_of(
    footprint: Footprint,
    *,
    ground: str,
    legal_basis: str,
    approvers: Sequence[str],
    requested_on: dt.date | None,
) -> SubjectErased:
    """Return the event that erases a subject."""
    return SubjectErased(
        subject_id=footprint.subject_id,
        ground=ground,
        legal_basis=legal_basis,
        requested_on=requested_on,
        approvers=tuple(approvers),
        streams=footprint.streams,
        years=footprint.years,
        event_types=tuple(footprint.last_days),
        last_days=tuple(footprint.last_days.values()),
        records=footprint.records,
        first_position=footprint.first_position,
        last_position=footprint.last_position,
    )


def destroy_key(keys: KeyStore, subject_id: str, *, at: dt.datetime) -> KeyFate:
    """Destroy the key of a subject whose erasure is recorded; repeated, it does no harm.

    Raises:
        KeyStoreError: the file cannot be written; the erasure stands, repeat this.
    """
    if keys.destroy(subject_id, at=at):
        return KeyFate.DESTROYED
    return KeyFate.ABSENT if keys.key(subject_id) is None else KeyFate.GONE


class Standing(StrEnum):
    """How a subject stands with its retention terms on a day."""

    DUE = "due"
    """Every record is beyond its term and nothing holds it."""
    HELD = "held"
    """Every record is beyond its term, and a hold is in force."""
    KEPT = "kept"
    """A term is running."""
    NO_TERM = "no_term"
    """A type of record has no term: nobody has said how long it is kept."""
    ERASED = "erased"


@dataclass(frozen=True, kw_only=True, slots=True)
class SubjectStanding:
    """One subject on a day."""

    subject_id: str
    standing: Standing
    kept_until: dt.date | None
    """Last day of the last term; None while a type has no term."""
    holds: tuple[str, ...]
    without_term: tuple[str, ...]
    """Types of its records that have no term."""
    records: int


def standings(
    found: Mapping[str, Footprint],
    *,
    retention: RetentionState,
    holds: HoldsState,
    erased: Collection[str],
    on: dt.date,
) -> tuple[SubjectStanding, ...]:
    """Return how every subject stands on a day, in order of first appearance."""
    return tuple(
        _standing(one, retention=retention, holds=holds, erased=one.subject_id in erased, on=on)
        for one in found.values()
    )


def _standing(
    footprint: Footprint,
    *,
    retention: RetentionState,
    holds: HoldsState,
    erased: bool,
    on: dt.date,
) -> SubjectStanding:
    ends = {
        event_type: None
        if (years := retention.years(event_type, on)) is None
        else term_end(last_day, years)
        for event_type, last_day in footprint.last_days.items()
    }
    known = [end for end in ends.values() if end is not None]
    without = tuple(event_type for event_type, end in ends.items() if end is None)
    covering = tuple(
        hold.event.hold_id
        for hold in holds.covering(
            subject=footprint.subject_id,
            years=footprint.years,
            streams=footprint.streams,
            on=on,
        )
    )
    until = max(known) if known and not without else None
    return SubjectStanding(
        subject_id=footprint.subject_id,
        standing=_named(erased=erased, without=without, until=until, held=bool(covering), on=on),
        kept_until=until,
        holds=covering,
        without_term=without,
        records=footprint.records,
    )


def _named(
    *, erased: bool, without: Sequence[str], until: dt.date | None, held: bool, on: dt.date
) -> Standing:
    if erased:
        return Standing.ERASED
    if without or until is None:
        return Standing.NO_TERM
    if on <= until:
        return Standing.KEPT
    return Standing.HELD if held else Standing.DUE
