"""The risk register on a day, from events."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

import pytest

from ledger.aggregates.base import Proposal
from ledger.events.base import Event
from ledger.events.risk import MeasureMonitored
from ledger.feed import RecordedEvent
from ledger.records import EPOCH
from ledger.types import Position, StreamName, StreamVersion
from projections.risk_register import RiskRegister, risk_register
from tests.support.dataset import example_events
from tests.support.given import Given, at, envelope
from tests.unit.ledger.aggregates.test_risks import ASSESSED, DONE, LOWER, MEASURE, RISK

JAN = dt.date(2023, 1, 15)
DEADLINE = dt.date(2023, 12, 31)


def recorded(*events: Event | Proposal) -> Sequence[RecordedEvent]:
    ledger = Given().given(*events)
    return [
        RecordedEvent(
            position=Position(number),
            recorded_at=EPOCH,
            stream=StreamName(staged.originator_id),
            stream_version=StreamVersion(staged.originator_version),
            event=staged.event,
            envelope=staged.envelope,
            append=staged.append,
        )
        for number, staged in enumerate(ledger.session.staged, start=1)
    ]


def register(on: dt.date, *more: Event | Proposal, as_of: dt.date | None = None) -> RiskRegister:
    events = recorded(at(RISK, JAN), at(ASSESSED, JAN), at(MEASURE, JAN), *more)
    return risk_register(events, on=on, as_of=as_of)


def test_the_published_matrix_has_862_measures() -> None:
    found = risk_register(example_events(), on=DEADLINE)

    by_type = {(cell.scope, cell.measure_type): cell.reported for cell in found.matrix()}
    assert sum(count or 0 for count in by_type.values()) == 862
    assert by_type[("central", "regulation")] == 308
    assert all(cell.registered == 0 for cell in found.matrix())


def test_a_count_describes_the_end_of_its_period() -> None:
    assert risk_register(example_events(), on=dt.date(2023, 12, 30)).matrix() == ()


def test_a_count_is_not_known_before_it_is_published() -> None:
    found = risk_register(example_events(), on=DEADLINE, as_of=dt.date(2024, 6, 13))

    assert found.matrix() == ()


@pytest.mark.parametrize(
    ("on", "level"),
    [(JAN - dt.timedelta(days=1), None), (JAN, "high"), (dt.date(2023, 6, 1), "medium")],
)
def test_the_level_is_that_of_the_day(on: dt.date, level: str | None) -> None:
    found = register(on, at(LOWER, dt.date(2023, 6, 1)))

    assert (found.risks["R1"].level if "R1" in found.risks else None) == level


def corrected_register(on: dt.date, *, as_of: dt.date | None = None) -> RiskRegister:
    """A first level that a correction of July takes back, twice; the second level stays."""
    june, july = dt.date(2023, 6, 1), dt.date(2023, 7, 1)
    events = recorded(at(RISK, JAN), at(ASSESSED, JAN))
    first = events[-1].event_id
    mended = at(replace(ASSESSED, level="medium"), july, supersedes=first, reason="typo")
    again = at(replace(ASSESSED, level="low"), july, supersedes=first, reason="typo")
    events = recorded(at(RISK, JAN), at(ASSESSED, JAN), at(LOWER, june), mended, again)
    return risk_register(events, on=on, as_of=as_of)


@pytest.mark.parametrize(
    ("on", "as_of", "level"),
    [
        (JAN, None, "low"),
        (JAN, dt.date(2023, 6, 30), "high"),
        (dt.date(2023, 5, 31), dt.date(2023, 7, 1), "low"),
        (dt.date(2023, 6, 1), None, "medium"),
        (DEADLINE, None, "medium"),
    ],
)
def test_a_corrected_level_counts_from_the_day_of_the_one_corrected(
    on: dt.date, as_of: dt.date | None, level: str
) -> None:
    risk = corrected_register(on, as_of=as_of).risks["R1"]

    assert (risk.level, risk.assessed_on) == (
        level,
        JAN if on < dt.date(2023, 6, 1) else dt.date(2023, 6, 1),
    )


@pytest.mark.parametrize(
    ("on", "late"),
    [(DEADLINE, 0), (DEADLINE + dt.timedelta(days=1), 1), (dt.date(2024, 1, 31), 31)],
)
def test_a_measure_is_overdue_from_the_day_after_its_deadline(on: dt.date, late: int) -> None:
    overdue = register(on).overdue()

    assert [state.overdue_days(on) for _, state in overdue] == ([late] if late else [])


def check(
    day: dt.date, completed_on: dt.date | None = None, *, state: str = "done"
) -> MeasureMonitored:
    return MeasureMonitored(
        measure_id="M1", risk_id="R1", monitored_on=day, state=state, completed_on=completed_on
    )


COMPLETED = dt.date(2024, 1, 20)
CHECKED = dt.date(2024, 2, 1)
LATE = at(check(CHECKED, COMPLETED), CHECKED)


@pytest.mark.parametrize(
    ("on", "overdue"),
    [
        (DEADLINE, 0),
        (dt.date(2024, 1, 1), 1),
        (dt.date(2024, 1, 19), 1),
        (COMPLETED, 0),
        (dt.date(2024, 1, 31), 0),
        (CHECKED, 0),
    ],
)
def test_a_measure_is_overdue_until_it_was_completed_whenever_that_was_checked(
    on: dt.date, overdue: int
) -> None:
    found = register(on, LATE)

    assert len(found.overdue()) == overdue
    assert found.risks["R1"].measures[0].state == ("done" if on >= COMPLETED else "planned")


@pytest.mark.parametrize(("as_of", "overdue"), [(COMPLETED, 1), (CHECKED, 0)])
def test_with_a_cut_the_completion_counts_once_its_check_is_known(
    as_of: dt.date, overdue: int
) -> None:
    assert len(register(COMPLETED, LATE, as_of=as_of).overdue()) == overdue


def test_a_later_check_that_finds_the_measure_undone_again_withdraws_its_completion() -> None:
    undone = dt.date(2024, 3, 1)
    again = at(check(undone, state="in_progress"), undone)

    assert len(register(COMPLETED, LATE, again).overdue()) == 1
    assert register(COMPLETED, again, LATE).overdue() == register(COMPLETED, LATE, again).overdue()


def test_a_check_by_the_day_stands_whatever_is_found_later() -> None:
    undone = dt.date(2024, 3, 1)
    found = register(CHECKED, LATE, at(check(undone, state="in_progress"), undone))

    assert found.overdue() == ()
    assert found.risks["R1"].measures[0].monitored_on == CHECKED


def test_a_corrected_check_is_passed_over() -> None:
    events = recorded(at(RISK, JAN), at(ASSESSED, JAN), at(MEASURE, JAN), LATE)
    corrected = recorded(
        at(RISK, JAN),
        at(ASSESSED, JAN),
        at(MEASURE, JAN),
        LATE,
        at(
            check(CHECKED, dt.date(2024, 1, 30)),
            dt.date(2024, 4, 1),
            supersedes=events[-1].event_id,
            reason="typing error",
        ),
    )

    assert len(risk_register(corrected, on=COMPLETED).overdue()) == 1
    assert risk_register(corrected, on=dt.date(2024, 1, 30)).overdue() == ()
    assert risk_register(corrected, on=COMPLETED, as_of=CHECKED).overdue() == ()


def test_a_measure_that_is_corrected_keeps_what_the_checks_have_found() -> None:
    events = recorded(at(RISK, JAN), at(ASSESSED, JAN), at(MEASURE, JAN), LATE)
    corrected = [
        at(RISK, JAN),
        at(ASSESSED, JAN),
        at(MEASURE, JAN),
        LATE,
        at(
            replace(MEASURE, deadline=dt.date(2023, 6, 30)),
            dt.date(2024, 4, 1),
            supersedes=events[2].event_id,
            reason="typing error",
        ),
    ]
    found = risk_register(recorded(*corrected), on=CHECKED).risks["R1"].measures

    assert [(m.state, m.measure.deadline, m.set_on) for m in found] == [
        ("done", dt.date(2023, 6, 30), JAN)
    ]


def test_a_measure_nobody_checked_is_listed() -> None:
    assert len(register(JAN).without_monitoring()) == 1
    assert (
        register(dt.date(2023, 11, 30), at(DONE, dt.date(2023, 11, 30))).without_monitoring() == ()
    )


def test_registered_measures_stand_beside_reported_counts() -> None:
    cells = register(JAN).matrix()

    assert [(c.scope, c.measure_type, c.reported, c.registered) for c in cells] == [
        ("territorial", "rotation", None, 1)
    ]


def test_an_older_check_does_not_undo_a_newer_one() -> None:
    earlier = DONE.__class__(
        measure_id="M1", risk_id="R1", monitored_on=dt.date(2023, 3, 1), state="in_progress"
    )

    found = register(DEADLINE, at(DONE, dt.date(2023, 11, 30)), at(earlier, dt.date(2023, 12, 1)))

    assert found.risks["R1"].measures[0].state == "done"


def test_every_event_moves_the_position() -> None:
    assert register(JAN).position == 3
    assert risk_register(recorded(Proposal(event=RISK, envelope=envelope())), on=JAN).position == 1
