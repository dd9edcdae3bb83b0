"""Import, replay, verification and subscription of the worked example."""

import tempfile
from pathlib import Path

from app.examples_folder import example_folder
from benchmarks.measure import rates, show
from ledger.application import LedgerApplication
from ledger.clock import SystemClock, SystemEntropy
from ledger.feed import read_all
from ledger.intake.importer import import_folder
from ledger.store.engine import open_engine, store_url
from ledger.store.mapper import AvroMapper
from ledger.store.store import Store
from ledger.verification import verify
from projections.cycle.replay import replay
from projections.indicator_updates import IndicatorUpdates

ROUNDS = 7


def run() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ledger = _created(folder / "example.db")
        import_folder(ledger, example_folder())
        events = list(read_all(ledger))

        def imported(turn: int) -> int:
            return import_folder(_created(folder / f"{turn}.db"), example_folder()).events

        def repeated(_: int) -> int:
            import_folder(ledger, example_folder())
            return len(events)

        def read(_: int) -> int:
            return sum(1 for _event in read_all(ledger))

        def replayed(_: int) -> int:
            replay(read_all(ledger), year=2023, as_of=None)
            return len(events)

        def verified(_: int) -> int:
            return verify(ledger.store, AvroMapper()).records

        def subscribed(_: int) -> int:
            updates = IndicatorUpdates()
            for event in events:
                updates.apply(event)
            return len(events)

        samples = rates(
            {
                "read and decode every event": read,
                "replay 2023: read, decode, fold, 124 indicators": replayed,
                "verify: recompute every commitment": verified,
                "indicator updates over the feed": subscribed,
                "import the folder (files to durable events)": imported,
                "import it again (adds nothing)": repeated,
            },
            rounds=ROUNDS,
        )
    show(f"worked example, {len(events)} events", samples, unit="events/s")


def _created(path: Path) -> LedgerApplication:
    clock, entropy = SystemClock(), SystemEntropy()
    store = Store(open_engine(store_url(str(path))), clock=clock, entropy=entropy)
    return LedgerApplication.create(store, clock=clock, entropy=entropy, body=None)
