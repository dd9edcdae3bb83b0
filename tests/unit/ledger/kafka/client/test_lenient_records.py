"""A header name of any bytes keeps nobody from reading what stands beside and behind it."""

import pytest
from kafka.errors import CorruptRecordError
from kafka.record.default_records import DefaultRecordBatchBuilder
from kafka.record.memory_records import MemoryRecords

from ledger.kafka.client.records import LenientBatch, read_leniently

NONE, ZSTD = 0, 4


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


def batch_of(*names: bytes, compression: int = NONE) -> bytes:
    """Return a batch with a record for each header name."""
    builder = DefaultRecordBatchBuilder(
        magic=2,
        compression_type=compression,
        is_transactional=0,
        producer_id=-1,
        producer_epoch=-1,
        base_sequence=-1,
        batch_size=1 << 20,
    )
    for number, name in enumerate(names):
        headers = [("before", b"\xff"), (named(name), b"\x00\xfe"), ("behind", None)]
        builder.append(number, timestamp=1, key=b"\xfe%d" % number, value=b"\xff", headers=headers)
    return bytes(builder.build())


@pytest.mark.parametrize("compression", [NONE, ZSTD])
def test_names_that_are_not_utf_8_are_escaped_and_the_rest_comes_as_it_is(compression: int) -> None:
    found = list(
        LenientBatch(batch_of(b"a", b"\xffb", "è".encode(), b"\xc3", compression=compression))
    )

    assert [one.headers[1][0] for one in found] == ["a", "\\xffb", "è", "\\xc3"]
    assert [one.key for one in found] == [b"\xfe0", b"\xfe1", b"\xfe2", b"\xfe3"]
    for number, one in enumerate(found):
        assert (one.offset, one.value) == (number, b"\xff")
        assert type(one.key) is type(one.value) is bytes
        assert one.headers[0] == ("before", b"\xff")
        assert one.headers[1][1] == b"\x00\xfe"
        assert one.headers[2] == ("behind", None)


def test_the_library_reads_leniently_once_it_is_told() -> None:
    read_leniently()

    batch = MemoryRecords(batch_of(b"\xff")).next_batch()

    assert [one.headers[1][0] for one in batch] == ["\\xff"]


@pytest.mark.parametrize("names", [(b"a",), (b"\xff",)])
def test_refuses_a_record_that_is_cut(names: tuple[bytes, ...]) -> None:
    whole = batch_of(*names)

    with pytest.raises(CorruptRecordError):
        list(LenientBatch(whole[:-3]))


def test_the_checksum_is_that_of_the_bytes_as_they_came() -> None:
    good = batch_of(b"\xff")

    assert LenientBatch(good).validate_crc()
    assert not LenientBatch(good[:-1] + b"x").validate_crc()
