r"""Read batches of records for kafka-python: several times as quick, whatever names headers have.

The library reads each number of a record by a call of its own, copies every record twice, and gives
up a whole batch for one header name that is not UTF-8: a single message would keep everything
behind it from being read, for ever, since a batch cannot be entered behind the message either. Here
one loop reads a batch, and headers that come again and again are made once.

Invariants:
1. A name that is UTF-8 is read as ever; in another one each byte that does not fit stands as
   `\xNN`.
2. Keys, values and header values come as they are; a record that is damaged is refused, after the
   checksum of its batch.
3. Control batches, aborted transactions and codecs stay with the library.

Source: Kafka's documentation, section 5.3.1, record batch; docs/adr/0014-kafka.md, client rules;
docs/inbox.md.
"""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from kafka.consumer.fetcher import Fetcher
from kafka.errors import CorruptRecordError
from kafka.protocol.consumer import IsolationLevel

from ledger.kafka.client.raw import RawHeaders

_MAGIC: Final = 2
"""Format of batches since Kafka 0.11; the library reads those before it."""
_MORE: Final = 0x80
"""Bit of a byte of a number that another byte follows."""
_BITS: Final = 0x7F
_SHIFT_MAX: Final = 63
_ABSENT: Final = 1
"""Length that a key or value without bytes is written with: -1, folded."""
_ADDRESS: Final = 3
"""Headers of a message that is not the first of its record."""
_PAIR_MAX: Final = 64
"""Longest header that is kept to be found again."""
_SECONDS_MAX: Final = 16_384
"""Headers that are kept."""


