"""The words for numbers and bytes: what the constants say."""

import hashlib

from ledger.types import BEFORE_FIRST, DIGEST_BYTES, FIRST_POSITION


def test_reading_after_before_first_begins_at_the_first_position() -> None:
    assert FIRST_POSITION == 1
    assert FIRST_POSITION == BEFORE_FIRST + 1


def test_a_digest_has_the_length_of_sha_256() -> None:
    assert hashlib.sha256().digest_size == DIGEST_BYTES
