"""Signed notes: byte-compatible with Go's, strict about everything else."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.evidence.keyid import COSIGNATURE, ED25519, key_id_of, valid_name
from ledger.evidence.note import (
    NOTE_BYTES_MAX,
    SIGNATURES_MAX,
    Note,
    SignerKey,
    Verified,
    VerifierKey,
    missing_signature,
    new_signer,
    parse_note,
    parse_signer,
    parse_verifier,
    sign_note,
    verified_signatures,
)
from ledger.evidence.problems import (
    KeyFormatError,
    NoteFormatError,
    SignatureInvalidError,
    SignatureMissingError,
)
from tests.support.sealing import KEY, OTHER_KEY, WITNESS, signer

GO_SKEY = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
GO_VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotp"
    "RZb6KE6RyyBwJnAM=\n"
)
"""The example in the documentation of golang.org/x/mod/sumdb/note."""
TEXT = "one\ntwo\n"
SIGNED = sign_note(TEXT, [KEY])


def opened(data: bytes, known: Sequence[VerifierKey]) -> tuple[Note, tuple[Verified, ...]]:
    """Return a note that at least one known key has signed, as readers of notes do."""
    note = parse_note(data)
    verified = verified_signatures(note, known)
    if not verified:
        raise missing_signature(note, known)
    return note, verified


def test_the_example_of_the_go_implementation_is_made_byte_for_byte() -> None:
    key = parse_signer(GO_SKEY)

    assert key.verifier == parse_verifier(GO_VKEY)
    assert (key.secret_text, key.verifier.text) == (GO_SKEY, GO_VKEY)
    assert sign_note(GO_NOTE.partition("\n\n")[0] + "\n", [key]) == GO_NOTE.encode()


def test_a_note_of_the_go_implementation_opens() -> None:
    note, verified = opened(GO_NOTE.encode(), [parse_verifier(GO_VKEY)])

    assert note.text.endswith("problem is.\n")
    assert [one.key.label for one in verified] == ["PeterNeumann+c74f20a3"]
    assert verified[0].at is None


def test_a_private_key_does_not_show_itself() -> None:
    assert KEY.seed.hex() not in repr(KEY)
    assert str(KEY.seed) not in repr(KEY)


def test_several_signatures_stand_in_order_and_unknown_ones_are_ignored() -> None:
    data = sign_note(TEXT, [KEY, OTHER_KEY, signer(9, "stranger")])

    _, verified = opened(data, [OTHER_KEY.verifier, KEY.verifier])

    assert [one.key for one in verified] == [KEY.verifier, OTHER_KEY.verifier]


def test_a_known_name_with_an_unknown_id_is_a_stranger() -> None:
    with pytest.raises(SignatureMissingError) as caught:
        opened(SIGNED, [OTHER_KEY.verifier])

    assert OTHER_KEY.verifier.label in caught.value.facts["known_keys"]
    assert KEY.verifier.label in caught.value.facts["signed_by"]


def test_one_bad_signature_of_a_known_key_refuses_the_note() -> None:
    good = sign_note(TEXT, [KEY, OTHER_KEY])
    lines = good.decode().splitlines(keepends=True)
    other = sign_note("three\n", [OTHER_KEY]).decode().splitlines(keepends=True)[-1]
    forged = "".join([*lines[:-1], other]).encode()

    with pytest.raises(SignatureInvalidError) as caught:
        opened(forged, [KEY.verifier, OTHER_KEY.verifier])
    _, verified = opened(forged, [KEY.verifier])

    assert caught.value.facts["key"] == OTHER_KEY.verifier.label
    assert len(verified) == 1


def test_a_repeated_signature_counts_once() -> None:
    line = SIGNED.decode().splitlines(keepends=True)[-1]

    _, verified = opened(SIGNED + line.encode(), [KEY.verifier])

    assert len(verified) == 1


def test_signing_again_takes_the_place_of_the_older_line_and_keeps_the_others() -> None:
    first = parse_note(sign_note(TEXT, [KEY, OTHER_KEY]))

    again = parse_note(sign_note(TEXT, [KEY], keep=first.signatures))

    assert [one.key_id for one in again.signatures] == [
        OTHER_KEY.verifier.key_id,
        KEY.verifier.key_id,
    ]


def test_sixteen_and_a_hundred_signatures_are_read_and_no_more() -> None:
    many = [signer(number + 50, f"k{number}") for number in range(SIGNATURES_MAX)]

    assert len(parse_note(sign_note(TEXT, many)).signatures) == SIGNATURES_MAX
    with pytest.raises(NoteFormatError, match="101 signatures"):
        parse_note(sign_note(TEXT, many) + SIGNED.splitlines(keepends=True)[-1])


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "no empty line"),
        (b"text\n", "no empty line"),
        (b"text\n\n", "cut off"),
        (b"text\n\n\n", "cut off"),
        (SIGNED[:-1], "cut off"),
        (SIGNED + b"\n", "cut off"),
        (SIGNED + b"more\n", "a signature line"),
        (SIGNED.replace("—".encode(), b"-"), "a signature line"),
        (SIGNED.replace("— ".encode(), "—".encode()), "a signature line"),
        (SIGNED.replace(b"registro", b"registro+"), "a signature line"),
        (SIGNED.replace(b"one", b"o\rne"), "control"),
        (SIGNED.replace(b"one", b"o\x00ne"), "control"),
        (SIGNED.replace(b"one", b"o\xffne"), "UTF-8"),
        (SIGNED.rstrip(b"\n") + b"=\n", "a signature line"),
        (SIGNED.rstrip(b"\n") + b" \n", "a signature line"),
        (TEXT.encode() + "\n— name AAAA\n".encode(), "a signature line"),
        (TEXT.encode() + "\n—  AAAAAAAA\n".encode(), "a signature line"),
        (b"x" * (NOTE_BYTES_MAX + 1), "longer"),
    ],
)
def test_refuses_what_is_no_note(data: bytes, reason: str) -> None:
    with pytest.raises(NoteFormatError, match=reason):
        parse_note(data)


def test_the_last_empty_line_parts_text_and_signatures() -> None:
    data = sign_note("a\n\nb\n", [KEY])

    assert parse_note(data).text == "a\n\nb\n"


@pytest.mark.parametrize("text", ["no end", "x\x00\n", ""])
def test_refuses_to_sign_what_no_note_can_hold(text: str) -> None:
    with pytest.raises(NoteFormatError):
        sign_note(text, [KEY])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "name",
        "name+00000000",
        GO_VKEY.replace("c74f20a3", "c74f20a4"),
        GO_VKEY.replace("c74f20a3", "c74f20"),
        GO_VKEY.replace("c74f20a3", "c7 4f20a3"),
        GO_VKEY.replace("Peter", "Peter "),
        GO_VKEY.replace("PeterNeumann", ""),
        GO_VKEY[:-4],
        GO_VKEY + "=",
        GO_VKEY.replace("ARpc", "AhpC"),
        GO_VKEY.replace("PeterNeumann", "Petra"),
        "x" * 5000,
    ],
)
def test_refuses_what_is_no_public_key(text: str) -> None:
    with pytest.raises(KeyFormatError):
        parse_verifier(text)


@pytest.mark.parametrize(
    "text",
    ["", GO_VKEY, GO_SKEY.replace("c74f20a3", "c74f20a4"), GO_SKEY[:-8], GO_SKEY.lower()],
)
def test_refuses_what_is_no_private_key_and_never_repeats_it(text: str) -> None:
    with pytest.raises(KeyFormatError) as caught:
        parse_signer(text)

    assert "AYEKFALV" not in str(caught.value)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\u00a0b", "a\nb", "a\tb"])
def test_refuses_a_name_that_no_line_can_hold(name: str) -> None:
    assert not valid_name(name)
    with pytest.raises(KeyFormatError):
        new_signer(name, bytes(32))


def test_refuses_a_seed_of_another_length() -> None:
    with pytest.raises(KeyFormatError):
        new_signer("name", bytes(31))


def test_the_same_key_under_another_name_or_kind_has_another_id() -> None:
    public = KEY.verifier.public
    ids = {
        key_id_of("a", ED25519, public),
        key_id_of("b", ED25519, public),
        key_id_of("a", COSIGNATURE, public),
    }

    assert len(ids) == 3


def test_a_witness_signs_a_time_with_the_text() -> None:
    data = sign_note(TEXT, [WITNESS], at=1_700_000_000)

    (verified,) = verified_signatures(parse_note(data), [WITNESS.verifier])

    assert verified.at == 1_700_000_000
    assert WITNESS.verifier.accepts(TEXT, verified.signature.blob)


def test_a_cosignature_with_another_time_does_not_fit() -> None:
    (one,) = parse_note(sign_note(TEXT, [WITNESS], at=5)).signatures
    blob = (6).to_bytes(8) + one.blob[8:]

    assert not WITNESS.verifier.accepts(TEXT, blob)
    assert not WITNESS.verifier.accepts(TEXT, one.blob[8:])
    assert not WITNESS.verifier.accepts(TEXT, (2**63).to_bytes(8) + one.blob[8:])


def test_the_signed_message_of_a_witness_is_that_of_the_specification() -> None:
    (one,) = parse_note(sign_note(TEXT, [WITNESS], at=7)).signatures
    plain = VerifierKey(name="x", algorithm=ED25519, public=WITNESS.verifier.public)

    assert plain.accepts(f"cosignature/v1\ntime 7\n{TEXT}", one.blob[8:])


@pytest.mark.property
@given(data=st.binary(max_size=200))
@settings(max_examples=200)
def test_no_bytes_make_the_parser_fail_otherwise(data: bytes) -> None:
    for candidate in (data, SIGNED[: len(SIGNED) - len(data)] + data, data + SIGNED):
        try:
            assert isinstance(parse_note(candidate), Note)
        except NoteFormatError:
            continue


@pytest.mark.property
@given(place=st.integers(0, len(SIGNED) - 1), bit=st.integers(0, 7))
@settings(max_examples=200)
def test_every_flipped_bit_of_a_signed_note_is_noticed(place: int, bit: int) -> None:
    flipped = bytearray(SIGNED)
    flipped[place] ^= 1 << bit

    with pytest.raises((NoteFormatError, SignatureInvalidError, SignatureMissingError)):
        opened(bytes(flipped), [KEY.verifier])


@pytest.mark.property
@given(seed=st.binary(min_size=32, max_size=32), name=st.text(min_size=1, max_size=12))
@settings(max_examples=100)
def test_keys_survive_their_text_forms(seed: bytes, name: str) -> None:
    if not valid_name(name):
        return
    try:
        name.encode()
    except UnicodeEncodeError:
        return
    key = SignerKey(name=name, seed=seed)

    assert parse_signer(key.secret_text) == key
    assert parse_verifier(key.verifier.text) == key.verifier
