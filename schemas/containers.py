"""Read Avro object container files as tables, a bounded number of rows at a time.

Files come from other systems, with schemas of their own; the reader returns what they hold, and
the caller judges it. The blocks of the file are wrapped anew, some at a time, for the native
reader; what that cannot read is read by fastavro.

Source: Apache Avro 1.12, object container files; docs/production.md.
"""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import fastavro
import polars as pl

from schemas.errors import DecodingError

_MAGIC: Final = b"Obj\x01"
_SYNC: Final = bytes(16)


def read_container(path: Path, *, rows: int) -> Iterator[pl.DataFrame]:
    """Yield the records of a container file.

    Args:
        path: of the file.
        rows: about so many rows in a table; a block of the file is never cut.

    Raises:
        DecodingError: the file is no container, is cut off, or a block is damaged.
        OSError: the file cannot be read.
    """
    with path.open("rb") as stream:
        try:
            blocks = fastavro.block_reader(stream)
            schema = blocks.writer_schema
            held: list[Any] = []
            count = 0
            for block in blocks:
                held.append(block)
                count += block.num_records
                if count >= rows:
                    yield _table(schema, held)
                    held, count = [], 0
            if held:
                yield _table(schema, held)
        except OSError:
            raise
        except Exception as error:
            raise DecodingError(
                full_name=path.name, path="$", reason=f"no Avro container, or damaged: {error}"
            ) from error


def _table(schema: Any, blocks: list[Any]) -> pl.DataFrame:
    native = _native(schema, blocks)
    if native is not None:
        return native
    records = [record for block in blocks for record in block]
    return pl.DataFrame(records, infer_schema_length=None)


def _native(schema: Any, blocks: list[Any]) -> pl.DataFrame | None:
    text = json.dumps(schema).encode()
    key = b"avro.schema"
    chunks = [_MAGIC, _long(1), _long(len(key)), key, _long(len(text)), text, _long(0), _SYNC]
    for block in blocks:
        content = block.bytes_.getvalue()
        chunks += (_long(block.num_records), _long(len(content)), content, _SYNC)
    try:
        return pl.read_avro(io.BytesIO(b"".join(chunks)))
    except Exception:  # noqa: BLE001 - fastavro says what is wrong
        return None
    except BaseException as panic:
        if type(panic).__name__ != "PanicException":
            raise
        return None


def _long(value: int) -> bytes:
    zigzag = value << 1
    encoded = bytearray()
    while zigzag > 0x7F:  # noqa: PLR2004 - seven bits a byte
        encoded.append((zigzag & 0x7F) | 0x80)
        zigzag >>= 7
    encoded.append(zigzag)
    return bytes(encoded)
