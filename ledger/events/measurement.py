"""Events and values of the context `measurement`.

Generated from schemas/avro by `python -m schemas generate`; do not edit.
"""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from ledger.events.base import Event


@dataclass(frozen=True, kw_only=True, slots=True)
class IncentiveScaleSet(Event):
    """A scale that turns results into incentive parameters."""

    TYPE: ClassVar[str] = "registro.measurement.IncentiveScaleSet"
    KEYS: ClassVar[tuple[str, ...]] = ("scale",)
    year: int
    """Year of the performance cycle."""
    scale: str
    """Name of the scale, for example ordinary or special."""
    steps: tuple[Decimal, ...] = ()
    """Parameters of the steps, percent."""
    thresholds: tuple[Decimal, ...] = ()
    """Lower bounds of the steps, percent of the result."""


@dataclass(frozen=True, kw_only=True, slots=True)
class IndicatorDefined(Event):
    """One version of the definition of an indicator: what it means and how it is computed."""

    TYPE: ClassVar[str] = "registro.measurement.IndicatorDefined"
    KEYS: ClassVar[tuple[str, ...]] = ("indicator_code",)
    indicator_code: str
    """Indicator."""
    version: int
    """Version of the definition, 1-based, dense."""
    label: str
    """Official name, possibly shortened."""
    measure_unit: str
    """Unit of measure, for example percent, days, EUR, index."""
    decimals: int
    """Decimals of the published value; rounding is half-up."""
    direction: str
    """up: higher is better; down: lower is better."""
    deviation_rule: str
    """DR1 to DR6, see docs/indicators.md."""
    formula: str
    """Formula as canonical JSON, see docs/indicators.md."""
    parent_code: str | None = None
    """Indicator above it in the tree; null at the top."""
    valid_from: dt.date
    """First day of the periods it applies to."""
    valid_to: dt.date | None = None
    """Last day, inclusive, of the periods it applies to; null while open."""
    cap: Decimal | None = None
    """Upper bound of the achievement, percent; null when there is none."""
    basis: str
    """catalogue: stated by the body's catalogue; inferred: read off the data folder's tables."""


@dataclass(frozen=True, kw_only=True, slots=True)
class IndicatorMethodChanged(Event):
    """The method of an indicator changes between two versions."""

    TYPE: ClassVar[str] = "registro.measurement.IndicatorMethodChanged"
    KEYS: ClassVar[tuple[str, ...]] = ("indicator_code",)
    indicator_code: str
    """Indicator."""
    from_version: int
    """Version until now, 1-based."""
    to_version: int
    """Version from now on, 1-based."""
    break_in_series: bool
    """True when values of the two versions must not be compared."""
    comparability: str
    """What may be compared, in words."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MeasurementSystemAdopted(Event):
    """The system by which the year is measured (SMVP)."""

    TYPE: ClassVar[str] = "registro.measurement.MeasurementSystemAdopted"
    KEYS: ClassVar[tuple[str, ...]] = ("model",)
    year: int
    """Year of the performance cycle."""
    model: str
    """Model of public value, for example pyramid or ambits; open set."""
    title: str
    """Title."""
    oiv_opinion: str | None = None
    """Opinion of the OIV, for example favourable; null when not recorded."""
    oiv_opinion_on: dt.date | None = None
    """Day of the opinion."""


@dataclass(frozen=True, kw_only=True, slots=True)
class UnitParameterAssigned(Event):
    """A unit receives its incentive parameter; only after the year's report is validated."""

    TYPE: ClassVar[str] = "registro.measurement.UnitParameterAssigned"
    KEYS: ClassVar[tuple[str, ...]] = ("unit_code",)
    year: int
    """Year of the performance cycle."""
    unit_code: str
    """Organisation unit."""
    scale: str
    """Name of the scale."""
    parameter: Decimal
    """Parameter, percent."""
    report_id: str
    """Validated report that it rests on."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ValueNodeDefined(Event):
    """A node of a model of public value."""

    TYPE: ClassVar[str] = "registro.measurement.ValueNodeDefined"
    KEYS: ClassVar[tuple[str, ...]] = ("node_code",)
    year: int
    """Year of the performance cycle."""
    model: str
    """Model of public value."""
    node_code: str
    """Code of the node within the model and year."""
    parent_code: str | None = None
    """Node above it; null at the top."""
    label: str
    """Name."""
