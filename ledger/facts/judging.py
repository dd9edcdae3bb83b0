"""Judge the rows of a batch: into the spool, or among the rejects.

Each piece is converted and checked on its own; what needs the whole batch (duplicates,
corrections) is settled at the end.

Source: docs/production.md.
"""

from collections.abc import Collection, Iterator, Sequence
from itertools import chain
from typing import Final

import polars as pl

from ledger.application import LedgerApplication
from ledger.errors import FactFileError
from ledger.facts.batches import Batch, FactFile, Progress, stream_of
from ledger.facts.blocks import read_facts
from ledger.facts.checks import check
from ledger.facts.conversion import convert
from ledger.facts.corrections import resolve
from ledger.facts.families import FAMILIES, RULES, FactRules
from ledger.facts.problems import ROW, FactProblem, problem_table
from ledger.facts.reading import Piece, columns_of, read_pieces
from ledger.facts.references import References
from ledger.facts.rejects import Rejects
from ledger.facts.spool import FILE, Spool
from schemas.columns import layout
from schemas.registry import ReleasedSchema, SchemaRegistry

DEFAULT_WINDOW: Final = 1_000_000
"""How many of a source's last facts are searched for duplicates, unless it declares otherwise."""

Refused = tuple[pl.DataFrame, FactProblem]
"""Rows (file and row) and why."""


def rules_of(file: FactFile, family: str, registry: SchemaRegistry) -> FactRules:
    """Return the rules of the schema that the columns of a file name.

    Raises:
        FactFileError: no schema of the family has these columns, or more than one.
    """
    names = set(columns_of(file.path, file.form))
    fitting: list[FactRules] = []
    reasons: list[str] = []
    for rules in FAMILIES[family]:
        fields = layout(registry.latest(rules.full_name))
        wanted = {one.name for one in fields}
        needed = {one.name for one in fields if not one.nullable} - {"reversal"}
        if needed <= names <= wanted:
            fitting.append(rules)
        missing, extra = sorted(needed - names), sorted(names - wanted)
        reasons.append(
            f"{rules.name}: missing {', '.join(missing) or '-'}; unknown {', '.join(extra) or '-'}"
        )
    if len(fitting) != 1:
        raise FactFileError(
            file=file.name, reason="the columns fit no kind of fact: " + " | ".join(reasons)
        )
    return fitting[0]


