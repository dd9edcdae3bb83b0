"""Read Avro object container files as tables, a bounded number of rows at a time.

Files come from other systems, with schemas of their own; the reader returns what they hold, and
the caller judges it. The blocks of the file are wrapped anew, some at a time, for the native
reader; what that cannot read is read by fastavro.

Source: Apache Avro 1.12, object container files; docs/production.md.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fastavro
import polars as pl

from schemas.errors import DecodingError
from schemas.framing import container_block, container_head, read_natively


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
    pieces = [container_head(json.dumps(schema).encode())]
    for block in blocks:
        pieces += container_block(block.num_records, block.bytes_.getvalue())
    return read_natively(pieces)
