"""Judge the rows of a batch: into the spool, or among the rejects.

Each piece is converted and checked on its own; what needs the whole batch (duplicates,
corrections) is settled at the end.

Source: docs/production.md.
"""

from collections.abc import Collection, Iterator, Sequence
from typing import Final

import polars as pl

from ledger.application import LedgerApplication
from ledger.errors import FactFileError, WrongExpectedVersionError
from ledger.facts.batches import Batch, FactFile, Progress, stream_of
from ledger.facts.blocks import read_facts
from ledger.facts.checks import check
from ledger.facts.conversion import convert
from ledger.facts.corrections import resolve
from ledger.facts.families import FAMILIES, RULES, FactRules
from ledger.facts.known import KnownIds
from ledger.facts.pieces import Piece, numbered
from ledger.facts.problems import ROW, FactProblem, problem_table
from ledger.facts.reading import PIECE_BYTES, columns_of, first_line, read_pieces
from ledger.facts.references import References
from ledger.facts.rejects import Rejects
from ledger.facts.spool import FILE, Spool
from ledger.types import StreamVersion
from schemas.columns import layout
from schemas.registry import ReleasedSchema, SchemaRegistry

DEFAULT_WINDOW: Final = 1_000_000
"""How many of a source's last facts are searched for duplicates, unless it declares otherwise."""

Refused = tuple[pl.DataFrame, FactProblem]
"""Rows (file and row) and why."""


def rules_of(
    file: FactFile, columns: Collection[str], family: str, registry: SchemaRegistry
) -> FactRules:
    """Return the rules of the schema that the columns of a file name.

    Raises:
        FactFileError: no schema of the family has these columns, or more than one.
    """
    nearest: list[tuple[int, str]] = []
    fitting = _fitting(columns, family, registry)
    if len(fitting) == 1:
        return fitting[0]
    for rules in FAMILIES[family]:
        missing, extra = _amiss(rules, columns, registry)
        told = [
            f"{word} {', '.join(sorted(found))}"
            for word, found in (("missing", missing), ("unknown", extra))
            if found
        ]
        nearest.append((len(missing) + len(extra), f"{rules.name}: {'; '.join(told)}"))
    distance, told_nearest = min(nearest)
    reason = f"the columns are nearest to {told_nearest}"
    if distance >= len(columns):
        kinds = ", ".join(rules.name for rules in FAMILIES[family])
        reason = f"the columns are those of no kind of fact of the family: {kinds}"
    raise FactFileError(file=file.name, reason=reason)


def kind_of(columns: Collection[str], family: str, registry: SchemaRegistry) -> FactRules | None:
    """Return the rules of the one schema of a family that some columns name; None for no schema."""
    fitting = _fitting(columns, family, registry)
    return fitting[0] if len(fitting) == 1 else None


def _fitting(columns: Collection[str], family: str, registry: SchemaRegistry) -> list[FactRules]:
    return [
        rules for rules in FAMILIES[family] if _amiss(rules, columns, registry) == (set(), set())
    ]


def _amiss(
    rules: FactRules, columns: Collection[str], registry: SchemaRegistry
) -> tuple[set[str], set[str]]:
    """Return the columns that a schema lacks, and those that it does not know."""
    names = set(columns)
    fields = layout(registry.latest(rules.full_name))
    needed = {one.name for one in fields if not one.nullable} - {"reversal"}
    return needed - names, names - {one.name for one in fields}


