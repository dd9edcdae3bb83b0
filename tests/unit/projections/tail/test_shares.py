"""What is folded in pieces is what a rebuild folds, or is refused."""

import itertools
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.errors import PositionGapError, ProjectionError
from ledger.integrity.block import EVENTS_MAX
from ledger.kafka.client.connection import Partition
from ledger.kafka.message import Address
from ledger.types import Position
from projections.runner.folding import fold_records
from projections.runner.poison import UNFOLDABLE
from projections.tail.handover import Share, Window
from projections.tail.messages import Fact
from projections.tail.planning import WINDOW_RECORDS, windows_of
from projections.tail.shares import (
    DoubtError,
    addresses_of,
    cells_of,
    first_missing,
    judged,
    seen_of,
)
from schemas.registry import default_registry
from tests.support.kafka import ledger_with_facts
from tests.support.ledgers import embedded
from tests.support.tails import (
    PRODUCTION,
    facts_of,
    ledger_of_facts,
    log_of,
    share_of,
    whole_shares,
)
from tests.support.tampering import tamper

LEDGER = ledger_of_facts()
STORE = LEDGER.store
HEAD = STORE.head()
LOG = log_of(LEDGER)
FACTS = {place: facts_of(messages) for place, messages in LOG.items()}
PLACE = max(FACTS, key=lambda place: len(FACTS[place]))
COUNT = sum(map(len, FACTS.values()))
(WHOLE,) = windows_of(STORE, after=0, head=HEAD)


def rebuilt(window: Window) -> pl.DataFrame:
    """Return what a rebuild has of a window."""
    records = STORE.read(after=Position(window.after), through=Position(window.through))
    folded = fold_records(PRODUCTION, iter(records), through=Position(window.through), threads=1)
    return PRODUCTION.merge([folded.rows])


def shares_of(window: Window, runs: Sequence[tuple[Partition, Sequence[Fact]]]) -> list[Share]:
    """Return the shares of runs of messages."""
    found = []
    for place, facts in runs:
        own = [one for one in facts if window.after < one.address.position <= window.through]
        if own:
            found.append(share_of(place, window, own))
    return found


def with_facts(changed: Sequence[Fact]) -> list[Share]:
    """Return the shares of everything, one partition having these facts."""
    return shares_of(WHOLE, [*((p, f) for p, f in FACTS.items() if p != PLACE), (PLACE, changed)])


def test_windows_join_and_hold_what_the_ledger_has() -> None:
    cut = [windows_of(STORE, after=after, head=after + 1)[0] for after in range(HEAD)]

    assert (WHOLE.after, WHOLE.through, WHOLE.facts) == (0, HEAD, COUNT)
    assert sum(one.facts for one in cut) == COUNT
    assert sum(one.events for one in cut) == WHOLE.events > COUNT
    assert windows_of(STORE, after=HEAD, head=HEAD) == []


@embedded
def test_a_window_with_a_gap_is_not_planned(tmp_path: Path) -> None:
    path = tmp_path / "ledger"
    ledger = ledger_with_facts(path, facts=3)
    head = ledger.head()
    assert head <= WINDOW_RECORDS
    tamper(path, ("DELETE FROM record WHERE position = ?", (5,)))

    with pytest.raises(PositionGapError) as caught:
        windows_of(ledger.store, after=0, head=head)
    with pytest.raises(PositionGapError):
        windows_of(ledger.store, after=3, head=5)

    assert caught.value.facts["after"] == "4"


@pytest.mark.property
@settings(max_examples=60, deadline=None)
@given(
    bounds=st.sets(st.integers(1, HEAD - 1), max_size=4),
    cuts=st.lists(st.integers(0, 80), max_size=6),
    order=st.randoms(use_true_random=False),
)
def test_any_cutting_into_windows_partitions_and_runs_gives_the_rows_of_a_rebuild(
    bounds: set[int], cuts: list[int], order: random.Random
) -> None:
    marks = [0, *sorted(bounds), HEAD]
    windows = [
        windows_of(STORE, after=after, head=through)[0]
        for after, through in itertools.pairwise(marks)
    ]
    runs: list[tuple[Partition, Sequence[Fact]]] = []
    for place, facts in FACTS.items():
        ends = [0, *sorted({cut % (len(facts) + 1) for cut in cuts}), len(facts)]
        runs += [(place, facts[a:b]) for a, b in itertools.pairwise(ends)]
    order.shuffle(runs)

    parts = []
    for window in windows:
        rows = judged(PRODUCTION, STORE, window, shares_of(window, runs))
        assert rows.equals(rebuilt(window))
        parts.append(rows)

    assert PRODUCTION.merge(parts).equals(rebuilt(WHOLE))


