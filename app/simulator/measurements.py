"""Quality, surveys, appeals and medical assessments: few facts, plausible and bound to no figure.

Source: docs/production.md.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
import polars as pl

from app.simulator.apportion import Longs
from app.simulator.draft import Draft, Draws
from app.simulator.frames import Part, dates, ints, longs, texts, words
from app.simulator.totals import (
    APPEAL_SYSTEMS,
    CHANNELS,
    MEDICAL_KINDS,
    PHASES,
    QUARTERS,
    SURVEY_MONTHS,
    unit_areas,
)
from app.simulator.workdays import epoch_day, month_days, month_end

FAMILY: Final = "measurement"

_APPEALS: Final = {3: 100, 6: 92, 9: 85, 12: 78}
"""Appeals waiting by month, in hundredths of the first count."""


def measurement_parts(draft: Draft, month: int) -> Iterator[Part]:
    """Yield what is measured at the end of a month, 1 to 12."""
    rng = draft.rng(Draws.MEASUREMENTS, month)
    last = epoch_day(month_end(draft.targets.year, month))
    if month in QUARTERS:
        yield _part("QualityMeasured", _quality(draft, last, rng), draft)
        yield _part("AppealsCounted", _appeals(draft, month, last, rng), draft)
        yield _part("MedicalAssessed", _medical(draft, month, rng), draft)
    if month in SURVEY_MONTHS:
        yield _part("SurveyAggregated", _survey(last, rng), draft)


def _quality(draft: Draft, last: int, rng: np.random.Generator) -> list[pl.Series]:
    """Return an index per unit and area, near what was planned."""
    unit, area = unit_areas(draft.pairs)
    budget = rng.integers(9400, 10_001, unit.size)
    return [
        texts("unit", draft.unit_codes(), unit),
        texts("area", words([item.code for item in draft.targets.areas]), area),
        dates("measured_on", np.full(unit.size, last)),
        longs("value", budget + rng.integers(-350, 401, unit.size)),
        longs("budget", budget),
    ]


def _appeals(draft: Draft, month: int, last: int, rng: np.random.Generator) -> list[pl.Series]:
    """Return the appeals waiting, fewer each quarter."""
    units, systems = len(draft.pairs.units), len(APPEAL_SYSTEMS)
    size = np.array([unit.weight for unit in draft.pairs.units], np.int64)
    pieces = np.repeat(size, systems) * rng.integers(150, 250, units * systems)
    return [
        texts("system", words(APPEAL_SYSTEMS), np.tile(np.arange(systems, dtype=np.int64), units)),
        texts("unit", draft.unit_codes(), _each(units, systems)),
        dates("counted_on", np.full(units * systems, last)),
        longs("pieces", pieces * _APPEALS[month] // 10_000),
    ]


def _medical(draft: Draft, month: int, rng: np.random.Generator) -> list[pl.Series]:
    """Return the assessments of a quarter."""
    units, kinds = len(draft.pairs.units), len(MEDICAL_KINDS)
    days = month_days(draft.targets.year, month)
    size = np.array([unit.weight for unit in draft.pairs.units], np.int64)
    return [
        texts("kind", words(MEDICAL_KINDS), np.tile(np.arange(kinds, dtype=np.int64), units)),
        texts("unit", draft.unit_codes(), _each(units, kinds)),
        dates("assessed_on", rng.choice(days.day[days.working], units * kinds)),
        longs("pieces", 1 + np.repeat(size, kinds) * rng.integers(5, 16, units * kinds) // 10),
        ints("elapsed_days", rng.integers(15, 121, units * kinds)),
    ]


def _survey(last: int, rng: np.random.Generator) -> list[pl.Series]:
    """Return the mean scores, 1 to 5, of every phase and channel."""
    size = len(PHASES) * len(CHANNELS)
    return [
        texts("phase", words(PHASES), _each(len(PHASES), len(CHANNELS))),
        texts(
            "channel",
            words(CHANNELS),
            np.tile(np.arange(len(CHANNELS), dtype=np.int64), len(PHASES)),
        ),
        dates("closed_on", np.full(size, last)),
        longs("mean", rng.integers(3200, 4500, size)),
        longs("answers", rng.integers(60, 4000, size)),
    ]


def _each(count: int, times: int) -> Longs:
    """Return 0 to `count` - 1, each several times."""
    return np.repeat(np.arange(count, dtype=np.int64), times)


def _part(name: str, columns: list[pl.Series], draft: Draft) -> Part:
    """Return facts of one kind."""
    return Part(family=FAMILY, name=name, frame=draft.numbers.frame(name, columns))
