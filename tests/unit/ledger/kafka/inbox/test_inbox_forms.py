"""Values of an inbox: which message becomes which row, which is refused and why."""

import json
from collections.abc import Sequence
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.facts.families import FAMILIES
from ledger.facts.problems import ROW
from ledger.kafka.inbox.forms import CHUNK, FACT_BYTES_MAX, Forms, Sorted
from schemas.codec import encode
from schemas.registry import default_registry
from tests.support.production import fact

JSON = [("content-type", b"application/json")]


class Came(NamedTuple):
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]] = JSON
    offset: int = 0
    timestamp: int = 0
    key: bytes | None = None


def json_of(name: str = "RequestReceived", **values: object) -> bytes:
    return json.dumps(fact(name, **values), default=str).encode()


def avro_of(name: str = "RequestReceived", **values: object) -> Came:
    schema = default_registry().latest(f"registro.facts.{name}")
    headers = [("content-type", b"application/avro"), ("schema_id", schema.schema_id)]
    return Came(encode(schema, fact(name, **values)), headers)


def read(*messages: Came, family: str = "production") -> Sorted:
    return Forms(family, default_registry()).read(enumerate(messages))


def ids(done: Sorted) -> dict[int, str]:
    """Return the identifier of every row, by number of its message."""
    return {
        row: str(name)
        for _, piece in done.pieces
        for row, name in piece.frame.select(ROW, "source_id").iter_rows()
    }


def codes(done: Sorted) -> dict[int, str]:
    return {number: str(one.code) for number, one in done.refused.items()}


def test_a_message_that_cannot_be_read_spoils_no_other() -> None:
    count = 2 * CHUNK + 7
    bad = {3, CHUNK, 2 * CHUNK + 6}
    messages = [Came(b"{" if n in bad else json_of(source_id=f"s{n}")) for n in range(count)]

    done = read(*messages)

    assert codes(done) == dict.fromkeys(bad, "no_json")
    assert ids(done) == {n: f"s{n}" for n in range(count) if n not in bad}


def test_an_avro_body_that_cannot_be_read_spoils_no_other() -> None:
    count = CHUNK + 9
    bad = {0, CHUNK + 8}
    messages = [avro_of(source_id=f"s{n}") for n in range(count)]
    for n in bad:
        messages[n] = messages[n]._replace(value=b"\xff")

    done = read(*messages)

    assert codes(done) == dict.fromkeys(bad, "no_avro")
    assert ids(done) == {n: f"s{n}" for n in range(count) if n not in bad}


@pytest.mark.parametrize("family", FAMILIES)
def test_every_kind_of_fact_is_known_by_its_names_in_both_forms(family: str) -> None:
    for rules in FAMILIES[family]:
        plain = read(Came(json_of(rules.name, source_id="s")), family=family)
        bare = read(avro_of(rules.name, source_id="s"), family=family)

        assert [name for name, _ in plain.pieces] == [rules.full_name]
        assert [name for name, _ in bare.pieces] == [rules.full_name]


def test_two_objects_in_one_value_are_no_fact() -> None:
    done = read(Came(json_of(source_id="a") + json_of(source_id="b")), Came(b" \n"))

    assert codes(done) == {0: "no_json", 1: "no_value"}
    assert done.pieces == []


def test_a_value_over_several_lines_is_one_message() -> None:
    value = json.dumps(fact("RequestReceived", source_id="s"), default=str, indent=1).encode()

    done = read(Came(value), Came(json_of(source_id="t")))

    assert ids(done) == {0: "s", 1: "t"}


def test_a_name_that_stands_twice_is_refused() -> None:
    value = json_of(source_id="s")[:-1] + b', "source_id": "t"}'

    done = read(Came(value), Came(json_of(source_id="u")))

    assert codes(done) == {0: "no_json"}


