"""Bounds of what may be asked for, apart from what computes it: help shows them at once."""

from typing import Final

MONTHS_MAX: Final = 120
"""Months of the longest projection."""
