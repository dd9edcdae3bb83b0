"""Avro bodies of flat facts by columns: many at once, at native speed.

Writing computes the length of every body and scatters numbers and texts into one buffer. Reading
wraps the bodies in an Avro container in memory and lets Polars read it. `schemas.codec` stays the
reference: what Polars refuses, or reads with a panic, or reads as something that is written with
other bytes, is decoded there, block by block, and counted.

Invariants:
1. The bytes are those of `schemas.codec.encode`, body by body (tested over random schemas).
2. What was read with `checked` is what `schemas.codec.decode` gives, body by body: it was encoded
   again and gave the same bytes and lengths, and a record has one body. That holds whatever the
   native reader does with a body that is not canonical, as long as its texts are UTF-8 (tested).
3. Only flat records come here: string, int, long, boolean and date, nullable at most, null first
   (rule "flat" of `schemas.lint`).
4. A panic of the native reader leads to the reference as well, see `schemas.framing`.

Source: docs/adr/0003-schemas.md; docs/formats/block.md, section 1; Apache Avro 1.12, binary
encoding and object container files.
"""

import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final, Literal, assert_never

import numpy as np
import polars as pl
from numpy.typing import NDArray

from schemas.canonical import read_schema
from schemas.codec import decode
from schemas.errors import DecodingError, EncodingError, InvalidSchemaError
from schemas.framing import container_block, container_head, read_natively
from schemas.registry import ReleasedSchema
from schemas.syntax import Field, Primitive, Record, Union

Kind = Literal["string", "int", "long", "boolean", "date"]
Longs = NDArray[np.int64]

DTYPES: Final[Mapping[Kind, type[pl.DataType]]] = {
    "string": pl.String,
    "int": pl.Int32,
    "long": pl.Int64,
    "boolean": pl.Boolean,
    "date": pl.Date,
}
"""Type of a column by kind of field."""

ROWS_AT_ONCE: Final = 16_384
"""Rows encoded in one step: what it works on stays in the cache of a core (measured)."""

_KINDS: Final[Mapping[tuple[str, str | None], Kind]] = {
    ("string", None): "string",
    ("int", None): "int",
    ("long", None): "long",
    ("boolean", None): "boolean",
    ("int", "date"): "date",
}
_AVRO_TYPES: Final[Mapping[Kind, object]] = {
    "string": "string",
    "int": "int",
    "long": "long",
    "boolean": "boolean",
    "date": {"type": "int", "logicalType": "date"},
}
_GROUP_BITS: Final = 7
_GROUP_MASK: Final = 0x7F
_PRESENT: Final = 2
"""Branch 1 of a union, the value, as it is written; branch 0, null, is 0."""
_EPOCH: Final = dt.date(1970, 1, 1)