def test_numbers_are_taken_as_they_are_written() -> None:
    value = json_of(source_id="s").replace(b'"pieces": 1', b'"pieces": 1.0')

    done = read(Came(value))

    assert done.pieces[0][1].frame.get_column("pieces").to_list() == ["1.0"]


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ([], "content_type"),
        ([("content-type", None)], "content_type"),
        ([("content-type", b"\xff")], "content_type"),
        ([("content-type", b"application/jsonx")], "content_type"),
        ([("content-type", b"application/avro")], "no_schema"),
        ([("content-type", b"application/avro"), ("ce_dataschema", b"")], "unknown_schema"),
        ([("content-type", b"application/avro"), ("ce_dataschema", b"\xff")], "unknown_schema"),
        ([("content-type", b"application/avro"), ("schema_id", b"\0" * 32)], "unknown_schema"),
        ([*JSON, ("ce_type", b"registro.facts.Nothing")], "unknown_schema"),
        ([*JSON, ("ce_type", b"StockCounted")], "wrong_family"),
        ([*JSON, ("ce_type", b"RequestDefined")], "not_a_fact"),
    ],
)
def test_headers_that_name_nothing_are_refused(
    headers: list[tuple[str, bytes | None]], code: str
) -> None:
    assert codes(read(Came(json_of(source_id="s"), headers))) == {0: code}


def test_a_governed_event_is_no_fact() -> None:
    schema = default_registry().latest("registro.acts.ActAdopted")
    headers = [("content-type", b"application/avro"), ("schema_id", schema.schema_id)]

    assert codes(read(Came(b"x", headers))) == {0: "not_a_fact"}


def test_the_form_may_have_parameters_and_capitals() -> None:
    headers = [("content-type", b"Application/JSON; charset=utf-8")]

    assert ids(read(Came(json_of(source_id="s"), headers))) == {0: "s"}


def test_a_value_longer_than_a_fact_is_refused_whatever_it_says() -> None:
    assert codes(read(Came(b" " * FACT_BYTES_MAX + b"{}"))) == {0: "too_long"}


def test_what_is_missing_and_unknown_is_named() -> None:
    named = [*JSON, ("ce_type", b"registro.facts.RequestReceived")]

    done = read(Came(b'{"source_id": "s", "colour": "red"}', named))

    assert "unknown colour" in done.refused[0].value
    assert "missing channel" in done.refused[0].value


_PARTS = st.sampled_from(
    [
        json_of(source_id="a"),
        json_of("RequestDefined", source_id="b"),
        json_of("StockCounted", source_id="c"),
        json_of(source_id='q"uo\\te'),
        json_of(source_id="d").replace(b": ", b" :\n"),
        b"{",
        b"[]",
        b"null",
        b"\xff",
        b"",
        b" ",
        b"{}",
        b'{"source_id":"x"}{"source_id":"y"}',
    ]
)


@pytest.mark.property
@settings(max_examples=100, deadline=None)
@given(st.lists(_PARTS, max_size=30))
def test_every_message_is_a_row_or_refused_as_it_would_be_alone(values: list[bytes]) -> None:
    together = read(*map(Came, values))

    assert set(ids(together)) | set(codes(together)) == set(range(len(values)))
    assert not set(ids(together)) & set(codes(together))
    for number, value in enumerate(values):
        alone = read(Came(value))
        assert codes(alone).get(0) == codes(together).get(number), value
        assert ids(alone).get(0) == ids(together).get(number), value


def test_values_of_several_kinds_make_one_table_for_each_kind() -> None:
    names = ("RequestReceived", "RequestDefined")
    messages = [Came(json_of(names[n % 2], source_id=f"s{n}")) for n in range(4 * CHUNK)]

    done = read(*messages)

    assert sorted(name for name, _ in done.pieces) == [f"registro.facts.{n}" for n in sorted(names)]
    assert ids(done) == {n: f"s{n}" for n in range(4 * CHUNK)}
    assert not done.refused


def test_headers_that_differ_between_messages_are_read_for_each() -> None:
    same = [("content-type", b"application/json")]
    other = [("content-type", b"text/plain")]
    headers = [same, same, other, same, other, other, same]
    messages = [Came(json_of(source_id=f"s{n}"), one) for n, one in enumerate(headers)]

    done = read(*messages)

    assert ids(done) == {n: f"s{n}" for n, one in enumerate(headers) if one is same}
    assert codes(done) == {n: "content_type" for n, one in enumerate(headers) if one is other}
