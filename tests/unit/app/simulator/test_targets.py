"""Figures that no facts can carry are refused, and the error says which."""

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from app.simulator.errors import TargetsError
from app.simulator.targets import Area, FlowNode, Stage, Targets


def area(code: str = "a", days: str = "30") -> Area:
    return Area(code=code, label=code, line="none", backlog_days=Decimal(days))


def node(code: str, parent: str | None = None) -> FlowNode:
    return FlowNode(code=code, parent=parent, sign="+")


def stage(as_of: str, **flows: int) -> Stage:
    return Stage(vintage=f"V{as_of}", as_of=dt.date.fromisoformat(as_of), flows=flows)


GOOD = Targets(
    year=2023,
    productivity=Decimal("120.5"),
    outflow=Decimal(1),
    areas=(area(),),
    nodes=(node("x"), node("y", "x")),
    stages=(stage("2024-03-01", x=1, y=1), stage("2024-06-01")),
)

BAD: list[tuple[str, str, Callable[[], Targets]]] = [
    ("year", "1899", lambda: replace(GOOD, year=1899)),
    ("year", "9998", lambda: replace(GOOD, year=9998)),
    ("productivity", "above 0", lambda: replace(GOOD, productivity=Decimal(0))),
    ("productivity", "above 0", lambda: replace(GOOD, productivity=Decimal("NaN"))),
    ("productivity", "2 decimals", lambda: replace(GOOD, productivity=Decimal("1.001"))),
    ("outflow", "above 0", lambda: replace(GOOD, outflow=Decimal("-1.03"))),
    ("outflow", "2 decimals", lambda: replace(GOOD, outflow=Decimal("1.035"))),
    ("areas", "none", lambda: replace(GOOD, areas=())),
    ("area a", "twice", lambda: replace(GOOD, areas=(area(), area()))),
    ("backlog of a", "30.5", lambda: replace(GOOD, areas=(area(days="30.5"),))),
    ("backlog of a", "-1", lambda: replace(GOOD, areas=(area(days="-1"),))),
    ("flow nodes", "twice", lambda: replace(GOOD, nodes=(node("x"), node("x")), stages=())),
    ("flow node y", "no parent 'z'", lambda: replace(GOOD, nodes=(node("x"), node("y", "z")))),
    ("flow node x", "below itself", lambda: replace(GOOD, nodes=(node("x", "y"), node("y", "x")))),
    ("flow node x", "below itself", lambda: replace(GOOD, nodes=(node("x", "x"),))),
    ("stage V2024-03-01", "node y", lambda: replace(GOOD, stages=(stage("2024-03-01", x=1),))),
    (
        "stage V2024-03-01",
        "node z",
        lambda: replace(GOOD, stages=(stage("2024-03-01", x=1, y=1, z=1),)),
    ),
    (
        "stage V2024-03-01",
        "not after",
        lambda: replace(GOOD, stages=(stage("2024-06-01"), stage("2024-03-01"))),
    ),
    ("stage V2023-01-15", "not after", lambda: replace(GOOD, stages=(stage("2023-01-15"),))),
]


@pytest.mark.parametrize(("subject", "reason", "build"), BAD, ids=map(str, range(len(BAD))))
def test_refuses_impossible_figures(
    subject: str, reason: str, build: Callable[[], Targets]
) -> None:
    with pytest.raises(TargetsError) as caught:
        build()

    assert caught.value.subject == subject
    assert reason in caught.value.reason
    assert caught.value.code == "simulation_targets"
    assert subject in str(caught.value)
