"""A process that takes in a file of facts and kills itself, or finds no room on its disk.

Usage: python -m tests.crash.child_ingest WORK LEDGER FILE NUMBER, where WORK is a function of this
module. Prints what came of it.
"""

import resource
import sys
from pathlib import Path

from ledger.application import LedgerApplication
from ledger.errors import LedgerError
from ledger.facts.batches import FactFile, Ingested
from ledger.facts.ingest import FactIntake
from ledger.facts.rejects import Rejects
from ledger.store.store import FaultPoint
from tests.crash.child import KillAt, opened
from tests.support.ledgers import CountingEntropy, FakeClock, store_at
from tests.support.production import batch

PIECE_BYTES = 1 << 16


def ingest(ledger: LedgerApplication, file: Path, point: FaultPoint) -> Ingested:
    """Take in a file; every step that is told is a point, besides those of the store."""
    return FactIntake(ledger, piece_bytes=PIECE_BYTES).files(
        [FactFile(path=file, form="csv", name=file.name)],
        batch(family="stock"),
        rejects=Rejects(folder=None),
        progress=lambda stage, _done, _total: point(stage),
    )


def passed(path: Path, file: Path) -> list[str]:
    """Return the points that pass, in order."""
    clock, entropy = FakeClock(), CountingEntropy()
    points: list[str] = []
    store = store_at(path, clock=clock, entropy=entropy, fault_point=points.append)
    ledger = LedgerApplication.open(store, clock=clock, entropy=entropy)
    ingest(ledger, file, points.append)
    return points


def killed(path: Path, file: Path, number: int) -> str:
    """Die at the n-th point."""
    kill = KillAt(number)
    answer = ingest(opened(path, kill), file, kill)
    return f"facts {answer.facts}"


def full(path: Path, file: Path, number: int) -> str:
    """Work where no file may be larger than so many bytes, as on a disk that is nearly full."""
    ledger = opened(path, KillAt(0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (number, number))
    try:
        answer = ingest(ledger, file, KillAt(0))
    except LedgerError as error:
        return f"{error.code} {error}"
    return f"facts {answer.facts}"


if __name__ == "__main__":
    work, where, what, count = sys.argv[1:]
    sys.stdout.write(globals()[work](Path(where), Path(what), int(count)) + "\n")
