"""Signed notes: a text, and the lines of those who signed it.

Invariants:
1. Keys, notes and signatures are byte-compatible with the notes of the Go module database.
2. Signatures of unknown keys are ignored; one bad signature of a known key refuses the whole note.
3. Base64 is accepted in its one canonical form only.

Source: C2SP signed-note v1.0.0; C2SP tlog-cosignature v1.0.1 for type 0x04; RFC 8032.
"""

import base64
import binascii
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from ledger.evidence.keyid import (
    COSIGNATURE,
    ED25519,
    KEY_ID_BYTES,
    PUBLIC_BYTES,
    key_id_of,
    valid_name,
)
from ledger.evidence.problems import (
    KeyFormatError,
    NoteFormatError,
    SignatureInvalidError,
    SignatureMissingError,
)

NOTE_BYTES_MAX: Final = 2**18
"""Longest note that is read: a hundred signatures, post-quantum ones among them."""
SIGNATURES_MAX: Final = 100
"""Most signature lines of a note, as in the Go implementation."""
SEED_BYTES: Final = 32
_SIGNATURE_BYTES: Final = 64
_TIME_BYTES: Final = 8
_TIME_MAX: Final = 2**63 - 1
_DASH: Final = "\N{EM DASH} "
_PRIVATE: Final = "PRIVATE+KEY+"
_KEY_TEXT_MAX: Final = 4096


@dataclass(frozen=True, kw_only=True, slots=True)
class Signature:
    """One signature line, whoever wrote it."""

    name: str
    """Name of the key."""
    key_id: bytes
    """4 bytes."""
    blob: bytes
    """What follows the key id: the signature itself, for a witness its time in front."""

    @property
    def line(self) -> str:
        """The line as it stands in a note, with its newline."""
        return f"{_DASH}{self.name} {_text64(self.key_id + self.blob)}\n"

    @property
    def key(self) -> str:
        """The key as people read it: name+id."""
        return f"{self.name}+{self.key_id.hex()}"


@dataclass(frozen=True, kw_only=True, slots=True)
class VerifierKey:
    """A public key under its name."""

    name: str
    algorithm: int
    """`ED25519` or `COSIGNATURE`."""
    public: bytes
    """32 bytes."""

    @property
    def key_id(self) -> bytes:
        """The 4 bytes that stand for the key."""
        return key_id_of(self.name, self.algorithm, self.public)

    @property
    def label(self) -> str:
        """The key as people read it: name+id."""
        return f"{self.name}+{self.key_id.hex()}"

    @property
    def text(self) -> str:
        """The key in its text form, one line without newline."""
        return f"{self.label}+{_text64(bytes([self.algorithm]) + self.public)}"

    def accepts(self, text: str, blob: bytes) -> bool:
        """Tell whether a signature fits a text."""
        match self.algorithm:
            case 0x01:
                return _fits(self.public, text.encode(), blob)
            case _:
                at = cosigned_at(blob)
                return at is not None and _fits(
                    self.public, _cosigned(text, at), blob[_TIME_BYTES:]
                )


@dataclass(frozen=True, kw_only=True, slots=True)
class SignerKey:
    """A private key under its name; it never shows itself by accident."""

    name: str
    seed: bytes = field(repr=False)
    """32 bytes that nobody else may know."""
    algorithm: int = ED25519

    @property
    def verifier(self) -> VerifierKey:
        """The public half."""
        public = Ed25519PrivateKey.from_private_bytes(self.seed).public_key().public_bytes_raw()
        return VerifierKey(name=self.name, algorithm=self.algorithm, public=public)

    @property
    def secret_text(self) -> str:
        """The private key in its text form, one line without newline."""
        secret = _text64(bytes([self.algorithm]) + self.seed)
        return f"{_PRIVATE}{self.verifier.label}+{secret}"

    def sign(self, text: str, *, at: int = 0) -> Signature:
        """Return the signature of a text.

        Args:
            text: of the note, with its final newline.
            at: seconds since 1970-01-01 UTC; only witnesses state it.
        """
        private = Ed25519PrivateKey.from_private_bytes(self.seed)
        if self.algorithm == COSIGNATURE:
            blob = at.to_bytes(_TIME_BYTES) + private.sign(_cosigned(text, at))
        else:
            blob = private.sign(text.encode())
        return Signature(name=self.name, key_id=self.verifier.key_id, blob=blob)


