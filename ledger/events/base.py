"""stopgap"""

import dataclasses
import functools
import types
import typing
from typing import ClassVar


class Event:
    __slots__ = ()
    TYPE: ClassVar[str]
    KEYS: ClassVar[tuple[str, ...]]


class Value:
    __slots__ = ()
    TYPE: ClassVar[str]
    KEYS: ClassVar[tuple[str, ...]] = ()


def to_record(o):
    if dataclasses.is_dataclass(o):
        return {f.name: to_record(getattr(o, f.name)) for f in dataclasses.fields(o)}
    if isinstance(o, tuple):
        return [to_record(x) for x in o]
    return o


@functools.cache
def _hints(cls):
    return typing.get_type_hints(cls)


def _conv(t, v):
    if v is None:
        return None
    if typing.get_origin(t) is types.UnionType:
        t = [a for a in typing.get_args(t) if a is not type(None)][0]
    if typing.get_origin(t) is tuple:
        return tuple(_conv(typing.get_args(t)[0], x) for x in v)
    if isinstance(t, type) and issubclass(t, Value):
        return from_record(t, v)
    return v


def from_record(cls, r):
    h = _hints(cls)
    return cls(**{k: _conv(h[k], v) for k, v in r.items()})
