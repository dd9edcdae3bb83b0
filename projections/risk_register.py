"""The risk register on a day: risks with their level, measures with their state, reported counts.

`on` is a calendar day: an assessment, measure or check counts when it happened by then. `as_of`
cuts by knowledge: what the body had recorded by then. A measure is therefore done on a day when it
was completed by then, also when the check that found it so came later; with `as_of`, only when that
check was known. A correction of an assessment takes its place, from the day of the one corrected.
Counts published without their items are shown as reported and never mixed with the measures that
stand in the register one by one.

Source: domain notes, section 14; rulings 14, 20; duties of the RPCT.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from ledger.events.risk import (
    MeasureCountsReported,
    MeasureMonitored,
    MeasureSet,
    RiskAssessed,
    RiskCountsReported,
    RiskReassessed,
    RiskRegistered,
)
from ledger.feed import RecordedEvent

DONE = "done"

LaterChecks = dict[tuple[str, str], tuple[MeasureMonitored, str]]
"""Latest check after the day of a register, by risk and measure, with its record."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MeasureState:
    """A specific measure on a day."""

    measure: MeasureSet
    set_on: dt.date
    state: str = "planned"
    completed_on: dt.date | None = None
    monitored_on: dt.date | None = None
    suitable: bool | None = None
    reason_code: str | None = None
    address: str = ""
    """Record of its latest event."""

    def is_done(self, on: dt.date) -> bool:
        """Whether the measure was completed by a day."""
        return self.state == DONE and self.completed_on is not None and self.completed_on <= on

    def overdue_days(self, on: dt.date) -> int:
        """Return the days by which the measure is late on a day; 0 when it is not.

        A measure completed after its deadline was late until it was completed, and is not overdue
        afterwards.
        """
        if self.is_done(on):
            return 0
        return max(0, (on - self.measure.deadline).days)


