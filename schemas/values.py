"""Check that a record fits its schema, before Avro sees it.

fastavro takes true and 1.0 for a long, an instant for a date and a naive instant for an instant.
Each of these writes bytes that say something else than the caller meant. The checks here know
exact types only. A schema is compiled once into closures; checking an event interprets no schema.

Invariants:
1. What passes is encoded and decoded to an equal record; what cannot be is refused.
2. There is one text for each decimal number (see `canonical_decimal`), so one body for each record.
3. A schema that the checks do not know in full is refused when it is compiled, never in part.

Supported: null, boolean, int, long, bytes, string, enum, fixed, array, record, unions of null and
one type; date, timestamp-micros and registro-decimal. Not supported, on purpose: float and double
(no exact figures), map (no order, so no canonical bytes), recursive types (no bound on depth).

Source: rulings of the project, values; docs/formats/schema-id.md, section 6.
"""

import datetime as dt
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final, TypeAlias, assert_never

from schemas.errors import InvalidSchemaError
from schemas.syntax import (
    Array,
    Enum,
    Fixed,
    Primitive,
    Record,
    Reference,
    SchemaType,
    Union,
    place,
)

DECIMAL_DIGITS_MAX: Final = 38
"""Most digits of a decimal, counting all but a single 0 before the decimal point."""
INT_MIN: Final = -(2**31)
INT_MAX: Final = 2**31 - 1
LONG_MIN: Final = -(2**63)
LONG_MAX: Final = 2**63 - 1

Check: TypeAlias = Callable[[object], None]
"""Returns for a good value, raises `ValueRefusedError` for another."""

_CANONICAL: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]*[1-9])?")
_NO_OFFSET: Final = dt.timedelta(0)


