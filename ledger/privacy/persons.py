"""The persons of one ledger: seal a name under its subject, open it again while that is allowed.

Invariants:
1. The ledger decides before the key does: a subject whose erasure is recorded is never opened and
   never sealed for again, whatever keys a restored copy brings back.
2. A name that is erased and then recorded again belongs to a new subject with a new key.
3. What a command is known by (its key, its digest) holds the subject, never a ciphertext: the same
   request is the same although each nonce is new.

Source: rulings 11; docs/adr/0012-personal-data.md.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from ledger.aggregates.base import Proposal
from ledger.aggregates.subjects import subject_stream
from ledger.clock import Entropy
from ledger.errors import InvalidCommandError
from ledger.events.ledger import ActReference, Encrypted
from ledger.events.privacy import SubjectErased
from ledger.feed import RecordedEvent
from ledger.privacy.cipher import ACTOR_PERSON, TEXT_BYTES_MAX, Place, seal, unseal
from ledger.privacy.errors import PersonalValueError
from ledger.privacy.keystore import KeyStore, SubjectKey, new_key
from ledger.session import History


@dataclass(frozen=True, kw_only=True, slots=True)
class Readable:
    """The key is here and opens the value."""

    subject_id: str
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Erased:
    """The subject was erased; whether a key turns up again does not matter."""

    subject_id: str
    position: int
    """Position of the erasure."""
    acts: tuple[ActReference, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Locked:
    """The key is not here."""

    subject_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Damaged:
    """The key is here and does not open the value."""

    subject_id: str


Person: TypeAlias = Readable | Erased | Locked | Damaged
"""What a reader is told about an encrypted person."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Signer:
    """The person in whose name events are about to be recorded."""

    name: str
    key: SubjectKey
    fresh: bool
    """Whether the key is new: it is kept only once the events are accepted."""
    instead_of: str | None = None
    """Subject that the name led to before."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Signed:
    """Proposals with their person sealed in."""

    proposals: tuple[Proposal, ...]
    facts: object
    """What the same request is known by, see the module's invariant 3."""


class Persons:
    """Seals and opens the names of one ledger's persons."""

    def __init__(self, history: History, *, ledger_id: str, keys: KeyStore | None) -> None:
        """Take a ledger's events, its identity, and its keys: None when they are not here."""
        self._history = history
        self._ledger_id = ledger_id
        self._keys = keys
        self._erasures: dict[str, RecordedEvent | None] = {}

    @property
    def keys(self) -> KeyStore | None:
        """The file of the keys; None when it is not here."""
        return self._keys

    def erasure(self, subject_id: str) -> RecordedEvent | None:
        """Return the record that erased a subject; None while there is none."""
        if subject_id not in self._erasures:
            stream = subject_stream(subject_id)
            events = self._history.streams_events([stream]).get(stream, ())
            found = (one for one in events if isinstance(one.event, SubjectErased))
            self._erasures[subject_id] = next(found, None)
        return self._erasures[subject_id]

    def open(self, value: Encrypted, *, path: str = ACTOR_PERSON) -> Person:
        """Return what may be told of an encrypted person."""
        subject_id = value.key_id
        erasure = self.erasure(subject_id)
        if erasure is not None:
            return Erased(
                subject_id=subject_id, position=erasure.position, acts=erasure.envelope.acts
            )
        known = None if self._keys is None else self._keys.key(subject_id)
        if known is None or known.key is None:
            return Locked(subject_id=subject_id)
        try:
            text = unseal(value, key=known.key, place=self._place(subject_id, path))
        except PersonalValueError:
            return Damaged(subject_id=subject_id)
        return Readable(subject_id=subject_id, text=text)

    def signer(self, name: str, *, entropy: Entropy, now: dt.datetime) -> Signer:
        """Return the subject of a name, a new one for a name that is new or was erased.

        Raises:
            InvalidCommandError: the name is empty, too long, or holds unprintable characters.
        """
        plain = " ".join(name.split())
        if not plain or not plain.isprintable() or len(plain.encode()) > TEXT_BYTES_MAX:
            raise InvalidCommandError(
                subject="person",
                field="--person",
                value=name[:40],
                reason="it is empty or holds characters that cannot be printed",
            )
        known = None if self._keys is None else self._keys.find(plain)
        if known is not None and known.key is not None and self.erasure(known.subject_id) is None:
            return Signer(name=plain, key=known, fresh=False)
        return Signer(
            name=plain,
            key=new_key(entropy=entropy, now=now),
            fresh=True,
            instead_of=None if known is None else known.subject_id,
        )

    def seal(self, signer: Signer, *, entropy: Entropy, path: str = ACTOR_PERSON) -> Encrypted:
        """Return the encrypted name of a signer, each time with another nonce."""
        subject_id, key = signer.key.subject_id, signer.key.key
        if key is None:
            raise PersonalValueError(subject=subject_id, path=path, reason="its key is destroyed")
        place = self._place(subject_id, path)
        return seal(signer.name, key=key, place=place, entropy=entropy)

    def sign(self, signer: Signer, proposals: Sequence[Proposal], *, entropy: Entropy) -> Signed:
        """Return proposals with the signer as the person who acts."""
        facts = [[one.event.TYPE, one.event, one.envelope] for one in proposals]
        sealed = tuple(
            replace(
                one,
                envelope=replace(
                    one.envelope,
                    actor=replace(one.envelope.actor, person=self.seal(signer, entropy=entropy)),
                ),
            )
            for one in proposals
        )
        return Signed(proposals=sealed, facts=[*facts, {"person": signer.key.subject_id}])

    def _place(self, subject_id: str, path: str) -> Place:
        return Place(ledger_id=self._ledger_id, subject_id=subject_id, path=path)
