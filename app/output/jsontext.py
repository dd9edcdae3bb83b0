"""Answers as JSON: decimals as text, dates in ISO 8601, bytes in lower-case hex.

One function decides how every value is written, so all commands write alike.
"""

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from decimal import Decimal
from enum import Enum


def plain(value: object) -> object:
    """Return a value made of what JSON knows."""
    match value:
        case Enum():
            return plain(value.value)
        case None | bool() | str():
            return value
        case Decimal():
            return format(value, "f")
        case int():
            return int(value)
        case dt.date():
            return value.isoformat()
        case bytes():
            return value.hex()
        case Mapping():
            return {str(key): plain(item) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            items = [plain(item) for item in value]
            # A set has no order of its own, and the same answer must be the same text.
            return items if isinstance(value, list | tuple) else sorted(items, key=str)
        case _ if is_dataclass(value):
            return {item.name: plain(getattr(value, item.name)) for item in fields(value)}
        case _:
            return str(value)


def document(value: object) -> str:
    """Return an answer as indented JSON, keys in the order given."""
    return json.dumps(plain(value), ensure_ascii=False, indent=2)


def line(value: object) -> str:
    """Return an answer as one line of JSON Lines."""
    return json.dumps(plain(value), ensure_ascii=False, separators=(",", ":"))
