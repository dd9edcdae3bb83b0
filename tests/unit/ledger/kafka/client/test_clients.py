"""A client that cannot connect leaves no thread behind, however often it is tried."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[4]
# A process of its own: the library forgets sockets, which would trouble the tests that follow.
TRIES = """
import threading
from ledger.kafka.client.connection import Broker
from ledger.kafka.client.source import Source
from ledger.kafka.client.broker import Admin, Sink
from ledger.kafka.errors import BrokerError

refused = 0
for _ in range(3):
    try:
        {kind}(Broker(servers="127.0.0.1:1", wait_seconds=0.1))
    except BrokerError:
        refused += 1
print(refused, threading.active_count())
"""


@pytest.mark.parametrize("kind", ["Admin", "Source", "Sink"])
def test_no_thread_stays_of_a_client_that_found_no_server(kind: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", TRIES.format(kind=kind)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert ran.stdout.split() == ["3", "1"]
