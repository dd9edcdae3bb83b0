"""Deviation from target and achievement of target, under the rules DR1 to DR6.

| rule | use | deviation | achievement |
|---|---|---|---|
| DR1 | higher is better | 100 (r-t)/t | 100 r/t |
| DR2 | lower is better | -100 (r-t)/t | 100 - 100 (r-t)/t |
| DR3 | difference in points | r-t | none |
| DR4 | neutral 100 | r-100 | r |
| DR5 | subtractive row, as DR2 | -100 (r-t)/t | 100 - 100 (r-t)/t |
| DR6 | deviation on budget, t is the budget | 100 (r-t)/t | none |

Results are exact fractions, in percent (points for DR3 and DR4); rounding comes later.

Source: domain notes, section 1.3.
"""

from fractions import Fraction
from typing import Final

from projections.cycle.values import Missing, Reason

_RELATIVE_UP: Final = ("DR1", "DR6")
_RELATIVE_DOWN: Final = ("DR2", "DR5")
_FULL: Final = Fraction(100)


def deviation(rule: str, result: Fraction, target: Fraction) -> Fraction | Missing:
    """Return the deviation of a result from its target.

    Args:
        rule: DR1 to DR6.
        result: in the indicator's unit of measure.
        target: in the same unit.
    """
    if rule == "DR3":
        return result - target
    if rule == "DR4":
        return result - _FULL
    if rule not in _RELATIVE_UP + _RELATIVE_DOWN:
        return Missing(Reason.RULE_UNKNOWN)
    if target == 0:
        return Missing(Reason.DIVISION_BY_ZERO)
    share = _FULL * (result - target) / target
    return share if rule in _RELATIVE_UP else -share


def achievement(rule: str, result: Fraction, target: Fraction) -> Fraction | Missing:
    """Return the achievement of a target; see the table of the module."""
    if rule in {"DR3", "DR6"}:
        return Missing(Reason.NOT_DEFINED_BY_RULE)
    if rule == "DR4":
        return result
    found = deviation(rule, result, target)
    return found if isinstance(found, Missing) else _FULL + found
