"""Make a dossier: one zip in which somebody without the ledger can check figures and records.

Invariants:
1. The same ledger, log and question give the same bytes.
2. A record that is shown whole comes with the salt and every field that its commitment covers; of
   another one the preimage is shown, which says nothing of its content. Of a block of facts only
   the facts asked for are shown.
3. Nothing is shown that the log does not prove: each record's commitment is computed again and
   compared with its leaf, and the leaves with the root of the signed checkpoint.

Source: docs/formats/dossier.md.
"""

import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ledger.events.ledger import LedgerOpened
from ledger.evidence.checkpoint import Checkpoint, SignedCheckpoint
from ledger.evidence.dossier.format import (
    CHECKPOINT,
    CLAIMS,
    GROWTH,
    KEYS,
    SINCE,
    STAMP,
    Claim,
    FactAddress,
    Question,
    RecordMark,
    SchemaOf,
    claims_text,
    fact_path,
    fact_view,
    growth_text,
    keys_text,
    openssl_members,
    pack,
    proof_text,
    record_path,
    record_view,
    schema_path,
    steps_text,
)
from ledger.evidence.note import VerifierKey
from ledger.integrity.commitment import parse_preimage, preimage
from ledger.integrity.disclosure import disclose
from ledger.integrity.leaf import LEAF_BYTES, leaf_index_of
from ledger.integrity.merkle import (
    EMPTY_ROOT,
    consistency_proof,
    leaf_hash,
    node_hash,
    tree_root,
)
from ledger.records import RecordKind, StoredRecord
from ledger.store.rows import fields_of
from ledger.types import DIGEST_BYTES, Digest, LeafIndex, Position, TreeSize
from schemas.registry import ReleasedSchema


