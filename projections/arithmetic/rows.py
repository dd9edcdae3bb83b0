"""From the rows of `figures.csv` and `relations.csv` to what the audit checks.

Invariants:
1. Every problem is found in one pass and names file, line, column and value.
2. A row with an error is left out. A relation that names an unknown figure only gets a warning:
   it is audited and its verdict is "not computable", so that no claim disappears.
3. Neither a ledger nor any other file of the folder is needed.

Source: docs/data-folder.md; ruling 18 for relations whose figures are missing.
"""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Final, assert_never

from ledger.intake import specs
from ledger.intake.catalogue import FILE as CATALOGUE_FILE
from ledger.intake.dataset import list_folder
from ledger.intake.folder import TABLES
from ledger.intake.hierarchy import dangling_rows
from ledger.intake.problems import Problem, closest, problem
from ledger.intake.rows import FigureRow, RelationRow
from ledger.intake.tables import Row, TableResult, read_table
from projections.arithmetic.figures import DIGITS_MAX, FigureId, InvalidFigureError, PrintedFigure
from projections.arithmetic.relations import (
    PARAMS,
    InvalidRelationError,
    Relation,
    RelationFault,
    RelationKind,
    operands_of,
    read_relation,
)

_FIGURE: Final = "figure"
_ACCEPTED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "tolerance": "N (N >= 0)",
        "base": "increment",
        "compare": "vintage|scope",
        "expect": "agreement",
    }
)
"""What each parameter takes, written so that it reads the same in every language."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditTables:
    """What a folder offers to the audit, and what is wrong with the rest."""

    figures: tuple[PrintedFigure, ...]
    """Of the rows without error, in file order."""
    relations: tuple[Relation, ...]
    """Likewise."""
    problems: tuple[Problem, ...]
    """Of the folder, then of the figures, then of the relations, each in line order."""

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that keep something out of the audit."""
        return tuple(one for one in self.problems if one.severity == "error")


def read_audit_tables(folder: Path, *, today: dt.date) -> AuditTables:
    """Read the two tables of a folder that the audit needs.

    Args:
        folder: any folder with `figures.csv` and `relations.csv`; a missing file is a problem.
        today: present day in the body's time zone; later knowledge is refused.

    Raises:
        DatasetError: there is no such folder.
    """
    listing = list_folder(folder, tables=TABLES, others=(CATALOGUE_FILE,))
    figure_spec, relation_spec = specs.figure_spec(today), specs.relation_spec()
    tables = from_tables(
        read_table(folder / figure_spec.file, figure_spec),
        read_table(folder / relation_spec.file, relation_spec),
    )
    return replace(tables, problems=(*listing.problems, *tables.problems))


def from_tables(
    figures: TableResult[FigureRow], relations: TableResult[RelationRow]
) -> AuditTables:
    """Turn the rows of both tables into figures and relations.

    Args:
        figures: `figures.csv`, as `read_table` or `read_folder` read it.
        relations: `relations.csv`, likewise.
    """
    figures_read: list[PrintedFigure] = []
    figure_problems = list(figures.problems)
    for row in figures.rows:
        figure = _figure(row, figures.file)
        if isinstance(figure, Problem):
            figure_problems.append(figure)
        else:
            figures_read.append(figure)
            figure_problems += _contradictions(row, figure, figures.file)
    relations_read: list[Row[Relation]] = []
    relation_problems = list(relations.problems)
    for line in relations.rows:
        relation = _relation(line.value)
        if isinstance(relation, Relation):
            relations_read.append(Row(record=line.record, texts=line.texts, value=relation))
        else:
            relation_problems += (_fault_problem(one, line, relations.file) for one in relation)
    # A figure of a refused row is known, though not fit: its own problem says enough.
    known = frozenset(row.value.figure_id for row in figures.rows)
    if known:
        # Without a single figure the table of figures says why, once and not for every name.
        relation_problems += _dangling(relations_read, relations.file, known)
    return AuditTables(
        figures=tuple(figures_read),
        relations=tuple(row.value for row in relations_read),
        problems=(*_by_line(figure_problems), *_by_line(relation_problems)),
    )


def _figure(row: Row[FigureRow], file: str) -> PrintedFigure | Problem:
    cells = row.value
    try:
        return PrintedFigure(
            figure_id=FigureId(cells.figure_id),
            document=cells.document,
            label=cells.label,
            raw=cells.raw,
            value=cells.value,
            unit=cells.unit,
            decimals=cells.decimals,
            vintage=cells.vintage,
            as_of=cells.as_of,
            ref_from=cells.ref_from,
            ref_to=cells.ref_to,
            locator=cells.locator,
        )
    except InvalidFigureError as error:
        return _figure_problem(error, row, file)


