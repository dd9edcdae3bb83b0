"""Avro containers of other systems are read as they are, in bounded steps, or refused."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import fastavro
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.containers import read_container
from schemas.errors import DecodingError

FIELDS: list[dict[str, Any]] = [
    {"name": "id", "type": "string"},
    {"name": "n", "type": "long"},
    {"name": "maybe", "type": ["null", "string"]},
    {"name": "last", "type": ["string", "null"]},
    {"name": "day", "type": {"type": "int", "logicalType": "date"}},
    {"name": "flag", "type": "boolean"},
]
ROWS: list[dict[str, Any]] = [
    {
        "id": f"\u00e8{n}",
        "n": n * -(10**12),
        "maybe": None if n % 2 else "x",
        "last": "y" if n % 3 else None,
        "day": n,
        "flag": n % 2 == 0,
    }
    for n in range(1000)
]


def container(
    rows: Sequence[Any], fields: list[dict[str, Any]], codec: str = "null", interval: int = 16_000
) -> bytes:
    schema = fastavro.parse_schema({"type": "record", "name": "Theirs", "fields": fields})
    stream = io.BytesIO()
    fastavro.writer(stream, schema, rows, codec=codec, sync_interval=interval)
    return stream.getvalue()


def read(tmp_path: Path, content: bytes, rows: int = 10**6) -> list[pl.DataFrame]:
    path = tmp_path / "a.avro"
    path.write_bytes(content)
    return list(read_container(path, rows=rows))


@pytest.mark.parametrize("codec", ["null", "deflate", "bzip2", "xz"])
def test_reads_every_value_whatever_the_codec(tmp_path: Path, codec: str) -> None:
    (frame,) = read(tmp_path, container(ROWS, FIELDS, codec))
    assert frame.with_columns(pl.col("day").cast(pl.Int32)).to_dicts() == ROWS
    assert frame.schema["day"] == pl.Date


def test_tables_hold_about_as_many_rows_as_asked(tmp_path: Path) -> None:
    frames = read(tmp_path, container(ROWS, FIELDS, interval=300), rows=50)
    assert len(frames) > 10
    assert all(frame.height < 100 for frame in frames)
    assert pl.concat(frames).get_column("id").to_list() == [row["id"] for row in ROWS]


def test_a_container_without_records_gives_no_table(tmp_path: Path) -> None:
    assert read(tmp_path, container([], FIELDS)) == []


def test_enums_are_texts_that_can_be_told(tmp_path: Path) -> None:
    kind = {"type": "enum", "name": "Kind", "symbols": ["A", "B"]}
    (frame,) = read(tmp_path, container([{"k": "B"}, {"k": "A"}], [{"name": "k", "type": kind}]))
    assert frame.get_column("k").cast(pl.String).to_list() == ["B", "A"]


def test_a_named_type_may_be_used_twice(tmp_path: Path) -> None:
    kind = {"type": "enum", "name": "Kind", "symbols": ["A", "B"]}
    fields: list[dict[str, Any]] = [{"name": "a", "type": kind}, {"name": "b", "type": "Kind"}]
    (frame,) = read(tmp_path, container([{"a": "B", "b": "A"}], fields))
    assert frame.cast(pl.String).rows() == [("B", "A")]


def test_values_of_one_type_in_a_wide_union_are_read(tmp_path: Path) -> None:
    fields = [{"name": "a", "type": ["null", "long", "string"]}]
    (frame,) = read(tmp_path, container([{"a": 1}, {"a": None}], fields))
    assert frame.get_column("a").to_list() == [1, None]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"Obj",
        b"Obj\x01",
        b"PAR1" * 10,
        b"id,n\n1,2\n",
        container(ROWS, FIELDS)[:-1],
        container(ROWS, FIELDS)[:-500],
        container(ROWS, FIELDS).replace(b"avro.schema", b"avro.schemb"),
        container(ROWS, FIELDS, "deflate").replace(b"deflate", b"deflata"),
    ],
)
def test_refuses_what_is_no_container(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(DecodingError, match=r"a\.avro"):
        read(tmp_path, content)


def test_a_missing_file_is_an_error_of_the_operating_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        list(read_container(tmp_path / "nothing.avro", rows=1))


GOOD = container(ROWS[:20], FIELDS)


@pytest.mark.property
@settings(
    max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(st.integers(0, len(GOOD) - 1), st.integers(1, 255))
def test_a_changed_byte_is_refused_or_read_as_values(
    tmp_path: Path, place: int, change: int
) -> None:
    changed = bytearray(GOOD)
    changed[place] ^= change
    try:
        frames = read(tmp_path, bytes(changed))
    except DecodingError:
        return
    assert all(isinstance(frame, pl.DataFrame) for frame in frames)
