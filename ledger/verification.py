"""Check a whole ledger from its stored bytes: is every record what it was when it was appended?

Every row is read as the database holds it, without trust in any column: the commitment is computed
again from the payload, and what the commitment does not cover (position, coding, the row of the
format) is checked by its own rule.

Invariants:
1. Nothing stops the check: every discrepancy is listed, and the reading goes on behind it.
2. What cannot be seen from inside is said by the caller: whoever can write the database can also
   write it all anew. Only a head kept elsewhere shows that; `Checked.head` is what to keep.

Source: docs/formats/record.md, docs/formats/leaf.md; rulings 12.
"""

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Final
from uuid import UUID

from ledger.discrepancy import Discrepancy
from ledger.errors import LedgerError, StoredEventDecodeError
from ledger.events.base import to_record
from ledger.events.ledger import LedgerOpened, SchemaReleased
from ledger.feed import RecordedEvent
from ledger.integrity.commitment import Seal, quick_commitment, seal
from ledger.integrity.leaf import encode_leaf
from ledger.integrity.merkle import EMPTY_ROOT, CompactTree, leaf_hash
from ledger.integrity.problems import IntegrityFormatError
from ledger.records import RecordKind, StoredRecord
from ledger.store.mapper import AvroMapper
from ledger.store.rows import RawRow, fields_of, stored_of
from ledger.store.store import Store
from ledger.store.tables import STORE_FORMAT
from ledger.types import FIRST_POSITION, Digest, Position, TreeSize
from schemas.codec import encode
from schemas.columns import Bodies, decode_blocks
from schemas.errors import SchemaError
from schemas.registry import ReleasedSchema

BATCH_ROWS: Final = 500
BLOCKS_AT_ONCE: Final = 16
"""Blocks of facts that are decoded as one table."""
_NUMBERS: Final = frozenset(
    {
        "position",
        "kind",
        "stream_version",
        "part",
        "part_count",
        "recorded_at",
        "event_count",
        "content_coding",
    }
)
_TEXTS: Final = frozenset({"stream", "event_type", "append_key"})

Progress = Callable[[int, int], None]
"""Called with the rows checked and the rows in all."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TreeHead:
    """The state of the whole ledger in a few bytes: keep it outside."""

    size: TreeSize
    """Number of records."""
    root: Digest
    """Root of the RFC 6962 tree over the records' leaves."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Checked:
    """The outcome of a check."""

    records: int
    events: int
    head: TreeHead
    ledger_id: str | None
    discrepancies: tuple[Discrepancy, ...]
    roots: Mapping[TreeSize, Digest] = field(default_factory=dict)
    """Root at each size that was asked for and reached."""


@dataclass(slots=True)
class _Append:
    part_count: int
    input_digest: bytes
    next_part: int
    position: int


@dataclass(frozen=True, kw_only=True, slots=True)
class _Held:
    """A block that waits to be decoded."""

    row: RawRow
    schema: ReleasedSchema
    bodies: Bodies
    place: int
    """How many discrepancies there were before it."""


@dataclass(slots=True)
class _State:
    """What is carried from row to row."""

    expected: int = 1
    """Position that the next row should have."""
    recorded_at: int = 0
    versions: dict[str, int] = field(default_factory=dict)
    append: _Append | None = None
    released: set[bytes] = field(default_factory=set)
    ledger_id: UUID | None = None
    tree: CompactTree = field(default_factory=CompactTree)
    pending: list[tuple[int, int, Digest]] = field(default_factory=list)
    """Leaves before the ledger's identity is known: position, kind, commitment."""
    records: int = 0
    events: int = 0


