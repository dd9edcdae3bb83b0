"""`registro rebuild` and `registro catch-up`: what they answer, where they write, how they stop."""

import hashlib
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import polars as pl
import pytest

from app.cli.context import Cli
from app.cli.production.readmodels import runner_of
from ledger.application import LedgerApplication
from ledger.errors import (
    ConfigurationError,
    InvalidCommandError,
    LedgerMissingError,
    ProjectionError,
    StoreError,
    ViewsUnavailableError,
)
from ledger.records import RecordKind
from projections.runner.database import open_views
from projections.runner.models import PROJECTIONS
from projections.runner.runner import Runner
from projections.runner.views import Views
from tests.support.cli import Ran, run
from tests.support.ledgers import reopened
from tests.support.production import batch as said_of
from tests.support.production import fact
from tests.support.production import record as take_in
from tests.support.tampering import tamper
from tests.unit.projections.runner.test_digests import facts_ledger, late_unit

NAMES = set(PROJECTIONS)
USAGE = 2
INTERRUPTED = 130
WAIT_SECONDS = 30


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return facts_ledger(tmp_path_factory.mktemp("made") / "ledger.db")


@pytest.fixture
def ledger(made: Path, clean_place: Path) -> Path:
    path = clean_place / "ledger.db"
    shutil.copy(made, path)
    return path


def on(ledger: Path, *words: str) -> Ran:
    return run("--ledger", str(ledger), *words)


def live_digest(place: Path, name: str) -> str:
    """Return the digest of what readers see."""
    views = Views(open_views(f"sqlite:///{place}"), code_version="test")
    return views.digest(PROJECTIONS[name])


def spoilt_block(ledger: Path) -> tuple[int, bytes]:
    """Alter a block; return its position and its content."""
    opened = reopened(ledger)
    blocks = [one for one in opened.store.read() if one.record.kind is RecordKind.BLOCK]
    opened.store.engine.dispose()
    place = blocks[5].position
    with closing(sqlite3.connect(ledger)) as connection:
        sql = "SELECT content FROM record WHERE position = ?"
        (content,) = connection.execute(sql, (place,)).fetchone()
    set_content(ledger, place, b"\xff" * len(content))
    return place, content


def set_content(ledger: Path, place: int, content: bytes) -> None:
    """Write the content of a record behind the ledger's back."""
    tamper(ledger, ("UPDATE record SET content = ? WHERE position = ?", (content, place)))


def test_a_rebuild_answers_what_programs_rely_on(ledger: Path) -> None:
    ran = on(ledger, "rebuild", "--json")
    answer = ran.json
    opened = reopened(ledger)
    assert ran.code == 0
    assert {"events", "seconds", "digest", "position"} <= answer.keys()
    assert answer["position"] == opened.head()
    assert answer["events"] == sum(one.record.event_count for one in opened.store.read())
    assert float(answer["seconds"]) > 0
    assert {one["projection"] for one in answer["projections"]} == NAMES
    each = {one["projection"]: one["digest"] for one in answer["projections"]}
    text = "".join(f"{name} {each[name]}\n" for name in sorted(each))
    assert answer["digest"] == hashlib.sha256(text.encode()).hexdigest()
    assert all(re.fullmatch(r"[0-9a-f]{64}", digest) for digest in each.values())


@pytest.mark.parametrize("name", PROJECTIONS)
def test_the_digest_of_one_projection_is_that_of_its_rows(name: str, ledger: Path) -> None:
    first = on(ledger, "rebuild", "--projection", name, "--projection", name, "--json").json
    again = on(ledger, "rebuild", "--projection", name, "--json").json
    assert [one["projection"] for one in first["projections"]] == [name]
    assert [first["projections"][0]["changed"], again["projections"][0]["changed"]] == [None, False]
    place = ledger.with_name("ledger.views.db")
    assert first["digest"] == again["digest"] == live_digest(place, name)


def test_workers_do_not_change_the_answer(ledger: Path) -> None:
    one = on(ledger, "rebuild", "--projection", "production", "--json").json
    two = on(ledger, "rebuild", "--projection", "production", "--workers", "2", "--json").json
    for answer in (one, two):
        del answer["seconds"], answer["projections"][0]["seconds"]
    one["projections"][0]["changed"] = False
    assert one == two


