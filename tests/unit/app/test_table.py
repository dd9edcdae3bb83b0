"""Tables and trees as data."""

import pytest

from app.output.table import Column, Table, Tree


def test_a_column_is_aligned_left_unless_said_otherwise() -> None:
    assert Column("x").align == "left"
    assert Column("x", "right").align == "right"


def test_a_table_has_no_title_unless_it_is_given() -> None:
    assert Table(columns=[Column("x")], rows=[]).title is None


def test_adding_to_a_tree_gives_the_new_node() -> None:
    root = Tree("root")

    below = root.add("a").add("b")

    assert root == Tree("root", [Tree("a", [Tree("b")])])
    assert below is root.children[0].children[0]


def test_two_trees_share_no_children() -> None:
    first, second = Tree("x"), Tree("x")

    first.add("child")

    assert second.children == []


def test_a_table_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        Table(columns=[], rows=[]).title = "x"  # type: ignore[misc] # what is refused