class ValueRefusedError(ValueError):
    """A value does not fit its type; the codec turns it into an error with full name and path."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.parts: list[str] = []
        """Field names and list positions (from 0) from the inside outwards."""

    @property
    def path(self) -> str:
        """Place of the value; names what is checked as a whole when there is no field."""
        return ".".join(reversed(self.parts)) or "the record itself"


def canonical_decimal(value: Decimal) -> str:
    """Return the one text of a decimal number.

    An optional minus, whole digits without leading zeros, and a point with digits that do not end
    in 0 when the number is not whole. No exponent, whatever the value was written with.

    Args:
        value: finite, not minus zero, at most `DECIMAL_DIGITS_MAX` digits.

    Raises:
        ValueError: the value has no canonical text.
    """
    if not value.is_finite():
        raise ValueRefusedError("a finite decimal is expected")
    if not value:
        if value.is_signed():
            raise ValueRefusedError("minus zero is refused: zero has no sign")
        return "0"
    # Checked before the text is made: 1E+999999 would give a megabyte of zeros.
    if not -DECIMAL_DIGITS_MAX <= value.adjusted() < DECIMAL_DIGITS_MAX:
        raise ValueRefusedError(f"a decimal has at most {DECIMAL_DIGITS_MAX} digits")
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    if len(text) > DECIMAL_DIGITS_MAX:
        _check_digits(text)
    return text


def parse_decimal(text: str) -> Decimal:
    """Return the number of a canonical decimal text.

    Raises:
        ValueError: the text is not canonical: `1.50`, `+1`, `1E3`, `-0`, more digits than
            `DECIMAL_DIGITS_MAX`.
    """
    if not _CANONICAL.fullmatch(text) or text == "-0":
        raise ValueRefusedError("the text is not a canonical decimal")
    if len(text) > DECIMAL_DIGITS_MAX:
        _check_digits(text)
    return Decimal(text)


def _check_digits(text: str) -> None:
    digits = text.removeprefix("-").removeprefix("0.").replace(".", "")
    if len(digits) > DECIMAL_DIGITS_MAX:
        raise ValueRefusedError(f"a decimal has at most {DECIMAL_DIGITS_MAX} digits")


def compile_check(schema: SchemaType) -> Check:
    """Return the check of a schema's records.

    Args:
        schema: self-contained: every reference names a type that is defined before it.

    Raises:
        InvalidSchemaError: the schema uses a type that Registro's records cannot hold.
    """
    return _Compiler().check_of(schema, "")


class _Compiler:
    """Builds checks from the inside outwards and remembers those of named types."""

    def __init__(self) -> None:
        self._named: dict[str, Check] = {}
        self._empty: set[str] = set()
        """Full names of types whose values take no bytes."""

    def check_of(self, schema: SchemaType, path: str) -> Check:
        """Return the check of one type; `path` is its place in the whole schema."""
        match schema:
            case Primitive():
                return _primitive(schema, path)
            case Reference(full_name=name):
                if name not in self._named:
                    raise _unsupported(path, f"{name} is recursive or not defined")
                return self._named[name]
            case Union(branches=branches):
                return self._union(branches, path)
            case Array(items=items):
                if self._takes_no_bytes(items):
                    raise _unsupported(path, "items of an array take at least one byte")
                return _array(self.check_of(items, place(path, "[]")))
            case Enum() | Fixed(logical=None) | Record():
                return self._defined(schema, path)
            case _:
                raise _unsupported(path, f"{type(schema).__name__.lower()} is not supported here")

    def _union(self, branches: tuple[SchemaType, ...], path: str) -> Check:
        null = Primitive(name="null", logical=None)
        others = [branch for branch in branches if branch != null]
        if len(branches) != 2 or len(others) != 1:  # noqa: PLR2004 - null and one
            raise _unsupported(path, "a union is of null and one other type")
        return _optional(self.check_of(others[0], path))

    def _defined(self, schema: Enum | Fixed | Record, path: str) -> Check:
        match schema:
            case Enum(symbols=symbols):
                check = _enum(frozenset(symbols))
            case Fixed(size=size):
                check = _fixed(size)
            case Record(fields=fields):
                check = _record(
                    {item.name: self.check_of(item.type, place(path, item.name)) for item in fields}
                )
            case _:
                assert_never(schema)
        # Named only now: a type that names itself has no bound on depth, and is refused.
        self._named[schema.full_name] = check
        if self._takes_no_bytes(schema):
            self._empty.add(schema.full_name)
        return check

    def _takes_no_bytes(self, schema: SchemaType) -> bool:
        # A short body could announce any number of such items: the reader would not come back.
        match schema:
            case Primitive(name=name):
                return name == "null"
            case Reference(full_name=name):
                return name in self._empty
            case Fixed(size=size):
                return size == 0
            case Record(fields=fields):
                return all(self._takes_no_bytes(item.type) for item in fields)
            case _:
                return False


def _primitive(schema: Primitive, path: str) -> Check:
    logical = schema.logical
    if logical is not None and (logical.precision is not None or logical.scale is not None):
        raise _unsupported(path, f"logical type {logical.name} has no precision and no scale")
    key = (schema.name, None if logical is None else logical.name)
    check = _PRIMITIVES.get(key)
    if check is None:
        shown = schema.name if logical is None else f"{schema.name} with {logical.name}"
        raise _unsupported(path, f"{shown} is not supported")
    return check


def _check_null(value: object) -> None:
    if value is not None:
        raise _refused("null", value)


def _check_boolean(value: object) -> None:
    if value is not True and value is not False:
        raise _refused("a boolean", value)


def _check_int(value: object) -> None:
    if type(value) is not int:
        raise _refused("a whole number", value)
    if not INT_MIN <= value <= INT_MAX:
        raise ValueRefusedError("the number does not fit 32 bits")


def _check_long(value: object) -> None:
    if type(value) is not int:
        raise _refused("a whole number", value)
    if not LONG_MIN <= value <= LONG_MAX:
        raise ValueRefusedError("the number does not fit 64 bits")


def _check_bytes(value: object) -> None:
    if type(value) is not bytes:
        raise _refused("bytes", value)


def _check_string(value: object) -> None:
    if type(value) is not str:
        raise _refused("text", value)
    if value.isascii():
        if "\0" in value:
            raise ValueRefusedError("the text holds the character NUL")
        return
    if "\0" in value:
        raise ValueRefusedError("the text holds the character NUL")
    try:
        value.encode()
    except UnicodeEncodeError:
        # The cause is dropped: its message would show the text, which may be personal.
        raise ValueRefusedError("the text holds half of a surrogate pair") from None


def _check_date(value: object) -> None:
    if type(value) is not dt.date:
        raise _refused("a date without time", value)


def _check_instant(value: object) -> None:
    if type(value) is not dt.datetime:
        raise _refused("an instant", value)
    if value.tzinfo is not dt.UTC and value.utcoffset() != _NO_OFFSET:
        raise ValueRefusedError("the instant is not in UTC")


def _check_decimal(value: object) -> None:
    if type(value) is not Decimal:
        raise _refused("a decimal", value)
    canonical_decimal(value)


_PRIMITIVES: Final[Mapping[tuple[str, str | None], Check]] = {
    ("null", None): _check_null,
    ("boolean", None): _check_boolean,
    ("int", None): _check_int,
    ("long", None): _check_long,
    ("bytes", None): _check_bytes,
    ("string", None): _check_string,
    ("int", "date"): _check_date,
    ("long", "timestamp-micros"): _check_instant,
    ("string", "registro-decimal"): _check_decimal,
}


def _enum(symbols: frozenset[str]) -> Check:
    def check(value: object) -> None:
        if type(value) is not str:
            raise _refused("a symbol", value)
        if value not in symbols:
            raise ValueRefusedError("the text is not a symbol of the enum")

    return check


def _fixed(size: int) -> Check:
    def check(value: object) -> None:
        if type(value) is not bytes:
            raise _refused("bytes", value)
        if len(value) != size:
            raise ValueRefusedError(f"{size} bytes are expected, not {len(value)}")

    return check


def _optional(check_present: Check) -> Check:
    def check(value: object) -> None:
        if value is not None:
            check_present(value)

    return check


def _array(check_item: Check) -> Check:
    def check(value: object) -> None:
        if type(value) is not list:
            raise _refused("a list", value)
        for index, item in enumerate(value):
            try:
                check_item(item)
            except ValueRefusedError as error:
                error.parts.append(str(index))
                raise

    return check


def _record(checks: Mapping[str, Check]) -> Check:
    pairs = tuple(checks.items())
    names = frozenset(checks)

    def check(value: object) -> None:
        if type(value) is not dict:
            raise _refused("a record", value)
        if value.keys() != names:
            raise _fields_differ(value, names)
        name = ""
        try:
            for name, check_field in pairs:
                check_field(value[name])
        except ValueRefusedError as error:
            error.parts.append(name)
            raise

    return check


def _fields_differ(record: Mapping[object, object], names: frozenset[str]) -> ValueRefusedError:
    missing = sorted(names - record.keys())
    if missing:
        return ValueRefusedError(f"fields are missing: {', '.join(missing)}")
    # Names that are not text cannot be shown safely, and are not names.
    extra = sorted(name for name in record if isinstance(name, str) and name not in names)
    return ValueRefusedError(f"the schema has no such field: {', '.join(extra) or 'not a text'}")


def _refused(expected: str, value: object) -> ValueRefusedError:
    return ValueRefusedError(f"{expected} is expected, not {type(value).__name__}")


def _unsupported(path: str, reason: str) -> InvalidSchemaError:
    return InvalidSchemaError(path=path or "the schema itself", reason=reason)
