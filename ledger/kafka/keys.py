"""Keys of messages: what stays in order with what.

Invariants:
1. A governed event has its stream as key; a fact its first unit, so that the facts of a unit stay
   in order on one partition, or its source id where it has no unit.
2. Keys follow from the record alone: whoever makes them again gets the same.

Source: docs/formats/message.md, section 2.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from ledger.errors import StoredEventDecodeError
from ledger.facts.families import RULES
from ledger.records import RecordKind, StoredRecord
from schemas.columns import Bodies, decode_blocks
from schemas.errors import SchemaError, UnknownSchemaError
from schemas.registry import ReleasedSchema, SchemaRegistry

SOURCE_ID: Final = "source_id"
"""Column of every fact with the identifier that its source gave it."""


class Keys:
    """Makes the keys of records."""

    def __init__(
        self, registry: SchemaRegistry, *, schema_texts: Callable[[], Iterable[str]] = tuple
    ) -> None:
        """Take what knows the schemas.

        Args:
            registry: of the schemas.
            schema_texts: gives the texts that the ledger holds; asked when an id is unknown, since
                a later release may have written it.
        """
        self._registry = registry
        self._schema_texts = schema_texts

    def of(self, stored: StoredRecord) -> Sequence[bytes]:
        """Return one key for each event of a record.

        Raises:
            StoredEventDecodeError: a block cannot be read.
        """
        item = stored.record
        if item.kind is RecordKind.EVENT:
            return (item.stream.encode(),)
        try:
            bodies = Bodies(lengths=item.lengths, content=item.content)
            frame = decode_blocks(self._schema(item.schema_id), [bodies], checked=False).frame
            rules = RULES.get(item.event_type)
            column = rules.units[0] if rules is not None and rules.units else SOURCE_ID
            texts = frame.get_column(column).to_list()
        except (SchemaError, ValueError) as error:
            raise StoredEventDecodeError(
                position=stored.position, event_type=item.event_type, reason=str(error)
            ) from error
        known: dict[str, bytes] = {}
        return [known.get(text) or known.setdefault(text, text.encode()) for text in texts]

    def _schema(self, schema_id: bytes) -> ReleasedSchema:
        try:
            return self._registry.by_id(schema_id)
        except UnknownSchemaError:
            for text in self._schema_texts():
                self._registry.register_text(text)
            return self._registry.by_id(schema_id)
