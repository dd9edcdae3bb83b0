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

import contextlib
import datetime as dt
import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Final

from ledger.envelopes import parse_act
from ledger.errors import DatasetError, FormulaError, InvalidCommandError
from ledger.events.ledger import ActReference
from ledger.formula import (
    RULES,
    ChildrenMean,
    Flow,
    Formula,
    Recorded,
    Unpublished,
    WeightedMean,
    format_formula,
    parse_formula,
)
from ledger.intake.numbers import DIGITS_MAX, decimal_cell
from ledger.intake.problems import CellError
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
        DatasetError: the file cannot be read, has unknown keys, a value of another type than its
            key takes, a code twice, or a wrong formula or act.
    """
    rows = {row.code: row for row in objectives}
    path = folder / FILE
    if not path.exists():
        return Catalogue(objectives=rows)
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        return _catalogue(data, rows)
    except (OSError, ValueError, RecursionError, TypeError) as error:
        # ValueError: not UTF-8 or not TOML; TypeError: a formula that JSON cannot hold.
        raise DatasetError(folder=folder.name, reason=f"{FILE}: {error}") from error
    except (FormulaError, InvalidCommandError, _UnfitError) as error:
        raise DatasetError(folder=folder.name, reason=f"{FILE}: {error}") from error


class _UnfitError(Exception):
    """The catalogue is TOML and yet no catalogue."""


def _catalogue(data: Mapping[str, object], rows: dict[str, ObjectiveRow]) -> Catalogue:
    _only(data, {"format", "measurement_system", "plan", "guidelines", "indicator"}, FILE)
    if data.get("format") != FORMAT:
        raise _UnfitError(f"format {data.get('format')!r}; this release reads {FORMAT}")
    return Catalogue(
        system=_system(data),
        plan_act=_act(data, "plan"),
        guidelines_act=_act(data, "guidelines"),
        entries=_entries(data.get("indicator", [])),
        objectives=rows,
    )


def _system(data: Mapping[str, object]) -> System | None:
    place = "measurement_system"
    if place not in data:
        return None
    section = _table(data[place], place)
    _only(section, {"model", "title", "act"}, place)
    return System(
        model=_text(section, "model", place),
        title=_text(section, "title", place),
        act=parse_act(_text(section, "act", place)),
    )


def _act(data: Mapping[str, object], place: str) -> ActReference | None:
    if place not in data:
        return None
    section = _table(data[place], place)
    _only(section, {"act"}, place)
    return parse_act(_text(section, "act", place))


def _entries(listed: object) -> Mapping[str, Entry]:
    if not isinstance(listed, list):
        raise _UnfitError("indicator: write each as a table [[indicator]]")
    entries: dict[str, Entry] = {}
    for place, item in enumerate(listed, start=1):
        section = _table(item, f"indicator {place}")
        code = _text(section, "code", f"indicator {place}")
        if code in entries:
            raise _UnfitError(f"indicator {code}: it stands twice; keep one of the two")
        entries[code] = _entry(section, code)
    return entries


def _entry(item: Mapping[str, object], code: str) -> Entry:
    place = f"indicator {code}"
    _only(item, {"code", "formula", "rule", "decimals", "cap"}, place)
    formula = item.get("formula")
    rule = None if "rule" not in item else _text(item, "rule", place)
    if rule is not None and rule not in RULES:
        raise _UnfitError(f"{place}: rule is {rule!r}; write one of {', '.join(RULES)}")
    return Entry(
        formula=None
        if formula is None
        else format_formula(parse_formula(json.dumps(formula), subject=code)),
        deviation_rule=rule,
        decimals=_decimals(item.get("decimals"), place),
        cap=_cap(item.get("cap"), place),
    )


def _decimals(value: object, place: str) -> int | None:
    # In Python a truth value is an integer; in TOML it is not.
    if value is None or (type(value) is int and 0 <= value <= DIGITS_MAX):
        return value
    raise _UnfitError(f"{place}: decimals is {value!r}; write a whole number, 0 to {DIGITS_MAX}")


def _cap(value: object, place: str) -> Decimal | None:
    if value is None:
        return None
    if isinstance(value, int | float | str) and not isinstance(value, bool):
        with contextlib.suppress(CellError):
            cap = decimal_cell(str(value))
            if cap >= 0:
                return cap
    raise _UnfitError(f"{place}: cap is {value!r}; write a number of percent, such as 150")


def _table(value: object, place: str) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise _UnfitError(f"{place}: write it as a table, not as {value!r}")
    return value


def _text(section: Mapping[str, object], key: str, place: str) -> str:
    value = section.get(key)
    if not isinstance(value, str) or not value:
        raise _UnfitError(f"{place}: {key} is {value!r}; write a text between quotes")
    return value


def _only(data: Mapping[str, object], known: set[str], place: str) -> None:
    unknown = sorted(set(data) - known)
    if unknown:
        raise _UnfitError(
            f"{place}: unknown keys {', '.join(unknown)}; known: {', '.join(sorted(known))}"
        )
