"""What a reader meets: narrow terminals, records in full, names near the one typed, Italian."""

import contextlib
import io
import re
import sqlite3
from pathlib import Path

import pytest

from app.output.screen import Screen
from tests.support.cli import Ran, run, run_words
from tests.support.dataset import EXAMPLE, copy_of_example

PRE, CLOSING = "2024-03-01", "2024-06-14"
ROOT_HEX = re.compile(r"\b[0-9a-f]{64}\b")


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def narrow(monkeypatch: pytest.MonkeyPatch, columns: int, *words: str) -> str:
    """Run a command line on a terminal of a width and return what it shows, without colours."""
    terminal = Terminal()
    monkeypatch.setattr(Screen, "out", property(lambda _: terminal))
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("TERM", "xterm-256color")
    run_words(words)
    return re.sub(r"\x1b\[[0-9;]*m", "", terminal.getvalue())


@pytest.mark.parametrize("columns", [60, 80, 120])
@pytest.mark.parametrize("color", [(), ("--no-color",)])
def test_a_comparison_is_whole_at_any_width(
    example_ledger: Path, monkeypatch: pytest.MonkeyPatch, columns: int, color: tuple[str, ...]
) -> None:
    text = narrow(
        monkeypatch,
        columns,
        *("--ledger", str(example_ledger), *color, "diff"),
        *("--from-as-of", PRE, "--to-as-of", CLOSING),
    )

    for part in ("IEEP.I.2.6", "5.906.162.514", "380.016.211.547", "10,77", "indicatore"):
        assert part in text
    assert "…" not in text
    tables = [line for line in text.splitlines() if "IEEP" in line or ".2" in line]
    assert max(map(len, tables)) <= columns


