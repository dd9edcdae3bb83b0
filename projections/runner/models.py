"""The read models: production cells, organisation, targets, indicator values, trail."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

import polars as pl

from ledger.events.organisation import UnitClosed, UnitEstablished, UnitReorganised
from ledger.events.planning import TargetRevised, TargetSet
from ledger.facts.blocks import FactTable, read_facts
from ledger.feed import FactBlock, RecordedEvent
from ledger.records import micros_of
from projections.indicator_updates import IndicatorUpdates
from projections.production import cube
from projections.production.measures import fold as measure
from projections.runner import tables
from projections.runner.contract import Batch, Delta, Fold, Projection
from projections.runner.poison import UNFOLDABLE, poison
from projections.trail import keys_of
from schemas.registry import default_registry

Row = tuple[Any, ...]

_ORGANISATION: Final[dict[str, Any]] = {
    "position": pl.Int64,
    "unit_code": pl.String,
    "valid_from": pl.Date,
    "change": pl.String,
    "name": pl.String,
    "unit_type": pl.String,
    "parent_code": pl.String,
}
_TARGETS: Final[dict[str, Any]] = {
    "position": pl.Int64,
    "year": pl.Int64,
    "indicator": pl.String,
    "before": pl.String,
    "after": pl.String,
    "cause": pl.String,
    "act": pl.String,
    "as_of": pl.Date,
}
_INDICATORS: Final[dict[str, Any]] = {
    "position": pl.Int64,
    "part": pl.Int64,
    "year": pl.Int64,
    "indicator": pl.String,
    "value": pl.String,
    "target": pl.String,
    "vintage": pl.String,
    "as_of": pl.String,
}
_TRAIL: Final[dict[str, Any]] = {
    "position": pl.Int64,
    "entity": pl.String,
    "event_type": pl.String,
    "recorded_at": pl.Int64,
    "correction": pl.Boolean,
}


def _cells(found: Iterable[FactTable]) -> pl.DataFrame:
    return cube.merge(measure(one.full_name, one.frame) for one in found)


def _production(batch: Batch) -> Delta:
    found = read_facts(batch.blocks, default_registry())
    return Delta(rows=_cells(found), fallbacks=sum(one.fallbacks for one in found))


def _rows(name: str, schema: dict[str, Any], of: Callable[[RecordedEvent], Iterator[Row]]) -> Fold:
    def fold(batch: Batch) -> Delta:
        found: list[Row] = []
        for recorded in batch.events:
            try:
                found.extend(of(recorded))
            except UNFOLDABLE as error:
                raise poison(name, error, position=recorded.position) from error
        return Delta(rows=pl.DataFrame(found, schema=schema, orient="row"))

    return fold


def _organisation(recorded: RecordedEvent) -> Iterator[Row]:
    position = recorded.position
    match recorded.event:
        case UnitEstablished() as event:
            yield (
                position,
                event.unit_code,
                event.valid_from,
                "established",
                event.name,
                event.unit_type,
                event.parent_code,
            )
        case UnitReorganised() as event:
            yield (
                position,
                event.unit_code,
                event.valid_from,
                "reorganised",
                event.name,
                event.unit_type,
                event.parent_code,
            )
        case UnitClosed() as event:
            yield (position, event.unit_code, event.valid_to, "closed", None, None, None)
        case _:
            return


def _targets(recorded: RecordedEvent) -> Iterator[Row]:
    acts = recorded.envelope.acts
    act = None if not acts else f"{acts[0].organ} {acts[0].act_type} {acts[0].number or ''}".strip()
    match recorded.event:
        case TargetSet() as event:
            before, after, cause = None, event.target, None
        case TargetRevised() as event:
            before, after, cause = event.old_target, event.new_target, event.cause
        case _:
            return
    yield (
        recorded.position,
        event.year,
        event.indicator_code,
        None if before is None else format(before, "f"),
        format(after, "f"),
        cause,
        act,
        recorded.envelope.as_of,
    )


def _trail(recorded: RecordedEvent) -> Iterator[Row]:
    # A block is found by its stream; its facts are no entities.
    keys = () if isinstance(recorded.event, FactBlock) else keys_of(recorded.event)
    for entity in sorted({recorded.stream, *keys}):
        yield (
            recorded.position,
            entity,
            recorded.event.TYPE,
            micros_of(recorded.recorded_at),
            recorded.envelope.supersedes is not None,
        )


def _fresh_indicators() -> Fold:
    updates = IndicatorUpdates()

    def of(recorded: RecordedEvent) -> Iterator[Row]:
        for update in updates.apply(recorded):
            yield (
                update.position,
                update.group_index,
                update.year,
                update.indicator,
                None if update.value is None else format(update.value, "f"),
                None if update.target is None else format(update.target, "f"),
                update.vintage,
                update.as_of,
            )

    return _rows("indicators", _INDICATORS, of)


def _fold_from_nothing(batch: Batch) -> Delta:
    return _fresh_indicators()(batch)


PROJECTIONS: Final = {
    one.name: one
    for one in (
        Projection(
            name="production",
            table=tables.production_cell,
            schema=cube.SCHEMA,
            fold=_production,
            additive=True,
            cells=_cells,
            merge=cube.merge,
        ),
        Projection(
            name="organisation",
            table=tables.organisation_change,
            schema=_ORGANISATION,
            fold=_rows("organisation", _ORGANISATION, _organisation),
        ),
        Projection(
            name="targets",
            table=tables.target_change,
            schema=_TARGETS,
            fold=_rows("targets", _TARGETS, _targets),
        ),
        Projection(
            name="indicators",
            table=tables.indicator_value,
            schema=_INDICATORS,
            fold=_fold_from_nothing,
            fresh=_fresh_indicators,
        ),
        Projection(
            name="trail",
            table=tables.trail_index,
            schema=_TRAIL,
            fold=_rows("trail", _TRAIL, _trail),
        ),
    )
}
"""Read models by name."""
