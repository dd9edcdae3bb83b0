"""Definitions of indicators for a data folder: stated by its catalogue, else read off its tables.

`catalogue.toml` is optional. What it does not state is inferred by plain rules from the columns of
`objectives.csv` and `ieep.csv`, and recorded with the basis `inferred`.

Inference (docs/data-folder.md):
| result_basis | children | formula |
|---|---|---|
| measured | - | recorded |
| computed | weights published, same unit of measure, or no percent node | weighted mean of values |
| computed | weights published, node in percent, other children | weighted mean of deviations |
| computed | no published weight, weight_basis equal | mean of values |
| published | - | unpublished, reason weights_unpublished |
| unpublished | - | unpublished, reason not_published |

Source: rulings 17; the README of the worked example.
"""

import datetime as dt
import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from ledger.envelopes import parse_act
from ledger.errors import DatasetError, FormulaError, InvalidCommandError
from ledger.events.ledger import ActReference
from ledger.formula import (
    ChildrenMean,
    Flow,
    Formula,
    Recorded,
    Unpublished,
    WeightedMean,
    format_formula,
    parse_formula,
)
from ledger.intake.rows import FlowRow, ObjectiveRow

FILE: Final = "catalogue.toml"
FORMAT: Final = 1
FLOW_PREFIX: Final = "IEEP."
"""Indicators of the money-flow tree are named by this prefix and their node."""

STATED: Final = "catalogue"
INFERRED: Final = "inferred"


@dataclass(frozen=True, kw_only=True, slots=True)
class Definition:
    """What a definition says, before it becomes an event."""

    code: str
    measure_unit: str
    decimals: int
    direction: str
    deviation_rule: str
    formula: str
    cap: Decimal | None
    basis: str


@dataclass(frozen=True, kw_only=True, slots=True)
class System:
    """The measurement system of the year."""

    model: str
    title: str
    act: ActReference


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """What the catalogue states about one indicator; None leaves it to the inference."""

    formula: str | None = None
    deviation_rule: str | None = None
    decimals: int | None = None
    cap: Decimal | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Catalogue:
    """Definitions of one data folder."""

    system: System | None = None
    plan_act: ActReference | None = None
    guidelines_act: ActReference | None = None
    entries: Mapping[str, Entry] = field(default_factory=dict)
    objectives: Mapping[str, ObjectiveRow] = field(default_factory=dict)
    """Rows of the folder, by code: what the inference reads."""

    def definition_of(self, row: ObjectiveRow) -> Definition:
        """Return the definition of an objective's indicator."""
        return self._definition(
            row.code,
            unit=row.unit,
            decimals=row.decimals,
            direction=row.direction,
            rule="DR1" if row.direction == "up" else "DR2",
            formula=self._inferred(row),
        )

    def definition_of_flow(self, row: FlowRow) -> Definition:
        """Return the definition of the indicator of a money-flow node."""
        down = row.sign == "-"
        return self._definition(
            flow_indicator_code(row.node_code),
            unit="EUR",
            decimals=0,
            direction="down" if down else "up",
            rule="DR5" if down else "DR1",
            formula=Flow(row.node_code),
        )

    def _definition(
        self, code: str, *, unit: str, decimals: int, direction: str, rule: str, formula: Formula
    ) -> Definition:
        entry = self.entries.get(code)
        stated = entry or Entry()
        return Definition(
            code=code,
            measure_unit=unit,
            decimals=decimals if stated.decimals is None else stated.decimals,
            direction=direction,
            deviation_rule=stated.deviation_rule or rule,
            formula=stated.formula or format_formula(formula),
            cap=stated.cap,
            basis=INFERRED if entry is None else STATED,
        )

    def _inferred(self, row: ObjectiveRow) -> Formula:
        if row.result_basis == "measured":
            return Recorded()
        if row.result_basis == "published":
            return Unpublished("weights_unpublished")
        if row.result_basis == "unpublished":
            return Unpublished("not_published")
        children = [other for other in self.objectives.values() if other.parent_code == row.code]
        weighted = [other for other in children if other.weight_basis == "published"]
        if not weighted:
            return ChildrenMean()
        foreign = any(other.unit != row.unit for other in weighted)
        if row.unit == "percent" and foreign:
            return WeightedMean("deviation")
        return WeightedMean()

    def act_of_plan(self, planned: dt.date) -> ActReference | None:
        """Return the act of the plan for what was planned on its day of adoption or later."""
        return _if_adopted(self.plan_act, planned)

    def act_of_guidelines(self, planned: dt.date) -> ActReference | None:
        """Return the act that adopted the guidelines, when they were planned by then."""
        return _if_adopted(self.guidelines_act, planned)

    @staticmethod
    def flow_node_of(code: str, nodes: frozenset[str]) -> str | None:
        """Return the money-flow node that an objective's code names; None for another one."""
        node = code.removeprefix(FLOW_PREFIX)
        return node if code.startswith(FLOW_PREFIX) and node in nodes else None


def flow_indicator_code(node: str) -> str:
    """Return the code of the indicator of a money-flow node."""
    return FLOW_PREFIX + node


def _if_adopted(act: ActReference | None, day: dt.date) -> ActReference | None:
    return act if act is not None and act.adopted_on <= day else None


def read_catalogue(folder: Path, objectives: Sequence[ObjectiveRow]) -> Catalogue:
    """Read `catalogue.toml` of a folder; without one everything is inferred.

    Raises:
        DatasetError: the file cannot be read, has unknown keys or a wrong formula or act.
    """
    rows = {row.code: row for row in objectives}
    path = folder / FILE
    if not path.exists():
        return Catalogue(objectives=rows)
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        return _catalogue(data, rows)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise DatasetError(folder=folder.name, reason=f"{FILE}: {error}") from error
    except (FormulaError, InvalidCommandError, KeyError, TypeError, ArithmeticError) as error:
        raise DatasetError(folder=folder.name, reason=f"{FILE}: {error}") from error


def _catalogue(data: dict[str, Any], rows: dict[str, ObjectiveRow]) -> Catalogue:
    _only(data, {"format", "measurement_system", "plan", "guidelines", "indicator"})
    if data.get("format") != FORMAT:
        raise KeyError(f"format {data.get('format')!r}; this release reads {FORMAT}")
    system = data.get("measurement_system")
    return Catalogue(
        system=None
        if system is None
        else System(model=system["model"], title=system["title"], act=parse_act(system["act"])),
        plan_act=_act(data.get("plan")),
        guidelines_act=_act(data.get("guidelines")),
        entries={item["code"]: _entry(item) for item in data.get("indicator", [])},
        objectives=rows,
    )


def _act(section: dict[str, Any] | None) -> ActReference | None:
    return None if section is None else parse_act(section["act"])


def _entry(item: dict[str, Any]) -> Entry:
    _only(item, {"code", "formula", "rule", "decimals", "cap"})
    formula = item.get("formula")
    text = None
    if formula is not None:
        text = format_formula(parse_formula(json.dumps(formula), subject=item["code"]))
    return Entry(
        formula=text,
        deviation_rule=item.get("rule"),
        decimals=item.get("decimals"),
        cap=None if item.get("cap") is None else Decimal(str(item["cap"])),
    )


def _only(data: Mapping[str, Any], known: set[str]) -> None:
    unknown = sorted(set(data) - known)
    if unknown:
        raise KeyError(f"unknown keys {', '.join(unknown)}; known: {', '.join(sorted(known))}")
