"""Events and values of the context `production`.

Generated from schemas/avro by `python -m schemas generate`; do not edit.
"""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from ledger.events.base import Event


@dataclass(frozen=True, kw_only=True, slots=True)
class FactSourceDeclared(Event):
    """A system that sends facts, and how its identifiers are checked."""

    TYPE: ClassVar[str] = "registro.production.FactSourceDeclared"
    KEYS: ClassVar[tuple[str, ...]] = ("source",)
    source: str
    """Name of the source; part of the stream of its facts."""
    label: str
    """What the system is."""
    window_facts: int
    """How many of its last facts are searched for a duplicate identifier, 0 for none."""
    sequential: bool
    """Whether its batches are named by a sequence of whole numbers, so that a gap is noticed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class HomogenisationCoefficientSet(Event):
    """The standard time of one piece of a product, from a day on."""

    TYPE: ClassVar[str] = "registro.production.HomogenisationCoefficientSet"
    KEYS: ClassVar[tuple[str, ...]] = ("product",)
    product: str
    """Code of the product."""
    coefficient: Decimal
    """Weight of one piece in homogenised output, in homogenised pieces; greater than 0, at most 6
    decimals."""
    valid_from: dt.date
    """First day on which pieces are weighted with it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ProductCatalogued(Event):
    """A product enters the catalogue of production, or its entry changes from a day on."""

    TYPE: ClassVar[str] = "registro.production.ProductCatalogued"
    KEYS: ClassVar[tuple[str, ...]] = ("product",)
    product: str
    """Code of the product, for example the code of a model of the procedure."""
    label: str
    """Name of the product."""
    area: str
    """Area of production, for example prestazioni, flussi, informazione; open set."""
    line: str
    """Line of the outflow index that counts it: prestazioni, flussi or none."""
    valid_from: dt.date
    """First day of the entry."""
    valid_to: dt.date | None = None
    """Last day, inclusive; null while open."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ScenarioPublished(Event):
    """A projection of the backlog under assumptions, to be compared with what came."""

    TYPE: ClassVar[str] = "registro.production.ScenarioPublished"
    KEYS: ClassVar[tuple[str, ...]] = ("scenario_id",)
    scenario_id: str
    """Identity of the scenario."""
    label: str
    """Name of the scenario."""
    unit_code: str | None = None
    """Unit it is about, with all below it; null for the whole body."""
    starts_on: dt.date
    """First day of the first month projected."""
    months: int
    """Number of months projected, 1 to 120."""
    opening_stock: Decimal
    """Stock at the start, in homogenised pieces."""
    inflow: Decimal
    """Requests received per month, in homogenised pieces."""
    staff_months: Decimal
    """Staff months present per month."""
    productivity: Decimal
    """Homogenised pieces per staff month."""
    inflow_change: Decimal
    """Change of the inflow from one month to the next, in percent."""
    stocks: tuple[Decimal, ...] = ()
    """Stock at the end of each month, in homogenised pieces, never below 0."""
    days: tuple[Decimal, ...] = ()
    """Backlog in days at the end of each month, two decimals."""


@dataclass(frozen=True, kw_only=True, slots=True)
class UnitClustered(Event):
    """A unit belongs to a cluster of comparable units, from a day on."""

    TYPE: ClassVar[str] = "registro.production.UnitClustered"
    KEYS: ClassVar[tuple[str, ...]] = ("unit_code",)
    unit_code: str
    """Code of the unit."""
    cluster: str
    """Name of the cluster; open set."""
    valid_from: dt.date
    """First day."""


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkingCalendarSet(Event):
    """How many days of a month count when a stock is turned into days."""

    TYPE: ClassVar[str] = "registro.production.WorkingCalendarSet"
    KEYS: ClassVar[tuple[str, ...]] = ("year", "month")
    year: int
    """Year."""
    month: int
    """Month, 1 to 12."""
    working_days: int
    """Working days of the month, 0 to 31."""
