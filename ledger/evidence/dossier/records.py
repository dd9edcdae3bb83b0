"""Prove the records and single facts of a dossier, and decode what is shown whole.

Invariants:
1. A record is proved by its leaf, the leaf by its inclusion proof, the content by the preimage.
2. A record in order has the one in front of it in its stream beside it.

Source: docs/formats/dossier.md; docs/formats/record.md; docs/formats/block.md, section 6.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from ledger.evidence.checkpoint import Checkpoint
from ledger.evidence.dossier.faults import FaultList
from ledger.evidence.dossier.format import (
    CHECKPOINT,
    FactAddress,
    Question,
    RecordMark,
    fact_path,
    fact_view,
    record_path,
    record_view,
    schema_path,
)
from ledger.evidence.dossier.reading import MalformedError, parse_proof, parse_steps
from ledger.feed import RecordedEvent
from ledger.integrity.commitment import EVENT, Preimage, RecordFields, parse_preimage, preimage
from ledger.integrity.disclosure import Disclosure, verify_disclosure
from ledger.integrity.leaf import Leaf, leaf_index_of, parse_leaf
from ledger.integrity.merkle import leaf_hash, verify_inclusion
from ledger.records import AppendPart, PendingRecord, RecordKind, StoredRecord
from ledger.store.mapper import AvroMapper
from ledger.types import AppendKey, Digest, LeafIndex, Position, StreamName, StreamVersion
from schemas.errors import UnknownSchemaError
from schemas.registry import ReleasedSchema


class Members:
    """The members of a dossier, and which of them were called for."""

    def __init__(self, found: Mapping[str, bytes], faults: FaultList) -> None:
        self.found = found
        self.used: set[str] = set()
        self._faults = faults

    def take(self, name: str) -> bytes | None:
        """Return a member that must be there; report it and return None when it is not."""
        self.used.add(name)
        content = self.found.get(name)
        if content is None:
            self._faults.add("missing", name)
        return content

    def compare(self, name: str, expected: bytes) -> None:
        """Report a member that is not what follows from others."""
        content = self.take(name)
        if content is not None and content != expected:
            self._faults.add("derived", name)


@dataclass(frozen=True, kw_only=True, slots=True)
class Proved:
    """A record whose commitment stands in its leaf."""

    leaf: Leaf
    fields: Preimage


class RecordChecker:
    """Checks records one by one; keeps what was proved."""

    def __init__(
        self, members: Members, faults: FaultList, question: Question, head: Checkpoint | None
    ) -> None:
        """Take what the records are held against.

        Args:
            members: of the dossier.
            faults: where faults go.
            question: what the dossier says that it shows.
            head: the signed head; None when nobody signed it, then no proof can hold.
        """
        self.proved: dict[int, Proved] = {}
        """By position."""
        self.events: list[RecordedEvent] = []
        """Records that are shown whole and proved."""
        self.facts = 0
        """Single facts that were proved."""
        self._members = members
        self._faults = faults
        self._question = question
        self._head = head
        self._schemas: dict[bytes, ReleasedSchema] = {}
        self._mapper = AvroMapper()

    def run(self) -> None:
        """Check schemas, records, facts and the order of streams."""
        self._read_schemas()
        for mark in self._question.records:
            self._check_record(mark)
        for address in self._question.facts:
            self._check_fact(address)
        self._check_streams()

    def _read_schemas(self) -> None:
        for name in sorted(self._members.found):
            if not name.startswith("schemas/"):
                continue
            text = self._members.found[name]
            schema_id = hashlib.sha256(text).digest()
            if name != schema_path(schema_id):
                self._members.used.add(name)
                self._faults.add("schema", name, reason=f"it gives {schema_id.hex()}")
                continue
            with self._faults.reporting("schema", name):
                decoded = text.decode("utf-8", errors="replace")
                self._schemas[schema_id] = self._mapper.registry.register_text(decoded)

    def _schema(self, schema_id: bytes) -> ReleasedSchema:
        self._members.used.add(schema_path(schema_id))
        found = self._schemas.get(schema_id)
        if found is None:
            raise UnknownSchemaError(schema=schema_id.hex(), reason="it is not in the dossier")
        return found

    def _check_record(self, mark: RecordMark) -> None:
        stem = record_path(mark.position)
        suffixes = ["leaf", "preimage", "tlog-proof", "json", *(["body", "salt"] * mark.whole)]
        parts = {suffix: self._members.take(f"{stem}.{suffix}") for suffix in suffixes}
        leaf = self._leaf(stem, parts["leaf"], mark.position)
        if leaf is not None:
            self._check_proof(stem, parts["leaf"], leaf, parts["tlog-proof"])
        fields = self._fields(stem, parts["preimage"], leaf)
        if leaf is None or fields is None:
            return
        self.proved[mark.position] = Proved(leaf=leaf, fields=fields)
        content, salt = parts.get("body"), parts.get("salt")
        if not mark.whole:
            self._check_view(stem, parts["json"], mark.position, fields, None)
        elif content is not None and salt is not None:
            if not self._content_fits(stem, fields, content, salt):
                return
            self._check_view(stem, parts["json"], mark.position, fields, content)
            with self._faults.reporting("form", f"{stem}.body"):
                self.events.append(self._mapper.recorded(_stored(leaf, fields, content, salt)))

    def _check_view(
        self,
        stem: str,
        found: bytes | None,
        position: int,
        fields: Preimage,
        content: bytes | None,
    ) -> None:
        name = f"{stem}.json"
        with self._faults.reporting("form", name):
            if found not in {None, record_view(fields, position, content, self._schema)}:
                self._faults.add("derived", name)

    def _leaf(self, stem: str, data: bytes | None, position: int) -> Leaf | None:
        if data is None:
            return None
        with self._faults.reporting("leaf", f"{stem}.leaf"):
            leaf = parse_leaf(data)
            if leaf.position != position:
                raise MalformedError(f"it is that of position {leaf.position}")
            if str(leaf.ledger_id) != self._question.ledger_id:
                raise MalformedError(f"it is of ledger {leaf.ledger_id}")
            return leaf
        return None

    def _check_proof(self, stem: str, data: bytes | None, leaf: Leaf, proof: bytes | None) -> None:
        if data is None or proof is None or self._head is None:
            return
        with self._faults.reporting("proof", f"{stem}.tlog-proof"):
            index, steps, checkpoint = parse_proof(proof)
            if index != leaf_index_of(leaf.position):
                raise MalformedError(f"index {index} for position {leaf.position}")
            if checkpoint != self._members.found[CHECKPOINT]:
                raise MalformedError("it carries another checkpoint")
            verify_inclusion(
                leaf_hash(data),
                index=index,
                size=self._head.size,
                proof=steps,
                root=self._head.root,
            )

    def _fields(self, stem: str, covered: bytes | None, leaf: Leaf | None) -> Preimage | None:
        if covered is None or leaf is None:
            return None
        name = f"{stem}.preimage"
        found = Digest(hashlib.sha256(covered).digest())
        if found != leaf.commitment:
            expected = leaf.commitment.hex()
            self._faults.add("commitment", name, found=found.hex(), expected=expected)
            return None
        with self._faults.reporting("form", name):
            fields = parse_preimage(covered)
            if fields.kind != leaf.kind:
                raise MalformedError(f"kind {fields.kind}, the leaf says {leaf.kind}")
            return fields
        return None

    def _content_fits(self, stem: str, fields: Preimage, content: bytes, salt: bytes) -> bool:
        name = f"{stem}.body"
        with self._faults.reporting("content", name):
            covered = self._members.found[f"{stem}.preimage"]
            if fields.kind != EVENT or preimage(_record_fields(fields, content, salt)) != covered:
                raise MalformedError("other bytes were committed to")
            return True
        return False

    def _check_fact(self, address: FactAddress) -> None:
        stem = fact_path(address)
        suffixes = ("body", "inner-salt", "inner-proof", "json")
        body, salt, proof, shown = (self._members.take(f"{stem}.{one}") for one in suffixes)
        if body is None or salt is None or proof is None:
            return
        name = f"{stem}.body"
        proved = self.proved.get(address.position)
        if proved is None:
            self._faults.add("fact", name, reason="its block is not proved")
            return
        with self._faults.reporting("fact", name):
            disclosure = Disclosure(
                index=LeafIndex(address.index),
                body=body,
                inner_salt=salt,
                proof=parse_steps(proof),
                preimage=self._members.found[f"{record_path(address.position)}.preimage"],
            )
            verify_disclosure(disclosure, proved.leaf.commitment)
            self.facts += 1
            with self._faults.reporting("form", f"{stem}.json"):
                if shown not in {None, fact_view(proved.fields, body, self._schema)}:
                    self._faults.add("derived", f"{stem}.json")

    def _check_streams(self) -> None:
        """Every record in order in its stream, and the one in front of each that is whole."""
        places: dict[str, dict[int, int]] = {}
        for position, one in sorted(self.proved.items()):
            versions = places.setdefault(one.fields.stream, {})
            if one.fields.stream_version in versions:
                self._stream_fault(one.fields, position, "there are two records of this version")
            versions[one.fields.stream_version] = position
        for mark in self._question.records:
            found = self.proved.get(mark.position)
            if not mark.whole or found is None or found.fields.stream_version <= 1:
                continue
            if found.fields.stream_version - 1 not in places[found.fields.stream]:
                self._stream_fault(
                    found.fields, mark.position, "the record in front of it is not shown"
                )
        for versions in places.values():
            for (_, before), (_, position) in pairwise(sorted(versions.items())):
                if position <= before:
                    fields = self.proved[position].fields
                    self._stream_fault(fields, position, "it stands before an older version")

    def _stream_fault(self, fields: Preimage, position: int, reason: str) -> None:
        self._faults.add(
            "stream",
            f"{record_path(position)}.preimage",
            stream=fields.stream,
            version=fields.stream_version,
            reason=reason,
        )


def _record_fields(fields: Preimage, content: bytes, salt: bytes) -> RecordFields:
    return RecordFields(
        kind=fields.kind,
        stream=fields.stream,
        stream_version=fields.stream_version,
        event_type=fields.event_type,
        schema_id=fields.schema_id,
        append_key=fields.append_key,
        part=fields.part,
        part_count=fields.part_count,
        input_digest=fields.input_digest,
        recorded_at=fields.recorded_at,
        envelope_schema_id=fields.envelope_schema_id,
        envelope=fields.envelope,
        lengths=(len(content),),
        content=content,
        salt=salt,
    )


def _stored(leaf: Leaf, fields: Preimage, content: bytes, salt: bytes) -> StoredRecord:
    """Return a proved record in the form that the mapper decodes."""
    return StoredRecord(
        position=Position(leaf.position),
        recorded_at=fields.recorded_at,
        salt=salt,
        commitment=leaf.commitment,
        inner_root=fields.inner_root,
        record=PendingRecord(
            kind=RecordKind(fields.kind),
            stream=StreamName(fields.stream),
            stream_version=StreamVersion(fields.stream_version),
            event_type=fields.event_type,
            schema_id=fields.schema_id,
            append=AppendPart(
                key=AppendKey(fields.append_key),
                part=fields.part,
                part_count=fields.part_count,
                input_digest=Digest(fields.input_digest),
            ),
            envelope_schema_id=fields.envelope_schema_id,
            envelope=fields.envelope,
            lengths=(len(content),),
            content=content,
        ),
    )
