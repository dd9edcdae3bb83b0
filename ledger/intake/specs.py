"""The tables of a data folder: columns, parsers, keys.

Source: docs/data-folder.md.
"""

import datetime as dt
from typing import Final

from ledger.aggregates.risks import LEVELS, MEASURE_TYPES, SCOPES
from ledger.intake.dates import date_cell
from ledger.intake.numbers import (
    decimal_cell,
    decimals_of,
    integer_between,
    year_cell,
)
from ledger.intake.problems import CellError
from ledger.intake.rows import (
    ActRow,
    DocumentRow,
    FigureRow,
    FlowRow,
    GuidelineRow,
    MeasureCountRow,
    ObjectiveRow,
    RelationRow,
    RiskCountRow,
    UnitRow,
)
from ledger.intake.tables import Cells, TableSpec, Texts
from ledger.intake.texts import choice_cell, code_cell, nullable, text_cell, words_cell

MEASURE_UNITS: Final = (
    "EUR",
    "EUR_MLN",
    "EUR_MLD",
    "count",
    "percent",
    "percent_points",
    "days",
    "hours",
    "index",
    "ratio",
    "points",
    "score",
    "year",
)
INT_MAX: Final = 2**31 - 1
"""Greatest whole number of the schemas' type `int`."""
LONG_MAX: Final = 2**63 - 1
"""Greatest whole number of the schemas' type `long`."""
RESULT_BASES: Final = ("measured", "computed", "published", "unpublished")
WEIGHT_BASES: Final = ("published", "derived", "equal", "unpublished")

_text = nullable(text_cell)
_code = nullable(code_cell)
_number = nullable(decimal_cell)
_anything = str
_count = integer_between(minimum=0, maximum=LONG_MAX)


def act_spec(today: dt.date) -> TableSpec[ActRow]:
    """`acts.csv`."""
    return TableSpec(
        file="acts.csv",
        columns={
            "organ": text_cell,
            "act_type": text_cell,
            "number": _code,
            "adopted_on": date_cell(not_after=today),
            "subject": text_cell,
            "effective_from": date_cell(),
        },
        key=("organ", "act_type", "number", "adopted_on"),
        build=lambda cells, _: ActRow(**cells),
    )


def document_spec(today: dt.date) -> TableSpec[DocumentRow]:
    """`documents.csv`."""
    return TableSpec(
        file="documents.csv",
        columns={
            "document": code_cell,
            "tag": _text,
            "title": text_cell,
            "published_on": date_cell(not_after=today),
            "act": _text,
            "vintage": _code,
        },
        key=("document",),
        build=lambda cells, _: DocumentRow(**cells),
    )


def unit_spec() -> TableSpec[UnitRow]:
    """`units.csv`."""

    def build(cells: Cells, _: Texts) -> UnitRow:
        row = UnitRow(**cells)
        needed = "count" if row.record == "TYPE" else "code"
        if getattr(row, needed) is None:
            raise CellError("empty_value", column=needed)
        return row

    return TableSpec(
        file="units.csv",
        columns={
            "record": choice_cell(("TYPE", "UNIT"), what="kind of row"),
            "unit_type": code_cell,
            "count": nullable(_count),
            "code": _code,
            "name": text_cell,
            "parent_code": _code,
        },
        key=("record", "unit_type", "code"),
        also_unique=(("code",),),
        build=build,
    )


def objective_spec(today: dt.date) -> TableSpec[ObjectiveRow]:
    """`objectives.csv`."""
    day = nullable(date_cell(not_after=today))
    return TableSpec(
        file="objectives.csv",
        columns={
            "year": year_cell,
            "code": code_cell,
            "level": code_cell,
            "parent_code": _code,
            "label": text_cell,
            "weight_pct": _number,
            "direction": choice_cell(("up", "down"), what="direction"),
            "unit": choice_cell(MEASURE_UNITS, what="unit of measure"),
            "target": _number,
            "result_pre": _number,
            "result_closing": _number,
            "as_of_pre": day,
            "as_of_closing": day,
            "result_basis": choice_cell(RESULT_BASES, what="result basis"),
            "weight_basis": nullable(choice_cell(WEIGHT_BASES, what="weight basis")),
            "planned_on": day,
            "locator": _text,
            "locator_pre": _text,
        },
        optional=frozenset({"locator_pre"}),
        key=("year", "code"),
        build=lambda cells, texts: ObjectiveRow(
            **cells,
            decimals=max(decimals_of(texts["result_pre"]), decimals_of(texts["result_closing"])),
        ),
    )


