"""`publish = required` on the command line, without any Kafka: what is recorded stays."""

import contextlib
import io
import json
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.cli.kafka import publishing
from app.cli.kafka import required as required_publishing
from app.examples_folder import example_folder
from ledger.application import LedgerApplication
from ledger.errors import ConfigurationError
from ledger.kafka.client.connection import WAIT_SECONDS, Broker
from ledger.kafka.errors import PublisherBusyError, PublishUnfinishedError
from ledger.kafka.publisher import BACKOFF_SECONDS, Publisher
from ledger.kafka.tails import Ledger
from ledger.kafka.topics import Topics
from ledger.store.engine import open_engine, store_url
from ledger.store.store import Store
from tests.support.cli import run, run_words
from tests.support.ledgers import CountingEntropy, FakeClock
from tests.support.production import fact, production_ledger

ACT = ("act", "adopt", "CdA", "resolution", "2023-01-30", "plan", "--actor", "DG", "--number", "1")
DOWN = "127.0.0.1:1"

# kafka-python leaves the socket of a connection that fails to the garbage collector.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(autouse=True)
def required(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGISTRO_PUBLISH", "required")
    monkeypatch.setenv("REGISTRO_KAFKA", DOWN)
    monkeypatch.setattr(required_publishing, "REQUIRED_SECONDS", 1.0)
    assert run("init", "--body", "INPS").code == 0


def test_a_command_that_records_says_that_kafka_does_not_have_it() -> None:
    ran = run(*ACT)

    assert ran.code == 0
    assert "Recorded, not yet published" in ran.err
    assert run("status", "--json", "--stage", "sealed").json["events"]["registro.acts.ActAdopted"]


@pytest.mark.parametrize(
    "words",
    [(*ACT, "--dry-run"), ("risk", "matrix", "--on", "2023-12-31"), ("status",), (*ACT, "--help")],
)
def test_a_command_that_records_nothing_waits_for_nobody(words: tuple[str, ...]) -> None:
    assert "published" not in run(*words).err


@pytest.mark.parametrize(
    "words",
    [
        ACT,
        ("keys", "new", "--actor", "DG"),
        ("import", str(example_folder())),
        ("replay", "--year", "2023", "--record", "--actor", "DG"),
        ("ingest", "stock", "-", "--format", "jsonl", "--source", "S", "--actor", "DG"),
        ("inbox", "production", "--source", "S", "--actor", "DG"),
    ],
)
def test_without_a_server_nothing_is_recorded(
    words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REGISTRO_KAFKA")
    before = run("status", "--json").json["position"]

    ran = run(*words)

    assert ran.code == ConfigurationError.exit_code
    assert "kafka" in ran.err
    assert run("status", "--json").json["position"] == before


@pytest.mark.parametrize(
    "words",
    [
        (*ACT, "--dry-run"),
        (*ACT, "--help"),
        ("import", str(example_folder()), "--dry-run"),
        ("risk", "matrix", "--on", "2023-12-31"),
        ("risk", "overdue", "--on", "2023-12-31"),
        ("forecast", "--help"),
        ("list", "units"),
        ("trail", "ledger"),
        ("simulate", "--year", "2023", "--events", "200", "--out", "facts"),
        ("status",),
        ("verify",),
    ],
)
def test_without_a_server_what_records_nothing_is_not_refused(
    words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGISTRO_PUBLISH", "async")
    expected = run(*words)
    monkeypatch.setenv("REGISTRO_PUBLISH", "required")
    monkeypatch.delenv("REGISTRO_KAFKA")

    ran = run(*words)

    assert ran.code == expected.code != ConfigurationError.exit_code


def test_a_demonstration_has_a_ledger_of_its_own_and_publishes_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("REGISTRO_KAFKA")
    Path("registro.db").unlink()

    ran = run("demo")

    assert ran.code == 0, ran.err
    assert "published" not in ran.err


def test_commands_that_record_beside_their_work_publish_too() -> None:
    assert "Recorded, not yet published" in run("keys", "new", "--actor", "DG").err


# Commands that stay


def test_a_feed_is_told_of_each_group_and_ends_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    production_ledger(Path("facts.db")).store.engine.dispose()
    line = json.dumps({**fact("StockCounted", unit="DP1", source_id="A")}, default=str)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(f"{line}\n".encode())))
    words = ("--source", "SRC", "--actor", "DCPCG", "--follow", "0.1", "--json")
    began = time.monotonic()

    ran = run("--ledger", "facts.db", "ingest", "stock", *words)

    assert time.monotonic() - began < 10
    assert (ran.code, json.loads(ran.out)["facts"]) == (0, 1)
    assert ran.err.count("Recorded, not yet published") == 1


def own() -> Ledger:
    clock, entropy = FakeClock(), CountingEntropy()
    store = Store(open_engine(store_url("registro.db")), clock=clock, entropy=entropy)
    ledger = LedgerApplication.open(store, clock=clock, entropy=entropy)
    return Ledger.of(ledger, Topics())


def test_a_publisher_that_stays_waits_for_its_turn_and_one_that_does_not_is_refused() -> None:
    broker = Broker(servers=DOWN)
    with contextlib.ExitStack() as other:
        other.enter_context(Publisher(own(), broker))
        with (
            pytest.raises(PublisherBusyError),
            publishing._in_turn(Publisher(own(), broker), seconds=0),
        ):
            pass
        release = threading.Timer(0.7, other.close)
        release.start()
        began = time.monotonic()
        with publishing._in_turn(Publisher(own(), broker), seconds=20):
            waited = time.monotonic() - began
        release.join()
    assert 0.5 < waited < 5


# How long a single run tries


@pytest.mark.parametrize("seconds", [1, 3])
def test_a_single_run_ends_when_it_was_asked_to(seconds: int) -> None:
    began = time.monotonic()

    ran = run("publish", "--once", "--seconds", str(seconds))

    assert ran.code == PublishUnfinishedError.exit_code
    assert seconds - 0.5 <= time.monotonic() - began < seconds + 1.5


@pytest.mark.property
@given(st.floats(min_value=1, max_value=600))
def test_attempts_and_pauses_fill_the_time_that_was_given(seconds: float) -> None:
    wait = publishing._wait_within(seconds)
    attempts = round((seconds + BACKOFF_SECONDS) / (wait + BACKOFF_SECONDS))
    whole = attempts * wait + (attempts - 1) * BACKOFF_SECONDS
    assert whole == pytest.approx(seconds)
    assert 0 < wait <= WAIT_SECONDS + 1e-9


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("tail", "nosuch"), "non è tra: events"),
        (("publish", "--once", "--follow"), "indicarne uno solo"),
        (("metrics", "--listen", "foo"), "scrivere INDIRIZZO:PORTA"),
        (("dlq", "show", "zzz"), "scrivere FAMIGLIA/PARTIZIONE/OFFSET"),
    ],
)
def test_refusals_around_kafka_are_told_in_italian(words: tuple[str, ...], said: str) -> None:
    assert said in run_words(["--lang", "it", *words]).err
