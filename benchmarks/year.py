"""A simulated year of production that several benchmarks read."""

import io
import os
import time
from contextlib import redirect_stdout
from pathlib import Path

from app.cli.main import main
from benchmarks.measure import SEED
from ledger.application import LedgerApplication
from ledger.clock import SystemClock, SystemEntropy
from ledger.store.engine import open_engine, store_url
from ledger.store.store import Store


def silently(*words: str) -> None:
    """Run a command line without its answer.

    Raises:
        RuntimeError: it failed.
    """
    with redirect_stdout(io.StringIO()):
        code = main(["--quiet", *words])
    if code:
        raise RuntimeError(f"registro {' '.join(words)}: exit code {code}")


def year_of(folder: Path) -> Path:
    """Return the ledger that the environment names, else a year simulated into a folder."""
    given = os.environ.get("REGISTRO_BENCH_LEDGER")
    if given:
        return Path(given)
    count = int(os.environ.get("REGISTRO_BENCH_EVENTS", "1000000"))
    path = folder / "year.db"
    begin = time.perf_counter()
    simulate(path, count)
    print(f"simulated and recorded in {time.perf_counter() - begin:.1f} s")
    return path


def simulate(path: Path, events: int) -> None:
    """Record a simulated year in a new ledger."""
    silently(
        *("simulate", "--events", str(events), "--seed", str(SEED), "--append"),
        *("--ledger", str(path)),
    )


def opened(path: Path, *, read_only: bool = True) -> LedgerApplication:
    """Open a ledger with the machine's clock."""
    clock, entropy = SystemClock(), SystemEntropy()
    engine = open_engine(store_url(str(path)), read_only=read_only)
    store = Store(engine, clock=clock, entropy=entropy)
    return LedgerApplication.open(store, clock=clock, entropy=entropy)
