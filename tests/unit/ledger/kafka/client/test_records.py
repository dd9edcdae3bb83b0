"""Batches are read as the library reads them, only quicker, and with header names of any bytes."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka import TopicPartition
from kafka.consumer.fetcher import Fetcher
from kafka.errors import CorruptRecordError
from kafka.protocol.consumer import IsolationLevel
from kafka.record.default_records import DefaultRecordBatchBuilder
from kafka.record.memory_records import MemoryRecords

from ledger.kafka.client.records import QuickRecords, Raw, read_quickly

NONE, GZIP, ZSTD = 0, 1, 4
PLACE = TopicPartition("t", 0)

Written = tuple[int, bytes | None, bytes | None, list[tuple[str, bytes | None]]]
"""Timestamp, key, value, headers."""


class RawName(str):
    """A header name that is written as bytes of our choice."""

    __slots__ = ("raw",)
    raw: bytes

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:  # noqa: ARG002 - as the class it stands in for
        return self.raw


def named(raw: bytes) -> RawName:
    made = RawName("name")
    made.raw = raw
    return made


def batch_of(records: Sequence[Written], *, compression: int = NONE, producer: int = -1) -> bytes:
    """Return a batch."""
    builder = DefaultRecordBatchBuilder(
        magic=2,
        compression_type=compression,
        is_transactional=producer >= 0,
        producer_id=producer,
        producer_epoch=0 if producer >= 0 else -1,
        base_sequence=0 if producer >= 0 else -1,
        batch_size=1 << 22,
    )
    for number, (stamp, key, value, headers) in enumerate(records):
        builder.append(number, timestamp=stamp, key=key, value=value, headers=headers)
    return bytes(builder.build())


def named_batch(*names: bytes, compression: int = NONE) -> bytes:
    """Return a batch with a record for each header name."""
    records: list[Written] = [
        (1, b"\xfe%d" % n, b"\xff", [("before", b"\xff"), (named(raw), b"\x00"), ("behind", None)])
        for n, raw in enumerate(names)
    ]
    return batch_of(records, compression=compression)


def reading(kind: Any, data: bytes, begin: int = 0, **said: Any) -> Any:
    """Return what a consumer makes of fetched bytes."""
    return kind(begin, PLACE, MemoryRecords(data), **said)


def quick(data: bytes, **said: Any) -> list[Raw]:
    found: list[Raw] = reading(QuickRecords, data, **said).take()
    return found


def fields_of(records: Sequence[Any]) -> list[tuple[Any, ...]]:
    return [(r.offset, r.timestamp, r.key, r.value, tuple(r.headers)) for r in records]


KEYS = st.none() | st.binary(max_size=200)
HEADERS = st.lists(st.tuples(st.text(max_size=90), st.none() | st.binary(max_size=90)), max_size=4)
RECORDS = st.lists(
    st.tuples(st.integers(0, 2**41), KEYS, KEYS, HEADERS), min_size=1, max_size=12
).map(lambda found: [one for one in found if one[1] is not None or one[2] is not None])


@pytest.mark.property
@given(records=RECORDS, compression=st.sampled_from([NONE, GZIP, ZSTD]))
def test_every_batch_is_read_as_the_library_reads_it(
    records: list[Written], compression: int
) -> None:
    data = batch_of(records, compression=compression)

    found = quick(data)

    assert fields_of(found) == fields_of(reading(Fetcher.PartitionRecords, data).take())
    assert [one.null for one in found] == [
        any(value is None for _, value in headers) for *_, headers in records
    ]


def test_headers_that_change_in_the_second_of_three_are_read_each_time() -> None:
    records: list[Written] = []
    for n in range(600):
        headers: list[tuple[str, bytes | None]] = [
            ("position", b"%d" % (n // 3)),
            ("index", b"%d" % (n % 3)),
            ("schema_id", b"\x09" * 32),
        ]
        records.append((1, b"k", b"v", headers))

    found = quick(batch_of(records))

    assert [list(one.headers) for one in found] == [headers for *_, headers in records]


def test_what_lies_between_equal_first_and_last_headers_need_not_be_one() -> None:
    ends: list[tuple[str, bytes | None]] = [("a", b"1"), ("z", b"9")]
    three: list[tuple[str, bytes | None]] = [ends[0], ("m", b"5"), ends[1]]
    null: list[tuple[str, bytes | None]] = [ends[0], ("m", None), ends[1]]
    four: list[tuple[str, bytes | None]] = [ends[0], ("m", b"5"), ("n", b"6"), ends[1]]
    empty: list[tuple[str, bytes | None]] = [ends[0], ("m", b""), ends[1]]
    headers = [three, null, three, null, empty, four, ends, three, empty, null]
    records: list[Written] = [(1, b"k", b"v", one) for one in headers]

    found = quick(batch_of(records))

    assert [list(one.headers) for one in found] == headers
    assert [one.null for one in found] == [one is null for one in headers]


@pytest.mark.parametrize("compression", [NONE, ZSTD])
def test_names_that_are_not_utf_8_are_escaped_and_the_rest_comes_as_it_is(compression: int) -> None:
    found = quick(named_batch(b"a", b"\xffb", "è".encode(), b"\xc3", compression=compression))

    assert [one.headers[1][0] for one in found] == ["a", "\\xffb", "è", "\\xc3"]
    assert [one.key for one in found] == [b"\xfe0", b"\xfe1", b"\xfe2", b"\xfe3"]
    for number, one in enumerate(found):
        assert (one.offset, one.value) == (number, b"\xff")
        assert type(one.key) is type(one.value) is bytes
        assert one.headers[0] == ("before", b"\xff")
        assert one.headers[1][1] == b"\x00"
        assert one.headers[2] == ("behind", None)


@pytest.mark.parametrize("cut", range(1, 40))
def test_refuses_a_batch_that_is_cut(cut: int) -> None:
    whole = bytearray(named_batch(b"a", b"b")[:-cut])
    whole[8:12] = (len(whole) - 12).to_bytes(4)

    with pytest.raises(CorruptRecordError):
        quick(bytes(whole), check_crcs=False)


def test_refuses_bytes_behind_the_last_record() -> None:
    whole = bytearray(named_batch(b"a")) + b"\x00"
    whole[8:12] = (len(whole) - 12).to_bytes(4)

    with pytest.raises(CorruptRecordError, match="end before the batch"):
        quick(bytes(whole), check_crcs=False)


def test_refuses_a_batch_with_a_wrong_checksum() -> None:
    good = named_batch(b"\xff")

    assert len(quick(good)) == 1
    with pytest.raises(CorruptRecordError, match="checksum"):
        quick(good[:-1] + b"x")


@pytest.mark.property
@given(place=st.integers(61, 10_000), byte=st.integers(0, 255))
def test_what_the_library_reads_of_a_changed_batch_is_read_so_too(place: int, byte: int) -> None:
    whole = bytearray(named_batch(*[b"n%d" % n for n in range(8)]))
    whole[min(place, len(whole) - 1)] = byte
    data = bytes(whole)

    try:
        theirs = reading(Fetcher.PartitionRecords, data, check_crcs=False)
        expected = fields_of(theirs.take())
        if theirs:
            # It gives out what stands in front of damage, and refuses that when asked again.
            theirs.take()
    except CorruptRecordError:
        return
    if any(fields[0] < 0 for fields in expected):
        # No broker writes a record in front of its batch; that one is refused here.
        return

    assert fields_of(quick(data, check_crcs=False)) == expected


def test_what_stands_before_the_offset_that_was_asked_for_is_left_out() -> None:
    found = reading(QuickRecords, named_batch(b"a", b"b", b"c"), 2).take()

    assert [one.offset for one in found] == [2]


def test_what_is_taken_in_parts_goes_on_where_it_stopped() -> None:
    records = reading(QuickRecords, named_batch(b"a", b"b", b"c"))

    assert [one.offset for one in records.take(2)] == [0, 1]
    assert records.next_fetch_offset == 2
    assert [one.offset for one in records.take(5)] == [2]
    assert records.next_fetch_offset == 3


def test_aborted_transactions_are_left_out_and_the_place_moves_on() -> None:
    class Aborted:
        producer_id = 7
        first_offset = 0

    records: list[Written] = [(1, b"k", b"v", [])] * 3
    said = {
        "isolation_level": IsolationLevel.READ_COMMITTED,
        "aborted_transactions": [Aborted()],
    }

    mine = reading(QuickRecords, batch_of(records, producer=7), **said)
    other = reading(QuickRecords, batch_of(records, producer=8), **said)

    assert mine.take() == []
    assert mine.next_fetch_offset == 3
    assert len(other.take()) == 3


def test_only_consumers_are_changed() -> None:
    class Client:
        """A client that fetches nothing."""

    client = Client()

    read_quickly(client)

    assert vars(client) == {}
