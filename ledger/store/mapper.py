"""Event <-> stored event: Avro bodies under the event's full name, never a Python path.

Invariants:
1. The stored type name is the Avro full name; the schema id says which version wrote the body.
2. Values are checked before Avro sees them (`schemas.codec`): naive instants, floats, booleans
   offered as numbers are refused.
3. Old bodies are read with the schema that wrote them and resolved to the newest version; records
   of a retired type are carried over to its successor (`schemas.upcast`).
4. A schema that stands in no file is looked for among the texts that the ledger holds: a later
   release may have written it.

Source: docs/adr/0004-event-classes.md.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import Mapper, StoredEvent, Transcoder

from ledger.errors import StoredEventDecodeError
from ledger.events.base import Event, from_record, to_record
from ledger.events.catalogue import EVENT_TYPES
from ledger.events.ledger import Envelope
from ledger.feed import FactBlock, GovernedEvent, RecordedEvent
from ledger.records import BlockHeader, PendingRecord, RecordKind, StoredRecord, instant_of
from ledger.types import StreamName, StreamVersion
from schemas.codec import decode, encode
from schemas.errors import SchemaError, UnknownSchemaError
from schemas.registry import ReleasedSchema, SchemaRegistry, default_registry
from schemas.upcast import RELEASED, Upcasters


@dataclass(frozen=True)
class LedgerStoredEvent(StoredEvent):
    """The library's stored event, with the record that goes to or came from the store."""

    pending: PendingRecord
    """What is appended."""
    stored: StoredRecord | None = None
    """What the store gave back; None before the append."""


class AvroMapper(Mapper[str]):
    """The library's mapper interface over Avro schemas."""

    def __init__(
        self,
        transcoder: Transcoder | None = None,
        compressor: object | None = None,
        cipher: object | None = None,
        *,
        registry: SchemaRegistry | None = None,
        upcasters: Upcasters = RELEASED,
        schema_texts: Callable[[], Iterable[str]] = tuple,
    ) -> None:
        """Take the library's arguments; compression and ciphers belong elsewhere here.

        Args:
            transcoder: unused: Avro takes its place.
            compressor: None.
            cipher: None.
            registry: the schemas; None takes the packaged ones.
            upcasters: successors of retired types.
            schema_texts: gives the normalised texts that the ledger holds; asked when an id stands
                in no file.

        Raises:
            ValueError: a compressor or cipher was configured: it would change the hashed bytes.
        """
        if compressor is not None or cipher is not None:
            raise ValueError("Avro bodies are stored bare: no compressor, no cipher")
        super().__init__(transcoder=transcoder)  # type: ignore[arg-type] # unused by this mapper
        self.registry = registry or default_registry()
        self._upcasters = upcasters
        self._schema_texts = schema_texts
        self._learning = False

    def to_stored_event(self, domain_event: DomainEventProtocol[str]) -> LedgerStoredEvent:
        """Encode a governed event.

        Raises:
            schemas.errors.EncodingError: a value does not fit its schema.
        """
        if not isinstance(domain_event, GovernedEvent):
            raise TypeError(f"only governed events are appended, not {type(domain_event).__name__}")
        schema = self.registry.latest(domain_event.event.TYPE)
        envelope_schema = self.envelope_schema
        body = encode(schema, to_record(domain_event.event))
        return LedgerStoredEvent(
            originator_id=domain_event.originator_id,
            originator_version=domain_event.originator_version,
            topic=domain_event.event.TYPE,
            state=body,
            pending=PendingRecord(
                kind=RecordKind.EVENT,
                stream=StreamName(domain_event.originator_id),
                stream_version=StreamVersion(domain_event.originator_version),
                event_type=domain_event.event.TYPE,
                schema_id=schema.schema_id,
                append=domain_event.append,
                envelope_schema_id=envelope_schema.schema_id,
                envelope=encode(envelope_schema, to_record(domain_event.envelope)),
                lengths=(len(body),),
                content=body,
            ),
        )

    def to_domain_event(self, stored_event: StoredEvent) -> RecordedEvent:
        """Decode a stored event.

        Raises:
            StoredEventDecodeError: the record is damaged or its schema is unknown.
        """
        if not isinstance(stored_event, LedgerStoredEvent) or stored_event.stored is None:
            raise StoredEventDecodeError(
                position="?", event_type=stored_event.topic, reason="not read from the ledger"
            )
        return self.recorded(stored_event.stored)

    def recorded(self, stored: StoredRecord) -> RecordedEvent:
        """Decode a stored record that holds one governed event.

        Raises:
            StoredEventDecodeError: the record is damaged or its schema is unknown.
        """
        item = stored.record
        try:
            if item.kind is not RecordKind.EVENT:
                raise ValueError("blocks of facts are not read as governed events")  # noqa: TRY301 - one place wraps every cause
            return RecordedEvent(
                position=stored.position,
                recorded_at=stored.recorded_instant,
                stream=item.stream,
                stream_version=item.stream_version,
                event=self._event(item.event_type, item.schema_id, item.content),
                envelope=self.envelope(item.envelope_schema_id, item.envelope),
                append=item.append,
            )
        except (SchemaError, ValueError, TypeError, KeyError, OverflowError) as error:
            raise StoredEventDecodeError(
                position=stored.position, event_type=item.event_type, reason=str(error)
            ) from error

    def block(self, header: BlockHeader) -> RecordedEvent:
        """Return what stands in for a block in the feed of governed events.

        Raises:
            StoredEventDecodeError: the envelope is damaged or its schema is unknown.
        """
        try:
            return RecordedEvent(
                position=header.position,
                recorded_at=instant_of(header.recorded_at),
                stream=header.stream,
                stream_version=header.stream_version,
                event=FactBlock(fact_type=header.event_type, count=header.event_count),
                envelope=self.envelope(header.envelope_schema_id, header.envelope),
                append=header.append,
            )
        except (SchemaError, ValueError, TypeError, KeyError, OverflowError) as error:
            raise StoredEventDecodeError(
                position=header.position, event_type=header.event_type, reason=str(error)
            ) from error

    def envelope(self, schema_id: bytes, body: bytes) -> Envelope:
        """Decode an envelope.

        Raises:
            SchemaError: the body is damaged or its schema is unknown.
        """
        return from_record(Envelope, self._record(Envelope.TYPE, schema_id, body))

    @property
    def envelope_schema(self) -> ReleasedSchema:
        """Schema with which envelopes are written now."""
        return self.registry.latest(Envelope.TYPE)

    def _event(self, event_type: str, schema_id: bytes, body: bytes) -> Event:
        current, record = self._upcasters.upcast(
            event_type, self._record(event_type, schema_id, body)
        )
        return from_record(EVENT_TYPES[current], record)

    def _record(self, full_name: str, schema_id: bytes, body: bytes) -> Mapping[str, object]:
        writer = self._schema(schema_id)
        reader = self.registry.latest(full_name)
        if writer.full_name != full_name:
            raise ValueError(f"schema of {writer.full_name} under the type {full_name}")
        return decode(writer, body, reader=None if writer is reader else reader)

    def _schema(self, schema_id: bytes) -> ReleasedSchema:
        try:
            return self.registry.by_id(schema_id)
        except UnknownSchemaError:
            # The texts stand in records too: one whose own schema is unknown cannot explain itself.
            if self._learning:
                raise
            self._learning = True
            try:
                for text in self._schema_texts():
                    self.registry.register_text(text)
            finally:
                self._learning = False
            return self.registry.by_id(schema_id)
