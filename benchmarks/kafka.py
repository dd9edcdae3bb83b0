"""A year of production through a real Kafka broker: publish, read back, check, latency, and others.

The broker is started here on loopback and stopped at the end; java (17 or later) and mvn
must be there. `REGISTRO_BENCH_EVENTS` says how many facts the year has (1 000 000 by default); with
`REGISTRO_BENCH_LEDGER` a ledger that was simulated before is published instead. The others send and
read messages of the same size, in the same run, on the same broker.
"""

import contextlib
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.measure import rates, show
from benchmarks.year import opened, simulate, year_of
from ledger.aggregates.base import Proposal
from ledger.application import LedgerApplication
from ledger.envelopes import command
from ledger.events.ledger import Actor, Envelope
from ledger.events.ledger import Source as Origins
from ledger.events.publication import DocumentPublished
from ledger.facts.blocks import check_block, read_facts
from ledger.kafka.check import check_topics
from ledger.kafka.client import fast
from ledger.kafka.client.broker import Admin
from ledger.kafka.client.connection import Broker
from ledger.kafka.client.source import Source
from ledger.kafka.guard import create_topics
from ledger.kafka.message import messages_of
from ledger.kafka.publisher import Publisher, size_of
from ledger.kafka.restore import TopicRecords
from ledger.kafka.tails import Ledger
from ledger.kafka.topics import Topics
from ledger.records import RecordKind, StoredRecord
from ledger.types import BEFORE_FIRST, Position
from schemas.registry import default_registry

ROUNDS: Final = 3
LATENCY_EVENTS: Final = 200
LATENCY_LEDGER: Final = 60_000
SAMPLE_RECORDS: Final = 200
BLOCKS_AT_ONCE: Final = 64
SCRIPTS: Final = Path(__file__).parents[1] / "scripts" / "kafka"
PARTITIONS: Final = 4
TOOL_SECONDS: Final = 600
_SENT: Final = re.compile(r"([0-9.]+) records/sec")


@dataclass(frozen=True, kw_only=True, slots=True)
class Bench:
    """What the contestants share."""

    servers: str
    path: Path
    folder: Path
    events: int
    size: int
    """Bytes of a message, on average."""


def run() -> None:
    """Measure and print."""
    if not shutil.which("java") or not shutil.which("mvn"):
        print("\nkafka: it needs java and mvn; skipped")
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = year_of(folder)
        with _broker(folder / "kafka") as servers:
            ledger = opened(path)
            events = ledger.store.pending(BEFORE_FIRST).events
            size = _size(_published(ledger, "size"))
            bench = Bench(servers=servers, path=path, folder=folder, events=events, size=size)
            print(f"\n{events:,} events as messages of {size} bytes on average")
            _publish(bench)
            _read(bench)
            _latency(bench)


@contextlib.contextmanager
def _broker(folder: Path) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port = sock.getsockname()[1]
    subprocess.run([SCRIPTS / "broker", folder, str(port)], check=True, timeout=TOOL_SECONDS)
    try:
        yield f"127.0.0.1:{port}"
    finally:
        os.kill(int((folder / "pid").read_text()), signal.SIGKILL)


def _published(ledger: LedgerApplication, prefix: str) -> Ledger:
    return Ledger.of(ledger, Topics(prefix=prefix))


def _size(ledger: Ledger) -> int:
    behind = Position(max(ledger.store.head() - SAMPLE_RECORDS, 0))
    sizes = [
        size_of(message)
        for stored in ledger.store.read(after=behind)
        for message in messages_of(
            stored, origin=ledger.origin, topics=ledger.topics, keys=ledger.keys.of(stored)
        )
    ]
    return round(statistics.mean(sizes))


def _broker_of(bench: Bench, *, quick: bool) -> Broker:
    return Broker(servers=bench.servers, wait_seconds=60, fast=quick)


