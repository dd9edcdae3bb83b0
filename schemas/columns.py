"""Avro bodies of flat facts by columns: many at once, at native speed.

Writing computes the length of every body and scatters bytes into one buffer. Reading wraps the
bodies in an Avro container in memory and lets Polars read it. `schemas.codec` stays the reference:
what Polars cannot read, or reads with a panic, is decoded there, and counted.

Invariants:
1. The bytes are those of `schemas.codec.encode`, body by body (tested over random schemas).
2. Only schemas of kind "fact" come here: flat records of string, int, long, boolean and date,
   nullable at most (`schemas.lint`).
3. A panic of the native reader is no `Exception`; it is caught here and nowhere else.

Source: docs/adr/0003-schemas.md; Apache Avro 1.12, binary encoding and object container files.
"""

import datetime as dt
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from schemas.codec import decode
from schemas.errors import DecodingError, EncodingError
from schemas.registry import ReleasedSchema

Kind = Literal["string", "int", "long", "boolean", "date"]

DTYPES: Final[dict[Kind, Any]] = {
    "string": pl.String,
    "int": pl.Int32,
    "long": pl.Int64,
    "boolean": pl.Boolean,
    "date": pl.Date,
}
"""Type of a column by kind of field."""

_MAGIC: Final = b"Obj\x01"
_SYNC: Final = bytes(16)
_GROUP_BITS: Final = 7
_GROUP_MASK: Final = np.uint64(0x7F)
_MORE: Final = 0x80

Longs = NDArray[np.int64]
Bytes = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class FactField:
    """One field of a fact."""

    name: str
    kind: Kind
    nullable: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Encoded:
    """Bodies one after the other."""

    lengths: Longs
    """Length of each body in bytes."""
    content: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Bodies:
    """Bodies of one block, as a record holds them."""

    lengths: Sequence[int]
    content: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Decoded:
    """Facts as a table, in the order of the bodies."""

    frame: pl.DataFrame
    fallbacks: int
    """Blocks that the reference decoder had to read."""


@cache
def layout(schema: ReleasedSchema) -> tuple[FactField, ...]:
    """Return the fields of a fact schema, in order.

    Raises:
        EncodingError: the schema is not flat.
    """
    record = json.loads(schema.normalised)
    return tuple(_field(schema, item) for item in record["fields"])


def _field(schema: ReleasedSchema, item: dict[str, Any]) -> FactField:
    type_ = item["type"]
    nullable = isinstance(type_, list)
    inner = next(each for each in type_ if each != "null") if nullable else type_
    kind = inner if isinstance(inner, str) else inner.get("logicalType", inner.get("type"))
    if kind not in DTYPES:
        raise EncodingError(
            full_name=schema.full_name, path=item["name"], reason=f"{kind!r} is no type of facts"
        )
    return FactField(item["name"], kind, nullable)


def empty(schema: ReleasedSchema) -> pl.DataFrame:
    """Return a table without rows, with the columns of a schema."""
    return pl.DataFrame(schema={one.name: DTYPES[one.kind] for one in layout(schema)})


def encode_frame(schema: ReleasedSchema, frame: pl.DataFrame) -> Encoded:
    """Encode the rows of a table.

    Args:
        schema: of kind "fact".
        frame: has the schema's columns, of the types of `DTYPES`; nulls only where it allows them.

    Raises:
        EncodingError: a column is missing or of another type, or a null stands where none may.
    """
    parts = [part for one in layout(schema) for part in _parts(schema, frame, one)]
    lengths = np.zeros(frame.height, np.int64)
    for part in parts:
        lengths += part.lengths
    places = np.cumsum(lengths) - lengths
    buffer = np.empty(int(lengths.sum()), np.uint8)
    for part in parts:
        part.write(buffer, places)
        places = places + part.lengths
    return Encoded(lengths=lengths, content=buffer.tobytes())


def _parts(
    schema: ReleasedSchema, frame: pl.DataFrame, field: FactField
) -> "list[_Varints | _Flags | _Texts]":
    column = _column(schema, frame, field)
    if not field.nullable:
        return _values(column, field.kind, present=None)
    present = column.is_not_null().to_numpy()
    # Branch 0 is null, branch 1 the value: zigzag 0 and 2.
    branch = _Flags(np.where(present, 2, 0).astype(np.uint8), np.ones(len(present), np.int64))
    return [branch, *_values(column, field.kind, present=present)]


def _column(schema: ReleasedSchema, frame: pl.DataFrame, field: FactField) -> pl.Series:
    if field.name not in frame.columns:
        raise EncodingError(full_name=schema.full_name, path=field.name, reason="no such column")
    column = frame[field.name]
    if column.dtype != DTYPES[field.kind]:
        raise EncodingError(
            full_name=schema.full_name,
            path=field.name,
            reason=f"the column is {column.dtype}, not {field.kind}",
        )
    if not field.nullable and column.null_count():
        raise EncodingError(full_name=schema.full_name, path=field.name, reason="a value is null")
    return column


