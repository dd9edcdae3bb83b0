"""`registro dossier`: figures with their proofs, and a check that needs the file alone."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from app.cli.evidence.dossier_claims import differences
from ledger.evidence.dossier.checking import check_dossier
from ledger.evidence.dossier.format import (
    CLAIMS,
    Claim,
    Question,
    claims_text,
    pack,
)
from ledger.evidence.dossier.reading import members_of, parse_question
from ledger.evidence.note import SEED_BYTES, new_signer
from ledger.evidence.sealer import seal
from ledger.intake.importer import import_folder
from tests.support.cli import Ran, run
from tests.support.dataset import EXAMPLE
from tests.support.ledgers import new_ledger, reopened
from tests.support.production import batch, fact, production_ledger, record


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the worked example, sealed twice, its key and its first checkpoint."""
    folder = tmp_path_factory.mktemp("dossier")
    ledger = new_ledger(folder / "registro.db")
    opened = ledger.identity.opened
    assert opened is not None
    signer = new_signer(opened.origin, bytes(SEED_BYTES))
    (folder / "keys").write_text(signer.verifier.text + "\n", encoding="utf-8")
    old = seal(ledger, folder / "registro.log", [signer]).checkpoint
    (folder / "old").write_bytes(old)
    import_folder(ledger, EXAMPLE)
    seal(ledger, folder / "registro.log", [signer])
    ledger.store.engine.dispose()
    return folder


def dossier(place: Path, *words: str, out: str = "out.zip") -> Ran:
    return run(
        "--ledger",
        str(place / "registro.db"),
        "dossier",
        "--vkey",
        str(place / "keys"),
        "--out",
        out,
        *words,
    )


def written(place: Path, *words: str, out: str = "out.zip") -> bytes:
    made = dossier(place, *words, out=out)
    assert made.code == 0, made.err
    return Path(out).read_bytes()


def checked(place: Path, data: bytes, *words: str) -> Ran:
    path = Path("checked.zip")
    path.write_bytes(data)
    return run("dossier", "check", str(path), "--vkey", str(place / "keys"), *words)


def kinds(place: Path, data: bytes) -> set[str]:
    return {one["kind"] for one in checked(place, data, "--json").json["faults"]}


@pytest.mark.parametrize(
    "words",
    [
        ("--year", "2023", "--indicator", "PS"),
        ("--year", "2023", "--indicator", "IEEP.A", "--indicator", "IEG"),
        ("--year", "2023", "--as-of", "2024-03-01", "--indicator", "PS", "--indicator", "SR"),
        ("--year", "2023", "--as-of", "2024-03-01"),
        ("--event", "4", "--event", "100"),
        (),
    ],
)
def test_what_is_made_passes_its_own_check(place: Path, words: tuple[str, ...]) -> None:
    ran = checked(place, written(place, *words), "--json")

    assert ran.code == 0, ran.out
    assert ran.json["clean"]
    assert ran.json["key"] == "given"


def test_the_dossier_says_what_replay_says(place: Path) -> None:
    ledger = ("--ledger", str(place / "registro.db"))
    replayed = run(*ledger, "replay", "--year", "2023", "--json").json
    told = checked(place, written(place, "--year", "2023"), "--json").json

    values = {line["code"]: line["value"] for line in replayed["indicators"]}
    assert {claim["code"]: claim["value"] for claim in told["indicators"]} == values
    assert len(values) > 100


def test_an_earlier_day_gives_the_figure_of_that_day(place: Path) -> None:
    def value(*words: str) -> str:
        out = f"{'-'.join(words) or 'now'}.zip"
        data = written(place, "--year", "2023", "--indicator", "PS", *words, out=out)
        return str(checked(place, data, "--json").json["indicators"][0]["value"])

    assert value() == "106.92"
    assert value("--as-of", "2024-03-01") == "105.68"


def test_the_same_command_gives_the_same_bytes(place: Path) -> None:
    words = ("--year", "2023", "--indicator", "PS", "--since", str(place / "old"))

    first, second = written(place, *words, out="1.zip"), written(place, *words, out="2.zip")

    assert first == second


