"""Read the card of a data folder, `dataset.toml`, and list its files.

Invariants:
1. Never raises for the content of the card: whatever its bytes, the answer is a `DatasetResult`.
2. Nothing is defaulted: every key is required, and keys that nobody reads are refused.

Source: docs/data-folder.md; TOML 1.0; ISO 4217 and ISO 639-1 for the forms of currency and
language; the IANA time zone database.
"""

import re
import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from ledger.errors import DatasetError
from ledger.intake.problems import CellError, Problem, closest, problem
from ledger.intake.tables import digest_of, read_bytes
from ledger.intake.texts import code_cell, require_clean, text_cell
from ledger.types import Digest

CARD: Final = "dataset.toml"
CARD_BYTES_MAX: Final = 64 * 1024
PROBLEMS_FILE: Final = "problems.csv"
"""The list of problems that stands in a folder of rejects; it is not data."""
FORMAT: Final = 1
"""The format of data folders that this release reads."""
YEAR_MIN: Final = 1900
YEAR_MAX: Final = 2999

_TABLE: Final = "dataset"
_KEYS: Final = ("body", "year", "title", "language", "currency", "timezone", "format")
_CURRENCY: Final = re.compile(r"[A-Z]{3}")
_LANGUAGE: Final = re.compile(r"[a-z]{2}")


@dataclass(frozen=True, kw_only=True, slots=True)
class DatasetInfo:
    """What a data folder says about itself."""

    body: str
    """Code of the public body; the ledger refuses folders of another one."""
    year: int
    """Year of the performance cycle."""
    title: str
    language: str
    """Two letters of ISO 639-1: the language of labels."""
    currency: str
    """Three letters of ISO 4217: the currency of amounts."""
    timezone: str
    """Name in the IANA database: in it, dates and times are shown."""
    format: int
    """Format of the folder."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DatasetResult:
    """What was read from the card."""

    info: DatasetInfo | None
    """None when there is any problem."""
    problems: tuple[Problem, ...]
    sha256: Digest
    """Of the bytes of the card; of no bytes when it could not be read."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FolderListing:
    """The files of a data folder."""

    tables: tuple[str, ...]
    """Names of the known tables that are there, in the order in which they were asked for."""
    problems: tuple[Problem, ...]
    """A warning for every file that nobody reads, sorted by name."""


def list_folder(
    folder: Path, *, tables: Sequence[str], others: Collection[str] = ()
) -> FolderListing:
    """List the files of a data folder.

    Hidden files, the card, readme files and the list of problems of a reject folder are passed
    over; anything else that is neither in `tables` nor in `others` gives a warning.

    Args:
        folder: The data folder.
        tables: Names of tables, in the order in which they are read.
        others: Names of further files that somebody reads.

    Raises:
        DatasetError: The folder cannot be listed.
    """
    try:
        present = sorted(entry.name for entry in folder.iterdir())
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or "bad path"
        raise DatasetError(folder=folder, reason=reason) from error
    expected = {*tables, *others, CARD, PROBLEMS_FILE}
    absent = expected.difference(present)
    warnings = [
        problem(
            "unknown_file",
            file=name,
            severity="warning",
            facts={"near": closest(name, absent)},
        )
        for name in present
        if name not in expected
        and not name.startswith(".")
        and not name.casefold().startswith("readme")
    ]
    return FolderListing(
        tables=tuple(name for name in tables if name in present), problems=tuple(warnings)
    )


def read_dataset(folder: Path) -> DatasetResult:
    """Read the card of a data folder.

    Raises:
        DatasetError: The folder does not exist or is no folder.
    """
    if not folder.is_dir():
        raise DatasetError(folder=folder, reason="there is no such folder")
    data = read_bytes(folder / CARD, file=CARD, file_bytes_max=CARD_BYTES_MAX)
    if isinstance(data, Problem):
        return DatasetResult(info=None, problems=(data,), sha256=digest_of(b""))
    return parse_dataset(data)


def parse_dataset(data: bytes) -> DatasetResult:
    """Read the content of a card; see `read_dataset`."""
    card = _Card()
    info = card.read(data)
    return DatasetResult(
        info=None if card.problems else info,
        problems=tuple(card.problems),
        sha256=digest_of(data),
    )


