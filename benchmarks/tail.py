"""The live tail through a real Kafka broker: one member, two that share the partitions, latency.

Members are processes that begin together when everything is published; the time ends when the read
model stands where the ledger does. The contestant beside them folds the same records from the
ledger itself. The latency is from an append until its fact is in the rows that readers see.
`REGISTRO_BENCH_FACTS` says how many facts (200 000 by default).
"""

import multiprocessing
import os
import shutil
import statistics
import tempfile
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

from benchmarks.broker import TOOL_SECONDS, can_run, started
from benchmarks.measure import Sample, show
from benchmarks.one_by_one import recorder
from benchmarks.year import opened, simulate
from ledger.kafka.client import fast
from ledger.kafka.client.broker import Admin
from ledger.kafka.client.connection import Broker
from ledger.kafka.guard import create_topics
from ledger.kafka.publisher import Publisher
from ledger.kafka.tails import Ledger
from ledger.kafka.topics import Topics
from ledger.types import BEFORE_FIRST
from projections.runner.database import open_views
from projections.runner.models import PROJECTIONS
from projections.runner.runner import Runner
from projections.runner.tables import LIVE
from projections.runner.views import Views
from projections.tail.desk import Desk
from projections.tail.tail import Tail

PRODUCTION: Final = PROJECTIONS["production"]
ROUNDS: Final = 3
MEMBERS: Final = (1, 2)
LATENCY_APPENDS: Final = 100
LATENCY_PAUSE: Final = 0.1


@dataclass(frozen=True, kw_only=True)
class _Job:
    """What a member is told."""

    path: Path
    views: str
    servers: str
    prefix: str


def run() -> None:
    """Measure and print."""
    if not can_run():
        return
    wanted = int(os.environ.get("REGISTRO_BENCH_FACTS", "200000"))
    with tempfile.TemporaryDirectory() as name, started(Path(name) / "kafka") as servers:
        folder = Path(name)
        path = folder / "year.db"
        simulate(path, wanted)
        events = opened(path).store.pending(BEFORE_FIRST).events
        print(f"\n{events:,} events, into an empty read model")
        samples = [_from_ledger(folder, path, events)]
        samples += [_from_topics(folder, path, servers, count) for count in MEMBERS]
        show("live tail", tuple(samples), unit="events/s")
        _latency(folder, path, servers)


def _views(place: str) -> Views:
    return Views(open_views(place), code_version="benchmark")


def _from_ledger(folder: Path, path: Path, events: int) -> Sample:
    found = []
    for turn in range(ROUNDS):
        views = _views(f"sqlite:///{folder / f'ledger-{turn}.views.db'}")
        begin = time.perf_counter()
        Runner(opened(path), views, url=str(path)).catch_up(PRODUCTION)
        found.append(events / (time.perf_counter() - begin))
    return Sample(name="catch-up from the ledger, one process", rates=tuple(found))


def _from_topics(folder: Path, path: Path, servers: str, count: int) -> Sample:
    topics = Topics(prefix=f"tail{count}")
    _publish(servers, Ledger.of(opened(path, read_only=False), topics))
    found = []
    for turn in range(ROUNDS):
        place = f"sqlite:///{folder / f'topics-{count}-{turn}.views.db'}"
        views = _views(place)
        # As if the group had begun with the ledger: else what is there comes from the store.
        views.begin(PRODUCTION, state=LIVE)
        desk = Desk(views.engine, PRODUCTION.name, release=views.code_version)
        desk.begin(desk.standing())
        spent = _members(count, _Job(path=path, views=place, servers=servers, prefix=topics.prefix))
        live = views.live(PRODUCTION.name)
        found.append((0 if live is None else live.events) / spent)
    return Sample(name=f"from the topics, members: {count}, joining included", rates=tuple(found))


def _publish(servers: str, ledger: Ledger) -> None:
    broker = Broker(servers=servers, wait_seconds=60, fast=fast.is_installed())
    with Admin(broker) as admin:
        create_topics(admin, ledger.topics)
    with Publisher(ledger, broker) as publisher:
        publisher.publish(seconds=TOOL_SECONDS)


def _member(job: _Job, ledger: Ledger, views: Views) -> Tail:
    runner = Runner(opened(job.path), views, url=str(job.path))
    return Tail(
        ledger,
        Broker(servers=job.servers),
        views,
        PRODUCTION,
        catch_up=lambda: runner.catch_up(PRODUCTION),
    )


def _work(job: _Job, ready: Any, end: Connection) -> None:
    """Be a member from when all are ready until the read model stands where the ledger does."""
    ledger = Ledger.of(opened(job.path), Topics(prefix=job.prefix))
    views = _views(job.views)
    head = ledger.store.head()
    ready.wait()
    begin = time.monotonic()
    with _member(job, ledger, views) as tail:
        while (live := views.live(PRODUCTION.name)) is None or live.position < head:
            tail.step()
        end.send((begin, time.monotonic()))


def _members(count: int, job: _Job) -> float:
    """Return the seconds that members took together, joining included."""
    context = multiprocessing.get_context("spawn")
    ready = context.Barrier(count)
    ends: list[Connection] = []
    processes: list[Any] = []
    for _ in range(count):
        mine, theirs = context.Pipe()
        process = context.Process(target=_work, args=(job, ready, theirs))
        process.start()
        ends.append(mine)
        processes.append(process)
    times = [end.recv() for end in ends]
    for process in processes:
        process.join()
    return float(max(end for _, end in times) - min(begin for begin, _ in times))


def _latency(folder: Path, path: Path, servers: str) -> None:
    """Append a batch of facts, publish it, and see it in the rows, while one member follows."""
    own = Path(shutil.copy(path, folder / "latency.db"))
    application = opened(own, read_only=False)
    ledger = Ledger.of(application, Topics(prefix="latency"))
    _publish(servers, ledger)
    place = f"sqlite:///{folder / 'latency.views.db'}"
    record, views, spent = recorder(application), _views(place), list[float]()
    stop = multiprocessing.get_context("spawn").Event()
    job = _Job(path=own, views=place, servers=servers, prefix="latency")
    member = multiprocessing.get_context("spawn").Process(target=_follow, args=(job, stop))
    member.start()
    with Publisher(ledger, Broker(servers=servers)) as publisher:
        for number in range(-1, LATENCY_APPENDS):
            begin = time.perf_counter()
            record(number)
            publisher.publish(seconds=60)
            _await(views, application.head())
            if number >= 0:
                # The first one waits for the member to begin.
                spent.append(time.perf_counter() - begin)
            time.sleep(LATENCY_PAUSE)
    stop.set()
    member.join()
    spent.sort()
    p99 = spent[int(len(spent) * 0.99) - 1] * 1000
    print(
        f"\nappend to visible cell through Kafka: median {statistics.median(spent) * 1000:.0f} ms, "
        f"p99 {p99:.0f} ms ({len(spent)} facts one by one, published by who appends)"
    )


def _follow(job: _Job, stop: Any) -> None:
    """Be a member until told to stop."""
    ledger = Ledger.of(opened(job.path), Topics(prefix=job.prefix))
    with _member(job, ledger, _views(job.views)) as tail:
        while not stop.is_set():
            tail.step()


def _await(views: Views, position: int) -> None:
    until = time.monotonic() + TOOL_SECONDS
    while (live := views.live(PRODUCTION.name)) is None or live.position < position:
        if time.monotonic() > until:
            raise TimeoutError(f"position {position} does not become visible")
        time.sleep(0.001)
