"""Which units of measure may meet in one relation, and at what scale.

The rule:
1. EUR, EUR_MLN and EUR_MLD are one dimension; amounts are brought to euro.
2. percent, percent_points, index, ratio, points and score are plain numbers and compared as they
   stand (the documents print an index as a percentage, and 100 plus a deviation as an index),
   except that ratio never meets percent or percent_points: 0.88 and 88 % are the same quantity
   as different numbers, and no relation says which was meant.
3. Every other unit (count, days, hours, year, and any unknown one) is a dimension of its own.
4. A percentage is made of two figures of one dimension and is a plain number other than a ratio.
5. A quotient of one dimension is a plain number other than a percentage; one of two dimensions is
   so much of the first per unit of the second, in the first's dimension or as a plain number.
   Counts are of different things, so a count per count may itself be a count.

Source: the units in the README of the worked example and the mixes its relations hold.
"""

from collections.abc import Collection
from enum import StrEnum
from fractions import Fraction
from types import MappingProxyType
from typing import Final

_EURO_SCALES: Final = MappingProxyType({"EUR": 1, "EUR_MLN": 10**6, "EUR_MLD": 10**9})
_PERCENTAGES: Final = frozenset({"percent", "percent_points"})
_RATIO: Final = "ratio"
_COUNT: Final = "count"
_PLAIN: Final = frozenset({"index", "points", "score"})


class _Dimension(StrEnum):
    """Dimensions that several units share; spelt so that no unit can bear the name."""

    MONEY = "dimension of money"
    NUMBER = "dimension of plain numbers"


def scale(unit: str) -> Fraction:
    """Return how many of its dimension's base unit one `unit` is: 1000000 for EUR_MLN."""
    return Fraction(_EURO_SCALES.get(unit, 1))


def comparable(units: Collection[str]) -> bool:
    """Whether figures in these units can be added and compared (rules 1 to 3)."""
    if _RATIO in units and not _PERCENTAGES.isdisjoint(units):
        return False
    return len({_dimension(unit) for unit in units}) <= 1


def makes_percentage(*, result: str, dividend: str, divisor: str) -> bool:
    """Whether a percentage of two figures may be printed in the unit of the result (rule 4)."""
    return comparable({dividend, divisor}) and result in _PERCENTAGES | _PLAIN


def makes_quotient(*, result: str, dividend: str, divisor: str) -> bool:
    """Whether a quotient of two figures may be printed in the unit of the result (rule 5)."""
    if result in _PLAIN or result == _RATIO:
        return True
    if comparable({dividend, divisor}):
        return result == dividend == _COUNT
    return comparable({result, dividend})


def _dimension(unit: str) -> str:
    if unit in _EURO_SCALES:
        return _Dimension.MONEY
    if unit in _PERCENTAGES or unit in _PLAIN or unit == _RATIO:
        return _Dimension.NUMBER
    return unit