def _publish(bench: Bench) -> None:
    def ours(turn: int, *, quick: bool) -> int:
        ledger = _published(opened(bench.path, read_only=False), f"p{int(quick)}{turn}")
        broker = _broker_of(bench, quick=quick)
        with Admin(broker) as admin:
            create_topics(admin, ledger.topics)
        with Publisher(ledger, broker) as publisher:
            return publisher.publish(seconds=TOOL_SECONDS).messages

    def tool(turn: int) -> int:
        _tool_sends(bench, f"tool{turn}")
        return bench.events

    def bare(turn: int) -> int:
        return _bare_sends(bench, f"bare{turn}")

    contestants: dict[str, Callable[[int], int]] = {
        "registro, kafka-python": lambda turn: ours(turn, quick=False)
    }
    if fast.is_installed():
        contestants["registro, confluent-kafka"] = lambda turn: ours(turn, quick=True)
        contestants["confluent-kafka alone, equal messages"] = bare
    contestants["Kafka's ProducerPerformance, start included"] = tool
    samples = rates(contestants, rounds=ROUNDS)
    show(f"publish {bench.events:,} events, acks=all, zstd", samples, unit="events/s")


def _topic(bench: Bench, topic: str) -> None:
    with Admin(Broker(servers=bench.servers)) as admin:
        if topic not in admin.states([topic]):
            admin.create({topic: PARTITIONS}, replicas=1, settings={})


def _tool_sends(bench: Bench, topic: str) -> None:
    _topic(bench, topic)
    settings = ("acks=all", "compression.type=zstd", "batch.size=1048576", "linger.ms=5")
    said = _tool(
        "org.apache.kafka.tools.ProducerPerformance",
        *("--bootstrap-server", bench.servers, "--topic", topic, "--throughput", "-1"),
        *("--num-records", bench.events, "--record-size", bench.size),
        *("--command-property", *settings),
    )
    found = _SENT.findall(said)
    if found:
        print(f"  (Kafka's producer says of itself: {float(found[-1]):,.0f} events/s)")