Change = Callable[[list[Fact], int], list[Fact]]


def _altered(facts: list[Fact], at: int) -> list[Fact]:
    one = facts[at]
    other = next(two for two in facts if two.body != one.body and two.schema_id == one.schema_id)
    return [*facts[:at], one._replace(body=other.body), *facts[at + 1 :]]


def _readdressed(facts: list[Fact], at: int) -> list[Fact]:
    one = facts[at]
    free = Address(one.address.position, 4000)
    return sorted([*facts[:at], one._replace(address=free), *facts[at + 1 :]])


def _moved_to_an_event(facts: list[Fact], at: int) -> list[Fact]:
    event = Address(next(p for p in range(1, HEAD) if not _is_block(p)), 0)
    return sorted([*facts[:at], facts[at]._replace(address=event), *facts[at + 1 :]])


def _swapped(facts: list[Fact], at: int) -> list[Fact]:
    one = facts[at]
    to = next(n for n, two in enumerate(facts) if two.body != one.body)
    swapped = list(facts)
    swapped[at] = one._replace(body=facts[to].body)
    swapped[to] = facts[to]._replace(body=one.body)
    return swapped


def _is_block(position: int) -> bool:
    return any(one.address.position == position for facts in FACTS.values() for one in facts)


CHANGES: dict[str, Change] = {
    "left out": lambda facts, at: facts[:at] + facts[at + 1 :],
    "doubled": lambda facts, at: facts[: at + 1] + facts[at:],
    "altered": _altered,
    "swapped": _swapped,
    "at another index": _readdressed,
    "at an event": _moved_to_an_event,
    "at a record of before": lambda facts, at: sorted(
        [*facts[:at], facts[at]._replace(address=Address(0, 0)), *facts[at + 1 :]]
    ),
    "in the last place": lambda facts, at: sorted(
        [
            *facts[:at],
            facts[at]._replace(address=Address(facts[at].address.position, EVENTS_MAX - 1)),
            *facts[at + 1 :],
        ]
    ),
}


@pytest.mark.property
@pytest.mark.parametrize("change", CHANGES)
@settings(max_examples=12, deadline=None)
@given(at=st.integers(0, len(FACTS[PLACE]) - 1))
def test_refuses_any_single_change_of_a_fact(change: str, at: int) -> None:
    changed = CHANGES[change](FACTS[PLACE], at)
    assert changed != FACTS[PLACE]

    with pytest.raises(DoubtError):
        judged(PRODUCTION, STORE, WHOLE, with_facts(changed))


def test_refuses_a_share_that_stands_there_twice() -> None:
    shares = whole_shares(LOG, WHOLE)

    with pytest.raises(DoubtError):
        judged(PRODUCTION, STORE, WHOLE, [*shares, shares[0]])


@pytest.mark.parametrize("missing", range(2))
def test_refuses_a_window_without_one_of_its_shares(missing: int) -> None:
    shares = whole_shares(LOG, WHOLE)
    del shares[missing]

    with pytest.raises(DoubtError):
        judged(PRODUCTION, STORE, WHOLE, shares)


def test_refuses_facts_of_one_record_with_two_schemas() -> None:
    first, second, *rest = FACTS[PLACE]
    other = next(
        one.schema_id
        for facts in FACTS.values()
        for one in facts
        if one.schema_id != first.schema_id
    )
    assert first.address.position == second.address.position
    share = whole_shares({PLACE: LOG[PLACE]}, WHOLE)[0]
    seen = seen_of([first, second._replace(schema_id=other), *rest])
    shares = [one for one in whole_shares(LOG, WHOLE) if one.place != PLACE]

    with pytest.raises(DoubtError):
        judged(PRODUCTION, STORE, WHOLE, [*shares, replace(share, seen=seen)])


