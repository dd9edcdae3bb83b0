"""A figure as a document prints it, and the values it may stand for.

Invariants:
1. Value and decimals stay within 40 digits on either side of the decimal sign, so that every
   sum and quotient of the audit is decided exactly and in bounded time.
2. A figure without a value is allowed: "not published" is an answer, not an error.

Source: the README of the worked example, `figures.csv` and the rounding rule.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Final, NewType

from ledger.errors import LedgerError
from projections.arithmetic.interval import Interval

FigureId = NewType("FigureId", str)
"""Name of a printed figure, unique in its folder, for example `rp2023.oge.index`."""

DIGITS_MAX: Final = 40
"""Most digits of a value, or of its printed precision, on either side of the decimal sign."""

_COUNT: Final = "count"


class InvalidFigureError(LedgerError):
    """A figure cannot be audited as it stands; whoever typed the row mends the named field."""

    code = "invalid_figure"
    exit_code = 40
    template = "figure {figure}: field {field} has the value {value!r}: {reason}"
    hint = "correct the row of figures.csv"

    def __init__(self, *, figure: str, field: str, value: object, reason: str) -> None:
        self.figure = figure
        self.field = field
        self.value = str(value)
        self.reason = reason
        super().__init__(figure=figure, field=field, value=value, reason=reason)


class DuplicateFigureError(LedgerError):
    """Two figures carry one name, so that a relation cannot say which it means."""

    code = "duplicate_figure"
    exit_code = 41
    template = "figure {figure} stands twice, at {first} and at {second}"
    hint = "rename or remove one of the two rows of figures.csv"

    def __init__(self, *, figure: str, first: str, second: str) -> None:
        self.figure = figure
        self.first = first
        self.second = second
        super().__init__(figure=figure, first=first, second=second)


@dataclass(frozen=True, kw_only=True, slots=True)
class PrintedFigure:
    """One number of one document, with the precision it is printed in.

    Raises:
        InvalidFigureError: the value is not a number, or value or decimals exceed `DIGITS_MAX`.
    """

    figure_id: FigureId
    document: str
    label: str
    raw: str
    """The text as printed; empty for a total fixed by definition or a count of listed rows."""
    value: Decimal | None
    """The number, in `unit`; None when it is not published."""
    unit: str
    """Unit of measure; see `projections.arithmetic.units`."""
    decimals: int
    """Digits printed after the decimal sign, -40 to 40; -3 when thousands of units are printed."""
    vintage: str
    as_of: dt.date
    """Day on which the body knew the figure."""
    ref_from: dt.date
    """First day of the period described."""
    ref_to: dt.date
    """Last day of the period described, included."""
    locator: str | None
    """Document and line of its text extraction, for example `001:549`."""

    def __post_init__(self) -> None:
        if abs(self.decimals) > DIGITS_MAX:
            raise self._invalid("decimals", self.decimals, f"beyond -{DIGITS_MAX} to {DIGITS_MAX}")
        if self.value is None:
            return
        if not self.value.is_finite():
            raise self._invalid("value", self.value, "is not a number")
        if not is_moderate(self.value):
            raise self._invalid("value", self.value, f"more than {DIGITS_MAX} digits on one side")

    @property
    def is_exact(self) -> bool:
        """Whether the figure stands for its value alone: fixed by definition, or a plain count."""
        return not self.raw or (self.unit == _COUNT and self.decimals == 0)

    @property
    def is_on_grid(self) -> bool:
        """Whether the value can be printed with the stated decimals: 12.345 with 2 cannot."""
        if self.value is None:
            return True
        return (Fraction(self.value) * Fraction(10) ** self.decimals).denominator == 1

    def _invalid(self, field: str, value: object, reason: str) -> InvalidFigureError:
        # A refused value may be of any length; a message is not.
        clipped = str(value)[:DIGITS_MAX]
        return InvalidFigureError(figure=self.figure_id, field=field, value=clipped, reason=reason)


def is_moderate(value: Decimal) -> bool:
    """Whether a finite number has at most `DIGITS_MAX` digits on each side of its sign."""
    exponent = value.as_tuple().exponent
    # A finite decimal always has a numeric exponent; the letters stand for infinities and NaN.
    below = -exponent if isinstance(exponent, int) else 0
    return below <= DIGITS_MAX and (value.is_zero() or value.adjusted() < DIGITS_MAX)


def possible_values(figure: PrintedFigure, value: Decimal) -> Interval:
    """Return every number that a figure may stand for, in its own unit.

    Args:
        figure: says how it was printed.
        value: its value, which the caller has seen to be there.

    Returns:
        The value alone when the figure is exact, else all numbers nearer to it than half a unit
        of its last printed digit, bounds excluded.
    """
    if figure.is_exact:
        return Interval.point(Fraction(value))
    return Interval.around(Fraction(value), half_unit(figure.decimals))


def half_unit(decimals: int) -> Fraction:
    """Return half a unit of the last printed digit: 1/200 for 2 decimals, 500 for -3."""
    return Fraction(1, 2) / Fraction(10) ** decimals


def by_id(figures: Iterable[PrintedFigure]) -> dict[FigureId, PrintedFigure]:
    """Return figures by their names, in their order.

    Raises:
        DuplicateFigureError: two figures carry one name.
    """
    found: dict[FigureId, PrintedFigure] = {}
    for figure in figures:
        first = found.setdefault(figure.figure_id, figure)
        if first is not figure:
            raise DuplicateFigureError(
                figure=figure.figure_id,
                first=first.locator or first.document,
                second=figure.locator or figure.document,
            )
    return found