def flow_spec(today: dt.date) -> TableSpec[FlowRow]:
    """`ieep.csv`."""
    day = nullable(date_cell(not_after=today))
    return TableSpec(
        file="ieep.csv",
        columns={
            "node_code": code_cell,
            "parent_code": _code,
            "label": text_cell,
            "sign": choice_cell(("+", "-"), what="sign"),
            "target": _number,
            "target_as_of": day,
            "pre_closing": _number,
            "pre_as_of": day,
            "closing": _number,
            "closing_as_of": day,
            "target_locator": _text,
            "pre_locator": _text,
            "closing_locator": _text,
        },
        optional=frozenset({"target_locator", "pre_locator", "closing_locator"}),
        key=("node_code",),
        build=lambda cells, _: FlowRow(**cells),
    )


def guideline_spec() -> TableSpec[GuidelineRow]:
    """`guidelines.csv`."""

    def build(cells: Cells, _: Texts) -> GuidelineRow:
        rest = dict(cells)
        return GuidelineRow(guideline_class=rest.pop("class"), **rest)

    return TableSpec(
        file="guidelines.csv",
        columns={
            "year": year_cell,
            "code": code_cell,
            "label": text_cell,
            "class": code_cell,
            "oge_code": _code,
            "programme_codes": words_cell,
            "status_pct": _number,
            "footnote": _text,
            "reason_code": words_cell,
            "locator": _text,
        },
        key=("year", "code"),
        build=build,
    )


def figure_spec(today: dt.date) -> TableSpec[FigureRow]:
    """`figures.csv`."""
    return TableSpec(
        file="figures.csv",
        columns={
            "figure_id": code_cell,
            "document": code_cell,
            "label": text_cell,
            "raw": _anything,
            "value": _number,
            "unit": choice_cell(MEASURE_UNITS, what="unit of measure"),
            "decimals": integer_between(minimum=-INT_MAX, maximum=INT_MAX),
            "vintage": code_cell,
            "as_of": date_cell(not_after=today),
            "ref_from": date_cell(),
            "ref_to": date_cell(),
            "locator": _text,
        },
        key=("figure_id",),
        build=lambda cells, _: FigureRow(**cells),
    )


def relation_spec() -> TableSpec[RelationRow]:
    """`relations.csv`; the operands are parsed by the audit."""
    return TableSpec(
        file="relations.csv",
        columns={
            "relation_id": code_cell,
            "kind": code_cell,
            "result": code_cell,
            "operands": words_cell,
            "params": words_cell,
            "note": _text,
        },
        key=("relation_id",),
        build=lambda cells, _: RelationRow(**cells),
    )


def measure_count_spec() -> TableSpec[MeasureCountRow]:
    """`risk_matrix.csv`."""
    return TableSpec(
        file="risk_matrix.csv",
        columns={
            "scope": choice_cell(SCOPES, what="scope"),
            "measure_type": choice_cell(MEASURE_TYPES, what="type of measure"),
            "measures": _count,
            "locator": _text,
        },
        key=("scope", "measure_type"),
        build=lambda cells, _: MeasureCountRow(**cells),
    )


def risk_count_spec() -> TableSpec[RiskCountRow]:
    """`risk_activity.csv`."""
    return TableSpec(
        file="risk_activity.csv",
        columns={
            "activity": code_cell,
            "scope": choice_cell(SCOPES, what="scope"),
            "risk_level": nullable(choice_cell(LEVELS, what="risk level")),
            "risks": _count,
            "locator": _text,
        },
        key=("activity", "scope", "risk_level"),
        build=lambda cells, _: RiskCountRow(**cells),
    )
