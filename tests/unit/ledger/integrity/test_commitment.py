"""The commitment covers every field of a record, and nothing out of bounds is hashed."""

import hashlib
import hmac
import struct
from collections.abc import Callable
from dataclasses import fields as fields_of
from dataclasses import replace
from typing import TypedDict, Unpack

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.integrity.commitment import (
    RecordFields,
    check,
    commitment,
    parse_preimage,
    preimage,
    quick_commitment,
    seal,
)
from ledger.integrity.problems import FieldBoundsError
from ledger.types import Digest
from tests.support.any_record import records
from tests.support.record_fixtures import record_fixture

EXAMPLES = settings(max_examples=150)
EVENT = record_fixture("event").fields
BLOCK = record_fixture("block").fields
OTHER = bytes(range(100, 132))

LEAST = "1b9bc32e99afecc93141f5fb1dbb3a9dc52b6b4a58e9121b6242bd5f995232bb"
GREATEST = "385da95ed6c488ac562f025943bbac55e3d8d1d8a15b64a4e47042b44ac5ec06"
"""Commitments at the bounds, computed apart from the ledger's code."""


class Change(TypedDict, total=False):
    """One altered field of a record, or two that only make sense together."""

    kind: int
    stream: str
    stream_version: int
    event_type: str
    schema_id: bytes
    append_key: str
    part: int
    part_count: int
    input_digest: bytes
    recorded_at: int
    envelope_schema_id: bytes
    envelope: bytes
    lengths: tuple[int, ...]
    content: bytes
    salt: bytes


def changed(base: RecordFields, **change: Unpack[Change]) -> RecordFields:
    return replace(base, **change)


