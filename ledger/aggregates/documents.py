"""Published documents, the figures printed in them, and their restatements."""

from dataclasses import dataclass, field, replace
from decimal import Decimal

from immutables import Map

from ledger.aggregates.base import (
    Aggregate,
    Happened,
    Lookup,
    Proposal,
    require_change,
    require_known,
    require_new,
    require_old_value,
    unexpected,
)
from ledger.events.base import Event
from ledger.events.ledger import Envelope
from ledger.events.publication import DocumentPublished, FigurePublished, FigureRestated
from ledger.types import StreamName


@dataclass(frozen=True, kw_only=True, slots=True)
class DocumentState:
    """One document; None until it is published."""

    document: DocumentPublished | None = None
    figures: Map[str, Decimal | None] = field(default_factory=Map)
    """Present value by figure, in the figure's unit of measure; restatements included."""


def document_stream(document_id: str) -> StreamName:
    """Return the stream of a document and its figures."""
    return StreamName(f"document/{document_id}")


def _decide(state: DocumentState, proposal: Proposal, lookup: Lookup) -> None:
    match proposal.event:
        case DocumentPublished() as event:
            require_new(state.document, kind="document", name=event.document_id)
        case FigurePublished() as event:
            require_known(state.document, kind="document", name=event.document_id)
            known = event.figure_id in state.figures and proposal.envelope.supersedes is None
            require_new(known or None, kind="figure", name=event.figure_id)
        case FigureRestated() as event:
            found = event.figure_id if event.figure_id in state.figures else None
            require_known(found, kind="figure", name=event.figure_id)
            require_old_value(event.old_value, state.figures[event.figure_id], field="old_value")
            require_change(event.old_value, event.new_value, field=event.figure_id)
            if event.restated_in is not None:
                later = lookup.state(DOCUMENTS, document_stream(event.restated_in))
                require_known(later.document, kind="document", name=event.restated_in)
        case other:
            raise unexpected(other)


def _evolve(state: DocumentState, happened: Happened) -> DocumentState:
    match happened.event:
        case DocumentPublished() as event:
            return replace(state, document=event)
        case FigurePublished() as event:
            return replace(state, figures=state.figures.set(event.figure_id, event.value))
        case FigureRestated() as event:
            return replace(state, figures=state.figures.set(event.figure_id, event.new_value))
        case other:
            raise unexpected(other)


def _stream_of(event: Event, _: Envelope) -> StreamName:
    match event:
        case DocumentPublished() | FigurePublished() | FigureRestated():
            return document_stream(event.document_id)
        case _:
            raise unexpected(event)


DOCUMENTS = Aggregate(
    name="document",
    events=(DocumentPublished, FigurePublished, FigureRestated),
    stream_of=_stream_of,
    initial=DocumentState(),
    decide=_decide,
    evolve=_evolve,
)
