"""Recorded replays: the same inputs give one answer, and an answer has its form."""

import datetime as dt
from dataclasses import replace

import pytest

from ledger.events.replay import ReplayRun
from ledger.rules import Rule
from tests.support.given import Given

RUN = ReplayRun(
    run_id="2023-0123456789abcdef",
    year=2023,
    cut=dt.date(2024, 2, 21),
    read_through=380,
    vintages=("CONSUNTIVO",),
    indicators=40,
    definitions_digest=b"d" * 32,
    code_version="0.1.0",
    output_digest=b"o" * 32,
)
AGAIN = replace(RUN, run_id="2023-another")


def test_a_run_is_recorded() -> None:
    Given().accepts(RUN)


def test_refuses_the_same_run_twice() -> None:
    Given().given(RUN).refuses(RUN, Rule.ALREADY_EXISTS)


@pytest.mark.parametrize(
    "other",
    [
        replace(AGAIN, output_digest=b"x" * 32),
        replace(AGAIN, definitions_digest=b"x" * 32),
    ],
)
def test_refuses_another_answer_to_the_same_question(other: ReplayRun) -> None:
    refused = Given().given(RUN).refuses(other, Rule.RUN_CONTRADICTED)

    assert refused.facts["run"] == RUN.run_id


@pytest.mark.parametrize(
    "other",
    [
        replace(AGAIN, read_through=381),
        replace(AGAIN, cut=None),
        replace(AGAIN, cut=dt.date(2024, 2, 22)),
        replace(AGAIN, code_version="0.2.0"),
        replace(AGAIN, year=2024),
    ],
)
def test_another_question_may_have_another_answer(other: ReplayRun) -> None:
    Given().given(RUN).accepts(replace(other, output_digest=b"x" * 32))


@pytest.mark.parametrize("digest", [b"", b"o" * 31, b"o" * 33])
@pytest.mark.parametrize("field", ["output_digest", "definitions_digest"])
def test_refuses_a_digest_that_is_none(field: str, digest: bytes) -> None:
    event = replace(RUN, **{field: digest})  # type: ignore[arg-type] # a digest field

    Given().refuses(event, Rule.VALUE_NOT_ALLOWED)


@pytest.mark.parametrize(
    "event",
    [
        replace(RUN, read_through=0),
        replace(RUN, read_through=-1),
        replace(RUN, indicators=-1),
        replace(RUN, year=1899),
        replace(RUN, year=3000),
    ],
)
def test_refuses_numbers_out_of_range(event: ReplayRun) -> None:
    Given().refuses(event, Rule.VALUE_NOT_ALLOWED)
