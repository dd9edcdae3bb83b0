"""Personal data on the command line: who is told what, how a person is erased, what forbids it."""

import re
import shutil
import sqlite3
from pathlib import Path

import pytest

from app.cli.context import Cli
from app.cli.privacy.persons import keys_path
from app.config import resolve
from app.output.screen import Screen
from tests.support.cli import Ran, run, run_words

ACT = "CdA/resolution/14/2023-01-30"
STREAM = f"act/{ACT}"
KEYS = Path("registro.keys.db")
LEDGER = Path("registro.db")


def accepted(*words: str) -> Ran:
    ran = run(*words, "--actor", "DG", "--json")
    assert ran.code == 0, ran.err
    return ran


def refused(*words: str) -> str:
    ran = run(*words, "--actor", "DG", "--json")
    assert ran.code == 14, ran.out + ran.err
    return str(ran.problem["facts"]["rule"])


def adopt(number: str, *more: str) -> Ran:
    return accepted(
        *("act", "adopt", "CdA", "resolution", "2023-01-30", "plan", "--number", number),
        *("--as-of", "2023-01-30", *more),
    )


def subjects() -> list[dict[str, object]]:
    found = run("subject", "list", "--json").json["subjects"]
    assert isinstance(found, list)
    return found


def erasure(subject: str, **changed: str) -> tuple[str, ...]:
    options = {
        "--ground": "request",
        "--legal-basis": "GDPR art. 17(1)(a)",
        "--reason": "asked",
        "--act": ACT,
        **{f"--{name.replace('_', '-')}": value for name, value in changed.items()},
    }
    words = [word for pair in options.items() for word in pair]
    return ("subject", "erase", subject, *words, "--approver", "RPCT", "--approver", "DPO@STAFF")


def head() -> str:
    answer = run("verify", "--json").json
    assert answer["clean"]
    return f"{answer['head']['position']}:{answer['head']['root']}"


@pytest.fixture
def subject(clean_place: Path) -> str:
    """A ledger with one act, adopted by a person; the person's subject."""
    del clean_place
    assert run("init", "--body", "X").code == 0
    adopt("14", "--person", "Mario Rossi")
    (only,) = subjects()
    return str(only["subject_id"])


# Readers


def test_show_and_trail_tell_the_person_while_the_key_is_here(subject: str) -> None:
    del subject
    shown = run("show", "6")
    trail = run("trail", STREAM)

    assert "Mario Rossi" in shown.out
    assert "by DG, Mario Rossi, source" in trail.out
    assert run("show", "6", "--json").json["person"]["state"] == "readable"
    assert run("trail", STREAM, "--json").json["events"][0]["person"]["name"] == "Mario Rossi"


@pytest.mark.parametrize(
    ("lang", "told"),
    [("it", "cifrato (chiave non disponibile)"), ("en", "encrypted (key not available)")],
)
def test_without_the_keys_nobody_is_named(subject: str, lang: str, told: str) -> None:
    del subject
    KEYS.rename("elsewhere")

    for words in (("show", "6"), ("trail", STREAM), ("subject", "list")):
        out = run_words(["--lang", lang, *words]).out
        assert "Rossi" not in out
        assert told in " ".join(out.split())


def test_a_record_without_a_person_names_none(subject: str) -> None:
    del subject
    adopt("15")

    assert run("show", "7", "--json").json["person"] is None
    assert "person" not in run("show", "7").out


def test_no_file_holds_the_name(subject: str) -> None:
    del subject
    for path in Path().iterdir():
        if path.is_file():
            assert b"rossi" not in path.read_bytes().lower(), path


def test_a_file_of_keys_that_others_may_read_is_refused(subject: str) -> None:
    del subject
    KEYS.chmod(0o644)

    ran = run("show", "6", "--json")

    assert (ran.code, ran.problem["type"]) == (65, "registro:error:key_store_exposed")
    assert "Rossi" not in ran.out + ran.err


def test_keys_of_another_ledger_are_refused(subject: str) -> None:
    del subject
    assert run("init", "--body", "Y", "--ledger", "other.db").code == 0

    ran = run("--ledger", "other.db", "--subject-keys", str(KEYS), "subject", "list", "--json")

    assert ran.code == 64
    assert "another ledger" in ran.problem["detail"]


# Recording in a person's name


