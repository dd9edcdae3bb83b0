"""The steps of a computation, with the records that each step read.

Invariants:
1. A trace is a tree of values; it repeats nothing of the ledger but what was read, so that two
   computations can be compared input by input.
2. A step that several others share is walked once, whatever the depth.

Source: docs/adr/0007-indicators.md.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from projections.cycle.values import Value


@dataclass(frozen=True, kw_only=True, slots=True)
class Input:
    """What a step read: a result, an amount, a weight or a target, with its record."""

    slot: tuple[str, ...]
    """Kind and keys, for example `("weight", "PS", "OGE2")`: the same at every cut."""
    content: Decimal | tuple[str, ...]
    """The value that was read, or the reasons stated in its place."""
    address: str
    """Record it stands in."""
    event_id: str
    as_of: dt.date
    """Knowledge date of the record."""


@dataclass(frozen=True, slots=True)
class Trace:
    """One step of a computation."""

    op: str
    value: Value
    code: str | None = None
    """Indicator or node concerned."""
    weight: Decimal | None = None
    """Weight of this step within its parent, percent."""
    sign: str | None = None
    """How the step enters its parent's sum: + or -."""
    reads: tuple[Input, ...] = ()
    """What the step reads itself."""
    stage: tuple[dt.date, str] | None = None
    """Knowledge date and closing stage of the result or amount that the step reads."""
    children: tuple["Trace", ...] = ()

    @property
    def sources(self) -> tuple[str, ...]:
        """Addresses of the records the step reads itself."""
        return tuple(read.address for read in self.reads)

    def inputs(self) -> tuple[Input, ...]:
        """Return what the step and everything below read, each once, in order of use."""
        return tuple(dict.fromkeys(read for step in self._steps() for read in step.reads))

    def addresses(self) -> tuple[str, ...]:
        """Return the records of the step and everything below, each once, in order of use."""
        return tuple(dict.fromkeys(read.address for read in self.inputs()))

    def codes(self) -> frozenset[str]:
        """Return the indicators and nodes that were read, at any depth."""
        return frozenset(step.code for step in self._steps() if step.code)

    def known_on(self) -> dt.date | None:
        """Return the newest knowledge date of what was read; None when nothing was."""
        return max((read.as_of for read in self.inputs()), default=None)

    def vintage(self) -> str | None:
        """Return the closing stage of the newest result or amount that was read."""
        stages = [step.stage for step in self._steps() if step.stage is not None]
        return max(stages)[1] if stages else None

    def _steps(self) -> Iterator["Trace"]:
        """Yield this step and everything below, parents first.

        A step that several others share is yielded once: indicators that read each other twice at
        every level would otherwise take time exponential in the levels.
        """
        pending, seen = [self], set[int]()
        while pending:
            step = pending.pop()
            if id(step) not in seen:
                seen.add(id(step))
                yield step
                pending.extend(reversed(step.children))
