"""Compare a year between two cuts: what changed, by how much, and which events caused it.

Values that were not known at all at the first cut are listed apart ("di nuova conoscenza"): they
are not restatements.

Source: rulings 19.
"""

import datetime as dt
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction

from projections.cycle.evaluate import PERCENT_DECIMALS
from projections.cycle.facts import CycleFacts
from projections.cycle.replay import IndicatorLine, Replay, replay_facts
from projections.cycle.rounding import round_half_up


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
    """Records that the new value rests on and the old one did not."""


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
    before = replay_facts(facts, year=year, as_of=from_as_of)
    after = replay_facts(facts, year=year, as_of=to_as_of)
    earlier = {line.code: line for line in before.indicators}
    later = {line.code for line in after.indicators}
    changed: list[Change] = []
    first_known: list[Change] = []
    for line in after.indicators:
        old = earlier.get(line.code)
        old_value = None if old is None else old.value
        if line.value == old_value:
            continue
        change = _change(old, line)
        (first_known if old_value is None else changed).append(change)
    # A correction may also take the whole indicator out of the year.
    gone = (line for line in before.indicators if line.code not in later)
    changed.extend(_change(line, _emptied(line)) for line in gone if line.value is not None)
    return Difference(
        before=before, after=after, changed=tuple(changed), first_known=tuple(first_known)
    )


def _emptied(line: IndicatorLine) -> IndicatorLine:
    return replace(line, value=None, vintage=None, sources=())


def _change(old: IndicatorLine | None, new: IndicatorLine) -> Change:
    old_value = None if old is None else old.value
    known = set() if old is None else set(old.sources)
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
        causes=tuple(address for address in new.sources if address not in known),
    )


def change_pct(old: Decimal | None, new: Decimal | None) -> Decimal | None:
    """Return 100 (new - old) / old with two decimals; None when it cannot be formed."""
    if not old or new is None:
        return None
    change = 100 * (Fraction(new) - Fraction(old)) / Fraction(old)
    return round_half_up(change, PERCENT_DECIMALS)
