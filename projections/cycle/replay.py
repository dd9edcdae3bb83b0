"""Replay a year: every indicator from events alone, with a digest of the answer.

Invariants:
1. The digest covers year, cut, and per indicator everything from the code to the definition
   version; never positions, identifiers or instants of the ledger. The same knowledge therefore
   gives the same digest on any machine and after any order of import.
2. Figures are decimals as text, in canonical order of the indicators' codes for the digest.

Source: rulings 13; docs/formats/replay.md.
"""

import datetime as dt
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from ledger.feed import RecordedEvent
from ledger.types import Position
from projections.cycle.evaluate import Evaluation, Evaluator
from projections.cycle.facts import CycleFacts, fold
from projections.cycle.knowledge import Knowledge
from projections.cycle.printed import printed_value

DIGEST_DOMAIN: Final = "registro/replay/v1"


@dataclass(frozen=True, kw_only=True, slots=True)
class IndicatorLine:
    """One indicator of a replay."""

    code: str
    unit: str
    """Unit of measure."""
    label: str
    level: str | None
    """Level of the objective; None for an indicator outside the tree."""
    parent: str | None
    value: Decimal | None
    value_missing: str | None
    """Code of the reason when there is no value."""
    missing_details: tuple[str, ...]
    target: Decimal | None
    deviation_pct: Decimal | None
    """Percent; points for the rules DR3 and DR4."""
    achievement_pct: Decimal | None
    vintage: str | None
    definition_version: int | None
    rule: str | None
    decimals: int
    published: Decimal | None
    """Latest printed value, when a document printed one that is not an input."""
    printed: Decimal | None
    """The value to compare with: printed, or recorded as a result although the value is computed,
    when everything that was read for the value was known by then. None without such a figure; an
    older one may differ without contradiction."""
    agrees: bool | None
    """Whether the value, rounded as `printed` is, equals it; None without one of the two."""
    sources: tuple[str, ...]
    """Addresses of the records the figure rests on."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Replay:
    """A year at a cut."""

    year: int
    as_of: dt.date | None
    position: Position
    """Position of the last record that was read."""
    body: str | None
    sandbox: bool
    indicators: tuple[IndicatorLine, ...]
    digest: str
    """SHA-256, lower-case hex; see the module's invariants."""

    def line(self, code: str) -> IndicatorLine | None:
        """Return one indicator."""
        return next((line for line in self.indicators if line.code == code), None)


def replay(events: Iterable[RecordedEvent], *, year: int, as_of: dt.date | None) -> Replay:
    """Recompute every indicator of a year.

    Args:
        events: the feed, in order of position, up to where the reader wants to look.
        year: of the performance cycle.
        as_of: last day of knowledge, inclusive; None for everything.
    """
    return replay_facts(fold(events), year=year, as_of=as_of)


def replay_facts(facts: CycleFacts, *, year: int, as_of: dt.date | None) -> Replay:
    """Recompute every indicator of a year from facts folded before."""
    return replay_of(Evaluator(Knowledge(facts=facts, year=year, as_of=as_of)))


def replay_of(evaluator: Evaluator) -> Replay:
    """Return the answer of an evaluator about its year, at its cut."""
    knowledge = evaluator.knowledge
    facts, year, as_of = knowledge.facts, knowledge.year, knowledge.as_of
    lines = tuple(line_of(evaluation, knowledge) for evaluation in evaluator.all())
    return Replay(
        year=year,
        as_of=as_of,
        position=Position(facts.position),
        body=facts.body,
        sandbox=facts.sandbox,
        indicators=lines,
        digest=digest_of(year, as_of, lines),
    )


def line_of(evaluation: Evaluation, knowledge: Knowledge) -> IndicatorLine:
    """Return the line of an indicator."""
    definition = evaluation.definition
    objective = knowledge.objective(evaluation.code)
    missing = evaluation.missing
    printed = knowledge.printed(evaluation.code)
    sources = evaluation.trace.addresses()
    compared = printed_value(evaluation, knowledge)
    targets = tuple(known.recorded.address for known in knowledge.targets(evaluation.code)[-1:])
    return IndicatorLine(
        code=evaluation.code,
        unit="" if definition is None else definition.event.measure_unit,
        label=evaluation.code if definition is None else definition.event.label,
        level=None if objective is None else objective.event.level,
        parent=knowledge.parent(evaluation.code),
        value=evaluation.value,
        value_missing=None if missing is None else str(missing.reason),
        missing_details=() if missing is None else missing.details,
        target=evaluation.target,
        deviation_pct=evaluation.deviation,
        achievement_pct=evaluation.achievement,
        vintage=evaluation.vintage,
        definition_version=None if definition is None else definition.event.version,
        rule=None if definition is None else definition.event.deviation_rule,
        decimals=0 if definition is None else definition.event.decimals,
        published=None if printed is None else printed.event.value,
        printed=None if compared is None else compared.value,
        agrees=None if compared is None else compared.agrees_with(evaluation.exact),
        sources=tuple(dict.fromkeys((*sources, *targets))),
    )


def digest_of(year: int, as_of: dt.date | None, lines: Iterable[IndicatorLine]) -> str:
    """Return the digest of an answer, lower-case hex."""
    facts = {
        "domain": DIGEST_DOMAIN,
        "year": year,
        "as_of": None if as_of is None else as_of.isoformat(),
        "indicators": sorted((_hashed(line) for line in lines), key=lambda item: str(item["code"])),
    }
    text = json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _hashed(line: IndicatorLine) -> dict[str, object]:
    return {
        "code": line.code,
        "unit": line.unit,
        "label": line.label,
        "value": _text(line.value),
        "value_missing": line.value_missing,
        "target": _text(line.target),
        "deviation_pct": _text(line.deviation_pct),
        "achievement_pct": _text(line.achievement_pct),
        "vintage": line.vintage,
        "definition_version": line.definition_version,
    }


def _text(value: Decimal | None) -> str | None:
    return None if value is None else format(value, "f")
