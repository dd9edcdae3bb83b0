"""Bodies of a record: lengths, content digest, inner leaves; what does not fit is refused."""

import hashlib
import hmac
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.integrity.block import (
    CONTENT_BYTES_MAX,
    EVENTS_MAX,
    check_content,
    content_digest,
    decode_lengths,
    derived_salt,
    encode_lengths,
    inner_leaf,
    inner_leaves,
    inner_root,
    inner_salt,
    join_bodies,
    split_bodies,
)
from ledger.integrity.merkle import tree_root
from ledger.integrity.problems import FieldBoundsError

SALT = bytes(range(32))
BODIES = [b"one", b"", b"three", b"four"]
EXAMPLES = settings(max_examples=150)

bodies_lists = st.lists(st.binary(max_size=20), min_size=1, max_size=20)
salts = st.binary(min_size=32, max_size=32)


class Huge(bytes):
    """Bytes that say that they are longer than any content may be, without taking the memory."""

    def __len__(self) -> int:
        return CONTENT_BYTES_MAX + 1


# Lengths


def test_lengths_are_four_bytes_each_and_the_highest_comes_first() -> None:
    assert encode_lengths([1, 258, 2**32 - 1]).hex() == "0000000100000102ffffffff"


@pytest.mark.property
@EXAMPLES
@given(st.lists(st.integers(0, 2**32 - 1), max_size=50))
def test_lengths_read_back(lengths: list[int]) -> None:
    data = encode_lengths(lengths)

    assert len(data) == 4 * len(lengths)
    assert decode_lengths(data) == tuple(lengths)


@pytest.mark.parametrize("lengths", [[-1], [2**32], [0, -1], [5, 2**40, 5]])
def test_refuses_a_length_that_is_no_u32(lengths: list[int]) -> None:
    with pytest.raises(FieldBoundsError, match="a length is no u32"):
        encode_lengths(lengths)


@pytest.mark.parametrize("size", [size for size in range(20) if size % 4])
def test_refuses_a_vector_that_is_cut_or_too_long(size: int) -> None:
    with pytest.raises(FieldBoundsError, match="not a multiple of 4 bytes"):
        decode_lengths(bytes(size))


@pytest.mark.property
@EXAMPLES
@given(st.lists(st.binary(min_size=4, max_size=4), max_size=10).map(b"".join))
def test_a_vector_that_is_accepted_is_written_again_as_it_was(data: bytes) -> None:
    assert encode_lengths(decode_lengths(data)) == data


# Content


@pytest.mark.property
@EXAMPLES
@given(bodies_lists)
def test_bodies_read_back(bodies: list[bytes]) -> None:
    lengths, content = join_bodies(bodies)

    assert sum(lengths) == len(content)
    assert split_bodies(lengths, content) == bodies


@pytest.mark.parametrize(
    ("lengths", "content"),
    [
        ((3, 4), b"12345678"),
        ((3, 4), b"123456"),
        ((3, 4), b""),
        ((0,), b"1"),
        ((1,), b""),
        ((8,), b"1234567"),
        ((7, 1), b"1234567"),
        ((2**32 - 1,), b"1234567"),
    ],
)
def test_refuses_a_content_that_is_cut_or_too_long(
    lengths: tuple[int, ...], content: bytes
) -> None:
    with pytest.raises(FieldBoundsError, match=f"sum to {sum(lengths)}") as caught:
        split_bodies(lengths, content)

    assert caught.value.facts["field"] == "lengths"


@pytest.mark.parametrize("count", [0, EVENTS_MAX + 1])
def test_refuses_a_number_of_events_that_no_record_has(count: int) -> None:
    with pytest.raises(FieldBoundsError, match=f"{count} is not from 1 to {EVENTS_MAX}"):
        check_content((0,) * count, b"")


@pytest.mark.parametrize("count", [1, EVENTS_MAX])
def test_accepts_the_bounds_of_the_number_of_events(count: int) -> None:
    check_content((0,) * count, b"")


