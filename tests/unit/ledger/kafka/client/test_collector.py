"""The collector of cycles is left as it was, whoever wanted it seldom and however they left."""

import gc
from collections.abc import Iterator

import pytest

from ledger.kafka.client.collector import SELDOM, seldom_collected


@pytest.fixture(autouse=True)
def _own() -> Iterator[None]:
    before = gc.get_threshold()
    gc.set_threshold(701, 11, 12)
    yield
    gc.set_threshold(*before)


def test_it_runs_seldom_inside_and_as_before_behind() -> None:
    with seldom_collected():
        assert gc.get_threshold() == (SELDOM, 11, 12)

    assert gc.get_threshold() == (701, 11, 12)


def test_who_leaves_first_does_not_take_it_from_the_other() -> None:
    first, second = seldom_collected(), seldom_collected()
    first.__enter__()
    second.__enter__()

    first.__exit__(None, None, None)
    assert gc.get_threshold() == (SELDOM, 11, 12)

    second.__exit__(None, None, None)
    assert gc.get_threshold() == (701, 11, 12)


def test_an_error_leaves_it_as_before() -> None:
    with pytest.raises(ValueError, match="inside"), seldom_collected():
        raise ValueError("inside")

    assert gc.get_threshold() == (701, 11, 12)