class _Card:
    """Reading of one card, collecting problems."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def read(self, data: bytes) -> DatasetInfo | None:
        table = self._table(data)
        if table is None:
            return None
        self._refuse_unknown(table, _KEYS, f"[{_TABLE}]")
        body = self._text(table, "body")
        year = self._integer(table, "year", first=YEAR_MIN, last=YEAR_MAX)
        title = self._text(table, "title")
        language = self._text(table, "language")
        currency = self._text(table, "currency")
        timezone = self._text(table, "timezone")
        version = self._format(table)
        if body:
            self._parsed("body", body)
        if language and not _LANGUAGE.fullmatch(language):
            self._add("bad_language", key="language", value=language)
        if currency and not _CURRENCY.fullmatch(currency):
            self._add("bad_currency", key="currency", value=currency)
        if timezone and not _is_timezone(timezone):
            self._add("unknown_timezone", key="timezone", value=timezone)
        return DatasetInfo(
            body=body,
            year=year,
            title=title,
            language=language,
            currency=currency,
            timezone=timezone,
            format=version,
        )

    def _add(
        self, code: str, *, key: str | None = None, value: object = None, **facts: object
    ) -> None:
        self.problems.append(
            problem(
                code,
                file=CARD,
                column=key,
                value=None if value is None else str(value),
                facts=facts,
            )
        )

    def _table(self, data: bytes) -> Mapping[str, object] | None:
        """Return the table of the card, or None after adding why there is none."""
        try:
            card: dict[str, object] = tomllib.loads(data.decode())
        except UnicodeDecodeError as error:
            self._add("toml_syntax", reason=f"byte at offset {error.start} is not UTF-8")
            return None
        except RecursionError:
            self._add("toml_syntax", reason="values are nested too deeply")
            return None
        except ValueError as error:
            self._add("toml_syntax", reason=str(error))
            return None
        self._refuse_unknown(card, (_TABLE,), CARD)
        table = card.get(_TABLE)
        if table is None:
            self._add("missing_key", key=f"[{_TABLE}]", table=CARD)
        elif isinstance(table, dict):
            return table
        else:
            self._add("wrong_type", key=_TABLE, expected="table")
        return None

    def _refuse_unknown(
        self, table: Mapping[str, object], known: Sequence[str], place: str
    ) -> None:
        absent = [key for key in known if key not in table]
        for key in table:
            if key not in known:
                self._add("unknown_key", key=key, table=place, near=closest(key, absent))

    def _value(self, table: Mapping[str, object], key: str) -> object | None:
        if key not in table:
            self._add("missing_key", key=key, table=f"[{_TABLE}]")
        return table.get(key)

    def _text(self, table: Mapping[str, object], key: str) -> str:
        """Return a text, empty after adding a problem."""
        value = self._value(table, key)
        if value is None:
            return ""
        if not isinstance(value, str):
            self._add("wrong_type", key=key, value=value, expected="string")
            return ""
        try:
            require_clean(value)
            return text_cell(value)
        except CellError as error:
            self._add(error.code, key=key, value=value, **error.facts)
            return ""

    def _parsed(self, key: str, value: str) -> None:
        try:
            code_cell(value)
        except CellError as error:
            self._add(error.code, key=key, value=value, **error.facts)

    def _integer(self, table: Mapping[str, object], key: str, *, first: int, last: int) -> int:
        """Return a whole number, 0 after adding a problem."""
        value = self._value(table, key)
        if value is None:
            return 0
        # In Python a truth value is an integer; in TOML it is not.
        if not isinstance(value, int) or isinstance(value, bool):
            self._add("wrong_type", key=key, value=value, expected="integer")
            return 0
        if value < first:
            self._add("below_minimum", key=key, value=value, limit=first)
        elif value > last:
            self._add("above_maximum", key=key, value=value, limit=last)
        return value

    def _format(self, table: Mapping[str, object]) -> int:
        value = self._value(table, "format")
        if value is not None and (type(value) is not int or value != FORMAT):
            self._add("unknown_format", key="format", value=value, found=value, expected=FORMAT)
        return FORMAT


def _is_timezone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True
