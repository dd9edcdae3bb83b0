"""Checks of a folder's rows that look at several tables, beside those of `hierarchy`.

The ledger's own rules would refuse most of the same rows; here they are found all at once, with
the column and the value to mend.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from decimal import Decimal
from typing import TypeVar

from ledger.intake.catalogue import FLOW_PREFIX
from ledger.intake.hierarchy import dangling_rows
from ledger.intake.problems import problem
from ledger.intake.rows import FlowRow, ObjectiveRow
from ledger.intake.tables import RejectedRow, Row

T = TypeVar("T")


def other_years(
    rows: Iterable[Row[T]], *, file: str, year: int, year_of: Callable[[T], int]
) -> tuple[RejectedRow, ...]:
    """Return the rows that are about another year than the folder, in file order."""
    return tuple(
        RejectedRow(
            record=row.record,
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
            found.append(RejectedRow(record=row.record, problems=problems))
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
