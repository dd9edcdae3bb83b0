"""A snapshot as Prometheus metrics: names, units and help texts that dashboards may rely on.

Invariants:
1. Every family of `FAMILIES` is in every answer of a ledger that can be read, with or without
   samples, so that a dashboard can be checked against one answer.
2. Instants are seconds since 1970-01-01 UTC; durations are seconds; sizes are records or events.
3. A ledger that cannot be read gives `registro_up 0` and no other number.

Source: docs/operating.md, metrics; docs/adr/0016-operations.md.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from threading import Lock
from typing import Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from app.operations.snapshot import PROBLEM_KINDS, Limits, Snapshot, problems_of
from ledger.errors import LedgerError

FRESH_SECONDS: Final = 1.0
"""How long one look serves: whoever asks more often gets the same numbers."""

FAMILIES: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "registro_up": ("Whether the ledger could be read (1) or not (0).", ()),
    "registro_look_seconds": ("Seconds that looking at every stage took.", ()),
    "registro_info": (
        "Always 1; identity of the ledger.",
        ("ledger_id", "origin", "body", "sandbox"),
    ),
    "registro_head_records": ("Position of the last record of the ledger.", ()),
    "registro_last_append_timestamp_seconds": ("Instant of the last append.", ()),
    "registro_last_append_age_seconds": ("Seconds since the last append.", ()),
    "registro_position_records": (
        "Position of the last record that a stage has seen.",
        ("stage", "name"),
    ),
    "registro_lag_records": ("Records that a stage has not seen yet.", ("stage", "name")),
    "registro_lag_events": (
        "Events that a stage has not seen yet, facts counted one by one.",
        ("stage", "name"),
    ),
    "registro_lag_seconds": (
        "Age of the oldest record that a stage has not seen yet, 0 when there is none.",
        ("stage", "name"),
    ),
    "registro_inbox_waiting_messages": (
        "Messages of an inbox that are neither in the ledger nor refused.",
        ("family", "partition"),
    ),
    "registro_inbox_next_offset": (
        "Offset of an inbox at which the ledger goes on.",
        ("family", "partition"),
    ),
    "registro_inbox_lost_messages": (
        "Offsets of an inbox because of which the intake does not go on.",
        ("family", "partition"),
    ),
    "registro_kafka_up": ("Whether Kafka answered; absent where publishing is not set up.", ()),
    "registro_kafka_topic_mismatches": (
        "Settings of topics that are missing or could lose records.",
        (),
    ),
    "registro_kafka_diverged": ("Whether the topics differ from the ledger.", ()),
    "registro_seal_max_delay_seconds": (
        "Longest that a record may wait for its seal; absent without a limit.",
        (),
    ),
    "registro_read_model_generation": ("Number of the live generation.", ("name",)),
    "registro_read_model_halted": ("Whether a read model stopped at a record.", ("name",)),
    "registro_read_model_fallback_blocks": (
        "Blocks of facts that the slow decoder had to read.",
        ("name",),
    ),
    "registro_read_models_up": ("Whether the database of the read models answered.", ()),
    "registro_problems": (
        "Things that must hold and do not, by kind, as registro status counts them.",
        ("kind",),
    ),
}
"""Help text and labels of every family by its name."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One number."""

    family: str
    labels: tuple[str, ...]
    value: float


def samples_of(found: Snapshot, limits: Limits) -> Iterator[Sample]:
    """Yield the numbers of a snapshot."""
    labels = (
        found.ledger_id or "",
        found.origin or "",
        found.body or "",
        "true" if found.sandbox else "false",
    )
    yield Sample("registro_info", labels, 1)
    yield Sample("registro_head_records", (), found.head)
    if found.last_recorded_at is not None and found.age_seconds is not None:
        instant = found.last_recorded_at.timestamp()
        yield Sample("registro_last_append_timestamp_seconds", (), instant)
        yield Sample("registro_last_append_age_seconds", (), found.age_seconds)
    for stage, name, behind in found.stages:
        yield Sample("registro_position_records", (stage, name), behind.position)
        yield Sample("registro_lag_records", (stage, name), behind.records)
        yield Sample("registro_lag_events", (stage, name), behind.events)
        yield Sample("registro_lag_seconds", (stage, name), behind.seconds)
    yield from _of_stages(found)
    counts = dict.fromkeys(PROBLEM_KINDS, 0)
    for problem in problems_of(found, limits):
        counts[problem.kind] += 1
    for kind, count in counts.items():
        yield Sample("registro_problems", (kind,), count)


