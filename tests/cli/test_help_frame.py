"""Help and usage errors in the reader's language, the frame that Typer draws included."""

import re

import pytest

from tests.support.cli import run_words

ENGLISH = re.compile(
    r"Usage|Options|Arguments|Commands|\[required\]|and exit|<bool>|<str>|Install completion"
)


@pytest.mark.parametrize(
    "words", [(), ("replay",), ("act", "adopt"), ("risk",), ("list",), ("risk", "due")]
)
def test_help_holds_no_english(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    ran = run_words([*words, "--help"])
    text = ran.out + capsys.readouterr().out

    assert ran.code == 0
    assert "Uso: registro" in text
    assert "Mostra questo messaggio" in text
    assert ENGLISH.findall(text) == []


def test_english_help_follows_italian_help_in_one_process(
    capsys: pytest.CaptureFixture[str],
) -> None:
    run_words(["replay", "--help"])
    capsys.readouterr()
    ran = run_words(["--lang", "en", "act", "adopt", "--help"])
    text = ran.out + capsys.readouterr().out

    assert "Usage: registro act adopt [OPTIONS]" in text
    assert "Argomenti" not in text
    assert "[required]" in text


def test_a_group_alone_shows_what_can_follow(capsys: pytest.CaptureFixture[str]) -> None:
    ran = run_words(["risk"])
    text = ran.out + capsys.readouterr().out

    assert ran.code == 2
    assert "matrix" in text
    assert "manca il comando" in ran.err


def test_list_alone_shows_what_can_be_listed() -> None:
    ran = run_words(["list"])

    assert ran.code == 0
    for part in ("registro list units", "unità", "registro list risks", "rischi"):
        assert part in ran.out


@pytest.mark.parametrize("word", ["unità", "unita", "Units", "linee-guida", "cifre"])
def test_what_is_listed_may_be_named_in_italian(word: str) -> None:
    assert run_words(["init", "--body", "X"]).code == 0
    assert run_words(["list", word]).code == 0


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("replay", "--year", "x"), "valore non valido per --year: scrivere un numero intero"),
        (("replay", "--at", "-1"), "valore non valido per --at: il minimo è 0"),
        (("replay", "--yea", "3"), "l'opzione --yea non esiste; forse --at, --year?"),
        (("subscribe", "--follow=3"), "l'opzione --follow non vuole un valore"),
        (("list", "boh"), "'boh' non si può elencare"),
        (("correct", "4", "--set", "x", "--reason", "y"), "scrivere CAMPO=VALORE, non 'x'"),
    ],
)
def test_a_usage_error_holds_no_english(words: tuple[str, ...], says: str) -> None:
    ran = run_words(words)

    assert ran.code == 2
    assert says in ran.err


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("ledger = \n", "il file non è TOML valido, riga 1"),
        ('ledgr = "x.db"\n', "chiave sconosciuta 'ledgr'; forse ledger?"),
        ("ledger = 3\n", "ledger va scritto come testo tra virgolette"),
        ('color = "pink"\n', "non è tra i valori ammessi: auto, never"),
    ],
)
def test_a_wrong_settings_file_is_told_in_italian(
    content: str,
    says: str,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = tmp_path_factory.mktemp("settings") / "registro.toml"
    file.write_text(content, encoding="utf-8")
    monkeypatch.setenv("REGISTRO_CONFIG", str(file))

    ran = run_words(["status"])

    assert ran.code == 11
    assert says in ran.err
