"""The rules a command can be refused by: one stable name each.

The names appear in errors, in JSON, in docs/rules.md and in the translations of
`app.texts.rules`; a test compares the four. A name is never reused for another rule.
"""

from enum import StrEnum
from typing import NoReturn

from ledger.errors import CommandRefusedError


class Rule(StrEnum):
    """Names of the rules; the comment of each says what it asks."""

    ACT_ALREADY_ADOPTED = "act_already_adopted"
    """An act is adopted once."""
    ACT_UNKNOWN = "act_unknown"
    """A cited act must have been adopted in this ledger."""
    ACT_NOT_IN_FORCE = "act_not_in_force"
    """A cited act must be in force when the event takes effect."""
    ACT_REQUIRED = "act_required"
    """Some changes need an authorising act."""
    AS_OF_IN_FUTURE = "as_of_in_future"
    """Nobody knows today what will be known tomorrow."""
    PERIOD_REVERSED = "period_reversed"
    """A period ends on or after its first day."""
    SUPERSEDED_UNKNOWN = "superseded_unknown"
    """A correction names an event of the same stream."""
    CORRECTION_NEEDS_REASON = "correction_needs_reason"
    """A correction says why."""
    IDENTITY_MISMATCH = "identity_mismatch"
    """A key written in two places of one event must agree."""
    ALREADY_EXISTS = "already_exists"
    """An entity begins once."""
    UNKNOWN_REFERENCE = "unknown_reference"
    """A named entity must exist."""
    ENTITY_CLOSED = "entity_closed"
    """Nothing happens to an entity that has ended."""
    HIERARCHY_CYCLE = "hierarchy_cycle"
    """An entity is not its own ancestor."""
    HAS_OPEN_CHILDREN = "has_open_children"
    """A unit ends after the units below it."""
    VALUE_NOT_ALLOWED = "value_not_allowed"
    """A value must be within the set or range of its field."""
    DATES_OUT_OF_ORDER = "dates_out_of_order"
    """A later step does not bear an earlier date."""
    COMPLETION_DATE_MISSING = "completion_date_missing"
    """A measure that is done says on which day."""
    WEIGHTS_SUM = "weights_sum"
    """The weights of siblings sum to 100 when their assignment closes."""
    WEIGHTS_INCOMPLETE = "weights_incomplete"
    """Siblings of one level all have a weight when their assignment closes, or none has."""
    ASSIGNMENT_CLOSED = "assignment_closed"
    """After the assignment is closed a weight changes only under an act."""
    TARGET_ALREADY_SET = "target_already_set"
    """A target is set once and then revised."""
    TARGET_NOT_SET = "target_not_set"
    """Only a target that was set can be revised."""
    OLD_VALUE_DIFFERS = "old_value_differs"
    """A change names the value it starts from, and that value is the present one."""
    NOTHING_CHANGES = "nothing_changes"
    """A change changes something."""
    PERIOD_NOT_OPEN = "period_not_open"
    """Results are recorded for an open period; later ones are corrections."""
    RESULT_ALREADY_RECORDED = "result_already_recorded"
    """A second result for the same indicator, unit, period, stage and day is a correction."""
    RESULT_STAGE = "result_stage"
    """Beside a result of a listed stage, a new one names its stage and does not close again."""
    MISSING_NEEDS_REASON = "missing_needs_reason"
    """A missing value says why; a present one says nothing."""
    DEFINITION_VERSION = "definition_version"
    """Versions of a definition are dense, from 1; a change of method is announced first."""
    DEFINITION_MISSING = "definition_missing"
    """An indicator is defined for the period before it is measured or given a target."""
    REPORT_NOT_VALIDATED = "report_not_validated"
    """Incentive parameters follow the validation of the report."""
    VALIDATION_CONCLUDED = "validation_concluded"
    """After its conclusion a validation is not reopened."""
    BLOCKING_FINDING_OPEN = "blocking_finding_open"
    """A report is validated after its blocking findings are answered."""
    LEDGER_BOUND = "ledger_bound"
    """A ledger is opened once and bound to one body."""
    APPROVALS_MISSING = "approvals_missing"
    """An erasure is approved by at least two different offices."""
    SUBJECT_HELD = "subject_held"
    """Nothing is erased while a hold covers it."""
    SUBJECT_ERASED = "subject_erased"
    """A subject is erased once; nothing follows under its name."""
    RETENTION_RUNNING = "retention_running"
    """A request does not erase what a retention term still keeps."""
    RUN_CONTRADICTED = "run_contradicted"
    """The same inputs and the same program give one answer."""


def refuse(rule: Rule, detail: str, **facts: object) -> NoReturn:
    """Refuse a command.

    Args:
        rule: the rule that forbids it.
        detail: English sentence with the values that offend.
        facts: the same values by name, for the translated text.

    Raises:
        CommandRefusedError: always.
    """
    raise CommandRefusedError(rule=rule.value, detail=detail, **facts)
