"""What may be wrong with a dossier: kinds, sentences, and the list that a check fills.

Source: docs/formats/dossier.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final

from ledger.errors import LedgerError
from ledger.evidence.dossier.reading import MalformedError
from ledger.integrity.problems import IntegrityFormatError
from schemas.errors import SchemaError

FAULTS: Final[Mapping[str, str]] = {
    "container": "the zip is not one that this program writes: {reason}",
    "manifest": "the manifest is malformed: {reason}",
    "missing": "it is missing",
    "unlisted": "it is not in the manifest",
    "digest": "its SHA-256 is {found}, the manifest says {expected}",
    "stray": "nothing in the dossier calls for it",
    "form": "it cannot be read: {reason}",
    "key": "it holds no usable key of the log: {reason}",
    "signature": "the signature does not hold: {reason}",
    "quorum": "{found} witnesses of the policy have signed it; the policy asks for {expected}",
    "ledger": "{what} is {found}, expected {expected}",
    "leaf": "it is not the leaf of its record: {reason}",
    "proof": "it does not lead to the root of the checkpoint: {reason}",
    "commitment": "its SHA-256 is {found}, the leaf says {expected}",
    "content": "body and salt do not give the preimage: {reason}",
    "derived": "it is not what the record says",
    "schema": "it does not give its schema id: {reason}",
    "stream": "stream {stream}, version {version}: {reason}",
    "consistency": "the log does not continue the earlier checkpoint: {reason}",
    "fact": "it is not proved by its block: {reason}",
    "claim": "{code}: {field} is {found}, the records give {expected}",
}
"""English sentence of each kind of fault, a template over its facts."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """Something in a dossier that is not as it must be."""

    kind: str
    """A key of `FAULTS`."""
    member: str
    """Name of the member; empty for the whole file."""
    facts: Mapping[str, str] = field(default_factory=dict, hash=False)
    """What the sentence names."""

    @property
    def detail(self) -> str:
        """English sentence: what is wrong."""
        return FAULTS[self.kind].format_map(self.facts)


class FaultList:
    """The faults of one check, in the order they were found, each once."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str, str], Fault] = {}

    def add(self, kind: str, member: str, **facts: object) -> None:
        """Add a fault.

        Args:
            kind: a key of `FAULTS`.
            member: name of the member; empty for the whole file.
            facts: what the sentence names.
        """
        told = {name: str(fact) for name, fact in facts.items()}
        fault = Fault(kind=kind, member=member, facts=told)
        self._found.setdefault((kind, member, fault.detail), fault)

    def reporting(self, kind: str, member: str) -> "Reporting":
        """Return a block that turns what a reader refuses into a fault, and ends there."""
        return Reporting(self, kind, member)

    def all(self) -> tuple[Fault, ...]:
        """Return the faults."""
        return tuple(self._found.values())


class Reporting:
    """See `FaultList.reporting`."""

    def __init__(self, faults: FaultList, kind: str, member: str) -> None:
        self._faults = faults
        self._kind = kind
        self._member = member

    def __enter__(self) -> None:
        """Begin the block."""

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> bool:
        """End the block; a refusal goes no further."""
        match error:
            case MalformedError() | IntegrityFormatError() | LedgerError() | SchemaError():
                self._faults.add(self._kind, self._member, reason=error)
                return True
            case RecursionError():
                self._faults.add(self._kind, self._member, reason="nested too deeply")
                return True
            case _:
                return False
