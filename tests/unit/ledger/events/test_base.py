import dataclasses
import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.events.base import Event, Value, from_record, to_record
from ledger.events.catalogue import EVENT_TYPES
from ledger.events.ledger import Actor, ActReference, Encrypted, Envelope, Source

DAY = dt.date(2023, 5, 4)


@dataclass(frozen=True, kw_only=True, slots=True)
class Leaf(Value):
    TYPE: ClassVar[str] = "registro.test.Leaf"
    KEYS: ClassVar[tuple[str, ...]] = ()
    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Tree(Event):
    TYPE: ClassVar[str] = "registro.test.Tree"
    KEYS: ClassVar[tuple[str, ...]] = ("code",)
    code: str
    amount: Decimal | None = None
    leaf: Leaf
    spare: Leaf | None = None
    leaves: tuple[Leaf, ...] = ()
    maybe: tuple[Leaf, ...] | None = None
    days: tuple[dt.date, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Bare(Event):
    TYPE: ClassVar[str] = "registro.test.Bare"
    KEYS: ClassVar[tuple[str, ...]] = ()


def test_nested_values_become_dicts_and_tuples_become_lists() -> None:
    tree = Tree(code="A", leaf=Leaf(name="a"), leaves=(Leaf(name="b"),), days=(DAY,))
    assert to_record(tree) == {
        "code": "A",
        "amount": None,
        "leaf": {"name": "a"},
        "spare": None,
        "leaves": [{"name": "b"}],
        "maybe": None,
        "days": [DAY],
    }


def test_records_become_the_classes_again() -> None:
    record: dict[str, object] = {
        "code": "A",
        "amount": Decimal("1.5"),
        "leaf": {"name": "a"},
        "spare": {"name": "s"},
        "leaves": [{"name": "b"}, {"name": "c"}],
        "maybe": [],
        "days": [DAY],
    }
    assert from_record(Tree, record) == Tree(
        code="A",
        amount=Decimal("1.5"),
        leaf=Leaf(name="a"),
        spare=Leaf(name="s"),
        leaves=(Leaf(name="b"), Leaf(name="c")),
        maybe=(),
        days=(DAY,),
    )


def test_absent_fields_take_their_defaults() -> None:
    tree = from_record(Tree, {"code": "A", "leaf": {"name": "a"}})
    assert (tree.amount, tree.spare, tree.leaves, tree.days) == (None, None, (), ())


@pytest.mark.parametrize(
    "record",
    [
        {},
        {"code": "A"},
        {"code": "A", "leaf": {}},
        {"code": "A", "leaf": {"name": "a", "other": 1}},
        {"code": "A", "leaf": {"name": "a"}, "other": 1},
        {"code": "A", "leaf": {"name": "a"}, "leaves": [{}]},
        {"code": "A", "leaf": None},
    ],
)
def test_refuses_records_of_another_shape(record: dict[str, object]) -> None:
    with pytest.raises(TypeError):
        from_record(Tree, record)


def test_the_record_that_is_read_is_not_changed() -> None:
    leaf = {"name": "a"}
    record: dict[str, object] = {"code": "A", "leaf": leaf}
    from_record(Tree, record)
    assert record == {"code": "A", "leaf": {"name": "a"}}
    assert record["leaf"] is leaf


def test_lists_of_a_record_are_not_shared_with_the_instance() -> None:
    days = [DAY]
    tree = from_record(Tree, {"code": "A", "leaf": {"name": "a"}, "days": days})
    days.append(DAY)
    assert tree.days == (DAY,)


def test_a_class_without_fields_has_an_empty_record() -> None:
    assert to_record(Bare()) == {}
    assert from_record(Bare, {}) == Bare()


def test_plans_of_classes_with_equal_names_are_not_mixed_up() -> None:
    @dataclass(frozen=True, kw_only=True, slots=True)
    class Local(Value):
        TYPE: ClassVar[str] = "registro.test.Leaf"
        KEYS: ClassVar[tuple[str, ...]] = ()
        other: int

    assert from_record(Leaf, {"name": "a"}) == Leaf(name="a")
    assert from_record(Local, {"other": 1}) == Local(other=1)


TEXT = st.text(max_size=8)
ENCRYPTED = st.builds(
    Encrypted, scheme=TEXT, key_id=TEXT, nonce=st.binary(), ciphertext=st.binary()
)
ACTORS = st.builds(Actor, role=TEXT, person=st.none() | ENCRYPTED)
ACTS = st.builds(ActReference, organ=TEXT, act_type=TEXT, adopted_on=st.dates())
ENVELOPES = st.builds(
    Envelope,
    as_of=st.dates(),
    actor=ACTORS,
    source=st.builds(Source, system=TEXT),
    acts=st.lists(ACTS, max_size=3).map(tuple),
)


@pytest.mark.property
@settings(max_examples=100, deadline=None)
@given(envelope=ENVELOPES)
def test_an_envelope_survives_the_way_there_and_back(envelope: Envelope) -> None:
    record = to_record(envelope)
    assert from_record(Envelope, record) == envelope
    assert to_record(from_record(Envelope, record)) == record


@pytest.mark.parametrize("cls", EVENT_TYPES.values(), ids=lambda cls: str(cls.TYPE))
@pytest.mark.property
@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_every_event_survives_the_way_there_and_back(cls: type[Event], data: st.DataObject) -> None:
    event = data.draw(st.from_type(cls))
    names = [field.name for field in dataclasses.fields(cls)]  # type: ignore[arg-type] # generated
    assert list(to_record(event)) == names
    assert from_record(cls, to_record(event)) == event
