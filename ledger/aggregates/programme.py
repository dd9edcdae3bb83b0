"""Programmatic reports, strategic addresses and management guidelines.

One stream holds all programmatic reports (they overlap in years); one stream per year holds the
addresses and guidelines of that year. Programme codes mean something only within their report.
"""

from dataclasses import dataclass, field, replace
from decimal import Decimal

from immutables import Map

from ledger.aggregates.base import (
    Aggregate,
    Happened,
    Lookup,
    Proposal,
    require_known,
    require_new,
    require_range,
    unexpected,
)
from ledger.events.base import Event
from ledger.events.ledger import Envelope
from ledger.events.planning import (
    GuidelineAdopted,
    GuidelineCarriedOver,
    GuidelineLinked,
    GuidelineStatusReported,
    ProgrammaticReportApproved,
    ProgrammingCycleOpened,
    StrategicAddressDeclared,
)
from ledger.rules import Rule, refuse
from ledger.types import StreamName

REPORTS_STREAM = StreamName("programmatic-reports")
_FULL = Decimal(100)


@dataclass(frozen=True, kw_only=True, slots=True)
class ReportsState:
    """Programmatic reports by identifier."""

    reports: Map[str, ProgrammaticReportApproved] = field(default_factory=Map)

    def covering(self, year: int) -> tuple[ProgrammaticReportApproved, ...]:
        """Return the reports whose years include `year`, in order of identifier."""
        return tuple(
            report
            for _, report in sorted(self.reports.items())
            if report.first_year <= year <= report.last_year
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class ProgrammeState:
    """Addresses and guidelines of one year."""

    cycle_opened: bool = False
    addresses: Map[str, StrategicAddressDeclared] = field(default_factory=Map)
    guidelines: Map[str, GuidelineAdopted] = field(default_factory=Map)


def programme_stream(year: int) -> StreamName:
    """Return the stream of the addresses and guidelines of a year."""
    return StreamName(f"programme/{year}")


def _decide_report(state: ReportsState, proposal: Proposal, _: Lookup) -> None:
    match proposal.event:
        case ProgrammaticReportApproved() as event:
            require_new(state.reports.get(event.report_id), kind="report", name=event.report_id)
            require_range(
                Decimal(event.last_year - event.first_year), Decimal(0), Decimal(20), field="years"
            )
        case other:
            raise unexpected(other)


def _evolve_report(state: ReportsState, happened: Happened) -> ReportsState:
    match happened.event:
        case ProgrammaticReportApproved() as event:
            return ReportsState(reports=state.reports.set(event.report_id, event))
        case other:
            raise unexpected(other)


def _decide(state: ProgrammeState, proposal: Proposal, lookup: Lookup) -> None:
    match proposal.event:
        case ProgrammingCycleOpened() as event:
            require_new(state.cycle_opened or None, kind="cycle", name=str(event.year))
        case StrategicAddressDeclared() as event:
            require_new(
                state.addresses.get(event.address_id), kind="address", name=event.address_id
            )
            _require_programme(lookup, event)
        case GuidelineAdopted() as event:
            require_new(state.guidelines.get(event.code), kind="guideline", name=event.code)
        case GuidelineLinked() as event:
            require_known(state.guidelines.get(event.code), kind="guideline", name=event.code)
            require_known(
                state.addresses.get(event.address_id), kind="address", name=event.address_id
            )
        case GuidelineStatusReported() as event:
            _decide_status(state, event)
        case GuidelineCarriedOver() as event:
            earlier = lookup.state(PROGRAMME, programme_stream(event.from_year))
            require_known(
                earlier.guidelines.get(event.from_code), kind="guideline", name=event.from_code
            )
            require_known(state.guidelines.get(event.to_code), kind="guideline", name=event.to_code)
        case other:
            raise unexpected(other)


def _decide_status(state: ProgrammeState, event: GuidelineStatusReported) -> None:
    require_known(state.guidelines.get(event.code), kind="guideline", name=event.code)
    if event.percent is not None:
        require_range(event.percent, Decimal(0), _FULL, field="percent")
    elif not event.reason_codes:
        refuse(
            Rule.MISSING_NEEDS_REASON,
            f"guideline {event.code} has no status and no reason for it",
            subject=event.code,
        )


def _require_programme(lookup: Lookup, event: StrategicAddressDeclared) -> None:
    reports = lookup.state(REPORTS, REPORTS_STREAM).covering(event.year)
    if not reports:
        refuse(
            Rule.UNKNOWN_REFERENCE,
            f"no programmatic report covers {event.year}",
            kind="report",
            name=str(event.year),
        )
    listed = {code for report in reports for code in report.programmes}
    if listed and event.programme_code not in listed:
        refuse(
            Rule.UNKNOWN_REFERENCE,
            f"programme {event.programme_code} is in no report that covers {event.year}",
            kind="programme",
            name=event.programme_code,
        )


def _evolve(state: ProgrammeState, happened: Happened) -> ProgrammeState:
    match happened.event:
        case ProgrammingCycleOpened():
            return replace(state, cycle_opened=True)
        case StrategicAddressDeclared() as event:
            return replace(state, addresses=state.addresses.set(event.address_id, event))
        case GuidelineAdopted() as event:
            return replace(state, guidelines=state.guidelines.set(event.code, event))
        case _:
            return state


def _stream_of(event: Event, _: Envelope) -> StreamName:
    match event:
        case (
            ProgrammingCycleOpened()
            | StrategicAddressDeclared()
            | GuidelineAdopted()
            | GuidelineLinked()
            | GuidelineStatusReported()
        ):
            return programme_stream(event.year)
        case GuidelineCarriedOver():
            return programme_stream(event.to_year)
        case _:
            raise unexpected(event)


def _reports_stream(_: Event, __: Envelope) -> StreamName:
    return REPORTS_STREAM


REPORTS = Aggregate(
    name="programmatic-reports",
    events=(ProgrammaticReportApproved,),
    stream_of=_reports_stream,
    initial=ReportsState(),
    decide=_decide_report,
    evolve=_evolve_report,
)

PROGRAMME = Aggregate(
    name="programme",
    events=(
        ProgrammingCycleOpened,
        StrategicAddressDeclared,
        GuidelineAdopted,
        GuidelineLinked,
        GuidelineStatusReported,
        GuidelineCarriedOver,
    ),
    stream_of=_stream_of,
    initial=ProgrammeState(),
    decide=_decide,
    evolve=_evolve,
)
