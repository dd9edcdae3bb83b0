"""Checkpoints: three lines, strictly, and a key of the log that signed them."""

import base64
from dataclasses import replace

import pytest

from ledger.evidence.checkpoint import (
    Checkpoint,
    open_checkpoint,
    parse_checkpoint,
    sign_checkpoint,
)
from ledger.evidence.keyid import COSIGNATURE
from ledger.evidence.note import SignerKey, parse_note, sign_note
from ledger.evidence.problems import (
    CheckpointFormatError,
    SignatureInvalidError,
    SignatureMissingError,
)
from ledger.types import Digest, TreeSize
from tests.support.sealing import KEY, ORIGIN, OTHER_KEY, WITNESS

HEAD = Checkpoint(origin=ORIGIN, size=TreeSize(20852163), root=Digest(bytes(range(32))))
ROOT64 = base64.b64encode(bytes(range(32))).decode()


def test_the_body_is_origin_size_and_root() -> None:
    assert HEAD.text == f"{ORIGIN}\n20852163\n{ROOT64}\n"
    assert parse_checkpoint(HEAD.text) == HEAD


def test_the_example_of_the_specification_is_read() -> None:
    text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"

    found = parse_checkpoint(text)

    assert (found.origin, found.size) == ("example.com/behind-the-sofa", 20852163)
    assert found.text == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        f"{ORIGIN}\n1\n",
        f"{ORIGIN}\n1\n{ROOT64}",
        f"\n1\n{ROOT64}\n",
        f" \n1\n{ROOT64}\n",
        f"{ORIGIN}\n01\n{ROOT64}\n",
        f"{ORIGIN}\n+1\n{ROOT64}\n",
        f"{ORIGIN}\n-1\n{ROOT64}\n",
        f"{ORIGIN}\n\u0661\n{ROOT64}\n",
        f"{ORIGIN}\n \n{ROOT64}\n",
        f"{ORIGIN}\n{2**63}\n{ROOT64}\n",
        f"{ORIGIN}\n1\n{ROOT64[:-4]}\n",
        f"{ORIGIN}\n1\n{ROOT64.rstrip('=')}\n",
        f"{ORIGIN}\n1\n{ROOT64[:-2]}9=\n",
        f"{ORIGIN}\n1\n {ROOT64}\n",
        f"{ORIGIN}\n1\n{ROOT64}\n\n",
        f"{ORIGIN}\n1\n{ROOT64}\nextension\n",
    ],
)
def test_refuses_what_is_no_body(text: str) -> None:
    with pytest.raises(CheckpointFormatError):
        parse_checkpoint(text)


@pytest.mark.parametrize("origin", ["", " ", "two\nlines", "end\n"])
def test_refuses_to_sign_an_origin_that_is_no_line(origin: str) -> None:
    with pytest.raises(CheckpointFormatError):
        sign_checkpoint(replace(HEAD, origin=origin), [KEY])


def test_a_signed_checkpoint_opens_with_any_known_key() -> None:
    data = sign_checkpoint(HEAD, [KEY, OTHER_KEY])

    for key in (KEY, OTHER_KEY):
        opened = open_checkpoint(data, [key.verifier])
        assert opened.checkpoint == HEAD
        assert [one.key for one in opened.signed_by] == [key.verifier]


def test_a_witness_alone_does_not_make_a_checkpoint() -> None:
    data = sign_note(HEAD.text, [WITNESS], at=1)

    with pytest.raises(SignatureMissingError):
        open_checkpoint(data, [KEY.verifier, WITNESS.verifier], witnesses=[WITNESS.verifier])


def test_witnesses_are_told_apart_from_the_log() -> None:
    own = sign_checkpoint(HEAD, [KEY])
    data = sign_note(HEAD.text, [WITNESS], keep=parse_note(own).signatures, at=9)

    opened = open_checkpoint(data, [KEY.verifier], witnesses=[WITNESS.verifier])

    assert [one.key for one in opened.signed_by] == [KEY.verifier]
    assert [(one.key, one.at) for one in opened.cosigned_by] == [(WITNESS.verifier, 9)]


def test_refuses_a_bad_line_of_a_known_witness() -> None:
    other = sign_note("another\n", [WITNESS], at=9)
    own = sign_checkpoint(HEAD, [KEY], keep=parse_note(other).signatures)

    with pytest.raises(SignatureInvalidError):
        open_checkpoint(own, [KEY.verifier], witnesses=[WITNESS.verifier])
    assert open_checkpoint(own, [KEY.verifier]).checkpoint == HEAD


def test_the_same_key_as_witness_and_log_are_two_keys() -> None:
    as_witness = SignerKey(name=KEY.name, seed=KEY.seed, algorithm=COSIGNATURE)
    data = sign_note(HEAD.text, [as_witness], at=1)

    with pytest.raises(SignatureMissingError):
        open_checkpoint(data, [KEY.verifier])
