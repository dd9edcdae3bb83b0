"""Witnesses: whose signatures count, and the request that asks for one."""

import base64
from pathlib import Path

import pytest

from ledger.evidence.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from ledger.evidence.keyid import COSIGNATURE
from ledger.evidence.note import SignerKey, parse_note, sign_note
from ledger.evidence.policy import (
    cosignatures,
    open_under,
    parse_policy,
    read_policy,
    with_signatures,
    witness_request,
    witnesses_of,
)
from ledger.evidence.problems import (
    NoteFormatError,
    PolicyError,
    SignatureInvalidError,
    SignatureMissingError,
)
from ledger.integrity.merkle import leaf_hash, tree_root, verify_consistency
from ledger.integrity.problems import ProofError
from ledger.types import Digest, TreeSize
from tests.support.sealing import KEY, ORIGIN, OTHER_KEY, OTHER_WITNESS, WITNESS

HASHES = [leaf_hash(bytes([number])) for number in range(9)]
HEAD = Checkpoint(origin=ORIGIN, size=TreeSize(9), root=tree_root(HASHES))
SIGNED = sign_checkpoint(HEAD, [KEY])
POLICY = f"""
log = ["{KEY.verifier.text}", "{OTHER_KEY.verifier.text}"]
quorum = 1
[witnesses]
"Corte dei conti" = "{WITNESS.verifier.text}"
other = "{OTHER_WITNESS.verifier.text}"
"""
SAME = SignerKey(name="witness.example/w3", seed=WITNESS.seed, algorithm=COSIGNATURE)


def answer(signer: SignerKey, text: str = HEAD.text, at: int = 1000) -> str:
    return sign_note(text, [signer], at=at).decode().rpartition("\n\n")[2]


def test_a_policy_names_log_witnesses_and_quorum(tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    path.write_text(POLICY, encoding="utf-8")

    policy = read_policy(path)

    assert policy.log == (KEY.verifier, OTHER_KEY.verifier)
    assert policy.witnesses == {
        "Corte dei conti": WITNESS.verifier,
        "other": OTHER_WITNESS.verifier,
    }
    assert policy.quorum == 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "log = ",
        "log = []\nquorum = 0",
        'log = "text"\nquorum = 0',
        "log = [3]\nquorum = 0",
        'log = ["name+00000000+AAAA"]\nquorum = 0',
        f'log = ["{WITNESS.verifier.text}"]\nquorum = 0',
        f'log = ["{KEY.verifier.text}"]',
        f'log = ["{KEY.verifier.text}"]\nquorum = 1',
        f'log = ["{KEY.verifier.text}"]\nquorum = -1',
        f'log = ["{KEY.verifier.text}"]\nquorum = true',
        f'log = ["{KEY.verifier.text}"]\nquorum = "0"',
        f'log = ["{KEY.verifier.text}"]\nquorum = 0\nwitnesses = []',
        f'log = ["{KEY.verifier.text}"]\nquorum = 0\nmore = 1',
        f'log = ["{KEY.verifier.text}"]\nquorum = 0\n[witnesses]\na = "{KEY.verifier.text}"',
        POLICY.replace(OTHER_WITNESS.verifier.text, SAME.verifier.text),
    ],
)
def test_refuses_what_is_no_policy(text: str) -> None:
    with pytest.raises(PolicyError):
        parse_policy(text)


def test_refuses_a_policy_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "bytes").write_bytes(b"\xff")

    for name in ("bytes", "nowhere"):
        with pytest.raises(PolicyError):
            read_policy(tmp_path / name)


def test_the_answer_of_a_witness_is_added_to_the_checkpoint() -> None:
    policy = parse_policy(POLICY)
    note = parse_note(SIGNED)
    lines = answer(WITNESS) + answer(SAME)

    found = cosignatures(lines, note, list(policy.witnesses.values()))
    opened = open_under(with_signatures(note, [one.signature for one in found]), policy)

    assert [one.key for one in found] == [WITNESS.verifier]
    assert witnesses_of(opened, policy) == {"Corte dei conti": 1000}
    assert opened.checkpoint == HEAD


def test_a_newer_answer_takes_the_place_of_the_older_one() -> None:
    policy = parse_policy(POLICY)
    data = SIGNED
    for at in (1000, 2000):
        note = parse_note(data)
        found = cosignatures(answer(WITNESS, at=at), note, list(policy.witnesses.values()))
        data = with_signatures(note, [one.signature for one in found])

    assert witnesses_of(open_under(data, policy), policy) == {"Corte dei conti": 2000}
    assert len(parse_note(data).signatures) == 2


def test_refuses_an_answer_over_another_checkpoint() -> None:
    other = Checkpoint(origin=ORIGIN, size=TreeSize(8), root=Digest(bytes(32)))

    with pytest.raises(SignatureInvalidError):
        cosignatures(answer(WITNESS, other.text), parse_note(SIGNED), [WITNESS.verifier])


def test_refuses_an_answer_of_a_stranger() -> None:
    with pytest.raises(SignatureMissingError):
        cosignatures(answer(SAME), parse_note(SIGNED), [WITNESS.verifier])


@pytest.mark.parametrize("lines", ["", "\n", "text\n", SIGNED.decode(), answer(WITNESS)[:-1]])
def test_refuses_an_answer_that_is_no_signature_line(lines: str) -> None:
    with pytest.raises(NoteFormatError):
        cosignatures(lines, parse_note(SIGNED), [WITNESS.verifier])


@pytest.mark.parametrize("old", range(1, 10))
def test_a_request_holds_size_proof_and_checkpoint(old: int) -> None:
    body = witness_request(HASHES, TreeSize(old), SIGNED).decode()

    first, _, rest = body.partition("\n")
    proof, _, checkpoint = rest.partition("\n\n") if old < 9 else ("", "", rest[1:])
    assert first == f"old {old}"
    assert checkpoint.encode() == SIGNED
    verify_consistency(
        old_size=TreeSize(old),
        new_size=TreeSize(9),
        old_root=tree_root(HASHES[:old]),
        new_root=HEAD.root,
        proof=[Digest(base64.b64decode(line)) for line in proof.splitlines()],
    )


def test_the_first_request_holds_no_proof() -> None:
    assert witness_request(HASHES, TreeSize(0), SIGNED) == b"old 0\n\n" + SIGNED
    assert open_checkpoint(SIGNED, [KEY.verifier]).checkpoint == HEAD


def test_refuses_an_old_size_beyond_the_tree() -> None:
    with pytest.raises(ProofError):
        witness_request(HASHES, TreeSize(10), SIGNED)
