"""The card of a data folder is complete and understood, or every fault of it is named."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.errors import DatasetError
from ledger.intake.dataset import (
    DatasetInfo,
    list_folder,
    parse_dataset,
    read_dataset,
)

CARD = """[dataset]
body = "INPS"
year = 2023
title = "Ciclo della performance 2023"
language = "it"
currency = "EUR"
timezone = "Europe/Rome"
format = 1
"""


def codes(text: str) -> list[tuple[str | None, str]]:
    return [(found.column, found.code) for found in parse_dataset(text.encode()).problems]


def test_reads_a_card(tmp_path: Path) -> None:
    (tmp_path / "dataset.toml").write_text(CARD, encoding="utf-8")

    result = read_dataset(tmp_path)

    assert result.problems == ()
    assert result.info == DatasetInfo(
        body="INPS",
        year=2023,
        title="Ciclo della performance 2023",
        language="it",
        currency="EUR",
        timezone="Europe/Rome",
        format=1,
    )


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ('body = "INPS"\n', "", ("body", "missing_key")),
        ('"INPS"', '""', ("body", "empty_value")),
        ('"INPS"', '" INPS"', ("body", "outer_blanks")),
        ('"INPS"', '"I N P S"', ("body", "bad_code")),
        ('"INPS"', "5", ("body", "wrong_type")),
        ("2023\n", '"2023"\n', ("year", "wrong_type")),
        ("2023\n", "true\n", ("year", "wrong_type")),
        ("2023\n", "23\n", ("year", "below_minimum")),
        ("2023\n", "20230\n", ("year", "above_maximum")),
        ("2023\n", "2023.0\n", ("year", "wrong_type")),
        ('"it"', '"italiano"', ("language", "bad_language")),
        ('"EUR"', '"€"', ("currency", "bad_currency")),
        ('"EUR"', '"eur"', ("currency", "bad_currency")),
        ('"Europe/Rome"', '"Europe/Roma"', ("timezone", "unknown_timezone")),
        ('"Europe/Rome"', '"Europe"', ("timezone", "unknown_timezone")),
        ('"Europe/Rome"', '"../../etc/passwd"', ("timezone", "unknown_timezone")),
        ('"Europe/Rome"', '"/etc/localtime"', ("timezone", "unknown_timezone")),
        ("format = 1", "format = 2", ("format", "unknown_format")),
        ("format = 1", "format = true", ("format", "unknown_format")),
        ("format = 1", "format = 1\ntimezon = 1", ("timezon", "unknown_key")),
        ("[dataset]", "[other]\n[dataset]", ("other", "unknown_key")),
        ("Ciclo", "Ciclo\\n", ("title", "line_break")),
    ],
)
def test_names_the_key_that_is_wrong(old: str, new: str, found: tuple[str, str]) -> None:
    assert codes(CARD.replace(old, new, 1)) == [found]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ("[dataset]", "missing_key")),
        ("dataset = 1", ("dataset", "wrong_type")),
        ("[dataset", (None, "toml_syntax")),
        (CARD + CARD, (None, "toml_syntax")),
        ("a = " + "[" * 5000, (None, "toml_syntax")),
        ("a = " + "9" * 5000, (None, "toml_syntax")),
        ("a = 2023-02-30", (None, "toml_syntax")),
    ],
)
def test_refuses_what_is_no_card(text: str, found: tuple[str | None, str]) -> None:
    assert found in codes(text)
    assert parse_dataset(text.encode()).info is None


def test_names_all_missing_keys_at_once() -> None:
    assert len(codes("[dataset]")) == 7


def test_proposes_the_key_that_was_meant() -> None:
    result = parse_dataset(CARD.replace("currency", "curency").encode())

    assert "did you mean currency?" in [found.hint for found in result.problems]


def test_refuses_a_card_in_another_encoding() -> None:
    result = parse_dataset(CARD.replace("Ciclo", "Attività").encode("latin-1"))

    assert [found.code for found in result.problems] == ["toml_syntax"]


def test_reports_a_missing_card(tmp_path: Path) -> None:
    assert [found.code for found in read_dataset(tmp_path).problems] == ["file_missing"]


def test_refuses_a_folder_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="there is no such folder"):
        read_dataset(tmp_path / "nowhere")


def test_refuses_to_list_a_file(tmp_path: Path) -> None:
    (tmp_path / "a").touch()

    with pytest.raises(DatasetError):
        list_folder(tmp_path / "a", tables=[])


def test_lists_known_tables_in_the_order_of_reading(tmp_path: Path) -> None:
    for name in ("units.csv", "acts.csv", "README.md", ".hidden", "dataset.toml", "problems.csv"):
        (tmp_path / name).touch()

    listing = list_folder(tmp_path, tables=["units.csv", "figures.csv", "acts.csv"])

    assert listing.tables == ("units.csv", "acts.csv")
    assert listing.problems == ()


def test_warns_of_a_file_that_nobody_reads(tmp_path: Path) -> None:
    (tmp_path / "Figures.csv").touch()
    (tmp_path / "catalogue.toml").touch()

    listing = list_folder(tmp_path, tables=["figures.csv"], others=["catalogue.toml"])

    (warning,) = listing.problems
    assert (warning.severity, warning.hint) == ("warning", "did you mean figures.csv?")


@pytest.mark.property
@given(st.binary(max_size=200))
@settings(max_examples=200)
def test_any_bytes_give_an_answer(data: bytes) -> None:
    result = parse_dataset(data)

    assert (result.info is None) == bool(result.problems)


@pytest.mark.property
@given(st.integers(0, len(CARD)), st.integers(0, 6), st.binary(max_size=3))
@settings(max_examples=200)
def test_a_damaged_card_gives_an_answer(place: int, cut: int, put: bytes) -> None:
    data = CARD.encode()

    result = parse_dataset(data[:place] + put + data[place + cut :])

    assert (result.info is None) == bool(result.problems)
