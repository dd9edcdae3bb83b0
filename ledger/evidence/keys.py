"""Signing keys: files that nobody else may read, and what the ledger says of them.

Invariants:
1. A private key is read only from a file that its owner alone can read, or from the environment.
2. A key signs only while the ledger lists it as active or retiring, once it lists any key.
3. Keys that the ledger ever listed verify old checkpoints for good.

Source: docs/adr/0011-evidence.md; `ledger.aggregates.signing` for the rules.
"""

import base64
import datetime as dt
import os
import stat
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from ledger.aggregates.signing import ACTIVE, KEY_STATES, RETIRING, KeysState
from ledger.events.ledger import SigningKeyPublished
from ledger.evidence.keyid import ED25519
from ledger.evidence.note import SignerKey, VerifierKey, parse_signer, parse_verifier
from ledger.evidence.problems import EvidenceFileError, KeyFileError, KeyFormatError

KEY_SUFFIX: Final = ".key"
PUBLIC_SUFFIX: Final = ".vkey"
FROM_ENVIRONMENT: Final = "REGISTRO_SIGNING_KEY"
"""Variable with the text of one or more private keys."""
KEY_FILE_BYTES_MAX: Final = 2**16
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


def read_signer(path: Path) -> SignerKey:
    """Read a private key from its file.

    Raises:
        KeyFileError: the file is missing, or others may read it.
        KeyFormatError: it holds no private key.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        try:
            mode = os.fstat(handle).st_mode
            data = os.read(handle, KEY_FILE_BYTES_MAX) if stat.S_ISREG(mode) else b""
        finally:
            os.close(handle)
    except OSError as error:
        raise KeyFileError(file=str(path), reason=str(error)) from error
    if stat.S_IMODE(mode) & _OTHERS:
        raise KeyFileError(file=str(path), reason="others may read it: chmod 600")
    return parse_signer(data.decode(errors="replace"))


def read_signers(folder: Path) -> tuple[SignerKey, ...]:
    """Read every private key of a folder; none when there is no such folder.

    Raises:
        KeyFileError: a file may be read by others.
        KeyFormatError: a file holds no private key.
    """
    return tuple(read_signer(path) for path in sorted(folder.glob(f"*{KEY_SUFFIX}")))


def signers_of_text(text: str) -> tuple[SignerKey, ...]:
    """Read private keys from the value of a variable, one a line.

    Raises:
        KeyFormatError: one of them is none.
    """
    return tuple(parse_signer(line) for line in text.split())


def write_signer(folder: Path, signer: SignerKey) -> Path:
    """Write a new private key and its public half; return the file of the private one.

    Raises:
        KeyFileError: the file is there already, or cannot be written.
    """
    name = signer.verifier.key_id.hex()
    path = folder / f"{name}{KEY_SUFFIX}"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(signer.secret_text + "\n")
            file.flush()
            os.fsync(file.fileno())
        public = folder / f"{name}{PUBLIC_SUFFIX}"
        public.write_text(signer.verifier.text + "\n", encoding="utf-8")
    except OSError as error:
        raise KeyFileError(file=str(path), reason=str(error)) from error
    return path


def read_verifiers(path: Path) -> tuple[VerifierKey, ...]:
    """Read public keys from a file: one a line, empty lines and lines with # left out.

    Raises:
        EvidenceFileError: the file cannot be read.
        KeyFormatError: a line is no key, or there is none.
    """
    try:
        with path.open(encoding="utf-8") as file:
            lines = file.read(KEY_FILE_BYTES_MAX).splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise EvidenceFileError(path=str(path), reason=str(error)) from error
    texts = [line for line in lines if line.strip() and not line.startswith("#")]
    if not texts:
        raise KeyFormatError(subject=path.name, reason="it holds no key")
    return tuple(map(parse_verifier, texts))


def published_verifiers(state: KeysState) -> tuple[VerifierKey, ...]:
    """Return every key that the ledger ever listed, retired ones included."""
    return tuple(verifier_of(event) for event in state.in_state(*KEY_STATES))


def verifier_of(event: SigningKeyPublished) -> VerifierKey:
    """Return the public key that an event publishes."""
    return VerifierKey(
        name=event.key_name, algorithm=ED25519, public=base64.b64decode(event.public_key)
    )


def signing_now(signers: Iterable[SignerKey], state: KeysState) -> tuple[SignerKey, ...]:
    """Return the keys that sign a checkpoint now: those listed as active, then the retiring ones.

    Args:
        signers: private keys at hand.
        state: what the ledger lists; when it lists none, every key at hand signs.

    Raises:
        KeyFileError: the active key is not at hand.
    """
    at_hand = {signer.verifier: signer for signer in signers}
    if not state.published:
        return tuple(at_hand.values())
    active = [verifier_of(event) for event in state.in_state(ACTIVE)]
    for key in active:
        if key not in at_hand:
            raise KeyFileError(
                file=key.label, reason="the ledger lists it as active, and it is not at hand"
            )
    retiring = [verifier_of(event) for event in state.in_state(RETIRING)]
    return tuple(at_hand[key] for key in (*active, *retiring) if key in at_hand)


def publication(key: VerifierKey, *, state: str, valid_from: dt.datetime) -> SigningKeyPublished:
    """Return the event that says what a key is from an instant on.

    Args:
        key: of the log.
        state: `active`, `retiring` or `retired`.
        valid_from: aware.
    """
    return SigningKeyPublished(
        key_name=key.name,
        key_id=key.key_id.hex(),
        public_key=base64.b64encode(key.public).decode(),
        key_state=state,
        valid_from=valid_from,
    )


def rotation(
    new: VerifierKey, state: KeysState, *, valid_from: dt.datetime
) -> Sequence[SigningKeyPublished]:
    """Return the events of a rotation: what was retiring ends, what was active gives way.

    Args:
        new: key that begins.
        state: what the ledger lists.
        valid_from: aware.

    Raises:
        KeyFileError: there is no active key to give way.
    """
    active = state.in_state(ACTIVE)
    if not active:
        raise KeyFileError(file="-", reason="the ledger lists no active key")
    ended = [
        publication(verifier_of(event), state="retired", valid_from=valid_from)
        for event in state.in_state(RETIRING)
    ]
    giving_way = [
        publication(verifier_of(event), state=RETIRING, valid_from=valid_from) for event in active
    ]
    return (*ended, *giving_way, publication(new, state=ACTIVE, valid_from=valid_from))
