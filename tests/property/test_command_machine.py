"""A state machine over commands: the ledger against an oracle of plain dictionaries.

Every step offers a command that may be right or wrong; the oracle knows which rule refuses it.
After each step the replayed state of a reopened ledger equals the oracle.
"""

import datetime as dt
import tempfile
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from ledger.aggregates.base import Proposal
from ledger.aggregates.planning import PLANNING, planning_stream
from ledger.envelopes import command
from ledger.errors import AppendKeyConflictError, CommandRefusedError
from ledger.events.base import Event
from ledger.events.measurement import IndicatorDefined
from ledger.events.planning import (
    AssignmentClosed,
    ObjectiveAssigned,
    TargetRevised,
    TargetSet,
    WeightSet,
)
from ledger.rules import Rule
from tests.support.given import DEC_31, JAN_1, PLAN_ACT, act_adopted, envelope
from tests.support.ledgers import new_ledger, reopened

CODES = ("A", "B", "C")
WEIGHTS = st.sampled_from([Decimal(0), Decimal(20), Decimal(40), Decimal(60), Decimal("99.99")])
TARGETS = st.sampled_from([Decimal(1), Decimal("2.5"), Decimal(10) ** 30])


class CommandMachine(RuleBasedStateMachine):
    """Objectives below one parent, with weights, closing and targets."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "ledger.db"
        self.ledger = new_ledger(self.path)
        self.assigned: list[str] = []
        self.weights: dict[str, Decimal] = {}
        self.targets: dict[str, Decimal] = {}
        self.closed = False
        self.count = 0

    def teardown(self) -> None:
        self.ledger.store.engine.dispose()
        self.folder.cleanup()

    @initialize()
    def begin(self) -> None:
        self.offer(act_adopted(), None)
        self.offer(ObjectiveAssigned(year=2023, code="P", level="I", label="P"), None)

    def offer(self, event: Event, expected: Rule | None, *, acts: bool = False) -> None:
        self.count += 1
        proposal = Proposal(
            event=event,
            envelope=envelope(dt.date(2023, 6, 1), acts=(PLAN_ACT,) if acts else ()),
        )
        head = self.ledger.head()
        asked = command(f"machine/{self.count}", [proposal])
        if expected is None:
            self.ledger.execute(asked)
            assert self.ledger.head() > head
            return
        with pytest.raises(CommandRefusedError) as refused:
            self.ledger.execute(asked)
        assert refused.value.rule == expected
        assert self.ledger.head() == head

    @rule(code=st.sampled_from(CODES))
    def assign(self, code: str) -> None:
        event = ObjectiveAssigned(year=2023, code=code, level="OGE", parent_code="P", label=code)
        self.offer(event, Rule.ALREADY_EXISTS if code in self.assigned else None)
        if code not in self.assigned:
            self.assigned.append(code)
            self.offer(_definition(code), None)

    @rule(code=st.sampled_from(CODES), weight=WEIGHTS, acts=st.booleans())
    def weigh(self, code: str, weight: Decimal, *, acts: bool) -> None:
        event = WeightSet(
            year=2023, parent_code="P", child_code=code, weight=weight, basis="published"
        )
        expected = None
        if code not in self.assigned:
            expected = Rule.UNKNOWN_REFERENCE
        elif self.closed and not acts:
            expected = Rule.ASSIGNMENT_CLOSED
        elif self.closed and self.weights.get(code) == weight:
            expected = Rule.NOTHING_CHANGES
        self.offer(event, expected, acts=acts)
        if expected is None:
            self.weights[code] = weight
            self.closed = False

    @rule()
    def close(self) -> None:
        total = sum(self.weights.values(), Decimal(0))
        event = AssignmentClosed(
            year=2023, parent_code="P", children=len(self.weights), total=total
        )
        expected = None
        if self.closed:
            expected = Rule.ENTITY_CLOSED
        elif not self.weights or set(self.assigned) != set(self.weights):
            expected = Rule.WEIGHTS_INCOMPLETE
        elif total != Decimal(100):
            expected = Rule.WEIGHTS_SUM
        self.offer(event, expected)
        self.closed = expected is None or self.closed

    @rule(code=st.sampled_from(CODES), goal=TARGETS)
    def aim(self, code: str, goal: Decimal) -> None:
        expected = None
        if code not in self.assigned:
            expected = Rule.DEFINITION_MISSING
        elif code in self.targets:
            expected = Rule.TARGET_ALREADY_SET
        self.offer(TargetSet(year=2023, indicator_code=code, target=goal), expected)
        if expected is None:
            self.targets[code] = goal

    @precondition(lambda self: self.targets)
    @rule(data=st.data(), new=TARGETS, acts=st.booleans(), stale=st.booleans())
    def revise(self, data: st.DataObject, new: Decimal, *, acts: bool, stale: bool) -> None:
        code = data.draw(st.sampled_from(sorted(self.targets)))
        present = self.targets[code]
        # Not present + 1: at thirty digits a sum would round back to the same number.
        other = Decimal("0.5") if present == Decimal("0.25") else Decimal("0.25")
        old = other if stale else present
        event = TargetRevised(
            year=2023, indicator_code=code, old_target=old, new_target=new, cause="flood"
        )
        expected = None
        if stale:
            expected = Rule.OLD_VALUE_DIFFERS
        elif new == present:
            expected = Rule.NOTHING_CHANGES
        elif not acts:
            expected = Rule.ACT_REQUIRED
        self.offer(event, expected, acts=acts)
        if expected is None:
            self.targets[code] = new

    @rule()
    def repeat_the_last_key(self) -> None:
        head = self.ledger.head()
        proposal = Proposal(event=act_adopted(), envelope=envelope(dt.date(2023, 6, 1)))

        again = self.ledger.execute(command("machine/1", [proposal]))

        assert again.appended == 0
        assert self.ledger.head() == head
        with pytest.raises(AppendKeyConflictError):
            self.ledger.execute(command("machine/1", [proposal], facts="something else"))

    @rule()
    def restart(self) -> None:
        self.ledger.store.engine.dispose()
        self.ledger = reopened(self.path)

    @invariant()
    def state_equals_the_oracle(self) -> None:
        state = self.ledger.session().state(PLANNING, planning_stream(2023))
        assert set(state.children.get("P", ())) == set(self.assigned)
        assert state.weights_below("P") == self.weights
        assert {code: value for (code, _), value in state.targets.items()} == self.targets
        assert ("P" in state.closed) == self.closed


def _definition(code: str) -> IndicatorDefined:
    return IndicatorDefined(
        indicator_code=code,
        version=1,
        label=code,
        measure_unit="index",
        decimals=2,
        direction="up",
        deviation_rule="DR1",
        formula='{"op":"recorded"}',
        valid_from=JAN_1,
        valid_to=DEC_31,
        basis="catalogue",
    )


TestCommandMachine = CommandMachine.TestCase
TestCommandMachine.settings = settings(
    max_examples=20,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestCommandMachine = pytest.mark.property(TestCommandMachine)
