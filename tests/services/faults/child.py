"""A publisher in a process of its own that kills or stops itself at the n-th fault point.

Usage: python -m tests.services.faults.child LEDGER SERVERS PREFIX N kill|stop HISTORY. Prints
`done` when it published everything, and `lost CODE` when it was refused on the way.
"""

import os
import signal
import sys
from pathlib import Path

from ledger.errors import LedgerError
from ledger.kafka import publisher as publishing
from ledger.kafka.client.connection import Broker
from ledger.kafka.publisher import Publisher
from tests.support.history import History
from tests.support.kafka import FAST, ledger_at

SIGNALS = {"kill": signal.SIGKILL, "stop": signal.SIGSTOP}


class SignalAt:
    """Counts fault points and sends the process a signal at the n-th."""

    def __init__(self, number: int, sent: signal.Signals) -> None:
        self.left = number
        self.sent = sent

    def __call__(self, _: str) -> None:
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), self.sent)


def main(words: list[str]) -> None:
    """Publish."""
    path, servers, prefix, number, deed, history = words
    with History(Path(history)) as kept:
        setattr(publishing, "Sink", kept.recording())  # noqa: B010 - the child writes its own history
        try:
            with Publisher(
                ledger_at(Path(path), prefix),
                Broker(servers=servers, fast=FAST),
                fault_point=SignalAt(int(number), SIGNALS[deed]),
            ) as publisher:
                publisher.publish(seconds=20)
        except LedgerError as error:
            sys.stdout.write(f"lost {error.code}\n")
        else:
            sys.stdout.write("done\n")


if __name__ == "__main__":
    main(sys.argv[1:])
