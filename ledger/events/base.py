"""What every event class and every shared value class is, and their way to and from records.

A record is the plain form that the codec reads and writes: a dict of field values, arrays as
lists, nested types as dicts. The classes themselves are generated from the schemas.

Invariants:
1. `from_record(type(x), to_record(x)) == x` for every event and every value.
2. The plan of a class (which fields need a step) is made once, from its dataclass fields; reading
   an event interprets no type hint. Fields that need no step are handed over as they are: their
   values were checked by the codec.

Source: docs/adr/0004-event-classes.md.
"""

import dataclasses
import functools
import operator
import types
import typing
from collections.abc import Callable, Mapping
from typing import ClassVar, TypeAlias, TypeVar

Step: TypeAlias = Callable[[object], object]
"""Turns the value of one field from one form into the other."""
ReadingPlan: TypeAlias = tuple[tuple[str, Step], ...]
"""The fields that are not taken as they are, with the step each one needs."""
WritingPlan: TypeAlias = tuple[
    tuple[str, ...], Callable[[object], tuple[object, ...]], tuple[tuple[str, Step], ...]
]
"""The field names, what reads all of them at once, and the steps of some."""


class Event:
    """Something that happened: one governed event of the ledger; subclasses are generated."""

    __slots__ = ()

    TYPE: ClassVar[str]
    """Avro full name, under which the event is stored."""
    KEYS: ClassVar[tuple[str, ...]]
    """Names of the fields that name the entity the event is about, in order of the schema."""


class Value:
    """A type that several events share, for example a legal act; subclasses are generated."""

    __slots__ = ()

    TYPE: ClassVar[str]
    """Avro full name of the shared type."""
    KEYS: ClassVar[tuple[str, ...]] = ()
    """Always empty: keys belong to events."""


T = TypeVar("T", bound=Event | Value)


def from_record(cls: type[T], record: Mapping[str, object]) -> T:
    """Return the instance of a class that a record describes.

    Args:
        cls: a generated class.
        record: values by field name; an absent field takes its default.

    Raises:
        TypeError: a field without default is absent, or the class has no such field.
    """
    steps = _reading(cls)
    if not steps:
        return cls(**record)
    values = dict(record)
    for name, step in steps:
        if name in values:
            values[name] = step(values[name])
    return cls(**values)


def to_record(instance: Event | Value) -> dict[str, object]:
    """Return the record of an instance, with every field, defaults included."""
    names, values_of, steps = _writing(type(instance))
    values = dict(zip(names, values_of(instance), strict=True))
    for name, step in steps:
        values[name] = step(values[name])
    return values


def _plan_reading(cls: type) -> ReadingPlan:
    return tuple(_steps(cls, one=_reader, many=tuple))


def _plan_writing(cls: type) -> WritingPlan:
    names = tuple(field.name for field in dataclasses.fields(cls))
    return names, _values(names), tuple(_steps(cls, one=_writer, many=list))


def _values(names: tuple[str, ...]) -> Callable[[object], tuple[object, ...]]:
    match names:
        case ():
            return lambda _: ()
        case (name,):
            return lambda instance: (getattr(instance, name),)
        case _:
            return operator.attrgetter(*names)


def _steps(
    cls: type, *, one: Callable[[type], Step], many: type[list[object]] | type[tuple[object, ...]]
) -> list[tuple[str, Step]]:
    hints = typing.get_type_hints(cls)
    found = ((field.name, _step(hints[field.name], one, many)) for field in dataclasses.fields(cls))
    return [(name, step) for name, step in found if step is not None]


def _step(
    hint: object,
    one: Callable[[type], Step],
    many: type[list[object]] | type[tuple[object, ...]],
) -> Step | None:
    """Return the step for a type: None when its values are the same in both forms."""
    if typing.get_origin(hint) in {types.UnionType, typing.Union}:
        (present,) = (part for part in typing.get_args(hint) if part is not types.NoneType)
        step = _step(present, one, many)
        return None if step is None else _unless_none(step)
    if typing.get_origin(hint) is tuple:
        step = _step(typing.get_args(hint)[0], one, many)
        return many if step is None else _each(step, many)
    if isinstance(hint, type) and issubclass(hint, Value):
        return one(hint)
    return None


def _unless_none(step: Step) -> Step:
    return lambda value: None if value is None else step(value)


def _each(step: Step, many: type[list[object]] | type[tuple[object, ...]]) -> Step:
    return lambda values: many([step(value) for value in typing.cast(list[object], values)])


def _reader(cls: type) -> Step:
    return typing.cast(Step, functools.partial(from_record, cls))


def _writer(_: type) -> Step:
    return typing.cast(Step, to_record)


# The declared types say `type`, because a cached function asks mypy for a `Hashable` class.
_reading: Callable[[type], ReadingPlan] = functools.cache(_plan_reading)
_writing: Callable[[type], WritingPlan] = functools.cache(_plan_writing)
