"""Import a data folder: read, check, decide, append; idempotent, whole or row by row.

Invariants:
1. One transaction: a crash at any step leaves the ledger as it was or with the whole import.
2. A row that was imported before adds nothing; one that was changed since is refused, because a
   correction is an event of its own.
3. With `whole`, one bad row refuses the folder and nothing is recorded; with `rows`, the good rows
   are recorded and the bad ones go to a folder of rejects that can be mended and imported.
4. The order of the files and of their rows does not matter.

Source: docs/data-folder.md.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from ledger.aggregates.base import Command, Proposal
from ledger.aggregates.documents import DOCUMENTS, document_stream
from ledger.aggregates.identity import IDENTITY, LEDGER_STREAM
from ledger.aggregates.organisation import ORGANISATION
from ledger.aggregates.organisation import STREAM as ORGANISATION_STREAM
from ledger.aggregates.planning import PLANNING, planning_stream
from ledger.application import LedgerApplication
from ledger.envelopes import command
from ledger.errors import (
    AppendKeyConflictError,
    BodyMismatchError,
    CommandRefusedError,
    InvalidCommandError,
)
from ledger.events.ledger import Actor, BodyAssigned
from ledger.intake import mapping
from ledger.intake.catalogue import FILE as CATALOGUE_FILE
from ledger.intake.checks import parents_first
from ledger.intake.dataset import CARD, DatasetInfo, read_dataset
from ledger.intake.folder import TABLES, Folder, KnownNames, read_folder
from ledger.intake.mapping import Context
from ledger.intake.problems import Problem, problem
from ledger.intake.rejects import (
    RejectReport,
    english,
    reject_folder,
    rejected_table,
    write_rejects,
)
from ledger.intake.tables import RejectedRow, Row, TableResult
from ledger.session import Session
from ledger.types import Position

T = TypeVar("T")

IMPORT_ROLE = "import"
"""Role of the actor when the caller names none."""

ProblemTexts = Callable[[Problem], tuple[str, str]]
"""Reason and hint of a problem in the reader's language."""


Progress = Callable[[str, int, int], None]
"""Called with a file, the rows done and the rows in all."""


