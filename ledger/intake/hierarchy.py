"""References between rows: targets that do not exist, parents that run in a circle.

Invariants:
1. Answers are deterministic: rows in file order, cycles from their least name, sorted.
2. Time is linear in rows and names; no recursion, so depth is no limit.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Final, TypeVar

from ledger.intake.problems import closest, problem
from ledger.intake.tables import RejectedRow, Row

T = TypeVar("T")

_COMPARED_NAMES_MAX: Final = 5000
_SUGGESTIONS_MAX: Final = 50
"""Beyond these, finding near names would take longer than reading the file."""


def find_cycles(parent_of: Mapping[str, str]) -> tuple[tuple[str, ...], ...]:
    """Return the circles of a hierarchy in which each name has at most one parent.

    Args:
        parent_of: Parent of each name; roots, and parents that are no key, end the climb.

    Returns:
        Each circle once, from its least name upwards to the last name whose parent is the first;
        circles sorted. A name that is its own parent is a circle of one.
    """
    done: set[str] = set()
    cycles: list[tuple[str, ...]] = []
    for start in parent_of:
        path: dict[str, int] = {}
        name: str | None = start
        while name is not None and name not in done and name not in path:
            path[name] = len(path)
            name = parent_of.get(name)
        if name is not None and name in path:
            circle = list(path)[path[name] :]
            least = circle.index(min(circle))
            cycles.append((*circle[least:], *circle[:least]))
        done.update(path)
    return tuple(sorted(cycles))


def cyclic_rows(
    rows: Iterable[Row[T]],
    *,
    file: str,
    column: str,
    name: Callable[[T], str | None],
    parent: Callable[[T], str | None],
) -> tuple[RejectedRow, ...]:
    """Return the rows that stand in a circle of parents, in file order.

    Args:
        rows: The rows of one table.
        file: Its name.
        column: The column that names the parent.
        name: Name of a row; None for rows outside the hierarchy.
        parent: Name of its parent; None for a root.
    """
    row_of: dict[str, Row[T]] = {}
    parent_of: dict[str, str] = {}
    for row in rows:
        own, above = name(row.value), parent(row.value)
        if own is not None:
            row_of[own] = row
            if above is not None:
                parent_of[own] = above
    found: list[RejectedRow] = []
    for circle in find_cycles(parent_of):
        path = " > ".join((*circle, circle[0]))
        for member in circle:
            row = row_of[member]
            one = problem(
                "cycle",
                file=file,
                line=row.line,
                column=column,
                value=parent_of[member],
                facts={"path": path},
            )
            found.append(RejectedRow(record=row.record, problems=(one,), texts=row.texts))
    return tuple(sorted(found, key=lambda rejected: rejected.record.line))


def dangling_rows(
    rows: Iterable[Row[T]],
    *,
    file: str,
    column: str,
    targets: Callable[[T], Iterable[str]],
    known: Collection[str],
    what: str,
) -> tuple[RejectedRow, ...]:
    """Return the rows that name something unknown, in file order.

    Args:
        rows: The rows of one table.
        file: Its name.
        column: The column that holds the reference.
        targets: The names that a row refers to; none for an empty cell.
        known: All names that exist, in the folder or in the ledger.
        what: What is named, for the message, for example `indicator`.
    """
    names = frozenset(known)
    candidates = names if len(names) <= _COMPARED_NAMES_MAX else frozenset[str]()
    found: list[RejectedRow] = []
    for row in rows:
        unknown = [target for target in targets(row.value) if target not in names]
        if not unknown:
            continue
        near = candidates if len(found) < _SUGGESTIONS_MAX else frozenset[str]()
        problems = tuple(
            problem(
                "dangling_reference",
                file=file,
                line=row.line,
                column=column,
                value=target,
                facts={
                    "what": what,
                    "target": target,
                    "near": closest(target, near),
                },
            )
            for target in unknown
        )
        found.append(RejectedRow(record=row.record, problems=problems, texts=row.texts))
    return tuple(found)
