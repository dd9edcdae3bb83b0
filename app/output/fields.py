"""The fields of an event as a reader sees them: name, and value in the reader's language.

Invariant: a number that names something (a year, a version) is never grouped by marks.
"""

import dataclasses
import datetime as dt
from decimal import Decimal, InvalidOperation
from typing import Final

from app.output.format import day, flag, instant, number
from app.output.formulas import formula_text
from app.texts.codes import code_text
from app.texts.fields import field_text
from app.texts.text import Lang
from ledger.events.base import Event
from ledger.events.catalogue import EVENT_TYPES
from ledger.events.ledger import Actor, ActReference
from ledger.intake.forms import FormField, fields_of
from projections.trail import shown

_NAMING: Final = ("year", "years", "version", "month", "position", "read_through")
"""Ends of the names of whole numbers that name something rather than count it."""
_FORMULA: Final = "formula"


def label(name: str, lang: Lang) -> str:
    """Return the name of a field, without the codes that its help lists."""
    return field_text(name, lang).partition(":")[0].partition(" (")[0].removesuffix(" in JSON")


def value_text(name: str, value: object, lang: Lang) -> str:
    """Return the value of a field in the reader's language; codes become words.

    Args:
        name: of the field.
        value: as the event holds it.
        lang: of the reader.
    """
    match value:
        case None:
            return "-"
        case bool():
            return flag(value, lang)
        case int() if name.endswith(_NAMING):
            return str(value)
        case Decimal() | int():
            return number(value, lang)
        case dt.datetime():
            return instant(value, lang)
        case dt.date():
            return day(value, lang)
        case tuple():
            return ", ".join(value_text(name, item, lang) for item in value) or "-"
        case str() if name == _FORMULA:
            return formula_text(value, code="", lang=lang).removeprefix(" = ")
        case str():
            return code_text(name, value, lang)
        case _:
            return shown(value)


def act_text(act: ActReference) -> str:
    """Return how an act is cited: organ, type, number and day."""
    return shown(act)


def actor_text(actor: Actor) -> str:
    """Return the office that acts: its role, and its unit where it has one."""
    return actor.role if actor.unit_code is None else f"{actor.role}@{actor.unit_code}"


def names_of(event: Event) -> tuple[str, ...]:
    """Return the names of an event's fields, in order."""
    found = dataclasses.fields(event)  # type: ignore[arg-type] # every event class is a dataclass
    return tuple(item.name for item in found)


def rows_of(event: Event, lang: Lang) -> list[tuple[str, str]]:
    """Return name and value of every field of an event that says something, in order."""
    values = ((name, getattr(event, name)) for name in names_of(event))
    return [
        (label(name, lang), value_text(name, value, lang))
        for name, value in values
        if value is not None and value != ()
    ]


def told(event_type: str, name: str, text: str | None, lang: Lang) -> str:
    """Return the value of a field from its plain text, as the trail gives it.

    Args:
        event_type: full name of the event's type.
        name: of the field.
        text: from `projections.trail.shown`; None for no value.
        lang: of the reader.
    """
    if text is None or text == "-":
        return "-"
    cls = EVENT_TYPES.get(event_type)
    known = {} if cls is None else {item.name: item for item in fields_of(cls)}
    if name not in known:
        return text
    item = known[name]
    texts = text.split(", ") if item.many and item.kind in {Decimal, int, dt.date} else [text]
    return ", ".join(value_text(name, _read(item, one), lang) for one in texts)


def _read(item: FormField, text: str) -> object:
    try:
        if item.kind is Decimal:
            return Decimal(text)
        if item.kind is bool:
            return text == str(True)
        if item.kind is int:
            return int(text)
        if item.kind is dt.date:
            return dt.date.fromisoformat(text)
    except (ValueError, InvalidOperation):
        return text
    return text
