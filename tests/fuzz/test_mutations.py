"""Every reader of foreign bytes, fed with damaged forms of what it accepts: refused, or the same.

`make fuzz` goes on where this ends, guided by coverage.
"""

import pytest

from tests.fuzz.mutations import mutated
from tests.fuzz.names import NAMES
from tests.fuzz.targets import TARGETS, accepts

TRIES = 400
TRIES_SLOW = 25
SLOW = {"dossier", "member", "container"}
"""Readers that open a whole zip each time."""


def test_every_reader_has_its_name() -> None:
    assert list(TARGETS) == list(NAMES)


@pytest.mark.parametrize("name", TARGETS)
def test_seeds_are_accepted(name: str) -> None:
    target = TARGETS[name]

    for seed in target.seeds():
        assert accepts(target, seed), seed[:80]


@pytest.mark.parametrize("name", TARGETS)
def test_damaged_bytes_are_refused_or_mean_what_they_say(name: str) -> None:
    target, seeds = TARGETS[name], list(TARGETS[name].seeds())
    count = TRIES_SLOW if name in SLOW else TRIES
    refused = 0

    for data in mutated(seeds, seed=len(name), count=count):
        refused += not accepts(target, data)

    assert refused or name in {"dossier", "member", "block"}


@pytest.mark.parametrize("name", TARGETS)
def test_nothing_and_noise_break_no_reader(name: str) -> None:
    for data in (b"", b"\x00", b"\xff" * 300, b"\n" * 50, b"PK\x05\x06" + bytes(18)):
        accepts(TARGETS[name], data)
