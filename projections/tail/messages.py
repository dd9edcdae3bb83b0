"""Which messages of a partition are events of the ledger that are not visible yet.

Invariants:
1. Nothing is refused here: what is not of the ledger, or stands there twice, is passed over and
   counted. Whether all is there, and as the ledger has it, is judged before it becomes visible.
2. Where a window was in doubt every message is compared with the ledger, and those that were taken
   are known one by one; elsewhere addresses only ascend.

Source: docs/adr/0018-live-tail.md; docs/formats/message.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Self

from ledger.integrity.block import EVENTS_MAX
from ledger.kafka.client.connection import Partition, partition_of
from ledger.kafka.client.raw import RawMessage
from ledger.kafka.errors import MessageFormatError
from ledger.kafka.message import Address, Message, address_of, origin_of
from ledger.kafka.tails import Ledger

KEPT_RECORDS: Final = 8
"""Records whose messages are kept for further comparisons."""
_SCHEMA_HEADER: Final = 2
_SCHEMA: Final = "schema_id"


class Fact(NamedTuple):
    """An event of the topics."""

    address: Address
    offset: int
    schema_id: bytes
    body: bytes


@dataclass(kw_only=True, slots=True)
class Passed:
    """What was passed over."""

    foreign: int = 0
    """Messages that are none of this ledger, or not as it has them."""
    repeated: int = 0
    """Messages that stand there twice."""

    def __iadd__(self, other: "Passed") -> Self:
        self.foreign += other.foreign
        self.repeated += other.repeated
        return self


@dataclass(kw_only=True, slots=True)
class Sorted:
    """The messages of a run."""

    facts: list[Fact] = field(default_factory=list)
    """Not visible yet, by address."""
    last: Address
    """Greatest of those taken, now or before."""
    doubt: bool = False
    """Whether a message came out of turn where nothing was compared: stop, and begin in doubt."""
    passed: Passed = field(default_factory=Passed)


class Taken:
    """Addresses that were taken of a partition: a bit each, and forgotten once they are visible."""

    def __init__(self) -> None:
        self._bits: dict[int, int] = {}

    def add(self, address: Address) -> None:
        """Take an address of the ledger."""
        position, index = address
        self._bits[position] = self._bits.get(position, 0) | 1 << index

    def has(self, address: Address) -> bool:
        """Tell whether an address was taken."""
        return bool(self._bits.get(address.position, 0) >> address.index & 1)

    def forget(self, through: int) -> None:
        """Let go of everything up to a position."""
        for position in [one for one in self._bits if one <= through]:
            del self._bits[position]


class Sorter:
    """Sorts the messages of the topics of one ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._kept: dict[int, tuple[Message, ...]] = {}

    def sort(
        self,
        place: Partition,
        messages: Sequence[RawMessage],
        *,
        partitions: int,
        last: Address,
        taken: Taken,
        settled: int,
        doubtful: int,
        head: int,
    ) -> Sorted:
        """Sort a run of messages.

        Args:
            place: where they stand.
            messages: in order of the offset.
            partitions: of the topic.
            last: greatest address taken before.
            taken: addresses in the doubtful range that were taken; those of this run are added.
            settled: up to this position everything is visible.
            doubtful: up to this position every message is compared with the ledger.
            head: of the ledger, a little while ago.
        """
        done, asked = Sorted(last=last), False
        for one in messages:
            message = _message(place, one)
            address = None if message is None else self._claimed(message, place, partitions)
            if message is None or address is None:
                done.passed.foreign += 1
                continue
            if address.position <= settled:
                continue
            if address.position > head and not asked:
                head, asked = self._ledger.store.head(), True
            if address.position > head:
                # It claims what the ledger does not hold: it was published by no one.
                done.passed.foreign += 1
                continue
            if address.position <= doubtful:
                if not self._is_new(message, address, taken, done.passed):
                    continue
            elif address <= done.last:
                done.doubt = True
                break
            done.last = max(done.last, address)
            schema_id = message.headers[_SCHEMA_HEADER][1]
            done.facts.append(Fact(address, one.offset, schema_id, message.value))
        done.facts.sort()
        return done

    def _claimed(self, message: Message, place: Partition, partitions: int) -> Address | None:
        """Return the address of what says that it is of this ledger and stands where it would."""
        headers = message.headers
        try:
            address = address_of(headers)
            ours = address.index > 0 or origin_of(headers) == self._ledger.origin
        except MessageFormatError:
            return None
        there = partition_of(message.key, partitions) == place.number
        named = headers[_SCHEMA_HEADER][0] == _SCHEMA and address.index < EVENTS_MAX
        return address if ours and there and named else None

    def _is_new(self, message: Message, address: Address, taken: Taken, passed: Passed) -> bool:
        if not self._is_ledgers(message, address):
            passed.foreign += 1
            return False
        if taken.has(address):
            passed.repeated += 1
            return False
        taken.add(address)
        return True

    def _is_ledgers(self, message: Message, address: Address) -> bool:
        if address.position not in self._kept:
            while len(self._kept) >= KEPT_RECORDS:
                del self._kept[next(iter(self._kept))]
            self._kept[address.position] = self._ledger.messages_at(address.position)
        written = self._kept[address.position]
        return address.index < len(written) and written[address.index] == message


def _message(place: Partition, one: RawMessage) -> Message | None:
    """Return a message; None when it has no key, no value or a header without a value."""
    if one.key is None or one.value is None:
        return None
    headers: list[tuple[str, bytes]] = []
    for name, value in one.headers:
        if value is None:
            return None
        headers.append((name, value))
    return Message(place.topic, one.key, one.value, tuple(headers))
