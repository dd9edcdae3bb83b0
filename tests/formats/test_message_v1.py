"""Messages of version 1 are frozen: every byte of the fixtures is made again from the record."""

import hashlib
from collections.abc import Iterator

import pytest

from ledger.integrity.commitment import quick_commitment, seal
from ledger.kafka.client.connection import Partition, Received, partition_of
from ledger.kafka.decoding import decoded
from ledger.kafka.errors import MessageFormatError
from ledger.kafka.keys import Keys
from ledger.kafka.message import Headers, Message, messages_of, record_of
from ledger.kafka.topics import settings_of
from ledger.records import AppendPart, PendingRecord, RecordKind, StoredRecord
from ledger.store.rows import fields_of
from ledger.types import AppendKey, Digest, Position, StreamName, StreamVersion
from schemas.registry import default_registry
from tests.support.message_fixtures import FOLDER, NAMES, MessageFixture, message_fixture
from tests.support.record_fixtures import record_fixture

FILES = {
    "block.json": "ed2a30ef3ff509fd14bd336f88f1ef8a0e62dad8d3294c78047584e1e3223c27",
    "event.json": "0675ffb089d5eacc5b2a65aa7bb0f96590ef552cc66bc9cda2f18e269b42030d",
}
"""SHA-256 of each fixture: a fixture that is edited is no fixture."""


def stored_of(fixture: MessageFixture) -> StoredRecord:
    fields = fixture.fields
    sealed = seal(fields)
    return StoredRecord(
        position=Position(fixture.position),
        recorded_at=fields.recorded_at,
        salt=fields.salt,
        commitment=sealed.commitment,
        inner_root=sealed.inner_root,
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
            lengths=fields.lengths,
            content=fields.content,
        ),
    )


def read(fixture: MessageFixture, messages: list[Message]) -> StoredRecord:
    return record_of(messages, origin=fixture.origin, topics=fixture.topics)


def test_the_fixtures_are_the_frozen_ones() -> None:
    found = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in FOLDER.iterdir()}

    assert found == FILES


@pytest.mark.parametrize("name", NAMES)
def test_every_byte_of_the_messages_is_made_again(name: str) -> None:
    fixture = message_fixture(name)
    stored = stored_of(fixture)

    made = messages_of(
        stored,
        origin=fixture.origin,
        topics=fixture.topics,
        keys=Keys(default_registry()).of(stored),
    )

    assert tuple(made) == fixture.messages


@pytest.mark.parametrize("name", NAMES)
def test_every_message_has_its_partition(name: str) -> None:
    fixture = message_fixture(name)

    assert [partition_of(one.key.encode(), fixture.partitions) for one in fixture.shown] == [
        one.partition for one in fixture.shown
    ]


@pytest.mark.parametrize("name", NAMES)
def test_the_frozen_messages_give_the_record_back(name: str) -> None:
    fixture = message_fixture(name)

    assert read(fixture, list(fixture.messages)) == stored_of(fixture)


def test_the_event_is_that_of_the_frozen_record() -> None:
    fixture, record = message_fixture("event"), record_fixture("event")
    headers = {name: value for name, _, value in fixture.shown[0].headers}

    assert fixture.fields == record.fields
    for name in ("commitment", "inner_root"):
        assert headers[name] == record.values[name]
    assert headers["ce_id"] == record.values["event_id"]


def test_the_facts_of_a_unit_are_on_one_partition() -> None:
    places = {(one.key, one.partition) for one in message_fixture("block").shown}

    assert sorted(key for key, _ in places) == ["DP1", "DP2"]


def test_the_frozen_block_is_decoded() -> None:
    fixture = message_fixture("block")
    registry = default_registry()
    found = [
        decoded(Received(Partition(one.topic, one.partition), 0, one.message), registry)["event"]
        for one in fixture.shown
    ]

    assert [one["source_id"] for one in found if isinstance(one, dict)] == ["S-1", "S-2", "S-3"]


def _changed(message: Message) -> Iterator[tuple[str, Message]]:
    """Yield a message with each of its bytes changed in turn, but those of the key."""
    for place in range(len(message.value)):
        yield f"value {place}", _with(message, value=_flipped(message.value, place))
    for number, (name, value) in enumerate(message.headers):
        others = message.headers[:number], message.headers[number + 1 :]
        for place in range(len(value)):
            pair = (name, _flipped(value, place))
            yield f"{name} {place}", _with(message, headers=(*others[0], pair, *others[1]))
        renamed = (f"{name}x", value)
        yield name, _with(message, headers=(*others[0], renamed, *others[1]))


def _with(
    message: Message, *, value: bytes | None = None, headers: Headers | None = None
) -> Message:
    return Message(
        message.topic,
        message.key,
        message.value if value is None else value,
        message.headers if headers is None else headers,
    )


def _flipped(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


@pytest.mark.parametrize(("name", "index"), [("event", 0), ("block", 0), ("block", 1)])
def test_no_byte_of_a_message_changes_unnoticed(name: str, index: int) -> None:
    fixture = message_fixture(name)
    own = stored_of(fixture)
    messages = list(fixture.messages)
    count = 0
    for what, changed in _changed(messages[index]):
        count += 1
        try:
            found = read(fixture, [*messages[:index], changed, *messages[index + 1 :]])
        except MessageFormatError:
            continue
        fields = fields_of(found.record, recorded_at=found.recorded_at, salt=found.salt)
        # The position stands in the leaf: two messages for one place are never chosen between.
        assert found.position != own.position or (
            quick_commitment(fields, found.inner_root) != found.commitment
        ), what

    assert count > 50


def test_the_settings_of_topics_keep_everything() -> None:
    assert settings_of(insync=2) == {
        "cleanup.policy": "delete",
        "retention.ms": "-1",
        "retention.bytes": "-1",
        "unclean.leader.election.enable": "false",
        "compression.type": "zstd",
        "min.insync.replicas": "2",
        "max.message.bytes": "8454144",
    }
