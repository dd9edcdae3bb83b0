"""A year of production through a real Kafka broker: publish, read back, check, latency, and others.

The broker is started here on loopback and stopped at the end; java (17 or later) and mvn
must be there. `REGISTRO_BENCH_EVENTS` says how many facts the year has (1 000 000 by default); with
`REGISTRO_BENCH_LEDGER` a ledger that was simulated before is published instead. The others send and
read the same messages, in the same run, on the same broker.
"""

import statistics
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

from benchmarks.broker import TOOL_SECONDS, can_run, started
from benchmarks.kafka_others import PARTITIONS, Others
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
from ledger.kafka.client.connection import Broker, partition_of
from ledger.kafka.client.source import Source
from ledger.kafka.frozen import freeze
from ledger.kafka.guard import create_topics
from ledger.kafka.merging import TopicRecords, whole_span
from ledger.kafka.message import Message, messages_of
from ledger.kafka.publisher import Publisher, size_of
from ledger.kafka.slices import TopicSlice
from ledger.kafka.tails import Ledger, partitions_of
from ledger.kafka.topics import Topics
from ledger.records import RecordKind, StoredRecord
from ledger.types import Position
from schemas.registry import default_registry

ROUNDS: Final = 3
LATENCY_EVENTS: Final = 200
LATENCY_LEDGER: Final = 60_000
BLOCKS_AT_ONCE: Final = 64
PROCESSES: Final = 2
SLICE_MESSAGES: Final = 10_000
READ_RECORDS: Final = 64


@dataclass(frozen=True, kw_only=True, slots=True)
class Bench:
    """What the contestants share."""

    servers: str
    path: Path
    folder: Path
    others: Others

    @property
    def events(self) -> int:
        """How many messages."""
        return len(self.others.messages)


def run() -> None:
    """Measure and print."""
    if not can_run():
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = year_of(folder)
        with started(folder / "kafka") as servers:
            messages = _messages(_published(opened(path), "size"))
            others = Others(servers=servers, folder=folder, messages=messages)
            bench = Bench(servers=servers, path=path, folder=folder, others=others)
            size = statistics.mean(size_of(one) for one, _ in messages)
            print(f"\n{bench.events:,} events as messages of {size:.0f} bytes on average")
            _publish(bench)
            _read(bench)
            _latency(bench)


def _published(ledger: LedgerApplication, prefix: str) -> Ledger:
    return Ledger.of(ledger, Topics(prefix=prefix))


def _messages(ledger: Ledger) -> list[tuple[Message, int]]:
    found: list[tuple[Message, int]] = []
    after, head = Position(0), ledger.store.head()
    while after < head:
        for stored in ledger.store.read(after=after, through=head, limit=READ_RECORDS):
            keys = ledger.keys.of(stored)
            made = messages_of(stored, origin=ledger.origin, topics=ledger.topics, keys=keys)
            found += [(one, partition_of(one.key, PARTITIONS)) for one in made]
            after = stored.position
    return found


def _broker_of(bench: Bench, *, quick: bool = False) -> Broker:
    return Broker(servers=bench.servers, wait_seconds=60, fast=quick)


def _publish(bench: Bench) -> None:
    def ours(turn: int, *, quick: bool) -> int:
        ledger = _published(opened(bench.path, read_only=False), f"p{int(quick)}{turn}")
        broker = _broker_of(bench, quick=quick)
        with Admin(broker) as admin:
            create_topics(admin, ledger.topics)
        with Publisher(ledger, broker) as publisher:
            return publisher.publish(seconds=TOOL_SECONDS).messages

    contestants: dict[str, Callable[[int], int]] = {
        "registro, kafka-python": lambda turn: ours(turn, quick=False)
    }
    if fast.is_installed():
        contestants["registro, confluent-kafka"] = lambda turn: ours(turn, quick=True)
        contestants["confluent-kafka alone, idempotent"] = bench.others.confluent_sends
    contestants["Kafka's ProducerPerformance, start included"] = bench.others.tool_sends
    samples = rates(contestants, rounds=ROUNDS)
    show(f"publish {bench.events:,} events, acks=all, zstd", samples, unit="events/s")
    bench.others.show()


def _read(bench: Bench) -> None:
    ledger = _published(opened(bench.path), "p00")
    with Source(_broker_of(bench)) as source:
        _, ends = partitions_of(source, ledger.topics)

    def decoded(_: int) -> int:
        done, waiting = 0, deque[StoredRecord]()
        with Source(_broker_of(bench)) as source:
            span = whole_span(source, ledger.topics)
            for stored in TopicRecords(source, ledger.topics, span).records():
                check_block(stored)
                if stored.record.kind is RecordKind.BLOCK:
                    waiting.append(stored)
                else:
                    done += 1
                if len(waiting) >= BLOCKS_AT_ONCE:
                    done += _decode(waiting)
        return done + _decode(waiting)

    def shared(_: int) -> int:
        topics = freeze(_broker_of(bench), ledger.topics, slice_messages=SLICE_MESSAGES)
        return sum(pool.map(_decode_slice, topics.slices(PROCESSES)))

    def tool_reads(turn: int) -> int:
        topic = "confluent0" if fast.is_installed() else "tool0"
        return bench.others.tool_reads(topic, turn)

    contestants: dict[str, Callable[[int], int]] = {
        "registro: read, verify, decode": decoded,
        f"registro, {PROCESSES} processes: read, verify each event, decode": shared,
        "registro: check against the ledger": (
            lambda _: check_topics(ledger, _broker_of(bench)).messages
        ),
        "kafka-python alone, read only": lambda _: bench.others.library_reads(list(ends)),
    }
    if fast.is_installed():
        contestants["confluent-kafka alone, read only"] = bench.others.confluent_reads
    contestants["Kafka's ConsumerPerformance, start included"] = tool_reads
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        found = rates(contestants, rounds=ROUNDS)
    show(f"read back {bench.events:,} events", found, unit="events/s")
    bench.others.show()


def _decode_slice(wanted: TopicSlice) -> int:
    """Read a range of positions out of all partitions, in a process of its own."""
    done, waiting = 0, deque[StoredRecord]()
    with wanted.open() as reader:
        for stored in reader.records():
            if stored.record.kind is RecordKind.BLOCK:
                waiting.append(stored)
            else:
                done += 1
            if len(waiting) >= BLOCKS_AT_ONCE:
                done += _decode(waiting)
    return done + _decode(waiting)


def _decode(waiting: deque[StoredRecord]) -> int:
    tables = read_facts(list(waiting), default_registry(), checked=False)
    waiting.clear()
    return sum(table.frame.height for table in tables)


def _latency(bench: Bench) -> None:
    """Append a record, publish it at once, and see it with a consumer that waits for it."""
    from kafka import KafkaConsumer  # noqa: PLC0415 - what a subscriber uses

    path = bench.folder / "latency.db"
    simulate(path, LATENCY_LEDGER)
    application = opened(path, read_only=False)
    ledger = _published(application, "latency")
    broker = _broker_of(bench)
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