class Mode(StrEnum):
    """What one bad row does."""

    WHOLE = "whole"
    """It refuses the whole folder."""
    ROWS = "rows"
    """It is refused alone."""


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


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportReport:
    """What an import did, or would do."""

    info: DatasetInfo | None
    mode: Mode
    dry_run: bool
    files: tuple[FileCount, ...]
    problems: tuple[Problem, ...]
    """Errors and warnings, in order of file and line."""
    events: int
    """Events recorded, or that would be; schema releases not counted."""
    head: Position
    """Position of the last record afterwards."""
    rejects: RejectReport | None
    """Folder of rejects; None when nothing was written."""

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that refuse something."""
        return tuple(one for one in self.problems if one.severity == "error")

    @property
    def refused_whole(self) -> bool:
        """Whether nothing was recorded because of problems."""
        return bool(self.errors) and (self.mode is Mode.WHOLE or self.info is None)


@dataclass(slots=True)
class _Outcome:
    counts: dict[str, FileCount] = field(default_factory=dict)
    rejected: dict[str, list[RejectedRow]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def count(self, file: str) -> FileCount:
        return self.counts.setdefault(file, FileCount(file=file))


def import_folder(
    ledger: LedgerApplication,
    path: Path,
    *,
    mode: Mode = Mode.WHOLE,
    dry_run: bool = False,
    actor: Actor | None = None,
    rejects_to: Path | None = None,
    texts: ProblemTexts = english,
    progress: Progress = lambda _file, _done, _total: None,
) -> ImportReport:
    """Import a data folder.

    Args:
        ledger: opened ledger.
        path: the folder.
        mode: what one bad row does.
        dry_run: decide everything, append and write nothing.
        actor: who imports; the role `import` when None.
        rejects_to: folder of rejects to make; None chooses a free name beside the data folder.
        texts: language of the list of problems among the rejects.
        progress: called with file, rows done and rows in all.

    Raises:
        DatasetError: there is no such folder.
        BodyMismatchError: the folder is of another body; nothing is recorded.
        WrongExpectedVersionError: somebody wrote meanwhile; nothing is recorded, retry.
    """
    session = ledger.session()
    today = ledger.today()
    info = read_dataset(path).info
    folder = read_folder(path, today=today, known=_known(session, info))
    outcome = _Outcome()
    if folder.info is not None:
        _check_body(session, folder.info)
        context = _context(session, folder, folder.info, actor or Actor(role=IMPORT_ROLE))
        _submit_all(session, context, folder, folder.info, outcome, progress)
    for table in folder.tables:
        if table.size:
            outcome.count(table.file).refused += len(table.rejected)
    problems = _ordered([*folder.problems, *outcome.problems])
    errors = [one for one in problems if one.severity == "error"]
    refused = bool(errors) and (mode is Mode.WHOLE or folder.info is None)
    rejects = None
    events = 0 if refused else len(session.staged)
    if not dry_run:
        if not refused:
            ledger.commit(session)
        if errors and mode is Mode.ROWS:
            rejects = _write_rejects(folder, outcome, rejects_to, texts)
    return ImportReport(
        info=folder.info,
        mode=mode,
        dry_run=dry_run,
        files=tuple(outcome.counts.values()),
        problems=tuple(problems),
        events=events,
        head=ledger.head(),
        rejects=rejects,
    )


def _check_body(session: Session, info: DatasetInfo) -> None:
    state = session.state(IDENTITY, LEDGER_STREAM)
    if state.body is not None and state.body != info.body:
        raise BodyMismatchError(expected=state.body, actual=info.body)


def _known(session: Session, info: DatasetInfo | None) -> KnownNames:
    if info is None:
        return KnownNames()

    def has_document(name: str) -> bool:
        return session.state(DOCUMENTS, document_stream(name)).document is not None

    return KnownNames(
        has_document=has_document,
        units=frozenset(session.state(ORGANISATION, ORGANISATION_STREAM).units),
        objectives=frozenset(session.state(PLANNING, planning_stream(info.year)).objectives),
    )


def _context(session: Session, folder: Folder, info: DatasetInfo, actor: Actor) -> Context:
    documents = {row.value.published_on: row.value for row in folder.documents.rows}
    return Context(
        body=info.body,
        year=info.year,
        actor=actor,
        catalogue=folder.catalogue,
        lookup=session,
        documents=documents,
        latest=max(documents, default=dt.date(info.year, 12, 31)),
        reasons={row.value.code: row.value.reason_code for row in folder.guidelines.rows},
        planned_on={
            row.value.code: row.value.planned_on
            for row in folder.objectives.rows
            if row.value.planned_on is not None
        },
        flow_nodes=frozenset(row.value.node_code for row in folder.flows.rows),
    )


def _submit_all(
    session: Session,
    context: Context,
    folder: Folder,
    info: DatasetInfo,
    outcome: _Outcome,
    progress: Progress,
) -> None:
    for prologue in _prologue(session, context, info):
        session.submit(prologue)
    worker = _Worker(session, outcome, progress)
    worker.rows(folder.acts, folder.acts.rows, lambda row: [mapping.act_command(context, row)])
    system = mapping.system_command(context)
    if system is not None:
        worker.one(CATALOGUE_FILE, system)
    worker.rows(
        folder.documents,
        folder.documents.rows,
        lambda row: [mapping.document_command(context, row)],
    )
    units = parents_first(
        folder.units.rows, code_of=lambda row: row.code, parent_of=lambda row: row.parent_code
    )
    worker.rows(folder.units, units, lambda row: [mapping.unit_command(context, row)])
    flows = parents_first(
        folder.flows.rows, code_of=lambda row: row.node_code, parent_of=lambda row: row.parent_code
    )
    worker.rows(folder.flows, flows, lambda row: [mapping.flow_command(context, row)])
    objectives = parents_first(
        folder.objectives.rows, code_of=lambda row: row.code, parent_of=lambda row: row.parent_code
    )
    worker.rows(folder.objectives, objectives, lambda row: mapping.objective_commands(context, row))
    _close_assignments(worker, context, folder)
    worker.rows(
        folder.guidelines,
        folder.guidelines.rows,
        lambda row: [mapping.guideline_command(context, row)],
    )
    worker.rows(
        folder.figures, folder.figures.rows, lambda row: [mapping.figure_command(context, row)]
    )
    worker.rows(
        folder.measure_counts,
        folder.measure_counts.rows,
        lambda row: [mapping.measure_count_command(context, row)],
    )
    worker.rows(
        folder.risk_counts,
        folder.risk_counts.rows,
        lambda row: [mapping.risk_count_command(context, row)],
    )


def _prologue(session: Session, context: Context, info: DatasetInfo) -> Iterator[Command]:
    if session.state(IDENTITY, LEDGER_STREAM).body is None:
        event = BodyAssigned(body=info.body, title=info.title)
        envelope = context.envelope(CARD, context.period[0], timeless=True)
        yield command(f"import/{info.body}/body", [Proposal(event=event, envelope=envelope)])
    yield mapping.year_command(context)


def _close_assignments(worker: "_Worker", context: Context, folder: Folder) -> None:
    rows = {row.value.code: row for row in folder.objectives.rows}
    for first, closing in mapping.close_commands(context, [row.value for row in rows.values()]):
        worker.one(folder.objectives.file, closing, line=rows[first.code].line, column="weight_pct")


class _Worker:
    """Offers commands to the session and keeps count of what became of them."""

    def __init__(self, session: Session, outcome: _Outcome, progress: Progress) -> None:
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
                found = _problem_of(error, file=table.file, line=row.line)
                rejected = RejectedRow(record=row.record, problems=(found,))
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
        self, file: str, each: Command, *, line: int | None = None, column: str | None = None
    ) -> None:
        """Offer a command that stands for no single row."""
        try:
            self._session.submit(each)
        except (CommandRefusedError, AppendKeyConflictError) as error:
            found = _problem_of(error, file=file, line=line, column=column)
            self._outcome.problems.append(found)


def _problem_of(
    error: CommandRefusedError | AppendKeyConflictError | InvalidCommandError,
    *,
    file: str,
    line: int | None,
    column: str | None = None,
) -> Problem:
    if isinstance(error, AppendKeyConflictError):
        return problem("row_changed", file=file, line=line, facts=error.facts)
    if isinstance(error, InvalidCommandError):
        facts = {"rule": error.code, "detail": str(error)}
        return problem("refused_by_rule", file=file, line=line, facts=facts)
    return problem("refused_by_rule", file=file, line=line, column=column, facts=error.facts)


def _ordered(problems: Iterable[Problem]) -> list[Problem]:
    places = {file: place for place, file in enumerate((CARD, CATALOGUE_FILE, *TABLES))}
    return sorted(
        dict.fromkeys(problems), key=lambda one: (places.get(one.file, 99), one.line or 0)
    )


def _write_rejects(
    folder: Folder, outcome: _Outcome, target: Path | None, texts: ProblemTexts
) -> RejectReport | None:
    tables = [
        found
        for table in folder.tables
        if (found := rejected_table(table, outcome.rejected.get(table.file, ()))) is not None
    ]
    if not tables:
        return None
    carry = [folder.path / CARD, folder.path / CATALOGUE_FILE]
    return write_rejects(
        target or reject_folder(folder.path),
        tables,
        carry=[path for path in carry if path.is_file()],
        texts=texts,
    )