def _figure_problem(error: InvalidFigureError, row: Row[FigureRow], file: str) -> Problem:
    facts: dict[str, object] = {"limit": DIGITS_MAX}
    if error.field != "decimals":
        code = "too_many_digits"
        facts["digits"] = len((row.value.value or Decimal(0)).as_tuple().digits)
    elif row.value.decimals > 0:
        code = "above_maximum"
    else:
        code, facts = "below_minimum", {"limit": -DIGITS_MAX}
    return problem(
        code,
        file=file,
        line=row.line,
        column=error.field,
        value=row.texts.get(error.field, error.value),
        facts=facts,
    )


def _contradictions(row: Row[FigureRow], figure: PrintedFigure, file: str) -> Iterator[Problem]:
    if figure.value is None or figure.is_on_grid:
        return
    yield problem(
        "precision_contradicted",
        file=file,
        line=row.line,
        column="decimals",
        value=str(figure.decimals),
        severity="warning",
        facts={"number": format(figure.value, "f"), "decimals": figure.decimals},
    )


def _relation(cells: RelationRow) -> Relation | tuple[InvalidRelationError, ...]:
    return read_relation(
        relation_id=cells.relation_id,
        kind=cells.kind,
        result=cells.result,
        operands=cells.operands,
        params=cells.params,
        note=cells.note,
    )


def _fault_problem(error: InvalidRelationError, row: Row[RelationRow], file: str) -> Problem:
    code, facts = _code_and_facts(error, row.value)
    whole_cell = error.fault is RelationFault.OPERAND_COUNT
    return problem(
        code,
        file=file,
        line=row.line,
        column=error.field,
        value=row.texts.get(error.field) if whole_cell else error.value,
        facts=facts,
    )


def _code_and_facts(
    error: InvalidRelationError, cells: RelationRow
) -> tuple[str, Mapping[str, object]]:
    """Return the code of `ledger.intake.reasons` and the facts that its texts name."""
    param = error.value.partition("=")[0]
    match error.fault:
        case RelationFault.UNKNOWN_KIND:
            return "unknown_choice", _choice("kind", error.value, [*RelationKind])
        case RelationFault.UNKNOWN_PARAM:
            return "unknown_choice", _choice("parameter", param, PARAMS)
        case RelationFault.EMPTY_NAME:
            return "empty_value", {}
        case RelationFault.OPERAND_COUNT:
            facts = {"kind": cells.kind, "found": len(cells.operands)}
            return error.fault, {**facts, "expected": _expected(RelationKind(cells.kind))}
        case RelationFault.MALFORMED_OPERAND:
            return error.fault, {"kind": cells.kind, "form": _form(RelationKind(cells.kind))}
        case RelationFault.MALFORMED_WEIGHT:
            return error.fault, {"limit": DIGITS_MAX}
        case RelationFault.BAD_PARAM_VALUE:
            return error.fault, {"param": param, "accepted": _ACCEPTED[param]}
        case RelationFault.REPEATED_PARAM | RelationFault.PARAM_NOT_FOR_KIND:
            return error.fault, {"param": param, "kind": cells.kind}
        case RelationFault.MISSING_WEIGHT | RelationFault.RESULT_AMONG_OPERANDS:
            return error.fault, {}
        case _:
            assert_never(error.fault)


def _choice(what: str, text: str, choices: Sequence[str]) -> Mapping[str, object]:
    return {"what": what, "choices": ", ".join(choices), "near": closest(text, choices)}


def _expected(kind: RelationKind) -> str:
    least, most = operands_of(kind)
    return str(least) if least == most else f">= {least}"


def _form(kind: RelationKind) -> str:
    match kind:
        case RelationKind.SUM:
            return "+figure -figure"
        case RelationKind.WEIGHTED_MEAN_PCT:
            return "WEIGHT*figure"
        case _:
            return _FIGURE


def _dangling(rows: Sequence[Row[Relation]], file: str, known: frozenset[str]) -> Iterator[Problem]:
    """Yield a warning for every name of no figure; a name that stands twice in a cell once."""
    of_results = dangling_rows(
        rows,
        file=file,
        column="result",
        targets=lambda relation: (relation.result,),
        known=known,
        what=_FIGURE,
    )
    of_operands = dangling_rows(
        rows,
        file=file,
        column="operands",
        targets=lambda relation: dict.fromkeys(each.figure_id for each in relation.operands),
        known=known,
        what=_FIGURE,
    )
    for row in (*of_results, *of_operands):
        for one in row.problems:
            yield replace(one, severity="warning")


def _by_line(problems: Sequence[Problem]) -> list[Problem]:
    return sorted(problems, key=lambda one: one.line or 0)
