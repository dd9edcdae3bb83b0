"""The body that is simulated: a tree of units, products by area, sources, calendar.

Invariants:
1. Exactly `units` units, one of them the root; parents stand before their children.
2. Only units of a kind that settles requests have a weight above 0, and there is at least one.
3. Same arguments, same world: the numbers come from PCG64 of the seed and from nothing else.

Source: docs/production.md; the kinds of unit are those of an Italian social security body, others
hang below the kind named before them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import numpy as np

from app.simulator.apportion import apportion
from app.simulator.errors import WorldError
from app.simulator.targets import Area, Line, Targets, check_seed
from app.simulator.workdays import MonthCalendar, calendars

PRODUCTS_MIN: Final = 3
PRODUCTS_MAX: Final = 8
"""Products of an area."""

UNITS_MIN: Final = 2
UNITS_MAX: Final = 100_000

_THOUSAND: Final = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class Unit:
    """One unit of the body."""

    code: str
    unit_type: str
    name: str
    parent_code: str | None
    """Code of the unit above, None for the root."""
    weight: int
    """Relative size of its production; 0 for a unit that settles nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Product:
    """One product of an area."""

    code: str
    label: str
    area: str
    line: Line
    coefficient: Decimal
    """Homogenised pieces of one piece; above 0, at most 3 decimals."""
    weight: int
    """Relative demand."""
    automated: int
    """Settled without staff, in thousandths of its pieces."""

    @property
    def milli(self) -> int:
        """The coefficient in thousandths."""
        return int(self.coefficient * _THOUSAND)


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """One system that sends facts."""

    name: str
    label: str
    families: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class World:
    """The body in the year simulated."""

    units: tuple[Unit, ...]
    products: tuple[Product, ...]
    """Products in order of area and code."""
    calendars: tuple[MonthCalendar, ...]
    sources: tuple[Source, ...]

    @property
    def producing(self) -> tuple[Unit, ...]:
        """The units that settle requests."""
        return tuple(unit for unit in self.units if unit.weight > 0)

    def source_of(self, family: str) -> str:
        """Return the name of the source of a family."""
        return next(source.name for source in self.sources if family in source.families)


SOURCES: Final = (
    Source(name="procedure", label="Procedure di produzione", families=("production",)),
    Source(name="cruscotto", label="Cruscotto direzionale", families=("stock", "measurement")),
    Source(name="personale", label="Gestione del personale", families=("presence",)),
    Source(name="contabilita", label="Contabilità", families=("flow", "cost")),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Kind:
    """What is known of a kind of unit."""

    label: str
    above: tuple[str, ...]
    """Kinds that its units hang below; the root where there are no units of these kinds."""
    size: int
    """Usual weight; 0 for a kind that settles nothing."""


_KINDS: Final[Mapping[str, _Kind]] = {
    "DG": _Kind(label="Direzione generale", above=(), size=0),
    "DR": _Kind(label="Direzione regionale", above=("DG",), size=0),
    "DCM": _Kind(label="Direzione di coordinamento metropolitano", above=("DG",), size=0),
    "DP": _Kind(label="Direzione provinciale", above=("DR",), size=100),
    "FM": _Kind(label="Filiale metropolitana", above=("DCM",), size=120),
    "FP": _Kind(label="Filiale provinciale", above=("DR",), size=60),
    "AC": _Kind(label="Agenzia complessa", above=("DP", "FM"), size=40),
    "AT": _Kind(label="Agenzia territoriale", above=("DP", "FM"), size=20),
    "PUNTO": _Kind(label="Punto di servizio", above=("DP", "FM"), size=0),
}
_OTHER_SIZE: Final = 40


def build_world(targets: Targets, units: int, unit_types: Mapping[str, int], seed: int) -> World:
    """Return the body of a simulation.

    Args:
        targets: figures to hit, for the areas and the year.
        units: number of units, 2 to 100 000.
        unit_types: real number of units by kind, the root's kind first; scaled when they do not
            add up to `units`.
        seed: seed, at least 0.

    Raises:
        TargetsError: the seed is below 0.
        WorldError: no tree with a unit that settles requests can be made of them.
    """
    check_seed(seed)
    rng = np.random.Generator(np.random.PCG64(seed))
    return World(
        units=_units(_counts(units, unit_types), rng),
        products=tuple(product for area in targets.areas for product in _products(area, rng)),
        calendars=calendars(targets.year),
        sources=SOURCES,
    )


def _counts(units: int, unit_types: Mapping[str, int]) -> dict[str, int]:
    """Return the number of units by kind: exactly one root, the others in proportion."""
    if not UNITS_MIN <= units <= UNITS_MAX:
        reason = f"between {UNITS_MIN} and {UNITS_MAX} units can be made"
        raise WorldError(units=units, reason=reason)
    if not unit_types or min(unit_types.values()) < 0:
        raise WorldError(units=units, reason="the kinds of unit need counts of at least 0")
    root, *others = unit_types
    if not others or sum(unit_types[kind] for kind in others) == 0:
        raise WorldError(units=units, reason="below the root there is no kind of unit")
    weights = np.array([unit_types[kind] for kind in others], np.int64)
    parts = apportion(units - 1, weights)
    counts = {root: 1} | {
        kind: int(part) for kind, part in zip(others, parts, strict=True) if part > 0
    }
    settling = [kind for kind in list(counts)[1:] if _kind(kind, root).size > 0]
    if not settling:
        raise WorldError(units=units, reason="no unit of them settles requests")
    return counts


def _kind(name: str, before: str) -> _Kind:
    """Return what is known of a kind; an unknown one hangs below the kind named before it."""
    return _KINDS.get(name, _Kind(label=name, above=(before,), size=_OTHER_SIZE))


def _units(counts: Mapping[str, int], rng: np.random.Generator) -> tuple[Unit, ...]:
    """Return the units, kind by kind, each below a unit of the kinds above it."""
    made: dict[str, list[Unit]] = {}
    before = root = next(iter(counts))
    for name, count in counts.items():
        kind = _kind(name, before)
        if name == root:
            kind = _Kind(label=kind.label, above=(), size=0)
        parents = _parents(made, kind, root)
        width = len(str(count))
        made[name] = [
            Unit(
                code=f"{name.lower()}-{number + 1:0{width}d}" if parents else name.lower(),
                unit_type=name,
                name=f"{kind.label} {number + 1}" if parents else kind.label,
                parent_code=parents[number * len(parents) // count].code if parents else None,
                weight=max(1, kind.size * int(rng.integers(60, 160)) // 100) if kind.size else 0,
            )
            for number in range(count)
        ]
        before = name
    return tuple(unit for units in made.values() for unit in units)


def _parents(made: Mapping[str, list[Unit]], kind: _Kind, root: str) -> list[Unit]:
    """Return the units that a kind may hang below; the root when its own parents are missing."""
    found = [unit for name in kind.above for unit in made.get(name, [])]
    return found or list(made.get(root, []))


def _products(area: Area, rng: np.random.Generator) -> tuple[Product, ...]:
    """Return the products of one area, of falling demand."""
    count = int(rng.integers(PRODUCTS_MIN, PRODUCTS_MAX + 1))
    demand = int(rng.integers(60, 160))
    return tuple(
        Product(
            code=f"{area.code}-{number:02d}",
            label=f"{area.label} - prodotto {number}",
            area=area.code,
            line=area.line,
            coefficient=Decimal(int(rng.integers(150, 2500))).scaleb(-3),
            weight=max(1, demand * (count + 2 - number) // (number * count)),
            automated=int(rng.integers(0, 600)),
        )
        for number in range(1, count + 1)
    )
