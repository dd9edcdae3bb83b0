"""Ranges read by several give what one restore gives, or are refused as it refuses."""

import pickle
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.kafka import frozen as frozen_module
from ledger.kafka import merging, seams, slices
from ledger.kafka import restore as restore_module
from ledger.kafka.client.connection import Broker, Partition
from ledger.kafka.client.security import Security
from ledger.kafka.errors import TopicRestoreError
from ledger.kafka.frozen import FrozenTopics, freeze
from ledger.kafka.message import Address, Message, Origin, address_of
from ledger.kafka.restore import Restored, restore
from ledger.kafka.slices import TopicSlice
from ledger.kafka.tails import Ledger
from ledger.kafka.topics import Topics
from ledger.records import StoredRecord
from ledger.store.store import Appended, Store
from ledger.types import FIRST_POSITION, Position
from projections.runner.engines import Job
from tests.support.kafka import add_facts, ledger_with_facts, published_as
from tests.support.topics_memory import MemorySource, MemoryTopics, messages

BROKER = Broker(servers="kafka.example.invalid:9092")
IN_FLIGHT = 20
"""Messages that a publisher of these tests sends before it waits."""
REPEATED = 6
"""Messages that are repeated at once: a publisher repeats no more than it sends before it waits."""
Records: TypeAlias = list[StoredRecord]


class Kept:
    """Stands in for a store: keeps the records of a restore."""

    def __init__(self) -> None:
        self.records: Records = []

    def restore(self, given_records: Iterable[StoredRecord]) -> Appended:
        self.records = list(given_records)
        last = Position(self.records[-1].position if self.records else 0)
        return Appended(first=FIRST_POSITION, last=last)


class Year:
    """A ledger and its messages; too long to be shown when a test fails."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.whole = messages(ledger)
        self.records = list(ledger.store.read())


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Year]:
    path = tmp_path_factory.mktemp("topics") / "ledger.db"
    application = ledger_with_facts(path, facts=60)
    add_facts(application, path.parent, batch_name="2", facts=20)
    ledger = published_as(application, "t")
    yield Year(ledger)
    application.store.engine.dispose()


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is small in a ledger of a year is everything in one of a test."""
    monkeypatch.setattr(seams, "CLOSE_ENOUGH", 2)
    monkeypatch.setattr(frozen_module, "LOOK_MESSAGES", 3)
    monkeypatch.setattr(slices, "BACK_MESSAGES", 4)
    for module in (frozen_module, merging):
        monkeypatch.setattr(module, "BATCH_MESSAGES", IN_FLIGHT)


