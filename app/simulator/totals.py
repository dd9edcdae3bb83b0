"""How many facts and pieces a year has: whole-number totals, planned before any fact is drawn.

Invariants:
1. The facts by kind add up to the number asked for, exactly.
2. The totals reproduce the outflow and the backlog of every area; opening stocks are at least 0.
3. Nothing here depends on the seed of the facts.

Source: docs/production.md for the indices.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Final

import numpy as np

from app.simulator.apportion import Longs, apportion, half_up, half_up_int, sum_by
from app.simulator.errors import TargetsError, TooFewEventsError
from app.simulator.flows import StageFlows, settle_flows
from app.simulator.pairs import Pairs, build_pairs
from app.simulator.targets import Targets
from app.simulator.workdays import MONTHS, days_of_year, month_end
from app.simulator.world import World

EVENTS_MIN: Final = 50_000

WORKABLE: Final = ("area_funzionari", "area_assistenti", "area_operatori")
"""Profiles whose time counts for productivity."""
OTHER_PROFILES: Final = ("professionisti",)
PROFILES: Final = (*WORKABLE, *OTHER_PROFILES)

NATURES: Final = ("staff", "rent", "services", "technology")
APPEAL_SYSTEMS: Final = ("INCAS", "DICA")
MEDICAL_KINDS: Final = ("prima_istanza", "revisione")
PHASES: Final = ("informazione", "richiesta", "attesa", "esito", "assistenza")
CHANNELS: Final = ("web", "contact_centre", "intermediary", "office")
QUARTERS: Final = (3, 6, 9, 12)
SURVEY_MONTHS: Final = (6, 11)

_PAIR_MONTHS_PER_ADJUSTMENT: Final = 40
_PER_MOVE: Final = 400
_PER_CORRECTION: Final = 1000
_PER_EXTRA_PIECE: Final = 80
_FLOW_EVENTS_PER_UNIT: Final = 20_000
_ADJUSTMENT_MAX: Final = 3


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Totals:
    """The plan of a year."""

    events: int
    pairs: Pairs
    facts: Mapping[str, int]
    """Number of facts by short name of their schema; corrections counted with their kind."""
    received: int
    """Pieces received."""
    defined: int
    """Pieces settled."""
    extra_received: int
    """Pieces received beyond one per fact."""
    extra_defined: int
    """Pieces settled beyond one per fact."""
    corrected_received: int
    """Facts of receipt that are corrected later."""
    corrected_defined: int
    """Facts of settlement that are corrected later."""
    area_received: Longs
    """Pieces received by area."""
    area_defined: Longs
    """Pieces settled by area."""
    area_closing: Longs
    """Stock at the end of the year by area."""
    flows: tuple[StageFlows, ...]
    flow_months: tuple[int, ...]
    """Months whose batches carry flows: those known before the first stage."""
    flow_units: int
    """Units that account for each leaf."""

    @property
    def moves(self) -> int:
        """Facts of reassignment, one piece each."""
        return self.facts["RequestReassigned"]

    @property
    def adjustments(self) -> int:
        """Facts of adjustment of a stock."""
        return self.facts["StockAdjusted"]


def plan_totals(world: World, targets: Targets, events: int) -> Totals:
    """Return the totals of a year of so many facts.

    Raises:
        TooFewEventsError: the facts cannot carry the figures.
        TargetsError: no facts can: the figures contradict each other.
    """
    if events < EVENTS_MIN:
        raise TooFewEventsError(events=events, reason=f"at least {EVENTS_MIN} are needed")
    pairs = build_pairs(world, targets, events)
    flows = settle_flows(targets)
    months = _flow_months(targets.year, flows)
    flow_units = min(len(pairs.units), max(1, events // _FLOW_EVENTS_PER_UNIT))
    facts = _structure(pairs)
    facts["FlowRecorded"] = _flow_facts(flows, len(months)) * flow_units
    rest = events - sum(facts.values())
    if rest < events // 2:
        raise TooFewEventsError(
            events=events, reason="more than half would be stocks, presences, flows and costs"
        )
    weight = pairs.weight
    facts["RequestReassigned"] = (
        rest * int(weight[pairs.linked].sum()) // (int(weight.sum()) * _PER_MOVE)
    )
    corrected = rest // _PER_CORRECTION
    single = rest - facts["RequestReassigned"] - corrected
    received, defined = _pieces(targets, single)
    extra = received + defined - single
    extra_received = extra * received // (received + defined)
    corrected_received = corrected * received // (received + defined)
    facts["RequestReceived"] = received - extra_received + corrected_received
    facts["RequestDefined"] = events - sum(facts.values())
    area_defined = apportion(defined, sum_by(pairs.area, weight, len(targets.areas)))
    area_closing = _closing(targets, events, area_defined)
    return Totals(
        events=events,
        pairs=pairs,
        facts=facts,
        received=received,
        defined=defined,
        extra_received=extra_received,
        extra_defined=extra - extra_received,
        corrected_received=corrected_received,
        corrected_defined=corrected - corrected_received,
        area_received=_area_received(
            received, area_defined, area_closing, _ADJUSTMENT_MAX * facts["StockAdjusted"]
        ),
        area_defined=area_defined,
        area_closing=area_closing,
        flows=flows,
        flow_months=months,
        flow_units=flow_units,
    )


def unit_areas(pairs: Pairs) -> tuple[Longs, Longs]:
    """Return the units and the areas that they settle, each combination once."""
    areas = int(pairs.area.max()) + 1
    unit, area = np.divmod(np.unique(pairs.unit * areas + pairs.area), areas)
    return unit, area


def _structure(pairs: Pairs) -> dict[str, int]:
    """Return the numbers of facts that do not depend on how many requests there are."""
    units, months = len(pairs.units), len(MONTHS)
    return {
        "StockDeclared": pairs.size,
        "StockCounted": pairs.size * months,
        "StockAdjusted": max(1, pairs.size * months // _PAIR_MONTHS_PER_ADJUSTMENT),
        "PresenceRecorded": units * len(PROFILES) * months,
        "RunningCostRecorded": units * len(NATURES) * len(QUARTERS),
        "QualityMeasured": unit_areas(pairs)[0].size * len(QUARTERS),
        "AppealsCounted": units * len(APPEAL_SYSTEMS) * len(QUARTERS),
        "MedicalAssessed": units * len(MEDICAL_KINDS) * len(QUARTERS),
        "SurveyAggregated": len(PHASES) * len(CHANNELS) * len(SURVEY_MONTHS),
    }


def _flow_months(year: int, flows: tuple[StageFlows, ...]) -> tuple[int, ...]:
    """Return the months that end before the first stage is known."""
    if not flows:
        return ()
    first = flows[0].stage.as_of
    return tuple(month for month in MONTHS if month_end(year, month) < first)


def _flow_facts(flows: tuple[StageFlows, ...], months: int) -> int:
    """Return the number of facts per unit: all leaves to the first stage, then what changes."""
    if not flows:
        return 0
    count = len(flows[0].cents) * (months + 1)
    for before, after in pairwise(flows):
        count += sum(before.cents[code] != cents for code, cents in after.cents.items())
    return count


def _pieces(targets: Targets, single: int) -> tuple[int, int]:
    """Return the pieces received and settled, given the facts of both.

    Raises:
        TargetsError: no such pieces have the outflow.
    """
    outflow = Fraction(targets.outflow)
    received = half_up_int((single + single // _PER_EXTRA_PIECE) / (1 + outflow))
    defined = half_up_int(received * outflow)
    fits = received > 0 and half_up(Fraction(defined, received), 2) == targets.outflow
    if not fits or received + defined < single:
        raise TargetsError(
            subject="outflow", reason=f"{single} facts cannot have {targets.outflow}"
        )
    return received, defined


def _closing(targets: Targets, events: int, area_defined: Longs) -> Longs:
    """Return the closing stocks that are worth the printed days."""
    days = days_of_year(targets.year)
    closing: list[int] = []
    for area, defined in zip(targets.areas, area_defined.tolist(), strict=True):
        wanted = Fraction(area.backlog_days)
        stock = half_up_int(wanted * defined / days)
        if defined == 0 or half_up(Fraction(stock * days, defined)) != area.backlog_days:
            raise TooFewEventsError(
                events=events,
                reason=f"area {area.code} would settle {defined} requests: no stock of them is "
                f"worth {area.backlog_days} days",
            )
        closing.append(stock)
    return np.array(closing, np.int64)


def _area_received(received: int, defined: Longs, closing: Longs, margin: int) -> Longs:
    """Return the receipts by area, in proportion to settlements but never beyond what can be.

    An area cannot receive more than it settles and leaves: its opening stock would be below 0.
    `margin` keeps room for adjustments of stocks.
    """
    limits = np.maximum(defined + closing - margin, 0)
    if received > int(limits.sum()):
        raise TargetsError(
            subject="outflow",
            reason=f"{received} requests received, but only {int(limits.sum())} settled or left "
            "by the backlog: opening stocks would be below 0",
        )
    parts: Longs = np.minimum(apportion(received, defined), limits)
    while (missing := received - int(parts.sum())) > 0:
        room = limits - parts
        parts += np.minimum(apportion(missing, np.minimum(room, defined)), room)
    return parts
