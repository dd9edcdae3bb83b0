"""Periods, measured results and money flows of a year.

Every node of the money flows is a recorded amount, parents included, because the source rounds
each row; that children sum to their parent is a check of the audit, not a rule here.
"""

import datetime as dt
from dataclasses import dataclass, field, replace

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
from ledger.aggregates.measurement import require_definition
from ledger.aggregates.organisation import require_unit
from ledger.events.base import Event
from ledger.events.ledger import Envelope
from ledger.events.results import (
    FlowNodeDefined,
    MoneyFlowRecorded,
    PeriodClosed,
    PeriodOpened,
    ResultRecorded,
)
from ledger.rules import Rule, refuse
from ledger.stages import CLOSING_RANK, UNRANKED, stage_rank
from ledger.types import StreamName

Period = tuple[dt.date, dt.date]
"""First and last day, inclusive."""

Slot = tuple[str, str | None, Period, str | None, dt.date]
"""Indicator or node, unit, period, closing stage, knowledge date: holds one uncorrected value."""

Subject = tuple[str, str | None, Period]
"""Indicator or node, unit, period."""

Standing = tuple[int, dt.date]
"""Rank of the stage and knowledge date of the value that counts; see `ledger.stages`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ResultsState:
    """Periods and the slots that hold a value."""

    open_periods: Map[Period, bool] = field(default_factory=Map)
    """True while open, False once closed."""
    results: Map[Slot, bool] = field(default_factory=Map)
    nodes: Map[str, FlowNodeDefined] = field(default_factory=Map)
    flows: Map[Slot, bool] = field(default_factory=Map)
    counting: Map[Subject, Standing] = field(default_factory=Map)
    """What counts of the results, of those of listed stages only."""
    flows_counting: Map[Subject, Standing] = field(default_factory=Map)
    """The same of the amounts."""


def results_stream(year: int) -> StreamName:
    """Return the stream of the results of a year."""
    return StreamName(f"results/{year}")


def _decide(state: ResultsState, proposal: Proposal, lookup: Lookup) -> None:
    match proposal.event:
        case PeriodOpened() as event:
            require_order(
                event.period_from, event.period_to, first="period_from", second="period_to"
            )
            known = state.open_periods.get((event.period_from, event.period_to))
            require_new(known, kind="period", name=f"{event.period_from} - {event.period_to}")
        case PeriodClosed() as event:
            _require_open(state, (event.period_from, event.period_to), proposal.envelope)
        case ResultRecorded() as event:
            _decide_result(state, event, proposal.envelope, lookup)
        case FlowNodeDefined() as event:
            require_new(state.nodes.get(event.node_code), kind="flow node", name=event.node_code)
            require_one_of(event.sign, ("+", "-"), field="sign")
            if event.parent_code is not None:
                require_known(
                    state.nodes.get(event.parent_code), kind="flow node", name=event.parent_code
                )
        case MoneyFlowRecorded() as event:
            require_known(state.nodes.get(event.node_code), kind="flow node", name=event.node_code)
            period = _require_period(state, proposal.envelope)
            require_unit(lookup, event.unit_code, period[0])
            slot = (event.node_code, event.unit_code, *_stage(period, proposal.envelope))
            _require_free(state.flows, slot, proposal.envelope)
            _require_stage(state.flows_counting, slot, proposal.envelope)
        case other:
            raise unexpected(other)


def _decide_result(
    state: ResultsState, event: ResultRecorded, envelope: Envelope, lookup: Lookup
) -> None:
    if (event.value is None) != bool(event.missing_reasons):
        refuse(
            Rule.MISSING_NEEDS_REASON,
            f"the result of {event.indicator_code} has a value or says why not, never both",
            subject=event.indicator_code,
        )
    period = _require_period(state, envelope)
    require_definition(lookup, event.indicator_code, *period)
    require_unit(lookup, event.unit_code, period[0])
    slot = (event.indicator_code, event.unit_code, *_stage(period, envelope))
    _require_free(state.results, slot, envelope)
    _require_stage(state.counting, slot, envelope)


def _require_period(state: ResultsState, envelope: Envelope) -> Period:
    first, last = envelope.ref_from, envelope.ref_to
    if first is None or last is None:
        refuse(Rule.PERIOD_NOT_OPEN, "a result names the period it describes", period="-")
    require_order(first, envelope.as_of, first="first day of the period", second="as_of")
    return _require_open(state, (first, last), envelope)


def _require_open(state: ResultsState, period: Period, envelope: Envelope) -> Period:
    shown = f"{period[0]} - {period[1]}"
    within = [
        still_open
        for (first, last), still_open in state.open_periods.items()
        if first <= period[0] and period[1] <= last
    ]
    correction = envelope.supersedes is not None and bool(within)
    if not any(within) and not correction:
        refuse(Rule.PERIOD_NOT_OPEN, f"the period {shown} is not open", period=shown)
    return period


def _require_free(taken: Map[Slot, bool], slot: Slot, envelope: Envelope) -> None:
    if slot in taken and envelope.supersedes is None:
        refuse(
            Rule.RESULT_ALREADY_RECORDED,
            f"{slot[0]} has a value for {slot[2][0]} - {slot[2][1]} as of {envelope.as_of} "
            "already; record a correction",
            subject=slot[0],
            period=f"{slot[2][0]} - {slot[2][1]}",
            as_of=envelope.as_of.isoformat(),
        )


def _require_stage(counting: Map[Subject, Standing], slot: Slot, envelope: Envelope) -> None:
    """Refuse a value that would take the place of a closing one unsaid, or never count unsaid.

    A value of another listed stage says where it belongs; of the closing stage itself a second
    value is known later.
    """
    standing = counting.get(slot[:3])
    if standing is None or envelope.supersedes is not None:
        return
    rank, known_on = stage_rank(envelope.vintage), envelope.as_of
    closes_again = rank == standing[0] >= CLOSING_RANK
    if rank != UNRANKED and not (closes_again and known_on <= standing[1]):
        return
    period = f"{slot[2][0]} - {slot[2][1]}"
    refuse(
        Rule.RESULT_STAGE,
        f"{slot[0]} has a value for {period} known on {standing[1]}; the new one is of the stage "
        f"{envelope.vintage or '-'} and known on {known_on}: name its stage and a later day, or "
        "record a correction",
        subject=slot[0],
        period=period,
        standing=standing[1].isoformat(),
        stage=envelope.vintage or "-",
        as_of=known_on.isoformat(),
    )


def _counted(
    counting: Map[Subject, Standing], slot: Slot, envelope: Envelope
) -> Map[Subject, Standing]:
    new = (stage_rank(envelope.vintage), envelope.as_of)
    if new[0] == UNRANKED or counting.get(slot[:3], new) > new:
        return counting
    return counting.set(slot[:3], new)


def _stage(period: Period, envelope: Envelope) -> tuple[Period, str | None, dt.date]:
    return period, envelope.vintage, envelope.as_of


def _period_of(envelope: Envelope) -> Period:
    # Accepted results always name both days; the fallback only satisfies the types.
    return envelope.ref_from or envelope.as_of, envelope.ref_to or envelope.as_of


def _evolve(state: ResultsState, happened: Happened) -> ResultsState:
    envelope = happened.envelope
    stage = _stage(_period_of(envelope), envelope)
    match happened.event:
        case PeriodOpened() as event:
            period = (event.period_from, event.period_to)
            return replace(state, open_periods=state.open_periods.set(period, True))  # noqa: FBT003 - a map value
        case PeriodClosed() as event:
            period = (event.period_from, event.period_to)
            return replace(state, open_periods=state.open_periods.set(period, False))  # noqa: FBT003 - a map value
        case ResultRecorded() as event:
            slot = (event.indicator_code, event.unit_code, *stage)
            return replace(
                state,
                results=state.results.set(slot, True),  # noqa: FBT003 - a map value
                counting=_counted(state.counting, slot, envelope),
            )
        case FlowNodeDefined() as event:
            return replace(state, nodes=state.nodes.set(event.node_code, event))
        case MoneyFlowRecorded() as event:
            slot = (event.node_code, event.unit_code, *stage)
            return replace(
                state,
                flows=state.flows.set(slot, True),  # noqa: FBT003 - a map value
                flows_counting=_counted(state.flows_counting, slot, envelope),
            )
        case other:
            raise unexpected(other)


def _stream_of(event: Event, _: Envelope) -> StreamName:
    match event:
        case (
            PeriodOpened()
            | PeriodClosed()
            | ResultRecorded()
            | FlowNodeDefined()
            | MoneyFlowRecorded()
        ):
            return results_stream(event.year)
        case _:
            raise unexpected(event)


RESULTS = Aggregate(
    name="results",
    events=(PeriodOpened, PeriodClosed, ResultRecorded, FlowNodeDefined, MoneyFlowRecorded),
    stream_of=_stream_of,
    initial=ResultsState(),
    decide=_decide,
    evolve=_evolve,
)
