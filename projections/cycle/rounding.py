"""Half-up rounding, decided on exact values.

Source: the documents of the worked example: 53.125 is printed 53.13, which excludes half-even.
"""

from decimal import Decimal
from fractions import Fraction
from math import floor


def round_half_up(value: Fraction | Decimal, decimals: int) -> Decimal:
    """Return a value rounded half-up, away from zero on a tie.

    Args:
        value: exact.
        decimals: digits after the decimal sign; negative rounds to tens, hundreds and so on.

    Returns:
        Exactly that many decimals (none when negative), of any size; zero never has a sign.
    """
    exact = value if isinstance(value, Fraction) else Fraction(value)
    scaled = abs(exact) * Fraction(10) ** decimals
    whole = floor(scaled + Fraction(1, 2))
    sign = int(exact < 0 and whole != 0)
    # Made from digits: arithmetic on decimals would round to the precision of the context.
    digits = Decimal(whole * 10 ** max(0, -decimals)).as_tuple().digits
    return Decimal((sign, digits, -max(0, decimals)))


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
