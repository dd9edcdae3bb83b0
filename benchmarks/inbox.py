"""From the inbox to the ledger through a real Kafka broker: Avro and JSON, one intake and two.

Facts of production of a simulated year are sent to an inbox of four partitions; all are good. One
intake is `registro inbox --once`, with the facts there before the watch begins; two are `--follow`
in processes that share the partitions, and get the facts once both have theirs. The latency is from
handing a message to the producer until the ledger has it. `REGISTRO_BENCH_FACTS` says how many
facts (200 000 by default).
"""

import io
import multiprocessing
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

import polars as pl
from kafka import KafkaProducer

from benchmarks.broker import TOOL_SECONDS, can_run, started
from benchmarks.measure import SEED, rates, show
from benchmarks.year import opened, silently, simulate
from ledger.clock import SystemClock
from ledger.events.ledger import Actor
from ledger.facts.batches import Batch
from ledger.facts.families import FAMILIES
from ledger.integrity.block import split_bodies
from ledger.kafka.client import fast
from ledger.kafka.client.broker import Admin, Sink
from ledger.kafka.client.connection import Broker
from ledger.kafka.inbox.guard import create_inbox
from ledger.kafka.inbox.intake import Inbox, take_all
from ledger.kafka.message import Message
from ledger.kafka.topics import Topics
from schemas.columns import encode_frame
from schemas.registry import default_registry

FAMILY: Final = "production"
PARTITIONS: Final = 4
BASE_FACTS: Final = 50_000
"""In the ledger before: the fewest that can be simulated."""
ROUNDS: Final = 2
BATCH: Final = 20_000
"""Messages sent between two waits for Kafka."""
DELAY_SECONDS: Final = 0.2
"""What `registro inbox` has by default."""
QUICK_SECONDS: Final = 0.01
LATENCY_MESSAGES: Final = 200
LATENCY_PAUSE: Final = 0.05
IDLE_SECONDS: Final = 5.0
"""An intake that shares is through when nothing came for so long."""

FIRST_SECONDS: Final = 60.0
"""The same before the first message."""

Facts = Sequence[tuple[Message, int]]


def run() -> None:
    """Measure and print."""
    if not can_run():
        return
    with tempfile.TemporaryDirectory() as name, started(Path(name) / "kafka") as servers:
        folder = Path(name)
        simulate(folder / "base.db", BASE_FACTS)
        forms = _facts(folder)
        counts = {form: len(facts) for form, facts in forms.items()}
        print(f"\n{counts['Avro']:,} facts in an inbox of {PARTITIONS} partitions")
        contestants: dict[str, Callable[[int], int]] = {
            f"{form}, one intake": _once(folder, servers, form, facts)
            for form, facts in forms.items()
        }
        show("inbox to ledger", rates(contestants, rounds=ROUNDS), unit="facts/s")
        for form, facts in forms.items():
            spent = _shared(folder, servers, form, facts)
            print(f"  {form + ', two intakes, sending included':<52} {spent:>19,.1f}")
        for delay in (DELAY_SECONDS, QUICK_SECONDS):
            _latency(folder, servers, forms["JSON"], delay)


