"""A value that is known exactly, or missing for a reason."""

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction


class Reason(StrEnum):
    """Why there is no value; the texts stand in `app.texts`."""

    NOT_RECORDED = "not_recorded"
    """No event has recorded it, or none that the reader's cut includes."""
    NOT_PUBLISHED = "not_published"
    """The body has not published it."""
    WEIGHTS_UNPUBLISHED = "weights_unpublished"
    """The weights it rests on are not published; they are never guessed."""
    WEIGHTS_INCOMPLETE = "weights_incomplete"
    """The weights it rests on do not sum to 100: a child or a weight is not recorded."""
    TARGET_MISSING = "target_missing"
    """There is no target to compare with."""
    CHILD_MISSING = "child_missing"
    """A value it rests on is missing."""
    DIVISION_BY_ZERO = "division_by_zero"
    """Its denominator is zero."""
    NOT_DEFINED = "not_defined"
    """The indicator has no definition for the period."""
    NOT_DEFINED_BY_RULE = "not_defined_by_rule"
    """Its deviation rule prints no such figure."""
    RULE_UNKNOWN = "rule_unknown"
    """Its deviation rule is not one of DR1 to DR6."""
    FACTS_NOT_READ = "facts_not_read"
    """It rests on a measure over facts, which the indicators of production compute."""
    STATED = "stated"
    """The source states reasons of its own; see `Missing.details`."""


@dataclass(frozen=True, slots=True)
class Missing:
    """No value, and why."""

    reason: str
    """A `Reason`, or the code a definition gives."""
    details: tuple[str, ...] = ()
    """Codes stated by the source, or the codes of what is missing below."""


Value = Fraction | Missing
"""An exact value, or why there is none."""