def _require_known(file: FactFile, piece: Piece, columns: Collection[str]) -> None:
    """Refuse a file in which a later line names a column that the first ones did not."""
    unknown = sorted(set(piece.frame.columns) - {ROW, *columns})
    if unknown:
        raise FactFileError(
            file=file.name, reason="no kind of fact has the columns " + ", ".join(unknown)
        )


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
        known: KnownIds | None = None,
        piece_bytes: int = PIECE_BYTES,
    ) -> None:
        """Prepare.

        Args:
            ledger: open for writing.
            batch: what the caller says of it.
            allowed: what facts may refer to.
            spool: takes the accepted rows.
            rejects: takes the others.
            known: the source's window from an earlier batch; None reads it.
            piece_bytes: how much text of a file is in memory at once, about.
        """
        self._piece_bytes = piece_bytes
        self._ledger = ledger
        self._batch = batch
        self._allowed = allowed
        self.spool = spool
        self._rejects = rejects
        self._stream = stream_of(batch.family, batch.source)
        self._registry = ledger.avro.registry
        self.known = (
            known if known is not None and known.window == self._window else self._window_of()
        )
        self._seen = 0
        """Version of the stream when duplicates were looked for."""
        self._taken: set[str] = set()
        """Identifiers of the facts that the batch takes back."""

    def read(self, files: Sequence[FactFile], progress: Progress) -> int:
        """Judge every row and spool the accepted ones; return the number of rows."""
        rows = 0
        for place, file in enumerate(files):
            number = place if file.number is None else file.number
            found = columns_of(file.path, file.form)
            rules = rules_of(file, found, self._batch.family, self._registry)
            schema = self._schema(rules.full_name)
            size = file.path.stat().st_size
            columns = tuple(one.name for one in layout(schema))
            # Lines of JSON name their values themselves, and not each of them names all.
            heading = columns if file.form == "jsonl" else found
            self._rejects.begin(number, file.name, heading, line=first_line(file.form))
            for piece in read_pieces(file.path, file.form, piece_bytes=self._piece_bytes):
                _require_known(file, piece, columns)
                self._judge(piece, number, rules, schema)
                rows += piece.rows
                progress("read", piece.bytes_read or rows, size if piece.bytes_read else 0)
        return rows

    def take(self, full_name: str, frame: pl.DataFrame) -> int:
        """Judge the rows of one table; return their number."""
        rules, schema = RULES[full_name], self._schema(full_name)
        columns = tuple(one.name for one in layout(schema))
        self._rejects.begin(0, rules.name, columns, line=first_line("table"))
        piece = Piece(
            frame=numbered(frame, 0), problems=problem_table([]), rows=frame.height, bytes_read=0
        )
        self._judge(piece, 0, rules, schema)
        return frame.height

    def take_pieces(self, pieces: Sequence[tuple[str, Piece]]) -> int:
        """Judge rows of several schemas, numbered by the caller; return their number.

        Args:
            pieces: Avro full name and rows.
        """
        for full_name, piece in pieces:
            self._judge(piece, 0, RULES[full_name], self._schema(full_name))
        return sum(piece.rows for _, piece in pieces)

    def _schema(self, full_name: str) -> ReleasedSchema:
        return self._registry.latest(full_name)

    def _judge(self, piece: Piece, number: int, rules: FactRules, schema: ReleasedSchema) -> None:
        converted = convert(piece.frame, layout(schema))
        found = check(converted.frame, rules, self._allowed, as_of=self._batch.as_of)
        problems = pl.concat([piece.problems, converted.problems, found])
        frame = converted.frame
        if problems.height:
            bad = problems.select(ROW).unique()
            refused = piece.frame.join(bad, on=ROW, how="semi", maintain_order="left")
            self._rejects.add(number, refused, problems)
            frame = frame.join(bad, on=ROW, how="anti", maintain_order="left")
        self.spool.add(
            rules.full_name, frame.with_columns(pl.lit(number, dtype=pl.UInt32).alias(FILE))
        )

    def look(self) -> None:
        """Note how far the source has recorded; `settle` looks no further."""
        self._seen = self._last_version()

    def settle(self) -> dict[str, pl.DataFrame]:
        """Refuse duplicates and wrong corrections; return the reversals by schema.

        What is compared with is what the source had recorded when `look` was called.
        """
        # Duplicates go first: a fact that is refused is nobody's original.
        self._refuse([*self._duplicates_in_batch(), *self._duplicates_in_ledger()])
        reversals = self._correct()
        self._taken = {
            fact
            for frame in reversals.values()
            for fact in frame.get_column("supersedes").to_list()
        }
        return reversals

    def require_unmoved(self, first: StreamVersion) -> None:
        """Require that nobody recorded meanwhile what was judged to be new.

        Args:
            first: version that the first block is about to get.

        Raises:
            WrongExpectedVersionError: since `settle`, the source recorded a fact of this batch, or
                took one back that this batch takes back.
        """
        if first == self._seen + 1:
            return
        for frame in self._recorded_since(self._seen):
            taken = frame.filter("reversal").get_column("supersedes")
            if self._same(frame.get_column("source_id")).height or self._taken & set(taken):
                raise WrongExpectedVersionError(
                    stream=self._stream, expected=self._seen, actual=first - 1
                )

    def _correct(self) -> dict[str, pl.DataFrame]:
        while True:
            corrections = self.spool.corrections()
            if corrections.is_empty():
                return {}
            names = set(corrections.get_column("full_name"))
            resolved = resolve(corrections, self._spooled_facts(), self._recorded_facts(names))
            for (code,), rows in resolved.refused.group_by("code", maintain_order=True):
                self._refuse([(rows, FactProblem(str(code)))])
            lost = resolved.refused.get_column("source_id")
            if not corrections.get_column("supersedes").is_in(lost.implode()).any():
                break
            # A correction was refused that another one corrects: that one has lost its original.
        if resolved.replaced.height:
            replaced = resolved.replaced
            self.spool.rewrite(
                lambda frame: frame.join(
                    replaced, on="source_id", how="anti", maintain_order="left"
                )
            )
        return dict(resolved.reversals)

    def _duplicates_in_batch(self) -> list[Refused]:
        suspects = self.spool.suspects()
        if suspects.is_empty():
            return []
        later = suspects.sort(FILE, ROW).filter(~pl.col("source_id").is_first_distinct())
        return [(later, FactProblem.DUPLICATE_IN_BATCH)] if later.height else []

    def _duplicates_in_ledger(self) -> list[Refused]:
        self.known.advance(self._seen)
        near = self.known.near(self.spool.hashes())
        same = pl.DataFrame() if near.is_empty() else self._same(near)
        return [(same, FactProblem.DUPLICATE_IN_LEDGER)] if same.height else []

    def _same(self, known: pl.Series) -> pl.DataFrame:
        """Return the rows of the batch whose identifiers are among those known."""
        suspects = self.spool.suspects(known.hash())
        if suspects.is_empty():
            return suspects
        return suspects.filter(pl.col("source_id").is_in(known.implode()))

    @property
    def _window(self) -> int:
        declared = self._allowed.sources.get(self._batch.source)
        return DEFAULT_WINDOW if declared is None else declared.window_facts

    def _window_of(self) -> KnownIds:
        return KnownIds(self._ledger.store, self._registry, self._stream, window=self._window)

    def _recorded_facts(self, names: Collection[str]) -> Iterator[tuple[str, pl.DataFrame]]:
        """Yield the facts of the source, latest table first, of the schemas named."""
        for records in self._ledger.store.last_of_stream(
            self._stream, events=None, through=self._seen
        ):
            asked = [one for one in reversed(records) if one.record.event_type in names]
            for table in read_facts(asked, self._registry, checked=False):
                yield table.full_name, table.frame

    def _recorded_since(self, version: int) -> Iterator[pl.DataFrame]:
        """Yield the facts of the source behind a version."""
        for records in self._ledger.store.last_of_stream(self._stream, events=None):
            later = [one for one in records if one.record.stream_version > version]
            for table in read_facts(later, self._registry, checked=False):
                yield table.frame
            if len(later) < len(records):
                return

    def _last_version(self) -> int:
        last = self._ledger.store.read_stream(self._stream, descending=True, limit=1)
        return last[0].record.stream_version if last else 0

    def _spooled_facts(self) -> Iterator[tuple[str, pl.DataFrame]]:
        for full_name, frame in self.spool.frames():
            yield full_name, frame.drop(FILE, ROW)

    def _refuse(self, refused: Sequence[Refused]) -> None:
        """Take rows out of the spool."""
        if not refused:
            return

        def kept(frame: pl.DataFrame) -> pl.DataFrame:
            for rows, code in refused:
                places = rows.select(FILE, ROW)
                self._rejects.add_spooled(
                    frame.join(places, on=[FILE, ROW], how="semi", maintain_order="left"), code
                )
                frame = frame.join(places, on=[FILE, ROW], how="anti", maintain_order="left")
            return frame

        self.spool.rewrite(kept)
