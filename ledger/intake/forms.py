"""Events from texts: what people type on a command line or in a YAML file.

The fields and their types come from the event classes, which come from the schemas: no list of
fields is kept here.

Invariants:
1. A number that may be read in two ways is refused: three digits after a single mark, as in 1.234
   or 1,234, are decimals in one language and thousands in the other. The answer does not depend on
   the language, so that a command means the same to everybody.
2. Only what people type is read from text; the other fields of an event that is amended are taken
   over as they are.

Source: docs/adr/0004-event-classes.md; docs/cli.md for how each type is written.
"""

import dataclasses
import datetime as dt
import difflib
import re
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import cache
from typing import Final, TypeVar, cast

from ledger.envelopes import parse_act
from ledger.errors import InvalidCommandError
from ledger.events.base import Event, Value
from ledger.events.ledger import ActReference

E = TypeVar("E", bound=Event | Value)

Text = str | Sequence[str]
"""A field as typed; several texts for a field that holds several values."""

_NUMBER: Final = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)?", re.ASCII)
_AMBIGUOUS: Final = re.compile(r"([+-]?[1-9][0-9]{0,2})[.,]([0-9]{3})", re.ASCII)
"""One to three digits, a mark and three digits: thousands, or three decimals."""
_INTEGER: Final = re.compile(r"[+-]?[0-9]+", re.ASCII)
_ISO_DAY: Final = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})", re.ASCII)
_ITALIAN_DAY: Final = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})", re.ASCII)
_DIGITS_MAX: Final = 38
_INTEGER_BITS: Final = 63
"""Avro's `long` holds this many bits and a sign."""
_TRUE: Final = frozenset({"true", "yes", "si", "sì", "1"})
_FALSE: Final = frozenset({"false", "no", "0"})


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class FormField:
    """One field of an event, as a form shows it."""

    name: str
    kind: type
    """str, int, Decimal, bool, date, datetime, bytes or `ActReference`."""
    many: bool
    """Whether it holds several values."""
    required: bool


def fields_of(cls: type[Event | Value]) -> tuple[FormField, ...]:
    """Return the fields of an event class, in order."""
    return _cached_fields(cls)


def _fields_of(cls: type) -> tuple[FormField, ...]:
    hints = typing.get_type_hints(cls)
    return tuple(_field(item, hints[item.name]) for item in dataclasses.fields(cls))


def _field(item: dataclasses.Field[object], hint: object) -> FormField:
    if typing.get_origin(hint) in {types.UnionType, typing.Union}:
        hint = next(arg for arg in typing.get_args(hint) if arg is not type(None))
    many = typing.get_origin(hint) is tuple
    kind = typing.get_args(hint)[0] if many else hint
    return FormField(
        name=item.name,
        kind=cast(type, kind),
        many=many,
        required=item.default is dataclasses.MISSING,
    )


# The declared type says `type`, because a cached function asks mypy for a `Hashable` class.
_cached_fields: Callable[[type], tuple[FormField, ...]] = cache(_fields_of)


def build(cls: type[E], texts: Mapping[str, Text]) -> E:
    """Return an event from the texts of its fields.

    Args:
        cls: class of the event.
        texts: by name of the field; an absent or empty text leaves an optional field out.

    Raises:
        InvalidCommandError: a field is unknown, missing, or not written as its type asks.
    """
    for name in texts:
        _known_field(cls, name)
    values: dict[str, object] = {}
    for field in _cached_fields(cls):
        text = texts.get(field.name)
        if text:
            values[field.name] = _read(cls, field, text)
        elif field.required:
            raise _invalid(cls, field.name, "", "it is required")
    return cls(**values)


def amended(old: E, texts: Mapping[str, Text]) -> E:
    """Return an event with some fields changed, the others as they are.

    Args:
        old: the event.
        texts: the changed fields by name; an empty text takes the value out of an optional field.

    Raises:
        InvalidCommandError: a field is unknown, left empty although it is required, or not written
            as its type asks.
    """
    cls = type(old)
    kept = {field.name: getattr(old, field.name) for field in _cached_fields(cls)}
    changed = {name: _amended(cls, name, text) for name, text in texts.items()}
    return cls(**{**kept, **changed})