class Raw(NamedTuple):
    """A record; what `RawMessage` asks for."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: RawHeaders
    null: bool
    """Whether a header has no value."""


_seconds: dict[bytes, tuple[str, bytes | None]] = {}
"""Second headers of three that have a value, by their bytes; a cache, the same for every batch."""


def _number(data: bytes, at: int) -> tuple[int, int]:
    """Return a number as it is written, sign folded in, and where it ends."""
    found = data[at]
    at += 1
    if found < _MORE:
        return found, at
    found, shift = found & _BITS, 7
    while True:
        byte = data[at]
        at += 1
        found |= (byte & _BITS) << shift
        if byte < _MORE:
            return found, at
        shift += 7
        if shift > _SHIFT_MAX:
            raise ValueError("a number of more than 64 bits")


def _bytes(data: bytes, at: int) -> tuple[bytes | None, int]:
    """Return what stands behind its length, None for an absent one, and where it ends."""
    size = data[at]
    if size & (_MORE | _ABSENT):
        size, at = _number(data, at)
        if size & _ABSENT:
            return None, at
    else:
        at += 1
    end = at + (size >> 1)
    return data[at:end], end


def _pair(data: bytes, at: int) -> tuple[tuple[str, bytes | None], int]:
    """Return a header and where it ends."""
    name, at = _bytes(data, at)
    if name is None:
        raise ValueError("a header without a name")
    value, at = _bytes(data, at)
    return (name.decode("utf-8", "backslashreplace"), value), at


class _Headers:
    """Reads the headers of records, of which mostly all but the second are those before."""

    def __init__(self) -> None:
        self._raw = b""
        self._last: RawHeaders = ()
        self.null = False
        """Whether one of those that were read last has no value."""
        self._begin, self._end = b"", b""
        """Count and first header, and last header, where there are three that have values."""

    def of(self, raw: bytes) -> RawHeaders:
        """Return the headers that bytes stand for.

        Raises:
            ValueError: they stand for none, or for more.
            IndexError: they are cut.
        """
        if raw == self._raw:
            return self._last
        begin, end, last = self._begin, self._end, self._last
        if begin and raw.startswith(begin) and raw.endswith(end):
            # What is kept is one header from its first byte to its last.
            second = _seconds.get(raw[len(begin) : -len(end)])
            if second is not None:
                return (last[0], second, last[2])
        count, at = _number(raw, 0)
        if count & 1:
            raise ValueError("a negative number of headers")
        found = []
        ends = [at]
        for _ in range(count >> 1):
            pair, at = _pair(raw, at)
            found.append(pair)
            ends.append(at)
        if at != len(raw):
            raise ValueError("a record does not end where it says")
        self._raw, self._last = raw, tuple(found)
        self.null = any(value is None for _, value in found)
        three = len(found) == _ADDRESS and not self.null
        self._begin, self._end = (raw[: ends[1]], raw[ends[2] :]) if three else (b"", b"")
        if three and ends[2] - ends[1] <= _PAIR_MAX:
            if len(_seconds) >= _SECONDS_MAX:
                _seconds.clear()
            _seconds[raw[ends[1] : ends[2]]] = found[1]
        return self._last


def records_of(data: bytes, count: int, base: int, first: int, fixed: int | None) -> list[Raw]:
    """Return the records of a batch.

    Args:
        data: the records, not compressed.
        count: how many they must be.
        base: offset that theirs are counted from.
        first: milliseconds since 1970 that their timestamps are counted from.
        fixed: the timestamp of all, where the broker set it.

    Raises:
        ValueError: a record does not end where it says, or something stands behind the last one.
        IndexError: a record is cut.
    """
    found: list[Raw] = []
    headers = _Headers()
    make, add, headers_of = tuple.__new__, found.append, headers.of
    more, long_or_absent = _MORE, _MORE | _ABSENT
    at = 0
    for _ in range(count):
        size, at = _number(data, at)
        end = at + (size >> 1)
        # Behind one byte of attributes.
        delta, place = data[at + 1], data[at + 2]
        at += 3
        if delta >= more or place >= more:
            delta, at = _number(data, at - 2)
            place, at = _number(data, at)
        size = data[at]
        if size & long_or_absent:
            key, at = _bytes(data, at)
        else:
            begin, at = at + 1, at + 1 + (size >> 1)
            key = data[begin:at]
        size = data[at]
        if size & long_or_absent:
            value, at = _bytes(data, at)
        else:
            begin, at = at + 1, at + 1 + (size >> 1)
            value = data[begin:at]
        if at >= end or place & 1:
            raise ValueError("a record does not end where it says")
        stamp = fixed if fixed is not None else first + ((delta >> 1) ^ -(delta & 1))
        own = headers_of(data[at:end])
        add(make(Raw, (base + (place >> 1), stamp, key, value, own, headers.null)))
        at = end
    if at != len(data):
        raise ValueError("records end before the batch, or behind it")
    return found


class QuickRecords(Fetcher.PartitionRecords):  # type: ignore[misc] # kafka-python is untyped
    """What was fetched of a partition, read batch by batch."""

    def _unpack_records(self, _place: Any, batches: Any, *_: object) -> Iterator[Raw]:
        last = None
        while (batch := batches.next_batch()) is not None:
            last = batch
            if self.check_crcs and not batch.validate_crc():
                raise CorruptRecordError(
                    f"the batch at offset {batch.base_offset} fails its checksum"
                )
            if self._is_shown(batch):
                self.bytes_read += batch.size_in_bytes
                for record in _read(batch):
                    self.records_read += 1
                    self.next_fetch_offset = record.offset + 1
                    yield record
            else:
                self.next_fetch_offset = batch.next_offset
        if last is not None and last.magic == _MAGIC:
            # The last records of a batch may be gone.
            self.next_fetch_offset = last.next_offset
        self.drain()

    def _is_shown(self, batch: Any) -> bool:
        """Tell whether readers are given the records of a batch: neither aborted nor a mark."""
        if batch.magic < _MAGIC:
            return True
        self.leader_epoch = batch.leader_epoch
        if self.isolation_level == IsolationLevel.READ_COMMITTED and batch.has_producer_id():
            self._consume_aborted_transactions_up_to(batch.last_offset)
            if self._contains_abort_marker(batch):
                self.aborted_producer_ids.discard(batch.producer_id)
            elif self._is_batch_aborted(batch):
                return False
        return not batch.is_control_batch


def _read(batch: Any) -> list[Raw]:
    if batch.magic < _MAGIC:
        return [Raw(one.offset, one.timestamp, one.key, one.value, (), null=False) for one in batch]
    # Asking for an iterator is what has the library decompress.
    data = bytes(iter(batch)._buffer[batch._pos :])  # noqa: SLF001 - the library shows records only one by one
    fixed = batch.max_timestamp if batch.timestamp_type == batch.LOG_APPEND_TIME else None
    try:
        return records_of(
            data, batch.records_count, batch.base_offset, batch.first_timestamp, fixed
        )
    except (ValueError, IndexError) as error:
        raise CorruptRecordError(f"the batch at offset {batch.base_offset}: {error}") from error


def read_quickly(client: Any) -> None:
    """Have a consumer of the library read so; any other client stays as it is."""
    fetcher = getattr(client, "_fetcher", None)
    if fetcher is not None:
        fetcher.PartitionRecords = QuickRecords
