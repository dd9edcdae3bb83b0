"""Sealing from the command line: keys, seals, what verify says of them, witnesses, timestamps."""

import json
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ledger.evidence.checkpoint import open_checkpoint
from ledger.evidence.files import LogFiles
from ledger.evidence.keys import read_verifiers, write_signer
from ledger.evidence.note import sign_note
from tests.support.authority import Authority
from tests.support.cli import Ran, run, run_words
from tests.support.dataset import ROOT
from tests.support.sealing import KEY, OTHER_KEY, WITNESS, flip, signer
from tests.support.tampering import tamper

ACT = ("act", "adopt", "CdA", "resolution", "2023-01-30", "plan", "--actor", "DG")


def record_act(number: int, *words: str) -> None:
    ran = run(*ACT, "--number", str(number), *words)
    assert ran.code == 0, ran.err


@pytest.fixture(scope="module")
def pattern(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger with a key and one act, and beside it the same ledger sealed; only copied."""
    folder = tmp_path_factory.mktemp("pattern")
    words = ("--ledger", str(folder / "open/registro.db"))
    (folder / "open").mkdir()
    for command in (("init", "--body", "INPS"), ("keys", "new", "--actor", "DG")):
        ran = run(*command, *words)
        assert ran.code == 0, ran.err
    record_act(1, *words)
    shutil.copytree(folder / "open", folder / "sealed")
    assert run("seal", "--ledger", str(folder / "sealed/registro.db")).code == 0
    return folder


@pytest.fixture
def place(pattern: Path, clean_place: Path) -> Path:
    """A ledger with a key and one act."""
    return Path(shutil.copytree(pattern / "open", clean_place, dirs_exist_ok=True))


@pytest.fixture
def sealed_place(pattern: Path, clean_place: Path) -> Path:
    """The same ledger, sealed."""
    return Path(shutil.copytree(pattern / "sealed", clean_place, dirs_exist_ok=True))


def vkey_of(place: Path) -> str:
    (path,) = (place / "registro.signing").glob("*.vkey")
    return str(path)


def kept(place: Path, name: str = "kept") -> str:
    """Keep a copy of the checkpoint, as somebody outside would."""
    shutil.copy(place / "registro.log/checkpoint", place / name)
    return str(place / name)


def kinds(ran: Ran) -> set[str]:
    return {one["kind"] for one in ran.json["discrepancies"]}


# Sealing


def test_a_seal_covers_the_ledger_and_says_how_long_records_waited(place: Path) -> None:
    first = run("seal", "--json").json
    again = run("seal", "--json").json

    assert first["size"] == first["added"] == run("status", "--json").json["position"]
    assert (again["size"], again["added"], again["delay_seconds"]) == (first["size"], 0, 0)
    head = run("verify", "--json").json["head"]
    assert (head["position"], head["root"]) == (first["size"], first["root"])
    assert (place / "registro.log/checkpoint").is_file()


def test_a_seal_is_told_in_both_languages(place: Path) -> None:
    assert "Sealed the records up to" in run("seal").out
    assert "Nulla di nuovo" in run("seal", "--lang", "it").out
    assert (place / "registro.log").is_dir()


def test_a_seal_goes_where_it_is_told(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("seal", "--dir", "elsewhere").code == 0
    monkeypatch.setenv("REGISTRO_LOG", "third")
    assert run("seal").code == 0

    first, second = place / "elsewhere/checkpoint", place / "third/checkpoint"
    assert first.read_bytes() == second.read_bytes()


def test_records_that_waited_too_long_give_exit_code_one(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = run("seal", "--max-delay", "0", "--json")
    record_act(2)
    monkeypatch.setenv("REGISTRO_MAX_SEAL_DELAY", "3600")
    timely = run("seal", "--json")
    monkeypatch.setenv("REGISTRO_MAX_SEAL_DELAY", "0")
    in_time = run("seal", "--json", "--max-delay", "1h")

    assert (in_time.code, in_time.json["late"]) == (0, False)
    assert (late.code, late.json["late"]) == (1, True)
    assert (timely.code, timely.json["late"]) == (0, False)
    assert (place / "registro.log/checkpoint").is_file()


@pytest.mark.parametrize(
    "text", ["soon", "-1", "1.5", "5 m", "5M", "m", "1h30m", "\u0663", "1w", "9" * 10]
)
@pytest.mark.usefixtures("place")
def test_refuses_a_limit_that_is_no_span_of_time(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = run("seal", f"--max-delay={text}", "--json")
    monkeypatch.setenv("REGISTRO_MAX_SEAL_DELAY", text)

    assert given.problem["exit_code"] == 13
    assert run("seal", "--json").problem["exit_code"] == 11
    assert "un numero con s, m, h o d (giorni)" in run_words(["seal"]).err


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0", 0), ("300", 300), ("300s", 300), ("5m", 300), ("1h", 3600), ("2d", 172_800)],
)
@pytest.mark.usefixtures("place")
def test_a_limit_is_written_in_seconds_minutes_hours_or_days(
    text: str, seconds: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGISTRO_MAX_SEAL_DELAY", text)

    assert run("status", "--json").json["sealed"]["max_delay_seconds"] == seconds


@pytest.mark.usefixtures("clean_place")
def test_refuses_to_seal_without_ledger_or_key() -> None:
    assert run("seal").code == 21
    assert run("init", "--body", "INPS").code == 0
    assert run("seal").code == 75


def test_refuses_a_key_that_others_may_read(place: Path) -> None:
    (path,) = (place / "registro.signing").glob("*.key")
    path.chmod(0o644)

    ran = run("seal", "--lang", "it")

    assert ran.code == 75
    assert "altri possono leggerla" in ran.err


def test_refuses_a_key_that_the_ledger_does_not_list(place: Path) -> None:
    path = write_signer(place / "mine", KEY)

    assert run("seal", "--key", str(path)).code == 75
    assert not (place / "registro.log").exists()


def test_a_key_of_the_environment_signs_and_is_never_shown(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (path,) = (place / "registro.signing").glob("*.key")
    secret = path.read_text(encoding="utf-8").strip()
    path.unlink()
    assert run("seal").code == 75
    monkeypatch.setenv("REGISTRO_SIGNING_KEY", secret)

    ran = run("seal")
    shown = run("config", "show", "--origin")

    assert ran.code == 0, ran.err
    assert secret not in shown.out + ran.out + ran.err
    assert "SIGNING_KEY" not in ran.err


def test_refuses_while_another_sealer_runs(place: Path) -> None:
    with LogFiles(place / "registro.log").locked():
        ran = run("seal", "--json")

    assert ran.problem["exit_code"] == 79


def test_refuses_to_seal_a_ledger_that_left_its_seal(sealed_place: Path) -> None:
    tamper(
        sealed_place / "registro.db",
        ("UPDATE record SET commitment = ? WHERE position = 3", (bytes(32),)),
    )
    record_act(2)

    ran = run("seal", "--lang", "it")

    assert ran.code == 78
    assert "nulla è stato firmato" in ran.err


def test_following_seals_what_comes_and_ends_on_interrupt(place: Path) -> None:
    words = ["--ledger", str(place / "registro.db"), "--json", "seal", "--follow"]
    words += ["--interval", "0.1", "--dir", str(place / "registro.log")]
    child = subprocess.Popen(
        [sys.executable, "-m", "app", *words],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with child:
        assert child.stdout is not None
        first = json.loads(child.stdout.readline())
        record_act(2)
        second = json.loads(child.stdout.readline())
        child.send_signal(signal.SIGINT)
        child.communicate(timeout=30)

    assert second["size"] == first["size"] + second["added"]
    assert child.returncode == 130
    assert run("verify", "--source", "tiles").code == 0


# Keys


def test_a_rotation_lets_both_keys_sign_and_old_checkpoints_stay_valid(
    sealed_place: Path,
) -> None:
    old = kept(sealed_place)
    first_key = vkey_of(sealed_place)

    rotated = run("keys", "rotate", "--actor", "DG", "--json").json
    sealed = run("seal", "--json").json

    assert [one["state"] for one in rotated["keys"]] == ["retiring", "active"]
    assert len(sealed["signed_by"]) == 2
    assert run("verify", "--checkpoint", old).code == 0
    assert run("verify", "--since", old, "--vkey", first_key).code == 0
    for path in (sealed_place / "registro.signing").glob("*.vkey"):
        data = (sealed_place / "registro.log/checkpoint").read_bytes()
        assert open_checkpoint(data, read_verifiers(path)).checkpoint.size == sealed["size"]


def test_after_the_overlap_only_the_new_key_signs(sealed_place: Path) -> None:
    old = kept(sealed_place)
    retiring = run("keys", "rotate", "--actor", "DG", "--json").json["keys"][0]["key_id"]

    assert run("keys", "retire", retiring, "--actor", "DG").code == 0
    signed_by = run("seal", "--json").json["signed_by"]

    assert len(signed_by) == 1
    assert not signed_by[0].endswith(retiring)
    assert run("verify", "--checkpoint", old).code == 0
    states = {one["key_id"]: one["state"] for one in run("keys", "list", "--json").json["keys"]}
    assert states[retiring] == "retired"


def test_keys_are_listed_with_what_is_at_hand(place: Path) -> None:
    write_signer(place / "registro.signing", OTHER_KEY)

    listed = run("keys", "list", "--json").json["keys"]
    shown = run("keys", "list", "--lang", "it").out

    assert [(one["state"], one["at_hand"]) for one in listed] == [
        ("active", True),
        ("unlisted", True),
    ]
    assert "attiva" in shown
    assert "non pubblicata" in shown


def test_a_key_kept_elsewhere_is_published_by_its_public_half(clean_place: Path) -> None:
    assert run("init", "--body", "INPS").code == 0
    (clean_place / "vkey").write_text(KEY.verifier.text, encoding="utf-8")

    assert run("keys", "new", "--vkey", "vkey", "--actor", "DG").code == 0
    path = write_signer(clean_place / "vault", KEY)

    assert run("seal").code == 75
    assert run("seal", "--key", str(path)).code == 0


def test_refuses_a_second_first_key_and_a_rotation_of_none(place: Path) -> None:
    assert run("keys", "new", "--actor", "DG").code == 13
    assert run("keys", "retire", "00000000", "--actor", "DG").code == 15
    other = str(place / "other.db")
    assert run("init", "--body", "INPS", "--ledger", other).code == 0
    assert run("keys", "rotate", "--actor", "DG", "--ledger", other).code == 75
    assert run("keys", "new", "--ledger", other).code == 13
    assert not (place / "other.signing").exists()


def test_a_new_key_names_the_file_to_hand_over_and_a_rotation_the_next_step(place: Path) -> None:
    first = vkey_of(place)

    ran = run("keys", "rotate", "--actor", "DG", "--lang", "it")

    (told,) = [line for line in ran.out.splitlines() if line.endswith(".vkey")]
    assert read_verifiers(Path(told.split(": ")[1].strip())) != read_verifiers(Path(first))
    assert f"`registro keys retire {Path(first).stem}`" in ran.err


def test_a_key_is_retired_once_and_the_last_one_with_a_warning(place: Path) -> None:
    key_id = Path(vkey_of(place)).stem
    words = ("keys", "retire", key_id, "--actor", "DG", "--lang", "it")

    last, again = run(*words), run(*words)
    sealed = run("seal", "--lang", "it")

    assert last.code == again.code == 0
    assert "Nessuna chiave è più attiva" in last.err
    assert "già ritirata" in again.err
    assert run("keys", "list", "--json").json["keys"][0]["state"] == "retired"
    assert sealed.code == 75
    assert "il registro non ha una chiave attiva" in sealed.err


def test_a_key_that_nobody_knows_is_looked_for_among_the_keys(place: Path) -> None:
    ran = run("keys", "retire", "00000000", "--actor", "DG", "--lang", "it")

    assert Path(vkey_of(place)).stem in ran.err
    assert "registro keys list" in ran.err


@pytest.mark.usefixtures("clean_place")
def test_a_ledger_without_keys_says_how_to_make_one() -> None:
    assert run("init", "--body", "INPS").code == 0

    assert "registro keys new" in run("keys", "list", "--lang", "it").out


def test_a_key_is_in_the_trail_with_its_words(place: Path) -> None:
    position = run("status", "--json").json["position"] - 2
    found = [run("show", str(number), "--lang", "it").out for number in range(1, position + 3)]

    assert any("Chiave di firma pubblicata" in text and "attiva" in text for text in found)
    assert place.is_dir()


# Verifying


def test_verify_compares_a_checkpoint_kept_outside(sealed_place: Path) -> None:
    file = kept(sealed_place)
    record_act(2)

    ran = run("verify", "--checkpoint", file, "--vkey", vkey_of(sealed_place), "--json")

    assert ran.code == 0
    assert ran.json["checkpoint"]["size"] < ran.json["head"]["position"]
    assert len(ran.json["checkpoint"]["signed_by"]) == 1


def test_verify_says_when_the_keys_come_from_the_ledger_itself(sealed_place: Path) -> None:
    file = kept(sealed_place)

    by_ledger = run("verify", "--checkpoint", file).out
    by_file = run("verify", "--checkpoint", file, "--vkey", vkey_of(sealed_place)).out

    assert "The keys come from the ledger itself" in by_ledger
    assert "The keys come from the ledger itself" not in by_file


def test_a_payload_changed_under_the_checkpoint_shows_with_both_roots(sealed_place: Path) -> None:
    file = kept(sealed_place)
    tamper(
        sealed_place / "registro.db",
        ("UPDATE record SET recorded_at = recorded_at + 1 WHERE position = 7", ()),
    )

    ran = run("verify", "--checkpoint", file, "--json")

    assert ran.code == 1
    assert {"commitment", "checkpoint"} <= kinds(ran)
    (found,) = (one for one in ran.json["discrepancies"] if one["kind"] == "checkpoint")
    assert found["expected"] != found["actual"]


def test_an_older_checkpoint_shows_a_ledger_that_was_cut(sealed_place: Path) -> None:
    record_act(2)
    assert run("seal").code == 0
    file = kept(sealed_place)
    last = run("status", "--json").json["position"]
    tamper(sealed_place / "registro.db", ("DELETE FROM record WHERE position = ?", (last,)))

    assert run("verify").code == 0
    ran = run("verify", "--since", file, "--json")

    assert ran.code == 1
    assert kinds(ran) == {"older_checkpoint"}
    assert (ran.json["discrepancies"][0]["expected"], ran.json["discrepancies"][0]["actual"]) == (
        str(last),
        str(last - 1),
    )


def test_the_wrong_key_and_a_forged_checkpoint_are_discrepancies(sealed_place: Path) -> None:
    file = Path(kept(sealed_place))
    (sealed_place / "other.vkey").write_text(OTHER_KEY.verifier.text, encoding="utf-8")

    wrong_key = run("verify", "--checkpoint", str(file), "--vkey", "other.vkey", "--json")
    file.write_bytes(file.read_bytes().replace(b"\n8\n", b"\n7\n"))
    forged = run("verify", "--checkpoint", str(file), "--json")

    assert (wrong_key.code, kinds(wrong_key)) == (1, {"checkpoint"})
    assert (forged.code, kinds(forged)) == (1, {"checkpoint"})


@pytest.mark.parametrize(
    ("content", "code"), [(b"nothing", 71), (b"a\nb\n\n\xe2\x80\x94 n AAAAAAAA\n", 76), (None, 84)]
)
def test_a_file_that_is_no_checkpoint_is_refused(
    sealed_place: Path, content: bytes | None, code: int
) -> None:
    if content is not None:
        (sealed_place / "file").write_bytes(content)

    assert run("verify", "--checkpoint", "file", "--json").problem["exit_code"] == code


@pytest.mark.parametrize("option", ["--checkpoint", "--since", "--vkey"])
@pytest.mark.usefixtures("sealed_place")
def test_a_file_that_is_not_there_is_named_and_no_key_is_proposed(option: str) -> None:
    ran = run("verify", option, "nowhere", "--lang", "it")

    assert ran.code == 84
    assert "nowhere: il file non c'è" in ran.err
    assert "keys new" not in ran.err


LATER = 6
"""A record behind the identity and the schemas that it needs."""
KEY_CHANGED = ("UPDATE record SET append_key = 'x' WHERE position = ?", (LATER,))
IDENTITY = ("UPDATE record SET content = x'00' WHERE stream = ?", ("ledger",))


def test_the_folder_is_not_said_to_be_clean_when_the_ledger_cannot_be_read(
    sealed_place: Path,
) -> None:
    tamper(sealed_place / "registro.db", IDENTITY)

    ran = run("verify", "--source", "tiles", "--vkey", vkey_of(sealed_place), "--json")

    assert (ran.code, kinds(ran)) == (1, {"log_ledger"})


@pytest.mark.parametrize(
    "change",
    ["DELETE FROM record WHERE position = ?", "UPDATE record SET content = x'00' WHERE position=?"],
)
def test_a_record_that_cannot_be_read_is_a_discrepancy_of_the_folder(
    sealed_place: Path, change: str
) -> None:
    words = ("--source", "tiles", "--vkey", vkey_of(sealed_place))
    tamper(sealed_place / "registro.db", (change, (LATER,)))

    ran = run("verify", *words, "--json")

    assert ran.code == 1
    assert ("log_ledger", LATER) in {
        (one["kind"], one["position"]) for one in ran.json["discrepancies"]
    }


def test_without_the_identity_no_record_is_said_to_be_removed(sealed_place: Path) -> None:
    words = ("--since", kept(sealed_place), "--vkey", vkey_of(sealed_place), "--lang", "it")
    head = run("verify", "--json").json["head"]
    tamper(sealed_place / "registro.db", IDENTITY)

    ran = run("verify", *words, "--head", f"{head['position']}:{head['root']}")

    assert ran.code == 1
    assert "sono state tolte" not in ran.out
    assert "non si può calcolare" in ran.out


def test_the_head_of_a_changed_ledger_is_not_proposed_to_be_kept(sealed_place: Path) -> None:
    tamper(sealed_place / "registro.db", KEY_CHANGED)

    ran = run("verify", "--lang", "it")

    assert ran.code == 1
    assert "Conservare la riga" not in ran.out


def test_the_folder_alone_is_checked_without_the_ledger(sealed_place: Path) -> None:
    key = vkey_of(sealed_place)
    alone = sealed_place / "alone"
    shutil.copytree(sealed_place / "registro.log", alone)
    words = ("verify", "--source", "tiles", "--dir", str(alone), "--vkey", key)

    clean = run(*words, "--ledger", "nowhere.db")
    (bundle,) = (alone / "tile/entries/000.p").iterdir()
    flip(bundle, 100)
    damaged = run(*words, "--ledger", "nowhere.db", "--json")

    assert clean.code == 0
    assert "the ledger is not here" in clean.out
    assert damaged.code == 1
    assert {"log_tile", "checkpoint"} <= kinds(damaged)


def test_the_folder_is_compared_with_the_ledger(sealed_place: Path) -> None:
    clean = run("verify", "--source", "tiles", "--lang", "it")
    tamper(
        sealed_place / "registro.db",
        ("UPDATE record SET recorded_at = recorded_at + 1 WHERE position = 7", ()),
    )
    changed = run("verify", "--source", "tiles", "--json")
    italian = run("verify", "--source", "tiles", "--lang", "it")

    assert "uguali al registro" in clean.out
    assert changed.code == 1
    assert [(one["kind"], one["position"]) for one in changed.json["discrepancies"]] == [
        ("log_ledger", 7)
    ]
    assert "sigilli e registro diversi" in italian.out


def test_a_missing_tile_is_told_in_italian(sealed_place: Path) -> None:
    (tile,) = (sealed_place / "registro.log/tile/0/000.p").iterdir()
    tile.unlink()

    ran = run("verify", "--source", "tiles", "--lang", "it")

    assert ran.code == 1
    assert "manca" in ran.out


def test_refuses_a_head_together_with_tiles_and_a_folder_without_checkpoint(place: Path) -> None:
    head = "1:" + "0" * 64

    assert run("verify", "--source", "tiles", "--head", head).code == 13
    assert run("verify", "--source", "tiles").code == 82
    assert run("verify", "--source", "nothing").code == 2
    assert place.is_dir()


# Witnesses


def policy_for(place: Path, quorum: int = 1) -> str:
    key = Path(vkey_of(place)).read_text(encoding="utf-8").strip()
    (place / "policy.toml").write_text(
        f'log = ["{key}"]\nquorum = {quorum}\n[witnesses]\nw = "{WITNESS.verifier.text}"\n',
        encoding="utf-8",
    )
    return str(place / "policy.toml")


def cosigned(place: Path) -> str:
    data = (place / "registro.log/checkpoint").read_bytes()
    text = open_checkpoint(data, read_verifiers(Path(vkey_of(place)))).note.text
    lines = sign_note(text, [WITNESS, signer(90, "stranger")], at=1_800_000_000)
    (place / "answer").write_bytes(lines.rpartition(b"\n\n")[2])
    return str(place / "answer")


def test_a_witness_is_asked_and_its_answer_added(sealed_place: Path) -> None:
    policy = policy_for(sealed_place)
    request = run("witness-request")
    before = run("verify", "--policy", policy, "--json")

    added = run("seal", "--add-cosignature", cosigned(sealed_place), "--policy", policy, "--json")
    after = run("verify", "--policy", policy, "--json")

    assert request.out.startswith("old 0\n\n")
    assert (before.code, kinds(before)) == (1, {"checkpoint"})
    assert list(added.json["witnesses"]) == ["w"]
    assert (after.code, after.json["checkpoint"]["witnesses"]) == (0, ["w"])
    stored = (sealed_place / "registro.log/checkpoint").read_text(encoding="utf-8")
    assert "stranger" not in stored


def test_a_request_goes_to_a_file_with_the_proof_from_an_older_size(sealed_place: Path) -> None:
    assert run("witness-request", "--old", "3", "--out", "request").code == 0

    body = (sealed_place / "request").read_bytes()
    assert body.startswith(b"old 3\n")
    assert body.endswith((sealed_place / "registro.log/checkpoint").read_bytes())


@pytest.mark.usefixtures("sealed_place")
def test_a_request_is_told_in_json_and_to_people_with_the_next_step() -> None:
    shown = run("witness-request", "--json").json
    written = run("witness-request", "--out", "request", "--json").json
    told = run("witness-request", "--out", "request", "--lang", "it")

    assert shown["request"].startswith("old 0\n\n")
    assert (written["old"], written["file"]) == (0, "request")
    assert "registro seal --add-cosignature" in told.err


def test_refuses_to_seal_into_the_log_of_a_ledger_made_anew(sealed_place: Path) -> None:
    other = str(sealed_place / "other.db")
    assert run("init", "--body", "INPS", "--ledger", other).code == 0
    assert run("keys", "new", "--actor", "DG", "--ledger", other).code == 0

    ran = run("seal", "--ledger", other, "--dir", "registro.log", "--lang", "it")

    assert ran.code == 73
    known = ran.err.split("note: ")[1].split("; firmato da")[0].split(", ")
    assert len(known) == len(set(known)) == 1
    assert "registro è stato rifatto" in ran.err


def test_refuses_bad_requests_and_answers(sealed_place: Path) -> None:
    answer = cosigned(sealed_place)
    policy = policy_for(sealed_place)
    record_act(2)
    assert run("seal").code == 0

    assert run("witness-request", "--old", "99").code == 13
    assert run("witness-request", "--out", "no/folder").code == 13
    assert run("seal", "--add-cosignature", answer).code == 13
    assert run("seal", "--add-cosignature", "nowhere", "--policy", policy).code == 84
    assert run("seal", "--add-cosignature", answer, "--policy", policy).code == 72
    assert run("seal", "--add-cosignature", answer, "--policy", "nowhere").code == 81


# Timestamps


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is missing")
def test_a_timestamp_is_asked_for_checked_and_kept_beside_what_it_stamps(
    sealed_place: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    authority = Authority.create(tmp_path_factory.mktemp("authority"))
    size = run("seal", "--json").json["size"]
    assert run("timestamp", "request", "--out", "q.tsq").code == 0
    (sealed_place / "r.tsr").write_bytes(authority.stamp((sealed_place / "q.tsq").read_bytes()))
    stamped = (sealed_place / "registro.log/checkpoint").read_bytes()
    record_act(2)
    assert run("seal").code == 0
    words = ("timestamp", "add", "r.tsr", "--ca", str(authority.certificate), "--json")

    too_late = run(*words)
    ran = run(*words, "--size", str(size))

    shown = run(*words[:-1], "--size", str(size), "--lang", "it").out

    assert too_late.problem["exit_code"] == 82
    assert re.search(r"\d\d/\d\d/\d{4} \d\d:\d\d:\d\d UTC", shown)
    assert f"checkpoint.{size}.tsr" in shown
    assert "GMT" in ran.json["time"]
    log = sealed_place / "registro.log"
    assert (log / f"checkpoint.{size}").read_bytes() == stamped
    assert (log / f"checkpoint.{size}.tsr").is_file()
    other = Authority.create(tmp_path_factory.mktemp("other"))
    assert run(*words[:3], "--ca", str(other.certificate), "--size", str(size)).code == 80
    files = ["-data", f"checkpoint.{size}", "-in", f"checkpoint.{size}.tsr"]
    outside = subprocess.run(
        ["openssl", "ts", "-verify", *files, "-CAfile", str(authority.certificate)],
        cwd=log,
        check=False,
        capture_output=True,
    )
    assert outside.returncode == 0
