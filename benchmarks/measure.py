"""Measure contestants in turns, so that what else the machine does strikes all of them alike."""

import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

SEED: Final = 20231231
"""Seed of everything a benchmark makes up."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """Figures of one contestant over the rounds."""

    name: str
    rates: tuple[float, ...]
    """Units of work per second, one figure a round."""

    @property
    def median(self) -> float:
        """The median rate."""
        return statistics.median(self.rates)


def rates(contestants: Mapping[str, Callable[[int], int]], *, rounds: int) -> tuple[Sample, ...]:
    """Run every contestant once a round and return their rates.

    Args:
        contestants: by name; called with the number of the round (0-based), returns how many
            units of work it did.
        rounds: at least 1; a first round before them is not counted.
    """
    measured: dict[str, list[float]] = {name: [] for name in contestants}
    for turn in range(rounds + 1):
        for name, work in contestants.items():
            begin = time.perf_counter()
            done = work(turn)
            spent = time.perf_counter() - begin
            if turn:
                measured[name].append(done / spent)
    return tuple(Sample(name=name, rates=tuple(found)) for name, found in measured.items())


def machine() -> str:
    """Return what the figures were measured on."""
    return (
        f"Python {platform.python_version()}, {platform.system()} {platform.machine()}, "
        f"{os.cpu_count()} cores, seed {SEED}"
    )


def show(title: str, samples: tuple[Sample, ...], *, unit: str) -> None:
    """Print medians, ranges, and ratios to the first contestant."""
    print(f"\n{title} ({unit})")
    base = samples[0].median
    for one in samples:
        print(
            f"  {one.name:<52} median {one.median:>12,.1f}   "
            f"{min(one.rates):>12,.1f} to {max(one.rates):>12,.1f}   x {one.median / base:.2f}"
        )
