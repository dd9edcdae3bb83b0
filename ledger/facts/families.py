"""The families of facts: which schemas belong together, and what their columns refer to.

The schemas say types; this table says what a schema cannot: which column is a unit, between which
bounds a number lies, which day a fact belongs to. One family is one stream per source.

Invariants:
1. Every released schema of kind "fact" stands in exactly one family (tested).
2. Every schema has `source_id`, `supersedes` and `reversal`, and one day.

Source: docs/production.md; docs/adr/0008-facts.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

Range = tuple[int, int]

CENTS_MAX: Final = 10**16
"""Largest amount, in cents, of one fact."""
COUNT_MAX: Final = 10**9
PIECES: Final[Range] = (1, 10**7)
"""Pieces of one fact of movement."""
DAYS: Final[Range] = (0, 36_500)
"""Days from request to settlement."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FactRules:
    """What is asked of the columns of one schema, beyond their types."""

    name: str
    """Short name of the schema; its full name is `registro.facts.<name>`."""
    day: str
    """Column of the day that the fact belongs to."""
    units: tuple[str, ...] = ()
    """Columns with codes of units that exist on that day."""
    product: str | None = None
    """Column with the code of a product that is catalogued on that day."""
    node: str | None = None
    """Column with the code of a node of the money flows of that year."""
    ranges: Mapping[str, Range] = field(default_factory=dict)
    """Least and greatest value of number columns."""
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Allowed values of text columns."""

    @property
    def full_name(self) -> str:
        """Avro full name."""
        return f"registro.facts.{self.name}"


FAMILIES: Final[Mapping[str, tuple[FactRules, ...]]] = {
    "production": (
        FactRules(
            name="RequestReceived",
            day="received_on",
            units=("origin_unit", "routed_unit"),
            product="product",
            ranges={"pieces": PIECES},
            choices={"channel": ("web", "contact_centre", "intermediary", "office", "internal")},
        ),
        FactRules(
            name="RequestDefined",
            day="defined_on",
            units=("origin_unit", "routed_unit", "defining_unit"),
            product="product",
            ranges={"pieces": PIECES, "elapsed_days": DAYS},
        ),
        FactRules(
            name="RequestReassigned",
            day="reassigned_on",
            units=("from_unit", "to_unit"),
            product="product",
            ranges={"pieces": PIECES},
            choices={"cause": ("subsidiarity", "metaprocess", "reorganisation", "correction")},
        ),
    ),
    "stock": (
        FactRules(
            name="StockDeclared",
            day="declared_on",
            units=("unit",),
            product="product",
            ranges={"pieces": (0, COUNT_MAX)},
        ),
        FactRules(
            name="StockCounted",
            day="counted_on",
            units=("unit",),
            product="product",
            ranges={"pieces": (0, COUNT_MAX)},
        ),
        FactRules(
            name="StockAdjusted",
            day="adjusted_on",
            units=("unit",),
            product="product",
            ranges={"delta": (-COUNT_MAX, COUNT_MAX)},
        ),
    ),
    "presence": (
        FactRules(
            name="PresenceRecorded",
            day="month",
            units=("unit",),
            ranges={"staff_time": (0, COUNT_MAX)},
        ),
    ),
    "flow": (
        FactRules(
            name="FlowRecorded",
            day="accounted_on",
            units=("unit",),
            node="node",
            ranges={"amount": (-CENTS_MAX, CENTS_MAX)},
        ),
    ),
    "cost": (
        FactRules(
            name="RunningCostRecorded",
            day="accounted_on",
            units=("unit",),
            ranges={"amount": (-CENTS_MAX, CENTS_MAX)},
        ),
    ),
    "measurement": (
        FactRules(
            name="QualityMeasured",
            day="measured_on",
            units=("unit",),
            ranges={"value": (0, 10**7), "budget": (0, 10**7)},
        ),
        FactRules(
            name="SurveyAggregated",
            day="closed_on",
            ranges={"mean": (0, 10**7), "answers": (1, COUNT_MAX)},
        ),
        FactRules(
            name="AppealsCounted",
            day="counted_on",
            units=("unit",),
            ranges={"pieces": (0, COUNT_MAX)},
            choices={"system": ("INCAS", "DICA")},
        ),
        FactRules(
            name="MedicalAssessed",
            day="assessed_on",
            units=("unit",),
            ranges={"pieces": PIECES, "elapsed_days": DAYS},
        ),
    ),
}
"""Families by name, in order."""

RULES: Final[Mapping[str, FactRules]] = {
    rules.full_name: rules for family in FAMILIES.values() for rules in family
}
"""Rules by Avro full name."""

_FAMILY_OF: Final[Mapping[str, str]] = {
    rules.full_name: family for family, members in FAMILIES.items() for rules in members
}


def family_of(full_name: str) -> str:
    """Return the family of a schema.

    Raises:
        KeyError: no family has it.
    """
    return _FAMILY_OF[full_name]
