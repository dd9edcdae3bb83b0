"""A message as a person reads it: address, type, and the event decoded.

Source: docs/formats/message.md.
"""

from collections.abc import Mapping

from ledger.kafka.client.connection import Received
from ledger.kafka.errors import MessageFormatError
from ledger.kafka.message import address_of
from schemas.codec import decode
from schemas.errors import SchemaError
from schemas.registry import SchemaRegistry


def decoded(received: Received, registry: SchemaRegistry) -> Mapping[str, object]:
    """Return what a message says; nothing of it is verified.

    A message that cannot be decoded keeps its bytes, in hexadecimal, and says why.

    Args:
        received: from Kafka.
        registry: knows the schemas.
    """
    found: dict[str, object] = {
        "topic": received.partition.topic,
        "partition": received.partition.number,
        "offset": received.offset,
    }
    message = received.message
    if message is None:
        return {**found, "error": "no message of a ledger: key, value or a header is null"}
    headers = dict(message.headers)
    try:
        address = address_of(message.headers)
        schema = registry.by_id(headers["schema_id"])
        event = decode(schema, message.value)
    except (MessageFormatError, SchemaError, KeyError, ValueError) as error:
        return {**found, "error": str(error), "value": message.value}
    key = message.key.decode(errors="replace")
    return {
        **found,
        "position": address.position,
        "index": address.index,
        "key": key,
        "type": schema.full_name,
        "event": event,
    }
