"""Events and values of the context `publication`.

Generated from schemas/avro by `python -m schemas generate`; do not edit.
"""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from ledger.events.base import Event


@dataclass(frozen=True, kw_only=True, slots=True)
class DocumentPublished(Event):
    """A document of the cycle was published."""

    TYPE: ClassVar[str] = "registro.publication.DocumentPublished"
    KEYS: ClassVar[tuple[str, ...]] = ("document_id",)
    document_id: str
    """Identifier of the document."""
    title: str
    """Title."""
    tag: str | None = None
    """Short tag used in locators."""
    published_on: dt.date
    """Day of publication."""
    url: str | None = None
    """Address at which it was published."""
    sha256: bytes | None = None
    """SHA-256 of the file, 32 raw bytes."""
    pages: int | None = None
    """Number of pages."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FigurePublished(Event):
    """A figure as printed in a document.

    It is compared with what events give; it is never an input.
    """

    TYPE: ClassVar[str] = "registro.publication.FigurePublished"
    KEYS: ClassVar[tuple[str, ...]] = ("figure_id", "document_id")
    figure_id: str
    """Identifier of the figure."""
    document_id: str
    """Document it stands in."""
    label: str
    """Label as printed, possibly shortened."""
    raw: str
    """Text as printed, footnote marks included; empty for totals fixed by definition."""
    value: Decimal | None = None
    """Value read from the text, in the unit of measure; null when not readable."""
    measure_unit: str
    """Unit of measure."""
    decimals: int
    """Digits printed after the decimal sign; negative when thousands or millions are printed."""
    indicator_code: str | None = None
    """Indicator the figure states, when known."""
    aspect: str | None = None
    """What of the indicator it states: value, target, deviation, achievement or weight."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FigureRestated(Event):
    """A published figure was changed by a later publication."""

    TYPE: ClassVar[str] = "registro.publication.FigureRestated"
    KEYS: ClassVar[tuple[str, ...]] = ("figure_id", "document_id")
    figure_id: str
    """Identifier of the figure."""
    document_id: str
    """Document in which the figure was printed first."""
    restated_in: str | None = None
    """Document that prints the later value."""
    old_value: Decimal
    """Value printed first, in the figure's unit of measure."""
    new_value: Decimal
    """Value printed later."""
    old_vintage: str
    """Closing stage of the first value."""
    new_vintage: str
    """Closing stage of the later value."""
    cause: str
    """Cause of the change."""