def test_refuses_more_content_than_a_record_holds() -> None:
    with pytest.raises(FieldBoundsError, match=f"content: more than {CONTENT_BYTES_MAX} bytes"):
        check_content((CONTENT_BYTES_MAX + 1,), Huge())


# Salts


@pytest.mark.parametrize("purpose", ["outer", "content", "inner"])
def test_a_derived_salt_is_a_hmac_under_its_purpose(purpose: str) -> None:
    expected = hmac.new(SALT, f"registro/salt/{purpose}/v1".encode(), "sha256").digest()

    assert derived_salt(SALT, purpose) == expected


def test_all_salts_of_a_record_differ() -> None:
    derived = [derived_salt(SALT, purpose) for purpose in ("outer", "content", "inner")]
    own = [inner_salt(SALT, index) for index in range(300)]

    assert len({SALT, *derived, *own}) == 304


@pytest.mark.parametrize("index", [0, 1, 255, 256, EVENTS_MAX - 1])
def test_the_salt_of_a_body_derives_from_its_index(index: int) -> None:
    key = derived_salt(SALT, "inner")

    assert inner_salt(SALT, index) == hashlib.sha256(key + struct.pack(">I", index)).digest()


# Content digest


def test_content_digest_equals_the_definition() -> None:
    lengths, content = join_bodies(BODIES)
    data = (
        b"registro/content/v1\n"
        + derived_salt(SALT, "content")
        + struct.pack(">I", 4)
        + struct.pack(">IIII", 3, 0, 5, 4)
        + b"onethreefour"
    )

    assert content_digest(SALT, lengths, content) == hashlib.sha256(data).digest()


@pytest.mark.property
@EXAMPLES
@given(bodies_lists, bodies_lists, salts)
def test_two_different_contents_never_have_one_digest_or_root(
    one: list[bytes], other: list[bytes], salt: bytes
) -> None:
    same = one == other

    assert (
        content_digest(salt, *join_bodies(one)) == content_digest(salt, *join_bodies(other))
    ) == same
    assert (inner_root(salt, *join_bodies(one)) == inner_root(salt, *join_bodies(other))) == same


@pytest.mark.property
@EXAMPLES
@given(st.binary(min_size=1, max_size=20), st.data())
def test_cutting_the_same_content_elsewhere_changes_digest_and_root(
    content: bytes, data: st.DataObject
) -> None:
    first = data.draw(st.integers(0, len(content)))
    second = data.draw(st.integers(0, len(content)).filter(lambda cut: cut != first))
    cuts = [(first, len(content) - first), (second, len(content) - second)]

    assert len({content_digest(SALT, cut, content) for cut in cuts}) == 2
    assert len({inner_root(SALT, cut, content) for cut in cuts}) == 2


@pytest.mark.parametrize("lengths", [(-1,), (2**32,), (13, -1)])
def test_digests_no_length_that_is_no_u32(lengths: tuple[int, ...]) -> None:
    with pytest.raises(FieldBoundsError):
        content_digest(SALT, lengths, b"onethreefour")


# Inner tree


def test_inner_leaves_equal_the_definition() -> None:
    lengths, content = join_bodies(BODIES)

    leaves = inner_leaves(SALT, lengths, content)

    assert leaves == [
        hashlib.sha256(b"\x00" + inner_salt(SALT, index) + body).digest()
        for index, body in enumerate(BODIES)
    ]
    assert leaves == [
        inner_leaf(inner_salt(SALT, index), body) for index, body in enumerate(BODIES)
    ]
    assert inner_root(SALT, lengths, content) == tree_root(leaves)


def test_the_root_of_one_body_is_its_leaf() -> None:
    assert inner_root(SALT, (3,), b"one") == inner_leaf(inner_salt(SALT, 0), b"one")


def test_equal_bodies_have_different_leaves() -> None:
    leaves = inner_leaves(SALT, (1,) * 50, b"x" * 50)

    assert len(set(leaves)) == 50


def test_another_salt_changes_every_leaf() -> None:
    lengths, content = join_bodies(BODIES)

    here = inner_leaves(SALT, lengths, content)
    there = inner_leaves(bytes(32), lengths, content)

    assert not set(here) & set(there)