@pytest.mark.parametrize("columns", [60, 80])
def test_a_replay_is_whole_at_any_width(
    example_ledger: Path, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    text = narrow(monkeypatch, columns, "--ledger", str(example_ledger), "replay")

    for part in ("obiettivo", "stadio", "380.016.211.547", "consuntivo", "Benefici sociali netti"):
        assert part in text
    assert ROOT_HEX.search(text)
    assert "…" not in text


@pytest.mark.parametrize("columns", [60, 80])
def test_an_audit_is_whole_at_any_width(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    text = narrow(monkeypatch, columns, "audit", str(EXAMPLE), "--dry-run")

    for part in ("ieep.inc_ricatti"[:8], "(5.906.162.513,5; 5.906.162.514,5)", "001:1344"):
        assert part in text
    assert "rischi.nuovi.con_misure.bassi_centrali" in text
    assert "…" not in text


@pytest.fixture
def damaged(example_ledger: Path, clean_place: Path) -> Path:
    """A copy of the example with a changed salt and an unreadable record."""
    assert run("--ledger", str(example_ledger), "backup", "copy.db").code == 0
    with contextlib.closing(sqlite3.connect("copy.db")) as connection, connection:
        connection.execute("DROP TRIGGER record_no_update")
        connection.execute("UPDATE record SET salt = zeroblob(32) WHERE position = 200")
        connection.execute("UPDATE record SET content = x'00' WHERE position = 100")
    return clean_place / "copy.db"


def test_verify_prints_hashes_whole_and_speaks_italian(
    damaged: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = narrow(monkeypatch, 60, "--ledger", str(damaged), "verify")

    assert len(ROOT_HEX.findall(text)) == 5
    assert "l'impegno conservato è" in text
    assert "il contenuto è danneggiato" in text
    assert "expected" not in text


def test_verify_gives_positions_as_numbers(damaged: Path) -> None:
    found = run("--ledger", str(damaged), "verify", "--json").json["discrepancies"]

    assert {200, 100} <= {one["position"] for one in found}
    assert [one["position"] for one in found if one["kind"] == "guard_missing"] == [None]


def test_a_damaged_record_is_told_in_italian_when_it_is_read(damaged: Path) -> None:
    ran = run_words(["--ledger", str(damaged), "replay"])

    assert ran.code == 25
    assert "il contenuto è danneggiato" in ran.err
    assert "EOFError" not in ran.err


# Records in full


def test_show_gives_one_record_in_full(example_ledger: Path) -> None:
    ran = run_words(["--ledger", str(example_ledger), "show", "348"])

    assert ran.code == 0, ran.err
    for part in ("348", "TargetSet", "OGE1", "30/01/2023", "CdA/resolution/14/2023-01-30"):
        assert part in ran.out
    assert ROOT_HEX.search(ran.out)


def test_show_in_json_has_event_envelope_and_commitment(example_ledger: Path) -> None:
    answer = run("--ledger", str(example_ledger), "show", "348", "--json").json

    assert answer["position"] == 348
    assert answer["event"]["indicator_code"] == "OGE1"
    assert answer["envelope"]["as_of"] == "2023-01-30"
    assert ROOT_HEX.fullmatch(answer["commitment"])


@pytest.mark.parametrize("position", ["0", "-1", "999999"])
def test_show_refuses_a_position_that_is_not_there(example_ledger: Path, position: str) -> None:
    ran = run("--ledger", str(example_ledger), "show", "--json", "--", position)

    assert ran.code == 13


def test_a_trail_of_a_number_points_to_the_record(example_ledger: Path) -> None:
    ran = run_words(["--ledger", str(example_ledger), "trail", "348"])

    assert ran.code == 15
    assert f"`registro show 348 --ledger {example_ledger}`" in ran.err


def test_explain_and_diff_say_how_a_record_is_opened(example_ledger: Path) -> None:
    explained = run_words(["--ledger", str(example_ledger), "explain", "PS"])

    assert f"registro show N --ledger {example_ledger}" in explained.out
    assert "PS = 0,3 x OGE1" in explained.out
    assert "= ≈" not in explained.out


def test_a_missing_value_has_no_unit(example_ledger: Path) -> None:
    ran = run_words(["--ledger", str(example_ledger), "explain", "PI"])

    assert "n.d. (pesi non pubblicati)\n" in ran.out


def test_search_gives_exact_matches_first(example_ledger: Path) -> None:
    hits = run("--ledger", str(example_ledger), "search", "OGE1", "--json").json["hits"]
    numbered = run("--ledger", str(example_ledger), "search", "348", "--json").json["hits"]

    exact = [hit["text"] == "OGE1" for hit in hits]
    assert exact == sorted(exact, reverse=True)
    assert not all(exact)
    assert (numbered[0]["position"], numbered[0]["field"]) == (348, "position")


def test_the_trail_speaks_italian(example_ledger: Path) -> None:
    out = run_words(["--ledger", str(example_ledger), "trail", "OGE3"]).out

    for part in ("Indicatore definito", "più alto è meglio", "01/01/2023", "preventivo", "122,79"):
        assert part in out
    for part in ("IndicatorDefined", ": up", "BUDGET", '{"op"'):
        assert part not in out


# Names and days that are not there


@pytest.mark.parametrize(
    ("words", "near"),
    [(("explain", "oge3"), "OGE3"), (("explain", "PSS"), "PS"), (("trail", "oge3"), "OGE3")],
)
def test_a_name_near_the_one_typed_is_suggested(
    example_ledger: Path, words: tuple[str, ...], near: str
) -> None:
    ran = run_words(["--ledger", str(example_ledger), *words])

    assert ran.code == 15
    assert f"forse {near}?" in ran.err


def test_nothing_is_suggested_for_a_name_like_no_other(example_ledger: Path) -> None:
    ran = run_words(["--ledger", str(example_ledger), "explain", "QQQQQQQQ"])

    assert ran.code == 15
    assert "forse" not in ran.err


def test_an_indicator_not_known_yet_says_since_when_it_is(example_ledger: Path) -> None:
    words = ["--ledger", str(example_ledger), "explain", "PS", "--as-of", "2020-01-01"]
    ran = run_words(words)

    assert ran.code == 13
    assert "non era ancora noto; è noto dal 2023-01-30" in ran.err


def test_an_unknown_year_is_told_in_italian_with_those_there_are(example_ledger: Path) -> None:
    ran = run_words(["--ledger", str(example_ledger), "replay", "--year", "1999"])

    assert ran.code == 15
    assert "anno '1999'; ci sono: 2023" in ran.err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("replay", "--as-of", "2020-01-01"), "non era noto nessuno di questi indicatori"),
        (
            ("replay", "--as-of", "2020-01-01", "--indicator", "PS"),
            "non era noto nessuno di questi indicatori",
        ),
        (("subscribe", "--indicator", "ZZ"), "Nessun aggiornamento ha un codice come 'ZZ'"),
        (("search", "zzzzz"), "Nessun evento contiene 'zzzzz'"),
    ],
)
def test_a_filter_that_finds_nothing_says_so(
    example_ledger: Path, words: tuple[str, ...], says: str
) -> None:
    ran = run_words(["--ledger", str(example_ledger), *words])

    assert ran.code == 0
    assert says in ran.out + ran.err


