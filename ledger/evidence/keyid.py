"""Names and identifiers of note keys, without any cryptography beyond a hash.

Source: C2SP signed-note v1.0.0, key names and key IDs.
"""

import hashlib
from typing import Final

ED25519: Final = 0x01
"""Plain Ed25519 signatures over the text of a note."""
COSIGNATURE: Final = 0x04
"""Ed25519 signatures of witnesses, with the time of signing."""
KEY_ID_BYTES: Final = 4
PUBLIC_BYTES: Final = 32


def valid_name(name: str) -> bool:
    """Tell whether a key may bear a name: not empty, no spaces, no plus, nothing unprintable."""
    return bool(name) and not any(one == "+" or one.isspace() or one < " " for one in name)


def key_id_of(name: str, algorithm: int, public: bytes) -> bytes:
    """Return the 4 bytes that stand for a key in a signature line.

    Args:
        name: of the key.
        algorithm: `ED25519` or `COSIGNATURE`.
        public: 32 bytes.
    """
    preimage = name.encode() + b"\n" + bytes([algorithm]) + public
    return hashlib.sha256(preimage).digest()[:KEY_ID_BYTES]
