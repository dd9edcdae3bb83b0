"""Recording from the command line: every event has its command, every rule is told, none twice."""

import inspect
from collections.abc import Sequence
from pathlib import Path

import pytest

from app.cli.privacy.subject import COMMANDS as PRIVACY
from app.cli.recording.write_catalogue import COMMANDS as BY_HAND
from app.texts.fields import FIELDS
from ledger.events import ledger as ledger_events
from ledger.events.base import Event
from ledger.events.catalogue import EVENT_TYPES
from ledger.events.privacy import SubjectErased
from ledger.events.production import ScenarioPublished
from ledger.events.replay import ReplayRun
from ledger.intake.forms import fields_of
from tests.support.cli import Ran, run

ACT = "CdA/resolution/14/2023-01-30"
OWN = {
    cls
    for _, cls in inspect.getmembers(ledger_events, inspect.isclass)
    if issubclass(cls, Event) and cls is not Event
}
"""Events that the ledger records about itself."""

COMMANDS = (*BY_HAND, *PRIVACY)
BY_ANSWERS = {ReplayRun, ScenarioPublished, SubjectErased}
"""Events that `registro replay --record`, `forecast` and `subject erase` record."""


def write(*words: str, actor: str = "DCPCG") -> Ran:
    return run(*words, "--actor", actor, "--json")


def accepted(*words: str) -> Ran:
    ran = write(*words)
    assert ran.code == 0, ran.err
    return ran


def head() -> int:
    position = run("status", "--json").json["position"]
    assert isinstance(position, int)
    return position


@pytest.fixture
def planned(clean_place: Path) -> Path:
    """A ledger with an act, an objective with two children and an open year."""
    assert run("init", "--body", "X").code == 0
    for words in (
        ["act", "adopt", "CdA", "resolution", "2023-01-30", "plan", "--number", "14"],
        ["cycle", "open", "2023", "cycle", "--as-of", "2023-01-30"],
        ["objective", "assign", "2023", "A", "OGE", "top", "--as-of", "2023-01-30"],
        *(
            [
                *("objective", "assign", "2023", code, "OGE", "child", "--parent-code", "A"),
                *("--as-of", "2023-01-30"),
            ]
            for code in ("A1", "A2")
        ),
    ):
        accepted(*words)
    return clean_place


def weight(child: str, value: str) -> Ran:
    return write("weight", "set", "2023", "A", child, value, "published", "--as-of", "2023-02-01")


def define(code: str, formula: str = '{"op":"recorded"}') -> Ran:
    return accepted(
        *("indicator", "define", code, "1", code, "percent", "2", "up", "DR2"),
        *(formula, "2023-01-01", "published", "--as-of", "2023-01-30"),
    )


def test_every_event_that_people_record_has_exactly_one_command() -> None:
    commanded = [command.event for command in COMMANDS]
    assert set(commanded) == set(EVENT_TYPES.values()) - OWN - BY_ANSWERS
    assert len(commanded) == len(set(commanded))


def test_every_field_has_a_name_in_both_languages() -> None:
    names = {field.name for cls in EVENT_TYPES.values() for field in fields_of(cls)}
    assert names == set(FIELDS)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda one: f"{one.group}-{one.verb}")
def test_every_command_names_only_fields_of_its_event(command: object) -> None:
    fields = {field.name: field for field in fields_of(command.event)}  # type: ignore[attr-defined] # a WriteCommand
    named = set(command.arguments) | set(command.derived) | set(command.relaxed)  # type: ignore[attr-defined] # a WriteCommand
    assert named <= set(fields)
    required = {name for name, field in fields.items() if field.required}
    assert required <= named, "a required field would be an option"


@pytest.mark.usefixtures("planned")
def test_weights_that_do_not_sum_to_100_are_refused_when_the_assignment_closes() -> None:
    assert weight("A1", "60").code == 0
    assert weight("A2", "30").code == 0
    before = head()
    ran = write("objective", "close", "2023", "A", "--act", ACT, "--as-of", "2023-02-02")
    assert ran.code == 14
    assert ran.problem["facts"]["rule"] == "weights_sum"
    assert "90" in ran.problem["detail"]
    assert head() == before


