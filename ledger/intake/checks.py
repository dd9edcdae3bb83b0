"""Checks of a folder's rows that look at several tables, beside those of `hierarchy`.

The ledger's own rules would refuse most of the same rows; here they are found all at once, with
the column and the value to mend.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Final, TypeVar

from ledger.intake.catalogue import FLOW_PREFIX
from ledger.intake.hierarchy import dangling_rows
from ledger.intake.problems import Problem, closest, problem
from ledger.intake.rows import FigureRow, FlowRow, ObjectiveRow, RelationRow
from ledger.intake.tables import RejectedRow, Row, TableResult

T = TypeVar("T")

_FIGURE_SIGNS: Final = re.compile(r"^(?:[0-9.]+\*|[+-])")
"""What stands before the name of a figure in an operand: a weight or a sign."""
_ABSENT_SHOWN: Final = 3
"""Figures named in the warning about figures that are nowhere."""


def other_years(
    rows: Iterable[Row[T]], *, file: str, year: int, year_of: Callable[[T], int]
) -> tuple[RejectedRow, ...]:
    """Return the rows that are about another year than the folder, in file order."""
    return tuple(
        RejectedRow(
            record=row.record,
            texts=row.texts,
            problems=(
                problem(
                    "other_year",
                    file=file,
                    line=row.line,
                    column="year",
                    value=str(year_of(row.value)),
                    facts={"year": year},
                ),
            ),
        )
        for row in rows
        if year_of(row.value) != year
    )


def flow_conflicts(
    objectives: Iterable[Row[ObjectiveRow]],
    flows: Iterable[Row[FlowRow]],
    *,
    file: str,
    flow_file: str,
) -> tuple[RejectedRow, ...]:
    """Return the objectives that state another amount than their node of the money flows."""
    nodes = {FLOW_PREFIX + row.value.node_code: row.value for row in flows}
    found = []
    for row in objectives:
        node = nodes.get(row.value.code)
        if node is None:
            continue
        pairs: tuple[tuple[str, Decimal | None, Decimal | None], ...] = (
            ("target", row.value.target, node.target),
            ("result_pre", row.value.result_pre, node.pre_closing),
            ("result_closing", row.value.result_closing, node.closing),
        )
        problems = tuple(
            problem(
                "conflicting_value",
                file=file,
                line=row.line,
                column=column,
                value=format(stated, "f"),
                facts={
                    "other": "-" if recorded is None else format(recorded, "f"),
                    "other_file": flow_file,
                    "key": node.node_code,
                },
            )
            for column, stated, recorded in pairs
            if stated is not None and stated != recorded
        )
        if problems:
            found.append(RejectedRow(record=row.record, problems=problems, texts=row.texts))
    return tuple(found)


def resting_on_refused(
    objectives: Iterable[Row[ObjectiveRow]],
    *,
    file: str,
    nodes: Collection[str] | None,
    guidelines: Collection[str] | None,
) -> tuple[RejectedRow, ...]:
    """Return the objectives that may take their content from a refused row of another table.

    An objective named after a money-flow node takes definition and result from the node, and one
    without result takes the reasons from the guideline of its code. Recorded without that row they
    would say something else for ever, so they wait among the rejects with it.

    Args:
        objectives: the rows.
        file: name of their table.
        nodes: money-flow nodes that are good; None when no row of theirs is refused.
        guidelines: guidelines that are good; None when no row of theirs is refused.
    """
    listed = tuple(objectives)
    found: tuple[RejectedRow, ...] = ()
    if nodes is not None:
        found += dangling_rows(
            listed,
            file=file,
            column="code",
            targets=lambda row: (row.code,) if row.code.startswith(FLOW_PREFIX) else (),
            known={FLOW_PREFIX + node for node in nodes},
            what="node",
        )
    if guidelines is not None:
        found += dangling_rows(
            listed,
            file=file,
            column="code",
            targets=lambda row: (row.code,) if _lacks_result(row) else (),
            known=guidelines,
            what="guideline",
        )
    return found


def absent_figures(
    relations: TableResult[RelationRow],
    figures: TableResult[FigureRow],
    *,
    recorded: Callable[[Sequence[str]], Collection[str]],
) -> Problem | None:
    """Return a warning about the figures that relations name and that are nowhere; None if none.

    Args:
        relations: the table.
        figures: the table of figures, refused rows included.
        recorded: returns those of some figures that the ledger holds.
    """
    here = {row.value.figure_id for row in figures.rows}
    here |= {row.texts.get("figure_id", "") for row in figures.rejected}
    named: dict[str, tuple[int, str]] = {}
    for row in relations.rows:
        operands = [_FIGURE_SIGNS.sub("", word) for word in row.value.operands]
        for column, name in (
            ("result", row.value.result),
            *(("operands", one) for one in operands),
        ):
            if name not in here:
                named.setdefault(name, (row.line, column))
    known = frozenset(recorded(tuple(named)))
    absent = [name for name in named if name not in known]
    if not absent:
        return None
    line, column = named[absent[0]]
    listed = ", ".join(absent[:_ABSENT_SHOWN])
    more = f", ... ({len(absent)})" if len(absent) > _ABSENT_SHOWN else ""
    near = closest(absent[0], here) if len(absent) == 1 else ""
    return problem(
        "dangling_reference",
        file=relations.file,
        line=line,
        column=column,
        value=absent[0],
        severity="warning",
        facts={"what": "figure", "target": listed + more, "near": near},
    )


def _lacks_result(row: ObjectiveRow) -> bool:
    known = row.result_pre is not None or row.result_closing is not None
    return row.result_basis == "measured" and not known


def parents_first(
    rows: Iterable[Row[T]],
    *,
    code_of: Callable[[T], str | None],
    parent_of: Callable[[T], str | None],
) -> list[Row[T]]:
    """Return rows so that every parent comes before its children, else in file order."""
    listed = list(rows)
    by_code: Mapping[str, Row[T]] = {
        code: row for row in listed if (code := code_of(row.value)) is not None
    }
    by_line = {row.line: row for row in listed}
    done: dict[int, None] = {}
    for row in listed:
        chain: dict[int, None] = {}
        current: Row[T] | None = row
        while current is not None and current.line not in done and current.line not in chain:
            chain[current.line] = None
            parent = parent_of(current.value)
            current = None if parent is None else by_code.get(parent)
        done.update(dict.fromkeys(reversed(chain)))
    return [by_line[line] for line in done]