class Intake:
    """One batch on its way from files to the spool."""

    def __init__(
        self,
        ledger: LedgerApplication,
        batch: Batch,
        allowed: References,
        *,
        spool: Spool,
        rejects: Rejects,
    ) -> None:
        self._ledger = ledger
        self._batch = batch
        self._allowed = allowed
        self.spool = spool
        self._rejects = rejects

    def read(self, files: Sequence[FactFile], progress: Progress) -> int:
        """Judge every row and spool the accepted ones; return the number of rows."""
        rows = 0
        for number, file in enumerate(files):
            rules = rules_of(file, self._batch.family, self._ledger.avro.registry)
            schema = self._schema(rules.full_name)
            size = file.path.stat().st_size
            self._rejects.begin(number, file.name, tuple(one.name for one in layout(schema)))
            for piece in read_pieces(file.path, file.form):
                self._judge(piece, number, rules, schema)
                rows += piece.rows
                progress("read", piece.bytes_read or rows, size if piece.bytes_read else 0)
        return rows

    def take(self, full_name: str, frame: pl.DataFrame) -> int:
        """Judge the rows of one table; return their number."""
        rules, schema = RULES[full_name], self._schema(full_name)
        self._rejects.begin(0, rules.name, tuple(one.name for one in layout(schema)))
        numbered = frame.with_columns(pl.int_range(pl.len(), dtype=pl.UInt64).alias(ROW))
        piece = Piece(frame=numbered, problems=problem_table([]), rows=frame.height, bytes_read=0)
        self._judge(piece, 0, rules, schema)
        return frame.height

    def _schema(self, full_name: str) -> ReleasedSchema:
        return self._ledger.avro.registry.latest(full_name)

    def _judge(self, piece: Piece, number: int, rules: FactRules, schema: ReleasedSchema) -> None:
        converted = convert(piece.frame, layout(schema))
        found = check(converted.frame, rules, self._allowed, as_of=self._batch.as_of)
        problems = pl.concat([piece.problems, converted.problems, found])
        frame = converted.frame
        if problems.height:
            bad = problems.select(ROW).unique()
            self._rejects.add(number, piece.frame.join(bad, on=ROW, how="semi"), problems)
            frame = frame.join(bad, on=ROW, how="anti", maintain_order="left")
        self.spool.add(
            rules.full_name, frame.with_columns(pl.lit(number, dtype=pl.UInt32).alias(FILE))
        )

    def settle(self) -> dict[str, pl.DataFrame]:
        """Refuse duplicates and wrong corrections; return the reversals by schema."""
        refused = [*self._duplicates_in_batch(), *self._duplicates_in_ledger()]
        corrections = self.spool.corrections()
        reversals: dict[str, pl.DataFrame] = {}
        replaced = pl.DataFrame(schema={"source_id": pl.String})
        if corrections.height:
            for rows, _ in refused:
                corrections = corrections.join(
                    rows, on=[FILE, ROW], how="anti", maintain_order="left"
                )
            names = set(corrections.get_column("full_name"))
            tables = chain(self._spooled_facts(), self._recorded_facts(names))
            resolved = resolve(corrections, tables)
            reversals = dict(resolved.reversals)
            replaced = resolved.replaced
            for (code,), rows in resolved.refused.group_by("code", maintain_order=True):
                refused.append((rows, FactProblem(str(code))))
        if refused or replaced.height:
            self._drop(refused, replaced)
        return reversals

    def _duplicates_in_batch(self) -> list[Refused]:
        suspects = self.spool.suspects()
        if suspects.is_empty():
            return []
        later = suspects.sort(FILE, ROW).filter(~pl.col("source_id").is_first_distinct())
        return [(later, FactProblem.DUPLICATE_IN_BATCH)] if later.height else []

    def _duplicates_in_ledger(self) -> list[Refused]:
        known = self._window()
        if known is None:
            return []
        suspects = self.spool.suspects(known.hash())
        if suspects.is_empty():
            return []
        same = suspects.filter(pl.col("source_id").is_in(known.implode()))
        return [(same, FactProblem.DUPLICATE_IN_LEDGER)] if same.height else []

    def _window(self) -> pl.Series | None:
        """Return the identifiers of the source's last facts, as far as its window goes."""
        declared = self._allowed.sources.get(self._batch.source)
        window = DEFAULT_WINDOW if declared is None else declared.window_facts
        found: list[pl.Series] = []
        stream = stream_of(self._batch.family, self._batch.source)
        for records in self._ledger.store.last_of_stream(stream, events=window):
            tables = read_facts(records, self._ledger.avro.registry, checked=False)
            found.extend(table.frame.get_column("source_id") for table in tables)
        return pl.concat(found) if found else None

    def _recorded_facts(self, names: Collection[str]) -> Iterator[tuple[str, pl.DataFrame]]:
        """Yield the facts of the source, latest first, of the schemas named."""
        stream = stream_of(self._batch.family, self._batch.source)
        for records in self._ledger.store.last_of_stream(stream, events=None):
            asked = [one for one in records if one.record.event_type in names]
            for table in read_facts(asked, self._ledger.avro.registry, checked=False):
                yield table.full_name, table.frame

    def _spooled_facts(self) -> Iterator[tuple[str, pl.DataFrame]]:
        for full_name, frame in self.spool.frames():
            yield full_name, frame.drop(FILE, ROW)

    def _drop(self, refused: Sequence[Refused], replaced: pl.DataFrame) -> None:
        def kept(frame: pl.DataFrame) -> pl.DataFrame:
            for rows, code in refused:
                places = rows.select(FILE, ROW)
                self._rejects.add_spooled(
                    frame.join(places, on=[FILE, ROW], how="semi", maintain_order="left"), code
                )
                frame = frame.join(places, on=[FILE, ROW], how="anti", maintain_order="left")
            return frame.join(replaced, on="source_id", how="anti", maintain_order="left")

        self.spool.rewrite(kept)
