"""Catalogue of production: products and coefficients, clusters, calendars, sources, scenarios.

Facts refer to these by code; they are few and change under acts, so each is a small stream of its
own. A coefficient weighs every piece from its first day on, for all units: it needs an act.
"""

import datetime as dt
from dataclasses import dataclass, field, replace
from decimal import Decimal

from immutables import Map

from ledger.aggregates.base import (
    Aggregate,
    Happened,
    Lookup,
    Proposal,
    require_act,
    require_change,
    require_known,
    require_new,
    require_one_of,
    require_order,
    require_range,
    unexpected,
)
from ledger.aggregates.organisation import require_unit
from ledger.events.base import Event
from ledger.events.ledger import Envelope
from ledger.events.production import (
    FactSourceDeclared,
    HomogenisationCoefficientSet,
    ProductCatalogued,
    ScenarioPublished,
    UnitClustered,
    WorkingCalendarSet,
)
from ledger.rules import Rule, refuse
from ledger.types import StreamName

LINES = ("prestazioni", "flussi", "none")
"""Lines of the outflow index."""
COEFFICIENT_DECIMALS = 6
"""Decimals of a coefficient: output is summed in millionths."""
_COEFFICIENT_MAX = Decimal(10_000)
_MONTHS_MAX = 120
_WINDOW_MAX = Decimal(10**9)


