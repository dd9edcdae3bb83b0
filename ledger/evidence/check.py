"""Judge checkpoints and log directories: everything that is not as it must be, listed.

Invariants:
1. Nothing stops the judgement but a file that is no checkpoint at all.
2. A directory is judged from its entries upward: leaves, then every tile, then the root.

Source: docs/formats/checkpoint.md; docs/operating.md for each kind of discrepancy.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from ledger.discrepancy import Discrepancy
from ledger.errors import LedgerError, PositionGapError, StoredEventDecodeError
from ledger.evidence.checkpoint import Checkpoint, parse_checkpoint
from ledger.evidence.keyid import ED25519
from ledger.evidence.note import Note, Verified, VerifierKey, parse_note, verified_signatures
from ledger.evidence.policy import Policy
from ledger.evidence.problems import LogFileError, SignatureInvalidError
from ledger.evidence.tiles import ENTRIES, TILE_WIDTH, TileBuilder, TileFile, TileReader, tile_path
from ledger.integrity.leaf import parse_leaf
from ledger.integrity.merkle import EMPTY_ROOT
from ledger.integrity.problems import FieldBoundsError
from ledger.types import DIGEST_BYTES, Digest, TreeSize

PRESENT: Final = "checkpoint"
"""Kind of what is wrong with the checkpoint that is judged."""
OLDER: Final = "older_checkpoint"
"""Kind of what is wrong with a checkpoint kept from earlier."""
LEDGER: Final = "log_ledger"
"""Kind of what the log and the ledger do not agree on."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Judged:
    """A checkpoint and what is wrong with it by itself."""

    checkpoint: Checkpoint
    signed_by: tuple[Verified, ...]
    """Checked signatures of the log's keys."""
    witnesses: tuple[str, ...]
    """Names of the policy's witnesses that have signed."""
    discrepancies: tuple[Discrepancy, ...]


def judge(
    data: bytes,
    keys: Sequence[VerifierKey],
    *,
    origin: str | None = None,
    policy: Policy | None = None,
    kind: str = PRESENT,
) -> Judged:
    """Judge a checkpoint by itself: signatures, origin, witnesses.

    Args:
        data: the signed note.
        keys: of the log.
        origin: of the ledger; None when it is not known.
        policy: whose witnesses must have signed; its log keys are not asked.
        kind: `PRESENT` or `OLDER`.

    Raises:
        NoteFormatError: it is no note.
        CheckpointFormatError: it is no checkpoint.
    """
    note = parse_note(data)
    checkpoint = parse_checkpoint(note.text)
    found: list[Discrepancy] = []
    signed = _signed(note, [key for key in keys if key.algorithm == ED25519], kind, found)
    if not signed and not found:
        known = ", ".join(key.label for key in keys) or "none"
        by = ", ".join(one.key for one in note.signatures)
        found.append(_found(kind, "signature_unknown", known_keys=known, signed_by=by))
    if origin is not None and origin != checkpoint.origin:
        found.append(_found(kind, "checkpoint_origin", expected=origin, found=checkpoint.origin))
    names: tuple[str, ...] = ()
    if policy is not None:
        by_witness = _signed(note, list(policy.witnesses.values()), kind, found)
        cosigned = {one.key for one in by_witness}
        names = tuple(who for who, key in policy.witnesses.items() if key in cosigned)
        if len(names) < policy.quorum:
            found.append(_found(kind, "quorum", expected=policy.quorum, found=len(names)))
    return Judged(
        checkpoint=checkpoint, signed_by=signed, witnesses=names, discrepancies=tuple(found)
    )


def _signed(
    note: Note, keys: Sequence[VerifierKey], kind: str, found: list[Discrepancy]
) -> tuple[Verified, ...]:
    signed: list[Verified] = []
    for key in keys:
        try:
            signed.extend(verified_signatures(note, [key]))
        except SignatureInvalidError as error:
            found.append(_found(kind, "signature_bad", key=error.facts["key"]))
    return tuple(signed)


