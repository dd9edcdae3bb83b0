"""A simulated year of production: intake, verified replay, rebuild, latency, and what others do.

`REGISTRO_BENCH_EVENTS` says how many facts the year has (1 000 000 by default); with
`REGISTRO_BENCH_LEDGER` a ledger that was simulated before is measured instead.
"""

import io
import os
import resource
import statistics
import tempfile
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Final

import duckdb
import polars as pl

from benchmarks.library_projection import project
from benchmarks.measure import Sample, rates, show
from benchmarks.one_by_one import recorder
from benchmarks.year import opened, simulate, year_of
from ledger.application import LedgerApplication
from ledger.clock import SystemClock
from ledger.events.ledger import Actor
from ledger.facts.batches import Batch, FactFile
from ledger.facts.blocks import read_facts
from ledger.facts.ingest import FactIntake
from ledger.facts.rejects import Rejects
from ledger.records import RecordKind, StoredRecord
from ledger.types import BEFORE_FIRST, Position
from projections.production.cube import merge
from projections.production.measures import fold as measure
from projections.runner.database import open_views
from projections.runner.folding import fold_range
from projections.runner.models import PROJECTIONS
from projections.runner.runner import Runner
from projections.runner.views import Views
from schemas.registry import default_registry

ROUNDS: Final = 3
LIBRARY_EVENTS: Final = 20_000
LATENCY_EVENTS: Final = 200
BLOCKS_AT_ONCE: Final = 64
FACT: Final = "registro.facts.RequestDefined"
PRODUCTION: Final = PROJECTIONS["production"]


def run() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = year_of(folder)
        ledger = opened(path)
        events = ledger.store.pending(BEFORE_FIRST).events
        size = path.stat().st_size
        print(f"\nyear of {events:,} events, {size / events:.1f} bytes an event at rest")
        _replay(ledger, path, folder, events)
        _others(ledger, folder)
        _intake(ledger, folder)
        _latency(folder)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"\npeak memory of this process: {peak:,.0f} MiB")


def _replay(ledger: LedgerApplication, path: Path, folder: Path, events: int) -> None:
    head, waiting_max = ledger.head(), 4

    def bare(_: int) -> int:
        # Without hashing and without figures: what reading the same bodies costs at least.
        done = 0
        with ThreadPoolExecutor(3) as pool:
            waiting = deque[Future[int]]()
            for group in _groups(ledger):
                waiting.append(pool.submit(_decode, group))
                if len(waiting) > waiting_max:
                    done += waiting.popleft().result()
            return done + sum(one.result() for one in waiting)

    def verified(_: int) -> int:
        return fold_range(ledger, PRODUCTION, after=BEFORE_FIRST, through=head, threads=3).events

    def rebuilt(turn: int) -> int:
        views = Views(open_views(f"sqlite:///{folder}/views-{turn}.db"), code_version="bench")
        return Runner(ledger, views, url=str(path)).rebuild(PRODUCTION).events

    def two_workers(turn: int) -> int:
        views = Views(open_views(f"sqlite:///{folder}/views2-{turn}.db"), code_version="bench")
        return Runner(ledger, views, url=str(path)).rebuild(PRODUCTION, workers=2).events

    samples = rates(
        {
            "Polars, the same bodies, decoded only": bare,
            "verified replay: hash, decode, fold all measures": verified,
            "rebuild with swap into SQLite, one process": rebuilt,
            "rebuild with swap into SQLite, two processes": two_workers,
        },
        rounds=1 if events > 20_000_000 else ROUNDS,  # noqa: PLR2004 - minutes a round
    )
    show(f"replay of {events:,} events", samples, unit="events/s")


def _groups(ledger: LedgerApplication) -> Iterator[list[StoredRecord]]:
    """Yield the blocks in groups."""
    after, head = BEFORE_FIRST, ledger.head()
    while after < head:
        records = ledger.store.read(after=after, through=head, limit=BLOCKS_AT_ONCE)
        blocks = [one for one in records if one.record.kind is RecordKind.BLOCK]
        if blocks:
            yield blocks
        after = Position(records[-1].position)


def _decode(records: Sequence[StoredRecord]) -> int:
    tables = read_facts(records, default_registry(), checked=False)
    return sum(table.frame.height for table in tables)


