"""Replays that are recorded, and repeated later."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from app.cli.figures import cycle, runs
from app.cli.figures.runs import differences, run_of
from ledger.events.replay import ReplayRun
from projections.cycle.facts import CycleFacts
from projections.cycle.replay import Replay
from tests.support.cli import Ran, run, run_words

CUT = "2024-02-21"


@pytest.fixture
def ledger(example_ledger: Path, clean_place: Path) -> Path:
    """A copy of the worked example that a test may write."""
    place = clean_place / "registro.db"
    assert run("--ledger", str(example_ledger), "backup", str(place)).code == 0
    return place


def recorded(*words: str) -> Ran:
    ran = run("replay", "--record", "--actor", "OIV", "--json", *words)
    assert ran.code == 0, ran.err
    return ran


@pytest.mark.usefixtures("ledger")
def test_a_run_says_what_was_read_and_what_came_out() -> None:
    answer = recorded("--as-of", CUT).json

    event = run("show", str(answer["run"]["position"]), "--json").json["event"]

    assert re.fullmatch(r"2023-[0-9a-f]{16}", event["run_id"])
    assert (event["year"], event["cut"]) == (2023, CUT)
    assert event["read_through"] == answer["position"]
    assert event["output_digest"] == answer["digest"]
    assert event["code_version"] == answer["code_version"]
    assert event["indicators"] == len(answer["indicators"])


@pytest.mark.usefixtures("ledger")
@pytest.mark.parametrize("by", ["run_id", "position", "event_id"])
def test_a_run_is_repeated_by_name_position_or_identity(by: str) -> None:
    found = recorded().json["run"]
    identity = run("show", str(found["position"]), "--json").json["event_id"]
    wanted = {**found, "event_id": identity}[by]

    checked = run("replay", "--check", str(wanted), "--json")

    assert (checked.code, checked.json["same"]) == (0, True)
    assert checked.json["differences"] == []


@pytest.mark.usefixtures("ledger")
def test_a_run_stays_the_same_when_more_is_recorded() -> None:
    name = recorded().json["run"]["run_id"]
    recorded("--as-of", CUT)

    ran = run_words(["replay", "--check", name])

    assert ran.code == 0
    assert "stessa impronta" in ran.out


@pytest.mark.usefixtures("ledger")
def test_the_same_replay_at_the_same_position_is_recorded_once() -> None:
    first = recorded("--at", "380").json["run"]
    again = recorded("--at", "380").json["run"]

    assert first == again


@pytest.mark.usefixtures("ledger")
def test_another_program_is_named_although_the_figures_agree(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name = recorded().json["run"]["run_id"]
    monkeypatch.setattr(cycle, "code_version", lambda: "9.9.9")

    checked = run("replay", "--check", name, "--json")

    assert checked.code == 1
    assert [one["field"] for one in checked.json["differences"]] == ["code_version"]
    assert "The figures are the same" in run("replay", "--check", name).out


@pytest.mark.usefixtures("ledger")
@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"digest": "0" * 64}, "output_digest"),
        ({"indicators": ()}, "definitions_digest"),
    ],
)
def test_a_run_that_came_out_otherwise_is_found(
    monkeypatch: pytest.MonkeyPatch, changed: dict[str, object], said: str
) -> None:
    name = _false_run(monkeypatch, changed)

    checked = run("replay", "--check", name, "--json")

    assert checked.code == 1
    assert said in [one["field"] for one in checked.json["differences"]]
    assert "DIVERSO" in run_words(["replay", "--check", name]).out


def _false_run(monkeypatch: pytest.MonkeyPatch, changed: dict[str, object]) -> str:
    """Record a run whose answer was not the one that the records give."""

    def falsified(facts: CycleFacts, result: Replay, *, code_version: str) -> ReplayRun:
        false = replace(result, **changed)  # type: ignore[arg-type] # fields of a replay
        return run_of(facts, false, code_version=code_version)

    with monkeypatch.context() as patch:
        patch.setattr(runs, "run_of", falsified)
        return str(recorded().json["run"]["run_id"])


@pytest.mark.usefixtures("ledger")
@pytest.mark.parametrize("wanted", ["1", "2023-0000000000000000", "", "none"])
def test_refuses_to_repeat_what_is_no_run(wanted: str) -> None:
    recorded()

    assert run("replay", "--check", wanted, "--json").code == 15


@pytest.mark.usefixtures("ledger")
@pytest.mark.parametrize(
    "more", [("--record",), ("--year", "2023"), ("--as-of", CUT), ("--at", "9")]
)
def test_a_check_takes_nothing_else(more: tuple[str, ...]) -> None:
    assert run("replay", "--check", "2023-0", *more).code == 2


@pytest.mark.usefixtures("ledger")
def test_refuses_to_record_without_saying_who() -> None:
    assert run("replay", "--record", "--json").code == 13


def test_a_replay_that_is_not_recorded_writes_nothing(ledger: Path) -> None:
    before = ledger.read_bytes()

    assert run("replay", "--json").code == 0
    assert ledger.read_bytes() == before


@pytest.mark.usefixtures("ledger")
def test_a_run_is_recorded_in_the_name_of_a_person() -> None:
    position = recorded("--person", "Anna Bianchi").json["run"]["position"]

    assert run("show", str(position), "--json").json["person"]["name"] == "Anna Bianchi"
    assert run("verify", "--json").json["clean"]


def test_what_differs_is_told_field_by_field() -> None:
    one = ReplayRun(
        run_id="a",
        year=2023,
        read_through=5,
        indicators=1,
        definitions_digest=b"d" * 32,
        code_version="1",
        output_digest=b"o" * 32,
    )
    other = ReplayRun(
        run_id="b",
        year=2023,
        read_through=4,
        vintages=("BUDGET",),
        indicators=2,
        definitions_digest=b"e" * 32,
        code_version="2",
        output_digest=b"p" * 32,
    )

    assert differences(one, one) == ()
    assert [found.field for found in differences(one, other)] == [
        "output_digest",
        "definitions_digest",
        "code_version",
        "indicators",
        "vintages",
        "read_through",
    ]
