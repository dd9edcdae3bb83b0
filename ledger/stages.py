"""Closing stages of a figure and their order: which of several results of one period counts.

Invariants:
1. Of two results of one indicator, unit and period the one of the later stage counts; of one stage
   the one known later; of one day the one recorded later. The order of recording decides last.
2. Stages form an open set: a name that is not listed ranks below every listed one, as no name does,
   so that a result never counts over a closing result without saying that it closes.

Source: docs/indicators.md, "Which value counts"; rulings 15.
"""

from collections.abc import Mapping
from typing import Final

PRE_CLOSING: Final = "PRE_CONSUNTIVO"
CLOSING: Final = "CONSUNTIVO"
FINAL_ACCOUNTS: Final = "RENDICONTO"

UNRANKED: Final = 0
"""Rank of a result without stage, or of a stage that is not listed."""
_RANKS: Final[Mapping[str, int]] = {
    "PLAN": 1,
    "BUDGET": 1,
    "HISTORIC": 1,
    "MONITORING": 2,
    PRE_CLOSING: 3,
    CLOSING: 4,
    FINAL_ACCOUNTS: 5,
}
CLOSING_RANK: Final = _RANKS[CLOSING]
"""Rank from which on a result closes its period."""
_MONITORING: Final = "MONITORING_"
"""Begins the names of the stages within a year, for example `MONITORING_Q2`."""


def stage_rank(vintage: str | None) -> int:
    """Return the place of a closing stage in their order: 0 for none and for unlisted names."""
    if vintage is None:
        return UNRANKED
    if vintage.startswith(_MONITORING):
        return _RANKS["MONITORING"]
    return _RANKS.get(vintage, UNRANKED)
