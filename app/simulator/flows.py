"""Cents behind printed euro: amounts of the leaves such that every level rounds to what is printed.

A source that rounds each row prints parents that differ by a euro from the sum of their children.
The cents below the printed euro absorb that: each node may deviate from its printed amount by some
cents, and the deviations that children can add up to form an interval.

Invariants:
1. A node deviates from its printed amount by at most 49 cents, so it rounds to it, half-up.
2. A leaf keeps its cents from stage to stage where the tree allows it.

Source: docs/production.md, money flows.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from app.simulator.errors import TargetsError
from app.simulator.targets import FlowNode, Stage, Targets

DEVIATION_MAX: Final = 49
"""Cents that a node may deviate from its printed euro."""

_CENTS: Final = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class StageFlows:
    """What the leaves amount to at one stage."""

    stage: Stage
    cents: Mapping[str, int]
    """Amount by code of leaf, in cents."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Tree:
    """Nodes, parents first, and their children."""

    order: tuple[FlowNode, ...]
    children: Mapping[str, tuple[FlowNode, ...]]


def settle_flows(targets: Targets) -> tuple[StageFlows, ...]:
    """Return the cents of the leaves for every stage that prints flows.

    Raises:
        TargetsError: no cents of the leaves give the printed amounts of their parents.
    """
    tree = _tree(targets.nodes)
    leaves = [node.code for node in tree.order if not tree.children[node.code]]
    span = 2 * DEVIATION_MAX // 3
    wished = {code: (place * 37) % span - span // 2 for place, code in enumerate(leaves)}
    settled: list[StageFlows] = []
    for stage in targets.stages:
        if not stage.flows:
            continue
        wished = _settle(tree, stage, wished)
        cents = {code: stage.flows[code] * _CENTS + wished[code] for code in leaves}
        settled.append(StageFlows(stage=stage, cents=cents))
    return tuple(settled)


def _tree(nodes: tuple[FlowNode, ...]) -> _Tree:
    """Return the nodes with parents before children."""
    children = {
        node.code: tuple(child for child in nodes if child.parent == node.code) for node in nodes
    }
    order = [node for node in nodes if node.parent is None]
    for node in order:  # grows while it is walked: level by level
        order.extend(children[node.code])
    return _Tree(order=tuple(order), children=children)


def _signed(node: FlowNode, value: int) -> int:
    """Return what a node's value adds to its parent."""
    return value if node.sign == "+" else -value


def _gap(tree: _Tree, stage: Stage, code: str) -> int:
    """Return the cents by which printed children exceed their printed parent."""
    added = sum(_signed(child, stage.flows[child.code]) for child in tree.children[code])
    return (added - stage.flows[code]) * _CENTS


def _bounds(tree: _Tree, stage: Stage) -> dict[str, tuple[int, int]]:
    """Return the least and greatest deviation that every node can have, in cents."""
    bounds: dict[str, tuple[int, int]] = {}
    for node in reversed(tree.order):
        low, high = -DEVIATION_MAX, DEVIATION_MAX
        below = tree.children[node.code]
        if below:
            gap = _gap(tree, stage, node.code)
            ends = [
                bounds[child.code]
                if child.sign == "+"
                else (-bounds[child.code][1], -bounds[child.code][0])
                for child in below
            ]
            low = max(low, gap + sum(end[0] for end in ends))
            high = min(high, gap + sum(end[1] for end in ends))
        if low > high:
            raise TargetsError(
                subject=f"flow node {node.code}, stage {stage.vintage}",
                reason=f"its children add up to {_gap(tree, stage, node.code) // _CENTS} euro more "
                "than it prints: no cents of the leaves round to both",
            )
        bounds[node.code] = (low, high)
    return bounds


def _settle(tree: _Tree, stage: Stage, wished: Mapping[str, int]) -> dict[str, int]:
    """Return the deviation of every leaf, as near to the wished one as the tree allows."""
    bounds = _bounds(tree, stage)
    near = dict(wished)
    for node in reversed(tree.order):
        below = tree.children[node.code]
        if below:
            near[node.code] = _gap(tree, stage, node.code) + sum(
                _signed(child, near[child.code]) for child in below
            )
        near[node.code] = _clip(near[node.code], bounds[node.code])
    # Now every wish is possible by itself; from the roots down, make the children add up.
    for node in tree.order:
        below = tree.children[node.code]
        if not below:
            continue
        rest = near[node.code] - _gap(tree, stage, node.code)
        rest -= sum(_signed(child, near[child.code]) for child in below)
        for child in below:
            moved = _clip(near[child.code] + _signed(child, rest), bounds[child.code])
            rest -= _signed(child, moved - near[child.code])
            near[child.code] = moved
    return {code: near[code] for code in wished}


def _clip(value: int, bounds: tuple[int, int]) -> int:
    """Return the value of the interval that is nearest."""
    return max(bounds[0], min(bounds[1], value))
