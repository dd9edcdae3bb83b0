"""Records: instants as microseconds and back, counts of events, the numbers of the kinds."""

import datetime as dt
from dataclasses import FrozenInstanceError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.records import (
    EPOCH,
    AppendPart,
    PendingRecord,
    RecordKind,
    StoredRecord,
    instant_of,
    micros_of,
)
from ledger.types import AppendKey, Digest, Position, StreamName, StreamVersion

ROME_IN_WINTER = dt.timezone(dt.timedelta(hours=1))


def record(lengths: tuple[int, ...] = (3,)) -> PendingRecord:
    return PendingRecord(
        kind=RecordKind.EVENT,
        stream=StreamName("a"),
        stream_version=StreamVersion(1),
        event_type="t",
        schema_id=b"",
        append=AppendPart(key=AppendKey("k")),
        envelope_schema_id=b"",
        envelope=b"",
        lengths=lengths,
        content=b"x" * sum(lengths),
    )


@pytest.mark.parametrize(
    ("instant", "micros"),
    [
        (EPOCH, 0),
        (EPOCH + dt.timedelta(microseconds=1), 1),
        (EPOCH - dt.timedelta(microseconds=1), -1),
        (dt.datetime(1970, 1, 1, 1, tzinfo=ROME_IN_WINTER), 0),
        (dt.datetime(2023, 12, 31, 23, 59, 59, 999999, tzinfo=dt.UTC), 1_704_067_199_999_999),
    ],
)
def test_an_instant_is_counted_in_microseconds_since_1970(
    instant: dt.datetime, micros: int
) -> None:
    assert micros_of(instant) == micros
    assert instant_of(micros) == instant


def test_refuses_an_instant_without_a_zone() -> None:
    with pytest.raises(TypeError):
        micros_of(dt.datetime(2023, 1, 1))  # noqa: DTZ001 - what is refused


@pytest.mark.parametrize("micros", [2**62, -(2**62), 10**30])
def test_refuses_an_instant_beyond_the_calendar(micros: int) -> None:
    with pytest.raises(OverflowError):
        instant_of(micros)


@pytest.mark.property
@given(instant=st.datetimes(timezones=st.just(dt.UTC)))
def test_every_instant_comes_back_from_its_microseconds(instant: dt.datetime) -> None:
    back = instant_of(micros_of(instant))

    assert back == instant
    assert back.utcoffset() == dt.timedelta(0)


def test_a_stored_record_tells_its_instant() -> None:
    stored = StoredRecord(
        position=Position(1),
        recorded_at=1_000_000,
        salt=b"",
        commitment=Digest(b""),
        inner_root=Digest(b""),
        record=record(),
    )

    assert stored.recorded_instant == EPOCH + dt.timedelta(seconds=1)


@pytest.mark.parametrize(("lengths", "count"), [((3,), 1), ((0,), 1), ((1, 2, 3), 3)])
def test_a_record_counts_its_events(lengths: tuple[int, ...], count: int) -> None:
    assert record(lengths).event_count == count


def test_the_numbers_of_the_kinds_never_change() -> None:
    assert {kind.name: kind.value for kind in RecordKind} == {"EVENT": 1, "BLOCK": 2}


def test_an_append_is_one_part_unless_said_otherwise() -> None:
    append = AppendPart(key=AppendKey("k"))

    assert (append.part, append.part_count, append.input_digest) == (0, 1, b"")


def test_a_record_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        record().stream = StreamName("b")  # type: ignore[misc] # what is refused
