"""The command line itself: options anywhere, languages, settings, errors, quick help."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.cli.commands import ENTRIES
from app.cli.main import build
from tests.support.cli import run, run_words


@pytest.mark.parametrize(
    "words",
    [
        ("--json", "config", "show"),
        ("config", "--json", "show"),
        ("config", "show", "--json"),
    ],
)
def test_global_options_stand_anywhere(words: tuple[str, ...]) -> None:
    assert json.loads(run_words(words).out)["settings"]


def test_texts_are_italian_unless_english_is_asked_for() -> None:
    italian, english = run_words(["replay"]), run_words(["--lang", "en", "replay"])
    assert italian.err.startswith("Errore")
    assert "Che fare:" in italian.err
    assert english.err.startswith("Error ")
    assert "What to do:" in english.err


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
@pytest.mark.parametrize("lang", ["it", "en"])
def test_every_command_has_help_in_both_languages(
    entry: object, lang: str, capsys: pytest.CaptureFixture[str]
) -> None:
    name = entry.name  # type: ignore[attr-defined] # an Entry
    ran = run_words(["--lang", lang, name, "--help"])
    text = ran.out + capsys.readouterr().out
    assert ran.code == 0
    assert name in text
    assert "\x1f" not in text


def test_every_entry_is_registered_by_its_module() -> None:
    command = build(asked="*", lang="it")
    assert set(command.commands) == {entry.name for entry in ENTRIES}  # type: ignore[attr-defined] # a group


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["nonesiste"], "il comando 'nonesiste' non esiste"),
        (["replayy"], "forse 'replay'?"),
        (["replay", "--nope"], "l'opzione --nope non esiste"),
        (["replay", "--year", "x"], "valore non valido per --year"),
        (["explain"], "manca l'argomento"),
        (["status", "extra"], "argomenti di troppo: extra"),
        (["replay", "--ledger"], "l'opzione --ledger vuole un valore"),
        (["diff", "--to-as-of", "2024-01-01"], "manca l'opzione --from-as-of"),
    ],
)
def test_a_wrong_command_line_ends_with_2_and_says_what_is_wrong(
    words: list[str], says: str
) -> None:
    ran = run_words(words)
    assert ran.code == 2
    assert says in ran.err
    assert "--help" in ran.err


def test_settings_come_from_option_then_environment_then_file_then_default(
    clean_place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ledger(*words: str) -> tuple[str, str]:
        found = json.loads(run_words(["config", "show", "--json", *words]).out)["settings"]
        return next((one["value"], one["origin"]) for one in found if one["name"] == "ledger")

    assert ledger() == ("./registro.db", "default")
    (clean_place / "registro.toml").write_text('ledger = "file.db"\n', encoding="utf-8")
    assert ledger() == ("file.db", "file")
    monkeypatch.setenv("REGISTRO_LEDGER", "environment.db")
    assert ledger() == ("environment.db", "environment")
    assert ledger("--ledger", "option.db") == ("option.db", "option")


def test_config_show_names_the_origin(clean_place: Path) -> None:
    (clean_place / "registro.toml").write_text('lang = "en"\n', encoding="utf-8")
    ran = run_words(["config", "show", "--origin"])
    assert str(clean_place / "registro.toml") in ran.out


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ('ledgr = "x.db"\n', "did you mean ledger?"),
        ("ledger = 3\n", "text in quotes"),
        ("ledger = \n", "Invalid value"),
        ('color = "pink"\n', "is not one of: auto, never"),
    ],
)
def test_a_wrong_settings_file_is_refused_with_the_reason(
    clean_place: Path, content: str, says: str
) -> None:
    (clean_place / "registro.toml").write_text(content, encoding="utf-8")
    ran = run_words(["--lang", "en", "status"])
    assert ran.code == 11
    assert says in ran.err


def test_a_settings_file_that_is_named_must_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGISTRO_CONFIG", "nowhere.toml")
    assert run("status").code == 11


def test_an_unknown_variable_of_ours_gives_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGISTRO_LEGDER", "x.db")
    ran = run("config", "show")
    assert ran.code == 0
    assert "REGISTRO_LEGDER" in ran.err


def test_a_database_that_is_not_supported_is_refused() -> None:
    ran = run("--ledger", "mysql://somewhere/x", "status", "--json")
    assert ran.code == 11
    assert ran.problem["facts"]["setting"] == "ledger"


def test_a_file_that_is_no_ledger_is_refused(clean_place: Path) -> None:
    (clean_place / "registro.db").write_bytes(b"this is no database, only a text of some length")
    ran = run("status", "--json")
    assert ran.code in {19, 18}
    assert "registro.db" in ran.problem["detail"]


_SLOW = (
    "confluent_kafka",
    "cryptography",
    "eventsourcing",
    "fastavro",
    "kafka",
    "ledger.application",
    "numpy",
    "polars",
    "prometheus_client",
    "sqlalchemy",
    "yaml",
)
"""What no help waits for."""


def _imported_by_help(paths: list[list[str]]) -> dict[str, list[str]]:
    """Return the slow modules that help imports, by the first command line that does."""
    code = (
        "import contextlib, json, os, sys\n"
        "from app.cli.main import main\n"
        "found = {}\n"
        "for words in json.loads(sys.argv[1]):\n"
        "    with contextlib.redirect_stdout(open(os.devnull, 'w')):\n"
        "        main([*words, '--help'])\n"
        "    new = [n for n in json.loads(sys.argv[2]) if n in sys.modules]\n"
        "    new = [n for n in new if not any(n in names for names in found.values())]\n"
        "    if new:\n"
        "        found[' '.join(words)] = new\n"
        "print(json.dumps(found))\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, json.dumps(paths), json.dumps(_SLOW)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    found: dict[str, list[str]] = json.loads(done.stdout)
    return found


def _command_lines(command: Any, words: list[str]) -> Iterator[list[str]]:
    yield words
    for name, child in getattr(command, "commands", {}).items():
        yield from _command_lines(child, [*words, name])


def test_no_help_imports_a_database_or_another_slow_library() -> None:
    every = list(_command_lines(build(asked="*", lang="it"), []))
    assert len(every) > 2 * len(ENTRIES)
    assert _imported_by_help(every) == {}


@pytest.mark.parametrize(
    ("option", "meanings"),
    [
        (
            "--actor",
            {"who records: ROLE@UNIT", "with --record, who: ROLE@UNIT"},
        ),
        (
            "--act",
            {
                "authorising act; repeatable",
                "act: ORGAN/TYPE/NUMBER/DATE",
                "act that orders it",
            },
        ),
        (
            "--dry-run",
            {
                "show, do not record",
                "check, record nothing",
                "do not record the figures as events",
            },
        ),
    ],
)
def test_a_shared_option_says_the_same_of_the_same_thing(option: str, meanings: set[str]) -> None:
    found = {
        parameter.help
        for command in _commands(build(asked="*", lang="en"))
        for parameter in command.params
        if option in parameter.opts
    }
    assert found == meanings


def _commands(command: Any) -> Iterator[Any]:
    yield command
    for child in getattr(command, "commands", {}).values():
        yield from _commands(child)


def test_an_unexpected_error_shows_no_trace_unless_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("boom")

    monkeypatch.setattr("app.cli.context.Cli.open", broken)
    plain, debug = run("status"), run("status", "--debug")
    assert (plain.code, debug.code) == (99, 99)
    assert "Traceback" not in plain.err
    assert "--debug" in plain.err
    assert "Traceback" in debug.err


def test_an_interruption_ends_with_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("app.cli.context.Cli.open", interrupted)
    ran = run("status")
    assert ran.code == 130
    assert "Interrupted" in ran.err


def test_a_command_that_follows_ends_so_and_says_how_to_go_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("app.cli.context.Cli.open", interrupted)
    ran = run("subscribe", "--follow")
    assert ran.code == 130
    assert "goes on from here" in ran.err


def test_completion_can_be_shown() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "app", "--show-completion", "bash"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={"PATH": "/usr/bin:/bin", "SHELL": "/bin/bash"},
    )
    assert "registro" in done.stdout