def _of_stages(found: Snapshot) -> Iterator[Sample]:
    for inbox in found.inboxes:
        for one in inbox.partitions:
            labels = (inbox.family, str(one.partition))
            yield Sample("registro_inbox_waiting_messages", labels, one.waiting)
            yield Sample("registro_inbox_next_offset", labels, one.next_offset)
            yield Sample("registro_inbox_lost_messages", labels, one.lost)
    if found.published is not None:
        yield Sample("registro_kafka_up", (), found.published.reachable)
        if found.published.reachable:
            count = len(found.published.mismatches)
            yield Sample("registro_kafka_topic_mismatches", (), count)
            yield Sample("registro_kafka_diverged", (), found.published.diverged is not None)
    if found.sealed is not None and found.sealed.max_delay_seconds is not None:
        yield Sample("registro_seal_max_delay_seconds", (), found.sealed.max_delay_seconds)
    for model in found.read_models:
        yield Sample("registro_read_model_generation", (model.name,), model.generation)
        yield Sample("registro_read_model_halted", (model.name,), model.halted_at is not None)
        yield Sample("registro_read_model_fallback_blocks", (model.name,), model.fallbacks)
    yield Sample("registro_read_models_up", (), found.read_models_reason is None)


class SnapshotCollector(Collector):
    """Looks when it is asked, at most once in `FRESH_SECONDS`, one look at a time."""

    def __init__(
        self,
        look: Callable[[], Snapshot],
        limits: Limits,
        *,
        failed: Callable[[LedgerError], None] = lambda _: None,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare; nothing is looked at yet.

        Args:
            look: makes a snapshot.
            limits: for the counts of problems.
            failed: told why the ledger could not be read.
            seconds: a clock that never goes back.
        """
        self._look = look
        self._limits = limits
        self._failed = failed
        self._seconds = seconds
        self._lock = Lock()
        self._samples: tuple[Sample, ...] = ()
        self._until = float("-inf")

    def describe(self) -> Iterator[Metric]:
        """Yield the families without a look: registering one must not fail."""
        yield from self._families(())

    def collect(self) -> Iterator[Metric]:
        """Yield the families with the numbers of a fresh look."""
        with self._lock:
            if self._seconds() > self._until:
                self._samples = tuple(self._fresh())
                self._until = self._seconds() + FRESH_SECONDS
            samples = self._samples
        yield from self._families(samples)

    def _fresh(self) -> Iterator[Sample]:
        begin = self._seconds()
        try:
            samples = tuple(samples_of(self._look(), self._limits))
        except LedgerError as error:
            self._failed(error)
            yield Sample("registro_up", (), 0)
        else:
            yield Sample("registro_up", (), 1)
            yield from samples
        yield Sample("registro_look_seconds", (), self._seconds() - begin)

    @staticmethod
    def _families(samples: tuple[Sample, ...]) -> Iterator[Metric]:
        for name, (text, labels) in FAMILIES.items():
            family = GaugeMetricFamily(name, text, labels=labels)
            for sample in samples:
                if sample.family == name:
                    family.add_metric(sample.labels, sample.value)
            yield family


def registry_of(collector: SnapshotCollector) -> CollectorRegistry:
    """Return a registry that holds our metrics and nothing of the process."""
    registry = CollectorRegistry()
    registry.register(collector)
    return registry


def exposition(registry: CollectorRegistry) -> str:
    """Return the metrics in Prometheus' text format."""
    return generate_latest(registry).decode()
