"""Personal values open only with their key, in their place, unchanged."""

import itertools
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.events.ledger import Encrypted
from ledger.privacy.cipher import (
    ACTOR_PERSON,
    BLOCK_BYTES,
    NONCE_BYTES,
    SCHEME,
    TEXT_BYTES_MAX,
    Place,
    seal,
    unseal,
)
from ledger.privacy.errors import PersonalValueError
from tests.support.ledgers import CountingEntropy

KEY = bytes(range(32))
PLACE = Place(ledger_id="ledger", subject_id="subject", path=ACTOR_PERSON)
TAG_BYTES = 16
NAMES = st.text(st.characters(exclude_characters="\0", codec="utf-8"), min_size=1, max_size=80)


def sealed(text: str = "Mario Rossi", *, entropy: CountingEntropy | None = None) -> Encrypted:
    return seal(text, key=KEY, place=PLACE, entropy=entropy or CountingEntropy())


@pytest.mark.property
@given(text=NAMES)
@settings(max_examples=200)
def test_what_was_sealed_opens(text: str) -> None:
    assert unseal(sealed(text), key=KEY, place=PLACE) == text


def test_names_the_scheme_and_the_subject_and_nothing_else() -> None:
    value = sealed()

    assert (value.scheme, value.key_id, len(value.nonce)) == (SCHEME, "subject", NONCE_BYTES)
    assert b"Rossi" not in value.ciphertext


def test_the_length_of_a_name_is_not_told() -> None:
    lengths = {len(sealed(name).ciphertext) for name in ("A", "Mario Rossi", "x" * BLOCK_BYTES)}

    assert lengths == {BLOCK_BYTES + TAG_BYTES}


def test_a_name_is_sealed_anew_each_time() -> None:
    entropy = CountingEntropy()
    values = [sealed(entropy=entropy) for _ in range(50)]

    assert len({value.nonce for value in values}) == 50
    assert len({value.ciphertext for value in values}) == 50


@pytest.mark.parametrize("text", ["", "a\0b", "\0", "x" * (TEXT_BYTES_MAX + 1), "\ud800"])
def test_refuses_a_text_that_cannot_be_sealed(text: str) -> None:
    with pytest.raises(PersonalValueError):
        sealed(text)


@pytest.mark.parametrize(
    "place",
    [
        replace(PLACE, ledger_id="another"),
        replace(PLACE, subject_id="another"),
        replace(PLACE, path="event.person"),
        Place(ledger_id="ledgersubject", subject_id="", path=ACTOR_PERSON),
        Place(ledger_id="", subject_id="ledgersubject", path=ACTOR_PERSON),
    ],
)
def test_refuses_a_value_in_another_place(place: Place) -> None:
    with pytest.raises(PersonalValueError):
        unseal(sealed(), key=KEY, place=place)


def test_refuses_another_key() -> None:
    with pytest.raises(PersonalValueError):
        unseal(sealed(), key=KEY[::-1], place=PLACE)


def test_refuses_every_flipped_bit() -> None:
    value = sealed()
    for index, bit in itertools.product(range(len(value.ciphertext)), range(8)):
        altered = bytearray(value.ciphertext)
        altered[index] ^= 1 << bit
        with pytest.raises(PersonalValueError):
            unseal(replace(value, ciphertext=bytes(altered)), key=KEY, place=PLACE)


@pytest.mark.parametrize("nonce", [b"", b"\0" * 7, b"\0" * 11, b"\0" * 12, b"\0" * 13])
def test_refuses_another_nonce(nonce: bytes) -> None:
    with pytest.raises(PersonalValueError):
        unseal(replace(sealed(), nonce=nonce), key=KEY, place=PLACE)


@pytest.mark.parametrize("ciphertext", [b"", b"\0" * 15, b"\0" * 16])
def test_refuses_a_cut_value(ciphertext: bytes) -> None:
    with pytest.raises(PersonalValueError):
        unseal(replace(sealed(), ciphertext=ciphertext), key=KEY, place=PLACE)


@pytest.mark.parametrize("scheme", ["", "AES-256-GCM", "AES-256-GCM/v2", "none"])
def test_refuses_a_scheme_of_another_release(scheme: str) -> None:
    with pytest.raises(PersonalValueError, match="scheme"):
        unseal(replace(sealed(), scheme=scheme), key=KEY, place=PLACE)


def test_an_error_tells_no_name() -> None:
    with pytest.raises(PersonalValueError) as caught:
        sealed("Mario Rossi\0")

    assert "Rossi" not in str(caught.value)