def test_a_window_without_facts_gives_no_rows_and_takes_none() -> None:
    (empty,) = windows_of(STORE, after=0, head=1)
    assert empty.facts == 0

    assert judged(PRODUCTION, STORE, empty, ()).is_empty()
    with pytest.raises(DoubtError):
        judged(PRODUCTION, STORE, empty, whole_shares(LOG, WHOLE)[:1])


@embedded
def test_a_record_that_does_not_give_its_commitment_is_named(tmp_path: Path) -> None:
    path = tmp_path / "ledger"
    ledger = ledger_with_facts(path, facts=3)
    (window,) = windows_of(ledger.store, after=0, head=ledger.head())
    block = next(one.position for one in ledger.store.read() if one.record.kind.name == "BLOCK")
    tamper(path, ("UPDATE record SET salt = zeroblob(32) WHERE position = ?", (block,)))

    with pytest.raises(ProjectionError) as caught:
        judged(PRODUCTION, ledger.store, window, ())

    assert int(caught.value.facts["position"]) == block


def test_names_the_first_facts_that_are_missing() -> None:
    shares = whole_shares(LOG, WHOLE)
    assert first_missing(STORE, WHOLE, [one.seen for one in shares]) is None

    gone = FACTS[PLACE][2:5]
    rest = [one.seen for one in with_facts([one for one in FACTS[PLACE] if one not in gone])]
    first = gone[0].address.position

    assert first_missing(STORE, WHOLE, rest) == (
        first,
        tuple(one.address.index for one in gone if one.address.position == first),
    )


def test_nothing_forged_stands_for_a_fact_that_is_missing() -> None:
    first = FACTS[PLACE][0].address
    changed = sorted(
        [
            FACTS[PLACE][0]._replace(address=Address(first.position, EVENTS_MAX - 1)),
            *FACTS[PLACE][1:],
        ]
    )

    found = first_missing(STORE, WHOLE, [one.seen for one in with_facts(changed)])

    assert found == (first.position, (first.index,))


def test_what_nobody_handed_in_is_missing_from_the_first_block_on() -> None:
    block = min(one.address.position for facts in FACTS.values() for one in facts)
    count = sum(one.address.position == block for facts in FACTS.values() for one in facts)

    assert first_missing(STORE, WHOLE, ()) == (block, tuple(range(count)))
    assert first_missing(STORE, windows_of(STORE, after=0, head=1)[0], ()) is None


@pytest.mark.property
@settings(max_examples=60, deadline=None)
@given(
    addresses=st.sets(
        st.tuples(st.integers(1, 50), st.integers(0, EVENTS_MAX - 1)), min_size=1, max_size=40
    )
)
def test_a_share_says_which_facts_it_has_and_is_no_longer_for_far_indexes(
    addresses: set[tuple[int, int]],
) -> None:
    facts = [Fact(Address(*one), 0, b"s", b"") for one in sorted(addresses)]

    seen = seen_of(facts)

    assert list(addresses_of(seen)) == [one.address for one in facts]
    assert len(seen) < 4000 + 80 * len(facts)


def test_dense_facts_take_a_bit_each() -> None:
    facts = [Fact(Address(7, index), 0, b"s", b"") for index in range(4096)]

    assert len(seen_of(facts)) < len(seen_of(facts[:1])) + 4096 // 8


@pytest.mark.property
@settings(max_examples=150, deadline=None)
@given(
    body=st.binary(max_size=80),
    schema_id=st.sampled_from(
        sorted({one.schema_id for facts in FACTS.values() for one in facts} | {bytes(32), b""})
    ),
    others=st.sampled_from([(), tuple(FACTS[PLACE])]),
)
def test_garbage_gives_cells_or_an_error_that_is_foreseen(
    body: bytes, schema_id: bytes, others: tuple[Fact, ...]
) -> None:
    garbage = Fact(Address(HEAD, 0), 0, schema_id, body)

    try:
        cells, _ = cells_of(PRODUCTION, [garbage, *others], default_registry())
    except UNFOLDABLE:
        return
    assert cells