def prefixed(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


def reference(fields: RecordFields) -> bytes:
    """The commitment of an event record, written from docs/formats/record.md and block.md."""

    def salt(purpose: bytes) -> bytes:
        return hmac.new(fields.salt, b"registro/salt/" + purpose + b"/v1", "sha256").digest()

    own = hashlib.sha256(salt(b"inner") + bytes(4)).digest()
    content = (
        b"registro/content/v1\n"
        + salt(b"content")
        + struct.pack(">II", 1, len(fields.content))
        + fields.content
    )
    parts = [
        struct.pack(">B", fields.kind),
        fields.stream.encode("utf-8"),
        struct.pack(">Q", fields.stream_version),
        fields.event_type.encode("utf-8"),
        fields.schema_id,
        fields.append_key.encode("utf-8"),
        struct.pack(">I", fields.part),
        struct.pack(">I", fields.part_count),
        fields.input_digest,
        struct.pack(">Q", fields.recorded_at),
        fields.envelope_schema_id,
        fields.envelope,
        struct.pack(">I", 1),
        hashlib.sha256(content).digest(),
        hashlib.sha256(b"\x00" + own + fields.content).digest(),
    ]
    data = b"registro/record/v1\n" + salt(b"outer") + b"".join(map(prefixed, parts))
    return hashlib.sha256(data).digest()


CHANGES: list[Change] = [
    {"stream": "amounts/2024"},
    {"stream_version": 4},
    {"event_type": "registro.example.AmountCorrected"},
    {"schema_id": OTHER},
    {"schema_id": b""},
    {"append_key": "example/amounts/2"},
    {"part": 0},
    {"part_count": 3},
    {"input_digest": OTHER},
    {"input_digest": b""},
    {"recorded_at": EVENT.recorded_at + 1},
    {"envelope_schema_id": OTHER},
    {"envelope_schema_id": b""},
    {"envelope": EVENT.envelope + b"\x00"},
    {"envelope": b""},
    {"content": b"\x01" + EVENT.content[1:]},
    {"content": EVENT.content + b"\x00", "lengths": (len(EVENT.content) + 1,)},
    {"salt": OTHER},
    {"kind": 2},
]
"""Each alone must give another commitment."""


# What is covered


@pytest.mark.parametrize("change", CHANGES)
def test_altering_a_field_changes_the_commitment(change: Change) -> None:
    altered = changed(EVENT, **change)

    assert altered != EVENT
    assert commitment(altered) != commitment(EVENT)


def test_every_field_is_among_the_altered_ones() -> None:
    names = {field.name for field in fields_of(RecordFields)}

    assert names == {name for change in CHANGES for name in change}


def test_moving_the_border_between_two_bodies_changes_the_commitment() -> None:
    first, second, third = BLOCK.lengths

    moved = changed(BLOCK, lengths=(first - 1, second + 1, third))

    assert commitment(moved) != commitment(BLOCK)


def test_swapping_two_bodies_of_one_length_changes_the_commitment() -> None:
    first, second, third = record_fixture("block").bodies
    assert len(first) == len(third)

    swapped = changed(BLOCK, content=third + second + first)

    assert commitment(swapped) != commitment(BLOCK)


def test_an_empty_body_more_changes_the_commitment() -> None:
    longer = changed(BLOCK, lengths=(*BLOCK.lengths, 0))

    assert commitment(longer) != commitment(BLOCK)


@pytest.mark.property
@EXAMPLES
@given(records(), st.binary(min_size=1, max_size=20), st.data())
def test_any_flipped_bit_of_the_content_changes_the_commitment(
    some: RecordFields, body: bytes, data: st.DataObject
) -> None:
    fields = changed(some, content=body, lengths=(len(body),))
    bit = data.draw(st.integers(0, 8 * len(body) - 1))
    content = bytearray(fields.content)
    content[bit // 8] ^= 1 << bit % 8

    assert commitment(changed(fields, content=bytes(content))) != commitment(fields)


def test_another_salt_changes_all_three_digests() -> None:
    first = parse_preimage(preimage(EVENT))
    second = parse_preimage(preimage(changed(EVENT, salt=OTHER)))

    assert first.outer_salt != second.outer_salt
    assert first.content_digest != second.content_digest
    assert first.inner_root != second.inner_root


def test_neither_the_salt_nor_the_content_stands_in_the_preimage() -> None:
    data = preimage(EVENT)

    assert EVENT.salt not in data
    assert EVENT.content not in data


# Values


def test_golden_commitments() -> None:
    event = "7482a2aaf6579f8098d58b1032384232376222116b775d300301b5058b4aafc3"
    block = record_fixture("block").values["commitment"]

    assert commitment(EVENT).hex() == event
    assert commitment(BLOCK).hex() == block


def test_the_least_and_the_greatest_record_have_golden_commitments() -> None:
    least = RecordFields(
        kind=1,
        stream="s",
        stream_version=0,
        event_type="t",
        schema_id=b"",
        append_key="k",
        part=0,
        part_count=1,
        input_digest=b"",
        recorded_at=0,
        envelope_schema_id=b"",
        envelope=b"",
        lengths=(0,),
        content=b"",
        salt=bytes(32),
    )
    greatest = changed(
        least,
        stream="è" * 512,
        stream_version=2**63 - 1,
        part=2**32 - 2,
        part_count=2**32 - 1,
        recorded_at=2**63 - 1,
        salt=b"\xff" * 32,
    )

    assert commitment(least).hex() == LEAST
    assert commitment(greatest).hex() == GREATEST


@pytest.mark.property
@EXAMPLES
@given(records().filter(lambda fields: len(fields.lengths) == 1))
def test_commitment_equals_the_reference(fields: RecordFields) -> None:
    assert commitment(fields) == reference(fields)


@pytest.mark.property
@EXAMPLES
@given(records())
def test_seal_and_quick_commitment_agree_with_the_preimage(fields: RecordFields) -> None:
    sealed = seal(fields)

    assert sealed.commitment == hashlib.sha256(preimage(fields)).digest()
    assert sealed.commitment == commitment(fields)
    assert sealed.inner_root == parse_preimage(preimage(fields)).inner_root
    assert quick_commitment(fields, sealed.inner_root) == sealed.commitment


@pytest.mark.parametrize("change", CHANGES)
def test_the_quick_check_finds_every_altered_field_under_the_stored_root(change: Change) -> None:
    sealed = seal(EVENT)

    assert quick_commitment(changed(EVENT, **change), sealed.inner_root) != sealed.commitment


def test_the_quick_check_finds_a_stored_root_that_was_altered_alone() -> None:
    sealed = seal(BLOCK)
    wrong = Digest(sealed.inner_root[:-1] + b"\x00")
    assert wrong != sealed.inner_root

    assert quick_commitment(BLOCK, wrong) != sealed.commitment


def test_only_hashing_every_event_finds_a_wrong_root_with_a_matching_commitment() -> None:
    wrong = Digest(OTHER)
    forged = quick_commitment(BLOCK, wrong)

    assert quick_commitment(BLOCK, wrong) == forged
    assert seal(BLOCK).commitment != forged
    assert seal(BLOCK).inner_root != wrong


# Bounds

OUT_OF_BOUNDS: list[tuple[str, Change]] = [
    ("kind", {"kind": 0}),
    ("kind", {"kind": 3}),
    ("kind", {"kind": -1}),
    ("kind", {"kind": 256}),
    ("salt", {"salt": b""}),
    ("salt", {"salt": bytes(31)}),
    ("salt", {"salt": bytes(33)}),
    ("stream", {"stream": ""}),
    ("stream", {"stream": "a" * 1025}),
    ("stream", {"stream": "è" * 513}),
    ("stream", {"stream": "a\x00b"}),
    ("stream", {"stream": "\ud800"}),
    ("event_type", {"event_type": ""}),
    ("event_type", {"event_type": "a" * 1025}),
    ("event_type", {"event_type": "\x00"}),
    ("event_type", {"event_type": "a\udfff"}),
    ("append_key", {"append_key": ""}),
    ("append_key", {"append_key": "a" * 1025}),
    ("append_key", {"append_key": "k\x00"}),
    ("append_key", {"append_key": "\udc80k"}),
    ("stream_version", {"stream_version": -1}),
    ("stream_version", {"stream_version": 2**63}),
    ("recorded_at", {"recorded_at": -1}),
    ("recorded_at", {"recorded_at": 2**63}),
    ("part_count", {"part_count": 0}),
    ("part_count", {"part_count": -1}),
    ("part_count", {"part_count": 2**32}),
    ("part", {"part": -1}),
    ("part", {"part": 2, "part_count": 2}),
    ("part", {"part": 1, "part_count": 1}),
    ("schema_id", {"schema_id": bytes(31)}),
    ("schema_id", {"schema_id": bytes(33)}),
    ("schema_id", {"schema_id": b"\x00"}),
    ("input_digest", {"input_digest": bytes(31)}),
    ("input_digest", {"input_digest": bytes(64)}),
    ("envelope_schema_id", {"envelope_schema_id": bytes(16)}),
    ("envelope_schema_id", {"envelope_schema_id": bytes(33)}),
    ("envelope", {"envelope": bytes(2**20 + 1)}),
    ("event_count", {"lengths": ()}),
    ("event_count", {"lengths": (), "content": b""}),
    ("event_count", {"lengths": (15, 1)}),
    ("event_count", {"kind": 2, "lengths": ()}),
    ("event_count", {"kind": 2, "lengths": (0,) * (2**20 + 1), "content": b""}),
    ("lengths", {"lengths": (15,)}),
    ("lengths", {"lengths": (17,)}),
    ("lengths", {"content": b""}),
    ("lengths", {"kind": 2, "lengths": (17, -1)}),
]

WITHIN_BOUNDS: list[Change] = [
    {"kind": 2},
    {"stream": "a" * 1024},
    {"stream": "è" * 512},
    {"stream_version": 0},
    {"stream_version": 2**63 - 1},
    {"recorded_at": 0},
    {"recorded_at": 2**63 - 1},
    {"part": 2**32 - 2, "part_count": 2**32 - 1},
    {"part": 0, "part_count": 1},
    {"envelope": bytes(2**20)},
    {"lengths": (0,), "content": b""},
    {"kind": 2, "lengths": (0, 16, 0)},
]


def hashed_whole(fields: RecordFields) -> object:
    return commitment(fields)


def hashed_under_a_root(fields: RecordFields) -> object:
    return quick_commitment(fields, Digest(OTHER))


@pytest.mark.parametrize("call", [seal, hashed_whole, preimage, hashed_under_a_root])
@pytest.mark.parametrize(("field", "change"), OUT_OF_BOUNDS)
def test_refuses_a_field_outside_its_bounds(
    field: str, change: Change, call: Callable[[RecordFields], object]
) -> None:
    with pytest.raises(FieldBoundsError) as caught:
        call(changed(EVENT, **change))

    assert caught.value.facts["field"] == field


@pytest.mark.parametrize("change", WITHIN_BOUNDS)
def test_accepts_each_bound_itself(change: Change) -> None:
    check(changed(EVENT, **change))
