"""What is wrong with a ledger and what follows it, judged from one look."""

import datetime as dt
from dataclasses import replace

import pytest

from app.operations.snapshot import (
    PROBLEM_KINDS,
    Behind,
    Limits,
    Published,
    ReadModel,
    SealedUpTo,
    Snapshot,
    problems_of,
)
from app.texts.operations import PROBLEMS, STAGE_NAMES
from ledger.kafka.guard import Mismatch
from ledger.kafka.inbox.waiting import InboxWaiting, PartitionWaiting
from ledger.types import Position

NOW = dt.datetime(2026, 11, 21, 9, 0, tzinfo=dt.UTC)
MISMATCH = Mismatch(topic="t", setting="retention.ms", found="1", wanted="-1", remedy="mend")


def behind(*, position: int = 10, records: int = 0, seconds: float = 0.0) -> Behind:
    return Behind(position=Position(position), records=records, events=records * 2, seconds=seconds)


def published(**changes: object) -> Published:
    plain = Published(
        servers="k:9092",
        reachable=True,
        reason=None,
        behind=behind(),
        mismatches=(),
        diverged=None,
    )
    return replace(plain, **changes)  # type: ignore[arg-type] # fields by name


def sealed(**changes: object) -> SealedUpTo:
    plain = SealedUpTo(
        log="l.log", checkpoint=True, behind=behind(), max_delay_seconds=None, reason=None
    )
    return replace(plain, **changes)  # type: ignore[arg-type] # fields by name


def model(**changes: object) -> ReadModel:
    plain = ReadModel(
        name="production",
        generation=1,
        behind=behind(),
        fallbacks=0,
        halted_at=None,
        halted_reason=None,
    )
    return replace(plain, **changes)  # type: ignore[arg-type] # fields by name


def inbox(**changes: object) -> InboxWaiting:
    plain = PartitionWaiting(partition=0, next_offset=5, end=5, waiting=0, lost=0)
    busy = replace(plain, partition=1, **changes)  # type: ignore[arg-type] # fields by name
    return InboxWaiting(family="production", topic="t", partitions=(plain, busy))


def snapshot(**changes: object) -> Snapshot:
    plain = Snapshot(
        ledger="l.db",
        ledger_id="id",
        origin="o",
        body="INPS",
        sandbox=False,
        head=Position(10),
        last_recorded_at=NOW,
        age_seconds=5.0,
        inboxes=(),
        inboxes_reason=None,
        published=published(),
        sealed=sealed(),
        read_models=(model(),),
        read_models_reason=None,
    )
    return replace(plain, **changes)  # type: ignore[arg-type] # fields by name


def kinds(found: Snapshot, limits: Limits | None = None) -> list[tuple[str, str, str]]:
    return [(one.kind, one.stage, one.name) for one in problems_of(found, limits or Limits())]


def test_nothing_is_wrong_when_everything_is_in_step() -> None:
    assert problems_of(snapshot(), Limits(events=0, seconds=0)) == ()


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (snapshot(inboxes=(inbox(lost=1),)), ("inbox_lost", "inbox", "production")),
        (snapshot(published=published(mismatches=(MISMATCH,))), ("topics_unsafe", "published", "")),
        (
            snapshot(published=published(diverged="why", behind=None)),
            ("topics_diverged", "published", ""),
        ),
        (snapshot(sealed=sealed(reason="why")), ("checkpoint_invalid", "sealed", "")),
        (
            snapshot(sealed=sealed(behind=behind(position=11))),
            ("checkpoint_beyond_head", "sealed", ""),
        ),
        (
            snapshot(sealed=sealed(max_delay_seconds=60, behind=behind(records=1, seconds=60.1))),
            ("seal_late", "sealed", ""),
        ),
        (
            snapshot(read_models=(), read_models_reason="down"),
            ("read_models_unreadable", "projected", ""),
        ),
        (
            snapshot(read_models=(model(halted_at=4, halted_reason="why"),)),
            ("read_model_halted", "projected", "production"),
        ),
    ],
)
def test_what_must_hold_and_does_not_is_a_problem_without_any_limit(
    found: Snapshot, expected: tuple[str, str, str]
) -> None:
    assert kinds(found) == [expected]


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        (Limits(), []),
        (Limits(events=6), []),
        (Limits(events=5), ["lag_events"]),
        (Limits(seconds=30), []),
        (Limits(seconds=29.9), ["lag_seconds"]),
        (Limits(events=0, seconds=0), ["lag_events", "lag_seconds"]),
    ],
)
@pytest.mark.parametrize("stage", ["published", "sealed", "projected"])
def test_a_limit_holds_for_each_stage_up_to_and_including_it(
    stage: str, limits: Limits, expected: list[str]
) -> None:
    late = behind(position=7, records=3, seconds=30.0)
    found = {
        "published": snapshot(published=published(behind=late)),
        "sealed": snapshot(sealed=sealed(behind=late)),
        "projected": snapshot(read_models=(model(behind=late),)),
    }[stage]
    name = "production" if stage == "projected" else ""
    assert kinds(found, limits) == [(kind, stage, name) for kind in expected]


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        (Limits(), []),
        (Limits(events=7), []),
        (Limits(events=6), ["lag_events"]),
        (Limits(seconds=0), []),
    ],
)
def test_messages_that_wait_in_an_inbox_count_as_events(
    limits: Limits, expected: list[str]
) -> None:
    found = snapshot(inboxes=(inbox(waiting=7),))
    assert kinds(found, limits) == [(kind, "inbox", "production") for kind in expected]


@pytest.mark.parametrize(
    "found",
    [
        snapshot(inboxes_reason="down"),
        snapshot(inboxes=(inbox(),)),
        snapshot(published=None, sealed=None, read_models=()),
        snapshot(published=published(reachable=False, reason="down", behind=None)),
        snapshot(sealed=sealed(checkpoint=False, behind=behind(position=0, records=10, seconds=9))),
        snapshot(head=Position(0), last_recorded_at=None, age_seconds=None, sealed=None),
    ],
)
def test_what_is_not_in_use_or_cannot_be_asked_is_no_problem(found: Snapshot) -> None:
    assert kinds(found, Limits(events=0, seconds=0)) == []


def test_a_limit_of_delay_brings_sealing_into_use_before_the_first_seal() -> None:
    late = behind(position=0, records=10, seconds=100)
    found = snapshot(sealed=sealed(checkpoint=False, max_delay_seconds=50, behind=late))
    assert kinds(found) == [("seal_late", "sealed", "")]
    assert kinds(found, Limits(events=1))[1] == ("lag_events", "sealed", "")


def test_every_kind_and_stage_has_its_words() -> None:
    assert set(PROBLEMS) == set(PROBLEM_KINDS)
    assert set(STAGE_NAMES) == {"inbox", "published", "sealed", "projected"}
