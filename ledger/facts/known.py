"""Identifiers of a source's last facts, kept from batch to batch.

Small batches come often; reading a window of a million facts anew for each would cost more than
recording them.

Invariants:
1. What is known is what reading the window anew would give: the last facts of the stream, through
   the version asked for, reversals included, as many as the window says.
2. Memory is bounded by the window.

Source: docs/adr/0008-facts.md; docs/adr/0015-inbox.md.
"""

from typing import Final

import polars as pl

from ledger.facts.blocks import INDEX, POSITION, read_facts
from ledger.store.reader import RecordReader
from ledger.types import StreamName
from schemas.registry import SchemaRegistry

_CHUNKS_MAX: Final = 64
"""Chunks after which the table is made one again."""
_ID: Final = "source_id"
_HASH: Final = "hash"


class KnownIds:
    """The window of one source."""

    def __init__(
        self, store: RecordReader, registry: SchemaRegistry, stream: StreamName, *, window: int
    ) -> None:
        """Prepare; nothing is read yet.

        Args:
            store: of the ledger.
            registry: knows the schemas of the facts.
            stream: of the source.
            window: how many of the last facts are known, at least 0.
        """
        self.window = window
        self._store = store
        self._registry = registry
        self._stream = stream
        self._version = 0
        """Version of the last record that was looked at."""
        self._ids = pl.DataFrame(schema={_ID: pl.String, _HASH: pl.UInt64})
        """Oldest first."""

    def advance(self, version: int) -> None:
        """Look at what the source has recorded since, through a version."""
        if version <= self._version:
            return
        found: list[pl.DataFrame] = []
        for records in self._store.last_of_stream(
            self._stream, events=self.window, through=version
        ):
            own = [one for one in records if one.record.stream_version > self._version]
            if own:
                tables = read_facts(own, self._registry, addresses=True, checked=False)
                parts = [table.frame.select(_ID, POSITION, INDEX) for table in tables]
                found.append(pl.concat(parts).sort(POSITION, INDEX).select(_ID))
            if len(own) < len(records):
                break
        self._version = version
        if found:
            later = pl.concat(reversed(found)).with_columns(pl.col(_ID).hash().alias(_HASH))
            kept = pl.concat([self._ids, later], rechunk=False).tail(self.window)
            self._ids = kept.rechunk() if kept.n_chunks() > _CHUNKS_MAX else kept

    def near(self, hashes: pl.Series) -> pl.Series:
        """Return the identifiers known whose hashes are among those given; texts are to compare."""
        same = self._ids.get_column(_HASH).is_in(hashes.implode())
        return self._ids.get_column(_ID).filter(same)