def test_the_check_needs_no_ledger_and_no_log(place: Path, tmp_path: Path) -> None:
    data = written(place, "--year", "2023", "--indicator", "PS")

    ran = checked(place, data)

    assert sorted(path.name for path in tmp_path.iterdir()) == ["checked.zip", "out.zip"]
    assert ran.code == 0
    assert "106.92" in ran.out
    assert hashlib.sha256(data).hexdigest() in ran.out


def test_an_earlier_checkpoint_is_shown_to_be_continued(place: Path) -> None:
    data = written(place, "--year", "2023", "--indicator", "PS", "--since", str(place / "old"))

    ran = checked(place, data, "--json")

    assert ran.json["since"]["size"] == int((place / "old").read_text().split("\n")[1])
    assert ran.json["checkpoint"]["size"] > ran.json["since"]["size"]


def test_without_a_key_from_elsewhere_the_reader_is_warned(place: Path) -> None:
    Path("checked.zip").write_bytes(written(place, "--indicator", "PS"))

    ran = run("dossier", "check", "checked.zip")

    assert ran.code == 0
    assert "--vkey" in ran.err
    assert run("dossier", "check", "checked.zip", "--json").json["key"] == "dossier"


def test_the_reader_is_told_year_and_day_and_no_english(place: Path) -> None:
    data = written(place, "--year", "2023", "--indicator", "PS", "--as-of", "2024-03-01")
    Path("checked.zip").write_bytes(data)
    Path("other").write_text(new_signer("x", b"\x01" * SEED_BYTES).verifier.text, encoding="utf-8")

    ran = run("dossier", "check", "checked.zip", "--vkey", "other", "--lang", "it")

    assert "INPS 2023, noto al 01/03/2024" in ran.out
    assert "non è tra le chiavi date" in ran.out
    assert "known" not in ran.out


def test_the_key_of_somebody_else_is_refused(place: Path) -> None:
    data = written(place, "--indicator", "PS")
    Path("other").write_text(new_signer("x", b"\x01" * SEED_BYTES).verifier.text, encoding="utf-8")
    Path("checked.zip").write_bytes(data)

    ran = run("dossier", "check", "checked.zip", "--vkey", "other")

    assert ran.code == 1
    assert "no signature of a known key" in ran.out


def _first(asked: Question, **values: object) -> Question:
    claim: Claim = replace(asked.claims[0], **values)  # type: ignore[arg-type] # named by the test
    return replace(asked, claims=(claim, *asked.claims[1:]))


FORGED: dict[str, Callable[[Question], Question]] = {
    "value": lambda one: _first(one, value="107.92"),
    "target": lambda one: _first(one, target="90"),
    "deviation": lambda one: _first(one, deviation_pct="9.92"),
    "label": lambda one: _first(one, label="Altro"),
    "formula": lambda one: _first(one, formula=None),
    "acts": lambda one: _first(one, acts=()),
    "a record less": lambda one: _first(one, records=one.claims[0].records[1:]),
    "another code": lambda one: _first(one, code="OGE1"),
    "another year": lambda one: replace(one, year=2022),
    "another day": lambda one: replace(one, as_of="2024-03-01"),
}


@pytest.mark.parametrize("change", FORGED.values(), ids=FORGED.keys())
def test_a_figure_that_the_records_do_not_give_is_found(
    place: Path, change: Callable[[Question], Question]
) -> None:
    members = members_of(written(place, "--year", "2023", "--indicator", "PS"))
    members[CLAIMS] = claims_text(change(parse_question(members[CLAIMS])))

    assert kinds(place, pack(members)) == {"claim"}


@pytest.mark.parametrize("day", ["yesterday", "2024-02-30"])
def test_a_day_that_is_none_is_found(place: Path, day: str) -> None:
    members = members_of(written(place, "--year", "2023", "--indicator", "PS"))
    members[CLAIMS] = claims_text(replace(parse_question(members[CLAIMS]), as_of=day))

    assert kinds(place, pack(members)) == {"form"}