def _amended(cls: type, name: str, text: Text) -> object:
    field = _known_field(cls, name)
    if not text and field.required:
        raise _invalid(cls, name, "", "it is required")
    if not text:
        return () if field.many else None
    return _read(cls, field, text)


def _known_field(cls: type, name: str) -> FormField:
    known = {field.name: field for field in _cached_fields(cls)}
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known, n=1)
    ask = f"did you mean {near[0]}?" if near else f"fields: {', '.join(known)}"
    raise _invalid(cls, name, "", f"there is no such field; {ask}")


def _read(cls: type, field: FormField, text: Text) -> object:
    if field.many:
        return tuple(_value(cls, field, each) for each in _listed(text))
    if isinstance(text, str):
        return _value(cls, field, text)
    raise _invalid(cls, field.name, ", ".join(text), "it takes one value")


def _listed(text: Text) -> Sequence[str]:
    if isinstance(text, str):
        return [part.strip() for part in text.split(",") if part.strip()]
    return text


def _value(cls: type, field: FormField, text: str) -> object:
    parse = _PARSERS[field.kind]
    try:
        return parse(text.strip())
    except InvalidCommandError as error:
        # Whoever fills in a form knows its fields, not those of the act within.
        raise _invalid(cls, field.name, text, error.facts["reason"]) from error
    except ValueError as error:
        raise _invalid(cls, field.name, text, str(error)) from error


def _invalid(cls: type, name: str, value: str, reason: str) -> InvalidCommandError:
    return InvalidCommandError(subject=cls.__name__, field=name, value=value, reason=reason)


def _text(text: str) -> str:
    if not text or not text.isprintable():
        raise ValueError("it is empty or holds characters that cannot be printed")
    return text


def _integer(text: str) -> int:
    if not _INTEGER.fullmatch(text):
        raise ValueError("write a whole number, without separators")
    if len(text) > _DIGITS_MAX or int(text).bit_length() > _INTEGER_BITS:
        raise ValueError("the number is too large")
    return int(text)


def _decimal(text: str) -> Decimal:
    if not _NUMBER.fullmatch(text):
        raise ValueError("write digits and at most one decimal mark, for example 1234.56")
    ambiguous = _AMBIGUOUS.fullmatch(text)
    if ambiguous is not None:
        whole, rest = ambiguous.groups()
        raise ValueError(
            f"it may mean two numbers: write {whole}{rest} for thousands, {whole}.{rest}0 for "
            "decimals"
        )
    value = Decimal(text.replace(",", "."))
    if len(value.as_tuple().digits) > _DIGITS_MAX:
        raise ValueError(f"it has more than {_DIGITS_MAX} digits")
    return value.copy_abs() if value.is_zero() else value


def _boolean(text: str) -> bool:
    folded = text.casefold()
    if folded not in _TRUE | _FALSE:
        raise ValueError("write yes or no")
    return folded in _TRUE


def _date(text: str) -> dt.date:
    iso, italian = _ISO_DAY.fullmatch(text), _ITALIAN_DAY.fullmatch(text)
    if iso is not None:
        year, month, day = iso.groups()
    elif italian is not None:
        day, month, year = italian.groups()
    else:
        raise ValueError("write a day as YYYY-MM-DD or DD/MM/YYYY")
    try:
        return dt.date(int(year), int(month), int(day))
    except ValueError as error:
        raise ValueError("there is no such day in the calendar") from error


def _instant(text: str) -> dt.datetime:
    try:
        value = dt.datetime.fromisoformat(text)
    except ValueError:
        value = None
    if value is None or value.tzinfo is None:
        raise ValueError("write an instant as YYYY-MM-DDTHH:MM:SS+00:00")
    return value.astimezone(dt.UTC)


def _bytes(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise ValueError("write bytes in hexadecimal digits") from error


_PARSERS: Final[Mapping[type, Callable[[str], object]]] = {
    str: _text,
    int: _integer,
    Decimal: _decimal,
    bool: _boolean,
    dt.date: _date,
    dt.datetime: _instant,
    bytes: _bytes,
    ActReference: parse_act,
}
