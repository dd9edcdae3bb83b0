"""Signing keys: files that others cannot read, and keys as the ledger lists them."""

import datetime as dt
from pathlib import Path

import pytest

from ledger.aggregates.signing import (
    ACTIVE,
    KEY_STATES,
    KEYS_STREAM,
    RETIRED,
    RETIRING,
    SIGNING_KEYS,
    KeysState,
)
from ledger.events.ledger import SigningKeyPublished
from ledger.evidence.keys import (
    publication,
    published_verifiers,
    read_signer,
    read_signers,
    read_verifiers,
    rotation,
    signers_of_text,
    signing_now,
    write_signer,
)
from ledger.evidence.problems import EvidenceFileError, KeyFileError, KeyFormatError
from ledger.session import Session
from tests.support.given import TODAY, EmptyHistory, Given
from tests.support.sealing import KEY, OTHER_KEY, WITNESS, signer

NOW = dt.datetime(2026, 11, 21, 9, tzinfo=dt.UTC)


def state_of(*events: SigningKeyPublished) -> KeysState:
    return Given().given(*events).session.state(SIGNING_KEYS, KEYS_STREAM)


def begun() -> SigningKeyPublished:
    return publication(KEY.verifier, state=ACTIVE, valid_from=NOW)


def test_a_written_key_is_read_back_and_nobody_else_may_read_it(tmp_path: Path) -> None:
    path = write_signer(tmp_path / "keys", KEY)

    assert read_signer(path) == KEY
    assert read_signers(tmp_path / "keys") == (KEY,)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert read_verifiers(path.with_suffix(".vkey")) == (KEY.verifier,)


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    path = write_signer(tmp_path, KEY)
    before = path.read_bytes()

    with pytest.raises(KeyFileError):
        write_signer(tmp_path, KEY)
    assert path.read_bytes() == before


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o777, 0o610])
def test_refuses_a_key_that_others_may_read(tmp_path: Path, mode: int) -> None:
    path = write_signer(tmp_path, KEY)
    path.chmod(mode)

    with pytest.raises(KeyFileError, match="others may read it"):
        read_signer(path)


def test_refuses_a_missing_key_a_link_and_a_folder(tmp_path: Path) -> None:
    link = tmp_path / "link.key"
    link.symlink_to(write_signer(tmp_path, KEY))

    for path in (tmp_path / "no.key", link, tmp_path):
        with pytest.raises((KeyFileError, KeyFormatError)):
            read_signer(path)


def test_refuses_a_file_that_holds_no_key(tmp_path: Path) -> None:
    path = tmp_path / "x.key"
    path.write_bytes(b"\xff garbage")
    path.chmod(0o600)

    with pytest.raises(KeyFormatError) as caught:
        read_signer(path)
    assert "garbage" not in str(caught.value)


def test_no_folder_means_no_keys(tmp_path: Path) -> None:
    assert read_signers(tmp_path / "nowhere") == ()


def test_a_variable_holds_one_key_a_line() -> None:
    assert signers_of_text(f"{KEY.secret_text}\n{OTHER_KEY.secret_text}\n") == (KEY, OTHER_KEY)
    with pytest.raises(KeyFormatError):
        signers_of_text("nothing")


def test_public_keys_are_read_with_comments_and_empty_lines(tmp_path: Path) -> None:
    path = tmp_path / "vkeys"
    path.write_text(f"# 2026\n\n{KEY.verifier.text}\n{WITNESS.verifier.text}\n", encoding="utf-8")

    assert read_verifiers(path) == (KEY.verifier, WITNESS.verifier)


@pytest.mark.parametrize("content", [b"", b"# only\n", b"\xff\n", b"name+x\n"])
def test_refuses_a_file_of_no_public_keys(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "vkeys"
    path.write_bytes(content)

    with pytest.raises((EvidenceFileError, KeyFormatError)):
        read_verifiers(path)
    with pytest.raises(EvidenceFileError):
        read_verifiers(tmp_path / "nowhere")


def test_every_key_at_hand_signs_while_the_ledger_lists_none() -> None:
    assert signing_now([KEY, OTHER_KEY], KeysState()) == (KEY, OTHER_KEY)


def test_only_listed_keys_sign_the_active_one_first() -> None:
    state = state_of(begun(), *rotation(OTHER_KEY.verifier, state_of(begun()), valid_from=NOW))

    assert signing_now([KEY, OTHER_KEY, signer(70)], state) == (OTHER_KEY, KEY)
    assert signing_now([OTHER_KEY], state) == (OTHER_KEY,)
    assert set(published_verifiers(state)) == {KEY.verifier, OTHER_KEY.verifier}


def test_refuses_to_sign_without_the_active_key() -> None:
    with pytest.raises(KeyFileError, match="active"):
        signing_now([OTHER_KEY], state_of(begun()))


def test_a_second_rotation_ends_the_first_overlap() -> None:
    first = (begun(), *rotation(OTHER_KEY.verifier, state_of(begun()), valid_from=NOW))
    third = signer(70)

    events = rotation(third.verifier, state_of(*first), valid_from=NOW)

    assert [(one.key_id, one.key_state) for one in events] == [
        (KEY.verifier.key_id.hex(), RETIRED),
        (OTHER_KEY.verifier.key_id.hex(), RETIRING),
        (third.verifier.key_id.hex(), ACTIVE),
    ]
    state = state_of(*first, *events)
    assert signing_now([KEY, OTHER_KEY, third], state) == (third, OTHER_KEY)
    assert KEY.verifier in published_verifiers(state)


def test_refuses_to_rotate_without_an_active_key() -> None:
    with pytest.raises(KeyFileError):
        rotation(KEY.verifier, KeysState(), valid_from=NOW)


def test_a_session_without_keys_lists_none() -> None:
    session = Session(EmptyHistory(), today=TODAY)

    assert session.state(SIGNING_KEYS, KEYS_STREAM).in_state(*KEY_STATES) == ()