def read_by(held: MemoryTopics, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let everything that asks Kafka read topics in memory."""

    def source(_: Broker) -> MemorySource:
        return held.source()

    for module in (frozen_module, restore_module, slices):
        monkeypatch.setattr(module, "Source", source)


def frozen(held: MemoryTopics) -> FrozenTopics:
    return freeze(BROKER, held.topics, slice_messages=1)


def by_ranges(held: MemoryTopics, parts: int, records: Records) -> Restored:
    """Read by ranges, each of them by itself and as far away as pickle goes.

    Args:
        held: topics.
        parts: how many ranges are wanted.
        records: takes what is read.
    """
    found, reports = frozen(held), list[object]()
    for one in found.slices(parts):
        travelled = pickle.loads(pickle.dumps(one))  # noqa: S301 - our own bytes
        assert travelled == one
        with travelled.open() as reader:
            records.extend(reader.records())
            reports.append(pickle.loads(pickle.dumps(reader.report())))  # noqa: S301 - our own bytes
    found.judge(reports)
    assert found.restored is not None
    return found.restored


def by_restore(held: MemoryTopics, records: Records) -> Restored:
    """Read as a restore does, and refuse what a rebuild refuses."""
    kept = Kept()
    done = restore(cast(Store, kept), BROKER, held.topics)
    done.require_sound()
    records.extend(kept.records)
    return done


def outcome(read: Callable[[Records], Restored], year: Year) -> Restored | None:
    """Return what was read, which is a beginning of the ledger; None when it was refused."""
    records: Records = []
    try:
        done = read(records)
    except TopicRestoreError:
        return None
    same = records == year.records[: done.position]
    assert same
    return done


def altered(message: Message) -> Message:
    return message._replace(value=message.value[:-1] + bytes([message.value[-1] ^ 1]))


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """Something that happens to topics."""

    kind: str
    at: int
    """Place among the messages, or in the partitions one after the other."""
    size: int

    def apply(self, held: MemoryTopics, whole: list[Message]) -> None:
        """Change topics."""
        places = [(p, n) for p, own in held.held.items() for n in range(len(own) + 1)]
        place, offset = places[self.at * 7919 % len(places)]
        own = held.held[place]
        here = own[offset : offset + 1]
        changed = [None if one is None else altered(one) for one in here]
        match self.kind:
            case "foreign":
                own[offset:offset] = [None] * self.size
            case "repeat":
                # A run of its messages again, where it stands or at the end.
                at = offset if self.at % 2 else len(own)
                own[at:at] = own[max(offset - min(self.size, REPEATED), 0) : offset]
            case "copy":
                for other in held.held.values():
                    other.extend(list(other))
            case "cut":
                held.cut(whole[len(whole) - self.size :])
            case "lost":
                del own[offset : offset + 1]
            case "forged":
                own[offset:offset] = changed
            case _:
                own[offset : offset + 1] = changed


HARMLESS = ("foreign", "repeat", "copy")
changes = st.builds(
    Change,
    kind=st.sampled_from((*HARMLESS, "cut", "lost", "forged", "altered")),
    at=st.integers(0, 400),
    size=st.integers(1, 40),
)
harmless = st.builds(
    Change, kind=st.sampled_from(HARMLESS), at=st.integers(0, 400), size=st.integers(1, 40)
)


@pytest.mark.property
@settings(max_examples=25, deadline=None)
@given(parts=st.integers(1, 9), partitions=st.integers(1, 5), found=st.lists(harmless, max_size=4))
def test_ranges_give_the_ledger_whatever_stands_beside_it_or_twice(
    year: Year, parts: int, partitions: int, found: list[Change]
) -> None:
    held = MemoryTopics.of(year.ledger, year.whole, partitions=partitions)
    for change in found:
        change.apply(held, year.whole)
    with pytest.MonkeyPatch.context() as patch:
        read_by(held, patch)
        told = outcome(lambda records: by_ranges(held, parts, records), year)
        restored = outcome(lambda records: by_restore(held, records), year)

    assert told == restored
    assert told is not None
    assert (told.position, told.messages) == (len(year.records), len(year.whole))


@pytest.mark.property
@settings(max_examples=60, deadline=None)
@given(
    parts=st.integers(1, 9),
    partitions=st.integers(1, 5),
    found=st.lists(changes, min_size=1, max_size=3),
)
def test_ranges_give_what_a_restore_gives_or_are_refused_too(
    year: Year, parts: int, partitions: int, found: list[Change]
) -> None:
    held = MemoryTopics.of(year.ledger, year.whole, partitions=partitions)
    for change in found:
        change.apply(held, year.whole)
    with pytest.MonkeyPatch.context() as patch:
        read_by(held, patch)
        told = outcome(lambda records: by_ranges(held, parts, records), year)
        restored = outcome(lambda records: by_restore(held, records), year)

    if restored is None and told is not None:
        # What is lost may be there a second time: a reader that begins behind the loss finds it.
        assert {change.kind for change in found} & {"copy", "repeat"}
        return
    if told is not None and told.cut and restored is not None:
        # Of what lies behind the last whole append nobody is told how often it is there.
        told, restored = replace(told, repeated=0), replace(restored, repeated=0)
    assert told == restored


# Hints, and what a range refuses


def slices_of(held: MemoryTopics, patch: pytest.MonkeyPatch, parts: int = 6) -> list[TopicSlice]:
    read_by(held, patch)
    return list(frozen(held).slices(parts))


@pytest.mark.parametrize("number", range(4))
def test_a_reader_that_begins_too_late_goes_back_until_it_has_its_range(
    year: Year, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    held = MemoryTopics.of(year.ledger, year.whole, partitions=3)
    right = slices_of(held, monkeypatch)[number]
    late = replace(right, begins=right.ends)

    with right.open() as well, late.open() as badly:
        wanted = list(well.records())
        found = list(badly.records())

    assert found == wanted == year.records[right.after : right.through]
    assert badly.report().commitments == well.report().commitments


def test_a_reader_does_not_read_what_lies_far_in_front_of_its_range(
    year: Year, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = MemoryTopics.of(year.ledger, year.whole, partitions=3)
    parts = slices_of(held, monkeypatch)
    sources: list[MemorySource] = []

    def source(_: Broker) -> MemorySource:
        sources.append(held.source())
        return sources[-1]

    monkeypatch.setattr(slices, "Source", source)
    for one in parts:
        with one.open() as reader:
            list(reader.records())

    assert len(parts) >= 4
    assert sum(one.read for one in sources) < 2 * len(year.whole)


@pytest.mark.parametrize("number", range(4))
def test_a_message_that_is_missing_is_named_by_the_reader_of_its_range(
    year: Year, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    held = MemoryTopics.of(year.ledger, year.whole, partitions=3)
    one = slices_of(held, monkeypatch)[number]
    gone = next(m for m in year.whole if address_of(m.headers).position == one.through)
    held.place(gone).remove(gone)

    with one.open() as reader, pytest.raises(TopicRestoreError) as raised:
        list(reader.records())

    assert raised.value.facts["position"] == str(one.through)
    assert "is missing" in raised.value.facts["reason"]


def test_two_records_for_one_position_are_refused_wherever_the_second_stands(
    year: Year, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other one stands at the end, in the stretch of a reader who cannot know the first."""
    held = MemoryTopics.of(year.ledger, year.whole, partitions=3)
    first = next(m for m in year.whole if address_of(m.headers) == Address(6, 0))
    headers = tuple(
        (name, bytes(32) if name == "commitment" else value) for name, value in first.headers
    )
    held.place(first).append(first._replace(headers=headers))
    read_by(held, monkeypatch)

    with pytest.raises(TopicRestoreError, match="two different records claim it") as raised:
        by_ranges(held, 6, [])
    assert raised.value.facts["position"] == "6"


def test_a_range_that_was_not_read_is_missed(year: Year, monkeypatch: pytest.MonkeyPatch) -> None:
    held = MemoryTopics.of(year.ledger, year.whole, partitions=3)
    read_by(held, monkeypatch)
    found = frozen(held)
    reports = []
    for one in found.slices(3):
        with one.open() as reader:
            list(reader.records())
            reports.append(reader.report())

    for wrong in ([], reports[:-1], reports[1:]):
        with pytest.raises(TopicRestoreError):
            found.judge(wrong)
    assert found.restored is None


def test_topics_of_nobody_are_refused(year: Year, monkeypatch: pytest.MonkeyPatch) -> None:
    held = MemoryTopics.of(year.ledger, (), partitions=2)
    read_by(held, monkeypatch)
    with pytest.raises(TopicRestoreError, match="no topic begins with position 1"):
        frozen(held)


def test_topics_that_end_in_the_first_append_are_refused(
    year: Year, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = year.records[0].record.append
    held = MemoryTopics.of(year.ledger, year.whole[:1], partitions=2)
    read_by(held, monkeypatch)
    if first.part_count == 1:
        with pytest.raises(TopicRestoreError, match="end before the ledger is opened"):
            by_ranges(held, 1, [])
    else:
        with pytest.raises(TopicRestoreError, match="first append is not whole"):
            frozen(held)


def test_a_slice_shows_neither_where_kafka_is_nor_a_password() -> None:
    security = Security(protocol="SASL_SSL", user="registro", password="hush")  # noqa: S106 - made up
    place = Partition("t.events.v1", 0)
    one = TopicSlice(
        broker=replace(BROKER, security=security),
        topics=Topics(prefix="t"),
        origin=Origin(ledger_id="id", origin="registro.invalid/id"),
        counts={"t.events.v1": 1},
        ends={place: 9},
        begins={place: 0},
        until={place: 9},
        after=0,
        through=9,
        head=9,
    )
    shown = f"{one!r} {Job(slice=one, projection='production')!r}"
    assert "hush" not in shown
    assert "kafka.example.invalid" not in shown
    assert pickle.loads(pickle.dumps(one)).broker.security.password == "hush"  # noqa: S301, S105 - our own bytes, made up
