"""What a check of the ledger may find: kinds, reasons and the facts that each sentence names.

The English sentence is built here; `app.texts.discrepancies` gives the Italian one from the same
reason and facts, so that no layer below `app` knows a language.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

DETAILS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "format": "format {expected} expected, found {found}",
        "guard": "the guard {name} is missing or altered",
        "position": "position {expected} expected, found {found}",
        "unreadable": "{error}",
        "commitment": "the stored commitment is {stored}, the payload gives {computed}",
        "inner_root": "the stored inner root is {stored}, the payload gives {computed}",
        "column_type": "{column} is of type {type}",
        "time": "recorded before the record in front of it",
        "version": "version {expected} of the stream expected, found {found}",
        "part_place": "part {part} of append {key} is out of place",
        "parts": "the append that begins at {begin} has {found} of {expected} parts",
        "not_canonical": "{name} is not in its canonical form",
        "block_type": "a block of {stored} was written with the schema of {found}",
        "schema_text": "the text of {name} does not give its schema id",
        "no_schema": "the text of {name} is no schema: {error}",
        "no_identity": "{value} is no ledger identity",
        "not_released": "schema {schema} is not released in this ledger",
        "kept_longer": (
            "the kept head covers {kept} records, the ledger holds {found}: records were removed"
        ),
        "kept_root": (
            "up to position {kept} the root is {found}; the kept head says {expected}: records "
            "were changed"
        ),
        "root_unknown": (
            "there is no root to compare with: the identity of the ledger, which every leaf holds, "
            "cannot be read"
        ),
        "signature_bad": "the signature of {key} does not fit the text",
        "signature_unknown": (
            "none of the known keys ({known_keys}) has signed; signed by: {signed_by}"
        ),
        "checkpoint_origin": "a checkpoint of {found}; the ledger is {expected}",
        "checkpoint_longer": (
            "the checkpoint covers {expected} records, there are {found}: records were removed"
        ),
        "checkpoint_root": (
            "over {size} records the root is {found}; the checkpoint says {expected}: records were "
            "changed"
        ),
        "quorum": "{found} witnesses of the policy have signed; it asks for {expected}",
        "log_unreadable": "{path}: {why}",
        "tile_hash": "{path}, hash {place}: the entries give {expected}, the tile says {found}",
        "entry_form": "{path}: the entry is no leaf: {why}",
        "entry_ledger": "{path}: the entry is of ledger {found}, the log of {expected}",
        "entry_position": "{path}: the entry is of position {found}, its place is {expected}",
        "ledger_shorter": "the log covers {expected} records, the ledger holds {found}",
        "model_row": "{table}, row {address}: {expected} expected, found {found}",
        "model_rows": "{table}: {found} more rows differ",
        "model_events": "{table} counts {found} events, the ledger {expected}",
        "model_digest": "{table}: the digest kept is {expected}, the rows give {found}",
        "model_ahead": "{table} stands at position {found}, the ledger ends at {expected}",
        "model_unreadable": "{table} cannot be compared: {error}",
        "topic_message": "message {address} of the topics is not as the ledger writes it",
        "topic_end": (
            "behind position {position} the topics hold messages of no whole append, and {found} "
            "that are not of this ledger"
        ),
        "ledger_unreadable": "the ledger is there and cannot be read: {error}",
        "ledger_differs": "the ledger gives the commitment {expected}, the log says {found}",
    }
)
"""English sentence of each reason, a template over its facts."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Discrepancy:
    """Something that is not as it must be."""

    kind: str
    """Stable name; docs/operating.md explains each."""
    position: str
    """Position of the record as stored; empty for the store as a whole."""
    stream: str
    reason: str
    """A key of `DETAILS`: which sentence tells it."""
    facts: Mapping[str, str] = field(default_factory=dict, hash=False)
    """What the sentence names."""
    cause: Exception | None = field(default=None, compare=False)
    """The error that a reader met, when there was one."""

    @property
    def detail(self) -> str:
        """English sentence: what was expected, what was found."""
        return DETAILS[self.reason].format_map(self.facts)