BATCHES: tuple[tuple[str, ...], ...] = (
    ("import", "folder", "--actor", "DG"),
    ("import", "folder", "--actor", "DG", "--dry-run"),
    ("audit", "folder", "--actor", "DG"),
    ("ingest", "stock", "x.csv", "--source", "S", "--actor", "DG"),
)


@pytest.mark.parametrize("words", BATCHES, ids=["import", "import --dry-run", "audit", "ingest"])
def test_commands_that_record_for_an_office_refuse_a_person(
    subject: str, words: tuple[str, ...]
) -> None:
    del subject
    before = head()

    ran = run(*words, "--person", "Anna Bianchi", "--json")

    assert (ran.code, ran.problem["facts"]["field"]) == (13, "--person")
    assert "Bianchi" not in ran.out + ran.err
    assert head() == before


def test_a_person_set_for_all_commands_is_left_out_of_a_batch_and_that_is_said(
    subject: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    del subject
    monkeypatch.setenv("REGISTRO_PERSON", "Anna Bianchi")

    ran = run("import", "nowhere", "--actor", "DG")

    assert "the person that is set is not recorded" in " ".join(ran.err.split()).lower()
    assert "Bianchi" not in ran.out + ran.err
    assert ran.code != 0


def test_the_same_command_in_the_same_name_records_once(subject: str) -> None:
    del subject
    before = run("status", "--json").json["position"]

    assert adopt("14", "--person", "MARIO  rossi").json["repeated"]
    assert run("status", "--json").json["position"] == before
    assert len(subjects()) == 1


def test_a_dry_run_keeps_no_key(clean_place: Path) -> None:
    assert run("init", "--body", "X").code == 0

    adopt("14", "--person", "Mario Rossi", "--dry-run")

    assert not (clean_place / KEYS).exists()


def test_a_refused_command_keeps_no_key(subject: str) -> None:
    del subject
    rule = refused(
        *("target", "set", "2023", "A", "100", "--act", "X/y/1/2023-01-01"),
        *("--person", "Anna Bianchi"),
    )

    with sqlite3.connect(KEYS) as connection:
        (count,) = connection.execute("SELECT count(*) FROM subject_key").fetchone()
    connection.close()
    assert (rule, count) == ("act_unknown", 1)


def test_the_person_may_come_from_the_environment(
    subject: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGISTRO_PERSON", "Mario Rossi")
    adopt("15")

    (only,) = subjects()
    assert (only["subject_id"], only["records"]) == (subject, 2)


@pytest.mark.parametrize("name", [" ", "a\tb\x07"])
def test_refuses_a_name_that_is_none(subject: str, name: str) -> None:
    del subject
    ran = run(
        *("act", "adopt", "CdA", "resolution", "2023-01-30", "x", "--number", "99"),
        *("--actor", "DG", "--person", name, "--json"),
    )

    assert ran.code == 13
    assert ran.problem["facts"]["field"] == "--person"


@pytest.mark.parametrize(
    ("options", "path"),
    [
        ({"ledger": "a/b.db"}, "a/b.keys.db"),
        ({"ledger": "sqlite:///a/b.sqlite"}, "a/b.sqlite.keys.db"),
        ({"ledger": "postgresql://host/name"}, None),
        ({"ledger": "postgresql://host/name", "subject_keys": "k"}, "k"),
    ],
)
def test_the_keys_stand_beside_a_ledger_in_a_file(
    clean_place: Path, options: dict[str, str], path: str | None
) -> None:
    settings = resolve(options, environment={}, folder=clean_place)
    screen = Screen(lang="en", color=False, quiet=True)

    found = keys_path(Cli(settings=settings, json=False, screen=screen))

    assert (None if found is None else str(found)) == path


# Erasure


def test_an_erased_person_is_told_with_the_act(subject: str) -> None:
    answer = accepted(*erasure(subject)).json

    assert (answer["recorded"], answer["key"]) == (True, "destroyed")
    assert f"erased under act {ACT}" in " ".join(run("show", "6").out.split())
    italian = run_words(["trail", STREAM]).out
    assert f"cancellato in base all'atto {ACT} (posizione {answer['position']})" in italian
    assert run("show", "6", "--json").json["person"] == {
        "subject_id": subject,
        "state": "erased",
        "name": None,
        "erased_at": answer["position"],
    }


def test_erasure_changes_no_earlier_byte(subject: str) -> None:
    before = head()
    size = int(before.partition(":")[0])

    accepted(*erasure(subject))

    kept = run("verify", "--head", before, "--json")
    assert (kept.code, kept.json["clean"]) == (0, True)
    assert kept.json["head"]["position"] > size


def test_the_record_of_an_erasure_says_who_where_and_why(subject: str) -> None:
    position = accepted(*erasure(subject, requested_on="2026-01-02")).json["position"]

    record = run("show", str(position), "--json").json

    assert record["stream"] == f"subject/{subject}"
    assert record["event"]["approvers"] == ["RPCT", "DPO@STAFF"]
    assert record["event"]["streams"] == [STREAM]
    assert record["event"]["years"] == [2023]
    assert record["event"]["requested_on"] == "2026-01-02"
    assert record["envelope"]["reason"] == "asked"
    assert "GDPR art. 17(1)(a)" in run("trail", subject).out


def test_an_erasure_that_stopped_before_the_key_is_finished_by_repeating_it(subject: str) -> None:
    shutil.copy(KEYS, "as-before")
    accepted(*erasure(subject))
    position = run("status", "--json").json["position"]
    # As after a crash between the record and the destruction: the key is here again.
    shutil.copy("as-before", KEYS)

    (listed,) = subjects()
    assert (listed["person"]["state"], listed["key_to_destroy"]) == ("erased", True)  # type: ignore[index] # a JSON object
    assert "repeating `registro subject erase`" in run("subject", "list").err
    again = accepted(*erasure(subject)).json

    assert (again["recorded"], again["key"]) == (False, "destroyed")
    assert run("status", "--json").json["position"] == position
    assert subjects()[0]["key_to_destroy"] is False
    assert accepted(*erasure(subject)).json["key"] == "gone"


def test_keys_restored_from_an_old_copy_do_not_bring_the_person_back(subject: str) -> None:
    shutil.copy(KEYS, "old-copy")
    accepted(*erasure(subject))
    shutil.copy("old-copy", KEYS)

    assert "Rossi" not in run("show", "6").out + run("trail", STREAM).out
    adopt("15", "--person", "Mario Rossi")
    assert [one["subject_id"] == subject for one in subjects()] == [True, False]


def test_a_dry_run_of_an_erasure_leaves_everything(subject: str) -> None:
    before = run("status", "--json").json["position"]

    answer = accepted(*erasure(subject), "--dry-run").json

    assert (answer["recorded"], answer["key"]) == (False, None)
    assert run("status", "--json").json["position"] == before
    assert "Mario Rossi" in run("show", "6").out


def test_refuses_an_erasure_without_an_act(subject: str) -> None:
    words = [word for word in erasure(subject) if word not in {"--act", ACT}]

    assert refused(*words) == "act_required"


@pytest.mark.parametrize("second", ["RPCT", "rpct"])
def test_refuses_an_erasure_approved_by_one_office(subject: str, second: str) -> None:
    words = [*erasure(subject)[:-1], second]

    assert refused(*words) == "approvals_missing"
    assert "Mario Rossi" in run("show", "6").out


def test_refuses_a_ground_outside_the_set(subject: str) -> None:
    assert refused(*erasure(subject, ground="whim")) == "value_not_allowed"


def test_a_refused_ground_is_named_in_italian_with_what_may_be_written(subject: str) -> None:
    ran = run_words([*erasure(subject, ground="whim"), "--actor", "DG"])

    assert "motivo (ground) è 'whim'; valori ammessi: " in ran.err
    assert "ordine di un'autorità (order)" in ran.err


def test_takes_an_italian_word_for_the_ground(subject: str) -> None:
    position = accepted(*erasure(subject, ground="illecito")).json["position"]

    assert run("show", str(position), "--json").json["event"]["ground"] == "unlawful"


def test_refuses_an_unknown_subject_and_names_the_nearest(subject: str) -> None:
    ran = run(*erasure(subject[:-1] + "x"), "--actor", "DG", "--json")

    assert (ran.code, ran.problem["facts"]["near"]) == (15, subject)


def test_refuses_an_erasure_without_the_file_of_keys(subject: str) -> None:
    KEYS.rename("elsewhere")

    ran = run(*erasure(subject), "--actor", "DG", "--json")

    assert (ran.code, ran.problem["type"]) == (64, "registro:error:key_store")


# Holds and terms


def hold(*words: str, act: str = ACT) -> tuple[str, ...]:
    return ("hold", *words, "--act", act, "--reason", "inspection")


@pytest.mark.parametrize("what", [("year", "2023"), ("stream", STREAM), ("anno", "2023")])
def test_a_hold_forbids_the_erasure_until_it_is_released(
    subject: str, what: tuple[str, str]
) -> None:
    accepted(*hold("place", "H1", *what))
    assert refused(*erasure(subject)) == "subject_held"
    assert "H1" in run("hold", "list").out

    accepted(*hold("release", "H1"))

    accepted(*erasure(subject))
    (listed,) = run("hold", "list", "--json").json["holds"]
    assert listed["released_on"] is not None


def test_the_list_of_holds_tells_who_placed_each_and_under_which_act(subject: str) -> None:
    del subject
    ran = run(*hold("place", "H1", "year", "2023"), "--actor", "DG@STAFF")
    assert ran.code == 0, ran.err

    (listed,) = run("hold", "list", "--json").json["holds"]
    shown = run("hold", "list").out

    assert (listed["actor"], listed["acts"]) == ("DG@STAFF", [ACT])
    assert "DG@STAFF" in shown
    assert ACT in shown


def test_a_hold_on_a_subject_forbids_its_erasure(subject: str) -> None:
    accepted(*hold("place", "H1", "subject", subject))

    assert refused(*erasure(subject)) == "subject_held"


def test_refuses_a_hold_without_an_act(subject: str) -> None:
    del subject
    assert refused("hold", "place", "H1", "year", "2023", "--reason", "x") == "act_required"


def test_a_term_keeps_what_is_asked_for(subject: str) -> None:
    accepted("retention", "set", "ActAdopted", "50", "--act", ACT)

    assert refused(*erasure(subject)) == "retention_running"
    accepted(*erasure(subject, ground="order"))


def test_a_running_term_is_told_with_the_day_and_the_word_of_the_reader(subject: str) -> None:
    assert run("retention", "set", "ActAdopted", "10", "--act", ACT, "--actor", "RPCT").code == 0

    ran = run(*erasure(subject), "--actor", "RPCT", "--lang", "it")

    assert re.search(r"'Atto adottato' da conservare fino al \d\d/\d\d/\d{4}", ran.err)


def test_who_is_beyond_the_terms_is_due(subject: str) -> None:
    accepted("retention", "set", "ActAdopted", "2", "--act", ACT, "--as-of", "2023-02-01")

    early = run("retention", "due", "--on", "2025-01-30", "--json").json["subjects"]
    late = run("retention", "due", "--on", "2025-01-31", "--json").json["subjects"]

    assert [one["standing"] for one in early] == ["kept"]
    assert [(one["subject_id"], one["standing"]) for one in late] == [(subject, "due")]
    assert "Mario Rossi" in run("retention", "due", "--on", "2025-01-31").out
    assert (
        "Oltre i termini al 30/01/2025: 0 soggetti"
        in run_words(["retention", "due", "--on", "2025-01-30"]).out
    )
    assert run("retention", "list", "--json").json["terms"] == [
        {"event_type": "registro.acts.ActAdopted", "term_years": 2}
    ]


def test_who_is_held_is_not_due(subject: str) -> None:
    del subject
    accepted("retention", "set", "ActAdopted", "2", "--act", ACT, "--as-of", "2023-02-01")
    accepted(*hold("place", "H1", "year", "2023"))

    (one,) = run("retention", "due", "--on", "2030-01-01", "--json").json["subjects"]

    assert (one["standing"], one["holds"]) == ("held", ["H1"])


def test_refuses_a_term_for_an_unknown_type(subject: str) -> None:
    del subject
    ran = run("retention", "set", "Unheard", "2", "--act", ACT, "--actor", "DG", "--json")

    assert ran.code == 13


@pytest.mark.parametrize("words", [("hold", "list"), ("retention", "list"), ("subject", "list")])
@pytest.mark.parametrize("lang", ["it", "en"])
def test_lists_of_nothing_say_so(clean_place: Path, words: tuple[str, ...], lang: str) -> None:
    del clean_place
    assert run("init", "--body", "X").code == 0

    ran = run_words(["--lang", lang, *words])

    assert ran.code == 0
    assert ran.out.startswith("0 ")


def test_a_list_is_cut_to_a_name(subject: str) -> None:
    adopt("15", "--person", "Anna Bianchi")

    found = run("subject", "list", "rossi", "--json").json["subjects"]

    assert [one["subject_id"] for one in found] == [subject]
