"""Which messages of a partition are taken: once each, in doubt only what the ledger has."""

import itertools
import random
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.integrity.block import EVENTS_MAX
from ledger.kafka.client.connection import Partition, partition_of
from ledger.kafka.client.records import Raw
from ledger.kafka.message import Address, Message
from projections.tail.messages import Sorted, Sorter, Taken
from tests.support.tails import NOWHERE, PARTITIONS, ledger_of_facts, log_of, raw

LEDGER = ledger_of_facts()
HEAD = LEDGER.store.head()
LOG = log_of(LEDGER)
PLACE = max(LOG, key=lambda place: len(LOG[place]))
MESSAGES = LOG[PLACE]
FIRSTS = [place for place, own in LOG.items() if len(own[0].headers) > 3]


def sorted_of(
    messages: Sequence[Raw],
    *,
    place: Partition = PLACE,
    last: Address = NOWHERE,
    taken: Taken | None = None,
    settled: int = 0,
    doubtful: int = 0,
    head: int = HEAD,
) -> Sorted:
    return Sorter(LEDGER).sort(
        place,
        messages,
        partitions=PARTITIONS,
        last=last,
        taken=Taken() if taken is None else taken,
        settled=settled,
        doubtful=doubtful,
        head=head,
    )


def address(message: Message) -> Address:
    return Address(int(message.headers[0][1]), int(message.headers[1][1]))


def moved(message: Message, *, position: int | None = None, index: int | None = None) -> Message:
    """Return a message that claims another address."""
    there = address(message)
    named = (
        ("position", b"%d" % (there.position if position is None else position)),
        ("index", b"%d" % (there.index if index is None else index)),
    )
    return message._replace(headers=(*named, *message.headers[2:]))


def test_every_message_of_a_partition_is_taken_once_in_order() -> None:
    for place, messages in LOG.items():
        done = sorted_of(raw(messages, first=7), place=place)

        assert [fact.address for fact in done.facts] == [address(one) for one in messages]
        assert [fact.body for fact in done.facts] == [one.value for one in messages]
        assert [fact.offset for fact in done.facts] == list(range(7, 7 + len(messages)))
        assert done.last == address(messages[-1])
        assert (done.doubt, done.passed.foreign, done.passed.repeated) == (False, 0, 0)


FOREIGN = {
    "no key": lambda one: one._replace(key=None),
    "no value": lambda one: one._replace(value=None),
    "null header": lambda one: one._replace(headers=(("position", None), *one.headers[1:])),
    "no headers": lambda one: one._replace(headers=()),
    "two headers": lambda one: one._replace(headers=one.headers[:2]),
    "headers turned": lambda one: one._replace(headers=one.headers[::-1]),
    "no schema": lambda one: one._replace(headers=(*one.headers[:2], ("schema", b"x"))),
    "leading zero": lambda one: one._replace(headers=(("position", b"07"), *one.headers[1:])),
    "sign": lambda one: one._replace(headers=(one.headers[0], ("index", b"-1"), one.headers[2])),
    "twenty digits": lambda one: one._replace(headers=(("position", b"1" * 20), *one.headers[1:])),
    "beyond the ledger": lambda one: one._replace(
        headers=(("position", b"%d" % (HEAD + 1)), *one.headers[1:])
    ),
    "index of no block": lambda one: one._replace(
        headers=(one.headers[0], ("index", b"%d" % EVENTS_MAX), one.headers[2])
    ),
    "index of nineteen digits": lambda one: one._replace(
        headers=(one.headers[0], ("index", b"9" * 19), one.headers[2])
    ),
}


@pytest.mark.parametrize("doubtful", [0, HEAD])
@pytest.mark.parametrize("kind", FOREIGN)
def test_passes_over_what_is_no_message_of_the_ledger(kind: str, doubtful: int) -> None:
    messages = raw(MESSAGES)
    messages[3] = FOREIGN[kind](messages[3])

    done = sorted_of(messages, doubtful=doubtful)

    assert done.passed.foreign == 1
    assert len(done.facts) == len(MESSAGES) - 1
    assert not done.doubt
    assert done.last == address(MESSAGES[-1])


def test_passes_over_a_first_message_of_another_ledger() -> None:
    first = FIRSTS[0]
    own = LOG[first][0]
    headers = tuple(
        (name, b"00000000-0000-0000-0000-000000000000" if name == "ledger_id" else value)
        for name, value in own.headers
    )

    done = sorted_of(raw([own._replace(headers=headers)]), place=first)

    assert (done.facts, done.passed.foreign) == ([], 1)


def test_passes_over_a_message_in_a_partition_of_another_key() -> None:
    other = Partition(PLACE.topic, (PLACE.number + 1) % PARTITIONS)
    assert partition_of(MESSAGES[0].key, PARTITIONS) == PLACE.number

    done = sorted_of(raw(MESSAGES), place=other)

    assert done.facts == []
    assert done.passed.foreign == len(MESSAGES)
    assert done.last == NOWHERE


