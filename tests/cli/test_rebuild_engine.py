"""`registro rebuild --engine`: which words go together, what is said when there is no cluster."""

import sys
from pathlib import Path

import pytest

from app.cli.production.engine_choice import in_the_open
from ledger.errors import ConfigurationError, InvalidCommandError
from ledger.kafka.errors import BrokerError
from projections.runner.engines import EngineError, EngineMissingError
from tests.cli.test_readmodels import on
from tests.unit.projections.runner.test_digests import facts_ledger

NOWHERE = "tcp://127.0.0.1:9"
PRODUCTION = ("rebuild", "--projection", "production")


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return facts_ledger(tmp_path_factory.mktemp("facts") / "ledger.db")


@pytest.mark.parametrize(
    "words",
    [("--engine", "dask"), ("--address", NOWHERE), ("--engine", "processes", "--address", "x")],
)
def test_an_engine_and_an_address_go_together(words: tuple[str, ...], ledger: Path) -> None:
    ran = on(ledger, *PRODUCTION, *words, "--json")
    assert ran.code == InvalidCommandError.exit_code
    assert ran.problem["facts"]["field"] == "--address"
    assert not ledger.with_name("ledger.views.db").exists()


@pytest.fixture
def _login(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings with a password for a Kafka that is not there."""
    settings = {
        "KAFKA": "127.0.0.1:9",
        "KAFKA_SECURITY": "SASL_PLAINTEXT",
        "KAFKA_USER": "registro",
        "KAFKA_PASSWORD": "hush",
    }
    for name, value in settings.items():
        monkeypatch.setenv(f"REGISTRO_{name}", value)
    monkeypatch.setattr("ledger.kafka.client.connection.WAIT_SECONDS", 0.5)


FROM_KAFKA = (*PRODUCTION, "--source", "kafka", "--engine", "dask", "--address")


@pytest.mark.usefixtures("_login")
def test_a_password_does_not_travel_where_others_can_read_it(ledger: Path) -> None:
    ran = on(ledger, *FROM_KAFKA, "tcp://192.0.2.7:8786", "--lang", "it")
    assert ran.code == InvalidCommandError.exit_code
    assert "la password di Kafka viaggerebbe in chiaro" in ran.err
    assert "hush" not in ran.err


@pytest.mark.usefixtures("_login")
@pytest.mark.parametrize("address", ["tls://192.0.2.7:8786", NOWHERE])
def test_a_password_travels_where_nobody_else_can_read_it(address: str, ledger: Path) -> None:
    ran = on(ledger, *FROM_KAFKA, address)
    # The topics are looked at before the cluster is.
    assert ran.code == BrokerError.exit_code
    assert "hush" not in ran.err


def test_without_kafka_workers_cannot_read_it(
    ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REGISTRO_KAFKA", raising=False)
    ran = on(ledger, *FROM_KAFKA, NOWHERE)
    assert ran.code == ConfigurationError.exit_code
    assert "REGISTRO_KAFKA" in ran.err


def test_a_machine_too_busy_to_begin_is_told_as_the_engine(
    ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What Dask raises when its own thread does not start in time."""

    def too_busy(*_: object, **__: object) -> None:
        raise AssertionError

    monkeypatch.setattr("distributed.Client", too_busy)
    ran = on(ledger, *PRODUCTION, "--engine", "dask", "--address", NOWHERE, "--lang", "it")
    assert ran.code == EngineError.exit_code
    assert "questa macchina è troppo occupata" in ran.err


def test_an_engine_of_another_name_is_refused(ledger: Path) -> None:
    assert on(ledger, *PRODUCTION, "--engine", "spark", "--address", NOWHERE).code == 2


def test_without_the_extra_the_remedy_is_told_in_both_languages(
    ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    words = (*PRODUCTION, "--engine", "dask", "--address", NOWHERE)
    for lang, said in (("it", "non è installato"), ("en", "is not installed")):
        ran = on(ledger, *words, "--lang", lang)
        assert ran.code == EngineMissingError.exit_code
        assert said in ran.err
        assert "registro[distributed]" in ran.err


def test_a_scheduler_that_is_not_there_is_told_in_italian(
    ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("projections.runner.cluster.CONNECT_SECONDS", 0.3)
    ran = on(ledger, *PRODUCTION, "--engine", "dask", "--address", NOWHERE, "--lang", "it")
    assert ran.code == EngineError.exit_code
    assert "lo scheduler non risponde" in ran.err
    assert NOWHERE in ran.err
    assert "Traceback" not in ran.err


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("tcp://127.0.0.1:8786", False),
        ("tcp://[::1]:8786", False),
        ("localhost:8786", False),
        ("tls://scheduler.example.invalid:8786", False),
        ("tcp://scheduler.example.invalid:8786", True),
        ("tcp://192.0.2.7:8786", True),
        ("192.0.2.7:8786", True),
        ("ws://scheduler.example.invalid:8786", True),
    ],
)
def test_a_link_that_others_can_read_is_known(address: str, expected: bool) -> None:  # noqa: FBT001 - the value of a case
    assert in_the_open(address) is expected
