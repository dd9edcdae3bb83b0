"""What holds of an inbox on a real broker: each message once in the ledger, or among the refused.

Run by `make test-services`, in one process: some tests kill the broker.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import islice, pairwise
from pathlib import Path
from typing import NamedTuple
from uuid import uuid1

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.structs import OffsetAndMetadata

from ledger.application import LedgerApplication
from ledger.errors import InvalidCommandError
from ledger.facts.batches import Batch
from ledger.facts.blocks import read_facts
from ledger.kafka.client.broker import Admin
from ledger.kafka.client.connection import Broker, Partition
from ledger.kafka.client.source import Source
from ledger.kafka.errors import BrokerError, InboxLostError, TopicGuardError
from ledger.kafka.inbox.guard import create_inbox, inbox_mismatches
from ledger.kafka.inbox.intake import Inbox, Taken, next_offset, prefix_of, take_all
from ledger.kafka.inbox.letters import Letter, letters, retry
from ledger.kafka.topics import Topics, dead_letters_of
from ledger.verification import verify
from schemas.codec import encode
from schemas.registry import default_registry
from tests.support.cli import run
from tests.support.kafka import SERVERS
from tests.support.ledgers import FakeClock, place_of, reopened
from tests.support.production import batch, blocks, fact, production_ledger, record

ROOT = Path(__file__).parents[2]
POINTS_MAX = 40
LEAST_POINTS = 14
"""Two partitions, each with the points of the refusals, the append and what is recorded."""
JSON = (("content-type", b"application/json"),)
BROKER = Broker(servers=SERVERS)
PARTITIONS = 2

pytestmark = [
    pytest.mark.skipif(
        not SERVERS, reason="no Kafka: scripts/services up, then make test-services"
    ),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


class Sent(NamedTuple):
    """A message as an upstream system sends it."""

    value: bytes | None
    headers: Sequence[tuple[str, bytes]] = JSON
    partition: int = 0
    key: bytes | None = b"DP1"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest.fixture
def ledger(path: Path) -> Iterator[LedgerApplication]:
    made = production_ledger(path)
    yield made
    made.store.engine.dispose()


@pytest.fixture
def prefix() -> str:
    return f"t{uuid1().hex}"


@pytest.fixture
def topic(prefix: str) -> Iterator[str]:
    name = Topics(prefix=prefix).inbox("production")
    with Admin(BROKER) as admin:
        create_inbox(admin, name, partitions=PARTITIONS)
    yield name
    with Admin(BROKER) as admin:
        admin.delete(list(admin.states([name, dead_letters_of(name)])))


def json_of(name: str = "RequestReceived", **values: object) -> bytes:
    row = fact(name, **values)
    return json.dumps(
        {key: value for key, value in row.items() if value is not None}, default=str
    ).encode()


def goods(count: int, *, start: int = 0) -> list[Sent]:
    return [
        Sent(json_of(source_id=f"g{n}"), partition=n % PARTITIONS)
        for n in range(start, start + count)
    ]


def avro_of(name: str = "RequestReceived", **values: object) -> Sent:
    schema = default_registry().latest(f"registro.facts.{name}")
    headers = (
        ("content-type", b"application/avro"),
        ("ce_dataschema", f"urn:registro:schema:{schema.schema_id.hex()}".encode()),
    )
    return Sent(encode(schema, fact(name, **values)), headers)


def send(topic: str, messages: Sequence[Sent], *, compression: str | None = None) -> None:
    producer = KafkaProducer(
        bootstrap_servers=SERVERS,
        acks="all",
        linger_ms=20,
        max_request_size=2**23,
        compression_type=compression,
    )
    for one in messages:
        producer.send(
            topic,
            value=one.value,
            key=one.key,
            headers=list(one.headers),
            partition=one.partition,
        )
    producer.flush(timeout=30)
    producer.close(timeout=2)


def said() -> Batch:
    return batch(name=None)


def entered(ledger: LedgerApplication, topic: str, *, accept_lost: bool = False) -> Inbox:
    return Inbox(
        ledger,
        BROKER,
        topic,
        batch=said,
        clock=FakeClock(),
        share=False,
        accept_lost=accept_lost,
    )


def take(ledger: LedgerApplication, topic: str, *, accept_lost: bool = False) -> list[Taken]:
    taken: list[Taken] = []
    with entered(ledger, topic, accept_lost=accept_lost) as inbox:
        take_all(inbox, delay=0.05, wait_seconds=20, told=taken.append)
    return taken


def source_ids(ledger: LedgerApplication) -> list[str]:
    tables = read_facts(blocks(ledger), ledger.avro.registry)
    return [one for table in tables for one in table.frame.get_column("source_id").to_list()]


def ranges(ledger: LedgerApplication) -> dict[str, list[tuple[int, int]]]:
    """Return the ranges of offsets of the appends, by partition."""
    found: dict[str, list[tuple[int, int]]] = {}
    for key in dict.fromkeys(block.record.append.key for block in blocks(ledger)):
        if key.startswith("inbox/"):
            place, _, span = key.rpartition("/")
            first, _, last = span.partition("-")
            found.setdefault(place, []).append((int(first), int(last)))
    return found


def assert_exact(ledger: LedgerApplication, topic: str, good: Sequence[str], bad: int) -> None:
    """Nothing lost, nothing doubled, the ranges follow each other, the refused are whole."""
    assert sorted(source_ids(ledger)) == sorted(good)
    for spans in ranges(ledger).values():
        assert spans[0][0] == 0
        assert all(after[0] == before[1] + 1 for before, after in pairwise(spans))
    kept = letters(BROKER, topic)
    assert len(kept) == bad
    assert verify(ledger.store, ledger.avro).discrepancies == ()


# Both forms, once


def test_json_and_avro_are_recorded_once_whatever_is_repeated(
    ledger: LedgerApplication, topic: str
) -> None:
    send(topic, [*goods(30), avro_of(source_id="a1"), avro_of("RequestDefined", source_id="a2")])

    first = take(ledger, topic)
    again = take(ledger, topic)
    send(topic, goods(5, start=100))
    third = take(ledger, topic)

    good = [*(f"g{n}" for n in range(30)), "a1", "a2", *(f"g{n}" for n in range(100, 105))]
    assert sum(one.facts for one in first) == 32
    assert again == []
    assert sum(one.facts for one in third) == 5
    assert_exact(ledger, topic, good, 0)


def test_kinds_of_fact_may_be_mixed_with_and_without_their_name(
    ledger: LedgerApplication, topic: str
) -> None:
    named = (*JSON, ("ce_type", b"registro.facts.RequestDefined"))
    send(
        topic,
        [
            Sent(json_of(source_id="r1")),
            Sent(json_of("RequestDefined", source_id="d1")),
            Sent(json_of("RequestDefined", source_id="d2"), named),
            Sent(json.dumps(json.loads(json_of(source_id="r2")), indent=2).encode()),
            Sent(json_of(source_id='r\u00e9"3')),
        ],
    )

    take(ledger, topic)

    assert_exact(ledger, topic, ["r1", "d1", "d2", "r2", 'r\u00e9"3'], 0)


def test_marks_and_aborted_messages_of_transactions_are_no_hole(
    ledger: LedgerApplication, topic: str
) -> None:
    producer = KafkaProducer(bootstrap_servers=SERVERS, transactional_id=topic)
    producer.init_transactions()
    for number, good in enumerate((True, False, True, True, False)):
        producer.begin_transaction()
        for n in range(3):
            value = json_of(source_id=f"t{number}-{n}")
            producer.send(topic, value=value, headers=list(JSON), partition=0)
        producer.flush()
        if good:
            producer.commit_transaction()
        else:
            producer.abort_transaction()
    producer.close(timeout=2)

    first = take(ledger, topic)
    again = take(ledger, topic)
    send(topic, goods(4))
    take(ledger, topic)

    good_ids = [f"t{number}-{n}" for number in (0, 2, 3) for n in range(3)]
    assert sum(one.facts for one in first) == 9
    assert again == []
    assert_exact(ledger, topic, [*good_ids, *(f"g{n}" for n in range(4))], 0)


# Poison

POISON: dict[str, tuple[Sent, str]] = {
    "no json": (Sent(b'{"source_id": '), "no_json"),
    "a list": (Sent(b"[1, 2]"), "no_json"),
    "nested": (Sent(json_of(source_id="p", product={"a": 1})), "no_json"),
    "null": (Sent(None), "no_value"),
    "empty": (Sent(b" "), "no_value"),
    "oversized": (Sent(json_of(source_id="x" * 70_000)), "too_long"),
    "huge": (Sent(b'"' * 3_000_000), "too_long"),
    "no form": (Sent(json_of(source_id="p"), ()), "content_type"),
    "a foreign form": (Sent(b"<a/>", (("content-type", b"text/xml"),)), "content_type"),
    "wrong family": (Sent(json_of("StockCounted", source_id="p")), "wrong_family"),
    "wrong family by name": (
        Sent(json_of(source_id="p"), (*JSON, ("ce_type", b"registro.facts.StockCounted"))),
        "wrong_family",
    ),
    "wrong family, avro": (avro_of("StockCounted", source_id="p"), "wrong_family"),
    "unknown type": (
        Sent(json_of(source_id="p"), (*JSON, ("ce_type", b"registro.facts.Nothing"))),
        "unknown_schema",
    ),
    "unknown schema": (
        Sent(b"x", (("content-type", b"application/avro"), ("schema_id", b"\0" * 32))),
        "unknown_schema",
    ),
    "no schema": (Sent(b"x", (("content-type", b"application/avro"),)), "no_schema"),
    "no avro": (Sent(b"\xff\xff", avro_of(source_id="p").headers), "no_avro"),
    "cut avro": (
        Sent((avro_of(source_id="p").value or b"")[:-1], avro_of(source_id="p").headers),
        "no_avro",
    ),
    "unknown column": (Sent(json_of(source_id="p", colour="red")), "not_a_fact"),
    "unknown unit": (Sent(json_of(source_id="p", origin_unit="XX")), "unknown_unit"),
    "wrong number": (Sent(json_of(source_id="p", pieces="1.0")), "not_a_number"),
    "out of range": (Sent(json_of(source_id="p", pieces=0)), "out_of_range"),
    "duplicate": (Sent(json_of(source_id="known")), "duplicate_in_ledger"),
    "no key": (Sent(b"{", JSON, 0, None), "no_json"),
}


def test_each_poison_is_kept_with_its_reason_and_the_good_ones_are_recorded(
    ledger: LedgerApplication, topic: str, tmp_path: Path
) -> None:
    record(
        ledger, tmp_path, "RequestReceived", [fact("RequestReceived", source_id="known")], batch()
    )
    messages: list[Sent] = []
    for number, (sent, _) in enumerate(POISON.values()):
        messages += [Sent(json_of(source_id=f"g{number}")), sent]
    messages += [Sent(json_of(source_id="twice")), Sent(json_of(source_id="twice"))]
    send(topic, messages)

    taken = take(ledger, topic)

    kept = {one.origin.offset: one for one in letters(BROKER, topic, values=True)}
    for number, (name, (sent, code)) in enumerate(POISON.items()):
        letter = kept.pop(2 * number + 1)
        assert (name, letter.code) == (name, code)
        assert (letter.key, letter.value) == (sent.key, sent.value), name
        assert list(letter.headers) == list(sent.headers), name
        assert letter.timestamp > 0
        assert (letter.topic, letter.origin.partition) == (topic, 0)
    (last,) = kept.values()
    assert (last.code, last.origin.offset) == ("duplicate_in_batch", len(messages) - 1)
    assert sum(one.refused for one in taken) == len(POISON) + 1
    good = ["known", "twice", *(f"g{n}" for n in range(len(POISON)))]
    assert_exact(ledger, topic, good, len(POISON) + 1)


def test_what_is_refused_is_not_judged_again(
    ledger: LedgerApplication, topic: str, tmp_path: Path
) -> None:
    """Nothing was appended, so the ledger still says 0: the refused ones say the rest."""
    send(topic, [Sent(json_of(source_id="dup"))])
    first_of_its_kind = [fact("RequestReceived", source_id="dup")]
    record(ledger, tmp_path, "RequestReceived", first_of_its_kind, batch())
    first = take(ledger, topic)
    ends = _ends(dead_letters_of(topic))

    again = take(ledger, topic)
    send(topic, goods(1))
    third = take(ledger, topic)

    assert [one.refused for one in first] == [1]
    assert again == []
    assert _ends(dead_letters_of(topic)) == ends
    assert [(one.first, one.last) for one in third] == [(0, 1)]
    assert_exact(ledger, topic, ["dup", "g0"], 1)


def test_marks_behind_the_refused_do_not_hide_them(
    ledger: LedgerApplication, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A retry writes as many marks as it sends: more than are read back at once."""
    monkeypatch.setattr("ledger.kafka.inbox.letters.PAGE", 3)
    send(topic, [Sent(b"{")] * 4)
    take(ledger, topic)

    retry(BROKER, letters(BROKER, topic, values=True))
    taken = take(ledger, topic)

    assert [(one.first, one.last, one.refused) for one in taken] == [(4, 7, 4)]
    assert_exact(ledger, topic, [], 8)


