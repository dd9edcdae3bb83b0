"""Object containers made in memory around Avro blocks, for the native reader.

Invariant: a panic of the native reader is no `Exception`; it is caught here and nowhere else.

Source: Apache Avro 1.12, object container files.
"""

import io
from collections.abc import Iterable
from typing import Final

import polars as pl

_MAGIC: Final = b"Obj\x01"
_SYNC: Final = bytes(16)
_SCHEMA_KEY: Final = b"avro.schema"
_GROUP_BITS: Final = 7
_GROUP_MASK: Final = 0x7F
_MORE: Final = 0x80


def container_head(schema: bytes) -> bytes:
    """Return the beginning of a container without compression.

    Args:
        schema: its text, JSON in UTF-8.
    """
    entry = _long(len(_SCHEMA_KEY)) + _SCHEMA_KEY + _long(len(schema)) + schema
    return _MAGIC + _long(1) + entry + _long(0) + _SYNC


def container_block(count: int, content: bytes) -> tuple[bytes, ...]:
    """Return the pieces of one block of a container.

    Args:
        count: of records, at least 1.
        content: their bodies, one behind the other.
    """
    return _long(count), _long(len(content)), content, _SYNC


def read_natively(pieces: Iterable[bytes]) -> pl.DataFrame | None:
    """Return the records of a container as a table; None when the native reader cannot read it."""
    try:
        return pl.read_avro(io.BytesIO(b"".join(pieces)))
    except (Exception, pl.exceptions.PanicException):  # noqa: BLE001 - the reference says what is wrong
        return None


def _long(value: int) -> bytes:
    zigzag = value << 1
    encoded = bytearray()
    while zigzag > _GROUP_MASK:
        encoded.append((zigzag & _GROUP_MASK) | _MORE)
        zigzag >>= _GROUP_BITS
    encoded.append(zigzag)
    return bytes(encoded)
