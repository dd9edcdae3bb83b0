"""Retention terms: how long the personal values in records of a type are kept.

A term runs from the day the body knew the content, or from the last day described when that is
later. A type without a term is neither kept nor due: nobody has said.

Source: Regulation (EU) 2016/679, article 5(1)(e); docs/adr/0012-personal-data.md.
"""

import calendar
import datetime as dt
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from immutables import Map

from ledger.aggregates.base import (
    Aggregate,
    Happened,
    Lookup,
    Proposal,
    require_act,
    require_change,
    require_known,
    require_order,
    require_range,
    unexpected,
)
from ledger.events.base import Event
from ledger.events.catalogue import EVENT_TYPES
from ledger.events.ledger import Envelope
from ledger.events.privacy import RetentionTermSet
from ledger.types import StreamName

RETENTION_STREAM: Final = StreamName("retention")
TERM_YEARS_MAX: Final = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class Term:
    """One retention term of a type and the day from which it was known."""

    years: int
    as_of: dt.date


@dataclass(frozen=True, kw_only=True, slots=True)
class RetentionState:
    """Terms by type of event, each in order of the ledger."""

    terms: Map[str, tuple[Term, ...]] = field(default_factory=Map)

    def years(self, event_type: str, on: dt.date) -> int | None:
        """Return the term of a type as known on a day, in years; None when none was set."""
        known = [term for term in self.terms.get(event_type, ()) if term.as_of <= on]
        return known[-1].years if known else None


def term_end(last_day: dt.date, years: int) -> dt.date:
    """Return the last day of a term: the same day so many years later.

    A term that begins on 29 February ends on 28 February of a year without one.

    Source: Italian civil code, article 2963.
    """
    year = last_day.year + years
    if year > dt.MAXYEAR:
        return dt.date.max
    last_of_month = calendar.monthrange(year, last_day.month)[1]
    return last_day.replace(year=year, day=min(last_day.day, last_of_month))


def _decide(state: RetentionState, proposal: Proposal, _: Lookup) -> None:
    match proposal.event:
        case RetentionTermSet() as event:
            known = event.event_type if event.event_type in EVENT_TYPES else None
            require_known(known, kind="event", name=event.event_type)
            require_act(
                proposal.envelope, what=f"the setting of the retention term of {event.event_type}"
            )
            require_range(
                Decimal(event.term_years), Decimal(1), Decimal(TERM_YEARS_MAX), field="term_years"
            )
            earlier = state.terms.get(event.event_type, ())
            if earlier:
                last = earlier[-1]
                require_order(
                    last.as_of, proposal.envelope.as_of, first="latest change", second="as_of"
                )
                require_change(last.years, event.term_years, field="term_years")
        case other:
            raise unexpected(other)


def _evolve(state: RetentionState, happened: Happened) -> RetentionState:
    match happened.event:
        case RetentionTermSet() as event:
            term = Term(years=event.term_years, as_of=happened.envelope.as_of)
            earlier = state.terms.get(event.event_type, ())
            return RetentionState(terms=state.terms.set(event.event_type, (*earlier, term)))
        case other:
            raise unexpected(other)


def _stream_of(event: Event, _: Envelope) -> StreamName:
    match event:
        case RetentionTermSet():
            return RETENTION_STREAM
        case _:
            raise unexpected(event)


RETENTION = Aggregate(
    name="retention",
    events=(RetentionTermSet,),
    stream_of=_stream_of,
    initial=RetentionState(),
    decide=_decide,
    evolve=_evolve,
)