def test_what_is_visible_is_passed_over_and_moves_nothing() -> None:
    done = sorted_of(raw(MESSAGES), settled=HEAD)

    assert (done.facts, done.last, done.doubt) == ([], NOWHERE, False)
    assert (done.passed.foreign, done.passed.repeated) == (0, 0)


@pytest.mark.parametrize("at", [0, 1, 5])
def test_a_message_out_of_its_turn_brings_doubt_where_nothing_is_compared(at: int) -> None:
    repeated = [*MESSAGES[: at + 1], MESSAGES[at], *MESSAGES[at + 1 :]]

    done = sorted_of(raw(repeated))

    assert done.doubt
    assert [fact.address for fact in done.facts] == [address(one) for one in MESSAGES[: at + 1]]


def test_a_message_behind_the_one_taken_by_another_run_brings_doubt() -> None:
    assert sorted_of(raw(MESSAGES), last=address(MESSAGES[0])).doubt


def test_a_leap_forward_is_found_out_by_the_next_genuine_message() -> None:
    leap = moved(MESSAGES[0], position=HEAD, index=EVENTS_MAX - 1)

    done = sorted_of(raw([MESSAGES[0], leap, *MESSAGES[1:]]))

    assert done.doubt


@pytest.mark.parametrize(
    "change", ["value", "key", "schema", "position", "index", "header", "leap"]
)
def test_in_doubt_whatever_differs_from_the_ledger_is_passed_over(change: str) -> None:
    one = MESSAGES[4]
    same_place = next(
        word
        for word in (b"X%d" % n for n in range(1000))
        if partition_of(word, PARTITIONS) == PLACE.number
    )
    forged = {
        "value": one._replace(value=one.value + b"\x00"),
        "key": one._replace(key=same_place),
        "schema": one._replace(headers=(*one.headers[:2], ("schema_id", bytes(32)))),
        "position": moved(one, position=1),
        "index": moved(one, index=address(MESSAGES[5]).index),
        "header": one._replace(headers=(*one.headers, ("more", b""))),
        "leap": moved(one, position=HEAD, index=4000),
    }[change]

    done = sorted_of(raw([*MESSAGES[:4], forged, *MESSAGES[4:]]), doubtful=HEAD)

    assert [fact.address for fact in done.facts] == [address(message) for message in MESSAGES]
    assert [fact.body for fact in done.facts] == [message.value for message in MESSAGES]
    assert done.passed.foreign == 1
    assert not done.doubt


def test_beyond_the_doubtful_range_addresses_have_to_ascend() -> None:
    middle = next(n for n, one in enumerate(MESSAGES) if address(one).position == HEAD - 1) + 1
    doubtful = address(MESSAGES[middle]).position - 1
    turned = [*MESSAGES[: middle + 1], MESSAGES[0], MESSAGES[middle]]

    done = sorted_of(raw(turned), doubtful=doubtful)

    assert done.doubt
    assert done.passed.repeated == 1
    assert len(done.facts) == middle + 1


def test_in_doubt_what_another_run_took_is_not_taken_again() -> None:
    taken = Taken()
    for one in MESSAGES[:6]:
        taken.add(address(one))

    done = sorted_of(raw(MESSAGES), doubtful=HEAD, taken=taken, last=address(MESSAGES[5]))

    assert [fact.address for fact in done.facts] == [address(one) for one in MESSAGES[6:]]
    assert done.passed.repeated == 6
    assert all(taken.has(address(one)) for one in MESSAGES)


def test_a_record_that_came_after_the_look_at_the_head_is_taken() -> None:
    assert len(sorted_of(raw(MESSAGES), head=1).facts) == len(MESSAGES)


@pytest.mark.property
@settings(max_examples=60, deadline=None)
@given(chance=st.randoms(use_true_random=False), cuts=st.lists(st.integers(0, 200), max_size=5))
def test_in_doubt_any_order_with_repeats_in_any_runs_gives_each_fact_once(
    chance: random.Random, cuts: list[int]
) -> None:
    turned = [*MESSAGES, *chance.choices(MESSAGES, k=9)]
    chance.shuffle(turned)
    taken = Taken()
    last, found = NOWHERE, []
    marks = [0, *sorted(cut % len(turned) for cut in cuts), len(turned)]
    for begin, end in itertools.pairwise(marks):
        done = sorted_of(raw(turned[begin:end], first=begin), doubtful=HEAD, taken=taken, last=last)
        last = done.last
        found += [fact.address for fact in done.facts]

    assert sorted(found) == [address(one) for one in MESSAGES]
    assert last == address(MESSAGES[-1])


def test_what_was_taken_is_forgotten_up_to_a_position() -> None:
    taken = Taken()
    for one in (Address(3, 0), Address(3, 4095), Address(4, 7)):
        taken.add(one)

    taken.forget(3)

    assert not taken.has(Address(3, 4095))
    assert taken.has(Address(4, 7))
    assert not taken.has(Address(4, 8))
