"""`registro catch-up --source kafka` without a broker: what is refused before one is asked."""

from pathlib import Path

import pytest

from ledger.errors import ConfigurationError, InvalidCommandError
from ledger.kafka.errors import BrokerError
from tests.cli.test_readmodels import made_by, on
from tests.support.cli import run
from tests.unit.projections.runner.test_digests import facts_ledger

FROM_TOPICS = ("catch-up", "--source", "kafka")
NOWHERE = "127.0.0.1:9"

# kafka-python leaves the socket of a connection that fails to the garbage collector.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return facts_ledger(tmp_path_factory.mktemp("facts") / "ledger.db")


@pytest.fixture(autouse=True)
def _no_kafka(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REGISTRO_KAFKA", raising=False)


@pytest.mark.parametrize("asked", ["indicators", "trail"])
def test_a_read_model_that_sums_no_facts_is_not_fed_from_topics(asked: str, ledger: Path) -> None:
    ran = on(ledger, *FROM_TOPICS, "--projection", asked, "--json")

    assert ran.code == InvalidCommandError.exit_code
    assert ran.problem["facts"]["field"] == "--source"
    assert ran.problem["facts"]["value"] == "kafka"


def test_the_refusal_is_told_in_italian(ledger: Path) -> None:
    ran = on(ledger, *FROM_TOPICS, "--projection", "trail", "--lang", "it")

    assert ran.code == InvalidCommandError.exit_code
    assert "solo production si alimenta dai topic" in " ".join(ran.err.split())


@pytest.mark.parametrize("more", [(), ("--follow",), ("--projection", "production")])
def test_without_a_server_the_setting_is_named(more: tuple[str, ...], ledger: Path) -> None:
    ran = on(ledger, *FROM_TOPICS, *more, "--json")

    assert ran.code == ConfigurationError.exit_code
    assert ran.problem["facts"]["setting"] == "kafka"


def test_a_server_that_does_not_answer_is_told_and_nothing_is_folded(
    ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGISTRO_KAFKA", NOWHERE)
    monkeypatch.setattr("ledger.kafka.client.connection.WAIT_SECONDS", 0.5)

    ran = on(ledger, *FROM_TOPICS, "--json")

    assert ran.code == BrokerError.exit_code
    assert NOWHERE in ran.problem["facts"]["servers"]


def test_rows_of_another_release_ask_for_a_rebuild_before_any_message_is_read(
    ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert on(ledger, "catch-up").code == 0
    made_by(ledger.with_name("ledger.views.db"), "0.0.0")
    monkeypatch.setenv("REGISTRO_KAFKA", NOWHERE)
    monkeypatch.setattr("ledger.kafka.client.connection.WAIT_SECONDS", 0.5)

    ran = on(ledger, *FROM_TOPICS)

    assert ran.code == BrokerError.exit_code
    assert "0.0.0" in ran.err
    assert "registro rebuild --projection production" in ran.err


def test_another_source_is_refused(ledger: Path) -> None:
    assert on(ledger, "catch-up", "--source", "topics").code == 2


@pytest.mark.parametrize(("lang", "said"), [("it", "registro (store)"), ("en", "ledger (store)")])
def test_help_says_where_facts_come_from(lang: str, said: str) -> None:
    ran = run("--lang", lang, "catch-up", "--help")

    assert ran.code == 0
    words = " ".join(ran.out.replace("│", " ").split())
    assert "--source" in words
    assert said in words