@pytest.mark.parametrize("lang", ["it", "en"])
def test_faults_are_told_in_the_language_of_the_reader(place: Path, lang: str) -> None:
    members = members_of(written(place, "--year", "2023", "--indicator", "PS"))
    del members["records/000000000004.body"]
    Path("bad.zip").write_bytes(pack(members))

    ran = run("--lang", lang, "dossier", "check", "bad.zip", "--vkey", str(place / "keys"))

    assert ran.code == 1
    expected = "DIFETTI TROVATI" if lang == "it" else "FAULTS FOUND"
    assert expected in ran.out
    assert "records/000000000004.body" in ran.out


def test_a_long_list_of_faults_is_cut_unless_all_are_asked_for(place: Path) -> None:
    members = members_of(written(place, "--year", "2023", "--indicator", "PS"))
    bad = pack({name: content for name, content in members.items() if ".leaf" not in name})

    short, whole = checked(place, bad).out, checked(place, bad, "--all").out

    assert "--all" in short
    assert len(whole.splitlines()) > len(short.splitlines())


def test_a_file_that_is_no_dossier_is_told_apart_from_one_that_is_not_there(place: Path) -> None:
    ran = checked(place, b"no zip")
    absent = run("dossier", "check", "absent.zip")

    assert ran.code == 1
    assert "zip" in ran.out
    assert absent.code == 13
    assert "cannot be read" in absent.err


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("--year", "2023", "--indicator", "PX"), 15, "'PX'"),
        (("--year", "2019"), 15, "'2019'"),
        (("--event", "x"), 13, "POSITION"),
        (("--event", "0"), 13, "POSITION"),
        (("--event", "5.1.2"), 13, "POSITION"),
        (("--event", "5."), 13, "POSITION"),
        (("--event", "5.0"), 13, "of a block"),
        (("--event", "99999"), 13, "checkpoint covers"),
        (("--since", "absent"), 13, "cannot be read"),
        (("--dir", "absent"), 82, "no checkpoint"),
    ],
)
def test_what_cannot_be_made_is_refused(
    place: Path, words: tuple[str, ...], code: int, told: str
) -> None:
    ran = dossier(place, *words)

    assert (ran.code, told in ran.err) == (code, True), ran.err
    assert not Path("out.zip").exists()


def test_a_file_that_is_there_is_never_overwritten(place: Path) -> None:
    Path("out.zip").write_text("mine", encoding="utf-8")

    ran = dossier(place, "--indicator", "PS")

    assert ran.code == 13
    assert Path("out.zip").read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("words", [(), ("--out", "absent/out.zip")])
def test_a_place_to_write_to_is_needed(place: Path, words: tuple[str, ...]) -> None:
    ran = run("--ledger", str(place / "registro.db"), "dossier", *words)

    assert ran.code == 13
    assert "--out" in ran.err


def test_a_checkpoint_of_another_log_is_not_continued(place: Path, tmp_path: Path) -> None:
    other = new_ledger(tmp_path / "other.db", sandbox=True)
    signer = new_signer("registro.invalid/00000000-0000-4000-8000-000000000001", bytes(SEED_BYTES))
    data = seal(other, tmp_path / "other.log", [signer]).checkpoint
    other.store.engine.dispose()
    (tmp_path / "since").write_bytes(data)

    ran = dossier(place, "--indicator", "PS", "--since", str(tmp_path / "since"))

    assert ran.code == 13
    assert "does not continue" in ran.err