def _tool(*words: object) -> str:
    return subprocess.run(
        [SCRIPTS / "tools", *map(str, words)],
        check=True,
        timeout=TOOL_SECONDS,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout


def _bare_sends(bench: Bench, topic: str) -> int:
    from confluent_kafka import Producer  # noqa: PLC0415 - an optional extra

    _topic(bench, topic)
    producer: Any = Producer(
        {
            "bootstrap.servers": bench.servers,
            "acks": "all",
            "compression.type": "zstd",
            "queue.buffering.max.messages": 500_000,
        }
    )
    value = os.urandom(bench.size)
    headers = [("position", b"100"), ("index", b"1000"), ("schema_id", bytes(32))]
    body = value[: max(bench.size - sum(len(n) + len(v) for n, v in headers), 1)]
    for number in range(bench.events):
        producer.produce(topic, body, b"DP1", number % PARTITIONS, headers=headers)
        if not number % 4096:
            producer.poll(0)
    producer.flush(60)
    return bench.events


def _read(bench: Bench) -> None:
    ledger = _published(opened(bench.path), "p00")

    def decoded(*, quick: bool) -> int:
        done, waiting = 0, deque[StoredRecord]()
        with Source(_broker_of(bench, quick=quick)) as source:
            for stored in TopicRecords(source, ledger.topics).records():
                check_block(stored)
                if stored.record.kind is RecordKind.BLOCK:
                    waiting.append(stored)
                else:
                    done += 1
                if len(waiting) >= BLOCKS_AT_ONCE:
                    done += _decode(waiting)
        return done + _decode(waiting)

    def checked(*, quick: bool) -> int:
        return check_topics(ledger, _broker_of(bench, quick=quick)).messages

    def bare(_: int) -> int:
        return _bare_reads(bench, "bare0")

    def tool(_: int) -> int:
        _tool(
            "org.apache.kafka.tools.ConsumerPerformance",
            *("--bootstrap-server", bench.servers, "--topic", "tool0"),
            *("--num-records", bench.events, "--timeout", 30_000, "--hide-header"),
        )
        return bench.events

    contestants: dict[str, Callable[[int], int]] = {
        "registro, kafka-python: read, verify, decode": lambda _: decoded(quick=False),
        "registro, kafka-python: check against the ledger": lambda _: checked(quick=False),
    }
    if fast.is_installed():
        contestants |= {
            "registro, confluent-kafka: read, verify, decode": lambda _: decoded(quick=True),
            "registro, confluent-kafka: check": lambda _: checked(quick=True),
            "confluent-kafka alone, equal messages": bare,
        }
    contestants["Kafka's ConsumerPerformance, start included"] = tool
    show(f"read back {bench.events:,} events", rates(contestants, rounds=ROUNDS), unit="events/s")


def _decode(waiting: deque[StoredRecord]) -> int:
    tables = read_facts(list(waiting), default_registry(), checked=False)
    waiting.clear()
    return sum(table.frame.height for table in tables)


def _bare_reads(bench: Bench, topic: str) -> int:
    from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition  # noqa: PLC0415 - as above

    consumer: Any = Consumer(
        {"bootstrap.servers": bench.servers, "group.id": "bench", "enable.auto.commit": False}
    )
    consumer.assign([TopicPartition(topic, n, OFFSET_BEGINNING) for n in range(PARTITIONS)])
    done = 0
    while done < bench.events:
        done += len([(m.key(), m.value(), m.headers()) for m in consumer.consume(10_000, 1.0)])
    consumer.close()
    return done


def _latency(bench: Bench) -> None:
    """Append a record, publish it at once, and see it with a consumer that waits for it."""
    from kafka import KafkaConsumer  # noqa: PLC0415 - what a subscriber uses

    path = bench.folder / "latency.db"
    simulate(path, LATENCY_LEDGER)
    application = opened(path, read_only=False)
    ledger = _published(application, "latency")
    broker = _broker_of(bench, quick=False)
    with Admin(broker) as admin:
        create_topics(admin, ledger.topics)
    seen: dict[int, float] = {}
    stop = threading.Event()
    consumer: Any = KafkaConsumer(
        ledger.topics.events, bootstrap_servers=[bench.servers], auto_offset_reset="earliest"
    )

    def watch() -> None:
        while not stop.is_set():
            for found in consumer.poll(timeout_ms=100).values():
                now = time.perf_counter()
                for one in found:
                    seen.setdefault(int(dict(one.headers)["position"]), now)

    watcher = threading.Thread(target=watch)
    watcher.start()
    spent: list[float] = []
    with Publisher(ledger, broker) as publisher:
        publisher.publish(seconds=TOOL_SECONDS)
        for number in range(LATENCY_EVENTS):
            begin = time.perf_counter()
            position = _append(application, number)
            publisher.publish(seconds=60)
            while position not in seen:
                time.sleep(0.0005)
            spent.append(seen[position] - begin)
    stop.set()
    watcher.join()
    consumer.close()
    spent.sort()
    p99 = spent[int(len(spent) * 0.99) - 1] * 1000
    print(
        f"\nappend to seen by a consumer: median {statistics.median(spent) * 1000:.1f} ms, "
        f"p99 {p99:.1f} ms ({LATENCY_EVENTS} events, publisher in the same process)"
    )


def _append(application: LedgerApplication, number: int) -> Position:
    today = application.today()
    name = f"document-{number}"
    event = DocumentPublished(document_id=name, title="Of the benchmark", published_on=today)
    envelope = Envelope(
        as_of=today,
        actor=Actor(role="BENCH", unit_code="U1"),
        source=Origins(system="benchmark", document=name, locator="1"),
    )
    application.execute(command(f"bench/{name}", [Proposal(event=event, envelope=envelope)]))
    return application.head()