@pytest.mark.usefixtures("planned")
def test_a_target_is_revised_only_under_an_act() -> None:
    define("A")
    accepted("target", "set", "2023", "A", "100", "--as-of", "2023-02-01")
    words = ["target", "revise", "2023", "A", "100", "90", "less staff", "--as-of", "2023-05-01"]
    refused = write(*words)
    assert (refused.code, refused.problem["facts"]["rule"]) == (14, "act_required")
    assert write(*words, "--act", ACT).code == 0


@pytest.mark.usefixtures("planned")
@pytest.mark.parametrize(
    ("lang", "says"),
    [("it", "si calcola dai fatti: vedere `registro production`"), ("en", "computed from facts")],
)
def test_an_indicator_over_facts_says_in_a_replay_where_its_value_is(lang: str, says: str) -> None:
    define("A1", '{"name":"settled","op":"measure"}')

    shown = run("--lang", lang, "replay", "--indicator", "A1")
    explained = run("--lang", lang, "explain", "A1")
    (line,) = run("replay", "--indicator", "A1", "--json").json["indicators"]

    assert f"A1: {says}" in shown.out
    assert says in " ".join(explained.out.split())
    assert (line["value"], line["value_missing"]) == (None, "facts_not_read")


@pytest.mark.usefixtures("planned")
def test_a_result_waits_for_its_period() -> None:
    define("A")
    words = ["result", "record", "2023", "A", "--value", "98.5", "--vintage", "CONSUNTIVO"]
    words += ["--as-of", "2024-06-14"]
    refused = write(*words)
    assert (refused.code, refused.problem["facts"]["rule"]) == (14, "period_not_open")
    accepted("period", "open", "2023", "2023-01-01", "2023-12-31", "--as-of", "2023-01-30")
    assert write(*words).code == 0
    ran = run("replay", "--year", "2023", "--json")
    assert next(line["value"] for line in ran.json["indicators"] if line["code"] == "A") == "98.50"


@pytest.mark.usefixtures("planned")
def test_an_act_is_not_cited_before_it_is_in_force() -> None:
    ran = write(
        *("objective", "assign", "2023", "B", "OGE", "new", "--act", ACT, "--from", "2023-01-01"),
        *("--as-of", "2023-01-29"),
    )
    assert (ran.code, ran.problem["facts"]["rule"]) == (14, "act_not_in_force")


@pytest.mark.usefixtures("planned")
def test_an_unknown_act_is_refused() -> None:
    ran = write("objective", "assign", "2023", "B", "OGE", "new", "--act", "X/y/1/2023-01-01")
    assert (ran.code, ran.problem["facts"]["rule"]) == (14, "act_unknown")


@pytest.mark.usefixtures("planned")
def test_a_parameter_waits_for_the_validation_of_the_report() -> None:
    accepted("unit", "establish", "U1", "dg", "Unit", "2020-01-01", "--as-of", "2023-01-01")
    accepted(
        *("parameter", "scale", "2023", "S", "--steps", "50", "--steps", "100"),
        *("--thresholds", "60", "--thresholds", "90"),
    )
    words = ["parameter", "assign", "2023", "U1", "S", "100", "RP2023"]
    refused = write(*words)
    assert (refused.code, refused.problem["facts"]["rule"]) == (14, "report_not_validated")
    accepted("validation", "open", "RP2023", "2023", "2024-06-20")
    accepted("validation", "conclude", "RP2023", "2024-06-28")
    assert write(*words).code == 0


@pytest.mark.usefixtures("planned")
def test_the_same_command_twice_records_once() -> None:
    first = weight("A1", "60")
    before = head()
    again = weight("A1", "60")
    assert (first.json["repeated"], again.json["repeated"]) == (False, True)
    assert head() == before


