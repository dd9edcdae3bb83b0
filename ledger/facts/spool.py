"""Accepted rows on disk, between judging a batch and appending it.

A batch is judged whole before its first block is written, so its rows wait in a temporary folder;
in memory is one piece, and sixteen bytes a row to find duplicates.

Source: docs/adr/0008-facts.md.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import polars as pl
from polars.exceptions import PolarsError

from ledger.errors import StoreError

FILE: Final = "file"
"""Column with the 0-based number of the file in its batch."""

_PIECE: Final = "piece"
_PLACE: Final = "place"
_HASH: Final = "hash"


@dataclass(kw_only=True)
class Spool:
    """Rows of one batch, by schema, in the order in which they came."""

    folder: Path
    pieces: list[tuple[str, Path, int]] = field(default_factory=list)
    """Avro full name, file, rows."""
    _ids: list[pl.DataFrame] = field(default_factory=list)
    _corrections: list[pl.DataFrame] = field(default_factory=list)
    _written: int = 0

    def add(self, full_name: str, frame: pl.DataFrame) -> None:
        """Take accepted rows: the columns of the schema, with `file` and `row`.

        Raises:
            StoreError: there is no room for them.
        """
        if frame.is_empty():
            return
        self._keep(full_name, frame)

    def _keep(self, full_name: str, frame: pl.DataFrame) -> None:
        number = len(self.pieces)
        self._written += 1
        path = self.folder / f"{self._written:06}.arrow"
        try:
            frame.write_ipc(path, compression="lz4")
        except (OSError, PolarsError) as error:
            raise StoreError(
                store=str(self.folder),
                reason=f"the rows of the batch cannot be kept until they are recorded: {error}; "
                "make room there, or name another folder in TMPDIR",
            ) from error
        self.pieces.append((full_name, path, frame.height))
        self._ids.append(
            frame.select(
                pl.col("source_id").hash().alias(_HASH),
                pl.lit(number, dtype=pl.UInt32).alias(_PIECE),
                pl.int_range(pl.len(), dtype=pl.UInt32).alias(_PLACE),
            )
        )
        corrections = frame.filter(pl.col("supersedes").is_not_null())
        if corrections.height:
            self._corrections.append(
                corrections.select("source_id", "supersedes", "reversal", FILE, "row").with_columns(
                    pl.lit(full_name).alias("full_name")
                )
            )

    @property
    def rows(self) -> int:
        """Number of rows."""
        return sum(rows for _, _, rows in self.pieces)

    def frames(self, full_name: str | None = None) -> Iterator[tuple[str, pl.DataFrame]]:
        """Yield schema and rows of every piece, in order."""
        for name, path, _ in self.pieces:
            if full_name in {None, name}:
                yield name, pl.read_ipc(path)

    def corrections(self) -> pl.DataFrame:
        """Return the rows that take another fact back, in order."""
        if not self._corrections:
            return pl.DataFrame()
        return pl.concat(self._corrections)

    def hashes(self) -> pl.Series:
        """Return the hashes of all identifiers, in order of the rows."""
        if not self._ids:
            return pl.Series(_HASH, [], pl.UInt64)
        return pl.concat([ids.get_column(_HASH) for ids in self._ids])

    def suspects(self, known: pl.Series | None = None) -> pl.DataFrame:
        """Return rows whose identifiers may stand elsewhere: source_id, file, row, full_name.

        Identifiers are compared by hash here; the few that agree are read, for the caller to
        compare as texts.

        Args:
            known: hashes to compare with; None compares the rows among themselves.
        """
        if not self._ids:
            return pl.DataFrame()
        ids = pl.concat(self._ids)
        if known is None:
            chosen = ids.filter(pl.col(_HASH).is_duplicated())
        else:
            chosen = ids.join(known.unique().to_frame(_HASH), on=_HASH, how="semi")
        found: list[pl.DataFrame] = []
        for (number,), places in chosen.group_by(_PIECE, maintain_order=True):
            full_name, path, _ = self.pieces[int(str(number))]
            frame = pl.read_ipc(path, columns=["source_id", FILE, "row"])
            rows = frame[places.get_column(_PLACE)]
            found.append(rows.with_columns(pl.lit(full_name).alias("full_name")))
        return pl.concat(found) if found else pl.DataFrame()

    def rewrite(self, change: Callable[[pl.DataFrame], pl.DataFrame]) -> None:
        """Replace the rows of every piece; pieces without rows go."""
        before, self.pieces, self._ids, self._corrections = self.pieces, [], [], []
        for full_name, path, _ in before:
            frame = change(pl.read_ipc(path))
            if frame.height:
                self._keep(full_name, frame)
            path.unlink()
