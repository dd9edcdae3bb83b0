"""The same rows are the same facts: in every format, however a file is cut or rows are split."""

import datetime as dt
import io
import itertools
from pathlib import Path
from typing import Any, Literal

import fastavro
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.errors import FactFileError
from ledger.facts.reading import read_pieces
from ledger.facts.rejects import Rejects
from tests.support.production import (
    blocks,
    fact,
    facts_table,
    production_ledger,
    recorded_facts,
    take,
    text_file,
)

HEAD = "source_id,product,unit,counted_on,pieces\n"


def stock_rows(count: int) -> list[dict[str, object]]:
    return [
        fact(
            "StockCounted",
            source_id=f"{number:03} \u00e8",
            unit="DP2" if number % 3 else "DP1",
            counted_on=dt.date(2023, 1 + number % 12, 28),
            pieces=number * 1_000_003 % 999_983,
        )
        for number in range(count)
    ]


def written(folder: Path, form: str, table: pl.DataFrame) -> Path:
    path = folder / f"a.{form}"
    match form:
        case "csv":
            table.write_csv(path)
        case "jsonl":
            table.write_ndjson(path)
        case "parquet":
            table.with_columns(pl.col("unit").cast(pl.Categorical)).write_parquet(path)
        case _:
            with path.open("wb") as stream:
                fastavro.writer(stream, fastavro.parse_schema(AVRO), table.to_dicts())
    return path


AVRO: dict[str, Any] = {
    "type": "record",
    "name": "Theirs",
    "fields": [
        {"name": "source_id", "type": "string"},
        {"name": "product", "type": "string"},
        {"name": "unit", "type": ["null", "string"]},
        {"name": "counted_on", "type": {"type": "int", "logicalType": "date"}},
        {"name": "pieces", "type": "long"},
        {"name": "supersedes", "type": ["null", "string"]},
        {"name": "reversal", "type": "boolean"},
    ],
}


def test_the_same_rows_in_every_format_are_the_same_bytes(tmp_path: Path) -> None:
    table = facts_table("StockCounted", stock_rows(200))
    stored = {}
    for form in ("csv", "jsonl", "parquet", "avro"):
        ledger = production_ledger()
        path = written(tmp_path, form, table)
        answer = take(ledger, text_file(tmp_path, path.name, path.read_bytes()), family="stock")
        assert (answer.facts, answer.rejected) == (200, 0), form
        stored[form] = [(one.record.lengths, one.record.content) for one in blocks(ledger)]
        assert recorded_facts(ledger, "StockCounted").equals(table.select(list(stored_columns())))
    assert stored["csv"] == stored["jsonl"] == stored["parquet"] == stored["avro"]


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "Europe/Rome"])
def test_days_that_parquet_holds_as_midnights_are_the_same_bytes(
    tmp_path: Path, unit: Literal["ms", "us", "ns"], zone: str | None
) -> None:
    table = facts_table("StockCounted", stock_rows(20))
    midnights = pl.col("counted_on").cast(pl.Datetime(unit)).dt.replace_time_zone(zone)
    stored = []
    for form, rows in (("csv", table), ("parquet", table.with_columns(midnights))):
        ledger = production_ledger()
        path = written(tmp_path, form, rows)
        answer = take(ledger, text_file(tmp_path, path.name, path.read_bytes()), family="stock")
        assert (answer.facts, answer.rejected) == (20, 0)
        stored.append([(one.record.lengths, one.record.content) for one in blocks(ledger)])
    assert stored[0] == stored[1]


def test_an_instant_with_a_time_of_day_is_refused_and_shown_as_it_is(tmp_path: Path) -> None:
    table = facts_table("StockCounted", stock_rows(3))
    instants = [
        dt.datetime(2023, 1, 28, tzinfo=dt.UTC),
        dt.datetime(2023, 1, 28, 22, tzinfo=dt.UTC),
        dt.datetime(2023, 1, 28, 0, 0, 0, 5000, tzinfo=dt.UTC),
    ]
    path = tmp_path / "a.parquet"
    table.with_columns(
        pl.Series("counted_on", instants),
        pl.Series("unit", ["nowhere", *table.get_column("unit")[1:]]),
    ).write_parquet(path)
    rejects = Rejects(folder=tmp_path / "out")

    file = text_file(tmp_path, path.name, path.read_bytes())
    answer = take(production_ledger(), file, family="stock", rejects=rejects)

    assert (answer.facts, answer.rejected) == (0, 3)
    assert rejects.codes == {"unknown_unit": 1, "time_of_day": 2}
    refused = [(one["value"]) for one in rejects.first if one["code"] == "time_of_day"]
    assert refused == ["2023-01-28T22:00:00", "2023-01-28T00:00:00.005"]
    (rows,) = (tmp_path / "out").glob("*.rejects.csv")
    days = pl.read_csv(rows, infer_schema=False).get_column("counted_on").to_list()
    assert days == ["2023-01-28", *refused], "a row that is mended is read again from this file"