@pytest.mark.parametrize("pattern", ["ZZ*", "ps", "PS?", ""])
def test_refuses_to_replay_indicators_that_nobody_defined(
    example_ledger: Path, pattern: str
) -> None:
    words = ["--ledger", str(example_ledger), "replay", "--record", "--indicator", pattern]
    ran = run_words(words)

    assert ran.code == 15
    assert f"indicatore del 2023 '{pattern}'; ci sono: " in ran.err
    assert ran.out == ""


def test_a_pattern_that_matches_nothing_names_codes_and_the_nearest(example_ledger: Path) -> None:
    ran = run("--ledger", str(example_ledger), "replay", "--indicator", "ps", "--json")

    assert ran.problem["facts"]["near"] == "PS"
    assert ran.problem["facts"]["known"].endswith(", ...")


def test_reversed_days_are_refused(example_ledger: Path) -> None:
    words = ["diff", "--from-as-of", CLOSING, "--to-as-of", PRE]
    ran = run("--ledger", str(example_ledger), *words, "--json")

    assert (ran.code, ran.problem["facts"]["field"]) == (13, "--to-as-of")


def test_a_subscription_beyond_the_head_is_refused(example_ledger: Path) -> None:
    ran = run("--ledger", str(example_ledger), "subscribe", "--after", "999999", "--json")

    assert (ran.code, ran.problem["facts"]["field"]) == (13, "--after")
    assert ran.out == ""


# Remedies


def spoilt(place: Path) -> Path:
    folder = copy_of_example(place / "data")
    lines = (folder / "acts.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    (folder / "acts.csv").write_text("".join([*lines[:-1], "x,y\n"]), encoding="utf-8")
    return folder


def test_remedies_name_the_ledger_that_an_option_gave(clean_place: Path) -> None:
    folder = spoilt(clean_place)

    ran = run_words(["--ledger", "my ledger.db", "import", "--rows", str(folder)])

    assert f"import --rows {folder}.rejects --ledger 'my ledger.db'`" in ran.out


def test_remedies_leave_out_a_ledger_that_is_found_again_anyway(
    clean_place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGISTRO_LEDGER", "mine.db")

    ran = run_words(["status"])
    rows = run_words(["import", "--rows", str(spoilt(clean_place))])

    assert "`registro init`" in ran.err
    assert "--ledger" not in rows.out


def test_a_mended_folder_of_rejects_may_be_deleted(clean_place: Path) -> None:
    folder = spoilt(clean_place)
    assert run_words(["import", "--rows", str(folder)]).code == 1
    rejects = clean_place / "data.rejects"
    header = (rejects / "problems.csv").read_text(encoding="utf-8-sig").splitlines()[0]
    assert header == "file;riga originale;riga qui;colonna;valore;codice;motivo;che fare"
    good = (EXAMPLE / "acts.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    (rejects / "acts.csv").write_text(good[0] + good[-1], encoding="utf-8")

    still = run_words(["import", str(EXAMPLE)])
    ran = run_words(["import", "--rows", str(rejects)])

    assert ran.code == 0, ran.err
    assert "la cartella si può cancellare" in ran.out
    assert "cancellare" not in still.out


def test_problems_in_json_speak_the_language_of_the_error(clean_place: Path) -> None:
    ran = run_words(["import", str(spoilt(clean_place)), "--json"])

    assert "valori" in ran.json["problems"][0]["message"]
    assert ran.problem["detail"].endswith("nulla è stato registrato")


# Folders and files


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("--ledger", "none/x.db", "init"), 34, "none non esiste"),
        (("--ledger", ".", "status"), 19, "è una cartella, non un file"),
        (("import", "none"), 39, "la cartella non esiste"),
        (("import", "file.txt"), 39, "è un file, non una cartella"),
        (("audit", "."), 39, "non contiene né figures.csv né relations.csv"),
        (("restore", "none.db"), 37, "il file non c'è"),
        (("record", "none.yaml", "--actor", "A"), 13, "il file non c'è"),
        (("replay", "--export", "x.pdf"), 13, "scrivere un nome che finisce con .csv"),
    ],
)
def test_what_is_no_folder_or_file_is_said_to_be_none(
    example_ledger: Path, clean_place: Path, words: tuple[str, ...], code: int, says: str
) -> None:
    (clean_place / "file.txt").write_text("x", encoding="utf-8")
    before = () if "--ledger" in words or words[0] == "audit" else ("--ledger", str(example_ledger))

    ran = run_words([*before, *words])

    assert (ran.code, says in ran.err) == (code, True), ran.err
    assert not (clean_place / "registro.db").exists()


