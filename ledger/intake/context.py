"""What the rows of a folder rest on: the folder's other rows, and what the ledger holds already.

A folder of mended rejects holds a few rows only; what they cite was recorded by an earlier import.

Invariants:
1. A row means the same beside the others of its folder and in a later folder of rejects.
2. The order of files and rows does not matter: of two documents of one day the one with the lesser
   name counts.

Source: docs/data-folder.md.
"""

import datetime as dt
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from ledger.aggregates.base import Lookup, key_of
from ledger.aggregates.documents import DOCUMENTS, document_stream
from ledger.aggregates.organisation import ORGANISATION
from ledger.aggregates.organisation import STREAM as ORGANISATION_STREAM
from ledger.aggregates.planning import PLANNING, planning_stream, year_bounds
from ledger.aggregates.programme import PROGRAMME, programme_stream
from ledger.aggregates.results import RESULTS, results_stream
from ledger.application import LedgerApplication
from ledger.envelopes import parse_act
from ledger.events.ledger import Actor, ActReference, Envelope, Source
from ledger.events.planning import GuidelineStatusReported, ObjectiveAssigned
from ledger.events.publication import DocumentPublished
from ledger.feed import RecordedEvent
from ledger.intake.catalogue import Catalogue
from ledger.intake.dataset import DatasetInfo
from ledger.intake.folder import Folder, KnownNames
from ledger.intake.rows import DocumentRow
from ledger.session import Session
from ledger.types import AppendKey, StreamName

_NOTHING: Final[tuple[RecordedEvent, ...]] = ()

TAG_END: Final = ":"
"""Ends the document's tag in a locator, as in `001:574`."""
NO_REASON: Final = ("NOT_PUBLISHED",)
"""Reason codes of a guideline without status whose row states no reason."""


