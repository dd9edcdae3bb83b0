"""Tell causes from consequences: a row that names a refused row follows from that row's problem.

One empty file of acts refuses every row that cites an act, and every row that rests on those. The
reader needs the one cause first; the others are counted.

Invariants:
1. A problem follows only when what it lacks stands in this folder and is refused, or may stand in a
   file that is refused as a whole; what stands nowhere is a cause.
2. Marking changes neither place nor reason of a problem; it takes away the suggestion of another
   name, which would be wrong.

Source: docs/data-folder.md, "Causes and consequences".
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from ledger.intake.catalogue import FLOW_PREFIX
from ledger.intake.folder import Folder
from ledger.intake.problems import Problem, problem
from ledger.intake.tables import RejectedRow, TableResult
from ledger.rules import Rule

Named = tuple[str, str]
"""File and name of what a problem lacks."""

_FILES: Final[Mapping[str, str]] = {
    "act": "acts.csv",
    "document": "documents.csv",
    "unit": "units.csv",
    "node": "ieep.csv",
    "flow node": "ieep.csv",
    "objective": "objectives.csv",
    "guideline": "guidelines.csv",
    "figure": "figures.csv",
}
"""Files by the words that problems and rules use for what stands in them."""
_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "documents.csv": ("document",),
    "units.csv": ("code",),
    "ieep.csv": ("node_code",),
    "objectives.csv": ("code",),
    "guidelines.csv": ("code",),
    "figures.csv": ("figure_id",),
}
"""Columns that name a row."""
_ACT: Final = ("organ", "act_type", "number", "adopted_on")
_WEIGHTS: Final = (Rule.WEIGHTS_SUM, Rule.WEIGHTS_INCOMPLETE)


class Causes:
    """What is refused in a folder, to tell causes from consequences."""

    def __init__(self, folder: Folder, rejected: Mapping[str, Iterable[RejectedRow]]) -> None:
        """Collect the refused rows.

        Args:
            folder: read and checked.
            rejected: rows refused later, by rules, by file.
        """
        self._unread = frozenset(table.file for table in folder.tables if _is_unread(table))
        self._refused = {
            table.file: frozenset(
                name
                for row in (*table.rejected, *rejected.get(table.file, ()))
                for name in _names(table.file, row.texts)
            )
            for table in folder.tables
        }
        self._incomplete = frozenset(
            row.texts.get("parent_code", "")
            for row in (*folder.objectives.rejected, *rejected.get(folder.objectives.file, ()))
        )
        """Objectives below which a row is refused: their weights lack its weight."""

    def marked(self, found: Problem) -> Problem:
        """Return a problem, marked when it follows from another."""
        if found.follows or not self._follows(found):
            return found
        if not found.facts.get("near"):
            return replace(found, follows=True)
        again = problem(
            found.code,
            file=found.file,
            line=found.line,
            column=found.column,
            value=found.value,
            severity=found.severity,
            facts={**found.facts, "near": ""},
        )
        return replace(again, value=found.value, follows=True)

    def _follows(self, found: Problem) -> bool:
        if found.facts.get("rule") in _WEIGHTS:
            return found.facts.get("parent") in self._incomplete
        lacks = _lacks(found)
        if lacks is None:
            return False
        file, name = lacks
        return file in self._unread or name in self._refused.get(file, ())


def _is_unread(table: TableResult[Any]) -> bool:
    return not table.is_good and not table.rows and not table.rejected


def _names(file: str, texts: Mapping[str, str]) -> Iterable[str]:
    if file == "acts.csv":
        yield "/".join(texts.get(name, "") for name in _ACT)
    for column in _NAMES.get(file, ()):
        # A blank around a name is a slip that refuses the row, and what others name without it.
        name = texts.get(column, "").strip()
        if name:
            yield name
            if file == "ieep.csv":
                yield FLOW_PREFIX + name


def _lacks(found: Problem) -> Named | None:
    facts = found.facts
    if found.code == "dangling_reference":
        return _named(facts.get("what"), facts.get("target"))
    if found.code != "refused_by_rule":
        return None
    rule = facts.get("rule")
    if rule == Rule.ACT_UNKNOWN:
        return _named("act", facts.get("act"))
    if rule == Rule.UNKNOWN_REFERENCE:
        return _named(facts.get("kind"), facts.get("name"))
    if rule == Rule.DEFINITION_MISSING:
        return _named("objective", facts.get("indicator"))
    return None


def _named(kind: str | None, name: str | None) -> Named | None:
    file = _FILES.get(kind or "")
    return None if file is None or not name else (file, name)
