"""Events to stored events and back: names, schemas, and what cannot be decoded."""

import datetime as dt
import json
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from eventsourcing.persistence import StoredEvent

import schemas
from ledger.errors import StoredEventDecodeError
from ledger.events.acts import ActAdopted, ActReferenceCorrected
from ledger.events.base import to_record
from ledger.events.ledger import ActReference
from ledger.feed import GovernedEvent
from ledger.records import AppendPart, RecordKind, StoredRecord
from ledger.store.mapper import AvroMapper, LedgerStoredEvent
from ledger.store.store import Store
from ledger.types import AppendKey, Digest, Position, StreamName
from schemas.codec import encode
from schemas.registry import SchemaRegistry
from schemas.upcast import Upcasters
from tests.support.given import act_adopted, envelope
from tests.support.ledgers import store_at

GOVERNED = GovernedEvent(
    originator_id="act/x",
    originator_version=1,
    event=act_adopted(),
    envelope=envelope(reason="perché sì"),
    append=AppendPart(key=AppendKey("k"), input_digest=Digest(b"\x01" * 32)),
)


@pytest.fixture
def mapper() -> AvroMapper:
    return AvroMapper()


@pytest.fixture
def store() -> Store:
    created = store_at(None)
    created.create()
    return created


@pytest.fixture
def stored(mapper: AvroMapper, store: Store) -> StoredRecord:
    return store.append([mapper.to_stored_event(GOVERNED).pending])[0]


def test_an_event_comes_back_equal(mapper: AvroMapper, stored: StoredRecord) -> None:
    recorded = mapper.recorded(stored)

    assert recorded.event == GOVERNED.event
    assert recorded.envelope == GOVERNED.envelope
    assert recorded.append == GOVERNED.append
    assert recorded.position == 1
    assert recorded.recorded_at == stored.recorded_instant


def test_an_event_is_stored_under_its_full_name_and_its_schema(mapper: AvroMapper) -> None:
    found = mapper.to_stored_event(GOVERNED)

    assert found.topic == ActAdopted.TYPE
    assert found.pending.event_type == ActAdopted.TYPE
    assert found.pending.schema_id == mapper.registry.latest(ActAdopted.TYPE).schema_id
    assert found.pending.envelope_schema_id == mapper.envelope_schema.schema_id
    assert found.pending.lengths == (len(found.state),)
    assert found.pending.content == found.state


def test_the_same_event_is_the_same_bytes(mapper: AvroMapper) -> None:
    assert mapper.to_stored_event(GOVERNED) == AvroMapper().to_stored_event(GOVERNED)


def test_refuses_to_store_what_is_no_governed_event(mapper: AvroMapper) -> None:
    with pytest.raises(TypeError, match="only governed events"):
        mapper.to_stored_event(cast(Any, act_adopted()))


@pytest.mark.parametrize("argument", ["compressor", "cipher"])
def test_refuses_what_would_change_the_hashed_bytes(argument: str) -> None:
    with pytest.raises(ValueError, match="no compressor, no cipher"):
        AvroMapper(**cast(Any, {argument: object()}))


@pytest.mark.parametrize("bare", [True, False])
def test_refuses_an_event_that_was_not_read_from_the_ledger(
    mapper: AvroMapper, *, bare: bool
) -> None:
    unread = mapper.to_stored_event(GOVERNED)
    if bare:
        event = StoredEvent(
            originator_id="act/x", originator_version=1, topic=unread.topic, state=unread.state
        )
    else:
        event = unread

    with pytest.raises(StoredEventDecodeError, match="not read from the ledger"):
        mapper.to_domain_event(event)


def test_reads_through_the_librarys_stored_event(mapper: AvroMapper, stored: StoredRecord) -> None:
    event = LedgerStoredEvent(
        originator_id="act/x",
        originator_version=1,
        topic=ActAdopted.TYPE,
        state=stored.record.content,
        pending=stored.record,
        stored=stored,
    )

    assert mapper.to_domain_event(event) == mapper.recorded(stored)


