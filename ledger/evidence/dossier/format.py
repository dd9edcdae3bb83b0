"""The members of a dossier: names, what they say, and the one text that says it.

Invariants:
1. The same members give the same bytes of the zip: names are sorted, members are stored without
   compression, times are fixed.
2. One meaning has one text; `ledger.evidence.dossier.reading` refuses every other.

Source: docs/formats/dossier.md; C2SP tlog-proof and tlog-witness for the texts of proofs.
"""

import base64
import datetime as dt
import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Final

from ledger.evidence.note import Note, VerifierKey
from ledger.integrity.commitment import Preimage
from ledger.records import instant_of
from ledger.types import Digest, LeafIndex, TreeSize
from schemas.codec import decode
from schemas.registry import ReleasedSchema

FORMAT: Final = "registro/dossier/v1"
MANIFEST: Final = "MANIFEST.sha256"
CLAIMS: Final = "dossier.json"
CHECKPOINT: Final = "checkpoint"
KEYS: Final = "log.vkey"
SIGNED_TEXT: Final = "checkpoint.text"
SIGNATURE: Final = "checkpoint.sig"
PUBLIC_KEY: Final = "log.pem"
STAMP: Final = "checkpoint.tsr"
SINCE: Final = "since.checkpoint"
GROWTH: Final = "since.request"
PROOF_HEADER: Final = "c2sp.org/tlog-proof@v1"
_ZIP_TIME: Final = (1980, 1, 1, 0, 0, 0)
_UNIX: Final = 3
_MODE: Final = 0o100644 << 16
_ED25519_PREFIX: Final = bytes.fromhex("302a300506032b6570032100")
"""What stands in front of an Ed25519 key in the form that openssl reads (RFC 8410)."""

INSTRUCTIONS: Final = ("INSTRUCTIONS.txt", "ISTRUZIONI.txt")
"""Members for readers."""

SchemaOf = Callable[[bytes], ReleasedSchema]
"""Gives the schema of an id; raises a SchemaError for an unknown one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Basis:
    """A record that a figure rests on."""

    position: int
    """1-based."""
    role: str
    """What it is to the figure, for example `definition` or `target`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """What a dossier says of one indicator; decimals are texts in plain notation."""

    code: str
    label: str
    unit: str
    """Unit of measure."""
    decimals: int
    value: str | None
    value_missing: str | None
    """Code of the reason when there is no value."""
    target: str | None
    deviation_pct: str | None
    """Percent; points for the rules DR3 and DR4."""
    achievement_pct: str | None
    vintage: str | None
    definition_version: int | None
    rule: str | None
    formula: str | None
    """Formula of the definition, in the language of docs/indicators.md."""
    acts: tuple[str, ...]
    """Acts cited by the records, each once, in order of use."""
    records: tuple[Basis, ...]
    """In order of position, then role."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordMark:
    """Which record is shown, and how."""

    position: int
    """1-based."""
    whole: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class FactAddress:
    """One fact within a block."""

    position: int
    """Of the block, 1-based."""
    index: int
    """Of the fact in the block, 0-based."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """What a dossier is about, what it answers, and which records it shows."""

    ledger_id: str
    origin: str
    body: str | None
    sandbox: bool
    year: int | None
    """Year of the performance cycle; None for a dossier of facts only."""
    as_of: str | None
    """Last day of knowledge, ISO 8601; None for everything."""
    claims: tuple[Claim, ...]
    facts: tuple[FactAddress, ...]
    """In order of position, then index."""
    records: tuple[RecordMark, ...]
    """In order of position."""


def keys_text(keys: Iterable[VerifierKey]) -> bytes:
    """Return keys in their text form, one a line."""
    return "".join(f"{key.text}\n" for key in keys).encode()


def openssl_members(note: Note, keys: Sequence[VerifierKey]) -> dict[str, bytes]:
    """Return what openssl needs to check a note: signed text, signature, public key.

    The signature is that of the first key that has signed; none without such a key.
    """
    for key in keys:
        for one in note.signatures:
            if (one.name, one.key_id) == (key.name, key.key_id):
                der = base64.b64encode(_ED25519_PREFIX + key.public).decode()
                pem = f"-----BEGIN PUBLIC KEY-----\n{der}\n-----END PUBLIC KEY-----\n"
                return {
                    SIGNED_TEXT: note.text.encode(),
                    SIGNATURE: one.blob,
                    PUBLIC_KEY: pem.encode(),
                }
    return {}


def record_path(position: int) -> str:
    """Return the name of a record's members, without suffix."""
    return f"records/{position:012d}"


