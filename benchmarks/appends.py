"""Appends per second at 1, 10 and 100 events a commit, beside the library's SQLite recorder.

All write to files in one temporary folder, with a write-ahead log and a sync at each commit. The
last contestant does the whole of it: rules, Avro, commitment, durable append.
"""

import itertools
import tempfile
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

from eventsourcing.persistence import StoredEvent
from eventsourcing.sqlite import SQLiteApplicationRecorder, SQLiteDatastore

from benchmarks.measure import rates, show
from ledger.aggregates.base import Proposal
from ledger.application import LedgerApplication
from ledger.clock import SystemClock, SystemEntropy
from ledger.envelopes import command
from ledger.events.ledger import Actor, Envelope, Source
from ledger.events.publication import DocumentPublished
from ledger.store.engine import open_engine, store_url
from ledger.store.recorder import LedgerRecorder
from ledger.store.store import Store

COMMIT_SIZES = (1, 10, 100)
COMMITS = {1: 200, 10: 50, 100: 10}
"""Commits a round, by their size."""
ROUNDS = 7
BODY_BYTES = 180
"""Length of a body for the bare recorders: that of a governed event with its envelope."""


def run() -> None:
    """Measure and print."""
    for size in COMMIT_SIZES:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            contestants = {
                "eventsourcing SQLiteApplicationRecorder, bare": _library(folder, size),
                "registro recorder, bare (positions, commitments)": _recorder(folder, size),
                "registro, governed (rules, Avro, commitments)": _governed(folder, size),
            }
            samples = rates(contestants, rounds=ROUNDS)
        show(f"appends, {size} a commit", samples, unit="events/s")


def _library(folder: Path, size: int) -> Callable[[int], int]:
    datastore = SQLiteDatastore(str(folder / "library.db"))
    recorder = SQLiteApplicationRecorder(datastore)
    recorder.create_table()
    fresh = itertools.count(1)

    def work(_: int) -> int:
        for _commit in range(COMMITS[size]):
            recorder.insert_events(
                [
                    StoredEvent(UUID(int=next(fresh)), 1, "topic", b"x" * BODY_BYTES)
                    for _event in range(size)
                ]
            )
        return COMMITS[size] * size

    return work


def _recorder(folder: Path, size: int) -> Callable[[int], int]:
    store = _store(folder / "recorder.db")
    store.create()
    recorder = LedgerRecorder(store)
    fresh = itertools.count(1)

    def work(_: int) -> int:
        for _commit in range(COMMITS[size]):
            recorder.insert_events(
                [
                    StoredEvent(str(next(fresh)), 1, "topic", b"x" * BODY_BYTES)
                    for _event in range(size)
                ]
            )
        return COMMITS[size] * size

    return work


def _governed(folder: Path, size: int) -> Callable[[int], int]:
    clock, entropy = SystemClock(), SystemEntropy()
    ledger = LedgerApplication.create(
        _store(folder / "governed.db"), clock=clock, entropy=entropy, body="BENCH"
    )
    fresh = itertools.count(1)
    today = ledger.today()

    def work(_: int) -> int:
        for _commit in range(COMMITS[size]):
            commands = []
            for _event in range(size):
                name = f"document-{next(fresh)}"
                event = DocumentPublished(
                    document_id=name, title="A document of the benchmark", published_on=today
                )
                envelope = Envelope(
                    as_of=today,
                    actor=Actor(role="BENCH", unit_code="U1"),
                    source=Source(system="benchmark", document=name, locator="1"),
                )
                commands.append(
                    command(f"bench/{name}", [Proposal(event=event, envelope=envelope)])
                )
            ledger.execute(*commands)
        return COMMITS[size] * size

    return work


def _store(path: Path) -> Store:
    return Store(open_engine(store_url(str(path))), clock=SystemClock(), entropy=SystemEntropy())
