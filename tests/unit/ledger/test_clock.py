"""Where time and randomness enter."""

import datetime as dt
from uuid import RFC_4122, UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.clock import SystemClock, SystemEntropy, random_uuid
from tests.support.ledgers import CountingEntropy


class Bytes:
    """Gives the bytes it was made with."""

    def __init__(self, given: bytes) -> None:
        self.given = given
        self.asked: list[int] = []

    def token(self, size: int) -> bytes:
        self.asked.append(size)
        return self.given


def test_the_present_instant_is_aware_and_in_utc() -> None:
    before = dt.datetime.now(tz=dt.UTC)  # noqa: TID251 - compared with the adapter

    now = SystemClock().now()

    assert now.utcoffset() == dt.timedelta(0)
    assert before <= now <= before + dt.timedelta(seconds=5)


@pytest.mark.parametrize("size", [1, 16, 32, 1000])
def test_a_token_has_the_size_asked_for(size: int) -> None:
    assert len(SystemEntropy().token(size)) == size


def test_two_tokens_differ() -> None:
    assert SystemEntropy().token(32) != SystemEntropy().token(32)


def test_an_identifier_takes_16_bytes_of_the_entropy_given() -> None:
    entropy = Bytes(b"\xff" * 16)

    found = random_uuid(entropy)

    assert entropy.asked == [16]
    assert found == UUID("ffffffff-ffff-4fff-bfff-ffffffffffff")


@pytest.mark.property
@given(raw=st.binary(min_size=16, max_size=16))
def test_every_identifier_is_a_uuid_of_version_4(raw: bytes) -> None:
    found = random_uuid(Bytes(raw))

    assert found.version == 4
    assert found.variant == RFC_4122


def test_the_same_entropy_gives_the_same_identifier() -> None:
    assert random_uuid(CountingEntropy()) == random_uuid(CountingEntropy())
