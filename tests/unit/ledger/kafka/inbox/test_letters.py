"""Entries of a `.dlq` topic: what came comes back, whatever it was."""

import datetime as dt
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.kafka.inbox.letters import (
    ENTRY_HEADERS,
    REASON_BYTES,
    Box,
    Refused,
    entry_headers,
    letter_of,
)
from ledger.kafka.inbox.problems import Refusal

AT = dt.datetime(2026, 11, 21, tzinfo=dt.UTC)

BOX = Box("t.inbox.production.v1", "ab" * 16, "ledger")


class Came(NamedTuple):
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes | None]]
    offset: int = 7
    timestamp: int = 1_700_000_000_000


def written(message: Came, *, reason: str = "x") -> Came:
    """Return a message as it stands in the `.dlq` topic."""
    refused = Refused(message=message, reasons=[Refusal(code="no_json", value=reason)])
    headers = entry_headers(BOX, 3, refused, AT)
    key = b"" if message.key is None and message.value is None else message.key
    return Came(key, message.value, list(headers), offset=100)


@pytest.mark.property
@settings(max_examples=100, deadline=None)
@given(
    key=st.none() | st.binary(),
    value=st.none() | st.binary(),
    headers=st.lists(
        st.tuples(st.text(max_size=5) | st.sampled_from(ENTRY_HEADERS), st.none() | st.binary())
    ),
)
def test_an_entry_gives_the_message_back(
    key: bytes | None, value: bytes | None, headers: list[tuple[str, bytes | None]]
) -> None:
    letter = letter_of(written(Came(key, value, headers)), 3)

    assert letter is not None
    assert (letter.key, letter.value, list(letter.headers)) == (key, value, headers)
    assert (letter.origin.topic_id, letter.origin.partition, letter.origin.offset) == (
        "ab" * 16,
        3,
        7,
    )
    assert (letter.code, letter.offset) == ("no_json", 100)


def test_a_long_reason_is_cut() -> None:
    refusals = [Refusal(code="out_of_range", column="c" * 50, value="v" * 500)] * 50
    headers = entry_headers(BOX, 0, Refused(message=Came(None, b"", []), reasons=refusals), AT)

    assert len(dict(headers)["x-registro-reason"]) == REASON_BYTES


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("x-registro-retried", b"0/1")],
        [(name, b"") for name in ENTRY_HEADERS],
        [(name, b"x") for name in reversed(ENTRY_HEADERS)],
    ],
)
def test_what_is_no_entry_is_passed_over(headers: list[tuple[str, bytes | None]]) -> None:
    assert letter_of(Came(b"", None, headers), 0) is None
