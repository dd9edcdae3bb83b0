"""A history of what was sent to Kafka, what was acknowledged and what is read there, and its judge.

After the queue model of Jepsen: every message that was acknowledged must be read; a message may be
read without an acknowledgement (it was recovered); nobody may read what was never sent or what was
aborted; each partition gives its messages in the order of the ledger.

Invariants:
1. A step is written down before it is taken (attempts) or after it is over (acknowledgements), and
   the file is written through at once: a process that is killed leaves a true history.
2. The judge knows the history and what is read, and nothing else: no ledger, no publisher.

Source: docs/kafka.md, faults.
"""

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple, Self

from ledger.kafka.client.broker import Sink
from ledger.kafka.client.connection import Broker, Partition
from ledger.kafka.client.source import Source
from ledger.kafka.errors import MessageFormatError
from ledger.kafka.message import Address, Message, address_of
from ledger.kafka.topics import Topics

Deed = Literal["attempt", "acknowledged", "aborted"]


class Element(NamedTuple):
    """One message, wherever it is seen."""

    topic: str
    partition: int
    position: int
    index: int  # type: ignore[assignment] # hides a method of tuples that nobody asks for


class Step(NamedTuple):
    """What somebody did with a message."""

    deed: Deed
    element: Element


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What became of the messages; each tuple in the order in which it was found."""

    lost: tuple[Element, ...]
    """Acknowledged and not read."""
    doubled: tuple[Element, ...]
    """Read more than once; named once."""
    reordered: tuple[Element, ...]
    """Read for the first time behind one that comes later in the ledger."""
    unknown: tuple[Element, ...]
    """Read and never sent."""
    aborted_read: tuple[Element, ...]
    """Read although its sending was aborted, and never sent again."""
    recovered: tuple[Element, ...]
    """Read and sent, never acknowledged: harmless."""
    seed: str = ""
    """What repeats the run."""

    @property
    def valid(self) -> bool:
        """Whether nothing was lost, doubled, reordered or made up."""
        return not (
            self.lost or self.doubled or self.reordered or self.unknown or self.aborted_read
        )

    def __str__(self) -> str:
        said = {
            name: f"{len(found)}: {', '.join(map(_named, found[:5]))}"
            for name in ("lost", "doubled", "reordered", "unknown", "aborted_read", "recovered")
            if (found := getattr(self, name))
        }
        return f"seed {self.seed or '-'}; {said or 'nothing'}"


def _named(element: Element) -> str:
    return f"{element.topic}/{element.partition}@{element.position}.{element.index}"


def judge(
    steps: Iterable[Step], read: Mapping[Partition, Sequence[Element]], *, seed: str = ""
) -> Verdict:
    """Judge what is read against what was done.

    Args:
        steps: in the order in which they were written down.
        read: elements of each partition in order of the offset.
        seed: of the run, for the message of a failure.
    """
    by_deed: dict[Deed, dict[Element, None]] = {"attempt": {}, "acknowledged": {}, "aborted": {}}
    open_now: Counter[Element] = Counter()
    for deed, element in steps:
        by_deed[deed][element] = None
        open_now[element] += {"attempt": 1, "acknowledged": 0, "aborted": -1}[deed]
    times: Counter[Element] = Counter()
    reordered: list[Element] = []
    for found in read.values():
        reordered.extend(_reordered(found))
        times.update(found)
    return Verdict(
        lost=tuple(one for one in by_deed["acknowledged"] if one not in times),
        doubled=tuple(one for one, count in times.items() if count > 1),
        reordered=tuple(reordered),
        unknown=tuple(one for one in times if one not in by_deed["attempt"]),
        aborted_read=tuple(
            one for one in by_deed["aborted"] if one in times and open_now[one] <= 0
        ),
        recovered=tuple(
            one
            for one in times
            if one in by_deed["attempt"]
            and one not in by_deed["acknowledged"]
            and open_now[one] > 0
        ),
        seed=seed,
    )


def _reordered(found: Sequence[Element]) -> list[Element]:
    furthest = (0, -1)
    late: list[Element] = []
    seen: set[Element] = set()
    for one in found:
        place = (one.position, one.index)
        if place > furthest:
            furthest = place
        elif one not in seen:
            late.append(one)
        seen.add(one)
    return late


@dataclass(slots=True)
class History:
    """A file of steps, shared by processes."""

    path: Path
    _file: int = field(init=False)

    def __post_init__(self) -> None:
        """Open the file, which may have steps already."""
        self._file = os.open(self.path, os.O_APPEND | os.O_CREAT | os.O_WRONLY, 0o600)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._file)

    def write(self, deed: Deed, elements: Iterable[Element]) -> None:
        """Write steps down, whole or not at all."""
        text = "".join(f"{deed} {' '.join(map(str, one))}\n" for one in elements)
        if text:
            os.write(self._file, text.encode())

    def steps(self) -> list[Step]:
        """Return everything that was written so far, by whomever."""
        found: list[Step] = []
        for line in self.path.read_text().splitlines():
            deed, topic, *numbers = line.split(" ")
            partition, position, index = map(int, numbers)
            if deed not in ("attempt", "acknowledged", "aborted"):
                raise ValueError(f"{self.path.name} has a step {deed!r}")
            found.append(Step(deed, Element(topic, partition, position, index)))  # type: ignore[arg-type] # checked above
        return found

    def recording(self) -> type[Sink]:
        """Return a producer that writes down what it does."""
        history = self

        class RecordingSink(Sink):
            def __init__(self, broker: Broker) -> None:
                super().__init__(broker)
                self.flying: list[Element] = []

            def begin(self, messages: Sequence[tuple[Message, int]], *, seconds: float) -> None:
                self.flying = [element_of(message, partition) for message, partition in messages]
                history.write("attempt", self.flying)
                super().begin(messages, seconds=seconds)

            def await_confirmed(self) -> None:
                flying, self.flying = self.flying, []
                super().await_confirmed()
                history.write("acknowledged", flying)

        return RecordingSink


def element_of(message: Message, partition: int) -> Element:
    """Return what a message is in a history.

    Raises:
        MessageFormatError: it has no address of a ledger.
    """
    address: Address = address_of(message.headers)
    return Element(message.topic, partition, address.position, address.index)


def read_elements(broker: Broker, topics: Topics) -> dict[Partition, list[Element]]:
    """Read every partition from its beginning; what has no address is left out.

    Raises:
        BrokerError: Kafka does not answer.
    """
    read: dict[Partition, list[Element]] = {}
    with Source(broker) as source:
        places = [place for topic in topics.all for place in source.partitions(topic)]
        source.open(dict.fromkeys(places, 0))
        for place in places:
            read[place] = []
            while (received := source.take(place)) is not None:
                if received.message is None:
                    continue
                try:
                    read[place].append(element_of(received.message, place.number))
                except MessageFormatError:
                    continue
    return read
