"""Compare a year between two cuts: what changed, by how much, and which events caused it.

Values that were not known at all at the first cut are listed apart ("di nuova conoscenza"): they
are not restatements.

Source: rulings 19.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction

from projections.cycle.evaluate import PERCENT_DECIMALS, Evaluator
from projections.cycle.facts import CycleFacts
from projections.cycle.knowledge import Knowledge
from projections.cycle.replay import IndicatorLine, Replay, replay_of
from projections.cycle.rounding import round_half_up
from projections.cycle.trace import Input


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """A value that differs between the cuts."""

    code: str
    label: str
    unit: str
    decimals: int
    old: Decimal | None
    """None when the value was first known at the second cut."""
    new: Decimal | None
    """None when a correction removed the value."""
    change_pct: Decimal | None
    """100 (new - old) / old, two decimals; None when it cannot be formed."""
    old_vintage: str | None
    new_vintage: str | None
    causes: tuple[str, ...]
    """Records that changed what the value is computed from: in order of position. A record that
    only repeats the content of the one before is none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """A year between two cuts."""

    before: Replay
    after: Replay
    changed: tuple[Change, ...]
    first_known: tuple[Change, ...]

    @property
    def year(self) -> int:
        """Year compared."""
        return self.after.year


def difference(
    facts: CycleFacts, *, year: int, from_as_of: dt.date, to_as_of: dt.date
) -> Difference:
    """Compare a year as known on two days.

    Args:
        facts: folded from the feed.
        year: of the performance cycle.
        from_as_of: earlier cut, inclusive.
        to_as_of: later cut, inclusive.
    """
    first = Evaluator(Knowledge(facts=facts, year=year, as_of=from_as_of))
    second = Evaluator(Knowledge(facts=facts, year=year, as_of=to_as_of))
    before, after = replay_of(first), replay_of(second)
    earlier = {line.code: line for line in before.indicators}
    later = {line.code for line in after.indicators}
    changed: list[Change] = []
    first_known: list[Change] = []
    for line in after.indicators:
        old = earlier.get(line.code)
        old_value = None if old is None else old.value
        if line.value == old_value:
            continue
        change = _change(old, line, causes=_causes(line.code, first, second))
        (first_known if old_value is None else changed).append(change)
    # A correction may also take the whole indicator out of the year.
    gone = (line for line in before.indicators if line.code not in later)
    changed.extend(
        _change(line, _emptied(line), causes=_causes(line.code, first, second))
        for line in gone
        if line.value is not None
    )
    return Difference(
        before=before, after=after, changed=tuple(changed), first_known=tuple(first_known)
    )


def _emptied(line: IndicatorLine) -> IndicatorLine:
    return replace(line, value=None, vintage=None, sources=())


def _change(old: IndicatorLine | None, new: IndicatorLine, *, causes: tuple[str, ...]) -> Change:
    old_value = None if old is None else old.value
    return Change(
        code=new.code,
        label=new.label,
        unit=new.unit,
        decimals=new.decimals,
        old=old_value,
        new=new.value,
        change_pct=change_pct(old_value, new.value),
        old_vintage=None if old is None else old.vintage,
        new_vintage=new.vintage,
        causes=causes,
    )


def _causes(code: str, before: Evaluator, after: Evaluator) -> tuple[str, ...]:
    """Return the records that changed an input or a definition of a value, by position."""
    old, new = before.evaluate(code).trace, after.evaluate(code).trace
    earlier = {read.slot: read for read in old.inputs()}
    later = {read.slot: read for read in new.inputs()}
    found = {
        address
        for slot in {**earlier, **later}
        for address in _changed(earlier.get(slot), later.get(slot), before, after)
    }
    read_codes = {code, *old.codes(), *new.codes()}
    found |= {address for each in read_codes for address in _redefined(each, before, after)}
    if not found:
        found = {
            definition.address
            for each in read_codes
            if (definition := after.knowledge.definition(each)) is not None
            and before.knowledge.definition(each) is None
        }
    return tuple(sorted(found, key=int))


def _changed(
    was: Input | None, now: Input | None, before: Evaluator, after: Evaluator
) -> Iterator[str]:
    """Yield the record that changed an input; none when its content is the same."""
    if was is not None and now is not None and was.content == now.content:
        return
    first_cut = before.knowledge.as_of
    if now is not None and (first_cut is None or now.as_of > first_cut):
        yield now.address
        return
    # What was known before and counts only now, or is gone, was changed by a correction.
    corrections = after.knowledge.facts.corrections
    if was is not None and was.event_id in corrections:
        yield corrections[was.event_id]


def _redefined(code: str, before: Evaluator, after: Evaluator) -> Iterator[str]:
    """Yield the record that changed a definition, or took it away."""
    was, now = before.knowledge.definition(code), after.knowledge.definition(code)
    if was is None:
        return
    if now is not None:
        if now.event != was.event:
            yield now.address
        return
    facts = after.knowledge.facts
    for known in facts.definitions.get(code, ()):
        if known.recorded.address == was.address and known.recorded.event_id in facts.corrections:
            yield facts.corrections[known.recorded.event_id]


def change_pct(old: Decimal | None, new: Decimal | None) -> Decimal | None:
    """Return 100 (new - old) / old with two decimals; None when it cannot be formed."""
    if not old or new is None:
        return None
    change = 100 * (Fraction(new) - Fraction(old)) / Fraction(old)
    return round_half_up(change, PERCENT_DECIMALS)
