"""Bytes near those that a reader accepts: one or a few small changes, from a seed.

The same seed gives the same bytes on every machine.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from typing import Final

INTERESTING: Final = (
    b"\x00",
    b"\xff",
    b"\x7f",
    b"\x80",
    b"\n",
    b" ",
    b"+",
    b"0",
    b"-",
    b"=",
    b"\xe2\x80\x94 ",
)
"""Bytes at which readers go wrong: ends of ranges, separators, signs."""
CHANGES_MAX: Final = 4


def mutated(seeds: Sequence[bytes], *, seed: int, count: int) -> Iterator[bytes]:
    """Yield so many changed forms of the seeds, each in turn."""
    drawn = random.Random(seed)  # noqa: S311 - the same in every run
    for number in range(count):
        data = bytearray(seeds[number % len(seeds)])
        for _ in range(drawn.randint(1, CHANGES_MAX)):
            drawn.choice(_CHANGES)(data, seeds, drawn)
        yield bytes(data)


def _flip(data: bytearray, _: Sequence[bytes], drawn: random.Random) -> None:
    if data:
        data[drawn.randrange(len(data))] ^= 1 << drawn.randrange(8)


def _put(data: bytearray, _: Sequence[bytes], drawn: random.Random) -> None:
    place = drawn.randint(0, len(data))
    data[place:place] = drawn.choice(INTERESTING)


def _over(data: bytearray, _: Sequence[bytes], drawn: random.Random) -> None:
    new = drawn.choice(INTERESTING)
    place = drawn.randint(0, len(data))
    data[place : place + len(new)] = new


def _drop(data: bytearray, _: Sequence[bytes], drawn: random.Random) -> None:
    begin = drawn.randint(0, len(data))
    del data[begin : begin + drawn.choice((1, 1, 2, 4, 32))]


def _double(data: bytearray, _: Sequence[bytes], drawn: random.Random) -> None:
    begin = drawn.randint(0, len(data))
    part = data[begin : begin + drawn.choice((1, 2, 8, 32))]
    data[begin:begin] = part


def _cut(data: bytearray, _: Sequence[bytes], drawn: random.Random) -> None:
    del data[drawn.randint(0, len(data)) :]


def _swap(data: bytearray, _: Sequence[bytes], drawn: random.Random) -> None:
    lines = bytes(data).split(b"\n")
    one, other = drawn.randrange(len(lines)), drawn.randrange(len(lines))
    lines[one], lines[other] = lines[other], lines[one]
    data[:] = b"\n".join(lines)


def _splice(data: bytearray, seeds: Sequence[bytes], drawn: random.Random) -> None:
    other = drawn.choice(seeds)
    place = drawn.randint(0, min(len(data), len(other)))
    data[place:] = other[place:]


_CHANGES: Final[Sequence[Callable[[bytearray, Sequence[bytes], random.Random], None]]] = (
    _flip,
    _put,
    _over,
    _drop,
    _double,
    _cut,
    _swap,
    _splice,
)
