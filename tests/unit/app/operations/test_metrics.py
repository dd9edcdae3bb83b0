"""Metrics carry the numbers of a look, in Prometheus' text format."""

import re

import pytest
from prometheus_client.parser import text_string_to_metric_families

from app.operations.metrics import FAMILIES, SnapshotCollector, exposition, registry_of
from app.operations.snapshot import (
    PROBLEM_KINDS,
    Behind,
    Limits,
    Published,
    ReadModel,
    SealedUpTo,
    Snapshot,
)
from ledger.errors import LedgerError, LedgerMissingError
from ledger.kafka.inbox.waiting import InboxWaiting, PartitionWaiting
from ledger.types import Position
from tests.support.ledgers import START

PLACE = Behind(position=Position(7), records=3, events=300, seconds=12.5)
WHOLE = Snapshot(
    ledger="l.db",
    ledger_id="id",
    origin='o"with\nodd\\signs',
    body=None,
    sandbox=True,
    head=Position(10),
    last_recorded_at=START,
    age_seconds=5.25,
    inboxes=(
        InboxWaiting(
            family="stock",
            topic="t",
            partitions=(PartitionWaiting(partition=3, next_offset=40, end=50, waiting=9, lost=2),),
        ),
    ),
    inboxes_reason=None,
    published=Published(
        servers="k", reachable=True, reason=None, behind=PLACE, mismatches=(), diverged=None
    ),
    sealed=SealedUpTo(log="l", checkpoint=True, behind=PLACE, max_delay_seconds=10, reason=None),
    read_models=(
        ReadModel(
            name="production",
            generation=2,
            behind=PLACE,
            fallbacks=1,
            halted_at=8,
            halted_reason="why",
        ),
    ),
    read_models_reason=None,
)


class Seconds:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def values(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def shown(found: Snapshot) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return values(exposition(registry_of(SnapshotCollector(lambda: found, Limits()))))


def test_every_number_of_a_look_is_there() -> None:
    found = shown(WHOLE)
    assert found["registro_up", ()] == 1
    assert found["registro_head_records", ()] == 10
    assert found["registro_last_append_age_seconds", ()] == 5.25
    assert found["registro_last_append_timestamp_seconds", ()] == START.timestamp()
    for stage, name in (("published", ""), ("sealed", ""), ("projected", "production")):
        labels = (("name", name), ("stage", stage))
        assert found["registro_position_records", labels] == 7
        assert found["registro_lag_records", labels] == 3
        assert found["registro_lag_events", labels] == 300
        assert found["registro_lag_seconds", labels] == 12.5
    inbox = (("family", "stock"), ("partition", "3"))
    assert found["registro_inbox_waiting_messages", inbox] == 9
    assert found["registro_inbox_next_offset", inbox] == 40
    assert found["registro_inbox_lost_messages", inbox] == 2
    assert found["registro_kafka_up", ()] == 1
    assert found["registro_kafka_diverged", ()] == 0
    assert found["registro_seal_max_delay_seconds", ()] == 10
    assert found["registro_read_model_generation", (("name", "production"),)] == 2
    assert found["registro_read_model_halted", (("name", "production"),)] == 1
    problems = {labels[0][1]: n for (name, labels), n in found.items() if "problems" in name}
    assert problems.keys() == set(PROBLEM_KINDS)
    assert {kind for kind, n in problems.items() if n} == {
        "inbox_lost",
        "seal_late",
        "read_model_halted",
    }


def test_odd_signs_of_a_name_come_back_as_they_were() -> None:
    (labels,) = [dict(labels) for name, labels in shown(WHOLE) if name == "registro_info"]
    assert labels == {
        "ledger_id": "id",
        "origin": 'o"with\nodd\\signs',
        "body": "",
        "sandbox": "true",
    }


def test_a_ledger_that_cannot_be_read_is_down_and_gives_no_other_number() -> None:
    told: list[LedgerError] = []

    def look() -> Snapshot:
        raise LedgerMissingError(store="gone.db")

    collector = SnapshotCollector(look, Limits(), failed=told.append)
    found = values(exposition(registry_of(collector)))

    assert {name for name, _ in found} == {"registro_up", "registro_look_seconds"}
    assert found["registro_up", ()] == 0
    assert [error.code for error in told] == ["ledger_missing"]


def test_an_error_that_nobody_expected_is_not_hidden() -> None:
    def look() -> Snapshot:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        exposition(registry_of(SnapshotCollector(look, Limits())))


def test_many_requests_cost_one_look() -> None:
    looks: list[int] = []
    clock = Seconds()

    def look() -> Snapshot:
        looks.append(1)
        return WHOLE

    registry = registry_of(SnapshotCollector(look, Limits(), seconds=clock))
    assert looks == [], "registering looks at nothing"
    for _ in range(5):
        exposition(registry)
    assert len(looks) == 1
    clock.now += 1.5
    exposition(registry)
    assert len(looks) == 2


@pytest.mark.parametrize("name", FAMILIES)
def test_a_name_tells_its_unit_and_has_a_help_text(name: str) -> None:
    text, labels = FAMILIES[name]
    assert re.fullmatch(r"registro_[a-z]+(_[a-z]+)*", name)
    assert text.endswith(".")
    assert "{" not in text
    assert all(re.fullmatch(r"[a-z_]+", label) for label in labels)
    if "_age" in name or "lag_s" in name or "delay" in name:
        assert name.endswith("_seconds")
