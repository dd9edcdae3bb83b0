"""Explain one figure: how it was computed, from which records, under which definition and acts.

Source: architecture notes, section 5.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from ledger.events.ledger import ActReference
from ledger.feed import RecordedEvent
from projections.cycle.evaluate import Evaluator
from projections.cycle.facts import CycleFacts, target_value
from projections.cycle.knowledge import Definition, Knowledge
from projections.cycle.replay import IndicatorLine, line_of
from projections.cycle.rounding import written
from projections.cycle.trace import Trace
from projections.cycle.values import Missing


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One node of the tree of inputs, ready to be shown."""

    op: str
    code: str | None
    label: str | None
    exact: str | None
    """Exact value: a decimal, or a fraction when it has no end; None when missing."""
    missing: str | None
    weight: Decimal | None
    sign: str | None
    records: tuple["RecordLine", ...]
    children: tuple["Step", ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordLine:
    """A record that a figure rests on."""

    address: str
    event_type: str
    as_of: dt.date
    recorded_at: dt.datetime
    actor: str
    source: str
    """System, document and place, as far as they are known."""
    document: str | None
    """Document the content was read from."""
    document_title: str | None
    locator: str | None
    """Place in the document, or the table of the data folder."""
    acts: tuple[ActReference, ...]
    """Acts it cites; a correction without acts stands under those of what it corrects."""
    event_id: str
    corrects: str | None
    """Address of the record that it corrects."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TargetLine:
    """One target in the history of an indicator."""

    target: Decimal
    record: RecordLine
    cause: str | None
    """Why it was revised; None for the first target."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Explanation:
    """A figure, explained."""

    line: IndicatorLine
    definition: Definition | None
    definition_record: RecordLine | None
    targets: tuple[TargetLine, ...]
    tree: Step
    acts: tuple[ActReference, ...]
    """Acts cited by the definition, the target and the inputs, each once."""
    children: tuple[str, ...]
    """Objectives below, which may be read for themselves."""
    position: int
    year: int
    as_of: dt.date | None


@dataclass(slots=True)
class _Records:
    """The records that were read, by address, with what they say of each other."""

    facts: CycleFacts
    by_address: dict[str, RecordedEvent] = field(default_factory=dict)
    by_id: dict[str, RecordedEvent] = field(default_factory=dict)

    def add(self, recorded: RecordedEvent) -> None:
        self.by_address[recorded.address] = self.by_id[recorded.event_id] = recorded

    def line(self, address: str) -> RecordLine:
        """Return a record, ready to be shown."""
        recorded = self.by_address[address]
        envelope, source = recorded.envelope, recorded.envelope.source
        unit = envelope.actor.unit_code
        published = self.facts.documents.get(source.document or "")
        corrected = self.by_id.get(envelope.supersedes or "")
        places = (source.system, source.document, source.locator)
        return RecordLine(
            address=address,
            event_type=recorded.event.TYPE,
            as_of=envelope.as_of,
            recorded_at=recorded.recorded_at,
            actor=envelope.actor.role if unit is None else f"{envelope.actor.role}@{unit}",
            source=" ".join(place for place in places if place),
            document=source.document,
            document_title=None if published is None else published.event.title,
            locator=source.locator,
            acts=self._acts(recorded),
            event_id=recorded.event_id,
            corrects=None if corrected is None else corrected.address,
        )

    def _acts(self, recorded: RecordedEvent) -> tuple[ActReference, ...]:
        while not recorded.envelope.acts:
            corrected = self.by_id.get(recorded.envelope.supersedes or "")
            # What is corrected comes before; in a ledger that was altered it may not.
            if corrected is None or corrected.position >= recorded.position:
                return ()
            recorded = corrected
        return recorded.envelope.acts


def explain(
    events: Iterable[RecordedEvent], *, code: str, year: int, as_of: dt.date | None
) -> Explanation | None:
    """Explain an indicator of a year; None when the year has no such indicator.

    Args:
        events: the feed, in order of position.
        code: of the indicator.
        year: of the performance cycle.
        as_of: last day of knowledge, inclusive; None for everything.
    """
    facts = CycleFacts()
    records = _Records(facts=facts)
    for recorded in events:
        facts.apply(recorded)
        records.add(recorded)
    knowledge = Knowledge(facts=facts, year=year, as_of=as_of)
    if code not in knowledge.codes:
        return None
    evaluation = Evaluator(knowledge).evaluate(code)
    definition = evaluation.definition
    definition_record = None if definition is None else records.line(definition.address)
    targets = tuple(
        TargetLine(
            target=target_value(known.event),
            record=records.line(known.recorded.address),
            cause=getattr(known.event, "cause", None),
        )
        for known in knowledge.targets(code)
    )
    tree = _step(evaluation.trace, knowledge, records)
    cited = [
        *(() if definition_record is None else definition_record.acts),
        *(act for line in targets for act in line.record.acts),
        *(act for address in evaluation.trace.addresses() for act in records.line(address).acts),
    ]
    return Explanation(
        line=line_of(evaluation, knowledge),
        definition=definition,
        definition_record=definition_record,
        targets=targets,
        tree=tree,
        acts=tuple(dict.fromkeys(cited)),
        children=knowledge.children(code),
        position=facts.position,
        year=year,
        as_of=as_of,
    )


def _step(trace: Trace, knowledge: Knowledge, records: _Records) -> Step:
    found = trace.value
    missing = str(found.reason) if isinstance(found, Missing) else None
    exact = None if isinstance(found, Missing) else written(found)
    definition = None if trace.code is None else knowledge.definition(trace.code)
    return Step(
        op=trace.op,
        code=trace.code,
        label=None if definition is None else definition.event.label,
        exact=exact,
        missing=missing,
        weight=trace.weight,
        sign=trace.sign,
        records=tuple(records.line(address) for address in trace.sources),
        children=tuple(_step(child, knowledge, records) for child in trace.children),
    )
