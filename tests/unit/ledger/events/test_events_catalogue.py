import dataclasses
import importlib
import inspect
import json
import pkgutil
from pathlib import Path

import pytest

import ledger.events
from ledger.events.base import Event, Value
from ledger.events.catalogue import EVENT_TYPES

AVRO = Path(__file__).parents[4] / "schemas" / "avro"


def classes(base: type[Event] | type[Value]) -> dict[str, type[Event] | type[Value]]:
    """Return the generated classes below a base, by stored type name."""
    found = {}
    for info in pkgutil.iter_modules(ledger.events.__path__, "ledger.events."):
        for _, cls in inspect.getmembers(importlib.import_module(info.name), inspect.isclass):
            if issubclass(cls, base) and cls is not base:
                found[cls.TYPE] = cls
    return found


def documents(kind: str) -> dict[str, dict[str, list[dict[str, object]]]]:
    """Return the first version of every schema of a kind, by full name."""
    read = [json.loads(path.read_text(encoding="utf-8")) for path in AVRO.glob("*/*/v1.avsc")]
    return {f"{d['namespace']}.{d['name']}": d for d in read if d["registro:kind"] == kind}


def test_names_every_event_of_the_schemas_and_nothing_else() -> None:
    assert set(EVENT_TYPES) == set(documents("event"))
    assert dict(EVENT_TYPES) == classes(Event)


def test_every_shared_type_has_a_value_class_outside_the_catalogue() -> None:
    assert set(classes(Value)) == set(documents("type"))
    assert not set(classes(Value)) & set(EVENT_TYPES)


def test_stands_in_order_of_the_full_name() -> None:
    assert list(EVENT_TYPES) == sorted(EVENT_TYPES)


def test_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        EVENT_TYPES["registro.acts.Other"] = Event  # type: ignore[index] # that is the point


@pytest.mark.parametrize("full_name", sorted({**documents("event"), **documents("type")}))
def test_a_class_has_the_fields_the_keys_and_the_defaults_of_its_schema(full_name: str) -> None:
    cls = {**classes(Event), **classes(Value)}[full_name]
    fields = {**documents("event"), **documents("type")}[full_name]["fields"]

    made = dataclasses.fields(cls)  # type: ignore[arg-type] # every generated class is a dataclass

    assert [item.name for item in made] == [item["name"] for item in fields]
    assert list(cls.KEYS) == [item["name"] for item in fields if item.get("registro:key")]
    assert [item.default is dataclasses.MISSING for item in made] == [
        "default" not in item for item in fields
    ]


@pytest.mark.parametrize("cls", EVENT_TYPES.values(), ids=lambda cls: str(cls.TYPE))
def test_events_are_frozen_slotted_and_named_as_they_are_stored(cls: type[Event]) -> None:
    assert cls.TYPE.rpartition(".")[2] == cls.__name__
    assert cls.TYPE.split(".")[1] == cls.__module__.rpartition(".")[2]
    assert "__dict__" not in dir(cls)
    assert cls.__dataclass_params__.frozen  # type: ignore[attr-defined] # a dataclass, generated
