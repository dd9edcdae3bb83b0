"""The pages of the hashed bytes show what the frozen fixtures hold, value by value."""

import json
import re
from collections.abc import Iterator

import pytest

from ledger.integrity.leaf import LEAF_BYTES
from schemas.syntax import Json
from tests.support.dataset import ROOT
from tests.support.record_fixtures import FOLDER

FENCE = re.compile(r"^```\n(.*?)^```$", re.DOTALL | re.MULTILINE)
VALUE = re.compile(r"^([a-z_]+(?:\[\d+\]|\.[a-z_]+)*) = (\S+)$", re.MULTILINE)
PIECE = re.compile(r"^ *(\d+)  ([0-9a-f ]{8}) ([0-9a-f]+)$", re.MULTILINE)
HEX = re.compile(r"\b[0-9a-f]{16,}\b")
ROW = re.compile(r"^\| (\d+) \| (\d+) \|", re.MULTILINE)

FIXTURES = {"record.md": ["event"], "block.md": ["block"], "leaf.md": ["leaf", "tree"]}
"""By page: the fixtures it shows."""

SHOWN_IN_PIECES = {"preimage"}
NOT_SHOWN = {
    "record.md": SHOWN_IN_PIECES,
    "block.md": SHOWN_IN_PIECES,
    "leaf.md": set[str](),
}


def page_text(page: str) -> str:
    return (ROOT / "docs" / "formats" / page).read_text(encoding="utf-8")


def flattened(name: str, value: Json) -> Iterator[tuple[str, str]]:
    """Yield every value of a fixture under the name it has on a page."""
    match value:
        case dict():
            for key, item in value.items():
                inner = name in {"", "fields", "values"}
                yield from flattened(key if inner else f"{name}.{key}", item)
        case []:
            yield name, "none"
        case list():
            for index, item in enumerate(value):
                yield from flattened(f"{name}[{index}]", item)
        case _:
            yield name, str(value)


def fixture_values(page: str) -> dict[str, str]:
    values: dict[str, str] = {}
    for name in FIXTURES[page]:
        document = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
        for key, value in flattened("", document):
            assert values.setdefault(key, value) == value, key
    return values


def page_values(page: str) -> list[tuple[str, str]]:
    return [pair for block in FENCE.findall(page_text(page)) for pair in VALUE.findall(block)]


@pytest.mark.parametrize("page", FIXTURES)
def test_every_value_on_the_page_is_that_of_the_fixture(page: str) -> None:
    expected = fixture_values(page)
    found = page_values(page)

    assert found
    for name, value in found:
        assert value == expected[name], name


@pytest.mark.parametrize("page", FIXTURES)
def test_every_value_of_the_fixture_is_on_the_page(page: str) -> None:
    names = {name for name, _ in page_values(page)}

    assert names == set(fixture_values(page)) - NOT_SHOWN[page]


@pytest.mark.parametrize("page", FIXTURES)
def test_every_line_of_an_example_is_read_by_these_tests(page: str) -> None:
    for block in FENCE.findall(page_text(page)):
        for line in block.splitlines():
            assert VALUE.fullmatch(line) or PIECE.fullmatch(line), line


@pytest.mark.parametrize("page", FIXTURES)
def test_no_other_digest_stands_on_the_page(page: str) -> None:
    known = " ".join(fixture_values(page).values())

    assert [text for text in HEX.findall(page_text(page)) if text not in known] == []


def test_the_pieces_on_the_page_join_to_the_preimage() -> None:
    text = page_text("record.md")
    expected = fixture_values("record.md")["preimage"]
    joined = ""
    for offset, length, piece in PIECE.findall(text):
        assert int(offset) == len(joined) // 2
        assert not length.strip() or int(length, 16) == len(piece) // 2
        joined += length.strip() + piece

    assert joined == expected
    assert f"### Preimage, {len(expected) // 2} bytes" in text


def test_the_rows_of_the_leaf_follow_each_other_to_its_end() -> None:
    rows = [(int(offset), int(length)) for offset, length in ROW.findall(page_text("leaf.md"))]
    end = 0
    for offset, length in rows:
        assert offset == end
        end = offset + length

    assert end == LEAF_BYTES
