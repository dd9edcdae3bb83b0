"""Answers as JSON: nothing rounded, nothing in an order of chance."""

import datetime as dt
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.output.jsontext import document, line, plain
from ledger.events.ledger import ActReference

ROOT = Path(__file__).parents[3]


class Word(StrEnum):
    ONE = "uno"


class Count(IntEnum):
    ONE = 1


class Mixed(str, Enum):  # noqa: UP042 - the older form must be written alike
    ONE = "uno"


class Pure(Enum):
    ONE = Decimal("1.50")


@dataclass(frozen=True)
class Pair:
    second: object
    first: object


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, None),
        (True, True),
        (0, 0),
        ("perché", "perché"),
        (Decimal("1.50"), "1.50"),
        (Decimal("1E+3"), "1000"),
        (Decimal("1E-9"), "0.000000001"),
        (Decimal("-0"), "-0"),
        (dt.date(2024, 3, 1), "2024-03-01"),
        (dt.datetime(2024, 3, 1, 12, tzinfo=dt.UTC), "2024-03-01T12:00:00+00:00"),
        (b"\x0a\xff", "0aff"),
        (b"", ""),
        (Word.ONE, "uno"),
        (Count.ONE, 1),
        pytest.param(Mixed.ONE, "uno", id="older enumeration"),
        (Pure.ONE, "1.50"),
        ((1, (2, [3])), [1, [2, [3]]]),
        ([], []),
        ({"a": {1: None}}, {"a": {"1": None}}),
        (frozenset(), []),
        ({3, 1, 2}, [1, 2, 3]),
        ({"b", "c", "a"}, ["a", "b", "c"]),
        (Pair(second=b"\x01", first=(Decimal(1),)), {"second": "01", "first": ["1"]}),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    ],
)
def test_every_value_is_written_as_json_knows_it(value: object, written: object) -> None:
    found = plain(value)

    assert found == written
    assert type(found) is type(written)


def test_an_event_value_is_written_with_its_fields() -> None:
    act = ActReference(organ="CdA", act_type="law", adopted_on=dt.date(2024, 1, 1))

    assert plain(act) == {
        "organ": "CdA",
        "act_type": "law",
        "number": None,
        "adopted_on": "2024-01-01",
        "article": None,
    }


def test_a_document_is_indented_and_keeps_its_order_and_its_letters() -> None:
    assert document({"z": "perché", "a": [1]}) == ('{\n  "z": "perché",\n  "a": [\n    1\n  ]\n}')


def test_a_line_is_one_line_whatever_it_holds() -> None:
    text = line({"a": "one\ntwo\r\u2028", "b": Decimal("0.10")})

    assert "\n" not in text
    assert text.startswith('{"a":"one\\ntwo')
    assert json.loads(text) == {"a": "one\ntwo\r\u2028", "b": "0.10"}


def test_a_set_is_the_same_text_in_every_process() -> None:
    program = "from app.output.jsontext import line; print(line(set('abcdefgh')))"
    texts = {
        subprocess.run(
            [sys.executable, "-c", program],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }

    assert len(texts) == 1


@pytest.mark.property
@given(value=st.decimals(allow_nan=False, allow_infinity=False))
def test_no_decimal_loses_a_digit(value: Decimal) -> None:
    assert Decimal(json.loads(line(value))).compare_total(value) == 0 or (
        Decimal(json.loads(line(value))) == value
    )


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)


@pytest.mark.property
@given(value=_JSON)
def test_what_json_knows_already_stays_as_it_is(value: object) -> None:
    assert plain(value) == value
    assert json.loads(document(value)) == json.loads(line(value)) == value
