"""What facts refer to: products, coefficients, units, clusters, calendars and flow nodes.

Invariants:
1. Pure: the same events give the same reference, and nothing is read but the events.
2. Of several states of one thing the one that began last, by the day asked for, counts; of two
   that began on the same day the one recorded later.
3. An event that another one corrects is not seen, if the reader's cut includes the correction.
4. A unit that ended stays below its last parent, so that what it produced is never lost from the
   figures of the units above it.

Source: docs/production.md; domain notes, sections 3, 7 and 8; rulings 14.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType
from typing import Final, Protocol, TypeVar

import polars as pl

from ledger.errors import UnknownEntityError
from ledger.events.organisation import UnitClosed, UnitEstablished, UnitReorganised
from ledger.events.production import (
    HomogenisationCoefficientSet,
    ProductCatalogued,
    UnitClustered,
    WorkingCalendarSet,
)
from ledger.events.results import FlowNodeDefined
from ledger.feed import RecordedEvent
from projections.cycle.values import Missing, Reason, Value
from projections.production.periods import Month, first_day

K = TypeVar("K")

UNCLASSED: Final = ""
"""Area and line of a product without an entry."""

_WEIGHTS: Final = {
    "item": pl.String,
    "month": pl.Int32,
    "area": pl.String,
    "line": pl.String,
    "weight": pl.Int128,
}


class _Dated(Protocol):
    @property
    def valid_from(self) -> dt.date: ...


D = TypeVar("D", bound=_Dated)


@dataclass(frozen=True, kw_only=True, slots=True)
class Product:
    """An entry of the catalogue of production."""

    product: str
    label: str
    area: str
    line: str
    """Line of the outflow index; `none` for no line."""
    valid_from: dt.date
    valid_to: dt.date | None
    """Last day, inclusive; None while open."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Coefficient:
    """The weight of one piece of a product."""

    product: str
    coefficient: Decimal
    """Homogenised pieces for one piece; greater than 0."""
    valid_from: dt.date


@dataclass(frozen=True, kw_only=True, slots=True)
class UnitState:
    """A unit as it was from a day on."""

    code: str
    name: str
    unit_type: str
    parent_code: str | None
    """Unit above; None for the root."""
    valid_from: dt.date


@dataclass(frozen=True, kw_only=True, slots=True)
class Membership:
    """A unit in a cluster."""

    unit_code: str
    cluster: str
    valid_from: dt.date


@dataclass(frozen=True, kw_only=True, slots=True)
class FlowNode:
    """A node of the money flows of a year."""

    code: str
    parent_code: str | None
    label: str
    sign: int
    """1 or -1: how it enters its parent."""


def _none() -> Mapping[str, tuple[D, ...]]:
    return MappingProxyType({})


