"""Cents of the leaves make every level round to what is printed, or the figures are refused."""

import csv
import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from app.simulator.apportion import half_up_int
from app.simulator.errors import TargetsError
from app.simulator.flows import DEVIATION_MAX, settle_flows
from app.simulator.targets import Area, FlowNode, Sign, Stage, Targets

IEEP = Path(__file__).parents[4] / "examples" / "inps-2023" / "ieep.csv"
SIGNS: Mapping[str, Sign] = {"+": "+", "-": "-"}


def targets(nodes: tuple[FlowNode, ...], *flows: Mapping[str, int]) -> Targets:
    return Targets(
        year=2023,
        productivity=Decimal(1),
        outflow=Decimal(1),
        areas=(Area(code="a", label="a", line="none", backlog_days=Decimal(1)),),
        nodes=nodes,
        stages=tuple(
            Stage(vintage=f"V{place}", as_of=dt.date(2024, 1 + place, 20), flows=amounts)
            for place, amounts in enumerate(flows)
        ),
    )


def node(code: str, parent: str | None = None, sign: Sign = "+") -> FlowNode:
    return FlowNode(code=code, parent=parent, sign=sign)


def summed(nodes: tuple[FlowNode, ...], cents: Mapping[str, int], code: str) -> int:
    """Return the cents of a node from those of the leaves below it: the slow way."""
    below = [item for item in nodes if item.parent == code]
    if not below:
        return cents[code]
    return sum(summed(nodes, cents, item.code) * (1 if item.sign == "+" else -1) for item in below)


def test_every_row_of_the_worked_example_is_hit_at_both_stages() -> None:
    with IEEP.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    nodes = tuple(
        node(row["node_code"], row["parent_code"] or None, SIGNS[row["sign"]]) for row in rows
    )
    printed = [
        {row["node_code"]: int(row[column]) for row in rows}
        for column in ("pre_closing", "closing")
    ]

    settled = settle_flows(targets(nodes, *printed))

    assert len(settled) == 2
    for stage, amounts in zip(settled, printed, strict=True):
        for code, euro in amounts.items():
            assert half_up_int(Fraction(summed(nodes, stage.cents, code), 100)) == euro
    same = [code for code in settled[0].cents if printed[0][code] == printed[1][code]]
    assert len(same) == 6
    unmoved = [code for code in same if settled[0].cents[code] == settled[1].cents[code]]
    assert len(unmoved) >= 5


@pytest.mark.parametrize(("children", "gap"), [(2, 2), (2, -2), (3, 2), (4, -3), (1, 1)])
def test_refuses_parents_that_no_cents_can_reach(children: int, gap: int) -> None:
    nodes = (node("top"), *(node(f"leaf{place}", "top") for place in range(children)))
    printed = {f"leaf{place}": 100 for place in range(children)} | {"top": 100 * children + gap}

    with pytest.raises(TargetsError) as caught:
        settle_flows(targets(nodes, printed))

    assert caught.value.subject == "flow node top, stage V0"
    assert f"{-gap} euro" in caught.value.reason


@pytest.mark.parametrize(("children", "gap"), [(2, 1), (2, -1), (4, 2), (6, -3)])
def test_accepts_parents_that_rounding_explains(children: int, gap: int) -> None:
    nodes = (node("top"), *(node(f"leaf{place}", "top") for place in range(children)))
    printed = {f"leaf{place}": 100 for place in range(children)} | {"top": 100 * children + gap}

    cents = settle_flows(targets(nodes, printed))[0].cents

    assert half_up_int(Fraction(sum(cents.values()), 100)) == printed["top"]
    assert all(abs(value - 10_000) <= DEVIATION_MAX for value in cents.values())


def test_a_wrong_sign_is_noticed() -> None:
    nodes = (node("top"), node("in", "top"), node("out", "top", "-"))

    settle_flows(targets(nodes, {"top": 60, "in": 100, "out": 40}))
    with pytest.raises(TargetsError, match="top"):
        settle_flows(targets(nodes, {"top": 140, "in": 100, "out": 40}))


def test_stages_without_flows_are_passed_over() -> None:
    nodes = (node("top"),)

    settled = settle_flows(targets(nodes, {}, {"top": -7}))

    assert [stage.stage.vintage for stage in settled] == ["V1"]
    assert half_up_int(Fraction(settled[0].cents["top"], 100)) == -7


@st.composite
def trees(draw: st.DrawFn) -> tuple[tuple[FlowNode, ...], dict[str, int]]:
    """Return a tree whose printed amounts are those of cents, rounded row by row."""
    size = draw(st.integers(1, 14))
    nodes: list[FlowNode] = []
    for place in range(size):
        parent = draw(st.none() | st.sampled_from([item.code for item in nodes])) if nodes else None
        nodes.append(node(f"n{place}", parent, draw(st.sampled_from(["+", "-"]))))
    parents = {item.parent for item in nodes}
    cents = {
        item.code: draw(st.integers(-(10**6), 10**6)) * 100 + draw(st.integers(-49, 49))
        for item in nodes
        if item.code not in parents
    }
    everything = tuple(nodes)
    exact = {item.code: summed(everything, cents, item.code) for item in nodes}
    assume(all(abs(value) % 100 != 50 for value in exact.values()))
    return everything, {code: half_up_int(Fraction(value, 100)) for code, value in exact.items()}


@pytest.mark.property
@settings(max_examples=150)
@given(tree=trees())
def test_finds_cents_whenever_there_are_some(
    tree: tuple[tuple[FlowNode, ...], dict[str, int]],
) -> None:
    nodes, printed = tree

    cents = settle_flows(targets(nodes, printed))[0].cents

    for code, euro in printed.items():
        assert half_up_int(Fraction(summed(nodes, cents, code), 100)) == euro
