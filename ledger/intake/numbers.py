"""Parsers of cells that hold a number: strict on form, generous with explanations.

Invariants:
1. A parser gives a value or raises `CellError`; it never guesses, trims or repairs.
2. Only the ASCII digits are digits, and a number has one spelling per value and precision:
   dot for decimals, no separator of thousands, no plus sign, no exponent, no negative zero.
3. Time is linear in the length of the cell.

Source: docs/data-folder.md; ruling 10 for the 38 digits.
"""

import re
import unicodedata
from collections.abc import Callable
from decimal import Decimal
from typing import Final, NoReturn

from ledger.intake.problems import CellError, named

DIGITS_MAX: Final = 38
"""Significant digits of a number, and digits after the dot."""
YEAR_MIN: Final = 1900
YEAR_MAX: Final = 2999

_DECIMAL: Final = re.compile(r"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?")
_INTEGER: Final = re.compile(r"-?(?:0|[1-9][0-9]*+)")
_CURRENCIES: Final = ("%", "€", "$", "£", "EUR", "euro")
_MINUS_LIKE: Final = "\u2010\u2011\u2012\u2013\u2014\u2212"
_THOUSANDS_BLANKS: Final = " \u00a0\u2009\u202f'\u2019"
_NOT_NUMBERS: Final = frozenset({"nan", "inf", "infinity", "-inf", "-infinity"})

_DECIMAL_COMMA: Final = re.compile(r"-?[0-9]++,[0-9]++")
_ITALIAN: Final = re.compile(r"-?[0-9]{1,3}(?:\.[0-9]{3})++,[0-9]++")
_ENGLISH: Final = re.compile(r"-?[0-9]{1,3}(?:,[0-9]{3})++\.[0-9]++")
_COMMAS: Final = re.compile(r"-?[0-9]{1,3}(?:,[0-9]{3}){2,}+")
_DOTS: Final = re.compile(r"-?[0-9]{1,3}(?:\.[0-9]{3}){2,}+")
_ONE_COMMA: Final = re.compile(r"-?[1-9][0-9]{0,2},[0-9]{3}")
_EXPONENT: Final = re.compile(r"[-+]?[0-9]++(?:[.,][0-9]*+)?[eE][-+]?[0-9]++")
_BARE_DOT: Final = re.compile(r"-?(?:\.[0-9]++|[0-9]++\.)")


def decimal_cell(text: str) -> Decimal:
    """Read a decimal number; digits after the dot are kept as written.

    Raises:
        CellError: The text is no number in the one spelling allowed.
    """
    if not text:
        raise CellError("empty_value")
    if not _DECIMAL.fullmatch(text):
        _explain(text, otherwise="not_a_number")
    _require_digits(text)
    value = Decimal(text)
    if value.is_signed() and not value:
        raise CellError("negative_zero")
    return value


def integer_cell(text: str) -> int:
    """Read a whole number.

    Raises:
        CellError: The text is no whole number in the one spelling allowed.
    """
    if not text:
        raise CellError("empty_value")
    if not _INTEGER.fullmatch(text):
        if _DECIMAL.fullmatch(text):
            raise CellError("not_an_integer")
        _explain(text, otherwise="not_an_integer")
    _require_digits(text)
    if text == "-0":
        raise CellError("negative_zero")
    return int(text)


def integer_between(
    *, minimum: int | None = None, maximum: int | None = None
) -> Callable[[str], int]:
    """Return the parser of a whole number within bounds, both inclusive."""

    def parse(text: str) -> int:
        value = integer_cell(text)
        _require_range(value, minimum, maximum)
        return value

    return parse


def year_cell(text: str) -> int:
    """Read a year of four digits, from 1900 to 2999.

    Raises:
        CellError: The text is no such year.
    """
    return integer_between(minimum=YEAR_MIN, maximum=YEAR_MAX)(text)


def decimals_of(text: str) -> int:
    """Return the digits after the dot of a number as it is written; 0 for an empty cell."""
    return len(text.partition(".")[2])


def _require_digits(text: str) -> None:
    whole, _, fraction = text.removeprefix("-").partition(".")
    digits = max(len((whole + fraction).lstrip("0")), len(fraction))
    if digits > DIGITS_MAX:
        raise CellError("too_many_digits", digits=digits, limit=DIGITS_MAX)


def _require_range(
    value: Decimal | int, minimum: Decimal | int | None, maximum: Decimal | int | None
) -> None:
    if minimum is not None and value < minimum:
        raise CellError("below_minimum", limit=minimum)
    if maximum is not None and value > maximum:
        raise CellError("above_maximum", limit=maximum)


def _explain(text: str, *, otherwise: str) -> NoReturn:
    """Say why a text is not a number in our spelling; most specific reason first."""
    if text.casefold() in _NOT_NUMBERS:
        raise CellError("not_a_number")
    _explain_characters(text)
    _explain_separators(text)
    if _EXPONENT.fullmatch(text):
        raise CellError("exponent")
    if _BARE_DOT.fullmatch(text):
        raise CellError("bare_dot")
    if _DECIMAL.fullmatch(_plain(text)):
        raise CellError("leading_zeros", suggestion=_plain(text))
    raise CellError(otherwise)


def _explain_characters(text: str) -> None:
    for character in text:
        if not character.isascii() and unicodedata.category(character) in {"Nd", "No", "Nl"}:
            raise CellError("foreign_digits", character=named(character))
    if text[0] in _MINUS_LIKE:
        raise CellError("minus_sign", character=named(text[0]), suggestion=_plain("-" + text[1:]))
    if text[0] == "+":
        raise CellError("plus_sign")
    for sign in _CURRENCIES:
        if text.startswith(sign) or text.endswith(sign):
            raise CellError("unit_in_number", sign=sign)


def _explain_separators(text: str) -> None:
    if _ONE_COMMA.fullmatch(text):
        raise CellError(
            "ambiguous_number", decimal=text.replace(",", "."), thousands=text.replace(",", "")
        )
    if _DECIMAL_COMMA.fullmatch(text):
        raise CellError("comma_number", suggestion=_plain(text.replace(",", ".")))
    if _ITALIAN.fullmatch(text):
        raise CellError("comma_number", suggestion=_plain(text.replace(".", "").replace(",", ".")))
    if _ENGLISH.fullmatch(text) or _COMMAS.fullmatch(text):
        raise CellError("thousands_separator", suggestion=_plain(text.replace(",", "")))
    if _DOTS.fullmatch(text):
        raise CellError("thousands_separator", suggestion=_plain(text.replace(".", "")))
    joined = "".join(c for c in text if c not in _THOUSANDS_BLANKS)
    if joined != text and re.fullmatch(r"-?[0-9]++(?:[.,][0-9]++)?", joined):
        raise CellError("thousands_separator", suggestion=_plain(joined.replace(",", ".")))


def _plain(text: str) -> str:
    """Return a number without needless zeros in front, and zero without sign, for suggestions."""
    sign = "-" if text.startswith("-") else ""
    digits = text.removeprefix("-").lstrip("0")
    if not digits or digits.startswith("."):
        digits = "0" + digits
    return digits if not digits.strip("0.") else sign + digits
