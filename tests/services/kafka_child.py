"""A process that publishes a ledger and kills itself at the n-th fault point.

Usage: python -m tests.services.kafka_child LEDGER SERVERS PREFIX N. Prints `done` when it published
everything before the n-th point was reached.
"""

import sys
from pathlib import Path

from ledger.kafka.client.connection import Broker
from ledger.kafka.publisher import Publisher
from tests.crash.child import KillAt
from tests.support.kafka import FAST, ledger_at

if __name__ == "__main__":
    path, servers, prefix, number = sys.argv[1:]
    with Publisher(
        ledger_at(Path(path), prefix),
        Broker(servers=servers, fast=FAST),
        fault_point=KillAt(int(number)),
    ) as publisher:
        publisher.publish(seconds=20)
    sys.stdout.write("done\n")