def shared_key(body: str, table: str, row: str) -> str:
    """Return the append key of a row that folders of several years of a body may repeat."""
    return f"import/{body}/{table}/{row}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Context:
    """What the rows of a folder share."""

    body: str
    year: int
    actor: Actor
    catalogue: Catalogue
    lookup: Lookup
    """Reads what the ledger holds already: units and definitions of earlier years."""
    documents: Mapping[dt.date, DocumentRow] = field(default_factory=dict)
    """Documents by day of publication."""
    latest: dt.date
    """Day of the last document, or the last day of the year: when counts without a date of their
    own were known."""
    reasons: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Reason codes of guidelines, by code."""
    planned_on: Mapping[str, dt.date] = field(default_factory=dict)
    """Day on which an objective was planned, by code."""
    flow_nodes: frozenset[str] = frozenset()
    """Nodes of the money flows."""

    @property
    def period(self) -> tuple[dt.date, dt.date]:
        """First and last day of the year."""
        return year_bounds(self.year)

    def key(self, table: str, row: str) -> str:
        """Return the append key of a row about the year."""
        return f"import/{self.body}/{self.year}/{table}/{row}"

    def shared_key(self, table: str, row: str) -> str:
        """Return the append key of a row that folders of several years may repeat."""
        return shared_key(self.body, table, row)

    def envelope(
        self,
        table: str,
        as_of: dt.date,
        *,
        vintage: str | None = None,
        locator: str | None = None,
        act: ActReference | None = None,
        document: str | None = None,
        timeless: bool = False,
    ) -> Envelope:
        """Return the envelope of an event that a row gives."""
        first, last = (None, None) if timeless else self.period
        return Envelope(
            ref_from=first,
            ref_to=last,
            as_of=as_of,
            vintage=vintage,
            actor=self.actor,
            source=Source(system="import", document=document, locator=locator or table),
            acts=() if act is None else (act,),
        )

    def document_envelope(
        self, table: str, as_of: dt.date, *, vintage: str, locator: str | None
    ) -> Envelope:
        """Return the envelope of a figure that became known with a document.

        A locator that begins with the tag of another document is not the place of this figure:
        the table stands in for it.
        """
        document = self.documents.get(as_of)
        if document is None:
            return self.envelope(table, as_of, vintage=vintage, locator=locator)
        if locator is not None and self._is_of_another(locator, document):
            locator = None
        return self.envelope(
            table,
            as_of,
            vintage=document.vintage or vintage,
            locator=locator,
            act=None if document.act is None else parse_act(document.act),
            document=document.document,
        )

    def _is_of_another(self, locator: str, document: DocumentRow) -> bool:
        tag = locator.partition(TAG_END)[0]
        others = {other.tag for other in self.documents.values()} - {document.tag}
        return tag != locator and tag in others


def known_names(
    ledger: LedgerApplication, session: Session, info: DatasetInfo | None
) -> KnownNames:
    """Return what rows may refer to in the ledger; nothing when the card has problems."""
    if info is None:
        return KnownNames()

    def figures_among(names: Sequence[str]) -> Collection[str]:
        keys = {AppendKey(shared_key(info.body, "figures", name)): name for name in names}
        return {keys[key] for key in ledger.appends_known(tuple(keys))}

    def has_document(name: str) -> bool:
        return session.state(DOCUMENTS, document_stream(name)).document is not None

    return KnownNames(
        has_document=has_document,
        document_days=frozenset(row.published_on for row in _recorded_documents(ledger, info.year)),
        units=frozenset(session.state(ORGANISATION, ORGANISATION_STREAM).units),
        objectives=frozenset(session.state(PLANNING, planning_stream(info.year)).objectives),
        flow_nodes=_flow_nodes(session, info),
        guidelines=frozenset(session.state(PROGRAMME, programme_stream(info.year)).guidelines),
        figures_among=figures_among,
    )


def import_context(
    ledger: LedgerApplication, session: Session, folder: Folder, info: DatasetInfo, actor: Actor
) -> Context:
    """Return what the rows of a folder share.

    Args:
        ledger: opened ledger.
        session: unit of work of the import.
        folder: read and checked.
        info: its card.
        actor: who imports.
    """
    documents = _documents(ledger, folder, info.year)
    planned = dict(_recorded_plan(ledger, info.year))
    reasons = dict(_recorded_reasons(ledger, info.year))
    for objective in folder.objectives.rows:
        planned.pop(objective.value.code, None)
        if objective.value.planned_on is not None:
            planned[objective.value.code] = objective.value.planned_on
    reasons.update((row.value.code, row.value.reason_code) for row in folder.guidelines.rows)
    return Context(
        body=info.body,
        year=info.year,
        actor=actor,
        catalogue=folder.catalogue,
        lookup=session,
        documents=documents,
        latest=max(documents, default=year_bounds(info.year)[1]),
        reasons=reasons,
        planned_on=planned,
        flow_nodes=_flow_nodes(session, info) | {row.value.node_code for row in folder.flows.rows},
    )


def _flow_nodes(session: Session, info: DatasetInfo) -> frozenset[str]:
    return frozenset(session.state(RESULTS, results_stream(info.year)).nodes)


def _documents(
    ledger: LedgerApplication, folder: Folder, year: int
) -> Mapping[dt.date, DocumentRow]:
    by_name = {row.document: row for row in _recorded_documents(ledger, year)}
    by_name.update((row.value.document, row.value) for row in folder.documents.rows)
    listed = sorted(by_name.values(), key=lambda row: row.document, reverse=True)
    return {row.published_on: row for row in listed}


def _recorded_documents(ledger: LedgerApplication, year: int) -> Iterator[DocumentRow]:
    """Yield the documents that folders of the year have recorded."""
    for stored in ledger.store.read(event_types=(DocumentPublished.TYPE,)):
        recorded = ledger.avro.recorded(stored)
        event, envelope = recorded.event, recorded.envelope
        if isinstance(event, DocumentPublished) and envelope.ref_from == year_bounds(year)[0]:
            yield DocumentRow(
                document=event.document_id,
                tag=event.tag,
                title=event.title,
                published_on=event.published_on,
                act=key_of(envelope.acts[0]) if envelope.acts else None,
                vintage=envelope.vintage,
            )


def _recorded_plan(ledger: LedgerApplication, year: int) -> Iterator[tuple[str, dt.date]]:
    for recorded in _events(ledger, planning_stream(year)):
        if isinstance(recorded.event, ObjectiveAssigned):
            yield recorded.event.code, recorded.envelope.as_of


def _recorded_reasons(
    ledger: LedgerApplication, year: int
) -> Iterator[tuple[str, tuple[str, ...]]]:
    for recorded in _events(ledger, programme_stream(year)):
        event = recorded.event
        if isinstance(event, GuidelineStatusReported) and event.reason_codes != NO_REASON:
            yield event.code, tuple(event.reason_codes)


def _events(ledger: LedgerApplication, stream: StreamName) -> tuple[RecordedEvent, ...]:
    return tuple(ledger.streams_events([stream]).get(stream, _NOTHING))
