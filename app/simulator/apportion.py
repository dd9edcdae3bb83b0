"""Cutting whole numbers into whole parts that add up: nothing is lost, nothing is a float.

Source: the method of the largest remainder (Hamilton); systematic sampling for `spread`.
"""

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Final

import numpy as np
from numpy.typing import NDArray

Longs = NDArray[np.int64]
Flags = NDArray[np.bool_]

_SAFE: Final = 1 << 62


def apportion(total: int, weights: Longs) -> Longs:
    """Return whole parts of `total` in proportion to weights, by the largest remainder.

    Args:
        total: what to cut; a negative total gives the mirrored parts.
        weights: one per part, at least 0; their sum above 0 unless the total is 0.

    Returns:
        Parts that add up to `total`; ties go to the lowest index; a weight of 0 gets 0.
    """
    if total < 0:
        return -apportion(-total, weights)
    parts = np.zeros(weights.size, np.int64)
    whole = int(weights.sum())
    if total == 0:
        return parts
    if total * int(weights.max()) < _SAFE:
        product = weights * np.int64(total)
        parts, rest = product // whole, product % whole
    else:  # beyond 64 bits: exact all the same, in Python's integers
        pairs = [divmod(int(weight) * total, whole) for weight in weights]
        parts = np.array([part for part, _ in pairs], np.int64)
        rest = np.array([remainder for _, remainder in pairs], np.int64)
    missing = total - int(parts.sum())
    parts[np.argsort(-rest, kind="stable")[:missing]] += 1
    return parts


def spread(totals: Longs, weights: Longs, offsets: Longs) -> Longs:
    """Return each row's total cut over its columns, evenly along the cumulated weights.

    Where the weights of a row add up to at least its total, no part exceeds its weight: so weights
    may be limits.

    Args:
        totals: one per row, at least 0.
        weights: rows x columns, at least 0; one row serves all.
        offsets: one per row, any whole number at least 0: where the first part begins.

    Returns:
        Parts, rows x columns; each row adds up to its total.
    """
    ends = np.cumsum(weights, axis=1)
    whole = np.maximum(ends[:, -1:], 1)
    shift = offsets[:, None] % whole
    marks = (totals[:, None] * ends + shift) // whole
    return np.diff(marks, axis=1, prepend=0)


def sum_by(index: Longs, values: Longs, size: int) -> Longs:
    """Return the sums of `values` by `index`, of 0 to `size` - 1."""
    sums = np.zeros(size, np.int64)
    np.add.at(sums, index, values)
    return sums


def half_up(value: Fraction, decimals: int = 0) -> Decimal:
    """Return a fraction rounded half-up (away from zero on a tie), decided exactly."""
    scaled = abs(value) * 10**decimals
    whole = (2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)
    return Decimal(-whole if value < 0 else whole).scaleb(-decimals)


def half_up_int(value: Fraction) -> int:
    """Return a fraction rounded half-up to a whole number."""
    return int(half_up(value).to_integral_value(ROUND_HALF_UP))