@dataclass(frozen=True, kw_only=True, slots=True)
class RiskState:
    """A risk on a day."""

    risk: RiskRegistered
    registered_on: dt.date
    level: str | None = None
    assessed_on: dt.date | None = None
    measures: tuple[MeasureState, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class MatrixCell:
    """Number of measures of one scope and type."""

    scope: str
    measure_type: str
    reported: int | None
    """As published without the measures themselves; None when nothing was published."""
    registered: int
    """Measures that stand in the register one by one."""
    address: str | None = None
    """Record of the reported count."""


@dataclass(slots=True)
class RiskRegister:
    """Risks, measures and counts, on a day."""

    on: dt.date
    risks: dict[str, RiskState] = field(default_factory=dict)
    measure_counts: dict[tuple[str, str], tuple[tuple[dt.date, int], int, str]] = field(
        default_factory=dict
    )
    """By scope and type: order of knowledge, count, record."""
    risk_counts: dict[tuple[str, str, str | None], tuple[tuple[dt.date, int], int, str]] = field(
        default_factory=dict
    )
    """By activity, scope and level: order of knowledge, count, record."""
    position: int = 0

    def matrix(self) -> tuple[MatrixCell, ...]:
        """Return the matrix of measures by scope and type, in order of scope and type."""
        registered: dict[tuple[str, str], int] = {}
        for risk in self.risks.values():
            for state in risk.measures:
                cell = (risk.risk.scope, state.measure.measure_type)
                registered[cell] = registered.get(cell, 0) + 1
        cells = sorted({*registered, *self.measure_counts})
        return tuple(
            MatrixCell(
                scope=scope,
                measure_type=kind,
                reported=None
                if (scope, kind) not in self.measure_counts
                else self.measure_counts[(scope, kind)][1],
                registered=registered.get((scope, kind), 0),
                address=None
                if (scope, kind) not in self.measure_counts
                else self.measure_counts[(scope, kind)][2],
            )
            for scope, kind in cells
        )

    def overdue(self) -> tuple[tuple[RiskState, MeasureState], ...]:
        """Return the measures that are late on the day, the latest deadline first missed first."""
        late = [
            (risk, state)
            for risk in self.risks.values()
            for state in risk.measures
            if state.overdue_days(self.on) > 0
        ]
        return tuple(
            sorted(late, key=lambda pair: (pair[1].measure.deadline, pair[1].measure.measure_id))
        )

    def due_within(self, days: int) -> tuple[tuple[RiskState, MeasureState], ...]:
        """Return the measures still open whose deadline falls within so many days of the day."""
        last = self.on + dt.timedelta(days=days)
        near = [
            (risk, state)
            for risk in self.risks.values()
            for state in risk.measures
            if not state.is_done(self.on) and self.on <= state.measure.deadline <= last
        ]
        return tuple(
            sorted(near, key=lambda pair: (pair[1].measure.deadline, pair[1].measure.measure_id))
        )

    def without_monitoring(self) -> tuple[tuple[RiskState, MeasureState], ...]:
        """Return the measures that nobody has checked yet."""
        return tuple(
            (risk, state)
            for risk in self.risks.values()
            for state in risk.measures
            if state.monitored_on is None
        )


def risk_register(
    events: Iterable[RecordedEvent], *, on: dt.date, as_of: dt.date | None = None
) -> RiskRegister:
    """Return the register on a day.

    Args:
        events: the feed, in order of position.
        on: calendar day, inclusive.
        as_of: last day of knowledge, inclusive; None for everything.
    """
    register = RiskRegister(on=on)
    known: list[RecordedEvent] = []
    corrected: set[str] = set()
    for recorded in events:
        register.position = recorded.position
        if as_of is None or recorded.envelope.as_of <= as_of:
            known.append(recorded)
            if recorded.envelope.supersedes is not None:
                corrected.add(recorded.envelope.supersedes)
    later: LaterChecks = {}
    for recorded in _with_corrected_levels(known):
        event = recorded.event
        if not isinstance(event, MeasureMonitored):
            _apply(register, recorded)
        elif recorded.event_id in corrected:
            continue
        elif event.monitored_on <= on:
            _monitor(register, event, recorded)
        else:
            _keep_later(later, event, recorded)
    _complete(register, later)
    return register


def _with_corrected_levels(known: Sequence[RecordedEvent]) -> Iterator[RecordedEvent]:
    """Yield the events with every assessment's last correction in its place, on its day."""
    places = {
        one.event_id: one for one in known if isinstance(one.event, RiskAssessed | RiskReassessed)
    }
    last: dict[str, RecordedEvent] = {}
    corrections: set[str] = set()
    for recorded in places.values():
        root = recorded
        # What is corrected comes before; in a ledger that was altered it may not.
        while (
            earlier := places.get(root.envelope.supersedes or "")
        ) is not None and earlier.position < root.position:
            root = earlier
        if root is not recorded:
            last[root.event_id] = recorded
            corrections.add(recorded.event_id)
    for recorded in known:
        if recorded.event_id in corrections:
            continue
        mended = last.get(recorded.event_id)
        if mended is None:
            yield recorded
        else:
            day = recorded.envelope.as_of
            yield replace(mended, envelope=replace(mended.envelope, as_of=day))


def _apply(register: RiskRegister, recorded: RecordedEvent) -> None:
    day = recorded.envelope.as_of
    match recorded.event:
        case RiskRegistered() as event if day <= register.on:
            register.risks[event.risk_id] = RiskState(risk=event, registered_on=day)
        case RiskAssessed() as event if day <= register.on:
            _assess(register, event.risk_id, event.level, day)
        case RiskReassessed() as event if day <= register.on:
            _assess(register, event.risk_id, event.new_level, day)
        case MeasureSet() as event:
            _set_measure(register, event, recorded)
        case MeasureCountsReported() as event if _described_by(recorded, register.on):
            cell = (event.scope, event.measure_type)
            order = (day, int(recorded.position))
            if cell not in register.measure_counts or register.measure_counts[cell][0] < order:
                register.measure_counts[cell] = (order, event.measures, recorded.address)
        case RiskCountsReported() as event if _described_by(recorded, register.on):
            slot = (event.activity, event.scope, event.risk_level)
            order = (day, int(recorded.position))
            if slot not in register.risk_counts or register.risk_counts[slot][0] < order:
                register.risk_counts[slot] = (order, event.risks, recorded.address)
        case _:
            pass


def _described_by(recorded: RecordedEvent, on: dt.date) -> bool:
    # A count published later describes the last day of its period.
    return (recorded.envelope.ref_to or recorded.envelope.as_of) <= on


def _assess(register: RiskRegister, risk_id: str, level: str, day: dt.date) -> None:
    risk = register.risks.get(risk_id)
    if risk is not None and (risk.assessed_on is None or risk.assessed_on <= day):
        register.risks[risk_id] = replace(risk, level=level, assessed_on=day)


def _set_measure(register: RiskRegister, event: MeasureSet, recorded: RecordedEvent) -> None:
    risk = register.risks.get(event.risk_id)
    if risk is None:
        return
    known = {state.measure.measure_id: state for state in risk.measures}
    earlier = known.get(event.measure_id)
    if earlier is not None:
        # A correction changes what the measure is, not what the checks have found.
        state = replace(earlier, measure=event)
    elif recorded.envelope.as_of <= register.on:
        state = MeasureState(
            measure=event, set_on=recorded.envelope.as_of, address=recorded.address
        )
    else:
        return
    known[event.measure_id] = state
    register.risks[event.risk_id] = replace(risk, measures=tuple(known.values()))


def _keep_later(later: LaterChecks, event: MeasureMonitored, recorded: RecordedEvent) -> None:
    key = (event.risk_id, event.measure_id)
    before = later.get(key)
    if before is None or before[0].monitored_on <= event.monitored_on:
        later[key] = (event, recorded.address)


def _complete(register: RiskRegister, later: LaterChecks) -> None:
    """Mark as done what a later check found completed by the day."""
    for (risk_id, measure_id), (event, address) in later.items():
        risk = register.risks.get(risk_id)
        if risk is None or event.completed_on is None or event.completed_on > register.on:
            continue
        measures = tuple(
            replace(state, state=DONE, completed_on=event.completed_on, address=address)
            if state.measure.measure_id == measure_id and not state.is_done(register.on)
            else state
            for state in risk.measures
        )
        register.risks[risk_id] = replace(risk, measures=measures)


def _monitor(register: RiskRegister, event: MeasureMonitored, recorded: RecordedEvent) -> None:
    risk = register.risks.get(event.risk_id)
    if risk is None:
        return
    measures = tuple(
        replace(
            state,
            state=event.state,
            completed_on=event.completed_on,
            monitored_on=event.monitored_on,
            suitable=event.suitable,
            reason_code=event.reason_code,
            address=recorded.address,
        )
        if state.measure.measure_id == event.measure_id
        and (state.monitored_on is None or state.monitored_on <= event.monitored_on)
        else state
        for state in risk.measures
    )
    register.risks[event.risk_id] = replace(risk, measures=measures)
