"""`publish = required` on the command line, without any Kafka: what is recorded stays."""

import pytest

from app.cli.kafka import required as required_publishing
from ledger.errors import ConfigurationError
from tests.support.cli import run, run_words

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


def test_without_a_server_nothing_is_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REGISTRO_KAFKA")

    ran = run(*ACT)

    assert ran.code == ConfigurationError.exit_code
    monkeypatch.setenv("REGISTRO_PUBLISH", "async")
    told = run("status", "--json", "--stage", "sealed").json["events"]
    assert "registro.acts.ActAdopted" not in told


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
