"""Records to bare Avro bodies and back.

A body holds no schema and no marker: the schema id stands beside it, in a column or a header.

Invariants:
1. Encoding then decoding gives an equal record; one record has one body.
2. Decoding then encoding gives the same bytes: a body that another encoder could have written for
   the same record (a long in more bytes than needed, an array in several blocks, bytes after the
   end) is refused. What a commitment covers can be computed again from the event.
3. Nothing of fastavro leaves this module, neither its errors nor what it lets pass.

Source: Avro specification 1.12, binary encoding; docs/formats/schema-id.md, section 6.
"""

import functools
import io
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, TypeAlias, cast

from schemas.canonical import read_schema
from schemas.errors import DecodingError, EncodingError, InvalidSchemaError
from schemas.registry import ReleasedSchema
from schemas.values import (
    Check,
    ValueRefusedError,
    canonical_decimal,
    compile_check,
    parse_decimal,
)

DECIMAL_TYPE: Final = "string-registro-decimal"
"""Key of the decimal type in the tables of fastavro: Avro type and logical type."""

_Write: TypeAlias = Callable[[io.BytesIO, object, object], None]
_Read: TypeAlias = Callable[[io.BytesIO, object, object], object]

# What fastavro and the standard library raise on damaged bodies; found by fuzzing.
_DAMAGE: Final = (
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    AttributeError,
    EOFError,
    MemoryError,
    struct.error,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Plan:
    """What is made once for a schema."""

    parsed: object
    check: Check
    write: _Write
    read: _Read


def encode(schema: ReleasedSchema, record: Mapping[str, object]) -> bytes:
    """Return the body of a record.

    Args:
        schema: the version to write with.
        record: a value for every field, defaults included; arrays as lists, nested types as dicts.

    Raises:
        EncodingError: a value does not fit; the facts name the field, never the value.
        InvalidSchemaError: the schema cannot hold records of Registro.
    """
    plan = _plan(schema)
    values = record if type(record) is dict else dict(record)
    try:
        plan.check(values)
    except ValueRefusedError as error:
        raise EncodingError(
            full_name=schema.full_name, path=error.path, reason=error.reason
        ) from error
    body = io.BytesIO()
    plan.write(body, plan.parsed, values)
    return body.getvalue()


def decode(
    schema: ReleasedSchema, body: bytes, *, reader: ReleasedSchema | None = None
) -> dict[str, object]:
    """Return the record of a body.

    Args:
        schema: the version that wrote the body.
        body: exactly one record, nothing after it.
        reader: the version whose fields the caller knows; None for those of `schema`.

    Raises:
        DecodingError: the bytes are not the canonical body of a record of the schema, or the
            reader's version cannot stand for the writer's.
        InvalidSchemaError: a schema cannot hold records of Registro.
    """
    plan = _plan(schema)
    record = _read(schema, plan, body, None)
    canonical = io.BytesIO()
    plan.write(canonical, plan.parsed, record)
    if canonical.getvalue() != body:
        raise DecodingError(
            full_name=schema.full_name,
            path="the body",
            reason="the bytes are not those that this record is encoded to",
        )
    if reader is None or reader == schema:
        return record
    return _read(reader, plan, body, _plan(reader))


def _read(
    target: ReleasedSchema, writer: _Plan, body: bytes, reader: _Plan | None
) -> dict[str, object]:
    """Read a body to the end and check the values against the schema that is asked for."""
    stream = io.BytesIO(body)
    try:
        record = writer.read(stream, writer.parsed, None if reader is None else reader.parsed)
        (reader or writer).check(record)
    except ValueRefusedError as error:
        raise DecodingError(
            full_name=target.full_name, path=error.path, reason=error.reason
        ) from error
    except _DAMAGE as error:
        # The text of a foreign error may quote the value: only its name is told.
        raise DecodingError(
            full_name=target.full_name,
            path="the body",
            reason=f"it is damaged or of another schema ({type(error).__name__})",
        ) from error
    if stream.tell() != len(body):
        raise DecodingError(
            full_name=target.full_name,
            path="the body",
            reason=f"{len(body) - stream.tell()} bytes stand after its end",
        )
    return cast(dict[str, object], record)


@functools.cache
def _plan(schema: ReleasedSchema) -> _Plan:
    # Imported here: commands that read no ledger, such as --help, do without it.
    from fastavro import schemaless_reader, schemaless_writer  # noqa: PLC0415
    from fastavro.read import LOGICAL_READERS  # noqa: PLC0415
    from fastavro.write import LOGICAL_WRITERS  # noqa: PLC0415

    LOGICAL_WRITERS[DECIMAL_TYPE] = _write_decimal
    LOGICAL_READERS[DECIMAL_TYPE] = _read_decimal
    try:
        check = compile_check(read_schema(schema.normalised))
    except InvalidSchemaError as error:
        raise InvalidSchemaError(
            path=f"{schema.full_name}, {error.facts['path']}", reason=error.facts["reason"]
        ) from error
    return _Plan(
        parsed=schema.parsed,
        check=check,
        write=cast(_Write, schemaless_writer),
        read=cast(_Read, schemaless_reader),
    )


def _write_decimal(value: object, *_: object) -> object:
    # fastavro also offers values of other types, when it looks for the branch of a union.
    return canonical_decimal(value) if isinstance(value, Decimal) else value


def _read_decimal(text: str, *_: object) -> Decimal:
    return parse_decimal(text)
