"""What the audit says of one relation, and the count of what it said.

Source: docs/data-folder.md, verdicts; the README of the worked example, `params`.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType

from projections.arithmetic.figures import FigureId
from projections.arithmetic.interval import Bounds
from projections.arithmetic.relations import RelationId, RelationKind


class Verdict(StrEnum):
    """The outcome of checking one relation."""

    EXACT = "exact"
    """Computed, rounded half-up to the printed decimals, it is the printed figure."""
    ROUNDING = "rounding"
    """Not equal, but the printed operands or the tolerance leave room for the difference."""
    INCONSISTENT = "inconsistent"
    """The printed figure does not follow from the printed operands."""
    RESTATED = "restated"
    """It differs between two dates of knowledge, which is legitimate."""
    OTHER_SCOPE = "other_scope"
    """It differs between two scopes, which is legitimate."""
    DOUBTFUL = "doubtful"
    """A plausibility check fails; no identity is broken."""
    NOT_COMPUTABLE = "not_computable"
    """The relation cannot be checked; the reason says why."""


class Reason(StrEnum):
    """Why a verdict was given; texts in both languages stand in `app`."""

    EQUAL = "equal"
    """The rounded computed value is the printed one."""
    WITHIN_INTERVAL = "within_interval"
    """Some value that the printed operands allow rounds to the printed one."""
    WITHIN_TOLERANCE = "within_tolerance"
    """The difference is not larger than the tolerance of the relation."""
    BEYOND_INTERVAL = "beyond_interval"
    """No value that the printed operands allow rounds to the printed one."""
    RESULT_MISSING = "result_missing"
    """There is no figure of the name given as result."""
    RESULT_WITHOUT_VALUE = "result_without_value"
    """The result is not published."""
    OPERAND_MISSING = "operand_missing"
    """There is no figure of the name given as operand."""
    OPERAND_WITHOUT_VALUE = "operand_without_value"
    """An operand is not published."""
    PRECISION_CONTRADICTED = "precision_contradicted"
    """A figure has a value that cannot be printed with the decimals stated for it."""
    UNITS_DIFFER = "units_differ"
    """The units of the figures cannot be brought to one dimension."""
    DIVISION_BY_ZERO = "division_by_zero"
    """The divisor, or the sum of the weights, is zero."""
    DIVISOR_REACHES_ZERO = "divisor_reaches_zero"
    """The printed operands allow a zero divisor, so that nothing can be excluded."""


@dataclass(frozen=True, kw_only=True, slots=True)
class OperandReading:
    """An operand as the audit read it."""

    figure_id: FigureId
    weight: Decimal
    """Sign or weight with which it enters."""
    printed: Decimal | None
    """Its value, in its own unit; None when there is none."""
    unit: str | None
    """None when there is no figure of this name."""
    locator: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class RelationVerdict:
    """The outcome for one relation, with everything a reader needs to repeat it.

    Numbers are in the unit of the result. Zero never has a sign.
    """

    relation_id: RelationId
    kind: RelationKind
    verdict: Verdict
    reason: Reason
    subject: FigureId | None
    """The figure at fault, where one alone is."""
    result: FigureId
    printed: Decimal | None
    computed: Decimal | None
    """Rounded half-up to the printed decimals; None when it cannot be computed."""
    computed_unrounded: Decimal | None
    """In full, or cut 20 digits after the printed ones when it has no end."""
    interval: Bounds | None
    """What the printed operands allow; None when it cannot be computed or has no bounds."""
    unit: str | None
    locator: str | None
    """Of the result."""
    operands: tuple[OperandReading, ...]
    """In the order of the relation."""
    note: str


def summarise(verdicts: Iterable[RelationVerdict]) -> Mapping[Verdict, int]:
    """Return how often each verdict was given, all of them, in the order of `Verdict`."""
    counts = Counter(each.verdict for each in verdicts)
    return MappingProxyType({verdict: counts[verdict] for verdict in Verdict})
