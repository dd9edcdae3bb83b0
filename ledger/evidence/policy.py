"""Witnesses: whom to believe, how many must have signed, and what is sent to them.

A policy file is TOML:

    log = ["NAME+ID+KEY"]       public keys of the log
    quorum = 1                  how many witnesses must have signed
    [witnesses]
    "name of the witness" = "NAME+ID+KEY"

Invariant: two witnesses never share a public key: their signatures do not say which of them signed.

Source: C2SP tlog-cosignature, tlog-witness, tlog-policy (for the idea); docs/formats/checkpoint.md.
"""

import base64
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ledger.evidence.checkpoint import SignedCheckpoint, open_checkpoint
from ledger.evidence.keyid import COSIGNATURE, ED25519
from ledger.evidence.note import (
    Note,
    Signature,
    Verified,
    VerifierKey,
    missing_signature,
    parse_signatures,
    parse_verifier,
    verified_signatures,
)
from ledger.evidence.problems import KeyFormatError, NoteFormatError, PolicyError
from ledger.integrity.merkle import consistency_proof
from ledger.types import Digest, TreeSize

POLICY_BYTES_MAX: Final = 2**18
PROOF_LINES_MAX: Final = 63
_KEYS: Final = frozenset({"log", "quorum", "witnesses"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Policy:
    """Whom a reader of checkpoints believes."""

    log: tuple[VerifierKey, ...]
    """Keys of the log."""
    witnesses: Mapping[str, VerifierKey]
    """Keys of the witnesses, by the name that the policy gives them."""
    quorum: int
    """How many of them must have signed; 0 asks for none."""


def read_policy(path: Path) -> Policy:
    """Read a policy file.

    Raises:
        PolicyError: it cannot be read, or does not say what a policy says.
    """
    try:
        with path.open("rb") as file:
            return parse_policy(file.read(POLICY_BYTES_MAX).decode(), name=path.name)
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyError(file=path.name, reason=str(error)) from error


def parse_policy(text: str, *, name: str = "policy") -> Policy:
    """Read the text of a policy file.

    Args:
        text: TOML.
        name: for messages.

    Raises:
        PolicyError: it does not say what a policy says.
    """
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PolicyError(file=name, reason=str(error)) from error
    unknown = sorted(set(content) - _KEYS)
    if unknown:
        raise PolicyError(file=name, reason=f"unknown keys: {', '.join(unknown)}")
    log, witnesses, quorum = content.get("log"), content.get("witnesses", {}), content.get("quorum")
    if not isinstance(log, list) or not log:
        raise PolicyError(file=name, reason="log is a list of public keys")
    if not isinstance(witnesses, dict):
        raise PolicyError(file=name, reason="witnesses is a table of names and public keys")
    if type(quorum) is not int or not 0 <= quorum <= len(witnesses):
        raise PolicyError(file=name, reason="quorum is a number from 0 to that of the witnesses")
    policy = Policy(
        log=tuple(_key(one, ED25519, name) for one in log),
        witnesses={who: _key(one, COSIGNATURE, name) for who, one in witnesses.items()},
        quorum=quorum,
    )
    if len({key.public for key in policy.witnesses.values()}) != len(witnesses):
        raise PolicyError(file=name, reason="two witnesses share one public key")
    return policy


def _key(text: object, algorithm: int, name: str) -> VerifierKey:
    try:
        key = parse_verifier(text if isinstance(text, str) else "")
    except KeyFormatError as error:
        raise PolicyError(file=name, reason=str(error)) from error
    if key.algorithm != algorithm:
        wanted = "a log" if algorithm == ED25519 else "a witness"
        raise PolicyError(file=name, reason=f"{key.label} is not a key of {wanted}")
    return key


def open_under(data: bytes, policy: Policy) -> SignedCheckpoint:
    """Read a checkpoint with the keys of a policy; the caller looks at the quorum.

    Raises:
        SignatureInvalidError: a known signature does not fit.
        SignatureMissingError: no key of the log has signed.
    """
    return open_checkpoint(data, policy.log, witnesses=policy.witnesses.values())


def witnesses_of(signed: SignedCheckpoint, policy: Policy) -> Mapping[str, int]:
    """Return which witnesses of a policy have signed, with their times in seconds since 1970."""
    times = {one.key: one.at or 0 for one in signed.cosigned_by}
    return {who: times[key] for who, key in policy.witnesses.items() if key in times}


def cosignatures(lines: str, note: Note, witnesses: Sequence[VerifierKey]) -> tuple[Verified, ...]:
    """Return the checked signatures of known witnesses in the answer of one.

    Args:
        lines: signature lines, each with its newline.
        note: the checkpoint that they sign.
        witnesses: keys that are known.

    Raises:
        NoteFormatError: the lines are none.
        SignatureInvalidError: a known witness's signature does not fit this checkpoint.
        SignatureMissingError: no known witness has signed.
    """
    answer = Note(text=note.text, signatures=parse_signatures(lines))
    verified = verified_signatures(answer, witnesses)
    if not verified:
        raise missing_signature(answer, witnesses)
    return verified


def with_signatures(note: Note, added: Sequence[Signature]) -> bytes:
    """Return a note with signatures added; one of the same key takes the place of the old one."""
    replaced = {(one.name, one.key_id) for one in added}
    kept = [one for one in note.signatures if (one.name, one.key_id) not in replaced]
    return (note.text + "\n" + "".join(one.line for one in (*kept, *added))).encode()


def witness_request(hashes: Sequence[Digest], old_size: TreeSize, checkpoint: bytes) -> bytes:
    """Return the body that asks a witness for its signature.

    Args:
        hashes: leaf hashes of the tree of the checkpoint, in order.
        old_size: of the last checkpoint that the witness signed; 0 for none.
        checkpoint: the signed note.

    Raises:
        ProofError: the old size is beyond the tree.
        NoteFormatError: the proof is longer than a witness reads.
    """
    proof = consistency_proof(hashes, old_size) if old_size else ()
    if len(proof) > PROOF_LINES_MAX:
        raise NoteFormatError(reason=f"a proof of {len(proof)} lines")
    lines = [f"old {old_size}", *(base64.b64encode(one).decode() for one in proof), ""]
    return "".join(f"{line}\n" for line in lines).encode() + checkpoint