@pytest.mark.parametrize("workers", ["0", "65", "-1", "many"])
def test_a_number_of_workers_that_is_none_is_refused(workers: str, ledger: Path) -> None:
    assert on(ledger, "rebuild", "--workers", workers).code == USAGE
    assert not ledger.with_name("ledger.views.db").exists()


@pytest.mark.parametrize("command", ["rebuild", "catch-up"])
def test_an_unknown_projection_is_refused_and_the_known_ones_are_named(
    command: str, ledger: Path
) -> None:
    ran = on(ledger, command, "--projection", "trail", "--projection", "Trail", "--json")
    assert ran.code == InvalidCommandError.exit_code
    assert ran.problem["facts"]["value"] == "Trail"
    assert all(name in ran.problem["detail"] for name in NAMES)
    assert not ran.out
    assert not ledger.with_name("ledger.views.db").exists()


@pytest.mark.parametrize("command", ["rebuild", "catch-up"])
def test_without_a_ledger_no_read_model_is_made(command: str, clean_place: Path) -> None:
    assert on(clean_place / "none.db", command).code == LedgerMissingError.exit_code
    assert not list(clean_place.iterdir())


@pytest.mark.parametrize("command", ["rebuild", "catch-up"])
def test_the_ledger_itself_is_not_written(command: str, ledger: Path) -> None:
    before = ledger.read_bytes()
    assert on(ledger, command).code == 0
    assert ledger.read_bytes() == before


