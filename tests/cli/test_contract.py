"""What other programs rely on: commands, exit codes and JSON, as docs/cli.md promises them."""

import contextlib
import json
import re
import sqlite3
from decimal import Decimal
from pathlib import Path

import pytest

from app.cli.main import PROGRAM
from tests.support.cli import Ran, run
from tests.support.dataset import EXAMPLE, copy_of_example

PRE, CLOSING = "2024-03-01", "2024-06-14"


def replayed(ledger: Path, *more: str) -> Ran:
    return run("--ledger", str(ledger), "replay", "--year", "2023", "--json", *more)


def value_of(ran: Ran, code: str) -> str | None:
    found: dict[str, str | None] = {line["code"]: line["value"] for line in ran.json["indicators"]}
    return found[code]


@pytest.mark.parametrize(
    ("as_of", "index", "ieep"),
    [(PRE, "105.68", "5332073821"), (CLOSING, "106.92", "5906162514")],
)
def test_replay_gives_the_published_figures_of_each_day(
    example_ledger: Path, as_of: str, index: str, ieep: str
) -> None:
    ran = replayed(example_ledger, "--as-of", as_of)
    assert ran.code == 0
    assert (value_of(ran, "PS"), value_of(ran, "IEEP.A")) == (index, ieep)


def test_replay_json_has_the_promised_members(example_ledger: Path) -> None:
    answer = replayed(example_ledger, "--as-of", CLOSING).json
    assert {"year", "as_of", "position", "digest", "indicators"} <= answer.keys()
    assert answer["year"] == 2023
    assert answer["as_of"] == CLOSING
    assert re.fullmatch(r"[0-9a-f]{64}", answer["digest"])
    for line in answer["indicators"]:
        assert {
            "code",
            "unit",
            "label",
            "value",
            "target",
            "deviation_pct",
            "achievement_pct",
            "vintage",
            "definition_version",
            "sources",
        } <= line.keys()
        for name in ("value", "target", "deviation_pct", "achievement_pct"):
            assert line[name] is None or Decimal(line[name]).is_finite()
        assert all(isinstance(source, str) for source in line["sources"])


def test_economic_index_is_formed_from_unrounded_parts(example_ledger: Path) -> None:
    assert value_of(replayed(example_ledger, "--as-of", CLOSING), "IEG") == "6.16"


def test_two_ledgers_of_the_same_data_give_one_digest(
    example_ledger: Path, clean_place: Path
) -> None:
    other = clean_place / "other.db"
    assert run("--ledger", str(other), "import", str(EXAMPLE)).code == 0
    first, second = replayed(example_ledger).json, replayed(other).json
    assert first["digest"] == second["digest"]


def test_replay_at_an_earlier_position_knows_less(example_ledger: Path) -> None:
    whole = replayed(example_ledger).json
    earlier = replayed(example_ledger, "--at", "300").json
    assert earlier["position"] == 300
    assert earlier["digest"] != whole["digest"]
    assert len(earlier["indicators"]) < len(whole["indicators"])


def test_replay_refuses_a_position_beyond_the_head(example_ledger: Path) -> None:
    ran = replayed(example_ledger, "--at", "999999")
    assert ran.code == 13
    assert ran.problem["facts"]["field"] == "--at"


def test_replay_refuses_an_unknown_year(example_ledger: Path) -> None:
    ran = run("--ledger", str(example_ledger), "replay", "--year", "1999", "--json")
    assert ran.code == 15
    assert "2023" in ran.problem["detail"]


def test_init_import_and_import_again(clean_place: Path) -> None:
    assert run("init", "--body", "INPS").code == 0
    first = run("import", str(EXAMPLE), "--json")
    again = run("import", str(EXAMPLE), "--json")
    assert (first.code, again.code) == (0, 0)
    assert first.json["events"] > 1000
    assert again.json["events"] == 0
    assert again.json["position"] == first.json["position"]
    assert (clean_place / "registro.db").is_file()


def test_import_without_a_ledger_makes_one_and_says_so() -> None:
    ran = run("import", str(EXAMPLE))
    assert ran.code == 0
    assert "registro.db" in ran.err


def test_dry_run_of_an_import_makes_nothing(clean_place: Path) -> None:
    ran = run("import", str(EXAMPLE), "--dry-run", "--json")
    assert ran.code == 0
    assert ran.json["dry_run"] is True
    assert ran.json["events"] > 1000
    assert not list(clean_place.iterdir())


def test_init_refuses_a_place_that_is_taken() -> None:
    assert run("init", "--body", "A").code == 0
    assert run("init", "--body", "B").code == 22


@pytest.mark.parametrize(
    "words",
    [
        ("replay",),
        ("explain", "PS"),
        ("diff", "--from-as-of", PRE, "--to-as-of", CLOSING),
        ("trail", "OGE3"),
        ("list", "acts"),
        ("search", "giacenza"),
        ("status",),
        ("risk", "matrix"),
        ("risk", "overdue"),
        ("risk", "due"),
        ("risk", "list"),
        ("verify",),
    ],
)
def test_every_reading_command_answers_in_json_and_on_the_screen(
    example_ledger: Path, words: tuple[str, ...]
) -> None:
    as_json = run("--ledger", str(example_ledger), *words, "--json")
    on_screen = run("--ledger", str(example_ledger), *words)
    assert (as_json.code, on_screen.code) == (0, 0), as_json.err + on_screen.err
    assert isinstance(as_json.json, dict)
    assert on_screen.out.strip()