@pytest.mark.parametrize(
    "damage",
    [
        {"kind": RecordKind.BLOCK},
        {"event_type": "registro.acts.Unknown"},
        {"event_type": "registro.acts.ActReferenceCorrected"},
        {"schema_id": b"\x00" * 32},
        {"schema_id": b""},
        {"envelope_schema_id": b"\x00" * 32},
    ],
    ids=str,
)
def test_names_the_record_that_cannot_be_decoded(
    mapper: AvroMapper, stored: StoredRecord, damage: dict[str, Any]
) -> None:
    damaged = replace(stored, position=Position(42), record=replace(stored.record, **damage))

    with pytest.raises(StoredEventDecodeError) as caught:
        mapper.recorded(damaged)

    assert caught.value.facts["position"] == "42"
    assert caught.value.__cause__ is not None


def test_refuses_an_instant_beyond_the_calendar(mapper: AvroMapper, stored: StoredRecord) -> None:
    with pytest.raises(StoredEventDecodeError):
        mapper.recorded(replace(stored, recorded_at=2**62))


def test_the_stream_of_an_event_is_taken_from_its_record(
    mapper: AvroMapper, stored: StoredRecord
) -> None:
    moved = replace(stored, record=replace(stored.record, stream=StreamName("act/y")))

    assert mapper.recorded(moved).stream == "act/y"
    assert mapper.recorded(moved).originator_id == "act/y"


# Schemas of other releases


def later_release(store: Store, tmp_path: Path) -> tuple[StoredRecord, str]:
    """Return a record that a later release wrote, with the text of its schema."""
    source = Path(schemas.__file__).parent / "avro"
    shutil.copytree(source, tmp_path / "avro")
    file = tmp_path / "avro" / "acts" / "ActAdopted" / "v1.avsc"
    document = json.loads(file.read_text(encoding="utf-8"))
    document["fields"].append(
        {"name": "later", "type": ["null", "string"], "doc": "Of a later release.", "default": None}
    )
    file.with_name("v2.avsc").write_text(json.dumps(document), encoding="utf-8")
    schema = SchemaRegistry(tmp_path / "avro").latest(ActAdopted.TYPE)
    pending = AvroMapper().to_stored_event(GOVERNED).pending
    body = encode(schema, {**to_record(GOVERNED.event), "later": "new"})
    written = replace(pending, schema_id=schema.schema_id, content=body, lengths=(len(body),))
    return store.append([written])[0], schema.normalised


def test_reads_what_a_later_release_wrote_by_the_text_in_the_ledger(
    store: Store, tmp_path: Path
) -> None:
    record, text = later_release(store, tmp_path)
    asked: list[str] = []

    def texts() -> list[str]:
        asked.append(text)
        return asked

    registry = SchemaRegistry(Path(schemas.__file__).parent / "avro")
    mapper = AvroMapper(registry=registry, schema_texts=texts)

    assert mapper.recorded(record).event == GOVERNED.event
    assert mapper.recorded(record).event == GOVERNED.event
    assert len(asked) == 1


def test_refuses_what_a_later_release_wrote_without_its_text(store: Store, tmp_path: Path) -> None:
    record, _ = later_release(store, tmp_path)
    registry = SchemaRegistry(Path(schemas.__file__).parent / "avro")

    with pytest.raises(StoredEventDecodeError, match="no file and no ledger text has it"):
        AvroMapper(registry=registry).recorded(record)


def test_carries_a_record_of_a_retired_type_over_to_its_successor(store: Store) -> None:
    upcasters = Upcasters()

    @upcasters.register(old=ActReferenceCorrected.TYPE, new=ActAdopted.TYPE)
    def adopted(_: Mapping[str, object]) -> dict[str, object]:
        return to_record(GOVERNED.event)

    mapper = AvroMapper(upcasters=upcasters)
    reference = ActReference(organ="CIV", act_type="resolution", adopted_on=dt.date(2023, 1, 1))
    retired = ActReferenceCorrected(
        document_id="d", locator="p. 1", cited=reference, correct=reference
    )
    record = store.append([mapper.to_stored_event(replace(GOVERNED, event=retired)).pending])[0]

    assert mapper.recorded(record).event == GOVERNED.event


def test_a_schema_text_that_needs_an_unknown_schema_ends_with_an_error(
    store: Store, tmp_path: Path
) -> None:
    record, _ = later_release(store, tmp_path)

    def texts() -> list[str]:
        # Reading the texts meets the same unknown schema again.
        lost.recorded(record)
        return []

    lost = AvroMapper(
        registry=SchemaRegistry(Path(schemas.__file__).parent / "avro"), schema_texts=texts
    )

    with pytest.raises(StoredEventDecodeError, match="no file and no ledger text has it"):
        lost.recorded(record)
