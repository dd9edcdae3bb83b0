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

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from ledger.application import LedgerApplication
from ledger.events.ledger import Actor
from ledger.intake import mapping
from ledger.intake.catalogue import FILE as CATALOGUE_FILE
from ledger.intake.causes import Causes
from ledger.intake.checks import parents_first
from ledger.intake.context import Context, import_context, known_names
from ledger.intake.dataset import CARD, DatasetInfo, read_dataset
from ledger.intake.folder import TABLES, Folder, read_folder
from ledger.intake.problems import Problem
from ledger.intake.rejects import (
    LABELS,
    RejectReport,
    english,
    reject_folder,
    rejected_table,
    write_rejects,
)
from ledger.intake.worker import FileCount, Outcome, Progress, Worker, bind_body, check_body
from ledger.session import Session
from ledger.types import Position

IMPORT_ROLE = "import"
"""Role of the actor when the caller names none."""

ProblemTexts = Callable[[Problem], tuple[str, str]]
"""Reason and hint of a problem in the reader's language."""


class Mode(StrEnum):
    """What one bad row does."""

    WHOLE = "whole"
    """It refuses the whole folder."""
    ROWS = "rows"
    """It is refused alone."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportReport:
    """What an import did, or would do."""

    info: DatasetInfo | None
    mode: Mode
    dry_run: bool
    files: tuple[FileCount, ...]
    problems: tuple[Problem, ...]
    """Errors and warnings, in order of file and line; those that follow from others last."""
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
    def causes(self) -> tuple[Problem, ...]:
        """The errors that follow from no other: what has to be mended."""
        return tuple(one for one in self.errors if not one.follows)

    @property
    def refused_whole(self) -> bool:
        """Whether nothing was recorded because of problems."""
        return bool(self.errors) and (self.mode is Mode.WHOLE or self.info is None)


def import_folder(
    ledger: LedgerApplication,
    path: Path,
    *,
    mode: Mode = Mode.WHOLE,
    dry_run: bool = False,
    actor: Actor | None = None,
    rejects_to: Path | None = None,
    texts: ProblemTexts = english,
    labels: Sequence[str] = LABELS,
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
        labels: header of that list.
        progress: called with file, rows done and rows in all.

    Raises:
        DatasetError: there is no such folder.
        BodyMismatchError: the folder is of another body; nothing is recorded.
        WrongExpectedVersionError: somebody wrote meanwhile; nothing is recorded, retry.
    """
    session = ledger.session()
    today = ledger.today()
    info = read_dataset(path).info
    folder = read_folder(path, today=today, known=known_names(ledger, session, info))
    outcome = Outcome()
    if folder.info is not None:
        check_body(session, folder.info)
        who = actor or Actor(role=IMPORT_ROLE)
        context = import_context(ledger, session, folder, folder.info, who)
        _submit_all(session, context, folder, info=folder.info, outcome=outcome, progress=progress)
    for table in folder.tables:
        if table.rejected:
            outcome.count(table.file).refused += len(table.rejected)
    causes = Causes(folder, outcome.rejected)
    problems = _ordered(causes.marked(one) for one in (*folder.problems, *outcome.problems))
    errors = [one for one in problems if one.severity == "error"]
    refused = bool(errors) and (mode is Mode.WHOLE or folder.info is None)
    rejects = None
    events = 0 if refused else len(session.staged)
    if not dry_run:
        if not refused:
            ledger.commit(session)
        if errors and mode is Mode.ROWS:
            rejects = _write_rejects(
                folder, outcome, rejects_to, lambda one: texts(causes.marked(one)), labels
            )
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


def _submit_all(
    session: Session,
    context: Context,
    folder: Folder,
    *,
    info: DatasetInfo,
    outcome: Outcome,
    progress: Progress,
) -> None:
    bind_body(session, context, info)
    session.submit(mapping.year_command(context))
    worker = Worker(session, outcome, progress)
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


def _close_assignments(worker: Worker, context: Context, folder: Folder) -> None:
    rows = {row.value.code: row for row in folder.objectives.rows}
    for first, closing in mapping.close_commands(context, [row.value for row in rows.values()]):
        row = rows[first.code]
        worker.one(
            folder.objectives.file,
            closing,
            line=row.line,
            column="weight_pct",
            value=row.texts["weight_pct"],
        )


def _ordered(problems: Iterable[Problem]) -> list[Problem]:
    places = {file: place for place, file in enumerate((CARD, CATALOGUE_FILE, *TABLES))}
    # One problem may be found twice, by the folder and by a rule; a text tells them apart.
    once = {str(one): one for one in problems}
    return sorted(
        once.values(),
        key=lambda one: (one.follows, places.get(one.file, 99), one.line or 0),
    )


def _write_rejects(
    folder: Folder,
    outcome: Outcome,
    target: Path | None,
    texts: ProblemTexts,
    labels: Sequence[str],
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
        labels=labels,
    )