@dataclass(frozen=True, kw_only=True, slots=True)
class Note:
    """A note taken apart; nothing of it is trusted yet."""

    text: str
    """With its final newline, without the empty line in front of the signatures."""
    signatures: tuple[Signature, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Verified:
    """A signature that was checked."""

    key: VerifierKey
    signature: Signature
    at: int | None
    """Seconds since 1970-01-01 UTC of a witness's signature; None for a plain one."""


def new_signer(name: str, seed: bytes, *, algorithm: int = ED25519) -> SignerKey:
    """Return the key that a seed makes.

    Args:
        name: of the key.
        seed: 32 unpredictable bytes.
        algorithm: `ED25519` or `COSIGNATURE`.

    Raises:
        KeyFormatError: the name is not allowed, or the seed has another length.
    """
    if not valid_name(name):
        raise KeyFormatError(subject=repr(name), reason="a name has no spaces and no plus")
    if len(seed) != SEED_BYTES:
        raise KeyFormatError(subject=name, reason=f"a seed has {SEED_BYTES} bytes")
    return SignerKey(name=name, seed=seed, algorithm=algorithm)


def parse_verifier(text: str) -> VerifierKey:
    """Read a public key from its text form.

    Raises:
        KeyFormatError: it is none, of an unknown kind, or its id is not its own.
    """
    name, key_id, algorithm, public = _key_parts(text.strip(), subject="the public key")
    key = VerifierKey(name=name, algorithm=algorithm, public=public)
    if key.key_id != key_id:
        raise KeyFormatError(subject=name, reason="its id is not the one of its bytes")
    return key


def parse_signer(text: str) -> SignerKey:
    """Read a private key from its text form; no message ever repeats it.

    Raises:
        KeyFormatError: it is none, of an unknown kind, or its id is not its own.
    """
    stripped = text.strip()
    if not stripped.startswith(_PRIVATE):
        raise KeyFormatError(subject="the private key", reason="it does not begin as one")
    rest = stripped.removeprefix(_PRIVATE)
    name, key_id, algorithm, seed = _key_parts(rest, subject="the private key")
    key = SignerKey(name=name, seed=seed, algorithm=algorithm)
    if key.verifier.key_id != key_id:
        raise KeyFormatError(subject=name, reason="its id is not the one of its bytes")
    return key


def _key_parts(text: str, *, subject: str) -> tuple[str, bytes, int, bytes]:
    parts = text.split("+", 2)
    if len(text) > _KEY_TEXT_MAX or len(parts) != 3:  # noqa: PLR2004 - name, id, key
        raise KeyFormatError(subject=subject, reason="write NAME+ID+KEY on one line")
    name, id_text, key64 = parts
    raw = _bytes64(key64)
    try:
        key_id = bytes.fromhex(id_text)
    except ValueError:
        key_id = b""
    # One key has one text: the id in lower case, without blanks.
    if not valid_name(name) or len(key_id) != KEY_ID_BYTES or key_id.hex() != id_text or not raw:
        raise KeyFormatError(subject=subject, reason="write NAME+ID+KEY on one line")
    if raw[0] not in {ED25519, COSIGNATURE}:
        raise KeyFormatError(subject=name, reason=f"kind {raw[0]:#04x} is not known")
    if len(raw) != 1 + PUBLIC_BYTES:
        raise KeyFormatError(subject=name, reason=f"{len(raw) - 1} bytes, not {PUBLIC_BYTES}")
    return name, key_id, raw[0], raw[1:]


def parse_note(data: bytes) -> Note:
    """Take a note apart.

    Raises:
        NoteFormatError: it is none.
    """
    if len(data) > NOTE_BYTES_MAX:
        raise NoteFormatError(reason=f"longer than {NOTE_BYTES_MAX} bytes")
    try:
        whole = data.decode()
    except UnicodeDecodeError as error:
        raise NoteFormatError(reason="not valid UTF-8") from error
    if any(one < " " and one != "\n" for one in whole):
        raise NoteFormatError(reason="control characters")
    split = whole.rfind("\n\n")
    if split < 0:
        raise NoteFormatError(reason="no empty line in front of the signatures")
    text, lines = whole[: split + 1], whole[split + 2 :]
    if not lines.endswith("\n"):
        raise NoteFormatError(reason="the last line is cut off")
    return Note(text=text, signatures=parse_signatures(lines))


def parse_signatures(lines: str) -> tuple[Signature, ...]:
    """Read signature lines, each with its newline.

    Raises:
        NoteFormatError: a line is none, or there are too many.
    """
    listed = lines.split("\n")
    if listed.pop():
        raise NoteFormatError(reason="the last line is cut off")
    if not 1 <= len(listed) <= SIGNATURES_MAX:
        raise NoteFormatError(reason=f"{len(listed)} signatures, not 1 to {SIGNATURES_MAX}")
    return tuple(map(_parse_line, listed))


def _parse_line(line: str) -> Signature:
    name, _, text = line.removeprefix(_DASH).partition(" ")
    raw = _bytes64(text)
    if not line.startswith(_DASH) or not valid_name(name) or len(raw) <= KEY_ID_BYTES:
        raise NoteFormatError(reason="a signature line is malformed")
    return Signature(name=name, key_id=raw[:KEY_ID_BYTES], blob=raw[KEY_ID_BYTES:])


def verified_signatures(note: Note, known: Iterable[VerifierKey]) -> tuple[Verified, ...]:
    """Return the signatures of known keys, in order, the first of each key.

    Raises:
        SignatureInvalidError: one of them does not fit the text.
    """
    keys = {(key.name, key.key_id): key for key in known}
    found: dict[tuple[str, bytes], Verified] = {}
    for one in note.signatures:
        key = keys.get((one.name, one.key_id))
        if key is None or (one.name, one.key_id) in found:
            continue
        if not key.accepts(note.text, one.blob):
            raise SignatureInvalidError(key=one.key)
        at = cosigned_at(one.blob) if key.algorithm == COSIGNATURE else None
        found[one.name, one.key_id] = Verified(key=key, signature=one, at=at)
    return tuple(found.values())


def missing_signature(note: Note, known: Iterable[VerifierKey]) -> SignatureMissingError:
    """Return the error for a note that no known key has signed."""
    return SignatureMissingError(
        known_keys=", ".join(key.label for key in known),
        signed_by=", ".join(one.key for one in note.signatures),
    )


def sign_note(
    text: str, signers: Sequence[SignerKey], *, keep: Iterable[Signature] = (), at: int = 0
) -> bytes:
    """Return a note: the text, signatures to keep, then those of the signers.

    Args:
        text: ends with a newline.
        signers: at least one, unless signatures are kept; their own older lines are replaced.
        keep: signatures that stay, in order.
        at: seconds since 1970-01-01 UTC, for signers that are witnesses.

    Raises:
        NoteFormatError: the text cannot be signed.
    """
    new = [signer.sign(text, at=at) for signer in signers]
    replaced = {(one.name, one.key_id) for one in new}
    kept = [one for one in keep if (one.name, one.key_id) not in replaced]
    data = (text + "\n" + "".join(one.line for one in (*kept, *new))).encode()
    if not text.endswith("\n") or parse_note(data).text != text:
        raise NoteFormatError(reason="the text does not end with a newline")
    return data


def cosigned_at(blob: bytes) -> int | None:
    """Return the time in a witness's signature, seconds since 1970-01-01 UTC; None in no such."""
    if len(blob) != _TIME_BYTES + _SIGNATURE_BYTES:
        return None
    at = int.from_bytes(blob[:_TIME_BYTES])
    return at if at <= _TIME_MAX else None


def _cosigned(text: str, at: int) -> bytes:
    return f"cosignature/v1\ntime {at}\n{text}".encode()


def _fits(public: bytes, message: bytes, signature: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _text64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _bytes64(text: str) -> bytes:
    """Return the bytes of canonical base64; empty for anything else."""
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, ValueError):
        return b""
    return data if _text64(data) == text else b""