def _facts(folder: Path) -> dict[str, Facts]:
    """Return the facts of a simulated year as messages, by form."""
    wanted = int(os.environ.get("REGISTRO_BENCH_FACTS", "200000"))
    silently(
        *("simulate", "--events", str(wanted + wanted // 8), "--seed", str(SEED)),
        *("--out", str(folder / "year")),
    )
    avro: list[tuple[Message, int]] = []
    json: list[tuple[Message, int]] = []
    rules = {one.name: one.full_name for one in FAMILIES[FAMILY]}
    for path in sorted((folder / "year").glob(f"*-{FAMILY}-*.parquet")):
        # What a fact corrects stands in another partition, and may come later.
        frame = pl.read_parquet(path).filter(pl.col("supersedes").is_null())
        if frame.is_empty():
            continue
        schema = default_registry().latest(rules[path.name.split("-")[2]])
        encoded = encode_frame(schema, frame)
        said = (
            ("content-type", b"application/avro"),
            ("ce_dataschema", f"urn:registro:schema:{schema.schema_id.hex()}".encode()),
        )
        for value in split_bodies(encoded.lengths.tolist(), encoded.content):
            avro.append((Message("", b"U", value, said), len(avro) % PARTITIONS))
        text = io.BytesIO()
        frame.write_ndjson(text)
        for value in text.getvalue().splitlines():
            head = (("content-type", b"application/json"),)
            json.append((Message("", b"U", value, head), len(json) % PARTITIONS))
    return {"Avro": avro[:wanted], "JSON": json[:wanted]}


def _send(servers: str, topic: str, facts: Facts) -> None:
    broker = Broker(servers=servers, wait_seconds=60, fast=fast.is_installed())
    with Admin(broker) as admin:
        create_inbox(admin, topic, partitions=PARTITIONS)
    sink = Sink(broker)
    for start in range(0, len(facts), BATCH):
        part = [(one._replace(topic=topic), place) for one, place in facts[start : start + BATCH]]
        sink.begin(part, seconds=60)
        sink.await_confirmed()
    sink.close()


def _fresh(folder: Path, name: str) -> Path:
    """Return a ledger that knows units and products and has hardly any fact."""
    return Path(shutil.copy(folder / "base.db", folder / f"{name}.db"))


def _inbox(path: Path, servers: str, topic: str, *, share: bool) -> Inbox:
    clock = SystemClock()
    said = Batch(
        family=FAMILY,
        source="BENCH",
        batch=None,
        as_of=clock.now().date(),
        actor=Actor(role="BENCH", unit_code="U1"),
    )
    return Inbox(
        opened(path, read_only=False),
        Broker(servers=servers),
        topic,
        batch=lambda: said,
        clock=clock,
        share=share,
    )


def _once(folder: Path, servers: str, form: str, facts: Facts) -> Callable[[int], int]:
    topic = Topics(prefix=form).inbox(FAMILY)
    _send(servers, topic, facts)

    def work(turn: int) -> int:
        taken: list[int] = []
        with _inbox(_fresh(folder, f"{form}{turn}"), servers, topic, share=False) as inbox:
            take_all(
                inbox,
                delay=DELAY_SECONDS,
                wait_seconds=10,
                told=lambda one: taken.append(one.facts),
            )
        if sum(taken) != len(facts):
            raise ValueError(f"{sum(taken)} of {len(facts)} facts were taken")
        return len(facts)

    return work


@dataclass(frozen=True, kw_only=True)
class _Job:
    """What an intake in a process of its own is told."""

    path: Path
    servers: str
    topic: str
    delay: float
    places: int
    """Partitions that it will have."""


def _follow(job: _Job, end: Connection) -> None:
    """Take what comes and tell when."""
    idle, ready = time.monotonic() + TOOL_SECONDS, False
    with _inbox(job.path, job.servers, job.topic, share=True) as inbox:
        while time.monotonic() < idle:
            for one in inbox.take(delay=job.delay):
                told = (time.monotonic(), one.partition, one.first, one.last, one.facts)
                end.send(told)
                idle = time.monotonic() + IDLE_SECONDS
            if not ready and len(inbox.places) == job.places:
                ready, idle = True, time.monotonic() + FIRST_SECONDS
                end.send(None)
    end.send(None)


class _Intakes:
    """Processes that share an inbox with nothing in it yet, and what they tell."""

    def __init__(self, count: int, job: _Job) -> None:
        context = multiprocessing.get_context("spawn")
        self._ends: list[Connection] = []
        self._processes: list[Any] = []
        for _ in range(count):
            mine, theirs = context.Pipe()
            process = context.Process(target=_follow, args=(job, theirs))
            process.start()
            self._ends.append(mine)
            self._processes.append(process)
        # Until each has its share of the partitions.
        for end in self._ends:
            end.recv()

    def told(self) -> list[list[tuple[float, int, int, int, int]]]:
        """Wait for all and return, for each, its batches: end, partition, offsets, facts."""
        found: list[list[tuple[float, int, int, int, int]]] = []
        for end, process in zip(self._ends, self._processes, strict=True):
            own = []
            while (one := end.recv()) is not None:
                own.append(one)
            process.join()
            found.append(own)
        return found


def _shared(folder: Path, servers: str, form: str, facts: Facts) -> float:
    """Return the facts a second of two intakes, sending included."""
    topic = Topics(prefix=f"{form}-shared").inbox(FAMILY)
    _send(servers, topic, ())
    path = _fresh(folder, f"{form}-shared")
    job = _Job(path=path, servers=servers, topic=topic, delay=DELAY_SECONDS, places=PARTITIONS // 2)
    intakes = _Intakes(2, job)
    begin = time.monotonic()
    _send(servers, topic, facts)
    batches = [one for own in intakes.told() for one in own]
    if sum(one[4] for one in batches) != len(facts):
        raise ValueError("not every fact was taken once")
    return len(facts) / (max(one[0] for one in batches) - begin)


def _latency(folder: Path, servers: str, facts: Facts, delay: float) -> None:
    """Send messages one by one while an intake follows; print how long each took."""
    topic = Topics(prefix=f"late{round(delay * 1000)}").inbox(FAMILY)
    _send(servers, topic, ())
    path = _fresh(folder, topic)
    job = _Job(path=path, servers=servers, topic=topic, delay=delay, places=PARTITIONS)
    intakes = _Intakes(1, job)
    producer: Any = KafkaProducer(bootstrap_servers=[servers], acks="all")
    sent: dict[tuple[int, int], float] = {}
    for one, place in facts[:LATENCY_MESSAGES]:
        begin = time.monotonic()
        future = producer.send(
            topic, value=one.value, key=one.key, headers=list(one.headers), partition=place
        )
        sent[place, future.get(timeout=10).offset] = begin
        time.sleep(LATENCY_PAUSE)
    producer.close()
    (told,) = intakes.told()
    ends = {(number, at): end for end, number, a, z, _ in told for at in range(a, z + 1)}
    spent = sorted(ends[place] - begin for place, begin in sent.items())
    p99 = spent[int(len(spent) * 0.99) - 1] * 1000
    print(
        f"\nproduced to recorded, --follow --max-delay {delay * 1000:.0f}: median "
        f"{statistics.median(spent) * 1000:.0f} ms, p99 {p99:.0f} ms ({len(spent)} messages)"
    )
