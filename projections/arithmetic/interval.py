"""Exact intervals of rational numbers, and what can be printed from them.

Invariants:
1. An interval is one point, or it is open at both ends: printed figures are open or exact, and
   sums and quotients that move strictly with each operand keep that shape.
2. No bound is ever rounded here; `Bounds` is the rounded form, for readers, and never narrower.

Source: the rounding rule in the README of the worked example (bounds excluded, half-up).
"""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor
from typing import Final, Self

from projections.cycle.rounding import round_half_up

EXACT_DECIMALS: Final = 60
"""Decimals within which a number is shown in full; enough for every sum of printed figures."""
GUARD_DECIMALS: Final = 20
"""Decimals shown beyond the printed ones when a number has no end, such as 1/3."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Bounds:
    """An interval as a reader sees it, in the unit of the result.

    Bounds that have no end as decimals are rounded outwards, so that nothing possible is left out.
    """

    low: Decimal
    high: Decimal
    """At least `low`."""
    low_closed: bool
    """Whether `low` itself is possible."""
    high_closed: bool
    """Whether `high` itself is possible."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Interval:
    """All numbers between `low` and `high`, both excluded; one number when they are equal."""

    low: Fraction
    high: Fraction
    """At least `low`."""

    @classmethod
    def point(cls, value: Fraction) -> Self:
        """Return the interval that holds one number."""
        return cls(low=value, high=value)

    @classmethod
    def around(cls, value: Fraction, half_width: Fraction) -> Self:
        """Return the numbers nearer to `value` than `half_width`, which is positive."""
        return cls(low=value - half_width, high=value + half_width)

    @property
    def is_point(self) -> bool:
        """Whether it holds one number only."""
        return self.low == self.high

    @property
    def touches_zero(self) -> bool:
        """Whether zero lies within, or is a bound: quotients by it have no bounds."""
        return self.low <= 0 <= self.high

    def plus(self, other: "Interval") -> "Interval":
        """Return every sum of a number of this interval and one of the other."""
        return Interval(low=self.low + other.low, high=self.high + other.high)

    def times(self, factor: Fraction) -> "Interval":
        """Return every number multiplied by `factor`, which may be negative or zero."""
        ends = (self.low * factor, self.high * factor)
        return Interval(low=min(ends), high=max(ends))

    def can_print(self, *, printed: Fraction, decimals: int) -> bool:
        """Whether some number within rounds half-up to `printed`.

        Args:
            printed: a number with no more than `decimals` digits after the sign.
            decimals: of the printed number; may be negative.
        """
        if self.is_point:
            return Fraction(round_half_up(self.low, decimals)) == printed
        half = Fraction(1, 2) / Fraction(10) ** decimals
        # An open interval that reaches only a bound of the numbers rounding to `printed` has
        # no number in common with them, whichever of their two bounds half-up includes.
        return self.low < printed + half and self.high > printed - half

    def shown(self, decimals: int) -> Bounds:
        """Return the bounds as decimals, for a result printed with so many decimals."""
        if self.is_point:
            value = unrounded(self.low, decimals)
            return Bounds(low=value, high=value, low_closed=True, high_closed=True)
        return Bounds(
            low=_outward(self.low, decimals, up=False),
            high=_outward(self.high, decimals, up=True),
            low_closed=False,
            high_closed=False,
        )


def unrounded(value: Fraction, decimals: int) -> Decimal:
    """Return a number in full, or cut half-up `GUARD_DECIMALS` after the printed ones.

    Args:
        value: exact.
        decimals: of the printed number it is compared with.

    Returns:
        A decimal without trailing zeros; zero has no sign.
    """
    full = round_half_up(value, EXACT_DECIMALS)
    if Fraction(full) == value:
        return _trimmed(full)
    return _trimmed(round_half_up(value, _shown_decimals(decimals)))


def _outward(value: Fraction, decimals: int, *, up: bool) -> Decimal:
    full = round_half_up(value, EXACT_DECIMALS)
    if Fraction(full) == value:
        return _trimmed(full)
    shown = _shown_decimals(decimals)
    unit = Fraction(10) ** shown
    whole = ceil(value * unit) if up else floor(value * unit)
    return _trimmed(round_half_up(Fraction(whole) / unit, shown))


def _shown_decimals(decimals: int) -> int:
    return max(decimals, 0) + GUARD_DECIMALS


def _trimmed(value: Decimal) -> Decimal:
    # Decimal.normalize rounds to the context's precision and turns 100 into 1E+2.
    text = format(value, "f")
    return Decimal(text.rstrip("0").rstrip(".")) if "." in text else Decimal(text)
