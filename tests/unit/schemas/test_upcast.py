from collections.abc import Mapping

import pytest

from schemas.errors import IncompatibleSchemaError
from schemas.upcast import RELEASED, Upcasters, upcaster

A, B, C = "registro.test.A", "registro.test.B", "registro.test.C"


def renamed(record: Mapping[str, object]) -> dict[str, object]:
    return {"name": record["title"]}


def counted(record: Mapping[str, object]) -> dict[str, object]:
    return {**record, "count": 0}


def registry() -> Upcasters:
    upcasters = Upcasters()
    upcasters.register(old=A, new=B)(renamed)
    upcasters.register(old=B, new=C)(counted)
    return upcasters


def test_carries_a_record_through_the_whole_chain() -> None:
    assert registry().upcast(A, {"title": "x"}) == (C, {"name": "x", "count": 0})


def test_starts_in_the_middle_of_a_chain() -> None:
    assert registry().upcast(B, {"name": "x"}) == (C, {"name": "x", "count": 0})


def test_leaves_a_type_without_successor_alone() -> None:
    record = {"name": "x"}
    assert registry().upcast(C, record) == (C, record)
    assert registry().chain("registro.test.Other") == ("registro.test.Other",)


def test_does_not_change_the_record_it_is_given() -> None:
    record = {"title": "x"}
    registry().upcast(A, record)
    assert record == {"title": "x"}


def test_names_the_chain() -> None:
    assert registry().chain(A) == (A, B, C)


@pytest.mark.parametrize(("old", "new"), [(A, C), (C, A), (C, B), (C, C)])
def test_refuses_second_successors_and_circles(old: str, new: str) -> None:
    upcasters = registry()
    with pytest.raises(IncompatibleSchemaError):
        upcasters.register(old=old, new=new)(renamed)
    assert upcasters.chain(A) == (A, B, C)


def test_the_decorator_returns_the_function_and_serves_the_released_schemas() -> None:
    upcasters = Upcasters()
    assert upcasters.register(old=A, new=B)(renamed) is renamed
    assert upcaster.__self__ is RELEASED  # type: ignore[attr-defined] # a bound method