def _others(ledger: LedgerApplication, folder: Path) -> None:
    """Compare with DuckDB over an export, and with the library's own way to project."""
    frames = [
        table.frame
        for group in islice(_groups(ledger), 40)
        for table in read_facts(group, ledger.avro.registry, checked=False)
        if table.full_name == FACT
    ]
    facts = pl.concat(frames)
    parquet = folder / "facts.parquet"
    facts.write_parquet(parquet)
    container = io.BytesIO()
    facts.write_avro(container)

    def ours(_: int) -> int:
        merge([measure(FACT, facts)])
        return facts.height

    def polars_avro(_: int) -> int:
        container.seek(0)
        merge([measure(FACT, pl.read_avro(container))])
        return facts.height

    def duck(_: int) -> int:
        connection = duckdb.connect()
        connection.execute("SET threads = 2")
        for unit in ("defining_unit", "routed_unit", "origin_unit"):
            connection.execute(_DUCK.format(unit=unit, file=parquet)).fetchall()
        connection.close()
        return facts.height

    samples = rates(
        {
            "Polars: read an Avro file, the same measures": polars_avro,
            "registro: the same measures over decoded facts": ours,
            "DuckDB: the same sums over a Parquet file": duck,
        },
        rounds=ROUNDS,
    )
    show(f"aggregation of {facts.height:,} facts", samples, unit="events/s")
    _library(facts.head(LIBRARY_EVENTS), folder)


_DUCK: Final = """
select {unit}, product, year(defined_on) * 100 + month(defined_on),
       sum(case when reversal then -1 else 1 end),
       sum(case when reversal then -pieces else pieces end),
       sum(case when automated then pieces else 0 end),
       sum(pieces * elapsed_days),
       sum(case when elapsed_days <= 15 then pieces else 0 end),
       sum(case when elapsed_days <= 30 then pieces else 0 end),
       sum(case when elapsed_days <= 60 then pieces else 0 end),
       sum(case when elapsed_days <= 90 then pieces else 0 end),
       sum(case when elapsed_days <= 120 then pieces else 0 end)
from '{file}' group by all
"""


def _library(facts: pl.DataFrame, folder: Path) -> None:
    """Run the eventsourcing library's own projection runner, one view only."""
    memory = [project(facts, database=None) for _ in range(ROUNDS)]
    few = facts.head(LIBRARY_EVENTS // 4)
    stored = [project(few, database=str(folder / f"lib-{n}.db")) for n in range(ROUNDS)]
    samples = (
        Sample(name="ProjectionRunner, view in memory", rates=tuple(memory)),
        Sample(name="ProjectionRunner, view in SQLite", rates=tuple(stored)),
    )
    show("the eventsourcing library's own projection runner", samples, unit="events/s")


def _intake(ledger: LedgerApplication, folder: Path) -> None:
    frame = next(
        table.frame
        for group in _groups(ledger)
        for table in read_facts(group, ledger.avro.registry, checked=False)
        if table.full_name == FACT and table.frame.height > BLOCKS_AT_ONCE
    )
    plain = frame.filter(pl.col("supersedes").is_null() & ~pl.col("reversal"))
    wanted = int(os.environ.get("REGISTRO_BENCH_INTAKE", "1000000"))
    copies = -(-wanted // plain.height)
    facts = pl.concat(
        [plain.with_columns(source_id=pl.col("source_id") + f"-{n}") for n in range(copies)]
    ).head(wanted)
    files = {"csv": folder / "facts.csv", "parquet": folder / "facts-in.parquet"}
    facts.write_csv(files["csv"])
    facts.write_parquet(files["parquet"])

    def intake(form: str, turn: int) -> int:
        target = folder / f"intake-{form}-{turn}.db"
        simulate(target, 60_000)
        into = opened(target, read_only=False)
        return _timed(into, FactFile(path=files[form], form=form, name=form))

    for form in files:
        found = [intake(form, turn) for turn in range(ROUNDS)]
        sample = Sample(
            name=f"ingest {form}, validated and durable", rates=tuple(map(float, found))
        )
        show(f"intake of {facts.height:,} facts, {form}", (sample,), unit="events/s")


def _timed(into: LedgerApplication, file: FactFile) -> int:
    said = Batch(
        family="production",
        source="bench",
        batch="1",
        as_of=SystemClock().now().date(),
        actor=Actor(role="bench"),
    )
    begin = time.perf_counter()
    refused = Rejects(folder=None)
    answer = FactIntake(into).files([file], said, rejects=refused)
    if answer.rejected:
        raise RuntimeError(f"{answer.rejected} rows refused: {dict(refused.codes)}")
    return round(answer.facts / (time.perf_counter() - begin))


def _latency(folder: Path) -> None:
    """One fact recorded, folded and read back as a cell, again and again."""
    path = folder / "latency.db"
    simulate(path, 60_000)
    ledger = opened(path, read_only=False)
    views = Views(open_views(f"sqlite:///{folder}/latency-views.db"), code_version="bench")
    runner = Runner(ledger, views)
    runner.catch_up(PRODUCTION)
    record = recorder(ledger)
    spent: list[float] = []
    for turn in range(LATENCY_EVENTS):
        begin = time.perf_counter()
        record(turn)
        live = runner.catch_up(PRODUCTION)
        spent.append(time.perf_counter() - begin)
        if live.position != ledger.head():
            raise RuntimeError("the read model is behind")
    spent.sort()
    p99 = spent[int(len(spent) * 0.99) - 1] * 1000
    middle = statistics.median(spent) * 1000
    print(f"\none event to visible cell: median {middle:.0f} ms, p99 {p99:.0f} ms")
