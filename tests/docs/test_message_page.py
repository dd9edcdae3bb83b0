"""The page of the messages shows what the frozen fixtures hold, line by line."""

import json
import re

import pytest

from tests.support.dataset import ROOT
from tests.support.message_fixtures import FOLDER, NAMES, Shown, message_fixture

PAGE = ROOT / "docs" / "formats" / "message.md"
FENCE = re.compile(r"^```\n(.*?)^```$", re.DOTALL | re.MULTILINE)
HEADER = re.compile(r"^\| (\d+) \| `([a-z_-]+)` \| (number|text|bytes) \|", re.MULTILINE)


def shown_lines(shown: Shown) -> list[str]:
    return [
        f"topic = {shown.topic}",
        f"partition = {shown.partition}",
        f"key = {shown.key}",
        f"value = {shown.value}",
        *(f"{name} = {value}" for name, _, value in shown.headers),
    ]


def input_lines(name: str) -> list[str]:
    document = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    own = ("ledger_id", "origin", "prefix", "partitions", "position")
    values = {**{key: document[key] for key in own}, **document["fields"]}
    return [f"{key} = {value}" for key, value in values.items()]


def test_the_page_shows_the_fixtures_and_nothing_else() -> None:
    found = [block.splitlines() for block in FENCE.findall(PAGE.read_text(encoding="utf-8"))]
    event, block = (message_fixture(name) for name in NAMES)

    assert found == [
        *(shown_lines(one) for one in event.shown),
        input_lines("block"),
        *(shown_lines(one) for one in block.shown),
    ]


@pytest.mark.parametrize("name", NAMES)
def test_the_tables_name_every_header_in_its_place_and_form(name: str) -> None:
    rows = HEADER.findall(PAGE.read_text(encoding="utf-8"))
    forms = {"number": "text", "text": "text", "bytes": "hex"}
    first, *rest = message_fixture(name).shown

    assert [int(place) for place, _, _ in rows] == list(range(len(rows)))
    assert [(one, forms[form]) for _, one, form in rows] == [
        (header, form) for header, form, _ in first.headers
    ]
    for number, (_, header, form) in enumerate(rows):
        if form == "number":
            assert first.headers[number][2].isdecimal(), header
    for one in rest:
        assert [header for header, _, _ in one.headers] == [row[1] for row in rows[:3]]
