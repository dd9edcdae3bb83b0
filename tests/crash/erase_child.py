"""Processes that kill themselves at each step of an erasure in turn: the record, then the key.

Usage: python -m tests.crash.erase_child BEFORE FOLDER WORD... It copies the folder BEFORE to
FOLDER/1, runs the command line WORD... on the copy in a process of its own that dies at the first
step of store or key file, goes on with FOLDER/2 and the second step, and ends with the first
process that reaches the end. It prints the exit status of each, 0 or minus the signal.
"""

import io
import os
import shutil
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path

from app.cli.main import main
from ledger.privacy.keystore import KeyStore
from ledger.store.store import Store
from tests.crash.child import KillAt

STEPS_MAX = 60


def with_fault_points(made: type, kill: Callable[[str], None]) -> None:
    """Give every object of a class that the command makes the fault point."""
    plain = made.__init__  # type: ignore[misc] # the class is known to its callers

    def init(self: object, *args: object, **options: object) -> None:
        plain(self, *args, **{**options, "fault_point": kill})

    made.__init__ = init  # type: ignore[misc] # only in a process that is about to die


def erase(before: str, folder: str, words: list[str]) -> None:
    """Kill the command at every step."""
    for number in range(1, STEPS_MAX):
        place = Path(folder) / str(number)
        shutil.copytree(before, place)
        # Forking spares every process the imports, which would be most of its time.
        process = os.fork()
        if not process:
            kill = KillAt(number)
            with_fault_points(Store, kill)
            with_fault_points(KeyStore, kill)
            with redirect_stdout(io.StringIO()):
                code = main(["--ledger", str(place / "registro.db"), *words])
            os._exit(code)
        _, status = os.waitpid(process, 0)
        code = os.waitstatus_to_exitcode(status)
        sys.stdout.write(f"{code}\n")
        if code >= 0:
            return


if __name__ == "__main__":
    erase(sys.argv[1], sys.argv[2], sys.argv[3:])
