"""Events and values of the context `acts`.

Generated from schemas/avro by `python -m schemas generate`; do not edit.
"""

import datetime as dt
from dataclasses import dataclass
from typing import ClassVar

from ledger.events.base import Event
from ledger.events.ledger import ActReference


@dataclass(frozen=True, kw_only=True, slots=True)
class ActAdopted(Event):
    """A legal act was adopted: the spine that other events cite."""

    TYPE: ClassVar[str] = "registro.acts.ActAdopted"
    KEYS: ClassVar[tuple[str, ...]] = ("act_key",)
    act_key: str
    """Identity of the act: organ/type/number/date, number empty when there is none."""
    organ: str
    """Organ that adopted the act."""
    act_type: str
    """Type of act."""
    number: str | None = None
    """Number of the act; null for acts without a number."""
    adopted_on: dt.date
    """Day of adoption."""
    subject: str
    """What the act is about."""
    effective_from: dt.date
    """First day on which the act is in force."""
    articles: tuple[str, ...] = ()
    """Articles of interest; empty when not listed."""
    amends: tuple[ActReference, ...] = ()
    """Acts that this one changes."""
    repeals: tuple[ActReference, ...] = ()
    """Acts that this one ends."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ActReferenceCorrected(Event):
    """A document cites an act wrongly; this says what was meant."""

    TYPE: ClassVar[str] = "registro.acts.ActReferenceCorrected"
    KEYS: ClassVar[tuple[str, ...]] = ("document_id",)
    document_id: str
    """Document in which the wrong citation stands."""
    locator: str
    """Place of the citation within the document."""
    cited: ActReference
    """The act as cited."""
    correct: ActReference
    """The act that was meant."""
