"""The read port: reading in batches, and the identifiers of events."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import feed
from ledger.aggregates.base import Proposal
from ledger.application import LedgerApplication
from ledger.envelopes import command
from ledger.errors import PositionGapError
from ledger.events.acts import ActReferenceCorrected
from ledger.feed import RecordedEvent, event_id_of, read_all
from ledger.records import AppendPart
from ledger.types import BEFORE_FIRST, AppendKey, Digest, Position
from tests.support.given import PLAN_ACT, act_adopted, envelope, under_act
from tests.support.ledgers import new_ledger


def part(key: str, number: int = 0, count: int = 1) -> AppendPart:
    return AppendPart(key=AppendKey(key), part=number, part_count=count)


@pytest.fixture
def ledger() -> LedgerApplication:
    opened = new_ledger()
    for number in range(7):
        act = replace(PLAN_ACT, number=str(number))
        opened.execute(
            command(f"act/{number}", [Proposal(event=act_adopted(act), envelope=envelope())])
        )
    return opened


class Counting:
    """A feed that counts how often it is read."""

    def __init__(self, ledger: LedgerApplication) -> None:
        self.ledger = ledger
        self.limits: list[int] = []

    def head(self) -> Position:
        return self.ledger.head()

    def read(
        self, *, after: Position = BEFORE_FIRST, through: Position | None = None, limit: int
    ) -> tuple[RecordedEvent, ...]:
        self.limits.append(limit)
        return self.ledger.read(after=after, through=through, limit=limit)


@pytest.mark.parametrize("batch", [1, 2, 3, 1000])
def test_reads_everything_once_whatever_the_batch(
    ledger: LedgerApplication, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr(feed, "READ_BATCH_EVENTS", batch)
    counting = Counting(ledger)

    found = [item.position for item in read_all(counting)]

    assert found == list(range(1, ledger.head() + 1))
    assert len(counting.limits) == -(-ledger.head() // batch)


@pytest.mark.parametrize(
    ("after", "through"), [(0, 3), (2, 5), (3, 3), (5, 2), (99, None), (0, 0), (4, 999)]
)
def test_reads_between_bounds(ledger: LedgerApplication, after: int, through: int | None) -> None:
    bound = None if through is None else Position(through)

    found = [item.position for item in read_all(ledger, after=Position(after), through=bound)]

    last = ledger.head() if through is None else min(through, ledger.head())
    assert found == list(range(after + 1, last + 1))


class Gapped(Counting):
    """A feed from which records were taken out."""

    def __init__(self, ledger: LedgerApplication, *missing: int) -> None:
        super().__init__(ledger)
        self.missing = missing

    def read(
        self, *, after: Position = BEFORE_FIRST, through: Position | None = None, limit: int
    ) -> tuple[RecordedEvent, ...]:
        found = super().read(after=after, through=through, limit=1000)
        return tuple(item for item in found if item.position not in self.missing)[:limit]


@pytest.mark.parametrize("batch", [1, 2, 1000])
@pytest.mark.parametrize(
    ("missing", "after", "found"),
    [([1], 0, 2), ([4], 3, 5), ([4, 5, 6], 3, 7), ([3, 6], 2, 4)],
)
def test_stops_where_a_record_is_missing(
    ledger: LedgerApplication,
    monkeypatch: pytest.MonkeyPatch,
    batch: int,
    *,
    missing: list[int],
    after: int,
    found: int,
) -> None:
    monkeypatch.setattr(feed, "READ_BATCH_EVENTS", batch)
    read: list[int] = []

    with pytest.raises(PositionGapError) as caught:
        read.extend(item.position for item in read_all(Gapped(ledger, *missing)))

    assert caught.value.facts == {"after": str(after), "found": str(found)}
    assert read == [] or read[-1] <= after


def test_stops_where_the_records_up_to_the_head_are_missing(ledger: LedgerApplication) -> None:
    head = ledger.head()
    reading = read_all(Gapped(ledger, head - 1, head))

    with pytest.raises(PositionGapError):
        list(reading)


def test_a_missing_record_outside_the_bounds_stops_nobody(ledger: LedgerApplication) -> None:
    gapped = Gapped(ledger, 2, 6)

    found = read_all(gapped, after=Position(2), through=Position(5))

    assert [item.position for item in found] == [3, 4, 5]


def test_stops_at_the_head_as_it_was_at_the_beginning(ledger: LedgerApplication) -> None:
    head = ledger.head()
    reading = read_all(ledger)
    first = next(reading)
    ledger.execute(command("late", [Proposal(event=act_adopted(), envelope=envelope())]))

    assert [first.position, *(item.position for item in reading)][-1] == head


def test_an_event_tells_the_librarys_words_for_its_place(ledger: LedgerApplication) -> None:
    (event,) = ledger.read(after=Position(ledger.head() - 1), limit=1)

    assert event.originator_id == event.stream
    assert event.originator_version == event.stream_version == 1
    assert event.address == str(ledger.head())
    assert event.event_id == event_id_of(event.append)


def test_the_identifier_of_an_event_never_changes() -> None:
    assert event_id_of(part("act/1")) == "3b2ec62f-9eaf-8371-aae1-eb8f98c660a7"


def test_the_identifier_depends_on_key_and_part_only() -> None:
    same = AppendPart(key=AppendKey("k"), part=1, part_count=9, input_digest=Digest(b"\x01" * 32))

    assert event_id_of(same) == event_id_of(part("k", 1, 2))


@pytest.mark.property
@given(key=st.text(max_size=60), number=st.integers(0, 2**32 - 1))
def test_every_identifier_is_a_uuid_of_version_8(key: str, number: int) -> None:
    found = UUID(event_id_of(part(key, number)))

    assert found.version == 8
    assert found.variant == "specified in RFC 4122"


@pytest.mark.property
@given(
    parts=st.lists(
        st.tuples(st.text(max_size=8), st.integers(0, 300)), min_size=2, max_size=30, unique=True
    )
)
def test_different_events_have_different_identifiers(parts: Sequence[tuple[str, int]]) -> None:
    assert len({event_id_of(part(key, number)) for key, number in parts}) == len(parts)


def test_two_ledgers_give_the_same_command_the_same_identifiers() -> None:
    wanted = command(
        "k", [Proposal(event=act_adopted(), envelope=envelope()), under_act_correction()]
    )
    ids = []
    for ledger in (new_ledger(), new_ledger(sandbox=True)):
        ledger.execute(wanted)
        ids.append([item.event_id for item in ledger.read(limit=99) if item.append.key == "k"])

    assert ids[0] == ids[1]
    assert len(set(ids[0])) == 2


def under_act_correction() -> Proposal:
    cited = replace(PLAN_ACT, number="99")
    return under_act(
        ActReferenceCorrected(document_id="rp", locator="1", cited=cited, correct=PLAN_ACT)
    )
