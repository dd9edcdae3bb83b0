"""Cosignatures inside a dossier, judged by Go and by our checker against the same policy."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from ledger.evidence.checkpoint import parse_checkpoint
from ledger.evidence.dossier.format import CHECKPOINT
from ledger.evidence.dossier.reading import members_of
from ledger.evidence.keyid import COSIGNATURE
from ledger.evidence.note import SEED_BYTES, SignerKey, new_signer, parse_note, sign_note
from tests.outside.conftest import Evidence, Judge
from tests.support.cli import Ran, run

AT = 1_700_000_000
FIRST, SECOND, STRANGER = (
    new_signer(f"{name}.example", bytes([number]) * SEED_BYTES, algorithm=COSIGNATURE)
    for number, name in enumerate(("first", "second", "stranger"), start=1)
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Given:
    """A dossier and what its receiver believes."""

    dossier: Path
    policy: Path
    witnesses: Path
    quorum: int


def made(
    evidence: Evidence, folder: Path, signers: Sequence[SignerKey], *, quorum: int, spoil: int = 0
) -> Given:
    """Make a dossier whose checkpoint so many witnesses have signed; spoil so many signatures."""
    log = folder / "log"
    log.mkdir()
    for one in evidence.log.iterdir():
        if one.name != "checkpoint":
            (log / one.name).symlink_to(one)
    note = parse_note((evidence.log / "checkpoint").read_bytes())
    data = (evidence.log / "checkpoint").read_bytes()
    for number, signer in enumerate(signers):
        signed = sign_note(note.text, [signer], keep=parse_note(data).signatures, at=AT)
        if number < spoil:
            signed = _spoilt(signed, signer)
        data = signed
    (log / "checkpoint").write_bytes(data)
    keys = [FIRST.verifier.text, SECOND.verifier.text]
    (folder / "witnesses").write_text("\n".join(keys) + "\n", encoding="utf-8")
    named = "\n".join(f'"{key.partition("+")[0]}" = "{key}"' for key in keys)
    (folder / "policy").write_text(
        f'log = ["{evidence.signer.verifier.text}"]\nquorum = {quorum}\n[witnesses]\n{named}\n',
        encoding="utf-8",
    )
    ran = run(
        "--ledger", str(evidence.ledger), "dossier", "--year", "2023", "--indicator", "PS",
        "--dir", str(log), "--vkey", str(evidence.vkeys), "--out", str(folder / "ps.zip"),
    )  # fmt: skip
    assert ran.code == 0, ran.err
    return Given(
        dossier=folder / "ps.zip",
        policy=folder / "policy",
        witnesses=folder / "witnesses",
        quorum=quorum,
    )


def _spoilt(data: bytes, signer: SignerKey) -> bytes:
    note = parse_note(data)
    ours = next(one for one in note.signatures if one.name == signer.verifier.name)
    blob = bytearray(ours.blob)
    blob[-1] ^= 1
    bad = replace(ours, blob=bytes(blob))
    return (note.text + "\n").encode() + b"".join(
        (bad if one is ours else one).line.encode() for one in note.signatures
    )


def by_us(given: Given) -> Ran:
    return run("dossier", "check", str(given.dossier), "--policy", str(given.policy), "--json")


def by_go(go: Judge, evidence: Evidence, given: Given, folder: Path) -> str:
    """Return the reason of a refusal; empty when Go accepts."""
    note = members_of(given.dossier.read_bytes())[CHECKPOINT]
    (folder / "note").write_bytes(note)
    verdict = go("cosigned", evidence.vkeys, given.witnesses, str(given.quorum), folder / "note")
    assert verdict.accepted == (verdict.reason == "")
    return verdict.reason


@pytest.mark.parametrize(
    ("signers", "quorum"),
    [([FIRST, SECOND], 2), ([FIRST, SECOND], 1), ([SECOND], 1), ([], 0), ([FIRST, STRANGER], 1)],
)
def test_enough_witnesses_are_accepted_by_both(
    go: Judge, evidence: Evidence, tmp_path: Path, signers: list[SignerKey], quorum: int
) -> None:
    given = made(evidence, tmp_path, signers, quorum=quorum)

    told = by_us(given)

    assert told.code == 0, told.out
    assert told.json["key"] == "given"
    known = [one for one in signers if one is not STRANGER]
    assert told.json["witnesses"] == [one.verifier.name for one in known]
    assert by_go(go, evidence, given, tmp_path) == ""


@pytest.mark.parametrize(
    ("signers", "quorum"),
    [([], 1), ([FIRST], 2), ([STRANGER], 1), ([FIRST, STRANGER], 2), ([], 2)],
)
def test_too_few_witnesses_are_refused_by_both(
    go: Judge, evidence: Evidence, tmp_path: Path, signers: list[SignerKey], quorum: int
) -> None:
    given = made(
        evidence, tmp_path, signers[:1] if signers[:1] == signers[1:] else signers, quorum=quorum
    )

    told = by_us(given)

    assert (told.code, [one["kind"] for one in told.json["faults"]]) == (1, ["quorum"])
    assert by_go(go, evidence, given, tmp_path) == "quorum"


def test_a_spoilt_cosignature_is_refused_by_both(
    go: Judge, evidence: Evidence, tmp_path: Path
) -> None:
    given = made(evidence, tmp_path, [FIRST, SECOND], quorum=1, spoil=1)

    told = by_us(given)

    assert (told.code, [one["kind"] for one in told.json["faults"]]) == (1, ["signature"])
    assert by_go(go, evidence, given, tmp_path) == "signature"


def test_a_policy_of_another_log_refuses_the_dossier(evidence: Evidence, tmp_path: Path) -> None:
    given = made(evidence, tmp_path, [FIRST], quorum=1)
    other = new_signer(evidence.signer.verifier.name, b"\x09" * SEED_BYTES).verifier.text
    text = given.policy.read_text(encoding="utf-8")
    given.policy.write_text(text.replace(evidence.signer.verifier.text, other), encoding="utf-8")

    kinds = {one["kind"] for one in by_us(given).json["faults"]}

    assert {"signature", "key"} <= kinds


def test_without_a_policy_cosignatures_are_no_matter(evidence: Evidence, tmp_path: Path) -> None:
    given = made(evidence, tmp_path, [FIRST], quorum=1)

    told = run("dossier", "check", str(given.dossier), "--vkey", str(evidence.vkeys), "--json")

    assert (told.code, told.json["witnesses"], told.json["quorum"]) == (0, [], None)
    note = parse_note(members_of(given.dossier.read_bytes())[CHECKPOINT])
    assert parse_checkpoint(note.text).origin == evidence.signer.verifier.name
