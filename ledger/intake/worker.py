"""Offer the commands of rows to a session and keep count of what became of each row.

Source: docs/data-folder.md; docs/adr/0005-proposals.md.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar

from ledger.aggregates.base import Command, Proposal
from ledger.aggregates.identity import IDENTITY, LEDGER_STREAM
from ledger.envelopes import command
from ledger.errors import (
    AppendKeyConflictError,
    BodyMismatchError,
    CommandRefusedError,
    InvalidCommandError,
)
from ledger.events.ledger import BodyAssigned
from ledger.intake.context import Context
from ledger.intake.dataset import CARD, DatasetInfo
from ledger.intake.problems import Problem, problem
from ledger.intake.tables import RejectedRow, Row, TableResult
from ledger.session import Session

T = TypeVar("T")

_COLUMNS: Final[Mapping[str, str]] = {
    "weight": "weight_pct",
    "percent": "status_pct",
    "units": "count",
}
"""Columns by field of the event, where the two have different names."""
_REFERENCES: Final = ("parent_code", "document", "oge_code", "code", "node_code", "figure_id")
"""Columns that name an entity, in the order in which a refused name is looked for."""

Progress = Callable[[str, int, int], None]
"""Called with a file, the rows done and the rows in all."""


@dataclass(slots=True)
class FileCount:
    """What became of the rows of one file."""

    file: str
    recorded: int = 0
    """Rows that gave new events."""
    repeated: int = 0
    """Rows that the ledger held already."""
    refused: int = 0
    """Rows with problems."""


@dataclass(slots=True)
class Outcome:
    """What became of the rows of a folder."""

    counts: dict[str, FileCount] = field(default_factory=dict)
    rejected: dict[str, list[RejectedRow]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def count(self, file: str) -> FileCount:
        """Return the counts of a file."""
        return self.counts.setdefault(file, FileCount(file=file))


def check_body(session: Session, info: DatasetInfo) -> None:
    """Refuse a folder of another body.

    Raises:
        BodyMismatchError: the ledger belongs to another one.
    """
    state = session.state(IDENTITY, LEDGER_STREAM)
    if state.body is not None and state.body != info.body:
        raise BodyMismatchError(expected=state.body, actual=info.body)


def bind_body(session: Session, context: Context, info: DatasetInfo) -> None:
    """Bind a ledger without a body to the body of a folder."""
    if session.state(IDENTITY, LEDGER_STREAM).body is not None:
        return
    event = BodyAssigned(body=info.body, title=info.title)
    envelope = context.envelope(CARD, context.period[0], timeless=True)
    key = f"import/{info.body}/body"
    session.submit(command(key, [Proposal(event=event, envelope=envelope)]))


class Worker:
    """Offers commands to the session and keeps count of what became of them."""

    def __init__(self, session: Session, outcome: Outcome, progress: Progress) -> None:
        self._session = session
        self._outcome = outcome
        self._progress = progress

    def rows(
        self,
        table: TableResult[T],
        rows: Sequence[Row[T]],
        commands_of: Callable[[T], Sequence[Command]],
    ) -> None:
        """Offer the commands of every row; a refused row is rejected with the reason."""
        if not table.size:
            return
        count = self._outcome.count(table.file)
        for done, row in enumerate(rows, start=1):
            try:
                repeated = [self._session.submit(each).repeated for each in commands_of(row.value)]
            except (CommandRefusedError, AppendKeyConflictError, InvalidCommandError) as error:
                column = _column_of(error, row.texts)
                value = None if column is None else row.texts[column]
                found = _problem_of(
                    error, file=table.file, line=row.line, column=column, value=value
                )
                rejected = RejectedRow(record=row.record, problems=(found,), texts=row.texts)
                self._outcome.rejected.setdefault(table.file, []).append(rejected)
                self._outcome.problems.append(found)
                count.refused += 1
            else:
                if all(repeated):
                    count.repeated += 1
                else:
                    count.recorded += 1
            self._progress(table.file, done, len(rows))

    def one(
        self,
        file: str,
        each: Command,
        *,
        line: int | None = None,
        column: str | None = None,
        value: str | None = None,
    ) -> None:
        """Offer a command that stands for no single row; the place is where to mend it."""
        try:
            self._session.submit(each)
        except (CommandRefusedError, AppendKeyConflictError) as error:
            found = _problem_of(error, file=file, line=line, column=column, value=value)
            self._outcome.problems.append(found)


def _problem_of(
    error: CommandRefusedError | AppendKeyConflictError | InvalidCommandError,
    *,
    file: str,
    line: int | None,
    column: str | None = None,
    value: str | None = None,
) -> Problem:
    facts: Mapping[str, str] = error.facts
    code = "refused_by_rule"
    if isinstance(error, AppendKeyConflictError):
        code = "row_changed"
    elif isinstance(error, InvalidCommandError):
        facts = {"rule": error.code, "detail": str(error)}
    return problem(code, file=file, line=line, column=column, value=value, facts=facts)


def _column_of(
    error: CommandRefusedError | AppendKeyConflictError | InvalidCommandError,
    texts: Mapping[str, str],
) -> str | None:
    """Return the column that a rule speaks of; None when it is not one column of the row.

    A rule names the field of the event, or the act or entity that a cell cites.
    """
    field_name = error.facts.get("field", "")
    column = _COLUMNS.get(field_name, field_name)
    if column in texts:
        return column
    if "act" in error.facts:
        return "act" if texts.get("act") else None
    named = error.facts.get("name")
    return next((name for name in _REFERENCES if named and texts.get(name) == named), None)
