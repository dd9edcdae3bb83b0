"""Events and values of the context `results`.

Generated from schemas/avro by `python -m schemas generate`; do not edit.
"""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from ledger.events.base import Event


@dataclass(frozen=True, kw_only=True, slots=True)
class FlowNodeDefined(Event):
    """A node of the tree of money flows."""

    TYPE: ClassVar[str] = "registro.results.FlowNodeDefined"
    KEYS: ClassVar[tuple[str, ...]] = ("node_code",)
    year: int
    """Year of the performance cycle."""
    node_code: str
    """Code of the node."""
    parent_code: str | None = None
    """Node above it; null at the top."""
    label: str
    """Name."""
    sign: str
    """+ or -: how the node enters its parent."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MoneyFlowRecorded(Event):
    """The amount of a node of the money flows, as known on the envelope's as_of.

    Every node is a recorded amount, parents included.
    """

    TYPE: ClassVar[str] = "registro.results.MoneyFlowRecorded"
    KEYS: ClassVar[tuple[str, ...]] = ("node_code",)
    year: int
    """Year of the performance cycle."""
    node_code: str
    """Code of the node."""
    unit_code: str | None = None
    """Organisation unit; null for the whole body."""
    amount: Decimal
    """Amount, in the ledger's currency, unsigned by the node's sign."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PeriodClosed(Event):
    """No more results are recorded for a period; later ones are corrections."""

    TYPE: ClassVar[str] = "registro.results.PeriodClosed"
    KEYS: ClassVar[tuple[str, ...]] = ()
    year: int
    """Year of the performance cycle."""
    period_from: dt.date
    """First day."""
    period_to: dt.date
    """Last day, inclusive."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PeriodOpened(Event):
    """Results may be recorded for a period."""

    TYPE: ClassVar[str] = "registro.results.PeriodOpened"
    KEYS: ClassVar[tuple[str, ...]] = ()
    year: int
    """Year of the performance cycle."""
    period_from: dt.date
    """First day."""
    period_to: dt.date
    """Last day, inclusive."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ResultRecorded(Event):
    """A measured result of an indicator, as known on the envelope's as_of."""

    TYPE: ClassVar[str] = "registro.results.ResultRecorded"
    KEYS: ClassVar[tuple[str, ...]] = ("indicator_code",)
    year: int
    """Year of the performance cycle."""
    indicator_code: str
    """Indicator."""
    unit_code: str | None = None
    """Organisation unit; null for the whole body."""
    value: Decimal | None = None
    """Result, in the indicator's unit of measure; null when there is none."""
    missing_reasons: tuple[str, ...] = ()
    """Codes that say why there is no value; empty when there is one."""