class _RawName(str):
    """A header name that is written as bytes that are not UTF-8."""

    __slots__ = ()

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:  # noqa: ARG002 - as the class it stands in for
        return b"\xffname"


@pytest.mark.parametrize(("compression", "read"), [("zstd", "\\xffname"), (None, "\ufffdname")])
def test_header_names_that_are_not_utf_8_keep_nothing_from_being_read(
    ledger: LedgerApplication, topic: str, compression: str | None, read: str
) -> None:
    """A broker that compresses a batch itself writes such a name anew."""
    odd = (*JSON, (_RawName("name"), b"\xff"))
    send(
        topic,
        [
            Sent(json_of(source_id="a")),
            Sent(json_of(source_id="b"), odd),
            Sent(b"{", odd),
            Sent(json_of(source_id="c")),
        ],
        compression=compression,
    )

    taken = take(ledger, topic)

    (letter,) = letters(BROKER, topic, values=True)
    assert [(one.first, one.last, one.facts, one.refused) for one in taken] == [(0, 3, 3, 1)]
    assert (letter.code, letter.origin.offset) == ("no_json", 2)
    assert list(letter.headers) == [*JSON, (read, b"\xff")]
    assert_exact(ledger, topic, ["a", "b", "c"], 1)


@pytest.mark.parametrize("kind", ["gzip", "snappy", "lz4", "zstd"])
def test_a_sender_may_compress_as_it_likes(
    ledger: LedgerApplication, topic: str, kind: str
) -> None:
    """Alone, kafka-python reads the first and the last: the broker keeps the last only."""
    confluent = pytest.importorskip("confluent_kafka")
    producer = confluent.Producer({"bootstrap.servers": SERVERS, "compression.type": kind})
    for number in range(20):
        value = json_of(source_id=f"c{number}")
        producer.produce(topic, value=value, partition=0, headers=list(JSON))
    assert producer.flush(10) == 0

    take(ledger, topic)

    assert_exact(ledger, topic, [f"c{number}" for number in range(20)], 0)