def fact_path(address: FactAddress) -> str:
    """Return the name of a disclosed fact's members, without suffix."""
    return f"facts/{address.position:012d}.{address.index}"


def schema_path(schema_id: bytes) -> str:
    """Return the name of a schema's member."""
    return f"schemas/{schema_id.hex()}.avsc"


def steps_text(steps: Iterable[Digest]) -> bytes:
    """Return the steps of a proof, one a line in base64."""
    return "".join(f"{base64.b64encode(step).decode()}\n" for step in steps).encode()


def proof_text(index: LeafIndex, steps: Iterable[Digest], checkpoint: bytes) -> bytes:
    """Return an inclusion proof as C2SP tlog-proof has it."""
    head = f"{PROOF_HEADER}\nindex {index}\n".encode()
    return head + steps_text(steps) + b"\n" + checkpoint


def growth_text(old: TreeSize, steps: Iterable[Digest], checkpoint: bytes) -> bytes:
    """Return a consistency proof as the request add-checkpoint of C2SP tlog-witness has it."""
    return f"old {old}\n".encode() + steps_text(steps) + b"\n" + checkpoint


def claims_text(asked: Question) -> bytes:
    """Return the member that says what the dossier is about and which records it shows."""
    return view({"format": FORMAT, **asdict(asked)})


def view(value: object) -> bytes:
    """Return a value as the JSON that people read: one form for each value."""
    return (json.dumps(_plain(value), ensure_ascii=False, indent=1) + "\n").encode()


def _plain(value: object) -> object:
    match value:
        case None | bool() | str() | int():
            return value
        case Decimal():
            return format(value, "f")
        case dt.date():
            return value.isoformat()
        case bytes():
            return value.hex()
        case Mapping():
            return {str(key): _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case _:
            return str(value)


def manifest_of(members: Mapping[str, bytes]) -> bytes:
    """Return the digests of all members but the manifest, as sha256sum writes them."""
    lines = [
        f"{hashlib.sha256(members[name]).hexdigest()}  {name}\n"
        for name in sorted(members)
        if name != MANIFEST
    ]
    return "".join(lines).encode()


def pack(members: Mapping[str, bytes]) -> bytes:
    """Return the zip of members and their manifest: the same members give the same bytes."""
    return zipped({**members, MANIFEST: manifest_of(members)})


def zipped(members: Mapping[str, bytes]) -> bytes:
    """Return the zip of members as they are."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for name, content in sorted(members.items()):
            info = zipfile.ZipInfo(name, date_time=_ZIP_TIME)
            info.create_system = _UNIX
            info.external_attr = _MODE
            archive.writestr(info, content)
    return packed.getvalue()


def record_view(fields: Preimage, position: int, content: bytes | None, schema: SchemaOf) -> bytes:
    """Return a record as people read it; the content only of one that is shown whole.

    Raises:
        SchemaError: a schema is unknown, or a body is not written in its own.
    """
    whole = {} if content is None else {"event": decode(schema(fields.schema_id), content)}
    return view(
        {
            "position": position,
            "recorded_at": instant_of(fields.recorded_at),
            "stream": fields.stream,
            "stream_version": fields.stream_version,
            "type": fields.event_type,
            "events": fields.event_count,
            "envelope": decode(schema(fields.envelope_schema_id), fields.envelope),
            **whole,
        }
    )


def fact_view(fields: Preimage, body: bytes, schema: SchemaOf) -> bytes:
    """Return a disclosed fact as people read it.

    Raises:
        SchemaError: the schema is unknown, or the body is not written in it.
    """
    return view({"type": fields.event_type, "fact": decode(schema(fields.schema_id), body)})
