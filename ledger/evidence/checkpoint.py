"""Checkpoints: the signed head of the ledger's tree.

Body: origin, number of records, root in base64, each on a line; nothing else. What others may add
behind these lines ("extension lines") no monitor can audit, so it is refused here.

Source: C2SP tlog-checkpoint v1.0.0; docs/formats/checkpoint.md.
"""

import base64
import binascii
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from ledger.evidence.keyid import ED25519
from ledger.evidence.note import (
    Note,
    Signature,
    SignerKey,
    Verified,
    VerifierKey,
    missing_signature,
    parse_note,
    sign_note,
    verified_signatures,
)
from ledger.evidence.problems import CheckpointFormatError
from ledger.types import DIGEST_BYTES, Digest, TreeSize

SIZE_MAX: Final = 2**63 - 1
_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,18}")
_LINES: Final = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Checkpoint:
    """What a checkpoint says."""

    origin: str
    """Name of the log: the origin of the ledger."""
    size: TreeSize
    """Number of records covered."""
    root: Digest
    """Root of the RFC 6962 tree over their leaves."""

    @property
    def text(self) -> str:
        """The body that is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


@dataclass(frozen=True, kw_only=True, slots=True)
class SignedCheckpoint:
    """A checkpoint, and who is known to have signed it."""

    checkpoint: Checkpoint
    note: Note
    signed_by: tuple[Verified, ...]
    """Signatures of the log's keys."""
    cosigned_by: tuple[Verified, ...] = ()
    """Signatures of known witnesses."""


def parse_checkpoint(text: str) -> Checkpoint:
    """Read the body of a checkpoint.

    Raises:
        CheckpointFormatError: it is none.
    """
    lines = text.split("\n")
    if lines.pop() or len(lines) != _LINES:
        raise CheckpointFormatError(reason="three lines are expected")
    origin, size, root64 = lines
    if not origin.strip():
        raise CheckpointFormatError(reason="the origin is empty")
    if not _SIZE.fullmatch(size) or int(size) > SIZE_MAX:
        raise CheckpointFormatError(reason="the second line is no size")
    try:
        root = base64.b64decode(root64.encode("ascii"), validate=True)
    except (binascii.Error, ValueError) as error:
        raise CheckpointFormatError(reason="the third line is no root") from error
    if len(root) != DIGEST_BYTES or base64.b64encode(root).decode() != root64:
        raise CheckpointFormatError(reason="the third line is no root")
    return Checkpoint(origin=origin, size=TreeSize(int(size)), root=Digest(root))


def sign_checkpoint(
    checkpoint: Checkpoint, signers: Sequence[SignerKey], *, keep: Iterable[Signature] = ()
) -> bytes:
    """Return a checkpoint signed by all signers.

    Args:
        checkpoint: what is signed.
        signers: keys of the log.
        keep: signatures of others over the same body that stay.

    Raises:
        CheckpointFormatError: the origin cannot stand on a line.
    """
    if parse_checkpoint(checkpoint.text) != checkpoint:
        raise CheckpointFormatError(reason="the origin does not fit on one line")
    return sign_note(checkpoint.text, signers, keep=keep)


def open_checkpoint(
    data: bytes, known: Iterable[VerifierKey], *, witnesses: Iterable[VerifierKey] = ()
) -> SignedCheckpoint:
    """Read a checkpoint that a known key of the log has signed.

    Args:
        data: the signed note.
        known: keys of the log; those of witnesses among them do not count as such.
        witnesses: keys whose cosignatures are checked too.

    Raises:
        NoteFormatError: it is no note.
        CheckpointFormatError: its text is no checkpoint.
        SignatureInvalidError: a known signature does not fit.
        SignatureMissingError: no key of the log has signed.
    """
    keys = [key for key in known if key.algorithm == ED25519]
    note = parse_note(data)
    verified = verified_signatures(note, [*keys, *witnesses])
    own = tuple(one for one in verified if one.key.algorithm == ED25519)
    if not own:
        raise missing_signature(note, keys)
    return SignedCheckpoint(
        checkpoint=parse_checkpoint(note.text),
        note=note,
        signed_by=own,
        cosigned_by=tuple(one for one in verified if one.key.algorithm != ED25519),
    )
