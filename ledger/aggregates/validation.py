"""Validation of a report by the OIV, and the incentive parameters that must wait for it.

Source: D.Lgs. 150/2009 art. 14(4)(c) and 14(6); guidelines 3/2018 of the Department of Public
Administration for the criteria a to k.
"""

import datetime as dt
from dataclasses import dataclass, field, replace
from typing import Final

from immutables import Map

from ledger.aggregates.base import (
    Aggregate,
    Happened,
    Lookup,
    Proposal,
    require_known,
    require_new,
    require_one_of,
    require_order,
    unexpected,
)
from ledger.aggregates.organisation import require_unit
from ledger.events.base import Event
from ledger.events.ledger import Envelope
from ledger.events.measurement import IncentiveScaleSet, UnitParameterAssigned
from ledger.events.validation import (
    CriterionExamined,
    FindingAnswered,
    FindingRaised,
    ReportNotValidated,
    ReportValidated,
    ValidationOpened,
)
from ledger.rules import Rule, refuse
from ledger.types import StreamName

CRITERIA: Final = tuple("abcdefghijk")
CONCLUSIONS: Final = ("met", "partly_met", "not_met")
SEVERITIES: Final = ("minor", "significant", "blocking")


@dataclass(frozen=True, kw_only=True, slots=True)
class ValidationState:
    """The validation of one report; None until it is opened."""

    opened: ValidationOpened | None = None
    examined: Map[str, str] = field(default_factory=Map)
    """Conclusion by criterion."""
    findings: Map[str, FindingRaised] = field(default_factory=Map)
    answered: Map[str, str] = field(default_factory=Map)
    """Answer by finding."""
    validated_on: dt.date | None = None
    refused_on: dt.date | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class IncentiveState:
    """Scales and parameters of one year."""

    scales: Map[str, IncentiveScaleSet] = field(default_factory=Map)
    parameters: Map[tuple[str, str], UnitParameterAssigned] = field(default_factory=Map)
    """By unit and scale."""


def validation_stream(report_id: str) -> StreamName:
    """Return the stream of the validation of a report."""
    return StreamName(f"validation/{report_id}")


def incentive_stream(year: int) -> StreamName:
    """Return the stream of the incentives of a year."""
    return StreamName(f"incentive/{year}")


def _decide(state: ValidationState, proposal: Proposal, _: Lookup) -> None:
    event = proposal.event
    if isinstance(event, ValidationOpened):
        require_new(state.opened, kind="validation", name=event.report_id)
        return
    opened = _open_validation(state, event)
    match event:
        case CriterionExamined():
            require_one_of(event.criterion, CRITERIA, field="criterion")
            require_one_of(event.conclusion, CONCLUSIONS, field="conclusion")
        case FindingRaised():
            require_new(state.findings.get(event.finding_id), kind="finding", name=event.finding_id)
            require_one_of(event.severity, SEVERITIES, field="severity")
            if event.criterion is not None:
                require_one_of(event.criterion, CRITERIA, field="criterion")
        case FindingAnswered():
            require_known(
                state.findings.get(event.finding_id), kind="finding", name=event.finding_id
            )
        case ReportValidated():
            require_order(
                opened.received_on, event.validated_on, first="received_on", second="validated_on"
            )
            _require_no_blocking(state, event.report_id)
        case ReportNotValidated():
            require_order(
                opened.received_on, event.concluded_on, first="received_on", second="concluded_on"
            )
        case _:
            raise unexpected(event)


def _open_validation(state: ValidationState, event: Event) -> ValidationOpened:
    report = str(getattr(event, "report_id", ""))
    opened = require_known(state.opened, kind="validation", name=report)
    concluded = state.validated_on or state.refused_on
    if concluded is not None:
        refuse(
            Rule.VALIDATION_CONCLUDED,
            f"the validation of {report} was concluded on {concluded}",
            report=report,
            date=concluded.isoformat(),
        )
    return opened


def _require_no_blocking(state: ValidationState, report_id: str) -> None:
    pending = sorted(
        finding_id
        for finding_id, finding in state.findings.items()
        if finding.severity == "blocking" and finding_id not in state.answered
    )
    if pending:
        refuse(
            Rule.BLOCKING_FINDING_OPEN,
            f"report {report_id} has blocking findings without an answer: {', '.join(pending)}",
            report=report_id,
            findings=", ".join(pending),
        )


