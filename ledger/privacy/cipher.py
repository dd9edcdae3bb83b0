"""Encrypt and open one personal value: AES-256-GCM with the key of its subject.

Invariants:
1. A value opens only in the ledger, for the subject and at the field it was sealed for: the three
   are authenticated with it. A ciphertext moved elsewhere does not open.
2. Texts are padded with NUL to multiples of `BLOCK_BYTES`: the length of a name is not told.
3. Nothing but the nonce is random, and it is given by the caller: a nonce of 96 bits is never used
   twice with one key, since a subject has far fewer than 2**32 values.

Source: NIST SP 800-38D, section 8.2.2 (random nonces); docs/adr/0012-personal-data.md.
"""

from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ledger.clock import Entropy
from ledger.events.ledger import Encrypted
from ledger.privacy.errors import PersonalValueError

SCHEME: Final = "AES-256-GCM/v1"
KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
BLOCK_BYTES: Final = 64
"""Padded texts are multiples of so many bytes."""
TEXT_BYTES_MAX: Final = 1024
ACTOR_PERSON: Final = "envelope.actor.person"
"""Path of the person who acts."""
_DOMAIN: Final = b"registro/personal/v1\n"
_PAD: Final = b"\0"


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where a value belongs."""

    ledger_id: str
    subject_id: str
    path: str
    """Path of the field, for example `ACTOR_PERSON`."""


def seal(text: str, *, key: bytes, place: Place, entropy: Entropy) -> Encrypted:
    """Return an encrypted text.

    Args:
        text: 1 to `TEXT_BYTES_MAX` bytes in UTF-8, without NUL.
        key: of the subject, 32 raw bytes.
        place: where it will stand.
        entropy: gives the nonce.

    Raises:
        PersonalValueError: the text is empty, too long, not UTF-8, or holds a NUL.
    """
    try:
        plain = text.encode()
    except UnicodeEncodeError as error:
        raise _refused(place, "the text has no form in UTF-8") from error
    if not plain or len(plain) > TEXT_BYTES_MAX or _PAD in plain:
        raise _refused(place, f"a text has 1 to {TEXT_BYTES_MAX} bytes and no NUL")
    padded = plain + _PAD * (-len(plain) % BLOCK_BYTES)
    nonce = entropy.token(NONCE_BYTES)
    return Encrypted(
        scheme=SCHEME,
        key_id=place.subject_id,
        nonce=nonce,
        ciphertext=AESGCM(key).encrypt(nonce, padded, _context(place)),
    )


def unseal(value: Encrypted, *, key: bytes, place: Place) -> str:
    """Return the text of an encrypted value.

    Raises:
        PersonalValueError: the scheme is unknown, or value, key and place do not belong together.
    """
    if value.scheme != SCHEME:
        raise _refused(place, f"the scheme is {value.scheme}, this release opens {SCHEME}")
    try:
        padded = AESGCM(key).decrypt(value.nonce, value.ciphertext, _context(place))
        return padded.rstrip(_PAD).decode()
    except (InvalidTag, ValueError) as error:
        # ValueError covers a nonce of a wrong length and bytes that are no UTF-8.
        raise _refused(place, "value, key and place do not belong together") from error


def _context(place: Place) -> bytes:
    """Return the data that are authenticated with a value: each part after its length."""
    parts = (place.ledger_id, place.subject_id, place.path)
    encoded = [part.encode() for part in parts]
    return _DOMAIN + b"".join(len(part).to_bytes(4) + part for part in encoded)


def _refused(place: Place, reason: str) -> PersonalValueError:
    return PersonalValueError(subject=place.subject_id, path=place.path, reason=reason)
