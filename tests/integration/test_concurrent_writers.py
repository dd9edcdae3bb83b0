"""Several processes append to one ledger file at once: nothing lost, nothing twice, no gap."""

import multiprocessing
from collections import Counter
from collections.abc import Callable, Sequence
from decimal import Decimal
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from ledger.aggregates.base import Command, Proposal
from ledger.application import LedgerApplication
from ledger.clock import SystemClock, SystemEntropy
from ledger.envelopes import command
from ledger.errors import LedgerError
from ledger.events.ledger import SchemaReleased
from ledger.events.publication import DocumentPublished, FigurePublished
from ledger.feed import RecordedEvent, read_all
from ledger.store.engine import open_engine, store_url
from ledger.store.store import Store
from tests.support.given import JAN_1, act_adopted, envelope
from tests.support.ledgers import new_ledger, place_of

PROCESSES = 4
APPENDS = 25
TRIES_MAX = 1000
JOIN_SECONDS = 60


def opened(path: Path) -> LedgerApplication:
    clock, entropy = SystemClock(), SystemEntropy()
    store = Store(open_engine(store_url(place_of(path))), clock=clock, entropy=entropy)
    return LedgerApplication.open(store, clock=clock, entropy=entropy)


def figure(name: str) -> Proposal:
    return Proposal(
        event=FigurePublished(
            figure_id=name,
            document_id="report",
            label="figure",
            raw="1,5",
            value=Decimal("1.5"),
            measure_unit="percent",
            decimals=1,
        ),
        envelope=envelope(),
    )


def persist(ledger: LedgerApplication, wanted: Command) -> int:
    """Execute a command until nobody else is in the way; return how often that took."""
    for tries in range(1, TRIES_MAX):
        try:
            ledger.execute(wanted)
        except LedgerError as error:
            if not error.retriable:
                raise
        else:
            return tries
    raise AssertionError("no end of lost races")


def write_figures(path: str, writer: int, gate: Barrier) -> None:
    """One process: its own figures in everybody's document, one append each."""
    ledger = opened(Path(path))
    gate.wait(timeout=JOIN_SECONDS)
    for number in range(APPENDS):
        name = f"{writer}/{number}"
        persist(ledger, command(name, [figure(name)]))


def write_the_same(path: str, _: int, gate: Barrier) -> None:
    """One process: the same commands as every other process."""
    ledger = opened(Path(path))
    gate.wait(timeout=JOIN_SECONDS)
    for number in range(APPENDS):
        persist(ledger, command(f"same/{number}", [figure(f"same/{number}")]))


Work = Callable[[str, int, Barrier], None]


def run_together(work: Work, path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    gate = spawn.Barrier(PROCESSES)
    running = [
        spawn.Process(target=work, args=(str(path), writer, gate)) for writer in range(PROCESSES)
    ]
    for process in running:
        process.start()
    for process in running:
        process.join(timeout=JOIN_SECONDS)
    assert [process.exitcode for process in running] == [0] * PROCESSES


def ledger_with_a_report(path: Path) -> LedgerApplication:
    ledger = new_ledger(path)
    report = DocumentPublished(document_id="report", title="report", published_on=JAN_1)
    ledger.execute(command("report", [Proposal(event=report, envelope=envelope())]))
    ledger.store.engine.dispose()
    return ledger


def check_frame(ledger: LedgerApplication) -> tuple[RecordedEvent, ...]:
    """Assert what holds in every ledger, and return its events."""
    events = tuple(read_all(ledger))
    assert [item.position for item in events] == list(range(1, len(events) + 1))
    instants = [item.recorded_at for item in events]
    assert instants == sorted(instants)
    versions: Counter[str] = Counter()
    for item in events:
        versions[item.stream] += 1
        assert item.stream_version == versions[item.stream]
    released = [item.event.full_name for item in events if isinstance(item.event, SchemaReleased)]
    assert len(released) == len(set(released))
    return events


def figures_of(events: Sequence[RecordedEvent]) -> list[str]:
    return [item.event.figure_id for item in events if isinstance(item.event, FigurePublished)]


@pytest.mark.timeout(90)
def test_four_processes_lose_nothing_and_write_nothing_twice(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    ledger = ledger_with_a_report(path)

    run_together(write_figures, path)

    events = check_frame(ledger)
    figures = figures_of(events)
    assert len(figures) == PROCESSES * APPENDS
    assert set(figures) == {f"{w}/{n}" for w in range(PROCESSES) for n in range(APPENDS)}
    for writer in range(PROCESSES):
        own = [name for name in figures if name.startswith(f"{writer}/")]
        assert own == [f"{writer}/{number}" for number in range(APPENDS)]


@pytest.mark.timeout(90)
def test_four_processes_with_the_same_commands_record_each_once(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    ledger = ledger_with_a_report(path)

    run_together(write_the_same, path)

    events = check_frame(ledger)
    figures = figures_of(events)
    assert figures == [f"same/{number}" for number in range(APPENDS)]


def test_two_ledgers_in_turn_release_a_schema_once(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    first = new_ledger(path)
    second = opened(path)
    adoption = Proposal(event=act_adopted(), envelope=envelope())
    report = DocumentPublished(document_id="report", title="report", published_on=JAN_1)

    persist(first, command("a", [adoption]))
    persist(second, command("b", [Proposal(event=report, envelope=envelope())]))
    tries = persist(first, command("c", [figure("x")]))

    assert tries == 2, "the first ledger has to learn that a schema was released meanwhile"
    check_frame(opened(path))