@pytest.mark.parametrize(
    "words",
    [
        ("replay",),
        ("explain", "PS"),
        ("trail", "X"),
        ("status",),
        ("verify",),
        ("risk", "matrix"),
        ("subscribe",),
        ("list", "acts"),
        ("backup", "copy.db"),
    ],
)
def test_reading_without_a_ledger_says_where_none_is(
    clean_place: Path, words: tuple[str, ...]
) -> None:
    ran = run(*words, "--json")
    assert ran.code == 21
    assert ran.problem["type"] == "registro:error:ledger_missing"
    assert ran.problem["hint"]
    assert not list(clean_place.iterdir())


def test_diff_lists_the_restated_figures_apart_from_the_new_ones(example_ledger: Path) -> None:
    ran = run(
        "--ledger",
        str(example_ledger),
        "diff",
        *("--from-as-of", PRE, "--to-as-of", CLOSING, "--year", "2023", "--json"),
    )
    changed = {line["code"]: line for line in ran.json["changed"]}
    assert {code for code in changed if not code.startswith("IEEP")} == {"PS", "OGE3", "OGE5"}
    assert sum(code.startswith("IEEP") for code in changed) == 14
    assert changed["PS"]["change_pct"] == "1.17"
    assert all(line["causes"] for line in changed.values())
    assert all(line["old"] is None for line in ran.json["first_known"])


def test_explain_reaches_records_and_acts(example_ledger: Path) -> None:
    ran = run("--ledger", str(example_ledger), "explain", "PS", "--as-of", CLOSING, "--json")
    answer = ran.json
    assert answer["value"] == "106.92"
    weights = [child["weight"] for child in answer["tree"]["children"]]
    assert weights == ["30", "20", "20", "10", "20"]
    assert all(
        grandchild["records"]
        for child in answer["tree"]["children"]
        for grandchild in child["children"]
    )
    assert any(act["adopted_on"] == "2023-01-30" for act in answer["acts"])


def test_explain_of_an_unknown_indicator_says_so(example_ledger: Path) -> None:
    ran = run("--ledger", str(example_ledger), "explain", "NOPE", "--json")
    assert ran.code == 15
    assert ran.problem["facts"]["name"] == "NOPE"


def test_risk_matrix_gives_the_published_total(example_ledger: Path) -> None:
    ran = run("--ledger", str(example_ledger), "risk", "matrix", "--on", "2023-12-31", "--json")
    assert ran.json["total_reported"] == 862


def test_subscribe_gives_json_lines_and_goes_on_after_a_position(example_ledger: Path) -> None:
    whole = run("--ledger", str(example_ledger), "subscribe", "--indicator", "PS", "--quiet")
    lines = [json.loads(line) for line in whole.out.splitlines()]
    assert [line["value"] for line in lines if line["value"]][-1] == "106.92"
    middle = lines[len(lines) // 2]["position"]
    rest = run(
        *("--ledger", str(example_ledger), "subscribe", "--indicator", "PS", "--quiet"),
        *("--after", str(middle)),
    )
    assert [json.loads(line) for line in rest.out.splitlines()] == [
        line for line in lines if line["position"] > middle
    ]


def test_backup_is_a_ledger_of_its_own(example_ledger: Path, clean_place: Path) -> None:
    copy = clean_place / "copy.db"
    assert run("--ledger", str(example_ledger), "backup", str(copy)).code == 0
    assert replayed(copy).json["digest"] == replayed(example_ledger).json["digest"]
    assert run("--ledger", str(copy), "verify").code == 0
    assert run("--ledger", str(example_ledger), "backup", str(copy)).code == 36


def test_a_backup_is_restored_where_no_ledger_is(example_ledger: Path, clean_place: Path) -> None:
    assert run("--ledger", str(example_ledger), "backup", "copy.db").code == 0
    assert run("--ledger", "again.db", "restore", "copy.db").code == 0
    again = replayed(clean_place / "again.db")
    assert again.json["digest"] == replayed(example_ledger).json["digest"]
    assert run("--ledger", "again.db", "restore", "copy.db").code == 22


def test_a_damaged_backup_is_not_restored(example_ledger: Path, clean_place: Path) -> None:
    assert run("--ledger", str(example_ledger), "backup", "copy.db").code == 0
    with contextlib.closing(sqlite3.connect("copy.db")) as connection, connection:
        connection.execute("DROP TRIGGER record_no_update")
        connection.execute("UPDATE record SET salt = zeroblob(32) WHERE position = 9")
    assert run("--ledger", "again.db", "restore", "copy.db").code == 37
    assert not (clean_place / "again.db").exists()


def test_a_refused_import_leaves_no_new_ledger_behind(clean_place: Path) -> None:
    folder = copy_of_example(clean_place / "data")
    (folder / "dataset.toml").write_text("[dataset]\n", encoding="utf-8")
    ran = run("import", str(folder), "--json")
    assert ran.code == 26
    assert ran.json["problems"]
    assert not (clean_place / "registro.db").exists()


def test_demo_shows_both_days_and_marks_the_sandbox(clean_place: Path) -> None:
    ran = run("demo")
    assert ran.code == 0, ran.err
    assert "SANDBOX" in ran.out
    for text in ("105.68", "106.92", "5,332,073,821", "5,906,162,514", f"{PROGRAM} verify"):
        assert text in ran.out
    assert (clean_place / "registro-demo.db").is_file()
    assert run("demo", "--json").json["events"] == 0


def test_demo_leaves_a_real_ledger_alone() -> None:
    assert run("--ledger", "real.db", "init", "--body", "X").code == 0
    ran = run("--ledger", "real.db", "demo")
    assert ran.code == 22
    assert run("--ledger", "real.db", "status", "--json").json["years"] == []


def test_sandbox_is_marked_in_json_too() -> None:
    assert run("init", "--sandbox").code == 0
    assert run("status", "--json").json["sandbox"] is True
