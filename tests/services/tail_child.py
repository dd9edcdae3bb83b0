"""Members of the group that feeds the read model of a ledger, and that kill themselves.

Usage: python -m tests.services.tail_child LEDGER SERVERS PREFIX VIEWS MODE. With the mode `follow`
it works until it is killed and prints `assigned N` whenever its partitions change, and `folded N`
with the facts that it handed in. With the mode `points` it reads numbers, one a line; for each it
forks a member that kills itself at the n-th fault point, or ends when the read model is where the
ledger is, and prints `killed` or `done`: what is slow to import is imported once.
"""

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from ledger.kafka.client.connection import Broker
from ledger.kafka.errors import BrokerError
from projections.runner.database import open_views
from projections.runner.models import PROJECTIONS
from projections.runner.runner import Runner
from projections.runner.views import Views
from projections.tail.tail import Tail
from tests.crash.child import KillAt
from tests.support.kafka import published_as
from tests.support.ledgers import reopened

SESSION = 1000
PATIENCE_SECONDS = 40
PRODUCTION = PROJECTIONS["production"]


def entered(where: Sequence[str], number: int) -> tuple[Tail, Views]:
    """Return a member, and the read models that it writes; both have the same fault points."""
    path, servers, prefix, place = where
    kill = KillAt(number)
    application = reopened(Path(path))
    views = Views(open_views(place), code_version="test", fault_point=kill)
    runner = Runner(application, views)
    tail = Tail(
        published_as(application, prefix),
        Broker(servers=servers),
        views,
        PRODUCTION,
        catch_up=lambda: runner.catch_up(PRODUCTION),
        session=SESSION,
        fault_point=kill,
    )
    return tail, views


def follow(*where: str) -> None:
    """Feed the read model until the process is killed."""
    partitions = 0
    while True:
        try:
            tail, _ = entered(where, 0)
            with tail:
                while True:
                    done = tail.step()
                    if tail.partitions != partitions:
                        partitions = tail.partitions
                        say(f"assigned {partitions}")
                    if done.facts:
                        say(f"folded {done.facts}")
        except BrokerError as error:
            sys.stderr.write(f"{error}\n")


def until_head(where: Sequence[str], number: int) -> None:
    """Feed the read model until it is where the ledger is, or die before."""
    tail, views = entered(where, number)
    head = reopened(Path(where[0])).head()
    until = time.monotonic() + PATIENCE_SECONDS
    with tail:
        while time.monotonic() < until:
            tail.step()
            live = views.live(PRODUCTION.name)
            if live is not None and live.position == head:
                os._exit(0)
    os._exit(1)


def points(*where: str) -> None:
    """Kill a member at each point that is asked for."""
    for line in sys.stdin:
        pid = os.fork()
        if not pid:
            until_head(where, int(line))
        _, status = os.waitpid(pid, 0)
        say({0: "done", 9: "killed"}.get(status, f"status {status}"))


def say(text: str) -> None:
    """Tell the test."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    *given, mode = sys.argv[1:]
    {"follow": follow, "points": points}[mode](*given)
