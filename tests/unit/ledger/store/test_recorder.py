"""The library's recorder over our store, beyond the library's own suites."""

import threading
from pathlib import Path

import pytest
from eventsourcing.persistence import IntegrityError, StoredEvent

from ledger.errors import AppendKeyConflictError, WrongExpectedVersionError
from ledger.feed import GovernedEvent
from ledger.records import AppendPart
from ledger.store.mapper import AvroMapper, LedgerStoredEvent
from ledger.store.recorder import POLL_SECONDS, LedgerRecorder
from ledger.types import AppendKey, StreamName, StreamVersion
from tests.support.given import act_adopted, envelope
from tests.support.ledgers import store_at


def bare(stream: str, version: int, topic: str = "t") -> StoredEvent:
    return StoredEvent(
        originator_id=stream, originator_version=version, topic=topic, state=b"state"
    )


def governed(key: str, version: int) -> LedgerStoredEvent:
    return AvroMapper().to_stored_event(
        GovernedEvent(
            originator_id="act/x",
            originator_version=version,
            event=act_adopted(),
            envelope=envelope(),
            append=AppendPart(key=AppendKey(key)),
        )
    )


@pytest.fixture
def recorder() -> LedgerRecorder:
    store = store_at(None)
    store.create()
    return LedgerRecorder(store)


def test_nothing_to_insert_inserts_nothing(recorder: LedgerRecorder) -> None:
    assert recorder.insert_events([]) == []
    assert recorder.max_notification_id() is None


def test_gives_positions_in_the_order_of_the_events(recorder: LedgerRecorder) -> None:
    assert recorder.insert_events([bare("a", 1), bare("b", 1)]) == [1, 2]
    assert recorder.insert_events([bare("a", 2)]) == [3]
    assert recorder.max_notification_id() == 3


def test_a_version_that_is_taken_keeps_its_cause(recorder: LedgerRecorder) -> None:
    recorder.insert_events([bare("a", 1)])

    with pytest.raises(IntegrityError) as caught:
        recorder.insert_events([bare("b", 1), bare("a", 1)])

    assert isinstance(caught.value.__cause__, WrongExpectedVersionError)
    assert recorder.max_notification_id() == 1


def test_an_append_key_that_is_taken_keeps_its_cause(recorder: LedgerRecorder) -> None:
    recorder.insert_events([governed("k", 1)])

    with pytest.raises(IntegrityError) as caught:
        recorder.insert_events([governed("k", 2)])

    assert isinstance(caught.value.__cause__, AppendKeyConflictError)


def test_streams_that_were_only_read_are_checked(recorder: LedgerRecorder) -> None:
    recorder.insert_events([bare("a", 1)])

    with pytest.raises(IntegrityError):
        recorder.insert_events([bare("b", 1)], expect={StreamName("a"): StreamVersion(0)})

    assert recorder.insert_events([bare("b", 1)], expect={StreamName("a"): StreamVersion(1)}) == [2]


def test_a_bare_event_and_a_governed_one_come_back_as_they_went(recorder: LedgerRecorder) -> None:
    event = governed("k", 1)
    recorder.insert_events([bare("a", 1), event])

    (first,) = recorder.select_events("a")
    (second,) = recorder.select_events("act/x")

    assert first == bare("a", 1)
    assert isinstance(second, LedgerStoredEvent)
    assert second.pending == event.pending
    assert second.stored is not None
    assert second.stored.position == 2


@pytest.mark.parametrize(
    ("start", "inclusive", "found"),
    [
        (None, True, [1, 2, 3]),
        (2, True, [2, 3]),
        (2, False, [3]),
        (0, True, [1, 2, 3]),
        (4, True, []),
    ],
)
def test_selects_notifications_from_a_start(
    recorder: LedgerRecorder, start: int | None, *, inclusive: bool, found: list[int]
) -> None:
    recorder.insert_events([bare("a", 1), bare("a", 2), bare("a", 3)])

    items = recorder.select_notifications(start, limit=10, inclusive_of_start=inclusive)

    assert [item.id for item in items] == found


def test_selects_notifications_by_topic_and_stop(recorder: LedgerRecorder) -> None:
    recorder.insert_events([bare("a", n, topic="odd" if n % 2 else "even") for n in range(1, 7)])

    items = recorder.select_notifications(1, limit=10, stop=4, topics=["even"])

    assert [item.id for item in items] == [2, 4]


def test_wakes_listeners_until_they_leave(recorder: LedgerRecorder) -> None:
    listener = threading.Event()
    recorder.listen(listener)
    recorder.insert_events([bare("a", 1)])
    assert listener.is_set()

    listener.clear()
    recorder.unlisten(listener)
    recorder.unlisten(listener)
    recorder.insert_events([bare("a", 2)])

    assert not listener.is_set()


def test_a_refused_append_wakes_nobody(recorder: LedgerRecorder) -> None:
    listener = threading.Event()
    recorder.listen(listener)

    with pytest.raises(IntegrityError):
        recorder.insert_events([bare("a", 5)])

    assert not listener.is_set()


def test_a_subscription_sees_what_another_process_appends(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    store = store_at(path)
    store.create()
    other = LedgerRecorder(store_at(path))
    late = threading.Timer(POLL_SECONDS / 2, lambda: other.insert_events([bare("a", 2)]))

    with LedgerRecorder(store).subscribe(gt=1) as subscription:
        other.insert_events([bare("a", 1)])
        late.start()
        found = next(subscription)

    late.join()
    assert found.id == 2


def test_a_stopped_subscription_ends_and_may_be_stopped_again(recorder: LedgerRecorder) -> None:
    recorder.insert_events([bare("a", 1)])
    subscription = recorder.subscribe()

    subscription.stop()
    subscription.stop()

    assert list(subscription) == []