def _ends(topic: str) -> dict[Partition, int]:
    with Source(BROKER) as source:
        return source.ends(source.partitions(topic))


# Retry


def test_a_retry_sends_the_message_as_it_came_and_is_marked(
    ledger: LedgerApplication, topic: str, prefix: str, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, bad = json_of("StockCounted", source_id="s1"), json_of(origin_unit="XX", source_id="u")
    send(topic, [Sent(bad, (*JSON, ("trace", b"\0\xff"))), Sent(good, partition=1)])
    take(ledger, topic)
    monkeypatch.setenv("REGISTRO_KAFKA", SERVERS)
    monkeypatch.setenv("REGISTRO_KAFKA_PREFIX", prefix)
    monkeypatch.setenv("REGISTRO_LEDGER", place_of(path))

    listed = run("dlq", "list", "--json").json["letters"]
    shown = run("dlq", "show", "production/0/0")
    sent = run("dlq", "retry", "--topic", "production", "--to", "0", "--json")
    nothing = run("dlq", "retry", "production/0/99")
    after = run("dlq", "list", "--all", "--json").json["letters"]
    once_more = run("dlq", "retry", "--json")
    taken = take(ledger, topic)
    letter = next(one for one in letters(BROKER, topic, values=True) if one.retry_of)

    assert [one["code"] for one in listed] == ["unknown_unit", "wrong_family"]
    assert "XX" in shown.out
    assert "there is no such unit" in shown.out
    assert sent.json == {"sent": 2}
    assert nothing.code == InvalidCommandError.exit_code
    assert [one["retried"] for one in after] == [True, True]
    assert once_more.json == {"sent": 0}
    assert sum(one.refused for one in taken) == 2
    assert letter.value == bad
    assert letter.retry_of == f"{dead_letters_of(topic)}/0/0"
    assert dict(letter.headers)["trace"] == b"\0\xff"


def test_a_retry_after_the_cause_is_mended_is_recorded_once(
    ledger: LedgerApplication, topic: str
) -> None:
    send(topic, [Sent(json_of(source_id="x"), (("content-type", b"text/plain"),))])
    take(ledger, topic)
    (letter,) = letters(BROKER, topic, values=True)
    mended = _with_headers(letter, JSON)

    retry(BROKER, [mended])
    retry(BROKER, [mended])
    take(ledger, topic)

    found = letters(BROKER, topic)
    assert [one.code for one in found] == ["content_type", "duplicate_in_batch"]
    assert [one.retried for one in found] == [True, False]
    assert_exact(ledger, topic, ["x"], 2)


def _with_headers(letter: Letter, headers: Sequence[tuple[str, bytes]]) -> Letter:
    return replace(letter, headers=headers)


# Killed at every step


def child(path: Path, topic: str, mode: str) -> "subprocess.Popen[str]":
    words = ["-m", "tests.services.inbox_child", str(path), SERVERS, topic, mode]
    return subprocess.Popen(
        [sys.executable, *words],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def outcome_at(killer: "subprocess.Popen[str]", number: int) -> str:
    """Return what became of an intake that was to be killed at a point."""
    assert killer.stdin is not None
    assert killer.stdout is not None
    killer.stdin.write(f"{number}\n")
    killer.stdin.flush()
    return killer.stdout.readline().strip()


@pytest.mark.timeout(300)
def test_killed_at_any_step_nothing_is_lost_or_doubled(
    ledger: LedgerApplication, path: Path, topic: str
) -> None:
    good: list[str] = []
    bad = 0
    outcomes: list[str] = []
    with child(path, topic, "points") as killer:
        for number in range(1, POINTS_MAX):
            ids = [f"k{number}-{n}" for n in range(4)]
            good += ids
            bad += 2
            values = [json_of(source_id=one) for one in ids]
            wrong = json_of(source_id="b", pieces=0)
            first = [values[0], b"{", values[1]]
            second = [values[2], values[3], wrong]
            send(topic, [Sent(one, partition=n) for n in (0, 1) for one in (first, second)[n]])
            outcomes.append(outcome_at(killer, number))
            if outcomes[-1] == "done":
                break
            if number % 4 == 0:
                # In between the next one finds what several left behind.
                take(ledger, topic)
                assert_exact(ledger, topic, good, bad)
        assert killer.stdin is not None
        killer.stdin.close()
    take(ledger, topic)

    assert outcomes[-1] == "done"
    assert Counter(outcomes)["killed"] == len(outcomes) - 1 >= LEAST_POINTS
    assert_exact(ledger, topic, good, bad)


# Several intakes


def test_a_partition_that_moves_in_the_middle_loses_and_doubles_nothing(
    ledger: LedgerApplication, path: Path, topic: str
) -> None:
    first = child(path, topic, "follow")
    second: subprocess.Popen[str] | None = None
    try:
        send(topic, goods(200))
        _until(lambda: len(source_ids(ledger)) == 200)
        second = child(path, topic, "follow")
        for start in range(200, 1000, 100):
            send(topic, goods(100, start=start))
            time.sleep(0.3)
        _until(lambda: len(source_ids(ledger)) >= 1000)
        os.kill(first.pid, signal.SIGKILL)
        send(topic, goods(200, start=1000))
        _until(lambda: len(source_ids(ledger)) >= 1200, seconds=40)
    finally:
        for one in (first, second):
            if one is not None:
                one.kill()
                one.communicate()

    assert_exact(ledger, topic, [f"g{n}" for n in range(1200)], 0)


def _until(holds: Callable[[], object], *, seconds: float = 30) -> None:
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.1)


def test_who_comes_second_with_the_same_offsets_is_refused_and_goes_on(
    ledger: LedgerApplication, path: Path, topic: str
) -> None:
    """Both read the same messages; the slower one has them gathered when the other records them."""
    send(topic, goods(20))
    other = reopened(path)
    with entered(ledger, topic) as slow, entered(other, topic) as fast:
        while not (gathered := slow._gather(0.2)):
            pass
        while not fast.has_read(fast.ends()):
            list(fast.take(delay=0.05))
        head = ledger.head()

        slow._gather = lambda delay: gathered  # type: ignore[method-assign] # noqa: ARG005 - what it had in hand
        refused = list(slow.take(delay=0.05))

        assert refused == []
        assert ledger.head() == head
        assert slow.places == fast.places
    assert_exact(ledger, topic, [f"g{n}" for n in range(20)], 0)


def test_a_batch_that_was_recorded_is_told_though_the_next_fails(
    ledger: LedgerApplication, topic: str
) -> None:
    send(topic, [*goods(20), Sent(b"{", JSON, 0), Sent(b"{", JSON, 1)])
    asked: list[str] = []

    def fail(point: str) -> None:
        if point == "inbox.before_letters":
            asked.append(point)
            if len(asked) == PARTITIONS:
                raise BrokerError(servers=SERVERS, reason="of the test")

    told: list[Taken] = []
    with (
        Inbox(
            ledger,
            BROKER,
            topic,
            batch=said,
            clock=FakeClock(),
            share=False,
            fault_point=fail,
        ) as inbox,
        pytest.raises(BrokerError, match="of the test"),
    ):
        take_all(inbox, delay=1, wait_seconds=20, told=told.append)
    recorded = len(source_ids(ledger))
    rest = take(ledger, topic)

    assert [(one.facts, one.refused) for one in told] == [(10, 1)]
    assert (recorded, told[0].last_position) == (10, told[0].last_position)
    assert [(one.facts, one.refused) for one in rest] == [(10, 1)]
    assert told[0].partition != rest[0].partition
    assert_exact(ledger, topic, [f"g{n}" for n in range(20)], 2)


def test_who_stops_between_two_batches_loses_neither(ledger: LedgerApplication, topic: str) -> None:
    send(topic, goods(20))
    taken: list[Taken] = []
    with entered(ledger, topic) as inbox:
        while not taken:
            # One batch is in the ledger; the other was read and is given up.
            taken = list(islice(inbox.take(delay=1), 1))
        recorded = len(source_ids(ledger))
        send(topic, goods(20, start=20))
        take_all(inbox, delay=1, wait_seconds=20, told=taken.append)

    assert recorded == 10
    assert_exact(ledger, topic, [f"g{n}" for n in range(40)], 0)


def test_what_the_group_committed_is_never_believed(ledger: LedgerApplication, topic: str) -> None:
    send(topic, goods(10))
    opened = ledger.identity.opened
    assert opened is not None
    consumer = KafkaConsumer(
        bootstrap_servers=SERVERS, group_id=f"{topic}.{opened.ledger_id}", enable_auto_commit=False
    )
    places = {TopicPartition(topic, n): OffsetAndMetadata(5, "", -1) for n in range(PARTITIONS)}
    consumer.assign(list(places))
    consumer.commit(places)
    consumer.close()

    with Inbox(
        ledger, BROKER, topic, batch=said, clock=FakeClock(), share=True, session=6000
    ) as inbox:

        def all_taken() -> bool:
            list(inbox.take(delay=0.05))
            return len(source_ids(ledger)) == 10

        _until(all_taken)

    assert_exact(ledger, topic, [f"g{n}" for n in range(10)], 0)


# Broker and topics


def test_a_broker_that_is_killed_in_the_middle_loses_and_doubles_nothing(
    ledger: LedgerApplication, path: Path, topic: str
) -> None:
    folder = os.environ.get("REGISTRO_SERVICES_KAFKA")
    if folder is None:
        pytest.skip("the broker is not ours to kill")
    send(topic, [*goods(300), Sent(b"{")])
    reader = child(path, topic, "follow")
    try:
        _until(lambda: len(source_ids(ledger)) == 300)
        pid = int((Path(folder) / "pid").read_text())
        os.kill(pid, signal.SIGKILL)
        time.sleep(2)
        subprocess.run(
            ["scripts/kafka/broker", folder, SERVERS.rpartition(":")[2]],
            cwd=ROOT,
            check=True,
            timeout=90,
        )
        _until_sent(topic, [*goods(300, start=300), Sent(b"{"), Sent(b"[", partition=1)])
        _until(lambda: len(source_ids(ledger)) == 600, seconds=60)
        _until(lambda: len(letters(BROKER, topic)) == 3, seconds=30)
    finally:
        reader.kill()
        reader.communicate()

    assert_exact(ledger, topic, [f"g{n}" for n in range(600)], 3)


def _until_sent(topic: str, messages: Sequence[Sent]) -> None:
    until = time.monotonic() + 30
    while True:
        try:
            with Admin(BROKER) as admin:
                assert admin.states([topic])
            break
        except BrokerError:
            assert time.monotonic() < until
            time.sleep(0.5)
    send(topic, messages)


def test_messages_that_expired_before_they_were_taken_are_told(
    ledger: LedgerApplication, topic: str
) -> None:
    send(topic, [Sent(json_of(source_id=f"e{n}")) for n in range(10)])
    client = KafkaAdminClient(bootstrap_servers=SERVERS)
    client.delete_records({TopicPartition(topic, 0): 4})
    client.close()

    with pytest.raises(InboxLostError) as caught:
        take(ledger, topic)
    taken = take(ledger, topic, accept_lost=True)

    assert (int(caught.value.facts["expected"]), int(caught.value.facts["start"])) == (0, 4)
    assert [(one.first, one.last, one.lost) for one in taken] == [(4, 9, 4)]
    assert sorted(source_ids(ledger)) == [f"e{n}" for n in range(4, 10)]


def test_an_inbox_that_is_made_anew_begins_anew(ledger: LedgerApplication, topic: str) -> None:
    send(topic, goods(10))
    take(ledger, topic)
    with Admin(BROKER) as admin:
        admin.delete([topic])
        _until(lambda: topic not in admin.states([topic]))
        create_inbox(admin, topic, partitions=PARTITIONS)
    send(topic, goods(10, start=10))

    taken = take(ledger, topic)

    assert sum(one.facts for one in taken) == 10
    assert_exact(ledger, topic, [f"g{n}" for n in range(20)], 0)


def test_the_ledger_alone_says_where_to_go_on(ledger: LedgerApplication, topic: str) -> None:
    send(topic, [*goods(9), Sent(b"{")])
    take(ledger, topic)
    with Admin(BROKER) as admin:
        identity = admin.identities([topic])[topic]

    found = [next_offset(ledger, prefix_of(topic, identity, n)) for n in range(12)]

    assert found == [6, 4, *[0] * 10]


@pytest.mark.parametrize(
    ("which", "setting", "value"),
    [
        ("inbox", "cleanup.policy", "compact"),
        ("inbox", "max.message.bytes", "100000000"),
        ("inbox", "compression.type", "producer"),
        ("dlq", "retention.ms", "604800000"),
        ("dlq", "cleanup.policy", "compact"),
        ("dlq", "max.message.bytes", "1000"),
    ],
)
def test_topics_that_could_lose_messages_are_refused_until_mended(
    ledger: LedgerApplication, topic: str, which: str, setting: str, value: str
) -> None:
    wrong = topic if which == "inbox" else dead_letters_of(topic)
    with Admin(BROKER) as admin:
        admin.alter(wrong, {setting: value})
        with pytest.raises(TopicGuardError) as caught:
            take(ledger, topic)
        create_inbox(admin, topic)
        left = inbox_mismatches(admin, topic)

    assert (caught.value.facts["topic"], caught.value.facts["setting"]) == (wrong, setting)
    assert "registro inbox production --create" in caught.value.facts["remedy"]
    assert left == ()


# Command line


@pytest.mark.usefixtures("ledger")
def test_the_command_line_creates_takes_and_lists(
    path: Path, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGISTRO_KAFKA", SERVERS)
    monkeypatch.setenv("REGISTRO_KAFKA_PREFIX", prefix)
    monkeypatch.setenv("REGISTRO_LEDGER", place_of(path))
    monkeypatch.setenv("REGISTRO_ACTOR", "DCPCG")
    name = Topics(prefix=prefix).inbox("production")

    missing = run("inbox", "production", "--source", "SRC")
    created = run("inbox", "production", "--create", "--partitions", "2", "--json")
    send(name, [*goods(7), Sent(b"{")])
    taken = run("inbox", "production", "--source", "SRC")
    again = run("inbox", "production", "--source", "SRC")
    listed = run("dlq", "list")
    wrong = run("inbox", "nothing", "--source", "SRC")

    assert missing.code == TopicGuardError.exit_code
    assert created.json["created"] == [name, dead_letters_of(name)]
    assert taken.code == 1
    assert "Recorded 7 facts of 8 messages" in taken.out
    assert again.code == 0
    assert "production/0/0" in listed.out
    assert wrong.code == InvalidCommandError.exit_code
    with Admin(BROKER) as admin:
        admin.delete([name, dead_letters_of(name)])


def test_following_ends_clean_with_an_interruption(
    ledger: LedgerApplication, path: Path, prefix: str, topic: str
) -> None:
    send(topic, goods(50))
    following = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys; from app.cli.main import main; sys.exit(main())",
            *("inbox", "production", "--source", "SRC", "--actor", "DCPCG", "--follow", "--json"),
        ],
        cwd=ROOT,
        env={
            **os.environ,
            "REGISTRO_KAFKA": SERVERS,
            "REGISTRO_KAFKA_PREFIX": prefix,
            "REGISTRO_LEDGER": place_of(path),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with contextlib.ExitStack() as stack:
        stack.callback(following.kill)
        _until(lambda: len(source_ids(ledger)) == 50)
        following.send_signal(signal.SIGINT)
        out, err = following.communicate(timeout=20)

    assert following.returncode == 130
    assert sum(json.loads(line)["facts"] for line in out.splitlines()) == 50
    assert "Traceback" not in err
    assert_exact(ledger, topic, [f"g{n}" for n in range(50)], 0)
