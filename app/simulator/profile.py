"""Which figures a simulation must hit: a profile names indicators, the ledger's events give values.

Source: docs/production.md; examples/simulation.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, cast

from app.simulator.errors import TargetsError
from app.simulator.targets import Area, FlowNode, Line, Sign, Stage, Targets
from ledger.events.organisation import UnitCountsReported
from ledger.events.results import FlowNodeDefined, MoneyFlowRecorded
from ledger.feed import RecordedEvent
from projections.cycle.facts import fold
from projections.cycle.replay import replay_facts

_KEYS: Final = {"dataset", "year", "productivity", "outflow", "act", "area"}
_OPTIONAL: Final = {"cost_per_point"}
_AREA_KEYS: Final = {"code", "label", "line", "backlog"}
_HUNDREDTH: Final = Decimal("0.01")


@dataclass(frozen=True, kw_only=True, slots=True)
class ProfileArea:
    """One area of production, and the indicator that states its backlog."""

    code: str
    label: str
    line: str
    backlog: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Profile:
    """What a profile file says."""

    dataset: str
    """Name of the shipped data folder with the figures."""
    year: int
    productivity: str
    """Code of the indicator."""
    outflow: str
    """Code of the indicator."""
    cost_per_point: str | None
    """Code of the indicator; None when the body publishes none."""
    act: str
    """Act under which the simulated catalogue is recorded."""
    areas: tuple[ProfileArea, ...]


def read_profile(path: Path) -> Profile:
    """Read a profile.

    Raises:
        TargetsError: the file cannot be read, or a key is missing or unknown.
    """
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise TargetsError(subject=path.name, reason=str(error)) from error
    _check_keys(path.name, {name: found[name] for name in set(found) - _OPTIONAL}, _KEYS)
    for area in found["area"]:
        _check_keys(path.name, area, _AREA_KEYS)
    return Profile(
        dataset=found["dataset"],
        year=found["year"],
        productivity=found["productivity"],
        outflow=found["outflow"],
        cost_per_point=found.get("cost_per_point"),
        act=found["act"],
        areas=tuple(ProfileArea(**area) for area in found["area"]),
    )


def targets_of(profile: Profile, events: Iterable[RecordedEvent], *, year: int) -> Targets:
    """Return the figures that the events of a ledger state.

    Args:
        profile: which figures.
        events: of the ledger, governed ones.
        year: to simulate.

    Raises:
        TargetsError: the ledger does not know a figure.
    """
    known = list(events)
    lines = {
        line.code: line.value
        for line in replay_facts(fold(known), year=year, as_of=None).indicators
    }

    def value(code: str) -> Decimal:
        found = lines.get(code)
        if found is None:
            raise TargetsError(subject=code, reason=f"the ledger knows no value for {year}")
        return found

    return Targets(
        year=year,
        productivity=value(profile.productivity).quantize(_HUNDREDTH),
        outflow=value(profile.outflow).quantize(_HUNDREDTH),
        areas=tuple(
            Area(
                code=area.code,
                label=area.label,
                line=cast(Line, area.line),
                backlog_days=value(area.backlog),
            )
            for area in profile.areas
        ),
        nodes=_nodes(known, year),
        stages=_stages(known, year),
        cost_per_point=None
        if profile.cost_per_point is None
        else value(profile.cost_per_point).quantize(_HUNDREDTH),
    )


def unit_types(events: Iterable[RecordedEvent]) -> dict[str, int]:
    """Return how many units of each kind were reported, in order of the record."""
    found: dict[str, int] = {}
    for recorded in events:
        if isinstance(recorded.event, UnitCountsReported):
            found[recorded.event.unit_type] = recorded.event.units
    return found


def _nodes(events: Iterable[RecordedEvent], year: int) -> tuple[FlowNode, ...]:
    return tuple(
        FlowNode(code=event.node_code, parent=event.parent_code, sign=cast(Sign, event.sign))
        for event in (recorded.event for recorded in events)
        if isinstance(event, FlowNodeDefined) and event.year == year
    )


def _stages(events: Iterable[RecordedEvent], year: int) -> tuple[Stage, ...]:
    """Return the closings in order of their day: amounts known by then, budgets left out."""
    amounts: dict[tuple[Any, str], dict[str, int]] = {}
    for recorded in events:
        event, envelope = recorded.event, recorded.envelope
        if not isinstance(event, MoneyFlowRecorded) or event.year != year:
            continue
        if envelope.vintage is None or envelope.vintage == "BUDGET":
            continue
        amounts.setdefault((envelope.as_of, envelope.vintage), {})[event.node_code] = int(
            event.amount
        )
    known: dict[str, int] = {}
    stages: list[Stage] = []
    for (as_of, vintage), stated in sorted(amounts.items()):
        known = {**known, **stated}
        stages.append(Stage(vintage=vintage, as_of=as_of, flows=dict(known)))
    return tuple(stages)


def _check_keys(file: str, found: Mapping[str, object], wanted: set[str]) -> None:
    missing, unknown = sorted(wanted - set(found)), sorted(set(found) - wanted)
    if missing or unknown:
        raise TargetsError(
            subject=file,
            reason=f"missing: {', '.join(missing) or '-'}; unknown: {', '.join(unknown) or '-'}",
        )