def _values(
    column: pl.Series, kind: Kind, *, present: NDArray[np.bool_] | None
) -> "list[_Varints | _Flags | _Texts]":
    mask = None if present is None else present.astype(np.int64)
    if kind == "string":
        filled = column.fill_null("")
        sizes = filled.str.len_bytes().to_numpy().astype(np.int64)
        joined = filled.str.join("").item() or ""
        text = np.frombuffer(joined.encode(), np.uint8)
        return [_varints(sizes, mask), _Texts(text, sizes)]
    if kind == "boolean":
        ones = column.fill_null(value=False).to_numpy().astype(np.uint8)
        return [_Flags(ones, np.ones(len(ones), np.int64) if mask is None else mask)]
    numbers = column.to_physical() if kind == "date" else column
    return [_varints(numbers.fill_null(0).to_numpy().astype(np.int64), mask)]


def _varints(values: Longs, mask: Longs | None) -> "_Varints":
    zigzag = ((values << 1) ^ (values >> 63)).astype(np.uint64)
    lengths = np.ones(len(values), np.int64)
    rest = zigzag >> np.uint64(_GROUP_BITS)
    while rest.any():
        lengths += rest > 0
        rest >>= np.uint64(_GROUP_BITS)
    return _Varints(zigzag, lengths if mask is None else lengths * mask)


@dataclass(frozen=True, slots=True)
class _Varints:
    zigzag: NDArray[np.uint64]
    lengths: Longs

    def write(self, buffer: Bytes, places: Longs) -> None:
        longest = int(self.lengths.max(initial=0))
        for group in range(longest):
            chosen = self.lengths > group
            shifted = self.zigzag[chosen] >> np.uint64(_GROUP_BITS * group)
            low = (shifted & _GROUP_MASK).astype(np.uint8)
            more = np.where(self.lengths[chosen] > group + 1, _MORE, 0).astype(np.uint8)
            buffer[places[chosen] + group] = low | more


@dataclass(frozen=True, slots=True)
class _Flags:
    values: Bytes
    lengths: Longs
    """1, or 0 where the value is null."""

    def write(self, buffer: Bytes, places: Longs) -> None:
        chosen = self.lengths > 0
        buffer[places[chosen]] = self.values[chosen]


@dataclass(frozen=True, slots=True)
class _Texts:
    text: Bytes
    lengths: Longs

    def write(self, buffer: Bytes, places: Longs) -> None:
        before = np.cumsum(self.lengths) - self.lengths
        targets = np.repeat(places - before, self.lengths) + np.arange(len(self.text))
        buffer[targets] = self.text


def decode_blocks(schema: ReleasedSchema, blocks: Sequence[Bodies]) -> Decoded:
    """Decode the bodies of blocks into one table.

    Args:
        schema: of kind "fact", with which the bodies were written.
        blocks: in the order of the rows wanted.

    Raises:
        DecodingError: a body does not fit the schema.
    """
    if not blocks:
        return Decoded(frame=empty(schema), fallbacks=0)
    frame = _native(schema, blocks)
    rows = sum(len(block.lengths) for block in blocks)
    if frame is not None and frame.height == rows:
        return Decoded(frame=frame, fallbacks=0)
    frames = [_reference(schema, block) for block in blocks]
    return Decoded(frame=pl.concat(frames), fallbacks=len(blocks))


def _native(schema: ReleasedSchema, blocks: Sequence[Bodies]) -> pl.DataFrame | None:
    chunks = [_container_head(schema)]
    for block in blocks:
        chunks += (_long(len(block.lengths)), _long(len(block.content)), block.content, _SYNC)
    try:
        return pl.read_avro(io.BytesIO(b"".join(chunks))).cast(empty(schema).schema)
    except Exception:  # noqa: BLE001 - the reference decoder says what is wrong
        return None
    except BaseException as panic:
        if type(panic).__name__ != "PanicException":
            raise
        return None


@cache
def _container_head(schema: ReleasedSchema) -> bytes:
    text = schema.normalised.encode()
    entry = _long(len(b"avro.schema")) + b"avro.schema" + _long(len(text)) + text
    return _MAGIC + _long(1) + entry + _long(0) + _SYNC


def _long(value: int) -> bytes:
    zigzag = value << 1
    encoded = bytearray()
    while zigzag > _GROUP_MASK:
        encoded.append((zigzag & int(_GROUP_MASK)) | _MORE)
        zigzag >>= _GROUP_BITS
    encoded.append(zigzag)
    return bytes(encoded)


def _reference(schema: ReleasedSchema, block: Bodies) -> pl.DataFrame:
    rows: list[dict[str, object]] = []
    start = 0
    for length in block.lengths:
        rows.append(decode(schema, block.content[start : start + length]))
        start += length
    if start != len(block.content):
        raise DecodingError(
            full_name=schema.full_name,
            path="$",
            reason=f"{len(block.content) - start} bytes too many",
        )
    return pl.DataFrame(rows, schema=empty(schema).schema)


def epoch_day(value: dt.date) -> int:
    """Return a day as Avro counts it: days since 1970-01-01."""
    return (value - dt.date(1970, 1, 1)).days