class DossierRefusedError(Exception):
    """A dossier cannot be made of what it was given; `reason` is a stable name."""

    def __init__(self, *, reason: str, **facts: object) -> None:
        self.reason = reason
        """`record_unsealed`, `record_differs`, `no_such_fact`, `log_differs` or `since_differs`."""
        self.facts = {name: str(value) for name, value in facts.items()}
        listed = ", ".join(f"{name}={value}" for name, value in self.facts.items())
        super().__init__(f"{reason}: {listed}" if listed else reason)


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """A record that the dossier shows."""

    stored: StoredRecord
    whole: bool
    """Whether body and salt are shown; else only what the commitment says."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SealedLog:
    """The part of a log that proofs are made from."""

    checkpoint: bytes
    """Signed note."""
    head: SignedCheckpoint
    """The same, opened with the keys."""
    keys: tuple[VerifierKey, ...]
    """Keys of the log, at least those that signed."""
    leaves: Sequence[bytes]
    """Leaves in order, 58 bytes each; as many as the checkpoint covers."""
    since: bytes | None = None
    """An earlier checkpoint, kept elsewhere."""
    since_head: Checkpoint | None = None
    """The same, opened."""
    stamp: bytes | None = None
    """Reply of a timestamp authority over the checkpoint, RFC 3161."""

    @property
    def size(self) -> TreeSize:
        """Number of records that the checkpoint covers."""
        return self.head.checkpoint.size


def question(
    opened: LedgerOpened,
    *,
    year: int | None,
    as_of: dt.date | None,
    claims: Iterable[Claim],
    facts: Iterable[FactAddress],
    records: Iterable[Shown],
) -> Question:
    """Return what a dossier of a ledger is about; a record named twice counts once."""
    return Question(
        ledger_id=opened.ledger_id,
        origin=opened.origin,
        body=opened.body,
        sandbox=opened.sandbox,
        year=year,
        as_of=None if as_of is None else as_of.isoformat(),
        claims=tuple(claims),
        facts=tuple(sorted(set(facts), key=lambda one: (one.position, one.index))),
        records=tuple(
            RecordMark(position=one.stored.position, whole=one.whole) for one in each_once(records)
        ),
    )


class ProofTree:
    """All nodes of a tree, so that each proof costs its own length.

    A node without sibling rises unchanged to the level above, as in RFC 6962.
    """

    def __init__(self, leaves: Iterable[bytes]) -> None:
        """Hash every leaf, then every node."""
        level = [leaf_hash(leaf) for leaf in leaves]
        self._levels = [level]
        while len(level) > 1:
            pairs = zip(level[::2], level[1::2], strict=False)
            above = [node_hash(left, right) for left, right in pairs]
            if len(level) % 2:
                above.append(level[-1])
            self._levels.append(above)
            level = above

    @property
    def leaf_hashes(self) -> Sequence[Digest]:
        """Hashes of the leaves, in order."""
        return self._levels[0]

    @property
    def root(self) -> Digest:
        """Root of the tree."""
        return self._levels[-1][0] if self._levels[0] else EMPTY_ROOT

    def inclusion(self, index: LeafIndex) -> tuple[Digest, ...]:
        """Return the inclusion proof of a leaf that is in the tree, lowest sibling first."""
        steps: list[Digest] = []
        place = int(index)
        for level in self._levels[:-1]:
            sibling = place ^ 1
            if sibling < len(level):
                steps.append(level[sibling])
            place >>= 1
        return tuple(steps)


def build(
    asked: Question,
    *,
    log: SealedLog,
    records: Iterable[Shown],
    schema_of: SchemaOf,
    texts: Mapping[str, bytes],
) -> bytes:
    """Return the bytes of a dossier.

    Args:
        asked: what it is about; see `question`.
        log: where its proofs come from.
        records: the records that `asked` names.
        schema_of: gives the schemas that the bodies are written in.
        texts: instructions for readers, by name of the member.

    Raises:
        DossierRefusedError: the log or a record is not what the others say.
        SchemaError: a schema is unknown, or a body is not written in its own.
    """
    tree = ProofTree(log.leaves)
    if len(tree.leaf_hashes) != log.size or tree.root != log.head.checkpoint.root:
        raise DossierRefusedError(reason="log_differs", size=log.size)
    shown = {one.stored.position: one for one in each_once(records)}
    members: dict[str, bytes] = {
        **texts,
        CHECKPOINT: log.checkpoint,
        KEYS: keys_text(log.keys),
        CLAIMS: claims_text(asked),
        **openssl_members(log.head.note, log.keys),
        **_growth(log, tree),
    }
    if log.stamp is not None:
        members[STAMP] = log.stamp
    used: dict[bytes, ReleasedSchema] = {}

    def schema(schema_id: bytes) -> ReleasedSchema:
        return used.setdefault(schema_id, schema_of(schema_id))

    for mark in asked.records:
        members.update(_record_members(shown[Position(mark.position)], log, tree, schema))
    for address in asked.facts:
        stored = shown[Position(address.position)].stored
        members.update(_fact_members(address, stored, schema))
    members.update({schema_path(one): found.normalised.encode() for one, found in used.items()})
    return pack(members)


def each_once(records: Iterable[Shown]) -> list[Shown]:
    """Return records in order of position; one that is named twice is whole if it is once."""
    found: dict[Position, Shown] = {}
    for one in records:
        known = found.get(one.stored.position)
        if known is None or not known.whole:
            found[one.stored.position] = one
    return [found[position] for position in sorted(found)]


def _record_members(
    one: Shown, log: SealedLog, tree: ProofTree, schema: SchemaOf
) -> dict[str, bytes]:
    stored = one.stored
    if stored.position > log.size:
        raise DossierRefusedError(reason="record_unsealed", position=stored.position, size=log.size)
    index = leaf_index_of(stored.position)
    leaf = log.leaves[index]
    fields = fields_of(stored.record, recorded_at=stored.recorded_at, salt=stored.salt)
    covered = preimage(fields)
    if hashlib.sha256(covered).digest() != leaf[LEAF_BYTES - DIGEST_BYTES :]:
        raise DossierRefusedError(reason="record_differs", position=stored.position)
    stem = record_path(stored.position)
    content = stored.record.content if one.whole else None
    members = {
        f"{stem}.leaf": leaf,
        f"{stem}.preimage": covered,
        f"{stem}.tlog-proof": proof_text(index, tree.inclusion(index), log.checkpoint),
        f"{stem}.json": record_view(parse_preimage(covered), stored.position, content, schema),
    }
    if one.whole:
        members |= {f"{stem}.body": stored.record.content, f"{stem}.salt": stored.salt}
    return members


def _fact_members(address: FactAddress, stored: StoredRecord, schema: SchemaOf) -> dict[str, bytes]:
    count = stored.record.event_count
    if stored.record.kind is not RecordKind.BLOCK or not 0 <= address.index < count:
        raise DossierRefusedError(
            reason="no_such_fact", position=address.position, index=address.index, count=count
        )
    fields = fields_of(stored.record, recorded_at=stored.recorded_at, salt=stored.salt)
    found = disclose(fields, LeafIndex(address.index))
    stem = fact_path(address)
    return {
        f"{stem}.body": found.body,
        f"{stem}.inner-salt": found.inner_salt,
        f"{stem}.inner-proof": steps_text(found.proof),
        f"{stem}.json": fact_view(parse_preimage(found.preimage), found.body, schema),
    }


def _growth(log: SealedLog, tree: ProofTree) -> dict[str, bytes]:
    if log.since is None or log.since_head is None:
        return {}
    old = log.since_head
    same = old.origin == log.head.checkpoint.origin and 0 < old.size <= log.size
    if not same or tree_root(tree.leaf_hashes[: old.size]) != old.root:
        raise DossierRefusedError(reason="since_differs", since=old.size, size=log.size)
    steps = consistency_proof(tree.leaf_hashes, old.size)
    return {SINCE: log.since, GROWTH: growth_text(old.size, steps, log.checkpoint)}
