"""What is read of a partition on a real broker: every message once, in order, as it was written.

A long partition has a reader of its own, which asks ahead: here every one does, and again none.
"""

from collections.abc import Iterator
from itertools import count
from typing import Any
from uuid import uuid1

import pytest
from kafka import KafkaProducer

from ledger.kafka.client import source as source_module
from ledger.kafka.client.broker import Admin
from ledger.kafka.client.connection import Broker, Partition, Received
from ledger.kafka.client.source import Source
from ledger.kafka.message import Message
from tests.support.kafka import SERVERS

BROKER = Broker(servers=SERVERS)
PARTITIONS = 2

pytestmark = [
    pytest.mark.skipif(
        not SERVERS, reason="no Kafka: scripts/services up, then make test-services"
    ),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


class RawName(str):
    """A header name that is written as bytes of our choice."""

    __slots__ = ("raw",)
    raw: bytes

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:  # noqa: ARG002 - as the class it stands in for
        return self.raw


@pytest.fixture
def topic() -> Iterator[str]:
    name = f"t{uuid1().hex}"
    with Admin(BROKER) as admin:
        admin.create({name: PARTITIONS}, replicas=1, settings={})
    yield name
    with Admin(BROKER) as admin:
        admin.delete([name])


@pytest.fixture(params=[1, 10**9], ids=["own readers", "one reader"])
def _long(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_module, "LONG_MESSAGES", request.param)
    monkeypatch.setattr("ledger.kafka.client.reader.FETCH_BYTES", 2_000)


def sender(**said: Any) -> Any:
    return KafkaProducer(bootstrap_servers=SERVERS, acks="all", linger_ms=5, **said)


def read(topic: str, begins: dict[int, int]) -> dict[int, list[Received]]:
    """Read partitions to their ends, a message of each in turn."""
    found: dict[int, list[Received]] = {number: [] for number in begins}
    with Source(BROKER) as source:
        source.open({Partition(topic, number): at for number, at in begins.items()})
        left = set(begins)
        while left:
            for number in sorted(left):
                received = source.take(Partition(topic, number))
                if received is None:
                    left.remove(number)
                else:
                    found[number].append(received)
    return found


@pytest.mark.usefixtures("_long")
def test_every_message_comes_once_and_in_order_from_the_offset_on(topic: str) -> None:
    producer = sender(compression_type="zstd")
    for n in range(4000):
        headers = [("position", b"%d" % (n // 100)), ("index", b"%d" % (n % 100)), ("s", b"x")]
        producer.send(topic, b"v%d" % n, b"k%d" % n, headers=headers, partition=n % PARTITIONS)
    producer.close(timeout=10)

    found = read(topic, {0: 0, 1: 700})

    for number, begin in ((0, 0), (1, 700)):
        numbers = range(begin * PARTITIONS + number, 4000, PARTITIONS)
        assert found[number] == [
            Received(
                Partition(topic, number),
                offset,
                Message(
                    topic,
                    b"k%d" % n,
                    b"v%d" % n,
                    (("position", b"%d" % (n // 100)), ("index", b"%d" % (n % 100)), ("s", b"x")),
                ),
            )
            for offset, n in zip(count(begin), numbers, strict=False)
        ]


@pytest.mark.usefixtures("_long")
def test_a_header_name_that_is_not_utf_8_keeps_nobody_from_reading_on(topic: str) -> None:
    odd = RawName("odd")
    odd.raw = b"\xffn"
    producer = sender()
    for n in range(300):
        name = odd if n == 150 else "even"
        producer.send(topic, b"v", b"%d" % n, headers=[(name, b"\xfe")], partition=0)
    producer.close(timeout=10)

    found = read(topic, {0: 0})[0]

    messages = [one.message for one in found if one.message is not None]
    assert [one.key for one in messages] == [b"%d" % n for n in range(300)]
    assert messages[150].headers == (("\\xffn", b"\xfe"),)
    assert {one.headers for one in messages[151:]} == {(("even", b"\xfe"),)}


@pytest.mark.usefixtures("_long")
def test_aborted_transactions_and_their_marks_are_passed_over(topic: str) -> None:
    producer = sender(transactional_id=f"x{uuid1().hex}", enable_idempotence=True)
    producer.init_transactions()
    for n in range(12):
        producer.begin_transaction()
        producer.send(topic, b"v", b"%d" % n, partition=0)
        producer.flush()
        if n % 3 == 0:
            producer.abort_transaction()
        else:
            producer.commit_transaction()
    producer.close(timeout=10)

    found = read(topic, {0: 0})[0]

    kept = [n for n in range(12) if n % 3]
    assert [one.message.key for one in found if one.message] == [b"%d" % n for n in kept]
    # Each message is followed by the mark of its transaction.
    assert [one.offset for one in found] == [2 * n for n in kept]


@pytest.mark.usefixtures("_long")
def test_what_is_no_message_of_a_ledger_is_told_by_its_offset(topic: str) -> None:
    producer = sender()
    producer.send(topic, b"v", b"k", partition=0)
    producer.send(topic, None, b"k", partition=0)
    producer.send(topic, b"v", None, partition=0)
    producer.send(topic, b"v", b"k", partition=0)
    producer.close(timeout=10)

    found = read(topic, {0: 0})[0]

    assert [(one.offset, one.message is None) for one in found] == [
        (0, False),
        (1, True),
        (2, True),
        (3, False),
    ]
