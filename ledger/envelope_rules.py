"""What every proposal must satisfy, whatever its event: acts, dates, corrections and persons.

Rules judge the dates in the events, not the wall clock, so that history can be imported and is
still refused where it was wrong. The one exception is knowledge from the future.

Source: rulings 14 and 16; domain notes, sections 1.1 and 2.2.
"""

import datetime as dt
from collections.abc import Container

from ledger.aggregates.acts import ACTS, act_stream
from ledger.aggregates.base import Lookup, Proposal, key_of
from ledger.aggregates.subjects import SUBJECTS, require_not_erased, subject_stream
from ledger.events.ledger import Envelope
from ledger.rules import Rule, refuse


def check_envelope(
    proposal: Proposal, *, lookup: Lookup, today: dt.date, known_ids: Container[str]
) -> None:
    """Refuse a proposal whose envelope breaks a rule.

    Args:
        proposal: what is proposed.
        lookup: reads acts and subjects.
        today: present day in the body's time zone.
        known_ids: identifiers of the events of the proposal's stream.

    Raises:
        CommandRefusedError: see `ledger.rules`.
    """
    envelope = proposal.envelope
    if envelope.as_of > today:
        refuse(
            Rule.AS_OF_IN_FUTURE,
            f"as_of {envelope.as_of} is after today, {today}",
            as_of=envelope.as_of.isoformat(),
            today=today.isoformat(),
        )
    if envelope.ref_from and envelope.ref_to and envelope.ref_to < envelope.ref_from:
        refuse(
            Rule.PERIOD_REVERSED,
            f"the period ends on {envelope.ref_to}, before it begins on {envelope.ref_from}",
            first=envelope.ref_from.isoformat(),
            last=envelope.ref_to.isoformat(),
        )
    _check_correction(envelope, known_ids)
    _check_acts(envelope, lookup)
    _check_person(envelope, lookup)


def _check_correction(envelope: Envelope, known_ids: Container[str]) -> None:
    if envelope.supersedes is None:
        return
    if envelope.supersedes not in known_ids:
        refuse(
            Rule.SUPERSEDED_UNKNOWN,
            f"there is no event {envelope.supersedes} about the same subject",
            event_id=envelope.supersedes,
        )
    if not (envelope.reason or "").strip():
        refuse(
            Rule.CORRECTION_NEEDS_REASON,
            f"the correction of {envelope.supersedes} states no reason",
            subject=envelope.supersedes,
        )


def _check_acts(envelope: Envelope, lookup: Lookup) -> None:
    # An act binds from its effective day; an event that speaks of a later period takes effect
    # when that period begins, as guidelines adopted in November for the next year do.
    effect = max(envelope.as_of, envelope.ref_from or envelope.as_of)
    for reference in envelope.acts:
        key = key_of(reference)
        act = lookup.state(ACTS, act_stream(key)).act
        if act is None:
            refuse(Rule.ACT_UNKNOWN, f"act {key} is not in this ledger: record it first", act=key)
        if act.adopted_on > envelope.as_of or act.effective_from > effect:
            refuse(
                Rule.ACT_NOT_IN_FORCE,
                f"act {key} is in force from {act.effective_from}; it is cited on "
                f"{envelope.as_of} for an effect on {effect}",
                act=key,
                effective_from=act.effective_from.isoformat(),
                cited_on=envelope.as_of.isoformat(),
                effect=effect.isoformat(),
            )


def _check_person(envelope: Envelope, lookup: Lookup) -> None:
    person = envelope.actor.person
    if person is not None:
        # A key restored from a copy must not put an erased subject to use again.
        state = lookup.state(SUBJECTS, subject_stream(person.key_id))
        require_not_erased(state, person.key_id)