def test_a_copy_into_no_folder_is_refused(example_ledger: Path, clean_place: Path) -> None:
    ran = run_words(["--ledger", str(example_ledger), "backup", "none/copy.db"])

    assert ran.code == 36
    assert "la sua cartella non esiste" in ran.err
    assert list(clean_place.iterdir()) == []


def test_an_audit_with_a_refused_relation_shows_no_totals(clean_place: Path) -> None:
    folder = copy_of_example(clean_place / "data")
    with (folder / "relations.csv").open("a", encoding="utf-8") as file:
        file.write("x,nokind,a,b,,,\n")

    ran = run_words(["audit", str(folder), "--dry-run"])
    answer = run("audit", str(folder), "--dry-run", "--json").json

    assert ran.code == 38
    assert "--rows" not in ran.err
    assert ran.out == ""
    assert (answer["relations"], answer["summary"]) == ([], None)


# Recording


def recorded(*words: str) -> Ran:
    return run_words([*words, "--actor", "RPCT", "--as-of", "2023-03-01"])


@pytest.fixture
def risks(clean_place: Path) -> Path:
    """A ledger with a risk and a measure, recorded with Italian words."""
    assert run_words(["init", "--body", "X"]).code == 0
    for words in (
        ("risk", "register", "R1", "Vigilanza", "centrale", "Omessa verifica"),
        ("risk", "assess", "R1", "PNA2019", "alto", "nota 12"),
        ("risk", "measure", "R1", "M1", "controllo", "Doppia firma", "DG", "2023-06-30"),
    ):
        ran = recorded(*words)
        assert ran.code == 0, ran.err
    return clean_place


@pytest.mark.usefixtures("risks")
def test_italian_words_are_recorded_as_codes() -> None:
    found = run("risk", "list", "--json").json["risks"]["R1"]

    assert (found["risk"]["scope"], found["level"]) == ("central", "high")
    assert found["measures"][0]["measure"]["measure_type"] == "control"


@pytest.mark.usefixtures("risks")
def test_the_list_of_risks_shows_measures_with_their_state() -> None:
    out = run_words(["risk", "list"]).out

    for part in ("centrale", "alto", "M1", "controllo", "programmata", "30/06/2023"):
        assert part in out


@pytest.mark.usefixtures("risks")
def test_a_measure_that_is_done_needs_its_day() -> None:
    refused = recorded("risk", "monitor", "R1", "M1", "2023-03-01", "completata")

    assert refused.code == 14
    assert "--completed-on" in refused.err


@pytest.mark.usefixtures("risks")
def test_a_choice_that_is_refused_names_the_words_that_are_allowed() -> None:
    recorded("risk", "register", "R2", "P", "centrale", "E")
    ran = recorded("risk", "assess", "R2", "M", "enorme", "x")

    assert ran.code == 14
    assert "alto (high)" in ran.err


@pytest.mark.usefixtures("risks")
def test_a_recording_is_a_sentence_and_its_fields() -> None:
    ran = recorded("risk", "register", "R2", "Concorsi", "territoriale", "Favoritismo")

    assert "Registrato alla posizione" in ran.out
    for part in ("Rischio iscritto", "territoriale", "01/03/2023"):
        assert part in ran.out
    assert "{" not in ran.out


# Demo


def test_demo_leaves_the_ledger_of_the_variable_alone(
    clean_place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGISTRO_LEDGER", str(clean_place / "mine.db"))

    first, second = run_words(["demo"]), run_words(["demo"])

    assert first.code == 0, first.err
    assert not (clean_place / "mine.db").exists()
    for ran in (first, second):
        assert re.search(r"registrato il .* CES?T", ran.out)
        assert "UTC" not in ran.out
        assert "show N --ledger ./registro-demo.db" in ran.out
