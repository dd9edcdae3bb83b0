"""Numbers, dates and flags in Italian and in English."""

import datetime as dt
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.output.format import cell, day, flag, instant, number
from app.texts.text import Lang

THIRTY_DIGITS = Decimal(123456789012345678901234567890)


@pytest.mark.parametrize(
    ("value", "italian", "english"),
    [
        (Decimal(5906162514), "5.906.162.514", "5,906,162,514"),
        (Decimal("1234.56"), "1.234,56", "1,234.56"),
        (Decimal("-1234.56"), "-1.234,56", "-1,234.56"),
        (Decimal("-0.5"), "-0,5", "-0.5"),
        (Decimal("0.05"), "0,05", "0.05"),
        (Decimal(0), "0", "0"),
        (Decimal("-0"), "0", "0"),
        (Decimal("0.00"), "0,00", "0.00"),
        (Decimal("-0.00"), "0,00", "0.00"),
        (Decimal("1.50"), "1,50", "1.50"),
        (Decimal("1E+3"), "1.000", "1,000"),
        (Decimal("1E-3"), "0,001", "0.001"),
        (Decimal(999), "999", "999"),
        (Decimal(1000), "1.000", "1,000"),
        (1000, "1.000", "1,000"),
        (-1000, "-1.000", "-1,000"),
        (
            THIRTY_DIGITS,
            "123.456.789.012.345.678.901.234.567.890",
            "123,456,789,012,345,678,901,234,567,890",
        ),
        (
            Decimal("-12345678901234567890.1234567890"),
            "-12.345.678.901.234.567.890,1234567890",
            "-12,345,678,901,234,567,890.1234567890",
        ),
    ],
)
def test_a_number_has_the_marks_of_its_language(
    value: Decimal | int, italian: str, english: str
) -> None:
    assert number(value, "it") == italian
    assert number(value, "en") == english


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        ("1", 2, "1,00"),
        ("1.005", 2, "1,01"),
        ("0.125", 2, "0,13"),
        ("-0.125", 2, "-0,13"),
        ("0.5", 0, "1"),
        ("1.5", 0, "2"),
        ("2.5", 0, "3"),
        ("-2.5", 0, "-3"),
        ("999.995", 2, "1.000,00"),
        ("-0.004", 2, "0,00"),
        ("0", 3, "0,000"),
        ("123456789012345678901234567890.125", 2, "123.456.789.012.345.678.901.234.567.890,13"),
    ],
)
def test_a_number_is_cut_half_up(value: str, decimals: int, text: str) -> None:
    assert number(Decimal(value), "it", decimals=decimals) == text


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "sNaN"])
def test_refuses_what_is_no_number(value: str) -> None:
    with pytest.raises((ValueError, ArithmeticError)):
        number(Decimal(value), "it")


@pytest.mark.property
@given(
    value=st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**30), max_value=10**30)
)
def test_every_number_can_be_read_back(value: Decimal) -> None:
    italian = number(value, "it").replace(".", "").replace(",", ".")
    english = number(value, "en").replace(",", "")

    assert Decimal(italian) == Decimal(english) == value


@pytest.mark.property
@given(
    value=st.decimals(-(10**12), 10**12, places=6, allow_nan=False, allow_infinity=False),
    decimals=st.integers(0, 6),
)
def test_every_number_is_cut_as_the_decimal_itself_is(value: Decimal, decimals: int) -> None:
    expected = value.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)

    assert Decimal(number(value, "en", decimals=decimals).replace(",", "")) == expected


@pytest.mark.parametrize(("lang", "text"), [("it", "01/03/2024"), ("en", "2024-03-01")])
def test_a_day_is_written_as_its_language_does(lang: Lang, text: str) -> None:
    assert day(dt.date(2024, 3, 1), lang) == text


def test_an_instant_is_shown_in_utc_unless_a_zone_is_given() -> None:
    moment = dt.datetime(2024, 6, 30, 22, 30, 59, 999999, tzinfo=dt.UTC)

    assert instant(moment, "it") == "30/06/2024 22:30:59 UTC"
    assert instant(moment, "en") == "2024-06-30 22:30:59 UTC"
    assert instant(moment, "it", ZoneInfo("Europe/Rome")) == "01/07/2024 00:30:59 CEST"


def test_an_instant_of_another_zone_is_the_same_instant() -> None:
    rome = dt.datetime(2024, 1, 1, 0, 30, tzinfo=ZoneInfo("Europe/Rome"))

    assert instant(rome, "en") == "2023-12-31 23:30:00 UTC"


@pytest.mark.parametrize(
    ("value", "lang", "text"), [(True, "it", "sì"), (False, "it", "no"), (True, "en", "yes")]
)
def test_a_flag_is_yes_or_no(*, value: bool, lang: Lang, text: str) -> None:
    assert flag(value, lang) == text


@pytest.mark.parametrize(
    ("value", "italian", "english"),
    [
        (None, "-", "-"),
        (True, "sì", "yes"),
        (0, "0", "0"),
        (1234, "1.234", "1,234"),
        (Decimal("-1.5"), "-1,5", "-1.5"),
        (dt.date(2024, 3, 1), "01/03/2024", "2024-03-01"),
        (
            dt.datetime(2024, 3, 1, 12, tzinfo=dt.UTC),
            "01/03/2024 12:00:00 UTC",
            "2024-03-01 12:00:00 UTC",
        ),
        ("1234", "1234", "1234"),
        ("", "", ""),
    ],
)
def test_a_cell_is_written_by_its_type(value: object, italian: str, english: str) -> None:
    assert cell(value, "it") == italian
    assert cell(value, "en") == english
