"""Requests received, reassigned and settled: the facts of a month, what comes late, corrections.

Invariants:
1. Facts in time, late facts and corrected facts add up to the plan of the year, in pieces and rows.
2. A corrected fact was wrong when it was sent: the correction carries the planned values.
3. Of a month only its plan, its late cells and its corrections are kept, and until the next only.

Source: docs/production.md; docs/glossary.md, metaprocesso.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Final, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from app.simulator.apportion import Flags, Longs, apportion
from app.simulator.cells import (
    ROWS_MAX,
    Cells,
    Rows,
    join,
    month_cells,
    no_cells,
    rows_of,
    split_late,
)
from app.simulator.draft import Draft, Draws
from app.simulator.frames import Part, dates, flags, ints, longs, texts, words
from app.simulator.totals import CHANNELS
from app.simulator.workdays import DEFINED, MONTHS, RECEIVED, MonthDays, epoch_day, month_days
from app.simulator.workdays import month_end as last_day

Kind = Literal["RequestReceived", "RequestDefined"]

FAMILY: Final = "production"
CAUSES: Final = ("subsidiarity", "metaprocess", "reorganisation")

_BITS: Final = 1 << 16
_ELSEWHERE: Final = _BITS * 4 // 100
"""Of 65 536: requests whose citizens belong to another unit."""
_METAPROCESSO: Final = _BITS * 3 // 100
"""Of 65 536: requests settled by another unit than the one they were routed to."""
_CHANNEL_SHARES: Final = (130, 26, 72, 28)
"""Of 256: receipts by channel."""
_STEPS: Final = 256
"""Steps of the distribution of elapsed days."""
_DAYS_MIN: Final = 8
"""Least mean of elapsed days."""
_AUTOMATED_DAYS: Final = 3
"""Settlements without staff take fewer days than this."""
_WRONG_DAYS: Final = 30
_DRAWS: Final[Mapping[Kind, Draws]] = {
    "RequestReceived": Draws.RECEIVED,
    "RequestDefined": Draws.DEFINED,
}


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Draw:
    """Facts of receipt or settlement as vectors of one length."""

    pair: Longs
    day: Longs
    pieces: Longs
    origin: Longs
    """Unit of the citizens."""
    choice: Longs
    """Channel of a receipt, unit that made a settlement."""
    automated: Flags
    elapsed: Longs
    numbers: Longs

    def at(self, places: Longs) -> "_Draw":
        """Return the facts at some places, as copies."""
        return _Draw(
            pair=self.pair[places],
            day=self.day[places],
            pieces=self.pieces[places],
            origin=self.origin[places],
            choice=self.choice[places],
            automated=self.automated[places],
            elapsed=self.elapsed[places],
            numbers=self.numbers[places],
        )


@dataclass(kw_only=True, slots=True, eq=False)
class Production:
    """Makes the production facts, month after month; 13 is the month after the year."""

    draft: Draft
    _late: dict[Kind, Cells] = field(default_factory=dict)
    _wrong: dict[Kind, list[_Draw]] = field(default_factory=dict)
    _corrections: dict[Kind, Longs] = field(init=False)
    _units: pl.Series = field(init=False)
    _products: pl.Series = field(init=False)
    _automated: Longs = field(init=False)
    _elapsed: Longs = field(init=False)
    _closed: Flags = field(init=False)

    def __post_init__(self) -> None:
        """Prepare what the rows are looked up in."""
        totals, plan = self.draft.totals, self.draft.plan
        self._corrections = {
            "RequestReceived": apportion(
                totals.corrected_received, (plan.received - plan.extra_received).sum(axis=0)
            ),
            "RequestDefined": apportion(
                totals.corrected_defined, (plan.defined - plan.extra_defined).sum(axis=0)
            ),
        }
        self._units = self.draft.unit_codes()
        self._products = self.draft.product_codes()
        automated = np.array([product.automated for product in self.draft.world.products], np.int64)
        self._automated = automated[totals.pairs.product] * _BITS // 1000
        self._elapsed = np.array(
            [_quantiles(int(area.backlog_days)) for area in self.draft.targets.areas], np.int64
        )
        weekdays = [month_days(self.draft.targets.year, month).weekday for month in MONTHS]
        self._closed = np.concatenate(weekdays) == len(RECEIVED) - 1

    def month(self, month: int) -> Iterator[Part]:
        """Yield what the batches of a month hold.

        Args:
            month: 1 to 13, each once, in order.
        """
        wrong, self._wrong = self._wrong, {}
        yield from self._stream("RequestReceived", month)
        if month in MONTHS:
            yield from self._reassigned(month)
        yield from self._stream("RequestDefined", month)
        for kind, draws in wrong.items():
            yield self._part(kind, _joined(draws), corrects=True)

    def _stream(self, kind: Kind, month: int) -> Iterator[Part]:
        """Yield what is late of the month before, then what is in time of this one."""
        rng = self.draft.rng(_DRAWS[kind], month)
        late = self._late.pop(kind, no_cells())
        punctual = no_cells()
        if month in MONTHS:
            punctual, self._late[kind] = split_late(self._cells(kind, month, rng), rng)
        corrected = self._places(kind, month, punctual.rows) + late.rows
        for rows in rows_of(join(late, punctual)):
            draw = self._draw(kind, rows, rng)
            last = rows.first + rows.day.size
            places = corrected[(corrected >= rows.first) & (corrected < last)] - rows.first
            if places.size:
                self._wrong.setdefault(kind, []).append(draw.at(places))
                draw = _spoil(kind, draw, places)
            yield self._part(kind, draw, corrects=False)

    def _cells(self, kind: Kind, month: int, rng: np.random.Generator) -> Cells:
        """Return the cells of all facts that happened in a month."""
        place, plan = month - 1, self.draft.plan
        days = month_days(self.draft.targets.year, month)
        if kind == "RequestReceived":
            pieces, extra = plan.received[:, place], plan.extra_received[:, place]
            weekly = RECEIVED
        else:
            pieces, extra = plan.defined[:, place], plan.extra_defined[:, place]
            weekly = DEFINED
        return month_cells(pieces - extra, extra, days.day, _weights(days, weekly), rng)

    def _places(self, kind: Kind, month: int, rows: int) -> Longs:
        """Return which of the facts in time will be corrected: spread evenly."""
        count = int(self._corrections[kind][month - 1]) if month in MONTHS else 0
        places = np.arange(count, dtype=np.int64)
        return (2 * places + 1) * rows // max(2 * count, 1)

    def _draw(self, kind: Kind, rows: Rows, rng: np.random.Generator) -> _Draw:
        """Return facts with all that is not in the plan."""
        pairs, size = self.draft.pairs, rows.day.size
        bits = rng.integers(0, _BITS, (4, size), dtype=np.uint16)
        routed = pairs.unit[rows.pair]
        automated = np.zeros(size, np.bool_)
        elapsed = np.zeros(size, np.int64)
        if kind == "RequestReceived":
            channel = np.repeat(np.arange(len(CHANNELS)), _CHANNEL_SHARES)[bits[0] >> 8]
            first = epoch_day(last_day(self.draft.targets.year, 1).replace(day=1))
            choice = np.where(self._closed[rows.day - first], 0, channel)
        else:
            automated = bits[0] < self._automated[rows.pair]
            slow = self._elapsed[pairs.area[rows.pair], bits[1] >> 8]
            elapsed = np.where(automated, bits[1] % _AUTOMATED_DAYS, slow).astype(np.int64)
            choice = self._elsewhere(routed, bits[2] < _METAPROCESSO, rng)
        return _Draw(
            pair=rows.pair,
            day=rows.day,
            pieces=rows.pieces,
            origin=self._elsewhere(routed, bits[3] < _ELSEWHERE, rng),
            choice=choice,
            automated=automated,
            elapsed=elapsed,
            numbers=self.draft.numbers.take(kind, size),
        )

    def _elsewhere(self, unit: Longs, moved: Flags, rng: np.random.Generator) -> Longs:
        """Return the units, those marked replaced by another one, if there is another."""
        count = len(self.draft.pairs.units)
        other = unit.copy()
        if count > 1:
            places = np.flatnonzero(moved)
            other[places] = (unit[places] + rng.integers(1, count, places.size)) % count
        return other

    def _part(self, kind: Kind, draw: _Draw, *, corrects: bool) -> Part:
        """Return facts, or the corrections of facts, as a frame."""
        pairs = self.draft.pairs
        columns = [
            texts("product", self._products, pairs.product[draw.pair]),
            texts("origin_unit", self._units, draw.origin),
            texts("routed_unit", self._units, pairs.unit[draw.pair]),
        ]
        if kind == "RequestReceived":
            columns += [
                texts("channel", words(CHANNELS), draw.choice),
                dates("received_on", draw.day),
                longs("pieces", draw.pieces),
            ]
        else:
            columns += [
                texts("defining_unit", self._units, draw.choice),
                dates("defined_on", draw.day),
                longs("pieces", draw.pieces),
                flags("automated", draw.automated),
                ints("elapsed_days", draw.elapsed),
            ]
        frame = (
            self.draft.numbers.frame(kind, columns, supersedes=draw.numbers)
            if corrects
            else self.draft.numbers.frame(kind, columns, numbers=draw.numbers)
        )
        return Part(family=FAMILY, name=kind, frame=frame)

    def _reassigned(self, month: int) -> Iterator[Part]:
        """Yield the moves of a month."""
        name = "RequestReassigned"
        rng, pairs = self.draft.rng(Draws.REASSIGNED, month), self.draft.pairs
        days = month_days(self.draft.targets.year, month)
        moved = self.draft.plan.moved[:, month - 1]
        cells = month_cells(moved, np.zeros_like(moved), days.day, _weights(days, DEFINED), rng)
        partner = self.draft.plan.partner[:, month - 1]
        for rows in rows_of(cells, ROWS_MAX):
            columns = [
                texts("product", self._products, pairs.product[rows.pair]),
                texts("from_unit", self._units, pairs.unit[rows.pair]),
                texts("to_unit", self._units, pairs.unit[partner[rows.pair]]),
                texts("cause", words(CAUSES), rng.integers(0, len(CAUSES), rows.day.size)),
                dates("reassigned_on", rows.day),
                longs("pieces", rows.pieces),
            ]
            yield Part(family=FAMILY, name=name, frame=self.draft.numbers.frame(name, columns))


def _joined(draws: Sequence[_Draw]) -> _Draw:
    """Return the facts of all draws, in order."""
    return _Draw(
        **{
            name.name: np.concatenate([getattr(draw, name.name) for draw in draws])
            for name in fields(_Draw)
        }
    )


def _weights(days: MonthDays, weekly: tuple[int, ...]) -> Longs:
    """Return the relative activity of the days of a month."""
    return np.array(weekly, np.int64)[days.weekday]


def _spoil(kind: Kind, draw: _Draw, places: Longs) -> _Draw:
    """Return the facts with those at some places wrong: a piece or a month too many."""
    pieces, elapsed = draw.pieces.copy(), draw.elapsed.copy()
    slow: NDArray[np.int64] = places[1::2] if kind == "RequestDefined" else places[:0]
    pieces[np.setdiff1d(places, slow)] += 1
    elapsed[slow] += _WRONG_DAYS
    return replace(draw, pieces=pieces, elapsed=elapsed)


def _quantiles(backlog_days: int) -> list[int]:
    """Return elapsed days in rising order: an exponential distribution around the backlog."""
    mean = max(backlog_days, _DAYS_MIN)
    return [1 + int(-mean * math.log(1 - (step + 0.5) / _STEPS)) for step in range(_STEPS)]
