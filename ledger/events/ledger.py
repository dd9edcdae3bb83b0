"""Events and values of the context `ledger`.

Generated from schemas/avro by `python -m schemas generate`; do not edit.
"""

import datetime as dt
from dataclasses import dataclass
from typing import ClassVar

from ledger.events.base import Event, Value


@dataclass(frozen=True, kw_only=True, slots=True)
class ActReference(Value):
    """A legal act, cited by what identifies it: organ, type, number and date."""

    TYPE: ClassVar[str] = "registro.ledger.ActReference"
    KEYS: ClassVar[tuple[str, ...]] = ()
    organ: str
    """Organ that adopted the act, for example CIV, CdA, DG."""
    act_type: str
    """Type of act, for example resolution, determination, circular, law."""
    number: str | None = None
    """Number of the act within its organ, type and year; null for acts without a number."""
    adopted_on: dt.date
    """Day of adoption."""
    article: str | None = None
    """Article or part that is cited; null for the whole act."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Encrypted(Value):
    """A personal value, encrypted with the key of its subject before it was hashed.

    Destroying the key erases the value and changes no byte.
    """

    TYPE: ClassVar[str] = "registro.ledger.Encrypted"
    KEYS: ClassVar[tuple[str, ...]] = ()
    scheme: str
    """Name of the cipher and its parameters, for example AES-256-GCM/v1."""
    key_id: str
    """Name of the subject's key in the key store; says nothing about the person."""
    nonce: bytes
    """Nonce of the cipher, raw bytes."""
    ciphertext: bytes
    """Encrypted UTF-8 text with its authentication tag, raw bytes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Actor(Value):
    """Who caused the event: a role within a unit; the person only encrypted."""

    TYPE: ClassVar[str] = "registro.ledger.Actor"
    KEYS: ClassVar[tuple[str, ...]] = ()
    role: str
    """Role or organ that acts, for example DG, OIV, RPCT, DCPCG."""
    unit_code: str | None = None
    """Organisation unit the role acts for; null when the role stands for the whole body."""
    person: Encrypted | None = None
    """The natural person, encrypted; null when not recorded."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BodyAssigned(Event):
    """A ledger opened without a body is bound to one, once."""

    TYPE: ClassVar[str] = "registro.ledger.BodyAssigned"
    KEYS: ClassVar[tuple[str, ...]] = ("body",)
    body: str
    """Public body the ledger belongs to."""
    title: str | None = None
    """Name shown to readers."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Source(Value):
    """Where the content of the event was taken from."""

    TYPE: ClassVar[str] = "registro.ledger.Source"
    KEYS: ClassVar[tuple[str, ...]] = ()
    system: str
    """System or channel that fed the ledger, for example cli, import, VEGA, SAP BW."""
    document: str | None = None
    """Identifier of the document the content was read from."""
    locator: str | None = None
    """Place within the document or file, as its reader noted it."""
    sha256: bytes | None = None
    """SHA-256 of the file read, 32 raw bytes."""
    read_on: dt.date | None = None
    """Day on which the source system was read, when it differs from the day of knowledge."""
    self_declared: bool | None = None
    """True when the unit measured declares its own figure; null when unknown."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Envelope(Value):
    """What every record says about itself beside its content.

    It holds period, knowledge, actor, source, legal basis and links.
    """

    TYPE: ClassVar[str] = "registro.ledger.Envelope"
    KEYS: ClassVar[tuple[str, ...]] = ()
    ref_from: dt.date | None = None
    """First day of the period described; null when no period applies."""
    ref_to: dt.date | None = None
    """Last day, inclusive, of the period described; null when no period applies."""
    as_of: dt.date
    """Day on which the body knew the content (knowledge date)."""
    vintage: str | None = None
    """Closing stage of the figures, for example BUDGET, PRE_CONSUNTIVO, RENDICONTO; open set."""
    actor: Actor
    """Who caused the event."""
    source: Source
    """Where the content comes from."""
    acts: tuple[ActReference, ...] = ()
    """Legal acts that give the event its force; empty when none is cited."""
    reason: str | None = None
    """Why, in words; mandatory for corrections."""
    supersedes: str | None = None
    """Identifier of the event that this one corrects."""
    correlation_id: str | None = None
    """Identifier shared by all events of one undertaking."""
    causation_id: str | None = None
    """Identifier of the event that led to this one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LedgerOpened(Event):
    """The ledger begins: its identity, which never changes.

    Version 1 of the stream `ledger`; before it stand only the schemas it needs.
    """

    TYPE: ClassVar[str] = "registro.ledger.LedgerOpened"
    KEYS: ClassVar[tuple[str, ...]] = ("ledger_id",)
    ledger_id: str
    """UUID of the ledger, lower-case text of 36 characters."""
    origin: str
    """Name of the log in checkpoints, a URL without scheme."""
    body: str | None = None
    """Public body the ledger belongs to; null until BodyAssigned."""
    title: str | None = None
    """Name shown to readers."""
    sandbox: bool
    """True for demonstrations, simulations and tests: shown on every screen and export."""
    language: str
    """Language of the readers, two letters, ISO 639-1."""
    currency: str
    """Currency of amounts, three letters, ISO 4217."""
    timezone: str
    """Zone in which dates are shown, IANA name."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SchemaReleased(Event):
    """A schema enters the ledger before its first use.

    A lost repository then loses no history.
    """

    TYPE: ClassVar[str] = "registro.ledger.SchemaReleased"
    KEYS: ClassVar[tuple[str, ...]] = ("full_name",)
    full_name: str
    """Avro full name of the type."""
    version: int
    """Version of the type, 1-based."""
    schema_id: bytes
    """SHA-256 of the normalised text, 32 raw bytes."""
    text: str
    """Normalised text of the schema, see docs/formats/schema-id.md."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SigningKeyPublished(Event):
    """A key that signs checkpoints of the ledger begins, gives way to another one, or ends."""

    TYPE: ClassVar[str] = "registro.ledger.SigningKeyPublished"
    KEYS: ClassVar[tuple[str, ...]] = ("key_id",)
    key_name: str
    """Name of the key in signature lines, as a rule the origin of the ledger."""
    key_id: str
    """Identifier of the key in signature lines, 8 lower-case hexadecimal digits."""
    public_key: str
    """Ed25519 public key of 32 bytes, in base64."""
    key_state: str
    """State from now on: active, retiring (still signs beside its successor) or retired."""
    valid_from: dt.datetime
    """Instant from which the state holds, UTC."""
