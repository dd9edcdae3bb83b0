"""The live tail where something is wrong: with a member, the topics, or the ledger itself."""

import time
from collections.abc import Callable

import pytest

from ledger.errors import ProjectionError
from ledger.kafka.client.connection import partition_of
from ledger.kafka.message import Message
from ledger.kafka.topics import FACTS_PARTITIONS
from projections.tail.tail import Tail
from tests.services.test_kafka_tail import (
    PRODUCTION,
    SECONDS,
    Scene,
    path_in,
    prefix,
    scene,
)
from tests.support.kafka import SERVERS, rogue
from tests.support.ledgers import embedded
from tests.support.tampering import tamper

__all__ = ["prefix", "scene"]

PARTITIONS = 6 * FACTS_PARTITIONS

pytestmark = [
    pytest.mark.skipif(
        not SERVERS, reason="no Kafka: scripts/services up, then make test-services"
    ),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def work(ended: Callable[[], bool], *tails: Tail) -> int:
    """Let members work in turn until something holds; return how many facts they folded."""
    until, facts = time.monotonic() + SECONDS, 0
    while not ended():
        facts += sum(one.step().facts for one in tails)
        assert time.monotonic() < until
    return facts


def block_of(scene: Scene) -> int:
    """Return the last record that has facts of several partitions."""
    return next(
        position
        for position in range(scene.head, 0, -1)
        if len(scene.ledger.messages_at(position)) > FACTS_PARTITIONS
    )


def assert_runs(scene: Scene) -> None:
    """The read model is halted no more."""
    assert scene.live is not None
    assert scene.live.halted_at is None


def sent(message: Message) -> None:
    """Write a message where the publisher would."""
    rogue(message, partition=partition_of(message.key, FACTS_PARTITIONS))


def test_a_member_to_which_nothing_comes_sees_that_the_group_began_anew(scene: Scene) -> None:
    with scene.member() as one, scene.member() as other:
        work(
            lambda: (
                one.partitions + other.partitions == PARTITIONS
                and min(one.partitions, other.partitions) > 0
                and scene.position == scene.head
            ),
            one,
            other,
        )
        leader, idle = (one, other) if one.leads else (other, one)
        scene.add("2")
        scene.publish()
        folded = 0
        while not folded:
            folded = idle.step().facts
        swap_for_a_copy(scene)

        work(lambda: scene.position == scene.head, leader, idle)

    scene.assert_as_rebuilt()


def swap_for_a_copy(scene: Scene) -> None:
    """Put another generation of the same rows in the place of the live one, as a rebuild does."""
    live, rows = scene.live, scene.views.rows(PRODUCTION)
    assert live is not None
    new = scene.views.begin(PRODUCTION)
    new = scene.views.apply(
        PRODUCTION, new, rows, position=live.position, events=live.events, fallbacks=0
    )
    assert scene.views.swap(PRODUCTION, new)


def test_a_message_that_was_lost_halts_the_read_model_and_comes_too_late_for_nothing(
    scene: Scene,
) -> None:
    with scene.member() as tail:
        scene.until_head(tail)
        before = scene.position
        scene.add("2", facts=12)
        messages = [
            message
            for position in range(before + 1, scene.head + 1)
            for message in scene.ledger.messages_at(position)
        ]
        lost = next(one for one in messages if len(one.headers) == 3)
        for message in messages:
            if message is not lost:
                sent(message)

        with pytest.raises(ProjectionError) as caught:
            work(lambda: scene.position == scene.head, tail)
        assert caught.value.facts["reason"].startswith("1 of ")
        assert scene.position == before
        assert scene.live is not None
        assert scene.live.halted_at == before + 1

        sent(lost)
        scene.until_head(tail)

    assert_runs(scene)
    scene.assert_as_rebuilt()


@embedded
def test_a_spoilt_record_halts_the_read_model_right_in_front_of_it(scene: Scene) -> None:
    path = path_in(scene.folder)
    with scene.member() as tail:
        scene.until_head(tail)
        scene.add("2")
        scene.publish()
        block = block_of(scene)
        (salt,) = (one.salt for one in scene.ledger.store.read() if one.position == block)
        tamper(path, ("UPDATE record SET salt = zeroblob(32) WHERE position = ?", (block,)))

        with pytest.raises(ProjectionError) as caught:
            work(lambda: scene.position == scene.head, tail)
        assert scene.live is not None
        assert int(caught.value.facts["position"]) == block
        assert (scene.live.position, scene.live.halted_at) == (block - 1, block)

        tamper(path, ("UPDATE record SET salt = ? WHERE position = ?", (salt, block)))
        scene.until_head(tail)

    assert_runs(scene)
    scene.assert_as_rebuilt()
