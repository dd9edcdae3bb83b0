"""How long the command line takes to start, as a whole process."""

import subprocess
import sys
from collections.abc import Callable

from benchmarks.measure import rates, show

ROUNDS = 11


def run() -> None:
    """Measure and print."""
    show(
        "start-up",
        rates(
            {
                "python -c pass": _process("-c", "pass"),
                "registro --help": _process("-m", "app", "--help"),
                "registro replay --help": _process("-m", "app", "replay", "--help"),
                "registro config show": _process("-m", "app", "config", "show"),
            },
            rounds=ROUNDS,
        ),
        unit="starts/s",
    )


def _process(*words: str) -> Callable[[int], int]:
    def work(_: int) -> int:
        subprocess.run([sys.executable, *words], capture_output=True, check=True, timeout=60)
        return 1

    return work
