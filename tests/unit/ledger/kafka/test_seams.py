"""Where topics are cut: offsets never too late where positions rise, and few looks."""

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.kafka import seams
from ledger.kafka.client.connection import Partition
from ledger.kafka.seams import Looks, cut

PLACES = [Partition("t", number) for number in range(3)]
WINDOW = 4


class Held:
    """Partitions of positions; None is a message of somebody else."""

    def __init__(self, held: Mapping[Partition, Sequence[int | None]]) -> None:
        self.held = held
        self.looked = 0

    def look(self, place: Partition, offset: int) -> int | None:
        self.looked += 1
        seen = [one for one in self.held[place][offset : offset + WINDOW] if one is not None]
        return max(seen, default=None)

    def looks(self) -> Looks:
        return Looks(look=self.look, ends={place: len(own) for place, own in self.held.items()})

    def first_behind(self, place: Partition, after: int) -> int:
        """Return the offset of the first message of a later position."""
        own = self.held[place]
        later = [n for n, position in enumerate(own) if position is not None and position > after]
        return min(later, default=len(own))


rising = st.lists(st.integers(1, 60), max_size=80).map(sorted)
with_others = st.lists(st.one_of(st.none(), st.integers(1, 60)), max_size=80)


@pytest.fixture(autouse=True)
def _close(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seams, "CLOSE_ENOUGH", 3)


@pytest.mark.property
@settings(max_examples=150)
@given(st.lists(rising, min_size=3, max_size=3), st.integers(1, 12), st.integers(1, 60))
def test_in_partitions_that_rise_no_seam_is_late(
    own: list[list[int]], parts: int, head: int
) -> None:
    held = Held(dict(zip(PLACES, own, strict=True)))
    found = cut(held.looks(), head=head, parts=parts)

    assert found[0].after == 0
    assert set(found[0].begins.values()) == {0}
    assert len(found) <= parts
    positions = [seam.after for seam in found]
    assert positions == sorted(set(positions))
    assert all(position < head for position in positions)
    for seam in found:
        for place in PLACES:
            assert seam.begins[place] <= held.first_behind(place, seam.after)


@pytest.mark.property
@settings(max_examples=150)
@given(st.lists(with_others, min_size=3, max_size=3), st.integers(1, 12), st.integers(1, 60))
def test_whatever_stands_there_every_offset_is_between_two_seams(
    own: list[list[int | None]], parts: int, head: int
) -> None:
    held = Held(dict(zip(PLACES, own, strict=True)))
    found = cut(held.looks(), head=head, parts=parts)

    for place in PLACES:
        begins = [seam.begins[place] for seam in found]
        assert begins == sorted(begins)
        assert begins[0] == 0
        assert all(begin <= len(held.held[place]) for begin in begins)


@pytest.mark.property
@settings(max_examples=150)
@given(rising, st.integers(0, 60), st.integers(1, 20))
def test_from_the_end_an_offset_is_never_late_either(
    own: list[int], after: int, least: int
) -> None:
    place = PLACES[0]
    held = Held({place: own})
    assert held.looks().begin_near_end(place, after, least=least) <= held.first_behind(place, after)


def test_messages_of_others_make_an_offset_earlier_not_later() -> None:
    place = PLACES[0]
    own: list[int | None] = [*range(1, 101), *(None,) * 400, *range(101, 201)]
    held = Held({place: own})
    assert held.looks().begin(place, 150, least=0, near=3) <= held.first_behind(place, 150)


def test_parts_have_about_as_many_messages_where_positions_are_uneven() -> None:
    """A thousand events in front of ten blocks of a hundred messages each."""
    own = [*range(1, 1001), *(1001 + n // 100 for n in range(1000))]
    held = Held({PLACES[0]: own})
    found = cut(held.looks(), head=1010, parts=4)

    stops = [*(seam.after for seam in found[1:]), 1010]
    sizes = [
        sum(seam.after < position <= stop for position in own)
        for seam, stop in zip(found, stops, strict=True)
    ]
    assert len(sizes) == 4
    assert max(sizes) <= 2 * min(sizes)


def test_few_looks_find_a_seam_in_a_long_partition(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seams, "CLOSE_ENOUGH", 512)
    held = Held({PLACES[0]: range(1, 1_000_001)})
    found = cut(held.looks(), head=1_000_000, parts=2)

    (_, middle) = found
    late = held.first_behind(PLACES[0], middle.after)
    assert late - 40_000 < middle.begins[PLACES[0]] <= late
    assert held.looked < 20


def test_nothing_is_looked_at_twice() -> None:
    held = Held({PLACES[0]: range(1, 101)})
    looks = held.looks()
    for _ in range(3):
        looks.at(PLACES[0], 7)
    assert held.looked == 1


def test_topics_that_hold_nothing_are_not_cut() -> None:
    held = Held(dict.fromkeys(PLACES, ()))
    assert [seam.after for seam in cut(held.looks(), head=5, parts=4)] == [0]
