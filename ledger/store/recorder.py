"""The eventsourcing library's recorder contracts, kept by our store.

Invariants (the library's, with ours on top):
1. Notification ids are positions: dense, from 1, visible in order.
2. One call of `insert_events` is one atom whose ids are adjacent; a version that exists, or is
   not the next one, raises the library's `IntegrityError` and stores nothing.
3. The library's own suites run against this class (tests/contract/).

Source: shared research note on recorder contracts; docs/adr/0001-store.md.
"""

from collections.abc import Mapping, Sequence
from threading import Event as ThreadEvent
from threading import Lock, Thread
from typing import Any, Final
from uuid import UUID

from eventsourcing.persistence import (
    ApplicationRecorder,
    IntegrityError,
    ListenNotifySubscription,
    Notification,
    StoredEvent,
    Subscription,
)

from ledger.clock import Entropy, SystemEntropy, random_uuid
from ledger.errors import AppendKeyConflictError, WrongExpectedVersionError
from ledger.records import AppendPart, PendingRecord, RecordKind, StoredRecord
from ledger.store.mapper import LedgerStoredEvent
from ledger.store.store import Store
from ledger.types import AppendKey, Position, StreamName, StreamVersion

POLL_SECONDS: Final = 0.5
"""How often a subscription looks for records of other processes."""


class LedgerRecorder(ApplicationRecorder):
    """Append and select events through a `Store`."""

    def __init__(self, store: Store, *, entropy: Entropy | None = None) -> None:
        self.store = store
        self._entropy = entropy or SystemEntropy()
        self._listeners_lock = Lock()
        self._listeners: set[ThreadEvent] = set()
        """Guarded by `_listeners_lock`."""

    def insert_events(
        self,
        stored_events: Sequence[StoredEvent],
        *,
        expect: Mapping[StreamName, StreamVersion] | None = None,
        **_: object,
    ) -> Sequence[int]:
        """Append events in one transaction.

        Args:
            stored_events: from `AvroMapper`, or bare ones of the library's suites.
            expect: see `Store.append`.

        Returns:
            Positions, in the order given.

        Raises:
            IntegrityError: a stream version or append key is taken; the cause says which.
        """
        if not stored_events:
            return []
        pending = [self._pending(stored_event) for stored_event in stored_events]
        try:
            stored = self.store.append(pending, expect=expect)
        except (WrongExpectedVersionError, AppendKeyConflictError) as error:
            raise IntegrityError(str(error)) from error
        with self._listeners_lock:
            for listener in self._listeners:
                listener.set()
        return [item.position for item in stored]

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        """Return the events of a stream in order of version; bounds as the names say."""
        return [
            _stored_event(item)
            for item in self.store.read_stream(
                StreamName(str(originator_id)),
                after=gt,
                through=lte,
                descending=desc,
                limit=limit,
            )
        ]

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        """Return notifications in order of position; `limit` counts after the topic filter."""
        after = 0 if start is None else start - 1 if inclusive_of_start else start
        return [
            Notification(
                id=item.position,
                originator_id=item.record.stream,
                originator_version=item.record.stream_version,
                topic=item.record.event_type,
                state=item.record.content,
            )
            for item in self.store.read(
                after=Position(max(after, 0)),
                through=None if stop is None else Position(stop),
                limit=limit,
                event_types=topics,
            )
        ]

    def max_notification_id(self) -> int | None:
        """Return the last position; None for an empty ledger."""
        return self.store.head() or None

    def subscribe(
        self, gt: int | None = None, topics: Sequence[str] = ()
    ) -> Subscription[ApplicationRecorder]:
        """Return an iterator over notifications after `gt` that waits for new ones."""
        return LedgerSubscription(recorder=self, gt=gt, topics=topics)

    def listen(self, listener: ThreadEvent) -> None:
        """Set `listener` whenever this recorder has appended."""
        with self._listeners_lock:
            self._listeners.add(listener)

    def unlisten(self, listener: ThreadEvent) -> None:
        """Undo `listen`."""
        with self._listeners_lock:
            self._listeners.discard(listener)

    def _pending(self, stored_event: StoredEvent) -> PendingRecord:
        if isinstance(stored_event, LedgerStoredEvent):
            return stored_event.pending
        return PendingRecord(
            kind=RecordKind.EVENT,
            stream=StreamName(str(stored_event.originator_id)),
            stream_version=StreamVersion(stored_event.originator_version),
            event_type=stored_event.topic,
            schema_id=b"",
            append=AppendPart(key=AppendKey(f"unkeyed/{random_uuid(self._entropy)}")),
            envelope_schema_id=b"",
            envelope=b"",
            lengths=(len(stored_event.state),),
            content=stored_event.state,
        )


class LedgerSubscription(ListenNotifySubscription[LedgerRecorder]):
    """The library's pulling subscription, woken by this process and by a poll for the others."""

    def __init__(
        self, recorder: LedgerRecorder, gt: int | None = None, topics: Sequence[str] = ()
    ) -> None:
        self._stop_polling = ThreadEvent()
        super().__init__(recorder=recorder, gt=gt, topics=topics)
        recorder.listen(self._has_been_notified)
        self._poll_thread = Thread(target=self._poll, daemon=True)
        self._poll_thread.start()

    def stop(self) -> None:
        """End the iteration; may be called at any time and more than once."""
        self._stop_polling.set()
        self._recorder.unlisten(self._has_been_notified)
        super().stop()

    def _poll(self) -> None:
        while not self._stop_polling.wait(POLL_SECONDS):
            self._has_been_notified.set()


def _stored_event(item: StoredRecord) -> StoredEvent:
    facts: dict[str, Any] = {
        "originator_id": item.record.stream,
        "originator_version": item.record.stream_version,
        "topic": item.record.event_type,
        "state": item.record.content,
    }
    if not item.record.schema_id:
        return StoredEvent(**facts)
    return LedgerStoredEvent(**facts, pending=item.record, stored=item)
