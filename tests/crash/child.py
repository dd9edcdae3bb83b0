"""A process that kills itself at the n-th fault point of a piece of work.

Usage: python child.py WORK PATH N [FOLDER], where WORK is a function of this module. Prints `done`
when the work ended before the n-th point was reached.
"""

import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

from ledger.aggregates.base import Proposal
from ledger.application import LedgerApplication
from ledger.envelopes import command
from ledger.events.acts import ActReferenceCorrected
from ledger.intake.importer import Mode, import_folder
from ledger.intake.problems import Problem
from ledger.intake.rejects import english
from tests.support.given import PLAN_ACT, act_adopted, envelope, under_act
from tests.support.ledgers import CountingEntropy, FakeClock, store_at


class KillAt:
    """Counts fault points and kills the process, as a power cut would, at the n-th."""

    def __init__(self, number: int) -> None:
        self.left = number

    def __call__(self, _: str) -> None:
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


def opened(path: Path, kill: KillAt) -> LedgerApplication:
    """Open a ledger whose store has the fault points."""
    clock, entropy = FakeClock(), CountingEntropy()
    store = store_at(path, clock=clock, entropy=entropy, fault_point=kill)
    return LedgerApplication.open(store, clock=clock, entropy=entropy)


def append(path: Path, kill: KillAt) -> None:
    """Append one command of two events, the second citing the first's act."""
    adopted = Proposal(event=act_adopted(), envelope=envelope())
    corrected = under_act(
        ActReferenceCorrected(
            document_id="rp", locator="1", cited=replace(PLAN_ACT, number="99"), correct=PLAN_ACT
        )
    )
    opened(path, kill).execute(command("crash/1", [adopted, corrected]))


def import_whole(path: Path, kill: KillAt, folder: str) -> None:
    """Import a data folder; the points are those of the store."""
    report = import_folder(opened(path, kill), Path(folder))
    assert not report.errors, report.errors


def import_rows(path: Path, kill: KillAt, folder: str) -> None:
    """Import the good rows; the points are those of the store, every row and every reject."""

    def texts(found: Problem) -> tuple[str, str]:
        kill("reject")
        return english(found)

    import_folder(
        opened(path, kill),
        Path(folder),
        mode=Mode.ROWS,
        texts=texts,
        progress=lambda _file, _done, _total: kill("row"),
    )


if __name__ == "__main__":
    work, path, number, *rest = sys.argv[1:]
    globals()[work](Path(path), KillAt(int(number)), *rest)
    sys.stdout.write("done\n")