@pytest.fixture
def blocks(tmp_path: Path) -> tuple[Path, int]:
    """Return a folder with a sealed ledger of facts, and the position of its block."""
    folder = tmp_path / "facts"
    folder.mkdir()
    ledger = production_ledger(folder / "registro.db")
    facts = [fact("RequestDefined", source_id=f"request-{n}", pieces=n + 1) for n in range(5)]
    record(ledger, folder, "RequestDefined", facts, batch())
    opened = ledger.identity.opened
    assert opened is not None
    signer = new_signer(opened.origin, bytes(SEED_BYTES))
    (folder / "keys").write_text(signer.verifier.text + "\n", encoding="utf-8")
    seal(ledger, folder / "registro.log", [signer])
    head = ledger.head()
    ledger.store.engine.dispose()
    return folder, head


def test_one_fact_of_a_block_is_shown_and_no_other(blocks: tuple[Path, int]) -> None:
    folder, position = blocks

    data = written(folder, "--event", f"{position}.2")

    ran = checked(folder, data, "--json")
    shown = json.loads(members_of(data)[f"facts/{position:012d}.2.json"])
    assert (ran.code, ran.json["facts"]) == (0, 1)
    assert shown["fact"]["source_id"] == "request-2"
    assert not any(f"request-{other}".encode() in data for other in (0, 1, 3, 4))


@pytest.mark.parametrize(("address", "told"), [("{p}", "POSITION.INDEX"), ("{p}.5", "no fact")])
def test_a_fact_is_named_by_position_and_index(
    blocks: tuple[Path, int], address: str, told: str
) -> None:
    folder, position = blocks

    ran = dossier(folder, "--event", address.format(p=position))

    assert ran.code == 13
    assert told in ran.err
    assert f"field --event has the value '{address.format(p=position)}'" in ran.err


def test_what_is_not_sealed_is_not_shown(blocks: tuple[Path, int], tmp_path: Path) -> None:
    folder, position = blocks
    ledger = reopened(folder / "registro.db")
    record(
        ledger, tmp_path, "RequestDefined", [fact("RequestDefined", source_id="G")], batch(name="2")
    )
    ledger.store.engine.dispose()

    refused = dossier(folder, "--event", f"{position}.2")
    allowed = dossier(folder, "--event", f"{position}.2", "--sealed-only")

    assert refused.code == 13
    assert "registro seal" in refused.err
    assert allowed.code == 0, allowed.err


def test_a_sandbox_is_marked_on_screen_and_in_the_sheets(tmp_path: Path) -> None:
    ledger = new_ledger(tmp_path / "registro.db", sandbox=True)
    opened = ledger.identity.opened
    assert opened is not None
    signer = new_signer(opened.origin, bytes(SEED_BYTES))
    (tmp_path / "keys").write_text(signer.verifier.text, encoding="utf-8")
    seal(ledger, tmp_path / "registro.log", [signer])
    ledger.store.engine.dispose()

    made = dossier(tmp_path, "--event", "1")

    members = members_of(Path("out.zip").read_bytes())
    assert "SANDBOX" in made.out
    assert b"SANDBOX" in members["INSTRUCTIONS.txt"]
    assert "REGISTRO DI PROVA" in members["ISTRUZIONI.txt"].decode()


def test_each_sheet_writes_the_day_of_knowledge_as_its_readers_do(place: Path) -> None:
    data = written(place, "--year", "2023", "--indicator", "PS", "--as-of", "2024-03-01")

    members = members_of(data)

    assert "noto al      01/03/2024\n" in members["ISTRUZIONI.txt"].decode()
    assert "known on     2024-03-01\n" in members["INSTRUCTIONS.txt"].decode()


def test_a_figure_without_its_year_is_no_figure(place: Path) -> None:
    data = written(place, "--year", "2023", "--indicator", "PS")
    found = check_dossier(data)
    assert found.question is not None

    faults = differences(replace(found.question, year=None), found.events)

    assert {one.kind for one in faults} == {"claim"}


def test_an_option_that_is_not_there_is_not_quoted_as_an_empty_value(place: Path) -> None:
    words = ("--ledger", str(place / "registro.db"), "--lang", "it")
    nowhere = run(*words, "dossier", "--vkey", str(place / "keys"))

    assert "dossier: manca --out; dire quale file scrivere" in nowhere.err
    assert "valore ''" not in nowhere.err
