"""Rows of a data folder, typed: one frozen class per table.

The columns and their meaning are documented in docs/data-folder.md; an empty cell means "not
published" and becomes None. Days are calendar days, years are of the performance cycle.
"""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, kw_only=True, slots=True)
class ActRow:
    """`acts.csv`: one legal act."""

    organ: str
    act_type: str
    number: str | None
    adopted_on: dt.date
    subject: str
    effective_from: dt.date


@dataclass(frozen=True, kw_only=True, slots=True)
class DocumentRow:
    """`documents.csv`: one published document."""

    document: str
    tag: str | None
    title: str
    published_on: dt.date
    act: str | None
    """The act that adopted it, as `ORGAN TYPE NUMBER of DATE`."""
    vintage: str | None
    """Closing stage of its figures."""


@dataclass(frozen=True, kw_only=True, slots=True)
class UnitRow:
    """`units.csv`: a count of units of one type (TYPE) or one named unit (UNIT)."""

    record: str
    unit_type: str
    count: int | None
    code: str | None
    name: str
    parent_code: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ObjectiveRow:
    """`objectives.csv`: one node of the tree of objectives and indicators of a year."""

    year: int
    code: str
    level: str
    parent_code: str | None
    label: str
    weight_pct: Decimal | None
    direction: str
    unit: str
    """Unit of measure."""
    target: Decimal | None
    result_pre: Decimal | None
    result_closing: Decimal | None
    as_of_pre: dt.date | None
    as_of_closing: dt.date | None
    result_basis: str
    weight_basis: str | None
    planned_on: dt.date | None
    locator: str | None
    """Place of the plan and of the closing result."""
    locator_pre: str | None
    """Place of the pre-closing result."""
    decimals: int
    """Decimals with which the results are printed; the most of the two."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FlowRow:
    """`ieep.csv`: one node of the tree of money flows, amounts in units of the currency."""

    node_code: str
    parent_code: str | None
    label: str
    sign: str
    target: Decimal | None
    target_as_of: dt.date | None
    pre_closing: Decimal | None
    pre_as_of: dt.date | None
    closing: Decimal | None
    closing_as_of: dt.date | None
    target_locator: str | None
    pre_locator: str | None
    closing_locator: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class GuidelineRow:
    """`guidelines.csv`: one management guideline with its status."""

    year: int
    code: str
    label: str
    guideline_class: str
    oge_code: str | None
    programme_codes: tuple[str, ...]
    status_pct: Decimal | None
    footnote: str | None
    reason_code: tuple[str, ...]
    locator: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class FigureRow:
    """`figures.csv`: one printed figure."""

    figure_id: str
    document: str
    label: str
    raw: str
    value: Decimal | None
    unit: str
    """Unit of measure."""
    decimals: int
    """Digits printed after the decimal sign; negative when thousands or millions are printed."""
    vintage: str
    as_of: dt.date
    ref_from: dt.date
    ref_to: dt.date
    locator: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class RelationRow:
    """`relations.csv`: one arithmetic relation between figures, not yet parsed."""

    relation_id: str
    kind: str
    result: str
    operands: tuple[str, ...]
    params: tuple[str, ...]
    note: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class MeasureCountRow:
    """`risk_matrix.csv`: a published number of specific measures."""

    scope: str
    measure_type: str
    measures: int
    locator: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class RiskCountRow:
    """`risk_activity.csv`: a published number of risks."""

    activity: str
    scope: str
    risk_level: str | None
    risks: int
    locator: str | None