_Numbers = NDArray[np.uint64]
_Bytes = NDArray[np.uint8]
_Flags = NDArray[np.bool_]


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
    """Length of each body in bytes, in order of the rows."""
    content: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Bodies:
    """Bodies of one block, as a record holds them."""

    lengths: Sequence[int]
    """Length of each body in bytes, 0 to 2^32 - 1."""
    content: bytes
    """The bodies one after the other."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Decoded:
    """Facts as a table, in the order of the bodies."""

    frame: pl.DataFrame
    """Columns in order of the schema, of the types of `DTYPES`."""
    fallbacks: int
    """Blocks that the reference decoder had to read; 0 unless something is odd."""


@cache
def layout(schema: ReleasedSchema) -> tuple[FactField, ...]:
    """Return the fields of a fact schema, in order.

    Raises:
        InvalidSchemaError: the schema is not flat.
    """
    record = read_schema(schema.normalised)
    if not isinstance(record, Record) or not record.fields:
        raise InvalidSchemaError(path=schema.full_name, reason="a fact is a record with fields")
    return tuple(_field(schema, item) for item in record.fields)


def _field(schema: ReleasedSchema, item: Field) -> FactField:
    match item.type:
        case Union(branches=(Primitive(name="null"), Primitive() as inner)):
            nullable = True
        case Primitive() as inner:
            nullable = False
        case _:
            raise _not_flat(schema, item)
    logical = inner.logical
    kind = _KINDS.get((inner.name, None if logical is None else logical.name))
    if kind is None:
        raise _not_flat(schema, item)
    return FactField(item.name, kind, nullable)


def _not_flat(schema: ReleasedSchema, item: Field) -> InvalidSchemaError:
    return InvalidSchemaError(
        path=f"{schema.full_name}, {item.name}",
        reason=f"a field of a fact is one of {', '.join(DTYPES)}, or null (first) and one of them",
    )


def empty(schema: ReleasedSchema) -> pl.DataFrame:
    """Return a table without rows, with the columns of a schema.

    Raises:
        InvalidSchemaError: the schema is not flat.
    """
    return pl.DataFrame(schema={one.name: DTYPES[one.kind] for one in layout(schema)})


def encode_frame(schema: ReleasedSchema, frame: pl.DataFrame) -> Encoded:
    """Encode the rows of a table.

    Args:
        schema: of kind "fact".
        frame: the schema's columns and no others, in any order, of the types of `DTYPES`; nulls
            only where the schema allows them, no text with NUL, dates of the years 1 to 9999.

    Raises:
        EncodingError: the table does not fit; the facts name the column, never a value.
        InvalidSchemaError: the schema is not flat.
    """
    fields = layout(schema)
    _check_frame(schema, frame, fields)
    columns = _columns(frame, fields)
    steps = [
        _encode_step(schema, frame[start : start + ROWS_AT_ONCE], columns, start)
        for start in range(0, frame.height, ROWS_AT_ONCE)
    ]
    return Encoded(
        lengths=np.concatenate([np.zeros(0, np.int64), *(step.lengths for step in steps)]),
        content=b"".join(step.content for step in steps),
    )


def _check_frame(
    schema: ReleasedSchema, frame: pl.DataFrame, fields: tuple[FactField, ...]
) -> None:
    for field in fields:
        reason = _misfit(frame, field)
        if reason is not None:
            raise EncodingError(full_name=schema.full_name, path=field.name, reason=reason)
    # Left out in silence, a column would be lost for good.
    extra = sorted(set(frame.columns) - {field.name for field in fields})
    if extra:
        raise EncodingError(
            full_name=schema.full_name, path=extra[0], reason="the schema has no such field"
        )


def _misfit(frame: pl.DataFrame, field: FactField) -> str | None:
    if field.name not in frame.columns:
        return "the table has no such column"
    column = frame[field.name]
    if column.dtype != DTYPES[field.kind]:
        return f"the column is {column.dtype}, not {DTYPES[field.kind]}"
    if not field.nullable and column.null_count():
        return "a value is null"
    if field.kind == "date" and not _in_calendar(column):
        return "a date is not in the years 1 to 9999"
    return None


def _in_calendar(column: pl.Series) -> bool:
    days = column.to_physical()
    first, last = days.min(), days.max()
    if not isinstance(first, int) or not isinstance(last, int):
        return True
    return epoch_day(dt.date.min) <= first and last <= epoch_day(dt.date.max)


@dataclass(frozen=True, slots=True)
class _Column:
    """What is written of a column besides its texts."""

    field: FactField
    numbers: Longs
    """Whole numbers, days, 0 or 1, or the bytes of each text; 0 for null."""
    present: _Flags | None
    """Whether there is a value; None when the field has one always."""

    def parts(self, rows: slice) -> "Iterator[_Part]":
        """Yield what is written of some rows, in order."""
        present = None if self.present is None else self.present[rows]
        if present is not None:
            yield _part(present.astype(np.uint64) * np.uint64(_PRESENT), None)
        numbers = self.numbers[rows]
        match self.field.kind:
            case "string":
                yield _part(_zigzag(numbers), present, room=numbers)
            case "boolean":
                yield _part(numbers.astype(np.uint64), present)
            case "int" | "long" | "date":
                yield _part(_zigzag(numbers), present)
            case _:
                assert_never(self.field.kind)


def _columns(frame: pl.DataFrame, fields: tuple[FactField, ...]) -> tuple[_Column, ...]:
    numbers = frame.select(_numbers(field).fill_null(0).alias(field.name) for field in fields)
    return tuple(
        _Column(
            field=field,
            numbers=numbers[field.name].to_numpy(),
            present=frame[field.name].is_not_null().to_numpy() if field.nullable else None,
        )
        for field in fields
    )


def _numbers(field: FactField) -> pl.Expr:
    column = pl.col(field.name)
    whole = column.str.len_bytes() if field.kind == "string" else column.to_physical()
    return whole.cast(pl.Int64)


def _encode_step(
    schema: ReleasedSchema, frame: pl.DataFrame, columns: tuple[_Column, ...], start: int
) -> Encoded:
    """Encode some rows; `start` is the place of the first of them in the columns."""
    rows = slice(start, start + frame.height)
    parts = [part for column in columns for part in column.parts(rows)]
    text = _joined_text(schema, frame)
    lengths = np.zeros(frame.height, np.int64)
    for part in parts:
        lengths += part.lengths
        lengths += part.room
    places = np.cumsum(lengths) - lengths
    buffer = np.empty(int(lengths.sum()), np.uint8)
    is_text = np.ones(len(buffer), np.bool_)
    for part in parts:
        part.write(buffer, is_text, places)
        places += part.lengths
        places += part.room
    # Bytes that no number took belong to the texts, in the order of rows and fields.
    buffer[is_text] = np.frombuffer(text, np.uint8)
    return Encoded(lengths=lengths, content=buffer.tobytes())


def _joined_text(schema: ReleasedSchema, frame: pl.DataFrame) -> bytes:
    names = [field.name for field in layout(schema) if field.kind == "string"]
    if not names:
        return b""
    rows = pl.concat_str(names, ignore_nulls=True)
    joined = frame.select(rows.str.join("").cast(pl.Binary)).item()
    if b"\0" in joined:
        name = next(name for name in names if frame[name].str.contains("\0", literal=True).any())
        raise EncodingError(
            full_name=schema.full_name, path=name, reason="the text holds the character NUL"
        )
    return bytes(joined)


@dataclass(frozen=True, slots=True)
class _Part:
    """One number of every row, and the room left behind it for the text that it announces."""

    numbers: _Numbers
    """Without sign: what is written seven bits at a time, lowest first."""
    lengths: Longs
    """Bytes of each number; 0 where none is written."""
    room: Longs | int

    def write(self, buffer: _Bytes, is_text: _Flags, places: Longs) -> None:
        """Write the numbers at their places, and take these from those of the texts."""
        for group in range(int(self.lengths.max(initial=0))):
            chosen = self.lengths > group
            numbers, lengths, targets = (
                (self.numbers, self.lengths, places + group)
                if chosen.all()
                else (self.numbers[chosen], self.lengths[chosen], places[chosen] + group)
            )
            low = (numbers >> np.uint64(_GROUP_BITS * group)).astype(np.uint8) & _GROUP_MASK
            more = (lengths > group + 1).astype(np.uint8) << _GROUP_BITS
            buffer[targets] = low | more
            is_text[targets] = False


def _zigzag(values: Longs) -> _Numbers:
    return ((values << 1) ^ (values >> 63)).astype(np.uint64)


def _part(numbers: _Numbers, present: _Flags | None, *, room: Longs | int = 0) -> _Part:
    lengths = np.ones(len(numbers), np.int64)
    largest = int(numbers.max(initial=0)) >> _GROUP_BITS
    bound = 1 << _GROUP_BITS
    while largest:
        lengths += numbers >= np.uint64(bound)
        largest >>= _GROUP_BITS
        bound <<= _GROUP_BITS
    return _Part(numbers, lengths if present is None else lengths * present, room)


def decode_blocks(
    schema: ReleasedSchema, blocks: Sequence[Bodies], *, checked: bool = True
) -> Decoded:
    """Decode the bodies of blocks into one table.

    Args:
        schema: of kind "fact", with which the bodies were written.
        blocks: in the order of the rows wanted; a few dozen at once are read fastest.
        checked: encode the table again and compare bytes and lengths. Without it, bodies that
            nobody writes may be read where `schemas.codec.decode` refuses them, or be read as
            something else: only for what this program wrote and whose commitment was verified.

    Raises:
        DecodingError: a body does not fit the schema, or lengths do not fit the content; the path
            names block and body, both from 0.
        InvalidSchemaError: the schema is not flat.
    """
    for number, block in enumerate(blocks):
        lengths = _lengths(block)
        if lengths.min(initial=0) < 0 or lengths.sum() != len(block.content):
            raise DecodingError(
                full_name=schema.full_name,
                path=f"block {number}",
                reason=(
                    "a length is negative or they do not sum to the"
                    f" {len(block.content)} bytes of the content"
                ),
            )
    found = list(_read(schema, blocks, 0, checked=checked))
    return Decoded(
        frame=pl.concat([frame for frame, _ in found]) if found else empty(schema),
        fallbacks=sum(fallbacks for _, fallbacks in found),
    )


def _read(
    schema: ReleasedSchema, blocks: Sequence[Bodies], first: int, *, checked: bool
) -> Iterator[tuple[pl.DataFrame, int]]:
    """Yield tables, each with its number of fallbacks; `first` is the number of the first block.

    Halved until every block that the native reader cannot read stands alone.
    """
    if not any(len(block.lengths) for block in blocks):
        return
    frame = _native(schema, blocks)
    if frame is not None and (not checked or _is_canonical(schema, frame, blocks)):
        yield frame, 0
    elif len(blocks) == 1:
        yield _reference(schema, blocks[0], first), 1
    else:
        middle = len(blocks) // 2
        yield from _read(schema, blocks[:middle], first, checked=checked)
        yield from _read(schema, blocks[middle:], first + middle, checked=checked)


def _native(schema: ReleasedSchema, blocks: Sequence[Bodies]) -> pl.DataFrame | None:
    rows = 0
    pieces = [_container_head(schema)]
    for block in blocks:
        if len(block.lengths):
            rows += len(block.lengths)
            pieces += container_block(len(block.lengths), block.content)
    frame = read_natively(pieces)
    if frame is None or frame.height != rows:
        return None
    try:
        return frame.cast(empty(schema).schema)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
        return None


def _is_canonical(schema: ReleasedSchema, frame: pl.DataFrame, blocks: Sequence[Bodies]) -> bool:
    try:
        encoded = encode_frame(schema, frame)
    except EncodingError:
        return False
    return np.array_equal(
        encoded.lengths, np.concatenate([_lengths(block) for block in blocks])
    ) and encoded.content == b"".join(block.content for block in blocks)


def _lengths(block: Bodies) -> Longs:
    return np.asarray(block.lengths, np.int64)


@cache
def _container_head(schema: ReleasedSchema) -> bytes:
    """Return the head of a container with the bare types: defaults and aliases are no matter."""
    types = ((field, _AVRO_TYPES[field.kind]) for field in layout(schema))
    fields = [
        {"name": field.name, "type": ["null", type_] if field.nullable else type_}
        for field, type_ in types
    ]
    text = json.dumps({"type": "record", "name": "Fact", "fields": fields}).encode()
    return container_head(text)


def _reference(schema: ReleasedSchema, block: Bodies, number: int) -> pl.DataFrame:
    rows: list[dict[str, object]] = []
    start = 0
    for index, length in enumerate(_lengths(block).tolist()):
        try:
            rows.append(decode(schema, block.content[start : start + length]))
        except DecodingError as error:
            raise DecodingError(
                full_name=schema.full_name,
                path=f"block {number}, body {index}, {error.facts['path']}",
                reason=error.facts["reason"],
            ) from error
        start += length
    return pl.DataFrame(rows, schema=empty(schema).schema)


def epoch_day(value: dt.date) -> int:
    """Return a day as Avro counts it: days since 1970-01-01."""
    return (value - _EPOCH).days
