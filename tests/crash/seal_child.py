"""Processes that kill themselves at each step of a seal in turn, or hold the lock of a log.

Usage: python -m tests.crash.seal_child seal LEDGER BEFORE FOLDER, or ... hold LOG. `seal` copies
the log BEFORE, if there is one, to FOLDER/1, seals the copy in a process of its own that dies at
the first step, goes on with FOLDER/2 and the second step, and ends with the first process that
reaches the end. It prints the exit status of each, 0 or minus the signal.
"""

import os
import shutil
import sys
from pathlib import Path

from ledger.evidence.files import LogFiles
from ledger.evidence.sealer import sealer_of
from tests.crash.child import KillAt
from tests.support.ledgers import reopened
from tests.support.sealing import KEY

STEPS_MAX = 100


def seal(ledger: str, before: str, folder: str) -> None:
    """Kill a seal at every step."""
    for number in range(1, STEPS_MAX):
        log = Path(folder) / str(number)
        if Path(before).is_dir():
            shutil.copytree(before, log)
        # Forking spares every process the imports, which would be most of its time.
        process = os.fork()
        if not process:
            kill = KillAt(number)
            sealer_of(reopened(Path(ledger)), log, [KEY], fault_point=kill).seal()
            os._exit(0)
        _, status = os.waitpid(process, 0)
        code = os.waitstatus_to_exitcode(status)
        sys.stdout.write(f"{code}\n")
        if not code:
            return


def hold(log: str) -> None:
    """Hold the lock until stdin ends."""
    with LogFiles(Path(log)).locked():
        sys.stdout.write("held\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    work, *rest = sys.argv[1:]
    globals()[work](*rest)
