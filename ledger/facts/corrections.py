"""Corrections of facts: a fact is never changed; it is taken back, and another takes its place.

A row with `supersedes` names the fact it corrects by its identifier in the source. The intake
writes a reversal beside it: a copy of the old fact with `reversal` set, which counts negatively
everywhere. So sums over facts are right at every position and for every worker.

Invariants:
1. A fact is taken back once; who corrects a correction names the latest fact.
2. A reversal has the numbers of the fact it takes back, whatever the row says.
3. Where an identifier was used again beyond the window of its source, the latest fact is meant.

Source: rulings 8; docs/adr/0009-facts.md.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from ledger.facts.problems import FactProblem

REVERSAL_SUFFIX: Final = "/reversal"
"""Ends the identifier of a reversal that the intake writes."""
_AT: Final = "_at"

Tables = Iterable[tuple[str, pl.DataFrame]]
"""Schema and facts."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Resolved:
    """What became of the corrections of a batch."""

    reversals: Mapping[str, pl.DataFrame]
    """By schema: facts to append besides the rows."""
    replaced: pl.DataFrame
    """Identifiers of rows that only take a fact back; the reversal stands for them."""
    refused: pl.DataFrame
    """source_id, file, row, supersedes, code."""


@dataclass(kw_only=True)
class _Search:
    """Facts of one schema that are looked for."""

    missing: set[str]
    found: list[pl.DataFrame] = field(default_factory=list)
    taken_back: set[str] = field(default_factory=set)

    def look(self, frame: pl.DataFrame, *, recorded: bool) -> None:
        """Look through facts, in order of the ledger; those of the ledger may be taken back."""
        asked = pl.Series(sorted(self.missing), dtype=pl.String).implode()
        placed = frame.with_row_index(_AT)
        facts = placed.filter(pl.col("source_id").is_in(asked) & ~pl.col("reversal"))
        facts = facts.unique(subset="source_id", keep="last", maintain_order=True)
        if recorded:
            takers = placed.filter(pl.col("supersedes").is_in(asked) & pl.col("reversal"))
            of_these = takers.select("supersedes", _AT).join(
                facts.select("source_id", pl.col(_AT).alias("_fact")),
                left_on="supersedes",
                right_on="source_id",
                how="left",
            )
            # One that stands before the fact took back an earlier fact of the same name.
            later = of_these.filter(pl.col("_fact").is_null() | (pl.col(_AT) > pl.col("_fact")))
            self.taken_back |= set(later.get_column("supersedes"))
        if facts.height:
            self.found.append(facts.drop(_AT))
            self.missing -= set(facts.get_column("source_id"))


def resolve(corrections: pl.DataFrame, spooled: Tables, recorded: Tables) -> Resolved:
    """Find the facts to take back and build their reversals.

    Args:
        corrections: source_id, supersedes, reversal, file, row, full_name; at least one row.
        spooled: facts of the batch.
        recorded: facts of the source, latest table first, each in order of the ledger; reading
            ends when every fact is found, since what takes it back comes later than the fact.
    """
    searches = {
        str(name): _Search(missing=set(rows.get_column("supersedes")))
        for (name,), rows in corrections.group_by("full_name", maintain_order=True)
    }
    for tables, in_ledger in ((spooled, False), (recorded, True)):
        for full_name, frame in _while_missing(tables, searches):
            searches[full_name].look(frame, recorded=in_ledger)
    return _decide(corrections, searches)


def _while_missing(tables: Tables, searches: Mapping[str, _Search]) -> Tables:
    if not any(search.missing for search in searches.values()):
        return
    for full_name, frame in tables:
        if full_name in searches and searches[full_name].missing:
            yield full_name, frame
        if not any(search.missing for search in searches.values()):
            return


def _decide(corrections: pl.DataFrame, searches: Mapping[str, _Search]) -> Resolved:
    reversals: dict[str, pl.DataFrame] = {}
    refused: list[pl.DataFrame] = []
    replaced: list[pl.DataFrame] = []
    for (name,), rows in corrections.group_by("full_name", maintain_order=True):
        search = searches[str(name)]
        missing = pl.Series(sorted(search.missing), dtype=pl.String).implode()
        gone = pl.Series(sorted(search.taken_back), dtype=pl.String).implode()
        old = pl.col("supersedes")
        judged = rows.with_columns(
            # A row cannot take the place of itself.
            pl.when(old.is_in(missing) | (old == pl.col("source_id")))
            .then(pl.lit(str(FactProblem.SUPERSEDED_UNKNOWN)))
            .when(old.is_in(gone) | ~old.is_first_distinct())
            .then(pl.lit(str(FactProblem.SUPERSEDED_TWICE)))
            .alias("code")
        )
        refused.append(judged.filter(pl.col("code").is_not_null()))
        good = judged.filter(pl.col("code").is_null())
        replaced.append(good.filter("reversal").select("source_id"))
        if good.height:
            reversals[str(name)] = _reversals(pl.concat(search.found), good)
    return Resolved(reversals=reversals, replaced=pl.concat(replaced), refused=pl.concat(refused))


def _reversals(originals: pl.DataFrame, good: pl.DataFrame) -> pl.DataFrame:
    named = good.select(
        pl.col("supersedes").alias("_old"),
        pl.when("reversal")
        .then(pl.col("source_id"))
        .otherwise(pl.col("source_id") + REVERSAL_SUFFIX)
        .alias("_new"),
    )
    joined = originals.join(
        named, left_on="source_id", right_on="_old", how="inner", maintain_order="left"
    )
    return joined.with_columns(
        pl.col("source_id").alias("supersedes"),
        pl.col("_new").alias("source_id"),
        pl.lit(value=True).alias("reversal"),
    ).drop("_new")