@pytest.mark.usefixtures("planned")
def test_a_key_used_for_other_content_is_refused() -> None:
    words = ["act", "adopt", "CIV", "resolution", "2023-02-01"]
    assert write(*words, "one", "--key", "k1").code == 0
    assert write(*words, "two", "--key", "k1").code == 17


@pytest.mark.usefixtures("planned")
def test_dry_run_shows_the_event_and_records_nothing() -> None:
    before = head()
    ran = write("act", "adopt", "CIV", "resolution", "2023-02-01", "text", "--dry-run")
    assert ran.json["dry_run"] is True
    assert ran.json["events"][0]["event"]["act_key"] == "CIV/resolution//2023-02-01"
    assert head() == before


@pytest.mark.usefixtures("planned")
def test_dry_run_tells_a_refusal_too() -> None:
    assert write("objective", "close", "2023", "A", "--dry-run").code == 14


@pytest.mark.usefixtures("planned")
def test_a_command_without_an_actor_says_how_to_name_one(monkeypatch: pytest.MonkeyPatch) -> None:
    words = ["act", "adopt", "CIV", "resolution", "2023-02-01", "text", "--json"]
    ran = run(*words)
    assert ran.code == 13
    assert "REGISTRO_ACTOR" in ran.problem["detail"]
    monkeypatch.setenv("REGISTRO_ACTOR", "OIV@UFFICIO")
    envelope = run(*words).json["events"][0]["envelope"]
    assert envelope["actor"]["role"] == "OIV"
    assert envelope["actor"]["unit_code"] == "UFFICIO"


@pytest.mark.usefixtures("planned")
@pytest.mark.parametrize(
    ("words", "field"),
    [
        (["act", "adopt", "CIV", "r", "2023-02-30", "t"], "adopted_on"),
        (["act", "adopt", "CIV", "r", "yesterday", "t"], "adopted_on"),
        (["weight", "set", "2023", "A", "A1", "1.234,5", "published"], "weight"),
        (["weight", "set", "2023", "A", "A1", "1e3", "published"], "weight"),
        (["weight", "set", "2023", "A", "A1", "NaN", "published"], "weight"),
        (["weight", "set", "20x3", "A", "A1", "10", "published"], "year"),
        (["target", "set", "2023", "A", "1", "--as-of", "2023-13-01"], "--as-of"),
        (["target", "set", "2023", "A", "1", "--act", "resolution 14"], "act"),
        (["document", "publish", "d", "t", "2024-01-01", "--sha256", "zz"], "sha256"),
    ],
)
def test_a_value_that_cannot_be_read_is_refused_with_its_field(
    words: Sequence[str], field: str
) -> None:
    before = head()
    ran = write(*words)
    assert ran.code == 13, ran.err
    assert ran.problem["facts"]["field"] == field
    assert ran.problem["facts"]["reason"]
    assert head() == before


@pytest.mark.usefixtures("planned")
def test_italian_dates_and_decimal_commas_are_read() -> None:
    ran = accepted("weight", "set", "2023", "A", "A1", "12,5", "published", "--as-of", "01/02/2023")
    assert ran.json["events"][0]["event"]["weight"] == "12.5"
    assert ran.json["events"][0]["envelope"]["as_of"] == "2023-02-01"


RISKS = """
actor: RPCT
as_of: 2023-03-01
events:
  - type: RiskRegistered
    fields: {risk_id: R1, process: Vigilanza, scope: central, risk_event: "Omessa verifica"}
  - type: registro.risk.RiskAssessed
    fields: {risk_id: R1, method: PNA2019, level: high, rationale: "nota 10.50"}
  - type: MeasureSet
    fields:
      risk_id: R1
      measure_id: M1
      measure_type: control
      description: Doppia firma
      owner: Direzione
      deadline: 2023-06-30
"""


