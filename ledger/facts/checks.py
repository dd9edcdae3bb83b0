"""Judge typed facts: bounds, choices, references on their day, open periods, knowledge date.

Every check looks at whole columns; a row may break several, and all are reported.

A correction (a row with `supersedes`) may lie in a closed period: what was wrong in a year stays
wrong when the year is closed, and the fact keeps its own day. In a period that was never opened it
is refused like every other fact.

Source: docs/production.md.
"""

import datetime as dt

import polars as pl

from ledger.facts.families import FactRules
from ledger.facts.problems import PROBLEMS_SCHEMA, ROW, FactProblem
from ledger.facts.references import References, Span


def check(
    frame: pl.DataFrame, rules: FactRules, known: References, *, as_of: dt.date
) -> pl.DataFrame:
    """Return the problems of typed rows; a null value is left to the conversion.

    Args:
        frame: typed, with the column `row`.
        rules: of the schema.
        known: what may be referred to.
        as_of: day on which the batch was known.
    """
    found = [
        *(_bounds(frame, name, *bounds) for name, bounds in rules.ranges.items()),
        *(_choice(frame, name, allowed) for name, allowed in rules.choices.items()),
        *(
            _referred(frame, name, rules.day, known.units, FactProblem.UNKNOWN_UNIT)
            for name in rules.units
        ),
        _open(frame, rules.day, known),
        _reversal(frame),
        _where(frame, pl.col(rules.day) > as_of, rules.day, FactProblem.AFTER_AS_OF),
    ]
    if rules.product is not None:
        found.append(
            _referred(frame, rules.product, rules.day, known.products, FactProblem.UNKNOWN_PRODUCT)
        )
    if rules.node is not None:
        found.append(_referred(frame, rules.node, rules.day, known.nodes, FactProblem.UNKNOWN_NODE))
    return pl.concat(found)


def _bounds(frame: pl.DataFrame, name: str, low: int, high: int) -> pl.DataFrame:
    return _where(frame, ~pl.col(name).is_between(low, high), name, FactProblem.OUT_OF_RANGE)


def _choice(frame: pl.DataFrame, name: str, allowed: tuple[str, ...]) -> pl.DataFrame:
    return _where(frame, ~pl.col(name).is_in(allowed), name, FactProblem.NOT_A_CHOICE)


def _open(frame: pl.DataFrame, day: str, known: References) -> pl.DataFrame:
    correction = pl.col("supersedes").is_not_null()
    allowed = _within(day, known.open_days) | (correction & _within(day, known.known_days))
    return _where(frame, ~allowed & pl.col(day).is_not_null(), day, FactProblem.PERIOD_NOT_OPEN)


def _within(day: str, spans: tuple[Span, ...]) -> pl.Expr:
    if not spans:
        return pl.lit(value=False)
    return pl.any_horizontal(pl.col(day).is_between(first, last) for first, last in spans)


def _reversal(frame: pl.DataFrame) -> pl.DataFrame:
    """Find rows that take a fact back and do not say which."""
    lacking = pl.col("reversal") & pl.col("supersedes").is_null()
    return _where(frame, lacking, "supersedes", FactProblem.MISSING)


def _where(frame: pl.DataFrame, wrong: pl.Expr, name: str, code: FactProblem) -> pl.DataFrame:
    bad = (
        frame.lazy()
        .filter(wrong)
        .select(
            pl.col(ROW).cast(pl.UInt64),
            pl.lit(name).alias("column"),
            pl.lit(str(code)).alias("code"),
            pl.col(name).cast(pl.String).fill_null("").alias("value"),
        )
    )
    return bad.collect()


def _referred(
    frame: pl.DataFrame, name: str, day: str, spans: pl.DataFrame, code: FactProblem
) -> pl.DataFrame:
    """Find codes that no span covers on the fact's day.

    Distinct pairs are joined, not rows: a batch has many facts and few pairs.
    """
    pairs = frame.lazy().select(name, day).filter(pl.col(name).is_not_null()).unique().drop_nulls()
    covered = pairs.join(spans.lazy(), left_on=name, right_on="code").filter(
        pl.col(day).is_between(pl.col("first"), pl.col("last"))
    )
    unknown = pairs.join(covered, on=[name, day], how="anti").collect()
    if unknown.is_empty():
        return pl.DataFrame(schema=PROBLEMS_SCHEMA)
    rows = frame.join(unknown, on=[name, day], how="semi")
    return _where(rows, pl.lit(value=True), name, code)
