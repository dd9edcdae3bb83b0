"""Status and metrics on the command line: the same numbers, and codes a monitor can trust."""

import gc
import json
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support.cli import Ran, run, run_words
from tests.support.dataset import ROOT

ACT = ("act", "adopt", "CdA", "resolution", "2023-01-30", "plan", "--actor", "DG")
DOWN = "127.0.0.1:1"


def record_act(number: int) -> None:
    assert run(*ACT, "--number", str(number)).code == 0


@pytest.fixture(scope="module")
def pattern(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger that is sealed and has its read models; only copied."""
    folder = tmp_path_factory.mktemp("pattern")
    words = ("--ledger", str(folder / "registro.db"))
    for command in (
        ("init", "--body", "INPS"),
        ("keys", "new", "--actor", "DG"),
        (*ACT, "--number", "1"),
        ("seal",),
        ("catch-up",),
    ):
        ran = run(*command, *words)
        assert ran.code == 0, ran.err
    return folder


@pytest.fixture
def place(pattern: Path, clean_place: Path) -> Path:
    """The same, to be changed."""
    return Path(shutil.copytree(pattern, clean_place, dirs_exist_ok=True))


def status(*words: str) -> Ran:
    return run("status", "--json", *words)


def kinds(ran: Ran) -> list[tuple[str, str]]:
    return [(one["kind"], one["stage"]) for one in ran.json["problems"]]


def metrics(*words: str) -> dict[tuple[str, str], float]:
    ran = run("metrics", "--once", *words)
    assert ran.code == 0, ran.err
    return {
        (sample.name, sample.labels.get("stage", "") or sample.labels.get("kind", "")): sample.value
        for family in text_string_to_metric_families(ran.out)
        for sample in family.samples
    }


@pytest.mark.usefixtures("place")
def test_everything_in_step() -> None:
    ran = status("--max-lag-events", "0", "--max-lag-seconds", "0")
    answer = ran.json
    assert (ran.code, answer["problems"]) == (0, [])
    assert answer["published"] is None
    assert answer["sealed"]["checkpoint"] is True
    head = answer["position"]
    assert answer["sealed"]["position"] == head
    assert {model["projection"] for model in answer["read_models"]} >= {"production"}
    for stage in (answer["sealed"], *answer["read_models"]):
        assert (stage["position"], stage["lag_events"]) == (head, 0)
        assert stage["lag_seconds"] == "0.000"
    assert float(answer["age_seconds"]) >= 0


@pytest.mark.usefixtures("place")
def test_what_is_recorded_later_is_behind_everywhere() -> None:
    record_act(2)
    record_act(3)
    answer = status().json
    assert answer["problems"] == [], "without a limit a delay is no fault"
    for stage in (answer["sealed"], *answer["read_models"]):
        assert (stage["lag_records"], stage["lag_events"]) == (2, 2)
        assert 0 <= float(stage["lag_seconds"]) < 120
    assert status("--max-lag-events", "2").code == 0
    ran = status("--max-lag-events", "1")
    assert ran.code == 1
    assert ("lag_events", "sealed") in kinds(ran)
    assert ("lag_events", "projected") in kinds(ran)


@pytest.mark.usefixtures("place")
def test_one_stage_alone_can_be_judged() -> None:
    record_act(2)
    assert run("catch-up").code == 0
    late = ("--max-lag-events", "0")
    assert status(*late).code == 1
    assert status(*late, "--stage", "projected").code == 0
    assert status(*late, "--stage", "projected", "--stage", "sealed").code == 1
    wrong = status("--stage", "nowhere")
    assert (wrong.code, wrong.problem["facts"]["field"]) == (13, "--stage")


@pytest.mark.usefixtures("place")
def test_metrics_are_the_numbers_of_status() -> None:
    record_act(2)
    answer, shown = status().json, metrics()
    assert shown["registro_head_records", ""] == answer["position"]
    assert shown["registro_position_records", "sealed"] == answer["sealed"]["position"]
    assert shown["registro_lag_events", "sealed"] == 1
    assert shown["registro_lag_events", "projected"] == 1
    assert shown["registro_up", ""] == shown["registro_read_models_up", ""] == 1
    assert ("registro_kafka_up", "") not in shown
    assert metrics("--max-lag-events", "0")["registro_problems", "lag_events"] >= 2


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_kafka_that_is_down_is_told_and_fails_nothing(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGISTRO_KAFKA", DOWN)
    monkeypatch.setattr("app.operations.look.WAIT_SECONDS", 0.5)
    ran = status("--max-lag-events", "0", "--max-lag-seconds", "0")
    assert ran.code == 0, ran.err
    assert ran.json["published"]["reachable"] is False
    assert "refused" in ran.json["published"]["reason"]
    assert ran.json["published"]["position"] is None
    told = run_words(["--lang", "it", "status"]).out
    assert f"Kafka non risponde: {DOWN}: connessione rifiutata" in told
    assert f"caselle non leggibili: {DOWN}: connessione rifiutata" in told
    assert "inboxes cannot be read" in run("status").out
    assert metrics()["registro_kafka_up", ""] == 0
    # Sockets that the library forgets are closed here, not in the middle of another test.
    gc.collect()
    assert place.exists()


@pytest.mark.usefixtures("place")
def test_a_kafka_that_nothing_is_published_to_is_not_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("REGISTRO_KAFKA", DOWN)
    monkeypatch.setenv("REGISTRO_PUBLISH", "off")
    assert status().json["published"] is None


# Seals


def test_a_seal_that_is_late_is_a_problem(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGISTRO_MAX_SEAL_DELAY", "0")
    assert status().code == 0
    record_act(2)
    time.sleep(0.01)
    ran = status()
    assert (ran.code, kinds(ran)) == (1, [("seal_late", "sealed")])
    assert ran.json["sealed"]["max_delay_seconds"] == 0
    assert metrics()["registro_seal_max_delay_seconds", ""] == 0
    assert place.exists()


def test_never_sealed_is_late_only_under_a_limit(
    clean_place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("init", "--body", "INPS").code == 0
    answer = status("--max-lag-events", "0")
    assert (answer.code, answer.json["sealed"]["checkpoint"]) == (0, False)
    monkeypatch.setenv("REGISTRO_MAX_SEAL_DELAY", "0")
    assert kinds(status()) == [("seal_late", "sealed")]
    monkeypatch.setenv("REGISTRO_MAX_SEAL_DELAY", "soon")
    assert status().code == 11
    assert not (clean_place / "registro.views.db").exists()
    assert not (clean_place / "registro.log").exists(), "looking makes nothing"


@pytest.mark.parametrize(
    ("old", "new"),
    [(b"registro.invalid/", b"registro.invalid!"), (b"\n\n", b"\n"), (b"=", b"")],
)
def test_a_checkpoint_that_was_changed_is_a_problem(place: Path, old: bytes, new: bytes) -> None:
    file = place / "registro.log" / "checkpoint"
    file.write_bytes(file.read_bytes().replace(old, new, 1))
    ran = status()
    assert (ran.code, kinds(ran)) == (1, [("checkpoint_invalid", "sealed")])
    assert ran.json["sealed"]["reason"]


def test_a_ledger_that_was_cut_is_a_problem(place: Path) -> None:
    with sqlite3.connect(place / "registro.db") as connection:
        connection.execute("DROP TRIGGER record_no_delete")
        connection.execute("DELETE FROM record WHERE position = (SELECT max(position) FROM record)")
    connection.close()
    ran = status()
    assert ran.code == 1
    assert ("checkpoint_beyond_head", "sealed") in kinds(ran)
    assert metrics()["registro_problems", "checkpoint_beyond_head"] == 1


# Read models


def test_a_read_model_that_stopped_is_a_problem(place: Path) -> None:
    with sqlite3.connect(place / "registro.views.db") as connection:
        connection.execute(
            "UPDATE read_model_generation SET halted_at = 3, halted_reason = 'because' "
            "WHERE projection = 'production'"
        )
    connection.close()
    ran = status()
    assert (ran.code, kinds(ran)) == (1, [("read_model_halted", "projected")])
    assert ran.json["problems"][0]["name"] == "production"
    assert "because" in run("status").out


@pytest.mark.parametrize("content", [b"", b"no database at all" * 100])
def test_read_models_that_cannot_be_read_are_told_and_left_alone(
    place: Path, content: bytes
) -> None:
    for file in place.glob("registro.views.db*"):
        file.unlink()
    views = place / "registro.views.db"
    views.write_bytes(content)
    ran = status()
    assert (ran.code, ran.json["read_models"]) == (int(content != b""), [])
    assert (ran.json["read_models_reason"] is None) == (content == b"")
    assert views.read_bytes() == content
    told = run_words(["--lang", "it", "status"]).out
    reason = "registro.views.db: il file non è una base di dati"
    assert (reason in told) == (content != b"")
    assert metrics()["registro_read_models_up", ""] == (content == b"")


# Errors


def test_no_ledger_is_an_error_for_both() -> None:
    assert status().code == run("metrics", "--once").code
    assert run("metrics", "--once").code != 0


@pytest.mark.parametrize(
    "listen", ["", "9464", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:70000", ":9464", "127.0.0.1:-1"]
)
@pytest.mark.usefixtures("place")
def test_refuses_a_place_to_listen_that_is_none(listen: str) -> None:
    ran = run("metrics", "--listen", listen, "--json")
    assert (ran.code, ran.problem["facts"]["field"]) == (13, "--listen")


@pytest.mark.usefixtures("place")
def test_refuses_an_address_that_is_not_of_this_machine() -> None:
    ran = run("metrics", "--listen", "203.0.113.1:9464", "--json")
    assert (ran.code, ran.problem["facts"]["value"]) == (13, "203.0.113.1:9464")


# The server


def test_the_server_answers_anew_each_time_and_outlives_a_ledger_that_is_gone(place: Path) -> None:
    words = [sys.executable, "-m", "app", "metrics", "--listen", "127.0.0.1:0"]
    options = ["--log-format", "json", "--log-level", "info", "--quiet"]
    process = subprocess.Popen(
        [*words, *options, "--ledger", str(place / "registro.db")],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        started = json.loads(process.stderr.readline())
        assert started["event"] == "metrics.started"
        url = f"http://127.0.0.1:{started['port']}/metrics"

        def asked() -> dict[str, float]:
            with urllib.request.urlopen(url, timeout=20) as answer:
                text = answer.read().decode()
            return {
                sample.name: sample.value
                for family in text_string_to_metric_families(text)
                for sample in family.samples
            }

        first = asked()
        record_act(2)
        time.sleep(1.1)
        second = asked()
        (place / "registro.db").rename(place / "away.db")
        time.sleep(1.1)
        gone = asked()
        (place / "away.db").rename(place / "registro.db")
        time.sleep(1.1)
        back = asked()
        process.send_signal(signal.SIGINT)
        rest = process.communicate(timeout=20)[1]
    finally:
        process.kill()
        process.wait()
        if process.stderr is not None:
            process.stderr.close()
    assert second["registro_head_records"] == first["registro_head_records"] + 1
    assert (gone["registro_up"], "registro_head_records" in gone) == (0, False)
    assert back["registro_head_records"] == second["registro_head_records"]
    events = [json.loads(line)["event"] for line in rest.splitlines() if line.startswith("{")]
    assert events == ["metrics.unreadable", "metrics.stopped"]
    assert process.returncode == 130


# Secrets


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_password_in_a_url_is_shown_nowhere(monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    monkeypatch.setenv("REGISTRO_LEDGER", "postgresql://writer:hush%21hush@127.0.0.1:1/registro")
    for words in (("config", "show", "--origin"), ("config", "show", "--json"), ("status",)):
        ran = run(*words, "--log-level", "debug", "--log-format", form)
        for secret in ("hush%21hush", "hush!hush"):
            assert secret not in ran.out + ran.err, words
    assert "writer:***@127.0.0.1" in run("config", "show").out


def test_a_kafka_password_is_shown_nowhere(
    clean_place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (clean_place / "word").write_text("hush-hush\n")
    monkeypatch.setenv("REGISTRO_KAFKA_PASSWORD_FILE", str(clean_place / "word"))
    monkeypatch.setenv("REGISTRO_KAFKA_PASSWORD", "other-hush")
    ran = run("config", "show", "--origin")
    assert ran.code == 0
    assert "kafka_password_file" in ran.out
    assert "hush" not in ran.out + ran.err
    assert "REGISTRO_KAFKA_PASSWORD " not in ran.err, "the variable is known"


@pytest.mark.usefixtures("place")
def test_commands_that_run_on_log_what_they_do() -> None:
    record_act(2)
    found = []
    for words in (("seal",), ("catch-up",)):
        ran = run(*words, "--log-format", "json", "--log-level", "info")
        assert ran.code == 0, ran.err
        lines = [line for line in ran.err.splitlines() if line.startswith("{")]
        found += [json.loads(line)["event"] for line in lines]
    assert found[:3] == ["seal.started", "seal.progress", "catch_up.started"]
    assert set(found[3:]) == {"catch_up.progress"}


def logged(*words: str) -> list[dict[str, object]]:
    """Return the events that a command logs."""
    ran = run(*words, "--log-format", "json", "--log-level", "info")
    return [json.loads(line) for line in ran.err.splitlines() if line.startswith("{")]


@pytest.mark.usefixtures("place")
def test_a_rebuild_logs_when_it_begins_and_what_it_made() -> None:
    told = logged("rebuild", "--projection", "targets", "--projection", "trail")

    made = run("status", "--json").json["read_models"]
    finished = [one for one in told if one["event"] == "rebuild.finished"]
    assert (told[0]["event"], told[0]["source"]) == ("rebuild.started", "store")
    assert [one["projection"] for one in finished] == ["targets", "trail"]
    assert {one["position"] for one in finished} == {one["position"] for one in made}
    assert "rebuild.failed" not in [one["event"] for one in told]


@pytest.mark.usefixtures("place")
def test_a_rebuild_that_fails_logs_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGISTRO_VIEWS", "registro.db")

    told = logged("rebuild")

    assert [one["event"] for one in told] == ["rebuild.started", "rebuild.failed", "command.failed"]
    assert told[1]["error"] == "configuration"


def test_a_command_that_fails_logs_its_code() -> None:
    ran = run("verify", "--log-format", "json")
    line = json.loads(ran.err.splitlines()[0])
    assert (line["event"], line["level"], line["exit_code"]) == (
        "command.failed",
        "error",
        ran.code,
    )
    assert run("verify").err.startswith("Error [")