def test_a_file_records_its_events_together(planned: Path) -> None:
    (planned / "risks.yaml").write_text(RISKS, encoding="utf-8")
    ran = run("record", "risks.yaml", "--json")
    assert ran.code == 0, ran.err
    assert len(ran.json["events"]) == 3
    late = run("risk", "overdue", "--on", "2023-07-10", "--json").json["overdue"]
    assert [(one["measure_id"], one["overdue_days"]) for one in late] == [("M1", 10)]
    assert run("record", "risks.yaml", "--json").json["repeated"] is True


def test_one_refused_event_refuses_the_whole_file(planned: Path) -> None:
    (planned / "risks.yaml").write_text(RISKS.replace("level: high", "level: huge"), "utf-8")
    before = head()
    ran = run("record", "risks.yaml", "--json")
    assert (ran.code, ran.problem["facts"]["rule"]) == (14, "value_not_allowed")
    assert head() == before


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("events: [", "risks.yaml"),
        ("- type: X", "events"),
        ("events:\n  - fields: {}", "events[1]"),
        ("events:\n  - type: Nope", "events[1]"),
        ("events:\n  - type: RiskAssessed\n    fields: {risk_id: R1}", "RiskAssessed.method"),
        (RISKS.replace("process:", "proces:"), "did you mean process?"),
        (RISKS.replace("actor: RPCT", "aktor: RPCT"), "unknown key"),
        (RISKS.replace("2023-06-30", "30 giugno"), "deadline"),
    ],
)
def test_a_file_that_is_not_as_documented_is_refused_with_the_place(
    planned: Path, content: str, says: str
) -> None:
    (planned / "risks.yaml").write_text(content, encoding="utf-8")
    before = head()
    ran = run("record", "risks.yaml", "--json", "--actor", "RPCT")
    assert ran.code == 13, ran.err
    assert says in ran.problem["detail"]
    assert head() == before


@pytest.mark.usefixtures("planned")
def test_a_correction_takes_the_place_of_an_event_and_the_trail_keeps_both() -> None:
    define("A")
    accepted("period", "open", "2023", "2023-01-01", "2023-12-31", "--as-of", "2023-01-30")
    accepted("result", "record", "2023", "A", "--value", "98.5", "--as-of", "2024-03-01")
    position = str(head())
    ran = write(
        *("correct", position, "--set", "value=89.5", "--reason", "digits swapped"),
        *("--as-of", "2024-03-05"),
    )
    assert ran.code == 0, ran.err
    replay = run("replay", "--json").json
    assert next(line["value"] for line in replay["indicators"] if line["code"] == "A") == "89.50"
    earlier = run("replay", "--as-of", "2024-03-01", "--json").json
    assert next(line["value"] for line in earlier["indicators"] if line["code"] == "A") == "98.50"
    trail = run("trail", "A", "--json").json["events"]
    last = trail[-1]
    assert last["reason"] == "digits swapped"
    assert {"name": "value", "before": "98.5", "after": "89.5"} in last["changes"]


@pytest.mark.usefixtures("planned")
def test_an_assessment_of_a_risk_is_corrected_and_the_register_shows_the_right_level() -> None:
    accepted(
        *("risk", "register", "R1", "ispezioni", "territorial", "favorire un datore"),
        *("--as-of", "2023-02-01"),
    )
    accepted("risk", "assess", "R1", "qualitativo", "alto", "casi", "--as-of", "2023-02-02")
    wrong = str(head())

    accepted(
        "correct", wrong, "--set", "level=medio", "--reason", "griglia", "--as-of", "2023-03-01"
    )

    risks = run("risk", "list", "--on", "2023-12-31", "--json").json["risks"]
    assert risks["R1"]["level"] == "medium"


@pytest.mark.usefixtures("planned")
def test_a_correction_of_nothing_is_refused() -> None:
    ran = write("correct", "9999", "--set", "value=1", "--reason", "x")
    assert ran.code == 15


@pytest.mark.usefixtures("planned")
def test_a_correction_names_fields_that_exist() -> None:
    ran = write("correct", str(head()), "--set", "lable=x", "--reason", "typo")
    assert ran.code == 13
    assert "did you mean label?" in ran.problem["detail"]