@dataclass(frozen=True, kw_only=True, slots=True)
class ProductState:
    """Entries and coefficients of one product, in order of the record."""

    entries: tuple[ProductCatalogued, ...] = ()
    coefficients: tuple[HomogenisationCoefficientSet, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class PlainState:
    """What a stream without a history of its own holds: its present entries."""

    months: Map[int, int] = field(default_factory=Map)
    """Working days by month."""
    source: FactSourceDeclared | None = None
    scenario: ScenarioPublished | None = None
    clusters: tuple[UnitClustered, ...] = ()


def product_stream(code: str) -> StreamName:
    """Return the stream of a product."""
    return StreamName(f"product/{code}")


def source_stream(source: str) -> StreamName:
    """Return the stream of the declaration of a source of facts."""
    return StreamName(f"fact-source/{source}")


def _decide_product(state: ProductState, proposal: Proposal, _: Lookup) -> None:
    match proposal.event:
        case ProductCatalogued() as event:
            require_one_of(event.line, LINES, field="line")
            if event.valid_to is not None:
                require_order(
                    event.valid_from, event.valid_to, first="valid_from", second="valid_to"
                )
            if state.entries:
                _require_later(state.entries[-1].valid_from, event.valid_from, proposal.envelope)
        case HomogenisationCoefficientSet() as event:
            known = state.entries[-1] if state.entries else None
            require_known(known, kind="product", name=event.product)
            require_act(proposal.envelope, what=f"the coefficient of {event.product}")
            _require_coefficient(event.coefficient)
            if state.coefficients:
                last = state.coefficients[-1]
                _require_later(last.valid_from, event.valid_from, proposal.envelope)
                require_change(last.coefficient, event.coefficient, field="coefficient")
        case other:
            raise unexpected(other)


def _require_later(last: dt.date, day: dt.date, envelope: Envelope) -> None:
    if day <= last and envelope.supersedes is None:
        refuse(
            Rule.DATES_OUT_OF_ORDER,
            f"valid_from ({day}) is not after that of the present entry ({last}); to change what "
            "was said, record a correction",
            first="present entry",
            second="valid_from",
            earlier=last.isoformat(),
            later=day.isoformat(),
        )


def _require_coefficient(value: Decimal) -> None:
    require_range(
        value, Decimal(1).scaleb(-COEFFICIENT_DECIMALS), _COEFFICIENT_MAX, field="coefficient"
    )
    if value != value.quantize(Decimal(1).scaleb(-COEFFICIENT_DECIMALS)):
        refuse(
            Rule.VALUE_NOT_ALLOWED,
            f"coefficient is {value}; at most {COEFFICIENT_DECIMALS} decimals",
            field="coefficient",
            value=value,
            allowed=f"{COEFFICIENT_DECIMALS} decimals",
        )


def _evolve_product(state: ProductState, happened: Happened) -> ProductState:
    match happened.event:
        case ProductCatalogued() as event:
            return replace(state, entries=(*state.entries, event))
        case HomogenisationCoefficientSet() as event:
            return replace(state, coefficients=(*state.coefficients, event))
        case other:
            raise unexpected(other)


def _decide_plain(state: PlainState, proposal: Proposal, lookup: Lookup) -> None:
    match proposal.event:
        case UnitClustered() as event:
            require_unit(lookup, event.unit_code, event.valid_from)
            if state.clusters:
                _require_later(state.clusters[-1].valid_from, event.valid_from, proposal.envelope)
        case WorkingCalendarSet() as event:
            require_range(Decimal(event.month), Decimal(1), Decimal(12), field="month")
            require_range(
                Decimal(event.working_days), Decimal(0), Decimal(31), field="working_days"
            )
            known = state.months.get(event.month)
            if proposal.envelope.supersedes is None:
                require_new(known, kind="calendar", name=f"{event.year}-{event.month:02}")
        case FactSourceDeclared() as event:
            require_range(
                Decimal(event.window_facts), Decimal(0), _WINDOW_MAX, field="window_facts"
            )
            if "/" in event.source or not event.source.strip():
                refuse(
                    Rule.VALUE_NOT_ALLOWED,
                    f"source is {event.source!r}; a name without '/'",
                    field="source",
                    value=event.source,
                    allowed="no '/'",
                )
            if proposal.envelope.supersedes is None:
                require_new(state.source, kind="source", name=event.source)
        case ScenarioPublished() as event:
            _decide_scenario(state, event, lookup)
        case other:
            raise unexpected(other)


def _decide_scenario(state: PlainState, event: ScenarioPublished, lookup: Lookup) -> None:
    require_new(state.scenario, kind="scenario", name=event.scenario_id)
    require_range(Decimal(event.months), Decimal(1), Decimal(_MONTHS_MAX), field="months")
    if event.unit_code is not None:
        require_unit(lookup, event.unit_code, event.starts_on)
    if not len(event.stocks) == len(event.days) == event.months:
        refuse(
            Rule.VALUE_NOT_ALLOWED,
            f"{len(event.stocks)} stocks and {len(event.days)} backlogs for {event.months} months",
            field="stocks",
            value=len(event.stocks),
            allowed=event.months,
        )


def _evolve_plain(state: PlainState, happened: Happened) -> PlainState:
    match happened.event:
        case UnitClustered() as event:
            return replace(state, clusters=(*state.clusters, event))
        case WorkingCalendarSet() as event:
            return replace(state, months=state.months.set(event.month, event.working_days))
        case FactSourceDeclared() as event:
            return replace(state, source=event)
        case ScenarioPublished() as event:
            return replace(state, scenario=event)
        case other:
            raise unexpected(other)


def _product_stream_of(event: Event, _: Envelope) -> StreamName:
    match event:
        case ProductCatalogued() | HomogenisationCoefficientSet():
            return product_stream(event.product)
        case _:
            raise unexpected(event)


def _plain_stream_of(event: Event, _: Envelope) -> StreamName:
    match event:
        case UnitClustered():
            return StreamName(f"cluster/{event.unit_code}")
        case WorkingCalendarSet():
            return StreamName(f"calendar/{event.year}")
        case FactSourceDeclared():
            return source_stream(event.source)
        case ScenarioPublished():
            return StreamName(f"scenario/{event.scenario_id}")
        case _:
            raise unexpected(event)


PRODUCTS = Aggregate(
    name="products",
    events=(ProductCatalogued, HomogenisationCoefficientSet),
    stream_of=_product_stream_of,
    initial=ProductState(),
    decide=_decide_product,
    evolve=_evolve_product,
)

PRODUCTION_SETTINGS = Aggregate(
    name="production settings",
    events=(UnitClustered, WorkingCalendarSet, FactSourceDeclared, ScenarioPublished),
    stream_of=_plain_stream_of,
    initial=PlainState(),
    decide=_decide_plain,
    evolve=_evolve_plain,
)
