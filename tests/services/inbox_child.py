"""Processes that take an inbox in and kill themselves at the n-th fault point.

Usage: python -m tests.services.inbox_child LEDGER SERVERS TOPIC MODE. With the mode `follow` it
shares the partitions until it is killed. With the mode `points` it reads numbers, one a line; for
each it forks a process that takes what is there and kills itself at the n-th point, and prints
`killed` or `done`: what is slow to import is imported once.
"""

import os
import sys
from pathlib import Path

from ledger.kafka.client.connection import Broker
from ledger.kafka.errors import BrokerError
from ledger.kafka.inbox.intake import Inbox, take_all
from tests.crash.child import KillAt, opened
from tests.support.ledgers import FakeClock
from tests.support.production import batch

SESSION = 6000


def entered(path: str, servers: str, topic: str, number: int, *, share: bool) -> Inbox:
    """Return an inbox over a ledger whose store has the same fault points."""
    kill = KillAt(number)
    return Inbox(
        opened(Path(path), kill),
        Broker(servers=servers),
        topic,
        batch=lambda: batch(name=None),
        clock=FakeClock(),
        share=share,
        session=SESSION,
        fault_point=kill,
    )


def follow(path: str, servers: str, topic: str) -> None:
    """Record what comes."""
    while True:
        try:
            with entered(path, servers, topic, 0, share=True) as inbox:
                while True:
                    list(inbox.take(delay=0.05))
        except BrokerError as error:
            sys.stderr.write(f"{error}\n")


def points(path: str, servers: str, topic: str) -> None:
    """Kill a process at each point that is asked for."""
    for line in sys.stdin:
        pid = os.fork()
        if not pid:
            with entered(path, servers, topic, int(line), share=False) as inbox:
                take_all(inbox, delay=0.05, wait_seconds=20, told=lambda _: None)
            os._exit(0)
        _, status = os.waitpid(pid, 0)
        outcome = {0: "done", 9: "killed"}.get(status, f"status {status}")
        sys.stdout.write(f"{outcome}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    place, at, name, mode = sys.argv[1:]
    {"follow": follow, "points": points}[mode](place, at, name)
