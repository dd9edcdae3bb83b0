"""Write the tables of a screen to a file: CSV, or a workbook with one sheet a table.

Numbers and dates are written as such, not as the screen shows them, so that they can be computed
with; a text that a spreadsheet would take for a formula stays a text.
"""

import csv
import datetime as dt
import io
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Final

from app.output.table import Table
from app.texts.text import Lang
from ledger.errors import InvalidCommandError

EXACT_DIGITS: Final = 15
"""Digits a spreadsheet keeps of a number; longer ones are written as text."""
_FORMULA_BEGINS: Final = ("=", "+", "-", "@", "\t", "\r")


def write_tables(tables: Sequence[Table], path: Path, *, lang: Lang) -> None:
    """Write tables to a file that does not exist yet.

    Args:
        tables: in the order of the screen.
        path: ends with .csv or .xlsx; with several tables each CSV gets a number.
        lang: of the word for a sheet without a title.

    Raises:
        InvalidCommandError: there is no table, the ending is another, or the file exists.
    """
    if not tables:
        raise _refused(path, "this command shows no table")
    if path.exists():
        raise _refused(path, "the file exists already")
    match path.suffix.lower():
        case ".csv":
            for number, table in enumerate(tables, start=1):
                name = path if number == 1 else path.with_stem(f"{path.stem}-{number}")
                name.write_text(csv_text(table), encoding="utf-8", newline="")
        case ".xlsx":
            _write_workbook(tables, path, lang)
        case _:
            raise _refused(path, "write a name that ends with .csv or .xlsx")


def _refused(path: Path, reason: str) -> InvalidCommandError:
    return InvalidCommandError(subject="export", field="--export", value=str(path), reason=reason)


def csv_text(table: Table) -> str:
    """Return a table as CSV (RFC 4180): plain numbers, ISO dates."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow([column.title for column in table.columns])
    writer.writerows([_plain(value) for value in row] for row in table.rows)
    return stream.getvalue()


def _plain(value: object) -> str:
    match value:
        case None:
            return ""
        case Decimal():
            return format(value, "f")
        case dt.date():
            return value.isoformat()
        case str() if value.startswith(_FORMULA_BEGINS) and value != "-":
            return "'" + value
        case _:
            return str(value)


def _write_workbook(tables: Sequence[Table], path: Path, lang: Lang) -> None:
    from xlsxwriter import Workbook  # noqa: PLC0415 - slow to import

    word = "Tabella" if lang == "it" else "Table"
    with Workbook(str(path), {"strings_to_formulas": False, "strings_to_urls": False}) as book:
        bold = book.add_format({"bold": True})
        date = book.add_format({"num_format": "yyyy-mm-dd"})
        for number, table in enumerate(tables, start=1):
            sheet = book.add_worksheet(f"{word} {number}")
            for place, column in enumerate(table.columns):
                sheet.write_string(0, place, column.title, bold)
            for line, row in enumerate(table.rows, start=1):
                for place, value in enumerate(row):
                    _write_cell(sheet, line, place, value, date)
            sheet.freeze_panes(1, 0)


def _write_cell(sheet: object, line: int, place: int, value: object, date: object) -> None:
    write = {
        "number": getattr(sheet, "write_number"),  # noqa: B009 - the library is untyped
        "date": getattr(sheet, "write_datetime"),  # noqa: B009
        "text": getattr(sheet, "write_string"),  # noqa: B009
    }
    match value:
        case None:
            return
        case bool():
            write["text"](line, place, str(value))
        case Decimal() | int() if len(Decimal(value).as_tuple().digits) <= EXACT_DIGITS:
            write["number"](line, place, value)
        case dt.date() if not isinstance(value, dt.datetime):
            write["date"](line, place, dt.datetime.combine(value, dt.time()), date)
        case _:
            write["text"](line, place, _plain(value).removeprefix("'"))
