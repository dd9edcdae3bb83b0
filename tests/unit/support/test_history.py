"""The judge of histories must find every way in which a history can be bad."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.kafka.client.connection import Partition
from tests.support.history import Element, History, Step, Verdict, judge

TOPIC = "t.events.v1"
PLACE = Partition(TOPIC, 0)


def one(position: int, index: int = 0, *, partition: int = 0) -> Element:
    return Element(TOPIC, partition, position, index)


def acknowledged(*elements: Element) -> list[Step]:
    """What is written down when everything goes well."""
    return [
        *(Step("attempt", each) for each in elements),
        *(Step("acknowledged", each) for each in elements),
    ]


def judged(steps: Sequence[Step], *read: Element) -> Verdict:
    return judge(steps, {PLACE: list(read)}, seed="s")


def test_what_was_sent_acknowledged_and_read_is_valid() -> None:
    found = judged(
        acknowledged(one(1), one(2), one(3, 0), one(3, 1)), *map(one, (1, 2, 3)), one(3, 1)
    )

    assert found.valid
    assert found.recovered == ()


def test_an_acknowledged_message_that_is_not_read_is_lost() -> None:
    found = judged(acknowledged(one(1), one(2)), one(1))

    assert (found.lost, found.valid) == ((one(2),), False)


def test_a_message_that_was_never_acknowledged_may_be_absent() -> None:
    assert judged([Step("attempt", one(1))]).valid


def test_a_message_read_without_acknowledgement_is_recovered_and_valid() -> None:
    found = judged([Step("attempt", one(1))], one(1))

    assert (found.recovered, found.valid) == ((one(1),), True)


def test_a_message_read_twice_is_doubled_and_named_once() -> None:
    found = judged(acknowledged(one(1), one(2)), one(1), one(2), one(1), one(1))

    assert (found.doubled, found.reordered, found.valid) == ((one(1),), (), False)


@pytest.mark.parametrize(
    ("read", "late"),
    [
        ((2, 1, 3), (1,)),
        ((3, 2, 1), (2, 1)),
        ((2, 3, 1), (1,)),
    ],
)
def test_a_message_behind_a_later_one_is_reordered(
    read: tuple[int, ...], late: tuple[int, ...]
) -> None:
    found = judged(acknowledged(*map(one, (1, 2, 3))), *map(one, read))

    assert (found.reordered, found.valid) == (tuple(map(one, late)), False)


def test_the_index_in_a_record_counts_for_the_order() -> None:
    found = judged(acknowledged(one(1, 0), one(1, 1)), one(1, 1), one(1, 0))

    assert found.reordered == (one(1, 0),)


def test_order_is_asked_of_each_partition_alone() -> None:
    first, second = one(1), one(2, partition=1)

    found = judge(
        acknowledged(first, second), {Partition(TOPIC, 1): [second], Partition(TOPIC, 0): [first]}
    )

    assert found.valid


def test_a_message_in_the_wrong_partition_is_unknown_and_the_right_one_lost() -> None:
    found = judge(acknowledged(one(1)), {Partition(TOPIC, 1): [one(1, partition=1)]})

    assert (found.unknown, found.lost) == ((one(1, partition=1),), (one(1),))


def test_a_message_that_nobody_sent_is_unknown() -> None:
    found = judged(acknowledged(one(1)), one(1), one(9))

    assert (found.unknown, found.valid) == ((one(9),), False)


def test_an_aborted_message_that_is_read_is_found() -> None:
    found = judged([Step("attempt", one(1)), Step("aborted", one(1))], one(1))

    assert (found.aborted_read, found.recovered, found.valid) == ((one(1),), (), False)


def test_an_aborted_message_may_be_sent_again() -> None:
    steps = [Step("attempt", one(1)), Step("aborted", one(1)), *acknowledged(one(1))]

    assert judged(steps, one(1)).valid


def test_the_verdict_names_its_seed_and_what_it_found() -> None:
    said = str(judged(acknowledged(one(1), one(2)), one(1), one(1)))

    assert "seed s" in said
    assert "lost" in said
    assert f"{TOPIC}/0@2.0" in said
    assert "doubled" in said


def test_a_history_is_shared_by_whoever_opens_the_file(tmp_path: Path) -> None:
    with History(tmp_path / "h") as first, History(tmp_path / "h") as second:
        first.write("attempt", [one(1), one(2, 5)])
        second.write("acknowledged", [one(1)])
        first.write("aborted", [])

        found = first.steps()

    assert found == [
        Step("attempt", one(1)),
        Step("attempt", one(2, 5)),
        Step("acknowledged", one(1)),
    ]


def test_a_history_with_a_step_of_no_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "h").write_text("guessed t 0 1 0\n")

    with History(tmp_path / "h") as history, pytest.raises(ValueError, match="guessed"):
        history.steps()


@pytest.mark.property
@settings(max_examples=100, deadline=None)
@given(
    count=st.integers(2, 12),
    bad=st.sampled_from(["lose", "double", "swap", "invent"]),
    data=st.data(),
)
def test_any_single_fault_in_a_good_history_is_found(
    count: int, bad: str, data: st.DataObject
) -> None:
    elements = [one(number) for number in range(1, count + 1)]
    read = list(elements)
    at = data.draw(st.integers(0, count - 2))
    match bad:
        case "lose":
            del read[at]
        case "double":
            read.append(read[at])
        case "swap":
            read[at], read[at + 1] = read[at + 1], read[at]
        case _:
            read.insert(at, one(count + 1 + at))

    assert judge(acknowledged(*elements), {PLACE: elements}).valid
    assert not judge(acknowledged(*elements), {PLACE: read}).valid
