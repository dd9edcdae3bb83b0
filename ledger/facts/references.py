"""What facts may refer to: units, products, money nodes and open years, with their validity.

Built from the governed events of the ledger, as tables that whole batches are joined with.

Invariant: validity is judged by the day in the fact, never by the wall clock.

Source: rulings 16; docs/production.md.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from ledger.events.organisation import UnitClosed, UnitEstablished
from ledger.events.production import FactSourceDeclared, ProductCatalogued
from ledger.events.results import FlowNodeDefined, PeriodClosed, PeriodOpened
from ledger.feed import RecordedEvent

_LAST_DAY: Final = dt.date(9999, 12, 31)
Span = tuple[dt.date, dt.date]


@dataclass(frozen=True, kw_only=True, slots=True)
class References:
    """Codes and the days on which they may be used."""

    units: pl.DataFrame
    """Columns code, first, last: one row per span of days, inclusive."""
    products: pl.DataFrame
    """Likewise."""
    nodes: pl.DataFrame
    """Likewise: a node may be used in the year it is defined for."""
    open_days: tuple[Span, ...]
    """Periods that are open for results, inclusive."""
    known_days: tuple[Span, ...] = ()
    """Periods that are open or were: a closed one takes corrections only."""
    sources: dict[str, FactSourceDeclared] = field(default_factory=dict)
    """Declared sources by name."""


def references(events: Iterable[RecordedEvent]) -> References:
    """Return what the governed events of a ledger allow."""
    units: dict[str, Span] = {}
    products: dict[str, list[Span]] = {}
    nodes: list[tuple[str, dt.date, dt.date]] = []
    periods: dict[Span, bool] = {}
    sources: dict[str, FactSourceDeclared] = {}
    for recorded in events:
        match recorded.event:
            case UnitEstablished() as event:
                units[event.unit_code] = (event.valid_from, _LAST_DAY)
            case UnitClosed() as event:
                units[event.unit_code] = (units[event.unit_code][0], event.valid_to)
            case ProductCatalogued() as event:
                spans = products.setdefault(event.product, [])
                spans.append((event.valid_from, event.valid_to or _LAST_DAY))
            case FlowNodeDefined() as event:
                year = event.year
                nodes.append((event.node_code, dt.date(year, 1, 1), dt.date(year, 12, 31)))
            case PeriodOpened() as event:
                periods[event.period_from, event.period_to] = True
            case PeriodClosed() as event:
                periods[event.period_from, event.period_to] = False
            case FactSourceDeclared() as event:
                sources[event.source] = event
            case _:
                pass
    return References(
        units=_spans((code, *span) for code, span in units.items()),
        products=_spans((code, *span) for code, spans in products.items() for span in spans),
        nodes=_spans(nodes),
        open_days=tuple(sorted(span for span, still_open in periods.items() if still_open)),
        known_days=tuple(sorted(periods)),
        sources=sources,
    )


def _spans(rows: Iterable[tuple[str, dt.date, dt.date]]) -> pl.DataFrame:
    schema = {"code": pl.String, "first": pl.Date, "last": pl.Date}
    return pl.DataFrame(list(rows), schema=schema, orient="row")
