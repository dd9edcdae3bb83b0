"""Sealing, verifying and watching a ledger on PostgreSQL, by the command line."""

import gc
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid1

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from ledger.errors import ViewsDeniedError
from ledger.store.engine import store_url
from tests.support.cli import Ran, run
from tests.support.dataset import ROOT
from tests.support.ledgers import place_of

ACT = ("act", "adopt", "CdA", "resolution", "2023-01-30", "plan", "--actor", "DG", "--number")

pytestmark = [
    pytest.mark.skipif(
        "REGISTRO_TEST_POSTGRESQL" not in os.environ,
        reason="no PostgreSQL: scripts/services up, then make test-services",
    ),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folder of the sealed log of a ledger that has a key and one act."""
    monkeypatch.setenv("REGISTRO_TEST_STORE", "postgresql")
    monkeypatch.setenv("REGISTRO_LEDGER", place_of(tmp_path / "ledger"))
    monkeypatch.setenv("REGISTRO_LOG", str(tmp_path / "log"))
    monkeypatch.setenv("REGISTRO_KEY_FOLDER", str(tmp_path / "keys"))
    for words in (("init", "--body", "INPS"), ("keys", "new", "--actor", "DG"), (*ACT, "1")):
        ran = run(*words)
        assert ran.code == 0, ran.err
    return tmp_path / "log"


@pytest.mark.usefixtures("log")
def test_who_may_not_make_read_models_beside_the_ledger_is_told_the_setting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url = store_url(os.environ["REGISTRO_LEDGER"])
    role = f"reader_{uuid1().hex}"
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as owner:
        owner.execute(text(f"CREATE ROLE {role} LOGIN"))
        owner.execute(text("REVOKE CREATE ON SCHEMA public FROM PUBLIC"))
        owner.execute(text(f"GRANT SELECT ON record, store_format TO {role}"))
    place = url.set(username=role).render_as_string(hide_password=False)
    monkeypatch.setenv("REGISTRO_LEDGER", place)
    try:
        ran = run("catch-up")
        here = run("catch-up", "--ledger", place, "--json")
    finally:
        with engine.begin() as owner:
            owner.execute(text(f"DROP OWNED BY {role}"))
            owner.execute(text(f"DROP ROLE {role}"))

    # Connections that the runs left are closed here, not in the middle of another test.
    gc.collect()
    assert (ran.code, here.code) == (ViewsDeniedError.exit_code, ViewsDeniedError.exit_code)
    assert "permission denied" in here.problem["facts"]["reason"]
    assert "REGISTRO_VIEWS" in ran.err


@pytest.fixture
def following(log: Path) -> Iterator["subprocess.Popen[str]"]:
    """A process that seals what comes."""
    assert not log.exists()
    words = ("--json", "seal", "--follow", "--interval", "0.1")
    child = subprocess.Popen(
        [sys.executable, "-m", "app", *words],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with child:
        yield child
        child.kill()


def kinds(ran: Ran) -> set[str]:
    return {one["kind"] for one in ran.json["discrepancies"]}


def numbers() -> dict[tuple[str, str], float]:
    ran = run("metrics", "--once")
    assert ran.code == 0, ran.err
    return {
        (sample.name, sample.labels.get("stage", "") or sample.labels.get("kind", "")): sample.value
        for family in text_string_to_metric_families(ran.out)
        for sample in family.samples
    }


def test_following_seals_what_comes_and_every_check_agrees(
    following: "subprocess.Popen[str]", log: Path
) -> None:
    assert following.stdout is not None
    first = json.loads(following.stdout.readline())
    assert run(*ACT, "2").code == 0
    second = json.loads(following.stdout.readline())
    following.send_signal(signal.SIGINT)
    following.communicate(timeout=30)

    status, found = run("status", "--json"), numbers()
    assert following.returncode == 130
    assert (second["size"], second["added"]) == (first["size"] + 1, 1)
    assert [run("verify").code, run("verify", "--source", "tiles").code] == [0, 0]
    assert (log / "checkpoint").exists()
    answer = status.json
    assert (status.code, answer["problems"]) == (0, [])
    assert (answer["sealed"]["position"], answer["sealed"]["lag_events"]) == (second["size"], 0)
    assert found["registro_position_records", "sealed"] == answer["position"] == second["size"]
    assert found["registro_up", ""] == 1
    assert {value for (name, _), value in found.items() if "problems" in name} == {0}


def test_what_is_recorded_after_the_seal_is_behind_and_late(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("seal").code == 0
    assert run(*ACT, "2").code == 0
    monkeypatch.setenv("REGISTRO_MAX_SEAL_DELAY", "0")

    status, found = run("status", "--json"), numbers()

    assert log.is_dir()
    assert status.code == 1
    assert [one["kind"] for one in status.json["problems"]] == ["seal_late"]
    assert (found["registro_lag_records", "sealed"], found["registro_problems", "seal_late"]) == (
        1,
        1,
    )


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ("DELETE FROM record WHERE position = (SELECT max(position) FROM record)", "checkpoint"),
        ("UPDATE record SET append_key = append_key || 'x' WHERE position = 3", "commitment"),
    ],
)
def test_verify_with_a_seal_finds_what_an_owner_did_behind_the_guards(
    log: Path, statement: str, kind: str
) -> None:
    assert run("seal").code == 0
    engine = create_engine(store_url(os.environ["REGISTRO_LEDGER"]), poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE record DISABLE TRIGGER ALL"))
        connection.execute(text(statement))
        connection.execute(text("ALTER TABLE record ENABLE TRIGGER ALL"))

    ran = run("verify", "--json", "--checkpoint", str(log / "checkpoint"))

    assert ran.code == 1
    assert kind in kinds(ran)
