"""A preimage is read back strictly: no two records have one, and no other bytes are one."""

import hmac
import struct
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.integrity.commitment import (
    DOMAIN,
    Preimage,
    RecordFields,
    parse_preimage,
    preimage,
)
from ledger.integrity.problems import PreimageError
from tests.support.any_record import records
from tests.support.record_fixtures import record_fixture

EXAMPLES = settings(max_examples=150)
HEADER_BYTES = 19 + 32
"""Domain tag and outer salt."""

EVENT = record_fixture("event").fields
BLOCK = record_fixture("block").fields


def prefixed(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


def said(fields: RecordFields, read: Preimage) -> RecordFields:
    """The fields that a preimage says, with those that it does not hold taken over."""
    return RecordFields(
        kind=read.kind,
        stream=read.stream,
        stream_version=read.stream_version,
        event_type=read.event_type,
        schema_id=read.schema_id,
        append_key=read.append_key,
        part=read.part,
        part_count=read.part_count,
        input_digest=read.input_digest,
        recorded_at=read.recorded_at,
        envelope_schema_id=read.envelope_schema_id,
        envelope=read.envelope,
        lengths=fields.lengths,
        content=fields.content,
        salt=fields.salt,
    )


@pytest.mark.property
@EXAMPLES
@given(records())
def test_a_preimage_reads_back_as_its_fields(fields: RecordFields) -> None:
    read = parse_preimage(preimage(fields))

    assert said(fields, read) == fields
    assert read.event_count == len(fields.lengths)
    assert read.outer_salt == hmac.digest(fields.salt, b"registro/salt/outer/v1", "sha256")


@st.composite
def neighbours(draw: st.DrawFn) -> tuple[RecordFields, RecordFields]:
    """Two records that differ little: bytes may have moved from one field to the next."""
    one = draw(records())
    other = draw(records())
    names = draw(st.sets(st.sampled_from(["stream", "event_type", "append_key", "envelope"])))
    joined = one.stream + one.event_type + one.append_key
    cuts = sorted(draw(st.sets(st.integers(1, max(1, len(joined) - 1)), min_size=2, max_size=2)))
    moved = replace(
        one,
        stream=joined[: cuts[0]],
        event_type=joined[cuts[0] : cuts[1]],
        append_key=joined[cuts[1] :],
    )
    mixed = replace(one, **{name: getattr(other, name) for name in names})
    return one, draw(st.sampled_from([moved, mixed, other]))


@pytest.mark.property
@EXAMPLES
@given(st.one_of(neighbours(), st.tuples(records(), records())))
def test_two_different_field_sets_never_have_one_preimage(
    pair: tuple[RecordFields, RecordFields],
) -> None:
    one, other = pair

    assert (preimage(one) == preimage(other)) == (one == other)


def fields_at(data: bytes) -> list[int]:
    """Offsets of the length prefixes of the fifteen fields."""
    found, offset = [], HEADER_BYTES
    while offset < len(data):
        found.append(offset)
        offset += 4 + int.from_bytes(data[offset : offset + 4])
    return found


def test_a_preimage_has_fifteen_fields() -> None:
    assert len(fields_at(preimage(EVENT))) == len(fields_at(preimage(BLOCK))) == 15


def test_refuses_a_preimage_cut_anywhere() -> None:
    data = preimage(BLOCK)
    for end in range(len(data)):
        with pytest.raises(PreimageError):
            parse_preimage(data[:end])


@pytest.mark.parametrize("tail", [b"\x00", b"\x00\x00\x00\x00", b"\n", bytes(32)])
def test_refuses_bytes_behind_the_last_field(tail: bytes) -> None:
    data = preimage(EVENT)

    with pytest.raises(PreimageError, match="bytes behind the last field") as caught:
        parse_preimage(data + tail)

    assert caught.value.facts["offset"] == str(len(data))


@pytest.mark.parametrize(
    "domain",
    [b"registro/record/v2\n", b"registro/record/v1 ", b"Registro/record/v1\n", b"\x00" * 19],
)
def test_refuses_another_domain(domain: bytes) -> None:
    with pytest.raises(PreimageError, match="not a preimage of version 1"):
        parse_preimage(domain + preimage(EVENT)[len(DOMAIN) :])


@pytest.mark.parametrize("number", range(15))
@pytest.mark.parametrize("by", [-1, 1, 2**31])
def test_refuses_every_length_prefix_that_is_wrong(number: int, by: int) -> None:
    data = bytearray(preimage(EVENT))
    offset = fields_at(bytes(data))[number]
    length = int.from_bytes(data[offset : offset + 4])
    data[offset : offset + 4] = (length + by).to_bytes(4)

    with pytest.raises(PreimageError):
        parse_preimage(bytes(data))


@pytest.mark.parametrize(
    ("number", "size"),
    [(0, 1), (2, 8), (6, 4), (7, 4), (9, 8), (12, 4), (13, 32), (14, 32)],
)
@pytest.mark.parametrize("by", [-1, 1])
def test_refuses_a_number_or_digest_of_another_size(number: int, size: int, by: int) -> None:
    with pytest.raises(PreimageError, match=f"{size + by} bytes, not {size}"):
        parse_preimage(with_field(number, bytes(size + by)))


def with_field(number: int, value: bytes) -> bytes:
    """The preimage of the event with one field replaced, properly framed."""
    data = preimage(EVENT)
    starts = [*fields_at(data), len(data)]
    return data[: starts[number]] + prefixed(value) + data[starts[number + 1] :]


@pytest.mark.parametrize("number", [4, 8, 10])
@pytest.mark.parametrize("size", [1, 31, 33])
def test_refuses_an_id_neither_empty_nor_of_32_bytes(number: int, size: int) -> None:
    with pytest.raises(PreimageError, match="neither empty nor 32 bytes"):
        parse_preimage(with_field(number, bytes(size)))


@pytest.mark.parametrize("number", [1, 3, 5])
@pytest.mark.parametrize("value", [b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"a\x80"])
def test_refuses_text_that_is_no_utf8(number: int, value: bytes) -> None:
    with pytest.raises(PreimageError, match="not valid UTF-8"):
        parse_preimage(with_field(number, value))


@pytest.mark.parametrize("count", [0, 2**20 + 1, 2**32 - 1])
def test_refuses_a_count_of_events_that_no_record_has(count: int) -> None:
    with pytest.raises(PreimageError, match=f"{count} events"):
        parse_preimage(with_field(12, count.to_bytes(4)))


@pytest.mark.property
@EXAMPLES
@given(st.binary(max_size=300))
def test_refuses_made_up_bytes_and_never_fails_otherwise(data: bytes) -> None:
    for made in (data, DOMAIN + data):
        with pytest.raises(PreimageError):
            parse_preimage(made)


@pytest.mark.property
@EXAMPLES
@given(records(), st.data())
def test_a_preimage_with_another_byte_is_refused_or_says_something_else(
    fields: RecordFields, data: st.DataObject
) -> None:
    good = preimage(fields)
    place = data.draw(st.integers(0, len(good) - 1))
    bad = bytearray(good)
    bad[place] ^= data.draw(st.integers(1, 255))

    try:
        read = parse_preimage(bytes(bad))
    except PreimageError:
        return

    assert read != parse_preimage(good)
