"""Corrections of facts: a fact is never changed; it is taken back, and another takes its place.

A row with `supersedes` names the fact it corrects by its identifier in the source. The intake
writes a reversal beside it: a copy of the old fact with `reversal` set, which counts negatively
everywhere. So sums over facts are right at every position and for every worker.

Invariants:
1. A fact is taken back once; who corrects a correction names the latest fact.
2. A reversal has the numbers of the fact it takes back, whatever the row says.

Source: rulings 8; docs/adr/0009-facts.md.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import polars as pl

from ledger.facts.problems import FactProblem

REVERSAL_SUFFIX: Final = "/reversal"
"""Ends the identifier of a reversal that the intake writes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Resolved:
    """What became of the corrections of a batch."""

    reversals: Mapping[str, pl.DataFrame]
    """By schema: facts to append besides the rows."""
    replaced: pl.DataFrame
    """Identifiers of rows that only take a fact back; the reversal stands for them."""
    refused: pl.DataFrame
    """source_id, file, row, supersedes, code."""


def resolve(corrections: pl.DataFrame, tables: Iterable[tuple[str, pl.DataFrame]]) -> Resolved:
    """Find the facts to take back and build their reversals.

    Args:
        corrections: source_id, supersedes, reversal, file, row, full_name; at least one row.
        tables: facts of the batch, then those of the source, latest first; reading ends when every
            fact is found, since what takes it back comes later than the fact itself.
    """
    wanted = corrections.get_column("supersedes").unique()
    missing = set(wanted)
    originals: dict[str, list[pl.DataFrame]] = {}
    taken_back: list[pl.Series] = []
    for full_name, frame in tables:
        hits = frame.filter(pl.col("source_id").is_in(wanted.implode()) & ~pl.col("reversal"))
        if hits.height:
            originals.setdefault(full_name, []).append(hits)
        back = frame.filter(pl.col("supersedes").is_in(wanted.implode()) & pl.col("reversal"))
        taken_back.append(back.get_column("supersedes"))
        missing -= set(hits.get_column("source_id"))
        if not missing:
            break
    return _decide(corrections, originals, pl.concat(taken_back) if taken_back else None)


def _decide(
    corrections: pl.DataFrame,
    originals: Mapping[str, list[pl.DataFrame]],
    taken_back: pl.Series | None,
) -> Resolved:
    reversals: dict[str, pl.DataFrame] = {}
    refused: list[pl.DataFrame] = []
    replaced: list[pl.DataFrame] = []
    gone = pl.Series([], dtype=pl.String) if taken_back is None else taken_back.unique()
    for (name,), rows in corrections.group_by("full_name", maintain_order=True):
        full_name = str(name)
        old = pl.concat(originals[full_name]) if full_name in originals else None
        ids = pl.Series([], dtype=pl.String) if old is None else old.get_column("source_id")
        twice = (
            pl.col("supersedes").is_in(gone.implode()) | ~pl.col("supersedes").is_first_distinct()
        )
        judged = rows.with_columns(
            pl.when(~pl.col("supersedes").is_in(ids.implode()))
            .then(pl.lit(str(FactProblem.SUPERSEDED_UNKNOWN)))
            .when(twice)
            .then(pl.lit(str(FactProblem.SUPERSEDED_TWICE)))
            .alias("code")
        )
        refused.append(judged.filter(pl.col("code").is_not_null()))
        good = judged.filter(pl.col("code").is_null())
        replaced.append(good.filter("reversal").select("source_id"))
        if old is not None and good.height:
            reversals[full_name] = _reversals(old, good)
    return Resolved(reversals=reversals, replaced=pl.concat(replaced), refused=pl.concat(refused))


def _reversals(originals: pl.DataFrame, good: pl.DataFrame) -> pl.DataFrame:
    named = good.select(
        pl.col("supersedes").alias("_old"),
        pl.when("reversal")
        .then(pl.col("source_id"))
        .otherwise(pl.col("source_id") + REVERSAL_SUFFIX)
        .alias("_new"),
    )
    joined = originals.unique(subset="source_id", keep="last", maintain_order=True).join(
        named, left_on="source_id", right_on="_old", how="inner", maintain_order="left"
    )
    return joined.with_columns(
        pl.col("source_id").alias("supersedes"),
        pl.col("_new").alias("source_id"),
        pl.lit(value=True).alias("reversal"),
    ).drop("_new")