def stored_columns() -> tuple[str, ...]:
    return tuple(facts_table("StockCounted", []).columns)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "name the columns"),
        (HEAD, "no row"),
        (HEAD.replace("unit,", "") + "1,P1,2023-03-31,5\n", "missing unit"),
        (HEAD.replace("unit", "structure") + "1,P1,DP1,2023-03-31,5\n", "unknown structure"),
        (HEAD.replace("\n", ",note\n") + "1,P1,DP1,2023-03-31,5,x\n", "unknown note"),
        (HEAD.replace("pieces", "Pieces") + "1,P1,DP1,2023-03-31,5\n", "unknown Pieces"),
    ],
)
def test_a_file_whose_columns_fit_no_fact_is_refused(
    tmp_path: Path, content: str, reason: str
) -> None:
    ledger = production_ledger()
    with pytest.raises(FactFileError, match=reason):
        take(ledger, text_file(tmp_path, "a.csv", content), family="stock")
    assert not blocks(ledger)


def test_a_column_that_comes_later_in_a_file_is_not_dropped(tmp_path: Path) -> None:
    good = '{"source_id":"%d","product":"P1","unit":"DP1","counted_on":"2023-03-31","pieces":5}\n'
    lines = [good % number for number in range(2000)]
    lines[-1] = lines[-1].replace("}", ',"note":"x"}')
    ledger = production_ledger()
    with pytest.raises(FactFileError, match="note"):
        take(ledger, text_file(tmp_path, "a.jsonl", "".join(lines)), family="stock")
    assert not blocks(ledger)


def dataset() -> list[dict[str, object]]:
    rows = stock_rows(60)
    rows[5]["unit"] = "NOWHERE"
    rows[17]["source_id"] = rows[3]["source_id"]
    rows[20]["counted_on"] = dt.date(2022, 1, 1)
    rows[33] = {**rows[33], "supersedes": rows[50]["source_id"]}
    rows[34] = {**rows[34], "supersedes": rows[50]["source_id"]}
    return rows


@pytest.mark.property
@settings(
    max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(st.integers(1, 3000), st.sampled_from(["csv", "jsonl"]))
def test_any_cut_of_a_file_gives_the_same_facts(tmp_path: Path, size: int, form: str) -> None:
    path = written(tmp_path, form, facts_table("StockCounted", dataset()))
    answers = []
    for piece_bytes in (size, 1 << 20):
        ledger = production_ledger()
        file = text_file(tmp_path, path.name, path.read_bytes())
        answer = take(ledger, file, family="stock", piece_bytes=piece_bytes)
        answers.append((answer, [one.record for one in blocks(ledger)]))
    assert answers[0] == answers[1]
    assert (answers[0][0].facts, answers[0][0].rejected, answers[0][0].reversals) == (57, 4, 1)


@pytest.mark.property
@settings(
    max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(st.lists(st.integers(0, 60), max_size=4))
def test_any_split_over_files_gives_the_same_facts(tmp_path: Path, cuts: list[int]) -> None:
    table = facts_table("StockCounted", dataset())
    bounds = [0, *sorted(cuts), 60]
    files = []
    for number, (start, end) in enumerate(itertools.pairwise(bounds)):
        if start < end:
            path = tmp_path / f"{number}.csv"
            table[start:end].write_csv(path)
            files.append(text_file(tmp_path, path.name, path.read_bytes()))
    ledger = production_ledger()
    answer = take(ledger, *files, family="stock")
    assert (answer.facts, answer.rejected, answer.reversals) == (57, 4, 1)
    stored = recorded_facts(ledger, "StockCounted")
    whole = production_ledger()
    take(whole, text_file(tmp_path, "whole.csv", table.write_csv()), family="stock")
    assert stored.equals(recorded_facts(whole, "StockCounted"))


def parquet() -> bytes:
    stream = io.BytesIO()
    facts_table("StockCounted", stock_rows(20)).write_parquet(stream)
    return stream.getvalue()


PARQUET = parquet()


@pytest.mark.property
@settings(
    max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(st.integers(0, len(PARQUET) - 1), st.integers(1, 255))
def test_a_damaged_parquet_file_is_refused_or_read(tmp_path: Path, place: int, change: int) -> None:
    path = tmp_path / "a.parquet"
    damaged = bytearray(PARQUET)
    damaged[place] ^= change
    path.write_bytes(damaged)
    try:
        found = list(read_pieces(path, "parquet"))
    except FactFileError:
        return
    assert all(piece.problems.is_empty() for piece in found)