def _evolve(state: ValidationState, happened: Happened) -> ValidationState:
    match happened.event:
        case ValidationOpened() as event:
            return replace(state, opened=event)
        case CriterionExamined() as event:
            return replace(state, examined=state.examined.set(event.criterion, event.conclusion))
        case FindingRaised() as event:
            return replace(state, findings=state.findings.set(event.finding_id, event))
        case FindingAnswered() as event:
            return replace(state, answered=state.answered.set(event.finding_id, event.answer))
        case ReportValidated() as event:
            return replace(state, validated_on=event.validated_on)
        case ReportNotValidated() as event:
            return replace(state, refused_on=event.concluded_on)
        case other:
            raise unexpected(other)


def _decide_incentive(state: IncentiveState, proposal: Proposal, lookup: Lookup) -> None:
    match proposal.event:
        case IncentiveScaleSet() as event:
            require_new(state.scales.get(event.scale), kind="scale", name=event.scale)
            if len(event.steps) != len(event.thresholds):
                refuse(
                    Rule.VALUE_NOT_ALLOWED,
                    f"{len(event.steps)} steps for {len(event.thresholds)} thresholds",
                    field="thresholds",
                    value=len(event.thresholds),
                    allowed=len(event.steps),
                )
        case UnitParameterAssigned() as event:
            require_unit(lookup, event.unit_code, proposal.envelope.as_of)
            _require_validated(lookup, event, proposal.envelope)
            known = state.parameters.get((event.unit_code, event.scale))
            if proposal.envelope.supersedes is None:
                require_new(known, kind="parameter", name=f"{event.unit_code} {event.scale}")
        case other:
            raise unexpected(other)


def _require_validated(lookup: Lookup, event: UnitParameterAssigned, envelope: Envelope) -> None:
    validation = lookup.state(VALIDATION, validation_stream(event.report_id))
    validated = validation.validated_on
    if validated is None or validated > envelope.as_of:
        refuse(
            Rule.REPORT_NOT_VALIDATED,
            f"report {event.report_id} is not validated on {envelope.as_of}; parameters of "
            f"{event.unit_code} must wait (D.Lgs. 150/2009 art. 14(6))",
            report=event.report_id,
            unit=event.unit_code,
            date=envelope.as_of.isoformat(),
        )
    if validation.opened is not None and validation.opened.year != event.year:
        refuse(
            Rule.REPORT_NOT_VALIDATED,
            f"report {event.report_id} is of {validation.opened.year}, not of {event.year}",
            report=event.report_id,
            unit=event.unit_code,
            date=envelope.as_of.isoformat(),
        )


def _evolve_incentive(state: IncentiveState, happened: Happened) -> IncentiveState:
    match happened.event:
        case IncentiveScaleSet() as event:
            return replace(state, scales=state.scales.set(event.scale, event))
        case UnitParameterAssigned() as event:
            parameters = state.parameters.set((event.unit_code, event.scale), event)
            return replace(state, parameters=parameters)
        case other:
            raise unexpected(other)


def _stream_of(event: Event, _: Envelope) -> StreamName:
    return validation_stream(str(getattr(event, "report_id", "")))


def _incentive_stream_of(event: Event, _: Envelope) -> StreamName:
    match event:
        case IncentiveScaleSet() | UnitParameterAssigned():
            return incentive_stream(event.year)
        case _:
            raise unexpected(event)


VALIDATION = Aggregate(
    name="validation",
    events=(
        ValidationOpened,
        CriterionExamined,
        FindingRaised,
        FindingAnswered,
        ReportValidated,
        ReportNotValidated,
    ),
    stream_of=_stream_of,
    initial=ValidationState(),
    decide=_decide,
    evolve=_evolve,
)

INCENTIVES = Aggregate(
    name="incentive",
    events=(IncentiveScaleSet, UnitParameterAssigned),
    stream_of=_incentive_stream_of,
    initial=IncentiveState(),
    decide=_decide_incentive,
    evolve=_evolve_incentive,
)
