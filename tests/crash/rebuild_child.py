"""A process that kills itself at the n-th step of work on a read model.

Usage: python -m tests.crash.rebuild_child WORK LEDGER VIEWS N, where WORK is a function of this
module. Prints `done` when the work ended before the n-th step was reached.
"""

import sys
from pathlib import Path

from projections.runner.database import open_views
from projections.runner.models import PROJECTIONS
from projections.runner.runner import Runner
from projections.runner.views import Views
from tests.crash.child import KillAt
from tests.support.ledgers import reopened

RECORDS = 24
"""Records that one transaction of the catch-up covers."""

PRODUCTION = PROJECTIONS["production"]


def runner_of(ledger: Path, views: Path, kill: KillAt) -> Runner:
    """Return a runner whose every step may be its last."""
    opened = Views(open_views(f"sqlite:///{views}"), code_version="test", fault_point=kill)
    return Runner(reopened(ledger), opened, fault_point=kill)


def catch_up(ledger: Path, views: Path, kill: KillAt) -> None:
    """Fold what is new, in several transactions."""
    runner_of(ledger, views, kill).catch_up(PRODUCTION, records=RECORDS)


def rebuild(ledger: Path, views: Path, kill: KillAt) -> None:
    """Build the read model anew and swap."""
    runner_of(ledger, views, kill).rebuild(PRODUCTION)


if __name__ == "__main__":
    work, ledger, views, number = sys.argv[1:]
    globals()[work](Path(ledger), Path(views), KillAt(int(number)))
    sys.stdout.write("done\n")