def test_read_models_stand_beside_the_ledger_unless_said_otherwise(
    ledger: Path, clean_place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    beside = clean_place / "ledger.views.db"
    one = ("catch-up", "--projection", "organisation")
    for place in (str(ledger), "ledger.db", f"sqlite:///{ledger}"):
        assert run("--ledger", place, *one).code == 0
        assert beside.is_file()
        beside.unlink()
    for said in ("a.db", f"sqlite:///{clean_place}/b.db"):
        monkeypatch.setenv("REGISTRO_VIEWS", said)
        assert on(ledger, *one).code == 0
    assert {one.name for one in clean_place.glob("*.db")} == {"ledger.db", "a.db", "b.db"}


@pytest.mark.parametrize("views", ["ledger.db", "./ledger.db", "sqlite:///ledger.db"])
def test_read_models_in_the_ledger_itself_are_refused(
    views: str, ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = ledger.read_bytes()
    monkeypatch.setenv("REGISTRO_VIEWS", views)
    ran = on(ledger, "rebuild", "--json")
    assert (ran.code, ran.problem["facts"]["setting"]) == (ConfigurationError.exit_code, "views")
    assert ledger.read_bytes() == before


def test_read_models_in_a_folder_that_does_not_exist_are_refused(
    ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGISTRO_VIEWS", "nowhere/views.db")
    ran = on(ledger, "catch-up", "--json")
    assert ran.code == ViewsUnavailableError.exit_code
    assert "nowhere does not exist" in ran.problem["facts"]["reason"]


@pytest.mark.parametrize("url", ["mysql://h/x", "://x", "sqlite://host/x"])
@pytest.mark.parametrize("words", [("catch-up",), ("rebuild",), ("status",)])
def test_a_place_of_read_models_that_is_none_names_its_setting(
    words: tuple[str, ...], url: str, ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGISTRO_VIEWS", url)
    ran = on(ledger, *words, "--json")
    assert (ran.code, ran.problem["facts"]["setting"]) == (ConfigurationError.exit_code, "views")


@pytest.mark.parametrize("url", [".", "postgresql://u:s3cret@127.0.0.1:1/x"])
@pytest.mark.parametrize("words", [("catch-up",), ("rebuild", "--projection", "organisation")])
def test_read_models_that_do_not_open_name_their_setting(
    words: tuple[str, ...], url: str, ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGISTRO_VIEWS", url)
    ran = on(ledger, *words)
    assert ran.code == ViewsUnavailableError.exit_code
    assert "REGISTRO_VIEWS" in ran.err
    assert "--ledger" not in ran.err
    assert "s3cret" not in ran.err


def test_a_file_that_holds_something_else_is_not_taken_for_read_models(
    ledger: Path, clean_place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = clean_place / "notes.txt"
    other.write_text("what somebody wrote down\n" * 100)
    monkeypatch.setenv("REGISTRO_VIEWS", "notes.txt")
    ran = on(ledger, "catch-up", "--json")
    assert ran.code == StoreError.exit_code
    assert other.read_text() == "what somebody wrote down\n" * 100


def test_projecting_follows_the_ledger(ledger: Path, clean_place: Path) -> None:
    first = on(ledger, "catch-up", "--json").json["projections"]
    opened = reopened(ledger)
    row = fact("RequestDefined", source_id="new", pieces=2)
    take_in(opened, clean_place, "RequestDefined", [row], said_of(name="new"))
    late_unit(opened, "LATE")
    second = on(ledger, "catch-up", "--json").json["projections"]

    assert {one["projection"] for one in first} == NAMES
    assert {one["position"] for one in second} == {opened.head()}
    for one in [*first, *second]:
        assert (one["lag_records"], one["lag_events"], one["lag_seconds"]) == (0, 0, "0.000")
        assert (one["halted_at"], one["halted_reason"], one["fallbacks"]) == (None, None, 0)
    digests = {one["digest"] for one in on(ledger, "rebuild", "--json").json["projections"]}
    place = ledger.with_name("ledger.views.db")
    assert digests == {live_digest(place, name) for name in NAMES}


def test_a_projection_that_stops_says_where_and_the_others_go_on(ledger: Path) -> None:
    place, content = spoilt_block(ledger)
    head = reopened(ledger).head()

    ran = on(ledger, "catch-up", "--json")

    assert ran.code == ProjectionError.exit_code
    assert ran.problem["facts"]["position"] == str(place)
    answers = {one["projection"]: one for one in ran.json["projections"]}
    stopped = answers.pop("production")
    assert (stopped["halted_at"], stopped["position"]) == (place, place - 1)
    assert stopped["halted_reason"]
    assert (stopped["lag_records"], stopped["lag_events"] > 0) == (head - place + 1, True)
    assert float(stopped["lag_seconds"]) > 0
    assert {one["position"] for one in answers.values()} == {head}
    assert {one["halted_at"] for one in answers.values()} == {None}

    set_content(ledger, place, content)
    mended = on(ledger, "catch-up", "--json")
    assert mended.code == 0
    assert {one["halted_at"] for one in mended.json["projections"]} == {None}
    assert {one["position"] for one in mended.json["projections"]} == {head}


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_rebuild_that_stops_leaves_what_was_there(workers: str, ledger: Path) -> None:
    one = ("--projection", "production", "--workers", workers, "--json")
    before = on(ledger, "rebuild", *one).json["digest"]
    place, _ = spoilt_block(ledger)

    ran = on(ledger, "rebuild", *one)

    assert (ran.code, ran.out) == (ProjectionError.exit_code, "")
    assert ran.problem["facts"]["position"] == str(place)
    assert live_digest(ledger.with_name("ledger.views.db"), "production") == before


def test_blocks_that_only_the_slow_decoder_reads_are_told(
    ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def panicking(*_: object, **__: object) -> pl.DataFrame:
        raise pl.exceptions.PanicException("index out of bounds")

    plain = on(ledger, "rebuild", "--projection", "production", "--json").json
    monkeypatch.setattr(pl, "read_avro", panicking)
    ran = on(ledger, "rebuild", "--projection", "production", "--json")
    screen = on(ledger, "rebuild", "--projection", "production")

    assert ran.code == screen.code == 0
    assert ran.json["projections"][0]["fallbacks"] > 15
    assert ran.json["digest"] == plain["digest"]
    assert "slow decoder" in screen.err
    lag = on(ledger, "catch-up", "--projection", "production", "--json").json["projections"][0]
    assert lag["fallbacks"] == ran.json["projections"][0]["fallbacks"]


@pytest.mark.parametrize(("lang", "word"), [("it", "proiezione"), ("en", "projection")])
@pytest.mark.parametrize("command", ["rebuild", "catch-up"])
def test_the_screen_names_every_projection(
    command: str, lang: str, word: str, ledger: Path
) -> None:
    ran = on(ledger, "--lang", lang, command)
    assert ran.code == 0
    assert word in ran.out
    assert all(name in ran.out for name in NAMES)


def test_following_takes_in_what_comes_and_ends_when_interrupted(
    ledger: Path, clean_place: Path
) -> None:
    words = ("--ledger", str(ledger), "--lang", "en", "catch-up", "--follow", "--interval", "0.02")
    place = ledger.with_name("ledger.views.db")
    process = subprocess.Popen(
        [sys.executable, "-m", "app", *words],
        cwd=clean_place,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={"PYTHONPATH": str(Path(__file__).parents[2]), "HOME": str(clean_place)},
    )
    try:
        opened = reopened(ledger)
        wait_for(place, opened.head())
        late_unit(opened, "LATE")
        wait_for(place, opened.head())
    finally:
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=WAIT_SECONDS)
    assert process.returncode == INTERRUPTED, said
    assert b"Traceback" not in said


@pytest.mark.parametrize("name", ["production", "trail"])
def test_what_another_process_moved_meanwhile_is_looked_at_again(
    ledger: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved: list[str] = []

    def beside(cli: Cli, opened: LedgerApplication, views: Views) -> Runner:
        def move(point: str) -> None:
            if point == "advance.folded" and not moved:
                moved.append(name)
                runner_of(cli, opened, views).catch_up(PROJECTIONS[name])

        return Runner(opened, views, fault_point=move)

    monkeypatch.setattr("app.cli.production.catching_up.runner_of", beside)

    ran = on(ledger, "catch-up", "--projection", name, "--json")

    assert (ran.code, ran.err) == (0, "")
    assert moved == [name]
    assert ran.json["projections"][0]["position"] == reopened(ledger).head()


def wait_for(place: Path, position: int) -> None:
    """Wait until every projection has reached a position."""
    end = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < end:
        if place.is_file():
            views = Views(open_views(f"sqlite:///{place}"), code_version="test")
            found = {one.projection: one.position for one in views.generations()}
            if found == dict.fromkeys(NAMES, position):
                return
        time.sleep(0.05)
    raise AssertionError(f"nobody reached {position}")


def made_by(place: Path, release: str) -> None:
    """Say that another release made the rows."""
    with closing(sqlite3.connect(place)) as connection, connection:
        connection.execute("UPDATE read_model_generation SET code_version = ?", (release,))


@pytest.mark.parametrize("words", [("catch-up", "--projection", "production"), ("production",)])
def test_rows_of_another_release_ask_for_a_rebuild(ledger: Path, words: tuple[str, ...]) -> None:
    assert "rebuild" not in on(ledger, "catch-up").err
    made_by(ledger.with_name("ledger.views.db"), "0.0.0")

    asked = on(ledger, *words)
    assert asked.code == 0, asked.err
    assert "0.0.0" in asked.err
    assert "registro rebuild --projection production" in asked.err

    on(ledger, "rebuild", "--projection", "production")
    assert "rebuild" not in on(ledger, *words).err


@pytest.mark.parametrize("deep", [(), ("--deep",)], ids=["quick", "deep"])
def test_verify_names_an_edited_row_of_a_read_model(ledger: Path, deep: tuple[str, ...]) -> None:
    assert on(ledger, "verify", "--json").json["read_models"] == []
    assert on(ledger, "rebuild").code == 0
    assert on(ledger, "verify", *deep).code == 0
    place = ledger.with_name("ledger.views.db")
    with closing(sqlite3.connect(place)) as connection, connection:
        connection.execute("UPDATE trail_index SET event_type = 'x' WHERE position = 2")

    told = on(ledger, "verify", "--json", *deep)

    wrong = told.json["discrepancies"]
    assert (told.code, {one["kind"] for one in wrong}) == (1, {"read_model"})
    assert {one["position"] for one in wrong} == {2}
    assert all("trail_index" in one["detail"] for one in wrong)
    clean = {one["projection"]: one["clean"] for one in told.json["read_models"]}
    assert clean == {name: name != "trail" for name in NAMES}
    assert on(ledger, "rebuild").code == on(ledger, "verify").code == 0