def verify(
    store: Store,
    mapper: AvroMapper,
    *,
    kept: TreeHead | None = None,
    sizes: Collection[TreeSize] = (),
    deep: bool = False,
    progress: Progress = lambda _done, _total: None,
) -> Checked:
    """Check every row of a ledger.

    The content of every record is hashed, so that any change of a stored row shows. Of a block of
    facts the inner root is taken as it is stored; it is covered by the commitment.

    Args:
        store: of the ledger; only read.
        mapper: decodes the records.
        kept: head that was kept outside; the ledger must hold the same records up to it.
        sizes: of checkpoints; the caller compares their roots with those computed here.
        deep: hash every single fact too, compute the inner roots, decode every block and compare it
            with its canonical encoding: what a program that wrote blocks wrongly would show by.
        progress: called after each batch.
    """
    return _Verifier(store, mapper, kept, sizes=sizes, deep=deep).run(progress)


class _Verifier:
    def __init__(
        self,
        store: Store,
        mapper: AvroMapper,
        kept: TreeHead | None,
        *,
        sizes: Collection[TreeSize],
        deep: bool,
    ) -> None:
        self._store = store
        self._mapper = mapper
        self._kept = kept
        self._deep = deep
        self._state = _State()
        self._found: list[Discrepancy] = []
        self._held: list[_Held] = []
        self._sizes = frozenset(sizes) if kept is None else {*sizes, kept.size}
        self._roots: dict[TreeSize, Digest] = {}
        if 0 in self._sizes:
            self._roots[TreeSize(0)] = EMPTY_ROOT

    def run(self, progress: Progress) -> Checked:
        self._check_store()
        for row in self._rows(progress):
            self._check_row(row)
        self._decode_held()
        self._close_append(None)
        self._check_kept()
        state = self._state
        return Checked(
            records=state.records,
            events=state.events,
            head=TreeHead(size=TreeSize(state.tree.size), root=state.tree.root()),
            ledger_id=None if state.ledger_id is None else str(state.ledger_id),
            discrepancies=tuple(self._found),
            roots=self._roots,
        )

    def _rows(self, progress: Progress) -> Iterator[RawRow]:
        total = self._store.count()
        done, after = 0, None
        while True:
            batch = self._store.raw_rows(after=after, limit=BATCH_ROWS)
            if not batch:
                return
            yield from batch
            after = batch[-1].position
            done += len(batch)
            progress(done, total)

    def _report(
        self,
        kind: str,
        row: RawRow | None,
        reason: str,
        *,
        cause: Exception | None = None,
        **facts: object,
    ) -> None:
        self._found.append(
            Discrepancy(
                kind=kind,
                position="" if row is None else str(row.position),
                stream="" if row is None else str(row.stream),
                reason=reason,
                facts={name: str(fact) for name, fact in facts.items()},
                cause=cause,
            )
        )

    def _check_store(self) -> None:
        guards = self._store.guards()
        if guards.formats != (STORE_FORMAT,):
            found = ", ".join(map(str, guards.formats)) or "none"
            self._report("store_format", None, "format", expected=STORE_FORMAT, found=found)
        for name in guards.missing:
            self._report("guard_missing", None, "guard", name=name)

    def _check_row(self, row: RawRow) -> None:
        state = self._state
        state.records += 1
        if not self._well_typed(row):
            return
        if row.position != state.expected:
            self._report("position", row, "position", expected=state.expected, found=row.position)
        state.expected = int(str(row.position)) + 1
        if state.expected <= FIRST_POSITION:
            # No leaf can stand for it, and nothing else of it would mean anything.
            return
        try:
            stored = stored_of(row)
            computed = self._sealed(stored)
        except (StoredEventDecodeError, IntegrityFormatError) as error:
            self._report("record_form", row, "unreadable", cause=error, error=error)
            return
        if computed.commitment != stored.commitment:
            self._report(
                "commitment",
                row,
                "commitment",
                stored=stored.commitment.hex(),
                computed=computed.commitment.hex(),
            )
        if computed.inner_root != stored.inner_root:
            self._report(
                "inner_root",
                row,
                "inner_root",
                stored=stored.inner_root.hex(),
                computed=computed.inner_root.hex(),
            )
        self._check_order(row, stored)
        self._check_append(row, stored)
        self._check_meaning(row, stored)
        self._add_leaf(stored, computed.commitment)

    def _sealed(self, stored: StoredRecord) -> Seal:
        fields_ = fields_of(stored.record, recorded_at=stored.recorded_at, salt=stored.salt)
        if self._deep or stored.record.kind is RecordKind.EVENT:
            return seal(fields_)
        return Seal(quick_commitment(fields_, stored.inner_root), stored.inner_root)

    def _well_typed(self, row: RawRow) -> bool:
        for column in fields(row):
            value = getattr(row, column.name)
            wanted = int if column.name in _NUMBERS else str if column.name in _TEXTS else bytes
            if type(value) is not wanted:
                kind = type(value).__name__
                self._report("column_type", row, "column_type", column=column.name, type=kind)
                return False
        return True

    def _check_order(self, row: RawRow, stored: StoredRecord) -> None:
        state = self._state
        if stored.recorded_at < state.recorded_at:
            self._report("recorded_at", row, "time")
        state.recorded_at = max(state.recorded_at, stored.recorded_at)
        stream = stored.record.stream
        expected = state.versions.get(stream, 0) + 1
        if stored.record.stream_version != expected:
            self._report(
                "stream_version",
                row,
                "version",
                expected=expected,
                found=stored.record.stream_version,
            )
        state.versions[stream] = stored.record.stream_version
        state.events += stored.record.event_count

    def _check_append(self, row: RawRow, stored: StoredRecord) -> None:
        part = stored.record.append
        running = self._state.append
        if part.part == 0:
            self._close_append(row)
            running = _Append(
                part_count=part.part_count,
                input_digest=part.input_digest,
                next_part=0,
                position=stored.position,
            )
            self._state.append = running
        if running is None or (part.part, part.part_count, part.input_digest) != (
            running.next_part,
            running.part_count,
            running.input_digest,
        ):
            self._report("append_part", row, "part_place", part=part.part, key=part.key)
        if running is not None:
            running.next_part = part.part + 1

    def _close_append(self, row: RawRow | None) -> None:
        running = self._state.append
        if running is not None and running.next_part != running.part_count:
            self._report(
                "append_part",
                row,
                "parts",
                begin=running.position,
                found=running.next_part,
                expected=running.part_count,
            )
        self._state.append = None

    def _check_meaning(self, row: RawRow, stored: StoredRecord) -> None:
        if stored.record.kind is not RecordKind.EVENT:
            self._check_block(row, stored)
            return
        try:
            recorded = self._mapper.recorded(stored)
            self._check_canonical(row, stored, recorded)
        except (LedgerError, SchemaError) as error:
            self._report("content", row, "unreadable", cause=error, error=error)
            return
        self._learn(row, recorded)
        for schema_id in (stored.record.schema_id, stored.record.envelope_schema_id):
            self._check_released(row, stored, schema_id)

    def _check_block(self, row: RawRow, stored: StoredRecord) -> None:
        item = stored.record
        for schema_id in (item.schema_id, item.envelope_schema_id):
            self._check_released(row, stored, schema_id)
        try:
            self._mapper.envelope(item.envelope_schema_id, item.envelope)
            schema = self._mapper.registry.by_id(item.schema_id)
            if schema.full_name != item.event_type:
                self._report(
                    "content", row, "block_type", stored=item.event_type, found=schema.full_name
                )
            elif self._deep:
                self._hold(row, schema, Bodies(lengths=item.lengths, content=item.content))
        except (SchemaError, ValueError) as error:
            self._report("content", row, "unreadable", cause=error, error=error)

    def _hold(self, row: RawRow, schema: ReleasedSchema, bodies: Bodies) -> None:
        """Keep a block: some of one schema are decoded at once, which is quicker (measured)."""
        held = self._held
        if held and (held[0].schema is not schema or len(held) >= BLOCKS_AT_ONCE):
            self._decode_held()
        self._held.append(_Held(row=row, schema=schema, bodies=bodies, place=len(self._found)))

    def _decode_held(self) -> None:
        held, self._held = self._held, []
        before = len(self._found)
        try:
            if held:
                decode_blocks(held[0].schema, [one.bodies for one in held])
        except (SchemaError, ValueError) as error:
            # From the last one on, so that each discrepancy stands where its block was read.
            for one in reversed(held):
                self._decode_alone(one)
            if len(self._found) == before:
                self._report("content", held[0].row, "unreadable", cause=error, error=error)

    def _decode_alone(self, held: "_Held") -> None:
        try:
            decode_blocks(held.schema, [held.bodies])
        except (SchemaError, ValueError) as error:
            self._report("content", held.row, "unreadable", cause=error, error=error)
            self._found.insert(held.place, self._found.pop())

    def _check_canonical(self, row: RawRow, stored: StoredRecord, recorded: RecordedEvent) -> None:
        registry = self._mapper.registry
        item = stored.record
        for schema_id, body, value in (
            (item.schema_id, item.content, recorded.event),
            (item.envelope_schema_id, item.envelope, recorded.envelope),
        ):
            schema = registry.by_id(schema_id)
            if schema.version != registry.latest(schema.full_name).version:
                continue
            if encode(schema, to_record(value)) != body:
                self._report("content", row, "not_canonical", name=schema.full_name)

    def _learn(self, row: RawRow, recorded: RecordedEvent) -> None:
        match recorded.event:
            case SchemaReleased() as event:
                found = hashlib.sha256(event.text.encode()).digest()
                if found != event.schema_id:
                    self._report("schema", row, "schema_text", name=event.full_name)
                else:
                    self._learn_schema(row, event)
                self._state.released.add(event.schema_id)
            case LedgerOpened() as event:
                self._learn_identity(row, event)
            case _:
                pass

    def _learn_schema(self, row: RawRow, event: SchemaReleased) -> None:
        # A later release may have written what follows: its texts make it readable.
        try:
            self._mapper.registry.register_text(event.text)
        except SchemaError as error:
            self._report("schema", row, "no_schema", cause=error, name=event.full_name, error=error)

    def _learn_identity(self, row: RawRow, event: LedgerOpened) -> None:
        try:
            self._state.ledger_id = UUID(event.ledger_id)
        except ValueError:
            self._report("content", row, "no_identity", value=event.ledger_id)

    def _check_released(self, row: RawRow, stored: StoredRecord, schema_id: bytes) -> None:
        if schema_id in self._state.released or self._state.ledger_id is None:
            return
        if stored.record.event_type == SchemaReleased.TYPE:
            return
        self._report("schema", row, "not_released", schema=schema_id.hex())

    def _add_leaf(self, stored: StoredRecord, computed: Digest) -> None:
        # The payload is what counts: a stored commitment may have been altered.
        state = self._state
        state.pending.append((stored.position, int(stored.record.kind), computed))
        if state.ledger_id is None:
            return
        for position, kind, digest in state.pending:
            leaf = encode_leaf(
                ledger_id=state.ledger_id,
                position=Position(position),
                kind=kind,
                commitment=digest,
            )
            state.tree.append(leaf_hash(leaf))
            if state.tree.size in self._sizes:
                self._roots[TreeSize(state.tree.size)] = state.tree.root()
        state.pending.clear()

    def _check_kept(self) -> None:
        kept = self._kept
        if kept is None:
            return
        if self._state.records and self._state.ledger_id is None:
            self._report("kept_head", None, "root_unknown")
        elif self._state.tree.size < kept.size:
            self._report(
                "kept_head",
                None,
                "kept_longer",
                kept=kept.size,
                found=self._state.tree.size,
            )
        elif (root := self._roots.get(kept.size)) != kept.root:
            found = "none" if root is None else root.hex()
            self._report(
                "kept_head",
                None,
                "kept_root",
                kept=kept.size,
                found=found,
                expected=kept.root.hex(),
            )
