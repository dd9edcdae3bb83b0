"""Circles and unknown targets are found, each row named."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.intake.hierarchy import cyclic_rows, dangling_rows, find_cycles
from ledger.intake.tables import Row, TableSpec, parse_table

Node = tuple[str, str | None]

SPEC: TableSpec[Node] = TableSpec(
    file="units.csv",
    columns={"code": str, "parent": str},
    key=("code",),
    build=lambda cells, _: (cells["code"], cells["parent"] or None),
)


def rows_of(text: bytes) -> tuple[Row[Node], ...]:
    return parse_table(b"code,parent\n" + text, SPEC).rows


@pytest.mark.parametrize(
    ("parent_of", "cycles"),
    [
        ({}, ()),
        ({"a": "b", "b": "c"}, ()),
        ({"a": "a"}, (("a",),)),
        ({"b": "a", "a": "b"}, (("a", "b"),)),
        ({"c": "a", "a": "b", "b": "c", "d": "a"}, (("a", "b", "c"),)),
        ({"a": "c", "c": "b", "b": "a"}, (("a", "c", "b"),)),
        ({"z": "y", "y": "z", "b": "a", "a": "b"}, (("a", "b"), ("y", "z"))),
        ({"a": "ghost"}, ()),
    ],
)
def test_finds_circles(parent_of: dict[str, str], cycles: tuple[tuple[str, ...], ...]) -> None:
    assert find_cycles(parent_of) == cycles


def test_finds_a_circle_of_any_length() -> None:
    size = 100_000
    parent_of = {str(n): str((n + 1) % size) for n in range(size)}

    (cycle,) = find_cycles(parent_of)

    assert len(cycle) == size


@pytest.mark.property
@given(st.dictionaries(st.sampled_from("abcdefgh"), st.sampled_from("abcdefghx"), max_size=8))
@settings(max_examples=200)
def test_a_name_is_in_a_circle_when_climbing_comes_back_to_it(parent_of: dict[str, str]) -> None:
    expected = set()
    for start in parent_of:
        name: str | None = start
        for _ in range(len(parent_of)):
            name = parent_of.get(name) if name is not None else None
            if name == start:
                expected.add(start)

    assert {name for cycle in find_cycles(parent_of) for name in cycle} == expected


def test_rejects_all_rows_of_a_circle() -> None:
    rows = rows_of(b"a,b\nb,a\nc,a\nd,\n")

    found = cyclic_rows(
        rows,
        file="units.csv",
        column="parent",
        name=lambda node: node[0],
        parent=lambda node: node[1],
    )

    assert [row.record.raw for row in found] == [b"a,b", b"b,a"]
    assert found[0].problems[0].message == "the row is above itself: a > b > a"


def test_names_the_reference_that_dangles() -> None:
    rows = rows_of(b"dr-lazio,dgg\ndg,\n")

    (found,) = dangling_rows(
        rows,
        file="units.csv",
        column="parent",
        targets=lambda node: () if node[1] is None else (node[1],),
        known=["dg", "dr-lazio"],
        what="unit",
    )

    assert str(found.problems[0]) == (
        "units.csv, line 2, column parent, value 'dgg': there is no unit dgg; did you mean dg?"
    )


def test_accepts_references_that_exist() -> None:
    rows = rows_of(b"dr-lazio,dg\ndg,\n")

    found = dangling_rows(
        rows,
        file="units.csv",
        column="parent",
        targets=lambda node: () if node[1] is None else (node[1],),
        known=["dg"],
        what="unit",
    )

    assert found == ()
