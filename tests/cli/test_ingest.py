"""What `registro ingest` promises: answers, exit codes, both languages, stdin, interruptions."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.texts.facts import FACT_PROBLEMS, fact_problem_text
from ledger.facts.problems import FactProblem
from ledger.verification import verify
from tests.support.cli import Ran, run
from tests.support.ledgers import reopened
from tests.support.production import blocks, production_ledger, recorded_facts

ROOT = Path(__file__).parents[2]
HEAD = "source_id,product,unit,counted_on,pieces\n"
GOOD = "A,P1,DP1,2023-03-31,5\nB,P2,DP2,2023-03-31,6\n"
BAD = "C,P1,NOWHERE,2023-03-31,1.000\n"
WHO = ("--source", "SRC", "--actor", "DCPCG", "--as-of", "2023-12-31")


@pytest.fixture
def path(clean_place: Path) -> Path:
    path = clean_place / "ledger.db"
    production_ledger(path).store.engine.dispose()
    return path


def ingest(*words: str, lang: str = "en") -> Ran:
    return run("--lang", lang, "--ledger", "ledger.db", "ingest", "stock", *words, *WHO)


def written(name: str, text: str) -> str:
    Path(name).write_text(text)
    return name


def stdin(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))


def stored(path: Path) -> list[str]:
    return recorded_facts(reopened(path), "StockCounted").get_column("source_id").to_list()


def line(source_id: str, **values: object) -> str:
    plain = {"product": "P1", "unit": "DP1", "counted_on": "2023-03-31", "pieces": 5}
    return json.dumps({"source_id": source_id, **plain, **values}) + "\n"


@pytest.mark.usefixtures("path")
def test_a_source_that_nobody_declared_is_named_and_its_facts_are_recorded() -> None:
    ran = ingest(written("a.csv", HEAD + GOOD), lang="it")

    assert ran.code == 0
    assert "La fonte SRC non è dichiarata (`registro source declare --ledger ledger.db" in ran.err
    assert "Source SRC is not declared" in ingest(written("a.csv", HEAD + GOOD)).err


@pytest.mark.usefixtures("path")
def test_a_declared_source_is_not_warned_of() -> None:
    said = ("SRC", "Procedura", "1000", "false", "--actor", "DCPCG")
    declared = run("--ledger", "ledger.db", "source", "declare", *said)
    assert declared.code == 0, declared.err

    assert "not declared" not in ingest(written("a.csv", HEAD + GOOD)).err


def test_a_batch_answers_in_json(path: Path) -> None:
    ran = ingest(written("a.csv", HEAD + GOOD), "--batch", "7", "--json")
    assert ran.code == 0, ran.err
    answer = ran.json
    assert answer.pop("seconds").replace(".", "").isdigit()
    assert isinstance(answer.pop("rate"), int)
    head = reopened(path).head()
    assert answer == {
        "key": "facts/stock/SRC/7",
        "repeated": False,
        "dry_run": False,
        "rows": 2,
        "facts": 2,
        "reversals": 0,
        "blocks": 1,
        "rejected": 0,
        "problems": {},
        "first_problems": [],
        "rejects": [],
        "first": head,
        "last": head,
    }


def test_refused_rows_are_told_in_json_with_exit_code_1(path: Path) -> None:
    ran = ingest(written("a.csv", HEAD + GOOD + BAD), "--json")
    assert ran.code == 1
    answer = ran.json
    assert (answer["rows"], answer["facts"], answer["rejected"]) == (3, 2, 1)
    assert answer["problems"] == {"not_a_number": 1, "unknown_unit": 1}
    assert answer["first_problems"][0] == {
        "file": "a.csv",
        "line": 4,
        "row": 2,
        "column": "pieces",
        "code": "not_a_number",
        "value": "1.000",
    }
    assert answer["rejects"] == ["a.rejects.csv", "a.problems.csv"]
    assert Path("a.rejects.csv").read_text() == HEAD + BAD
    assert stored(path) == ["A", "B"]


def test_the_same_batch_again_is_told(path: Path) -> None:
    name = written("a.csv", HEAD + GOOD)
    first = ingest(name, "--json").json
    again = ingest(name, "--json")
    assert (again.code, again.json["repeated"]) == (0, True)
    assert (again.json["first"], again.json["key"]) == (first["first"], first["key"])
    assert "Nothing added" in ingest(name).out
    assert "Aggiunto nulla" in ingest(name, lang="it").out
    assert len(stored(path)) == 2


@pytest.mark.parametrize(
    ("lang", "parts"),
    [
        (
            "it",
            [
                "Registrati 2 fatti da 3 righe",
                "Righe rifiutate: 1",
                "motivo",
                "senza punti",
                "a.rejects.csv",
            ],
        ),
        (
            "en",
            [
                "Recorded 2 facts of 3 rows",
                "Rows refused: 1",
                "reason",
                "whole number",
                "a.rejects.csv",
            ],
        ),
    ],
)
def test_the_screen_tells_what_was_refused_where_and_why(
    path: Path, lang: str, parts: list[str]
) -> None:
    ran = ingest(written("a.csv", HEAD + GOOD + BAD), lang=lang)
    assert ran.code == 1
    for part in parts:
        assert part in ran.out
    located = [row for row in ran.out.splitlines() if "NOWHERE" in row]
    assert len(located) == 1
    assert " 4 " in located[0]
    assert path.is_file()


@pytest.mark.parametrize(("lang", "word"), [("it", "storni"), ("en", "take corrected facts back")])
def test_the_screen_tells_of_corrections(path: Path, lang: str, word: str) -> None:
    head = HEAD.replace("\n", ",supersedes\n")
    ingest(written("a.csv", HEAD + GOOD))
    ran = ingest(written("b.csv", head + "A2,P1,DP1,2023-03-31,4,A\n"), lang=lang)
    assert ran.code == 0
    assert word in ran.out
    assert stored(path) == ["A", "B", "A2", "A2/reversal"]


@pytest.mark.parametrize(("lang", "word"), [("it", "Prova:"), ("en", "Trial:")])
def test_a_dry_run_changes_nothing(path: Path, lang: str, word: str) -> None:
    name = written("a.csv", HEAD + GOOD + BAD)
    before = sorted(Path().iterdir())
    ran = ingest(name, "--dry-run", lang=lang)
    assert ran.code == 1
    assert word in ran.out
    assert ingest(name, "--dry-run", "--json").json["dry_run"] is True
    assert sorted(entry for entry in Path().iterdir() if "-" not in entry.name) == [
        entry for entry in before if "-" not in entry.name
    ]
    assert stored(path) == []


def test_a_whole_batch_with_a_bad_row_is_refused(path: Path) -> None:
    ran = ingest(written("a.csv", HEAD + GOOD + BAD), "--whole", "--json")
    assert ran.code == 33
    assert ran.problem["type"] == "registro:error:fact_batch"
    assert stored(path) == []
    assert Path("a.rejects.csv").is_file()


def test_refused_rows_go_where_they_are_wanted(path: Path) -> None:
    ran = ingest(written("a.csv", HEAD + BAD), "--rejects", "out/here", "--json")
    assert (ran.code, ran.json["facts"]) == (1, 0)
    assert sorted(entry.name for entry in Path("out/here").iterdir()) == [
        "a.problems.csv",
        "a.rejects.csv",
    ]
    assert stored(path) == []


@pytest.mark.parametrize("lang", ["it", "en"])
def test_the_list_of_problems_speaks_the_language_of_the_reader(path: Path, lang: Any) -> None:
    ingest(written("a.csv", HEAD + BAD), lang=lang)
    text = Path("a.problems.csv").read_text("utf-8-sig")
    for code in ("not_a_number", "unknown_unit"):
        assert fact_problem_text(code, lang) in text
    assert path.is_file()


def test_every_problem_has_a_sentence_in_both_languages() -> None:
    assert set(FACT_PROBLEMS) == set(FactProblem)
    for text in FACT_PROBLEMS.values():
        assert text.it
        assert text.en
        assert text.it != text.en
    assert fact_problem_text("of a later release", "it") == "of a later release"


@pytest.mark.parametrize(
    ("words", "code", "kind"),
    [
        (("nothing.csv",), 32, "fact_file"),
        (("a.txt",), 32, "fact_file"),
        (("empty.csv",), 32, "fact_file"),
        (("a.csv", "--format", "xlsx"), 13, "invalid_command"),
        (("-",), 13, "invalid_command"),
        (("a.csv", "--act", "nonsense"), 13, "invalid_command"),
        (("a.csv", "--act", "CdA/resolution/999/2023-01-01"), 14, "command_refused"),
        (("a.csv", "--as-of", "2999-01-01"), 14, "command_refused"),
        (("a.csv", "--as-of", "yesterday"), 13, "invalid_command"),
        (("a.csv", "--actor", ""), 13, "invalid_command"),
        (("a.csv", "--source", "a/b"), 13, "invalid_command"),
        (("a.csv", "--source", " "), 13, "invalid_command"),
    ],
)
def test_what_cannot_be_done_is_told_with_its_exit_code(
    path: Path, words: tuple[str, ...], code: int, kind: str
) -> None:
    written("a.csv", HEAD + GOOD)
    written("a.txt", HEAD + GOOD)
    written("empty.csv", "")
    ran = run("--ledger", "ledger.db", "ingest", "stock", *WHO, *words, "--json")
    assert (ran.code, ran.problem["type"]) == (code, f"registro:error:{kind}")
    assert stored(path) == []


def test_an_unknown_family_is_told_with_those_there_are(path: Path) -> None:
    written("a.csv", HEAD + GOOD)
    ran = run("--ledger", "ledger.db", "ingest", "stocks", "a.csv", *WHO, "--json")
    assert ran.code == 13
    assert "production, stock, presence" in ran.problem["detail"]
    assert path.is_file()


def test_without_a_ledger_nothing_is_read(clean_place: Path) -> None:
    ran = ingest(written("a.csv", HEAD + GOOD), "--json")
    assert (ran.code, ran.problem["type"]) == (21, "registro:error:ledger_missing")
    assert [entry.name for entry in clean_place.iterdir()] == ["a.csv"]


def test_other_content_under_the_same_name_is_refused(path: Path) -> None:
    ingest(written("a.csv", HEAD + GOOD), "--batch", "1")
    ran = ingest(
        written("b.csv", HEAD + GOOD + "Z,P1,DP1,2023-03-31,1\n"), "--batch", "1", "--json"
    )
    assert (ran.code, ran.problem["type"]) == (17, "registro:error:append_key_conflict")
    assert stored(path) == ["A", "B"]


def test_several_files_and_kinds_are_one_batch(path: Path) -> None:
    declared = HEAD.replace("counted_on", "declared_on") + "X,P1,DP1,2023-03-31,5\n"
    names = [written("a.csv", HEAD + GOOD), written("b.csv", declared)]
    answer = ingest(*names, "--json").json
    assert (answer["facts"], answer["blocks"]) == (3, 2)
    assert {record.record.append.key for record in blocks(reopened(path))} == {answer["key"]}


def test_facts_come_from_stdin(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stdin(monkeypatch, (HEAD + GOOD + BAD).encode())
    ran = ingest("-", "--format", "csv", "--json")
    assert (ran.code, ran.json["facts"]) == (1, 2)
    assert ran.json["rejects"] == ["stdin.rejects.csv", "stdin.problems.csv"]
    stdin(monkeypatch, line("C").encode())
    assert ingest("--format", "jsonl", "--json").json["facts"] == 1
    assert stored(path) == ["A", "B", "C"]


def test_following_answers_every_group_in_a_line(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stdin(monkeypatch, "".join(map(line, "ABC")).encode())
    ran = ingest("--follow", "5", "--json")
    assert ran.code == 0, ran.err
    answers = [json.loads(text) for text in ran.out.splitlines()]
    assert len(answers) == 1
    assert set(answers[0]) == {"key", "repeated", "facts", "rejected", "first", "last"}
    assert (answers[0]["facts"], answers[0]["rejected"]) == (3, 0)
    assert stored(path) == ["A", "B", "C"]


@pytest.mark.parametrize(
    ("lang", "word"), [("it", "righe rifiutate: 1"), ("en", "rows refused: 1")]
)
def test_following_tells_refused_lines(
    path: Path, monkeypatch: pytest.MonkeyPatch, lang: str, word: str
) -> None:
    stdin(monkeypatch, (line("A") + line("B", unit="NOWHERE")).encode())
    ran = ingest("--follow", "5", lang=lang)
    assert ran.code == 1
    assert word in ran.err
    assert "B" in Path("stdin.rejects.csv").read_text()
    assert stored(path) == ["A"]


def child(folder: Path, *words: str) -> subprocess.Popen[bytes]:
    """Start the program as people do, in a folder of its own."""
    of = ("--ledger", str(folder / "ledger.db"))
    return subprocess.Popen(
        [sys.executable, "-m", "app", "--lang", "en", *of, "ingest", "stock", *words, *WHO],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(folder / "tmp")},
    )


def until(met: Callable[[], object]) -> None:
    limit = time.monotonic() + 30
    while not met():
        assert time.monotonic() < limit, "waited in vain"
        time.sleep(0.002)


def require_sound(path: Path) -> None:
    ledger = reopened(path)
    assert verify(ledger.store, ledger.avro, deep=True).discrepancies == ()


def test_an_interrupted_batch_leaves_nothing_and_says_how_to_go_on(path: Path) -> None:
    folder = path.parent
    (folder / "tmp").mkdir()
    rows = "".join(f"{n},P1,DP1,2023-03-31,5\n" for n in range(900_000))
    name = folder / "large.csv"
    name.write_text(HEAD + rows)
    with child(folder, str(name)) as process:
        # The first rows are judged.
        until(lambda: list((folder / "tmp").glob("*/*.arrow")))
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert b"Interrupted" in err
    assert b"repeat the command" in err
    assert list((folder / "tmp").iterdir()) == []
    assert stored(path) == []
    require_sound(path)


def test_an_interrupted_feed_records_what_it_was_given(path: Path) -> None:
    folder = path.parent
    (folder / "tmp").mkdir()
    with child(folder, "--follow", "0.4", "--json") as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(line("A").encode())
        process.stdin.flush()
        told = json.loads(process.stdout.readline())
        assert stored(path) == ["A"]
        process.stdin.write(line("B").encode())
        process.stdin.flush()
        time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert b"Interrupted" in err
    assert (told["facts"], json.loads(out)["facts"]) == (1, 1)
    assert stored(path) == ["A", "B"]
    require_sound(path)


@pytest.mark.parametrize("lang", ["it", "en"])
@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("ingest", ("csv, jsonl, parquet", "avro")),
        ("production", ("body, area", "cluster")),
        ("rebuild", ("production,", "trail")),
        ("catch-up", ("production,", "trail")),
    ],
)
def test_help_names_what_may_be_chosen(command: str, words: tuple[str, ...], lang: str) -> None:
    shown = " ".join(run("--lang", lang, command, "--help").out.replace("│", " ").split())
    for word in words:
        assert word in shown
    assert ("float" in shown) == (lang == "en" and command == "catch-up")


def test_a_batch_of_refused_rows_names_no_position(path: Path) -> None:
    ran = ingest(written("a.csv", HEAD + BAD), lang="it")
    assert "Registrati 0 fatti da 1 righe." in ran.out
    assert "0-0" not in ran.out
    assert stored(path) == []


def test_a_name_used_for_other_content_says_what_to_do_with_a_batch(path: Path) -> None:
    ingest(written("a.csv", HEAD + GOOD), "--batch", "7")
    ran = ingest(written("b.csv", HEAD + GOOD.replace("5", "4")), "--batch", "7", lang="it")
    assert ran.code == 17
    assert "--batch" in ran.err
    assert "registro correct" not in ran.err
    assert stored(path) == ["A", "B"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("source_id,product,unit,counted_on,pezzi\n", "mancano pieces; non previste pezzi"),
        ("source_id,product,unit,counted_on\n", "vicine a StockCounted, ma mancano pieces"),
        (HEAD.replace("pieces", "pieces,nota"), "StockCounted, ma non prevede nota"),
        ("a,b\n", "StockDeclared, StockCounted, StockAdjusted"),
    ],
)
def test_columns_that_do_not_fit_are_told_in_italian(path: Path, text: str, told: str) -> None:
    ran = ingest(written("a.csv", text + ",".join("1" * len(text.split(","))) + "\n"), lang="it")
    assert ran.code == 32
    assert told in ran.err
    assert "missing" not in ran.err
    assert stored(path) == []


def test_a_folder_is_no_file_of_facts(path: Path) -> None:
    Path("folder").mkdir()
    assert "è una cartella" in ingest("folder", lang="it").err
    assert stored(path) == []


def test_reasons_are_listed_in_order_of_the_lines(path: Path) -> None:
    rows = "A,P1,DP1,2023-03-31,5\nA,P1,DP1,2023-03-31,6\nB,P1,DP1,2023-03-31,x\n"
    shown = ingest(written("a.csv", HEAD + rows)).out.splitlines()
    places = [line.split()[1] for line in shown if line.startswith("a.csv ")]
    assert places == ["3", "4"]
    assert stored(path) == ["A"]


def test_the_list_of_problems_has_the_name_of_its_rows(path: Path) -> None:
    for name in ("a.csv", "b.csv", "a.csv"):
        ingest(written(name, HEAD + BAD))
    assert sorted(entry.name for entry in Path().glob("*.problems*.csv")) == [
        "a.problems-2.csv",
        "a.problems.csv",
        "b.problems.csv",
    ]
    assert stored(path) == []


def test_following_goes_on_behind_a_line_that_is_no_fact(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stdin(monkeypatch, (line("A") + "garbage\n" + line("B", nota=1) + line("C")).encode())
    ran = ingest("--follow", "5", "--json")
    assert ran.code == 1, ran.err
    (answer,) = [json.loads(text) for text in ran.out.splitlines()]
    assert (answer["facts"], answer["rejected"]) == (2, 2)
    assert stored(path) == ["A", "C"]
