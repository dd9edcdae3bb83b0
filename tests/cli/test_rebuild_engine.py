"""`registro rebuild --engine`: which words go together, what is said when there is no cluster."""

import sys
from pathlib import Path

import pytest

from app.cli.production.engine_choice import in_the_open
from ledger.errors import InvalidCommandError
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


def test_a_store_made_from_topics_is_not_folded_elsewhere(ledger: Path) -> None:
    words = ("--source", "kafka", "--engine", "dask", "--address", NOWHERE, "--lang", "it")
    ran = on(ledger, *PRODUCTION, *words)
    assert ran.code == InvalidCommandError.exit_code
    assert "i lavoratori altrove non vedono" in ran.err


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
