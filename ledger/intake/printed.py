"""Record the printed figures of a folder, with the acts and documents they need, and no more.

For the arithmetic audit, which takes folders that hold nothing but figures and relations.

Invariants:
1. The keys are those of the import: a folder that was imported adds nothing here, and the other
   way round.
2. A document that only the figures name is recorded with its name as title, published on the day
   its figures were known: no other fact about it is made up.

Source: docs/data-folder.md.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ledger.aggregates.base import Command, Proposal
from ledger.aggregates.documents import DOCUMENTS, document_stream
from ledger.aggregates.identity import IDENTITY, LEDGER_STREAM
from ledger.application import LedgerApplication
from ledger.envelopes import command
from ledger.events.ledger import Actor
from ledger.events.publication import DocumentPublished
from ledger.intake import mapping
from ledger.intake.catalogue import Catalogue
from ledger.intake.context import Context
from ledger.intake.folder import Folder, KnownNames, read_folder
from ledger.intake.importer import IMPORT_ROLE
from ledger.intake.problems import Problem
from ledger.intake.worker import Outcome, Worker, bind_body, check_body
from ledger.session import Session
from ledger.types import Position


@dataclass(frozen=True, kw_only=True, slots=True)
class PrintedReport:
    """What became of the figures of a folder."""

    recorded: int
    """Figures that were new."""
    repeated: int
    """Figures that the ledger held already."""
    refused: int
    """Figures that a rule refused."""
    events: int
    """Events recorded, or that would be."""
    implied_documents: tuple[str, ...]
    """Documents that only the figures name."""
    problems: tuple[Problem, ...]
    head: Position


def record_printed(
    ledger: LedgerApplication, path: Path, *, dry_run: bool, actor: Actor | None = None
) -> PrintedReport:
    """Record the figures of a folder.

    Args:
        ledger: opened for writing.
        path: folder with at least `figures.csv`, without errors in it.
        dry_run: decide everything, append nothing.
        actor: who records; the role `import` when None.

    Raises:
        DatasetError: there is no such folder.
        BodyMismatchError: the folder is of another body.
        WrongExpectedVersionError: somebody wrote meanwhile; nothing is recorded, retry.
    """
    session = ledger.session()
    folder = read_folder(path, today=ledger.today(), known=KnownNames(has_document=lambda _: True))
    if folder.info is not None:
        check_body(session, folder.info)
    context = _context(session, folder, actor or Actor(role=IMPORT_ROLE))
    if folder.info is not None:
        bind_body(session, context, folder.info)
    outcome = Outcome()
    worker = Worker(session, outcome, lambda _file, _done, _total: None)
    worker.rows(folder.acts, folder.acts.rows, lambda row: [mapping.act_command(context, row)])
    worker.rows(
        folder.documents,
        folder.documents.rows,
        lambda row: [mapping.document_command(context, row)],
    )
    implied = _implied(session, folder)
    for name, known_on in implied.items():
        worker.one(folder.figures.file, _implied_command(context, name, known_on))
    worker.rows(
        folder.figures, folder.figures.rows, lambda row: [mapping.figure_command(context, row)]
    )
    events = len(session.staged)
    if not dry_run:
        ledger.commit(session)
    count = outcome.count(folder.figures.file)
    return PrintedReport(
        recorded=count.recorded,
        repeated=count.repeated,
        refused=count.refused,
        events=events,
        implied_documents=tuple(implied),
        problems=tuple(outcome.problems),
        head=ledger.head(),
    )


def _context(session: Session, folder: Folder, actor: Actor) -> Context:
    days = [row.value.as_of for row in folder.figures.rows]
    latest = max(days, default=dt.date(1, 1, 1))
    body = session.state(IDENTITY, LEDGER_STREAM).body
    return Context(
        body=folder.info.body if folder.info is not None else body or "-",
        year=folder.info.year if folder.info is not None else latest.year,
        actor=actor,
        catalogue=Catalogue(),
        lookup=session,
        latest=latest,
    )


def _implied(session: Session, folder: Folder) -> Mapping[str, dt.date]:
    listed = {row.value.document for row in folder.documents.rows}
    found: dict[str, dt.date] = {}
    rows: Sequence[tuple[str, dt.date]] = [
        (row.value.document, row.value.as_of) for row in folder.figures.rows
    ]
    for name, known_on in rows:
        if name in listed or session.state(DOCUMENTS, document_stream(name)).document is not None:
            continue
        found[name] = min(known_on, found.get(name, known_on))
    return found


def _implied_command(context: Context, name: str, known_on: dt.date) -> Command:
    event = DocumentPublished(document_id=name, title=name, published_on=known_on)
    envelope = context.envelope("figures.csv", known_on, document=name, timeless=True)
    key = context.shared_key("documents", name)
    return command(key, [Proposal(event=event, envelope=envelope)])