def compare_head(
    checkpoint: Checkpoint,
    roots: Mapping[TreeSize, Digest],
    *,
    records: int | None,
    kind: str = PRESENT,
) -> tuple[Discrepancy, ...]:
    """Compare what a checkpoint says with the tree that was computed.

    Args:
        checkpoint: says size and root.
        roots: computed, by size.
        records: how many records there are; None when no tree could be computed over them.
        kind: `PRESENT` or `OLDER`.
    """
    if records is None:
        return (_found(kind, "root_unknown"),)
    if checkpoint.size > records:
        return (_found(kind, "checkpoint_longer", expected=checkpoint.size, found=records),)
    root = roots.get(checkpoint.size)
    if root == checkpoint.root:
        return ()
    return (
        _found(
            kind,
            "checkpoint_root",
            size=checkpoint.size,
            expected=checkpoint.root.hex(),
            found="none" if root is None else root.hex(),
        ),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class LogChecked:
    """The outcome of checking a log directory."""

    leaves: int
    """Leaves that could be read."""
    root: Digest
    """Root over them."""
    roots: Mapping[TreeSize, Digest]
    """Roots over the leaves at the sizes asked for."""
    discrepancies: tuple[Discrepancy, ...]


def check_log(
    reader: TileReader,
    size: TreeSize,
    *,
    sizes: Collection[TreeSize] = (),
    ledger_id: UUID | None = None,
    expected: Iterator[bytes] | None = None,
) -> LogChecked:
    """Check a log directory from its entries upward.

    Args:
        reader: of the directory.
        size: number of leaves that its checkpoint covers.
        sizes: further sizes whose roots are wanted.
        ledger_id: that every leaf must name; None takes that of the first leaf.
        expected: leaves of the ledger in order; None when it is not there.
    """
    return _LogCheck(reader, size, {*sizes, size}, ledger_id, expected).run()


@dataclass(slots=True)
class _LogCheck:
    reader: TileReader
    size: TreeSize
    sizes: set[TreeSize]
    ledger_id: UUID | None
    expected: Iterator[bytes] | None
    builder: TileBuilder = field(default_factory=TileBuilder)
    roots: dict[TreeSize, Digest] = field(default_factory=dict)
    found: list[Discrepancy] = field(default_factory=list)

    def run(self) -> LogChecked:
        if 0 in self.sizes:
            self.roots[TreeSize(0)] = EMPTY_ROOT
        try:
            for leaf in self.reader.leaves(self.size):
                self._add(leaf)
        except LogFileError as error:
            self._unreadable(error)
        else:
            for file in self.builder.partials():
                self._compare_tile(file)
        return LogChecked(
            leaves=self.builder.size,
            root=self.builder.root(),
            roots=self.roots,
            discrepancies=tuple(self.found),
        )

    def _add(self, leaf: bytes) -> None:
        index = self.builder.size
        self._check_leaf(leaf, index)
        self._compare_store(leaf, index)
        for file in self.builder.append(leaf):
            self._compare_tile(file)
        if index + 1 in self.sizes:
            self.roots[TreeSize(index + 1)] = self.builder.root()

    def _check_leaf(self, data: bytes, index: int) -> None:
        try:
            leaf = parse_leaf(data)
        except FieldBoundsError as error:
            self._entry(index, "entry_form", why=error)
            return
        if self.ledger_id is None:
            self.ledger_id = leaf.ledger_id
        if leaf.ledger_id != self.ledger_id:
            self._entry(index, "entry_ledger", expected=self.ledger_id, found=leaf.ledger_id)
        if leaf.position != index + 1:
            self._entry(index, "entry_position", expected=index + 1, found=leaf.position)

    def _compare_store(self, leaf: bytes, index: int) -> None:
        if self.expected is None:
            return
        try:
            wanted = next(self.expected, None)
        except (PositionGapError, StoredEventDecodeError) as error:
            # What comes behind cannot be compared; `verify` on the ledger itself lists it all.
            self.expected = None
            self.found.append(unreadable_ledger(error, position=index + 1))
            return
        if wanted is None:
            self.expected = None
            self._entry(index, "ledger_shorter", found=index, expected=self.size, kind=LEDGER)
        elif wanted != leaf:
            self._entry(
                index,
                "ledger_differs",
                expected=wanted[-DIGEST_BYTES:].hex(),
                found=leaf[-DIGEST_BYTES:].hex(),
                kind=LEDGER,
            )

    def _compare_tile(self, file: TileFile) -> None:
        if file.level == ENTRIES or not isinstance(file.level, int):
            return
        try:
            hashes = self.reader.hashes(file.level, file.index, file.width)
        except LogFileError as error:
            self._unreadable(error)
            return
        for place, found in enumerate(hashes):
            wanted = file.data[place * DIGEST_BYTES : (place + 1) * DIGEST_BYTES]
            if found != wanted:
                self.found.append(
                    _found(
                        "log_tile",
                        "tile_hash",
                        path=file.path,
                        place=place,
                        expected=wanted.hex(),
                        found=found.hex(),
                    )
                )

    def _unreadable(self, error: LogFileError) -> None:
        self.found.append(
            _found(
                "log_file", "log_unreadable", path=error.facts["path"], why=error.facts["reason"]
            )
        )

    def _entry(self, index: int, reason: str, *, kind: str = "log_entry", **facts: object) -> None:
        path = tile_path(ENTRIES, index // TILE_WIDTH)
        self.found.append(_found(kind, reason, position=index + 1, path=path, **facts))


def unreadable_ledger(error: LedgerError, *, position: int | None = None) -> Discrepancy:
    """Return what is said of a ledger that is there and cannot be compared with its log.

    Args:
        error: what stopped its reader; the position that it names is the one that is told.
        position: from which on it cannot be compared; None for the ledger as a whole.
    """
    place = error.facts.get("position", position)
    return Discrepancy(
        kind=LEDGER,
        position="" if place is None else str(place),
        stream="",
        reason="ledger_unreadable",
        facts={"error": str(error)},
        cause=error,
    )


def _found(kind: str, reason: str, *, position: int | None = None, **facts: object) -> Discrepancy:
    return Discrepancy(
        kind=kind,
        position="" if position is None else str(position),
        stream="",
        reason=reason,
        facts={name: str(fact) for name, fact in facts.items()},
    )
