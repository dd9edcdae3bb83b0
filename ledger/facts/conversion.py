"""Raw values to typed columns: what of a table of texts is a fact of a schema, and what is not.

Invariants:
1. Nothing is guessed: a whole number is digits with an optional minus, a day is YYYY-MM-DD or, in a
   file with types, an instant at midnight, a flag is true or false. An Italian thousands mark or
   decimal comma is a problem, not a number.
2. Every problem of a row is reported, not only the first one.
   A fraction that a file holds as such is no number and no text: `1.0` may have been `1` or `01`.
3. A column that the schema does not know is refused for the whole file, before any row.

Source: docs/production.md.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import polars as pl

from ledger.facts.instants import day_of, written
from ledger.facts.problems import PROBLEMS_SCHEMA, ROW, FactProblem
from schemas.columns import DTYPES, FactField, Kind

_NUMBER: Final = r"^-?(0|[1-9][0-9]{0,18})$"
_DAY: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_TRUE: Final = ("true", "True", "TRUE", "1")
_FALSE: Final = ("false", "False", "FALSE", "0")
TEXT_BYTES_MAX: Final = 512
"""Longest text of one value."""
_CONTROL: Final = r"[\x00-\x1F]"
_CODES: Final[Mapping[Kind, FactProblem]] = {
    "string": FactProblem.BAD_TEXT,
    "int": FactProblem.NOT_A_NUMBER,
    "long": FactProblem.NOT_A_NUMBER,
    "boolean": FactProblem.NOT_A_FLAG,
    "date": FactProblem.NOT_A_DAY,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Converted:
    """Typed rows and what was wrong with the others."""

    frame: pl.DataFrame
    """All rows, typed, with the column `row`; a value that could not be read is null."""
    problems: pl.DataFrame


def convert(raw: pl.DataFrame, fields: tuple[FactField, ...]) -> Converted:
    """Turn raw columns into typed ones.

    Args:
        raw: has the column `row` and columns of texts, or typed ones where the file has types; a
            column of the schema that is absent counts as empty.
        fields: of the schema.
    """
    filled = raw.lazy().with_columns(
        _absent(field).alias(field.name) for field in fields if field.name not in raw.columns
    )
    kept = filled.select(
        pl.col(ROW).cast(pl.UInt64), *(_no_empty_text(raw, field) for field in fields)
    ).collect()
    typed = kept.select(ROW, *(_value(kept, field).alias(field.name) for field in fields))
    found = [pl.DataFrame(schema=PROBLEMS_SCHEMA)]
    for field in fields:
        before, after = kept.get_column(field.name), typed.get_column(field.name)
        wrong = before.is_not_null() & after.is_null()
        found.append(_problems(kept, before, wrong, field.name, _code(field, before)))
        if not field.nullable:
            found.append(_problems(kept, before, before.is_null(), field.name, FactProblem.MISSING))
    return Converted(frame=typed, problems=pl.concat(found))


def _code(field: FactField, column: pl.Series) -> FactProblem:
    if field.kind == "date" and isinstance(column.dtype, pl.Datetime):
        return FactProblem.TIME_OF_DAY
    return _CODES[field.kind]


def _absent(field: FactField) -> pl.Expr:
    # A file of first facts need not say that none of them takes another one back.
    return pl.lit("false" if field.name == "reversal" else None, dtype=pl.String)


def _no_empty_text(raw: pl.DataFrame, field: FactField) -> pl.Expr:
    column = pl.col(field.name)
    if raw.schema.get(field.name, pl.String()) == pl.String:
        return pl.when(column != "").then(column)
    return column


def _value(kept: pl.DataFrame, field: FactField) -> pl.Expr:
    """Return the typed value, null where it cannot be read."""
    column, dtype = pl.col(field.name), kept.schema[field.name]
    match field.kind:
        case "string":
            text = _text(column, dtype)
            good = (text.str.len_bytes() <= TEXT_BYTES_MAX) & ~text.str.contains(_CONTROL)
            return pl.when(good).then(text)
        case "int" | "long":
            wanted = DTYPES[field.kind]
            if dtype.is_integer():
                return column.cast(wanted, strict=False)
            return _shaped(column, dtype, _NUMBER).cast(wanted, strict=False)
        case "boolean":
            text = column.cast(pl.String, strict=False)
            truth = pl.when(text.is_in(_TRUE)).then(statement=True)
            return truth.when(text.is_in(_FALSE)).then(statement=False)
        case "date":
            if dtype == pl.Date:
                return column
            if isinstance(dtype, pl.Datetime):
                return day_of(column)
            day = _shaped(column, dtype, _DAY).str.to_date("%Y-%m-%d", strict=False)
            # Four digits may name the year 0, which no calendar has.
            return pl.when(day >= dt.date.min).then(day)


def _text(column: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """Return texts, and whole numbers as texts; other types are nothing."""
    if dtype == pl.String or dtype.is_integer() or isinstance(dtype, pl.Categorical | pl.Enum):
        return column.cast(pl.String)
    return pl.lit(None, dtype=pl.String)


def _shaped(column: pl.Expr, dtype: pl.DataType, pattern: str) -> pl.Expr:
    """Return texts of a shape; other types, such as floats, are nothing."""
    if dtype != pl.String:
        return pl.lit(None, dtype=pl.String)
    return pl.when(column.str.contains(pattern)).then(column)


def _problems(
    kept: pl.DataFrame, column: pl.Series, wrong: pl.Series, name: str, code: FactProblem
) -> pl.DataFrame:
    if not wrong.any():
        return pl.DataFrame(schema=PROBLEMS_SCHEMA)
    return pl.DataFrame(
        {
            ROW: kept.get_column(ROW).filter(wrong),
            "value": written(pl.DataFrame(column.filter(wrong)))
            .to_series()
            .cast(pl.String, strict=False)
            .fill_null(""),
        }
    ).select(ROW, pl.lit(name).alias("column"), pl.lit(str(code)).alias("code"), pl.col("value"))
