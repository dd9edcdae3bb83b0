"""Rows that take a part of their content from a refused row of `documents.csv`.

A result, an amount or a count takes act, stage and source from the document of its day, and counts
without a day of their own take the day of the last document. Recorded without that document they
would say something else for ever; so they wait among the rejects and are mended together with it.

Source: docs/data-folder.md, documents.csv.
"""

import datetime as dt
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from typing import TypeVar

from ledger.intake.problems import problem
from ledger.intake.rows import DocumentRow, FlowRow, GuidelineRow, ObjectiveRow
from ledger.intake.rows import MeasureCountRow as Measures
from ledger.intake.rows import RiskCountRow as Risks
from ledger.intake.tables import RejectedRow, TableResult

T = TypeVar("T")

Need = tuple[str | None, dt.date | None]
"""Column and day of something that a document may have published; None for the day stands for that
of the last document."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RefusedDocuments:
    """What the refused rows of `documents.csv` may have been."""

    file: str
    days: frozenset[dt.date]
    """Days of publication that can be read."""
    unread: bool
    """Whether the day of some refused row cannot be read."""
    good: frozenset[dt.date]
    """Days of good documents, here or in the ledger."""

    def hides(self, day: dt.date | None) -> bool:
        """Tell whether a refused row may be the document of a day; None for the last one."""
        if day is None:
            last = max(self.good, default=dt.date.min)
            return self.unread or any(found >= last for found in self.days)
        return day in self.days or (self.unread and day not in self.good)


def refused_documents(
    documents: TableResult[DocumentRow], recorded: Collection[dt.date]
) -> RefusedDocuments | None:
    """Return what is known of the refused documents; None when every row is good.

    Args:
        documents: the table as it was read.
        recorded: days of the documents in the ledger.
    """
    if documents.is_good:
        return None
    days = [_day(one.texts.get("published_on", "")) for one in documents.rejected]
    return RefusedDocuments(
        file=documents.file,
        days=frozenset(day for day in days if day is not None),
        unread=documents.whole is not None or None in days,
        good=frozenset(recorded).union(row.value.published_on for row in documents.rows),
    )


def waiting_rows(
    table: TableResult[T],
    needs: Callable[[T], Iterable[Need]],
    refused: RefusedDocuments,
) -> tuple[RejectedRow, ...]:
    """Return the rows that rest on a refused document, in file order.

    Args:
        table: the table they stand in.
        needs: what a row takes from documents.
        refused: the refused documents.
    """
    found = []
    for row in table.rows:
        hidden = [need for need in needs(row.value) if refused.hides(need[1])]
        if not hidden:
            continue
        column, day = hidden[0]
        value = None if day is None else day.isoformat()
        facts = {"what": "document", "target": value or refused.file, "near": ""}
        one = problem(
            "dangling_reference",
            file=table.file,
            line=row.line,
            column=column,
            value=value,
            facts=facts,
        )
        one = replace(one, follows=True)
        found.append(RejectedRow(record=row.record, problems=(one,), texts=row.texts))
    return tuple(found)


def flow_needs(row: FlowRow) -> Iterable[Need]:
    """Yield what a money-flow node takes from documents."""
    if row.target is not None and row.target_as_of is not None:
        yield "target_as_of", row.target_as_of
    if row.pre_closing is not None:
        yield "pre_as_of", row.pre_as_of
    if row.closing is not None:
        yield "closing_as_of", row.closing_as_of


def objective_needs(row: ObjectiveRow) -> Iterable[Need]:
    """Yield what an objective takes from documents."""
    if row.result_pre is not None:
        yield "as_of_pre", row.as_of_pre
    if row.result_closing is not None:
        yield "as_of_closing", row.as_of_closing
    if row.result_basis == "measured" and row.result_pre is None and row.result_closing is None:
        yield "as_of_closing", row.as_of_closing


def last_needs(_: GuidelineRow | Measures | Risks) -> Iterable[Need]:
    """Yield what a status or a count takes from documents: the day of the last one."""
    yield None, None


def _day(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None
