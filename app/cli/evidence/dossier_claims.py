"""What a dossier says of an indicator, and the records it rests on: made and checked alike.

Invariant: over the records that a dossier shows, the same indicators give the same claims as over
the whole ledger; a dossier is made only when they do, and checked by the same computation.

Source: docs/formats/dossier.md.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Final

from ledger.aggregates.base import key_of
from ledger.errors import LedgerError
from ledger.events.ledger import LedgerOpened
from ledger.evidence.dossier.faults import Fault
from ledger.evidence.dossier.format import CLAIMS, Basis, Claim, Question
from ledger.feed import RecordedEvent
from projections.cycle.evaluate import Evaluation, Evaluator
from projections.cycle.facts import CycleFacts, fold
from projections.cycle.knowledge import Knowledge
from projections.cycle.replay import line_of

_OF_LEDGER: Final = "ledger"


@dataclass(frozen=True, kw_only=True, slots=True)
class CycleAt:
    """A year at a cut, over some records."""

    events: Sequence[RecordedEvent]
    """In order of position."""
    facts: CycleFacts
    year: int
    as_of: dt.date | None

    @property
    def knowledge(self) -> Knowledge:
        """The year as it is known at the cut."""
        return Knowledge(facts=self.facts, year=self.year, as_of=self.as_of)


def cycle_at(events: Iterable[RecordedEvent], *, year: int, as_of: dt.date | None) -> CycleAt:
    """Return a year over events, which come in order of position."""
    listed = tuple(events)
    return CycleAt(events=listed, facts=fold(listed), year=year, as_of=as_of)


def claims_of(cycle: CycleAt, codes: Iterable[str]) -> tuple[Claim, ...]:
    """Return the claims of indicators, in the order given.

    Raises:
        FormulaError: a definition refers to itself.
    """
    evaluator = Evaluator(cycle.knowledge)
    records = _Records(cycle, evaluator.knowledge)
    return tuple(_claim(evaluator.evaluate(code), records) for code in codes)


def _claim(evaluation: Evaluation, records: "_Records") -> Claim:
    line = line_of(evaluation, records.knowledge)
    definition = evaluation.definition
    bases = records.bases(evaluation)
    return Claim(
        code=line.code,
        label=line.label,
        unit=line.unit,
        decimals=line.decimals,
        value=_text(line.value),
        value_missing=line.value_missing,
        target=_text(line.target),
        deviation_pct=_text(line.deviation_pct),
        achievement_pct=_text(line.achievement_pct),
        vintage=line.vintage,
        definition_version=line.definition_version,
        rule=line.rule,
        formula=None if definition is None else definition.event.formula,
        acts=records.acts(bases),
        records=bases,
    )


def _text(value: Decimal | None) -> str | None:
    return None if value is None else format(value, "f")


class _Records:
    """Finds the records that a figure rests on."""

    def __init__(self, cycle: CycleAt, knowledge: Knowledge) -> None:
        self.knowledge = knowledge
        self._facts = cycle.facts
        self._by_position = {int(one.position): one for one in cycle.events}
        self._by_id = {one.event_id: one for one in cycle.events}
        self._opened = [one for one in cycle.events if isinstance(one.event, LedgerOpened)]

    def bases(self, evaluation: Evaluation) -> tuple[Basis, ...]:
        """Return the records of a figure, in order of position, then role."""
        found = {(int(address), role) for address, role in self._read(evaluation)}
        found |= {(int(one.position), _OF_LEDGER) for one in self._opened}
        found |= {(place, "corrected") for one, _ in list(found) for place in self._corrected(one)}
        found |= {pair for one, _ in list(found) for pair in self._cited(one)}
        return tuple(Basis(position=position, role=role) for position, role in sorted(found))

    def acts(self, bases: Iterable[Basis]) -> tuple[str, ...]:
        """Return the acts that records cite, each once: organ/type/number/date."""
        cited = [
            key_of(act)
            for basis in bases
            if basis.role != _OF_LEDGER
            for act in self._by_position[basis.position].envelope.acts
        ]
        return tuple(dict.fromkeys(cited))

    def _read(self, evaluation: Evaluation) -> Iterator[tuple[str, str]]:
        """Yield address and role of what the computation read, or was compared with."""
        knowledge = self.knowledge
        for code in sorted({evaluation.code, *evaluation.trace.codes()}):
            definition = knowledge.definition(code)
            if definition is not None:
                yield definition.address, "definition"
            objective = knowledge.objective(code)
            if objective is not None:
                yield objective.recorded.address, "objective"
            nodes = self._facts.year(knowledge.year).flow_nodes.get(code, ())
            for node in self._facts.valid(nodes, as_of=knowledge.as_of)[-1:]:
                yield node.recorded.address, "definition"
        for read in evaluation.trace.inputs():
            yield read.address, read.slot[0]
        for target in knowledge.targets(evaluation.code):
            yield target.recorded.address, "target"
        printed = knowledge.printed(evaluation.code)
        if printed is not None:
            yield printed.recorded.address, "printed"

    def _corrected(self, position: int) -> Iterator[int]:
        """Yield what a record corrects, and what that corrects in turn."""
        one = self._by_position[position]
        while (before := self._by_id.get(one.envelope.supersedes or "")) is not None:
            # What is corrected comes before; in a ledger that was altered it may not.
            if before.position >= one.position:
                return
            yield int(before.position)
            one = before

    def _cited(self, position: int) -> Iterator[tuple[int, str]]:
        envelope = self._by_position[position].envelope
        for act in envelope.acts:
            adopted = self._facts.acts.get(key_of(act))
            if adopted is not None:
                yield int(adopted.recorded.position), "act"
        published = self._facts.documents.get(envelope.source.document or "")
        if published is not None:
            yield int(published.recorded.position), "document"


def differences(question: Question, events: Sequence[RecordedEvent]) -> list[Fault]:
    """Compute the claims of a dossier again from its records; return where they differ.

    Args:
        question: of the dossier.
        events: the records that the dossier shows whole and proved, in order of position.
    """
    if question.year is None:
        return [_fault(one, "year", "-", "a year") for one in question.claims]
    try:
        as_of = None if question.as_of is None else dt.date.fromisoformat(question.as_of)
        cycle = cycle_at(events, year=question.year, as_of=as_of)
        computed = claims_of(cycle, [claim.code for claim in question.claims])
    except (LedgerError, ValueError) as error:
        return [Fault(kind="form", member=CLAIMS, facts={"reason": str(error)})]
    return [
        _fault(said, item.name, getattr(said, item.name), getattr(found, item.name))
        for said, found in zip(question.claims, computed, strict=True)
        for item in fields(Claim)
        if getattr(said, item.name) != getattr(found, item.name)
    ]


def _fault(claim: Claim, field: str, found: object, expected: object) -> Fault:
    facts = {"code": claim.code, "field": field, "found": _told(found), "expected": _told(expected)}
    return Fault(kind="claim", member=CLAIMS, facts=facts)


def _told(value: object) -> str:
    match value:
        case tuple():
            return "[" + ", ".join(_told(item) for item in value) + "]"
        case Basis():
            return f"{value.position} {value.role}"
        case None:
            return "-"
        case _:
            return str(value)
