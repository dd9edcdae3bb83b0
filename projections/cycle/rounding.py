"""Half-up rounding, decided on exact values.

Source: the documents of the worked example: 53.125 is printed 53.13, which excludes half-even.
"""

from decimal import Decimal, localcontext
from fractions import Fraction
from math import floor
from typing import Final

_DIGITS: Final = 200
"""Precision in which scaled integers are turned into decimals; beyond any recorded value."""


def round_half_up(value: Fraction | Decimal, decimals: int) -> Decimal:
    """Return a value rounded half-up, away from zero on a tie.

    Args:
        value: exact.
        decimals: digits after the decimal sign; negative rounds to tens, hundreds and so on.
    """
    exact = value if isinstance(value, Fraction) else Fraction(value)
    scaled = abs(exact) * Fraction(10) ** decimals
    whole = floor(scaled + Fraction(1, 2))
    with localcontext() as context:
        context.prec = _DIGITS
        rounded = Decimal(whole).scaleb(-decimals)
        if decimals < 0:
            rounded = rounded.quantize(Decimal(1))
        return -rounded if exact < 0 and whole else rounded


def written(value: Fraction) -> str:
    """Return an exact value as text: a decimal when it ends, else numerator/denominator."""
    rest = value.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    if rest != 1:
        return f"{value.numerator}/{value.denominator}"
    digits = max(0, value.denominator.bit_length())
    text = format(round_half_up(value, digits), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
