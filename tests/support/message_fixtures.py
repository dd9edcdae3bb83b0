"""The frozen fixtures of messages: what was put in, and every byte that stands on Kafka.

The files were computed once by a program that shares nothing with the ledger. They are never
changed: another value is another format.
"""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from ledger.integrity.commitment import RecordFields
from ledger.kafka.message import Message, Origin
from ledger.kafka.topics import Topics

FOLDER: Final = Path(__file__).parents[1] / "formats" / "message-v1"
NAMES: Final = ("event", "block")


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """One message as the page shows it."""

    topic: str
    partition: int
    key: str
    value: str
    """Hexadecimal."""
    headers: tuple[tuple[str, str, str], ...]
    """Name, `text` or `hex`, value; in order."""

    @property
    def message(self) -> Message:
        """The message itself."""
        return Message(
            self.topic,
            self.key.encode(),
            bytes.fromhex(self.value),
            tuple(
                (name, bytes.fromhex(value) if form == "hex" else value.encode())
                for name, form, value in self.headers
            ),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class MessageFixture:
    """One record and its messages."""

    origin: Origin
    topics: Topics
    partitions: int
    position: int
    fields: RecordFields
    shown: tuple[Shown, ...]

    @property
    def messages(self) -> tuple[Message, ...]:
        """The messages, in order of the index."""
        return tuple(one.message for one in self.shown)


@cache
def message_fixture(name: str) -> MessageFixture:
    """Return the fixture `event` or `block`."""
    document = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    shown = tuple(
        Shown(
            topic=one["topic"],
            partition=one["partition"],
            key=one["key"],
            value=one["value"],
            headers=tuple((header[0], header[1], header[2]) for header in one["headers"]),
        )
        for one in document["messages"]
    )
    given = document["fields"]
    bodies = [bytes.fromhex(one.value) for one in shown]
    return MessageFixture(
        origin=Origin(ledger_id=document["ledger_id"], origin=document["origin"]),
        topics=Topics(prefix=document["prefix"]),
        partitions=document["partitions"],
        position=document["position"],
        fields=RecordFields(
            kind=given["kind"],
            stream=given["stream"],
            stream_version=given["stream_version"],
            event_type=given["event_type"],
            schema_id=bytes.fromhex(given["schema_id"]),
            append_key=given["append_key"],
            part=given["part"],
            part_count=given["part_count"],
            input_digest=bytes.fromhex(given["input_digest"]),
            recorded_at=given["recorded_at"],
            envelope_schema_id=bytes.fromhex(given["envelope_schema_id"]),
            envelope=bytes.fromhex(given["envelope"]),
            lengths=tuple(map(len, bodies)),
            content=b"".join(bodies),
            salt=bytes.fromhex(given["salt"]),
        ),
        shown=shown,
    )