@dataclass(frozen=True, kw_only=True, slots=True)
class Reference:
    """Everything facts refer to, with validity; histories are in the order of invariant 2."""

    products: Mapping[str, tuple[Product, ...]] = field(default_factory=_none)
    coefficients: Mapping[str, tuple[Coefficient, ...]] = field(default_factory=_none)
    units: Mapping[str, tuple[UnitState, ...]] = field(default_factory=_none)
    closings: Mapping[str, dt.date] = field(default_factory=lambda: MappingProxyType({}))
    """Last day of existence, inclusive, of the units that ended."""
    clusters: Mapping[str, tuple[Membership, ...]] = field(default_factory=_none)
    calendars: Mapping[tuple[int, int], int] = field(default_factory=lambda: MappingProxyType({}))
    """Working days by year and month."""
    flow_nodes: Mapping[int, Mapping[str, FlowNode]] = field(
        default_factory=lambda: MappingProxyType({})
    )
    """Nodes by year and code."""

    @classmethod
    def of(cls, events: Iterable[RecordedEvent], *, as_of: dt.date | None = None) -> "Reference":
        """Return what governed events say.

        Args:
            events: in order of position; those of other contexts are passed over.
            as_of: last day of knowledge, inclusive; None for everything.
        """
        builder = _Builder()
        for recorded in _standing(events, as_of):
            builder.apply(recorded)
        return builder.reference()

    def product(self, product: str, day: dt.date) -> Product | None:
        """Return the entry of a product on a day, None when it has none or has ended."""
        entry = _valid(self.products.get(product, ()), day)
        if entry is None or (entry.valid_to is not None and entry.valid_to < day):
            return None
        return entry

    def coefficient(self, product: str, day: dt.date) -> Decimal | None:
        """Return the weight of one piece of a product on a day, None when none is set."""
        found = _valid(self.coefficients.get(product, ()), day)
        return None if found is None else found.coefficient

    def unit(self, code: str, day: dt.date) -> UnitState | None:
        """Return the state of a unit on a day, or its last one; None before it began."""
        return _valid(self.units.get(code, ()), day)

    def exists(self, code: str, day: dt.date) -> bool:
        """Whether a unit has begun and not ended on a day."""
        ended = self.closings.get(code)
        return self.unit(code, day) is not None and (ended is None or day <= ended)

    def ancestors(self, unit: str, day: dt.date) -> tuple[str, ...]:
        """Return the units above a unit on a day, the nearest first; none for an unknown unit."""
        above: list[str] = []
        state = self.unit(unit, day)
        while state is not None and state.parent_code is not None:
            # A circle cannot be recorded; a corrected event might still leave one.
            if state.parent_code in {unit, *above}:
                break
            above.append(state.parent_code)
            state = self.unit(state.parent_code, day)
        return tuple(above)

    def below(self, unit: str, day: dt.date) -> frozenset[str]:
        """Return the units below a unit on a day, at any depth, without itself."""
        return frozenset(code for code in self.units if unit in self.ancestors(code, day))

    def inside(self, unit: str, day: dt.date, *, known: Iterable[str]) -> tuple[str, ...]:
        """Return a unit and those below it, in order of code.

        Args:
            unit: code.
            day: of the tree.
            known: units that facts name, though perhaps no event does.

        Raises:
            UnknownEntityError: neither events nor facts know the unit.
        """
        if unit not in self.units and unit not in set(known):
            raise UnknownEntityError(kind="unit", name=unit)
        return tuple(sorted({unit, *self.below(unit, day)}))

    def cluster(self, unit: str, day: dt.date) -> str | None:
        """Return the cluster of a unit on a day.

        A unit without one of its own is in that of the nearest unit above it that has one.
        """
        for code in (unit, *self.ancestors(unit, day)):
            found = _valid(self.clusters.get(code, ()), day)
            if found is not None:
                return found.cluster
        return None

    def working_days(self, year: int, month: int) -> int | None:
        """Return the working days of a month (1 to 12), None when no calendar is set."""
        return self.calendars.get((year, month))

    def working_days_of(self, months: Iterable[Month]) -> int | Missing:
        """Return the working days of months; missing when one of them has no calendar."""
        total = 0
        lacking: list[str] = []
        for month in months:
            days = self.working_days(month // 100, month % 100)
            if days is None:
                lacking.append(f"calendar {month}")
            else:
                total += days
        return Missing(Reason.CHILD_MISSING, tuple(lacking)) if lacking else total

    def weights(self, pairs: pl.DataFrame) -> tuple[pl.DataFrame, int]:
        """Return what products are and weigh, on the first day of months.

        Args:
            pairs: columns `item` (product) and `month`, each pair once.

        Returns:
            The pairs with `area`, `line` and `weight`, a whole number or null without coefficient;
            and the scale: a weight is the coefficient times it.
        """
        rows: list[tuple[str, int, str, str, Decimal | None]] = []
        for item, month in pairs.sort("item", "month").iter_rows():
            day = first_day(Month(month))
            entry = self.product(item, day)
            area, line = (UNCLASSED, UNCLASSED) if entry is None else (entry.area, entry.line)
            rows.append((item, month, area, line, self.coefficient(item, day)))
        scale = 10 ** max((_decimals(row[4]) for row in rows if row[4] is not None), default=0)
        whole = [
            (*row[:4], None if row[4] is None else int(Fraction(row[4]) * scale)) for row in rows
        ]
        return pl.DataFrame(whole, schema=_WEIGHTS, orient="row"), scale

    def nodes(self, year: int) -> Mapping[str, FlowNode]:
        """Return the flow nodes of a year by code, empty when none are defined."""
        return self.flow_nodes.get(year, MappingProxyType({}))


def _decimals(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def rolled_up(nodes: Mapping[str, FlowNode], recorded: Callable[[str], Value]) -> dict[str, Value]:
    """Return the amount of every node: of a leaf as recorded, else the signed sum of those below.

    A node is not defined (`Reason.NOT_DEFINED`) when something was recorded on it although others
    stand below it: that may or may not be among theirs. So is one that stands below itself.

    Args:
        nodes: of one year, by code.
        recorded: what was recorded on a node, in any unit of money.

    Returns:
        By code, in order. A parent of what is missing is missing, with the codes in its details.
    """
    below: dict[str, list[FlowNode]] = {}
    for node in nodes.values():
        if node.parent_code is not None:
            below.setdefault(node.parent_code, []).append(node)

    def amount(code: str, above: frozenset[str]) -> Value:
        own = recorded(code)
        if code not in below:
            return own
        if code in above or not isinstance(own, Missing):
            return Missing(Reason.NOT_DEFINED, (code,))
        total = Fraction(0)
        lacking: list[str] = []
        for node in below[code]:
            part = amount(node.code, above | {code})
            if isinstance(part, Missing):
                lacking.extend(part.details)
            else:
                total += node.sign * part
        return Missing(Reason.CHILD_MISSING, tuple(sorted(lacking))) if lacking else total

    return {code: amount(code, frozenset()) for code in sorted(nodes)}


def _valid(history: tuple[D, ...], day: dt.date) -> D | None:
    return next((one for one in reversed(history) if one.valid_from <= day), None)


def _standing(events: Iterable[RecordedEvent], as_of: dt.date | None) -> Iterator[RecordedEvent]:
    known = [one for one in events if as_of is None or one.envelope.as_of <= as_of]
    corrected = {one.envelope.supersedes for one in known if one.envelope.supersedes is not None}
    return (one for one in known if not corrected or one.event_id not in corrected)


@dataclass(slots=True)
class _Builder:
    products: dict[str, list[Product]] = field(default_factory=dict)
    coefficients: dict[str, list[Coefficient]] = field(default_factory=dict)
    established: dict[str, list[UnitState]] = field(default_factory=dict)
    reorganised: dict[str, list[UnitReorganised]] = field(default_factory=dict)
    closings: dict[str, dt.date] = field(default_factory=dict)
    clusters: dict[str, list[Membership]] = field(default_factory=dict)
    calendars: dict[tuple[int, int], int] = field(default_factory=dict)
    flow_nodes: dict[int, dict[str, FlowNode]] = field(default_factory=dict)

    def apply(self, recorded: RecordedEvent) -> None:
        match recorded.event:
            case ProductCatalogued() as event:
                self.products.setdefault(event.product, []).append(_product(event))
            case HomogenisationCoefficientSet() as event:
                self.coefficients.setdefault(event.product, []).append(_coefficient(event))
            case UnitClustered() as event:
                self.clusters.setdefault(event.unit_code, []).append(_membership(event))
            case WorkingCalendarSet() as event:
                self.calendars[event.year, event.month] = event.working_days
            case FlowNodeDefined() as event:
                self.flow_nodes.setdefault(event.year, {})[event.node_code] = _node(event)
            case _:
                self._apply_unit(recorded)

    def _apply_unit(self, recorded: RecordedEvent) -> None:
        match recorded.event:
            case UnitEstablished() as event:
                self.established.setdefault(event.unit_code, []).append(_begun(event))
            case UnitReorganised() as event:
                self.reorganised.setdefault(event.unit_code, []).append(event)
            case UnitClosed() as event:
                self.closings[event.unit_code] = event.valid_to
            case _:
                pass

    def reference(self) -> Reference:
        units = {
            code: _states(begun, self.reorganised.get(code, []))
            for code, begun in self.established.items()
        }
        nodes = {year: MappingProxyType(dict(one)) for year, one in self.flow_nodes.items()}
        return Reference(
            products=_ordered(self.products),
            coefficients=_ordered(self.coefficients),
            units=MappingProxyType(units),
            closings=MappingProxyType(dict(self.closings)),
            clusters=_ordered(self.clusters),
            calendars=MappingProxyType(dict(self.calendars)),
            flow_nodes=MappingProxyType(nodes),
        )


def _ordered(histories: Mapping[K, list[D]]) -> Mapping[K, tuple[D, ...]]:
    # The sort is stable: what was recorded later stays later among equals.
    ordered = {key: tuple(sorted(one, key=_beginning)) for key, one in histories.items()}
    return MappingProxyType(ordered)


def _beginning(one: _Dated) -> dt.date:
    return one.valid_from


def _states(begun: list[UnitState], changes: list[UnitReorganised]) -> tuple[UnitState, ...]:
    states = sorted(begun, key=_beginning)
    for change in sorted(changes, key=_beginning):
        before = _valid(tuple(states), change.valid_from)
        if before is not None:
            states.append(_changed(before, change))
    return tuple(states)


def _changed(before: UnitState, change: UnitReorganised) -> UnitState:
    return replace(
        before,
        name=change.name or before.name,
        unit_type=change.unit_type or before.unit_type,
        parent_code=change.parent_code or before.parent_code,
        valid_from=change.valid_from,
    )


def _product(event: ProductCatalogued) -> Product:
    return Product(
        product=event.product,
        label=event.label,
        area=event.area,
        line=event.line,
        valid_from=event.valid_from,
        valid_to=event.valid_to,
    )


def _coefficient(event: HomogenisationCoefficientSet) -> Coefficient:
    return Coefficient(
        product=event.product, coefficient=event.coefficient, valid_from=event.valid_from
    )


def _membership(event: UnitClustered) -> Membership:
    return Membership(unit_code=event.unit_code, cluster=event.cluster, valid_from=event.valid_from)


def _begun(event: UnitEstablished) -> UnitState:
    return UnitState(
        code=event.unit_code,
        name=event.name,
        unit_type=event.unit_type,
        parent_code=event.parent_code,
        valid_from=event.valid_from,
    )


def _node(event: FlowNodeDefined) -> FlowNode:
    return FlowNode(
        code=event.node_code,
        parent_code=event.parent_code,
        label=event.label,
        sign=-1 if event.sign == "-" else 1,
    )
